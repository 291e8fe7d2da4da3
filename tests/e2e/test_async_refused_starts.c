/* Calls that are not even put in line: the _start function says so, and nothing ever completes. */
#include "support/shared.h"
#include "support/twins.h"

#include "drive/session.h"

#include <sys/wait.h>
#include <unistd.h>

static void all_are_refused(identity_session *session, identity_status status) {
  for (int which = 0; which < TWINS; which++)
    twin_is_refused(which, session, status);
}

static void a_start_without_a_session_is_a_bad_argument(void **state) {
  (void)state;
  all_are_refused(NULL, IDENTITY_BAD_ARGUMENT);
}

static void a_start_without_a_completion_is_a_bad_argument(void **state) {
  (void)state;
  identity_session *session = aloop_open(&shared, &server, "viewer");
  for (int which = 0; which < TWINS; which++) {
    identity_call *call = (identity_call *)(void *)&shared;
    assert_int_equal(twins[which].start(session, NULL, NULL, &call), IDENTITY_BAD_ARGUMENT);
    assert_null(call);
  }
  assert_int_equal(identity_loop_pending(shared.loop), 0);
  aloop_settle(&shared);
  assert_int_equal(probe_requests(&server), 0);
  identity_session_close(session);
}

static void a_session_that_was_opened_without_a_loop_cannot_start(void **state) {
  (void)state;
  identity_session *session = service_open(&server, "viewer");
  all_are_refused(session, IDENTITY_NOT_ON_A_LOOP);
  assert_int_equal(identity_status_class(IDENTITY_NOT_ON_A_LOOP), IDENTITY_CLASS_BUG);
  assert_int_equal(probe_requests(&server), 0);
  identity_session_close(session);
}

static void a_session_whose_loop_is_gone_cannot_start_and_can_be_closed(void **state) {
  (void)state;
  identity_session *session = aloop_open(&shared, &server, "viewer");
  aloop_stop(&shared);
  all_are_refused(session, IDENTITY_LOOP_GONE);
  assert_int_equal(service_fetch(session, NULL), IDENTITY_LOOP_GONE);
  assert_int_equal(identity_status_class(IDENTITY_LOOP_GONE), IDENTITY_CLASS_BUG);
  identity_session_close(session);
  assert_int_equal(probe_requests(&server), 0);
  aloop_start(&shared, service_config(&server), DRIVE_TICK);
}

/* A call of it is still out, so that there is something to start on. */
static struct {
  identity_session *session;
  identity_status said[TWINS];
} closed;

static void start_on_what_is_closed(note *self) {
  (void)self;
  identity_session_close(closed.session);
  for (int which = 0; which < TWINS; which++)
    closed.said[which] = twins[which].start(closed.session, note_done, NULL, NULL);
}

static void a_closed_session_whose_completion_still_runs_cannot_start(void **state) {
  (void)state;
  note ended = {.then = start_on_what_is_closed};
  closed.session = aloop_open(&shared, &server, "viewer");
  twin_start(TWIN_LOCALE, closed.session, &ended);
  aloop_until(&shared, &ended, 1);
  note_is(&ended, IDENTITY_OK);
  for (int which = 0; which < TWINS; which++)
    assert_int_equal(closed.said[which], IDENTITY_CANCELLED);
  aloop_settle(&shared);
  note_clear(&ended);
}

static int start_in_child(identity_session *session) {
  note none = {0};
  for (int which = 0; which < TWINS; which++)
    if (twins[which].start(session, note_done, &none, NULL) != IDENTITY_FORKED)
      return 1 + which;
  if (identity_loop_run(shared.loop, 0) != IDENTITY_FORKED)
    return 100;
  if (identity_loop_on_timer(shared.loop) != IDENTITY_FORKED)
    return 101;
  if (identity_loop_on_socket(shared.loop, 0, IDENTITY_READABLE) != IDENTITY_FORKED)
    return 102;
  return atomic_load(&none.count) == 0 ? 0 : 103;
}

static void a_child_process_can_neither_start_nor_drive_and_the_parent_goes_on(void **state) {
  (void)state;
  int how = 0;
  note ended = {0};
  identity_session *session = aloop_open(&shared, &server, "viewer");
  twin_start(TWIN_LOCALE, session, &ended);
  fflush(NULL);
  pid_t child = fork();
  assert_true(child >= 0);
  if (child == 0)
    _exit(start_in_child(session));
  assert_int_equal(waitpid(child, &how, 0), child);
  assert_true(WIFEXITED(how));
  assert_int_equal(WEXITSTATUS(how), 0);
  aloop_until(&shared, &ended, 1);
  note_is(&ended, IDENTITY_OK);
  probe_sent(&server, "GET", "/locales", 1);
  note_clear(&ended);
  identity_session_close(session);
}

static void watch_nothing(int64_t socket, int32_t events, void *user_data) {
  (void)socket, (void)events, (void)user_data;
}

static void set_no_timer(int64_t timeout_ms, void *user_data) {
  (void)timeout_ms, (void)user_data;
}

/* In turn, each function that takes a loop, a session of one, or a handle. */
static int use_up_in_child(identity_session *session, identity_call *call, identity_config *config) {
  const identity_state *stands = NULL;
  identity_session *another = session;
  (void)alarm(5); /* for a lock that nobody gives back */
  if (identity_call_set_timeout_ms(call, 1000) != IDENTITY_FORKED)
    return 1;
  identity_call_cancel(call);
  identity_call_free(call);
  if (identity_loop_pending(shared.loop) != 0 || identity_loop_fd(shared.loop) != -1)
    return 2;
  if (identity_loop_set_host(shared.loop, watch_nothing, set_no_timer, NULL) != IDENTITY_FORKED)
    return 3;
  if (identity_session_open_on(shared.loop, config, "viewer", &another, NULL) != IDENTITY_FORKED ||
      another != NULL)
    return 4;
  if (identity_session_state(session, &stands, NULL) != IDENTITY_FORKED)
    return 5;
  identity_loop_wake(shared.loop);
  identity_session_interrupt(session);
  identity_loop_free(shared.loop);
  identity_session_close(session);
  identity_loop_free(shared.loop);
  return 0;
}

/* Other threads may have held the locks when the child was made; there nobody gives them back. */
static void a_child_process_gives_everything_back_without_a_lock_and_the_parent_goes_on(void **state) {
  (void)state;
  int how = 0;
  note ended = {0};
  identity_session *session = aloop_open(&shared, &server, "viewer");
  identity_config *config = service_config(&server);
  service_fault(&server, "{\"path\":\"/locales\",\"hang\":true}");
  twin_start(TWIN_LOCALE, session, &ended);
  aloop_until_sent(&shared, &server, "GET", "/locales", 1);
  pthread_mutex_lock(&shared.loop->lock);
  pthread_mutex_lock(&session->lock);
  fflush(NULL);
  pid_t child = fork();
  assert_true(child >= 0);
  if (child == 0)
    _exit(use_up_in_child(session, ended.call, config));
  pthread_mutex_unlock(&session->lock);
  pthread_mutex_unlock(&shared.loop->lock);
  assert_int_equal(waitpid(child, &how, 0), child);
  assert_true(WIFEXITED(how));
  assert_int_equal(WEXITSTATUS(how), 0);
  assert_int_equal(identity_loop_pending(shared.loop), 1);
  service_send(&server, "POST", "release", "{}");
  aloop_until(&shared, &ended, 1);
  note_is(&ended, IDENTITY_OK);
  probe_sent(&server, "GET", "/locales", 1);
  note_clear(&ended);
  identity_config_free(config);
  identity_session_close(session);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

static const struct CMUnitTest tests[] = {
    TEST(a_start_without_a_session_is_a_bad_argument),
    TEST(a_start_without_a_completion_is_a_bad_argument),
    TEST(a_session_that_was_opened_without_a_loop_cannot_start),
    TEST(a_session_whose_loop_is_gone_cannot_start_and_can_be_closed),
    TEST(a_closed_session_whose_completion_still_runs_cannot_start),
    TEST(a_child_process_can_neither_start_nor_drive_and_the_parent_goes_on),
    TEST(a_child_process_gives_everything_back_without_a_lock_and_the_parent_goes_on),
};

SUITE_WITH("async_refused_starts", tests, start, stop)
