/* What has happened to a session: the ring and its numbers, and what each change of the machine is told as.
 */
#include "support/allocations.h"
#include "support/machines.h"

#include "base/limits.h"
#include "base/names.h"
#include "token/events.h"

enum { NOW_MS = 12345, FIRST_ROOM = 8 };

static identity__events events;

static int begin_events(void **state) {
  (void)begin_machine(state);
  identity__events_begin(&events, &machine);
  return 0;
}

static int end_events(void **state) {
  allocations_left = -1;
  identity__events_clear(&events);
  return end_machine(state);
}

/* ---- the ring ---- */

static void add_some(int count) {
  for (int i = 0; i < count; i++)
    identity__events_add(&events, &(identity__event_note){.kind = IDENTITY_EVENT_THROTTLED,
                                                          .amount_ms = (int64_t)events.last + 1});
}

/* The next one has this number and what was noted with it. */
static void assert_next(uint64_t number) {
  const identity__event_note *note = identity__events_peek(&events);
  assert_non_null(note);
  assert_int_equal(note->number, number);
  assert_int_equal(note->amount_ms, number);
  assert_ptr_equal(identity__events_peek(&events), note); /* until it is taken */
  identity__events_take(&events);
}

static void assert_nothing_left(void) {
  assert_null(identity__events_peek(&events));
  identity__events_take(&events);
  assert_null(identity__events_peek(&events));
}

static void they_come_in_order_and_once(void **state) {
  (void)state;
  assert_nothing_left();
  add_some(3);
  assert_next(1);
  assert_next(2);
  add_some(1);
  assert_next(3);
  assert_next(4);
  assert_nothing_left();
}

static void the_ring_keeps_64_and_then_the_oldest_goes(void **state) {
  (void)state;
  static const struct {
    int added;
    uint64_t first;
  } rows[] = {
      {FIRST_ROOM, 1},
      {FIRST_ROOM + 1, 1},
      {2 * FIRST_ROOM, 1},
      {2 * FIRST_ROOM + 1, 1},
      {IDENTITY__MAX_EVENTS, 1},
      {IDENTITY__MAX_EVENTS + 1, 2},
      {3 * IDENTITY__MAX_EVENTS + 5, 2 * IDENTITY__MAX_EVENTS + 6},
  };
  for (size_t i = 0; i < COUNT(rows); i++) {
    identity__events_begin(&events, &machine);
    add_some(rows[i].added);
    assert_int_equal(events.last, rows[i].added);
    assert_true(events.capacity <= IDENTITY__MAX_EVENTS);
    for (uint64_t number = rows[i].first; number <= (uint64_t)rows[i].added; number++)
      assert_next(number);
    assert_nothing_left();
  }
}

static void what_was_taken_can_still_be_found_while_it_is_there(void **state) {
  (void)state;
  add_some(IDENTITY__MAX_EVENTS);
  for (uint64_t number = 1; number <= IDENTITY__MAX_EVENTS; number++)
    assert_next(number);
  assert_non_null(identity__events_find(&events, 1));
  add_some(1);
  assert_null(identity__events_find(&events, 0));
  assert_null(identity__events_find(&events, 1));
  assert_int_equal(identity__events_find(&events, 2)->number, 2);
  assert_int_equal(identity__events_find(&events, IDENTITY__MAX_EVENTS + 1)->number,
                   IDENTITY__MAX_EVENTS + 1);
  assert_null(identity__events_find(&events, IDENTITY__MAX_EVENTS + 2));
  assert_next(IDENTITY__MAX_EVENTS + 1);
}

static void a_gap_in_the_middle_of_reading_shows_in_the_numbers(void **state) {
  (void)state;
  add_some(10);
  assert_next(1);
  add_some(IDENTITY__MAX_EVENTS);
  assert_next(11); /* 2 to 10 are gone */
  assert_next(12);
}

static void without_memory_the_number_is_used_up_and_the_gap_shows_it(void **state) {
  (void)state;
  allocations_left = 0;
  add_some(2);
  assert_nothing_left();
  allocations_left = -1;
  add_some(1);
  assert_next(3);
  assert_nothing_left();
}

static void without_memory_to_grow_the_newest_are_kept(void **state) {
  (void)state;
  add_some(FIRST_ROOM);
  allocations_left = 0;
  add_some(2);
  allocations_left = -1;
  assert_next(3);
  add_some(FIRST_ROOM); /* it grows now, and loses nothing more */
  for (uint64_t number = 4; number <= 2 * FIRST_ROOM + 2; number++)
    assert_next(number);
  assert_nothing_left();
}

/* ---- noticing ---- */

/* All that was told, in one line. */
static void told(const char *row, const char *wanted) {
  char page[500] = "";
  const identity__event_note *note;
  identity__events_notice(&events, &machine, NOW_MS);
  while ((note = identity__events_peek(&events)) != NULL) {
    size_t length = strlen(page);
    CHECK_INT(row, note->at_ms, NOW_MS);
    CHECK_INT(row, note->epoch, machine.record.epoch);
    (void)snprintf(page + length, sizeof page - length, "%s%s %s>%s %s %s %s", length > 0 ? ", " : "",
                   identity__event_name(note->kind), identity__state_name(note->old_state),
                   identity__state_name(note->new_state), identity__reason_name(note->reason),
                   identity__how_name(note->how), identity_status_name(note->cause));
    identity__events_take(&events);
  }
  CHECK_TEXT(row, page, wanted);
}

static void sign_in(void) {
  machine.how = IDENTITY_HOW_SSO;
  sign_in_with("another", LIFE);
}

static void sign_out(void) {
  assert_true(identity__machine_sign_out(&machine, IDENTITY_REASON_LOGOUT, &next));
  commit_at(0);
}

static void rotate(void) {
  rotate_at(0, LIFE);
}

static void end_with(int32_t reason) {
  assert_true(identity__machine_end(&machine, reason, &next));
  commit_at(0);
}

static void end_session(void) {
  end_with(IDENTITY_REASON_LOST_ROTATION);
}

static void end_and_learn_why(void) {
  end_session();
  identity__events_notice(&events, &machine, NOW_MS);
  while (identity__events_peek(&events) != NULL)
    identity__events_take(&events);
  end_with(IDENTITY_REASON_CREDENTIALS_CHANGED);
}

static void set_pending(void) {
  static char name[] = "terms", version[] = "1";
  const identity_consent_answer kept = {name, version, 1, 0};
  assert_true(identity__machine_set_pending(&machine, &kept, 1, &next));
  commit_at(0);
}

static void set_pending_while_it_is_sent(void) {
  machine.delivering = true;
  set_pending();
}

static void block(void) {
  machine.blocked = IDENTITY_STORE_LOCKED;
}

static void lose_the_store(void) {
  assert_true(identity__machine_same(&machine, &next));
  identity__machine_commit(&machine, &next, machine.revision, false);
}

static void hear_other(void (*does)(void)) {
  (void)end_machine(NULL);
  (void)begin_slot(NULL);
  identity__events_begin(&events, &machine);
  does();
  identity__look look = look_at_slot(IDENTITY__SAID_OK);
  assert_int_equal(identity__machine_hear(&machine, &look, start), IDENTITY_OK);
  identity__record_clear(&slot.record);
  identity__machine_clear(&other);
}

static void hear_a_rotation(void) {
  hear_other(other_rotates);
}

static void hear_a_sign_in(void) {
  hear_other(other_signs_in);
}

static void hear_a_sign_out(void) {
  hear_other(other_signs_out);
}

static void hear_an_end(void) {
  hear_other(other_loses);
}

static void hear_consents(void) {
  hear_other(other_notes);
}

static void hear_a_lease(void) {
  hear_other(other_leases);
}

static void fly(void) {
  machine.flying = true;
}

static void fail_refresh(void) {
  machine.last_failure = IDENTITY_OFFLINE;
}

static void nothing(void) {
}

#define QUIET "none none OK"

/* From a session that is active. */
static const struct {
  const char *row;
  void (*does)(void);
  const char *wanted;
} changes[] = {
    {"nothing", nothing, ""},
    {"sign-in", sign_in, "signed_in active>active none sso OK"},
    {"sign-out", sign_out,
     "signed_out active>signed_out logout none OK, state active>signed_out logout none OK"},
    {"rotation", rotate, "token_refreshed active>active " QUIET},
    {"end", end_session,
     "reauth_required active>reauth_required lost_rotation none OK, "
     "state active>reauth_required lost_rotation none OK"},
    {"an end whose reason turns out later", end_and_learn_why,
     "reauth_required reauth_required>reauth_required credentials_changed none OK"},
    {"pending", set_pending, "consents_pending active>active " QUIET},
    {"pending, while they are sent", set_pending_while_it_is_sent, ""},
    {"blocked", block,
     "store_blocked active>store_blocked none none STORE_LOCKED, state active>store_blocked none none "
     "STORE_LOCKED"},
    {"not persisted", lose_the_store, "store_failed active>active " QUIET},
    {"flight", fly, "state active>refreshing " QUIET},
    {"failure", fail_refresh, "state active>stale " QUIET},
    {"rotation elsewhere", hear_a_rotation, "external_change active>active " QUIET},
    {"sign-in elsewhere", hear_a_sign_in,
     "external_change active>active " QUIET ", signed_in active>active none other_process OK"},
    {"sign-out elsewhere", hear_a_sign_out,
     "external_change active>signed_out other_process none OK, "
     "signed_out active>signed_out other_process none OK, "
     "state active>signed_out other_process none OK"},
    {"end elsewhere", hear_an_end,
     "reauth_required active>reauth_required lost_rotation none OK, "
     "state active>reauth_required lost_rotation none OK"},
    {"consents elsewhere", hear_consents, "consents_pending active>active " QUIET},
    {"lease elsewhere", hear_a_lease, ""},
};

static void each_change_is_told_once(void **state) {
  for (size_t i = 0; i < COUNT(changes); i++) {
    (void)end_events(state);
    (void)begin_events(state);
    changes[i].does();
    told(changes[i].row, changes[i].wanted);
    told(changes[i].row, "");
  }
}

static void what_comes_back_is_told_too(void **state) {
  (void)state;
  block();
  identity__events_begin(&events, &machine);
  told("blocked at the beginning", "");
  machine.blocked = IDENTITY_OUT_OF_MEMORY;
  told("for another reason", "");
  machine.blocked = IDENTITY_OK;
  told("back", "store_recovered store_blocked>active " QUIET ", state store_blocked>active " QUIET);
  lose_the_store();
  identity__events_begin(&events, &machine);
  machine.not_persisted = false;
  told("stored", "store_recovered active>active " QUIET);
  set_pending_while_it_is_sent();
  told("on its way", "");
  machine.delivering = false;
  told("it did not arrive", "consents_pending active>active " QUIET);
}

/* A store that could not be read at open: what it then tells was there before. */
static void the_first_look_at_a_store_is_no_news(void **state) {
  (void)state;
  static void (*const did[])(void) = {other_signs_in, other_rotates, other_signs_out, other_loses,
                                      other_notes};
  static const char *const wanted[] = {
      "store_recovered store_blocked>active " QUIET ", state store_blocked>active " QUIET,
      "store_recovered store_blocked>active " QUIET ", state store_blocked>active " QUIET,
      "store_recovered store_blocked>signed_out logout none OK, state store_blocked>signed_out logout none "
      "OK",
      "store_recovered store_blocked>reauth_required lost_rotation none OK, "
      "state store_blocked>reauth_required lost_rotation none OK",
      "store_recovered store_blocked>active " QUIET ", state store_blocked>active " QUIET,
  };
  for (size_t i = 0; i < COUNT(did); i++) {
    (void)end_events(state);
    (void)begin_slot(state);
    did[i]();
    identity__machine_clear(&machine);
    init_machine(&machine, &self);
    assert_int_equal(hear_said(IDENTITY__SAID_LOCKED, 0), IDENTITY_STORE_LOCKED);
    identity__events_begin(&events, &machine);
    identity__look look = look_at_slot(IDENTITY__SAID_OK);
    assert_int_equal(identity__machine_hear(&machine, &look, start), IDENTITY_OK);
    told(wanted[i], wanted[i]);
    identity__record_clear(&slot.record);
    identity__machine_clear(&other);
  }
}

static void a_note_belongs_to_the_epoch_it_was_made_in(void **state) {
  (void)state;
  uint64_t epoch = machine.record.epoch;
  add_some(1);
  sign_in();
  identity__events_notice(&events, &machine, NOW_MS);
  assert_int_equal(identity__events_find(&events, 1)->epoch, epoch);
  assert_int_equal(identity__events_find(&events, 2)->epoch, epoch + 1);
}

#define EVENTS_TEST(name) cmocka_unit_test_setup_teardown(name, begin_events, end_events)

static const struct CMUnitTest tests[] = {
    EVENTS_TEST(they_come_in_order_and_once),
    EVENTS_TEST(the_ring_keeps_64_and_then_the_oldest_goes),
    EVENTS_TEST(what_was_taken_can_still_be_found_while_it_is_there),
    EVENTS_TEST(a_gap_in_the_middle_of_reading_shows_in_the_numbers),
    EVENTS_TEST(without_memory_the_number_is_used_up_and_the_gap_shows_it),
    EVENTS_TEST(without_memory_to_grow_the_newest_are_kept),
    EVENTS_TEST(each_change_is_told_once),
    EVENTS_TEST(what_comes_back_is_told_too),
    EVENTS_TEST(the_first_look_at_a_store_is_no_news),
    EVENTS_TEST(a_note_belongs_to_the_epoch_it_was_made_in),
};

SUITE("events", tests)
