/* Logging in with a password. */
#include "support/stage.h"

static void register_and_leave(const char *email) {
  identity_session *session = service_open(&server, "other");
  service_register(session, email);
  identity_session_close(session);
}

static void assert_email(identity_session *session, const char *email) {
  const identity_state *seen = NULL;
  assert_int_equal(identity_session_state(session, &seen, NULL), IDENTITY_OK);
  assert_int_equal(seen->state, IDENTITY_STATE_ACTIVE);
  assert_string_equal(seen->email, email);
  identity_state_free(seen);
}

static void a_login_makes_the_session_active_with_one_request(void **state) {
  (void)state;
  identity_error error;
  register_and_leave("jo@example.com");
  identity_session *session = service_open(&server, "viewer");
  int before = probe_requests(&server);
  assert_int_equal(service_login(session, "jo@example.com", TEST_PASSWORD, &error), IDENTITY_OK);
  assert_int_equal(error.status, IDENTITY_OK);
  assert_int_equal(probe_requests(&server) - before, 1);
  assert_false(probe_has_header(&server, "POST", "/auths", "Authorization"));
  assert_email(session, "jo@example.com");
  const identity_tokens *tokens = NULL;
  assert_int_equal(identity_session_tokens(session, 0, &tokens, NULL), IDENTITY_OK);
  char *id = probe_customer_text(&server, "jo@example.com", "id");
  assert_string_equal(tokens->customer_id, id);
  assert_non_null(tokens->customer_token);
  identity_tokens_free(tokens);
  free(id);
  assert_int_equal(service_valid_refresh_tokens(&server, "jo@example.com"), 2); /* both devices */
  identity_session_close(session);
}

static void a_401_means_the_password_and_never_a_refresh(void **state) {
  (void)state;
  identity_error error;
  identity_session *session = service_open(&server, "viewer");
  service_register(session, "jo@example.com");
  const expected wrong = {IDENTITY_WRONG_CREDENTIALS, 401, NULL, "USER0001"};
  (void)service_login(session, "jo@example.com", "wrong-Passw0rd", &error);
  probe_error("wrong password", &error, &wrong);
  (void)service_login(session, "nobody@example.com", TEST_PASSWORD, &error);
  probe_error("unknown address", &error, &wrong);
  service_shift_clock(&server, 901); /* even with a JWT that is over */
  (void)service_login(session, "jo@example.com", "wrong-Passw0rd", &error);
  probe_error("wrong password, JWT over", &error, &wrong);
  probe_sent(&server, "POST", "/auths", 3);
  probe_sent(&server, "POST", "/auths/refresh_token", 0);
  identity_session_close(session);
}

static void a_failed_login_keeps_the_older_session_and_a_good_one_replaces_it(void **state) {
  (void)state;
  identity_error error;
  register_and_leave("mo@example.com");
  identity_session *session = service_open(&server, "viewer");
  service_register(session, "jo@example.com");
  assert_int_equal(service_login(session, "mo@example.com", "wrong-Passw0rd", &error),
                   IDENTITY_WRONG_CREDENTIALS);
  assert_email(session, "jo@example.com");
  probe_answer(&server, "POST", "/auths", 200, "{\"responseData\":{\"jwt\":\"a.b.c\"}}", NULL);
  assert_int_equal(service_login(session, "mo@example.com", TEST_PASSWORD, &error),
                   IDENTITY_UNEXPECTED_ANSWER);
  assert_email(session, "jo@example.com");
  service_clear_faults(&server);
  assert_int_equal(service_login(session, "mo@example.com", TEST_PASSWORD, &error), IDENTITY_OK);
  assert_email(session, "mo@example.com");
  identity_session_close(session);
}

static void an_offer_stands_in_for_the_publisher(void **state) {
  (void)state;
  identity_error error;
  register_and_leave("jo@example.com");
  identity_session *session = service_open(&server, "viewer");
  identity_login_params params;
  identity_login_params_init(&params, sizeof params);
  params.email = "jo@example.com";
  params.password = TEST_PASSWORD;
  params.offer_id = "S123456789_NL";
  assert_int_equal(identity_login(session, &params, &error), IDENTITY_OK);
  params.offer_id = "S987654321_US"; /* the service sees the offer, not the publisher of the config */
  (void)identity_login(session, &params, &error);
  const expected foreign = {IDENTITY_NOT_WITH_PUBLISHER, 422, "email", "USER0003"};
  probe_error("offer of another publisher", &error, &foreign);
  params.offer_id = "S000000000_US";
  (void)identity_login(session, &params, &error);
  const expected unknown = {IDENTITY_BAD_CONFIGURATION, 422, NULL, "REQ0100"};
  probe_error("unknown offer", &error, &unknown);
  assert_email(session, "jo@example.com");
  identity_session_close(session);
}

static void a_pair_for_another_publisher_is_not_taken(void **state) {
  (void)state;
  identity_error error;
  register_and_leave("jo@example.com");
  identity_session *session = service_open(&server, "viewer");
  service_fault(&server, "{\"method\":\"POST\",\"path\":\"/auths\",\"claims\":{\"publisherId\":987654321}}");
  assert_int_equal(service_login(session, "jo@example.com", TEST_PASSWORD, &error),
                   IDENTITY_NOT_WITH_PUBLISHER);
  probe_reason(session, IDENTITY_STATE_SIGNED_OUT, IDENTITY_REASON_NEVER_SIGNED_IN);
  identity_session_close(session);
}

static void the_viewers_address_is_handed_on(void **state) {
  (void)state;
  register_and_leave("jo@example.com");
  identity_session *session = service_open(&server, "viewer");
  identity_login_params params;
  identity_login_params_init(&params, sizeof params);
  params.email = "jo@example.com";
  params.password = TEST_PASSWORD;
  params.customer_ip = "198.51.100.23";
  assert_int_equal(identity_login(session, &params, NULL), IDENTITY_OK);
  probe_customer_is(&server, "jo@example.com", "last_user_ip", "198.51.100.23");
  params.customer_ip = NULL;
  assert_int_equal(identity_login(session, &params, NULL), IDENTITY_OK);
  probe_customer_is(&server, "jo@example.com", "last_user_ip", "127.0.0.1");
  identity_session_close(session);
}

/* An old account may have a password that today's rule refuses: the service judges. */
static void a_password_that_breaks_todays_rule_is_still_tried(void **state) {
  (void)state;
  identity_error error;
  identity_session *session = service_open(&server, "viewer");
  assert_int_equal(service_login(session, "jo@example.com", "short", &error), IDENTITY_WRONG_CREDENTIALS);
  probe_sent(&server, "POST", "/auths", 1);
  identity_session_close(session);
}

static void odd_characters_arrive_unharmed(void **state) {
  static const char *const passwords[] = {"a1\"\\/\b\f\n\r\t-quoted",
                                          "p\xC3\xA4ssw\xC3\xB6rd \xE2\x82\xAC 1 \xF0\x9F\x98\x80",
                                          "%41+&=;'<>`${x}1a"};
  (void)state;
  for (size_t i = 0; i < ROWS(passwords); i++) {
    identity_error error;
    char email[40];
    snprintf(email, sizeof email, "o'%zu+{x}@example.com", i);
    identity_session *session = service_open(&server, "viewer");
    identity_register_params params = probe_register_params(email);
    params.password = passwords[i];
    (void)identity_register(session, &params, &error);
    probe_status(email, &error, IDENTITY_OK, NULL);
    (void)service_login(session, email, passwords[i], &error);
    probe_status(email, &error, IDENTITY_OK, NULL);
    identity_session_close(session);
  }
}

static void the_answer_may_be_flat_and_its_ids_strings(void **state) {
  (void)state;
  const identity_tokens *tokens = NULL;
  identity_session *session = service_open(&server, "viewer");
  service_register(session, "jo@example.com");
  assert_int_equal(identity_session_tokens(session, 0, &tokens, NULL), IDENTITY_OK);
  char body[2048];
  snprintf(body, sizeof body, "{\"jwt\":\"%s\",\"refreshToken\":\"%064d\",\"customerId\":\"%s\",\"more\":[]}",
           tokens->jwt, 7, tokens->customer_id);
  probe_answer(&server, "POST", "/auths", 201, body, NULL);
  identity_session *other = service_open(&server, "other");
  assert_int_equal(service_login(other, "jo@example.com", TEST_PASSWORD, NULL), IDENTITY_OK);
  assert_email(other, "jo@example.com");
  identity_tokens_free(tokens);
  identity_session_close(other);
  identity_session_close(session);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test_setup(a_login_makes_the_session_active_with_one_request, reset),
    cmocka_unit_test_setup(a_401_means_the_password_and_never_a_refresh, reset),
    cmocka_unit_test_setup(a_failed_login_keeps_the_older_session_and_a_good_one_replaces_it, reset),
    cmocka_unit_test_setup(an_offer_stands_in_for_the_publisher, reset),
    cmocka_unit_test_setup(a_pair_for_another_publisher_is_not_taken, reset),
    cmocka_unit_test_setup(the_viewers_address_is_handed_on, reset),
    cmocka_unit_test_setup(a_password_that_breaks_todays_rule_is_still_tried, reset),
    cmocka_unit_test_setup(odd_characters_arrive_unharmed, reset),
    cmocka_unit_test_setup(the_answer_may_be_flat_and_its_ids_strings, reset),
};

SUITE_WITH("login", tests, start, stop)
