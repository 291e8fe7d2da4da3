/* Customer data: contract 4.15 and 4.16. */
#include "handlers.h"

#include "rules.h"
#include "sessions.h"
#include "text.h"

#include <stdlib.h>
#include <string.h>

static cJSON *external_data_of(const struct sbx_customer *customer) {
  return customer->external_data == NULL ? cJSON_CreateNull()
                                         : cJSON_Duplicate(customer->external_data, true);
}

static cJSON *customer_to_json(const struct sbx_customer *customer) {
  char registered[SBX_DATE_SIZE], last_login[SBX_DATE_SIZE];
  sbx_format_date_time(customer->registered_at, registered);
  sbx_format_date_time(customer->last_login_at, last_login);
  cJSON *data = cJSON_CreateObject();
  bool ok =
      sbx_json_put_integer(data, "id", customer->id) && sbx_json_put_text(data, "email", customer->email) &&
      sbx_json_put_text(data, "firstName", customer->first_name) &&
      sbx_json_put_text(data, "lastName", customer->last_name) &&
      sbx_json_put_text(data, "country", customer->country) &&
      sbx_json_put_text(data, "regDate", registered) &&
      sbx_json_put_text(data, "lastLoginDate", last_login) &&
      sbx_json_put_text(data, "lastUserIp", customer->last_user_ip) &&
      sbx_json_put_text(data, "externalId", customer->external_id == NULL ? "" : customer->external_id) &&
      sbx_json_put(data, "externalData", external_data_of(customer));
  return sbx_json_finish(data, ok);
}

void sbx_handle_customer(struct sbx_call *call) {
  sbx_answer_data(call, customer_to_json(call->customer));
}

/* 4.16: several errors come as one string, joined by commas. */
static void add_error(struct sbx_text *errors, const char *text) {
  if (errors->length > 0)
    sbx_text_add(errors, ",");
  sbx_text_add(errors, text);
}

static void check_texts(const cJSON *body, struct sbx_text *errors) {
  static const struct {
    const char *name;
    sbx_rule *rule;
    const char *wrong_type;
  } fields[] = {
      {"email", sbx_rule_email, "Invalid param email"},
      {"firstName", sbx_rule_first_name, "Invalid param firstName"},
      {"lastName", sbx_rule_last_name, "Invalid param lastName"},
      {"country", sbx_rule_country, "Invalid param country"},
      {"locale", sbx_rule_locale, "Invalid param locale"},
  };
  for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++) {
    if (!sbx_json_given(body, fields[i].name))
      continue;
    const char *value = sbx_json_text(body, fields[i].name);
    const char *text = value == NULL ? fields[i].wrong_type : fields[i].rule(value);
    if (text != NULL)
      add_error(errors, text);
  }
}

/* The same address in other letters is no change and needs no password. */
static bool changes_email(const struct sbx_call *call) {
  const char *email = sbx_json_text(call->body, "email");
  return email != NULL && strcmp(email, call->customer->email) != 0;
}

static void check_email_change(struct sbx_call *call, struct sbx_text *errors) {
  if (!changes_email(call))
    return;
  const struct sbx_customer *holder =
      sbx_customer_by_email(&call->service->model, sbx_json_text(call->body, "email"));
  if (holder != NULL && holder != call->customer)
    add_error(errors, "Customer email already exists");
  const char *password = sbx_json_text(call->body, "confirmationPassword");
  if (password == NULL || !sbx_password_matches(&call->customer->password, password))
    add_error(errors, "Invalid confirmationPassword");
}

static bool read_external_data(const cJSON *body, cJSON **data, struct sbx_text *errors) {
  *data = NULL;
  const cJSON *item = sbx_json_member(body, "externalData");
  if (item == NULL)
    return false;
  if (cJSON_IsNull(item) || sbx_external_data_read(item, true, data))
    return true;
  add_error(errors, "Invalid param externalData");
  return false;
}

static bool store_text(const cJSON *body, const char *name, char **slot) {
  const char *value = sbx_json_text(body, name);
  return value == NULL || sbx_text_replace(slot, value);
}

static bool store_changes(struct sbx_call *call) {
  struct sbx_customer *customer = call->customer;
  bool new_email = changes_email(call);
  bool ok = store_text(call->body, "email", &customer->email) &&
            store_text(call->body, "firstName", &customer->first_name) &&
            store_text(call->body, "lastName", &customer->last_name) &&
            store_text(call->body, "country", &customer->country) &&
            store_text(call->body, "locale", &customer->locale);
  if (ok && new_email && call->service->settings.revoke_on_email_change)
    sbx_sessions_revoke(&call->service->model, customer->id);
  return ok;
}

void sbx_handle_update_customer(struct sbx_call *call) {
  struct sbx_customer *customer = call->customer;
  struct sbx_text errors = {0};
  cJSON *external_data = NULL;
  check_texts(call->body, &errors);
  check_email_change(call, &errors);
  bool replace_data = read_external_data(call->body, &external_data, &errors);
  if (errors.failed) {
    sbx_refuse(call, SBX_INTERNAL);
    goto done;
  }
  if (errors.length > 0) {
    sbx_refuse_text(call, 400, NULL, errors.bytes);
    goto done;
  }
  if (!store_changes(call)) {
    sbx_refuse(call, SBX_INTERNAL);
    goto done;
  }
  if (replace_data) {
    cJSON_Delete(customer->external_data);
    customer->external_data = external_data;
    external_data = NULL;
  }
  sbx_answer_data(call, customer_to_json(customer));
done:
  cJSON_Delete(external_data);
  sbx_text_free(&errors);
}
