#include "token/machine.h"
#include "base/secret.h"
#include "token/verdict.h"

#include <string.h>

#define SECOND_MS INT64_C(1000)
#define MINUTE_MS (60 * SECOND_MS)
#define HOUR_MS (60 * MINUTE_MS)
#define BACKOFF_FIRST_MS SECOND_MS
#define BACKOFF_MOST_MS (5 * MINUTE_MS)
#define LONGEST_COOLDOWN_MS (HOUR_MS + HOUR_MS / 4) /* a Retry-After at its bound, with its jitter */
#define YOUNG_MS MINUTE_MS

enum { DEFINITE_REFUSALS = 3 };

/* A device clock before the release of this library says nothing (raised at each release): 2026-01-01. */
static const int64_t CLOCK_FLOOR_MS = INT64_C(1767225600) * 1000;
static const int64_t LONGEST_ABSENCE_MS = INT64_C(400) * 24 * HOUR_MS;

void identity__machine_init(identity__machine *machine, const char *boot_id) {
  memset(machine, 0, sizeof *machine);
  identity__record_init(&machine->record);
  memcpy(machine->boot_id, boot_id, sizeof machine->boot_id);
}

void identity__machine_clear(identity__machine *machine) {
  identity__record_clear(&machine->record);
  identity__wipe(machine, sizeof *machine);
}

/* ---- Time ---- */

/* Time since a moment that was noted on both clocks; -1: nobody knows. After a reboot only the wall clock is
 * left. */
static int64_t elapsed_ms(const identity__machine *machine, const char *boot_id, int64_t boot_ms,
                          int64_t wall_ms, identity__now now) {
  if (boot_id[0] != '\0' && strcmp(boot_id, machine->boot_id) == 0)
    return now.boot_ms >= boot_ms ? now.boot_ms - boot_ms : -1;
  int64_t elapsed = now.wall_ms - wall_ms;
  bool sense = now.wall_ms >= CLOCK_FLOOR_MS && wall_ms >= CLOCK_FLOOR_MS && elapsed >= 0;
  return sense && elapsed <= LONGEST_ABSENCE_MS ? elapsed : -1;
}

int64_t identity__machine_remaining(const identity__machine *machine, identity__now now) {
  const identity__grant *grant = &machine->record.grant;
  if (machine->dead)
    return 0;
  if (!grant->age_known)
    return -1;
  int64_t age = elapsed_ms(machine, grant->boot_id, grant->sent_boot_ms, grant->sent_wall_ms, now);
  if (age < 0)
    return -1;
  return age < grant->life_ms ? grant->life_ms - age : 0;
}

/* A JWT this close to its end may be over when it arrives: life / 30 within 5 to 60 s, never above life / 4.
 */
static int64_t hard_margin_ms(const identity__grant *grant) {
  int64_t margin = grant->life_ms / 30;
  if (margin < 5 * SECOND_MS)
    margin = 5 * SECOND_MS;
  if (margin > MINUTE_MS)
    margin = MINUTE_MS;
  return margin < grant->life_ms / 4 ? margin : grant->life_ms / 4;
}

int64_t identity__machine_cooldown_ms(const identity__machine *machine, identity__now now) {
  const identity__record *record = &machine->record;
  if (record->cooldown_wall_ms == 0)
    return 0;
  bool same_boot =
      strcmp(record->cooldown_boot_id, machine->boot_id) == 0 && record->cooldown_boot_id[0] != '\0';
  int64_t left = same_boot ? record->cooldown_boot_ms - now.boot_ms : record->cooldown_wall_ms - now.wall_ms;
  /* More than any cooldown lasts: the clock was set back, and must not stretch it (in 1970, for ever). */
  return left > 0 && left <= LONGEST_COOLDOWN_MS ? left : 0;
}

/* ---- Asking ---- */

identity_status identity__machine_standing(const identity__machine *machine) {
  if (machine->blocked != IDENTITY_OK)
    return machine->blocked;
  if (machine->record.standing == IDENTITY__RECORD_SIGNED_IN)
    return IDENTITY_OK;
  return machine->record.standing == IDENTITY__RECORD_REAUTH ? IDENTITY_SESSION_ENDED : IDENTITY_SIGNED_OUT;
}

static identity__ask answer(int32_t verdict, identity_status status, int64_t retry_after_ms,
                            int64_t remaining_ms) {
  identity__ask ask = {verdict, status, retry_after_ms, remaining_ms};
  return ask;
}

static identity__ask give(int64_t remaining_ms) {
  return answer(IDENTITY__ASK_GIVE, IDENTITY_OK, 0, remaining_ms);
}

/* The token is over or close to it: refresh, or say why that cannot be done now. */
static identity__ask replace(const identity__machine *machine, int64_t remaining, identity__now now) {
  int64_t cooldown = identity__machine_cooldown_ms(machine, now);
  bool usable = remaining > 0 || (remaining < 0 && !machine->record.grant.age_known);
  if (machine->record.grant.refresh_token == NULL)
    return usable ? give(remaining) : answer(IDENTITY__ASK_FAIL, IDENTITY_SESSION_ENDED, 0, remaining);
  if (machine->flying || cooldown == 0)
    return answer(IDENTITY__ASK_REFRESH, IDENTITY_OK, 0, remaining);
  if (usable)
    return give(remaining);
  return answer(IDENTITY__ASK_FAIL, IDENTITY_REFRESH_DEFERRED, cooldown, remaining);
}

identity__ask identity__machine_ask(const identity__machine *machine, identity__now now) {
  identity_status standing = identity__machine_standing(machine);
  if (standing != IDENTITY_OK)
    return answer(IDENTITY__ASK_FAIL, standing, 0, 0);
  int64_t remaining = identity__machine_remaining(machine, now);
  /* An adopted JWT has no known age: it is used until a 401. */
  if (remaining < 0 && !machine->record.grant.age_known)
    return give(remaining);
  if (remaining > hard_margin_ms(&machine->record.grant))
    return give(remaining);
  return replace(machine, remaining, now);
}

identity__ask identity__machine_ask_life(const identity__machine *machine, int64_t min_life_ms,
                                         identity__now now) {
  identity_status standing = identity__machine_standing(machine);
  if (standing != IDENTITY_OK)
    return answer(IDENTITY__ASK_FAIL, standing, 0, 0);
  const identity__grant *grant = &machine->record.grant;
  int64_t remaining = identity__machine_remaining(machine, now);
  int64_t wanted = min_life_ms > hard_margin_ms(grant) ? min_life_ms : hard_margin_ms(grant);
  bool young = remaining > 0 && grant->life_ms - remaining < YOUNG_MS;
  if (remaining > wanted || (young && remaining > hard_margin_ms(grant)))
    return give(remaining);
  return replace(machine, remaining, now);
}

identity__ask identity__machine_ask_rotation(const identity__machine *machine, identity__now now) {
  identity_status standing = identity__machine_standing(machine);
  if (standing != IDENTITY_OK)
    return answer(IDENTITY__ASK_FAIL, standing, 0, 0);
  if (machine->record.grant.refresh_token == NULL)
    return answer(IDENTITY__ASK_FAIL, IDENTITY_SESSION_ENDED, 0, 0);
  int64_t cooldown = identity__machine_cooldown_ms(machine, now);
  if (cooldown > 0 && !machine->flying)
    return answer(IDENTITY__ASK_FAIL, IDENTITY_REFRESH_DEFERRED, cooldown, 0);
  return answer(IDENTITY__ASK_REFRESH, IDENTITY_OK, 0, 0);
}

/* I9: at most four refreshes an hour are caused by a 401. */
static bool budget_is_spent(const identity__record *record, identity__now now) {
  uint32_t recent = 0;
  for (uint32_t i = 0; i < record->caused_count; i++) {
    int64_t ago = now.wall_ms - record->caused_wall_ms[i];
    recent += ago >= 0 && ago < HOUR_MS;
  }
  return recent >= IDENTITY__MAX_CAUSED;
}

static void remember_caused(identity__record *record, identity__now now) {
  if (record->caused_count == IDENTITY__MAX_CAUSED) {
    memmove(record->caused_wall_ms, record->caused_wall_ms + 1,
            (IDENTITY__MAX_CAUSED - 1) * sizeof record->caused_wall_ms[0]);
    record->caused_count--;
  }
  record->caused_wall_ms[record->caused_count++] = now.wall_ms;
}

/* I9: a token younger than 60 s or half its life, whichever is less, is not worth a refresh. */
static bool is_too_young(const identity__machine *machine, identity__now now) {
  const identity__grant *grant = &machine->record.grant;
  int64_t remaining = identity__machine_remaining(machine, now);
  int64_t youth = grant->life_ms / 2 < YOUNG_MS ? grant->life_ms / 2 : YOUNG_MS;
  return remaining > 0 && grant->life_ms - remaining < youth;
}

identity__ask identity__machine_rejected(identity__machine *machine, uint64_t epoch, uint64_t generation,
                                         bool expired, identity__now now) {
  identity_status standing = identity__machine_standing(machine);
  if (standing != IDENTITY_OK)
    return answer(IDENTITY__ASK_FAIL, standing, 0, 0);
  const identity__record *record = &machine->record;
  if (epoch != record->epoch || generation != record->generation)
    return identity__machine_ask(machine, now);
  if (machine->dead || machine->flying)
    return replace(machine, identity__machine_remaining(machine, now), now);
  if ((!expired && is_too_young(machine, now)) || budget_is_spent(record, now))
    return answer(IDENTITY__ASK_FAIL, IDENTITY_NOT_ALLOWED, 0, 0);
  machine->dead = true;
  remember_caused(&machine->record, now);
  return replace(machine, 0, now);
}

static bool was_refused_lately(const identity__machine *machine) {
  return machine->last_failure != IDENTITY_OK || machine->record.failures > 0 || machine->record.refusals > 0;
}

int32_t identity__machine_state(const identity__machine *machine, identity__now now) {
  if (machine->blocked != IDENTITY_OK)
    return IDENTITY_STATE_STORE_BLOCKED;
  if (machine->record.standing == IDENTITY__RECORD_REAUTH)
    return IDENTITY_STATE_REAUTH_REQUIRED;
  if (machine->record.standing != IDENTITY__RECORD_SIGNED_IN)
    return IDENTITY_STATE_SIGNED_OUT;
  if (machine->flying)
    return IDENTITY_STATE_REFRESHING;
  if (was_refused_lately(machine) && identity__machine_cooldown_ms(machine, now) > 0)
    return IDENTITY_STATE_STALE;
  return IDENTITY_STATE_ACTIVE;
}

/* ---- What the store said ---- */

void identity__machine_take_stored(identity__machine *machine, identity__record *loaded, uint64_t revision) {
  identity__record_clear(&machine->record);
  machine->record = *loaded;
  identity__record_init(loaded);
  machine->revision = revision;
  machine->blocked = IDENTITY_OK;
  machine->dead = false;
  machine->not_persisted = false;
  machine->unread = false;
  machine->last_failure = IDENTITY_OK;
}

static bool is_newer(const identity__record *one, const identity__record *other) {
  if (one->epoch != other->epoch)
    return one->epoch > other->epoch;
  return one->generation > other->generation;
}

/* The same pair with other notes: another handle has written since (consents that have reached the service, a
 * cooldown). What it wrote holds, unless ours has yet to reach the store; refreshes after a 401 ride along
 * with the next swap and are not in the store yet. */
static void merge_stored(identity__machine *machine, identity__record *loaded) {
  identity__record *ours = &machine->record;
  bool same_pair = loaded->epoch == ours->epoch && loaded->generation == ours->generation;
  if (!same_pair || loaded->standing != ours->standing || machine->not_persisted)
    return;
  if (ours->caused_count > loaded->caused_count) {
    loaded->caused_count = ours->caused_count;
    memcpy(loaded->caused_wall_ms, ours->caused_wall_ms, sizeof loaded->caused_wall_ms);
  }
  identity__record_clear(ours);
  *ours = *loaded;
  identity__record_init(loaded);
}

bool identity__machine_adopt_stored(identity__machine *machine, identity__record *loaded, uint64_t revision) {
  if (is_newer(loaded, &machine->record)) {
    identity__machine_take_stored(machine, loaded, revision);
    return true;
  }
  machine->revision = revision;
  merge_stored(machine, loaded);
  identity__record_clear(loaded);
  return false;
}

void identity__machine_store_lost(identity__machine *machine, uint64_t revision) {
  identity__record_clear(&machine->record);
  machine->record.standing = IDENTITY__RECORD_REAUTH;
  machine->record.reason = IDENTITY_REASON_STORE_LOST;
  machine->revision = revision;
  machine->blocked = IDENTITY_OK;
}

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
  int64_t bound = BACKOFF_FIRST_MS;
  for (int32_t i = 0; i < failures && bound < BACKOFF_MOST_MS; i++)
    bound *= 2;
  if (bound > BACKOFF_MOST_MS)
    bound = BACKOFF_MOST_MS;
  return BACKOFF_FIRST_MS + (int64_t)(random % (uint64_t)(bound - BACKOFF_FIRST_MS + 1));
}

/* Retry-After is a lower bound, plus up to a quarter so that not all come back at once. */
static int64_t throttle_ms(int64_t retry_after_ms, int64_t backoff, uint64_t random) {
  int64_t most = retry_after_ms < HOUR_MS ? retry_after_ms : HOUR_MS;
  int64_t wait = most + (int64_t)((random >> 16) % (uint64_t)(most / 4 + 1));
  return wait > backoff ? wait : backoff;
}

/* Undocumented refusals: 5, 15, then 60 minutes; the third at least an hour after the first counts as
 * definite. */
static bool count_refusal(const identity__machine *machine, identity__record *next, identity__now now) {
  static const int64_t waits_ms[] = {5 * MINUTE_MS, 15 * MINUTE_MS, HOUR_MS};
  /* A clock that was set meanwhile says nothing: the hour begins anew. */
  int64_t since = now.wall_ms - next->first_refusal_wall_ms;
  bool same_clock = (now.wall_ms >= CLOCK_FLOOR_MS) == (next->first_refusal_wall_ms >= CLOCK_FLOOR_MS);
  if (next->refusals == 0 || !same_clock || since < 0 || since > LONGEST_ABSENCE_MS)
    next->first_refusal_wall_ms = now.wall_ms;
  next->refusals++;
  bool long_ago = now.wall_ms - next->first_refusal_wall_ms >= HOUR_MS;
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
