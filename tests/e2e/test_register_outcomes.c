/* What becomes of a registration: refusals, odd answers, consents that did not get through. */
#include "support/rotation.h"
#include "support/stage.h"

static identity_status register_jo(identity_session *session, identity_error *error) {
  const identity_register_params params = probe_register_params("jo@example.com");
  return identity_register(session, &params, error);
}

static void fetch_customer(identity_session *session) {
  const identity_customer *customer = NULL;
  assert_int_equal(identity_fetch_customer(session, &customer, NULL), IDENTITY_OK);
  identity_customer_free(customer);
}

/* ---- refusals ---- */

/* Both are a 429, and may say when to come back. */
static void a_captcha_that_is_asked_for_holds_back_no_refresh_a_throttled_call_does(void **state) {
  static const struct {
    const char *body;
    identity_status status;
    identity_status refresh;
  } rows[] = {
      {"{\"code\":\"CPT0001\",\"errors\":[\"?\"]}", IDENTITY_CAPTCHA_REQUIRED, IDENTITY_OK},
      {"{\"code\":\"CPT0002\",\"errors\":[\"?\"]}", IDENTITY_CAPTCHA_FAILED, IDENTITY_OK},
      {"{\"errors\":[\"Google reCAPTCHA verification required!\"]}", IDENTITY_CAPTCHA_REQUIRED, IDENTITY_OK},
      {"{\"errors\":[\"?\"]}", IDENTITY_THROTTLED, IDENTITY_REFRESH_DEFERRED},
      {"", IDENTITY_THROTTLED, IDENTITY_REFRESH_DEFERRED},
  };
  (void)state;
  for (size_t i = 0; i < ROWS(rows); i++) {
    identity_error error;
    (void)reset(state);
    identity_session *session = service_open(&server, "viewer");
    service_register(session, "mo@example.com");
    probe_answer(&server, "POST", "/customers", 429, rows[i].body, "{\"Retry-After\":\"600\"}");
    assert_int_equal(register_jo(session, &error), rows[i].status);
    assert_int_equal(error.retry_after_ms, 600000);
    assert_int_equal(identity_session_refresh(session, NULL), rows[i].refresh);
    assert_int_equal(rotation_count(&server, -1), rows[i].refresh == IDENTITY_OK);
    identity_session_close(session);
  }
}

static void an_address_that_is_registered_is_refused_and_the_session_stays(void **state) {
  (void)state;
  identity_error error;
  identity_session *session = service_open(&server, "viewer");
  service_register(session, "mo@example.com");
  identity_session *other = service_open(&server, "other");
  service_register(other, "jo@example.com");
  (void)register_jo(session, &error);
  const expected refused = {IDENTITY_ALREADY_REGISTERED, 422, "email", "USER0002"};
  probe_error("registered twice", &error, &refused);
  const identity_state *seen = NULL;
  assert_int_equal(identity_session_state(session, &seen, NULL), IDENTITY_OK);
  assert_string_equal(seen->email, "mo@example.com"); /* the one who was signed in */
  assert_int_equal(seen->state, IDENTITY_STATE_ACTIVE);
  assert_int_equal(seen->consents_pending, 0);
  identity_state_free(seen);
  probe_sent(&server, "PUT", "/customers/*/consents", 2);
  identity_session_close(other);
  identity_session_close(session);
}

static void a_captcha_is_asked_for_and_then_passed(void **state) {
  (void)state;
  identity_error error;
  identity_session *session = service_open(&server, "viewer");
  identity_register_params params = probe_register_params("jo@example.com");
  service_send(&server, "PUT", "publishers/" TEST_PUBLISHER "/captcha",
               "{\"enabled\":true,\"accept\":\"captcha-right-one\"}");
  (void)identity_register(session, &params, &error);
  const expected wanted = {IDENTITY_CAPTCHA_REQUIRED, 429, "captcha_value", "CPT0001"};
  probe_error("captcha wanted", &error, &wanted);
  assert_int_equal(identity_status_class(error.status), IDENTITY_CLASS_USER_ACTION);
  params.captcha_value = "captcha-wrong-one";
  (void)identity_register(session, &params, &error);
  const expected failed = {IDENTITY_CAPTCHA_FAILED, 429, "captcha_value", "CPT0002"};
  probe_error("captcha failed", &error, &failed);
  assert_int_equal(identity_status_class(error.status), IDENTITY_CLASS_USER_ACTION);
  params.captcha_value = "captcha-right-one";
  service_watch_secret("captcha-right-one");
  assert_int_equal(identity_register(session, &params, &error), IDENTITY_OK);
  probe_sent(&server, "POST", "/customers", 3);
  identity_session_close(session);
}

static void what_only_the_service_knows_is_refused_with_the_field(void **state) {
  (void)state;
  identity_error error;
  identity_session *session = service_open(&server, "viewer");
  identity_register_params params = probe_register_params("jo@example.invalid");
  (void)identity_register(session, &params, &error);
  const expected mail = {IDENTITY_INVALID_INPUT, 400, "email", "REQ0001"};
  probe_error("an address that cannot be verified", &error, &mail);
  params = probe_register_params("jo@example.com");
  params.locale = "english";
  (void)identity_register(session, &params, &error);
  const expected locale = {IDENTITY_INVALID_INPUT, 400, "locale", "REQ0001"};
  probe_error("a locale the service does not know", &error, &locale);
  params = probe_register_params("jo@example.com");
  params.external_data = "[1]";
  (void)identity_register(session, &params, &error);
  const expected data = {IDENTITY_INVALID_INPUT, 400, "external_data", "REQ0001"};
  probe_error("external data that is no object", &error, &data);
  probe_reason(session, IDENTITY_STATE_SIGNED_OUT, IDENTITY_REASON_NEVER_SIGNED_IN);
  identity_session_close(session);
}

/* ---- answers of other shapes ---- */

static void ids_may_be_numbers_or_strings_in_the_answer_and_in_the_jwt(void **state) {
  static const char *const faults[] = {
      "{\"method\":\"POST\",\"path\":\"/customers\",\"set\":{\"customerId\":\"533000077\"}}",
      "{\"method\":\"POST\",\"path\":\"/customers\",\"set\":{\"customerId\":533000077}}",
      "{\"method\":\"POST\",\"path\":\"/customers\",\"omit\":[\"customerId\"],"
      "\"claims\":{\"customerId\":\"533000077\",\"publisherId\":\"123456789\"}}",
      "{\"method\":\"POST\",\"path\":\"/"
      "customers\",\"omit\":[\"customerId\"],\"claims\":{\"customerId\":533000077}}",
  };
  (void)state;
  for (size_t i = 0; i < ROWS(faults); i++) {
    identity_error error;
    const identity_state *seen = NULL;
    service_reset(&server);
    identity_session *session = service_open(&server, "viewer");
    service_fault(&server, faults[i]);
    (void)register_jo(session, &error);
    probe_status(faults[i], &error, IDENTITY_OK, NULL);
    assert_int_equal(identity_session_state(session, &seen, NULL), IDENTITY_OK);
    assert_string_equal(seen->customer_id, "533000077");
    probe_sent(&server, "PUT", "/customers/533000077/consents", 1);
    identity_state_free(seen);
    identity_session_close(session);
  }
}

static void an_answer_without_what_signing_in_needs_signs_nobody_in(void **state) {
  static const char *const edits[] = {
      "\"omit\":[\"jwt\"]",
      "\"set\":{\"jwt\":null}",
      "\"set\":{\"jwt\":\"no.token\"}",
      "\"set\":{\"jwt\":7}",
      "\"omit\":[\"refreshToken\"]",
      "\"set\":{\"refreshToken\":\"\"}",
      "\"set\":{\"refreshToken\":12}",
      "\"omit\":[\"customerId\"],\"claims\":{\"customerId\":null}",
  };
  (void)state;
  for (size_t i = 0; i < ROWS(edits); i++) {
    char fault[200];
    identity_error error;
    service_reset(&server);
    identity_session *session = service_open(&server, "viewer");
    snprintf(fault, sizeof fault, "{\"method\":\"POST\",\"path\":\"/customers\",%s}", edits[i]);
    service_fault(&server, fault);
    (void)register_jo(session, &error);
    probe_status(edits[i], &error, IDENTITY_UNEXPECTED_ANSWER, NULL);
    assert_int_equal(identity_status_class(error.status), IDENTITY_CLASS_UPDATE_APP);
    probe_sent(&server, "POST", "/customers", 1);
    probe_sent(&server, "PUT", "/customers/*/consents", 0);
    probe_reason(session, IDENTITY_STATE_SIGNED_OUT, IDENTITY_REASON_NEVER_SIGNED_IN);
    identity_session_close(session);
  }
}

/* ---- consents that did not get through ---- */

static void a_failed_consents_call_leaves_the_registration_ok_and_the_consents_pending(void **state) {
  (void)state;
  identity_error error;
  identity_session *session = service_open(&server, "viewer");
  probe_answer(&server, "PUT", "/customers/*/consents", 500, "{\"errors\":[\"x\"],\"code\":\"S0001\"}", NULL);
  assert_int_equal(register_jo(session, &error), IDENTITY_OK);
  assert_int_equal(error.status, IDENTITY_OK);
  assert_string_equal(error.message, "");
  assert_int_equal(service_state_of(session), IDENTITY_STATE_ACTIVE);
  assert_int_equal(service_pending_of(session), 1);
  probe_sent(&server, "PUT", "/customers/*/consents", 2); /* repeated once */
  service_clear_faults(&server);
  fetch_customer(session);
  assert_int_equal(service_pending_of(session), 0);
  probe_sent(&server, "PUT", "/customers/*/consents", 3);
  assert_true(probe_place(&server, "PUT", "/customers/*/consents") <
              probe_place(&server, "GET", "/customers/*"));
  probe_customer_is(&server, "jo@example.com", "consents/terms/state", "accepted");
  probe_customer_is(&server, "jo@example.com", "consents/broadcaster_marketing/state", "declined");
  fetch_customer(session);
  probe_sent(&server, "PUT", "/customers/*/consents", 3);
  identity_session_close(session);
}

static void a_call_goes_on_when_the_pending_consents_fail_again(void **state) {
  (void)state;
  identity_session *session = service_open(&server, "viewer");
  probe_answer(&server, "PUT", "/customers/*/consents", 429, "{\"message\":\"slow down\"}", NULL);
  assert_int_equal(register_jo(session, NULL), IDENTITY_OK);
  probe_sent(&server, "PUT", "/customers/*/consents", 1);
  fetch_customer(session);
  probe_sent(&server, "PUT", "/customers/*/consents", 2);
  assert_int_equal(service_pending_of(session), 1);
  fetch_customer(session); /* a moment later: not again so soon */
  probe_sent(&server, "PUT", "/customers/*/consents", 2);
  assert_int_equal(service_pending_of(session), 1);
  identity_session_close(session);
}

static void pending_consents_survive_a_restart(void **state) {
  (void)state;
  identity_session *session = service_open_stored(&server, "viewer", "pending");
  probe_answer(&server, "PUT", "/customers/*/consents", 429, NULL, NULL);
  assert_int_equal(register_jo(session, NULL), IDENTITY_OK);
  identity_session_close(session);
  service_clear_faults(&server);
  session = service_open_stored(&server, "viewer", "pending");
  assert_int_equal(service_pending_of(session), 1);
  fetch_customer(session);
  assert_int_equal(service_pending_of(session), 0);
  probe_customer_is(&server, "jo@example.com", "consents/broadcaster_terms/state", "accepted");
  identity_session_close(session);
}

static void an_explicit_answer_replaces_the_pending_one(void **state) {
  (void)state;
  const identity_consent_answer marketing = {"broadcaster_marketing", "1.7", 1, 0};
  identity_session *session = service_open(&server, "viewer");
  probe_answer(&server, "PUT", "/customers/*/consents", 429, NULL, NULL);
  assert_int_equal(register_jo(session, NULL), IDENTITY_OK);
  service_clear_faults(&server);
  assert_int_equal(identity_update_customer_consents(session, &marketing, 1, NULL), IDENTITY_OK);
  fetch_customer(session);
  probe_customer_is(&server, "jo@example.com", "consents/broadcaster_marketing/state", "accepted");
  probe_customer_is(&server, "jo@example.com", "consents/terms/state",
                    "accepted"); /* those went on waiting */
  assert_int_equal(service_pending_of(session), 0);
  identity_session_close(session);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test_setup(an_address_that_is_registered_is_refused_and_the_session_stays, reset),
    cmocka_unit_test_setup(a_captcha_that_is_asked_for_holds_back_no_refresh_a_throttled_call_does, reset),
    cmocka_unit_test_setup(a_captcha_is_asked_for_and_then_passed, reset),
    cmocka_unit_test_setup(what_only_the_service_knows_is_refused_with_the_field, reset),
    cmocka_unit_test_setup(ids_may_be_numbers_or_strings_in_the_answer_and_in_the_jwt, reset),
    cmocka_unit_test_setup(an_answer_without_what_signing_in_needs_signs_nobody_in, reset),
    cmocka_unit_test_setup(a_failed_consents_call_leaves_the_registration_ok_and_the_consents_pending, reset),
    cmocka_unit_test_setup(a_call_goes_on_when_the_pending_consents_fail_again, reset),
    cmocka_unit_test_setup(pending_consents_survive_a_restart, reset),
    cmocka_unit_test_setup(an_explicit_answer_replaces_the_pending_one, reset),
};

SUITE_WITH("register_outcomes", tests, start, stop)
