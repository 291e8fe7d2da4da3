/* The kernel has no room for a while: no descriptor is left, no memory for a watch, and the user has as many
 * as one may have. Calls take longer then; none is lost, and nobody waits for what can no more come. The
 * linker puts the functions below in the way of the system's (Makefile). */
#include "support/stage.h"
#include "support/twins.h"

#include <errno.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>

enum { WATCH, SET, TIMER, WAKE_UP, POLL, KINDS, CALLS = 12, WAIT_MS = 5000 };

/* So many succeed, and so many more fail. */
static struct {
  int succeed;
  int fail;
  int failed;
} room[KINDS];

static bool is_full(int kind, int error) {
  if (room[kind].succeed-- > 0 || room[kind].fail == 0)
    return false;
  room[kind].fail--;
  room[kind].failed++;
  errno = error;
  return true;
}

static void fill_up(int kind, int succeed, int fail) {
  room[kind].succeed = succeed;
  room[kind].fail = fail;
  room[kind].failed = 0;
}

__typeof__(epoll_ctl) __real_epoll_ctl, __wrap_epoll_ctl;
__typeof__(epoll_create1) __real_epoll_create1, __wrap_epoll_create1;
__typeof__(timerfd_create) __real_timerfd_create, __wrap_timerfd_create;
__typeof__(eventfd) __real_eventfd, __wrap_eventfd;
__typeof__(poll) __real_poll, __wrap_poll;

int __wrap_epoll_ctl(int set, int what, int descriptor, struct epoll_event *event) {
  if (what != EPOLL_CTL_DEL && is_full(WATCH, ENOSPC))
    return -1;
  return __real_epoll_ctl(set, what, descriptor, event);
}

int __wrap_epoll_create1(int flags) {
  return is_full(SET, EMFILE) ? -1 : __real_epoll_create1(flags);
}

int __wrap_timerfd_create(int clock, int flags) {
  return is_full(TIMER, EMFILE) ? -1 : __real_timerfd_create(clock, flags);
}

int __wrap_eventfd(unsigned int count, int flags) {
  return is_full(WAKE_UP, EMFILE) ? -1 : __real_eventfd(count, flags);
}

int __wrap_poll(struct pollfd *sockets, nfds_t count, int wait_ms) {
  return is_full(POLL, room[POLL].fail % 2 == 0 ? EINTR : ENOMEM) ? -1 : __real_poll(sockets, count, wait_ms);
}

static aloop shared;
static identity_session *session;

static void begin(int drive) {
  aloop_start(&shared, service_config(&server), drive);
  session = aloop_open(&shared, &server, "viewer");
}

static void end(void) {
  identity_session_close(session);
  aloop_stop(&shared);
}

static void all_calls_succeed(const char *when, int place) {
  note calls[CALLS] = {0};
  for (int i = 0; i < CALLS; i++)
    twin_start(TWIN_LOCALE, session, &calls[i]);
  aloop_until(&shared, calls, CALLS);
  if (notes_with(calls, CALLS, IDENTITY_OK) != CALLS)
    fail_msg("%s %d: %d of %d: %s", when, place, notes_with(calls, CALLS, IDENTITY_OK), CALLS,
             calls[0].error.message);
  notes_clear(calls, CALLS);
}

/* Each watch in turn, and all from there on. */
static void without_room_for_a_watch_calls_go_on(void **state) {
  (void)state;
  for (int most = 1; most < 1000; most *= 999)
    for (int place = 0; place < 6; place++) {
      begin(DRIVE_FD);
      fill_up(WATCH, place + 1,
              most); /* the first is that of the timer, without which there is no descriptor */
      assert_true(identity_loop_fd(shared.loop) >= 0);
      all_calls_succeed("without the watch", place);
      assert_true(room[WATCH].failed > 0);
      fill_up(WATCH, 0, 0);
      end();
    }
}

static void *wake(void *user_data) {
  (void)user_data;
  service_pause_ms(30);
  identity_loop_wake(shared.loop);
  return NULL;
}

/* Whoever waits for it could not be woken any more. */
static void without_room_for_the_wake_up_a_wake_arrives_all_the_same(void **state) {
  (void)state;
  pthread_t thread;
  begin(DRIVE_FD);
  fill_up(WATCH, 1, 1);
  int descriptor = identity_loop_fd(shared.loop);
  assert_true(descriptor >= 0);
  assert_int_equal(room[WATCH].failed, 1);
  assert_int_equal(pthread_create(&thread, NULL, wake, NULL), 0);
  struct pollfd one = {descriptor, POLLIN, 0};
  int ready = poll(&one, 1, WAIT_MS);
  assert_int_equal(pthread_join(thread, NULL), 0);
  assert_int_equal(ready, 1);
  end();
}

static void without_descriptors_there_is_no_descriptor_and_the_rest_works(void **state) {
  static const int kinds[] = {SET, TIMER, WATCH};
  (void)state;
  for (size_t i = 0; i < ROWS(kinds); i++) {
    begin(DRIVE_WAIT);
    fill_up(kinds[i], 0, 1);
    assert_int_equal(identity_loop_fd(shared.loop), -1);
    all_calls_succeed("without a descriptor", (int)i);
    assert_true(identity_loop_fd(shared.loop) >= 0); /* there is room again */
    end();
  }
}

static void without_a_wake_up_there_is_no_loop(void **state) {
  (void)state;
  identity_config *config = service_config(&server);
  identity_loop *loop = NULL;
  fill_up(WAKE_UP, 0, 1);
  assert_int_equal(identity_loop_new(config, &loop, NULL), IDENTITY_OUT_OF_MEMORY);
  assert_null(loop);
  identity_config_free(config);
}

static void a_wait_that_fails_is_waited_again(void **state) {
  int failed = 0;
  (void)state;
  for (int place = 0; place < 8; place++) {
    begin(DRIVE_WAIT);
    fill_up(POLL, place, 5);
    all_calls_succeed("without the wait", place);
    failed += room[POLL].failed;
    fill_up(POLL, 0, 0);
    end();
  }
  assert_in_range(failed, 10, 8 * 5);
}

#define TEST(name) cmocka_unit_test_setup(name, reset)

static const struct CMUnitTest tests[] = {
    TEST(without_room_for_a_watch_calls_go_on),
    TEST(without_room_for_the_wake_up_a_wake_arrives_all_the_same),
    TEST(without_descriptors_there_is_no_descriptor_and_the_rest_works),
    TEST(without_a_wake_up_there_is_no_loop),
    TEST(a_wait_that_fails_is_waited_again),
};

SUITE_WITH("async_no_room", tests, start, stop)
