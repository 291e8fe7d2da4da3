/* What the contract leaves open, and the lifetimes: each can be set by option, config file or control
 * request. */
#ifndef SBX_SETTINGS_H
#define SBX_SETTINGS_H

#include "shape.h"

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stdint.h>

struct sbx_settings {
  int64_t jwt_life;
  int64_t refresh_life;
  int64_t grace;
  int64_t reset_life;
  /* Section 2: "Exact pair for expired: not documented". 0: AUTH0002, 1: AUTH0003. */
  bool expired_is_auth0003;
  /* Section 2: "HTTP status and code: not documented" for a dead refresh token. */
  int64_t refresh_refusal_status;
  /* 4.7: one client reads the SSO answer without an envelope. */
  bool sso_flat;
  /* 4.12 and 4.16: whether these end the customer's sessions is not documented. */
  bool revoke_on_password_change;
  bool revoke_on_email_change;
};

void sbx_settings_default(struct sbx_settings *settings);
/* Changes the members that are given; all or nothing. */
bool sbx_settings_apply(struct sbx_settings *settings, const cJSON *changes, const char *where,
                        struct sbx_problem *problem);
cJSON *sbx_settings_to_json(const struct sbx_settings *settings);

#endif
