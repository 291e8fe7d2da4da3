#include "api/begin.h"
#include "base/block.h"
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

static identity__call *prepare(identity_session *session, const char *customer_ip) {
  static const identity__input texts[] = {
      {"customer_ip", offsetof(locale_inputs, customer_ip), IDENTITY__INPUT_IP, IDENTITY__OPTIONAL}};
  identity__call *call = identity__begin(session, "fetch_locale", flow, sizeof(locale_inputs));
  if (call == NULL)
    return NULL;
  locale_inputs *inputs = call->inputs;
  inputs->customer_ip = customer_ip;
  (void)identity__take_texts(call, texts, 1);
  return call;
}

identity_status identity_fetch_locale(identity_session *session, const char *customer_ip,
                                      const identity_locale **locale, identity_error *error) {
  return identity__conclude_with(session, prepare(session, customer_ip), locale, "locale", error);
}

identity_status identity_fetch_locale_start(identity_session *session, const char *customer_ip,
                                            identity_done_fn done, void *user_data, identity_call **call) {
  return identity__start(session, prepare(session, customer_ip), done, user_data, call);
}

void identity_locale_free(const identity_locale *locale) {
  identity__block_free(locale);
}
