/* Many sessions on one loop: one pool of connections, one refresh for each session, however many ask. */
#include "support/host_clock.h"
#include "support/judge.h"
#include "support/rotation.h"
#include "support/stage.h"
#include "support/twins.h"

enum { SESSIONS = 200, CALLERS = 64, MOST_CONNECTIONS = 8 };

static aloop shared;
static host_clock device;
static identity_session *sessions[SESSIONS];
static note calls[SESSIONS];

static identity_config *config_of_the_device(void) {
  identity_config *config = service_config(&server);
  assert_int_equal(identity_config_set_clock(config, &device.clock), IDENTITY_OK);
  assert_int_equal(identity_config_set_timeout_ms(config, 120000), IDENTITY_OK);
  return config;
}

static int begin(void **state) {
  (void)reset(state);
  twins_register(&server);
  host_clock_start(&device, NULL, 3600000);
  memset(calls, 0, sizeof calls);
  aloop_start(&shared, config_of_the_device(), DRIVE_FD);
  return 0;
}

static int end(void **state) {
  (void)state;
  aloop_stop(&shared);
  return 0;
}

static void open_all(int count) {
  char account[32];
  for (int i = 0; i < count; i++) {
    snprintf(account, sizeof account, "viewer-%d", i);
    sessions[i] = aloop_open_with(&shared, config_of_the_device(), account);
  }
}

static void close_all(int count) {
  for (int i = 0; i < count; i++)
    identity_session_close(sessions[i]);
}

static void all_run(int which, int count) {
  for (int i = 0; i < count; i++)
    twin_start(which, sessions[i], &calls[i]);
  assert_int_equal(identity_loop_pending(shared.loop), count);
  aloop_until(&shared, calls, (size_t)count);
  assert_int_equal(notes_with(calls, (size_t)count, IDENTITY_OK), count);
  notes_clear(calls, (size_t)count);
}

static void two_hundred_sessions_log_in_and_fetch_over_one_small_pool(void **state) {
  (void)state;
  int before = service_connections(&server);
  open_all(SESSIONS);
  all_run(TWIN_LOGIN, SESSIONS);
  all_run(TWIN_CUSTOMER, SESSIONS);
  probe_sent(&server, "POST", "/auths", SESSIONS);
  probe_sent(&server, "GET", "/customers/*", SESSIONS);
  assert_in_range(service_connections(&server) - before, 2, MOST_CONNECTIONS);
  assert_int_equal(service_valid_refresh_tokens(&server, TWIN_MAIL), SESSIONS + 1);
  close_all(SESSIONS);
}

static void every_session_refreshes_once_when_all_jwts_are_over(void **state) {
  (void)state;
  open_all(SESSIONS);
  all_run(TWIN_LOGIN, SESSIONS);
  host_clock_sleep(&device, 901000);
  service_shift_clock(&server, 901);
  all_run(TWIN_CUSTOMER, SESSIONS);
  judged found = judge_refreshes(&server);
  assert_int_equal(found.sent, SESSIONS);
  assert_int_equal(found.rotated, SESSIONS);
  assert_int_equal(found.repeated, 0);
  assert_int_equal(service_count(&server, "GET", "/customers/*", 200), SESSIONS);
  close_all(SESSIONS);
}

static void sixty_four_callers_of_one_session_cause_one_refresh(void **state) {
  (void)state;
  open_all(1);
  all_run(TWIN_LOGIN, 1);
  host_clock_sleep(&device, 901000);
  service_shift_clock(&server, 901);
  for (int i = 0; i < CALLERS; i++)
    twin_start(i % 4 == 0 ? TWIN_TOKENS : TWIN_CUSTOMER, sessions[0], &calls[i]);
  aloop_until(&shared, calls, CALLERS);
  assert_int_equal(notes_with(calls, CALLERS, IDENTITY_OK), CALLERS);
  assert_int_equal(rotation_count(&server, -1), 1);
  probe_sent(&server, "GET", "/customers/*", CALLERS / 4 * 3);
  notes_clear(calls, CALLERS);
  close_all(1);
}

/* A session that hogs its places leaves others theirs. */
static void a_session_with_many_stalled_calls_does_not_stop_another(void **state) {
  (void)state;
  enum { STALLED = 150 };
  note other = {0};
  open_all(2);
  service_fault(&server, "{\"path\":\"/publishers/*/consents\",\"times\":4,\"hang\":true}");
  for (int i = 0; i < 4; i++)
    twin_start(TWIN_PUBLISHER_CONSENTS, sessions[0], &calls[i]);
  aloop_until_sent(&shared, &server, "GET", "/publishers/*/consents", 4);
  for (int i = 4; i < STALLED; i++)
    twin_start(TWIN_LOCALE, sessions[0], &calls[i]);
  twin_start(TWIN_LOCALE, sessions[1], &other);
  aloop_until(&shared, &other, 1);
  note_is(&other, IDENTITY_OK);
  for (int i = 0; i < 4; i++)
    note_is_open(&calls[i]);
  service_send(&server, "POST", "release", "{}");
  aloop_until(&shared, calls, STALLED);
  assert_int_equal(notes_with(calls, STALLED, IDENTITY_OK), STALLED);
  notes_clear(calls, STALLED);
  note_clear(&other);
  close_all(2);
}

/* Nor does a service that hogs its connections. */
static void a_service_that_hangs_does_not_stop_another(void **state) {
  (void)state;
  static service black_hole;
  note other = {0};
  service_start(&black_hole, SERVICE_HTTP, NULL);
  service_fault(&black_hole, "{\"path\":\"/locales\",\"times\":-1,\"hang\":true}");
  identity_config *config = config_of_the_device();
  assert_int_equal(identity_config_set_base_url(config, black_hole.base_url), IDENTITY_OK);
  sessions[0] = aloop_open_with(&shared, config, "viewer");
  sessions[1] = aloop_open_with(&shared, config_of_the_device(), "viewer");
  for (int i = 0; i < CALLERS; i++)
    twin_start(TWIN_LOCALE, sessions[0], &calls[i]);
  aloop_until_sent(&shared, &black_hole, "GET", "/locales", MOST_CONNECTIONS);
  twin_start(TWIN_LOCALE, sessions[1], &other);
  aloop_until(&shared, &other, 1);
  note_is(&other, IDENTITY_OK);
  assert_int_equal(notes_with(calls, CALLERS, IDENTITY_OK), 0);
  probe_sent(&black_hole, "GET", "/locales", MOST_CONNECTIONS);
  identity_session_interrupt(sessions[0]);
  aloop_until(&shared, calls, CALLERS);
  assert_int_equal(notes_with(calls, CALLERS, IDENTITY_CANCELLED), CALLERS);
  notes_clear(calls, CALLERS);
  note_clear(&other);
  close_all(2);
  service_stop(&black_hole);
}

/* A form that hangs is not needed where there are consents to ask: it holds up nobody. */
static void forms_that_hang_and_that_nobody_needs_do_not_add_up(void **state) {
  (void)state;
  open_all(1);
  all_run(TWIN_LOGIN, 1);
  service_send(&server, "PUT", "publishers/" TEST_PUBLISHER "/consents", "{\"versions\":{\"terms\":\"2\"}}");
  service_fault(&server, "[{\"path\":\"/customers/*/capture/status\",\"times\":-1,\"hang\":true},"
                         "{\"path\":\"/customers/*/consents\",\"times\":-1,\"delay_ms\":60}]");
  for (int i = 0; i < 3 * MOST_CONNECTIONS; i++)
    all_run(TWIN_NEXT_STEP, 1);
  all_run(TWIN_CUSTOMER, 1);
  probe_sent(&server, "GET", "/customers/*/consents", 3 * MOST_CONNECTIONS);
  close_all(1);
}

static void a_loop_lives_on_when_its_sessions_come_and_go(void **state) {
  (void)state;
  for (int round = 0; round < 5; round++) {
    open_all(20);
    all_run(TWIN_LOCALE, 20);
    close_all(20);
    aloop_settle(&shared);
  }
  assert_in_range(service_connections(&server), 1, MOST_CONNECTIONS + 1); /* and that of the registration */
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

static const struct CMUnitTest tests[] = {
    TEST(two_hundred_sessions_log_in_and_fetch_over_one_small_pool),
    TEST(every_session_refreshes_once_when_all_jwts_are_over),
    TEST(sixty_four_callers_of_one_session_cause_one_refresh),
    TEST(a_session_with_many_stalled_calls_does_not_stop_another),
    TEST(a_service_that_hangs_does_not_stop_another),
    TEST(forms_that_hang_and_that_nobody_needs_do_not_add_up),
    TEST(a_loop_lives_on_when_its_sessions_come_and_go),
};

SUITE_WITH("async_many", tests, start, stop)
