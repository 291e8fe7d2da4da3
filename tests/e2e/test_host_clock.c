/* A clock of the host that takes a lock of the host: the library holds none of its own while it asks (I5). */
#include "support/crowd.h"
#include "support/stage.h"

#include <identity/platform.h>

#include <time.h>

#define MAIL "jo@example.com"

enum { PATIENCE_S = 5, LOOKS = 300 };

static pthread_mutex_t app;
static int over;
static int stuck; /* how often the clock could not get the lock */

static int64_t read_ms(clockid_t which) {
  struct timespec now;
  clock_gettime(which, &now);
  return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void locked_clock(void *user_data, int64_t *boot_ms, int64_t *wall_ms) {
  struct timespec until;
  (void)user_data;
  clock_gettime(CLOCK_REALTIME, &until);
  until.tv_sec += PATIENCE_S;
  if (pthread_mutex_timedlock(&app, &until) == 0)
    pthread_mutex_unlock(&app);
  else
    __atomic_add_fetch(&stuck, 1, __ATOMIC_SEQ_CST);
  *boot_ms = read_ms(CLOCK_BOOTTIME);
  *wall_ms = read_ms(CLOCK_REALTIME);
}

static void look(identity_session *session) {
  const identity_event *event = NULL;
  const char *json = NULL;
  (void)service_state_of(session);
  assert_int_equal(identity_session_next_event(session, &event, NULL), IDENTITY_OK);
  assert_int_equal(identity_session_explain(session, &json, NULL), IDENTITY_OK);
  identity_event_free(event);
  identity_explanation_free(json);
}

/* What else asks the clock: a refresh, a token at hand, a 401, a state. */
static identity_status work(identity_session *session, identity_error *error) {
  identity_status status = IDENTITY_OK;
  while (status == IDENTITY_OK && !__atomic_load_n(&over, __ATOMIC_SEQ_CST)) {
    const identity_tokens *tokens = NULL;
    const identity_state *stands = NULL;
    status = identity_session_refresh(session, error);
    if (status == IDENTITY_OK)
      status = identity_session_tokens(session, 0, &tokens, error);
    if (status == IDENTITY_OK)
      status = identity_session_state(session, &stands, error);
    identity_tokens_free(tokens);
    identity_state_free(stands);
  }
  return status;
}

static void make_lock(void) {
  pthread_mutexattr_t kind;
  assert_int_equal(pthread_mutexattr_init(&kind), 0);
  assert_int_equal(pthread_mutexattr_settype(&kind, PTHREAD_MUTEX_RECURSIVE), 0);
  assert_int_equal(pthread_mutex_init(&app, &kind), 0);
  pthread_mutexattr_destroy(&kind);
}

/* The app calls under its lock, which the clock needs on another thread: a lock of ours, held while that
 * clock is asked, would stop both. */
static void an_app_may_call_under_the_lock_that_its_clock_takes(void **state) {
  (void)state;
  static crowd workers;
  identity_clock clock;
  identity_config *config = service_config(&server);
  make_lock();
  identity_clock_init(&clock, sizeof clock);
  clock.now = locked_clock;
  assert_int_equal(identity_config_set_clock(config, &clock), IDENTITY_OK);
  identity_session *session = service_open_with(config, "viewer");
  service_register(session, MAIL);
  crowd_start(&workers, session, 1, work);
  for (int i = 0; i < LOOKS && stuck == 0; i++) {
    pthread_mutex_lock(&app);
    service_pause_ms(1); /* until the worker waits in its clock */
    look(session);
    pthread_mutex_unlock(&app);
    service_pause_ms(i % 3);
  }
  __atomic_store_n(&over, 1, __ATOMIC_SEQ_CST);
  crowd_join(&workers);
  assert_int_equal(workers.members[0].status, IDENTITY_OK);
  assert_int_equal(stuck, 0);
  identity_session_close(session);
  pthread_mutex_destroy(&app);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test_setup(an_app_may_call_under_the_lock_that_its_clock_takes, reset),
};

SUITE_WITH("host clock", tests, start, stop)
