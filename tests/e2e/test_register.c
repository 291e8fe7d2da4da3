/* Registering: what is sent, in which order, and when nothing is. */
#include "support/stage.h"

static identity_status register_with(identity_session *session, const identity_consent_answer *answers,
                                     uint32_t count, identity_error *error) {
  identity_register_params params = probe_register_params("jo@example.com");
  params.consents = count > 0 ? answers : NULL;
  params.consent_count = count;
  return identity_register(session, &params, error);
}

static void assert_nothing_registered(identity_session *session) {
  probe_sent(&server, "POST", "/customers", 0);
  probe_sent(&server, "PUT", "/customers/*/consents", 0);
  assert_null(probe_customer(&server, "jo@example.com"));
  probe_reason(session, IDENTITY_STATE_SIGNED_OUT, IDENTITY_REASON_NEVER_SIGNED_IN);
}

/* ---- the guard ---- */

static void the_first_required_consent_that_is_not_accepted_is_named_and_nothing_is_sent(void **state) {
  static const struct {
    const char *what;
    uint32_t count;
    identity_consent_answer answers[3];
    const char *field;
  } rows[] = {
      {"no answers", 0, {{"", "", 0, 0}}, "terms"},
      {"only the second", 1, {{"broadcaster_terms", "1.7", 1, 0}}, "terms"},
      {"only the first", 1, {{"terms", "1", 1, 0}}, "broadcaster_terms"},
      {"the first declined", 2, {{"terms", "1", 0, 0}, {"broadcaster_terms", "1.7", 1, 0}}, "terms"},
      {"the second declined",
       2,
       {{"broadcaster_terms", "1.7", 0, 0}, {"terms", "1", 1, 0}},
       "broadcaster_terms"},
      {"only the optional one", 1, {{"broadcaster_marketing", "1.7", 1, 0}}, "terms"},
  };
  (void)state;
  identity_session *session = service_open(&server, "viewer");
  for (size_t i = 0; i < ROWS(rows); i++) {
    identity_error error;
    (void)register_with(session, rows[i].answers, rows[i].count, &error);
    probe_status(rows[i].what, &error, IDENTITY_CONSENT_REQUIRED, rows[i].field);
    assert_int_equal(identity_status_class(error.status), IDENTITY_CLASS_FIX_INPUT);
    probe_sent(&server, "GET", "/publishers/" TEST_PUBLISHER "/consents", (int)i + 1);
  }
  assert_nothing_registered(session);
  identity_session_close(session);
}

static void the_definitions_are_fetched_anew_for_each_registration(void **state) {
  (void)state;
  identity_error error;
  const identity_consents *consents = NULL;
  identity_session *session = service_open(&server, "viewer");
  assert_int_equal(identity_fetch_publisher_consents(session, &consents, NULL), IDENTITY_OK);
  identity_consents_free(consents);
  service_send(
      &server, "PUT", "publishers/" TEST_PUBLISHER "/consents",
      "{\"consents\":[{\"name\":\"age\",\"version\":\"3\",\"required\":true,\"label\":\"I am 18.\"}]}");
  (void)register_with(session, probe_consents, PROBE_CONSENTS, &error);
  probe_status("a new required consent", &error, IDENTITY_CONSENT_REQUIRED, "age");
  const identity_consent_answer age = {"age", "3", 1, 0};
  assert_int_equal(register_with(session, &age, 1, &error), IDENTITY_OK);
  probe_sent(&server, "GET", "/publishers/" TEST_PUBLISHER "/consents", 3);
  probe_sent(&server, "POST", "/customers", 1);
  identity_session_close(session);
}

static void an_answer_to_a_consent_the_publisher_does_not_have_is_refused(void **state) {
  (void)state;
  identity_error error;
  identity_consent_answer answers[] = {
      probe_consents[PROBE_TERMS], probe_consents[PROBE_BROADCASTER_TERMS], {"newsletter", "1", 1, 0}};
  identity_session *session = service_open(&server, "viewer");
  (void)register_with(session, answers, 3, &error);
  probe_status("unknown consent", &error, IDENTITY_INVALID_INPUT, "newsletter");
  assert_nothing_registered(session);
  identity_session_close(session);
}

static void nothing_is_sent_when_the_definitions_cannot_be_had(void **state) {
  static const struct {
    int http;
    const char *body;
    identity_status status;
  } rows[] = {
      {200, "<html>Sign in to our network</html>", IDENTITY_NOT_THE_SERVICE},
      {200, "{\"responseData\":{},\"errors\":[]}", IDENTITY_UNEXPECTED_ANSWER},
      {200, "{\"responseData\":{\"consents\":[{\"name\":\"terms\",\"required\":true}]}}",
       IDENTITY_UNEXPECTED_ANSWER},
      {429, "{\"message\":\"Too Many Requests\"}", IDENTITY_THROTTLED},
  };
  (void)state;
  identity_session *session = service_open(&server, "viewer");
  for (size_t i = 0; i < ROWS(rows); i++) {
    identity_error error;
    probe_answer(&server, "GET", "/publishers/*/consents", rows[i].http, rows[i].body, NULL);
    (void)register_with(session, probe_consents, PROBE_CONSENTS, &error);
    probe_status(rows[i].body, &error, rows[i].status, NULL);
  }
  assert_nothing_registered(session);
  identity_session_close(session);
}

/* ---- what is sent ---- */

static void the_account_comes_first_then_the_consents_as_they_were_answered(void **state) {
  (void)state;
  identity_error error;
  identity_session *session = service_open(&server, "viewer");
  assert_int_equal(register_with(session, probe_consents, PROBE_CONSENTS, &error), IDENTITY_OK);
  probe_sent(&server, "GET", "/locales", 1);
  probe_sent(&server, "GET", "/publishers/" TEST_PUBLISHER "/consents", 1);
  probe_sent(&server, "POST", "/customers", 1);
  probe_sent(&server, "PUT", "/customers/*/consents", 1);
  assert_int_equal(probe_requests(&server), 4);
  assert_true(probe_place(&server, "GET", "/publishers/*/consents") <
              probe_place(&server, "POST", "/customers"));
  assert_true(probe_place(&server, "POST", "/customers") <
              probe_place(&server, "PUT", "/customers/*/consents"));
  assert_false(probe_has_header(&server, "POST", "/customers", "Authorization"));
  probe_customer_is(&server, "jo@example.com", "consents/terms/state", "accepted");
  probe_customer_is(&server, "jo@example.com", "consents/terms/version", "1");
  probe_customer_is(&server, "jo@example.com", "consents/broadcaster_terms/version", "1.7");
  probe_customer_is(&server, "jo@example.com", "consents/broadcaster_marketing/state", "declined");
  assert_int_equal(service_state_of(session), IDENTITY_STATE_ACTIVE);
  assert_int_equal(service_pending_of(session), 0);
  identity_session_close(session);
}

static void the_session_knows_who_registered(void **state) {
  (void)state;
  const identity_state *seen = NULL;
  const identity_tokens *tokens = NULL;
  identity_session *session = service_open(&server, "viewer");
  service_register(session, "jo@example.com");
  assert_int_equal(identity_session_state(session, &seen, NULL), IDENTITY_OK);
  char *id = probe_customer_text(&server, "jo@example.com", "id");
  assert_string_equal(seen->customer_id, id);
  assert_string_equal(seen->email, "jo@example.com");
  assert_string_equal(seen->state_name, "active");
  assert_string_equal(seen->account, "viewer");
  assert_int_equal(identity_session_tokens(session, 0, &tokens, NULL), IDENTITY_OK);
  assert_string_equal(tokens->customer_id, id);
  assert_string_equal(tokens->publisher_id, TEST_PUBLISHER);
  assert_non_null(tokens->customer_token);
  assert_in_range(tokens->remaining_ms, 880 * 1000, 900 * 1000);
  identity_tokens_free(tokens);
  identity_state_free(seen);
  free(id);
  identity_session_close(session);
}

static void everything_the_app_gave_reaches_the_service(void **state) {
  (void)state;
  identity_session *session = service_open(&server, "viewer");
  identity_register_params params = probe_register_params("jo+tv@example.com");
  params.locale = "nl_BE";
  params.country = "BE";
  params.currency = "EUR";
  params.first_name = "J\xC3\xB6 \"the\" \\";
  params.last_name = "Doe";
  params.external_id = "crm/7";
  params.external_data = "{\"a\":[1,{\"b\":null}]}";
  params.customer_ip = "203.0.113.7";
  assert_int_equal(identity_register(session, &params, NULL), IDENTITY_OK);
  probe_sent(&server, "GET", "/locales", 0); /* all of it was given */
  const char *const seen[][2] = {
      {"locale", "nl_BE"},
      {"country", "BE"},
      {"currency", "EUR"},
      {"last_name", "Doe"},
      {"external_id", "crm/7"},
      {"external_data", "{\"a\":[1,{\"b\":null}]}"},
      {"publisher_id", TEST_PUBLISHER},
      {"last_user_ip", "203.0.113.7"},
      {"first_name", params.first_name},
  };
  for (size_t i = 0; i < ROWS(seen); i++)
    probe_customer_is(&server, "jo+tv@example.com", seen[i][0], seen[i][1]);
  identity_session_close(session);
}

static void what_is_absent_of_the_locale_is_fetched_for_the_viewers_address(void **state) {
  (void)state;
  identity_session *session = service_open(&server, "viewer");
  identity_register_params params = probe_register_params("jo@example.com");
  params.country = "GB";
  params.customer_ip = "2001:db8::7";
  assert_int_equal(identity_register(session, &params, NULL), IDENTITY_OK);
  probe_sent(&server, "GET", "/locales", 1);
  probe_customer_is(&server, "jo@example.com", "country", "GB");
  probe_customer_is(&server, "jo@example.com", "currency", "EUR");
  probe_customer_is(&server, "jo@example.com", "locale", "de_DE");
  probe_customer_is(&server, "jo@example.com", "last_user_ip", "2001:db8::7");
  identity_session_close(session);
}

static void an_offer_stands_in_for_the_publisher(void **state) {
  (void)state;
  identity_error error;
  identity_session *session = service_open(&server, "viewer");
  identity_register_params params = probe_register_params("jo@example.com");
  params.offer_id = "S123456789_NL";
  assert_int_equal(identity_register(session, &params, NULL), IDENTITY_OK);
  int with_offer = probe_body_bytes(&server, "POST", "/customers");
  params = probe_register_params("mo@example.com");
  assert_int_equal(identity_register(session, &params, NULL), IDENTITY_OK);
  int difference =
      (int)strlen("\"offerId\":\"S123456789_NL\"") - (int)strlen("\"publisherId\":\"123456789\"");
  assert_int_equal(with_offer - probe_body_bytes(&server, "POST", "/customers"), difference);
  params = probe_register_params("no@example.com");
  params.offer_id = "S111111111_US";
  (void)identity_register(session, &params, &error);
  const expected unknown = {IDENTITY_BAD_CONFIGURATION, 422, NULL, "REQ0100"};
  probe_error("an unknown offer", &error, &unknown);
  assert_int_equal(identity_status_class(error.status), IDENTITY_CLASS_BUG);
  identity_session_close(session);
}

static void an_offer_of_another_publisher_signs_nobody_in(void **state) {
  (void)state;
  identity_error error;
  identity_session *session = service_open(&server, "viewer");
  identity_register_params params = probe_register_params("jo@example.com");
  params.offer_id = "S987654321_US";
  (void)identity_register(session, &params, &error);
  probe_status("foreign offer", &error, IDENTITY_NOT_WITH_PUBLISHER, "offer_id");
  probe_customer_is(&server, "jo@example.com", "publisher_id", "987654321");
  probe_sent(&server, "PUT", "/customers/*/consents", 0);
  probe_reason(session, IDENTITY_STATE_SIGNED_OUT, IDENTITY_REASON_NEVER_SIGNED_IN);
  identity_session_close(session);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test_setup(the_first_required_consent_that_is_not_accepted_is_named_and_nothing_is_sent,
                           reset),
    cmocka_unit_test_setup(the_definitions_are_fetched_anew_for_each_registration, reset),
    cmocka_unit_test_setup(an_answer_to_a_consent_the_publisher_does_not_have_is_refused, reset),
    cmocka_unit_test_setup(nothing_is_sent_when_the_definitions_cannot_be_had, reset),
    cmocka_unit_test_setup(the_account_comes_first_then_the_consents_as_they_were_answered, reset),
    cmocka_unit_test_setup(the_session_knows_who_registered, reset),
    cmocka_unit_test_setup(everything_the_app_gave_reaches_the_service, reset),
    cmocka_unit_test_setup(what_is_absent_of_the_locale_is_fetched_for_the_viewers_address, reset),
    cmocka_unit_test_setup(an_offer_stands_in_for_the_publisher, reset),
    cmocka_unit_test_setup(an_offer_of_another_publisher_signs_nobody_in, reset),
};

SUITE_WITH("register", tests, start, stop)
