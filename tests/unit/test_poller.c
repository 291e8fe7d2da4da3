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

/* More than the poller has room for at first. */
enum { SOCKETS = 100 };

static int pipes[SOCKETS][2];
static int served[SOCKETS];
static void (*then)(int which);

static void open_pipes(void) {
  memset(served, 0, sizeof served);
  for (int i = 0; i < SOCKETS; i++) {
    assert_int_equal(pipe(pipes[i]), 0);
    assert_int_equal(write(pipes[i][1], "x", 1), 1);
    assert_true(identity__poller_watch(&poller, pipes[i][0], IDENTITY_READABLE));
  }
}

static void close_pipes(void) {
  for (int i = 0; i < SOCKETS; i++) {
    (void)close(pipes[i][0]);
    (void)close(pipes[i][1]);
  }
}

static void note_served(void *owner, int64_t socket, int32_t events) {
  assert_ptr_equal(owner, pipes);
  for (int i = 0; i < SOCKETS; i++) {
    if (pipes[i][0] != socket)
      continue;
    served[i]++;
    assert_int_equal(events, IDENTITY_READABLE);
    if (then != NULL)
      then(i);
    return;
  }
  fail_msg("socket %d is not watched", (int)socket);
}

static int served_times(int times) {
  int count = 0;
  for (int i = 0; i < SOCKETS; i++)
    count += served[i] == times;
  return count;
}

/* Those that stay ready, as nobody reads all of them, leave the others their turn. */
static void each_socket_that_is_ready_has_its_turn(void **state) {
  (void)state;
  then = NULL;
  open_pipes();
  for (int looks = 1; looks <= 3; looks++) {
    identity__poller_wake(&poller);
    assert_true(identity__poller_wait(&poller, 0, note_served, pipes));
    assert_int_equal(served_times(looks), SOCKETS);
    assert_false(is_readable(poller.wake_in)); /* the wake-up was taken */
  }
  close_pipes();
}

/* The first one takes every other off, and has the set grow. */
static void leave_half(int which) {
  if (served_times(0) < SOCKETS - 1)
    return;
  for (int i = 0; i < SOCKETS; i++)
    if (i != which && i % 2 == 1)
      assert_true(identity__poller_watch(&poller, pipes[i][0], 0));
  for (int i = 0; i < 2 * SOCKETS; i++)
    assert_true(identity__poller_watch(&poller, 10000 + i, IDENTITY_READABLE));
}

static void the_set_may_change_while_it_is_told(void **state) {
  (void)state;
  then = leave_half;
  open_pipes();
  assert_true(identity__poller_wait(&poller, 0, note_served, pipes));
  for (int i = 0; i < SOCKETS; i++)
    assert_int_equal(served[i], i % 2 == 0);
  close_pipes();
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

static const struct CMUnitTest tests[] = {
    TEST(a_timer_goes_off_when_it_is_time_and_no_sooner),
    TEST(what_is_no_descriptor_is_not_watched),
    TEST(each_socket_that_is_ready_has_its_turn),
    TEST(the_set_may_change_while_it_is_told),
};

SUITE("poller", tests)
