/* Epochs, generations, pairs, and what another handle stored. */
#include "support/machines.h"

enum { REFRESH = IDENTITY__ASK_REFRESH, FAIL = IDENTITY__ASK_FAIL };

static char terms[] = "terms", one[] = "1", news[] = "broadcaster_marketing", two[] = "1.7";
static const identity_consent_answer kept[] = {{terms, one, 1, 0}, {news, two, 0, 0}};

static void commit(void) {
  commit_at(0);
}

/* ---- who is signed in ---- */

static void epochs_and_generations_only_rise(void **state) {
  (void)state;
  const identity__grant grant = lent_grant("g.h.i", "other", LIFE);
  uint64_t epoch = machine.record.epoch, generation = machine.record.generation;
  assert_true(identity__machine_sign_out(&machine, IDENTITY_REASON_LOGOUT, &next));
  commit();
  assert_int_equal(machine.record.epoch, epoch + 1);
  assert_int_equal(machine.record.generation, generation);
  assert_true(identity__machine_sign_in(&machine, &grant, NULL, 0, &next));
  commit();
  assert_int_equal(machine.record.epoch, epoch + 2);
  assert_int_equal(machine.record.generation, generation + 1);
  rotate_at(0, LIFE);
  assert_int_equal(machine.record.epoch, epoch + 2);
  assert_int_equal(machine.record.generation, generation + 2);
  assert_true(identity__machine_end(&machine, IDENTITY_REASON_REFUSED, &next));
  commit();
  assert_int_equal(machine.record.epoch, epoch + 2);
  assert_int_equal(machine.record.generation, generation + 2);
  assert_true(identity__machine_sign_in(&machine, &grant, NULL, 0, &next));
  commit();
  assert_int_equal(machine.record.epoch, epoch + 3);
  assert_int_equal(machine.record.generation, generation + 3);
}

static void a_sign_out_leaves_no_secret(void **state) {
  (void)state;
  assert_true(identity__machine_set_pending(&machine, kept, 2, &next));
  commit();
  assert_true(identity__machine_sign_out(&machine, IDENTITY_REASON_LOGOUT_EVERYWHERE, &next));
  commit();
  const identity__record *record = &machine.record;
  assert_null(record->grant.jwt);
  assert_null(record->grant.refresh_token);
  assert_null(record->grant.customer_token);
  assert_null(record->grant.customer_id);
  assert_int_equal(record->pending_count, 0);
  assert_int_equal(record->reason, IDENTITY_REASON_LOGOUT_EVERYWHERE);
  CHECK_ASK("ask", identity__machine_ask(&machine, start.boot_ms), FAIL, IDENTITY_SIGNED_OUT);
}

static void an_end_keeps_only_the_customer_as_a_hint(void **state) {
  (void)state;
  assert_true(identity__machine_end(&machine, IDENTITY_REASON_REFUSED, &next));
  commit();
  const identity__grant *hint = &machine.record.grant;
  assert_null(hint->jwt);
  assert_null(hint->refresh_token);
  assert_string_equal(hint->customer_id, "533354305");
  assert_string_equal(hint->email, "jo@example.com");
  CHECK_ASK("ask", identity__machine_ask(&machine, start.boot_ms), FAIL, IDENTITY_SESSION_ENDED);
  assert_int_equal(identity__machine_state(&machine), IDENTITY_STATE_REAUTH_REQUIRED);
}

static void a_sign_in_takes_the_consents_along(void **state) {
  (void)state;
  const identity__grant grant = lent_grant("g.h.i", "other", LIFE);
  assert_true(identity__machine_sign_in(&machine, &grant, kept, 2, &next));
  commit();
  assert_int_equal(machine.record.pending_count, 2);
  assert_string_equal(machine.record.pending[1].name, "broadcaster_marketing");
  assert_string_equal(machine.record.pending[1].version, "1.7");
  assert_int_equal(machine.record.pending[0].accepted, 1);
  rotate_at(0, LIFE);
  assert_int_equal(machine.record.pending_count, 2);
  assert_true(identity__machine_set_pending(&machine, kept + 1, 1, &next));
  commit();
  assert_int_equal(machine.record.pending_count, 1);
  assert_string_equal(machine.record.pending[0].name, "broadcaster_marketing");
  assert_string_equal(machine.record.grant.jwt, "d.e.f");
  assert_true(identity__machine_set_pending(&machine, NULL, 0, &next));
  commit();
  assert_int_equal(machine.record.pending_count, 0);
}

static void an_end_keeps_pending_consents(void **state) {
  (void)state;
  assert_true(identity__machine_set_pending(&machine, kept, 2, &next));
  commit();
  assert_true(identity__machine_end(&machine, IDENTITY_REASON_REFUSED, &next));
  commit();
  assert_int_equal(machine.record.pending_count, 2);
}

/* ---- a new pair ---- */

static void a_pair_keeps_what_the_answer_did_not_say(void **state) {
  (void)state;
  char jwt[] = "n.e.w", id[] = "777";
  identity__grant bare = {0};
  bare.jwt = jwt;
  bare.life_ms = MINUTE;
  assert_true(identity__machine_rotate(&machine, &bare, &next));
  commit();
  assert_string_equal(machine.record.grant.jwt, "n.e.w");
  assert_string_equal(machine.record.grant.refresh_token, "refresh");
  assert_string_equal(machine.record.grant.customer_id, "533354305");
  assert_string_equal(machine.record.grant.publisher_id, "123456789");
  assert_string_equal(machine.record.grant.email, "jo@example.com");
  bare.customer_id = id;
  assert_true(identity__machine_rotate(&machine, &bare, &next));
  commit();
  assert_string_equal(machine.record.grant.customer_id, "777");
}

static void a_pair_forgets_failures_but_not_the_budget(void **state) {
  (void)state;
  CHECK_ASK("refused", identity__machine_rejected(&machine, 1, 1, false, after(5 * MINUTE).boot_ms), REFRESH,
            IDENTITY_OK);
  fail_at(0, IDENTITY__VERDICT_AMBIGUOUS, HOUR, 0);
  fail_at(0, IDENTITY__VERDICT_REFUSED, 0, 0);
  rotate_at(0, LIFE);
  assert_int_equal(machine.record.failures, 0);
  assert_int_equal(machine.record.refusals, 0);
  assert_int_equal(machine.record.ambiguous, 0);
  assert_int_equal(identity__machine_cooldown_ms(&machine, start.boot_ms), 0);
  assert_int_equal(machine.record.caused_count, 1);
}

static void a_record_that_could_not_be_stored_says_so(void **state) {
  (void)state;
  assert_true(identity__machine_sign_out(&machine, IDENTITY_REASON_LOGOUT, &next));
  identity__machine_commit(&machine, &next, 9, false);
  assert_true(machine.not_persisted);
  assert_int_equal(machine.revision, 9);
  sign_in_with("refresh", LIFE);
  assert_false(machine.not_persisted);
}

/* ---- what another handle stored ---- */

static const struct {
  const char *name;
  int32_t epoch; /* against ours */
  int32_t generation;
  bool adopted;
} stored[] = {
    {"the same", 0, 0, false},
    {"older generation", 0, -1, false},
    {"newer generation", 0, 1, true},
    {"older epoch", -1, 0, false},
    {"older epoch, newer generation", -1, 5, false},
    {"newer epoch", 1, 0, true},
    {"newer epoch, older generation", 1, -1, true},
};

static void a_stored_record_wins_by_epoch_then_generation(void **state) {
  (void)state;
  sign_in_with("refresh", LIFE);
  rotate_at(0, LIFE);
  for (size_t i = 0; i < COUNT(stored); i++) {
    identity__machine ours;
    identity__record loaded;
    identity__record_init(&loaded);
    init_machine(&ours, &self);
    assert_true(identity__record_copy(&ours.record, &machine.record));
    assert_true(identity__record_copy(&loaded, &machine.record));
    loaded.epoch = machine.record.epoch + (uint64_t)(int64_t)stored[i].epoch;
    loaded.generation = machine.record.generation + (uint64_t)(int64_t)stored[i].generation;
    ours.dead = true;
    ours.record.caused_count = 1; /* not stored yet, not lost */
    identity__look look = {.said = IDENTITY__SAID_OK, .revision = 77, .record = loaded};
    CHECK_INT(stored[i].name, identity__machine_hear(&ours, &look, start), IDENTITY_OK);
    CHECK_INT(stored[i].name, ours.counters.adoptions, stored[i].adopted);
    CHECK_INT(stored[i].name, ours.foreign, stored[i].adopted);
    CHECK_INT(stored[i].name, ours.record.caused_count, 1);
    CHECK_INT(stored[i].name, ours.revision, 77);
    CHECK_INT(stored[i].name, ours.dead, !stored[i].adopted);
    CHECK_INT(stored[i].name, ours.record.epoch,
              machine.record.epoch + (uint64_t)(stored[i].adopted ? (int64_t)stored[i].epoch : 0));
    CHECK(stored[i].name, look.record.grant.jwt == NULL && look.record.epoch == 0);
    identity__machine_clear(&ours);
  }
}

static void the_first_look_at_the_store_holds(void **state) {
  (void)state;
  identity__record loaded;
  identity__record_init(&loaded);
  loaded.epoch = 1;
  loaded.reason = IDENTITY_REASON_LOGOUT;
  identity__machine_clear(&machine);
  init_machine(&machine, &self);
  assert_int_equal(hear_said(IDENTITY__SAID_LOCKED, 0), IDENTITY_STORE_LOCKED);
  assert_int_equal(machine.blocked, IDENTITY_STORE_LOCKED);
  assert_int_equal(hear_at(0, &loaded, 5), IDENTITY_OK);
  assert_int_equal(machine.blocked, IDENTITY_OK);
  assert_int_equal(machine.revision, 5);
  assert_false(machine.not_persisted);
  assert_int_equal(machine.counters.adoptions, 0);
  assert_int_equal(machine.record.reason, IDENTITY_REASON_LOGOUT);
  CHECK_ASK("ask", identity__machine_ask(&machine, start.boot_ms), FAIL, IDENTITY_SIGNED_OUT);
}

/* Signed in or out while the store could not be read: whoever it then names was meant. */
static void what_was_decided_unread_goes_over_what_is_stored(void **state) {
  static const uint64_t epochs[] = {0, 1, 7};
  for (size_t i = 0; i < COUNT(epochs); i++)
    for (int in = 0; in < 2; in++) {
      identity__record loaded;
      const identity__grant grant = lent_grant("g.h.i", "mine", LIFE);
      (void)end_machine(state);
      init_machine(&machine, &self);
      identity__record_init(&loaded);
      loaded.epoch = epochs[i];
      loaded.generation = 3 * epochs[i];
      loaded.standing = IDENTITY__RECORD_SIGNED_IN;
      assert_int_equal(hear_said(IDENTITY__SAID_LOCKED, 0), IDENTITY_STORE_LOCKED);
      assert_true(in ? identity__machine_sign_in(&machine, &grant, NULL, 0, &next)
                     : identity__machine_sign_out(&machine, IDENTITY_REASON_LOGOUT, &next));
      identity__machine_commit(&machine, &next, 0, false);
      assert_true(machine.unread);
      assert_int_equal(hear_at(0, &loaded, 5), IDENTITY_OK);
      assert_null(loaded.grant.jwt);
      assert_true(machine.not_persisted); /* until it is */
      assert_int_equal(machine.revision, 5);
      assert_int_equal(machine.over_epoch, epochs[i]); /* what is stored next is above it: test_change */
      assert_int_equal(machine.over_generation, 3 * epochs[i]);
      assert_int_equal(machine.counters.adoptions, 0);
      CHECK_TEXT("token", machine.record.grant.refresh_token, in ? "mine" : NULL);
    }
}

/* The store has taken our sign-in and said that it failed; another handle has gone on from it. */
static void a_sign_in_that_was_stored_unheard_is_not_gone_over(void **state) {
  (void)state;
  identity__record loaded;
  identity__record_init(&loaded);
  assert_true(identity__record_copy(&loaded, &machine.record));
  machine.not_persisted = true;
  machine.unread = true;
  loaded.generation++;
  assert_int_equal(hear_at(0, &loaded, 5), IDENTITY_OK);
  assert_false(machine.unread);
  assert_false(machine.not_persisted);
  assert_int_equal(machine.counters.adoptions, 1);
}

static void a_damaged_store_needs_a_new_sign_in(void **state) {
  (void)state;
  identity__machine_clear(&machine);
  init_machine(&machine, &self);
  machine.blocked = IDENTITY_STORE_LOCKED;
  assert_int_equal(hear_said(IDENTITY__SAID_LOST, 8), IDENTITY_OK);
  CHECK_ASK("ask", identity__machine_ask(&machine, start.boot_ms), FAIL, IDENTITY_SESSION_ENDED);
  assert_int_equal(machine.record.reason, IDENTITY_REASON_STORE_LOST);
  assert_int_equal(machine.revision, 8);
  assert_null(machine.record.grant.jwt);
  assert_int_equal(machine.record.epoch, 1790000000); /* more than other handles may hold */
}

/* Whatever keeps it from being read may pass: the state asks to try later, whatever the reason. */
static void a_store_that_cannot_be_read_at_first_blocks(void **state) {
  static const struct {
    const char *name;
    int32_t said;
    identity_status status;
  } rows[] = {{"LOCKED", IDENTITY__SAID_LOCKED, IDENTITY_STORE_LOCKED},
              {"FAILED", IDENTITY__SAID_FAILED, IDENTITY_STORE_LOCKED},
              {"NEWER", IDENTITY__SAID_NEWER, IDENTITY_STORE_NEWER},
              {"MEMORY", IDENTITY__SAID_MEMORY, IDENTITY_OUT_OF_MEMORY}};
  for (size_t i = 0; i < COUNT(rows); i++) {
    (void)end_machine(state);
    init_machine(&machine, &self);
    CHECK(rows[i].name, hear_said(rows[i].said, 4) != IDENTITY_OK);
    CHECK_ASK(rows[i].name, identity__machine_ask(&machine, start.boot_ms), FAIL, rows[i].status);
    CHECK_INT(rows[i].name, identity__machine_state(&machine), IDENTITY_STATE_STORE_BLOCKED);
    CHECK_INT(rows[i].name, machine.revision, 0);
    CHECK_INT(rows[i].name, hear_said(IDENTITY__SAID_ABSENT, 4), IDENTITY_OK);
    CHECK_ASK(rows[i].name, identity__machine_ask(&machine, start.boot_ms), FAIL, IDENTITY_SIGNED_OUT);
    CHECK_INT(rows[i].name, machine.revision, 0);
  }
}

/* Later, what is held is good. */
static void a_store_that_cannot_be_read_later_blocks_nothing(void **state) {
  (void)state;
  static const int32_t said[] = {IDENTITY__SAID_LOCKED, IDENTITY__SAID_FAILED, IDENTITY__SAID_NEWER,
                                 IDENTITY__SAID_MEMORY, IDENTITY__SAID_ABSENT};
  for (size_t i = 0; i < COUNT(said); i++) {
    CHECK_INT("said", hear_said(said[i], 4) == IDENTITY_OK, said[i] == IDENTITY__SAID_ABSENT);
    assert_int_equal(identity__machine_ask(&machine, start.boot_ms).verdict, IDENTITY__ASK_GIVE);
  }
  assert_int_equal(machine.revision, 0); /* absent: there is none to write over */
}

static void a_store_damaged_later_loses_nothing_that_is_held(void **state) {
  (void)state;
  assert_int_equal(hear_said(IDENTITY__SAID_LOST, 8), IDENTITY_OK);
  assert_int_equal(machine.revision, 8); /* to be written over */
  assert_int_equal(identity__machine_ask(&machine, start.boot_ms).verdict, IDENTITY__ASK_GIVE);
}

static void a_tombstone_of_another_handle_ends_the_session_here(void **state) {
  (void)state;
  identity__record tombstone;
  assert_true(identity__machine_sign_out(&machine, IDENTITY_REASON_LOGOUT, &tombstone));
  assert_int_equal(hear_at(0, &tombstone, 3), IDENTITY_OK);
  CHECK_ASK("ask", identity__machine_ask(&machine, start.boot_ms), FAIL, IDENTITY_SIGNED_OUT);
  assert_int_equal(machine.record.reason, IDENTITY_REASON_OTHER_PROCESS);
  assert_true(machine.foreign);
  sign_in_with("refresh", LIFE);
  assert_false(machine.foreign);
}

static const struct CMUnitTest tests[] = {
    MACHINE_TEST(epochs_and_generations_only_rise),
    MACHINE_TEST(a_sign_out_leaves_no_secret),
    MACHINE_TEST(an_end_keeps_only_the_customer_as_a_hint),
    MACHINE_TEST(a_sign_in_takes_the_consents_along),
    MACHINE_TEST(an_end_keeps_pending_consents),
    MACHINE_TEST(a_pair_keeps_what_the_answer_did_not_say),
    MACHINE_TEST(a_pair_forgets_failures_but_not_the_budget),
    MACHINE_TEST(a_record_that_could_not_be_stored_says_so),
    MACHINE_TEST(a_stored_record_wins_by_epoch_then_generation),
    MACHINE_TEST(the_first_look_at_the_store_holds),
    MACHINE_TEST(what_was_decided_unread_goes_over_what_is_stored),
    MACHINE_TEST(a_sign_in_that_was_stored_unheard_is_not_gone_over),
    MACHINE_TEST(a_damaged_store_needs_a_new_sign_in),
    MACHINE_TEST(a_store_that_cannot_be_read_at_first_blocks),
    MACHINE_TEST(a_store_that_cannot_be_read_later_blocks_nothing),
    MACHINE_TEST(a_store_damaged_later_loses_nothing_that_is_held),
    MACHINE_TEST(a_tombstone_of_another_handle_ends_the_session_here),
};

SUITE("machine records", tests)
