/* The whole journey of a viewer over HTTPS, on one connection. */
#define STAGE_KIND SERVICE_TLS
#include "support/stage.h"

static void register_first_refuses_without_the_required_consents(void **state) {
  (void)state;
  identity_error error;
  identity_session *session = service_open(&server, "viewer");
  identity_register_params params;
  identity_register_params_init(&params, sizeof params);
  params.email = "jo@example.com";
  params.password = TEST_PASSWORD;
  assert_int_equal(identity_register(session, &params, &error), IDENTITY_CONSENT_REQUIRED);
  assert_string_equal(error.field, "terms");
  assert_int_equal(service_count(&server, "POST", "/customers", -1), 0);
  assert_int_equal(service_state_of(session), IDENTITY_STATE_SIGNED_OUT);
  identity_session_close(session);
}

static void change_password_by_link(identity_session *session, const char *password) {
  const identity_reset_link *link = NULL;
  identity_update_password_params params;
  assert_int_equal(identity_request_password_reset(session, "jo@example.com",
                                                   "https://app.example.com/reset?u=edit", NULL),
                   IDENTITY_OK);
  char *url = service_last_link(&server);
  assert_int_equal(identity_parse_reset_link(url, &link, NULL), IDENTITY_OK);
  assert_string_equal(link->email, "jo@example.com");
  assert_string_equal(link->publisher_id, TEST_PUBLISHER);
  service_watch_secret(link->reset_token);
  identity_update_password_params_init(&params, sizeof params);
  params.reset_token = link->reset_token;
  params.email = link->email;
  params.publisher_id = link->publisher_id;
  params.new_password = password;
  assert_int_equal(identity_update_password(session, &params, NULL), IDENTITY_OK);
  identity_reset_link_free(link);
  free(url);
}

static void a_blocking_session_makes_the_whole_journey_on_one_connection(void **state) {
  (void)state;
  identity_error error;
  identity_session *session = service_open(&server, "viewer");
  service_register(session, "jo@example.com");
  assert_int_equal(service_state_of(session), IDENTITY_STATE_ACTIVE);
  assert_int_equal(service_pending_of(session), 0);

  const identity_next_step *step = NULL;
  assert_int_equal(identity_fetch_next_step(session, &step, &error), IDENTITY_OK);
  assert_int_equal(step->step, IDENTITY_STEP_CAPTURE);
  assert_null(step->consents);
  assert_true(step->capture->setting_count > 0);
  identity_next_step_free(step);

  service_shift_clock(&server, 901);
  const identity_customer *customer = NULL;
  assert_int_equal(identity_fetch_customer(session, &customer, &error), IDENTITY_OK);
  assert_string_equal(customer->email, "jo@example.com");
  assert_non_null(customer->registration_date);
  identity_customer_free(customer);
  assert_int_equal(service_count(&server, "POST", "/auths/refresh_token", 200), 1);

  assert_int_equal(identity_logout(session, &error), IDENTITY_OK);
  assert_int_equal(service_login(session, "jo@example.com", "wrong-Passw0rd", &error),
                   IDENTITY_WRONG_CREDENTIALS);
  change_password_by_link(session, "canary-N3wsecret");
  service_watch_secret("canary-N3wsecret");
  assert_int_equal(service_login(session, "jo@example.com", "canary-N3wsecret", &error), IDENTITY_OK);
  identity_session_close(session);
  assert_int_equal(service_connections(&server), 1);
}

static void a_session_is_still_signed_in_after_a_restart(void **state) {
  (void)state;
  const identity_customer *customer = NULL;
  identity_session *session = service_open_stored(&server, "viewer", "store");
  service_register(session, "jo@example.com");
  identity_session_close(session);
  session = service_open_stored(&server, "viewer", "store");
  assert_int_equal(service_state_of(session), IDENTITY_STATE_ACTIVE);
  assert_int_equal(identity_fetch_customer(session, &customer, NULL), IDENTITY_OK);
  identity_customer_free(customer);
  identity_session_close(session);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test_setup(register_first_refuses_without_the_required_consents, reset),
    cmocka_unit_test_setup(a_blocking_session_makes_the_whole_journey_on_one_connection, reset),
    cmocka_unit_test_setup(a_session_is_still_signed_in_after_a_restart, reset),
};

SUITE_WITH("journey", tests, start, stop)
