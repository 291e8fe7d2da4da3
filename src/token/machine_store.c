/* What the token machine makes of what its store says. */
#include "token/machine.h"

#include <string.h>

static const struct {
  int32_t said;
  identity_status status;
} rows[] = {
    {IDENTITY__SAID_OK, IDENTITY_OK},
    {IDENTITY__SAID_ABSENT, IDENTITY_OK},
    {IDENTITY__SAID_LOST, IDENTITY_OK}, /* what we hold is all there is: it may be written over it */
    {IDENTITY__SAID_CONFLICT, IDENTITY_STORE_LOCKED},
    {IDENTITY__SAID_LOCKED, IDENTITY_STORE_LOCKED},
    {IDENTITY__SAID_FAILED, IDENTITY_STORE_FAILED},
    {IDENTITY__SAID_NEWER, IDENTITY_STORE_NEWER},
    {IDENTITY__SAID_MEMORY, IDENTITY_OUT_OF_MEMORY},
};

identity_status identity__machine_said(int32_t said) {
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
    if (rows[i].said == said)
      return rows[i].status;
  return IDENTITY_STORE_FAILED;
}

static bool is_newer(const identity__record *one, const identity__record *other) {
  if (one->epoch != other->epoch)
    return one->epoch > other->epoch;
  return one->generation > other->generation;
}

static bool is_same_pair(const identity__record *one, const identity__record *other) {
  return one->epoch == other->epoch && one->generation == other->generation;
}

/* Of the pair that we hold, too, the service has said that it is over. */
static bool is_end_of(const identity__record *loaded, const identity__record *ours) {
  return is_same_pair(loaded, ours) && loaded->standing == IDENTITY__RECORD_REAUTH &&
         ours->standing == IDENTITY__RECORD_SIGNED_IN;
}

static void take(identity__machine *machine, identity__record *loaded) {
  machine->pair += !is_end_of(loaded, &machine->record);
  identity__record_move(&machine->record, loaded);
  machine->dead = false;
  machine->not_persisted = false;
  machine->unread = false;
  machine->answers_unsaved = false;
  machine->foreign = true;
  machine->last_failure = IDENTITY_OK;
}

static bool has_caused(const identity__record *record, int64_t boot_ms) {
  for (uint32_t i = 0; i < record->caused_count; i++)
    if (record->caused_boot_ms[i] == boot_ms)
      return true;
  return false;
}

/* In order; where there is no room, the oldest goes. */
static void add_caused(identity__record *record, int64_t boot_ms) {
  int64_t *times = record->caused_boot_ms;
  uint32_t place = record->caused_count;
  while (place > 0 && times[place - 1] > boot_ms)
    place--;
  if (record->caused_count < IDENTITY__MAX_CAUSED) {
    memmove(times + place + 1, times + place, (record->caused_count - place) * sizeof *times);
    times[place] = boot_ms;
    record->caused_count++;
  } else if (place > 0) {
    memmove(times, times + 1, (place - 1) * sizeof *times);
    times[place - 1] = boot_ms;
  }
}

static bool same_text(const char *one, const char *other) {
  return one == other || (one != NULL && other != NULL && strcmp(one, other) == 0);
}

/* The numbers are the same and the pairs are not: another handle has rotated what ours came from, and was
 * stored. */
static bool is_rival_of(const identity__record *loaded, const identity__record *ours) {
  return is_same_pair(loaded, ours) && loaded->standing == IDENTITY__RECORD_SIGNED_IN &&
         ours->standing == IDENTITY__RECORD_SIGNED_IN &&
         !same_text(loaded->grant.refresh_token, ours->grant.refresh_token);
}

/* Refreshes after a 401 ride along with the next swap: ours are not all in the store yet. */
static void keep_caused(identity__record *loaded, const identity__record *ours) {
  for (uint32_t i = 0; i < ours->caused_count; i++)
    if (!has_caused(loaded, ours->caused_boot_ms[i]))
      add_caused(loaded, ours->caused_boot_ms[i]);
}

/* A foreign lease counts when it is of the refresh token that we hold; one that is no longer there is over.
 */
static void merge_lease(identity__machine *machine, const identity__record *loaded) {
  identity__record *ours = &machine->record;
  bool foreign = !identity__lease_is_ours(&loaded->lease, &machine->self);
  if (foreign && identity__lease_is_of(&loaded->lease, ours->grant.refresh_token))
    ours->lease = loaded->lease;
  else if (!identity__lease_is_ours(&ours->lease, &machine->self))
    memset(&ours->lease, 0, sizeof ours->lease);
}

/* What handles have met with one pair adds up. */
static void merge_notes(identity__record *ours, const identity__record *loaded) {
  ours->ambiguous = ours->ambiguous || loaded->ambiguous;
  if (loaded->cooldown_boot_ms > ours->cooldown_boot_ms)
    ours->cooldown_boot_ms = loaded->cooldown_boot_ms;
  if (loaded->failures > ours->failures)
    ours->failures = loaded->failures;
  if (loaded->refusals <= ours->refusals)
    return;
  ours->refusals = loaded->refusals;
  ours->first_refusal_boot_ms = loaded->first_refusal_boot_ms;
}

/* Of what has yet to reach the store, the consents of another handle, its lease and its notes are not ours to
 * lose. */
static void merge_unsaved(identity__machine *machine, identity__record *loaded) {
  identity__record *ours = &machine->record;
  if (!machine->answers_unsaved)
    identity__record_move_pending(ours, loaded);
  keep_caused(ours, loaded);
  merge_lease(machine, loaded);
  if (is_same_pair(loaded, ours))
    merge_notes(ours, loaded);
}

/* The same pair with other notes: another handle has written since (consents that have reached the service, a
 * cooldown, a lease). What it wrote holds. */
static void merge(identity__machine *machine, identity__record *loaded) {
  identity__record *ours = &machine->record;
  if (machine->not_persisted && loaded->epoch == ours->epoch)
    merge_unsaved(machine, loaded);
  if (machine->not_persisted || !is_same_pair(loaded, ours) || loaded->standing != ours->standing)
    return;
  keep_caused(loaded, ours);
  identity__record_move(ours, loaded);
}

/* Who signed in or out while the store could not be read meant whoever the store then names: what is stored
 * next goes over it (change.c). */
static void go_over(identity__machine *machine, const identity__record *loaded) {
  machine->over_epoch = loaded->epoch;
  machine->over_generation = loaded->generation;
}

static void adopt(identity__machine *machine, identity__look *look, identity__now now) {
  /* The store had taken our sign-in or sign-out and could not say so: others may have gone on from there. */
  bool taken = look->record.epoch == machine->record.epoch && look->record.epoch > 0 &&
               strcmp(look->record.maker, machine->record.maker) == 0;
  machine->unread = machine->unread && !taken;
  if (machine->unread) {
    go_over(machine, &look->record);
    return;
  }
  bool known = machine->record.epoch > 0;
  bool other = is_newer(&look->record, &machine->record) || is_end_of(&look->record, &machine->record) ||
               is_rival_of(&look->record, &machine->record);
  identity__record_rebase(&look->record, machine->boot_id, now);
  if (!other) {
    merge(machine, &look->record);
    return;
  }
  keep_caused(&look->record, &machine->record);
  take(machine, &look->record);
  machine->counters.adoptions += known;
  if (known && machine->record.standing == IDENTITY__RECORD_SIGNED_OUT)
    machine->record.reason = IDENTITY_REASON_OTHER_PROCESS;
}

/* There was a record and nobody knows its epoch: other handles may still hold one. Seconds since 1970 are
 * more than any count of sign-ins. */
static void lose(identity__machine *machine, identity__now now) {
  identity__record_clear(&machine->record);
  int64_t wall_s = now.wall_ms / 1000;
  machine->record.epoch = (uint64_t)(wall_s > IDENTITY__CLOCK_FLOOR_S ? wall_s : IDENTITY__CLOCK_FLOOR_S);
  machine->record.standing = IDENTITY__RECORD_REAUTH;
  machine->record.reason = IDENTITY_REASON_STORE_LOST;
}

identity_status identity__machine_hear(identity__machine *machine, identity__look *look, identity__now now) {
  identity_status status = identity__machine_said(look->said);
  bool first = machine->record.epoch == 0;
  /* Whatever keeps it from being read may pass: neither signed in nor out until then. */
  if (status != IDENTITY_OK && (first || machine->blocked != IDENTITY_OK))
    machine->blocked = status == IDENTITY_STORE_FAILED ? IDENTITY_STORE_LOCKED : status;
  if (status == IDENTITY_OK) {
    machine->blocked = IDENTITY_OK;
    machine->revision = look->said == IDENTITY__SAID_ABSENT ? 0 : look->revision;
  }
  if (look->said == IDENTITY__SAID_OK)
    adopt(machine, look, now);
  else if (look->said == IDENTITY__SAID_LOST && first)
    lose(machine, now);
  identity__record_clear(&look->record);
  return status;
}

void identity__machine_commit(identity__machine *machine, identity__record *next, uint64_t revision,
                              bool persisted) {
  bool new_pair = !is_same_pair(next, &machine->record);
  identity__record_move(&machine->record, next);
  machine->revision = revision;
  machine->not_persisted = !persisted;
  machine->unread = !persisted && (machine->unread || machine->blocked != IDENTITY_OK);
  machine->answers_unsaved = !persisted && machine->answers_unsaved;
  machine->blocked = IDENTITY_OK;
  machine->foreign = false;
  if (new_pair) {
    machine->pair++;
    machine->dead = false;
    machine->last_failure = IDENTITY_OK;
  }
}
