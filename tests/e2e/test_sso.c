/* Single sign-on of a back end. */
#include "support/stage.h"

#include <identity/server.h>

#define PUBLISHER_TOKEN "sandbox-publisher-token"

static int begin(void **state) {
  reset(state);
  service_watch_secret(PUBLISHER_TOKEN);
  identity_session *session = service_open(&server, "other");
  service_register(session, "jo@example.com");
  identity_session_close(session);
  return 0;
}

static void sso_signs_a_customer_in_without_a_password(void **state) {
  (void)state;
  identity_error error;
  const identity_customer *customer = NULL;
  identity_session *session = service_open(&server, "viewer");
  int before = probe_requests(&server);
  (void)identity_sso_login(session, PUBLISHER_TOKEN, "jo@example.com", "203.0.113.9", &error);
  probe_status("single sign-on", &error, IDENTITY_OK, NULL);
  assert_int_equal(probe_requests(&server) - before, 1);
  assert_true(probe_has_header(&server, "POST", "/sso/auths", "X-Publisher-Token"));
  assert_false(probe_has_header(&server, "POST", "/sso/auths", "Authorization"));
  probe_customer_is(&server, "jo@example.com", "last_user_ip", "203.0.113.9");
  assert_int_equal(service_state_of(session), IDENTITY_STATE_ACTIVE);
  assert_int_equal(identity_fetch_customer(session, &customer, NULL), IDENTITY_OK);
  assert_string_equal(customer->email, "jo@example.com");
  identity_customer_free(customer);
  assert_false(probe_has_header(&server, "GET", "/customers/*", "X-Publisher-Token"));
  identity_session_close(session);
}

static void the_answer_may_be_flat(void **state) {
  (void)state;
  identity_session *session = service_open(&server, "viewer");
  service_send(&server, "PUT", "settings", "{\"sso_flat\":true}");
  assert_int_equal(identity_sso_login(session, PUBLISHER_TOKEN, "jo@example.com", NULL, NULL), IDENTITY_OK);
  probe_customer_is(&server, "jo@example.com", "last_user_ip", "127.0.0.1");
  assert_int_equal(service_state_of(session), IDENTITY_STATE_ACTIVE);
  identity_session_close(session);
}

static void a_token_the_service_does_not_take_is_not_allowed(void **state) {
  (void)state;
  identity_error error;
  const expected refused = {IDENTITY_NOT_ALLOWED, 401, NULL, NULL};
  identity_session *session = service_open(&server, "viewer");
  (void)identity_sso_login(session, "some-other-token", "jo@example.com", NULL, &error);
  probe_error("wrong publisher token", &error, &refused);
  probe_reason(session, IDENTITY_STATE_SIGNED_OUT, IDENTITY_REASON_NEVER_SIGNED_IN);
  probe_answer(&server, "POST", "/sso/auths", 403, "{\"message\":\"Forbidden\"}", NULL);
  (void)identity_sso_login(session, PUBLISHER_TOKEN, "jo@example.com", NULL, &error);
  const expected forbidden = {IDENTITY_NOT_ALLOWED, 403, NULL, NULL};
  probe_error("forbidden", &error, &forbidden);
  probe_sent(&server, "POST", "/sso/auths", 2);
  probe_sent(&server, "POST", "/auths/refresh_token", 0);
  identity_session_close(session);
}

static void an_unknown_customer_and_one_of_another_publisher_are_input_to_fix(void **state) {
  (void)state;
  identity_error error;
  identity_session *session = service_open(&server, "viewer");
  (void)identity_sso_login(session, PUBLISHER_TOKEN, "nobody@example.com", NULL, &error);
  const expected unknown = {IDENTITY_UNKNOWN_CUSTOMER, 404, "email", "USER0004"};
  probe_error("unknown customer", &error, &unknown);
  (void)identity_sso_login(session, "sandbox-publisher-token-2", "jo@example.com", NULL, &error);
  const expected foreign = {IDENTITY_NOT_WITH_PUBLISHER, 422, "email", "USER0003"};
  probe_error("customer of another publisher", &error, &foreign);
  identity_session_close(session);
}

static void path_and_header_are_the_configs(void **state) {
  (void)state;
  identity_error error;
  identity_config *config = service_config(&server);
  assert_int_equal(identity_config_set_sso_path(config, "/v2/sso/login"), IDENTITY_OK);
  assert_int_equal(identity_config_set_sso_header(config, "X-Api-Key"), IDENTITY_OK);
  identity_session *session = probe_open(config);
  (void)identity_sso_login(session, PUBLISHER_TOKEN, "jo@example.com", NULL, &error);
  const expected gone = {IDENTITY_ENDPOINT_GONE, 404, NULL, NULL};
  probe_error("another path", &error, &gone);
  assert_true(probe_has_header(&server, "POST", "/v2/sso/login", "X-Api-Key"));
  assert_false(probe_has_header(&server, "POST", "/v2/sso/login", "X-Publisher-Token"));
  probe_sent(&server, "POST", "/sso/auths", 0);
  identity_session_close(session);
}

static void null_takes_path_and_header_back_to_their_defaults(void **state) {
  (void)state;
  identity_config *config = service_config(&server);
  assert_int_equal(identity_config_set_sso_path(config, "/elsewhere"), IDENTITY_OK);
  assert_int_equal(identity_config_set_sso_header(config, "X-Other"), IDENTITY_OK);
  assert_int_equal(identity_config_set_sso_path(config, NULL), IDENTITY_OK);
  assert_int_equal(identity_config_set_sso_header(config, NULL), IDENTITY_OK);
  identity_session *session = probe_open(config);
  assert_int_equal(identity_sso_login(session, PUBLISHER_TOKEN, "jo@example.com", NULL, NULL), IDENTITY_OK);
  identity_session_close(session);
}

static void a_path_or_header_that_could_smuggle_is_refused_and_open_says_so(void **state) {
  static const char *const paths[] = {"", "sso", "/a b", "/a?b=c", "/a#b", "/a\r\nX: y", "/{id}", "/a\\b"};
  static const char *const headers[] = {"", "X Y", "X:Y", "X\r\nY", "X-\xC3\xA4"};
  (void)state;
  for (size_t i = 0; i < ROWS(paths) + ROWS(headers); i++) {
    identity_error error;
    identity_session *session = NULL;
    identity_config *config = service_config(&server);
    bool path = i < ROWS(paths);
    identity_status status = path ? identity_config_set_sso_path(config, paths[i])
                                  : identity_config_set_sso_header(config, headers[i - ROWS(paths)]);
    assert_int_equal(status, IDENTITY_BAD_ARGUMENT);
    (void)identity_session_open(config, "viewer", &session, &error);
    probe_status("open", &error, IDENTITY_BAD_ARGUMENT, path ? "sso_path" : "sso_header");
    assert_null(session);
    identity_config_free(config);
  }
}

static void what_is_wrong_here_is_not_sent(void **state) {
  static const struct {
    const char *token, *email, *address, *field;
  } rows[] = {
      {"", "jo@example.com", NULL, "publisher_token"},
      {"a b", "jo@example.com", NULL, "publisher_token"},
      {"a\r\nX-Evil: 1", "jo@example.com", NULL, "publisher_token"},
      {PUBLISHER_TOKEN, NULL, NULL, "email"},
      {PUBLISHER_TOKEN, "jo", NULL, "email"},
      {PUBLISHER_TOKEN, "jo@example.com", "here", "customer_ip"},
  };
  (void)state;
  identity_session *session = service_open(&server, "viewer");
  int before = probe_requests(&server);
  for (size_t i = 0; i < ROWS(rows); i++) {
    identity_error error;
    (void)identity_sso_login(session, rows[i].token, rows[i].email, rows[i].address, &error);
    probe_status(rows[i].field, &error, IDENTITY_INVALID_INPUT, rows[i].field);
  }
  assert_int_equal(probe_requests(&server), before);
  identity_session_close(session);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test_setup(sso_signs_a_customer_in_without_a_password, begin),
    cmocka_unit_test_setup(the_answer_may_be_flat, begin),
    cmocka_unit_test_setup(a_token_the_service_does_not_take_is_not_allowed, begin),
    cmocka_unit_test_setup(an_unknown_customer_and_one_of_another_publisher_are_input_to_fix, begin),
    cmocka_unit_test_setup(path_and_header_are_the_configs, begin),
    cmocka_unit_test_setup(null_takes_path_and_header_back_to_their_defaults, begin),
    cmocka_unit_test_setup(a_path_or_header_that_could_smuggle_is_refused_and_open_says_so, begin),
    cmocka_unit_test_setup(what_is_wrong_here_is_not_sent, begin),
};

SUITE_WITH("sso", tests, start, stop)
