/* A 401 for a token of some (epoch, generation): resend, refresh or give up (I7, I9). */
#include "support/machines.h"

enum { GIVE = IDENTITY__ASK_GIVE, REFRESH = IDENTITY__ASK_REFRESH, FAIL = IDENTITY__ASK_FAIL };

static identity__ask rejected_at(int64_t ms, bool expired) {
  return identity__machine_rejected(&machine, machine.record.epoch, machine.record.generation, expired,
                                    after(ms).boot_ms);
}

static void a_token_in_its_life_that_is_refused_is_dead(void **state) {
  (void)state;
  CHECK_ASK("refused", rejected_at(5 * MINUTE, false), REFRESH, IDENTITY_OK);
  assert_true(machine.dead);
  assert_int_equal(identity__machine_remaining(&machine, after(5 * MINUTE).boot_ms), 0);
  CHECK_ASK("for others too", identity__machine_ask(&machine, after(5 * MINUTE).boot_ms), REFRESH,
            IDENTITY_OK);
  rotate_at(6 * MINUTE, LIFE);
  assert_false(machine.dead);
  CHECK_ASK("until the next one", identity__machine_ask(&machine, after(6 * MINUTE).boot_ms), GIVE,
            IDENTITY_OK);
}

static void a_refusal_of_an_older_token_is_resent_with_the_current_one(void **state) {
  (void)state;
  uint64_t generation = machine.record.generation;
  rotate_at(5 * MINUTE, LIFE);
  CHECK_ASK(
      "older generation",
      identity__machine_rejected(&machine, machine.record.epoch, generation, true, after(7 * MINUTE).boot_ms),
      GIVE, IDENTITY_OK);
  CHECK_ASK("older epoch",
            identity__machine_rejected(&machine, machine.record.epoch - 1, machine.record.generation, true,
                                       after(7 * MINUTE).boot_ms),
            GIVE, IDENTITY_OK);
  assert_false(machine.dead);
  assert_int_equal(machine.record.caused_count, 0);
}

static void a_refusal_of_an_older_token_joins_where_the_current_one_is_over(void **state) {
  (void)state;
  uint64_t generation = machine.record.generation;
  rotate_at(0, LIFE);
  CHECK_ASK(
      "over",
      identity__machine_rejected(&machine, machine.record.epoch, generation, false, after(LIFE).boot_ms),
      REFRESH, IDENTITY_OK);
  assert_int_equal(machine.record.caused_count, 0);
}

static const struct {
  const char *name;
  int64_t life_ms;
  int64_t age_ms;
  bool expired;
  bool refreshes;
} youths[] = {
    {"just issued", LIFE, 0, false, false},
    {"a moment before 60 s", LIFE, MINUTE - 1, false, false},
    {"60 s", LIFE, MINUTE, false, true},
    {"just issued, but the service says it is expired", LIFE, 0, true, true},
    {"short life, before its half", 30 * SECOND, 15 * SECOND - 1, false, false},
    {"short life, at its half", 30 * SECOND, 15 * SECOND, false, true},
};

static void a_young_token_is_not_worth_a_refresh(void **state) {
  (void)state;
  for (size_t i = 0; i < COUNT(youths); i++) {
    sign_in_with("refresh", youths[i].life_ms);
    machine.record.caused_count = 0;
    CHECK_ASK(youths[i].name, rejected_at(youths[i].age_ms, youths[i].expired),
              youths[i].refreshes ? REFRESH : FAIL, youths[i].refreshes ? IDENTITY_OK : IDENTITY_NOT_ALLOWED);
    CHECK_INT(youths[i].name, machine.dead, youths[i].refreshes);
    CHECK_INT(youths[i].name, machine.record.caused_count, youths[i].refreshes);
  }
}

/* Refreshes by age are limited by backoff alone. */
static void a_refusal_of_a_token_that_is_over_is_no_cause(void **state) {
  (void)state;
  for (int64_t i = 1; i <= 2 * IDENTITY__MAX_CAUSED; i++) {
    CHECK_ASK("over", rejected_at(i * LIFE, true), REFRESH, IDENTITY_OK);
    rotate_at(i * LIFE, LIFE);
  }
  assert_int_equal(machine.record.caused_count, 0);
  assert_int_equal(machine.counters.refused_tokens, 0);
}

static void a_token_of_unknown_age_is_not_young(void **state) {
  (void)state;
  machine.record.grant.age = IDENTITY__AGE_ADOPTED;
  CHECK_ASK("adopted", rejected_at(0, false), REFRESH, IDENTITY_OK);
}

/* Five refused tokens, each two minutes after it came: the fifth finds the budget spent. */
static void four_refreshes_an_hour_are_caused_by_refusals(void **state) {
  (void)state;
  int64_t now = 0;
  for (int i = 0; i < IDENTITY__MAX_CAUSED; i++) {
    now += 2 * MINUTE;
    CHECK_ASK("within", rejected_at(now, false), REFRESH, IDENTITY_OK);
    rotate_at(now, LIFE);
  }
  CHECK_ASK("spent", rejected_at(now + 2 * MINUTE, false), FAIL, IDENTITY_NOT_ALLOWED);
  CHECK_ASK("spent, even if it is expired", rejected_at(now + 2 * MINUTE, true), FAIL, IDENTITY_NOT_ALLOWED);
  assert_false(machine.dead);
  CHECK_ASK("the token is still given", identity__machine_ask(&machine, after(now + 2 * MINUTE).boot_ms),
            GIVE, IDENTITY_OK);
}

static void the_budget_comes_back_an_hour_after_each(void **state) {
  (void)state;
  for (int64_t i = 0; i < IDENTITY__MAX_CAUSED; i++) {
    CHECK_ASK("within", rejected_at((2 + 5 * i) * MINUTE, false), REFRESH, IDENTITY_OK);
    rotate_at((2 + 5 * i) * MINUTE, DAY);
  }
  CHECK_ASK("59 min", rejected_at(2 * MINUTE + HOUR - 1, false), FAIL, IDENTITY_NOT_ALLOWED);
  CHECK_ASK("60 min", rejected_at(2 * MINUTE + HOUR, false), REFRESH, IDENTITY_OK);
  rotate_at(2 * MINUTE + HOUR, DAY);
  CHECK_ASK("one came back, not four", rejected_at(5 * MINUTE + HOUR, false), FAIL, IDENTITY_NOT_ALLOWED);
  CHECK_ASK("the next", rejected_at(7 * MINUTE + HOUR, false), REFRESH, IDENTITY_OK);
}

static void the_budget_survives_rotations_and_failures(void **state) {
  (void)state;
  CHECK_ASK("refused", rejected_at(5 * MINUTE, false), REFRESH, IDENTITY_OK);
  fail_at(5 * MINUTE, IDENTITY__VERDICT_AMBIGUOUS, 0, 0);
  assert_int_equal(machine.record.caused_count, 1);
  rotate_at(6 * MINUTE, LIFE);
  assert_int_equal(machine.record.caused_count, 1);
  assert_int_equal(machine.record.caused_boot_ms[0], start.boot_ms + 5 * MINUTE);
}

/* It is the slot's, whoever is signed in. */
static void the_budget_survives_another_sign_in(void **state) {
  (void)state;
  CHECK_ASK("refused", rejected_at(5 * MINUTE, false), REFRESH, IDENTITY_OK);
  assert_true(identity__machine_sign_out(&machine, IDENTITY_REASON_LOGOUT, &next));
  commit_at(5 * MINUTE);
  sign_in_with("refresh", LIFE);
  assert_int_equal(machine.record.caused_count, 1);
  assert_true(identity__machine_end(&machine, IDENTITY_REASON_REFUSED, &next));
  commit_at(5 * MINUTE);
  assert_int_equal(machine.record.caused_count, 1);
}

static void a_dead_token_costs_the_budget_once(void **state) {
  (void)state;
  for (int i = 0; i < 10; i++)
    CHECK_ASK("again", rejected_at(5 * MINUTE, false), REFRESH, IDENTITY_OK);
  assert_int_equal(machine.record.caused_count, 1);
  assert_int_equal(machine.counters.refused_tokens, 1);
}

static void a_dead_token_waits_for_the_cooldown(void **state) {
  (void)state;
  CHECK_ASK("refused", rejected_at(5 * MINUTE, false), REFRESH, IDENTITY_OK);
  fail_at(5 * MINUTE, IDENTITY__VERDICT_UNSENT, 30 * SECOND, 0);
  assert_true(machine.dead);
  CHECK_ASK("cooldown", rejected_at(5 * MINUTE, false), FAIL, IDENTITY_REFRESH_DEFERRED);
  CHECK_ASK("ask", identity__machine_ask(&machine, after(5 * MINUTE).boot_ms), FAIL,
            IDENTITY_REFRESH_DEFERRED);
  CHECK_ASK("after it", rejected_at(5 * MINUTE + 30 * SECOND, false), REFRESH, IDENTITY_OK);
}

static void refreshes_by_age_do_not_touch_the_budget(void **state) {
  (void)state;
  sign_in_with("refresh", MINUTE);
  for (int64_t i = 1; i <= 20; i++) {
    CHECK_ASK("by age", identity__machine_ask(&machine, after(i * MINUTE).boot_ms), REFRESH, IDENTITY_OK);
    rotate_at(i * MINUTE, MINUTE); /* over when the next minute is */
  }
  assert_int_equal(machine.record.caused_count, 0);
}

static const struct CMUnitTest tests[] = {
    MACHINE_TEST(a_token_in_its_life_that_is_refused_is_dead),
    MACHINE_TEST(a_refusal_of_an_older_token_is_resent_with_the_current_one),
    MACHINE_TEST(a_refusal_of_an_older_token_joins_where_the_current_one_is_over),
    MACHINE_TEST(a_young_token_is_not_worth_a_refresh),
    MACHINE_TEST(a_refusal_of_a_token_that_is_over_is_no_cause),
    MACHINE_TEST(a_token_of_unknown_age_is_not_young),
    MACHINE_TEST(four_refreshes_an_hour_are_caused_by_refusals),
    MACHINE_TEST(the_budget_comes_back_an_hour_after_each),
    MACHINE_TEST(the_budget_survives_rotations_and_failures),
    MACHINE_TEST(the_budget_survives_another_sign_in),
    MACHINE_TEST(a_dead_token_costs_the_budget_once),
    MACHINE_TEST(a_dead_token_waits_for_the_cooldown),
    MACHINE_TEST(refreshes_by_age_do_not_touch_the_budget),
};

SUITE("machine rejected", tests)
