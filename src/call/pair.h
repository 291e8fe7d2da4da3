/* The token pair in an answer of register, login, single sign-on or refresh. */
#ifndef IDENTITY__PAIR_H
#define IDENTITY__PAIR_H

#include "call/call.h"

/* Reads the answer of the last SEND into call->grant. OK; UNEXPECTED_ANSWER: there is no usable pair, that is
 * a JWT of three parts and a refresh token that is absent or a non-empty text; OUT_OF_MEMORY. Leaves
 * call->error alone. */
identity_status identity__call_read_pair(identity__call *call);

/* The same for a call that signs in: also needs the refresh token and the customer; email: what the viewer
 * typed, used where the JWT does not say. Fills call->error when it is not usable. After OUT_OF_MEMORY the
 * flow holds the answer. */
identity_status identity__call_read_sign_in(identity__call *call, const char *email);

/* A grant from a token pair that came from elsewhere. OK; UNEXPECTED_ANSWER: the JWT is not one;
 * OUT_OF_MEMORY. */
identity_status identity__call_grant(identity__call *call, const char *jwt, const char *refresh_token,
                                     int64_t date_s);

#endif
