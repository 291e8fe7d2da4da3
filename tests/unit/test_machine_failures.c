/* What becomes of a session when a refresh fails: backoff, Retry-After, refusals. */
#include "support/machines.h"

static const uint64_t MOST = UINT64_MAX;

static int64_t cooldown_at(int64_t ms) {
  return identity__machine_cooldown_ms(&machine, after(ms).boot_ms);
}

static void backoff_grows_from_a_second_to_five_minutes(void **state) {
  (void)state;
  static const int64_t bounds[] = {2, 4, 8, 16, 32, 64, 128, 256, 300, 300, 300, 300};
  for (size_t i = 0; i < COUNT(bounds); i++) {
    char name[32];
    (void)snprintf(name, sizeof name, "failure %zu", i + 1);
    machine.record.failures = (int32_t)i;
    fail_at(0, IDENTITY__VERDICT_BACKOFF, 0, 0);
    CHECK_INT(name, cooldown_at(0), SECOND);
    machine.record.failures = (int32_t)i;
    int64_t range = (bounds[i] - 1) * SECOND + 1;
    fail_at(0, IDENTITY__VERDICT_BACKOFF, 0, (uint64_t)range - 1);
    CHECK_INT(name, cooldown_at(0), bounds[i] * SECOND);
    machine.record.failures = (int32_t)i;
    fail_at(0, IDENTITY__VERDICT_BACKOFF, 0, MOST);
    CHECK(name, cooldown_at(0) >= SECOND && cooldown_at(0) <= bounds[i] * SECOND);
    CHECK_INT(name, machine.record.failures, i + 1);
  }
}

/* ---- a service in trouble ---- */

enum { DEAD = 15 * 60, SPARE = DEAD - 31 }; /* seconds: the JWT is over; it is not yet within its margin */

static const struct {
  const char *name;
  int32_t failures; /* before */
  int64_t at_s;     /* of the JWT's life */
  int64_t least_s;
  int64_t most_s;
} troubles[] = {
    {"the JWT is over, first", 0, DEAD, 1, 30},
    {"the JWT is over, second", 1, DEAD, 200, 400},
    {"the JWT is over, third", 2, DEAD, 360, 570},
    {"the JWT is over, fourth", 3, DEAD, 360, 570},
    {"the JWT is over, at last", INT32_MAX, DEAD, 360, 570},
    {"the JWT lives, first", 0, SPARE, 200, 400},
    {"calls begin to wait for its replacement, first", 0, SPARE + 1, 1, 30},
    {"the JWT lives, second", 1, SPARE, 360, 570},
    {"the JWT lives, third", 2, SPARE, 360, 570},
    {"the JWT lives, at last", INT32_MAX, SPARE, 360, 570},
};

static int64_t trouble_wait(size_t row, int64_t retry_after_ms, uint64_t random) {
  const identity__failure failure = {.verdict = IDENTITY__VERDICT_THROTTLED,
                                     .retry_after_ms = retry_after_ms,
                                     .in_trouble = true,
                                     .random = random,
                                     .now = after(troubles[row].at_s * SECOND)};
  machine.record.failures = troubles[row].failures;
  fail_with(&failure);
  return cooldown_at(troubles[row].at_s * SECOND);
}

static void a_service_in_trouble_is_left_alone_for_longer(void **state) {
  (void)state;
  for (size_t i = 0; i < COUNT(troubles); i++) {
    const char *name = troubles[i].name;
    int64_t least = troubles[i].least_s * SECOND, most = troubles[i].most_s * SECOND;
    CHECK_INT(name, trouble_wait(i, 0, 0), least);
    CHECK_INT(name, trouble_wait(i, 0, (uint64_t)(most - least)), most);
    CHECK_INT(name, trouble_wait(i, 0, (uint64_t)(most - least) + 1), least); /* every moment between */
    CHECK_INT(name, trouble_wait(i, 0, 1), least + 1);
    int64_t any = trouble_wait(i, 0, MOST);
    CHECK(name, any >= least && any <= most);
    bool last = troubles[i].failures == INT32_MAX;
    CHECK_INT(name, machine.record.failures, troubles[i].failures + (last ? 0 : 1));
  }
}

/* Retry-After is a lower bound: what is less changes nothing, what is more has its quarter on top. */
static void a_service_in_trouble_is_left_alone_as_long_as_it_asks_for(void **state) {
  (void)state;
  for (size_t i = 0; i < COUNT(troubles); i++) {
    const char *name = troubles[i].name;
    int64_t least = troubles[i].least_s * SECOND;
    CHECK_INT(name, trouble_wait(i, SECOND / 2, 0), least);
    CHECK_INT(name, trouble_wait(i, least, 0), least);
    CHECK_INT(name, trouble_wait(i, 10 * MINUTE, 0), 10 * MINUTE);
    CHECK_INT(name, trouble_wait(i, 10 * MINUTE, (uint64_t)(150 * SECOND) << 16), 750 * SECOND);
    CHECK_INT(name, trouble_wait(i, INT64_MAX, 0), HOUR);
  }
}

/* A JWT that a 401 has ended, and one whose age a reboot has lost, are as good as over. */
static void a_jwt_that_is_no_use_is_over_for_a_service_in_trouble(void **state) {
  (void)state;
  const size_t alive = 5;
  assert_int_equal(trouble_wait(alive, 0, 0), 200 * SECOND);
  machine.dead = true;
  assert_int_equal(trouble_wait(alive, 0, 0), SECOND);
  sign_in_with("refresh", LIFE);
  machine.record.grant.age = IDENTITY__AGE_LOST;
  assert_int_equal(trouble_wait(alive, 0, 0), SECOND);
}

static void failures_are_counted_without_overflow(void **state) {
  (void)state;
  machine.record.failures = INT32_MAX;
  fail_at(0, IDENTITY__VERDICT_BACKOFF, 0, MOST);
  assert_int_equal(machine.record.failures, INT32_MAX);
  assert_true(cooldown_at(0) <= 5 * MINUTE);
}

enum { BACKOFF = 1985 }; /* alone, the longest by the dice below */

/* random: its upper 48 bits choose the quarter on top, the whole of it the backoff. */
static const struct {
  const char *name;
  int64_t retry_after_ms;
  int64_t least_ms;
  int64_t most_ms;
} retries[] = {
    {"none", 0, SECOND, BACKOFF},
    {"negative", -5 * SECOND, SECOND, BACKOFF},
    {"negative by a little", -5, SECOND, BACKOFF},
    {"a minute", MINUTE, MINUTE, 75 * SECOND},
    {"less than the backoff", 100, SECOND, BACKOFF},
    {"an hour", HOUR, HOUR, 75 * MINUTE},
    {"capped", 5 * HOUR, HOUR, 75 * MINUTE},
    {"absurd", INT64_MAX, HOUR, 75 * MINUTE},
};

static void retry_after_is_a_lower_bound_with_up_to_a_quarter_on_top(void **state) {
  (void)state;
  for (size_t i = 0; i < COUNT(retries); i++) {
    int64_t least = INT64_MAX, most = 0;
    int64_t quarter = (retries[i].most_ms - retries[i].least_ms) << 16;
    const uint64_t randoms[] = {0, (uint64_t)quarter, MOST, 1 << 16, 0x123456789ABCDEF0};
    for (size_t j = 0; j < COUNT(randoms); j++) {
      machine.record.failures = 0;
      fail_at(0, IDENTITY__VERDICT_THROTTLED, retries[i].retry_after_ms, randoms[j]);
      least = cooldown_at(0) < least ? cooldown_at(0) : least;
      most = cooldown_at(0) > most ? cooldown_at(0) : most;
    }
    CHECK_INT(retries[i].name, least, retries[i].least_ms);
    CHECK_INT(retries[i].name, most, retries[i].most_ms);
  }
}

static const struct {
  const char *name;
  int32_t verdict;
  int32_t standing;
  int32_t ambiguous;
  int32_t failures;
  int32_t refusals;
} verdicts[] = {
    {"UNSENT", IDENTITY__VERDICT_UNSENT, IDENTITY__RECORD_SIGNED_IN, 0, 1, 0},
    {"AMBIGUOUS", IDENTITY__VERDICT_AMBIGUOUS, IDENTITY__RECORD_SIGNED_IN, 1, 1, 0},
    {"THROTTLED", IDENTITY__VERDICT_THROTTLED, IDENTITY__RECORD_SIGNED_IN, 0, 1, 0},
    {"MISMATCH", IDENTITY__VERDICT_MISMATCH, IDENTITY__RECORD_SIGNED_IN, 1, 1, 0}, /* it was exchanged */
    {"BACKOFF", IDENTITY__VERDICT_BACKOFF, IDENTITY__RECORD_SIGNED_IN, 0, 1, 0},
    {"REFUSED", IDENTITY__VERDICT_REFUSED, IDENTITY__RECORD_SIGNED_IN, 0, 0, 1},
    {"REJECTED", IDENTITY__VERDICT_REJECTED, IDENTITY__RECORD_REAUTH, 0, 0, 0},
};

static void only_a_rejection_ends_the_session(void **state) {
  (void)state;
  for (size_t i = 0; i < COUNT(verdicts); i++) {
    sign_in_with("refresh", LIFE);
    uint64_t epoch = machine.record.epoch, generation = machine.record.generation;
    fail_at(0, verdicts[i].verdict, 0, 0);
    CHECK_INT(verdicts[i].name, machine.record.standing, verdicts[i].standing);
    CHECK_INT(verdicts[i].name, machine.record.ambiguous, verdicts[i].ambiguous);
    CHECK_INT(verdicts[i].name, machine.record.failures, verdicts[i].failures);
    CHECK_INT(verdicts[i].name, machine.record.refusals, verdicts[i].refusals);
    CHECK_INT(verdicts[i].name, machine.record.epoch, epoch);
    CHECK_INT(verdicts[i].name, machine.record.generation, generation);
    bool kept = verdicts[i].standing == IDENTITY__RECORD_SIGNED_IN;
    CHECK_TEXT(verdicts[i].name, machine.record.grant.refresh_token, kept ? "refresh" : NULL);
    CHECK_INT(verdicts[i].name, cooldown_at(0) > 0, kept);
  }
}

static void no_number_of_lost_answers_ends_the_session(void **state) {
  (void)state;
  static const int32_t kept[] = {IDENTITY__VERDICT_UNSENT, IDENTITY__VERDICT_AMBIGUOUS,
                                 IDENTITY__VERDICT_THROTTLED, IDENTITY__VERDICT_MISMATCH,
                                 IDENTITY__VERDICT_BACKOFF};
  for (int64_t i = 0; i < 1000; i++)
    fail_at(i * HOUR, kept[(size_t)i % COUNT(kept)], 0, (uint64_t)i);
  assert_int_equal(machine.record.standing, IDENTITY__RECORD_SIGNED_IN);
  assert_string_equal(machine.record.grant.refresh_token, "refresh");
}

static void a_rejection_after_a_lost_answer_is_a_lost_rotation(void **state) {
  (void)state;
  fail_at(0, IDENTITY__VERDICT_AMBIGUOUS, 0, 0);
  fail_at(MINUTE, IDENTITY__VERDICT_UNSENT, 0, 0); /* the mark stays */
  fail_at(HOUR, IDENTITY__VERDICT_REJECTED, 0, 0);
  assert_int_equal(machine.record.reason, IDENTITY_REASON_LOST_ROTATION);
  sign_in_with("refresh", LIFE);
  fail_at(0, IDENTITY__VERDICT_AMBIGUOUS, 0, 0);
  rotate_at(MINUTE, LIFE); /* it had not been lost */
  fail_at(HOUR, IDENTITY__VERDICT_REJECTED, 0, 0);
  assert_int_equal(machine.record.reason, IDENTITY_REASON_REFUSED);
}

static void a_late_pair_of_that_generation_wins_over_a_lost_rotation(void **state) {
  (void)state;
  identity__grant grant = lent_grant("l.a.te", "late", LIFE);
  identity__record late;
  assert_true(identity__machine_rotate(&machine, &grant, &late));
  fail_at(0, IDENTITY__VERDICT_AMBIGUOUS, 0, 0);
  fail_at(0, IDENTITY__VERDICT_REJECTED, 0, 0);
  identity__record_stamp(&late, machine.boot_id, start);
  assert_int_equal(hear_at(0, &late, 9), IDENTITY_OK);
  assert_string_equal(machine.record.grant.refresh_token, "late");
  assert_int_equal(identity__machine_ask(&machine, start.boot_ms).verdict, IDENTITY__ASK_GIVE);
}

/* ---- refusals that nobody has documented ---- */

static void unknown_refusals_wait_five_fifteen_then_sixty_minutes(void **state) {
  (void)state;
  static const int64_t waits[] = {5 * MINUTE, 15 * MINUTE, HOUR};
  for (size_t i = 0; i < COUNT(waits); i++) {
    fail_at(0, IDENTITY__VERDICT_REFUSED, 0, MOST);
    assert_int_equal(cooldown_at(0), waits[i]);
  }
  fail_at(0, IDENTITY__VERDICT_REFUSED, 0, 0);
  assert_int_equal(cooldown_at(0), HOUR);
  assert_int_equal(machine.record.standing, IDENTITY__RECORD_SIGNED_IN);
  assert_int_equal(machine.record.first_refusal_boot_ms, start.boot_ms);
}

static void an_unknown_refusal_waits_as_long_as_it_asks_for(void **state) {
  (void)state;
  fail_at(0, IDENTITY__VERDICT_REFUSED, 4 * MINUTE, 0);
  assert_int_equal(cooldown_at(0), 5 * MINUTE);
  fail_at(0, IDENTITY__VERDICT_REFUSED, 40 * MINUTE, 0);
  assert_int_equal(cooldown_at(0), 40 * MINUTE);
  fail_at(0, IDENTITY__VERDICT_REFUSED, 5 * HOUR, (uint64_t)(15 * MINUTE) << 16);
  assert_int_equal(cooldown_at(0), 75 * MINUTE);
}

static const struct {
  const char *name;
  int64_t second_ms;
  int64_t third_ms;
  bool ends;
} definites[] = {
    {"third after 20 minutes", 5 * MINUTE, 20 * MINUTE, false},
    {"third a moment before the hour", 5 * MINUTE, HOUR - 1, false},
    {"third at the hour", 5 * MINUTE, HOUR, true},
    {"third long after", 2 * DAY, 3 * DAY, true},
};

static void the_third_refusal_an_hour_after_the_first_is_definite(void **state) {
  (void)state;
  for (size_t i = 0; i < COUNT(definites); i++) {
    sign_in_with("refresh", LIFE);
    fail_at(0, IDENTITY__VERDICT_REFUSED, 0, 0);
    fail_at(definites[i].second_ms, IDENTITY__VERDICT_REFUSED, 0, 0);
    CHECK_INT(definites[i].name, machine.record.standing, IDENTITY__RECORD_SIGNED_IN);
    fail_at(definites[i].third_ms, IDENTITY__VERDICT_REFUSED, 0, 0);
    CHECK_INT(definites[i].name, machine.record.standing,
              definites[i].ends ? IDENTITY__RECORD_REAUTH : IDENTITY__RECORD_SIGNED_IN);
    if (definites[i].ends)
      CHECK_INT(definites[i].name, machine.record.reason, IDENTITY_REASON_REFUSED);
  }
}

static void a_refusal_two_hours_after_the_first_is_not_yet_definite(void **state) {
  (void)state;
  fail_at(0, IDENTITY__VERDICT_REFUSED, 0, 0);
  fail_at(2 * HOUR, IDENTITY__VERDICT_REFUSED, 0, 0);
  assert_int_equal(machine.record.standing, IDENTITY__RECORD_SIGNED_IN);
}

/* wall clock of the first refusal and of the third, boot clock 20 minutes later */
static const struct {
  const char *name;
  int64_t first_s;
  int64_t third_s;
} jumps[] = {
    {"set while running, from 1970", 100, INT64_C(1790000000)},
    {"set to an absurd year", INT64_C(1790000000), INT64_C(4000000000)},
    {"set back to 1970", INT64_C(1790000000), 100},
    {"set back a day", INT64_C(1790000000), INT64_C(1790000000) - 86400},
};

static void a_clock_that_jumps_does_not_end_the_session(void **state) {
  (void)state;
  for (size_t i = 0; i < COUNT(jumps); i++) {
    identity__now now = {start.boot_ms, jumps[i].first_s * SECOND};
    sign_in_with("refresh", LIFE);
    for (int refusal = 1; refusal <= 3; refusal++) {
      if (refusal == 3)
        now = (identity__now){start.boot_ms + 20 * MINUTE, jumps[i].third_s * SECOND};
      const identity__failure failure = {.verdict = IDENTITY__VERDICT_REFUSED, .now = now};
      fail_with(&failure);
    }
    CHECK_INT(jumps[i].name, machine.record.standing, IDENTITY__RECORD_SIGNED_IN);
    CHECK_INT(jumps[i].name, machine.record.first_refusal_boot_ms, start.boot_ms);
  }
}

static const struct CMUnitTest tests[] = {
    MACHINE_TEST(backoff_grows_from_a_second_to_five_minutes),
    MACHINE_TEST(a_service_in_trouble_is_left_alone_for_longer),
    MACHINE_TEST(a_service_in_trouble_is_left_alone_as_long_as_it_asks_for),
    MACHINE_TEST(a_jwt_that_is_no_use_is_over_for_a_service_in_trouble),
    MACHINE_TEST(failures_are_counted_without_overflow),
    MACHINE_TEST(retry_after_is_a_lower_bound_with_up_to_a_quarter_on_top),
    MACHINE_TEST(only_a_rejection_ends_the_session),
    MACHINE_TEST(no_number_of_lost_answers_ends_the_session),
    MACHINE_TEST(a_rejection_after_a_lost_answer_is_a_lost_rotation),
    MACHINE_TEST(a_late_pair_of_that_generation_wins_over_a_lost_rotation),
    MACHINE_TEST(unknown_refusals_wait_five_fifteen_then_sixty_minutes),
    MACHINE_TEST(an_unknown_refusal_waits_as_long_as_it_asks_for),
    MACHINE_TEST(the_third_refusal_an_hour_after_the_first_is_definite),
    MACHINE_TEST(a_refusal_two_hours_after_the_first_is_not_yet_definite),
    MACHINE_TEST(a_clock_that_jumps_does_not_end_the_session),
};

SUITE("machine failures", tests)
