/* What must hold of the stored record. */
#include "explore/invariants.h"
#include "explore/texts.h"
#include "token/verdict.h"

#include <string.h>

#define EVENT explore_event_now

/* A swap that was carried out over a record that could be read. */
static bool was_swapped(const explore_world *before) {
  return EVENT.store == STORE_SWAPPED && explore_is_readable(&before->store);
}

static const explore_handle *actor(const explore_world *world) {
  return &world->handles[EVENT.handle];
}

static int32_t verdict(bool holds) {
  return holds ? HOLDS : BROKEN;
}

/* ---- What only rises ---- */

static int32_t rises(const explore_world *before, const explore_world *after) {
  const identity__record *old = &before->store.now.record;
  const identity__record *new = &after->store.now.record;
  if (!was_swapped(before) || before->store_lost)
    return VACUOUS;
  return verdict(explore_compare(new, old) >= 0 && new->generation >= old->generation);
}

/* Of one pair: the same tokens, and an end is an end. */
static int32_t pair_is_one(const explore_world *before, const explore_world *after) {
  const identity__record *old = &before->store.now.record;
  const identity__record *new = &after->store.now.record;
  if (!was_swapped(before) || before->store_lost || explore_compare(new, old) != 0)
    return VACUOUS;
  if (!explore_is_signed_in(old))
    return verdict(new->standing == old->standing && !explore_has_secrets(new));
  return verdict(!explore_is_signed_in(new) || new->grant.refresh_token == old->grant.refresh_token);
}

/* ---- Replies, sign-ins, sign-outs ---- */

static int32_t reply_fits(const explore_world *before, const explore_world *after) {
  if (EVENT.handle == NOBODY || EVENT.died || !explore_was_flight(before) ||
      actor(before)->flight.verdict != IDENTITY__VERDICT_COMMITTED ||
      actor(before)->next != IDENTITY__DO_SWAP)
    return VACUOUS;
  const identity__flight *flight = &actor(before)->flight;
  const identity__record started = {.epoch = flight->epoch, .generation = flight->generation};
  const identity__record *made = &actor(after)->machine.record;
  bool held = explore_compare(&actor(before)->machine.record, &started) == 0;
  if (made->generation == started.generation + 1 && made->epoch == started.epoch && !held)
    return BROKEN;
  if (!was_swapped(before))
    return VACUOUS;
  int over = explore_compare(&before->store.now.record, &started);
  return verdict(held && (over == 0 || (over < 0 && before->store_lost)) &&
                 after->store.now.record.generation == started.generation + 1);
}

static int32_t user_wins(const explore_world *before, const explore_world *after) {
  if ((EVENT.ordered != USER_SIGN_IN && EVENT.ordered != USER_SIGN_OUT) || EVENT.died)
    return VACUOUS;
  bool faulty = actor(before)->order.faulty || actor(after)->order.faulty;
  if (EVENT.status != IDENTITY_OK)
    return faulty ? VACUOUS : BROKEN;
  const identity__record *record = &actor(after)->machine.record;
  bool stored = explore_compare(record, &after->store.now.record) == 0;
  bool newer = !explore_is_readable(&before->store) || record->epoch > before->store.now.record.epoch;
  int32_t wanted = EVENT.ordered == USER_SIGN_IN ? IDENTITY__RECORD_SIGNED_IN : IDENTITY__RECORD_SIGNED_OUT;
  return verdict(!EVENT.overtaken && stored && newer && record->standing == wanted);
}

/* I8: where a sign-out was confirmed, no secret of that epoch is left, in the copy before neither. */
static int32_t signed_out(const explore_world *before, const explore_world *after) {
  (void)before;
  bool out = EVENT.ordered == USER_SIGN_OUT || EVENT.ordered == USER_RETRY;
  if (!out || EVENT.status != IDENTITY_OK || EVENT.died ||
      actor(after)->machine.record.standing != IDENTITY__RECORD_SIGNED_OUT || EVENT.overtaken)
    return VACUOUS;
  const explore_handle *us = actor(after);
  const explore_store *store = &after->store;
  bool kept = explore_has_secrets(&us->machine.record) || explore_has_secrets(&us->flight.change.next) ||
              explore_has_secrets(&store->now.record) || explore_has_secrets(&store->before.record);
  return verdict(!kept && !us->machine.not_persisted);
}

static int32_t no_way_back(const explore_world *before, const explore_world *after) {
  const explore_store *store = &after->store;
  if (!was_swapped(before) || after->store_lost || before->store.now.record.epoch == store->now.record.epoch)
    return VACUOUS;
  return verdict(store->before.record.epoch == store->now.record.epoch ||
                 !explore_has_secrets(&store->before.record));
}

/* ---- Notes beside the pair ---- */

static int32_t consents_stay(const explore_world *before, const explore_world *after) {
  const identity__record *old = &before->store.now.record;
  const identity__record *new = &after->store.now.record;
  if (!was_swapped(before) || before->store_lost || old->epoch != new->epoch)
    return VACUOUS;
  int32_t kind = actor(before)->order.kind;
  bool changes = actor(before)->consents_due || (actor(before)->order.next != IDENTITY__DO_NONE &&
                                                 (kind == USER_SET_PENDING || kind == USER_CLEAR_PENDING));
  if (changes || (old->pending_count == 0 && new->pending_count == 0))
    return VACUOUS;
  return verdict(old->pending_count == new->pending_count);
}

static int32_t lease_stays(const explore_world *before, const explore_world *after) {
  const identity__record *old = &before->store.now.record;
  const identity__record *new = &after->store.now.record;
  if (!was_swapped(before) || !explore_is_signed_in(old) || old->lease.fingerprint[0] == '\0' ||
      old->grant.refresh_token == NULL || identity__lease_is_ours(&old->lease, &actor(before)->machine.self))
    return VACUOUS;
  bool gone = explore_owner_is_gone(before, &old->lease);
  if (!explore_is_of_this_boot(before, old))
    return VACUOUS;
  int64_t left = identity__lease_left_ms(&old->lease, old->grant.refresh_token, gone, before->now.boot_ms);
  if (left == 0 || explore_compare(new, old) != 0 || !explore_is_signed_in(new))
    return VACUOUS;
  return verdict(strcmp(new->lease.owner, old->lease.owner) == 0 &&
                 new->lease.begun_boot_ms == old->lease.begun_boot_ms);
}

static int32_t whose_pair(const explore_world *before, const explore_world *after) {
  const identity__record *record = &after->store.now.record;
  (void)before;
  if (EVENT.store != STORE_SWAPPED || !explore_is_signed_in(record) || record->grant.refresh_token == NULL)
    return VACUOUS;
  int32_t token = explore_number(record->grant.refresh_token);
  return verdict(after->service.customer[token] == explore_number(record->grant.customer_id));
}

const explore_invariant explore_store_invariants[] = {
    {"RISE", "epoch and generation in the store only rise", rises},
    {"PAIR", "one epoch and generation is one pair, and its end stays its end", pair_is_one},
    {"I2", "a reply is committed only over the epoch and generation that it started from", reply_fits},
    {"I2b", "sign-in and sign-out win, over every conflict", user_wins},
    {"I8", "after a confirmed sign-out no secret of it is in memory or store", signed_out},
    {"I8b", "no earlier copy crosses an epoch", no_way_back},
    {"NOTES", "pending consents outlive every other change of their epoch", consents_stay},
    {"LEASE", "the live lease of another handle outlives every other change of its pair", lease_stays},
    {"WHOSE", "a stored pair belongs to the customer whose record it is in", whose_pair},
};
const int32_t explore_store_invariant_count =
    sizeof explore_store_invariants / sizeof explore_store_invariants[0];
