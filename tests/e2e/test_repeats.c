/* What is sent again after a passing failure, and how often. */
#include "support/kinds.h"
#include "support/stage.h"

static void set_fault(const call_kind *kind, const char *rest) {
  char fault[300];
  snprintf(fault, sizeof fault, "{\"method\":\"%s\",\"path\":\"%s\",%s}", kind->method, kind->path, rest);
  service_clear_faults(&server);
  service_fault(&server, fault);
}

static void a_read_is_repeated_twice_after_a_passing_failure(void **state) {
  (void)state;
  identity_error error;
  identity_session *session = service_open(&server, "viewer");
  set_fault(&kinds[KIND_PUBLIC], "\"times\":2,\"status\":502,\"body\":\"<html>\"");
  (void)kinds[KIND_PUBLIC].run(session, &error);
  probe_status("twice", &error, IDENTITY_OK, NULL);
  probe_sent(&server, "GET", "/publishers/*/consents", 3);
  set_fault(&kinds[KIND_PUBLIC], "\"times\":-1,\"status\":500");
  (void)kinds[KIND_PUBLIC].run(session, &error);
  probe_status("for ever", &error, IDENTITY_SERVICE_FAILED, NULL);
  probe_sent(&server, "GET", "/publishers/*/consents", 6);
  identity_session_close(session);
}

static void writes_that_may_be_repeated_are_repeated_once(void **state) {
  static const identity_capture_answer answer = {"companyName", "Acme"};
  (void)state;
  identity_update_customer_params params;
  identity_update_customer_params_init(&params, sizeof params);
  params.first_name = "Jo";
  identity_session *session = service_open(&server, "viewer");
  service_register(session, "jo@example.com");
  service_fault(&server, "[{\"method\":\"PATCH\",\"path\":\"/customers/*\",\"status\":500},"
                         "{\"method\":\"PUT\",\"path\":\"/customers/*/capture\",\"drop\":\"after\"},"
                         "{\"method\":\"PUT\",\"path\":\"/customers/*/consents\",\"status\":503}]");
  assert_int_equal(identity_update_customer(session, &params, NULL), IDENTITY_OK);
  assert_int_equal(identity_update_capture_answers(session, &answer, 1, NULL), IDENTITY_OK);
  assert_int_equal(identity_update_customer_consents(session, probe_consents, 1, NULL), IDENTITY_OK);
  probe_sent(&server, "PATCH", "/customers/*", 2);
  probe_sent(&server, "PUT", "/customers/*/capture", 2);
  probe_sent(&server, "PUT", "/customers/*/consents", 3); /* one at the registration */
  probe_answer(&server, "PATCH", "/customers/*", 500, NULL, NULL);
  assert_int_equal(identity_update_customer(session, &params, NULL), IDENTITY_SERVICE_FAILED);
  probe_sent(&server, "PATCH", "/customers/*", 4);
  identity_session_close(session);
}

static void what_does_not_pass_is_not_repeated(void **state) {
  static const struct {
    int http;
    const char *body;
  } rows[] = {{400, "{\"errors\":[\"x\"]}"},
              {404, "{}"},
              {429, NULL},
              {200, "<html>"},
              {200, "{}"},
              {302, NULL},
              {511, NULL}};
  (void)state;
  identity_session *session = service_open(&server, "viewer");
  for (size_t i = 0; i < ROWS(rows); i++) {
    probe_answer(&server, "GET", "/publishers/*/consents", rows[i].http, rows[i].body, NULL);
    assert_int_not_equal(kinds[KIND_PUBLIC].run(session, NULL), IDENTITY_OK);
    probe_sent(&server, "GET", "/publishers/*/consents", (int)i + 1);
  }
  identity_session_close(session);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test_setup(a_read_is_repeated_twice_after_a_passing_failure, reset),
    cmocka_unit_test_setup(writes_that_may_be_repeated_are_repeated_once, reset),
    cmocka_unit_test_setup(what_does_not_pass_is_not_repeated, reset),
};

SUITE_WITH("repeats", tests, start, stop)
