/* SPDX-License-Identifier: MIT
 *
 * Results for scripts: the fields of the public structs under their own names; flags as booleans, lists as
 * {"count":N,"items":[...]}, absent texts as null.
 */
#include "cli.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { PRINT_BUFFER_SIZE = 128 * 1024 };

static bool put_text(cJSON *object, const char *key, const char *value) {
  if (value == NULL)
    return cJSON_AddNullToObject(object, key) != NULL;
  char *valid = text_valid_utf8(value);
  const bool added = valid != NULL && cJSON_AddStringToObject(object, key, valid) != NULL;
  if (valid != NULL)
    wipe(valid, strlen(valid));
  free(valid);
  return added;
}

static bool put_number(cJSON *object, const char *key, int64_t value) {
  return cJSON_AddNumberToObject(object, key, (double)value) != NULL;
}

static bool put_flag(cJSON *object, const char *key, int32_t value) {
  return cJSON_AddBoolToObject(object, key, value != 0) != NULL;
}

/* Takes item over, also when it fails. */
static bool put_item(cJSON *object, const char *key, cJSON *item) {
  if (item != NULL && object != NULL && cJSON_AddItemToObject(object, key, item))
    return true;
  cJSON_Delete(item);
  return false;
}

static bool append(cJSON *array, cJSON *item) {
  if (item != NULL && array != NULL && cJSON_AddItemToArray(array, item))
    return true;
  cJSON_Delete(item);
  return false;
}

/* The object if all went well, else NULL. */
static cJSON *whole(cJSON *object, bool complete) {
  if (complete)
    return object;
  cJSON_Delete(object);
  return NULL;
}

cJSON *json_one_text(const char *key, const char *text) {
  cJSON *object = cJSON_CreateObject();
  return whole(object, put_text(object, key, text));
}

cJSON *json_locale(const identity_locale *locale) {
  cJSON *object = cJSON_CreateObject();
  return whole(object, put_text(object, "country", locale->country) &&
                           put_text(object, "currency", locale->currency) &&
                           put_text(object, "locale", locale->locale) &&
                           put_text(object, "ip_address", locale->ip_address));
}

static cJSON *json_consent(const identity_consent *consent) {
  cJSON *object = cJSON_CreateObject();
  return whole(object,
               put_text(object, "name", consent->name) && put_text(object, "version", consent->version) &&
                   put_flag(object, "required", consent->required) &&
                   put_flag(object, "enabled_by_default", consent->enabled_by_default) &&
                   put_text(object, "label", consent->label) && put_text(object, "value", consent->value) &&
                   put_text(object, "broadcaster_id", consent->broadcaster_id));
}

/* {"count":N,"items":[...]}; takes items over. */
static cJSON *json_list(uint32_t count, cJSON *items) {
  cJSON *object = cJSON_CreateObject();
  const bool complete = put_number(object, "count", count);
  return whole(object, put_item(object, "items", items) && complete);
}

cJSON *json_consents(const identity_consents *consents) {
  cJSON *items = cJSON_CreateArray();
  bool complete = items != NULL;
  for (uint32_t i = 0; complete && i < consents->count; i++)
    complete = append(items, json_consent(consents->items[i]));
  return json_list(consents->count, whole(items, complete));
}

static cJSON *json_customer_consent(const identity_customer_consent *consent) {
  cJSON *object = cJSON_CreateObject();
  return whole(object,
               put_text(object, "name", consent->name) && put_flag(object, "required", consent->required) &&
                   put_flag(object, "accepted", consent->accepted) &&
                   put_flag(object, "needs_update", consent->needs_update) &&
                   put_number(object, "date", consent->date) &&
                   put_text(object, "version", consent->version) &&
                   put_text(object, "newest_version", consent->newest_version) &&
                   put_text(object, "label", consent->label) && put_text(object, "value", consent->value));
}

cJSON *json_customer_consents(const identity_customer_consents *consents) {
  cJSON *items = cJSON_CreateArray();
  bool complete = items != NULL;
  for (uint32_t i = 0; complete && i < consents->count; i++)
    complete = append(items, json_customer_consent(consents->items[i]));
  return json_list(consents->count, whole(items, complete));
}

cJSON *json_answers(const identity_consent_answer *answers, size_t count) {
  cJSON *items = cJSON_CreateArray();
  bool complete = items != NULL;
  for (size_t i = 0; complete && i < count; i++) {
    cJSON *answer = cJSON_CreateObject();
    complete = append(items, whole(answer, put_text(answer, "name", answers[i].name) &&
                                               put_text(answer, "version", answers[i].version) &&
                                               put_flag(answer, "accepted", answers[i].accepted)));
  }
  return json_list((uint32_t)count, whole(items, complete));
}

static const char *kind_name(int32_t kind) {
  static const char *const names[] = {"unknown", "text", "date", "name", "address", "checkbox", "choice"};
  return names[kind >= 0 && kind < (int32_t)(sizeof names / sizeof names[0]) ? kind : 0];
}

static bool put_capture_lists(cJSON *object, const identity_capture_setting *setting) {
  cJSON *option_list = cJSON_AddArrayToObject(object, "options");
  cJSON *answer_list = cJSON_AddArrayToObject(object, "answers");
  bool complete = option_list != NULL && answer_list != NULL;
  for (uint32_t i = 0; complete && i < setting->option_count; i++) {
    char *valid = text_valid_utf8(setting->options[i]);
    complete = valid != NULL && append(option_list, cJSON_CreateString(valid));
    free(valid);
  }
  for (uint32_t i = 0; complete && i < setting->answer_count; i++) {
    cJSON *answer = cJSON_CreateObject();
    complete = append(answer_list, whole(answer, put_text(answer, "key", setting->answers[i]->key) &&
                                                     put_text(answer, "value", setting->answers[i]->value)));
  }
  return complete;
}

static cJSON *json_capture_setting(const identity_capture_setting *setting) {
  cJSON *object = cJSON_CreateObject();
  return whole(
      object,
      put_text(object, "key", setting->key) && put_text(object, "kind", kind_name(setting->kind)) &&
          put_flag(object, "enabled", setting->enabled) && put_flag(object, "required", setting->required) &&
          put_text(object, "question", setting->question) &&
          put_number(object, "option_count", setting->option_count) &&
          put_number(object, "answer_count", setting->answer_count) && put_capture_lists(object, setting));
}

cJSON *json_capture(const identity_capture_status *status) {
  cJSON *object = cJSON_CreateObject();
  bool complete = put_flag(object, "enabled", status->enabled) &&
                  put_flag(object, "should_be_displayed", status->should_be_displayed) &&
                  put_number(object, "setting_count", status->setting_count);
  cJSON *settings = complete ? cJSON_AddArrayToObject(object, "settings") : NULL;
  complete = settings != NULL;
  for (uint32_t i = 0; complete && i < status->setting_count; i++)
    complete = append(settings, json_capture_setting(status->settings[i]));
  return whole(object, complete);
}

cJSON *json_next_step(const identity_next_step *next_step) {
  static const char *const names[] = {"none", "consents", "capture"};
  const bool known = next_step->step >= IDENTITY_STEP_NONE && next_step->step <= IDENTITY_STEP_CAPTURE;
  cJSON *object = cJSON_CreateObject();
  bool complete = put_text(object, "step", names[known ? next_step->step : 0]);
  complete = complete && put_item(object, "consents",
                                  next_step->consents != NULL ? json_customer_consents(next_step->consents)
                                                              : cJSON_CreateNull());
  complete = complete &&
             put_item(object, "capture",
                      next_step->capture != NULL ? json_capture(next_step->capture) : cJSON_CreateNull());
  return whole(object, complete);
}

cJSON *json_customer(const identity_customer *customer) {
  cJSON *object = cJSON_CreateObject();
  return whole(object, put_text(object, "id", customer->id) && put_text(object, "email", customer->email) &&
                           put_text(object, "first_name", customer->first_name) &&
                           put_text(object, "last_name", customer->last_name) &&
                           put_text(object, "country", customer->country) &&
                           put_text(object, "registration_date", customer->registration_date) &&
                           put_text(object, "last_login_date", customer->last_login_date) &&
                           put_text(object, "last_user_ip", customer->last_user_ip) &&
                           put_text(object, "external_id", customer->external_id) &&
                           put_text(object, "external_data", customer->external_data));
}

cJSON *json_state(const identity_state *state) {
  cJSON *object = cJSON_CreateObject();
  return whole(object, put_text(object, "state", state->state_name) &&
                           put_text(object, "reason", state->reason_name) &&
                           put_flag(object, "consents_pending", state->consents_pending) &&
                           put_text(object, "customer_id", state->customer_id) &&
                           put_text(object, "email", state->email) &&
                           put_text(object, "publisher_id", state->publisher_id) &&
                           put_text(object, "account", state->account) &&
                           put_number(object, "retry_after_ms", state->retry_after_ms) &&
                           put_flag(object, "not_persisted", state->not_persisted));
}

cJSON *json_tokens(const identity_tokens *tokens) {
  cJSON *object = cJSON_CreateObject();
  return whole(object, put_text(object, "jwt", tokens->jwt) &&
                           put_number(object, "remaining_ms", tokens->remaining_ms) &&
                           put_text(object, "customer_id", tokens->customer_id) &&
                           put_text(object, "publisher_id", tokens->publisher_id) &&
                           put_text(object, "customer_token", tokens->customer_token));
}

cJSON *json_event(const identity_event *event) {
  cJSON *object = cJSON_CreateObject();
  return whole(object,
               put_number(object, "number", (int64_t)event->number) &&
                   put_number(object, "at_ms", event->at_ms) && put_text(object, "event", event->kind_name) &&
                   put_number(object, "old_state", event->old_state) &&
                   put_number(object, "new_state", event->new_state) &&
                   put_number(object, "reason", event->reason) && put_number(object, "how", event->how) &&
                   put_text(object, "cause", identity_status_name(event->cause)) &&
                   put_number(object, "amount_ms", event->amount_ms) &&
                   put_text(object, "customer_id", event->customer_id));
}

cJSON *json_events(cJSON *items) {
  return json_list((uint32_t)cJSON_GetArraySize(items), items);
}

static bool put_error(cJSON *object, const struct run *run) {
  const identity_error *error = &run->error;
  const char *text = error->message[0] != '\0' ? error->message : identity_status_text(error->status);
  cJSON *item = cJSON_AddObjectToObject(object, "error");
  return put_text(item, "class",
                  run->is_usage ? "USAGE" : identity_class_name(identity_status_class(error->status))) &&
         put_text(item, "status", run->is_usage ? "USAGE" : identity_status_name(error->status)) &&
         put_number(item, "http_status", error->http_status) && put_text(item, "code", error->code) &&
         put_text(item, "field", error->field) && put_text(item, "message", text) &&
         put_number(item, "retry_after_ms", error->retry_after_ms);
}

static void wipe_text(cJSON *item) {
  if (item->valuestring != NULL)
    wipe(item->valuestring, strlen(item->valuestring));
}

/* Secrets lie at most two levels deep: {"ok":true,"result":{"jwt":...}}. */
void json_wipe(cJSON *tree) {
  if (tree == NULL)
    return;
  wipe_text(tree);
  for (cJSON *child = tree->child; child != NULL; child = child->next) {
    wipe_text(child);
    for (cJSON *grandchild = child->child; grandchild != NULL; grandchild = grandchild->next)
      wipe_text(grandchild);
  }
  cJSON_Delete(tree);
}

void json_report(struct run *run, identity_status status) {
  cJSON *object = cJSON_CreateObject();
  bool complete = cJSON_AddBoolToObject(object, "ok", status == IDENTITY_OK) != NULL;
  if (status == IDENTITY_OK) {
    cJSON *result = run->result != NULL ? run->result : cJSON_CreateObject();
    run->result = NULL;
    complete = put_item(object, "result", result) && complete;
  } else {
    complete = put_error(object, run) && complete;
  }
  /* The buffer is large enough for any token from the start: growing it would leave copies behind. */
  char *text = complete ? cJSON_PrintBuffered(object, PRINT_BUFFER_SIZE, 0) : NULL;
  if (text != NULL) {
    write_out(run, text, strlen(text));
    write_out(run, "\n", 1);
    wipe(text, strlen(text));
  } else {
    run->output_error = ENOMEM;
  }
  cJSON_free(text);
  json_wipe(object);
}
