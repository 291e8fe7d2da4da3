/* Bugs on purpose, each against one rule of the engine: a soak that does not notice them proves nothing. The
 * linker puts these functions in the way (--wrap, in the Makefile); SOAK_BUG names the one that works. */
#include "drive/keep.h"
#include "token/lease.h"
#include "token/verdict.h"

#include <stdlib.h>
#include <string.h>

int32_t __real_identity__refresh_verdict(const identity__refresh_facts *facts);
int32_t __wrap_identity__refresh_verdict(const identity__refresh_facts *facts);
int64_t __real_identity__lease_left_ms(const identity__lease *lease, const char *refresh_token,
                                       bool owner_gone, int64_t boot_ms);
int64_t __wrap_identity__lease_left_ms(const identity__lease *lease, const char *refresh_token,
                                       bool owner_gone, int64_t boot_ms);
int32_t __real_identity__keep_swap(identity_session *session, const identity__record *record,
                                   bool both_copies, uint64_t *revision);
int32_t __wrap_identity__keep_swap(identity_session *session, const identity__record *record,
                                   bool both_copies, uint64_t *revision);

static bool is_planted(const char *bug) {
  const char *planted = getenv("SOAK_BUG");
  return planted != NULL && strcmp(planted, bug) == 0;
}

/* A service that fails is taken for one that refuses. */
int32_t __wrap_identity__refresh_verdict(const identity__refresh_facts *facts) {
  if (is_planted("5xx-refuses") && facts->whole && facts->http_status >= 500)
    return IDENTITY__VERDICT_REJECTED;
  return __real_identity__refresh_verdict(facts);
}

/* Nobody waits for the flight of another handle, or for an attempt whose answer may still come. */
int64_t __wrap_identity__lease_left_ms(const identity__lease *lease, const char *refresh_token,
                                       bool owner_gone, int64_t boot_ms) {
  if (is_planted("no-lease"))
    return 0;
  return __real_identity__lease_left_ms(lease, refresh_token, owner_gone, boot_ms);
}

/* A new pair is used and not stored. */
int32_t __wrap_identity__keep_swap(identity_session *session, const identity__record *record,
                                   bool both_copies, uint64_t *revision) {
  bool new_pair = record->generation != session->tokens.record.generation;
  if (is_planted("not-stored") && new_pair)
    return IDENTITY__SAID_OK;
  return __real_identity__keep_swap(session, record, both_copies, revision);
}
