/* A refresh that is refused: before that ends a session, the store is read again, and has to take it. */
#include "support/allocations.h"
#include "support/flights.h"

static const int64_t LEASE = IDENTITY__LEASE_MS;

static void two_refusals_an_hour_ago(void) {
  machine.record.refusals = 2;
  machine.record.first_refusal_boot_ms = start.boot_ms - HOUR;
  assert_true(identity__record_copy(&slot.record, &machine.record));
}

static void what_the_store_holds_wins_over_a_refusal(void **state) {
  const scene scenes[] = {
      {"a newer pair", {LOAD, SWAP, SEND(rejected), LOAD_AFTER(other_rotates), OVER}, ENDS(OK, "theirs")},
      {"a newer pair, unknown refusal",
       {LOAD, SWAP, SEND(refused), LOAD_AFTER(other_rotates), OVER},
       ENDS(OK, "theirs")},
      {"another pair of the same numbers",
       {LOAD, SWAP, SEND(rejected), LOAD_AFTER(other_rivals), OVER},
       ENDS(OK, "theirs")},
      {"another pair of the same numbers, between reading and writing",
       {LOAD, SWAP, SEND(rejected), LOAD, SWAP_AFTER(other_rivals), LOAD, OVER},
       ENDS(OK, "theirs")},
      {"somebody signed in",
       {LOAD, SWAP, SEND(rejected), LOAD_AFTER(other_signs_in), OVER},
       ENDS(OK, "another")},
      {"signed out",
       {LOAD, SWAP, SEND(rejected), LOAD_AFTER(other_signs_out), OVER},
       ENDS_FOR(SIGNED_OUT, OTHER_PROCESS)},
      {"declared lost",
       {LOAD, SWAP, SEND(rejected), LOAD_AFTER(other_loses), OVER},
       ENDS_FOR(SESSION_ENDED, LOST_ROTATION)},
      {"notes",
       {LOAD, SWAP, SEND(rejected), LOAD_AFTER(other_notes), SWAP, OVER},
       ENDS_FOR(SESSION_ENDED, REFUSED)},
      {"lost", {LOAD, SWAP, SEND(rejected), LOAD_SAYS(LOST), SWAP, OVER}, ENDS_FOR(SESSION_ENDED, REFUSED)},
      {"it cannot be read",
       {LOAD, SWAP, SEND(rejected), LOAD_SAYS(LOCKED), SWAP, OVER},
       ENDS(REFRESH_DEFERRED, "refresh"),
       .cooldown_ms = SECOND},
      {"it cannot be read nor written",
       {LOAD, SWAP, SEND(rejected), LOAD_SAYS(FAILED), SWAP_SAYS(FAILED), OVER},
       ENDS(REFRESH_DEFERRED, "refresh"),
       .not_persisted = true,
       .cooldown_ms = SECOND,
       .lease_ms = LEASE},
      {"it is of a newer library",
       {LOAD, SWAP, SEND(rejected), LOAD_SAYS(NEWER), SWAP_SAYS(NEWER), OVER},
       ENDS(REFRESH_DEFERRED, "refresh"),
       .not_persisted = true,
       .cooldown_ms = SECOND,
       .lease_ms = LEASE},
      {"no memory to read it",
       {LOAD, SWAP, SEND(refused), LOAD_SAYS(MEMORY), SWAP, OVER},
       ENDS(REFRESH_DEFERRED, "refresh"),
       .cooldown_ms = SECOND},
      {"somebody rotates between reading and writing",
       {LOAD, SWAP, SEND(rejected), LOAD, SWAP_AFTER(other_rotates), LOAD, OVER},
       ENDS(OK, "theirs")},
  };
  play(state, scenes, COUNT(scenes));
}

static const int64_t SLOW = 76 * 1000; /* our lease is over, and another handle has taken it */

static void another_handle_s_attempt_wins_over_a_refusal(void **state) {
  const scene scenes[] = {
      {"the JWT does",
       {LOAD, SWAP, SEND_LATER(SLOW, rejected), LOAD_AFTER(other_leases), OVER},
       ENDS(REFRESH_DEFERRED, "refresh"),
       .ambiguous = true,
       .lease_ms = LEASE},
      {"a lost answer leaves their lease alone",
       {LOAD, SWAP, SEND_LATER(SLOW, reset), SWAP_AFTER(other_leases), LOAD, SWAP, OVER},
       ENDS(REFRESH_DEFERRED, "refresh"),
       .ambiguous = true,
       .cooldown_ms = SECOND,
       .lease_ms = LEASE},
      {"an unknown refusal is not counted",
       {LOAD, SWAP, SEND_LATER(SLOW, refused), LOAD_AFTER(other_leases), OVER},
       ENDS(REFRESH_DEFERRED, "refresh"),
       .ambiguous = true,
       .lease_ms = LEASE},
      {"a dead JWT waits for their pair",
       {LOAD, SWAP, SEND_LATER(SLOW, rejected), LOAD_AFTER(other_leases), WAIT, LOAD_AFTER(other_rotates),
        OVER},
       ENDS(OK, "theirs"),
       .begins_ms = LIFE},
      {"they are refused, too",
       {LOAD, SWAP, SEND_LATER(SLOW, rejected), LOAD_AFTER(other_leases), WAIT, LOAD_AFTER(other_loses),
        OVER},
       ENDS_FOR(SESSION_ENDED, LOST_ROTATION),
       .begins_ms = LIFE},
      {"nothing comes of theirs",
       {LOAD, SWAP, SEND_LATER(SLOW, rejected), LOAD_AFTER(other_leases), WAIT, LOAD_LATER(LEASE), SWAP,
        SEND(rejected), LOAD, SWAP, OVER},
       ENDS_FOR(SESSION_ENDED, LOST_ROTATION),
       .begins_ms = LIFE},
  };
  play(state, scenes, COUNT(scenes));
}

/* A session ends by a swap that is taken, or not at all: another handle may have stored a good pair. */
static void an_end_that_the_store_does_not_take_is_none(void **state) {
  const scene scenes[] = {
      {"it fails for the end alone",
       {LOAD, SWAP, SEND(rejected), LOAD, SWAP_SAYS(FAILED), SWAP, OVER},
       ENDS(REFRESH_DEFERRED, "refresh"),
       .cooldown_ms = SECOND},
      {"it fails",
       {LOAD, SWAP, SEND(rejected), LOAD, SWAP_SAYS(FAILED), SWAP_SAYS(FAILED), OVER},
       ENDS(REFRESH_DEFERRED, "refresh"),
       .not_persisted = true,
       .cooldown_ms = SECOND,
       .lease_ms = LEASE},
      {"it is locked",
       {LOAD, SWAP, SEND(rejected), LOAD, SWAP_SAYS(LOCKED), SWAP_SAYS(LOCKED), OVER},
       ENDS(REFRESH_DEFERRED, "refresh"),
       .not_persisted = true,
       .cooldown_ms = SECOND,
       .lease_ms = LEASE},
      {"it cannot be read after a conflict",
       {LOAD, SWAP, SEND(rejected), LOAD, SWAP_AFTER(other_notes), LOAD_SAYS(LOCKED), SWAP_SAYS(LOCKED),
        OVER},
       ENDS(REFRESH_DEFERRED, "refresh"),
       .not_persisted = true,
       .cooldown_ms = SECOND,
       .lease_ms = LEASE},
      {"a newer pair was there",
       {LOAD, SWAP, SEND(rejected), LOAD, SWAP_SAYS(FAILED), SWAP_AFTER(other_rotates), LOAD, OVER},
       ENDS(OK, "theirs")},
      {"the third unknown refusal",
       {LOAD, SWAP, SEND(refused), LOAD, SWAP_SAYS(FAILED), SWAP, OVER},
       ENDS(REFRESH_DEFERRED, "refresh"),
       .prepare = two_refusals_an_hour_ago,
       .cooldown_ms = SECOND},
      {"where tokens may live in memory, so may an end",
       {LOAD, SWAP, SEND(rejected), LOAD, SWAP_SAYS(FAILED), OVER},
       ENDS_FOR(SESSION_ENDED, REFUSED),
       .in_memory = true,
       .not_persisted = true,
       .lease_ms = LEASE},
  };
  play(state, scenes, COUNT(scenes));
}

static const struct CMUnitTest tests[] = {
    SLOT_TEST(what_the_store_holds_wins_over_a_refusal),
    SLOT_TEST(another_handle_s_attempt_wins_over_a_refusal),
    SLOT_TEST(an_end_that_the_store_does_not_take_is_none),
};

SUITE("flight refusals", tests)
