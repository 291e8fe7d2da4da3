/* One table of what happens to a viewer, played in every way that a loop can be driven: they all come to the
 * same. */
#include "support/host_clock.h"
#include "support/peer.h"
#include "support/rotation.h"
#include "support/stage.h"
#include "support/twins.h"

static aloop shared;
static host_clock device;
static const char *what; /* is being played, for a failure */

static identity_config *config_of_the_device(void) {
  identity_config *config = service_config(&server);
  assert_int_equal(identity_config_set_clock(config, &device.clock), IDENTITY_OK);
  return config;
}

static identity_session *open_viewer(const char *account) {
  identity_session *session = aloop_open_with(&shared, config_of_the_device(), account);
  assert_int_equal(twin_run(&shared, TWIN_LOGIN, session, NULL), IDENTITY_OK);
  return session;
}

static void runs(int which, identity_session *session, identity_status status, identity_error *error) {
  identity_error local;
  error = error != NULL ? error : &local;
  (void)twin_run(&shared, which, session, error);
  probe_status(what, error, status, NULL);
}

/* ---- the scenarios ---- */

static void a_login_and_a_fetch(void) {
  identity_session *session = open_viewer("viewer");
  runs(TWIN_CUSTOMER, session, IDENTITY_OK, NULL);
  probe_sent(&server, "POST", "/auths", 1);
  probe_sent(&server, "GET", "/customers/*", 1);
  identity_session_close(session);
}

static void an_expired_jwt_is_replaced_within_the_call(void) {
  identity_session *session = open_viewer("viewer");
  host_clock_sleep(&device, 901000);
  service_shift_clock(&server, 901);
  runs(TWIN_CUSTOMER, session, IDENTITY_OK, NULL);
  assert_int_equal(rotation_count(&server, 200), 1);
  assert_int_equal(service_count(&server, "GET", "/customers/*", 200), 1);
  assert_int_equal(service_count(&server, "GET", "/customers/*", 401), 0);
  identity_session_close(session);
}

static void a_401_is_sent_again_with_a_new_jwt(void) {
  identity_session *session = open_viewer("viewer");
  service_shift_clock(&server, 901);
  runs(TWIN_CUSTOMER, session, IDENTITY_OK, NULL);
  assert_int_equal(rotation_count(&server, 200), 1);
  assert_int_equal(service_count(&server, "GET", "/customers/*", 200), 1);
  assert_int_equal(service_count(&server, "GET", "/customers/*", 401), 1);
  identity_session_close(session);
}

static void a_stalled_service_ends_by_the_deadline(void) {
  identity_config *config = config_of_the_device();
  assert_int_equal(identity_config_set_timeout_ms(config, 150), IDENTITY_OK);
  identity_session *session = aloop_open_with(&shared, config, "viewer");
  service_fault(&server, "{\"path\":\"/locales\",\"times\":-1,\"hang\":true}");
  runs(TWIN_LOCALE, session, IDENTITY_TIMED_OUT, NULL);
  service_clear_faults(&server);
  runs(TWIN_LOCALE, session, IDENTITY_OK, NULL);
  identity_session_close(session);
}

static void a_service_that_is_not_there_is_offline(void) {
  char url[64];
  identity_config *config = config_of_the_device();
  snprintf(url, sizeof url, "http://127.0.0.1:%d", peer_closed_port());
  assert_int_equal(identity_config_set_base_url(config, url), IDENTITY_OK);
  identity_session *session = aloop_open_with(&shared, config, "viewer");
  runs(TWIN_LOGIN, session, IDENTITY_OFFLINE, NULL);
  runs(TWIN_REGISTER, session, IDENTITY_OFFLINE, NULL);
  identity_session_close(session);
}

static void an_answer_that_breaks_off_is_asked_for_again(void) {
  identity_session *session = open_viewer("viewer");
  service_fault(&server, "{\"path\":\"/customers/*\",\"times\":2,\"drop\":\"after\"}");
  runs(TWIN_CUSTOMER, session, IDENTITY_OK, NULL);
  probe_sent(&server, "GET", "/customers/*", 3);
  identity_session_close(session);
}

/* The one on another host is not concerned. */
static void a_retry_after_counts_for_all_sessions_of_its_host(void) {
  char url[64];
  identity_error error;
  identity_config *config = config_of_the_device();
  snprintf(url, sizeof url, "http://localhost:%d", server.port);
  assert_int_equal(identity_config_set_base_url(config, url), IDENTITY_OK);
  identity_session *first = open_viewer("first");
  identity_session *second = open_viewer("second");
  identity_session *elsewhere = aloop_open_with(&shared, config, "elsewhere");
  runs(TWIN_LOGIN, elsewhere, IDENTITY_OK, NULL);
  host_clock_sleep(&device, 901000);
  service_shift_clock(&server, 901);
  rotation_fault(&server, "\"status\":429,\"headers\":{\"Retry-After\":\"60\"},\"body\":\"{}\"");
  runs(TWIN_CUSTOMER, first, IDENTITY_THROTTLED, &error);
  assert_in_range(error.retry_after_ms, 59000, 75000);
  runs(TWIN_CUSTOMER, second, IDENTITY_REFRESH_DEFERRED, &error);
  assert_in_range(error.retry_after_ms, 59000, 75000);
  assert_int_equal(rotation_count(&server, -1), 1);
  runs(TWIN_CUSTOMER, elsewhere, IDENTITY_OK, NULL);
  assert_int_equal(rotation_count(&server, -1), 2);
  host_clock_sleep(&device, 76000);
  runs(TWIN_CUSTOMER, second, IDENTITY_OK, NULL);
  runs(TWIN_CUSTOMER, first, IDENTITY_OK, NULL);
  identity_session_close(first);
  identity_session_close(second);
  identity_session_close(elsewhere);
}

static void a_registration_and_what_comes_next(void) {
  identity_session *session = aloop_open_with(&shared, config_of_the_device(), "viewer");
  runs(TWIN_REGISTER, session, IDENTITY_OK, NULL);
  runs(TWIN_NEXT_STEP, session, IDENTITY_OK, NULL);
  runs(TWIN_UPDATE_CAPTURE, session, IDENTITY_OK, NULL);
  runs(TWIN_LOGOUT_EVERYWHERE, session, IDENTITY_OK, NULL);
  runs(TWIN_CUSTOMER, session, IDENTITY_SIGNED_OUT, NULL);
  probe_sent(&server, "DELETE", "/refresh_tokens", 1);
  identity_session_close(session);
}

/* ---- every way ---- */

static void play(void (*scenario)(void), const char *name) {
  for (int drive = 0; drive < DRIVES; drive++) {
    char text[200];
    service_reset(&server);
    twins_register(&server);
    snprintf(text, sizeof text, "%s, by %s", name, aloop_drive_names[drive]);
    what = text;
    host_clock_start(&device, NULL, 3600000);
    aloop_start(&shared, config_of_the_device(), drive);
    aloop_settle(&shared);
    scenario();
    aloop_stop(&shared);
    if (shared.outside > 0)
      fail_msg("%s: %d host callbacks outside of functions of the loop", text, shared.outside);
    if ((shared.told > 0) != (drive == DRIVE_HOST))
      fail_msg("%s: %d host callbacks", text, shared.told);
  }
}

#define SCENARIO(name)                                                                                       \
  static void every_driver_##name(void **state) {                                                            \
    (void)state;                                                                                             \
    play(name, #name);                                                                                       \
  }

SCENARIO(a_login_and_a_fetch)
SCENARIO(an_expired_jwt_is_replaced_within_the_call)
SCENARIO(a_401_is_sent_again_with_a_new_jwt)
SCENARIO(a_stalled_service_ends_by_the_deadline)
SCENARIO(a_service_that_is_not_there_is_offline)
SCENARIO(an_answer_that_breaks_off_is_asked_for_again)
SCENARIO(a_retry_after_counts_for_all_sessions_of_its_host)
SCENARIO(a_registration_and_what_comes_next)

/* ---- of the descriptor and the host alone ---- */

enum { QUIET_MS = 300, MOST_TURNS = 30 };

/* What has nothing to do lets the host sleep: neither the descriptor nor a socket nor the timer wakes it all
 * the time while a call waits for its answer. */
static void a_waiting_call_lets_the_host_sleep(void **state) {
  (void)state;
  for (int drive = DRIVE_WAIT; drive <= DRIVE_HOST; drive++) {
    note ended = {0};
    aloop_start(&shared, service_config(&server), drive);
    identity_session *session = aloop_open(&shared, &server, "viewer");
    service_reset(&server);
    service_fault(&server, "{\"path\":\"/locales\",\"delay_ms\":300}");
    twin_start(TWIN_LOCALE, session, &ended);
    aloop_until(&shared, &ended, 1);
    note_is(&ended, IDENTITY_OK);
    if (shared.turns > MOST_TURNS)
      fail_msg("%d turns for one call of %d ms, driven by %s", shared.turns, QUIET_MS,
               aloop_drive_names[drive]);
    note_clear(&ended);
    identity_session_close(session);
    aloop_stop(&shared);
  }
}

static void a_host_hears_of_what_was_watched_before_it_came_and_gives_it_back(void **state) {
  (void)state;
  note first = {0}, second = {0};
  service_fault(&server, "{\"path\":\"/locales\",\"times\":2,\"hang\":true}");
  aloop_start(&shared, service_config(&server), DRIVE_TICK);
  identity_session *session = aloop_open(&shared, &server, "viewer");
  twin_start(TWIN_LOCALE, session, &first);
  aloop_until_sent(&shared, &server, "GET", "/locales", 1);
  aloop_adopt_host(&shared); /* in mid-flight */
  assert_true(shared.watched_count >= 1);
  service_send(&server, "POST", "release", "{}");
  aloop_until(&shared, &first, 1);
  note_is(&first, IDENTITY_OK);
  twin_start(TWIN_LOCALE, session, &second);
  aloop_until_sent(&shared, &server, "GET", "/locales", 2);
  assert_int_equal(identity_loop_set_host(shared.loop, NULL, NULL, NULL), IDENTITY_OK);
  shared.drive = DRIVE_WAIT;
  int told = shared.told;
  service_send(&server, "POST", "release", "{}");
  aloop_until(&shared, &second, 1);
  note_is(&second, IDENTITY_OK);
  assert_int_equal(shared.told, told);
  note_clear(&first);
  note_clear(&second);
  identity_session_close(session);
  aloop_stop(&shared);
  assert_int_equal(shared.told, told);
}

static void a_socket_or_timer_callback_alone_is_a_bad_argument(void **state) {
  (void)state;
  aloop_start(&shared, service_config(&server), DRIVE_TICK);
  assert_int_equal(aloop_adopt_half_a_host(&shared, true), IDENTITY_BAD_ARGUMENT);
  assert_int_equal(aloop_adopt_half_a_host(&shared, false), IDENTITY_BAD_ARGUMENT);
  aloop_settle(&shared);
  assert_int_equal(shared.told, 0);
  aloop_stop(&shared);
}

/* Sockets that the loop never watched, or does not watch any more, and events out of nowhere. */
static void news_of_foreign_sockets_do_no_harm(void **state) {
  (void)state;
  static const int64_t sockets[] = {-1, 0, 1, 5, 999, INT64_MAX, INT64_MIN};
  note ended = {0};
  aloop_start(&shared, service_config(&server), DRIVE_HOST);
  identity_session *session = aloop_open(&shared, &server, "viewer");
  twin_start(TWIN_LOCALE, session, &ended);
  for (int events = 0; events < 8; events++)
    for (size_t i = 0; i < ROWS(sockets); i++)
      assert_int_equal(aloop_tell_socket(&shared, sockets[i], events), IDENTITY_OK);
  aloop_until(&shared, &ended, 1);
  note_is(&ended, IDENTITY_OK);
  note_clear(&ended);
  identity_session_close(session);
  aloop_stop(&shared);
}

#define TEST(name) cmocka_unit_test_setup(name, reset)

static const struct CMUnitTest tests[] = {
    TEST(every_driver_a_login_and_a_fetch),
    TEST(every_driver_an_expired_jwt_is_replaced_within_the_call),
    TEST(every_driver_a_401_is_sent_again_with_a_new_jwt),
    TEST(every_driver_a_stalled_service_ends_by_the_deadline),
    TEST(every_driver_a_service_that_is_not_there_is_offline),
    TEST(every_driver_an_answer_that_breaks_off_is_asked_for_again),
    TEST(every_driver_a_retry_after_counts_for_all_sessions_of_its_host),
    TEST(every_driver_a_registration_and_what_comes_next),
    TEST(a_waiting_call_lets_the_host_sleep),
    TEST(a_host_hears_of_what_was_watched_before_it_came_and_gives_it_back),
    TEST(a_socket_or_timer_callback_alone_is_a_bad_argument),
    TEST(news_of_foreign_sockets_do_no_harm),
};

SUITE_WITH("async_drivers", tests, start, stop)
