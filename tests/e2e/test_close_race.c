/* A close that comes after a call has entered and before it stands in the line: close has not seen the call,
 * and the call not the close. It must end CANCELLED, send nothing, and touch nothing that is gone. The linker
 * puts the function below in the way of the library's own (Makefile), so that the moment can be met. */
#include "support/stage.h"

#include "drive/session.h"

#include <identity/async.h>

#include <pthread.h>
#include <stdatomic.h>
#include <time.h>

enum { ROUNDS = 300 };
enum { BEFORE_CLOSE, IN_CLOSE, LATE_IN_CLOSE, LOOP_GONE };

static struct {
  atomic_int moment; /* where the next call is held; -1: nowhere */
  atomic_int entered;
} hold = {.moment = -1};

/* Of the type of the library's own: an answer that is missing here would be made up by chance. */
__typeof__(identity__loop_submit) __real_identity__loop_submit, __wrap_identity__loop_submit;

static void nap_us(long us) {
  const struct timespec time = {0, us * 1000};
  (void)nanosleep(&time, NULL);
}

static void await_closing(identity__loop *loop, const identity_session *session) {
  bool closing = false;
  while (!closing) {
    pthread_mutex_lock(&loop->lock);
    closing = session->closing;
    pthread_mutex_unlock(&loop->lock);
    nap_us(20);
  }
}

identity_status __wrap_identity__loop_submit(identity__loop *loop, identity__call *call,
                                             const bool *closing) {
  int moment = atomic_load(&hold.moment);
  if (moment >= 0) {
    atomic_store(&hold.entered, 1);
    if (moment == IN_CLOSE || moment == LATE_IN_CLOSE)
      await_closing(loop, call->session);
    while (moment == LOOP_GONE && !identity__loop_is_gone(loop))
      nap_us(20);
    if (moment == LATE_IN_CLOSE || moment == LOOP_GONE)
      nap_us(1000); /* close has cancelled what it saw, and waits for us to leave */
  }
  return __real_identity__loop_submit(loop, call, closing);
}

static void *fetch(void *user_data) {
  identity_session *session = user_data;
  const identity_locale *locale = NULL;
  identity_error error;
  identity_status status = identity_fetch_locale(session, NULL, &locale, &error);
  identity_locale_free(locale);
  return (void *)(intptr_t)(status == error.status ? status : -1);
}

/* A thread that has entered a call, and is held at this moment. */
static pthread_t enter(void *(*call)(void *session), identity_session *session, int moment) {
  pthread_t thread;
  atomic_store(&hold.entered, 0);
  atomic_store(&hold.moment, moment);
  assert_int_equal(pthread_create(&thread, NULL, call, session), 0);
  while (atomic_load(&hold.entered) == 0)
    nap_us(20);
  return thread;
}

static identity_status status_of(pthread_t thread) {
  void *status = NULL;
  assert_int_equal(pthread_join(thread, &status), 0);
  atomic_store(&hold.moment, -1);
  return (identity_status)(intptr_t)status;
}

/* The status of a call that close met. */
static identity_status meet(int moment) {
  identity_session *session = service_open(&server, "viewer");
  pthread_t thread = enter(fetch, session, moment);
  identity_session_close(session);
  return status_of(thread);
}

static void a_call_that_entered_before_a_close_is_cancelled_and_sends_nothing(void **state) {
  (void)state;
  for (int round = 0; round < ROUNDS; round++) {
    assert_int_equal(meet(IN_CLOSE), IDENTITY_CANCELLED);
    assert_int_equal(meet(LATE_IN_CLOSE), IDENTITY_CANCELLED);
  }
  assert_int_equal(probe_requests(&server), 0);
}

/* Nobody holds it: any order may come of it, and each ends well. */
static void a_call_that_runs_against_a_close_is_answered_or_cancelled(void **state) {
  (void)state;
  for (int round = 0; round < ROUNDS; round++) {
    identity_status status = meet(BEFORE_CLOSE);
    assert_true(status == IDENTITY_OK || status == IDENTITY_CANCELLED);
  }
}

static void never_done(identity_status status, const void *result, const identity_error *error,
                       void *user_data) {
  (void)status, (void)result, (void)error, (void)user_data;
  fail_msg("a call that was refused has completed");
}

static void *start_fetch(void *user_data) {
  return (void *)(intptr_t)identity_fetch_locale_start(user_data, NULL, never_done, NULL, NULL);
}

static void a_start_that_a_close_overtakes_is_refused(void **state) {
  (void)state;
  identity_loop *loop = NULL;
  identity_config *config = service_config(&server);
  assert_int_equal(identity_loop_new(config, &loop, NULL), IDENTITY_OK);
  for (int round = 0; round < ROUNDS; round++) {
    identity_session *session = NULL;
    assert_int_equal(identity_session_open_on(loop, config, "viewer", &session, NULL), IDENTITY_OK);
    pthread_t thread = enter(start_fetch, session, IN_CLOSE);
    identity_session_close(session);
    assert_int_equal(status_of(thread), IDENTITY_CANCELLED);
    assert_int_equal(identity_loop_pending(loop), 0);
    assert_int_equal(identity_loop_run(loop, 0), IDENTITY_OK);
  }
  identity_config_free(config);
  identity_loop_free(loop);
  assert_int_equal(probe_requests(&server), 0);
}

/* One that nobody has driven yet: any thread may call. */
static void a_call_that_entered_before_its_loop_was_freed_is_refused(void **state) {
  (void)state;
  for (int round = 0; round < ROUNDS; round++) {
    identity_loop *loop = NULL;
    identity_session *session = NULL;
    identity_config *config = service_config(&server);
    assert_int_equal(identity_loop_new(config, &loop, NULL), IDENTITY_OK);
    assert_int_equal(identity_session_open_on(loop, config, "viewer", &session, NULL), IDENTITY_OK);
    identity_config_free(config);
    pthread_t thread = enter(fetch, session, LOOP_GONE);
    identity_loop_free(loop);
    identity_session_close(session); /* which the call is still about to touch */
    assert_int_equal(status_of(thread), IDENTITY_LOOP_GONE);
  }
  assert_int_equal(probe_requests(&server), 0);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test_setup(a_call_that_entered_before_a_close_is_cancelled_and_sends_nothing, reset),
    cmocka_unit_test_setup(a_call_that_runs_against_a_close_is_answered_or_cancelled, reset),
    cmocka_unit_test_setup(a_start_that_a_close_overtakes_is_refused, reset),
    cmocka_unit_test_setup(a_call_that_entered_before_its_loop_was_freed_is_refused, reset),
};

SUITE_WITH("close race", tests, start, stop)
