/* A transport that has the loop watch its sockets, in a loop whose sockets a host watches: what the host
 * hears.
 */
#include "support/scripted.h"

#include <sys/socket.h>
#include <unistd.h>

enum { HEARD_MOST = 64, NO_TIMER = -2 };

typedef struct heard {
  int64_t socket;
  int32_t events;
} heard;

static heard all[HEARD_MOST];
static int heard_count;
static int64_t timer_ms;
static int ends[2]; /* of the transport's connection */

static void watch(int64_t socket, int32_t events, void *user_data) {
  (void)user_data;
  assert_true(heard_count < HEARD_MOST);
  all[heard_count++] = (heard){socket, events};
}

static void keep_timer(int64_t timeout_ms, void *user_data) {
  (void)user_data;
  timer_ms = timeout_ms;
}

static void on_socket(void *state, int64_t socket, int32_t events) {
  (void)state, (void)socket, (void)events;
}

static void on_timer(void *state) {
  (void)state;
}

/* One connection for each exchange: the one before is closed, and its number comes back at once. */
static identity_status connect_anew(taken *one) {
  if (ends[0] >= 0) {
    (void)identity_link_watch(one->link, ends[0], 0);
    (void)close(ends[0]);
    (void)close(ends[1]);
  }
  if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends) != 0)
    return IDENTITY_OUT_OF_MEMORY;
  return identity_link_watch(one->link, ends[0], IDENTITY_READABLE) ? IDENTITY_OK : IDENTITY_OUT_OF_MEMORY;
}

static int begin_with_sockets(void **state) {
  (void)begin(state);
  identity_session_close(session);
  aloop_stop(&shared);
  transport.act = connect_anew;
  transport.transport.on_socket = on_socket;
  transport.transport.on_timer = on_timer;
  ends[0] = -1;
  heard_count = 0;
  timer_ms = NO_TIMER;
  aloop_start(&shared, scripted_config(), DRIVE_TICK);
  session = aloop_open_with(&shared, scripted_config(), "viewer");
  assert_int_equal(identity_loop_set_host(shared.loop, watch, keep_timer, NULL), IDENTITY_OK);
  return 0;
}

static int end_with_sockets(void **state) {
  (void)end(state);
  if (ends[0] >= 0) {
    (void)close(ends[0]);
    (void)close(ends[1]);
  }
  return 0;
}

static void begin_one(note *ended) {
  int before = transport.count;
  twin_start(TWIN_LOCALE, session, ended);
  assert_int_equal(identity_loop_run(shared.loop, 0), IDENTITY_OK);
  assert_int_equal(transport.count, before + 1);
}

static void heard_is(int at, int64_t socket, int32_t events) {
  assert_true(at < heard_count);
  assert_int_equal(all[at].socket, socket);
  assert_int_equal(all[at].events, events);
}

/* An epoll set of the host has forgotten the one before when it was closed. */
static void a_number_that_comes_back_in_the_same_turn_is_watched_anew(void **state) {
  (void)state;
  note first = {0}, second = {0};
  begin_one(&first);
  int number = ends[0];
  int before = heard_count;
  heard_is(before - 1, number, IDENTITY_READABLE);
  begin_one(&second);
  assert_int_equal(ends[0], number); /* else this tests nothing */
  assert_int_equal(heard_count, before + 2);
  heard_is(before, number, 0);
  heard_is(before + 1, number, IDENTITY_READABLE);
  aloop_settle(&shared);
  assert_int_equal(heard_count, before + 2); /* it is told once */
  identity_session_interrupt(session);
  ends_once(&first, IDENTITY_CANCELLED);
  ends_once(&second, IDENTITY_CANCELLED);
  note_clear(&first);
  note_clear(&second);
}

/* What the host was told to watch and has not been told to leave. */
static int left_over(void) {
  int count = 0;
  for (int i = 0; i < heard_count; i++) {
    bool last = true;
    for (int later = i + 1; later < heard_count; later++)
      last = last && all[later].socket != all[i].socket;
    count += last && all[i].events != 0;
  }
  return count;
}

static void a_host_is_told_to_leave_everything_when_the_loop_is_freed(void **state) {
  (void)state;
  note ended = {0};
  begin_one(&ended);
  assert_true(left_over() >= 2); /* the connection, and what wakes the loop */
  assert_true(timer_ms >= 0);
  identity_session_close(session);
  session = NULL;
  aloop_stop(&shared);
  note_is(&ended, IDENTITY_CANCELLED);
  note_clear(&ended);
  assert_int_equal(left_over(), 0);
  assert_int_equal(timer_ms, -1);
}

#define SOCKETS(name) cmocka_unit_test_setup_teardown(name, begin_with_sockets, end_with_sockets)

static const struct CMUnitTest tests[] = {
    SOCKETS(a_number_that_comes_back_in_the_same_turn_is_watched_anew),
    SOCKETS(a_host_is_told_to_leave_everything_when_the_loop_is_freed),
};

SUITE_WITH("transport_host", tests, start, stop)
