/* The mark of a refresh in flight: whose it is, and how long its attempt may still run. */
#include "support/machines.h"

#include "token/lease.h"

#define TOKEN "a-refresh-token"

enum { BEGUN = 1000000 };

static identity__lease lease;

static int begin(void **state) {
  (void)state;
  identity__lease_take(&lease, &self, TOKEN, BEGUN);
  return 0;
}

static int64_t left_at(int64_t ms, bool owner_gone) {
  return identity__lease_left_ms(&lease, TOKEN, owner_gone, BEGUN + ms);
}

static void a_lease_says_whose_it_is(void **state) {
  (void)state;
  const identity__lease whose = {
      .owner = "12345678901234567890123", .process = 1, .process_start = 2, .process_space = 3};
  identity__lease_take(&lease, &whose, TOKEN, BEGUN);
  assert_string_equal(lease.owner, whose.owner);
  assert_int_equal(lease.process, 1);
  assert_int_equal(lease.process_start, 2);
  assert_int_equal(lease.process_space, 3);
  assert_int_equal(lease.begun_boot_ms, BEGUN);
  assert_int_equal(lease.ends_boot_ms, BEGUN + IDENTITY__LEASE_MS);
  assert_true(identity__lease_is_ours(&lease, &whose));
  identity__lease almost = whose; /* another handle of the same process */
  almost.owner[22] = '4';
  assert_false(identity__lease_is_ours(&lease, &almost));
}

static void no_lease_is_nobody_s(void **state) {
  (void)state;
  const identity__lease none = {0};
  assert_false(identity__lease_is_ours(&self, &self));
  assert_false(identity__lease_is_ours(&none, &none));
  assert_int_equal(identity__lease_left_ms(&none, TOKEN, false, 0), 0);
}

static const char *const tokens[] = {TOKEN, "a-refresh-tokem", "b-refresh-token", "a-refresh-token ", "",
                                     "a"};

static void a_fingerprint_tells_tokens_apart(void **state) {
  (void)state;
  char prints[COUNT(tokens)][sizeof lease.fingerprint];
  for (size_t i = 0; i < COUNT(tokens); i++) {
    identity__lease_take(&lease, &self, tokens[i], BEGUN);
    memcpy(prints[i], lease.fingerprint, sizeof prints[i]);
    CHECK_INT(tokens[i], strlen(prints[i]), 16);
    for (size_t j = 0; j < i; j++)
      CHECK(tokens[i], strcmp(prints[i], prints[j]) != 0);
    for (size_t j = 0; j < COUNT(tokens); j++)
      CHECK_INT(tokens[j], identity__lease_left_ms(&lease, tokens[j], false, BEGUN) > 0, i == j);
  }
}

/* Of a token of its own alphabet and length, too: no piece of it is in the fingerprint at its place. */
static void a_fingerprint_does_not_show_the_token(void **state) {
  (void)state;
  static const char token[] = "0123456789abcdef0123456789abcdef";
  identity__lease_take(&lease, &self, token, BEGUN);
  for (size_t i = 0; i + 4 <= sizeof token - 1; i++) {
    char piece[5] = {0};
    memcpy(piece, token + i, 4);
    CHECK(piece, strstr(lease.fingerprint, piece) == NULL);
  }
  char *longest = repeated('x', IDENTITY__MAX_TOKEN);
  identity__lease_take(&lease, &self, longest, BEGUN);
  assert_int_equal(strlen(lease.fingerprint), 16);
  assert_null(strchr(lease.fingerprint, 'x'));
  free(longest);
}

static const struct {
  const char *name;
  int64_t ms; /* after it began */
  bool owner_gone;
  int64_t left_ms;
} times[] = {
    {"just begun", 0, false, 75 * SECOND},
    {"last moment", 75 * SECOND - 1, false, 1},
    {"over", 75 * SECOND, false, 0},
    {"long over", 100 * DAY, false, 0},
    {"its owner is dead", 0, true, 10 * SECOND},
    {"its owner is dead, last moment", 10 * SECOND - 1, true, 1},
    {"its owner is dead, over", 10 * SECOND, true, 0},
    {"stored after we looked at the clock", -1000, false, 76 * SECOND},
    {"from a clock that ran ahead: must not last for ever", -1001, false, 0},
    {"from far ahead", -100 * DAY, false, 0},
};

static void an_attempt_may_run_as_long_as_its_lease(void **state) {
  (void)state;
  for (size_t i = 0; i < COUNT(times); i++)
    CHECK_INT(times[i].name, left_at(times[i].ms, times[i].owner_gone), times[i].left_ms);
}

static void of_another_refresh_token_nothing_runs(void **state) {
  (void)state;
  assert_int_equal(identity__lease_left_ms(&lease, "its successor", false, BEGUN), 0);
}

static void an_orphan_is_over_ten_seconds_after_it_began(void **state) {
  (void)state;
  identity__lease_orphan(&lease);
  assert_int_equal(left_at(10 * SECOND - 1, false), 1);
  assert_int_equal(left_at(10 * SECOND, false), 0);
  assert_true(identity__lease_is_ours(&lease, &self));
  lease.ends_boot_ms = BEGUN + 3;
  identity__lease_orphan(&lease); /* never longer than it was */
  assert_int_equal(left_at(2, true), 1);
  assert_int_equal(left_at(3, true), 0);
}

static void no_stored_end_is_later_than_a_lease_lasts(void **state) {
  (void)state;
  lease.ends_boot_ms = INT64_MAX;
  assert_int_equal(left_at(75 * SECOND - 1, false), 1);
  assert_int_equal(left_at(75 * SECOND, false), 0);
}

static void taken_again_it_begins_anew(void **state) {
  (void)state;
  identity__lease_orphan(&lease);
  identity__lease_take(&lease, &self, TOKEN, BEGUN + MINUTE);
  assert_int_equal(left_at(MINUTE, false), 75 * SECOND);
}

#define TEST(name) cmocka_unit_test_setup(name, begin)

static const struct CMUnitTest tests[] = {
    TEST(a_lease_says_whose_it_is),
    TEST(no_lease_is_nobody_s),
    TEST(a_fingerprint_tells_tokens_apart),
    TEST(a_fingerprint_does_not_show_the_token),
    TEST(an_attempt_may_run_as_long_as_its_lease),
    TEST(of_another_refresh_token_nothing_runs),
    TEST(an_orphan_is_over_ten_seconds_after_it_began),
    TEST(no_stored_end_is_later_than_a_lease_lasts),
    TEST(taken_again_it_begins_anew),
};

SUITE("lease", tests)
