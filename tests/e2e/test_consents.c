/* Consents: the publisher's, the customer's, answering them. */
#include "support/stage.h"

#define RAISE(name, version) "{\"versions\":{\"" name "\":\"" version "\"}}"

static void set_consents(const char *json) {
  service_send(&server, "PUT", "publishers/" TEST_PUBLISHER "/consents", json);
}

static const identity_customer_consents *customer_consents(identity_session *session) {
  const identity_customer_consents *consents = NULL;
  assert_int_equal(identity_fetch_customer_consents(session, &consents, NULL), IDENTITY_OK);
  return consents;
}

/* ---- the publisher's ---- */

static void the_publishers_consents_come_as_they_are(void **state) {
  (void)state;
  const identity_consents *consents = NULL;
  identity_session *session = service_open(&server, "viewer");
  assert_int_equal(identity_fetch_publisher_consents(session, &consents, NULL), IDENTITY_OK);
  assert_int_equal(consents->count, 3);
  const identity_consent *terms = consents->items[0];
  assert_string_equal(terms->name, "terms");
  assert_string_equal(terms->version, "1");
  assert_string_equal(terms->value, "https://cleeng.com/legal");
  assert_string_equal(terms->broadcaster_id, "0");
  assert_non_null(
      strstr(terms->label, "<a href=\"https://cleeng.com/cleeng-user-agreement\" target=\"_blank\">"));
  assert_int_equal(terms->required, 1);
  assert_int_equal(terms->enabled_by_default, 0);
  assert_string_equal(consents->items[1]->version, "1.7");
  assert_string_equal(consents->items[2]->name, "broadcaster_marketing");
  assert_string_equal(consents->items[2]->broadcaster_id, TEST_PUBLISHER);
  assert_int_equal(consents->items[2]->required, 0);
  identity_consents_free(consents);
  assert_false(probe_has_header(&server, "GET", "/publishers/*/consents", "Authorization"));
  identity_session_close(session);
}

static void odd_definitions_are_understood(void **state) {
  (void)state;
  const identity_consents *consents = NULL;
  identity_session *session = service_open(&server, "viewer");
  probe_answer(
      &server, "GET", "/publishers/*/consents", 200,
      "{\"responseData\":{\"consents\":[{\"name\":\"privacy\",\"version\":7,\"required\":true,\"label\":null,"
      "\"broadcasterId\":\"123456789\",\"new\":{\"a\":[]}},"
      "{\"version\":\"1\",\"name\":\"x_y\",\"required\":false,\"enabledByDefault\":true}]}}",
      NULL);
  assert_int_equal(identity_fetch_publisher_consents(session, &consents, NULL), IDENTITY_OK);
  assert_int_equal(consents->count, 2);
  assert_string_equal(consents->items[0]->name, "privacy");
  assert_string_equal(consents->items[0]->version, "7");
  assert_string_equal(consents->items[0]->broadcaster_id, TEST_PUBLISHER);
  assert_null(consents->items[0]->label);
  assert_null(consents->items[0]->value);
  assert_int_equal(consents->items[1]->enabled_by_default, 1);
  assert_null(consents->items[1]->broadcaster_id);
  identity_consents_free(consents);
  probe_answer(&server, "GET", "/publishers/*/consents", 200,
               "{\"responseData\":{\"consents\":[]},\"errors\":[]}", NULL);
  assert_int_equal(identity_fetch_publisher_consents(session, &consents, NULL), IDENTITY_OK);
  assert_int_equal(consents->count, 0);
  identity_consents_free(consents);
  identity_session_close(session);
}

static void a_publisher_the_service_does_not_know_is_told(void **state) {
  (void)state;
  identity_error error;
  const identity_consents *consents = (const identity_consents *)&server;
  identity_config *config = identity_config_new("111111111");
  assert_int_equal(identity_config_set_base_url(config, server.base_url), IDENTITY_OK);
  assert_int_equal(identity_config_set_loopback_http(config, 1), IDENTITY_OK);
  identity_session *session = probe_open(config);
  (void)identity_fetch_publisher_consents(session, &consents, &error);
  const expected unknown = {IDENTITY_BAD_CONFIGURATION, 400, "publisher_id", "REQ0003"};
  probe_error("unknown publisher", &error, &unknown);
  assert_null(consents);
  identity_session_close(session);
}

/* ---- the customer's ---- */

static void the_customers_answers_come_with_date_and_versions(void **state) {
  (void)state;
  identity_session *session = service_open(&server, "viewer");
  const identity_register_params params = probe_register_params("jo@example.com");
  assert_int_equal(identity_register(session, &params, NULL), IDENTITY_OK);
  const identity_customer_consents *consents = customer_consents(session);
  assert_int_equal(consents->count, 3);
  for (uint32_t i = 0; i < 3; i++) {
    const identity_customer_consent *consent = consents->items[i];
    assert_string_equal(consent->name, probe_consents[i].name);
    assert_string_equal(consent->version, probe_consents[i].version);
    assert_string_equal(consent->newest_version, probe_consents[i].version);
    assert_int_equal(consent->accepted, probe_consents[i].accepted);
    assert_int_equal(consent->required, i < 2);
    assert_int_equal(consent->needs_update, 0);
    assert_true(consent->date > 1700000000);
    assert_non_null(consent->label);
    assert_non_null(consent->value);
  }
  identity_customer_consents_free(consents);
  assert_true(probe_has_header(&server, "GET", "/customers/*/consents", "Authorization"));
  identity_session_close(session);
}

/* Versions are opaque: "10" after "9" and "9" after "10" are both newer. */
static void what_needs_an_update_is_judged_by_equality_and_by_what_is_required(void **state) {
  static const struct {
    const char *item;
    int32_t needs_update, accepted;
  } rows[] = {
      {"\"state\":\"accepted\",\"version\":\"9\",\"newestVersion\":\"10\",\"required\":false", 1, 1},
      {"\"state\":\"accepted\",\"version\":\"10\",\"newestVersion\":\"9\",\"required\":false", 1, 1},
      {"\"state\":\"accepted\",\"version\":10,\"newestVersion\":\"10\",\"required\":true", 0, 1},
      {"\"state\":\"declined\",\"version\":\"1\",\"newestVersion\":\"1\",\"required\":true", 1, 0},
      {"\"state\":\"declined\",\"version\":\"1\",\"newestVersion\":\"1\",\"required\":false", 0, 0},
      {"\"state\":\"declined\",\"version\":\"\",\"newestVersion\":\"1\",\"required\":false", 0, 0},
      {"\"state\":\"declined\",\"version\":null,\"newestVersion\":\"1\",\"required\":true", 1, 0},
      {"\"state\":\"accepted\",\"version\":\"1\",\"newestVersion\":\"1\",\"required\":true,\"needsUpdate\":"
       "true",
       1, 1},
      {"\"state\":\"accepted\",\"version\":\"1\",\"newestVersion\":\"1\",\"required\":true,\"needsUpdate\":"
       "false",
       0, 1},
      {"\"state\":null,\"version\":\"1\",\"newestVersion\":\"1\"", 0, 0},
  };
  (void)state;
  identity_session *session = service_open(&server, "viewer");
  service_register(session, "jo@example.com");
  for (size_t i = 0; i < ROWS(rows); i++) {
    char body[300];
    snprintf(body, sizeof body, "{\"responseData\":{\"consents\":[{\"name\":\"terms\",%s}]}}", rows[i].item);
    probe_answer(&server, "GET", "/customers/*/consents", 200, body, NULL);
    const identity_customer_consents *consents = customer_consents(session);
    if (consents->items[0]->needs_update != rows[i].needs_update ||
        consents->items[0]->accepted != rows[i].accepted)
      fail_msg("%s: %d %d", rows[i].item, consents->items[0]->needs_update, consents->items[0]->accepted);
    identity_customer_consents_free(consents);
  }
  identity_session_close(session);
}

static void a_consent_never_answered_has_no_version_and_no_date(void **state) {
  (void)state;
  identity_session *session = service_open(&server, "viewer");
  service_register(session, "jo@example.com");
  set_consents(
      "{\"consents\":[{\"name\":\"age\",\"version\":\"3\",\"required\":true,\"label\":\"I am 18.\"}]}");
  const identity_customer_consents *consents = customer_consents(session);
  assert_int_equal(consents->count, 1);
  assert_null(consents->items[0]->version);
  assert_int_equal(consents->items[0]->date, 0);
  assert_int_equal(consents->items[0]->accepted, 0);
  assert_int_equal(consents->items[0]->needs_update, 1);
  assert_string_equal(consents->items[0]->newest_version, "3");
  identity_customer_consents_free(consents);
  identity_session_close(session);
}

/* ---- answering ---- */

static void an_update_saves_what_was_answered_and_nothing_else(void **state) {
  (void)state;
  identity_session *session = service_open(&server, "viewer");
  service_register(session, "jo@example.com");
  const identity_consent_answer answer = {"broadcaster_marketing", "1.7", 0, 0};
  assert_int_equal(identity_update_customer_consents(session, &answer, 1, NULL), IDENTITY_OK);
  static const char body[] =
      "{\"consents\":[{\"name\":\"broadcaster_marketing\",\"version\":\"1.7\",\"state\":\"declined\"}]}";
  assert_int_equal(probe_body_bytes(&server, "PUT", "/customers/*/consents"), sizeof body - 1);
  probe_customer_is(&server, "jo@example.com", "consents/broadcaster_marketing/state", "declined");
  probe_customer_is(&server, "jo@example.com", "consents/terms/state", "accepted");
  identity_session_close(session);
}

static void an_update_with_another_version_sends_nothing(void **state) {
  (void)state;
  identity_error error;
  identity_session *session = service_open(&server, "viewer");
  service_register(session, "jo@example.com");
  set_consents(RAISE("broadcaster_terms", "2"));
  (void)identity_update_customer_consents(session, probe_consents, PROBE_CONSENTS, &error);
  probe_status("a newer version", &error, IDENTITY_CONSENT_CHANGED, "broadcaster_terms");
  probe_sent(&server, "PUT", "/customers/*/consents", 1); /* the registration's */
  const identity_consent_answer read_now = {"broadcaster_terms", "2", 1, 0};
  assert_int_equal(identity_update_customer_consents(session, &read_now, 1, &error), IDENTITY_OK);
  probe_customer_is(&server, "jo@example.com", "consents/broadcaster_terms/version", "2");
  const identity_consent_answer unknown = {"newsletter", "1", 1, 0};
  (void)identity_update_customer_consents(session, &unknown, 1, &error);
  probe_status("unknown", &error, IDENTITY_INVALID_INPUT, "newsletter");
  probe_sent(&server, "PUT", "/customers/*/consents", 2);
  identity_session_close(session);
}

static void an_update_that_the_service_refuses_in_between_is_told(void **state) {
  (void)state;
  identity_error error;
  identity_session *session = service_open(&server, "viewer");
  service_register(session, "jo@example.com");
  probe_answer(&server, "PUT", "/customers/*/consents", 422,
               "{\"errors\":[\"Consent version is not the newest one\"]}", NULL);
  (void)identity_update_customer_consents(session, probe_consents, 1, &error);
  const expected refused = {IDENTITY_REFUSED, 422, NULL, NULL};
  probe_error("refused", &error, &refused);
  assert_non_null(strstr(error.message, "Consent version is not the newest one"));
  probe_answer(&server, "PUT", "/customers/*/consents", 204, NULL, NULL);
  assert_int_equal(identity_update_customer_consents(session, probe_consents, 1, NULL), IDENTITY_OK);
  identity_session_close(session);
}

static void who_is_not_signed_in_asks_in_vain_and_nothing_is_sent(void **state) {
  (void)state;
  identity_error error;
  const identity_customer_consents *consents = NULL;
  const identity_next_step *step = NULL;
  identity_session *session = service_open(&server, "viewer");
  assert_int_equal(identity_fetch_customer_consents(session, &consents, &error), IDENTITY_SIGNED_OUT);
  assert_int_equal(identity_status_class(error.status), IDENTITY_CLASS_SIGN_IN);
  assert_int_equal(identity_update_customer_consents(session, probe_consents, 1, NULL), IDENTITY_SIGNED_OUT);
  assert_int_equal(identity_fetch_next_step(session, &step, NULL), IDENTITY_SIGNED_OUT);
  assert_null(step);
  assert_int_equal(probe_requests(&server), 0);
  identity_session_close(session);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test_setup(the_publishers_consents_come_as_they_are, reset),
    cmocka_unit_test_setup(odd_definitions_are_understood, reset),
    cmocka_unit_test_setup(a_publisher_the_service_does_not_know_is_told, reset),
    cmocka_unit_test_setup(the_customers_answers_come_with_date_and_versions, reset),
    cmocka_unit_test_setup(what_needs_an_update_is_judged_by_equality_and_by_what_is_required, reset),
    cmocka_unit_test_setup(a_consent_never_answered_has_no_version_and_no_date, reset),
    cmocka_unit_test_setup(an_update_saves_what_was_answered_and_nothing_else, reset),
    cmocka_unit_test_setup(an_update_with_another_version_sends_nothing, reset),
    cmocka_unit_test_setup(an_update_that_the_service_refuses_in_between_is_told, reset),
    cmocka_unit_test_setup(who_is_not_signed_in_asks_in_vain_and_nothing_is_sent, reset),
};

SUITE_WITH("consents", tests, start, stop)
