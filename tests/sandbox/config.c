#include "config.h"

#include "capture.h"
#include "consents.h"
#include "json.h"
#include "rules.h"
#include "text.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FILE_LIMIT (1 << 20)

static const struct sbx_field document_fields[] = {
    {"settings", SBX_OBJECT, false, 0, 0},
    {"publishers", SBX_ARRAY, true, 1, 100},
    {"customers", SBX_ARRAY, false, 0, 10000},
};

static const struct sbx_field publisher_fields[] = {
    {"id", SBX_TEXT, true, 9, 9},           {"token", SBX_TEXT, false, 1, 200},
    {"offers", SBX_ARRAY, false, 0, 100},   {"captcha", SBX_OBJECT, false, 0, 0},
    {"consents", SBX_ARRAY, false, 0, 100}, {"capture", SBX_OBJECT, false, 0, 0},
};

static const struct sbx_field captcha_fields[] = {
    {"enabled", SBX_FLAG, false, 0, 0},
    {"accept", SBX_TEXT, false, 1, 4000},
};

static const struct sbx_field capture_fields[] = {
    {"enabled", SBX_FLAG, false, 0, 0},
    {"settings", SBX_ARRAY, false, 0, 100},
};

static const struct sbx_field customer_fields[] = {
    {"id", SBX_INTEGER, false, 1, 9999999999}, {"publisherId", SBX_TEXT, true, 9, 9},
    {"email", SBX_TEXT, true, 1, 254},         {"password", SBX_TEXT, true, 8, 80},
    {"firstName", SBX_TEXT, false, 1, 50},     {"lastName", SBX_TEXT, false, 1, 50},
    {"country", SBX_TEXT, false, 2, 2},        {"locale", SBX_TEXT, false, 2, 10},
    {"currency", SBX_TEXT, false, 3, 3},       {"externalId", SBX_TEXT, false, 0, 255},
    {"externalData", SBX_OBJECT, false, 0, 0},
};

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

static cJSON *read_file(const char *path, struct sbx_problem *problem) {
  FILE *file = fopen(path, "re");
  if (file == NULL) {
    sbx_problem_say(problem, path, "cannot be read: %s", strerror(errno));
    return NULL;
  }
  char *text = malloc(FILE_LIMIT);
  size_t length = text == NULL ? 0 : fread(text, 1, FILE_LIMIT, file);
  bool whole = text != NULL && length < FILE_LIMIT && !ferror(file);
  fclose(file);
  cJSON *config = whole ? sbx_json_parse(text, length) : NULL;
  free(text);
  if (config == NULL)
    sbx_problem_say(problem, path, whole ? "is not valid JSON" : "cannot be read, or is larger than 1 MiB");
  return config;
}

cJSON *sbx_config_read(const char *path, struct sbx_problem *problem) {
  cJSON *config = path == NULL ? sbx_json_parse(sbx_default_config, strlen(sbx_default_config))
                               : read_file(path, problem);
  if (config == NULL && problem->text[0] == '\0')
    sbx_problem_say(problem, "configuration", "out of memory");
  return config;
}

bool sbx_config_settings(const cJSON *config, struct sbx_settings *settings, struct sbx_problem *problem) {
  const cJSON *changes = sbx_json_member(config, "settings");
  return changes == NULL || sbx_settings_apply(settings, changes, "settings", problem);
}

bool sbx_config_captcha(struct sbx_publisher *publisher, const cJSON *captcha, const char *where,
                        struct sbx_problem *problem) {
  if (!sbx_shape_check(captcha, where, captcha_fields, COUNT(captcha_fields), problem))
    return false;
  const char *accept = sbx_json_text(captcha, "accept");
  if (accept != NULL && !sbx_text_replace(&publisher->captcha_accept, accept))
    return sbx_problem_say(problem, where, "out of memory");
  publisher->captcha_enabled = sbx_json_flag(captcha, "enabled", publisher->captcha_enabled);
  return true;
}

bool sbx_config_capture(struct sbx_publisher *publisher, const cJSON *capture, const char *where,
                        struct sbx_problem *problem) {
  if (!sbx_shape_check(capture, where, capture_fields, COUNT(capture_fields), problem))
    return false;
  const cJSON *settings = sbx_json_member(capture, "settings");
  if (settings != NULL && !sbx_capture_replace(publisher, settings, where, problem))
    return false;
  publisher->capture_enabled = sbx_json_flag(capture, "enabled", publisher->capture_enabled);
  return true;
}

/* An offer id names its publisher, so no two publishers may have the same. */
static bool fill_offers(const struct sbx_model *model, struct sbx_publisher *publisher, const cJSON *offers,
                        const char *where, struct sbx_problem *problem) {
  if (!sbx_shape_all_texts(offers, where, problem))
    return false;
  const cJSON *offer = NULL;
  cJSON_ArrayForEach(offer, offers) {
    if (sbx_publisher_by_offer(model, offer->valuestring) != NULL)
      return sbx_problem_say(problem, where, "the offer id is used twice");
  }
  publisher->offers = offers == NULL ? cJSON_CreateArray() : cJSON_Duplicate(offers, true);
  return publisher->offers != NULL || sbx_problem_say(problem, where, "out of memory");
}

static bool fill_publisher(struct sbx_model *model, const cJSON *given, const char *where,
                           struct sbx_problem *problem) {
  if (!sbx_shape_check(given, where, publisher_fields, COUNT(publisher_fields), problem))
    return false;
  const char *id = sbx_json_text(given, "id"), *token = sbx_json_text(given, "token");
  if (!sbx_is_publisher_id(id) || sbx_publisher_by_id(model, id) != NULL)
    return sbx_problem_say(problem, where, "\"id\" must be nine digits and used once");
  if (token != NULL && sbx_publisher_by_token(model, token) != NULL)
    return sbx_problem_say(problem, where, "\"token\" is used twice");
  struct sbx_publisher *publisher = &model->publishers[model->publisher_count];
  if (!fill_offers(model, publisher, sbx_json_member(given, "offers"), where, problem))
    return false;
  model->publisher_count++;
  memcpy(publisher->id, id, sizeof publisher->id);
  publisher->consents = cJSON_CreateArray();
  publisher->capture = cJSON_CreateArray();
  if (publisher->consents == NULL || publisher->capture == NULL ||
      !sbx_text_replace(&publisher->token, token) ||
      !sbx_text_replace(&publisher->captcha_accept, "sandbox-captcha-ok"))
    return sbx_problem_say(problem, where, "out of memory");
  const cJSON *consents = sbx_json_member(given, "consents");
  const cJSON *captcha = sbx_json_member(given, "captcha"), *capture = sbx_json_member(given, "capture");
  return (consents == NULL || sbx_consents_replace(publisher, consents, where, problem)) &&
         (captcha == NULL || sbx_config_captcha(publisher, captcha, where, problem)) &&
         (capture == NULL || sbx_config_capture(publisher, capture, where, problem));
}

static bool copy_customer(struct sbx_customer *customer, const cJSON *given, int64_t now) {
  const cJSON *data = sbx_json_member(given, "externalData");
  memcpy(customer->publisher_id, sbx_json_text(given, "publisherId"), sizeof customer->publisher_id);
  customer->id = sbx_json_integer(given, "id", 0);
  customer->registered_at = now;
  customer->last_login_at = now;
  customer->consents = cJSON_CreateObject();
  customer->capture = cJSON_CreateObject();
  if (data != NULL)
    customer->external_data = cJSON_Duplicate(data, true);
  return customer->consents != NULL && customer->capture != NULL &&
         (data == NULL) == (customer->external_data == NULL) &&
         sbx_text_replace(&customer->email, sbx_json_text(given, "email")) &&
         sbx_text_replace(&customer->first_name, sbx_json_text(given, "firstName")) &&
         sbx_text_replace(&customer->last_name, sbx_json_text(given, "lastName")) &&
         sbx_text_replace(&customer->country, sbx_json_text(given, "country")) &&
         sbx_text_replace(&customer->locale, sbx_json_text(given, "locale")) &&
         sbx_text_replace(&customer->currency, sbx_json_text(given, "currency")) &&
         sbx_text_replace(&customer->external_id, sbx_json_text(given, "externalId")) &&
         sbx_password_set(&customer->password, sbx_json_text(given, "password"));
}

static bool fill_customer(struct sbx_model *model, const cJSON *given, int64_t now, const char *where,
                          struct sbx_problem *problem) {
  if (!sbx_shape_check(given, where, customer_fields, COUNT(customer_fields), problem))
    return false;
  if (sbx_publisher_by_id(model, sbx_json_text(given, "publisherId")) == NULL)
    return sbx_problem_say(problem, where, "\"publisherId\" is none of the publishers");
  if (sbx_rule_email(sbx_json_text(given, "email")) != NULL ||
      sbx_customer_by_email(model, sbx_json_text(given, "email")) != NULL)
    return sbx_problem_say(problem, where, "\"email\" must be an address and used once");
  int64_t id = sbx_json_integer(given, "id", 0);
  if (id != 0 && sbx_customer_by_id(model, id) != NULL)
    return sbx_problem_say(problem, where, "\"id\" is used twice");
  struct sbx_customer *customer = calloc(1, sizeof *customer);
  if (customer != NULL && copy_customer(customer, given, now) && sbx_customer_add(model, customer))
    return true;
  sbx_customer_free(customer);
  return sbx_problem_say(problem, where, "out of memory");
}

bool sbx_config_fill(const cJSON *config, int64_t now, struct sbx_model *model, struct sbx_problem *problem) {
  if (!sbx_shape_check(config, "configuration", document_fields, COUNT(document_fields), problem))
    return false;
  const cJSON *publishers = sbx_json_member(config, "publishers"), *given = NULL;
  model->publishers = calloc((size_t)cJSON_GetArraySize(publishers), sizeof *model->publishers);
  if (model->publishers == NULL)
    return sbx_problem_say(problem, "publishers", "out of memory");
  char where[64];
  int index = 0;
  cJSON_ArrayForEach(given, publishers) {
    snprintf(where, sizeof where, "publishers[%d]", index++);
    if (!fill_publisher(model, given, where, problem))
      return false;
  }
  index = 0;
  cJSON_ArrayForEach(given, sbx_json_member(config, "customers")) {
    snprintf(where, sizeof where, "customers[%d]", index++);
    if (!fill_customer(model, given, now, where, problem))
      return false;
  }
  return true;
}
