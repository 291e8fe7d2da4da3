/* What a loop waits for: sockets, one timer, a wake-up; whatever a transport of the host says of them. */
#include "support/rows.h"

#include "transport/poller.h"

#include <identity/async.h>

#include <poll.h>
#include <unistd.h>

#define DAY INT64_C(86400000)
#define NEVER INT64_MAX

static identity__poller poller;

static int begin(void **state) {
  (void)state;
  return identity__poller_init(&poller) ? 0 : -1;
}

static int end(void **state) {
  (void)state;
  identity__poller_clear(&poller);
  return 0;
}

static bool is_readable(int descriptor) {
  struct pollfd one = {.fd = descriptor, .events = POLLIN};
  return poll(&one, 1, 0) == 1;
}

static void unexpected(void *owner, int64_t socket, int32_t events) {
  (void)owner, (void)events;
  fail_msg("socket %d is ready", (int)socket);
}

/* ---- the timer ---- */

static int64_t told_ms;

static void keep_timer(int64_t timeout_ms, void *user_data) {
  (void)user_data;
  told_ms = timeout_ms;
}

static void ignore_socket(int64_t socket, int32_t events, void *user_data) {
  (void)socket, (void)events, (void)user_data;
}

static void a_timer_goes_off_when_it_is_time_and_no_sooner(void **state) {
  static const struct {
    const char *name;
    int64_t timeout_ms;
    bool due;
    int64_t told_ms; /* at most a second less; -1: none */
  } rows[] = {
      {"none", -1, false, -1},
      {"none, said otherwise", INT64_MIN, false, -1},
      {"at once", 0, true, 0},
      {"in a day", DAY, false, DAY},
      {"in fifty years", 50 * 365 * DAY, false, 50 * 365 * DAY},
      {"as far as it goes", INT32_MAX * INT64_C(1000), false, INT32_MAX * INT64_C(1000)},
      {"beyond that", INT32_MAX * INT64_C(1000) + 1, false, -1},
      {"in two hundred years", 200 * 365 * DAY, false, -1},
      {"at the end of all clocks", INT64_MAX, false, -1},
      {"nearly there", INT64_MAX - DAY, false, -1},
  };
  const identity__poll_host host = {ignore_socket, keep_timer, NULL};
  (void)state;
  int all = identity__poller_all(&poller);
  identity__poller_set_host(&poller, &host);
  for (size_t i = 0; i < COUNT(rows); i++) {
    told_ms = -1;
    identity__poller_timer(&poller, rows[i].timeout_ms);
    identity__poller_tell(&poller, NEVER);
    CHECK(rows[i].name, told_ms <= rows[i].told_ms && told_ms + 1000 > rows[i].told_ms);
    CHECK_INT(rows[i].name, identity__poller_wait(&poller, 0, unexpected, NULL), false);
    CHECK_INT(rows[i].name, identity__poller_take_timer(&poller), rows[i].due);
    identity__poller_tell(&poller, NEVER);
    CHECK_INT(rows[i].name, identity__poller_take_timer(&poller), false); /* it was taken */
    if (!rows[i].due)
      CHECK_INT(rows[i].name, is_readable(all), false);
  }
}

/* ---- sockets ---- */

/* Cut to 32 bits they would be a socket that is ready. */
static void what_is_no_descriptor_is_not_watched(void **state) {
  int ends[2];
  (void)state;
  assert_int_equal(pipe(ends), 0);
  assert_int_equal(write(ends[1], "x", 1), 1);
  const int64_t sockets[] = {(INT64_C(1) << 32) + ends[0],
                             (INT64_C(1) << 62) + ends[0],
                             INT64_MIN + ends[0],
                             (INT64_C(1) << 32) + poller.wake_in,
                             INT64_C(1) << 31,
                             INT64_MAX,
                             -1,
                             INT32_MIN};
  for (size_t i = 0; i < COUNT(sockets); i++) {
    assert_false(identity__poller_watch(&poller, sockets[i], IDENTITY_READABLE));
    assert_true(identity__poller_watch(&poller, sockets[i], 0));
  }
  assert_int_equal(poller.count, 1); /* the wake-up */
  assert_false(identity__poller_wait(&poller, 0, unexpected, NULL));
  (void)close(ends[0]);
  (void)close(ends[1]);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

static const struct CMUnitTest tests[] = {
    TEST(a_timer_goes_off_when_it_is_time_and_no_sooner),
    TEST(what_is_no_descriptor_is_not_watched),
};

SUITE("poller", tests)
