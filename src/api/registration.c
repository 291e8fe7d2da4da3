#include "api/answers.h"
#include "base/error.h"
#include "call/pair.h"
#include "wire/results.h"

#include <stdlib.h>
#include <string.h>

#define ROWS(table) (sizeof(table) / sizeof((table)[0]))

/* The legs of a registration, in order; the locale is left out when the app gave all of it. */
enum { LEG_PROBE, LEG_LOCALE, LEG_DEFINITIONS, LEG_REGISTER, LEG_SIGN_IN, LEG_CONSENTS, LEG_KEPT, LEG_DONE };

typedef struct registration {
  identity_register_params params;
  int32_t leg;
} registration;

static bool needs_locale(const identity_register_params *params) {
  return params->locale == NULL || params->country == NULL || params->currency == NULL;
}

static void send_locale(identity__call *call, const registration *inputs) {
  identity__call_send(call, IDENTITY__LOCALE);
  call->query_name = inputs->params.customer_ip != NULL ? "customerIP" : NULL;
  call->query_value = inputs->params.customer_ip;
}

static bool fill_in(identity__call *call, const char **text, const char *found) {
  if (*text == NULL)
    *text = identity__arena_text(&call->arena, found);
  return *text != NULL;
}

static bool take_locale(identity__call *call, registration *inputs) {
  identity_locale *locale;
  if (identity__read_locale(call->answer.data, &locale, &call->error) != IDENTITY_OK) {
    identity__call_finish(call, call->error.status);
    return false;
  }
  bool filled = fill_in(call, &inputs->params.locale, locale->locale) &&
                fill_in(call, &inputs->params.country, locale->country) &&
                fill_in(call, &inputs->params.currency, locale->currency);
  free(locale);
  return identity__call_built(call, filled);
}

static identity_status check_consent(const identity__call *call, const identity_consent *consent,
                                     identity_error *error) {
  const identity_consent_answer *answer = identity__find_answer(call->kept, call->kept_count, consent->name);
  if (consent->required && (answer == NULL || !answer->accepted))
    return identity__fail(error, IDENTITY_CONSENT_REQUIRED, consent->name,
                          "The required consent %s is not accepted.", consent->name);
  return answer != NULL ? identity__check_version(answer, consent->version, error) : IDENTITY_OK;
}

static bool is_defined(const identity_consents *definitions, const char *name) {
  for (uint32_t i = 0; i < definitions->count; i++)
    if (strcmp(definitions->items[i]->name, name) == 0)
      return true;
  return false;
}

static identity_status check_consents(const identity__call *call, const identity_consents *definitions,
                                      identity_error *error) {
  for (uint32_t i = 0; i < definitions->count; i++) {
    identity_status status = check_consent(call, definitions->items[i], error);
    if (status != IDENTITY_OK)
      return status;
  }
  for (uint32_t i = 0; i < call->kept_count; i++)
    if (!is_defined(definitions, call->kept[i].name))
      return identity__fail(error, IDENTITY_INVALID_INPUT, call->kept[i].name,
                            "The publisher has no consent %s.", call->kept[i].name);
  return IDENTITY_OK;
}

/* Nothing is sent unless every required consent is accepted as it stands now. */
static bool consents_allow(identity__call *call) {
  identity_consents *definitions;
  identity_status status = identity__read_consents(call->answer.data, &definitions, &call->error);
  if (status == IDENTITY_OK)
    status = check_consents(call, definitions, &call->error);
  free(definitions);
  if (status != IDENTITY_OK)
    identity__call_finish(call, status);
  return status == IDENTITY_OK;
}

static void send_register(identity__call *call, const identity_register_params *params) {
  const identity__pair pairs[] = {
      {"email", params->email},
      {"password", params->password},
      {"offerId", params->offer_id},
      {"publisherId", params->offer_id == NULL ? call->publisher_id : NULL},
      {"locale", params->locale},
      {"country", params->country},
      {"currency", params->currency},
      {"firstName", params->first_name},
      {"lastName", params->last_name},
      {"externalId", params->external_id},
      {"externalData", params->external_data},
      {"customerIP", params->customer_ip},
      {"captchaValue", params->captcha_value},
  };
  identity__call_send(call, IDENTITY__REGISTER);
  (void)identity__call_built(call, identity__body_flat(pairs, ROWS(pairs), &call->body));
}

/* The answers are stored in the same swap as the pair, so that no crash can lose them. */
static void sign_in(identity__call *call, registration *inputs) {
  identity_status status = identity__call_read_sign_in(call, inputs->params.email);
  if (status == IDENTITY_OUT_OF_MEMORY) {
    inputs->leg = LEG_SIGN_IN; /* this one again */
    identity__call_hold(call);
    return;
  }
  if (status != IDENTITY_OK) {
    identity__call_finish(call, status);
    return;
  }
  call->prelude_done = true; /* this call sends them itself */
  identity__call_sign_in(call, IDENTITY_HOW_REGISTER);
}

/* The account exists by now: a failure here leaves the consents pending and is no failure of the
 * registration. */
static void send_consents(identity__call *call) {
  identity__call_send(call, IDENTITY__UPDATE_CONSENTS);
  call->tolerate = true;
  call->settled = true;
  if (!identity__body_consents(call->kept, call->kept_count, &call->body))
    identity__call_finish(call, IDENTITY_OK); /* for want of memory they stay pending */
}

static void flow(identity__call *call) {
  registration *inputs = call->inputs;
  int32_t leg = inputs->leg++;
  if (leg == LEG_LOCALE && !needs_locale(&inputs->params))
    leg = inputs->leg++;
  else if (leg == LEG_DEFINITIONS && !take_locale(call, inputs))
    return;
  switch (leg) {
  case LEG_PROBE:
    identity__call_order(call, IDENTITY__ORDER_PROBE);
    break;
  case LEG_LOCALE:
    send_locale(call, inputs);
    break;
  case LEG_DEFINITIONS:
    identity__call_send(call, IDENTITY__PUBLISHER_CONSENTS);
    break;
  case LEG_REGISTER:
    if (consents_allow(call))
      send_register(call, &inputs->params);
    break;
  case LEG_SIGN_IN:
    sign_in(call, inputs);
    break;
  case LEG_CONSENTS:
    if (call->kept_count > 0)
      send_consents(call);
    else
      identity__call_finish(call, IDENTITY_OK);
    break;
  case LEG_KEPT:
    /* Taken, or refused for good: next_step asks again then. */
    if (call->status != IDENTITY_OK && !identity__call_consents_refused(call, call->outcome)) {
      identity__call_finish(call, IDENTITY_OK);
      break;
    }
    identity__call_order(call, IDENTITY__ORDER_DROP_CONSENTS);
    call->tolerate = true;
    break;
  default:
    identity__call_finish(call, IDENTITY_OK);
  }
}

void identity_register_params_init(identity_register_params *params, uint32_t size) {
  identity__init_params(params, size);
}

#define AT(member) offsetof(registration, params.member)

static const identity__input texts[] = {
    {"email", AT(email), IDENTITY__INPUT_EMAIL, IDENTITY__NEEDED},
    {"password", AT(password), IDENTITY__INPUT_NEW_PASSWORD, IDENTITY__NEEDED | IDENTITY__SECRET},
    {"offer_id", AT(offer_id), IDENTITY__INPUT_OFFER, IDENTITY__OPTIONAL},
    {"locale", AT(locale), IDENTITY__INPUT_LOCALE, IDENTITY__OPTIONAL},
    {"country", AT(country), IDENTITY__INPUT_COUNTRY, IDENTITY__OPTIONAL},
    {"currency", AT(currency), IDENTITY__INPUT_CURRENCY, IDENTITY__OPTIONAL},
    {"first_name", AT(first_name), IDENTITY__INPUT_NAME, IDENTITY__OPTIONAL},
    {"last_name", AT(last_name), IDENTITY__INPUT_NAME, IDENTITY__OPTIONAL},
    {"external_id", AT(external_id), IDENTITY__INPUT_TEXT, IDENTITY__OPTIONAL},
    {"external_data", AT(external_data), IDENTITY__INPUT_JSON, IDENTITY__OPTIONAL},
    {"customer_ip", AT(customer_ip), IDENTITY__INPUT_IP, IDENTITY__OPTIONAL},
    {"captcha_value", AT(captcha_value), IDENTITY__INPUT_TOKEN, IDENTITY__SECRET},
};

static identity__call *prepare(identity_session *session, const identity_register_params *params) {
  identity__call *call = identity__begin(session, "register", flow, sizeof(registration));
  if (identity__take_params(call, params, IDENTITY__FIRST_SIZE(identity_register_params, captcha_value),
                            sizeof *params) &&
      identity__take_texts(call, texts, ROWS(texts))) {
    const registration *inputs = call->inputs;
    (void)identity__take_answers(call, inputs->params.consents, inputs->params.consent_count);
  }
  return call;
}

identity_status identity_register(identity_session *session, const identity_register_params *params,
                                  identity_error *error) {
  return identity__conclude(session, prepare(session, params), error);
}

identity_status identity_register_start(identity_session *session, const identity_register_params *params,
                                        identity_done_fn done, void *user_data, identity_call **call) {
  return identity__start(session, prepare(session, params), done, user_data, call);
}
