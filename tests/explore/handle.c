/* What the library's driver does around the pure machine: it carries out orders, one store operation at a
 * time, and between two operations of one chain it does nothing else for that handle. */
#include "explore/bugs.h"
#include "explore/texts.h"
#include "explore/world.h"

#include <string.h>

static explore_handle *at(explore_world *world, int32_t handle) {
  return &world->handles[handle];
}

bool explore_waits_for_store(const explore_handle *handle, int32_t what) {
  return handle->state != HANDLE_CLOSED &&
         (handle->order.next == what || (handle->order.next == IDENTITY__DO_NONE && handle->next == what));
}

bool explore_is_busy(const explore_handle *handle) {
  return explore_waits_for_store(handle, IDENTITY__DO_LOAD) ||
         explore_waits_for_store(handle, IDENTITY__DO_SWAP);
}

bool explore_is_moved(const explore_handle *handle) {
  const identity__record *record = &handle->machine.record;
  return record->epoch != handle->flight.epoch || record->generation != handle->flight.generation;
}

/* ---- The end of a handle ---- */

/* Nobody listens to its request any more, but what has left may still arrive. */
void explore_abandon(explore_world *world, int32_t handle) {
  explore_handle *us = at(world, handle);
  explore_request *request = us->request != NOBODY ? &world->requests[us->request] : NULL;
  us->request = NOBODY;
  if (request == NULL)
    return;
  request->listener = NOBODY;
  if (request->state == REQUEST_ANSWERED && request->pair != request->token && request->pair != 0)
    world->excused = true;
  if (request->state != REQUEST_LEFT)
    memset(request, 0, sizeof *request);
}

/* The service soon finds the connections of a handle closed that goes. */
static void cut_off(explore_world *world, int32_t owner) {
  for (int32_t i = 0; i < REQUESTS; i++) {
    explore_request *request = &world->requests[i];
    if (request->state == REQUEST_LEFT && request->owner == owner &&
        request->begun_ms + IDENTITY__ORPHAN_MS < request->ends_ms)
      request->ends_ms = request->begun_ms + IDENTITY__ORPHAN_MS;
  }
}

static void forget(explore_world *world, int32_t handle) {
  explore_handle *us = at(world, handle);
  if (us->machine.not_persisted || (us->next != IDENTITY__DO_NONE && us->received != 0))
    world->excused = true;
  explore_abandon(world, handle);
  memset(us, 0, sizeof *us);
  us->state = HANDLE_CLOSED;
  us->next = IDENTITY__DO_NONE;
  us->order.next = IDENTITY__DO_NONE;
  us->request = NOBODY;
  explore_event_now.died = true;
}

void explore_kill(explore_world *world, int32_t handle) {
  int32_t owner = at(world, handle)->owner;
  world->gone[owner] = true;
  forget(world, handle);
  cut_off(world, owner);
}

/* Close tries once more what the store has not taken. */
void explore_close_on(explore_world *world, int32_t handle) {
  explore_handle *us = at(world, handle);
  if (us->state != HANDLE_CLOSING || us->next != IDENTITY__DO_NONE || us->order.next != IDENTITY__DO_NONE)
    return;
  if (us->machine.not_persisted && us->order.kind != USER_RETRY)
    explore_begin_order(world, handle, USER_RETRY, 0);
  else
    forget(world, handle);
}

void explore_close(explore_world *world, int32_t handle) {
  explore_handle *us = at(world, handle);
  us->state = HANDLE_CLOSING;
  us->order.kind = USER_NOTHING;
  if (us->next == IDENTITY__DO_SEND) {
    bool left = world->requests[us->request].state != REQUEST_HELD;
    identity__landing landing = {.facts = {.progress = left ? 1 : 0}, .running = left, .closing = true};
    explore_abandon(world, handle);
    cut_off(world, us->owner);
    explore_land(world, handle, &landing);
  } else if (us->next == IDENTITY__DO_WAIT && us->flight.verdict >= 0) {
    explore_wake(world, handle); /* memory was out, and a pair or a mark waits for it */
  } else if (us->next == IDENTITY__DO_WAIT) {
    identity__flight_clear(&us->flight);
    us->machine.flying = false;
    us->next = IDENTITY__DO_NONE;
  }
  explore_close_on(world, handle);
}

/* ---- The flight ---- */

static int32_t free_request(const explore_world *world) {
  for (int32_t i = 0; i < REQUESTS; i++)
    if (world->requests[i].state == REQUEST_NONE)
      return i;
  return NOBODY;
}

/* The request is built, and held until the connection is there. */
static void hold_request(explore_world *world, int32_t handle) {
  explore_handle *us = at(world, handle);
  const identity__record *record = &us->machine.record;
  int32_t token = explore_number(record->grant.refresh_token);
  if (explore_has_bug(BUG_STALE_TOKEN) && us->last_token != 0)
    token = us->last_token;
  us->last_token = explore_number(record->grant.refresh_token);
  us->request = free_request(world);
  if (us->request == NOBODY) {
    explore_event_now.stuck = "no room for a request in the model";
    return;
  }
  int64_t begun = record->lease.fingerprint[0] != '\0' ? record->lease.begun_boot_ms : world->now.boot_ms;
  world->requests[us->request] = (explore_request){.state = REQUEST_HELD,
                                                   .listener = handle,
                                                   .owner = us->owner,
                                                   .token = token,
                                                   .begun_ms = begun,
                                                   .ends_ms = begun + IDENTITY__LEASE_MS};
}

void explore_fly(explore_world *world, int32_t handle, int32_t next) {
  explore_handle *us = at(world, handle);
  us->next = next;
  if (next == IDENTITY__DO_SEND)
    hold_request(world, handle);
  if (next == IDENTITY__DO_WAIT && explore_has_bug(BUG_FLYING_FORGOTTEN))
    us->machine.flying = false;
  if (next == IDENTITY__DO_WAIT && explore_has_bug(BUG_STARVED_DROPPED))
    next = us->next = IDENTITY__DO_NONE;
  if (next != IDENTITY__DO_NONE)
    return;
  us->machine.flying = false;
  us->machine.last_failure = us->flight.status;
  us->consents_due = us->consents_due && us->machine.not_persisted;
  identity__flight_clear(&us->flight);
  us->flight = (identity__flight){.status = us->flight.status};
  explore_event_now.flight_over = true;
  explore_close_on(world, handle);
}

void explore_begin_flight(explore_world *world, int32_t handle, bool rotation) {
  explore_handle *us = at(world, handle);
  us->caused = false;
  us->refusal = 0;
  us->received = 0;
  us->machine.flying = true;
  us->flight = (identity__flight){.rotation = rotation};
  explore_fly(world, handle, identity__flight_begin(&us->flight, &us->machine));
}

/* The refreshes of the last hour that a 401 has caused; one token is one cause. */
static void count_caused(explore_world *world, explore_handle *us) {
  int32_t kept = 0;
  const identity__flight *flight = &us->flight;
  bool counted = world->caused_epoch == flight->epoch && world->caused_generation == flight->generation;
  if (!us->caused || counted)
    return;
  world->caused_epoch = flight->epoch;
  world->caused_generation = flight->generation;
  for (int32_t i = 0; i < world->caused; i++)
    if (world->now.boot_ms - world->caused_ms[i] < IDENTITY__HOUR_MS && kept < MOST_CAUSED - 1)
      world->caused_ms[kept++] = world->caused_ms[i];
  world->caused_ms[kept++] = world->now.boot_ms;
  world->caused = kept;
}

static bool may_leave(const explore_world *world, const explore_handle *us) {
  if (explore_has_bug(BUG_BLIND_RELEASE))
    return true;
  identity__now now = world->now;
  if (explore_has_bug(BUG_LATE_RELEASE))
    now.boot_ms = us->flight.release_until_ms;
  return identity__flight_may_leave(&us->flight, &us->machine, now.boot_ms);
}

void explore_release(explore_world *world, int32_t handle) {
  explore_handle *us = at(world, handle);
  explore_request *request = &world->requests[us->request];
  if (!may_leave(world, us)) {
    identity__landing landing = {.late = true};
    memset(request, 0, sizeof *request);
    us->request = NOBODY;
    explore_event_now.held_back = true;
    explore_land(world, handle, &landing);
    return;
  }
  request->state = REQUEST_LEFT;
  request->left_ms = world->now.boot_ms;
  explore_event_now.released = true;
  count_caused(world, us);
  explore_event_now.request = us->request;
}

void explore_wake(explore_world *world, int32_t handle) {
  explore_handle *us = at(world, handle);
  identity__moment moment = explore_moment(world);
  explore_fly(world, handle, identity__flight_woken(&us->flight, &us->machine, &moment));
}

/* What the invariants need to know of an answer. */
static void note_landing(explore_handle *us, const identity__landing *landing) {
  bool ours = landing->grant != NULL && landing->facts.same_customer && !explore_is_moved(us);
  us->received = ours ? explore_number(landing->grant->refresh_token) : 0;
  us->refusal = 0;
  if (explore_event_now.answer == ANSWER_DEFINITE || explore_event_now.answer == ANSWER_UNDOCUMENTED)
    us->refusal = explore_event_now.answer;
}

void explore_land(explore_world *world, int32_t handle, const identity__landing *landing) {
  explore_handle *us = at(world, handle);
  identity__moment moment = explore_moment(world);
  identity__landing told = *landing;
  if (explore_has_bug(BUG_RUNNING_FORGOTTEN))
    told.running = false;
  explore_event_now.landed = true;
  note_landing(us, landing);
  if (explore_has_bug(BUG_LATE_REPLY) && us->machine.record.standing != IDENTITY__RECORD_SIGNED_IN) {
    us->flight.epoch = us->machine.record.epoch;
    us->flight.pair = us->machine.pair;
    us->machine.record.standing = IDENTITY__RECORD_SIGNED_IN;
  }
  int32_t next = identity__flight_landed(&us->flight, &us->machine, &told, &moment);
  us->rereads = next == IDENTITY__DO_LOAD && !told.late;
  explore_fly(world, handle, next);
}

identity__ask explore_refused(identity__machine *machine, uint64_t epoch, uint64_t generation, bool expired,
                              identity__now now) {
  if (explore_has_bug(BUG_GENERATION_MIXED))
    generation = machine->record.generation;
  if (explore_has_bug(BUG_DEAD_FORGOTTEN))
    machine->dead = false;
  return identity__machine_rejected(machine, epoch, generation, expired, now.boot_ms);
}

/* ---- The first look ---- */

void explore_open(explore_world *world, int32_t handle, int32_t variant) {
  explore_handle *us = at(world, handle);
  identity__lease self = {.process = 1};
  char boot_id[IDENTITY__BOOT_ID_SIZE] = {'B', (char)('0' + world->boot)};
  us->owner = ++world->owners;
  memcpy(self.owner, explore_owner(us->owner), 8);
  identity__machine_init(&us->machine, boot_id, &self);
  us->state = HANDLE_OPEN;
  identity__look look;
  explore_load(world, handle, variant, &look);
  (void)identity__machine_hear(&us->machine, &look, world->now);
  explore_event_now.opened = true;
}

void explore_look(explore_world *world, int32_t handle) {
  identity__look look;
  explore_load(world, handle, LOAD_FINE, &look);
  (void)identity__machine_hear(&at(world, handle)->machine, &look, world->now);
}
