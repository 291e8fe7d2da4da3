#include "wire/capture_plan.h"
#include "base/error.h"
#include "base/text.h"
#include "wire/check.h"

#include <string.h>

typedef struct place {
  const identity_capture_setting *setting;
  const identity_capture_answer *stored;
} place;

static place find_place(const identity_capture_status *status, const char *key) {
  place none = {NULL, NULL};
  for (uint32_t i = 0; i < status->setting_count; i++)
    for (uint32_t j = 0; j < status->settings[i]->answer_count; j++)
      if (strcmp(status->settings[i]->answers[j]->key, key) == 0) {
        place found = {status->settings[i], status->settings[i]->answers[j]};
        return found;
      }
  return none;
}

static bool is_option(const identity_capture_setting *setting, const char *value) {
  for (uint32_t i = 0; i < setting->option_count; i++)
    if (strcmp(setting->options[i], value) == 0)
      return true;
  return false;
}

/* NULL: the value fits; else the rule it breaks. */
static const char *broken_rule(const place *at, const char *value) {
  bool empty = value[0] == '\0';
  if (identity__utf8_characters(value) < 0)
    return "must be UTF-8";
  switch (at->setting->kind) {
  case IDENTITY_CAPTURE_DATE:
    return identity__is_date(value) ? NULL : identity__input_rule(IDENTITY__INPUT_DATE);
  case IDENTITY_CAPTURE_NAME:
    return identity__is_name(value) ? NULL : identity__input_rule(IDENTITY__INPUT_NAME);
  case IDENTITY_CAPTURE_CHOICE:
    return is_option(at->setting, value) ? NULL : "must be one of the options";
  case IDENTITY_CAPTURE_CHECKBOX:
    if (empty && !at->setting->required)
      return NULL;
    return is_option(at->setting, value) ? NULL
                                         : "must be the text of the option, or empty if it is not required";
  case IDENTITY_CAPTURE_ADDRESS:
    if (strcmp(at->stored->key, "country") == 0)
      return identity__is_country(value) ? NULL : identity__input_rule(IDENTITY__INPUT_COUNTRY);
    return NULL;
  default:
    return empty && at->setting->required ? "is required and must not be empty" : NULL;
  }
}

static bool given_before(const identity_capture_answer *answers, uint32_t i) {
  for (uint32_t earlier = 0; earlier < i; earlier++)
    if (answers[earlier].value != NULL && strcmp(answers[earlier].key, answers[i].key) == 0)
      return true;
  return false;
}

static identity_status refuse(const char *key, const char *rule, identity_error *error) {
  return identity__fail(error, IDENTITY_INVALID_INPUT, key, "%s %s", key, rule);
}

static identity_status check_answer(const place *at, const identity_capture_answer *answer,
                                    identity_error *error) {
  if (!at->setting->enabled)
    return refuse(answer->key, "is not enabled by the publisher", error);
  const char *rule = broken_rule(at, answer->value);
  return rule == NULL ? IDENTITY_OK : refuse(answer->key, rule, error);
}

static bool is_stored(const place *at, const char *value) {
  const char *stored = at->stored->value != NULL ? at->stored->value : "";
  return strcmp(stored, value) == 0;
}

identity_status identity__capture_plan(const identity_capture_status *status,
                                       const identity_capture_answer *answers, uint32_t answer_count,
                                       identity__capture_change *changes, uint32_t *change_count,
                                       identity_error *error) {
  *change_count = 0;
  for (uint32_t i = 0; i < answer_count; i++) {
    if (answers[i].value == NULL)
      continue;
    if (given_before(answers, i))
      return refuse(answers[i].key, "is given twice", error);
    place at = find_place(status, answers[i].key);
    if (at.setting == NULL)
      return refuse(answers[i].key, "is not part of the form", error);
    identity_status checked = check_answer(&at, &answers[i], error);
    if (checked != IDENTITY_OK)
      return checked;
    if (is_stored(&at, answers[i].value))
      continue;
    /* The e-mail is shown in the form but not among the slots that can be written (contract, update capture).
     */
    if (strcmp(answers[i].key, "email") == 0)
      return refuse("email", "cannot be changed by the form; update the customer instead", error);
    bool custom = identity__starts_with(answers[i].key, "custom_");
    identity__capture_change change = {answers[i].key, answers[i].value, at.setting->question, custom};
    changes[(*change_count)++] = change;
  }
  return IDENTITY_OK;
}
