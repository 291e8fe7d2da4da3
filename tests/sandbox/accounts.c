/* Register, login and single sign-on: contract 4.3, 4.4, 4.7. */
#include "handlers.h"

#include "rules.h"
#include "sessions.h"
#include "text.h"

#include <stdlib.h>
#include <string.h>

struct requirement {
  const char *name;
  bool required;
  sbx_rule *rule;
};

static const struct requirement registration[] = {
    {"email", true, sbx_rule_new_email},     {"password", true, sbx_rule_password},
    {"locale", true, sbx_rule_locale},       {"country", true, sbx_rule_country},
    {"currency", true, sbx_rule_currency},   {"firstName", false, sbx_rule_first_name},
    {"lastName", false, sbx_rule_last_name}, {"customerIP", false, sbx_rule_customer_ip},
};

/* An id that is absent, null or empty counts as not given: one client sends "" for what it has not (4.11). */
static const char *owner_id(struct sbx_call *call, const char *name, bool *usable) {
  const cJSON *item = sbx_json_member(call->body, name);
  if (item == NULL || cJSON_IsNull(item))
    return NULL;
  if (!cJSON_IsString(item)) {
    *usable = false;
    return NULL;
  }
  return item->valuestring[0] == '\0' ? NULL : item->valuestring;
}

/* Both ids may be sent (not documented); then they must agree. */
struct sbx_publisher *sbx_owner_of_body(struct sbx_call *call) {
  const struct sbx_model *model = &call->service->model;
  bool usable = true;
  const char *publisher_id = owner_id(call, "publisherId", &usable);
  const char *offer_id = owner_id(call, "offerId", &usable);
  if (!usable || (publisher_id != NULL && !sbx_is_publisher_id(publisher_id))) {
    sbx_refuse(call, SBX_BAD_PUBLISHER_BODY);
    return NULL;
  }
  if (publisher_id == NULL && offer_id == NULL) {
    sbx_refuse(call, SBX_EMPTY_OWNER);
    return NULL;
  }
  struct sbx_publisher *by_offer = offer_id == NULL ? NULL : sbx_publisher_by_offer(model, offer_id);
  struct sbx_publisher *by_id = publisher_id == NULL ? by_offer : sbx_publisher_by_id(model, publisher_id);
  if (by_id == NULL || (offer_id != NULL && by_offer != by_id)) {
    sbx_refuse(call, SBX_UNKNOWN_OWNER);
    return NULL;
  }
  return by_id;
}

static bool check_registration(struct sbx_call *call) {
  for (size_t i = 0; i < sizeof registration / sizeof registration[0]; i++) {
    const struct requirement *row = &registration[i];
    if (!sbx_json_given(call->body, row->name)) {
      if (!row->required)
        continue;
      sbx_refuse(call, SBX_INVALID_BODY);
      return false;
    }
    const char *value = sbx_json_text(call->body, row->name);
    if (value == NULL) {
      sbx_refuse(call, SBX_INVALID_BODY);
      return false;
    }
    const char *text = row->rule(value);
    if (text != NULL) {
      sbx_refuse_text(call, 400, "REQ0001", text);
      return false;
    }
  }
  return true;
}

static bool check_captcha(struct sbx_call *call, const struct sbx_publisher *publisher) {
  if (!publisher->captcha_enabled)
    return true;
  const char *value = sbx_json_text(call->body, "captchaValue");
  if (value == NULL || *value == '\0') {
    sbx_refuse(call, SBX_CAPTCHA_WANTED);
    return false;
  }
  if (publisher->captcha_accept != NULL && strcmp(value, publisher->captcha_accept) == 0)
    return true;
  sbx_refuse(call, SBX_CAPTCHA_FAILED);
  return false;
}

/* Unique per publisher (4.3); the answer for a second one is not documented. */
static bool check_external_id(struct sbx_call *call, const struct sbx_publisher *publisher) {
  if (!sbx_json_given(call->body, "externalId"))
    return true;
  const char *value = sbx_json_text(call->body, "externalId");
  if (value != NULL && sbx_is_short_text(value) &&
      (*value == '\0' || sbx_customer_by_external_id(&call->service->model, publisher->id, value) == NULL))
    return true;
  sbx_refuse_text(call, 400, "REQ0001", "Invalid param externalId");
  return false;
}

static const char *customer_ip(const struct sbx_call *call) {
  const char *given = sbx_json_text(call->body, "customerIP");
  return given == NULL || !sbx_is_ip_address(given) ? call->source_ip : given;
}

static bool fill_customer(struct sbx_call *call, const struct sbx_publisher *publisher,
                          struct sbx_customer *customer) {
  const cJSON *body = call->body;
  memcpy(customer->publisher_id, publisher->id, sizeof customer->publisher_id);
  customer->registered_at = sbx_clock_now(&call->service->clock);
  customer->last_login_at = customer->registered_at;
  customer->consents = cJSON_CreateObject();
  customer->capture = cJSON_CreateObject();
  return customer->consents != NULL && customer->capture != NULL &&
         sbx_text_replace(&customer->email, sbx_json_text(body, "email")) &&
         sbx_text_replace(&customer->locale, sbx_json_text(body, "locale")) &&
         sbx_text_replace(&customer->country, sbx_json_text(body, "country")) &&
         sbx_text_replace(&customer->currency, sbx_json_text(body, "currency")) &&
         sbx_text_replace(&customer->first_name, sbx_json_text(body, "firstName")) &&
         sbx_text_replace(&customer->last_name, sbx_json_text(body, "lastName")) &&
         sbx_text_replace(&customer->external_id, sbx_json_text(body, "externalId")) &&
         sbx_text_replace(&customer->last_user_ip, customer_ip(call)) &&
         sbx_password_set(&customer->password, sbx_json_text(body, "password"));
}

/* Takes external_data over. NULL when memory is out. */
static struct sbx_customer *create_customer(struct sbx_call *call, const struct sbx_publisher *publisher,
                                            cJSON *external_data) {
  struct sbx_customer *customer = calloc(1, sizeof *customer);
  if (customer == NULL) {
    cJSON_Delete(external_data);
    return NULL;
  }
  customer->external_data = external_data;
  if (fill_customer(call, publisher, customer) && sbx_customer_add(&call->service->model, customer))
    return customer;
  sbx_customer_free(customer);
  return NULL;
}

/* 4.3. Addresses are unique over all publishers here: the contract documents no answer for the same address
   with another publisher, but login has USER0003 for it. */
void sbx_handle_register(struct sbx_call *call) {
  const struct sbx_publisher *publisher = sbx_owner_of_body(call);
  if (publisher == NULL || !check_registration(call) || !check_external_id(call, publisher))
    return;
  cJSON *external_data = NULL;
  if (sbx_json_given(call->body, "externalData") &&
      !sbx_external_data_read(sbx_json_member(call->body, "externalData"), false, &external_data)) {
    sbx_refuse_text(call, 400, "REQ0001", "Invalid param externalData");
    return;
  }
  bool free_to_take = check_captcha(call, publisher);
  if (free_to_take &&
      sbx_customer_by_email(&call->service->model, sbx_json_text(call->body, "email")) != NULL) {
    sbx_refuse(call, SBX_CUSTOMER_EXISTS);
    free_to_take = false;
  }
  if (!free_to_take) {
    cJSON_Delete(external_data);
    return;
  }
  const struct sbx_customer *customer = create_customer(call, publisher, external_data);
  if (customer == NULL) {
    sbx_refuse(call, SBX_INTERNAL);
    return;
  }
  call->customer_id = customer->id;
  sbx_answer_data(call, sbx_session_issue(call, customer, true));
}

static void note_login(struct sbx_call *call, struct sbx_customer *customer) {
  call->customer_id = customer->id;
  customer->last_login_at = sbx_clock_now(&call->service->clock);
  /* Without memory for the new address the old one stays: no reason to refuse a login. */
  (void)sbx_text_replace(&customer->last_user_ip, customer_ip(call));
}

static bool check_optional_ip(struct sbx_call *call) {
  const cJSON *item = sbx_json_member(call->body, "customerIP");
  if (item == NULL || cJSON_IsNull(item))
    return true;
  if (cJSON_IsString(item) && sbx_is_ip_address(item->valuestring))
    return true;
  sbx_refuse_text(call, 400, "REQ0001", "Invalid param customerIP");
  return false;
}

/* 4.4 */
void sbx_handle_login(struct sbx_call *call) {
  const char *email = sbx_json_text(call->body, "email");
  const char *password = sbx_json_text(call->body, "password");
  if (email == NULL || password == NULL || *email == '\0' || *password == '\0') {
    sbx_refuse(call, SBX_INVALID_BODY);
    return;
  }
  const struct sbx_publisher *publisher = sbx_owner_of_body(call);
  if (publisher == NULL || !check_optional_ip(call))
    return;
  struct sbx_customer *customer = sbx_customer_by_email(&call->service->model, email);
  if (customer == NULL || !sbx_password_matches(&customer->password, password)) {
    sbx_refuse(call, SBX_WRONG_LOGIN);
    return;
  }
  if (strcmp(customer->publisher_id, publisher->id) != 0) {
    sbx_refuse(call, SBX_OTHER_PUBLISHER);
    return;
  }
  note_login(call, customer);
  sbx_answer_data(call, sbx_session_issue(call, customer, true));
}

static void answer_sso(struct sbx_call *call, const struct sbx_customer *customer) {
  cJSON *data = sbx_session_issue(call, customer, false);
  if (call->service->settings.sso_flat)
    sbx_answer_plain(call, data);
  else
    sbx_answer_data(call, data);
}

/* 4.7: path, header and body names are inferred there. */
void sbx_handle_sso_login(struct sbx_call *call) {
  const char *token = call->header(call, "X-Publisher-Token");
  const struct sbx_publisher *publisher =
      token == NULL ? NULL : sbx_publisher_by_token(&call->service->model, token);
  if (publisher == NULL) {
    sbx_refuse(call, SBX_BAD_PUBLISHER_TOKEN);
    return;
  }
  const char *email = sbx_json_text(call->body, "customerEmail");
  if (email == NULL || *email == '\0') {
    sbx_refuse(call, SBX_INVALID_BODY);
    return;
  }
  if (!check_optional_ip(call))
    return;
  struct sbx_customer *customer = sbx_customer_by_email(&call->service->model, email);
  if (customer == NULL) {
    sbx_refuse_unknown_email(call, email);
    return;
  }
  if (strcmp(customer->publisher_id, publisher->id) != 0) {
    sbx_refuse(call, SBX_OTHER_PUBLISHER);
    return;
  }
  note_login(call, customer);
  answer_sso(call, customer);
}
