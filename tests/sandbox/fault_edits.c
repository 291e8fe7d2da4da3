#include "fault_edits.h"

#include "jwt.h"

#include <stdlib.h>

static bool set_members(cJSON *object, const cJSON *changes) {
  const cJSON *change = NULL;
  cJSON_ArrayForEach(change, changes) {
    if (!sbx_json_set(object, change->string, cJSON_Duplicate(change, true)))
      return false;
  }
  return true;
}

/* In claims null removes: a token without `exp` is what one wants to make. */
static bool change_claims(struct sbx_call *call, cJSON *data, const cJSON *changes) {
  const char *jwt = sbx_json_text(data, "jwt");
  if (jwt == NULL)
    return true;
  cJSON *claims = sbx_jwt_claims(jwt);
  bool ok = claims != NULL;
  const cJSON *change = NULL;
  cJSON_ArrayForEach(change, changes) {
    if (cJSON_IsNull(change))
      cJSON_DeleteItemFromObjectCaseSensitive(claims, change->string);
    else
      ok = ok && sbx_json_set(claims, change->string, cJSON_Duplicate(change, true));
  }
  char *signed_again = ok ? sbx_jwt_sign(call->service->jwt_key, claims) : NULL;
  cJSON_Delete(claims);
  ok = signed_again != NULL && sbx_json_set(data, "jwt", cJSON_CreateString(signed_again));
  if (ok)
    sbx_fingerprint_of(signed_again, call->jwt_issued);
  free(signed_again);
  return ok;
}

void sbx_fault_edit_answer(const struct sbx_fault *fault, struct sbx_call *call) {
  cJSON *data = cJSON_GetObjectItemCaseSensitive(call->answer, "responseData");
  if (!cJSON_IsObject(data))
    return;
  bool ok = fault->claims == NULL || change_claims(call, data, fault->claims);
  ok = ok && set_members(data, fault->set);
  const cJSON *name = NULL;
  cJSON_ArrayForEach(name, fault->omit) {
    cJSON_DeleteItemFromObjectCaseSensitive(data, name->valuestring);
  }
  if (!ok)
    sbx_refuse(call, SBX_INTERNAL);
}
