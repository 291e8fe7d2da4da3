/* GET /_sandbox/outbox and GET /_sandbox/customers. */
#include "capture.h"
#include "control.h"
#include "sessions.h"

static cJSON *mail_to_json(const struct sbx_mail *mail) {
  cJSON *json = cJSON_CreateObject();
  bool ok = sbx_json_put_integer(json, "number", (int64_t)mail->number) &&
            sbx_json_put_integer(json, "time", mail->time) && sbx_json_put_text(json, "to", mail->to) &&
            sbx_json_put_integer(json, "customer_id", mail->customer_id) &&
            sbx_json_put_text(json, "publisher_id", mail->publisher_id) &&
            sbx_json_put_text(json, "link", mail->link);
  return sbx_json_finish(json, ok);
}

cJSON *sbx_outbox_to_json(const struct sbx_model *model) {
  uint64_t first = model->mail_count > SBX_OUTBOX_SIZE ? model->mail_count - SBX_OUTBOX_SIZE : 0;
  cJSON *list = cJSON_CreateArray();
  bool ok = list != NULL;
  for (uint64_t i = first; ok && i < model->mail_count; i++)
    ok = sbx_json_append(list, mail_to_json(&model->mails[i % SBX_OUTBOX_SIZE]));
  cJSON *json = cJSON_CreateObject();
  ok = sbx_json_put(json, "mails", sbx_json_finish(list, ok)) &&
       sbx_json_put_integer(json, "dropped", (int64_t)first);
  return sbx_json_finish(json, ok);
}

static bool put_tokens(cJSON *json, const struct sbx_service *service, int64_t customer_id) {
  cJSON *fresh = cJSON_CreateArray(), *used = cJSON_CreateArray();
  bool ok = fresh != NULL && used != NULL;
  for (size_t i = 0; ok && i < service->model.refresh_count; i++) {
    const struct sbx_refresh_token *token = &service->model.refresh_tokens[i];
    bool in_grace = false;
    char fingerprint[SBX_FINGERPRINT_SIZE];
    if (token->customer_id != customer_id || !sbx_refresh_token_valid(service, token, &in_grace))
      continue;
    sbx_fingerprint(&token->digest, fingerprint);
    ok = sbx_json_append(in_grace ? used : fresh, cJSON_CreateString(fingerprint));
  }
  ok = sbx_json_put(json, "refresh_tokens", sbx_json_finish(fresh, ok)) && ok;
  return sbx_json_put(json, "refresh_tokens_in_grace", sbx_json_finish(used, ok)) && ok;
}

static cJSON *capture_answers(const struct sbx_model *model, const struct sbx_customer *customer) {
  const struct sbx_publisher *publisher = sbx_publisher_by_id(model, customer->publisher_id);
  cJSON *answers = cJSON_CreateObject();
  const cJSON *setting = NULL;
  bool ok = answers != NULL && publisher != NULL;
  if (ok) {
    cJSON_ArrayForEach(setting, publisher->capture) {
      const char *key = sbx_json_text(setting, "key");
      ok = ok && sbx_json_put(answers, key, sbx_capture_answer(customer, key));
    }
  }
  return sbx_json_finish(answers, ok);
}

static cJSON *customer_to_json(const struct sbx_service *service, const struct sbx_customer *customer) {
  cJSON *data =
      customer->external_data == NULL ? cJSON_CreateNull() : cJSON_Duplicate(customer->external_data, true);
  cJSON *json = cJSON_CreateObject();
  bool ok = sbx_json_put(json, "external_data", data) && sbx_json_put_integer(json, "id", customer->id) &&
            sbx_json_put_text(json, "publisher_id", customer->publisher_id) &&
            sbx_json_put_text(json, "email", customer->email) &&
            sbx_json_put_text(json, "first_name", customer->first_name) &&
            sbx_json_put_text(json, "last_name", customer->last_name) &&
            sbx_json_put_text(json, "country", customer->country) &&
            sbx_json_put_text(json, "locale", customer->locale) &&
            sbx_json_put_text(json, "currency", customer->currency) &&
            sbx_json_put_text(json, "external_id", customer->external_id) &&
            sbx_json_put_text(json, "last_user_ip", customer->last_user_ip) &&
            sbx_json_put_integer(json, "registered_at", customer->registered_at) &&
            sbx_json_put_integer(json, "last_login_at", customer->last_login_at) &&
            sbx_json_put(json, "consents", cJSON_Duplicate(customer->consents, true)) &&
            sbx_json_put(json, "capture", capture_answers(&service->model, customer)) &&
            put_tokens(json, service, customer->id);
  return sbx_json_finish(json, ok);
}

cJSON *sbx_customers_to_json(const struct sbx_service *service) {
  cJSON *list = cJSON_CreateArray();
  bool ok = list != NULL;
  for (size_t i = 0; ok && i < service->model.customer_count; i++)
    ok = sbx_json_append(list, customer_to_json(service, service->model.customers[i]));
  cJSON *json = cJSON_CreateObject();
  return sbx_json_finish(json, sbx_json_put(json, "customers", sbx_json_finish(list, ok)));
}
