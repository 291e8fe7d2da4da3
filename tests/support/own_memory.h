/* Whether a secret is anywhere in the memory of this process, freed memory included. The secret itself is
 * kept masked, and comes from a process of its own: else a look would find what the test left behind. */
#ifndef SUPPORT_OWN_MEMORY_H
#define SUPPORT_OWN_MEMORY_H

#include "support/service.h"

#include <stddef.h>

enum { OWN_MEMORY_SECRET = 2048 };

typedef struct masked {
  size_t length;
  unsigned char bytes[OWN_MEMORY_SECRET];
} masked;

/* The pair of a login that another process makes. */
void own_memory_login(service *server, const char *email, masked *jwt, masked *refresh_token);
/* The session adopts it; of the plain texts nothing stays. */
identity_status own_memory_adopt(identity_session *session, const masked *jwt, const masked *refresh_token);
/* A text of 64 hexadecimal digits that nobody has seen, and its bytes one by one. */
void own_memory_invent(masked *secret);
char own_memory_byte(const masked *secret, size_t place);
/* How often it is there. */
int own_memory_count(const masked *secret);

#endif
