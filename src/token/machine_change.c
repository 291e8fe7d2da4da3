/* The records that come next: who is signed in, and what a refresh brought. */
#include "base/secret.h"
#include "token/machine.h"
#include "token/machine_times.h"
#include "token/verdict.h"

#include <string.h>

enum { DEFINITE_REFUSALS = 3 };

/* ---- Changing who is signed in ---- */

static bool copy_pending(identity__record *record, const identity__kept_consent *pending, uint32_t count) {
  if (count > IDENTITY__MAX_PENDING_CONSENTS)
    return false;
  for (uint32_t i = 0; i < count; i++) {
    identity__kept_consent *kept = &record->pending[i];
    kept->name = identity__secret_copy(pending[i].name);
    kept->version = identity__secret_copy(pending[i].version);
    kept->accepted = pending[i].accepted;
    record->pending_count = i + 1;
    if (kept->name == NULL || kept->version == NULL)
      return false;
  }
  return true;
}

static bool finish(identity__record *next, bool whole) {
  if (!whole)
    identity__record_clear(next);
  return whole;
}

bool identity__machine_sign_in(const identity__machine *machine, const identity__grant *grant,
                               const identity__kept_consent *pending, uint32_t pending_count,
                               identity__record *next) {
  identity__record_init(next);
  next->epoch = machine->record.epoch + 1;
  next->generation = machine->record.generation + 1;
  next->standing = IDENTITY__RECORD_SIGNED_IN;
  return finish(next,
                identity__grant_copy(&next->grant, grant) && copy_pending(next, pending, pending_count));
}

bool identity__machine_sign_out(const identity__machine *machine, int32_t reason, identity__record *next) {
  identity__record_init(next);
  next->epoch = machine->record.epoch + 1;
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
  identity__record_init(next);
  next->epoch = machine->record.epoch;
  next->generation = machine->record.generation;
  next->standing = IDENTITY__RECORD_REAUTH;
  next->reason = reason;
  return finish(next, copy_hint(&next->grant, &machine->record.grant) &&
                          copy_pending(next, machine->record.pending, machine->record.pending_count));
}

bool identity__machine_set_pending(const identity__machine *machine, const identity__kept_consent *pending,
                                   uint32_t pending_count, identity__record *next) {
  identity__record_init(next);
  if (!identity__record_copy(next, &machine->record))
    return false;
  for (uint32_t i = 0; i < next->pending_count; i++) {
    identity__secret_free(next->pending[i].name);
    identity__secret_free(next->pending[i].version);
  }
  memset(next->pending, 0, sizeof next->pending);
  next->pending_count = 0;
  return finish(next, copy_pending(next, pending, pending_count));
}

void identity__machine_commit(identity__machine *machine, identity__record *next, uint64_t revision,
                              bool persisted) {
  bool new_pair = next->epoch != machine->record.epoch || next->generation != machine->record.generation;
  identity__record_clear(&machine->record);
  machine->record = *next;
  identity__record_init(next);
  machine->revision = revision;
  machine->not_persisted = !persisted;
  machine->unread = !persisted && (machine->unread || machine->blocked != IDENTITY_OK);
  machine->blocked = IDENTITY_OK;
  if (new_pair) {
    machine->dead = false;
    machine->last_failure = IDENTITY_OK;
  }
}

/* ---- The refresh ---- */

static bool keep_text(char **target, const char *fallback) {
  if (*target == NULL && fallback != NULL)
    *target = identity__secret_copy(fallback);
  return *target != NULL || fallback == NULL;
}

/* What the answer did not say stays as it was; an absent refresh token means ours is still good. */
bool identity__machine_rotate(const identity__machine *machine, const identity__grant *grant,
                              identity__record *next) {
  const identity__record *record = &machine->record;
  identity__record_init(next);
  next->epoch = record->epoch;
  next->generation = record->generation + 1;
  next->standing = IDENTITY__RECORD_SIGNED_IN;
  next->caused_count = record->caused_count;
  memcpy(next->caused_wall_ms, record->caused_wall_ms, sizeof next->caused_wall_ms);
  identity__grant *pair = &next->grant;
  return finish(next, identity__grant_copy(pair, grant) &&
                          keep_text(&pair->refresh_token, record->grant.refresh_token) &&
                          keep_text(&pair->customer_token, record->grant.customer_token) &&
                          keep_text(&pair->customer_id, record->grant.customer_id) &&
                          keep_text(&pair->publisher_id, record->grant.publisher_id) &&
                          keep_text(&pair->email, record->grant.email) &&
                          copy_pending(next, record->pending, record->pending_count));
}

static void cool_down(const identity__machine *machine, identity__record *next, int64_t wait_ms,
                      identity__now now) {
  next->cooldown_boot_ms = now.boot_ms + wait_ms;
  next->cooldown_wall_ms = now.wall_ms + wait_ms;
  memcpy(next->cooldown_boot_id, machine->boot_id, sizeof next->cooldown_boot_id);
}

/* Full jitter: anything from one second up to a bound that doubles with each failure. */
static int64_t backoff_ms(int32_t failures, uint64_t random) {
  int64_t bound = IDENTITY__BACKOFF_FIRST_MS;
  for (int32_t i = 0; i < failures && bound < IDENTITY__BACKOFF_MOST_MS; i++)
    bound *= 2;
  if (bound > IDENTITY__BACKOFF_MOST_MS)
    bound = IDENTITY__BACKOFF_MOST_MS;
  return IDENTITY__BACKOFF_FIRST_MS + (int64_t)(random % (uint64_t)(bound - IDENTITY__BACKOFF_FIRST_MS + 1));
}

/* Retry-After is a lower bound, plus up to a quarter so that not all come back at once. */
static int64_t throttle_ms(int64_t retry_after_ms, int64_t backoff, uint64_t random) {
  int64_t most = retry_after_ms < IDENTITY__HOUR_MS ? retry_after_ms : IDENTITY__HOUR_MS;
  int64_t wait = most + (int64_t)((random >> 16) % (uint64_t)(most / 4 + 1));
  return wait > backoff ? wait : backoff;
}

/* Undocumented refusals: 5, 15, then 60 minutes; the third at least an hour after the first counts as
 * definite. */
static bool count_refusal(const identity__machine *machine, identity__record *next, identity__now now) {
  static const int64_t waits_ms[] = {5 * IDENTITY__MINUTE_MS, 15 * IDENTITY__MINUTE_MS, IDENTITY__HOUR_MS};
  /* A clock that was set meanwhile says nothing: the hour begins anew. */
  int64_t since = now.wall_ms - next->first_refusal_wall_ms;
  bool same_clock =
      (now.wall_ms >= IDENTITY__CLOCK_FLOOR_MS) == (next->first_refusal_wall_ms >= IDENTITY__CLOCK_FLOOR_MS);
  if (next->refusals == 0 || !same_clock || since < 0 || since > IDENTITY__ABSENCE_MOST_MS)
    next->first_refusal_wall_ms = now.wall_ms;
  next->refusals++;
  bool long_ago = now.wall_ms - next->first_refusal_wall_ms >= IDENTITY__HOUR_MS;
  if (next->refusals >= DEFINITE_REFUSALS && long_ago)
    return true;
  int32_t row = next->refusals < DEFINITE_REFUSALS ? next->refusals - 1 : DEFINITE_REFUSALS - 1;
  cool_down(machine, next, waits_ms[row], now);
  return false;
}

bool identity__machine_fail_refresh(const identity__machine *machine, int32_t verdict, int64_t retry_after_ms,
                                    uint64_t random, identity__now now, identity__record *next) {
  int32_t reason = machine->record.ambiguous ? IDENTITY_REASON_LOST_ROTATION : IDENTITY_REASON_REFUSED;
  if (verdict == IDENTITY__VERDICT_REJECTED)
    return identity__machine_end(machine, reason, next);
  identity__record_init(next);
  if (!identity__record_copy(next, &machine->record))
    return false;
  if (verdict == IDENTITY__VERDICT_REFUSED && count_refusal(machine, next, now)) {
    identity__record_clear(next);
    return identity__machine_end(machine, reason, next);
  }
  if (verdict == IDENTITY__VERDICT_REFUSED)
    return true;
  int64_t wait = backoff_ms(next->failures, random);
  cool_down(machine, next, retry_after_ms > 0 ? throttle_ms(retry_after_ms, wait, random) : wait, now);
  if (next->failures < INT32_MAX)
    next->failures++;
  if (verdict == IDENTITY__VERDICT_AMBIGUOUS)
    next->ambiguous = 1;
  return true;
}
