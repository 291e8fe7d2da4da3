/* How the moments of a stored record go on counting in another process, and after a reboot. */
#include "support/machines.h"

enum { GIVE = IDENTITY__ASK_GIVE, REFRESH = IDENTITY__ASK_REFRESH };

/* Signed in at start; written a minute later, with a moment of each kind in it. */
static int begin(void **state) {
  (void)begin_machine(state);
  identity__record *record = &machine.record;
  record->caused_count = 2;
  record->caused_boot_ms[0] = after(10 * SECOND).boot_ms;
  record->caused_boot_ms[1] = after(20 * SECOND).boot_ms;
  record->refusals = 1;
  record->first_refusal_boot_ms = after(30 * SECOND).boot_ms;
  record->cooldown_boot_ms = after(10 * MINUTE).boot_ms;
  identity__lease_take(&record->lease, &self, record->grant.refresh_token, after(40 * SECOND).boot_ms);
  identity__record_stamp(record, machine.boot_id, after(MINUTE));
  return 0;
}

static void rebase(const char *boot, identity__now now) {
  char boot_id[IDENTITY__BOOT_ID_SIZE] = {0};
  memcpy(boot_id, boot, strlen(boot));
  identity__record_rebase(&machine.record, boot_id, now);
}

/* Whether the machine's record is still what was kept. */
static identity__buffer kept_bytes, bytes;

static void keep(void) {
  identity__buffer_init(&kept_bytes, IDENTITY__MAX_RECORD);
  identity__buffer_init(&bytes, IDENTITY__MAX_RECORD);
  assert_true(identity__record_encode(&machine.record, "binding", &kept_bytes));
}

static bool is_as_kept(void) {
  identity__buffer_reset(&bytes);
  assert_true(identity__record_encode(&machine.record, "binding", &bytes));
  return bytes.length == kept_bytes.length && memcmp(bytes.bytes, kept_bytes.bytes, bytes.length) == 0;
}

static int end(void **state) {
  identity__buffer_free(&kept_bytes);
  identity__buffer_free(&bytes);
  return end_machine(state);
}

static void a_stamp_notes_both_clocks(void **state) {
  (void)state;
  assert_string_equal(machine.record.boot_id, BOOT);
  assert_int_equal(machine.record.written_boot_ms, start.boot_ms + MINUTE);
  assert_int_equal(machine.record.written_wall_ms, start.wall_ms + MINUTE);
}

/* ---- the same boot ---- */

static const struct {
  const char *name;
  identity__now now;
} same_boots[] = {
    {"at once", {1060 * SECOND, INT64_C(1790000060) * SECOND}},
    {"later", {5000 * SECOND, INT64_C(1790004000) * SECOND}},
    {"the wall clock steps ahead", {1100 * SECOND, INT64_C(1890000000) * SECOND}},
    {"the wall clock is set back to 1970", {1100 * SECOND, 1}},
    {"written by another process after we looked at the clock", {1059 * SECOND, 1}},
    {"the same, at its bound", {1000 * SECOND, 1}},
};

static void in_the_same_boot_nothing_changes(void **state) {
  (void)state;
  keep();
  for (size_t i = 0; i < COUNT(same_boots); i++) {
    rebase(BOOT, same_boots[i].now);
    CHECK(same_boots[i].name, is_as_kept());
  }
}

static void a_boot_clock_that_ran_backwards_is_as_good_as_a_reboot(void **state) {
  (void)state;
  const identity__now now = {1000 * SECOND - 1, start.wall_ms + 2 * MINUTE};
  rebase(BOOT, now);
  assert_int_equal(identity__machine_remaining(&machine, now.boot_ms), LIFE - 2 * MINUTE);
  assert_string_equal(machine.record.lease.fingerprint, "");
  assert_int_equal(machine.record.ambiguous, 1);
}

/* ---- another boot ---- */

static const struct {
  const char *name;
  int64_t wall_ms; /* when it was written, 0: a minute after start */
  identity__now now;
  int64_t remaining_ms; /* -1: not known */
  int64_t cooldown_ms;
} reboots[] = {
    {"5 minutes later", 0, {20 * SECOND, INT64_C(1790000300) * SECOND}, 10 * MINUTE, 5 * MINUTE},
    {"boot clock looks later", 0, {5000 * SECOND, INT64_C(1790000300) * SECOND}, 10 * MINUTE, 5 * MINUTE},
    {"at once", 0, {0, INT64_C(1790000060) * SECOND}, 14 * MINUTE, 9 * MINUTE},
    {"a moment before the JWT ends", 0, {0, INT64_C(1790000900) * SECOND - 1}, 1, 0},
    {"as it ends", 0, {0, INT64_C(1790000900) * SECOND}, 0, 0},
    {"a moment before the cooldown ends", 0, {7, INT64_C(1790000600) * SECOND - 1}, 5 * MINUTE + 1, 1},
    {"as it ends", 0, {7, INT64_C(1790000600) * SECOND}, 5 * MINUTE, 0},
    {"400 days later", 0, {20 * SECOND, INT64_C(1790000060) * SECOND + 400 * DAY}, 0, 0},
    {"in an absurd year", 0, {20 * SECOND, INT64_C(1790000060) * SECOND + 400 * DAY + 1}, -1, 0},
    {"after 2038", 0, {20 * SECOND, INT64_C(2200000000) * SECOND}, -1, 0},
    {"in 1970", 0, {20 * SECOND, 20 * SECOND}, -1, 0},
    {"a second before the release", 0, {20 * SECOND, INT64_C(1767225599) * SECOND}, -1, 0},
    {"set back a moment", 0, {20 * SECOND, INT64_C(1790000060) * SECOND - 1}, -1, 0},
    {"set back a day", 0, {20 * SECOND, INT64_C(1790000060) * SECOND - DAY}, -1, 0},
    {"written in 1970, then a good clock", 30 * SECOND, {20 * SECOND, INT64_C(1790000060) * SECOND}, -1, 0},
    {"written and read in 1970", 30 * SECOND, {20 * SECOND, 40 * SECOND}, -1, 0},
    {"written before the release", INT64_C(1767225599) * SECOND, {0, INT64_C(1767225601) * SECOND}, -1, 0},
    {"written and read at the release",
     INT64_C(1767225600) * SECOND,
     {0, INT64_C(1767225600) * SECOND},
     LIFE - MINUTE,
     9 * MINUTE},
};

/* Of a record that was written a minute after it began: how long ago, by what is known after the reboot. */
static void check_moments(size_t row) {
  const identity__record *record = &machine.record;
  int64_t now = reboots[row].now.boot_ms;
  bool known = reboots[row].remaining_ms >= 0;
  int64_t ago = now - record->grant.sent_boot_ms; /* since start, where that is known */
  CHECK_INT(reboots[row].name, record->grant.age, known ? IDENTITY__AGE_KNOWN : IDENTITY__AGE_LOST);
  CHECK_INT(reboots[row].name, now - record->caused_boot_ms[0], known ? ago - 10 * SECOND : 0);
  CHECK_INT(reboots[row].name, now - record->caused_boot_ms[1], known ? ago - 20 * SECOND : 0);
  CHECK_INT(reboots[row].name, now - record->first_refusal_boot_ms, known ? ago - 30 * SECOND : 0);
  CHECK_INT(reboots[row].name, record->refusals, 1);
  CHECK_INT(reboots[row].name, record->caused_count, 2);
  CHECK_TEXT(reboots[row].name, record->lease.fingerprint, "");
  CHECK_INT(reboots[row].name, record->ambiguous, 1); /* nobody has heard what became of its attempt */
}

static void after_a_reboot_the_wall_clock_tells_what_has_passed(void **state) {
  for (size_t i = 0; i < COUNT(reboots); i++) {
    (void)end_machine(state);
    (void)begin(state);
    if (reboots[i].wall_ms != 0)
      machine.record.written_wall_ms = reboots[i].wall_ms;
    rebase(OTHER_BOOT, reboots[i].now);
    CHECK_INT(reboots[i].name, identity__machine_remaining(&machine, reboots[i].now.boot_ms),
              reboots[i].remaining_ms);
    CHECK_INT(reboots[i].name, identity__machine_cooldown_ms(&machine, reboots[i].now.boot_ms),
              reboots[i].cooldown_ms);
    check_moments(i);
    machine.record.cooldown_boot_ms = 0;
    bool give = reboots[i].remaining_ms > 30 * SECOND;
    CHECK_ASK(reboots[i].name, identity__machine_ask(&machine, reboots[i].now.boot_ms), give ? GIVE : REFRESH,
              IDENTITY_OK);
  }
}

/* It counts from the new stamp: a second look in the new boot changes nothing. */
static void what_was_moved_stays(void **state) {
  (void)state;
  const identity__now now = {20 * SECOND, start.wall_ms + 5 * MINUTE};
  rebase(OTHER_BOOT, now);
  assert_string_equal(machine.record.boot_id, OTHER_BOOT);
  assert_int_equal(machine.record.written_boot_ms, now.boot_ms);
  assert_int_equal(machine.record.written_wall_ms, now.wall_ms);
  keep();
  const identity__now later = {now.boot_ms + MINUTE, now.wall_ms + MINUTE};
  rebase(OTHER_BOOT, later);
  assert_true(is_as_kept());
  assert_int_equal(identity__machine_remaining(&machine, later.boot_ms), LIFE - 6 * MINUTE);
}

static void two_reboots_add_up(void **state) {
  (void)state;
  const identity__now first = {20 * SECOND, start.wall_ms + 5 * MINUTE};
  const identity__now second = {3 * SECOND, start.wall_ms + 7 * MINUTE};
  rebase(OTHER_BOOT, first);
  rebase("a third boot", second);
  assert_int_equal(identity__machine_remaining(&machine, second.boot_ms), LIFE - 7 * MINUTE);
  assert_int_equal(identity__machine_cooldown_ms(&machine, second.boot_ms), 3 * MINUTE);
}

static void a_lost_age_does_not_come_back(void **state) {
  (void)state;
  const identity__now dark = {20 * SECOND, 20 * SECOND};
  const identity__now good = {3 * SECOND, start.wall_ms + 7 * MINUTE};
  rebase(OTHER_BOOT, dark);
  rebase("a third boot", good);
  assert_int_equal(machine.record.grant.age, IDENTITY__AGE_LOST);
  assert_int_equal(identity__machine_remaining(&machine, good.boot_ms), -1);
}

static void an_adopted_token_is_used_after_a_reboot_too(void **state) {
  (void)state;
  const identity__now dark = {20 * SECOND, 20 * SECOND};
  machine.record.grant.age = IDENTITY__AGE_ADOPTED;
  rebase(OTHER_BOOT, dark);
  assert_int_equal(machine.record.grant.age, IDENTITY__AGE_ADOPTED);
  CHECK_ASK("ask", identity__machine_ask(&machine, dark.boot_ms), GIVE, IDENTITY_OK);
}

static void without_a_lease_nothing_was_lost(void **state) {
  (void)state;
  const identity__now now = {20 * SECOND, start.wall_ms + 5 * MINUTE};
  memset(&machine.record.lease, 0, sizeof machine.record.lease);
  rebase(OTHER_BOOT, now);
  assert_int_equal(machine.record.ambiguous, 0);
}

static void no_cooldown_does_not_become_one(void **state) {
  (void)state;
  const identity__now now = {20 * SECOND, start.wall_ms + MINUTE + 1};
  machine.record.cooldown_boot_ms = 0;
  rebase(OTHER_BOOT, now);
  assert_int_equal(machine.record.cooldown_boot_ms, 0);
}

static void where_boots_have_no_name_the_wall_clock_counts(void **state) {
  (void)state;
  const identity__now now = {5000 * SECOND,
                             start.wall_ms + 5 * MINUTE}; /* longer than its life by that one */
  machine.record.boot_id[0] = '\0';
  rebase("", now);
  assert_int_equal(identity__machine_remaining(&machine, now.boot_ms), 10 * MINUTE);
}

/* What a load brings is moved before it is used. */
static void a_machine_hears_in_its_own_boot(void **state) {
  (void)state;
  const identity__now now = {20 * SECOND, start.wall_ms + 5 * MINUTE};
  identity__look look = {.said = IDENTITY__SAID_OK, .revision = 7};
  identity__machine later;
  char boot_id[IDENTITY__BOOT_ID_SIZE] = OTHER_BOOT;
  identity__machine_init(&later, boot_id, &self);
  identity__record_init(&look.record);
  assert_true(identity__record_copy(&look.record, &machine.record));
  assert_int_equal(identity__machine_hear(&later, &look, now), IDENTITY_OK);
  assert_int_equal(identity__machine_remaining(&later, now.boot_ms), 10 * MINUTE);
  assert_int_equal(identity__machine_cooldown_ms(&later, now.boot_ms), 5 * MINUTE);
  assert_string_equal(later.record.lease.fingerprint, "");
  assert_int_equal(later.record.ambiguous, 1);
  identity__machine_clear(&later);
}

/* Three refusals, the third soon after a reboot whose clock nobody can trust: the hour begins anew. */
static void an_hour_that_cannot_be_measured_begins_anew(void **state) {
  (void)state;
  const identity__now dark = {20 * SECOND, 20 * SECOND};
  machine.record.refusals = 2;
  rebase(OTHER_BOOT, dark);
  identity__failure failure = {.verdict = IDENTITY__VERDICT_REFUSED, .now = dark};
  failure.now.boot_ms += HOUR - 1;
  fail_with(&failure);
  assert_int_equal(machine.record.standing, IDENTITY__RECORD_SIGNED_IN);
  failure.now.boot_ms += 1;
  fail_with(&failure);
  assert_int_equal(machine.record.standing, IDENTITY__RECORD_REAUTH);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

static const struct CMUnitTest tests[] = {
    TEST(a_stamp_notes_both_clocks),
    TEST(in_the_same_boot_nothing_changes),
    TEST(a_boot_clock_that_ran_backwards_is_as_good_as_a_reboot),
    TEST(after_a_reboot_the_wall_clock_tells_what_has_passed),
    TEST(what_was_moved_stays),
    TEST(two_reboots_add_up),
    TEST(a_lost_age_does_not_come_back),
    TEST(an_adopted_token_is_used_after_a_reboot_too),
    TEST(without_a_lease_nothing_was_lost),
    TEST(no_cooldown_does_not_become_one),
    TEST(where_boots_have_no_name_the_wall_clock_counts),
    TEST(a_machine_hears_in_its_own_boot),
    TEST(an_hour_that_cannot_be_measured_begins_anew),
};

SUITE("record time", tests)
