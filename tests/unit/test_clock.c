/* The two clocks: the system's, and the host's in their place. */
#include "support/rows.h"

#include "base/clock.h"

#include <stdbool.h>
#include <time.h>

static int64_t system_ms(clockid_t id) {
  struct timespec time = {0};
  assert_int_equal(clock_gettime(id, &time), 0);
  return (int64_t)time.tv_sec * 1000 + time.tv_nsec / 1000000;
}

static struct {
  int64_t boot_ms;
  int64_t wall_ms;
  int calls;
} host;

static void host_now(void *user_data, int64_t *boot_ms, int64_t *wall_ms) {
  assert_ptr_equal(user_data, &host);
  *boot_ms = host.boot_ms;
  *wall_ms = host.wall_ms;
  host.calls++;
}

/* A device that tells nothing: neither member is touched. */
static void silent_now(void *user_data, int64_t *boot_ms, int64_t *wall_ms) {
  (void)user_data, (void)boot_ms, (void)wall_ms;
}

static void the_systems_clocks_run_through_suspend_and_tell_the_date(void **state) {
  static const identity__clock none;
  (void)state;
  int64_t boot_before = system_ms(CLOCK_BOOTTIME), wall_before = system_ms(CLOCK_REALTIME);
  identity__now now = identity__clock_read(&none);
  int64_t boot_ms = identity__clock_boot_ms();
  int64_t boot_after = system_ms(CLOCK_BOOTTIME), wall_after = system_ms(CLOCK_REALTIME);
  assert_true(boot_before <= now.boot_ms && now.boot_ms <= boot_ms && boot_ms <= boot_after);
  assert_true(wall_before <= now.wall_ms && now.wall_ms <= wall_after);
}

static void time_since_boot_never_goes_back(void **state) {
  (void)state;
  int64_t last = 0;
  for (int i = 0; i < 10000; i++) {
    int64_t now = identity__clock_boot_ms();
    assert_true(now >= last);
    last = now;
  }
}

static void the_hosts_clock_is_read_each_time_and_taken_at_its_word(void **state) {
  static const struct {
    const char *name;
    int64_t boot_ms;
    int64_t wall_ms;
  } rows[] = {
      {"just started, in 1970", 0, 0},
      {"today", INT64_C(86400000), INT64_C(1800000000000)},
      {"beyond 2038", INT64_C(1) << 40, INT64_C(4102444800000)},
      {"back again", 5, INT64_C(1700000000000)},
  };
  static const identity__clock clock = {.now = host_now, .user_data = &host};
  (void)state;
  host.calls = 0;
  for (size_t i = 0; i < COUNT(rows); i++) {
    host.boot_ms = rows[i].boot_ms;
    host.wall_ms = rows[i].wall_ms;
    identity__now now = identity__clock_read(&clock);
    CHECK_INT(rows[i].name, now.boot_ms, rows[i].boot_ms);
    CHECK_INT(rows[i].name, now.wall_ms, rows[i].wall_ms);
    CHECK_INT(rows[i].name, host.calls, i + 1);
  }
  (void)identity__clock_boot_ms();
  assert_int_equal(host.calls, COUNT(rows)); /* the system's own stays the system's */
}

static void a_host_that_says_nothing_is_at_zero(void **state) {
  static const identity__clock clock = {.now = silent_now};
  (void)state;
  identity__now now = identity__clock_read(&clock);
  assert_int_equal(now.boot_ms, 0);
  assert_int_equal(now.wall_ms, 0);
}

static void the_boot_id_is_one_line_and_stays_the_same(void **state) {
  char first[IDENTITY__BOOT_ID_SIZE];
  char second[IDENTITY__BOOT_ID_SIZE];
  (void)state;
  memset(first, 'x', sizeof first);
  memset(second, 'y', sizeof second);
  identity__clock_boot_id(first);
  identity__clock_boot_id(second);
  assert_int_equal(strlen(first), 36);
  assert_int_equal(strspn(first, "0123456789abcdef-"), 36);
  assert_memory_equal(first, second, sizeof first); /* what follows it is zero */
}

static void chance_does_not_come_twice(void **state) {
  enum { TIMES = 1000 };
  static uint64_t seen[TIMES];
  (void)state;
  for (int i = 0; i < TIMES; i++) {
    seen[i] = identity__clock_random();
    for (int j = 0; j < i; j++)
      assert_true(seen[i] != seen[j]);
  }
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(the_systems_clocks_run_through_suspend_and_tell_the_date),
    cmocka_unit_test(time_since_boot_never_goes_back),
    cmocka_unit_test(the_hosts_clock_is_read_each_time_and_taken_at_its_word),
    cmocka_unit_test(a_host_that_says_nothing_is_at_zero),
    cmocka_unit_test(the_boot_id_is_one_line_and_stays_the_same),
    cmocka_unit_test(chance_does_not_come_twice),
};

SUITE("clock", tests)
