#include "api/begin.h"
#include "base/block.h"
#include "base/error.h"
#include "wire/results.h"

#define ROWS(table) (sizeof(table) / sizeof((table)[0]))

static void fetch_flow(identity__call *call) {
  if (call->leg == 0) {
    identity__call_send(call, IDENTITY__CUSTOMER);
    return;
  }
  identity_customer *customer;
  identity_status status =
      identity__read_customer(call->answer.data, call->answer.raw, &customer, &call->error);
  call->result = customer;
  identity__call_finish(call, status);
}

identity_status identity_fetch_customer(identity_session *session, const identity_customer **customer,
                                        identity_error *error) {
  return identity__conclude_with(session, identity__begin(session, "fetch_customer", fetch_flow, 0), customer,
                                 "customer", error);
}

identity_status identity_fetch_customer_start(identity_session *session, identity_done_fn done,
                                              void *user_data, identity_call **call) {
  return identity__start(session, identity__begin(session, "fetch_customer", fetch_flow, 0), done, user_data,
                         call);
}

void identity_customer_free(const identity_customer *customer) {
  identity__block_free(customer);
}

/* ---- changing ---- */

static void send_update(identity__call *call, const identity_update_customer_params *params) {
  const identity__pair pairs[] = {
      {"firstName", params->first_name},
      {"lastName", params->last_name},
      {"country", params->country},
      {"locale", params->locale},
      {"externalData", params->external_data},
      {"email", params->email},
      {"confirmationPassword", params->confirmation_password},
  };
  identity__call_send(call, IDENTITY__UPDATE_CUSTOMER);
  (void)identity__call_built(call, identity__body_flat(pairs, ROWS(pairs), &call->body));
}

static void update_flow(identity__call *call) {
  const identity_update_customer_params *params = call->inputs;
  switch (call->leg) {
  case 0:
    send_update(call, params);
    break;
  case 1:
    if (params->email == NULL) {
      identity__call_finish(call, IDENTITY_OK);
      break;
    }
    /* The JWT carries the old address, and the service may have revoked the tokens: a refresh tells. */
    call->settled = true;
    identity__call_order(call, IDENTITY__ORDER_ROTATE);
    call->tolerate = true;
    break;
  case 2:
    if (identity_status_class(call->status) != IDENTITY_CLASS_SIGN_IN) {
      identity__call_finish(call, IDENTITY_OK);
      break;
    }
    call->reason = IDENTITY_REASON_CREDENTIALS_CHANGED;
    identity__call_order(call, IDENTITY__ORDER_NAME_END);
    call->tolerate = true;
    break;
  default:
    identity__call_finish(call, IDENTITY_OK);
  }
}

void identity_update_customer_params_init(identity_update_customer_params *params, uint32_t size) {
  identity__init_params(params, size);
}

#define AT(member) offsetof(identity_update_customer_params, member)

static const identity__input texts[] = {
    {"first_name", AT(first_name), IDENTITY__INPUT_NAME, IDENTITY__OPTIONAL},
    {"last_name", AT(last_name), IDENTITY__INPUT_NAME, IDENTITY__OPTIONAL},
    {"country", AT(country), IDENTITY__INPUT_COUNTRY, IDENTITY__OPTIONAL},
    {"locale", AT(locale), IDENTITY__INPUT_LOCALE, IDENTITY__OPTIONAL},
    {"external_data", AT(external_data), IDENTITY__INPUT_JSON, IDENTITY__OPTIONAL},
    {"email", AT(email), IDENTITY__INPUT_EMAIL, IDENTITY__OPTIONAL},
    {"confirmation_password", AT(confirmation_password), IDENTITY__INPUT_PASSWORD, IDENTITY__SECRET},
};

static bool changes_nothing(const identity_update_customer_params *params) {
  return params->first_name == NULL && params->last_name == NULL && params->country == NULL &&
         params->locale == NULL && params->external_data == NULL && params->email == NULL;
}

static identity__call *prepare_update(identity_session *session,
                                      const identity_update_customer_params *params) {
  identity__call *call = identity__begin(session, "update_customer", update_flow, sizeof *params);
  if (!identity__take_params(call, params,
                             IDENTITY__FIRST_SIZE(identity_update_customer_params, confirmation_password),
                             sizeof *params))
    return call;
  const identity_update_customer_params *inputs = call->inputs;
  if (changes_nothing(inputs))
    (void)identity__fail(&call->error, IDENTITY_BAD_ARGUMENT, "params", "params changes nothing");
  else if (identity__take_texts(call, texts, ROWS(texts)) && inputs->email != NULL &&
           inputs->confirmation_password == NULL)
    (void)identity__input_missing("confirmation_password", &call->error);
  return call;
}

identity_status identity_update_customer(identity_session *session,
                                         const identity_update_customer_params *params,
                                         identity_error *error) {
  return identity__conclude(session, prepare_update(session, params), error);
}

identity_status identity_update_customer_start(identity_session *session,
                                               const identity_update_customer_params *params,
                                               identity_done_fn done, void *user_data, identity_call **call) {
  return identity__start(session, prepare_update(session, params), done, user_data, call);
}
