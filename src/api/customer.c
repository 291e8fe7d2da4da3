#include "api/begin.h"
#include "base/block.h"
#include "base/error.h"
#include "wire/check.h"
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
  IDENTITY__ERROR_OR_LOCAL(error);
  if (identity__check_result(customer, "customer", error) != IDENTITY_OK)
    return error->status;
  *customer = NULL;
  return identity__conclude(session, identity__begin(session, "fetch_customer", fetch_flow, 0, error),
                            customer, error);
}

identity_status identity_fetch_customer_start(identity_session *session, identity_done_fn done,
                                              void *user_data, identity_call **call) {
  identity_error error = {0};
  return identity__start(session, identity__begin(session, "fetch_customer", fetch_flow, 0, &error), &error,
                         done, user_data, call);
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

static identity_status check_params(const identity_update_customer_params *params, identity_error *error) {
  const identity__input checks[] = {
      {"first_name", params->first_name, IDENTITY__INPUT_NAME, false},
      {"last_name", params->last_name, IDENTITY__INPUT_NAME, false},
      {"country", params->country, IDENTITY__INPUT_COUNTRY, false},
      {"locale", params->locale, IDENTITY__INPUT_LOCALE, false},
      {"external_data", params->external_data, IDENTITY__INPUT_JSON, false},
      {"email", params->email, IDENTITY__INPUT_EMAIL, false},
      {"confirmation_password", params->confirmation_password, IDENTITY__INPUT_PASSWORD,
       params->email != NULL},
  };
  for (size_t i = 0; i < ROWS(checks) - 1; i++)
    if (checks[i].value != NULL)
      return identity__check_inputs(checks, ROWS(checks), error);
  return identity__fail(error, IDENTITY_BAD_ARGUMENT, "params", "params changes nothing");
}

static identity__call *prepare_update(identity_session *session,
                                      const identity_update_customer_params *params, identity_error *error) {
  identity_update_customer_params copy;
  if (identity__check_params(params,
                             IDENTITY__FIRST_SIZE(identity_update_customer_params, confirmation_password),
                             &copy, sizeof copy, error) != IDENTITY_OK ||
      check_params(&copy, error) != IDENTITY_OK)
    return NULL;
  identity__call *call = identity__begin(session, "update_customer", update_flow, sizeof copy, error);
  if (call == NULL)
    return NULL;
  identity_update_customer_params *inputs = call->inputs;
  *inputs = copy;
  const char **texts[] = {&inputs->first_name,   &inputs->last_name, &inputs->country,
                          &inputs->locale,       &inputs->email,     &inputs->confirmation_password,
                          &inputs->external_data};
  if (!identity__keep_texts(call, texts, ROWS(texts)))
    return identity__abandon(call, error);
  call->secrets[0] = inputs->confirmation_password;
  return call;
}

identity_status identity_update_customer(identity_session *session,
                                         const identity_update_customer_params *params,
                                         identity_error *error) {
  IDENTITY__ERROR_OR_LOCAL(error);
  return identity__conclude(session, prepare_update(session, params, error), NULL, error);
}

identity_status identity_update_customer_start(identity_session *session,
                                               const identity_update_customer_params *params,
                                               identity_done_fn done, void *user_data, identity_call **call) {
  identity_error error = {0};
  return identity__start(session, prepare_update(session, params, &error), &error, done, user_data, call);
}
