/* The durable mark of a refresh in flight: whose it is, and how long its attempt may still run. Pure. */
#ifndef IDENTITY__LEASE_H
#define IDENTITY__LEASE_H

#include "token/record.h"

#include <stdbool.h>

enum {
  IDENTITY__LEASE_MS = 75 * 1000,  /* longer than a refresh takes at most */
  IDENTITY__ORPHAN_MS = 10 * 1000, /* the end of one whose owner is gone, since it began */
  /* The request may leave only while the lease is younger: long enough to connect, and early enough that the
   * service has done its part when an orphan ends. */
  IDENTITY__RELEASE_MS = 6 * 1000
};

/* self: a lease without a refresh token: the handle and its process. */
void identity__lease_take(identity__lease *lease, const identity__lease *self, const char *refresh_token,
                          int64_t boot_ms);
/* Whether it is of an attempt with this refresh token (NULL: of none). */
bool identity__lease_is_of(const identity__lease *lease, const char *refresh_token);
bool identity__lease_is_ours(const identity__lease *lease, const identity__lease *self);
/* How long the attempt may still run; 0: it is over, there is none, or it is of another refresh token. */
int64_t identity__lease_left_ms(const identity__lease *lease, const char *refresh_token, bool owner_gone,
                                int64_t boot_ms);
/* Its owner goes and leaves it unanswered. */
void identity__lease_orphan(identity__lease *lease);

#endif
