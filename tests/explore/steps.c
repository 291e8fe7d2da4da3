#include "explore/steps.h"
#include "explore/bugs.h"
#include "explore/nature.h"
#include "explore/texts.h"

#include <stdio.h>
#include <string.h>

enum { VARIANTS = 8 };
enum { OF_HANDLE, OF_REQUEST, OF_WORLD };

static const explore_handle *look_at(const explore_world *world, int32_t who) {
  return &world->handles[who];
}

static const explore_request *request_of(const explore_world *world, int32_t who) {
  const explore_handle *us = look_at(world, who);
  return us->next == IDENTITY__DO_SEND && us->request != NOBODY ? &world->requests[us->request] : NULL;
}

/* ---- The store ---- */

static bool can_open(const explore_world *world, int32_t who, int32_t variant) {
  return look_at(world, who)->state == HANDLE_CLOSED &&
         (variant != LOAD_OWNER_UNKNOWN || explore_owner_is_gone(world, &world->store.now.record.lease));
}

static bool can_load(const explore_world *world, int32_t who, int32_t variant) {
  return explore_waits_for_store(look_at(world, who), IDENTITY__DO_LOAD) &&
         (variant != LOAD_OWNER_UNKNOWN || explore_owner_is_gone(world, &world->store.now.record.lease));
}

static bool can_swap(const explore_world *world, int32_t who, int32_t variant) {
  uint64_t held = world->store.now.there ? world->store.now.revision : 0;
  return explore_waits_for_store(look_at(world, who), IDENTITY__DO_SWAP) &&
         (variant != SWAP_WRITES_AND_FAILS || look_at(world, who)->machine.revision == held);
}

/* ---- The network, as the handle sees it ---- */

static bool is_request_at(const explore_world *world, int32_t who, int32_t state) {
  const explore_request *request = request_of(world, who);
  return request != NULL && look_at(world, who)->state == HANDLE_OPEN &&
         !explore_is_busy(look_at(world, who)) && request->state == state;
}

static bool can_release(const explore_world *world, int32_t who, int32_t variant) {
  (void)variant;
  return is_request_at(world, who, REQUEST_HELD);
}

static bool can_hear(const explore_world *world, int32_t who, int32_t variant) {
  (void)variant;
  return is_request_at(world, who, REQUEST_ANSWERED);
}

static bool can_break(const explore_world *world, int32_t who, int32_t variant) {
  (void)variant;
  return is_request_at(world, who, REQUEST_LEFT) || is_request_at(world, who, REQUEST_ANSWERED);
}

static bool can_give_up(const explore_world *world, int32_t who, int32_t variant) {
  return can_break(world, who, variant);
}

static bool can_wake(const explore_world *world, int32_t who, int32_t variant) {
  const explore_handle *us = look_at(world, who);
  (void)variant;
  return us->state == HANDLE_OPEN && us->next == IDENTITY__DO_WAIT && !explore_is_busy(us);
}

/* Takes the request off the world, as it was. */
static explore_request take_request(explore_world *world, int32_t who) {
  explore_handle *us = &world->handles[who];
  explore_request request = world->requests[us->request];
  memset(&world->requests[us->request], 0, sizeof request);
  us->request = NOBODY;
  return request;
}

static void lose_answer(explore_world *world, const explore_request *request) {
  if (request->state == REQUEST_ANSWERED && request->pair != 0 && request->pair != request->token)
    world->excused = true;
}

static void release(explore_world *world, int32_t who, int32_t variant) {
  if (variant == 0) {
    explore_release(world, who);
    return;
  }
  identity__landing landing = {0};
  (void)take_request(world, who);
  explore_land(world, who, &landing);
}

static void hear(explore_world *world, int32_t who, int32_t variant) {
  identity__landing landing = {0};
  explore_request request = take_request(world, who);
  explore_read_answer(world, who, &request, &landing);
  explore_event_now.answer = request.answer;
  if (explore_is_moved(&world->handles[who]))
    lose_answer(world, &request); /* it belongs to nobody any more */
  explore_starve(variant == 1);
  explore_land(world, who, &landing);
  explore_starve(false);
}

static void break_off(explore_world *world, int32_t who, int32_t variant) {
  (void)variant;
  identity__landing landing = {.facts = {.progress = 1}};
  explore_request request = take_request(world, who);
  lose_answer(world, &request);
  explore_land(world, who, &landing);
}

/* The request may still be on its way. */
static void give_up(explore_world *world, int32_t who, int32_t variant) {
  (void)variant;
  identity__landing landing = {.facts = {.progress = 1}, .running = true};
  explore_abandon(world, who);
  explore_land(world, who, &landing);
}

static void wake(explore_world *world, int32_t who, int32_t variant) {
  (void)variant;
  explore_wake(world, who);
}

/* ---- Callers ---- */

static bool is_idle(const explore_handle *us) {
  return us->state == HANDLE_OPEN && !explore_is_busy(us);
}

/* Who asks while a flight flies, joins it or leaves it again, changes nothing: see the invariants I7 and I11.
 */
static bool can_ask(const explore_world *world, int32_t who, int32_t variant) {
  const explore_handle *us = look_at(world, who);
  if (!is_idle(us) || us->next != IDENTITY__DO_NONE)
    return false;
  identity__ask ask = variant == 1 ? identity__machine_ask_rotation(&us->machine, world->now.boot_ms)
                                   : identity__machine_ask(&us->machine, world->now.boot_ms);
  return ask.verdict == IDENTITY__ASK_REFRESH;
}

static void ask(explore_world *world, int32_t who, int32_t variant) {
  explore_begin_flight(world, who, variant == 1);
}

/* Past the earliest soft moment that chance may choose. */
static bool is_soft(const identity__machine *machine, identity__now now) {
  const identity__grant *grant = &machine->record.grant;
  return grant->age == IDENTITY__AGE_KNOWN && grant->refresh_token != NULL &&
         now.boot_ms - grant->sent_boot_ms >= grant->life_ms / 1000 * IDENTITY__SOFT_LEAST_PERMILLE;
}

/* A refresh before the JWT is over, that nobody waits for. */
static bool can_renew(const explore_world *world, int32_t who, int32_t variant) {
  const explore_handle *us = look_at(world, who);
  const identity__machine *machine = &us->machine;
  (void)variant;
  return is_idle(us) && us->next == IDENTITY__DO_NONE && identity__machine_standing(machine) == IDENTITY_OK &&
         identity__machine_cooldown_ms(machine, world->now.boot_ms) == 0 && is_soft(machine, world->now) &&
         identity__machine_is_usable(machine, world->now.boot_ms);
}

static void renew(explore_world *world, int32_t who, int32_t variant) {
  (void)variant;
  explore_begin_flight(world, who, false);
}

static bool can_be_refused(const explore_world *world, int32_t who, int32_t variant) {
  const explore_handle *us = look_at(world, who);
  (void)variant;
  return is_idle(us) && identity__machine_standing(&us->machine) == IDENTITY_OK &&
         us->machine.record.grant.jwt != NULL && !us->machine.dead && !us->machine.flying;
}

static void be_refused(explore_world *world, int32_t who, int32_t variant) {
  explore_handle *us = &world->handles[who];
  const identity__record *record = &us->machine.record;
  bool expired = variant == 1 || explore_has_bug(BUG_YOUTH_IGNORED);
  if (explore_has_bug(BUG_BUDGET_FORGOTTEN))
    us->machine.record.caused_count = 0;
  identity__ask told = explore_refused(&us->machine, record->epoch, record->generation, expired, world->now);
  if (told.verdict != IDENTITY__ASK_REFRESH)
    return;
  explore_begin_flight(world, who, false);
  us->caused = us->machine.dead; /* else it was over by its age, and the refresh was due anyway */
  explore_event_now.caused = us->caused;
  explore_event_now.expired = variant == 1;
}

/* ---- The user ---- */

enum { ORDER_OUT, ORDER_IN, ORDER_PENDING, ORDER_NO_PENDING, ORDER_RETRY, ORDER_LOOK };

static bool can_order(const explore_world *world, int32_t who, int32_t variant) {
  const explore_handle *us = look_at(world, who);
  const identity__machine *machine = &us->machine;
  if (!is_idle(us))
    return false;
  switch (variant) {
  case ORDER_OUT:
    return machine->blocked != IDENTITY_OK || machine->record.standing != IDENTITY__RECORD_SIGNED_OUT;
  case ORDER_IN:
    return machine->blocked == IDENTITY_OK && world->service.issued < TOKENS - 4;
  case ORDER_PENDING:
  case ORDER_NO_PENDING:
    return identity__machine_standing(machine) == IDENTITY_OK &&
           (machine->record.pending_count == 0) == (variant == ORDER_PENDING);
  case ORDER_RETRY:
    return machine->not_persisted;
  default: /* somebody may have signed in through the other handle */
    return identity__machine_standing(machine) != IDENTITY_OK;
  }
}

static void give_order(explore_world *world, int32_t who, int32_t variant) {
  static const int32_t kinds[] = {USER_SIGN_OUT, USER_SIGN_IN, USER_SET_PENDING, USER_CLEAR_PENDING,
                                  USER_RETRY};
  if (variant == ORDER_LOOK) {
    explore_look(world, who);
    return;
  }
  int32_t other = explore_number(world->handles[who].machine.record.grant.customer_id) == 1 ? 2 : 1;
  int32_t token = kinds[variant] == USER_SIGN_IN ? explore_issue(&world->service, other, 0) : 0;
  explore_begin_order(world, who, kinds[variant], token);
}

static bool can_leave(const explore_world *world, int32_t who, int32_t variant) {
  const explore_handle *us = look_at(world, who);
  return variant == 0 ? is_idle(us) : us->state != HANDLE_CLOSED;
}

static void leave(explore_world *world, int32_t who, int32_t variant) {
  if (variant == 0)
    explore_close(world, who);
  else
    explore_kill(world, who);
}

/* ---- Requests and the world ---- */

static bool can_pass(const explore_world *world, int32_t who, int32_t variant) {
  (void)who;
  return explore_can_pass(world, variant);
}

static void pass(explore_world *world, int32_t who, int32_t variant) {
  (void)who;
  explore_pass(world, variant);
}

static bool can_happen(const explore_world *world, int32_t who, int32_t variant) {
  (void)who;
  return explore_can_happen(world, variant);
}

static void happen(explore_world *world, int32_t who, int32_t variant) {
  (void)who;
  explore_happen(world, variant);
}

/* ---- The table ---- */

static const struct row {
  int32_t of;
  int32_t variants;
  bool (*can)(const explore_world *world, int32_t who, int32_t variant);
  void (*take)(explore_world *world, int32_t who, int32_t variant);
  int32_t cost;       /* of variant 0 */
  int32_t cost_other; /* of the others */
  const char *words[VARIANTS];
} rows[] = {
    {OF_HANDLE,
     4,
     can_load,
     explore_store_step,
     COST_NONE,
     COST_FAULT,
     {"reads the store", "reads the store; whether the lease's owner lives nobody can tell",
      "finds the store locked", "reads the store, but memory is out"}},
    {OF_HANDLE,
     3,
     can_swap,
     explore_store_step,
     COST_NONE,
     COST_FAULT,
     {"swaps", "swaps, the store fails", "swaps, it is written but the store reports a failure"}},
    {OF_HANDLE, 2, can_release, release, COST_NONE, COST_FAULT, {"lets its request go", "cannot connect"}},
    {OF_REQUEST,
     8,
     explore_can_arrive,
     explore_arrive,
     COST_NONE,
     COST_FAULT,
     {"arrives at the service", "is answered 500 unprocessed", "is processed but answered 500",
      "is answered 503", "is answered by a firewall (403, HTML)", "gets an undocumented refusal",
      "is processed but gets the pair of somebody else", "gets a JWT without a refresh token"}},
    {OF_HANDLE,
     2,
     can_hear,
     hear,
     COST_NONE,
     COST_FAULT,
     {"gets its answer", "gets its answer, but memory is out"}},
    {OF_HANDLE, 1, can_break, break_off, COST_FAULT, COST_FAULT, {"loses its connection"}},
    {OF_HANDLE, 1, can_give_up, give_up, COST_FAULT, COST_FAULT, {"gives up waiting for the answer"}},
    {OF_HANDLE, 1, can_wake, wake, COST_NONE, COST_NONE, {"wakes and looks again"}},
    {OF_HANDLE, 2, can_ask, ask, COST_USER, COST_USER, {"is asked for a token", "is asked for a rotation"}},
    {OF_HANDLE, 1, can_renew, renew, COST_USER, COST_USER, {"refreshes ahead of time"}},
    {OF_HANDLE,
     2,
     can_be_refused,
     be_refused,
     COST_USER,
     COST_USER,
     {"gets a 401 for its token", "gets a 401 for its token, past its end"}},
    {OF_HANDLE,
     6,
     can_order,
     give_order,
     COST_USER,
     COST_USER,
     {"signs out", "signs another customer in", "is left with a pending consent",
      "has sent the pending consents", "tries the store again", "looks at the store again"}},
    {OF_HANDLE, 2, can_leave, leave, COST_USER, COST_FAULT, {"closes", "is killed"}},
    {OF_HANDLE,
     3,
     can_open,
     explore_open,
     COST_NONE,
     COST_FAULT,
     {"opens", "opens; whether the lease's owner lives nobody can tell", "opens and finds the store locked"}},
    {OF_WORLD,
     8,
     can_pass,
     pass,
     COST_TIME,
     COST_TIME,
     {"time passes until the next thing ends", "until the second thing ends", "until the third thing ends",
      "until the fourth thing ends", "until the fifth thing ends", "until the sixth thing ends",
      "until the seventh thing ends", "five seconds pass"}},
    {OF_WORLD,
     HAPPENINGS,
     can_happen,
     happen,
     COST_FAULT,
     COST_FAULT,
     {"the device starts again", "the device starts again in 1970", "the service revokes everything",
      "the store's key is lost", "the store's last copy is damaged"}},
};

enum { ROWS = sizeof rows / sizeof rows[0], WHOS = 8 };
static const int32_t whos[] = {[OF_HANDLE] = HANDLES, [OF_REQUEST] = REQUESTS, [OF_WORLD] = 1};

static int32_t cost_of(const struct row *row, int32_t variant) {
  return variant == 0 ? row->cost : row->cost_other;
}

int32_t explore_steps(const explore_world *world, explore_step steps[MOST_STEPS]) {
  int32_t count = 0;
  for (int32_t r = 0; r < (int32_t)ROWS; r++)
    for (int32_t who = 0; who < whos[rows[r].of]; who++)
      for (int32_t variant = 0; variant < rows[r].variants; variant++)
        if (world->left[cost_of(&rows[r], variant)] > 0 && rows[r].can(world, who, variant))
          steps[count++] = (explore_step)((r * WHOS + who) * VARIANTS + variant);
  return count;
}

void explore_take(explore_world *world, explore_step step) {
  const struct row *row = &rows[step / VARIANTS / WHOS];
  int32_t who = step / VARIANTS % WHOS;
  int32_t variant = step % VARIANTS;
  int32_t cost = cost_of(row, variant);
  if (cost != COST_NONE && world->left[cost] != UNLIMITED)
    world->left[cost]--;
  explore_event_now = (explore_event){.handle = row->of == OF_HANDLE ? who : NOBODY, .answer = NOBODY};
  row->take(world, who, variant);
}

void explore_print_step(explore_step step, char *text, size_t size) {
  const struct row *row = &rows[step / VARIANTS / WHOS];
  int32_t who = step / VARIANTS % WHOS;
  const char *words = row->words[step % VARIANTS];
  if (row->of == OF_HANDLE)
    (void)snprintf(text, size, "%c %s", explore_name(who), words);
  else if (row->of == OF_REQUEST)
    (void)snprintf(text, size, "request %d %s", (int)who + 1, words);
  else
    (void)snprintf(text, size, "%s", words);
}
