#include "sessions.h"

#include "handlers.h"
#include "jwt.h"

#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* Section 2: customerId and publisherId as numbers, email, exp; the sample tokens have no `iat`. */
static char *make_jwt(struct sbx_service *service, const struct sbx_customer *customer) {
  cJSON *claims = cJSON_CreateObject();
  int64_t expires = sbx_clock_now(&service->clock) + service->settings.jwt_life;
  bool ok = sbx_json_put_integer(claims, "customerId", customer->id) &&
            sbx_json_put_integer(claims, "publisherId", strtoll(customer->publisher_id, NULL, 10)) &&
            sbx_json_put_text(claims, "email", customer->email) &&
            sbx_json_put_integer(claims, "exp", expires);
  char *jwt = ok ? sbx_jwt_sign(service->jwt_key, claims) : NULL;
  cJSON_Delete(claims);
  return jwt;
}

bool sbx_refresh_token_valid(const struct sbx_service *service, const struct sbx_refresh_token *token,
                             bool *in_grace) {
  int64_t now = sbx_clock_now(&service->clock);
  *in_grace = token->used_at != 0;
  if (now >= token->expires_at)
    return false;
  return token->used_at == 0 || now < token->used_at + service->settings.grace;
}

/* Dead tokens are forgotten: a used one and one that never was get the same answer. */
static void forget_dead_tokens(struct sbx_service *service) {
  struct sbx_model *model = &service->model;
  size_t kept = 0;
  bool in_grace = false;
  for (size_t i = 0; i < model->refresh_count; i++) {
    if (sbx_refresh_token_valid(service, &model->refresh_tokens[i], &in_grace))
      model->refresh_tokens[kept++] = model->refresh_tokens[i];
  }
  model->refresh_count = kept;
}

static bool keep_refresh_token(struct sbx_service *service, const char *text, int64_t customer_id) {
  struct sbx_model *model = &service->model;
  struct sbx_refresh_token token = {.customer_id = customer_id};
  token.expires_at = sbx_clock_now(&service->clock) + service->settings.refresh_life;
  if (model->refresh_count == model->refresh_capacity)
    forget_dead_tokens(service);
  void *array = model->refresh_tokens;
  if (!sbx_digest_of(text, &token.digest) ||
      !sbx_array_grow(&array, model->refresh_count, &model->refresh_capacity, sizeof token))
    return false;
  model->refresh_tokens = array;
  model->refresh_tokens[model->refresh_count++] = token;
  return true;
}

cJSON *sbx_session_issue(struct sbx_call *call, const struct sbx_customer *customer, bool with_customer) {
  struct sbx_service *service = call->service;
  if (call->as_customer != 0) {
    const struct sbx_customer *other = sbx_customer_by_id(&service->model, call->as_customer);
    customer = other == NULL ? customer : other;
  }
  char refresh[SBX_TOKEN_SIZE], customer_token[41];
  char *jwt = make_jwt(service, customer);
  bool ok = jwt != NULL && sbx_random_hex(refresh, sizeof refresh) &&
            sbx_random_hex(customer_token, sizeof customer_token) &&
            keep_refresh_token(service, refresh, customer->id);
  cJSON *data = ok ? cJSON_CreateObject() : NULL;
  if (ok && with_customer)
    ok = sbx_json_put_integer(data, "customerId", customer->id) &&
         sbx_json_put_text(data, "customerToken", customer_token);
  ok = ok && sbx_json_put_text(data, "jwt", jwt) && sbx_json_put_text(data, "refreshToken", refresh);
  if (ok) {
    sbx_fingerprint_of(jwt, call->jwt_issued);
    sbx_fingerprint_of(refresh, call->refresh_issued);
  }
  free(jwt);
  OPENSSL_cleanse(refresh, sizeof refresh);
  return sbx_json_finish(data, ok);
}

static const char *bearer_token(const struct sbx_call *call) {
  const char *header = call->header(call, "Authorization");
  if (header == NULL || strncasecmp(header, "Bearer", 6) != 0)
    return NULL;
  const char *token = header + 6;
  token += strspn(token, " ");
  return token == header + 6 || *token == '\0' ? NULL : token;
}

/* A customer that is gone (after a reset) makes the token as foreign as a wrong signature does. */
static struct sbx_customer *customer_of_claims(const struct sbx_model *model, const cJSON *claims) {
  struct sbx_customer *customer = sbx_customer_by_id(model, sbx_json_integer(claims, "customerId", 0));
  if (customer == NULL ||
      sbx_json_integer(claims, "publisherId", 0) != strtoll(customer->publisher_id, NULL, 10))
    return NULL;
  return customer;
}

bool sbx_session_authorise(struct sbx_call *call) {
  struct sbx_service *service = call->service;
  const char *token = bearer_token(call);
  if (token == NULL) {
    sbx_refuse(call, SBX_NO_JWT);
    return false;
  }
  cJSON *claims = sbx_jwt_verify(service->jwt_key, token);
  int64_t expires = sbx_json_integer(claims, "exp", 0);
  call->customer = customer_of_claims(&service->model, claims);
  cJSON_Delete(claims);
  if (call->customer == NULL) {
    sbx_refuse(call, SBX_BAD_JWT);
    return false;
  }
  call->customer_id = call->customer->id;
  if (sbx_clock_now(&service->clock) < expires)
    return true;
  sbx_refuse(call, service->settings.expired_is_auth0003 ? SBX_EXPIRED_JWT : SBX_BAD_JWT);
  return false;
}

static struct sbx_refresh_token *find_refresh_token(struct sbx_service *service, const char *text) {
  struct sbx_model *model = &service->model;
  struct sbx_digest digest;
  bool in_grace = false;
  if (!sbx_digest_of(text, &digest))
    return NULL;
  for (size_t i = 0; i < model->refresh_count; i++) {
    struct sbx_refresh_token *token = &model->refresh_tokens[i];
    if (sbx_digest_equal(&token->digest, &digest))
      return sbx_refresh_token_valid(service, token, &in_grace) ? token : NULL;
  }
  return NULL;
}

/* 4.5. The one sent is dead from here on, but for the grace period that --grace gives. */
void sbx_handle_refresh(struct sbx_call *call) {
  struct sbx_service *service = call->service;
  const char *text = sbx_json_text(call->body, "refreshToken");
  if (text == NULL || *text == '\0') {
    sbx_refuse(call, SBX_BAD_REFRESH_BODY);
    return;
  }
  struct sbx_refresh_token *token = find_refresh_token(service, text);
  const struct sbx_customer *customer =
      token == NULL ? NULL : sbx_customer_by_id(&service->model, token->customer_id);
  if (customer == NULL) {
    sbx_refuse_text(call, (int)service->settings.refresh_refusal_status, NULL,
                    "Refresh token is expired or does not exist");
    return;
  }
  call->customer_id = customer->id;
  if (token->used_at == 0)
    token->used_at = sbx_clock_now(&service->clock);
  sbx_answer_data(call, sbx_session_issue(call, customer, false));
}

void sbx_sessions_revoke(struct sbx_model *model, int64_t customer_id) {
  size_t kept = 0;
  for (size_t i = 0; i < model->refresh_count; i++) {
    if (model->refresh_tokens[i].customer_id != customer_id)
      model->refresh_tokens[kept++] = model->refresh_tokens[i];
  }
  model->refresh_count = kept;
}

/* 4.6. JWTs already issued live on until they expire. */
void sbx_handle_revoke(struct sbx_call *call) {
  sbx_sessions_revoke(&call->service->model, call->customer->id);
  sbx_answer_success(call);
}

void sbx_handle_key_set(struct sbx_call *call) {
  sbx_answer_plain(call, sbx_jwt_key_set(call->service->jwt_key));
}
