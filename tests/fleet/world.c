/* The boxes, the order in which things are due, and what happens to all of them at once. */
#include "fleet/fleet.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { NOBODY = 0 };

#define PROGRESS_MS (30 * MINUTE_MS)
#define PAST_MS (10 * LIFE_MS) /* long enough ago that nobody can tell when it all began */

int64_t fleet_up_ms(const fleet_plan *plan) {
  return DOWN_MS + plan->outage_s * SECOND_MS;
}

/* ---- Chance ---- */

/* splitmix64 */
uint64_t fleet_chance(fleet_world *world) {
  uint64_t mixed = world->chance += UINT64_C(0x9E3779B97F4A7C15);
  mixed = (mixed ^ (mixed >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
  mixed = (mixed ^ (mixed >> 27)) * UINT64_C(0x94D049BB133111EB);
  return mixed ^ (mixed >> 31);
}

int64_t fleet_between(fleet_world *world, int64_t least, int64_t most) {
  return least + (int64_t)(fleet_chance(world) % (uint64_t)(most - least + 1));
}

int64_t fleet_wait(fleet_world *world, int64_t mean_ms) {
  double share = (double)((fleet_chance(world) >> 11) + 1) / 9007199254740993.0; /* never 0 */
  return (int64_t)(-log(share) * (double)mean_ms) + 1;
}

void fleet_plan_ask(fleet_world *world, fleet_box *box, int64_t now_ms) {
  box->ask_ms = now_ms + fleet_wait(world, box->in_use ? IN_USE_ASKS_MS : IDLE_ASKS_MS);
}

void fleet_set_out(fleet_world *world, fleet_box *box, bool out) {
  world->out += (uint32_t)(out && !box->out);
  world->out -= (uint32_t)(!out && box->out);
  box->out = out;
}

void fleet_set_waits(fleet_world *world, fleet_box *box, bool waits) {
  world->waiting += (uint32_t)(waits && !box->waits);
  world->waiting -= (uint32_t)(!waits && box->waits);
  box->waits = waits;
}

bool fleet_is_used(const fleet_box *box, int64_t at_ms) {
  return at_ms - box->asked_ms <= LIFE_MS;
}

/* ---- What is due ---- */

static void put(fleet_world *world, uint32_t box, int64_t due_ms) {
  if (due_ms >= world->end_ms)
    return;
  world->after[box] = world->heads[due_ms];
  world->heads[due_ms] = box + 1;
}

static void live_through(fleet_world *world, int64_t now_ms) {
  uint32_t number = world->heads[now_ms];
  while (number != NOBODY) {
    uint32_t box = number - 1;
    number = world->after[box];
    put(world, box, world->client->step(world, &world->boxes[box], now_ms));
  }
}

/* ---- Beginning, and the power cut ---- */

/* As in the middle of an evening: in use, it is somewhere between two refreshes; idle, somebody has looked in
 * some time ago. */
static void begin(fleet_world *world, uint32_t number) {
  fleet_box *box = &world->boxes[number];
  *box = (fleet_box){.number = number,
                     .in_use = fleet_between(world, 0, 99) < IN_USE_PERCENT,
                     .clockless = fleet_between(world, 0, 99) < CLOCKLESS_PERCENT,
                     .booted_ms = -fleet_between(world, 10 * HOUR_MS, 1000 * HOUR_MS)};
  box->asked_ms = -fleet_wait(world, box->in_use ? IN_USE_ASKS_MS : IDLE_ASKS_MS);
  fleet_plan_ask(world, box, 0);
  world->client->begin(world, box, box->in_use ? -fleet_between(world, 0, PAST_MS) : box->asked_ms);
  while (box->refresh_ms < 0 && fleet_is_used(box, box->refresh_ms))
    world->client->begin(world, box, box->refresh_ms);    /* it has refreshed since */
  put(world, number, fleet_between(world, 1, SECOND_MS)); /* it looks what is due */
}

/* Nothing that was due happens; when the power is back, everybody boots, and each app needs a token as
 * soon as it is up. */
static void cut_power(fleet_world *world) {
  for (int64_t ms = CUT_MS; ms < world->end_ms; ms++)
    world->heads[ms] = NOBODY;
  for (uint32_t i = 0; i < world->plan->boxes; i++) {
    fleet_box *box = &world->boxes[i];
    box->off = true;
    box->booted_ms = POWER_MS;
    box->ask_ms = POWER_MS + BOOTS_MS + fleet_between(world, 0, BOOTS_MORE_MS);
    fleet_set_out(world, box, true);
    put(world, i, box->ask_ms);
  }
}

static void tell(const fleet_world *world, int64_t now_ms) {
  (void)fprintf(stderr, "  %-8s %2d:%02d of %d hours\n", world->client->name, (int)(now_ms / HOUR_MS),
                (int)(now_ms % HOUR_MS / MINUTE_MS), (int)world->plan->hours);
}

static void note(const fleet_world *world, fleet_second *second) {
  second->out = world->out;
  second->waiting = world->waiting;
}

static bool prepare(fleet_world *world) {
  size_t boxes = world->plan->boxes;
  world->end_ms = world->plan->hours * HOUR_MS;
  world->boxes = calloc(boxes, sizeof *world->boxes);
  world->after = calloc(boxes, sizeof *world->after);
  world->heads = calloc((size_t)world->end_ms, sizeof *world->heads);
  world->seconds = calloc((size_t)(world->end_ms / SECOND_MS), sizeof *world->seconds);
  return world->boxes != NULL && world->after != NULL && world->heads != NULL && world->seconds != NULL;
}

bool fleet_live(fleet_world *world) {
  bool whole = prepare(world);
  for (uint32_t i = 0; whole && i < world->plan->boxes; i++)
    begin(world, i);
  for (int64_t ms = 0; whole && ms < world->end_ms; ms++) {
    if (ms == CUT_MS)
      cut_power(world);
    if (ms % PROGRESS_MS == 0)
      tell(world, ms);
    live_through(world, ms);
    if (ms % SECOND_MS == SECOND_MS - 1)
      note(world, &world->seconds[ms / SECOND_MS]);
  }
  free(world->boxes);
  free(world->after);
  free(world->heads);
  return whole;
}
