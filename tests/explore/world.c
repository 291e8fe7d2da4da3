/* Worlds to begin with. */
#include "explore/world.h"
#include "explore/texts.h"

#include <stddef.h>
#include <string.h>

explore_rules explore_rules_now;
explore_event explore_event_now;

enum { A, B };

void explore_settle(explore_world *world) {
  for (int32_t i = 0; i < HANDLES; i++) {
    explore_handle *us = &world->handles[i];
    us->order.change.input = &us->order;
    if (us->flight.grant != NULL)
      us->flight.grant = &us->answer;
  }
}

void explore_copy_world(explore_world *world, const explore_world *source) {
  *world = *source;
  explore_settle(world);
}

/* Without chance: the shortest waits are the hardest case. */
identity__moment explore_moment(const explore_world *world) {
  return (identity__moment){.now = world->now, .random = 0};
}

char explore_name(int32_t handle) {
  return (char)('A' + handle);
}

static void pass(explore_world *world, int64_t ms) {
  world->now.boot_ms += ms;
  world->now.wall_ms += ms;
}

static void run(explore_world *world, int32_t handle) {
  while (explore_is_busy(&world->handles[handle]))
    explore_store_step(world, handle, 0);
}

/* ---- The worlds ---- */

static void nobody(explore_world *world) {
  explore_open(world, A, LOAD_FINE);
  explore_open(world, B, LOAD_FINE);
}

static void one_handle(explore_world *world) {
  explore_open(world, A, LOAD_FINE);
  explore_begin_order(world, A, USER_SIGN_IN, explore_issue(&world->service, 1, 0));
  run(world, A);
  pass(world, LIFE_MS);
}

static void over(explore_world *world) {
  one_handle(world);
  explore_open(world, B, LOAD_FINE);
}

static void age(explore_world *world, int64_t ms) {
  over(world);
  pass(world, ms - LIFE_MS);
}

static void fresh(explore_world *world) {
  age(world, 2 * IDENTITY__MINUTE_MS);
}

static void in_margin(explore_world *world) {
  age(world, LIFE_MS - 20 * IDENTITY__SECOND_MS);
}

static void edit(explore_world *world, void (*change)(identity__record *record, int64_t now_ms)) {
  change(&world->store.now.record, world->now.boot_ms);
  world->store.before.record = world->store.now.record;
  for (int32_t i = 0; i < HANDLES; i++)
    change(&world->handles[i].machine.record, world->now.boot_ms);
}

static void spend_budget(identity__record *record, int64_t now_ms) {
  record->caused_count = 3;
  for (int32_t i = 0; i < 3; i++)
    record->caused_boot_ms[i] = now_ms - IDENTITY__MINUTE_MS * (20 - i);
}

static void spent(explore_world *world) {
  fresh(world);
  edit(world, spend_budget);
  world->caused = 3;
  for (int32_t i = 0; i < 3; i++)
    world->caused_ms[i] = world->handles[A].machine.record.caused_boot_ms[i];
}

static void refuse_twice(identity__record *record, int64_t now_ms) {
  record->refusals = 2;
  record->first_refusal_boot_ms = now_ms - IDENTITY__HOUR_MS;
}

static void refused(explore_world *world) {
  over(world);
  edit(world, refuse_twice);
}

static void wait_for_consents(identity__record *record, int64_t now_ms) {
  (void)now_ms;
  const identity_consent_answer consent = {explore_word("terms"), explore_word("v1"), 1, 0};
  (void)identity__record_set_pending(record, &consent, 1);
}

static void consents(explore_world *world) {
  over(world);
  edit(world, wait_for_consents);
}

static void in_flight(explore_world *world) {
  over(world);
  explore_begin_flight(world, A, false);
  run(world, A);
  explore_release(world, A);
}

static void killed(explore_world *world) {
  in_flight(world);
  explore_arrive(world, world->handles[A].request, 0);
  explore_kill(world, A);
}

static void answered_late(explore_world *world) {
  in_flight(world);
  explore_arrive(world, world->handles[A].request, 0);
  pass(world, IDENTITY__LEASE_MS);
  world->excused = true;
}

static void locked(explore_world *world) {
  fresh(world);
  explore_kill(world, B);
  explore_open(world, B, LOAD_LOCKED);
}

/* The store fails, and nobody knows whether it has written. */
static void written_unknown(explore_world *world) {
  explore_open(world, A, LOAD_FINE);
  explore_begin_order(world, A, USER_SIGN_IN, explore_issue(&world->service, 1, 0));
  explore_store_step(world, A, SWAP_WRITES_AND_FAILS);
  pass(world, LIFE_MS);
  explore_open(world, B, LOAD_FINE);
}

static void pair_in_memory(explore_world *world) {
  in_flight(world);
  identity__landing landing = {0};
  explore_arrive(world, 0, 0);
  explore_request request = world->requests[0];
  memset(&world->requests[0], 0, sizeof request);
  world->handles[A].request = NOBODY;
  explore_read_answer(world, A, &request, &landing);
  explore_land(world, A, &landing);
  explore_store_step(world, A, SWAP_FAILS);
}

static void sign_out_in_memory(explore_world *world) {
  over(world);
  explore_begin_order(world, A, USER_SIGN_OUT, 0);
  explore_store_step(world, A, SWAP_FAILS);
}

static const struct {
  void (*make)(explore_world *world);
  const char *words;
} roots[] = {
    {over, "both handles hold one pair, its JWT is over"},
    {fresh, "both handles hold one pair, its JWT is two minutes old"},
    {in_margin, "both handles hold one pair, its JWT is good for 20 s"},
    {nobody, "nobody was ever signed in"},
    {one_handle, "A holds a pair whose JWT is over, B is not open"},
    {in_flight, "the JWT is over, the refresh of A has left"},
    {killed, "the JWT is over, A was killed after the service had taken its refresh"},
    {answered_late, "A was stopped: its answer waits in the socket, its lease is over"},
    {consents, "consents are pending, the JWT is over"},
    {locked, "the JWT is two minutes old; B could not read the store when it opened"},
    {spent, "the JWT is two minutes old; 401s have caused three refreshes in this hour"},
    {refused, "the JWT is over; two undocumented refusals, the first an hour ago"},
    {written_unknown, "A has signed in, the store has written it but reported a failure; B has opened on it"},
    {pair_in_memory, "A has a new pair in memory only: the store failed"},
    {sign_out_in_memory, "A has signed out in memory only: the store failed"},
};

bool explore_root(explore_world *world, int32_t number, const char **words) {
  if (number < 0 || (size_t)number >= sizeof roots / sizeof roots[0])
    return false;
  memset(world, 0, sizeof *world);
  explore_event_now = (explore_event){.handle = NOBODY};
  world->now = (identity__now){.boot_ms = 100 * IDENTITY__HOUR_MS, .wall_ms = INT64_C(1790000000000)};
  for (int32_t i = 0; i < HANDLES; i++) {
    world->handles[i].next = IDENTITY__DO_NONE;
    world->handles[i].order.next = IDENTITY__DO_NONE;
    world->handles[i].request = NOBODY;
  }
  memset(world->left, UNLIMITED, sizeof world->left);
  roots[number].make(world);
  if (words != NULL)
    *words = roots[number].words;
  explore_settle(world);
  return true;
}
