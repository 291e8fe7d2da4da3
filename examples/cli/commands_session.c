/* SPDX-License-Identifier: MIT
 *
 * status, token, refresh, adopt, logout.
 */
#include "cli.h"

#include <string.h>

#define YEAR_MS (INT64_C(365) * 24 * 60 * 60 * 1000)

identity_status status_perform(struct run *run) {
  return give_state(run, NULL);
}

static identity_status min_life(struct run *run, int64_t *milliseconds) {
  *milliseconds = 0;
  if (option_given(run, OPTION_MIN_LIFE) &&
      !seconds_parse(run->arguments.value[OPTION_MIN_LIFE], YEAR_MS, milliseconds))
    return usage_error(run, "--min-life must be a number of seconds, at most a year");
  return IDENTITY_OK;
}

identity_status token_check(struct run *run) {
  int64_t milliseconds = 0;
  return min_life(run, &milliseconds);
}

identity_status token_perform(struct run *run) {
  int64_t milliseconds = 0;
  const identity_tokens *tokens = NULL;
  identity_status status = min_life(run, &milliseconds);
  if (status != IDENTITY_OK)
    return status;
  status = CALL(run, identity_session_tokens(run->session, milliseconds, &tokens, &run->error));
  if (status != IDENTITY_OK)
    return status;
  if (run->json) {
    status = give_json(run, json_tokens(tokens));
  } else {
    write_out(run, tokens->jwt, strlen(tokens->jwt));
    write_out(run, "\n", 1);
  }
  identity_tokens_free(tokens);
  return status;
}

identity_status refresh_perform(struct run *run) {
  identity_status status = CALL(run, identity_session_refresh(run->session, &run->error));
  return status != IDENTITY_OK ? status : give_state(run, "JWT and refresh token are replaced.");
}

static identity_status adopt_from(struct run *run, const cJSON *tree) {
  const cJSON *jwt = cJSON_GetObjectItemCaseSensitive(tree, "jwt");
  const cJSON *refresh_token = cJSON_GetObjectItemCaseSensitive(tree, "refresh_token");
  const bool has_refresh_token = refresh_token != NULL && !cJSON_IsNull(refresh_token);
  if (!cJSON_IsObject(tree))
    return client_error(run, IDENTITY_INVALID_INPUT, "jwt", "the input is no JSON object with a jwt");
  if (!cJSON_IsString(jwt))
    return client_error(run, IDENTITY_INVALID_INPUT, "jwt", "the input has no text named jwt");
  if (has_refresh_token && !cJSON_IsString(refresh_token))
    return client_error(run, IDENTITY_INVALID_INPUT, "refresh_token", "refresh_token is no text");
  return CALL(run,
              identity_session_adopt(run->session, jwt->valuestring,
                                     has_refresh_token ? refresh_token->valuestring : NULL, &run->error));
}

identity_status adopt_perform(struct run *run) {
  identity_status status =
      secret_read_all(run, "session as {\"jwt\":...,\"refresh_token\":...}", &run->proof);
  if (status != IDENTITY_OK)
    return status;
  cJSON *tree = cJSON_ParseWithOpts(run->proof.text, NULL, 1);
  status = adopt_from(run, tree);
  json_wipe(tree);
  return status != IDENTITY_OK ? status : give_state(run, "The session is taken over.");
}

/* As far as the store tells: one that cannot be read may hold somebody. */
static bool is_nobody(struct run *run) {
  const identity_state *state = NULL;
  if (identity_session_state(run->session, &state, NULL) != IDENTITY_OK)
    return false;
  const bool nobody = state->state == IDENTITY_STATE_SIGNED_OUT;
  identity_state_free(state);
  return nobody;
}

static identity_status logout_here(struct run *run) {
  const bool nobody = is_nobody(run);
  identity_status status = CALL(run, identity_logout(run->session, &run->error));
  if (status != IDENTITY_OK)
    return status;
  return give_state(run, nobody ? "Nobody was signed in here." : "Signed out here.");
}

identity_status logout_perform(struct run *run) {
  if (!option_given(run, OPTION_EVERYWHERE))
    return logout_here(run);
  identity_status status = CALL(run, identity_logout_everywhere(run->session, &run->error));
  return status != IDENTITY_OK ? status : give_state(run, "Signed out here and on all other devices.");
}
