/* The records that come next: who is signed in, and what a refresh brought. */
#include "base/secret.h"
#include "token/machine.h"
#include "token/machine_times.h"
#include "token/verdict.h"

#include <string.h>

enum { DEFINITE_REFUSALS = 3 };

/* ---- Changing who is signed in ---- */

/* How often 401s have caused a refresh is counted for the slot (I9), whoever is signed in. */
static void begin_record(const identity__machine *machine, identity__record *next) {
  identity__record_init(next);
  next->caused_count = machine->record.caused_count;
  memcpy(next->caused_boot_ms, machine->record.caused_boot_ms, sizeof next->caused_boot_ms);
  memcpy(next->maker, machine->record.maker, sizeof next->maker);
}

static void begin_epoch(const identity__machine *machine, identity__record *next) {
  begin_record(machine, next);
  next->epoch = machine->record.epoch + 1;
  memcpy(next->maker, machine->self.owner, sizeof next->maker);
}

static bool finish(identity__record *next, bool whole) {
  if (!whole)
    identity__record_clear(next);
  return whole;
}

bool identity__machine_sign_in(const identity__machine *machine, const identity__grant *grant,
                               const identity_consent_answer *pending, uint32_t pending_count,
                               identity__record *next) {
  begin_epoch(machine, next);
  next->generation = machine->record.generation + 1;
  next->standing = IDENTITY__RECORD_SIGNED_IN;
  return finish(next, identity__grant_copy(&next->grant, grant) &&
                          identity__record_set_pending(next, pending, pending_count));
}

bool identity__machine_sign_out(const identity__machine *machine, int32_t reason, identity__record *next) {
  begin_epoch(machine, next);
  next->generation = machine->record.generation;
  next->standing = IDENTITY__RECORD_SIGNED_OUT;
  next->reason = reason;
  return true;
}

static bool copy_hint(identity__grant *hint, const identity__grant *grant) {
  hint->customer_id = identity__secret_copy(grant->customer_id);
  hint->publisher_id = identity__secret_copy(grant->publisher_id);
  hint->email = identity__secret_copy(grant->email);
  return (hint->customer_id != NULL) == (grant->customer_id != NULL) &&
         (hint->publisher_id != NULL) == (grant->publisher_id != NULL) &&
         (hint->email != NULL) == (grant->email != NULL);
}

/* Epoch and generation stay: a late good pair of this generation may still win over a lost rotation (I2). */
bool identity__machine_end(const identity__machine *machine, int32_t reason, identity__record *next) {
  begin_record(machine, next);
  next->epoch = machine->record.epoch;
  next->generation = machine->record.generation;
  next->standing = IDENTITY__RECORD_REAUTH;
  next->reason = reason;
  return finish(
      next, copy_hint(&next->grant, &machine->record.grant) &&
                identity__record_set_pending(next, machine->record.pending, machine->record.pending_count));
}

bool identity__machine_same(const identity__machine *machine, identity__record *next) {
  identity__record_init(next);
  return identity__record_copy(next, &machine->record);
}

bool identity__machine_set_pending(const identity__machine *machine, const identity_consent_answer *pending,
                                   uint32_t pending_count, identity__record *next) {
  if (!identity__machine_same(machine, next))
    return false;
  return finish(next, identity__record_set_pending(next, pending, pending_count));
}

/* ---- The refresh ---- */

static bool keep_text(char **target, const char *fallback) {
  if (*target == NULL && fallback != NULL)
    *target = identity__secret_copy(fallback);
  return *target != NULL || fallback == NULL;
}

/* A lease that is there is over: nobody has heard what became of its attempt. */
bool identity__machine_lease(const identity__machine *machine, int64_t now_ms, identity__record *next) {
  if (!identity__machine_same(machine, next))
    return false;
  bool unused = machine->lease_unused && identity__lease_is_ours(&next->lease, &machine->self);
  if (next->lease.fingerprint[0] != '\0' && !unused)
    next->ambiguous = 1;
  identity__lease_take(&next->lease, &machine->self, next->grant.refresh_token, now_ms);
  return true;
}

static bool keeps_refresh_token(const identity__grant *grant, const identity__grant *ours) {
  const char *given = grant->refresh_token;
  return given == NULL || (ours->refresh_token != NULL && strcmp(given, ours->refresh_token) == 0);
}

/* What the answer did not say stays as it was; an absent refresh token means ours is still good. */
bool identity__machine_rotate(const identity__machine *machine, const identity__grant *grant,
                              identity__record *next) {
  const identity__record *record = &machine->record;
  begin_record(machine, next);
  next->epoch = record->epoch;
  next->generation = record->generation + 1;
  next->standing = IDENTITY__RECORD_SIGNED_IN;
  identity__grant *pair = &next->grant;
  /* The refresh token stays: what another handle does with it is not over because we have an answer. */
  bool kept = keeps_refresh_token(grant, &record->grant);
  if (kept && !identity__lease_is_ours(&record->lease, &machine->self))
    next->lease = record->lease;
  next->ambiguous =
      kept && record->ambiguous; /* so does what became of an attempt of theirs that nobody knows of */
  return finish(next, identity__grant_copy(pair, grant) &&
                          keep_text(&pair->refresh_token, record->grant.refresh_token) &&
                          keep_text(&pair->customer_token, record->grant.customer_token) &&
                          keep_text(&pair->customer_id, record->grant.customer_id) &&
                          keep_text(&pair->publisher_id, record->grant.publisher_id) &&
                          keep_text(&pair->email, record->grant.email) &&
                          identity__record_set_pending(next, record->pending, record->pending_count));
}

static void cool_down(identity__record *next, int64_t wait_ms, int64_t now_ms) {
  next->cooldown_boot_ms = now_ms + wait_ms;
}

/* Full jitter: anything from one second up to a bound that doubles with each failure. */
static int64_t backoff_ms(int32_t failures, uint64_t random) {
  int64_t bound = 2 * IDENTITY__BACKOFF_FIRST_MS; /* the first try, too, must not bring all back at once */
  for (int32_t i = 0; i < failures && bound < IDENTITY__BACKOFF_MOST_MS; i++)
    bound *= 2;
  if (bound > IDENTITY__BACKOFF_MOST_MS)
    bound = IDENTITY__BACKOFF_MOST_MS;
  return IDENTITY__BACKOFF_FIRST_MS + (int64_t)(random % (uint64_t)(bound - IDENTITY__BACKOFF_FIRST_MS + 1));
}

/* A service that answers and cannot serve is in trouble with everybody. In the moment in which it works again
 * its load is what it was the moment before: that of all who come for the first time, and of all who try
 * again. So these are few. */
static int64_t trouble_ms(int32_t failures, bool spare, uint64_t random) {
  static const struct {
    int64_t least_ms;
    int64_t most_ms;
  } waits[] = {{IDENTITY__TROUBLE_FIRST_LEAST_MS, IDENTITY__TROUBLE_FIRST_MOST_MS},
               {IDENTITY__TROUBLE_SECOND_LEAST_MS, IDENTITY__TROUBLE_SECOND_MOST_MS},
               {IDENTITY__TROUBLE_LATER_LEAST_MS, IDENTITY__TROUBLE_LATER_MOST_MS}};
  int32_t last = (int32_t)(sizeof waits / sizeof waits[0]) - 1;
  int32_t row = failures < last ? failures + (spare ? 1 : 0) : last;
  return waits[row].least_ms + (int64_t)(random % (uint64_t)(waits[row].most_ms - waits[row].least_ms + 1));
}

/* Retry-After is a lower bound, plus up to a quarter so that not all come back at once. */
static int64_t throttle_ms(int64_t retry_after_ms, int64_t backoff, uint64_t random) {
  int64_t most = retry_after_ms < IDENTITY__HOUR_MS ? retry_after_ms : IDENTITY__HOUR_MS;
  if (most <= 0)
    return backoff;
  int64_t wait = most + (int64_t)((random >> 16) % (uint64_t)(most / 4 + 1));
  return wait > backoff ? wait : backoff;
}

/* Undocumented refusals: 5, 15, then 60 minutes; the third at least an hour after the first counts as
 * definite. A Retry-After is a lower bound here, too. */
static bool count_refusal(const identity__failure *failure, identity__record *next) {
  static const int64_t waits_ms[] = {5 * IDENTITY__MINUTE_MS, 15 * IDENTITY__MINUTE_MS, IDENTITY__HOUR_MS};
  if (next->refusals == 0)
    next->first_refusal_boot_ms = failure->now.boot_ms;
  if (next->refusals < INT32_MAX)
    next->refusals++;
  bool long_ago = failure->now.boot_ms - next->first_refusal_boot_ms >= IDENTITY__HOUR_MS;
  if (next->refusals >= DEFINITE_REFUSALS && long_ago)
    return true;
  int32_t row = next->refusals < DEFINITE_REFUSALS ? next->refusals - 1 : DEFINITE_REFUSALS - 1;
  cool_down(next, throttle_ms(failure->retry_after_ms, waits_ms[row], failure->random), failure->now.boot_ms);
  return false;
}

/* What got no answer is most often a matter of this device's own network. */
static int64_t wait_ms(const identity__machine *machine, const identity__failure *failure, int32_t failures) {
  if (!failure->in_trouble)
    return backoff_ms(failures, failure->random);
  return trouble_ms(failures, identity__machine_is_spare(machine, failure->now.boot_ms), failure->random);
}

static void back_off(const identity__machine *machine, const identity__failure *failure,
                     identity__record *next) {
  int64_t wait = wait_ms(machine, failure, next->failures);
  cool_down(next, throttle_ms(failure->retry_after_ms, wait, failure->random), failure->now.boot_ms);
  if (failure->running && next->lease.ends_boot_ms > next->cooldown_boot_ms)
    next->cooldown_boot_ms = next->lease.ends_boot_ms; /* not while that attempt may still run */
  if (next->failures < INT32_MAX)
    next->failures++;
}

/* An attempt that was answered, or that never left, no longer runs: its lease goes. A foreign lease is not
 * ours to touch. */
static void end_lease(const identity__machine *machine, const identity__failure *failure,
                      identity__record *next) {
  if (!identity__lease_is_ours(&next->lease, &machine->self))
    return;
  if (!failure->running)
    memset(&next->lease, 0, sizeof next->lease);
  else if (failure->closing)
    identity__lease_orphan(&next->lease);
}

static bool is_lost(int32_t verdict) {
  return verdict == IDENTITY__VERDICT_AMBIGUOUS || verdict == IDENTITY__VERDICT_MISMATCH;
}

bool identity__machine_fail_refresh(const identity__machine *machine, const identity__failure *failure,
                                    identity__record *next) {
  int32_t reason = machine->record.ambiguous ? IDENTITY_REASON_LOST_ROTATION : IDENTITY_REASON_REFUSED;
  if (failure->verdict == IDENTITY__VERDICT_REJECTED)
    return identity__machine_end(machine, reason, next);
  if (!identity__machine_same(machine, next))
    return false;
  end_lease(machine, failure, next);
  if (is_lost(failure->verdict))
    next->ambiguous = 1;
  if (failure->closing && failure->verdict == IDENTITY__VERDICT_UNSENT)
    return true; /* the app left before anything was sent: nobody failed */
  if (failure->verdict != IDENTITY__VERDICT_REFUSED) {
    back_off(machine, failure, next);
    return true;
  }
  if (!count_refusal(failure, next))
    return true;
  identity__record_clear(next);
  return identity__machine_end(machine, reason, next);
}
