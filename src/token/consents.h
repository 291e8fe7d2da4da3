/* What a viewer has answered to consents and the service has yet to hear. */
#ifndef IDENTITY__TOKEN_CONSENTS_H
#define IDENTITY__TOKEN_CONSENTS_H

#include "base/arena.h"

#include <identity/identity.h>

enum { IDENTITY__MAX_CONSENT_TEXT = 255 };

/* Texts of a list are never NULL. A copy with its texts; NULL: there are none, or memory is out. */
identity_consent_answer *identity__consents_copy(const identity_consent_answer *consents, uint32_t count);
/* The same in an arena, an empty list for none. NULL: memory is out. */
identity_consent_answer *identity__consents_keep(identity__arena *arena,
                                                 const identity_consent_answer *consents, uint32_t count);
/* Wipes and frees a list and its texts; NULL is fine. */
void identity__consents_free(identity_consent_answer *consents, uint32_t count);

#endif
