#include "call/pair.h"
#include "base/error.h"
#include "base/text.h"
#include "wire/fields.h"
#include "wire/jwt.h"

#include <string.h>

static char *text_or_null(identity__call *call, const char *text) {
  return text[0] != '\0' ? identity__arena_text(&call->arena, text) : NULL;
}

bool identity__call_grant(identity__call *call, const char *jwt, const char *refresh_token, int64_t date_s) {
  identity__claims claims;
  identity__grant *grant = &call->grant;
  memset(grant, 0, sizeof *grant);
  if (!identity__jwt_has_three_parts(jwt))
    return false;
  (void)identity__jwt_claims(jwt, &claims); /* one that cannot be read is carried all the same */
  grant->jwt = identity__arena_text(&call->arena, jwt);
  grant->refresh_token = identity__arena_text(&call->arena, refresh_token);
  grant->customer_id = text_or_null(call, claims.customer_id);
  grant->publisher_id = text_or_null(call, claims.publisher_id);
  grant->email = text_or_null(call, claims.email);
  grant->life_ms = identity__jwt_life_ms(&claims, date_s);
  grant->sent_boot_ms = call->sent_boot_ms;
  grant->sent_wall_ms = call->sent_wall_ms;
  return grant->jwt != NULL && (grant->refresh_token != NULL) == (refresh_token != NULL);
}

static bool is_refresh_token(const identity__json *node, const char **text) {
  *text = identity__json_text(node);
  if (identity__json_is_null(node))
    return true;
  return *text != NULL && (*text)[0] != '\0' && strlen(*text) <= IDENTITY__MAX_TOKEN;
}

bool identity__call_read_pair(identity__call *call) {
  const identity__json *data = call->answer.data;
  char scratch[IDENTITY__ID_SCRATCH];
  const char *refresh_token;
  const char *jwt = identity__json_text(identity__json_member(data, "jwt"));
  if (jwt == NULL || !is_refresh_token(identity__json_member(data, "refreshToken"), &refresh_token))
    return false;
  if (!identity__call_grant(call, jwt, refresh_token, call->answer.date_s))
    return false;
  call->grant.age_known = 1;
  const char *customer_token = identity__json_text(identity__json_member(data, "customerToken"));
  if (customer_token != NULL && strlen(customer_token) <= IDENTITY__MAX_TOKEN)
    call->grant.customer_token = identity__arena_text(&call->arena, customer_token);
  const char *id = identity__json_id(identity__json_member(data, "customerId"), scratch);
  if (id != NULL && strlen(id) <= IDENTITY__MAX_ID && identity__all_digits(id))
    call->grant.customer_id = identity__arena_text(&call->arena, id);
  return true;
}

identity_status identity__call_read_sign_in(identity__call *call, const char *email) {
  if (!identity__call_read_pair(call))
    return identity__answer_lacks("jwt", &call->error);
  if (call->grant.refresh_token == NULL)
    return identity__answer_lacks("refreshToken", &call->error);
  if (call->grant.customer_id == NULL)
    return identity__answer_lacks("customerId", &call->error);
  if (call->grant.publisher_id != NULL && strcmp(call->grant.publisher_id, call->publisher_id) != 0)
    return identity__fail(&call->error, IDENTITY_NOT_WITH_PUBLISHER, "offer_id",
                          "The service signed in for another publisher than the configured one.");
  if (call->grant.email == NULL)
    call->grant.email = identity__arena_text(&call->arena, email);
  return IDENTITY_OK;
}
