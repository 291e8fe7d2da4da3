/* A box with the library on a loop: what src/drive does around the machine and the flight, without waiting
 * for anything. */
#include "fleet/desk.h"
#include "fleet/texts.h"

#include <string.h>

/* ---- Signed in, and on again ---- */

static bool make_sign_in(const identity__machine *machine, const void *input, identity__record *next) {
  return identity__machine_sign_in(machine, input, NULL, 0, next);
}

static int64_t find_soft_ms(const fleet_desk *desk, const fleet_box *box) {
  int64_t soft = identity__machine_soft_ms(&desk->machine);
  return soft == INT64_MAX ? NEVER_MS : soft + box->booted_ms;
}

static void stand_up(fleet_world *world, fleet_desk *desk, fleet_box *box) {
  if (!fleet_stand_up(desk, box))
    world->wrong = "a box is not the same when it is unpacked again";
}

static void begin(fleet_world *world, fleet_box *box, int64_t got_ms) {
  static fleet_desk desk;
  identity__grant grant = {.jwt = fleet_word(WORD_JWT),
                           .refresh_token = fleet_refresh_token(1),
                           .customer_id = fleet_word(WORD_CUSTOMER),
                           .publisher_id = fleet_word(WORD_PUBLISHER),
                           .life_ms = LIFE_MS,
                           .sent_boot_ms = got_ms - box->booted_ms,
                           .age = IDENTITY__AGE_KNOWN};
  identity__change change = {.make = make_sign_in, .input = &grant, .over = IDENTITY__OVER_ALL};
  box->kept = (fleet_kept){.revision = 0};
  desk.revision = 0;
  box->token = 1;
  fleet_sit_down(&desk, box, got_ms);
  if (identity__change_begin(&change, &desk.machine, desk.now) == IDENTITY__DO_SWAP) {
    uint64_t revision = desk.machine.revision;
    int32_t said = fleet_swap(&desk, &change.next, &revision);
    (void)identity__change_swapped(&change, &desk.machine, said, revision);
  }
  box->refresh_ms = find_soft_ms(&desk, box);
  stand_up(world, &desk, box);
}

static void boot(fleet_world *world, fleet_desk *desk, fleet_box *box, int64_t now_ms) {
  identity__lease self = desk->machine.self;
  char boot_id[IDENTITY__BOOT_ID_SIZE];
  identity__look look;
  box->off = false;
  box->kept.boot++;
  desk->now = fleet_now(box, now_ms);
  fleet_name_boot(boot_id, box->kept.boot);
  identity__machine_init(&desk->machine, boot_id, &self);
  fleet_load(desk, &look);
  if (identity__machine_hear(&desk->machine, &look, desk->now) != IDENTITY_OK)
    world->wrong = "the store of a box cannot be read";
  box->refresh_ms = find_soft_ms(desk, box);
  box->failed = identity__machine_remaining(&desk->machine, desk->now.boot_ms) <= 0;
}

/* ---- A refresh ---- */

static const struct {
  int32_t http_status;
  identity__refresh_facts facts;
} readings[] = {
    {200, {2, true, 200, true, false, false, true, true}},
    {400, {2, true, 400, true, true, true, false, false}},
    {429, {2, true, 429, true, true, false, false, false}},
    {503, {2, true, 503, false, false, false, false, false}},
};

/* Sends it, and goes on to the moment of its answer: nothing that happens in between changes it. */
static int32_t send(fleet_world *world, fleet_desk *desk, fleet_box *box, identity__flight *flight,
                    int64_t *now_ms) {
  static identity__grant grant; /* lives until the flight is over */
  uint32_t token = (uint32_t)desk->machine.record.generation;
  if (!identity__flight_may_leave(flight, &desk->machine, desk->now.boot_ms))
    world->wrong = "a refresh may not leave at once";
  fleet_answer answer = fleet_post(world, box, token, *now_ms);
  identity__landing landing = {.retry_after_ms = answer.retry_after_ms, .grant = &grant};
  for (size_t i = 0; i < sizeof readings / sizeof readings[0]; i++)
    if (readings[i].http_status == answer.http_status)
      landing.facts = readings[i].facts;
  grant = (identity__grant){.jwt = fleet_word(WORD_JWT),
                            .refresh_token = fleet_refresh_token(answer.token),
                            .customer_id = fleet_word(WORD_CUSTOMER),
                            .publisher_id = fleet_word(WORD_PUBLISHER),
                            .life_ms = LIFE_MS,
                            .sent_boot_ms = desk->now.boot_ms,
                            .age = IDENTITY__AGE_KNOWN};
  *now_ms = answer.at_ms;
  desk->now = fleet_now(box, *now_ms);
  identity__moment moment = {desk->now, fleet_chance(world)};
  return identity__flight_landed(flight, &desk->machine, &landing, &moment);
}

static int32_t load(fleet_world *world, fleet_desk *desk, identity__flight *flight) {
  identity__moment moment = {desk->now, fleet_chance(world)};
  identity__look look;
  fleet_load(desk, &look);
  return identity__flight_loaded(flight, &desk->machine, &look, &moment);
}

static int32_t swap(fleet_world *world, fleet_desk *desk, identity__flight *flight) {
  identity__moment moment = {desk->now, fleet_chance(world)};
  uint64_t revision = desk->machine.revision;
  int32_t said = fleet_swap(desk, &flight->change.next, &revision);
  return identity__flight_swapped(flight, &desk->machine, said, revision, &moment);
}

static void fly(fleet_world *world, fleet_desk *desk, fleet_box *box, int64_t *now_ms) {
  identity__flight flight = {.state = 0};
  desk->machine.flying = true;
  int32_t next = identity__flight_begin(&flight, &desk->machine);
  while (next != IDENTITY__DO_NONE && next != IDENTITY__DO_WAIT) {
    if (next == IDENTITY__DO_LOAD)
      next = load(world, desk, &flight);
    else if (next == IDENTITY__DO_SWAP)
      next = swap(world, desk, &flight);
    else
      next = send(world, desk, box, &flight, now_ms);
  }
  if (next == IDENTITY__DO_WAIT)
    world->wrong = "a refresh waits for another handle";
  desk->machine.flying = false;
  desk->machine.last_failure = flight.status;
  identity__flight_clear(&flight);
  if (flight.status == IDENTITY_OK) {
    box->refresh_ms = find_soft_ms(desk, box);
    fleet_set_waits(world, box, false);
  }
  box->failed = flight.status != IDENTITY_OK;
  if (identity__machine_standing(&desk->machine) == IDENTITY_OK)
    return;
  world->ended += !box->ended;
  box->ended = true;
}

/* ---- A step ---- */

static bool is_due(const fleet_desk *desk, const fleet_box *box, int64_t now_ms) {
  return identity__machine_cooldown_ms(&desk->machine, desk->now.boot_ms) == 0 &&
         desk->now.boot_ms >= identity__machine_soft_ms(&desk->machine) && fleet_is_used(box, now_ms);
}

/* The app comes back when it was told to. */
static void ask_again(fleet_world *world, const fleet_desk *desk, fleet_box *box, int64_t now_ms) {
  identity__ask ask = identity__machine_ask(&desk->machine, desk->now.boot_ms);
  int64_t again_ms = now_ms + ask.retry_after_ms;
  fleet_set_waits(world, box, ask.verdict == IDENTITY__ASK_FAIL);
  if (box->waits && again_ms < box->ask_ms)
    box->ask_ms = again_ms;
}

static int64_t next_ms(const fleet_desk *desk, const fleet_box *box, int64_t now_ms) {
  int64_t unasked_ms = now_ms + identity__machine_cooldown_ms(&desk->machine, desk->now.boot_ms);
  if (box->ended)
    return NEVER_MS;
  if (unasked_ms < box->refresh_ms)
    unasked_ms = box->refresh_ms;
  if (!fleet_is_used(box, unasked_ms)) /* nobody has asked for long: it rests */
    unasked_ms = box->out && !box->waits ? box->asked_ms + LIFE_MS + 1 : NEVER_MS;
  int64_t next = unasked_ms < box->ask_ms ? unasked_ms : box->ask_ms;
  return next > now_ms ? next : now_ms + 1;
}

static int64_t step(fleet_world *world, fleet_box *box, int64_t now_ms) {
  static fleet_desk desk;
  bool asked = now_ms >= box->ask_ms;
  bool wanted = false;
  fleet_sit_down(&desk, box, now_ms);
  if (box->off)
    boot(world, &desk, box, now_ms);
  if (asked) {
    box->asked_ms = now_ms;
    fleet_plan_ask(world, box, now_ms);
    wanted = identity__machine_ask(&desk.machine, desk.now.boot_ms).verdict == IDENTITY__ASK_REFRESH;
  }
  if (wanted || is_due(&desk, box, now_ms))
    fly(world, &desk, box, &now_ms);
  if (asked)
    ask_again(world, &desk, box, now_ms);
  fleet_set_out(world, box, box->failed && (box->waits || fleet_is_used(box, now_ms)));
  int64_t next = next_ms(&desk, box, now_ms);
  stand_up(world, &desk, box);
  return next;
}

const fleet_client fleet_library = {"library", "this library", begin, step};
