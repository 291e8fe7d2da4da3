/* What must hold of sessions and of the refresh. */
#include "explore/invariants.h"
#include "explore/texts.h"

#include <string.h>

#define EVENT explore_event_now

static const explore_handle *actor(const explore_world *world) {
  return &world->handles[EVENT.handle];
}

static int32_t verdict(bool holds) {
  return holds ? HOLDS : BROKEN;
}

/* The memory of the acting handle has gone on from before to after. */
static bool lives_on(void) {
  return EVENT.handle != NOBODY && !EVENT.died && !EVENT.opened;
}

/* ---- Requests ---- */

static int32_t one_in_flight(const explore_world *before, const explore_world *after) {
  (void)before;
  if (!EVENT.released || after->store_lost)
    return VACUOUS;
  const explore_request *ours = &after->requests[EVENT.request];
  for (int32_t i = 0; i < REQUESTS; i++) {
    const explore_request *other = &after->requests[i];
    bool runs = (other->state == REQUEST_LEFT || other->state == REQUEST_ANSWERED) &&
                after->now.boot_ms < other->ends_ms;
    if (i != EVENT.request && runs && other->token == ours->token)
      return BROKEN;
  }
  return HOLDS;
}

static int32_t newest_is_sent(const explore_world *before, const explore_world *after) {
  (void)before;
  if (!EVENT.released)
    return VACUOUS;
  int32_t held = explore_number(actor(after)->machine.record.grant.refresh_token);
  return verdict(after->requests[EVENT.request].token == held);
}

/* ---- Received pairs ---- */

static int32_t pair_is_kept(const explore_world *before, const explore_world *after) {
  if (!lives_on() || !EVENT.flight_over || actor(after)->received == 0)
    return VACUOUS;
  const identity__machine *machine = &actor(after)->machine;
  const identity__flight *flight = &actor(before)->flight;
  bool held = machine->record.epoch == flight->epoch && explore_is_signed_in(&machine->record) &&
              explore_number(machine->record.grant.refresh_token) == actor(after)->received;
  const identity__record started = {.epoch = flight->epoch, .generation = flight->generation};
  return verdict(held || explore_compare(&machine->record, &started) > 0);
}

/* What only memory holds stays there, unless another handle has stored a pair of the same numbers. */
static int32_t memory_is_kept(const explore_world *before, const explore_world *after) {
  if (!lives_on() || !actor(before)->machine.not_persisted ||
      !explore_is_signed_in(&actor(before)->machine.record))
    return VACUOUS;
  const identity__record *old = &actor(before)->machine.record;
  const identity__record *new = &actor(after)->machine.record;
  if (explore_compare(new, old) > 0 || !explore_is_signed_in(new))
    return HOLDS; /* its end is judged by I4 */
  bool stored = explore_compare(new, &after->store.now.record) == 0 &&
                new->grant.refresh_token == after->store.now.record.grant.refresh_token;
  return verdict(new->grant.refresh_token == old->grant.refresh_token || stored);
}

static int32_t is_durable(const explore_world *before, const explore_world *after) {
  (void)before;
  if (!lives_on() || after->store_lost || !explore_is_readable(&after->store))
    return VACUOUS;
  const identity__machine *machine = &actor(after)->machine;
  if (machine->blocked != IDENTITY_OK || !explore_is_signed_in(&machine->record))
    return VACUOUS;
  return verdict(machine->not_persisted || explore_compare(&machine->record, &after->store.now.record) <= 0);
}

/* ---- The end of a session ---- */

static bool leaves(const explore_world *before, const explore_world *after) {
  return lives_on() && explore_is_signed_in(&actor(before)->machine.record) &&
         !explore_is_signed_in(&actor(after)->machine.record);
}

static bool is_adopted(const explore_world *after) {
  const identity__record *record = &actor(after)->machine.record;
  return EVENT.store == STORE_READ && explore_compare(record, &after->store.now.record) == 0 &&
         record->standing == after->store.now.record.standing;
}

/* The handle itself ends it, upon the answer to its refresh. */
static int32_t own_refusal(const explore_world *before, const explore_world *after) {
  bool own = leaves(before, after) && explore_was_flight(before) && !is_adopted(after) &&
             actor(after)->machine.record.standing == IDENTITY__RECORD_REAUTH;
  return own ? actor(before)->refusal + actor(after)->refusal * (actor(before)->refusal == 0) : 0;
}

static bool is_third(const explore_world *before) {
  const identity__record *record = &actor(before)->machine.record;
  return record->refusals >= 2 && before->now.boot_ms - record->first_refusal_boot_ms >= IDENTITY__HOUR_MS;
}

static int32_t ends_for_cause(const explore_world *before, const explore_world *after) {
  if (!leaves(before, after))
    return VACUOUS;
  const explore_order *order = &actor(before)->order;
  bool ordered = order->next != IDENTITY__DO_NONE && order->kind == USER_SIGN_OUT;
  int32_t refusal = own_refusal(before, after);
  return verdict(ordered || is_adopted(after) || refusal == ANSWER_DEFINITE ||
                 (refusal == ANSWER_UNDOCUMENTED && is_third(before)));
}

/* In the store, too: the one who swaps has a cause of its own. */
static int32_t stored_for_cause(const explore_world *before, const explore_world *after) {
  if (EVENT.store != STORE_SWAPPED || !explore_is_readable(&before->store) || before->store_lost ||
      !explore_is_signed_in(&before->store.now.record) || explore_is_signed_in(&after->store.now.record))
    return VACUOUS;
  const explore_handle *us = actor(before);
  bool ordered = us->order.next != IDENTITY__DO_NONE && us->order.kind == USER_SIGN_OUT;
  bool again = us->order.kind == USER_RETRY && !explore_is_signed_in(&us->machine.record);
  return verdict(ordered || again || (explore_was_flight(before) && us->refusal != 0));
}

static int32_t opens_as_stored(const explore_world *before, const explore_world *after) {
  (void)before;
  if (!EVENT.opened || !explore_is_readable(&after->store))
    return VACUOUS;
  const identity__machine *machine = &actor(after)->machine;
  return verdict(machine->blocked != IDENTITY_OK ||
                 (explore_compare(&machine->record, &after->store.now.record) == 0 &&
                  machine->record.standing == after->store.now.record.standing));
}

static bool would_take_any(const explore_world *world) {
  const explore_service *service = &world->service;
  const explore_copy *stored = &world->store.now;
  int32_t held = explore_number(actor(world)->machine.record.grant.refresh_token);
  if (explore_is_readable(&world->store) && explore_is_signed_in(&stored->record) &&
      explore_would_take(service, explore_number(stored->record.grant.refresh_token)))
    return true;
  if (explore_would_take(service, held) || explore_would_take(service, actor(world)->received))
    return true;
  for (int32_t i = 0; i < REQUESTS; i++)
    if (world->requests[i].state == REQUEST_ANSWERED && world->requests[i].listener == EVENT.handle &&
        explore_would_take(service, world->requests[i].pair))
      return true;
  return false;
}

static int32_t not_spurious(const explore_world *before, const explore_world *after) {
  if (own_refusal(before, after) != ANSWER_DEFINITE)
    return VACUOUS;
  return verdict(!would_take_any(before));
}

/* What the service knows of the token whose refusal ends the session. */
static int32_t state_of_refused(const explore_world *before) {
  return before->service.state[explore_number(actor(before)->machine.record.grant.refresh_token)];
}

static int32_t loss_has_cause(const explore_world *before, const explore_world *after) {
  if (own_refusal(before, after) != ANSWER_DEFINITE)
    return VACUOUS;
  return verdict(state_of_refused(before) == TOKEN_REVOKED || after->excused);
}

static int32_t grace_helps(const explore_world *before, const explore_world *after) {
  if (own_refusal(before, after) != ANSWER_DEFINITE || explore_rules_now.grace == GRACE_NONE ||
      after->store_lost)
    return VACUOUS;
  return verdict(state_of_refused(before) == TOKEN_REVOKED);
}

static int32_t loss_is_named(const explore_world *before, const explore_world *after) {
  if (own_refusal(before, after) != ANSWER_DEFINITE || after->store_lost)
    return VACUOUS;
  return verdict(state_of_refused(before) == TOKEN_REVOKED ||
                 actor(after)->machine.record.reason == IDENTITY_REASON_LOST_ROTATION);
}

/* ---- 401s ---- */

/* Tried on a copy after each step of a handle. */
static int32_t older_is_resent(const explore_world *before, const explore_world *after) {
  (void)before;
  if (!lives_on() || identity__machine_standing(&actor(after)->machine) != IDENTITY_OK)
    return VACUOUS;
  const identity__machine *machine = &actor(after)->machine;
  identity__machine tried;
  identity__ask wanted = identity__machine_ask(machine, after->now.boot_ms);
  memcpy(&tried, machine, sizeof tried);
  identity__ask told =
      explore_refused(&tried, machine->record.epoch, machine->record.generation - 1, true, after->now);
  return verdict(told.verdict == wanted.verdict && tried.dead == machine->dead &&
                 tried.record.caused_count == machine->record.caused_count);
}

/* The same for the second 401 of one token. */
static int32_t second_joins(const explore_world *before, const explore_world *after) {
  (void)before;
  if (!lives_on() || !(actor(after)->machine.dead || actor(after)->machine.flying) ||
      identity__machine_standing(&actor(after)->machine) != IDENTITY_OK)
    return VACUOUS;
  const identity__machine *machine = &actor(after)->machine;
  identity__machine tried;
  memcpy(&tried, machine, sizeof tried);
  (void)explore_refused(&tried, machine->record.epoch, machine->record.generation, true, after->now);
  return verdict(tried.record.caused_count == machine->record.caused_count);
}

static int32_t budget_holds(const explore_world *before, const explore_world *after) {
  int32_t recent = 0;
  if (!EVENT.released || before->caused == after->caused)
    return VACUOUS;
  for (int32_t i = 0; i < after->caused; i++)
    recent += after->now.boot_ms - after->caused_ms[i] < IDENTITY__HOUR_MS;
  return verdict(recent <= 4);
}

static int32_t young_is_kept(const explore_world *before, const explore_world *after) {
  if (!EVENT.caused || EVENT.expired)
    return VACUOUS;
  const identity__grant *grant = &actor(before)->machine.record.grant;
  return verdict(grant->age != IDENTITY__AGE_KNOWN ||
                 after->now.boot_ms - grant->sent_boot_ms >= IDENTITY__MINUTE_MS);
}

/* ---- Memory, callers, the model itself ---- */

static int32_t memory_rises(const explore_world *before, const explore_world *after) {
  if (!lives_on())
    return VACUOUS;
  const identity__record *old = &actor(before)->machine.record;
  const identity__record *new = &actor(after)->machine.record;
  if (memcmp(old, new, sizeof *old) == 0)
    return VACUOUS;
  bool revived = !explore_is_signed_in(old) && explore_is_signed_in(new) && explore_compare(new, old) == 0;
  return verdict(explore_compare(new, old) >= 0 && !revived);
}

/* Whoever asks while a flight flies. */
static int32_t asking_joins(const explore_world *before, const explore_world *after) {
  (void)before;
  if (!lives_on() || !actor(after)->machine.flying)
    return VACUOUS;
  const identity__machine *machine = &actor(after)->machine;
  if (identity__machine_standing(machine) != IDENTITY_OK || machine->record.grant.refresh_token == NULL)
    return VACUOUS;
  return verdict(identity__machine_ask(machine, after->now.boot_ms).verdict != IDENTITY__ASK_FAIL &&
                 identity__machine_ask_rotation(machine, after->now.boot_ms).verdict ==
                     IDENTITY__ASK_REFRESH);
}

static int32_t goes_on(const explore_world *before, const explore_world *after) {
  (void)before;
  if (!lives_on())
    return VACUOUS;
  bool flies = actor(after)->next != IDENTITY__DO_NONE;
  return verdict(EVENT.stuck == NULL && flies == actor(after)->machine.flying);
}

const explore_invariant explore_session_invariants[] = {
    {"I1", "at most one request with one refresh token is on its way", one_in_flight},
    {"NEWEST", "no older token is sent while a newer one is held", newest_is_sent},
    {"I3", "a new pair that came is committed, or newer ones are", pair_is_kept},
    {"I3b", "a pair that only memory holds stays there until the store takes it", memory_is_kept},
    {"I3c", "a pair that the store does not hold is known as not persisted", is_durable},
    {"I4", "a session ends only for a cause", ends_for_cause},
    {"I4b", "and in the store as well", stored_for_cause},
    {"I4c", "unreadable is not empty: a handle opens as what is stored", opens_as_stored},
    {"SPURIOUS", "no session ends while the service takes a token that is stored, held or received",
     not_spurious},
    {"LOST", "a rotation is lost only where an answer or its owner was", loss_has_cause},
    {"GRACE", "with a grace period no rotation is lost", grace_helps},
    {"NAME", "a lost rotation is called one", loss_is_named},
    {"I7", "a 401 for an older token starts no refresh and marks nothing", older_is_resent},
    {"I7b", "a second 401 for one token joins the refresh of the first", second_joins},
    {"I9", "at most four refreshes an hour are caused by 401s", budget_holds},
    {"I9b", "no young token is replaced because of a 401", young_is_kept},
    {"MEMORY", "epoch and generation in memory only rise, and an end stays an end", memory_rises},
    {"I11", "who asks while a flight flies joins it", asking_joins},
    {"GOES ON", "a flight always has a next step", goes_on},
};
const int32_t explore_session_invariant_count =
    sizeof explore_session_invariants / sizeof explore_session_invariants[0];
