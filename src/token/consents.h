/* What a viewer has answered to consents and the service has yet to hear. */
#ifndef IDENTITY__TOKEN_CONSENTS_H
#define IDENTITY__TOKEN_CONSENTS_H

#include <stdint.h>

enum { IDENTITY__MAX_CONSENT_TEXT = 255 };

/* The answer to one consent. Its texts are never NULL. */
typedef struct identity__kept_consent {
  char *name;
  char *version;
  int32_t accepted;
} identity__kept_consent;

/* A copy of a list with its texts; NULL: there are none, or memory is out. */
identity__kept_consent *identity__consents_copy(const identity__kept_consent *consents, uint32_t count);
/* Wipes and frees a list and its texts; NULL is fine. */
void identity__consents_free(identity__kept_consent *consents, uint32_t count);

#endif
