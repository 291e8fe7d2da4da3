/* The two password calls: contract 4.11 and 4.12. */
#include "handlers.h"

#include "rules.h"
#include "sessions.h"
#include "text.h"

#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>

/* "empty -> cleeng.com page" (4.11); its address is not documented. */
#define DEFAULT_PAGE "https://cleeng.com/reset-password"

/* The parameters go before a fragment and after a query that is already there. */
static char *make_link(const char *page, const char *token, const struct sbx_customer *customer) {
  struct sbx_text link = {0};
  size_t base = strcspn(page, "#");
  sbx_text_add_bytes(&link, page, base);
  const char *query = memchr(page, '?', base);
  if (query == NULL)
    sbx_text_add(&link, "?");
  else if (page[base - 1] != '?' && page[base - 1] != '&')
    sbx_text_add(&link, "&");
  sbx_text_add(&link, "resetPasswordToken=");
  sbx_text_add_query_value(&link, token);
  sbx_text_add(&link, "&email=");
  sbx_text_add_query_value(&link, customer->email);
  sbx_text_add(&link, "&publisherId=");
  sbx_text_add_query_value(&link, customer->publisher_id);
  sbx_text_add(&link, page + base);
  return sbx_text_take(&link);
}

static void forget_expired(struct sbx_model *model, int64_t now) {
  size_t kept = 0;
  for (size_t i = 0; i < model->reset_count; i++) {
    if (now < model->reset_tokens[i].expires_at)
      model->reset_tokens[kept++] = model->reset_tokens[i];
  }
  model->reset_count = kept;
}

static bool keep_reset_token(struct sbx_service *service, const char *text, int64_t customer_id,
                             int64_t now) {
  struct sbx_model *model = &service->model;
  struct sbx_reset_token token = {.customer_id = customer_id,
                                  .expires_at = now + service->settings.reset_life};
  forget_expired(model, now);
  void *array = model->reset_tokens;
  if (!sbx_digest_of(text, &token.digest) ||
      !sbx_array_grow(&array, model->reset_count, &model->reset_capacity, sizeof token))
    return false;
  model->reset_tokens = array;
  model->reset_tokens[model->reset_count++] = token;
  return true;
}

static bool send_mail(struct sbx_call *call, const struct sbx_customer *customer, const char *page) {
  struct sbx_service *service = call->service;
  int64_t now = sbx_clock_now(&service->clock);
  char token[SBX_TOKEN_SIZE];
  if (!sbx_random_hex(token, sizeof token))
    return false;
  char *link = make_link(page, token, customer);
  bool sent = link != NULL && keep_reset_token(service, token, customer->id, now) &&
              sbx_outbox_add(&service->model, customer, now, link);
  if (link != NULL)
    OPENSSL_cleanse(link, strlen(link));
  free(link);
  OPENSSL_cleanse(token, sizeof token);
  return sent;
}

/* 4.11. A customer of another publisher counts as unknown: the table of this call has no USER0003. */
void sbx_handle_reset_password(struct sbx_call *call) {
  const char *email = sbx_json_text(call->body, "customerEmail");
  if (email == NULL || *email == '\0') {
    sbx_refuse(call, SBX_INVALID_BODY);
    return;
  }
  const struct sbx_publisher *publisher = sbx_owner_of_body(call);
  if (publisher == NULL)
    return;
  const char *page = DEFAULT_PAGE;
  if (sbx_json_given(call->body, "resetUrl")) {
    const char *given = sbx_json_text(call->body, "resetUrl");
    if (given == NULL || (*given != '\0' && !sbx_is_absolute_url(given))) {
      sbx_refuse(call, SBX_BAD_RESET_URL);
      return;
    }
    page = *given == '\0' ? DEFAULT_PAGE : given;
  }
  const struct sbx_customer *customer = sbx_customer_by_email(&call->service->model, email);
  if (customer == NULL || strcmp(customer->publisher_id, publisher->id) != 0) {
    sbx_refuse_unknown_email(call, email);
    return;
  }
  call->customer_id = customer->id;
  if (send_mail(call, customer, page))
    sbx_answer_success(call);
  else
    sbx_refuse(call, SBX_INTERNAL);
}

/* customerId (an integer, recommended) or customerEmail; NULL after a refusal. */
static struct sbx_customer *named_customer(struct sbx_call *call) {
  const struct sbx_model *model = &call->service->model;
  if (sbx_json_given(call->body, "customerId")) {
    int64_t id = 0;
    if (!sbx_json_is_integer(sbx_json_member(call->body, "customerId"), &id)) {
      sbx_refuse_text(call, 400, "REQ0001", "Invalid param customerId");
      return NULL;
    }
    struct sbx_customer *customer = sbx_customer_by_id(model, id);
    if (customer == NULL)
      sbx_refuse(call, SBX_BAD_RESET_TOKEN);
    return customer;
  }
  const char *email = sbx_json_text(call->body, "customerEmail");
  if (email == NULL || *email == '\0') {
    sbx_refuse(call, SBX_INVALID_BODY);
    return NULL;
  }
  struct sbx_customer *customer = sbx_customer_by_email(model, email);
  if (customer == NULL)
    sbx_refuse_unknown_email(call, email);
  return customer;
}

static bool token_is_good(struct sbx_call *call, const struct sbx_customer *customer, const char *text) {
  struct sbx_model *model = &call->service->model;
  struct sbx_digest digest;
  forget_expired(model, sbx_clock_now(&call->service->clock));
  if (!sbx_digest_of(text, &digest))
    return false;
  for (size_t i = 0; i < model->reset_count; i++) {
    if (model->reset_tokens[i].customer_id == customer->id &&
        sbx_digest_equal(&model->reset_tokens[i].digest, &digest))
      return true;
  }
  return false;
}

/* A used token is dead, and so are its siblings: the password they were meant for is gone. */
static void forget_tokens_of(struct sbx_model *model, int64_t customer_id) {
  size_t kept = 0;
  for (size_t i = 0; i < model->reset_count; i++) {
    if (model->reset_tokens[i].customer_id != customer_id)
      model->reset_tokens[kept++] = model->reset_tokens[i];
  }
  model->reset_count = kept;
}

static bool check_update(struct sbx_call *call) {
  const char *publisher_id = sbx_json_text(call->body, "publisherId");
  const char *token = sbx_json_text(call->body, "resetPasswordToken");
  const char *password = sbx_json_text(call->body, "newPassword");
  if (publisher_id == NULL || token == NULL || password == NULL || *token == '\0') {
    sbx_refuse(call, SBX_INVALID_BODY);
    return false;
  }
  if (!sbx_is_publisher_id(publisher_id)) {
    sbx_refuse(call, SBX_BAD_PUBLISHER_BODY);
    return false;
  }
  if (sbx_publisher_by_id(&call->service->model, publisher_id) == NULL) {
    sbx_refuse(call, SBX_UNKNOWN_OWNER);
    return false;
  }
  const char *text = sbx_rule_password(password);
  if (text != NULL)
    sbx_refuse_text(call, 400, "REQ0001", text);
  return text == NULL;
}

/* 4.12. Opens no session. */
void sbx_handle_update_password(struct sbx_call *call) {
  if (!check_update(call))
    return;
  struct sbx_customer *customer = named_customer(call);
  if (customer == NULL)
    return;
  struct sbx_service *service = call->service;
  bool own = strcmp(customer->publisher_id, sbx_json_text(call->body, "publisherId")) == 0;
  if (!own || !token_is_good(call, customer, sbx_json_text(call->body, "resetPasswordToken"))) {
    sbx_refuse(call, SBX_BAD_RESET_TOKEN);
    return;
  }
  call->customer_id = customer->id;
  if (!sbx_password_set(&customer->password, sbx_json_text(call->body, "newPassword"))) {
    sbx_refuse(call, SBX_INTERNAL);
    return;
  }
  forget_tokens_of(&service->model, customer->id);
  if (service->settings.revoke_on_password_change)
    sbx_sessions_revoke(&service->model, customer->id);
  sbx_answer_success(call);
}
