/* Faults 24 and 26: networks that answer in the service's place, or send us elsewhere. */
#include "support/peer.h"
#include "support/stage.h"

#define REFRESH "/auths/refresh_token"

/* Where portals and redirects lead to. */
static peer stranger;

static int begin(void **state) {
  static const char answer[] = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}";
  (void)start(state);
  peer_start(&stranger, answer, sizeof answer - 1, 0);
  return 0;
}

static int end(void **state) {
  peer_stop(&stranger);
  return stop(state);
}

/* Each such request is answered by the network from now on; scheme: of a Location at the stranger's; NULL:
 * none. */
static void answer_with(const char *method, const char *path, int status, const char *body,
                        const char *scheme) {
  char headers[160] = "{\"Content-Type\":\"text/html\"}";
  if (body[0] == '{')
    snprintf(headers, sizeof headers, "{\"Content-Type\":\"application/json\"}");
  if (scheme != NULL)
    snprintf(headers, sizeof headers, "{\"Location\":\"%s127.0.0.1:%d/taken\"}", scheme, stranger.port);
  probe_answer(&server, method, path, status, body, headers);
}

static void answer_all(int status, const char *body, const char *scheme) {
  answer_with("*", "*", status, body, scheme);
}

/* ---- fault 24 ---- */

#define PAGE "<html><a href='https://portal.example.com'>Welcome to the hotel</a></html>"

typedef struct portal {
  const char *name;
  int http;
  const char *body;
  const char *scheme;
  identity_status status;     /* of a call, and of a login */
  identity_status registered; /* of a registration that was sent */
  identity_status refreshed;  /* of a call whose JWT is over */
} portal;

static const portal portals[] = {
    {"200 HTML", 200, PAGE, NULL, IDENTITY_NOT_THE_SERVICE, IDENTITY_OUTCOME_UNKNOWN,
     IDENTITY_NOT_THE_SERVICE},
    {"200 {}", 200, "{}", NULL, IDENTITY_UNEXPECTED_ANSWER, IDENTITY_UNEXPECTED_ANSWER,
     IDENTITY_REFRESH_DEFERRED},
    {"302", 302, PAGE, "http://", IDENTITY_NOT_THE_SERVICE, IDENTITY_OUTCOME_UNKNOWN,
     IDENTITY_NOT_THE_SERVICE},
    {"511", 511, PAGE, NULL, IDENTITY_NOT_THE_SERVICE, IDENTITY_NOT_THE_SERVICE, IDENTITY_NOT_THE_SERVICE},
};

static void email_of(size_t i, char email[40]) {
  snprintf(email, 40, "viewer%zu@example.com", i);
}

/* A session of its own; short: the library takes its JWT for over in a second. */
static identity_session *viewer(size_t i, bool short_jwt) {
  char email[40];
  email_of(i, email);
  identity_session *session = service_open(&server, email);
  if (short_jwt)
    service_issue_short_jwt(&server, "/customers");
  service_register(session, email);
  return session;
}

static void ask_behind(const portal *at, identity_session *session, size_t i) {
  identity_error error;
  char email[40];
  email_of(i, email);
  answer_all(at->http, at->body, at->scheme);
  (void)service_fetch(session, &error);
  const expected wanted = {at->status, at->http, NULL, NULL};
  probe_error(at->name, &error, &wanted);
  (void)service_login(session, email, TEST_PASSWORD, &error);
  probe_error(at->name, &error, &wanted);
  assert_int_equal(service_state_of(session), IDENTITY_STATE_ACTIVE);
  service_clear_faults(&server);
  assert_int_equal(service_fetch(session, NULL), IDENTITY_OK);
  assert_int_equal(service_login(session, email, TEST_PASSWORD, NULL), IDENTITY_OK);
}

static void fault_24_calls_and_logins_behind_a_portal_leave_the_session_as_it_was(void **state) {
  (void)state;
  for (size_t i = 0; i < ROWS(portals); i++) {
    identity_session *session = viewer(i, false);
    ask_behind(&portals[i], session, i);
    identity_session_close(session);
  }
  probe_sent(&server, "POST", REFRESH, 0); /* nothing of it was taken for the end of a JWT */
  assert_int_equal(peer_connections(&stranger), 0);
}

static void sign_in_behind(const portal *at) {
  identity_error error;
  identity_session *session = service_open(&server, "nobody");
  identity_register_params params = probe_register_params("new@example.com");
  answer_all(at->http, at->body, at->scheme);
  (void)service_login(session, "new@example.com", TEST_PASSWORD, &error);
  const expected wanted = {at->status, at->http, NULL, NULL};
  probe_error(at->name, &error, &wanted);
  (void)identity_register(session, &params, &error);
  probe_error(at->name, &error, &wanted); /* of the locale or the consents: it never came to the account */
  probe_sent(&server, "POST", "/customers", 0);
  probe_reason(session, IDENTITY_STATE_SIGNED_OUT, IDENTITY_REASON_NEVER_SIGNED_IN);
  service_clear_faults(&server);
  assert_int_equal(identity_register(session, &params, NULL), IDENTITY_OK);
  identity_session_close(session);
}

static void fault_24_who_was_signed_out_behind_a_portal_signs_in_behind_it_later(void **state) {
  (void)state;
  for (size_t i = 0; i < ROWS(portals); i++) {
    service_reset(&server);
    sign_in_behind(&portals[i]);
  }
  assert_int_equal(peer_connections(&stranger), 0);
}

/* Only the POST of the account meets the portal: for all we know it was processed, unless a 511 says that it
 * was not. */
static void fault_24_a_registration_that_met_a_portal_is_not_sent_again(void **state) {
  (void)state;
  for (size_t i = 0; i < ROWS(portals); i++) {
    identity_error error;
    service_reset(&server);
    identity_session *session = service_open(&server, "nobody");
    identity_register_params params = probe_register_params("new@example.com");
    answer_with("POST", "/customers", portals[i].http, portals[i].body, portals[i].scheme);
    (void)identity_register(session, &params, &error);
    probe_status(portals[i].name, &error, portals[i].registered, NULL);
    probe_sent(&server, "POST", "/customers", 1);
    probe_reason(session, IDENTITY_STATE_SIGNED_OUT, IDENTITY_REASON_NEVER_SIGNED_IN);
    identity_session_close(session);
  }
}

/* A portal hit by a dead JWT: one POST, the session kept, deferred until the wait is over, then as before. */
static void fault_24_a_refresh_that_meets_a_portal_keeps_the_session(void **state) {
  (void)state;
  identity_error error;
  identity_session *sessions[ROWS(portals)];
  for (size_t i = 0; i < ROWS(portals); i++)
    sessions[i] = viewer(i, true);
  service_pause_ms(1050);
  for (size_t i = 0; i < ROWS(portals); i++) {
    answer_all(portals[i].http, portals[i].body, portals[i].scheme);
    (void)service_fetch(sessions[i], &error);
    const expected wanted = {portals[i].refreshed,
                             portals[i].refreshed == IDENTITY_NOT_THE_SERVICE ? portals[i].http : -1, NULL,
                             NULL};
    probe_error(portals[i].name, &error, &wanted);
    probe_sent(&server, "POST", REFRESH, (int)i + 1);
    assert_int_equal(service_state_of(sessions[i]), IDENTITY_STATE_STALE);
    assert_in_range(service_wait_of(sessions[i]), 1, 2001);
    (void)service_fetch(sessions[i], &error);
    probe_status(portals[i].name, &error, IDENTITY_REFRESH_DEFERRED, NULL);
    assert_true(error.retry_after_ms > 0);
    probe_sent(&server, "POST", REFRESH, (int)i + 1);
  }
  probe_sent(&server, "GET", "/customers/*", 0);
  service_clear_faults(&server);
  service_pause_ms(2005);
  for (size_t i = 0; i < ROWS(portals); i++) {
    assert_int_equal(service_fetch(sessions[i], NULL), IDENTITY_OK);
    assert_int_equal(service_state_of(sessions[i]), IDENTITY_STATE_ACTIVE);
    identity_session_close(sessions[i]);
  }
  probe_sent(&server, "POST", REFRESH, 2 * ROWS(portals));
  assert_int_equal(peer_connections(&stranger), 0);
}

/* ---- fault 26 ---- */

static void redirected(int http, const char *scheme) {
  static const identity_status wanted = IDENTITY_NOT_THE_SERVICE;
  identity_error error;
  identity_session *session = viewer(0, false);
  identity_register_params params = probe_register_params("new@example.com");
  answer_all(http, "", scheme);
  assert_int_equal(service_fetch(session, &error), wanted);
  assert_int_equal(error.http_status, http);
  assert_int_equal(service_login(session, "viewer0@example.com", TEST_PASSWORD, &error), wanted);
  assert_int_equal(identity_register(session, &params, &error), wanted);
  assert_int_equal(identity_request_password_reset(session, "viewer0@example.com", NULL, &error), wanted);
  assert_int_equal(service_state_of(session), IDENTITY_STATE_ACTIVE);
  assert_int_equal(identity_session_refresh(session, &error), wanted);
  assert_int_equal(error.http_status, http);
  assert_int_equal(service_state_of(session), IDENTITY_STATE_STALE);
  assert_int_equal(identity_logout_everywhere(session, &error), IDENTITY_OUTCOME_UNKNOWN);
  /* Only what carries the account meets it. */
  answer_with("POST", "/customers", http, "", scheme);
  assert_int_equal(identity_register(session, &params, &error), IDENTITY_OUTCOME_UNKNOWN);
  probe_sent(&server, "POST", "/customers", 2); /* the one that set it up, and this one */
  probe_sent(&server, "POST", "/auths", 1);
  probe_sent(&server, "POST", REFRESH, 1);
  identity_session_close(session);
}

static void fault_26_a_redirect_to_another_host_gets_nothing(void **state) {
  static const char *const schemes[] = {"http://", "https://", "//"};
  static const int statuses[] = {300, 301, 302, 303, 304, 305, 306, 307, 308};
  (void)state;
  for (size_t i = 0; i < ROWS(statuses); i++)
    for (size_t j = 0; j < ROWS(schemes); j++) {
      service_reset(&server);
      redirected(statuses[i], schemes[j]);
    }
  assert_int_equal(peer_connections(&stranger), 0);
}

/* Even to the same place: a POST that is sent again could be done twice. */
static void fault_26_a_redirect_to_the_service_itself_is_not_followed_either(void **state) {
  (void)state;
  identity_error error;
  identity_session *session = viewer(0, false);
  probe_answer(&server, "POST", REFRESH, 307, "", "{\"Location\":\"" REFRESH "\"}");
  assert_int_equal(identity_session_refresh(session, &error), IDENTITY_NOT_THE_SERVICE);
  probe_sent(&server, "POST", REFRESH, 1);
  assert_int_equal(service_state_of(session), IDENTITY_STATE_STALE);
  assert_int_equal(service_fetch(session, NULL), IDENTITY_OK);
  identity_session_close(session);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test_setup(fault_24_calls_and_logins_behind_a_portal_leave_the_session_as_it_was, reset),
    cmocka_unit_test_setup(fault_24_who_was_signed_out_behind_a_portal_signs_in_behind_it_later, reset),
    cmocka_unit_test_setup(fault_24_a_registration_that_met_a_portal_is_not_sent_again, reset),
    cmocka_unit_test_setup(fault_24_a_refresh_that_meets_a_portal_keeps_the_session, reset),
    cmocka_unit_test_setup(fault_26_a_redirect_to_another_host_gets_nothing, reset),
    cmocka_unit_test_setup(fault_26_a_redirect_to_the_service_itself_is_not_followed_either, reset),
};

SUITE_WITH("faults: portals and redirects", tests, begin, end)
