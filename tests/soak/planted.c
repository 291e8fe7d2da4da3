/* Bugs on purpose, each against one rule of the engine: a soak that does not notice them proves nothing. The
 * linker puts these functions in the way (--wrap, in the Makefile); SOAK_BUG names the one that works. */
#include "drive/keep.h"
#include "token/lease.h"
#include "token/verdict.h"

#include <stdlib.h>
#include <string.h>

/* As the headers declare them: what no longer fits does not compile. */
__typeof__(identity__refresh_verdict) __real_identity__refresh_verdict, __wrap_identity__refresh_verdict;
__typeof__(identity__lease_left_ms) __real_identity__lease_left_ms, __wrap_identity__lease_left_ms;
__typeof__(identity__keep_swap) __real_identity__keep_swap, __wrap_identity__keep_swap;

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
bool __wrap_identity__keep_swap(identity_session *session, identity__call *call,
                                const identity__change *change, int32_t *said, uint64_t *revision) {
  bool new_pair = change->next.generation != session->tokens.record.generation;
  if (!is_planted("not-stored") || !new_pair)
    return __real_identity__keep_swap(session, call, change, said, revision);
  *revision = session->tokens.revision;
  *said = IDENTITY__SAID_OK;
  return true;
}
