/* While the driver waits for the lock of a store, others come: a call, an interrupt, a close. What wakes a
 * wait for the network is used up in there, and must not be lost: they are served once the lock is gone. */
#include "support/crowd.h"
#include "support/slot.h"
#include "support/stage.h"

#define MAIL "jo@example.com"
#define REFRESH "/auths/refresh_token"

/* Whoever is forgotten has to wait for the next time-out, in each round; a busy machine is not slow in all.
 */
enum { ROUNDS = 6, AT_ONCE_MS = 120 };

static char *slot;

static identity_session *signed_in(void) {
  char command[160];
  snprintf(command, sizeof command, "rm -rf '%s/store'", server.directory);
  assert_int_equal(system(command), 0);
  identity_session *session = service_open_stored(&server, "viewer", "store");
  service_register(session, MAIL);
  free(slot);
  slot = slot_path(&server, "store");
  return session;
}

static int end(void **state) {
  free(slot);
  return stop(state);
}

static void await(const char *method, const char *path, int count) {
  for (int i = 0; i < 2500 && service_count(&server, method, path, -1) < count; i++)
    service_pause_ms(2);
  probe_sent(&server, method, path, count);
}

static identity_status locale_of(identity_session *session, identity_error *error) {
  const identity_locale *locale = NULL;
  identity_status status = identity_fetch_locale(session, NULL, &locale, error);
  identity_locale_free(locale);
  return status;
}

/* One who waits for the network drives; what another does in between needs the store, and no network
 * afterwards: only the time-out of the first would end the driver's next wait. */
typedef struct scene {
  crowd driver, leaver;
  int lock;
} scene;

static void begin(scene *now, identity_session *session, int round) {
  assert_int_equal(service_login(session, MAIL, TEST_PASSWORD, NULL), IDENTITY_OK);
  service_fault(&server, "{\"path\":\"/locales\",\"hang\":true}");
  crowd_start(&now->driver, session, 1, locale_of);
  await("GET", "/locales", round + 1);
  now->lock = slot_lock(slot);
  crowd_start(&now->leaver, session, 1, identity_logout);
  service_pause_ms(60);
}

static int64_t a_call_comes(identity_session *session, int round) {
  scene now;
  crowd other;
  begin(&now, session, 2 * round + 1); /* one of the registration */
  crowd_start(&other, session, 1, locale_of);
  service_pause_ms(60); /* it has woken the driver, which waits on */
  slot_unlock(now.lock);
  int64_t begun = service_now_ms();
  crowd_join(&other);
  int64_t took = service_now_ms() - begun;
  assert_int_equal(crowd_count(&other, IDENTITY_OK), 1);
  service_send(&server, "POST", "release", "{}");
  crowd_join(&now.driver);
  crowd_join(&now.leaver);
  assert_int_equal(crowd_count(&now.driver, IDENTITY_OK), 1);
  assert_int_equal(crowd_count(&now.leaver, IDENTITY_OK), 1);
  return took;
}

static void a_call_that_comes_meanwhile_is_served_at_once(void **state) {
  (void)state;
  int64_t least = INT64_MAX;
  identity_session *session = signed_in();
  for (int round = 0; round < ROUNDS; round++) {
    int64_t took = a_call_comes(session, round);
    assert_true(took < 5000);
    least = took < least ? took : least;
  }
  if (least > AT_ONCE_MS)
    fail_msg("the fastest of %d took %d ms", ROUNDS, (int)least);
  identity_session_close(session);
}

static int64_t an_interrupt_comes(identity_session *session, int round) {
  scene now;
  begin(&now, session, round + 1);
  identity_session_interrupt(session);
  service_pause_ms(60);
  slot_unlock(now.lock);
  int64_t begun = service_now_ms();
  crowd_join(&now.driver);
  int64_t took = service_now_ms() - begun;
  crowd_join(&now.leaver);
  assert_int_equal(crowd_count(&now.driver, IDENTITY_CANCELLED), 1);
  assert_int_equal(service_state_of(session), IDENTITY_STATE_SIGNED_OUT); /* that had begun */
  service_send(&server, "POST", "release", "{}");
  return took;
}

static void an_interrupt_that_comes_meanwhile_is_obeyed_at_once(void **state) {
  (void)state;
  int64_t least = INT64_MAX;
  identity_session *session = signed_in();
  for (int round = 0; round < ROUNDS; round++) {
    int64_t took = an_interrupt_comes(session, round);
    assert_true(took < 5000);
    least = took < least ? took : least;
  }
  if (least > AT_ONCE_MS)
    fail_msg("the fastest of %d took %d ms", ROUNDS, (int)least);
  identity_session_close(session);
}

/* A thread that refreshes is in the wait for the lock; once it has it, the service will not answer. */
static int refresh_into_a_lock(crowd *driver, identity_session *session) {
  int lock = slot_lock(slot);
  service_fault(&server, "{\"path\":\"" REFRESH "\",\"hang\":true}");
  crowd_start(driver, session, 1, identity_session_refresh);
  service_pause_ms(60);
  return lock;
}

/* With the lock held all the time: the second that close has is the end of it. */
static void a_close_that_comes_meanwhile_ends_within_its_second(void **state) {
  (void)state;
  crowd driver;
  identity_session *session = signed_in();
  int lock = refresh_into_a_lock(&driver, session);
  int64_t begun = service_now_ms();
  identity_session_close(session);
  assert_true(service_now_ms() - begun < 3000);
  crowd_join(&driver);
  assert_int_equal(crowd_count(&driver, IDENTITY_OK), 0);
  slot_unlock(lock);
  probe_sent(&server, "POST", REFRESH, 0); /* the lease could not be written: nothing was sent */
  session = service_open_stored(&server, "viewer", "store");
  service_clear_faults(&server);
  assert_int_equal(identity_session_refresh(session, NULL), IDENTITY_OK);
  identity_session_close(session);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test_setup(a_call_that_comes_meanwhile_is_served_at_once, reset),
    cmocka_unit_test_setup(an_interrupt_that_comes_meanwhile_is_obeyed_at_once, reset),
    cmocka_unit_test_setup(a_close_that_comes_meanwhile_ends_within_its_second, reset),
};

SUITE_WITH("lock wait", tests, start, end)
