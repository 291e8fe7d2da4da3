/* A refresh until it is sent: what is in the store, whose lease is there, and how it gets its own. */
#include "support/allocations.h"
#include "support/flights.h"

static void it_goes_all_the_way(void **state) {
  static const scene scenes[] = {
      {"a new pair", {LOAD, SWAP, SEND(pair), SWAP, OVER}, ENDS(OK, "new")},
      {"the JWT is over", {LOAD, SWAP, SEND(pair), SWAP, OVER}, ENDS(OK, "new"), .begins_ms = LIFE},
      {"the refresh token stays", {LOAD, SWAP, SEND(bare_pair), SWAP, OVER}, ENDS(OK, "refresh")},
  };
  play(state, scenes, COUNT(scenes));
  assert_int_equal(machine.counters.rotations, 1);
  assert_int_equal(machine.counters.adoptions, 0);
  assert_int_equal(machine.counters.conflicts, 0);
  assert_string_equal(slot.record.grant.jwt, "n.e.w");
  assert_string_equal(slot.record.lease.fingerprint, "");
}

static void what_another_handle_did_meanwhile_is_gone_over(void **state) {
  static const scene scenes[] = {
      {"the refresh token stays, and so does the mark of an attempt of theirs",
       {LOAD, SWAP, SEND_LATER(76 * SECOND, bare_pair), SWAP_AFTER(other_leases), LOAD, SWAP, OVER},
       ENDS(OK, "refresh"),
       .ambiguous = true,
       .lease_ms = IDENTITY__LEASE_MS},
      {"over another pair of the same numbers",
       {LOAD, SWAP, SEND(pair), SWAP_AFTER(other_rivals), LOAD, SWAP, OVER},
       ENDS(OK, "new")},
  };
  play(state, scenes, COUNT(scenes));
}

/* ---- what another handle has done ---- */

static void newer_records_are_taken_without_a_request(void **state) {
  static const scene scenes[] = {
      {"a newer pair", {LOAD_AFTER(other_rotates), OVER}, ENDS(OK, "theirs")},
      {"somebody signed in", {LOAD_AFTER(other_signs_in), OVER}, ENDS(OK, "another")},
      {"signed out", {LOAD_AFTER(other_signs_out), OVER}, ENDS_FOR(SIGNED_OUT, OTHER_PROCESS)},
      {"refused", {LOAD_AFTER(other_is_refused), OVER}, ENDS_FOR(SESSION_ENDED, REFUSED)},
      {"a cooldown",
       {LOAD_AFTER(other_cools_down), OVER},
       ENDS(REFRESH_DEFERRED, "refresh"),
       .cooldown_ms = MINUTE},
      {"a cooldown with a dead JWT",
       {LOAD_AFTER(other_cools_down), OVER},
       ENDS(REFRESH_DEFERRED, "refresh"),
       .begins_ms = LIFE,
       .cooldown_ms = MINUTE},
      {"a cooldown that is over",
       {LOAD, SWAP, SEND(pair), SWAP, OVER},
       ENDS(OK, "new"),
       .prepare = other_cools_down,
       .begins_ms = MINUTE},
  };
  play(state, scenes, COUNT(scenes));
}

static void other_leases_and_dies(void) {
  other_leases();
  slot.owner_gone = true;
}

static void other_is_closed_while_it_waits(void) {
  const identity__failure closing = {
      .verdict = IDENTITY__VERDICT_AMBIGUOUS, .running = true, .closing = true, .now = after(clock_ms)};
  other_leases();
  other_stores(identity__machine_fail_refresh(&other, &closing, &next));
}

static void other_gives_up(void) {
  const identity__failure failure = {.verdict = IDENTITY__VERDICT_UNSENT, .now = after(clock_ms)};
  other_stores(identity__machine_fail_refresh(&other, &failure, &next));
}

static const int64_t LEASE = IDENTITY__LEASE_MS;
static const int64_t ORPHAN = IDENTITY__ORPHAN_MS;

static void a_lease_of_another_handle_is_respected(void **state) {
  const scene scenes[] = {
      {"the JWT does",
       {LOAD, OVER},
       ENDS(REFRESH_DEFERRED, "refresh"),
       .prepare = other_leases,
       .lease_ms = LEASE},
      {"the JWT does to its last moment",
       {LOAD_AFTER(other_leases), OVER},
       ENDS(REFRESH_DEFERRED, "refresh"),
       .begins_ms = LIFE - 1,
       .lease_ms = LEASE},
      {"a dead JWT waits for their pair",
       {LOAD_AFTER(other_leases), WAIT, LOAD, WAIT, LOAD_AFTER(other_rotates), OVER},
       ENDS(OK, "theirs"),
       .begins_ms = LIFE},
      {"so does who wants another pair",
       {LOAD_AFTER(other_leases), WAIT, LOAD_AFTER(other_rotates), OVER},
       ENDS(OK, "theirs"),
       .rotation = true},
      {"they are refused",
       {LOAD_AFTER(other_leases), WAIT, LOAD_AFTER(other_is_refused), OVER},
       ENDS_FOR(SESSION_ENDED, REFUSED),
       .begins_ms = LIFE},
      {"they could not send: their cooldown is ours",
       {LOAD_AFTER(other_leases), WAIT, LOAD_AFTER(other_gives_up), OVER},
       ENDS(REFRESH_DEFERRED, "refresh"),
       .begins_ms = LIFE,
       .cooldown_ms = SECOND},
      {"a moment before its end",
       {LOAD, WAIT, LOAD, SWAP, SEND(unsent), SWAP, OVER},
       ENDS(REFRESH_DEFERRED, "refresh"),
       .prepare = other_leases,
       .begins_ms = LEASE - 1,
       .rotation = true,
       .ambiguous = true, /* nobody has heard what became of it */
       .cooldown_ms = SECOND},
      {"as it ends",
       {LOAD, SWAP, SEND(pair), SWAP, OVER},
       ENDS(OK, "new"),
       .prepare = other_leases,
       .begins_ms = LEASE},
      {"its owner is dead, a moment before ten seconds",
       {LOAD, OVER},
       ENDS(REFRESH_DEFERRED, "refresh"),
       .prepare = other_leases_and_dies,
       .begins_ms = ORPHAN - 1,
       .lease_ms = LEASE - ORPHAN + 1},
      {"its owner is dead for ten seconds",
       {LOAD, SWAP, SEND(rejected), LOAD, SWAP, OVER},
       ENDS_FOR(SESSION_ENDED, LOST_ROTATION),
       .prepare = other_leases_and_dies,
       .begins_ms = ORPHAN},
      {"its owner closed",
       {LOAD, SWAP, SEND(pair), SWAP, OVER},
       ENDS(OK, "new"),
       .prepare = other_is_closed_while_it_waits,
       .begins_ms = ORPHAN},
      {"its owner closed, a moment before ten seconds",
       {LOAD, OVER},
       ENDS(REFRESH_DEFERRED, "refresh"),
       .prepare = other_is_closed_while_it_waits,
       .begins_ms = ORPHAN - 1,
       .ambiguous = true,
       .cooldown_ms = 1,
       .lease_ms = 1},
  };
  play(state, scenes, COUNT(scenes));
}

/* It most often ends soon, and when it does not, there is no hurry. */
static void looks_at_a_lease_come_further_and_further_apart(void **state) {
  (void)state;
  static const int64_t waits_ms[] = {20, 40, 80, 160, 250, 250};
  other_leases();
  flight = (identity__flight){.rotation = true};
  assert_int_equal(identity__flight_begin(&flight, &machine), IDENTITY__DO_LOAD);
  for (size_t i = 0; i < COUNT(waits_ms); i++) {
    const identity__moment moment = moment_now();
    identity__look look = look_at_slot(IDENTITY__SAID_OK);
    assert_int_equal(identity__flight_loaded(&flight, &machine, &look, &moment), IDENTITY__DO_WAIT);
    assert_int_equal(flight.wake_boot_ms, moment.now.boot_ms + waits_ms[i]);
    assert_int_equal(identity__flight_woken(&flight, &machine, &moment), IDENTITY__DO_LOAD);
  }
  identity__flight_clear(&flight);
}

/* ---- a lease of our own from before ---- */

static void we_have_leased(void) {
  uint64_t revision = 0;
  assert_true(identity__machine_lease(&machine, start.boot_ms, &next));
  identity__record_stamp(&next, machine.boot_id, start);
  assert_int_equal(swap_into_slot(&next, machine.revision, IDENTITY__SAID_OK, &revision), IDENTITY__SAID_OK);
  identity__machine_commit(&machine, &next, revision, true);
}

static void we_have_leased_for_nothing(void) {
  we_have_leased();
  machine.lease_unused = true;
}

static void a_lease_of_ours_counts_if_it_was_used(void **state) {
  const scene scenes[] = {
      {"unused",
       {LOAD, SWAP, SEND(unsent), SWAP, OVER},
       ENDS(REFRESH_DEFERRED, "refresh"),
       .prepare = we_have_leased_for_nothing,
       .cooldown_ms = SECOND},
      {"used", {LOAD, OVER}, ENDS(REFRESH_DEFERRED, "refresh"), .prepare = we_have_leased, .lease_ms = LEASE},
      {"used and over",
       {LOAD, SWAP, SEND(unsent), SWAP, OVER},
       ENDS(REFRESH_DEFERRED, "refresh"),
       .prepare = we_have_leased,
       .begins_ms = LEASE,
       .ambiguous = true,
       .cooldown_ms = SECOND},
      {"unused, but theirs is there by now",
       {LOAD_AFTER(other_leases), OVER},
       ENDS(REFRESH_DEFERRED, "refresh"),
       .prepare = we_have_leased_for_nothing,
       .ambiguous = true,
       .lease_ms = LEASE},
  };
  play(state, scenes, COUNT(scenes));
}

/* Held back until its lease was too old to send under: back to the store. */
static void a_late_release_begins_with_the_store_again(void **state) {
  static const int64_t held_ms = IDENTITY__RELEASE_MS + 1;
  const scene scenes[] = {
      {"nothing has happened",
       {LOAD, SWAP, SEND_LATER(held_ms, late), LOAD, SWAP, SEND(pair), SWAP, OVER},
       ENDS(OK, "new")},
      {"nothing was lost by it",
       {LOAD, SWAP, SEND_LATER(held_ms, late), LOAD, SWAP, SEND(unsent), SWAP, OVER},
       ENDS(REFRESH_DEFERRED, "refresh"),
       .cooldown_ms = SECOND},
      {"stopped for an hour, and a newer pair is there",
       {LOAD, SWAP, SEND_LATER(HOUR, late), LOAD_AFTER(other_rotates), OVER},
       ENDS(OK, "theirs")},
      {"stopped for an hour, and another handle is at it",
       {LOAD, SWAP, SEND_LATER(HOUR, late), LOAD_AFTER(other_leases), WAIT, LOAD_AFTER(other_rotates), OVER},
       ENDS(OK, "theirs")},
      {"signed out meanwhile",
       {LOAD, SWAP, SEND_LATER(held_ms, late), LOAD_AFTER(other_signs_out), OVER},
       ENDS_FOR(SIGNED_OUT, OTHER_PROCESS)},
  };
  play(state, scenes, COUNT(scenes));
}

/* ---- CONFLICT at the lease ---- */

static void who_loses_the_lease_looks_first(void **state) {
  const scene scenes[] = {
      {"notes of another handle",
       {LOAD, SWAP_AFTER(other_notes), LOAD, SWAP, SEND(pair), SWAP, OVER},
       ENDS(OK, "new")},
      {"their lease",
       {LOAD, SWAP_AFTER(other_leases), LOAD, OVER},
       ENDS(REFRESH_DEFERRED, "refresh"),
       .lease_ms = LEASE},
      {"their lease, dead JWT",
       {LOAD, SWAP_AFTER(other_leases), LOAD, WAIT, LOAD_AFTER(other_rotates), OVER},
       ENDS(OK, "theirs"),
       .begins_ms = LIFE},
      {"their pair", {LOAD, SWAP_AFTER(other_rotates), LOAD, OVER}, ENDS(OK, "theirs")},
      {"their sign-out",
       {LOAD, SWAP_AFTER(other_signs_out), LOAD, OVER},
       ENDS_FOR(SIGNED_OUT, OTHER_PROCESS)},
      {"again and again",
       {LOAD, SWAP_AFTER(other_notes), LOAD, SWAP_AFTER(other_notes), LOAD, SWAP_AFTER(other_notes), LOAD,
        SWAP, SEND(pair), SWAP, OVER},
       ENDS(OK, "new")},
  };
  play(state, scenes, COUNT(scenes));
  assert_int_equal(machine.counters.conflicts, 3);
  assert_int_equal(slot.record.pending_count, 1);
}

/* ---- a store that fails ---- */

static void nothing_is_sent_without_a_durable_lease(void **state) {
  static const struct {
    const char *name;
    int32_t said;
    identity_status loading; /* OK: it goes on */
    identity_status leasing;
  } rows[] = {
      {"LOCKED", IDENTITY__SAID_LOCKED, IDENTITY_STORE_LOCKED, IDENTITY_STORE_LOCKED},
      {"FAILED", IDENTITY__SAID_FAILED, IDENTITY_STORE_FAILED, IDENTITY_STORE_FAILED},
      {"NEWER", IDENTITY__SAID_NEWER, IDENTITY_STORE_NEWER, IDENTITY_STORE_NEWER},
      {"MEMORY", IDENTITY__SAID_MEMORY, IDENTITY_OUT_OF_MEMORY, IDENTITY_OUT_OF_MEMORY},
      {"LOST", IDENTITY__SAID_LOST, IDENTITY_OK, IDENTITY_STORE_FAILED},
  };
  for (size_t i = 0; i < COUNT(rows); i++)
    for (int in_memory = 0; in_memory < 2; in_memory++) {
      const scene reading[] = {{rows[i].name,
                                {STEP(LOAD, .said = rows[i].said), OVER},
                                .status = rows[i].loading,
                                .held = "refresh",
                                .begins_ms = LIFE,
                                .in_memory = in_memory}};
      const scene writing[] = {{rows[i].name,
                                {LOAD, STEP(SWAP, .said = rows[i].said), OVER},
                                .status = rows[i].leasing,
                                .held = "refresh",
                                .begins_ms = LIFE,
                                .in_memory = in_memory}};
      if (in_memory && rows[i].said == IDENTITY__SAID_FAILED)
        continue; /* below */
      if (rows[i].loading != IDENTITY_OK)
        play(state, reading, 1);
      play(state, writing, 1);
    }
}

static void a_failing_store_is_done_without_where_the_app_allows_it(void **state) {
  static const scene scenes[] = {
      {"a new pair is held",
       {LOAD, SWAP_SAYS(FAILED), SEND(pair), SWAP_SAYS(FAILED), OVER},
       ENDS(OK, "new"),
       .in_memory = true,
       .rotation = true,
       .not_persisted = true},
      {"the store cannot be read either",
       {LOAD_SAYS(FAILED), SWAP_SAYS(FAILED), SEND(pair), SWAP_SAYS(FAILED), OVER},
       ENDS(OK, "new"),
       .in_memory = true,
       .rotation = true,
       .not_persisted = true},
      {"it can be written by then",
       {LOAD_SAYS(FAILED), SWAP, SEND(pair), SWAP, OVER},
       ENDS(OK, "new"),
       .in_memory = true,
       .rotation = true},
      {"not while the JWT does",
       {LOAD, SWAP_SAYS(FAILED), OVER},
       ENDS(STORE_FAILED, "refresh"),
       .in_memory = true},
      {"a failure is held, too",
       {LOAD, SWAP_SAYS(FAILED), SEND(reset), SWAP_SAYS(FAILED), OVER},
       ENDS(REFRESH_DEFERRED, "refresh"),
       .in_memory = true,
       .rotation = true,
       .not_persisted = true,
       .ambiguous = true,
       .cooldown_ms = SECOND},
      {"and stored when that can be done",
       {LOAD, SWAP_SAYS(FAILED), SEND(pair), SWAP, OVER},
       ENDS(OK, "new"),
       .in_memory = true,
       .rotation = true},
      {"a refusal looks at the store all the same",
       {LOAD, SWAP_SAYS(FAILED), SEND(rejected), LOAD_AFTER(other_rotates), OVER},
       ENDS(OK, "theirs"),
       .in_memory = true,
       .rotation = true},
  };
  play(state, scenes, COUNT(scenes));
}

/* Signed in while the store could not be read, and there is somebody in it. */
static void we_signed_in_unread(void) {
  other_signs_in();
  other_rotates();
  identity__grant grant = lent_grant("a.b.c", "refresh", LIFE);
  identity__machine_clear(&machine);
  init_machine(&machine, &self);
  assert_int_equal(hear_said(IDENTITY__SAID_LOCKED, 0), IDENTITY_STORE_LOCKED);
  assert_true(identity__machine_sign_in(&machine, &grant, NULL, 0, &next));
  identity__machine_commit(&machine, &next, 0, false);
}

/* The store can be read again at any step: it goes over who is there, with its pair. */
static void a_pair_of_who_signed_in_unread_is_not_dropped(void **state) {
  static const scene scenes[] = {
      {"the store comes back for the pair",
       {LOAD_SAYS(FAILED), SWAP_SAYS(FAILED), SEND(pair), SWAP, LOAD, SWAP, OVER},
       ENDS(OK, "new"),
       .prepare = we_signed_in_unread,
       .in_memory = true,
       .rotation = true},
      {"it comes back for the lease",
       {LOAD_SAYS(FAILED), SWAP, LOAD, SWAP, SEND(pair), SWAP, OVER},
       ENDS(OK, "new"),
       .prepare = we_signed_in_unread,
       .in_memory = true,
       .rotation = true},
      {"it comes back for the first look",
       {LOAD, SWAP, SEND(pair), SWAP, OVER},
       ENDS(OK, "new"),
       .prepare = we_signed_in_unread,
       .in_memory = true,
       .rotation = true},
      {"it comes back for a failure",
       {LOAD, SWAP, SEND(unsent), SWAP, OVER},
       ENDS(REFRESH_DEFERRED, "refresh"),
       .prepare = we_signed_in_unread,
       .in_memory = true,
       .rotation = true,
       .cooldown_ms = SECOND},
      {"it does not come back",
       {LOAD_SAYS(FAILED), SWAP_SAYS(FAILED), SEND(pair), SWAP_SAYS(FAILED), OVER},
       ENDS(OK, "new"),
       .prepare = we_signed_in_unread,
       .in_memory = true,
       .rotation = true,
       .not_persisted = true},
  };
  play(state, scenes, COUNT(scenes));
}

static void a_store_that_was_lost_is_written_over(void **state) {
  static const scene scenes[] = {
      {"lost", {LOAD_SAYS(LOST), SWAP, SEND(pair), SWAP, OVER}, ENDS(OK, "new")},
      {"gone", {LOAD_AFTER(slot_vanishes), SWAP, SEND(pair), SWAP, OVER}, ENDS(OK, "new")},
  };
  play(state, scenes, COUNT(scenes));
}

static void without_memory_nothing_is_leased(void **state) {
  static const scene scenes[] = {{"no memory", {LOAD_STARVED, OVER}, ENDS(OUT_OF_MEMORY, "refresh")}};
  play(state, scenes, COUNT(scenes));
}

static const struct CMUnitTest tests[] = {
    SLOT_TEST(it_goes_all_the_way),
    SLOT_TEST(what_another_handle_did_meanwhile_is_gone_over),
    SLOT_TEST(newer_records_are_taken_without_a_request),
    SLOT_TEST(a_lease_of_another_handle_is_respected),
    SLOT_TEST(looks_at_a_lease_come_further_and_further_apart),
    SLOT_TEST(a_lease_of_ours_counts_if_it_was_used),
    SLOT_TEST(a_late_release_begins_with_the_store_again),
    SLOT_TEST(who_loses_the_lease_looks_first),
    SLOT_TEST(nothing_is_sent_without_a_durable_lease),
    SLOT_TEST(a_failing_store_is_done_without_where_the_app_allows_it),
    SLOT_TEST(a_pair_of_who_signed_in_unread_is_not_dropped),
    SLOT_TEST(a_store_that_was_lost_is_written_over),
    SLOT_TEST(without_memory_nothing_is_leased),
};

SUITE("flight", tests)
