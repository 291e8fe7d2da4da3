/* Consents: contract 4.2, 4.9, 4.10. */
#include "consents.h"

#include "handlers.h"
#include "rules.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct sbx_field definition_fields[] = {
    {"broadcasterId", SBX_INTEGER, false, 0, 999999999},
    {"name", SBX_TEXT, true, 1, 64},
    {"version", SBX_TEXT, true, 1, 32},
    {"value", SBX_TEXT, false, 0, 2000},
    {"label", SBX_TEXT, true, 0, 4000},
    {"required", SBX_FLAG, true, 0, 0},
    {"enabledByDefault", SBX_FLAG, false, 0, 0},
    {"placeholder", SBX_TEXT, false, 0, 2000},
};

static cJSON *find_by_name(const cJSON *list, const char *name) {
  cJSON *item = NULL;
  cJSON_ArrayForEach(item, list) {
    if (strcmp(sbx_json_text(item, "name"), name) == 0)
      return item;
  }
  return NULL;
}

static cJSON *complete_definition(const struct sbx_publisher *publisher, const cJSON *given) {
  cJSON *definition = cJSON_CreateObject();
  const char *value = sbx_json_text(given, "value");
  int64_t owner = sbx_json_integer(given, "broadcasterId", strtoll(publisher->id, NULL, 10));
  bool ok =
      sbx_json_put_integer(definition, "broadcasterId", owner) &&
      sbx_json_put_text(definition, "name", sbx_json_text(given, "name")) &&
      sbx_json_put_text(definition, "version", sbx_json_text(given, "version")) &&
      sbx_json_put_text(definition, "value", value == NULL ? "" : value) &&
      sbx_json_put_text(definition, "label", sbx_json_text(given, "label")) &&
      sbx_json_put_flag(definition, "required", sbx_json_flag(given, "required", false)) &&
      sbx_json_put_flag(definition, "enabledByDefault", sbx_json_flag(given, "enabledByDefault", false));
  const char *placeholder = sbx_json_text(given, "placeholder");
  ok = ok && (placeholder == NULL || sbx_json_put_text(definition, "placeholder", placeholder));
  return sbx_json_finish(definition, ok);
}

bool sbx_consents_replace(struct sbx_publisher *publisher, const cJSON *definitions, const char *where,
                          struct sbx_problem *problem) {
  cJSON *list = cJSON_CreateArray();
  const cJSON *given = NULL;
  int index = 0;
  cJSON_ArrayForEach(given, definitions) {
    char place[160];
    snprintf(place, sizeof place, "%s[%d]", where, index++);
    if (!sbx_shape_check(given, place, definition_fields,
                         sizeof definition_fields / sizeof definition_fields[0], problem))
      goto refuse;
    if (find_by_name(list, sbx_json_text(given, "name")) != NULL) {
      sbx_problem_say(problem, place, "the name is used twice");
      goto refuse;
    }
    if (!sbx_json_append(list, complete_definition(publisher, given))) {
      sbx_problem_say(problem, place, "out of memory");
      goto refuse;
    }
  }
  cJSON_Delete(publisher->consents);
  publisher->consents = list;
  return true;
refuse:
  cJSON_Delete(list);
  return false;
}

bool sbx_consents_set_versions(struct sbx_publisher *publisher, const cJSON *versions, const char *where,
                               struct sbx_problem *problem) {
  const cJSON *version = NULL;
  cJSON_ArrayForEach(version, versions) {
    if (find_by_name(publisher->consents, version->string) == NULL)
      return sbx_problem_say(problem, where, "the publisher has no consent of that name");
    if (!cJSON_IsString(version) || version->valuestring[0] == '\0')
      return sbx_problem_say(problem, where, "each version must be a non-empty string");
  }
  cJSON_ArrayForEach(version, versions) {
    cJSON *definition = find_by_name(publisher->consents, version->string);
    if (!sbx_json_set(definition, "version", cJSON_CreateString(version->valuestring)))
      return sbx_problem_say(problem, where, "out of memory");
  }
  return true;
}

/* 4.2. One text for an id of another form and for an unknown one: nothing else is documented. */
void sbx_handle_publisher_consents(struct sbx_call *call) {
  const struct sbx_publisher *publisher = sbx_is_publisher_id(call->parameter)
                                              ? sbx_publisher_by_id(&call->service->model, call->parameter)
                                              : NULL;
  if (publisher == NULL) {
    sbx_refuse(call, SBX_BAD_PUBLISHER_PATH);
    return;
  }
  cJSON *data = cJSON_CreateObject();
  bool ok = sbx_json_put(data, "consents", cJSON_Duplicate(publisher->consents, true));
  sbx_answer_data(call, sbx_json_finish(data, ok));
}

/* 4.9. Never answered: declined with an empty version and no date, as the contract guesses. */
static cJSON *consent_of_customer(const struct sbx_customer *customer, const cJSON *definition) {
  char customer_id[24];
  snprintf(customer_id, sizeof customer_id, "%lld", (long long)customer->id);
  const char *name = sbx_json_text(definition, "name"), *newest = sbx_json_text(definition, "version");
  const cJSON *answer = sbx_json_member(customer->consents, name);
  const char *state = answer == NULL ? "declined" : sbx_json_text(answer, "state");
  const char *version = answer == NULL ? "" : sbx_json_text(answer, "version");
  bool required = sbx_json_flag(definition, "required", false);
  bool needs_update = (required && strcmp(state, "accepted") != 0) || strcmp(version, newest) != 0;
  cJSON *consent = cJSON_CreateObject();
  bool ok = sbx_json_put_text(consent, "customerId", customer_id) &&
            sbx_json_put_text(consent, "name", name) && sbx_json_put_flag(consent, "required", required) &&
            sbx_json_put_text(consent, "state", state) && sbx_json_put_text(consent, "version", version) &&
            sbx_json_put_text(consent, "newestVersion", newest) &&
            sbx_json_put_flag(consent, "needsUpdate", needs_update) &&
            sbx_json_put_text(consent, "label", sbx_json_text(definition, "label")) &&
            sbx_json_put_text(consent, "value", sbx_json_text(definition, "value"));
  if (ok && answer != NULL)
    ok = sbx_json_put_integer(consent, "date", sbx_json_integer(answer, "date", 0));
  return sbx_json_finish(consent, ok);
}

void sbx_handle_customer_consents(struct sbx_call *call) {
  const struct sbx_publisher *publisher =
      sbx_publisher_by_id(&call->service->model, call->customer->publisher_id);
  cJSON *list = cJSON_CreateArray();
  const cJSON *definition = NULL;
  bool ok = publisher != NULL;
  if (ok) {
    cJSON_ArrayForEach(definition, publisher->consents) {
      ok = ok && sbx_json_append(list, consent_of_customer(call->customer, definition));
    }
  }
  cJSON *data = cJSON_CreateObject();
  ok = sbx_json_put(data, "consents", sbx_json_finish(list, ok));
  sbx_answer_data(call, sbx_json_finish(data, ok));
}

static bool is_state(const char *state) {
  return state != NULL && (strcmp(state, "accepted") == 0 || strcmp(state, "declined") == 0);
}

/* 4.10: agreeing to an old version is not possible; the refusal of it and of an unknown name is a choice. */
static bool check_answer(struct sbx_call *call, const struct sbx_publisher *publisher, const cJSON *answer) {
  const char *name = sbx_json_text(answer, "name"), *version = sbx_json_text(answer, "version");
  if (name == NULL || version == NULL || !is_state(sbx_json_text(answer, "state"))) {
    sbx_refuse(call, SBX_INVALID_BODY);
    return false;
  }
  const cJSON *definition = find_by_name(publisher->consents, name);
  if (definition == NULL) {
    sbx_refuse_text(call, 422, NULL, "Consent does not exist");
    return false;
  }
  if (strcmp(sbx_json_text(definition, "version"), version) != 0) {
    sbx_refuse_text(call, 422, NULL, "Consent version is not the newest one");
    return false;
  }
  return true;
}

static bool store_answer(struct sbx_call *call, const cJSON *answer) {
  cJSON *kept = cJSON_CreateObject();
  bool ok = sbx_json_put_text(kept, "state", sbx_json_text(answer, "state")) &&
            sbx_json_put_text(kept, "version", sbx_json_text(answer, "version")) &&
            sbx_json_put_integer(kept, "date", sbx_clock_now(&call->service->clock));
  return sbx_json_set(call->customer->consents, sbx_json_text(answer, "name"), sbx_json_finish(kept, ok));
}

void sbx_handle_update_consents(struct sbx_call *call) {
  const struct sbx_publisher *publisher =
      sbx_publisher_by_id(&call->service->model, call->customer->publisher_id);
  const cJSON *answers = sbx_json_member(call->body, "consents"), *answer = NULL;
  if (publisher == NULL || !cJSON_IsArray(answers)) {
    sbx_refuse(call, SBX_INVALID_BODY);
    return;
  }
  cJSON_ArrayForEach(answer, answers) {
    if (!check_answer(call, publisher, answer))
      return;
  }
  cJSON_ArrayForEach(answer, answers) {
    if (!store_answer(call, answer)) {
      sbx_refuse(call, SBX_INTERNAL);
      return;
    }
  }
  sbx_answer_success(call);
}
