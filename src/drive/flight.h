/* Tokens for calls, and the refresh that a session has in flight. All of it is the driver's. */
#ifndef IDENTITY__FLIGHT_H
#define IDENTITY__FLIGHT_H

#include "drive/session.h"

/* What a call asks for; kept in call->asks. */
enum {
  IDENTITY__ASKS_TOKEN,   /* for a request */
  IDENTITY__ASKS_LIFE,    /* with call->min_life_ms */
  IDENTITY__ASKS_ROTATION /* a new pair */
};

/* What a call is told about its token. */
typedef struct identity__token_news {
  identity__token_use token;
  identity_error error;
} identity__token_news;

/* The event for a call that asked: TOKEN, FAILED, or ORDERED after a rotation. False: the call waits for a
 * flight. */
bool identity__flight_ask(identity_session *session, identity__call *call, int32_t asks,
                          identity__token_news *news, identity__event *event);
/* The same after the service refused the token of call->used. */
bool identity__flight_rejected(identity_session *session, identity__call *call, identity__token_news *news,
                               identity__event *event);
/* Whether a call that waits can go on: the flight it waited for is over. */
bool identity__flight_answer(identity_session *session, identity__call *call, identity__token_news *news,
                             identity__event *event);

/* The orders of a flight. */
identity_status identity__flight_begin(identity_session *session, identity__call *flight);
identity_status identity__flight_end(identity_session *session, identity__call *flight);
/* A flight is over: its waiters may be answered. */
void identity__flight_over(identity_session *session, const identity__call *flight);

#endif
