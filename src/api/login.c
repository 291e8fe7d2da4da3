/* Logging in with a password, and a back end's single sign-on. */
#include "api/begin.h"
#include "call/pair.h"

#include <identity/server.h>

#define ROWS(table) (sizeof(table) / sizeof((table)[0]))
#define AT(member) offsetof(login_inputs, member)

/* The shape of both: is there a store to keep the pair in, send, sign in with what came back. */
typedef struct login_inputs {
  identity_login_params params;
  const char *publisher_token; /* single sign-on */
  const char *sso_path;
  const char *sso_header;
} login_inputs;

static void send_login(identity__call *call, const login_inputs *inputs) {
  const identity_login_params *params = &inputs->params;
  const identity__pair pairs[] = {
      {"email", params->email},
      {"password", params->password},
      {"offerId", params->offer_id},
      {"publisherId", params->offer_id == NULL ? call->publisher_id : NULL},
      {"customerIP", params->customer_ip},
  };
  identity__call_send(call, IDENTITY__LOGIN);
  (void)identity__call_built(call, identity__body_flat(pairs, ROWS(pairs), &call->body));
}

/* Field names by the contract's best evidence; path and header are the config's. */
static void send_sso(identity__call *call, const login_inputs *inputs) {
  const identity__pair pairs[] = {
      {"customerEmail", inputs->params.email},
      {"customerIP", inputs->params.customer_ip},
  };
  identity__call_send(call, IDENTITY__SSO);
  call->path = inputs->sso_path;
  call->header_name = inputs->sso_header;
  call->header_value = inputs->publisher_token;
  (void)identity__call_built(call, identity__body_flat(pairs, ROWS(pairs), &call->body));
}

static void sign_in(identity__call *call, const login_inputs *inputs) {
  identity_status status = identity__call_read_sign_in(call, inputs->params.email);
  if (status == IDENTITY_OUT_OF_MEMORY)
    identity__call_hold(call);
  else if (status != IDENTITY_OK)
    identity__call_finish(call, status);
  else
    identity__call_sign_in(call, inputs->publisher_token != NULL ? IDENTITY_HOW_SSO : IDENTITY_HOW_LOGIN);
}

static void flow(identity__call *call) {
  const login_inputs *inputs = call->inputs;
  switch (call->leg) {
  case 0:
    identity__call_order(call, IDENTITY__ORDER_PROBE);
    break;
  case 1:
    if (inputs->publisher_token != NULL)
      send_sso(call, inputs);
    else
      send_login(call, inputs);
    break;
  case 2:
    sign_in(call, inputs);
    break;
  default:
    identity__call_finish(call, IDENTITY_OK);
  }
}

void identity_login_params_init(identity_login_params *params, uint32_t size) {
  identity__init_params(params, size);
}

static identity__call *prepare_login(identity_session *session, const identity_login_params *params) {
  static const identity__input texts[] = {
      {"email", AT(params.email), IDENTITY__INPUT_EMAIL, IDENTITY__NEEDED},
      {"password", AT(params.password), IDENTITY__INPUT_PASSWORD, IDENTITY__NEEDED | IDENTITY__SECRET},
      {"offer_id", AT(params.offer_id), IDENTITY__INPUT_OFFER, IDENTITY__OPTIONAL},
      {"customer_ip", AT(params.customer_ip), IDENTITY__INPUT_IP, IDENTITY__OPTIONAL},
  };
  identity__call *call = identity__begin(session, "login", flow, sizeof(login_inputs));
  if (identity__take_params(call, params, IDENTITY__FIRST_SIZE(identity_login_params, customer_ip),
                            sizeof *params))
    (void)identity__take_texts(call, texts, ROWS(texts));
  return call;
}

identity_status identity_login(identity_session *session, const identity_login_params *params,
                               identity_error *error) {
  return identity__conclude(session, prepare_login(session, params), error);
}

identity_status identity_login_start(identity_session *session, const identity_login_params *params,
                                     identity_done_fn done, void *user_data, identity_call **call) {
  return identity__start(session, prepare_login(session, params), done, user_data, call);
}

static identity__call *prepare_sso(identity_session *session, const char *publisher_token,
                                   const char *customer_email, const char *customer_ip) {
  static const identity__input texts[] = {
      {"publisher_token", AT(publisher_token), IDENTITY__INPUT_TOKEN, IDENTITY__NEEDED | IDENTITY__SECRET},
      {"email", AT(params.email), IDENTITY__INPUT_EMAIL, IDENTITY__NEEDED},
      {"customer_ip", AT(params.customer_ip), IDENTITY__INPUT_IP, IDENTITY__OPTIONAL},
  };
  identity__call *call = identity__begin(session, "sso_login", flow, sizeof(login_inputs));
  if (call == NULL)
    return NULL;
  login_inputs *inputs = call->inputs;
  inputs->publisher_token = publisher_token;
  inputs->params.email = customer_email;
  inputs->params.customer_ip = customer_ip;
  inputs->sso_path = session->sso_path != NULL ? session->sso_path : "/sso/auths";
  inputs->sso_header = session->sso_header != NULL ? session->sso_header : "X-Publisher-Token";
  (void)identity__take_texts(call, texts, ROWS(texts));
  return call;
}

identity_status identity_sso_login(identity_session *session, const char *publisher_token,
                                   const char *customer_email, const char *customer_ip,
                                   identity_error *error) {
  return identity__conclude(session, prepare_sso(session, publisher_token, customer_email, customer_ip),
                            error);
}

identity_status identity_sso_login_start(identity_session *session, const char *publisher_token,
                                         const char *customer_email, const char *customer_ip,
                                         identity_done_fn done, void *user_data, identity_call **call) {
  return identity__start(session, prepare_sso(session, publisher_token, customer_email, customer_ip), done,
                         user_data, call);
}
