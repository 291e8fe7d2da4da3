#include "explore/seen.h"
#include "explore/invariants.h"

#include <stddef.h>
#include <stdio.h>

uint64_t explore_seen[MOST_SEEN];

#define EVENT explore_event_now

static const identity__machine *machine_of(const explore_world *world) {
  return &world->handles[EVENT.handle].machine;
}

static bool has_counted(const explore_world *before, const explore_world *after, size_t offset) {
  if (EVENT.handle == NOBODY || EVENT.died || EVENT.opened)
    return false;
  const char *was = (const char *)&machine_of(before)->counters + offset;
  const char *is = (const char *)&machine_of(after)->counters + offset;
  return *(const uint64_t *)(const void *)is > *(const uint64_t *)(const void *)was;
}

static bool is_end(const explore_world *before, const explore_world *after, int32_t standing,
                   int32_t reason) {
  return EVENT.handle != NOBODY && explore_is_signed_in(&machine_of(before)->record) &&
         machine_of(after)->record.standing == standing && machine_of(after)->record.reason == reason;
}

static bool committed(const explore_world *before, const explore_world *after) {
  return has_counted(before, after, offsetof(identity__counters, rotations));
}

static bool adopted(const explore_world *before, const explore_world *after) {
  return has_counted(before, after, offsetof(identity__counters, adoptions));
}

static bool conflicted(const explore_world *before, const explore_world *after) {
  return has_counted(before, after, offsetof(identity__counters, conflicts));
}

static bool waited(const explore_world *before, const explore_world *after) {
  return EVENT.handle != NOBODY && before->handles[EVENT.handle].next != IDENTITY__DO_WAIT &&
         after->handles[EVENT.handle].next == IDENTITY__DO_WAIT;
}

static bool held_back(const explore_world *before, const explore_world *after) {
  (void)before;
  (void)after;
  return EVENT.held_back;
}

static bool lost(const explore_world *before, const explore_world *after) {
  return is_end(before, after, IDENTITY__RECORD_REAUTH, IDENTITY_REASON_LOST_ROTATION);
}

static bool refused(const explore_world *before, const explore_world *after) {
  return is_end(before, after, IDENTITY__RECORD_REAUTH, IDENTITY_REASON_REFUSED);
}

static bool refused_thrice(const explore_world *before, const explore_world *after) {
  return refused(before, after) && EVENT.store == STORE_SWAPPED &&
         before->handles[EVENT.handle].refusal == ANSWER_UNDOCUMENTED;
}

static bool signed_out_elsewhere(const explore_world *before, const explore_world *after) {
  return is_end(before, after, IDENTITY__RECORD_SIGNED_OUT, IDENTITY_REASON_OTHER_PROCESS);
}

static bool signed_out(const explore_world *before, const explore_world *after) {
  return is_end(before, after, IDENTITY__RECORD_SIGNED_OUT, IDENTITY_REASON_LOGOUT);
}

static bool store_lost(const explore_world *before, const explore_world *after) {
  (void)before;
  return EVENT.opened && machine_of(after)->record.reason == IDENTITY_REASON_STORE_LOST;
}

static bool revived(const explore_world *before, const explore_world *after) {
  return EVENT.store == STORE_SWAPPED && before->store.now.record.standing == IDENTITY__RECORD_REAUTH &&
         explore_is_signed_in(&after->store.now.record) && EVENT.ordered == USER_NOTHING;
}

static bool kept_in_memory(const explore_world *before, const explore_world *after) {
  return EVENT.handle != NOBODY && !EVENT.opened && !machine_of(before)->not_persisted &&
         machine_of(after)->not_persisted && explore_is_signed_in(&machine_of(after)->record) &&
         machine_of(after)->record.generation > machine_of(before)->record.generation;
}

static const struct row {
  const char *words;
  bool (*fits)(const explore_world *before, const explore_world *after);
} rows[] = {
    {"pairs committed", committed},
    {"pairs held in memory because the store failed", kept_in_memory},
    {"records of the other handle adopted", adopted},
    {"swaps that met a conflict", conflicted},
    {"flights that waited for the lease of the other", waited},
    {"requests held back because they were too late", held_back},
    {"sign-outs by the viewer", signed_out},
    {"sign-outs learnt from the other handle", signed_out_elsewhere},
    {"ends by a definite refusal", refused},
    {"ends by a third undocumented refusal", refused_thrice},
    {"rotations lost with their answer", lost},
    {"of these won back by a late answer", revived},
    {"handles opened on a lost store", store_lost},
};
enum { ROWS = sizeof rows / sizeof rows[0] };

void explore_see(const explore_world *before, const explore_world *after) {
  for (int32_t i = 0; i < (int32_t)ROWS; i++)
    explore_seen[i] += rows[i].fits(before, after);
}

bool explore_print_seen(const uint64_t seen[MOST_SEEN]) {
  bool all = true;
  (void)printf("\n%12s  met on the way\n", "times");
  for (int32_t i = 0; i < (int32_t)ROWS; i++) {
    (void)printf("%12llu  %s\n", (unsigned long long)seen[i], rows[i].words);
    all = all && seen[i] > 0;
  }
  return all;
}
