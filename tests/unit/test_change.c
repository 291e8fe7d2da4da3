/* One change of the stored record: whom it wins over, what the store says to it, want of memory. */
#include "support/allocations.h"
#include "support/machines.h"

#include "token/change.h"

enum { LOAD = IDENTITY__DO_LOAD, SWAP = IDENTITY__DO_SWAP, NONE = IDENTITY__DO_NONE };
enum { ALL = IDENTITY__OVER_ALL, PAIR = IDENTITY__OVER_PAIR, EPOCH = IDENTITY__OVER_EPOCH };

static identity__change change;

/* ---- what is changed ---- */

static bool make_sign_in(const identity__machine *from, const void *input, identity__record *made) {
  return identity__machine_sign_in(from, input, NULL, 0, made);
}

static bool make_sign_out(const identity__machine *from, const void *input, identity__record *made) {
  const int32_t *reason = input;
  return identity__machine_sign_out(from, *reason, made);
}

static bool make_rotation(const identity__machine *from, const void *input, identity__record *made) {
  return identity__machine_rotate(from, input, made);
}

static char new_jwt[] = "n.e.w", new_refresh[] = "new";
static const identity__grant new_grant = {.jwt = new_jwt,
                                          .refresh_token = new_refresh,
                                          .life_ms = LIFE,
                                          .sent_boot_ms = 1000 * SECOND,
                                          .age = IDENTITY__AGE_KNOWN};
static const int32_t logout = IDENTITY_REASON_LOGOUT;

static int32_t begin_with(identity__maker make, const void *input, int32_t over, bool in_memory_too) {
  change = (identity__change){.make = make, .input = input, .over = over, .in_memory_too = in_memory_too};
  return identity__change_begin(&change, &machine, after(clock_ms));
}

static int32_t swap(int32_t said) {
  uint64_t revision = machine.revision;
  said = swap_into_slot(&change.next, machine.revision, said, &revision);
  return identity__change_swapped(&change, &machine, said, revision);
}

static int32_t load(int32_t said) {
  identity__look look = look_at_slot(said);
  int32_t wants = identity__change_loaded(&change, &machine, &look, after(clock_ms));
  assert_null(look.record.grant.jwt);
  return wants;
}

static const char *held(void) {
  return machine.record.grant.refresh_token;
}

static const char *stored(void) {
  return slot.record.grant.refresh_token;
}

/* ---- the way it goes ---- */

static void a_change_is_stored_and_then_holds(void **state) {
  (void)state;
  clock_ms = MINUTE;
  assert_int_equal(begin_with(make_rotation, &new_grant, PAIR, false), SWAP);
  assert_string_equal(held(), "refresh"); /* durable first */
  assert_int_equal(swap(IDENTITY__SAID_OK), NONE);
  assert_int_equal(change.status, IDENTITY_OK);
  assert_false(change.overtaken);
  assert_string_equal(held(), "new");
  assert_string_equal(stored(), "new");
  assert_int_equal(machine.revision, slot.revision);
  assert_false(machine.not_persisted);
  assert_string_equal(slot.record.boot_id, BOOT); /* stamped as it was made */
  assert_int_equal(slot.record.written_boot_ms, start.boot_ms + MINUTE);
  assert_int_equal(slot.record.written_wall_ms, start.wall_ms + MINUTE);
  assert_null(change.next.grant.jwt);
}

/* ---- CONFLICT, and what is there then ---- */

static void nothing(void) {
  slot.revision++; /* a revision that moved does not matter */
}

static void older_pair(void) {
  slot.revision++;
  slot.record.generation--;
}

static const struct {
  const char *name;
  void (*meanwhile)(void);
  bool all;     /* made again where it wins over everything */
  bool pair;    /* over the pair it began with */
  bool revives; /* the same, but a late good pair */
  bool epoch;   /* over the epoch it began with */
} conflicts[] = {
    {"only the revision moved", nothing, true, true, true, true},
    {"an older pair came back", older_pair, true, true, true, true},
    {"it is gone", slot_vanishes, true, true, true, true},
    {"notes about the same pair", other_notes, true, true, true, true},
    {"a lease", other_leases, true, true, true, true},
    {"a cooldown", other_cools_down, true, true, true, true},
    {"a newer pair", other_rotates, true, false, false, true},
    {"somebody signed in", other_signs_in, true, false, false, false},
    {"signed out", other_signs_out, true, false, false, false},
    {"declared lost", other_loses, true, false, true, true},
    {"refused", other_is_refused, true, false, true, true},
    {"ended for a new password", other_has_a_new_password, true, false, false, true},
};

static void check_conflict(void **state, size_t row, int32_t over, bool revives, bool again) {
  const char *name = conflicts[row].name;
  (void)end_slot(state);
  assert_int_equal(begin_slot(state), 0);
  CHECK_INT(name, begin_with(make_rotation, &new_grant, over, false), SWAP);
  change.revives = revives;
  conflicts[row].meanwhile();
  bool gone = slot.revision == 0;
  CHECK_INT(name, swap(IDENTITY__SAID_OK), LOAD);
  CHECK_TEXT(name, held(), "refresh"); /* no verdict */
  CHECK_INT(name, machine.counters.conflicts, 1);
  CHECK_INT(name, load(IDENTITY__SAID_OK), again ? SWAP : NONE);
  CHECK_INT(name, change.overtaken, !again);
  CHECK_INT(name, machine.revision, slot.revision);
  if (!again) {
    CHECK_INT(name, change.status, IDENTITY_OK);
    CHECK_TEXT(name, held(), stored());
    return;
  }
  CHECK_INT(name, change.next.generation, machine.record.generation + 1); /* from what is there now */
  CHECK_INT(name, change.next.pending_count, gone ? 0 : slot.record.pending_count);
  CHECK_INT(name, swap(IDENTITY__SAID_OK), NONE);
  CHECK_TEXT(name, held(), "new");
  CHECK_TEXT(name, stored(), "new");
}

static void a_change_is_made_again_over_what_it_may_replace(void **state) {
  for (size_t i = 0; i < COUNT(conflicts); i++) {
    check_conflict(state, i, ALL, false, conflicts[i].all);
    check_conflict(state, i, PAIR, false, conflicts[i].pair);
    check_conflict(state, i, PAIR, true, conflicts[i].revives);
    check_conflict(state, i, EPOCH, false, conflicts[i].epoch);
    check_conflict(state, i, EPOCH, true, conflicts[i].epoch);
  }
}

static void a_sign_out_rises_above_whoever_signed_in_meanwhile(void **state) {
  (void)state;
  assert_int_equal(begin_with(make_sign_out, &logout, ALL, true), SWAP);
  for (int i = 0; i < 3; i++) { /* it repeats until it wins */
    other_signs_in();
    assert_int_equal(swap(IDENTITY__SAID_OK), LOAD);
    assert_int_equal(load(IDENTITY__SAID_OK), SWAP);
    assert_int_equal(change.next.epoch, slot.record.epoch + 1);
  }
  assert_int_equal(swap(IDENTITY__SAID_OK), NONE);
  assert_int_equal(slot.record.standing, IDENTITY__RECORD_SIGNED_OUT);
  assert_int_equal(slot.record.reason, IDENTITY_REASON_LOGOUT);
  assert_null(stored());
  assert_null(held());
}

static void a_change_may_begin_over_an_end(void **state) {
  (void)state;
  other_is_refused();
  other_hears();
  identity__look look = look_at_slot(IDENTITY__SAID_OK);
  assert_int_equal(identity__machine_hear(&machine, &look, start), IDENTITY_OK);
  assert_int_equal(begin_with(make_sign_in, &new_grant, PAIR, false), SWAP);
  other_cools_down(); /* still ended: what it began with */
  assert_int_equal(swap(IDENTITY__SAID_OK), LOAD);
  assert_int_equal(load(IDENTITY__SAID_OK), SWAP);
  assert_int_equal(swap(IDENTITY__SAID_OK), NONE);
  assert_string_equal(stored(), "new");
}

/* ---- what the store says ---- */

static const struct {
  const char *name;
  int32_t said;
  identity_status status;
  identity_status held; /* the status where it is held in memory instead */
} sayings[] = {
    {"LOCKED", IDENTITY__SAID_LOCKED, IDENTITY_STORE_LOCKED, IDENTITY_STORE_LOCKED},
    {"FAILED", IDENTITY__SAID_FAILED, IDENTITY_STORE_FAILED, IDENTITY_STORE_FAILED},
    {"NEWER", IDENTITY__SAID_NEWER, IDENTITY_STORE_NEWER, IDENTITY_STORE_NEWER},
    {"MEMORY", IDENTITY__SAID_MEMORY, IDENTITY_OUT_OF_MEMORY, IDENTITY_STORE_FAILED},
    {"LOST", IDENTITY__SAID_LOST, IDENTITY_STORE_FAILED, IDENTITY_STORE_FAILED},
    {"ABSENT", IDENTITY__SAID_ABSENT, IDENTITY_STORE_FAILED, IDENTITY_STORE_FAILED},
    {"what nobody knows", 99, IDENTITY_STORE_FAILED, IDENTITY_STORE_FAILED},
};

/* Nothing else than OK means that it is stored. */
static void check_saying(void **state, size_t row, bool in_memory_too, bool conflict) {
  const char *name = sayings[row].name;
  identity_status wanted = in_memory_too ? sayings[row].held : sayings[row].status;
  (void)end_slot(state);
  assert_int_equal(begin_slot(state), 0);
  uint64_t revision = machine.revision;
  CHECK_INT(name, begin_with(make_rotation, &new_grant, PAIR, in_memory_too), SWAP);
  if (conflict) {
    nothing();
    CHECK_INT(name, swap(IDENTITY__SAID_OK), LOAD);
  }
  CHECK_INT(name, conflict ? load(sayings[row].said) : swap(sayings[row].said), NONE);
  CHECK_TEXT(name, identity_status_name(change.status), identity_status_name(wanted));
  CHECK_TEXT(name, held(), in_memory_too ? "new" : "refresh");
  CHECK_TEXT(name, stored(), "refresh");
  CHECK_INT(name, machine.not_persisted, in_memory_too);
  CHECK_INT(name, machine.revision, revision);
  CHECK(name, change.next.grant.jwt == NULL);
  CHECK_INT(name, identity__machine_ask(&machine, start.boot_ms).verdict, IDENTITY__ASK_GIVE);
}

static void what_is_not_stored_is_held_in_memory_or_not_at_all(void **state) {
  for (size_t i = 0; i < COUNT(sayings); i++)
    for (int in_memory_too = 0; in_memory_too < 2; in_memory_too++)
      check_saying(state, i, in_memory_too, false);
}

static void a_store_that_cannot_be_read_after_a_conflict_is_no_verdict(void **state) {
  for (size_t i = 0; i < 4; i++) /* what a load may say and still holds something */
    for (int in_memory_too = 0; in_memory_too < 2; in_memory_too++)
      check_saying(state, i, in_memory_too, true);
}

/* What a load calls lost or absent may be written over. */
static void what_is_lost_after_a_conflict_is_replaced(void **state) {
  static const int32_t said[] = {IDENTITY__SAID_LOST, IDENTITY__SAID_ABSENT};
  for (size_t i = 0; i < COUNT(said); i++) {
    (void)end_slot(state);
    assert_int_equal(begin_slot(state), 0);
    assert_int_equal(begin_with(make_rotation, &new_grant, PAIR, false), SWAP);
    nothing();
    assert_int_equal(swap(IDENTITY__SAID_OK), LOAD);
    if (said[i] == IDENTITY__SAID_ABSENT)
      slot_vanishes();
    assert_int_equal(load(said[i]), SWAP);
    assert_int_equal(swap(IDENTITY__SAID_OK), NONE);
    assert_string_equal(stored(), "new");
    assert_string_equal(held(), "new");
  }
}

/* Signed out, and the store did not take it: whatever it turns out to hold, that is gone over. */
static void a_sign_out_that_the_store_did_not_take_goes_over_what_it_holds(void **state) {
  for (int blocked = 0; blocked < 2; blocked++) {
    (void)end_slot(state);
    assert_int_equal(begin_slot(state), 0);
    machine.blocked = blocked ? IDENTITY_STORE_LOCKED : IDENTITY_OK;
    assert_int_equal(begin_with(make_sign_out, &logout, ALL, true), SWAP);
    assert_int_equal(swap(IDENTITY__SAID_LOCKED), NONE);
    assert_int_equal(change.status, IDENTITY_STORE_LOCKED);
    assert_true(machine.not_persisted);
    assert_true(machine.unread);
    assert_int_equal(machine.blocked, IDENTITY_OK); /* it is known now */
    assert_null(held());
  }
}

static bool make_same(const identity__machine *from, const void *input, identity__record *made) {
  (void)input;
  return identity__machine_same(from, made);
}

/* And when it can be read again, whoever it names is signed out, or replaced. */
static void what_was_decided_unread_is_stored_over_whoever_is_there(void **state) {
  for (int in = 0; in < 2; in++) {
    (void)end_slot(state);
    assert_int_equal(begin_slot(state), 0);
    identity__machine_clear(&machine);
    init_machine(&machine, &self);
    other_signs_in();
    other_rotates();
    assert_int_equal(hear_said(IDENTITY__SAID_LOCKED, 0), IDENTITY_STORE_LOCKED);
    assert_int_equal(in ? begin_with(make_sign_in, &new_grant, ALL, true)
                        : begin_with(make_sign_out, &logout, ALL, true),
                     SWAP);
    assert_int_equal(swap(IDENTITY__SAID_LOCKED), NONE);
    assert_int_equal(begin_with(make_same, NULL, ALL, true), SWAP);
    assert_int_equal(swap(IDENTITY__SAID_OK), LOAD);
    assert_int_equal(load(IDENTITY__SAID_OK), SWAP);
    assert_int_equal(swap(IDENTITY__SAID_OK), NONE);
    assert_true(slot.record.epoch > other.record.epoch);
    assert_true(slot.record.generation >= other.record.generation);
    CHECK_TEXT("stored", stored(), in ? "new" : NULL);
    CHECK_TEXT("held", held(), in ? "new" : NULL);
    assert_false(machine.not_persisted);
    assert_false(machine.unread);
    other_hears(); /* and others follow */
    CHECK_TEXT("theirs", other.record.grant.refresh_token, in ? "new" : NULL);
  }
}

static void what_was_held_is_stored_later(void **state) {
  (void)state;
  assert_int_equal(begin_with(make_rotation, &new_grant, PAIR, true), SWAP);
  assert_int_equal(swap(IDENTITY__SAID_FAILED), NONE);
  assert_true(machine.not_persisted);
  other_notes(); /* an older pair by now */
  assert_int_equal(begin_with(make_sign_out, &logout, ALL, true), SWAP);
  assert_int_equal(swap(IDENTITY__SAID_OK), LOAD);
  assert_int_equal(load(IDENTITY__SAID_OK), SWAP);
  assert_int_equal(swap(IDENTITY__SAID_OK), NONE);
  assert_int_equal(change.status, IDENTITY_OK);
  assert_false(machine.not_persisted);
  assert_int_equal(slot.record.standing, IDENTITY__RECORD_SIGNED_OUT);
}

/* Consents that are held only in memory are newer than what the store says about them. */
static void answers_that_are_held_are_marked_until_they_are_stored(void **state) {
  (void)state;
  for (int answers = 0; answers < 2; answers++) {
    assert_int_equal(begin_with(make_same, NULL, EPOCH, true), SWAP);
    assert_false(change.both_copies);
    change.answers = answers;
    assert_int_equal(swap(IDENTITY__SAID_FAILED), NONE);
    assert_int_equal(machine.answers_unsaved, answers);
    assert_int_equal(begin_with(make_same, NULL, EPOCH, true), SWAP);
    assert_true(change.both_copies); /* the earlier copy may be of another epoch */
    assert_int_equal(swap(IDENTITY__SAID_OK), NONE);
    assert_false(machine.answers_unsaved);
  }
}

/* ---- memory ---- */

static void check_starved(const char *name) {
  CHECK_INT(name, change.status, IDENTITY_OUT_OF_MEMORY);
  CHECK_TEXT(name, held(), "refresh");
  CHECK(name, change.next.grant.jwt == NULL && change.next.epoch == 0);
}

static void without_memory_nothing_changes(void **state) {
  int allowed = 0;
  for (int32_t wants = NONE; wants == NONE; allowed++) {
    (void)end_slot(state);
    assert_int_equal(begin_slot(state), 0);
    allocations_left = allowed;
    wants = begin_with(make_rotation, &new_grant, PAIR, true);
    allocations_left = -1;
    if (wants == NONE)
      check_starved("begun");
  }
  assert_int_equal(allowed, 6); /* two texts of the grant, three that it does not say */
  assert_int_equal(swap(IDENTITY__SAID_OK), NONE);
}

/* Not even where it is held in memory otherwise: who makes it tries again. */
static void without_memory_after_a_conflict_nothing_changes(void **state) {
  int allowed = 0;
  for (int32_t wants = NONE; wants == NONE; allowed++) {
    (void)end_slot(state);
    assert_int_equal(begin_slot(state), 0);
    assert_int_equal(begin_with(make_rotation, &new_grant, PAIR, true), SWAP);
    nothing();
    assert_int_equal(swap(IDENTITY__SAID_OK), LOAD);
    identity__look look = look_at_slot(IDENTITY__SAID_OK);
    allocations_left = allowed;
    wants = identity__change_loaded(&change, &machine, &look, start);
    allocations_left = -1;
    if (wants == NONE)
      check_starved("after a conflict");
  }
  assert_int_equal(allowed, 6);
  assert_int_equal(swap(IDENTITY__SAID_OK), NONE);
  assert_string_equal(stored(), "new");
}

static const struct CMUnitTest tests[] = {
    SLOT_TEST(a_change_is_stored_and_then_holds),
    SLOT_TEST(a_change_is_made_again_over_what_it_may_replace),
    SLOT_TEST(a_sign_out_rises_above_whoever_signed_in_meanwhile),
    SLOT_TEST(a_change_may_begin_over_an_end),
    SLOT_TEST(what_is_not_stored_is_held_in_memory_or_not_at_all),
    SLOT_TEST(a_store_that_cannot_be_read_after_a_conflict_is_no_verdict),
    SLOT_TEST(what_is_lost_after_a_conflict_is_replaced),
    SLOT_TEST(a_sign_out_that_the_store_did_not_take_goes_over_what_it_holds),
    SLOT_TEST(what_was_decided_unread_is_stored_over_whoever_is_there),
    SLOT_TEST(what_was_held_is_stored_later),
    SLOT_TEST(answers_that_are_held_are_marked_until_they_are_stored),
    SLOT_TEST(without_memory_nothing_changes),
    SLOT_TEST(without_memory_after_a_conflict_nothing_changes),
};

SUITE("change", tests)
