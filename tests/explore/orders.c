/* What a user orders of a handle, and how a handle's store operations go: one at a time, each told to the
 * pure change or flight that asked for it. */
#include "explore/bugs.h"
#include "explore/texts.h"
#include "explore/world.h"

#include <string.h>

static explore_handle *at(explore_world *world, int32_t handle) {
  return &world->handles[handle];
}

/* ---- Orders of the user ---- */

static bool make_sign_out(const identity__machine *machine, const void *input, identity__record *next) {
  const explore_order *order = input;
  return identity__machine_sign_out(machine, order->reason, next);
}

static bool make_sign_in(const identity__machine *machine, const void *input, identity__record *next) {
  const explore_order *order = input;
  identity__grant grant = {.jwt = explore_jwt(order->token),
                           .refresh_token = explore_refresh_token(order->token),
                           .customer_id = explore_customer(order->customer),
                           .publisher_id = explore_word("house"),
                           .life_ms = LIFE_MS,
                           .sent_boot_ms = order->given_ms,
                           .age = IDENTITY__AGE_KNOWN};
  return identity__machine_sign_in(machine, &grant, NULL, 0, next);
}

static bool make_pending(const identity__machine *machine, const void *input, identity__record *next) {
  const explore_order *order = input;
  identity_consent_answer consent = {explore_word("terms"), explore_word("v1"), 1, 0};
  return identity__machine_set_pending(machine, &consent, order->kind == USER_SET_PENDING ? 1 : 0, next);
}

static bool make_same(const identity__machine *machine, const void *input, identity__record *next) {
  (void)input;
  return identity__machine_same(machine, next);
}

static const struct {
  identity__maker make;
  int32_t over;
  bool both_copies;
} orders[] = {
    [USER_SIGN_OUT] = {make_sign_out, IDENTITY__OVER_ALL, true},
    [USER_SIGN_IN] = {make_sign_in, IDENTITY__OVER_ALL, true},
    [USER_SET_PENDING] = {make_pending, IDENTITY__OVER_EPOCH, false},
    [USER_CLEAR_PENDING] = {make_pending, IDENTITY__OVER_EPOCH, false},
    [USER_RETRY] = {make_same, IDENTITY__OVER_PAIR, true},
};

static void order_on(explore_world *world, int32_t handle, int32_t next) {
  explore_order *order = &at(world, handle)->order;
  order->next = next;
  if (next != IDENTITY__DO_NONE)
    return;
  bool consents = order->kind == USER_SET_PENDING || order->kind == USER_CLEAR_PENDING;
  at(world, handle)->consents_due =
      at(world, handle)->machine.not_persisted && (at(world, handle)->consents_due || consents);
  explore_event_now.ordered = order->kind;
  explore_event_now.status = order->change.status;
  explore_event_now.overtaken = order->change.overtaken;
  order->change = (identity__change){0};
  explore_close_on(world, handle);
}

void explore_begin_order(explore_world *world, int32_t handle, int32_t kind, int32_t token) {
  explore_handle *us = at(world, handle);
  /* Who signed in or out without having read the store meant whoever the store then names. */
  bool all = kind == USER_RETRY && us->machine.unread;
  us->order = (explore_order){.kind = kind, .token = token, .given_ms = world->now.boot_ms};
  us->order.reason = IDENTITY_REASON_LOGOUT;
  if (kind == USER_SIGN_IN)
    us->order.customer = world->service.customer[token];
  bool out = explore_has_bug(BUG_RETRY_SIGNS_OUT) && kind == USER_RETRY;
  us->order.change = (identity__change){.make = out ? make_sign_out : orders[kind].make,
                                        .input = &us->order,
                                        .over = all ? IDENTITY__OVER_ALL : orders[kind].over,
                                        .both_copies = orders[kind].both_copies,
                                        .in_memory_too = true,
                                        .answers = kind == USER_SET_PENDING || kind == USER_CLEAR_PENDING};
  order_on(world, handle, identity__change_begin(&us->order.change, &us->machine, world->now));
}

/* ---- Store operations ---- */

/* What a broken driver makes of what it has read. */
static void misread(explore_handle *us, bool flies, identity__look *look) {
  bool last_look = us->rereads;
  us->rereads = false;
  if (explore_has_bug(BUG_NO_REREAD) && flies && last_look && look->said == IDENTITY__SAID_OK) {
    look->revision = us->machine.revision;
    (void)identity__record_copy(&look->record, &us->machine.record);
  }
  if (explore_has_bug(BUG_PAIR_UNWANTED) && us->machine.not_persisted && look->said == IDENTITY__SAID_OK)
    (void)identity__record_copy(&us->machine.record, &look->record);
  bool blind =
      (explore_has_bug(BUG_LEASE_IGNORED) && flies) || (explore_has_bug(BUG_LEASE_DROPPED) && !flies);
  if (blind)
    memset(&look->record.lease, 0, sizeof look->record.lease);
  if (explore_has_bug(BUG_OWNER_DEAD))
    look->owner_gone = true;
  if (explore_has_bug(BUG_PENDING_DROPPED)) {
    look->record.pending_count = 0;
    look->record.pending = NULL;
  }
  if (explore_has_bug(BUG_MARK_FORGOTTEN)) {
    look->record.ambiguous = 0;
    us->machine.record.ambiguous = 0;
  }
}

static void load(explore_world *world, int32_t handle, bool flies, int32_t variant) {
  explore_handle *us = at(world, handle);
  identity__moment moment = explore_moment(world);
  identity__look look;
  explore_load(world, handle, variant, &look);
  misread(us, flies, &look);
  explore_starve(variant == LOAD_STARVED);
  int32_t next = flies ? identity__flight_loaded(&us->flight, &us->machine, &look, &moment)
                       : identity__change_loaded(&us->order.change, &us->machine, &look, moment.now);
  explore_starve(false);
  if (flies)
    explore_fly(world, handle, next);
  else
    order_on(world, handle, next);
}

static bool is_leasing(const explore_handle *us) {
  return us->flight.verdict < 0;
}

/* What the store says to a swap, as a broken driver hears it. */
static int32_t hear_swap(explore_world *world, int32_t handle, bool flies, int32_t variant,
                         uint64_t *revision) {
  explore_handle *us = at(world, handle);
  const identity__change *change = flies ? &us->flight.change : &us->order.change;
  if (explore_has_bug(BUG_NO_LEASE) && flies && is_leasing(us))
    return IDENTITY__SAID_OK;
  int32_t said = explore_swap(world, handle, variant, &change->next, change->both_copies, revision);
  if (explore_has_bug(BUG_CONFLICT_FAILS) && said == IDENTITY__SAID_CONFLICT)
    return IDENTITY__SAID_FAILED;
  bool writes_over = explore_has_bug(BUG_CONFLICT_OVERWRITTEN) ||
                     (explore_has_bug(BUG_NO_REREAD) && us->refusal == ANSWER_DEFINITE);
  if (writes_over && said == IDENTITY__SAID_CONFLICT && flies && !is_leasing(us)) {
    us->machine.revision = world->store.now.revision;
    said = explore_swap(world, handle, variant, &change->next, change->both_copies, revision);
  }
  if (explore_has_bug(BUG_PAIR_DROPPED) && said == IDENTITY__SAID_FAILED && flies && !is_leasing(us))
    us->flight.change.in_memory_too = false;
  return said;
}

static void swap(explore_world *world, int32_t handle, bool flies, int32_t variant) {
  explore_handle *us = at(world, handle);
  identity__moment moment = explore_moment(world);
  uint64_t revision = us->machine.revision;
  int32_t said = hear_swap(world, handle, flies, variant, &revision);
  if (flies)
    explore_fly(world, handle, identity__flight_swapped(&us->flight, &us->machine, said, revision, &moment));
  else
    order_on(world, handle, identity__change_swapped(&us->order.change, &us->machine, said, revision));
  if (explore_has_bug(BUG_PAIR_FORGOTTEN))
    us->machine.not_persisted = false;
}

void explore_store_step(explore_world *world, int32_t handle, int32_t variant) {
  explore_handle *us = at(world, handle);
  bool flies = us->order.next == IDENTITY__DO_NONE;
  us->order.faulty = us->order.faulty || variant != 0;
  if (variant != 0)
    world->excused = world->excused || us->received != 0;
  if ((flies ? us->next : us->order.next) == IDENTITY__DO_LOAD)
    load(world, handle, flies, variant);
  else
    swap(world, handle, flies, variant);
}
