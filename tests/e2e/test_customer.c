/* Customer data: reading it in each shape, changing it, a new e-mail address. */
#include "support/stage.h"

static identity_session *signed_in(void) {
  identity_session *session = service_open(&server, "viewer");
  service_register(session, "jo@example.com");
  return session;
}

static const identity_customer *fetch(identity_session *session) {
  identity_error error;
  const identity_customer *customer = NULL;
  if (identity_fetch_customer(session, &customer, &error) != IDENTITY_OK)
    fail_msg("customer: %s", error.message);
  return customer;
}

static identity_update_customer_params no_changes(void) {
  identity_update_customer_params params;
  identity_update_customer_params_init(&params, sizeof params);
  return params;
}

static int32_t is_date_time(const char *text) {
  int year, month, day, hour, minute, second;
  char more;
  return text != NULL &&
         sscanf(text, "%4d-%2d-%2d %2d:%2d:%2d%c", &year, &month, &day, &hour, &minute, &second, &more) == 6;
}

/* ---- reading ---- */

static void the_customers_data_is_read(void **state) {
  (void)state;
  identity_session *session = service_open(&server, "viewer");
  identity_register_params params = probe_register_params("jo@example.com");
  params.first_name = "Jo";
  params.external_id = "crm-7";
  params.external_data = "{\"a\":1}";
  params.customer_ip = "203.0.113.7";
  assert_int_equal(identity_register(session, &params, NULL), IDENTITY_OK);
  const identity_customer *customer = fetch(session);
  char *id = probe_customer_text(&server, "jo@example.com", "id");
  assert_string_equal(customer->id, id);
  assert_string_equal(customer->email, "jo@example.com");
  assert_string_equal(customer->first_name, "Jo");
  assert_null(customer->last_name);
  assert_string_equal(customer->country, "NL");
  assert_true(is_date_time(customer->registration_date));
  assert_true(is_date_time(customer->last_login_date));
  assert_string_equal(customer->last_user_ip, "203.0.113.7");
  assert_string_equal(customer->external_id, "crm-7");
  assert_string_equal(customer->external_data, "{\"a\":1}");
  free(id);
  identity_customer_free(customer);
  identity_session_close(session);
}

/* The body is sent as it stands here, so that digits and spaces can be compared. */
static void external_data_and_ids_are_understood_in_each_shape(void **state) {
  static const struct {
    const char *members, *id, *external_id, *external_data;
  } rows[] = {
      {"\"id\":533000077,\"externalData\":null", "533000077", NULL, NULL},
      {"\"id\":\"533000077\"", "533000077", NULL, NULL},
      {"\"id\":1,\"externalData\":{}", "1", NULL, "{}"},
      {"\"id\":1,\"externalData\":\"{\\\"a\\\": 1}\"", "1", NULL, "{\"a\": 1}"},
      {"\"id\":1,\"externalData\":\"\"", "1", NULL, ""},
      {"\"id\":1,\"externalData\":[1, 2]", "1", NULL, "[1, 2]"},
      {"\"id\":1,\"externalId\":77,\"externalData\":{\"id\":12345678901234567890123,\"x\":0.1000}", "1", "77",
       "{\"id\":12345678901234567890123,\"x\":0.1000}"},
      {"\"id\":1,\"externalId\":\"a-7\",\"externalData\":{ \"n\" : 9007199254740993, \"t\":\"\\u00e9\\\"}\" "
       "}",
       "1", "a-7", "{ \"n\" : 9007199254740993, \"t\":\"\\u00e9\\\"}\" }"},
      {"\"externalData\":{\"externalData\":1,\"deep\":[{\"responseData\":{\"externalData\":2}}]},\"id\":1",
       "1", NULL, "{\"externalData\":1,\"deep\":[{\"responseData\":{\"externalData\":2}}]}"},
  };
  (void)state;
  identity_session *session = signed_in();
  for (size_t i = 0; i < 2 * ROWS(rows); i++) {
    char body[600];
    bool flat = i >= ROWS(rows);
    size_t row = i % ROWS(rows);
    snprintf(body, sizeof body, "%s{\"email\":\"jo@example.com\",%s}%s",
             flat ? "" : "{\"errors\":[],\"responseData\":", rows[row].members, flat ? "" : "}");
    probe_answer(&server, "GET", "/customers/*", 200, body, NULL);
    const identity_customer *customer = fetch(session);
    const char *seen[] = {customer->id, customer->external_id, customer->external_data};
    const char *const wanted[] = {rows[row].id, rows[row].external_id, rows[row].external_data};
    for (size_t j = 0; j < ROWS(seen); j++)
      if ((seen[j] == NULL) != (wanted[j] == NULL) || (seen[j] != NULL && strcmp(seen[j], wanted[j]) != 0))
        fail_msg("%s: got %s", body, seen[j] != NULL ? seen[j] : "NULL");
    identity_customer_free(customer);
  }
  identity_session_close(session);
}

static void a_customer_without_id_or_address_is_not_usable(void **state) {
  static const char *const bodies[] = {
      "{\"responseData\":{\"email\":\"jo@example.com\"}}",
      "{\"responseData\":{\"id\":1}}",
      "{\"responseData\":{\"id\":null,\"email\":\"jo@example.com\"}}",
      "{\"responseData\":{\"id\":1.5,\"email\":\"jo@example.com\"}}",
      "{\"responseData\":{\"id\":1,\"email\":[]}}",
      "{\"responseData\":[]}",
  };
  (void)state;
  identity_session *session = signed_in();
  for (size_t i = 0; i < ROWS(bodies); i++) {
    identity_error error;
    const identity_customer *customer = (const identity_customer *)&server;
    probe_answer(&server, "GET", "/customers/*", 200, bodies[i], NULL);
    (void)identity_fetch_customer(session, &customer, &error);
    probe_status(bodies[i], &error, IDENTITY_UNEXPECTED_ANSWER, NULL);
    assert_null(customer);
  }
  identity_session_close(session);
}

/* ---- changing ---- */

static void changes_reach_the_service_and_nothing_else_is_sent(void **state) {
  static const char sent[] = "{\"firstName\":\"Jo\",\"country\":\"BE\",\"externalData\":\"{\\\"b\\\":[2]}\"}";
  (void)state;
  identity_session *session = signed_in();
  identity_update_customer_params params = no_changes();
  params.first_name = "Jo";
  params.country = "BE";
  params.external_data = "{\"b\":[2]}";
  assert_int_equal(identity_update_customer(session, &params, NULL), IDENTITY_OK);
  assert_int_equal(probe_body_bytes(&server, "PATCH", "/customers/*"), sizeof sent - 1);
  probe_customer_is(&server, "jo@example.com", "first_name", "Jo");
  probe_customer_is(&server, "jo@example.com", "external_data", "{\"b\":[2]}");
  params = no_changes();
  params.last_name = "Doe";
  params.locale = "nl_BE";
  assert_int_equal(identity_update_customer(session, &params, NULL), IDENTITY_OK);
  probe_customer_is(&server, "jo@example.com", "locale", "nl_BE");
  probe_customer_is(&server, "jo@example.com", "last_name", "Doe");
  probe_customer_is(&server, "jo@example.com", "country", "BE");
  probe_sent(&server, "POST", "/auths/refresh_token", 0); /* only a new address needs one */
  identity_session_close(session);
}

static void the_services_refusals_name_the_field(void **state) {
  static const struct {
    const char *errors;
    identity_status status;
    const char *field;
  } rows[] = {
      {"Invalid param email", IDENTITY_INVALID_INPUT, "email"},
      {"Please enter a valid e-mail address.", IDENTITY_INVALID_INPUT, "email"},
      {"CUSTOMER EMAIL already exists", IDENTITY_ALREADY_REGISTERED, "email"},
      {"invalid confirmationpassword", IDENTITY_WRONG_CREDENTIALS, "confirmation_password"},
      {"firstName can have max 50 characters.", IDENTITY_INVALID_INPUT, "first_name"},
      {"lastName can have max 50 characters.", IDENTITY_INVALID_INPUT, "last_name"},
      {"firstName can have max 50 characters.,Invalid confirmationPassword", IDENTITY_INVALID_INPUT,
       "first_name"},
      {"Customer email already exists, Invalid param country", IDENTITY_ALREADY_REGISTERED, "email"},
      {"something new", IDENTITY_REFUSED, NULL},
  };
  (void)state;
  identity_session *session = signed_in();
  identity_update_customer_params params = no_changes();
  params.last_name = "Doe";
  for (size_t i = 0; i < ROWS(rows); i++) {
    char body[200];
    identity_error error;
    snprintf(body, sizeof body, "{\"errors\":[\"%s\"]}", rows[i].errors);
    probe_answer(&server, "PATCH", "/customers/*", 400, body, NULL);
    (void)identity_update_customer(session, &params, &error);
    const expected refused = {rows[i].status, 400, rows[i].field, NULL};
    probe_error(rows[i].errors, &error, &refused);
    assert_non_null(strstr(error.message, rows[i].errors));
  }
  probe_sent(&server, "PATCH", "/customers/*", ROWS(rows));
  identity_session_close(session);
}

/* ---- a new address ---- */

static identity_status change_email(identity_session *session, const char *password, identity_error *error) {
  identity_update_customer_params params = no_changes();
  params.email = "new@example.com";
  params.confirmation_password = password;
  return identity_update_customer(session, &params, error);
}

static void a_new_address_is_followed_by_a_refresh(void **state) {
  (void)state;
  const identity_state *seen = NULL;
  identity_session *session = signed_in();
  assert_int_equal(change_email(session, TEST_PASSWORD, NULL), IDENTITY_OK);
  probe_sent(&server, "POST", "/auths/refresh_token", 1);
  assert_true(probe_place(&server, "PATCH", "/customers/*") <
              probe_place(&server, "POST", "/auths/refresh_token"));
  assert_int_equal(identity_session_state(session, &seen, NULL), IDENTITY_OK);
  assert_int_equal(seen->state, IDENTITY_STATE_ACTIVE);
  assert_string_equal(seen->email, "new@example.com"); /* the new JWT says it */
  identity_state_free(seen);
  const identity_customer *customer = fetch(session);
  assert_string_equal(customer->email, "new@example.com");
  identity_customer_free(customer);
  identity_session_close(session);
}

static void a_new_address_after_which_the_refresh_is_refused_needs_a_new_sign_in(void **state) {
  (void)state;
  const identity_state *seen = NULL;
  const identity_customer *customer = NULL;
  identity_session *session = signed_in();
  service_send(&server, "PUT", "settings", "{\"revoke_on_email_change\":true}");
  assert_int_equal(change_email(session, TEST_PASSWORD, NULL), IDENTITY_OK); /* it was changed */
  probe_reason(session, IDENTITY_STATE_REAUTH_REQUIRED, IDENTITY_REASON_CREDENTIALS_CHANGED);
  assert_int_equal(identity_session_state(session, &seen, NULL), IDENTITY_OK);
  assert_string_equal(seen->reason_name, "credentials_changed");
  assert_non_null(seen->customer_id); /* the customer is still known */
  identity_state_free(seen);
  int before = probe_requests(&server);
  assert_int_equal(identity_fetch_customer(session, &customer, NULL), IDENTITY_SESSION_ENDED);
  assert_int_equal(probe_requests(&server), before);
  assert_int_equal(service_login(session, "new@example.com", TEST_PASSWORD, NULL), IDENTITY_OK);
  assert_int_equal(service_state_of(session), IDENTITY_STATE_ACTIVE);
  identity_session_close(session);
}

static void a_new_address_whose_refresh_fails_in_passing_keeps_the_session(void **state) {
  (void)state;
  identity_session *session = signed_in();
  probe_answer(&server, "POST", "/auths/refresh_token", 503, "{\"message\":\"later\"}", NULL);
  assert_int_equal(change_email(session, TEST_PASSWORD, NULL), IDENTITY_OK);
  probe_sent(&server, "POST", "/auths/refresh_token", 1);
  assert_int_not_equal(service_state_of(session), IDENTITY_STATE_REAUTH_REQUIRED);
  identity_customer_free(fetch(session)); /* the old JWT is still good */
  identity_session_close(session);
}

static void a_refused_address_changes_nothing(void **state) {
  (void)state;
  identity_error error;
  identity_session *session = signed_in();
  (void)change_email(session, "wrong-Passw0rd", &error);
  const expected wrong = {IDENTITY_WRONG_CREDENTIALS, 400, "confirmation_password", NULL};
  probe_error("wrong password", &error, &wrong);
  identity_session *other = service_open(&server, "other");
  service_register(other, "new@example.com");
  (void)change_email(session, TEST_PASSWORD, &error);
  const expected taken = {IDENTITY_ALREADY_REGISTERED, 400, "email", NULL};
  probe_error("taken", &error, &taken);
  probe_sent(&server, "POST", "/auths/refresh_token", 0);
  assert_int_equal(service_state_of(session), IDENTITY_STATE_ACTIVE);
  identity_session_close(other);
  identity_session_close(session);
}

/* A JWT that was adopted alone cannot be rotated; that is no refusal, and it is good until it ends. */
static void a_new_email_keeps_an_adopted_jwt_without_refresh_token(void **state) {
  (void)state;
  identity_error error;
  const identity_tokens *tokens = NULL;
  identity_session *first = service_open(&server, "first");
  identity_session *second = service_open(&server, "second");
  service_register(first, "jo@example.com");
  assert_int_equal(identity_session_tokens(first, 0, &tokens, &error), IDENTITY_OK);
  assert_int_equal(identity_session_adopt(second, tokens->jwt, NULL, &error), IDENTITY_OK);
  identity_tokens_free(tokens);
  identity_update_customer_params params;
  identity_update_customer_params_init(&params, sizeof params);
  params.email = "new@example.com";
  params.confirmation_password = TEST_PASSWORD;
  assert_int_equal(identity_update_customer(second, &params, &error), IDENTITY_OK);
  assert_int_equal(service_state_of(second), IDENTITY_STATE_ACTIVE);
  const identity_customer *customer = NULL;
  assert_int_equal(identity_fetch_customer(second, &customer, &error), IDENTITY_OK);
  assert_string_equal(customer->email, "new@example.com");
  identity_customer_free(customer);
  identity_session_close(second);
  identity_session_close(first);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test_setup(a_new_email_keeps_an_adopted_jwt_without_refresh_token, reset),
    cmocka_unit_test_setup(the_customers_data_is_read, reset),
    cmocka_unit_test_setup(external_data_and_ids_are_understood_in_each_shape, reset),
    cmocka_unit_test_setup(a_customer_without_id_or_address_is_not_usable, reset),
    cmocka_unit_test_setup(changes_reach_the_service_and_nothing_else_is_sent, reset),
    cmocka_unit_test_setup(the_services_refusals_name_the_field, reset),
    cmocka_unit_test_setup(a_new_address_is_followed_by_a_refresh, reset),
    cmocka_unit_test_setup(a_new_address_after_which_the_refresh_is_refused_needs_a_new_sign_in, reset),
    cmocka_unit_test_setup(a_new_address_whose_refresh_fails_in_passing_keeps_the_session, reset),
    cmocka_unit_test_setup(a_refused_address_changes_nothing, reset),
};

SUITE_WITH("customer", tests, start, stop)
