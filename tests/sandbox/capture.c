/* What to ask, and the answers so far: contract 4.13. */
#include "capture.h"

#include "handlers.h"
#include "text.h"

#include <stdio.h>
#include <string.h>

static const struct sbx_field setting_fields[] = {
    {"key", SBX_TEXT, true, 1, 32},      {"enabled", SBX_FLAG, true, 0, 0},
    {"required", SBX_FLAG, true, 0, 0},  {"question", SBX_TEXT, false, 0, 1000},
    {"value", SBX_TEXT, false, 0, 4000},
};

bool sbx_capture_is_custom(const char *key) {
  return strncmp(key, "custom_", 7) == 0 && sbx_text_is_digits(key + 7);
}

static bool is_known_key(const char *key) {
  static const char *const keys[] = {"email",       "firstNameLastName", "birthDate",
                                     "companyName", "phoneNumber",       "address"};
  for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
    if (strcmp(keys[i], key) == 0)
      return true;
  }
  return sbx_capture_is_custom(key);
}

static const cJSON *find_setting(const cJSON *settings, const char *key) {
  const cJSON *setting = NULL;
  cJSON_ArrayForEach(setting, settings) {
    if (strcmp(sbx_json_text(setting, "key"), key) == 0)
      return setting;
  }
  return NULL;
}

const cJSON *sbx_capture_setting(const struct sbx_publisher *publisher, const char *key) {
  return find_setting(publisher->capture, key);
}

static bool check_setting(const cJSON *list, const cJSON *setting, const char *where,
                          struct sbx_problem *problem) {
  if (!sbx_shape_check(setting, where, setting_fields, sizeof setting_fields / sizeof setting_fields[0],
                       problem))
    return false;
  const char *key = sbx_json_text(setting, "key");
  if (!is_known_key(key))
    return sbx_problem_say(problem, where, "unknown key (contract 4.13 lists them)");
  if (find_setting(list, key) != NULL)
    return sbx_problem_say(problem, where, "the key is used twice");
  bool custom = sbx_capture_is_custom(key);
  if (custom != (sbx_json_text(setting, "question") != NULL) ||
      custom != (sbx_json_text(setting, "value") != NULL))
    return sbx_problem_say(problem, where, "custom_N needs \"question\" and \"value\", the others have none");
  return true;
}

bool sbx_capture_replace(struct sbx_publisher *publisher, const cJSON *settings, const char *where,
                         struct sbx_problem *problem) {
  cJSON *list = cJSON_CreateArray();
  const cJSON *setting = NULL;
  int index = 0;
  bool ok = list != NULL;
  cJSON_ArrayForEach(setting, settings) {
    char place[160];
    snprintf(place, sizeof place, "%s[%d]", where, index++);
    ok = ok && check_setting(list, setting, place, problem) &&
         sbx_json_append(list, cJSON_Duplicate(setting, true));
  }
  if (!ok) {
    cJSON_Delete(list);
    return problem->text[0] != '\0' ? false : sbx_problem_say(problem, where, "out of memory");
  }
  cJSON_Delete(publisher->capture);
  publisher->capture = list;
  return true;
}

bool sbx_capture_is_option(const char *options, const char *value) {
  size_t count = 0, value_length = strlen(value);
  while (*options != '\0') {
    options += strspn(options, "; \t");
    size_t length = strcspn(options, ";");
    const char *next = options + length;
    while (length > 0 && strchr(" \t", options[length - 1]) != NULL)
      length--;
    if (length > 0) {
      count++;
      if (length == value_length && memcmp(options, value, length) == 0)
        return true;
    }
    options = next;
  }
  return count == 0;
}

static cJSON *names_to_json(const struct sbx_customer *customer) {
  cJSON *names = cJSON_CreateObject();
  bool ok = sbx_json_put_text(names, "firstName", customer->first_name) &&
            sbx_json_put_text(names, "lastName", customer->last_name);
  return sbx_json_finish(names, ok);
}

static cJSON *address_to_json(const cJSON *kept) {
  static const char *const parts[] = {"address", "address2", "city", "state", "postCode", "country"};
  cJSON *address = cJSON_CreateObject();
  bool ok = address != NULL;
  for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
    ok = ok && sbx_json_put_text(address, parts[i], sbx_json_text(kept, parts[i]));
  return sbx_json_finish(address, ok);
}

cJSON *sbx_capture_answer(const struct sbx_customer *customer, const char *key) {
  if (strcmp(key, "email") == 0)
    return cJSON_CreateString(customer->email);
  if (strcmp(key, "firstNameLastName") == 0)
    return names_to_json(customer);
  const cJSON *kept = sbx_json_member(customer->capture, key);
  if (strcmp(key, "address") == 0)
    return address_to_json(kept);
  return cJSON_IsString(kept) ? cJSON_CreateString(kept->valuestring) : cJSON_CreateNull();
}

/* Which parts a required name or address needs is not documented: all names; of the address neither the
   second line nor the state, which many countries have not. */
static bool is_answered(const struct sbx_customer *customer, const char *key) {
  if (strcmp(key, "email") == 0)
    return true;
  if (strcmp(key, "firstNameLastName") == 0)
    return customer->first_name != NULL && customer->last_name != NULL;
  const cJSON *kept = sbx_json_member(customer->capture, key);
  if (strcmp(key, "address") == 0)
    return sbx_json_text(kept, "address") != NULL && sbx_json_text(kept, "city") != NULL &&
           sbx_json_text(kept, "postCode") != NULL && sbx_json_text(kept, "country") != NULL;
  return cJSON_IsString(kept);
}

/* Required means nothing while enabled is false (4.13). */
static bool should_be_displayed(const struct sbx_publisher *publisher, const struct sbx_customer *customer) {
  const cJSON *setting = NULL;
  cJSON_ArrayForEach(setting, publisher->capture) {
    if (sbx_json_flag(setting, "enabled", false) && sbx_json_flag(setting, "required", false) &&
        !is_answered(customer, sbx_json_text(setting, "key")))
      return publisher->capture_enabled;
  }
  return false;
}

void sbx_handle_capture_status(struct sbx_call *call) {
  const struct sbx_publisher *publisher =
      sbx_publisher_by_id(&call->service->model, call->customer->publisher_id);
  cJSON *settings = publisher == NULL ? NULL : cJSON_Duplicate(publisher->capture, true);
  cJSON *setting = NULL;
  bool ok = settings != NULL;
  cJSON_ArrayForEach(setting, settings) {
    ok = ok &&
         sbx_json_put(setting, "answer", sbx_capture_answer(call->customer, sbx_json_text(setting, "key")));
  }
  cJSON *data = cJSON_CreateObject();
  ok = ok && sbx_json_put_flag(data, "isCaptureEnabled", publisher->capture_enabled) &&
       sbx_json_put_flag(data, "shouldCaptureBeDisplayed", should_be_displayed(publisher, call->customer));
  ok = sbx_json_put(data, "settings", sbx_json_finish(settings, ok));
  sbx_answer_data(call, sbx_json_finish(data, ok));
}
