/* A refresh once it is sent: what becomes of the session with each answer, and how that is stored. */
#include "support/allocations.h"
#include "support/flights.h"

static const int64_t LEASE = IDENTITY__LEASE_MS;
static const int64_t SLOW = 76 * 1000; /* our lease is over, and another handle has taken it */

/* ---- may it leave ---- */

static void we_stay(void) {
}

static void we_sign_out(void);

static void our_lease_is_taken(void) {
  clock_ms = 0;
  other_leases();
  identity__look look = look_at_slot(IDENTITY__SAID_OK);
  assert_int_equal(identity__machine_hear(&machine, &look, start), IDENTITY_OK);
}

/* Asked once, when its body is about to: a connection may have taken its time. */
static void it_leaves_only_under_a_young_lease_of_its_own(void **state) {
  static const struct {
    const char *name;
    void (*meanwhile)(void);
    int64_t age_ms; /* of the lease */
    bool may;
  } rows[] = {{"at once", we_stay, 0, true},
              {"in time", we_stay, 6 * SECOND, true},
              {"too late", we_stay, 6 * SECOND + 1, false},
              {"signed out", we_sign_out, 0, false},
              {"rotated by another handle", other_rotates, 0, true}, /* nobody has looked */
              {"taken by another handle", our_lease_is_taken, 0, false}};
  for (size_t i = 0; i < COUNT(rows); i++) {
    (void)end_slot(state);
    assert_int_equal(begin_slot(state), 0);
    flight = (identity__flight){0};
    identity__moment moment = moment_now();
    const act plain = {0};
    assert_int_equal(identity__flight_begin(&flight, &machine), IDENTITY__DO_LOAD);
    CHECK(rows[i].name,
          !identity__flight_may_leave(&flight, &machine, moment.now.boot_ms)); /* not asked to */
    assert_int_equal(answer_load(&plain, &moment), IDENTITY__DO_SWAP);
    assert_int_equal(answer_swap(&plain, &moment), IDENTITY__DO_SEND);
    rows[i].meanwhile();
    CHECK_INT(rows[i].name, identity__flight_may_leave(&flight, &machine, after(rows[i].age_ms).boot_ms),
              rows[i].may);
    (void)identity__flight_landed(&flight, &machine, &given_up, &moment);
    CHECK(rows[i].name, !identity__flight_may_leave(&flight, &machine, moment.now.boot_ms)); /* not twice */
    identity__flight_clear(&flight);
  }
}

/* ---- verdicts ---- */

static void an_earlier_answer_was_lost(void) {
  machine.record.ambiguous = 1;
  assert_true(identity__record_copy(&slot.record, &machine.record));
}

static void two_refusals_an_hour_ago(void) {
  machine.record.refusals = 2;
  machine.record.first_refusal_boot_ms = start.boot_ms - HOUR;
  assert_true(identity__record_copy(&slot.record, &machine.record));
}

static void each_answer_has_its_end(void **state) {
  const scene scenes[] = {
      {"a pair of somebody else",
       {LOAD, SWAP, SEND(foreign_pair), SWAP, OVER},
       ENDS(REFRESH_DEFERRED, "refresh"),
       .ambiguous = true,
       .cooldown_ms = SECOND},
      {"definite", {LOAD, SWAP, SEND(rejected), LOAD, SWAP, OVER}, ENDS_FOR(SESSION_ENDED, REFUSED)},
      {"definite after a lost answer",
       {LOAD, SWAP, SEND(rejected), LOAD, SWAP, OVER},
       ENDS_FOR(SESSION_ENDED, LOST_ROTATION),
       .prepare = an_earlier_answer_was_lost},
      {"an unknown refusal",
       {LOAD, SWAP, SEND(refused), LOAD, SWAP, OVER},
       ENDS(REFRESH_DEFERRED, "refresh"),
       .cooldown_ms = 5 * MINUTE},
      {"the third, an hour after the first",
       {LOAD, SWAP, SEND(refused), LOAD, SWAP, OVER},
       ENDS_FOR(SESSION_ENDED, REFUSED),
       .prepare = two_refusals_an_hour_ago},
      {"a firewall",
       {LOAD, SWAP, SEND(firewall), SWAP, OVER},
       ENDS(REFRESH_DEFERRED, "refresh"),
       .cooldown_ms = SECOND},
      {"a captive portal",
       {LOAD, SWAP, SEND(portal), SWAP, OVER},
       ENDS(REFRESH_DEFERRED, "refresh"),
       .cooldown_ms = SECOND},
      {"a gateway, the JWT is over",
       {LOAD, SWAP, SEND(gateway), SWAP, OVER},
       ENDS(REFRESH_DEFERRED, "refresh"),
       .begins_ms = LIFE,
       .ambiguous = true,
       .cooldown_ms = SECOND},
      {"a gateway, the JWT lives",
       {LOAD, SWAP, SEND(gateway), SWAP, OVER},
       ENDS(REFRESH_DEFERRED, "refresh"),
       .ambiguous = true,
       .cooldown_ms = 200 * SECOND},
      {"throttled for a minute, the JWT is over",
       {LOAD, SWAP, SEND(throttled), SWAP, OVER},
       ENDS(REFRESH_DEFERRED, "refresh"),
       .begins_ms = LIFE,
       .cooldown_ms = MINUTE},
      {"throttled for a minute, the JWT lives",
       {LOAD, SWAP, SEND(throttled), SWAP, OVER},
       ENDS(REFRESH_DEFERRED, "refresh"),
       .cooldown_ms = 200 * SECOND},
      {"it never left",
       {LOAD, SWAP, SEND(unsent), SWAP, OVER},
       ENDS(REFRESH_DEFERRED, "refresh"),
       .cooldown_ms = SECOND},
      {"the other side closed: it no longer runs",
       {LOAD, SWAP, SEND(reset), SWAP, OVER},
       ENDS(REFRESH_DEFERRED, "refresh"),
       .ambiguous = true,
       .cooldown_ms = SECOND},
      {"cut off in the answer: it no longer runs",
       {LOAD, SWAP, SEND(cut_off), SWAP, OVER},
       ENDS(REFRESH_DEFERRED, "refresh"),
       .ambiguous = true,
       .cooldown_ms = SECOND},
      {"given up: it may still run",
       {LOAD, SWAP, SEND(given_up), SWAP, OVER},
       ENDS(REFRESH_DEFERRED, "refresh"),
       .ambiguous = true,
       .cooldown_ms = LEASE,
       .lease_ms = LEASE},
      {"given up after a minute",
       {LOAD, SWAP, SEND_LATER(MINUTE, given_up), SWAP, OVER},
       ENDS(REFRESH_DEFERRED, "refresh"),
       .ambiguous = true,
       .cooldown_ms = LEASE - MINUTE,
       .lease_ms = LEASE - MINUTE},
      {"given up with a dead JWT",
       {LOAD, SWAP, SEND(given_up), SWAP, OVER},
       ENDS(REFRESH_DEFERRED, "refresh"),
       .begins_ms = LIFE,
       .ambiguous = true,
       .cooldown_ms = LEASE,
       .lease_ms = LEASE},
  };
  play(state, scenes, COUNT(scenes));
}

/* Only an answer of the service itself says that all are in trouble, and not this device alone. */
static void a_service_that_says_so_is_in_trouble(void **state) {
  static const struct {
    const char *name;
    identity__refresh_facts facts;
    bool ambiguous;
    bool in_trouble;
  } rows[] = {
      {"408", {.progress = 2, .whole = true, .http_status = 408}, true, false},
      {"425", {.progress = 2, .whole = true, .http_status = 425}, false, false},
      {"428", {.progress = 2, .whole = true, .http_status = 428}, false, false},
      {"429", {.progress = 2, .whole = true, .http_status = 429}, false, true},
      {"429, cut off", {.progress = 2, .http_status = 429}, true, false},
      {"430", {.progress = 2, .whole = true, .http_status = 430}, false, false},
      {"499", {.progress = 2, .whole = true, .http_status = 499}, false, false},
      {"500", {.progress = 2, .whole = true, .http_status = 500}, true, true},
      {"500 with a list", {.progress = 2, .whole = true, .http_status = 500, LISTED}, true, true},
      {"503", {.progress = 2, .whole = true, .http_status = 503}, false, true},
      {"503, cut off", {.progress = 2, .http_status = 503}, true, false},
      {"511", {.progress = 2, .whole = true, .http_status = 511}, false, false},
      {"599", {.progress = 2, .whole = true, .http_status = 599}, true, true},
      {"200 HTML", {.progress = 2, .whole = true, .http_status = 200}, true, false},
  };
  for (size_t i = 0; i < COUNT(rows); i++) {
    const identity__landing landing = {.facts = rows[i].facts};
    const scene one[] = {{rows[i].name,
                          {LOAD, SWAP, SEND(landing), SWAP, OVER},
                          ENDS(REFRESH_DEFERRED, "refresh"),
                          .ambiguous = rows[i].ambiguous,
                          .cooldown_ms = rows[i].in_trouble ? 200 * SECOND : SECOND}};
    play(state, one, 1);
  }
}

static void a_session_that_closes_leaves_what_others_must_know(void **state) {
  const scene scenes[] = {
      {"nothing was sent", {LOAD, SWAP, SEND(closed_unsent), SWAP, OVER}, ENDS(REFRESH_DEFERRED, "refresh")},
      {"sent: its lease lasts ten seconds",
       {LOAD, SWAP, SEND(closed_sent), SWAP, OVER},
       ENDS(REFRESH_DEFERRED, "refresh"),
       .ambiguous = true,
       .cooldown_ms = 10 * SECOND,
       .lease_ms = 10 * SECOND},
      {"sent a while ago",
       {LOAD, SWAP, SEND_LATER(20 * SECOND, closed_sent), SWAP, OVER},
       ENDS(REFRESH_DEFERRED, "refresh"),
       .ambiguous = true,
       .cooldown_ms = SECOND},
      {"answered in part",
       {LOAD, SWAP, SEND(closed_cut_off), SWAP, OVER},
       ENDS(REFRESH_DEFERRED, "refresh"),
       .ambiguous = true,
       .cooldown_ms = SECOND},
      {"the store fails, too",
       {LOAD, SWAP, SEND(closed_unsent), SWAP_SAYS(FAILED), OVER},
       ENDS(REFRESH_DEFERRED, "refresh"),
       .not_persisted = true,
       .lease_ms = LEASE},
  };
  play(state, scenes, COUNT(scenes));
}

/* ---- the pair is stored ---- */

static void a_pair_is_stored_over_what_it_may_replace(void **state) {
  static const scene scenes[] = {
      {"notes", {LOAD, SWAP, SEND(pair), SWAP_AFTER(other_notes), LOAD, SWAP, OVER}, ENDS(OK, "new")},
      {"a lease",
       {LOAD, SWAP, SEND_LATER(SLOW, pair), SWAP_AFTER(other_leases), LOAD, SWAP, OVER},
       ENDS(OK, "new")},
      {"gone", {LOAD, SWAP, SEND(pair), SWAP_AFTER(slot_vanishes), LOAD, SWAP, OVER}, ENDS(OK, "new")},
      {"declared lost",
       {LOAD, SWAP, SEND_LATER(SLOW, pair), SWAP_AFTER(other_loses), LOAD, SWAP, OVER},
       ENDS(OK, "new")},
      {"refused",
       {LOAD, SWAP, SEND_LATER(SLOW, pair), SWAP_AFTER(other_is_refused), LOAD, SWAP, OVER},
       ENDS(OK, "new")},
      {"a newer pair", {LOAD, SWAP, SEND(pair), SWAP_AFTER(other_rotates), LOAD, OVER}, ENDS(OK, "theirs")},
      {"somebody signed in",
       {LOAD, SWAP, SEND(pair), SWAP_AFTER(other_signs_in), LOAD, OVER},
       ENDS(OK, "another")},
      {"signed out",
       {LOAD, SWAP, SEND(pair), SWAP_AFTER(other_signs_out), LOAD, OVER},
       ENDS_FOR(SIGNED_OUT, OTHER_PROCESS)},
      {"ended for a new password",
       {LOAD, SWAP, SEND(pair), SWAP_AFTER(other_has_a_new_password), LOAD, OVER},
       ENDS_FOR(SESSION_ENDED, CREDENTIALS_CHANGED)},
      {"again and again",
       {LOAD, SWAP, SEND(pair), SWAP_AFTER(other_notes), LOAD, SWAP_AFTER(other_loses), LOAD,
        SWAP_AFTER(other_loses), LOAD, SWAP, OVER},
       ENDS(OK, "new")},
  };
  play(state, scenes, COUNT(scenes));
  assert_int_equal(machine.counters.rotations, 1);
  assert_int_equal(slot.record.pending_count, 1); /* what others noted is still there */
}

static void a_pair_that_was_overtaken_is_no_rotation_of_ours(void **state) {
  static const scene scenes[] = {
      {"a newer pair", {LOAD, SWAP, SEND(pair), SWAP_AFTER(other_rotates), LOAD, OVER}, ENDS(OK, "theirs")}};
  play(state, scenes, COUNT(scenes));
  assert_int_equal(machine.counters.rotations, 0);
  assert_int_equal(machine.counters.adoptions, 1);
}

/* I3: durable or held in memory. */
static void a_pair_is_never_dropped_for_a_store_that_fails(void **state) {
  static const int32_t said[] = {IDENTITY__SAID_LOCKED, IDENTITY__SAID_FAILED, IDENTITY__SAID_NEWER,
                                 IDENTITY__SAID_MEMORY, IDENTITY__SAID_LOST};
  for (size_t i = 0; i < COUNT(said); i++) {
    const scene writing[] = {{"writing",
                              {LOAD, SWAP, SEND(pair), STEP(SWAP, .said = said[i]), OVER},
                              ENDS(OK, "new"),
                              .not_persisted = true,
                              .lease_ms = LEASE}};
    const scene reading[] = {
        {"reading",
         {LOAD, SWAP, SEND(pair), SWAP_AFTER(other_notes), STEP(LOAD, .said = said[i]), OVER},
         ENDS(OK, "new"),
         .not_persisted = true,
         .lease_ms = LEASE}};
    play(state, writing, 1);
    if (said[i] != IDENTITY__SAID_LOST) /* that may be written over */
      play(state, reading, 1);
    assert_int_equal(machine.counters.rotations, 1);
  }
}

static void we_sign_out(void) {
  uint64_t revision = 0;
  assert_true(identity__machine_sign_out(&machine, IDENTITY_REASON_LOGOUT, &next));
  identity__record_stamp(&next, machine.boot_id, after(clock_ms));
  assert_int_equal(swap_into_slot(&next, machine.revision, IDENTITY__SAID_OK, &revision), IDENTITY__SAID_OK);
  identity__machine_commit(&machine, &next, revision, true);
}

static void without_memory_it_waits_for_some(void **state) {
  static const scene scenes[] = {
      {"a pair", {LOAD, SWAP, SEND_STARVED(pair), WAIT, SWAP, OVER}, ENDS(OK, "new")},
      {"for long",
       {LOAD, SWAP, SEND_STARVED(pair), WAIT_STARVED, WAIT_STARVED, WAIT, SWAP, OVER},
       ENDS(OK, "new")},
      {"after a conflict",
       {LOAD, SWAP, SEND(pair), SWAP_AFTER(other_notes), LOAD_STARVED, WAIT, SWAP, OVER},
       ENDS(OK, "new")},
      {"after it was declared lost",
       {LOAD, SWAP, SEND(pair), SWAP_AFTER(other_loses), LOAD_STARVED, WAIT, SWAP, OVER},
       ENDS(OK, "new")},
      {"overtaken meanwhile",
       {LOAD, SWAP, SEND_STARVED(pair), WAIT_AFTER(other_rotates), SWAP, LOAD, OVER},
       ENDS(OK, "theirs")},
      {"signed out meanwhile",
       {LOAD, SWAP, SEND_STARVED(pair), WAIT_AFTER(we_sign_out), OVER},
       ENDS_FOR(SIGNED_OUT, LOGOUT)},
      {"a failure",
       {LOAD, SWAP, SEND_STARVED(reset), WAIT, SWAP, OVER},
       ENDS(REFRESH_DEFERRED, "refresh"),
       .ambiguous = true,
       .cooldown_ms = SECOND - 50},
      {"a refusal",
       {LOAD, SWAP, SEND(rejected), LOAD_STARVED, WAIT, SWAP, OVER},
       ENDS_FOR(SESSION_ENDED, REFUSED)},
      {"a refusal, and a newer pair by then",
       {LOAD, SWAP, SEND(rejected), LOAD_STARVED, WAIT_AFTER(other_rotates), SWAP, LOAD, OVER},
       ENDS(OK, "theirs")},
  };
  play(state, scenes, COUNT(scenes));
}

/* ---- the session moved on while it was out (I2) ---- */

static void we_sign_in_anew(void) {
  other_signs_in();
  identity__look look = look_at_slot(IDENTITY__SAID_OK);
  assert_int_equal(identity__machine_hear(&machine, &look, after(clock_ms)), IDENTITY_OK);
}

static void we_hear_that_it_is_lost(void) {
  other_loses();
  identity__look look = look_at_slot(IDENTITY__SAID_OK);
  assert_int_equal(identity__machine_hear(&machine, &look, after(clock_ms)), IDENTITY_OK);
}

static void we_hear_of_a_new_password(void) {
  other_has_a_new_password();
  identity__look look = look_at_slot(IDENTITY__SAID_OK);
  assert_int_equal(identity__machine_hear(&machine, &look, after(clock_ms)), IDENTITY_OK);
}

static void an_answer_belongs_to_what_it_started_from(void **state) {
  static const scene scenes[] = {
      {"signed out", {LOAD, SWAP, SEND_AFTER(we_sign_out, pair), OVER}, ENDS_FOR(SIGNED_OUT, LOGOUT)},
      {"signed out, refused",
       {LOAD, SWAP, SEND_AFTER(we_sign_out, rejected), OVER},
       ENDS_FOR(SIGNED_OUT, LOGOUT)},
      {"signed in anew", {LOAD, SWAP, SEND_AFTER(we_sign_in_anew, pair), OVER}, ENDS(OK, "another")},
      {"signed in anew, refused",
       {LOAD, SWAP, SEND_AFTER(we_sign_in_anew, rejected), OVER},
       ENDS(OK, "another")},
      {"signed in anew, lost", {LOAD, SWAP, SEND_AFTER(we_sign_in_anew, reset), OVER}, ENDS(OK, "another")},
      {"a late pair wins over a lost rotation",
       {LOAD, SWAP, SEND_AFTER(we_hear_that_it_is_lost, pair), SWAP, OVER},
       ENDS(OK, "new")},
      {"a failure does not",
       {LOAD, SWAP, SEND_AFTER(we_hear_that_it_is_lost, reset), OVER},
       ENDS_FOR(SESSION_ENDED, LOST_ROTATION)},
      {"a refusal does not",
       {LOAD, SWAP, SEND_AFTER(we_hear_that_it_is_lost, rejected), LOAD, OVER},
       ENDS_FOR(SESSION_ENDED, LOST_ROTATION)},
      {"nor a pair over a new password",
       {LOAD, SWAP, SEND_AFTER(we_hear_of_a_new_password, pair), OVER},
       ENDS_FOR(SESSION_ENDED, CREDENTIALS_CHANGED)},
  };
  play(state, scenes, COUNT(scenes));
}

static const struct CMUnitTest tests[] = {
    SLOT_TEST(it_leaves_only_under_a_young_lease_of_its_own),
    SLOT_TEST(each_answer_has_its_end),
    SLOT_TEST(a_service_that_says_so_is_in_trouble),
    SLOT_TEST(a_session_that_closes_leaves_what_others_must_know),
    SLOT_TEST(a_pair_is_stored_over_what_it_may_replace),
    SLOT_TEST(a_pair_that_was_overtaken_is_no_rotation_of_ours),
    SLOT_TEST(a_pair_is_never_dropped_for_a_store_that_fails),
    SLOT_TEST(without_memory_it_waits_for_some),
    SLOT_TEST(an_answer_belongs_to_what_it_started_from),
};

SUITE("flight ends", tests)
