#include "settings.h"

#include "json.h"

#include <string.h>

#define TEN_YEARS 315360000

void sbx_settings_default(struct sbx_settings *settings) {
  *settings = (struct sbx_settings){
      .jwt_life = 900,
      .refresh_life = 8640000, /* 100 days */
      .grace = 0,
      .reset_life = 3600,
      .refresh_refusal_status = 401,
  };
}

static const struct sbx_field fields[] = {
    {"jwt_life", SBX_INTEGER, false, 1, TEN_YEARS},
    {"refresh_life", SBX_INTEGER, false, 1, TEN_YEARS},
    {"grace", SBX_INTEGER, false, 0, TEN_YEARS},
    {"reset_life", SBX_INTEGER, false, 1, TEN_YEARS},
    {"expired_jwt_code", SBX_TEXT, false, 1, 16},
    {"refresh_refusal_status", SBX_INTEGER, false, 400, 499},
    {"sso_flat", SBX_FLAG, false, 0, 0},
    {"revoke_on_password_change", SBX_FLAG, false, 0, 0},
    {"revoke_on_email_change", SBX_FLAG, false, 0, 0},
};

bool sbx_settings_apply(struct sbx_settings *settings, const cJSON *changes, const char *where,
                        struct sbx_problem *problem) {
  if (!sbx_shape_check(changes, where, fields, sizeof fields / sizeof fields[0], problem))
    return false;
  const char *code = sbx_json_text(changes, "expired_jwt_code");
  if (code != NULL && strcmp(code, "AUTH0002") != 0 && strcmp(code, "AUTH0003") != 0)
    return sbx_problem_say(problem, where, "\"expired_jwt_code\" must be AUTH0002 or AUTH0003");
  if (code != NULL)
    settings->expired_is_auth0003 = strcmp(code, "AUTH0003") == 0;
  settings->jwt_life = sbx_json_integer(changes, "jwt_life", settings->jwt_life);
  settings->refresh_life = sbx_json_integer(changes, "refresh_life", settings->refresh_life);
  settings->grace = sbx_json_integer(changes, "grace", settings->grace);
  settings->reset_life = sbx_json_integer(changes, "reset_life", settings->reset_life);
  settings->refresh_refusal_status =
      sbx_json_integer(changes, "refresh_refusal_status", settings->refresh_refusal_status);
  settings->sso_flat = sbx_json_flag(changes, "sso_flat", settings->sso_flat);
  settings->revoke_on_password_change =
      sbx_json_flag(changes, "revoke_on_password_change", settings->revoke_on_password_change);
  settings->revoke_on_email_change =
      sbx_json_flag(changes, "revoke_on_email_change", settings->revoke_on_email_change);
  return true;
}

cJSON *sbx_settings_to_json(const struct sbx_settings *settings) {
  cJSON *json = cJSON_CreateObject();
  bool ok =
      sbx_json_put_integer(json, "jwt_life", settings->jwt_life) &&
      sbx_json_put_integer(json, "refresh_life", settings->refresh_life) &&
      sbx_json_put_integer(json, "grace", settings->grace) &&
      sbx_json_put_integer(json, "reset_life", settings->reset_life) &&
      sbx_json_put_text(json, "expired_jwt_code", settings->expired_is_auth0003 ? "AUTH0003" : "AUTH0002") &&
      sbx_json_put_integer(json, "refresh_refusal_status", settings->refresh_refusal_status) &&
      sbx_json_put_flag(json, "sso_flat", settings->sso_flat) &&
      sbx_json_put_flag(json, "revoke_on_password_change", settings->revoke_on_password_change) &&
      sbx_json_put_flag(json, "revoke_on_email_change", settings->revoke_on_email_change);
  return sbx_json_finish(json, ok);
}
