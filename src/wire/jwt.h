/* What a JWT says about itself. Read without trust: the service judges tokens, the library only carries them.
 */
#ifndef IDENTITY__JWT_H
#define IDENTITY__JWT_H

#include "base/limits.h"

#include <stdbool.h>
#include <stdint.h>

typedef struct identity__claims {
  int64_t expires_s;                      /* 0: the token does not say */
  int64_t issued_s;                       /* 0: the token does not say */
  char customer_id[IDENTITY__MAX_ID + 1]; /* empty: the token does not say */
  char publisher_id[IDENTITY__MAX_ID + 1];
  char email[IDENTITY__MAX_EMAIL + 1];
} identity__claims;

/* Three parts of base64url (RFC 7519 section 3), not longer than the bound. */
bool identity__jwt_has_three_parts(const char *jwt);
/* Reads the claims; what cannot be read stays empty. */
enum { IDENTITY__JWT_OK = 0, IDENTITY__JWT_UNREADABLE = 1, IDENTITY__JWT_MEMORY = 2 };
int identity__jwt_claims(const char *jwt, identity__claims *claims);
/* How long the token lived when it came with an answer of this date: exp - iat, without iat exp - the
 * service's own Date; a quarter of an hour where neither makes sense. Never the device's clock. */
int64_t identity__jwt_life_ms(const identity__claims *claims, int64_t date_s);

#endif
