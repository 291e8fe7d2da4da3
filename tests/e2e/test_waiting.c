/* How long a call may take, and what ends it: time-outs, interrupt, close. */
#include "support/crowd.h"
#include "support/peer.h"
#include "support/stage.h"

#define MAIL "jo@example.com"
#define REFRESH "/auths/refresh_token"

enum { TIMEOUT_MS = 200 };

/* What a call may take beyond its time: 200 ms, and as much again for a busy machine. Under a tool that slows
 * everything down, a trusted bundle alone takes seconds to read. */
static int slack_ms(void) {
  const char *preload = getenv("LD_PRELOAD");
  bool slow = preload != NULL && strstr(preload, "vgpreload") != NULL;
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  slow = true;
#endif
  return slow ? 20000 : 400;
}

static identity_session *signed_in(void) {
  identity_session *session = service_open(&server, "viewer");
  service_register(session, MAIL);
  return session;
}

static identity_status fetch_locale(identity_session *session, identity_error *error) {
  const identity_locale *locale = NULL;
  identity_status status = identity_fetch_locale(session, NULL, &locale, error);
  identity_locale_free(locale);
  return status;
}

static void await(const char *method, const char *path, int count) {
  for (int i = 0; i < 1000 && service_count(&server, method, path, -1) < count; i++)
    service_pause_ms(2);
  assert_int_equal(service_count(&server, method, path, -1), count);
}

/* ---- time-outs ---- */

static void call_in_time(const char *base_url) {
  identity_error error;
  identity_config *config = service_config(&server);
  assert_int_equal(identity_config_set_base_url(config, base_url), IDENTITY_OK);
  assert_int_equal(identity_config_set_timeout_ms(config, TIMEOUT_MS), IDENTITY_OK);
  identity_session *session = service_open_with(config, "viewer");
  int64_t begun = service_now_ms();
  assert_int_equal(fetch_locale(session, &error), IDENTITY_TIMED_OUT);
  assert_in_range(service_now_ms() - begun, TIMEOUT_MS - 1, TIMEOUT_MS + slack_ms());
  begun = service_now_ms();
  identity_session_close(session);
  assert_in_range(service_now_ms() - begun, 0, slack_ms());
}

static void a_service_that_never_answers_is_given_up_in_time(void **state) {
  (void)state;
  service_fault(&server, "{\"path\":\"/locales\",\"hang\":true,\"times\":-1}");
  call_in_time(server.base_url);
  assert_int_equal(service_count(&server, "GET", "/locales", -1), 1);
}

static void a_service_that_drips_is_given_up_in_time(void **state) {
  (void)state;
  service_fault(&server, "{\"path\":\"/locales\",\"bytes_per_second\":5,\"times\":-1}");
  call_in_time(server.base_url);
  peer slow;
  static const char answer[] = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}";
  char base_url[64];
  peer_start(&slow, answer, sizeof answer - 1, 50);
  snprintf(base_url, sizeof base_url, "http://127.0.0.1:%d", slow.port);
  call_in_time(base_url);
  peer_stop(&slow);
}

static void a_service_that_fails_again_and_again_is_given_up_in_time(void **state) {
  (void)state;
  identity_config *config = service_config(&server);
  assert_int_equal(identity_config_set_timeout_ms(config, TIMEOUT_MS), IDENTITY_OK);
  identity_session *session = service_open_with(config, "viewer");
  service_fault(&server, "{\"path\":\"/locales\",\"delay_ms\":50,\"status\":500,\"times\":-1,\"body\":\"\","
                         "\"headers\":{\"Retry-After\":\"5\"}}");
  int64_t begun = service_now_ms();
  assert_int_equal(fetch_locale(session, NULL), IDENTITY_SERVICE_FAILED);
  assert_in_range(service_now_ms() - begun, 50, TIMEOUT_MS + slack_ms());
  assert_int_equal(service_count(&server, "GET", "/locales", -1), 1);
  identity_session_close(session);
}

static void sixty_four_callers_are_all_given_up_in_time(void **state) {
  (void)state;
  crowd people;
  identity_config *config = service_config(&server);
  assert_int_equal(identity_config_set_timeout_ms(config, TIMEOUT_MS), IDENTITY_OK);
  identity_session *session = service_open_with(config, "viewer");
  service_fault(&server, "{\"path\":\"/locales\",\"hang\":true,\"times\":-1}");
  crowd_start(&people, session, 64, fetch_locale);
  crowd_join(&people);
  assert_int_equal(crowd_count(&people, IDENTITY_TIMED_OUT), 64);
  for (int i = 0; i < 64; i++)
    assert_in_range(people.members[i].took_ms, TIMEOUT_MS - 1, TIMEOUT_MS + slack_ms());
  service_clear_faults(&server);
  assert_int_equal(fetch_locale(session, NULL), IDENTITY_OK);
  identity_session_close(session);
}

/* ---- interrupt and close ---- */

static void an_interrupt_ends_the_calls_in_flight_and_no_later_one(void **state) {
  (void)state;
  crowd people;
  identity_session *session = signed_in();
  service_fault(&server, "{\"path\":\"/locales\",\"hang\":true,\"times\":4}");
  crowd_start(&people, session, 4, fetch_locale);
  await("GET", "/locales", 1 + 4);
  int64_t begun = service_now_ms();
  identity_session_interrupt(session);
  crowd_join(&people);
  assert_true(service_now_ms() - begun < slack_ms());
  assert_int_equal(crowd_count(&people, IDENTITY_CANCELLED), 4);
  assert_int_equal(fetch_locale(session, NULL), IDENTITY_OK);
  assert_int_equal(service_state_of(session), IDENTITY_STATE_ACTIVE);
  identity_session_close(session);
}

static identity_status register_jo(identity_session *session, identity_error *error) {
  identity_register_params params;
  identity_register_params_init(&params, sizeof params);
  params.email = MAIL;
  params.password = TEST_PASSWORD;
  return identity_register(session, &params, error);
}

static identity_status log_in_jo(identity_session *session, identity_error *error) {
  return service_login(session, MAIL, TEST_PASSWORD, error);
}

static void an_interrupted_registration_that_was_sent_has_an_unknown_outcome(void **state) {
  (void)state;
  crowd one;
  identity_session *session = service_open(&server, "viewer");
  service_send(&server, "PUT", "publishers/" TEST_PUBLISHER "/consents", "{\"consents\":[]}");
  service_fault(&server, "{\"method\":\"POST\",\"path\":\"/customers\",\"hang\":true}");
  crowd_start(&one, session, 1, register_jo);
  await("POST", "/customers", 1);
  identity_session_interrupt(session);
  crowd_join(&one);
  assert_int_equal(one.members[0].status, IDENTITY_OUTCOME_UNKNOWN);
  service_fault(&server, "{\"method\":\"POST\",\"path\":\"/auths\",\"hang\":true}");
  crowd_start(&one, session, 1, log_in_jo);
  await("POST", "/auths", 1);
  identity_session_interrupt(session);
  crowd_join(&one);
  assert_int_equal(one.members[0].status, IDENTITY_CANCELLED);
  assert_int_equal(service_state_of(session), IDENTITY_STATE_SIGNED_OUT);
  identity_session_close(session);
}

static void an_interrupted_waiter_does_not_cost_the_refresh(void **state) {
  (void)state;
  crowd one;
  identity_session *session = signed_in();
  service_fault(&server, "{\"path\":\"" REFRESH "\",\"delay_ms\":200}");
  crowd_start(&one, session, 1, identity_session_refresh);
  await("POST", REFRESH, 1);
  identity_session_interrupt(session);
  crowd_join(&one);
  assert_int_equal(one.members[0].status, IDENTITY_CANCELLED);
  service_pause_ms(200);
  assert_int_equal(fetch_locale(session, NULL), IDENTITY_OK); /* any call drives it first */
  assert_int_equal(service_state_of(session), IDENTITY_STATE_ACTIVE);
  assert_int_equal(identity_session_refresh(session, NULL), IDENTITY_OK);
  assert_int_equal(service_count(&server, "POST", REFRESH, 200), 2);
  identity_session_close(session);
}

static void close_ends_the_calls_in_flight(void **state) {
  (void)state;
  crowd people;
  identity_session *session = signed_in();
  service_fault(&server, "{\"path\":\"/locales\",\"hang\":true,\"times\":-1}");
  crowd_start(&people, session, 16, fetch_locale);
  service_pause_ms(100); /* all of them are inside, most wait for a connection */
  int64_t begun = service_now_ms();
  identity_session_close(session);
  assert_true(service_now_ms() - begun < 1000);
  crowd_join(&people);
  assert_int_equal(crowd_count(&people, IDENTITY_CANCELLED), 16);
}

static void close_waits_a_second_at_most_for_a_refresh_that_hangs(void **state) {
  (void)state;
  crowd one;
  identity_session *session = service_open_stored(&server, "viewer", "hanging");
  service_register(session, MAIL);
  service_fault(&server, "{\"path\":\"" REFRESH "\",\"hang\":true,\"after\":true}");
  crowd_start(&one, session, 1, identity_session_refresh);
  await("POST", REFRESH, 1);
  int64_t begun = service_now_ms();
  identity_session_close(session);
  assert_in_range(service_now_ms() - begun, 900, 1100 + slack_ms());
  crowd_join(&one);
  assert_int_equal(one.members[0].status, IDENTITY_CANCELLED);
  /* The record remembers that an answer was lost. */
  session = service_open_stored(&server, "viewer", "hanging");
  assert_int_equal(service_state_of(session), IDENTITY_STATE_STALE);
  service_pause_ms((int)service_wait_of(session) + 5);
  assert_int_equal(identity_session_refresh(session, NULL), IDENTITY_SESSION_ENDED);
  assert_int_equal(service_reason_of(session), IDENTITY_REASON_LOST_ROTATION);
  identity_session_close(session);
}

static void close_keeps_the_pair_of_a_refresh_that_answers_within_its_second(void **state) {
  (void)state;
  crowd one;
  identity_session *session = service_open_stored(&server, "viewer", "late");
  service_register(session, MAIL);
  service_fault(&server, "{\"path\":\"" REFRESH "\",\"delay_ms\":200}");
  crowd_start(&one, session, 1, identity_session_refresh);
  await("POST", REFRESH, 1);
  identity_session_close(session);
  crowd_join(&one);
  session = service_open_stored(&server, "viewer", "late");
  assert_int_equal(service_state_of(session), IDENTITY_STATE_ACTIVE);
  assert_int_equal(identity_session_refresh(session, NULL), IDENTITY_OK);
  assert_int_equal(service_count(&server, "POST", REFRESH, 200), 2);
  assert_int_equal(service_count(&server, "POST", REFRESH, -1), 2);
  identity_session_close(session);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test_setup(a_service_that_never_answers_is_given_up_in_time, reset),
    cmocka_unit_test_setup(a_service_that_drips_is_given_up_in_time, reset),
    cmocka_unit_test_setup(a_service_that_fails_again_and_again_is_given_up_in_time, reset),
    cmocka_unit_test_setup(sixty_four_callers_are_all_given_up_in_time, reset),
    cmocka_unit_test_setup(an_interrupt_ends_the_calls_in_flight_and_no_later_one, reset),
    cmocka_unit_test_setup(an_interrupted_registration_that_was_sent_has_an_unknown_outcome, reset),
    cmocka_unit_test_setup(an_interrupted_waiter_does_not_cost_the_refresh, reset),
    cmocka_unit_test_setup(close_ends_the_calls_in_flight, reset),
    cmocka_unit_test_setup(close_waits_a_second_at_most_for_a_refresh_that_hangs, reset),
    cmocka_unit_test_setup(close_keeps_the_pair_of_a_refresh_that_answers_within_its_second, reset),
};

SUITE_WITH("waiting", tests, start, stop)
