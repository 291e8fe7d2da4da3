/* Requests that get no usable answer: what nobody knows, when to come back, a refused JWT. */
#include "support/kinds.h"
#include "support/stage.h"

enum { SHORT_MS = 300 };

static identity_session *impatient(const char *base_url) {
  identity_config *config = service_config(&server);
  assert_int_equal(identity_config_set_timeout_ms(config, SHORT_MS), IDENTITY_OK);
  if (base_url != NULL)
    assert_int_equal(identity_config_set_base_url(config, base_url), IDENTITY_OK);
  return probe_open(config);
}

static void set_fault(const call_kind *kind, const char *rest) {
  char fault[300];
  snprintf(fault, sizeof fault, "{\"method\":\"%s\",\"path\":\"%s\",%s}", kind->method, kind->path, rest);
  service_clear_faults(&server);
  service_fault(&server, fault);
}

/* ---- what nobody knows ---- */

static void a_register_or_new_password_without_an_answer_has_an_unknown_outcome(void **state) {
  static const char *const faults[] = {
      "\"times\":-1,\"drop\":\"before\"",
      "\"times\":-1,\"drop\":\"after\"",
      "\"times\":-1,\"drop\":\"before\",\"abort\":true",
      "\"times\":-1,\"cut_body_at\":5",
      "\"times\":-1,\"hang\":true",
  };
  (void)state;
  for (size_t i = 0; i < ROWS(faults); i++)
    for (int which = KIND_LOGIN; which < KINDS; which++) {
      identity_error error;
      service_reset(&server);
      identity_session *session = impatient(NULL);
      set_fault(&kinds[which], faults[i]);
      (void)kinds[which].run(session, &error);
      identity_status wanted = i == 4 ? IDENTITY_TIMED_OUT : IDENTITY_CONNECTION_LOST;
      probe_status(faults[i], &error, which == KIND_LOGIN ? wanted : IDENTITY_OUTCOME_UNKNOWN, NULL);
      if (which != KIND_LOGIN)
        assert_non_null(strstr(error.message, "try to log in"));
      probe_sent(&server, kinds[which].method, kinds[which].path, 1);
      probe_reason(session, IDENTITY_STATE_SIGNED_OUT, IDENTITY_REASON_NEVER_SIGNED_IN);
      identity_session_close(session);
    }
}

static void the_text_of_an_unknown_outcome_tells_to_log_in(void **state) {
  static const char *const bodies[] = {"", "<html>",
                                       "{\"errors\":[\"Internal Server Error\"],\"code\":\"S0001\"}",
                                       "{\"message\":\"Endpoint request timed out\"}"};
  (void)state;
  identity_session *session = service_open(&server, "viewer");
  for (size_t i = 0; i < ROWS(bodies); i++) {
    identity_error error;
    probe_answer(&server, "POST", "/customers", 504, bodies[i], NULL);
    (void)kinds[KIND_REGISTER].run(session, &error);
    assert_int_equal(error.status, IDENTITY_OUTCOME_UNKNOWN);
    if (strstr(error.message, "try to log in") == NULL)
      fail_msg("%s: %s", bodies[i], error.message);
    assert_int_equal(error.http_status, 504);
  }
  identity_session_close(session);
}

static void what_certainly_did_not_leave_has_no_unknown_outcome(void **state) {
  (void)state;
  identity_session *session = impatient("http://127.0.0.1:1");
  for (int which = 0; which < KINDS; which++) {
    identity_error error;
    if (which == KIND_AUTHORISED)
      continue;
    (void)kinds[which].run(session, &error);
    probe_status(kinds[which].name, &error, IDENTITY_OFFLINE, NULL);
    assert_int_equal(error.http_status, 0);
    assert_int_equal(identity_status_class(error.status), IDENTITY_CLASS_RETRY_LATER);
  }
  assert_int_equal(probe_requests(&server), 0);
  identity_session_close(session);
}

static void a_failure_before_the_request_that_matters_is_no_unknown_outcome(void **state) {
  (void)state;
  identity_error error;
  identity_session *session = service_open(&server, "viewer");
  probe_answer(&server, "GET", "/publishers/*/consents", 503, NULL, "{\"Retry-After\":\"3600\"}");
  (void)kinds[KIND_REGISTER].run(session, &error);
  probe_status("no definitions", &error, IDENTITY_SERVICE_FAILED, NULL);
  probe_sent(&server, "POST", "/customers", 0);
  identity_session_close(session);
}

/* ---- when to come back ---- */

static void the_services_retry_after_is_handed_on(void **state) {
  static const struct {
    int http;
    const char *value;
    int64_t wait_ms;
  } rows[] = {
      {429, "7", 7000},
      {503, "120", 120000},
      {429, "0", 0},
      {429, "-5", 0},
      {429, "soon", 0},
      {429, "999999999999999999999", 3600000},
      {429, "Fri, 31 Dec 1999 23:59:59 GMT", 0},
      {503, "Fri, 31 Dec 9998 23:59:59 GMT", 3600000},
  };
  (void)state;
  identity_session *session = service_open(&server, "viewer");
  for (size_t i = 0; i < ROWS(rows); i++) {
    char headers[80];
    identity_error error;
    snprintf(headers, sizeof headers, "{\"Retry-After\":\"%s\"}", rows[i].value);
    probe_answer(&server, "POST", "/auths", rows[i].http, "{}", headers);
    (void)kinds[KIND_LOGIN].run(session, &error);
    assert_int_equal(identity_status_class(error.status), IDENTITY_CLASS_RETRY_LATER);
    if (error.retry_after_ms != rows[i].wait_ms)
      fail_msg("Retry-After %s became %lld ms", rows[i].value, (long long)error.retry_after_ms);
  }
  identity_session_close(session);
}

/* ---- a refused JWT ---- */

static void a_refusal_right_after_a_fresh_token_is_not_allowed_and_keeps_the_session(void **state) {
  static const struct {
    int http;
    const char *body, *code;
    int requests, refreshes;
  } rows[] = {
      {401, "{\"errors\":[\"Invalid JWT token\"],\"code\":\"AUTH0002\"}", "AUTH0002", 2, 1},
      {401, "{\"errors\":[\"something new\"]}", NULL, 2, 1},
      {403, "{\"errors\":[\"Invalid JWT token\"],\"code\":\"AUTH0002\"}", "AUTH0002", 1, 0},
  };
  (void)state;
  for (size_t i = 0; i < ROWS(rows); i++) {
    identity_error error;
    service_reset(&server);
    identity_session *session = service_open(&server, "viewer");
    service_register(session, "jo@example.com");
    service_shift_clock(&server, 901); /* the service's date is past the end of the JWT */
    probe_answer(&server, "GET", "/customers/*", rows[i].http, rows[i].body, NULL);
    (void)kinds[KIND_AUTHORISED].run(session, &error);
    const expected refused = {IDENTITY_NOT_ALLOWED, rows[i].http, NULL, rows[i].code};
    probe_error(rows[i].body, &error, &refused);
    probe_sent(&server, "GET", "/customers/*", rows[i].requests);
    probe_sent(&server, "POST", "/auths/refresh_token", rows[i].refreshes);
    probe_reason(session, IDENTITY_STATE_ACTIVE, IDENTITY_REASON_NONE);
    identity_session_close(session);
  }
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test_setup(a_register_or_new_password_without_an_answer_has_an_unknown_outcome, reset),
    cmocka_unit_test_setup(the_text_of_an_unknown_outcome_tells_to_log_in, reset),
    cmocka_unit_test_setup(what_certainly_did_not_leave_has_no_unknown_outcome, reset),
    cmocka_unit_test_setup(a_failure_before_the_request_that_matters_is_no_unknown_outcome, reset),
    cmocka_unit_test_setup(the_services_retry_after_is_handed_on, reset),
    cmocka_unit_test_setup(a_refusal_right_after_a_fresh_token_is_not_allowed_and_keeps_the_session, reset),
};

SUITE_WITH("outcomes", tests, start, stop)
