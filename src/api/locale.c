#include "api/begin.h"
#include "base/block.h"
#include "base/error.h"
#include "wire/check.h"
#include "wire/results.h"

typedef struct locale_inputs {
  const char *customer_ip;
} locale_inputs;

static void flow(identity__call *call) {
  const locale_inputs *inputs = call->inputs;
  if (call->leg == 0) {
    identity__call_send(call, IDENTITY__LOCALE);
    call->query_name = inputs->customer_ip != NULL ? "customerIP" : NULL;
    call->query_value = inputs->customer_ip;
    return;
  }
  identity_locale *locale;
  identity_status status = identity__read_locale(call->answer.data, &locale, &call->error);
  call->result = locale;
  identity__call_finish(call, status);
}

static identity__call *prepare(identity_session *session, const char *customer_ip, identity_error *error) {
  const identity__input checks[] = {{"customer_ip", customer_ip, IDENTITY__INPUT_IP, false}};
  if (identity__check_inputs(checks, 1, error) != IDENTITY_OK)
    return NULL;
  identity__call *call = identity__begin(session, "fetch_locale", flow, sizeof(locale_inputs), error);
  if (call == NULL)
    return NULL;
  locale_inputs *inputs = call->inputs;
  inputs->customer_ip = identity__arena_text(&call->arena, customer_ip);
  if (inputs->customer_ip == NULL && customer_ip != NULL)
    return identity__abandon(call, error);
  return call;
}

identity_status identity_fetch_locale(identity_session *session, const char *customer_ip,
                                      const identity_locale **locale, identity_error *error) {
  IDENTITY__ERROR_OR_LOCAL(error);
  if (identity__check_result(locale, "locale", error) != IDENTITY_OK)
    return error->status;
  *locale = NULL;
  return identity__conclude(session, prepare(session, customer_ip, error), locale, error);
}

identity_status identity_fetch_locale_start(identity_session *session, const char *customer_ip,
                                            identity_done_fn done, void *user_data, identity_call **call) {
  identity_error error = {0};
  return identity__start(session, prepare(session, customer_ip, &error), &error, done, user_data, call);
}

void identity_locale_free(const identity_locale *locale) {
  identity__block_free(locale);
}
