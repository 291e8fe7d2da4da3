#include "token/lease.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { CLOCK_SLACK_MS = 1000 };

/* FNV-1a, 64 bits: tells two refresh tokens apart, and nothing about either of them that could be used. */
static void fingerprint(const char *refresh_token, char text[static 24]) {
  uint64_t hash = UINT64_C(0xCBF29CE484222325);
  for (; *refresh_token != '\0'; refresh_token++)
    hash = (hash ^ (uint64_t)(unsigned char)*refresh_token) * UINT64_C(0x100000001B3);
  (void)snprintf(text, 24, "%016" PRIx64, hash);
}

void identity__lease_take(identity__lease *lease, const identity__lease *self, const char *refresh_token,
                          int64_t boot_ms) {
  *lease = *self;
  fingerprint(refresh_token, lease->fingerprint);
  lease->begun_boot_ms = boot_ms;
  lease->ends_boot_ms = boot_ms + IDENTITY__LEASE_MS;
}

bool identity__lease_is_ours(const identity__lease *lease, const identity__lease *self) {
  return lease->fingerprint[0] != '\0' && strcmp(lease->owner, self->owner) == 0;
}

bool identity__lease_is_of(const identity__lease *lease, const char *refresh_token) {
  char wanted[24];
  if (refresh_token == NULL)
    return false;
  fingerprint(refresh_token, wanted);
  return strcmp(lease->fingerprint, wanted) == 0;
}

int64_t identity__lease_left_ms(const identity__lease *lease, const char *refresh_token, bool owner_gone,
                                int64_t boot_ms) {
  if (!identity__lease_is_of(lease, refresh_token) || lease->begun_boot_ms > boot_ms + CLOCK_SLACK_MS)
    return 0;
  int64_t longest = owner_gone ? IDENTITY__ORPHAN_MS : IDENTITY__LEASE_MS;
  int64_t ends = lease->begun_boot_ms + longest;
  if (lease->ends_boot_ms < ends)
    ends = lease->ends_boot_ms;
  return ends > boot_ms ? ends - boot_ms : 0;
}

void identity__lease_orphan(identity__lease *lease) {
  int64_t ends = lease->begun_boot_ms + IDENTITY__ORPHAN_MS;
  if (ends < lease->ends_boot_ms)
    lease->ends_boot_ms = ends;
}
