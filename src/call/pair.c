#include "call/pair.h"
#include "base/error.h"
#include "base/text.h"
#include "wire/fields.h"
#include "wire/jwt.h"

#include <string.h>

/* An empty or absent text is none. False: memory is out. */
static bool keep_text(identity__call *call, char **target, const char *text) {
  if (text == NULL || text[0] == '\0')
    return true;
  *target = identity__arena_text(&call->arena, text);
  return *target != NULL;
}

identity_status identity__call_grant(identity__call *call, const char *jwt, const char *refresh_token,
                                     int64_t date_s) {
  identity__claims claims;
  identity__grant *grant = &call->grant;
  memset(grant, 0, sizeof *grant);
  if (!identity__jwt_has_three_parts(jwt))
    return IDENTITY_UNEXPECTED_ANSWER;
  /* Claims that cannot be read leave the token good for carrying. */
  if (identity__jwt_claims(jwt, &claims) == IDENTITY__JWT_MEMORY)
    return IDENTITY_OUT_OF_MEMORY;
  grant->life_ms = identity__jwt_life_ms(&claims, date_s);
  grant->sent_boot_ms = call->sent_boot_ms;
  bool kept = keep_text(call, &grant->jwt, jwt) && keep_text(call, &grant->refresh_token, refresh_token) &&
              keep_text(call, &grant->customer_id, claims.customer_id) &&
              keep_text(call, &grant->publisher_id, claims.publisher_id) &&
              keep_text(call, &grant->email, claims.email);
  return kept ? IDENTITY_OK : IDENTITY_OUT_OF_MEMORY;
}

static bool is_refresh_token(const identity__json *node, const char **text) {
  *text = identity__json_text(node);
  if (identity__json_is_null(node))
    return true;
  return *text != NULL && (*text)[0] != '\0' && strlen(*text) <= IDENTITY__MAX_TOKEN;
}

static bool is_customer_id(const char *id) {
  return id != NULL && strlen(id) <= IDENTITY__MAX_ID && identity__all_digits(id);
}

identity_status identity__call_read_pair(identity__call *call) {
  const identity__json *data = call->answer.data;
  char scratch[IDENTITY__ID_SCRATCH];
  const char *refresh_token;
  const char *jwt = identity__json_text(identity__json_member(data, "jwt"));
  if (jwt == NULL || !is_refresh_token(identity__json_member(data, "refreshToken"), &refresh_token))
    return IDENTITY_UNEXPECTED_ANSWER;
  identity_status status = identity__call_grant(call, jwt, refresh_token, call->answer.date_s);
  if (status != IDENTITY_OK)
    return status;
  call->grant.age = IDENTITY__AGE_KNOWN;
  const char *customer_token = identity__json_text(identity__json_member(data, "customerToken"));
  if (customer_token != NULL && strlen(customer_token) > IDENTITY__MAX_TOKEN)
    customer_token = NULL;
  const char *id = identity__json_id(identity__json_member(data, "customerId"), scratch);
  bool kept = keep_text(call, &call->grant.customer_token, customer_token) &&
              keep_text(call, &call->grant.customer_id, is_customer_id(id) ? id : NULL);
  return kept ? IDENTITY_OK : IDENTITY_OUT_OF_MEMORY;
}

identity_status identity__call_read_sign_in(identity__call *call, const char *email) {
  identity_status status = identity__call_read_pair(call);
  if (status == IDENTITY_OUT_OF_MEMORY) {
    /* The account may exist by now: "try later" would invite a second registration. */
    (void)identity__fail_plain(&call->error, call->endpoint->expect.outcome_matters ? IDENTITY_OUTCOME_UNKNOWN
                                                                                    : IDENTITY_OUT_OF_MEMORY);
    return status;
  }
  if (status != IDENTITY_OK)
    return identity__answer_lacks("jwt", &call->error);
  if (call->grant.refresh_token == NULL)
    return identity__answer_lacks("refreshToken", &call->error);
  if (call->grant.customer_id == NULL)
    return identity__answer_lacks("customerId", &call->error);
  if (call->grant.publisher_id != NULL && strcmp(call->grant.publisher_id, call->publisher_id) != 0)
    return identity__fail(&call->error, IDENTITY_NOT_WITH_PUBLISHER, "offer_id",
                          "The service signed in for another publisher than the configured one.");
  if (call->grant.email == NULL)
    call->grant.email = identity__arena_text(&call->arena, email); /* only a hint: it may be missing */
  return IDENTITY_OK;
}
