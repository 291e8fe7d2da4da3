#include "explore/nature.h"

#include <string.h>

enum { MOST_MOMENTS = 40 };

/* ---- Time ---- */

typedef struct moments {
  int64_t now_ms;
  int32_t count;
  int64_t at_ms[MOST_MOMENTS]; /* rising */
} moments;

static void add(moments *all, int64_t at_ms) {
  int32_t place = 0;
  if (at_ms <= all->now_ms || all->count == MOST_MOMENTS)
    return;
  while (place < all->count && all->at_ms[place] < at_ms)
    place++;
  if (place < all->count && all->at_ms[place] == at_ms)
    return;
  memmove(all->at_ms + place + 1, all->at_ms + place, (size_t)(all->count - place) * sizeof at_ms);
  all->at_ms[place] = at_ms;
  all->count++;
}

static void add_record(moments *all, const identity__record *record) {
  const identity__grant *grant = &record->grant;
  if (record->lease.fingerprint[0] != '\0') {
    add(all, record->lease.begun_boot_ms + IDENTITY__ORPHAN_MS);
    add(all, record->lease.ends_boot_ms);
  }
  add(all, record->cooldown_boot_ms);
  if (grant->jwt != NULL && grant->age == IDENTITY__AGE_KNOWN)
    add(all, grant->sent_boot_ms + grant->life_ms);
  if (record->refusals > 0)
    add(all, record->first_refusal_boot_ms + IDENTITY__HOUR_MS);
  if (record->caused_count == IDENTITY__MAX_CAUSED)
    add(all, record->caused_boot_ms[0] + IDENTITY__HOUR_MS);
}

static void find_moments(const explore_world *world, moments *all) {
  *all = (moments){.now_ms = world->now.boot_ms};
  const explore_copy *stored = &world->store.now;
  if (stored->there && !stored->unreadable && explore_is_of_this_boot(world, &stored->record))
    add_record(all, &world->store.now.record);
  for (int32_t i = 0; i < HANDLES; i++) {
    const explore_handle *us = &world->handles[i];
    if (us->state == HANDLE_CLOSED)
      continue;
    add_record(all, &us->machine.record);
    if (us->next == IDENTITY__DO_SEND && us->request != NOBODY &&
        world->requests[us->request].state == REQUEST_HELD)
      add(all, us->flight.release_until_ms + 1);
  }
  for (int32_t i = 0; i < REQUESTS; i++)
    if (world->requests[i].state == REQUEST_LEFT)
      add(all, world->requests[i].ends_ms);
}

bool explore_can_pass(const explore_world *world, int32_t variant) {
  moments all;
  if (variant == FIVE_SECONDS)
    return true;
  find_moments(world, &all);
  return variant < all.count;
}

/* What nobody will ever answer or hear is gone; a pair that waits while its lease ends may be overtaken. */
static void end_requests(explore_world *world) {
  for (int32_t i = 0; i < REQUESTS; i++) {
    explore_request *request = &world->requests[i];
    if (request->state == REQUEST_NONE || world->now.boot_ms < request->ends_ms)
      continue;
    if (request->state == REQUEST_ANSWERED)
      world->excused = true;
    if (request->listener == NOBODY)
      memset(request, 0, sizeof *request);
  }
  for (int32_t i = 0; i < HANDLES; i++)
    if (world->handles[i].next != IDENTITY__DO_NONE && world->handles[i].received != 0)
      world->excused = true;
}

void explore_pass(explore_world *world, int32_t variant) {
  moments all;
  find_moments(world, &all);
  int64_t until = variant == FIVE_SECONDS ? world->now.boot_ms + 5 * IDENTITY__SECOND_MS : all.at_ms[variant];
  world->now.wall_ms += until - world->now.boot_ms;
  world->now.boot_ms = until;
  end_requests(world);
}

/* ---- What may happen ---- */

static bool is_any_open(const explore_world *world) {
  return world->handles[0].state != HANDLE_CLOSED || world->handles[1].state != HANDLE_CLOSED;
}

static bool is_any_good(const explore_service *service) {
  for (int32_t i = 1; i <= service->issued; i++)
    if (service->state[i] == TOKEN_GOOD || service->state[i] == TOKEN_USED)
      return true;
  return false;
}

bool explore_can_happen(const explore_world *world, int32_t variant) {
  const explore_store *store = &world->store;
  switch (variant) {
  case HAPPENS_REBOOT:
  case HAPPENS_REBOOT_1970:
    return is_any_open(world) && world->boot < 8;
  case HAPPENS_REVOCATION:
    return is_any_good(&world->service);
  case HAPPENS_LOSS:
    return store->now.there && !store->now.unreadable;
  default:
    return store->now.there && !store->now.unreadable && store->before.there && !store->before.unreadable &&
           store->before.revision != store->now.revision;
  }
}

static void reboot(explore_world *world, bool knows_time) {
  for (int32_t i = 0; i < HANDLES; i++)
    if (world->handles[i].state != HANDLE_CLOSED)
      explore_kill(world, i);
  memset(world->requests, 0, sizeof world->requests);
  int64_t was_ms = world->now.boot_ms;
  world->boot++;
  world->now.boot_ms = IDENTITY__MINUTE_MS;
  world->now.wall_ms = knows_time ? world->now.wall_ms + 5 * IDENTITY__MINUTE_MS : IDENTITY__MINUTE_MS;
  for (int32_t i = 0; i < world->caused; i++)
    world->caused_ms[i] += world->now.boot_ms - 5 * IDENTITY__MINUTE_MS - was_ms;
}

static void revoke(explore_service *service) {
  for (int32_t i = 1; i <= service->issued; i++)
    service->state[i] = TOKEN_REVOKED;
}

void explore_happen(explore_world *world, int32_t variant) {
  explore_store *store = &world->store;
  explore_event_now.damaged = variant == HAPPENS_LOSS || variant == HAPPENS_FALLBACK;
  if (explore_event_now.damaged)
    world->excused = world->store_lost = true;
  if (variant == HAPPENS_REBOOT || variant == HAPPENS_REBOOT_1970)
    reboot(world, variant == HAPPENS_REBOOT);
  else if (variant == HAPPENS_REVOCATION)
    revoke(&world->service);
  else if (variant == HAPPENS_LOSS)
    store->now = (explore_copy){.there = true, .unreadable = true, .revision = ++store->revisions};
  else
    store->now = store->before;
  if (variant == HAPPENS_LOSS)
    store->before = store->now;
}
