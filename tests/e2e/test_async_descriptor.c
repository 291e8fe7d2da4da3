/* The one descriptor of a loop: readable when there is something to do and only then, woken from any thread,
 * and none is left behind. */
#include "support/judge.h"
#include "support/stage.h"
#include "support/twins.h"

#include <dirent.h>
#include <poll.h>

enum { ROUNDS = 1000, WAIT_MS = 5000 };

static aloop shared;
static identity_session *session;

static int begin(void **state) {
  (void)reset(state);
  aloop_start(&shared, service_config(&server), DRIVE_FD);
  session = aloop_open(&shared, &server, "viewer");
  aloop_settle(&shared);
  return 0;
}

static int end(void **state) {
  (void)state;
  identity_session_close(session);
  aloop_stop(&shared);
  return 0;
}

static int open_descriptors(void) {
  int count = 0;
  DIR *own = opendir("/proc/self/fd");
  assert_non_null(own);
  while (readdir(own) != NULL)
    count++;
  closedir(own);
  return count;
}

static bool is_readable(int wait_ms) {
  struct pollfd one = {identity_loop_fd(shared.loop), POLLIN, 0};
  assert_true(one.fd >= 0);
  return poll(&one, 1, wait_ms) == 1 && (one.revents & POLLIN) != 0;
}

static void it_stays_the_same_and_belongs_to_the_loop(void **state) {
  (void)state;
  int descriptor = identity_loop_fd(shared.loop);
  assert_true(descriptor >= 0);
  assert_int_equal(twin_run(&shared, TWIN_LOCALE, session, NULL), IDENTITY_OK);
  assert_int_equal(identity_loop_fd(shared.loop), descriptor);
}

static void it_is_not_readable_while_there_is_nothing_to_do(void **state) {
  (void)state;
  note ended = {0};
  assert_false(is_readable(0));
  service_fault(&server, "{\"path\":\"/locales\",\"hang\":true}");
  twin_start(TWIN_LOCALE, session, &ended);
  assert_true(is_readable(0)); /* there is a call to begin */
  aloop_until_sent(&shared, &server, "GET", "/locales", 1);
  aloop_settle(&shared);
  assert_false(is_readable(50)); /* it waits for the answer */
  service_send(&server, "POST", "release", "{}");
  assert_true(is_readable(WAIT_MS));
  aloop_until(&shared, &ended, 1);
  note_is(&ended, IDENTITY_OK);
  note_clear(&ended);
  aloop_settle(&shared);
  assert_false(is_readable(0));
}

static void a_deadline_makes_it_readable(void **state) {
  (void)state;
  note ended = {0};
  service_fault(&server, "{\"path\":\"/locales\",\"hang\":true}");
  twin_start(TWIN_LOCALE, session, &ended);
  aloop_until_sent(&shared, &server, "GET", "/locales", 1);
  aloop_settle(&shared);
  assert_int_equal(identity_call_set_timeout_ms(ended.call, 120), IDENTITY_OK);
  (void)is_readable(0);
  aloop_turn(&shared); /* takes note of it */
  aloop_until(&shared, &ended, 1);
  note_is(&ended, IDENTITY_TIMED_OUT);
  note_clear(&ended);
}

/* ---- from other threads ---- */

static note from_there;

static void *wake(void *user_data) {
  (void)user_data;
  service_pause_ms(30);
  identity_loop_wake(shared.loop);
  return NULL;
}

static void *start_there(void *user_data) {
  (void)user_data;
  service_pause_ms(30);
  (void)twins[TWIN_LOCALE].start(session, note_done, &from_there, &from_there.call);
  return NULL;
}

static void *cancel_there(void *user_data) {
  (void)user_data;
  service_pause_ms(30);
  identity_call_cancel(from_there.call);
  return NULL;
}

static void *interrupt_there(void *user_data) {
  (void)user_data;
  service_pause_ms(30);
  identity_session_interrupt(session);
  return NULL;
}

static void *shorten_there(void *user_data) {
  (void)user_data;
  service_pause_ms(30);
  (void)identity_call_set_timeout_ms(from_there.call, 100);
  return NULL;
}

static void wakes(void *(*act)(void *)) {
  pthread_t thread;
  assert_false(is_readable(0));
  assert_int_equal(pthread_create(&thread, NULL, act, NULL), 0);
  bool readable = is_readable(WAIT_MS);
  assert_int_equal(pthread_join(thread, NULL), 0);
  assert_true(readable);
}

static void begin_stalled(void) {
  memset(&from_there, 0, sizeof from_there);
  service_reset(&server);
  service_fault(&server, "{\"path\":\"/locales\",\"times\":-1,\"hang\":true}");
  twin_start(TWIN_LOCALE, session, &from_there);
  aloop_until_sent(&shared, &server, "GET", "/locales", 1);
  aloop_settle(&shared);
}

static void ends_as(identity_status status) {
  aloop_until(&shared, &from_there, 1);
  note_is(&from_there, status);
  note_clear(&from_there);
  aloop_settle(&shared);
}

static void what_other_threads_do_reaches_a_poll_on_it(void **state) {
  (void)state;
  wakes(wake);
  aloop_settle(&shared);
  assert_false(is_readable(0)); /* the wake is used up */
  memset(&from_there, 0, sizeof from_there);
  from_there.free_result = twins[TWIN_LOCALE].free_result;
  wakes(start_there);
  ends_as(IDENTITY_OK);
  begin_stalled();
  wakes(cancel_there);
  ends_as(IDENTITY_CANCELLED);
  begin_stalled();
  wakes(interrupt_there);
  ends_as(IDENTITY_CANCELLED);
  begin_stalled();
  wakes(shorten_there);
  ends_as(IDENTITY_TIMED_OUT);
}

static void closing_a_session_with_calls_out_makes_it_readable(void **state) {
  (void)state;
  note ended = {0};
  identity_session *other = aloop_open(&shared, &server, "other");
  service_fault(&server, "{\"path\":\"/locales\",\"hang\":true}");
  twin_start(TWIN_LOCALE, other, &ended);
  aloop_until_sent(&shared, &server, "GET", "/locales", 1);
  aloop_settle(&shared);
  assert_false(is_readable(0));
  identity_session_close(other);
  assert_true(is_readable(WAIT_MS));
  aloop_turn(&shared);
  note_is(&ended, IDENTITY_CANCELLED);
  note_clear(&ended);
}

/* Completions that a blocking call had to leave for later must not be slept over. */
static void a_completion_left_over_from_a_blocking_call_makes_it_readable(void **state) {
  (void)state;
  note ended = {0};
  const identity_consents *consents = NULL;
  identity_session *other = aloop_open(&shared, &server, "other");
  aloop_settle(&shared);
  service_fault(&server, "{\"path\":\"/publishers/*/consents\",\"delay_ms\":100}");
  twin_start(TWIN_LOCALE, other, &ended);
  assert_int_equal(identity_fetch_publisher_consents(session, &consents, NULL), IDENTITY_OK);
  identity_consents_free(consents);
  note_is_open(&ended);
  assert_true(is_readable(0));
  aloop_turn(&shared);
  note_is(&ended, IDENTITY_OK);
  note_clear(&ended);
  identity_session_close(other);
}

/* ---- none is left behind ---- */

static void a_thousand_loops_leave_no_descriptor_behind(void **state) {
  (void)state;
  int rounds = judge_runs_slowly() ? ROUNDS / 20 : ROUNDS;
  int before = open_descriptors();
  for (int i = 0; i < rounds; i++) {
    aloop own;
    aloop_start(&own, service_config(&server), DRIVE_TICK);
    identity_session *one = aloop_open(&own, &server, "one");
    assert_true(i % 2 == 0 || identity_loop_fd(own.loop) >= 0);
    if (i % 50 == 0)
      assert_int_equal(twin_run(&own, TWIN_LOCALE, one, NULL), IDENTITY_OK);
    if (i % 3 == 0)
      identity_session_close(one);
    aloop_stop(&own);
    if (i % 3 != 0)
      identity_session_close(one);
  }
  assert_int_equal(open_descriptors(), before);
}

static void a_thousand_sessions_of_one_loop_leave_no_descriptor_behind(void **state) {
  (void)state;
  assert_int_equal(twin_run(&shared, TWIN_LOCALE, session, NULL), IDENTITY_OK);
  int before = open_descriptors();
  for (int i = 0; i < ROUNDS; i++) {
    identity_session *one = aloop_open(&shared, &server, "one");
    if (i % 100 == 0)
      assert_int_equal(twin_run(&shared, TWIN_LOCALE, one, NULL), IDENTITY_OK);
    identity_session_close(one);
  }
  aloop_settle(&shared);
  assert_int_equal(open_descriptors(), before);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

static const struct CMUnitTest tests[] = {
    TEST(it_stays_the_same_and_belongs_to_the_loop),
    TEST(it_is_not_readable_while_there_is_nothing_to_do),
    TEST(a_deadline_makes_it_readable),
    TEST(what_other_threads_do_reaches_a_poll_on_it),
    TEST(closing_a_session_with_calls_out_makes_it_readable),
    TEST(a_completion_left_over_from_a_blocking_call_makes_it_readable),
    TEST(a_thousand_loops_leave_no_descriptor_behind),
    TEST(a_thousand_sessions_of_one_loop_leave_no_descriptor_behind),
};

SUITE_WITH("async_descriptor", tests, start, stop)
