#include "explore/canon.h"
#include "explore/texts.h"

#include <string.h>

enum { MOST_RANKS = 24, FAR = 3 };

/* Values that only rise and are only compared: what counts is their order and whether one is just behind
 * another. */
typedef struct ranks {
  int32_t count;
  uint64_t values[MOST_RANKS]; /* rising; the first is 0 */
  uint32_t rank[MOST_RANKS];
} ranks;

typedef struct canon {
  const explore_world *world;
  uint64_t hash;
  const ranks *epochs;
  const ranks *generations;
  int32_t first; /* the handle that is looked at first */
  int32_t count; /* tokens seen */
  uint8_t number[TOKENS];
  uint8_t seen[TOKENS];
} canon;

/* ---- Ranks ---- */

static void note(ranks *all, uint64_t value) {
  int32_t place = all->count;
  while (place > 0 && all->values[place - 1] > value)
    place--;
  if ((place > 0 && all->values[place - 1] == value) || all->count == MOST_RANKS)
    return;
  memmove(all->values + place + 1, all->values + place, (size_t)(all->count - place) * sizeof value);
  all->values[place] = value;
  all->count++;
}

static void rank(ranks *all) {
  all->rank[0] = 0;
  for (int32_t i = 1; i < all->count; i++) {
    uint64_t gap = all->values[i] - all->values[i - 1];
    all->rank[i] = all->rank[i - 1] + (gap < FAR ? (uint32_t)gap : FAR);
  }
}

static uint32_t rank_of(const ranks *all, uint64_t value) {
  for (int32_t i = 0; i < all->count; i++)
    if (all->values[i] == value)
      return all->rank[i];
  return UINT32_MAX;
}

static void find_ranks(const explore_world *world, ranks *epochs, ranks *generations) {
  const explore_copy *copies[] = {&world->store.now, &world->store.before};
  *epochs = *generations = (ranks){.count = 1};
  for (int32_t i = 0; i < 2; i++) {
    note(epochs, copies[i]->record.epoch);
    note(generations, copies[i]->record.generation);
    note(epochs, world->handles[i].machine.over_epoch);
    note(generations, world->handles[i].machine.over_generation);
    const explore_handle *us = &world->handles[i];
    const uint64_t all_epochs[] = {us->machine.record.epoch,     us->flight.epoch,
                                   us->flight.change.epoch,      us->order.change.epoch,
                                   us->flight.change.next.epoch, us->order.change.next.epoch};
    const uint64_t all_generations[] = {us->machine.record.generation,     us->flight.generation,
                                        us->flight.change.generation,      us->order.change.generation,
                                        us->flight.change.next.generation, us->order.change.next.generation};
    for (int32_t v = 0; v < 6; v++) {
      note(epochs, all_epochs[v]);
      note(generations, all_generations[v]);
    }
  }
  rank(epochs);
  rank(generations);
}

/* ---- Values ---- */

static void add(canon *all, uint64_t value) {
  uint64_t mixed = (all->hash ^ value) * UINT64_C(0x9E3779B97F4A7C15);
  all->hash = mixed ^ (mixed >> 29);
}

static void add_number(canon *all, int64_t value) {
  add(all, (uint64_t)value);
}

static void add_token(canon *all, int32_t token) {
  if (token != 0 && all->number[token] == 0) {
    all->seen[all->count] = (uint8_t)token;
    all->number[token] = (uint8_t)++all->count;
  }
  add(all, token != 0 ? all->number[token] : 0);
}

/* From now on, where it matters how far; what lies further back than the bound is all the same. */
static void add_time(canon *all, int64_t at_ms, int64_t bound_ms) {
  int64_t from_now = at_ms - all->world->now.boot_ms;
  add_number(all, from_now > -bound_ms ? from_now : -bound_ms);
}

static void add_pair(canon *all, uint64_t epoch, uint64_t generation) {
  add(all, (uint64_t)rank_of(all->epochs, epoch) << 32 | rank_of(all->generations, generation));
}

static uint64_t flags(const bool *values, int32_t count) {
  uint64_t bits = 0;
  for (int32_t i = 0; i < count; i++)
    bits = bits << 1 | values[i];
  return bits;
}

/* ---- Records ---- */

static int32_t token_of_lease(const explore_world *world, const identity__lease *lease) {
  static identity__lease known[TOKENS];
  static const identity__lease nobody;
  for (int32_t token = 1; token <= world->service.issued; token++) {
    if (known[token].fingerprint[0] == '\0')
      identity__lease_take(&known[token], &nobody, explore_refresh_token(token), 0);
    if (memcmp(known[token].fingerprint, lease->fingerprint, 16) == 0)
      return token;
  }
  return 0;
}

enum { OWNER_CLOSED = HANDLES, OWNER_GONE };

static int32_t owner_class(const canon *all, int32_t owner) {
  const explore_world *world = all->world;
  for (int32_t i = 0; i < HANDLES; i++)
    if (world->handles[i].state != HANDLE_CLOSED && world->handles[i].owner == owner)
      return i == all->first ? 0 : 1;
  return world->gone[owner] ? OWNER_GONE : OWNER_CLOSED;
}

static void add_lease(canon *all, const identity__lease *lease) {
  if (lease->fingerprint[0] == '\0') {
    add(all, 99);
    return;
  }
  add_token(all, token_of_lease(all->world, lease));
  add_number(all, owner_class(all, explore_number(lease->owner)));
  add_time(all, lease->begun_boot_ms, IDENTITY__LEASE_MS);
  add_time(all, lease->ends_boot_ms, 0);
}

static void add_grant(canon *all, const identity__grant *grant) {
  add_token(all, explore_number(grant->jwt));
  add_token(all, explore_number(grant->refresh_token));
  add_number(all, explore_number(grant->customer_id));
  add_number(all, grant->age);
  if (grant->age == IDENTITY__AGE_KNOWN && grant->jwt != NULL)
    add_time(all, grant->sent_boot_ms, grant->life_ms);
}

/* Of another boot: how long ago it was written is told by the wall clock, all else counts from then. */
static void add_stamp(canon *all, const identity__record *record) {
  const identity__now *now = &all->world->now;
  bool here = explore_is_of_this_boot(all->world, record);
  add_number(all, here);
  if (record->epoch == 0 || (here && record->written_wall_ms >= IDENTITY__CLOCK_FLOOR_MS))
    return;
  add_number(all, now->wall_ms - record->written_wall_ms);
  add_number(all, now->boot_ms - record->written_boot_ms);
}

static void add_record(canon *all, const identity__record *record) {
  add_pair(all, record->epoch, record->generation);
  add_number(all, record->standing * 16 + record->reason);
  if (record->epoch == 0)
    return;
  add_grant(all, &record->grant);
  add_lease(all, &record->lease);
  add_stamp(all, record);
  if (record->cooldown_boot_ms == 0)
    add(all, 98);
  else
    add_time(all, record->cooldown_boot_ms, 0);
  add_number(all, record->ambiguous * 16 + (record->failures > 0) * 8 + (record->refusals & 7));
  if (record->refusals > 0)
    add_time(all, record->first_refusal_boot_ms, IDENTITY__HOUR_MS);
  add(all, record->caused_count * 8 + record->pending_count);
  for (uint32_t i = 0; i < record->caused_count; i++)
    add_time(all, record->caused_boot_ms[i], IDENTITY__HOUR_MS);
}

static void add_next(canon *all, const identity__record *next) {
  bool empty = next->epoch == 0;
  add_number(all, empty);
  if (!empty)
    add_record(all, next);
}

/* ---- Handles ---- */

static void add_request(canon *all, const explore_request *request) {
  add_number(all, request->state);
  if (request->state == REQUEST_NONE)
    return;
  add_token(all, request->token);
  add_number(all, owner_class(all, request->owner));
  add_time(all, request->ends_ms, 0);
  if (request->state != REQUEST_HELD)
    add_time(all, request->left_ms, LIFE_MS);
  if (request->state == REQUEST_ANSWERED) {
    add_number(all, request->answer);
    add_token(all, request->pair);
  }
}

static void add_machine(canon *all, const explore_handle *us) {
  const identity__machine *machine = &us->machine;
  const explore_store *store = &all->world->store;
  const bool bits[] = {machine->not_persisted,
                       machine->unread,
                       machine->answers_unsaved,
                       machine->dead,
                       machine->flying,
                       machine->lease_unused,
                       us->consents_due,
                       machine->revision == (store->now.there ? store->now.revision : 0),
                       machine->revision == store->before.revision};
  add(all, flags(bits, sizeof bits / sizeof bits[0]));
  add_number(all, machine->blocked);
  add_pair(all, machine->over_epoch, machine->over_generation);
  add_record(all, &machine->record);
}

static void add_flight(canon *all, const explore_handle *us) {
  const identity__flight *flight = &us->flight;
  add_number(all, us->next);
  if (us->next == IDENTITY__DO_NONE)
    return;
  const bool bits[] = {flight->rotation,
                       flight->failure.running,
                       flight->failure.closing,
                       us->caused,
                       flight->change.in_memory_too,
                       flight->pair == us->machine.pair,
                       flight->change.pair == us->machine.pair};
  add(all, flags(bits, sizeof bits / sizeof bits[0]));
  add_number(all, flight->state * 16 + flight->verdict);
  add_number(all, us->refusal);
  add_token(all, us->received);
  add_pair(all, flight->epoch, flight->generation);
  add_pair(all, flight->change.epoch, flight->change.generation);
  add_next(all, &flight->change.next);
  if (flight->verdict >= 0) {
    add_number(all, flight->failure.verdict);
    add_number(all, flight->failure.retry_after_ms);
    add_time(all, flight->failure.now.boot_ms, IDENTITY__HOUR_MS);
  }
  if (flight->grant != NULL)
    add_grant(all, &us->answer);
  if (us->next != IDENTITY__DO_SEND || us->request == NOBODY)
    return;
  add_time(all, flight->release_until_ms, 0);
  add_request(all, &all->world->requests[us->request]);
}

static void add_order(canon *all, const explore_handle *us) {
  const explore_order *order = &us->order;
  add_number(all, us->state == HANDLE_CLOSING ? order->kind : 0);
  add_number(all, order->next);
  if (order->next == IDENTITY__DO_NONE)
    return;
  add_number(all, order->kind * 64 + order->change.over * 16 + order->reason);
  add_number(all, order->customer * 2 + order->faulty);
  add_token(all, order->token);
  add_time(all, order->given_ms, LIFE_MS);
  add_pair(all, order->change.epoch, order->change.generation);
  add_number(all, order->change.standing * 2 + (order->change.pair == us->machine.pair));
  add_next(all, &order->change.next);
}

static void add_handle(canon *all, const explore_handle *us) {
  add_number(all, us->state);
  if (us->state == HANDLE_CLOSED)
    return;
  add_machine(all, us);
  add_flight(all, us);
  add_order(all, us);
  if (explore_rules_now.bug != 0)
    add_number(all, us->rereads);
  if (explore_rules_now.bug != 0)
    add_token(all, us->last_token);
}

/* ---- The world ---- */

static void add_copy(canon *all, const explore_copy *copy) {
  add_number(all, copy->there * 2 + copy->unreadable);
  if (copy->there && !copy->unreadable)
    add_record(all, &copy->record);
}

/* What the service knows of the tokens that anybody still has. */
static void add_service(canon *all) {
  const explore_service *service = &all->world->service;
  for (int32_t i = 0; i < all->count; i++) {
    int32_t token = all->seen[i];
    add_number(all, service->state[token] * 4 + service->customer[token]);
    if (explore_rules_now.grace != GRACE_NONE)
      add_token(all, service->parent[token]);
  }
}

static uint64_t hash_from(canon *all, int32_t first) {
  const explore_world *world = all->world;
  all->first = first;
  all->count = 0;
  all->hash = UINT64_C(0xCBF29CE484222325);
  memset(all->number, 0, sizeof all->number);
  for (int32_t i = 0; i < COSTS; i++)
    add(all, world->left[i]);
  const bool bits[] = {world->excused, world->store_lost, world->now.wall_ms >= IDENTITY__CLOCK_FLOOR_MS,
                       world->store.now.revision == world->store.before.revision};
  add(all, flags(bits, sizeof bits / sizeof bits[0]));
  add_copy(all, &world->store.now);
  if (world->store.now.revision != world->store.before.revision)
    add_copy(all, &world->store.before);
  for (int32_t i = 0; i < HANDLES; i++)
    add_handle(all, &world->handles[i == 0 ? first : 1 - first]);
  for (int32_t i = 0; i < REQUESTS; i++)
    if (world->requests[i].state != REQUEST_NONE && world->requests[i].listener == NOBODY)
      add_request(all, &world->requests[i]);
  for (int32_t i = 0; i < world->caused; i++)
    add_time(all, world->caused_ms[i], IDENTITY__HOUR_MS);
  const identity__record *stored = &world->store.now.record;
  add_number(all, world->caused_epoch == stored->epoch && world->caused_generation == stored->generation);
  add_service(all);
  return all->hash;
}

/* Of what tells two handles apart most often; no tokens, whose numbers depend on who is looked at first. */
static uint64_t signature(const canon *all, const explore_handle *us) {
  canon one = {.world = all->world, .epochs = all->epochs, .generations = all->generations};
  const identity__machine *machine = &us->machine;
  add_number(&one, us->state * 64 + us->next * 8 + us->order.next);
  if (us->next != IDENTITY__DO_NONE)
    add_number(&one, us->flight.state * 8 + us->refusal);
  add_pair(&one, machine->record.epoch, machine->record.generation);
  add_number(&one, machine->record.standing * 4 + machine->not_persisted * 2 + machine->dead);
  return one.hash;
}

uint64_t explore_canon(const explore_world *world) {
  ranks epochs, generations;
  canon all = {.world = world, .epochs = &epochs, .generations = &generations};
  find_ranks(world, &epochs, &generations);
  uint64_t a = signature(&all, &world->handles[0]);
  uint64_t b = signature(&all, &world->handles[1]);
  if (a != b)
    return hash_from(&all, a < b ? 0 : 1);
  uint64_t one = hash_from(&all, 0);
  uint64_t other = hash_from(&all, 1);
  return one < other ? one : other;
}
