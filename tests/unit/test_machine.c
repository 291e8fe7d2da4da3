/* Who is signed in, and what a call that needs a token gets. */
#include "support/machines.h"

enum { GIVE = IDENTITY__ASK_GIVE, REFRESH = IDENTITY__ASK_REFRESH, FAIL = IDENTITY__ASK_FAIL };

static void a_new_machine_is_signed_out(void **state) {
  (void)state;
  identity__machine fresh;
  init_machine(&fresh, &self);
  CHECK_ASK("ask", identity__machine_ask(&fresh, start.boot_ms), FAIL, IDENTITY_SIGNED_OUT);
  CHECK_ASK("life", identity__machine_ask_life(&fresh, 0, start.boot_ms), FAIL, IDENTITY_SIGNED_OUT);
  CHECK_ASK("rotation", identity__machine_ask_rotation(&fresh, start.boot_ms), FAIL, IDENTITY_SIGNED_OUT);
  CHECK_ASK("rejected", identity__machine_rejected(&fresh, 0, 0, false, start.boot_ms), FAIL,
            IDENTITY_SIGNED_OUT);
  assert_int_equal(identity__machine_state(&fresh), IDENTITY_STATE_SIGNED_OUT);
  assert_int_equal(fresh.record.reason, IDENTITY_REASON_NEVER_SIGNED_IN);
  identity__machine_clear(&fresh);
}

static void a_blocked_store_answers_for_itself(void **state) {
  (void)state;
  machine.blocked = IDENTITY_STORE_LOCKED;
  CHECK_ASK("ask", identity__machine_ask(&machine, start.boot_ms), FAIL, IDENTITY_STORE_LOCKED);
  CHECK_ASK("life", identity__machine_ask_life(&machine, 0, start.boot_ms), FAIL, IDENTITY_STORE_LOCKED);
  CHECK_ASK("rotation", identity__machine_ask_rotation(&machine, start.boot_ms), FAIL, IDENTITY_STORE_LOCKED);
  assert_int_equal(identity__machine_state(&machine), IDENTITY_STATE_STORE_BLOCKED);
}

/* life / 30 within 5 to 60 s, never above life / 4 */
static const struct {
  const char *name;
  int64_t life_ms;
  int64_t margin_ms;
} margins[] = {
    {"15 minutes", 15 * MINUTE, 30 * SECOND},
    {"24 hours", DAY, MINUTE},
    {"30 minutes", 30 * MINUTE, MINUTE},
    {"a little less", 30 * MINUTE - 30, MINUTE - 1},
    {"150 s", 150 * SECOND, 5 * SECOND},
    {"180 s", 180 * SECOND, 6 * SECOND},
    {"20 s", 20 * SECOND, 5 * SECOND},
    {"16 s", 16 * SECOND, 4 * SECOND},
    {"1 s", SECOND, 250},
    {"7 days", 7 * DAY, MINUTE},
};

static void a_token_is_given_up_to_its_hard_margin(void **state) {
  (void)state;
  for (size_t i = 0; i < COUNT(margins); i++) {
    sign_in_with("refresh", margins[i].life_ms);
    int64_t edge = margins[i].life_ms - margins[i].margin_ms;
    CHECK_ASK(margins[i].name, identity__machine_ask(&machine, start.boot_ms), GIVE, IDENTITY_OK);
    CHECK_ASK(margins[i].name, identity__machine_ask(&machine, after(edge - 1).boot_ms), GIVE, IDENTITY_OK);
    CHECK_INT(margins[i].name, identity__machine_ask(&machine, after(edge - 1).boot_ms).remaining_ms,
              margins[i].margin_ms + 1);
    CHECK_ASK(margins[i].name, identity__machine_ask(&machine, after(edge).boot_ms), REFRESH, IDENTITY_OK);
    CHECK_ASK(margins[i].name, identity__machine_ask(&machine, after(100 * DAY).boot_ms), REFRESH,
              IDENTITY_OK);
  }
}

/* ---- time ---- */

static const struct {
  const char *name;
  int64_t wall_ms; /* absolute, 0: 5 minutes later */
  int64_t boot_ms;
  int64_t remaining_ms; /* -1: not known */
} clocks[] = {
    {"the boot clock runs", 0, 1300 * SECOND, 10 * MINUTE},
    {"the wall clock steps ahead", INT64_C(1890000000) * SECOND, 1300 * SECOND, 10 * MINUTE},
    {"the wall clock is set back", 1, 1300 * SECOND, 10 * MINUTE},
    {"looked at before another process asked for it", 0, 999 * SECOND, 15 * MINUTE},
    {"the boot clock ran backwards", 0, 939 * SECOND, -1},
    {"suspended for 8 hours", 0, 1000 * SECOND + 8 * HOUR, 0},
};

/* What a reboot makes of it: test_record_time. */
static void age_is_measured_on_the_boot_clock(void **state) {
  (void)state;
  for (size_t i = 0; i < COUNT(clocks); i++) {
    identity__now now = {clocks[i].boot_ms,
                         clocks[i].wall_ms != 0 ? clocks[i].wall_ms : start.wall_ms + 5 * MINUTE};
    CHECK_INT(clocks[i].name, identity__machine_remaining(&machine, now.boot_ms), clocks[i].remaining_ms);
    bool give = clocks[i].remaining_ms > 30 * SECOND;
    CHECK_ASK(clocks[i].name, identity__machine_ask(&machine, now.boot_ms), give ? GIVE : REFRESH,
              IDENTITY_OK);
  }
}

static void a_token_whose_age_was_lost_is_refreshed_before_use(void **state) {
  (void)state;
  machine.record.grant.age = IDENTITY__AGE_LOST;
  assert_int_equal(identity__machine_remaining(&machine, start.boot_ms), -1);
  assert_false(identity__machine_is_usable(&machine, start.boot_ms));
  CHECK_ASK("ask", identity__machine_ask(&machine, start.boot_ms), REFRESH, IDENTITY_OK);
  CHECK_ASK("life", identity__machine_ask_life(&machine, 0, start.boot_ms), REFRESH, IDENTITY_OK);
  fail_at(0, IDENTITY__VERDICT_UNSENT, MINUTE, 0);
  CHECK_ASK("cooldown", identity__machine_ask(&machine, start.boot_ms), FAIL, IDENTITY_REFRESH_DEFERRED);
}

static bool is_soft(identity__now now) {
  return now.boot_ms >= identity__machine_soft_ms(&machine);
}

/* Each is a moment in which it becomes worth replacing: 0.55 to 0.85 of its life, and all over that. */
enum { DRAWS = 1000, HUNDREDTHS = 100, SOFT_FIRST = 55, SOFT_LAST = 85 };

static void note_soft(const char *name, int draws[HUNDREDTHS + 1]) {
  int64_t birth = machine.record.grant.sent_boot_ms - start.boot_ms;
  CHECK(name, !is_soft(after(birth + LIFE * SOFT_FIRST / HUNDREDTHS - 1)));
  CHECK(name, is_soft(after(birth + LIFE * SOFT_LAST / HUNDREDTHS)));
  int64_t soft_ms = identity__machine_soft_ms(&machine) - machine.record.grant.sent_boot_ms;
  draws[soft_ms * HUNDREDTHS / LIFE]++;
}

/* Thirty-three would be in each hundredth; twice that is no chance, and neither is a fifth. */
static void check_spread(const char *name, const int draws[HUNDREDTHS + 1]) {
  for (int i = SOFT_FIRST; i < SOFT_LAST; i++)
    CHECK(name, draws[i] >= 7 && draws[i] <= 66);
}

static void a_token_is_worth_replacing_in_the_second_half_of_its_life(void **state) {
  (void)state;
  int draws[HUNDREDTHS + 1] = {0};
  for (int64_t i = 0; i < DRAWS; i++) {
    machine.record.grant.sent_boot_ms = start.boot_ms + i;
    note_soft("births", draws);
  }
  check_spread("births", draws);
}

/* Boxes that boot together ask in the same milliseconds since their start. */
static void tokens_of_one_birth_are_worth_replacing_at_different_times(void **state) {
  (void)state;
  int draws[HUNDREDTHS + 1] = {0};
  for (int i = 0; i < DRAWS; i++) {
    (void)snprintf(machine.self.owner, sizeof machine.self.owner, "%016x", (unsigned)i);
    note_soft("handles", draws);
  }
  check_spread("handles", draws);
}

/* Who was early in this life is not always early. */
static void one_handle_is_early_and_late(void **state) {
  (void)state;
  int draws[HUNDREDTHS + 1] = {0};
  for (int i = 0; i < DRAWS; i++) {
    note_soft("lives", draws);
    machine.record.grant.sent_boot_ms = identity__machine_soft_ms(&machine) + 200;
    machine.record.generation++;
  }
  check_spread("lives", draws);
}

static void what_cannot_be_replaced_or_measured_is_never_soft(void **state) {
  (void)state;
  machine.record.grant.age = IDENTITY__AGE_ADOPTED;
  assert_false(is_soft(after(DAY)));
  machine.record.grant.age = IDENTITY__AGE_LOST;
  assert_false(is_soft(after(DAY)));
  sign_in_with(NULL, LIFE);
  assert_false(is_soft(after(LIFE)));
}

/* ---- an adopted pair, and none to refresh with ---- */

static void an_adopted_token_is_used_until_it_is_refused(void **state) {
  (void)state;
  machine.record.grant.age = IDENTITY__AGE_ADOPTED;
  assert_int_equal(identity__machine_remaining(&machine, after(DAY).boot_ms), -1);
  CHECK_ASK("ask", identity__machine_ask(&machine, after(DAY).boot_ms), GIVE, IDENTITY_OK);
  CHECK_ASK("tokens refresh it first", identity__machine_ask_life(&machine, 0, start.boot_ms), REFRESH,
            IDENTITY_OK);
  CHECK_ASK("refused", identity__machine_rejected(&machine, 1, 1, false, start.boot_ms), REFRESH,
            IDENTITY_OK);
  CHECK_ASK("then it is over", identity__machine_ask(&machine, start.boot_ms), REFRESH, IDENTITY_OK);
}

static void an_adopted_token_is_given_while_a_cooldown_runs(void **state) {
  (void)state;
  machine.record.grant.age = IDENTITY__AGE_ADOPTED;
  fail_at(0, IDENTITY__VERDICT_UNSENT, 0, 0);
  CHECK_ASK("life", identity__machine_ask_life(&machine, 0, start.boot_ms), GIVE, IDENTITY_OK);
}

static void without_a_refresh_token_the_end_means_sign_in(void **state) {
  (void)state;
  sign_in_with(NULL, LIFE);
  CHECK_ASK("good", identity__machine_ask(&machine, start.boot_ms), GIVE, IDENTITY_OK);
  CHECK_ASK("in its margin", identity__machine_ask(&machine, after(LIFE - 1).boot_ms), GIVE, IDENTITY_OK);
  CHECK_ASK("over", identity__machine_ask(&machine, after(LIFE).boot_ms), FAIL, IDENTITY_SESSION_ENDED);
  CHECK_ASK("life", identity__machine_ask_life(&machine, HOUR, after(5 * MINUTE).boot_ms), GIVE, IDENTITY_OK);
  CHECK_ASK("rotation", identity__machine_ask_rotation(&machine, start.boot_ms), FAIL,
            IDENTITY_SESSION_ENDED);
  machine.record.grant.age = IDENTITY__AGE_ADOPTED;
  CHECK_ASK("adopted", identity__machine_ask_life(&machine, 0, start.boot_ms), GIVE, IDENTITY_OK);
  CHECK_ASK("adopted and refused",
            identity__machine_rejected(&machine, machine.record.epoch, machine.record.generation, false,
                                       start.boot_ms),
            FAIL, IDENTITY_SESSION_ENDED);
}

/* ---- asking for some life ---- */

static const struct {
  const char *name;
  int64_t age_ms;
  int64_t min_life_ms;
  int32_t verdict;
} lives[] = {
    {"enough", 5 * MINUTE, 10 * MINUTE - 1, GIVE},
    {"not quite", 5 * MINUTE, 10 * MINUTE, REFRESH},
    {"nothing asked", 5 * MINUTE, 0, GIVE},
    {"less than the margin asked", LIFE - 30 * SECOND, 1, REFRESH},
    {"more than any token has", 5 * MINUTE, DAY, REFRESH},
    {"more than any token has, but it is young", 59999, DAY, GIVE},
    {"and young no more", 60000, DAY, REFRESH},
    {"over", LIFE, 0, REFRESH},
    {"a negative wish is none", 5 * MINUTE, -5, GIVE},
    {"an absurd wish", 5 * MINUTE, INT64_MAX, REFRESH},
};

static void a_wished_life_refreshes_but_not_a_young_token(void **state) {
  (void)state;
  for (size_t i = 0; i < COUNT(lives); i++)
    CHECK_ASK(lives[i].name,
              identity__machine_ask_life(&machine, lives[i].min_life_ms, after(lives[i].age_ms).boot_ms),
              lives[i].verdict, IDENTITY_OK);
}

static void a_young_token_in_its_margin_is_refreshed_all_the_same(void **state) {
  (void)state;
  sign_in_with("refresh", 20 * SECOND);
  CHECK_ASK("give", identity__machine_ask_life(&machine, DAY, after(14999).boot_ms), GIVE, IDENTITY_OK);
  CHECK_ASK("refresh", identity__machine_ask_life(&machine, DAY, after(15000).boot_ms), REFRESH, IDENTITY_OK);
}

/* ---- flights and cooldowns ---- */

static void asking_while_a_refresh_flies_joins_it(void **state) {
  (void)state;
  fail_at(0, IDENTITY__VERDICT_BACKOFF, HOUR, 0);
  machine.flying = true;
  CHECK_ASK("still good", identity__machine_ask(&machine, start.boot_ms), GIVE, IDENTITY_OK);
  CHECK_ASK("over", identity__machine_ask(&machine, after(LIFE).boot_ms), REFRESH, IDENTITY_OK);
  CHECK_ASK("rotation", identity__machine_ask_rotation(&machine, start.boot_ms), REFRESH, IDENTITY_OK);
  CHECK_ASK("refused", identity__machine_rejected(&machine, 1, 1, false, start.boot_ms), REFRESH,
            IDENTITY_OK);
  assert_int_equal(identity__machine_state(&machine), IDENTITY_STATE_REFRESHING);
  assert_false(machine.dead);
  assert_int_equal(machine.record.caused_count, 0);
}

static void a_cooldown_gives_the_token_while_it_is_good_at_all(void **state) {
  (void)state;
  int64_t begun = LIFE - 20 * SECOND; /* inside the margin */
  fail_at(begun, IDENTITY__VERDICT_AMBIGUOUS, 40 * SECOND, 0);
  CHECK_ASK("margin", identity__machine_ask(&machine, after(begun).boot_ms), GIVE, IDENTITY_OK);
  CHECK_ASK("last moment", identity__machine_ask(&machine, after(LIFE - 1).boot_ms), GIVE, IDENTITY_OK);
  CHECK_ASK("over", identity__machine_ask(&machine, after(LIFE).boot_ms), FAIL, IDENTITY_REFRESH_DEFERRED);
  assert_int_equal(identity__machine_ask(&machine, after(LIFE).boot_ms).retry_after_ms, 20 * SECOND);
  CHECK_ASK("rotation", identity__machine_ask_rotation(&machine, after(begun).boot_ms), FAIL,
            IDENTITY_REFRESH_DEFERRED);
  CHECK_ASK("cooled down", identity__machine_ask(&machine, after(begun + 40 * SECOND).boot_ms), REFRESH,
            IDENTITY_OK);
  assert_int_equal(identity__machine_state(&machine), IDENTITY_STATE_STALE); /* until one succeeds */
}

static void a_rotation_may_be_asked_for_any_time(void **state) {
  (void)state;
  CHECK_ASK("fresh", identity__machine_ask_rotation(&machine, start.boot_ms), REFRESH, IDENTITY_OK);
}

static const struct {
  const char *name;
  identity__now now; /* of a cooldown of one hour begun at start */
  int64_t left_ms;
} coolings[] = {
    {"just begun", {1000 * SECOND, INT64_C(1790000000) * SECOND}, HOUR},
    {"last moment", {1000 * SECOND + HOUR - 1, 0}, 1},
    {"over", {1000 * SECOND + HOUR, 0}, 0},
    {"the wall clock is set ahead", {1000 * SECOND, INT64_C(1990000000) * SECOND}, HOUR},
    {"the wall clock is set back", {1000 * SECOND + MINUTE, 0}, 59 * MINUTE},
    {"the boot clock ran backwards: the longest there is", {-1000 * HOUR, 0}, 75 * MINUTE},
};

static void a_cooldown_is_not_stretched_by_a_clock(void **state) {
  (void)state;
  fail_at(0, IDENTITY__VERDICT_THROTTLED, HOUR, 0);
  for (size_t i = 0; i < COUNT(coolings); i++)
    CHECK_INT(coolings[i].name, identity__machine_cooldown_ms(&machine, coolings[i].now.boot_ms),
              coolings[i].left_ms);
}

static const struct CMUnitTest tests[] = {
    MACHINE_TEST(a_new_machine_is_signed_out),
    MACHINE_TEST(a_blocked_store_answers_for_itself),
    MACHINE_TEST(a_token_is_given_up_to_its_hard_margin),
    MACHINE_TEST(age_is_measured_on_the_boot_clock),
    MACHINE_TEST(a_token_whose_age_was_lost_is_refreshed_before_use),
    MACHINE_TEST(a_token_is_worth_replacing_in_the_second_half_of_its_life),
    MACHINE_TEST(tokens_of_one_birth_are_worth_replacing_at_different_times),
    MACHINE_TEST(one_handle_is_early_and_late),
    MACHINE_TEST(what_cannot_be_replaced_or_measured_is_never_soft),
    MACHINE_TEST(an_adopted_token_is_used_until_it_is_refused),
    MACHINE_TEST(an_adopted_token_is_given_while_a_cooldown_runs),
    MACHINE_TEST(without_a_refresh_token_the_end_means_sign_in),
    MACHINE_TEST(a_wished_life_refreshes_but_not_a_young_token),
    MACHINE_TEST(a_young_token_in_its_margin_is_refreshed_all_the_same),
    MACHINE_TEST(asking_while_a_refresh_flies_joins_it),
    MACHINE_TEST(a_cooldown_gives_the_token_while_it_is_good_at_all),
    MACHINE_TEST(a_rotation_may_be_asked_for_any_time),
    MACHINE_TEST(a_cooldown_is_not_stretched_by_a_clock),
};

SUITE("machine", tests)
