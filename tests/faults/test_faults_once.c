/* Fault 28. A connection that the service closes under a request: what must not be done twice is sent once,
 * whatever libcurl would do by itself, and a GET in the same place succeeds. */
#define STAGE_KIND SERVICE_TLS

#include "support/stage.h"

#define MAIL "jo@example.com"

static int start_plain(void **state) {
  (void)state;
  service_start(&server, SERVICE_HTTP, NULL);
  return 0;
}

/* The next request of this kind on a connection that was used before is read, and the connection closed. */
static void close_under(const char *method, const char *path) {
  char json[200];
  snprintf(json, sizeof json,
           "{\"method\":\"%s\",\"path\":\"%s\",\"reused_only\":true,\"drop\":\"before\",\"times\":-1}",
           method, path);
  service_fault(&server, json);
}

static int sent(const char *method, const char *path) {
  return service_count(&server, method, path, -1);
}

/* A session with a connection that is open and used. */
static identity_session *signed_in(void) {
  identity_session *session = service_open(&server, "viewer");
  service_register(session, MAIL);
  assert_int_equal(service_connections(&server), 1);
  return session;
}

static void fault_28_a_refresh_is_sent_once(void **state) {
  (void)state;
  identity_session *session = signed_in();
  close_under("POST", "/auths/refresh_token");
  assert_int_equal(identity_session_refresh(session, NULL), IDENTITY_CONNECTION_LOST);
  assert_int_equal(sent("POST", "/auths/refresh_token"), 1);
  assert_int_equal(service_state_of(session), IDENTITY_STATE_STALE);
  identity_session_close(session);
}

static void fault_28_a_registration_is_sent_once_and_its_outcome_unknown(void **state) {
  (void)state;
  identity_error error;
  identity_register_params params;
  const identity_consents *none = NULL;
  identity_session *session = service_open(&server, "viewer");
  service_send(&server, "PUT", "publishers/" TEST_PUBLISHER "/consents", "{\"consents\":[]}");
  assert_int_equal(identity_fetch_publisher_consents(session, &none, NULL), IDENTITY_OK);
  identity_consents_free(none);
  close_under("POST", "/customers");
  identity_register_params_init(&params, sizeof params);
  params.email = MAIL;
  params.password = TEST_PASSWORD;
  assert_int_equal(identity_register(session, &params, &error), IDENTITY_OUTCOME_UNKNOWN);
  assert_int_equal(sent("POST", "/customers"), 1);
  assert_int_equal(service_state_of(session), IDENTITY_STATE_SIGNED_OUT);
  identity_session_close(session);
}

static void fault_28_a_login_is_sent_once(void **state) {
  (void)state;
  identity_session *session = signed_in();
  assert_int_equal(identity_logout(session, NULL), IDENTITY_OK);
  close_under("POST", "/auths");
  assert_int_equal(service_login(session, MAIL, TEST_PASSWORD, NULL), IDENTITY_CONNECTION_LOST);
  assert_int_equal(sent("POST", "/auths"), 1);
  assert_int_equal(service_state_of(session), IDENTITY_STATE_SIGNED_OUT);
  service_clear_faults(&server);
  assert_int_equal(service_login(session, MAIL, TEST_PASSWORD, NULL), IDENTITY_OK);
  identity_session_close(session);
}

static void fault_28_a_new_password_is_sent_once_and_its_outcome_unknown(void **state) {
  (void)state;
  identity_update_password_params params;
  identity_session *session = signed_in();
  close_under("PATCH", "/customers/passwords");
  identity_update_password_params_init(&params, sizeof params);
  params.email = MAIL;
  params.reset_token = "0123456789abcdef";
  params.new_password = TEST_PASSWORD;
  assert_int_equal(identity_update_password(session, &params, NULL), IDENTITY_OUTCOME_UNKNOWN);
  assert_int_equal(sent("PATCH", "/customers/passwords"), 1);
  assert_int_equal(service_state_of(session), IDENTITY_STATE_ACTIVE);
  identity_session_close(session);
}

static void fault_28_a_reset_mail_is_asked_for_once(void **state) {
  (void)state;
  identity_session *session = signed_in();
  close_under("PUT", "/customers/passwords");
  assert_int_equal(identity_request_password_reset(session, MAIL, NULL, NULL), IDENTITY_CONNECTION_LOST);
  assert_int_equal(sent("PUT", "/customers/passwords"), 1);
  identity_session_close(session);
}

/* No body: nothing that libcurl would have to rewind holds it back from asking again. */
static void fault_28_a_logout_everywhere_is_sent_once_and_not_confirmed(void **state) {
  (void)state;
  identity_session *session = signed_in();
  close_under("DELETE", "/refresh_tokens");
  assert_int_equal(identity_logout_everywhere(session, NULL), IDENTITY_OUTCOME_UNKNOWN);
  assert_int_equal(sent("DELETE", "/refresh_tokens"), 1);
  assert_int_equal(service_state_of(session), IDENTITY_STATE_SIGNED_OUT);
  assert_int_equal(service_reason_of(session), IDENTITY_REASON_LOGOUT_EVERYWHERE);
  identity_session_close(session);
}

static void fault_28_a_get_in_the_same_place_succeeds(void **state) {
  (void)state;
  identity_session *session = signed_in();
  close_under("GET", "/customers/*");
  assert_int_equal(service_fetch(session, NULL), IDENTITY_OK);
  assert_int_equal(service_count(&server, "GET", "/customers/*", 200), 1);
  assert_true(sent("GET", "/customers/*") >= 2);
  identity_session_close(session);
}

/* Closed while nothing was under way: nothing has left, and everything may be sent, also what is sent once.
 */
static void fault_28_a_connection_closed_while_idle_costs_nothing(void **state) {
  (void)state;
  identity_session *session = signed_in();
  service_send(&server, "POST", "close-idle", "{}");
  service_pause_ms(20);
  assert_int_equal(identity_session_refresh(session, NULL), IDENTITY_OK);
  assert_int_equal(sent("POST", "/auths/refresh_token"), 1);
  service_send(&server, "POST", "close-idle", "{}");
  service_pause_ms(20);
  assert_int_equal(identity_logout_everywhere(session, NULL), IDENTITY_OK);
  assert_int_equal(sent("DELETE", "/refresh_tokens"), 1);
  service_send(&server, "POST", "close-idle", "{}");
  service_pause_ms(20);
  assert_int_equal(service_login(session, MAIL, TEST_PASSWORD, NULL), IDENTITY_OK);
  assert_int_equal(sent("POST", "/auths"), 1);
  identity_session_close(session);
}

/* The answer was on its way when the connection broke: processed, not confirmed, not asked again. */
static void fault_28_what_was_processed_without_an_answer_is_not_sent_again(void **state) {
  (void)state;
  identity_session *session = signed_in();
  service_fault(&server, "{\"path\":\"/auths/refresh_token\",\"drop\":\"after\",\"times\":-1}");
  service_fault(&server, "{\"path\":\"/refresh_tokens\",\"drop\":\"after\",\"times\":-1}");
  assert_int_equal(identity_session_refresh(session, NULL), IDENTITY_CONNECTION_LOST);
  assert_int_equal(sent("POST", "/auths/refresh_token"), 1);
  assert_int_equal(identity_logout_everywhere(session, NULL), IDENTITY_OUTCOME_UNKNOWN);
  assert_int_equal(sent("DELETE", "/refresh_tokens"), 1);
  assert_int_equal(service_valid_refresh_tokens(&server, MAIL), 0);
  identity_session_close(session);
}

#define TEST(name)                                                                                           \
  { #name " (https)", name, reset, NULL, NULL }
#define PLAIN(name)                                                                                          \
  { #name " (http)", name, reset, NULL, NULL }

static void change_to_plain_http(void **state) {
  (void)state;
  service_stop(&server);
  (void)start_plain(state);
  assert_false(server.tls);
}

static const struct CMUnitTest tests[] = {
    TEST(fault_28_a_refresh_is_sent_once),
    TEST(fault_28_a_registration_is_sent_once_and_its_outcome_unknown),
    TEST(fault_28_a_login_is_sent_once),
    TEST(fault_28_a_new_password_is_sent_once_and_its_outcome_unknown),
    TEST(fault_28_a_reset_mail_is_asked_for_once),
    TEST(fault_28_a_logout_everywhere_is_sent_once_and_not_confirmed),
    TEST(fault_28_a_get_in_the_same_place_succeeds),
    TEST(fault_28_a_connection_closed_while_idle_costs_nothing),
    TEST(fault_28_what_was_processed_without_an_answer_is_not_sent_again),
    cmocka_unit_test(change_to_plain_http),
    PLAIN(fault_28_a_refresh_is_sent_once),
    PLAIN(fault_28_a_registration_is_sent_once_and_its_outcome_unknown),
    PLAIN(fault_28_a_login_is_sent_once),
    PLAIN(fault_28_a_new_password_is_sent_once_and_its_outcome_unknown),
    PLAIN(fault_28_a_reset_mail_is_asked_for_once),
    PLAIN(fault_28_a_logout_everywhere_is_sent_once_and_not_confirmed),
    PLAIN(fault_28_a_get_in_the_same_place_succeeds),
    PLAIN(fault_28_a_connection_closed_while_idle_costs_nothing),
    PLAIN(fault_28_what_was_processed_without_an_answer_is_not_sent_again),
};

SUITE_WITH("faults: connections closed under a call", tests, start, stop)
