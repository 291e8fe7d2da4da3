/* Saving capture answers: contract 4.14. Nested when read, flat when written. */
#include "capture.h"

#include "handlers.h"
#include "rules.h"
#include "text.h"

#include <stdio.h>
#include <string.h>

struct member {
  const char *name; /* in the request */
  const char *key;  /* of the setting it belongs to */
  sbx_rule *rule;   /* NULL: any short text; "" takes the answer back */
};

static const char *rule_country_or_empty(const char *value) {
  return *value == '\0' ? NULL : sbx_rule_country(value);
}

static const struct member members[] = {
    {"firstName", "firstNameLastName", sbx_rule_first_name},
    {"lastName", "firstNameLastName", sbx_rule_last_name},
    {"address", "address", NULL},
    {"address2", "address", NULL},
    {"city", "address", NULL},
    {"state", "address", NULL},
    {"postCode", "address", NULL},
    {"country", "address", rule_country_or_empty},
    {"birthDate", "birthDate", sbx_rule_birth_date},
    {"companyName", "companyName", NULL},
    {"phoneNumber", "phoneNumber", NULL},
    {"email", "email", sbx_rule_email},
};

#define MEMBER_COUNT (sizeof members / sizeof members[0])

static bool refuse_member(struct sbx_call *call, const char *name) {
  char text[96];
  snprintf(text, sizeof text, "Invalid param %s", name);
  sbx_refuse_text(call, 400, "REQ0001", text);
  return false;
}

/* Only enabled fields can be saved; the refusal of the others is a choice. */
static bool is_open(const struct sbx_publisher *publisher, const char *key) {
  return publisher->capture_enabled && sbx_json_flag(sbx_capture_setting(publisher, key), "enabled", false);
}

/* null is "leave alone": the vendor's client sends it for everything it has not. */
static bool check_member(struct sbx_call *call, const struct sbx_publisher *publisher,
                         const struct member *member) {
  if (!sbx_json_given(call->body, member->name))
    return true;
  const char *value = sbx_json_text(call->body, member->name);
  if (value == NULL || !is_open(publisher, member->key) || !sbx_is_short_text(value))
    return refuse_member(call, member->name);
  const char *text = member->rule == NULL ? NULL : member->rule(value);
  if (text != NULL) {
    sbx_refuse_text(call, 400, "REQ0001", text);
    return false;
  }
  /* The address is changed by PATCH /customers/{id} with the password, never in passing. */
  if (strcmp(member->name, "email") == 0 && strcmp(value, call->customer->email) != 0)
    return refuse_member(call, member->name);
  return true;
}

static bool check_custom(struct sbx_call *call, const struct sbx_publisher *publisher, const cJSON *answer) {
  const char *key = sbx_json_text(answer, "questionId"), *value = sbx_json_text(answer, "value");
  if (key == NULL || value == NULL || sbx_utf8_count(value) > 4000)
    return refuse_member(call, "customAnswers");
  const cJSON *setting = sbx_capture_is_custom(key) ? sbx_capture_setting(publisher, key) : NULL;
  if (setting == NULL)
    return refuse_member(call, "customAnswers");
  if (!is_open(publisher, key))
    return refuse_member(call, sbx_json_text(setting, "key"));
  if (*value != '\0' && !sbx_capture_is_option(sbx_json_text(setting, "value"), value))
    return refuse_member(call, sbx_json_text(setting, "key"));
  return true;
}

static bool check_answers(struct sbx_call *call, const struct sbx_publisher *publisher) {
  for (size_t i = 0; i < MEMBER_COUNT; i++) {
    if (!check_member(call, publisher, &members[i]))
      return false;
  }
  const cJSON *answers = sbx_json_member(call->body, "customAnswers"), *answer = NULL;
  if (answers == NULL || cJSON_IsNull(answers))
    return true;
  if (!cJSON_IsArray(answers))
    return refuse_member(call, "customAnswers");
  cJSON_ArrayForEach(answer, answers) {
    if (!check_custom(call, publisher, answer))
      return false;
  }
  return true;
}

/* An empty text takes the answer back. */
static bool keep_text(cJSON *object, const char *name, const char *value) {
  if (*value != '\0')
    return sbx_json_set(object, name, cJSON_CreateString(value));
  cJSON_DeleteItemFromObjectCaseSensitive(object, name);
  return true;
}

static cJSON *address_of(struct sbx_customer *customer) {
  cJSON *address = cJSON_GetObjectItemCaseSensitive(customer->capture, "address");
  if (address != NULL)
    return address;
  address = cJSON_CreateObject();
  return sbx_json_put(customer->capture, "address", address) ? address : NULL;
}

static bool store_member(struct sbx_call *call, const struct member *member) {
  struct sbx_customer *customer = call->customer;
  const char *value = sbx_json_text(call->body, member->name);
  if (value == NULL || strcmp(member->key, "email") == 0)
    return true;
  if (strcmp(member->name, "firstName") == 0)
    return sbx_text_replace(&customer->first_name, value);
  if (strcmp(member->name, "lastName") == 0)
    return sbx_text_replace(&customer->last_name, value);
  if (strcmp(member->key, "address") == 0)
    return keep_text(address_of(customer), member->name, value);
  return keep_text(customer->capture, member->key, value);
}

static bool store_answers(struct sbx_call *call) {
  for (size_t i = 0; i < MEMBER_COUNT; i++) {
    if (!store_member(call, &members[i]))
      return false;
  }
  const cJSON *answer = NULL;
  cJSON_ArrayForEach(answer, sbx_json_member(call->body, "customAnswers")) {
    const char *key = sbx_json_text(answer, "questionId");
    if (!keep_text(call->customer->capture, key, sbx_json_text(answer, "value")))
      return false;
  }
  return true;
}

void sbx_handle_capture_answers(struct sbx_call *call) {
  const struct sbx_publisher *publisher =
      sbx_publisher_by_id(&call->service->model, call->customer->publisher_id);
  if (publisher == NULL) {
    sbx_refuse(call, SBX_INTERNAL);
    return;
  }
  if (!check_answers(call, publisher))
    return;
  if (store_answers(call))
    sbx_answer_success(call);
  else
    sbx_refuse(call, SBX_INTERNAL);
}
