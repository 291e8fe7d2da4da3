#include "support/twins.h"
#include "support/every_call.h"
#include "support/probe.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

char twins_reset_token[256] = "0123456789abcdef";

/* ---- starts ---- */

#define TWIN(name)                                                                                           \
  static identity_status name(identity_session *session, identity_done_fn done, void *user_data,             \
                              identity_call **call)

TWIN(locale) {
  return identity_fetch_locale_start(session, NULL, done, user_data, call);
}

TWIN(register_mo) {
  identity_register_params params = probe_register_params("mo@example.com");
  return identity_register_start(session, &params, done, user_data, call);
}

TWIN(log_in) {
  identity_login_params params;
  identity_login_params_init(&params, sizeof params);
  params.email = TWIN_MAIL;
  params.password = TEST_PASSWORD;
  return identity_login_start(session, &params, done, user_data, call);
}

TWIN(update_consents) {
  return identity_update_customer_consents_start(session, probe_consents, 1, done, user_data, call);
}

TWIN(update_capture) {
  const identity_capture_answer answer = {"companyName", "Acme"};
  return identity_update_capture_answers_start(session, &answer, 1, done, user_data, call);
}

TWIN(update_customer) {
  identity_update_customer_params params;
  identity_update_customer_params_init(&params, sizeof params);
  params.first_name = "Jo";
  return identity_update_customer_start(session, &params, done, user_data, call);
}

TWIN(reset_mail) {
  return identity_request_password_reset_start(session, TWIN_MAIL, NULL, done, user_data, call);
}

TWIN(update_password) {
  identity_update_password_params params;
  identity_update_password_params_init(&params, sizeof params);
  params.email = TWIN_MAIL;
  params.reset_token = twins_reset_token;
  params.new_password = TEST_PASSWORD;
  return identity_update_password_start(session, &params, done, user_data, call);
}

TWIN(tokens) {
  return identity_session_tokens_start(session, 0, done, user_data, call);
}

TWIN(adopt) {
  /* {"publisherId":123456789} */
  return identity_session_adopt_start(session, "eyJhIjoxfQ.eyJwdWJsaXNoZXJJZCI6MTIzNDU2Nzg5fQ.c2ln",
                                      "0123456789abcdef", done, user_data, call);
}

/* ---- results ---- */

#define RESULT(kind, condition)                                                                              \
  static void free_##kind(const void *result) {                                                              \
    identity_##kind##_free(result);                                                                          \
  }                                                                                                          \
  static bool is_##kind(const void *result) {                                                                \
    const identity_##kind *it = result;                                                                      \
    return condition;                                                                                        \
  }

RESULT(locale, strcmp(it->country, "US") == 0)
RESULT(consents, it->count == PROBE_CONSENTS && strcmp(it->items[0]->name, "terms") == 0)
RESULT(customer_consents, it->count == PROBE_CONSENTS && it->items[0]->accepted == 1)
RESULT(capture_status, it->enabled == 1 && it->setting_count > 5)
RESULT(next_step, it->step == IDENTITY_STEP_CAPTURE && it->capture != NULL)
RESULT(customer, strcmp(it->email, TWIN_MAIL) == 0)
RESULT(tokens, strncmp(it->jwt, "eyJ", 3) == 0 && it->remaining_ms > 800000)

const twin twins[TWINS] = {
    [TWIN_LOCALE] = {"fetch_locale", locale, free_locale, is_locale, false},
    [TWIN_PUBLISHER_CONSENTS] = {"fetch_publisher_consents", identity_fetch_publisher_consents_start,
                                 free_consents, is_consents, false},
    [TWIN_REGISTER] = {"register", register_mo, NULL, NULL, false},
    [TWIN_LOGIN] = {"login", log_in, NULL, NULL, false},
    [TWIN_CUSTOMER_CONSENTS] = {"fetch_customer_consents", identity_fetch_customer_consents_start,
                                free_customer_consents, is_customer_consents, true},
    [TWIN_UPDATE_CONSENTS] = {"update_customer_consents", update_consents, NULL, NULL, true},
    [TWIN_CAPTURE_STATUS] = {"fetch_capture_status", identity_fetch_capture_status_start, free_capture_status,
                             is_capture_status, true},
    [TWIN_UPDATE_CAPTURE] = {"update_capture_answers", update_capture, NULL, NULL, true},
    [TWIN_NEXT_STEP] = {"fetch_next_step", identity_fetch_next_step_start, free_next_step, is_next_step,
                        true},
    [TWIN_CUSTOMER] = {"fetch_customer", identity_fetch_customer_start, free_customer, is_customer, true},
    [TWIN_UPDATE_CUSTOMER] = {"update_customer", update_customer, NULL, NULL, true},
    [TWIN_RESET_MAIL] = {"request_password_reset", reset_mail, NULL, NULL, false},
    [TWIN_UPDATE_PASSWORD] = {"update_password", update_password, NULL, NULL, false},
    [TWIN_TOKENS] = {"session_tokens", tokens, free_tokens, is_tokens, true},
    [TWIN_REFRESH] = {"session_refresh", identity_session_refresh_start, NULL, NULL, true},
    [TWIN_ADOPT] = {"session_adopt", adopt, NULL, NULL, false},
    [TWIN_LOGOUT] = {"logout", identity_logout_start, NULL, NULL, false},
    [TWIN_LOGOUT_EVERYWHERE] = {"logout_everywhere", identity_logout_everywhere_start, NULL, NULL, true},
};

/* ---- runs ---- */

void twin_start(int which, identity_session *session, note *into) {
  note_begin(into, twins[which].free_result);
  identity_status status = twins[which].start(session, note_done, into, &into->call);
  note_begun(into);
  if (status != IDENTITY_OK)
    fail_msg("%s_start: %s", twins[which].name, identity_status_name(status));
  assert_non_null(into->call);
}

void twin_is_refused(int which, identity_session *session, identity_status status) {
  note none = {.free_result = twins[which].free_result};
  identity_call *call = (identity_call *)(void *)&none; /* anything but NULL */
  identity_status said = twins[which].start(session, note_done, &none, &call);
  if (said != status)
    fail_msg("%s_start said %s, expected %s", twins[which].name, identity_status_name(said),
             identity_status_name(status));
  assert_null(call);
  note_is_open(&none);
}

void twins_register(service *server) {
  identity_session *session = service_open(server, "somebody");
  service_register(session, TWIN_MAIL);
  identity_session_close(session);
}

static crowd_call blocking_twin(int which) {
  for (size_t i = 0; i < every_call_count; i++)
    if (strcmp(every_calls[i].name, twins[which].name) == 0)
      return every_calls[i].run;
  fail_msg("%s is not in every_call.h", twins[which].name);
  return NULL;
}

identity_status twin_run(aloop *loop, int which, identity_session *session, identity_error *error) {
  if (loop->drive == DRIVE_BLOCKING)
    return blocking_twin(which)(session, error);
  note ended = {0};
  twin_start(which, session, &ended);
  aloop_until(loop, &ended, 1);
  note_is(&ended, ended.status);
  if (error != NULL)
    *error = ended.error;
  note_clear(&ended);
  return ended.status;
}

void twins_log_in(aloop *loop, identity_session *session) {
  note ended = {0};
  twin_start(TWIN_LOGIN, session, &ended);
  aloop_until(loop, &ended, 1);
  note_is(&ended, IDENTITY_OK);
  note_clear(&ended);
}

identity_session *twins_viewer(aloop *loop, service *server, const char *account) {
  identity_session *session = aloop_open(loop, server, account);
  twins_log_in(loop, session);
  return session;
}
