/* The store of the model: compare-and-swap on a current copy, with the copy before it kept as in a file. */
#include "explore/bugs.h"
#include "explore/texts.h"
#include "explore/world.h"

#include <string.h>

bool explore_is_of_this_boot(const explore_world *world, const identity__record *record) {
  return record->boot_id[0] == 'B' && record->boot_id[1] == '0' + world->boot;
}

bool explore_owner_is_gone(const explore_world *world, const identity__lease *lease) {
  return lease->fingerprint[0] != '\0' && world->gone[explore_number(lease->owner)];
}

void explore_load(const explore_world *world, int32_t handle, int32_t variant, identity__look *look) {
  const explore_copy *now = &world->store.now;
  (void)handle;
  memset(look, 0, sizeof *look);
  identity__record_init(&look->record);
  look->said = IDENTITY__SAID_OK;
  look->revision = now->there ? now->revision : 0;
  if (variant == LOAD_LOCKED)
    look->said = explore_has_bug(BUG_LOCKED_EMPTY) ? IDENTITY__SAID_ABSENT : IDENTITY__SAID_LOCKED;
  else if (!now->there)
    look->said = IDENTITY__SAID_ABSENT;
  else if (now->unreadable)
    look->said = IDENTITY__SAID_LOST;
  if (look->said != IDENTITY__SAID_OK)
    return;
  (void)identity__record_copy(&look->record, &now->record);
  look->owner_gone = variant != LOAD_OWNER_UNKNOWN && explore_owner_is_gone(world, &look->record.lease);
  explore_event_now.store = STORE_READ;
}

static void write(explore_store *store, const identity__record *next, bool both_copies) {
  explore_copy made = {.there = true, .revision = ++store->revisions};
  (void)identity__record_copy(&made.record, next);
  store->before = both_copies && !explore_has_bug(BUG_ONE_COPY) ? made : store->now;
  store->now = made;
}

int32_t explore_swap(explore_world *world, int32_t handle, int32_t variant, const identity__record *next,
                     bool both_copies, uint64_t *revision) {
  explore_store *store = &world->store;
  uint64_t held = store->now.there ? store->now.revision : 0;
  if (variant == SWAP_FAILS)
    return IDENTITY__SAID_FAILED;
  if (world->handles[handle].machine.revision != held && !explore_has_bug(BUG_BLIND_SWAP))
    return IDENTITY__SAID_CONFLICT;
  write(store, next, both_copies || store->now.unreadable);
  explore_event_now.store = STORE_SWAPPED;
  if (variant == SWAP_WRITES_AND_FAILS)
    return IDENTITY__SAID_FAILED;
  *revision = store->now.revision;
  return IDENTITY__SAID_OK;
}
