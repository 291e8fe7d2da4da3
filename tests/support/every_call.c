#include "support/every_call.h"
#include "support/probe.h"

#include <identity/server.h>

static identity_status publisher_consents(identity_session *session, identity_error *error) {
  const identity_consents *consents = NULL;
  identity_status status = identity_fetch_publisher_consents(session, &consents, error);
  identity_consents_free(consents);
  return status;
}

static identity_status locale(identity_session *session, identity_error *error) {
  const identity_locale *found = NULL;
  identity_status status = identity_fetch_locale(session, NULL, &found, error);
  identity_locale_free(found);
  return status;
}

static identity_status customer_consents(identity_session *session, identity_error *error) {
  const identity_customer_consents *consents = NULL;
  identity_status status = identity_fetch_customer_consents(session, &consents, error);
  identity_customer_consents_free(consents);
  return status;
}

static identity_status update_consents(identity_session *session, identity_error *error) {
  return identity_update_customer_consents(session, probe_consents, 1, error);
}

static identity_status capture_status(identity_session *session, identity_error *error) {
  const identity_capture_status *form = NULL;
  identity_status status = identity_fetch_capture_status(session, &form, error);
  identity_capture_status_free(form);
  return status;
}

static identity_status update_capture(identity_session *session, identity_error *error) {
  static const identity_capture_answer answer = {"companyName", "Acme"};
  return identity_update_capture_answers(session, &answer, 1, error);
}

static identity_status next_step(identity_session *session, identity_error *error) {
  const identity_next_step *step = NULL;
  identity_status status = identity_fetch_next_step(session, &step, error);
  identity_next_step_free(step);
  return status;
}

static identity_status update_customer(identity_session *session, identity_error *error) {
  identity_update_customer_params params;
  identity_update_customer_params_init(&params, sizeof params);
  params.first_name = "Jo";
  return identity_update_customer(session, &params, error);
}

static identity_status log_in(identity_session *session, identity_error *error) {
  return service_login(session, EVERY_CALL_MAIL, TEST_PASSWORD, error);
}

static identity_status sso(identity_session *session, identity_error *error) {
  return identity_sso_login(session, "sandbox-publisher-token", EVERY_CALL_MAIL, NULL, error);
}

static identity_status register_mo(identity_session *session, identity_error *error) {
  identity_register_params params = probe_register_params("mo@example.com");
  return identity_register(session, &params, error);
}

static identity_status adopt(identity_session *session, identity_error *error) {
  /* {"publisherId":123456789} */
  return identity_session_adopt(session, "eyJhIjoxfQ.eyJwdWJsaXNoZXJJZCI6MTIzNDU2Nzg5fQ.c2ln",
                                "0123456789abcdef", error);
}

static identity_status reset_mail(identity_session *session, identity_error *error) {
  return identity_request_password_reset(session, EVERY_CALL_MAIL, NULL, error);
}

static identity_status update_password(identity_session *session, identity_error *error) {
  identity_update_password_params params;
  identity_update_password_params_init(&params, sizeof params);
  params.email = EVERY_CALL_MAIL;
  params.reset_token = "0123456789abcdef";
  params.new_password = TEST_PASSWORD;
  return identity_update_password(session, &params, error);
}

const every_call every_calls[] = {
    {"fetch_customer", service_fetch, true},
    {"fetch_customer_consents", customer_consents, true},
    {"update_customer_consents", update_consents, true},
    {"fetch_capture_status", capture_status, true},
    {"update_capture_answers", update_capture, true},
    {"fetch_next_step", next_step, true},
    {"update_customer", update_customer, true},
    {"fetch_locale", locale, false},
    {"fetch_publisher_consents", publisher_consents, false},
    {"session_refresh", identity_session_refresh, false},
    {"session_adopt", adopt, false},
    {"login", log_in, false},
    {"sso_login", sso, false},
    {"register", register_mo, false},
    {"request_password_reset", reset_mail, false},
    {"update_password", update_password, false},
    {"logout", identity_logout, false},
    {"logout_everywhere", identity_logout_everywhere, false},
};

const size_t every_call_count = sizeof every_calls / sizeof every_calls[0];
