#include "explore/invariants.h"

#include <string.h>

uint64_t explore_checked[MOST_INVARIANTS];

int32_t explore_invariant_count(void) {
  return explore_session_invariant_count + explore_store_invariant_count;
}

const explore_invariant *explore_invariant_row(int32_t number) {
  if (number < explore_session_invariant_count)
    return &explore_session_invariants[number];
  return &explore_store_invariants[number - explore_session_invariant_count];
}

uint64_t explore_check(const explore_world *before, const explore_world *after) {
  uint64_t broken = 0;
  for (int32_t i = 0; i < explore_invariant_count(); i++) {
    int32_t result = explore_invariant_row(i)->check(before, after);
    explore_checked[i] += result != VACUOUS;
    broken |= (uint64_t)(result == BROKEN) << i;
  }
  return broken;
}

uint64_t explore_invariants_named(const char *names) {
  uint64_t bits = 0;
  for (int32_t i = 0; i < explore_invariant_count(); i++) {
    const char *name = explore_invariant_row(i)->name;
    size_t length = strlen(name);
    for (const char *place = strstr(names, name); place != NULL; place = strstr(place + 1, name))
      if ((place == names || place[-1] == ' ') && (place[length] == ' ' || place[length] == '\0'))
        bits |= UINT64_C(1) << i;
  }
  return bits;
}

int explore_compare(const identity__record *one, const identity__record *other) {
  if (one->epoch != other->epoch)
    return one->epoch < other->epoch ? -1 : 1;
  if (one->generation != other->generation)
    return one->generation < other->generation ? -1 : 1;
  return 0;
}

bool explore_is_signed_in(const identity__record *record) {
  return record->standing == IDENTITY__RECORD_SIGNED_IN;
}

bool explore_has_secrets(const identity__record *record) {
  return record->grant.jwt != NULL || record->grant.refresh_token != NULL ||
         record->grant.customer_token != NULL;
}

bool explore_is_readable(const explore_store *store) {
  return store->now.there && !store->now.unreadable;
}

bool explore_was_flight(const explore_world *before) {
  int32_t handle = explore_event_now.handle;
  return handle != NOBODY && before->handles[handle].order.next == IDENTITY__DO_NONE &&
         before->handles[handle].next != IDENTITY__DO_NONE;
}
