/* Where a session stands, its tokens, and leaving it. */
#include "api/begin.h"
#include "base/block.h"
#include "base/error.h"
#include "base/names.h"
#include "base/secret.h"
#include "call/pair.h"
#include "wire/jwt.h"

#include <string.h>

#define ROWS(table) (sizeof(table) / sizeof((table)[0]))

/* ---- state ---- */

/* With the lock held. */
static identity_state *make_state(const identity_session *session, int64_t now_ms) {
  const identity__record *record = &session->tokens.record;
  const identity__grant *grant = &record->grant;
  const identity__block_member texts[] = {
      {offsetof(identity_state, publisher_id), session->publisher_id},
      {offsetof(identity_state, account), session->account},
      {offsetof(identity_state, customer_id), grant->customer_id},
      {offsetof(identity_state, email), grant->email},
  };
  identity_state *state = identity__block_of(sizeof *state, texts, ROWS(texts));
  if (state == NULL)
    return NULL;
  state->state = identity__machine_state(&session->tokens);
  bool out = state->state == IDENTITY_STATE_SIGNED_OUT || state->state == IDENTITY_STATE_REAUTH_REQUIRED;
  state->reason = out ? record->reason : IDENTITY_REASON_NONE;
  state->retry_after_ms =
      state->state == IDENTITY_STATE_STALE ? identity__machine_cooldown_ms(&session->tokens, now_ms) : 0;
  state->consents_pending = record->pending_count > 0;
  state->not_persisted = session->tokens.not_persisted;
  state->state_name = identity__state_name(state->state);
  state->reason_name = identity__reason_name(state->reason);
  return state;
}

identity_status identity_session_state(identity_session *session, const identity_state **state,
                                       identity_error *error) {
  identity_status status = identity__check_ask(session, state, "state", error);
  if (status != IDENTITY_OK)
    return status;
  int64_t now_ms = identity__loop_boot_ms(session->loop);
  pthread_mutex_lock(&session->lock);
  *state = make_state(session, now_ms);
  pthread_mutex_unlock(&session->lock);
  return *state != NULL ? IDENTITY_OK : identity__fail_plain(error, IDENTITY_OUT_OF_MEMORY);
}

void identity_state_free(const identity_state *state) {
  identity__block_free(state);
}

/* ---- tokens ---- */

/* With the lock held. */
static identity_tokens *make_tokens(const identity_session *session, int64_t remaining_ms) {
  const identity__grant *grant = &session->tokens.record.grant;
  const identity__block_member texts[] = {
      {offsetof(identity_tokens, jwt), grant->jwt},
      {offsetof(identity_tokens, customer_id), grant->customer_id},
      {offsetof(identity_tokens, publisher_id), session->publisher_id},
      {offsetof(identity_tokens, customer_token), grant->customer_token},
  };
  identity_tokens *tokens = identity__block_of(sizeof *tokens, texts, ROWS(texts));
  if (tokens != NULL)
    tokens->remaining_ms = remaining_ms;
  return tokens;
}

static void tokens_flow(identity__call *call) {
  const int64_t *min_life_ms = call->inputs;
  if (call->leg > 0) {
    identity__call_finish(call, IDENTITY_OK);
    return;
  }
  call->min_life_ms = *min_life_ms;
  identity__call_order(call, IDENTITY__ORDER_TOKEN);
}

/* After a refresh, whatever there is. */
static void *shape_tokens(void *owner, identity_error *error) {
  identity_session *session = owner;
  int64_t now_ms = identity__loop_boot_ms(session->loop);
  pthread_mutex_lock(&session->lock);
  bool there = identity__machine_standing(&session->tokens) == IDENTITY_OK;
  identity_tokens *tokens =
      there ? make_tokens(session, identity__machine_remaining(&session->tokens, now_ms)) : NULL;
  pthread_mutex_unlock(&session->lock);
  if (tokens == NULL)
    (void)identity__fail_plain(error, there ? IDENTITY_OUT_OF_MEMORY : IDENTITY_SIGNED_OUT);
  return tokens;
}

/* A snapshot if there is a token that will do: neither the loop nor its driver is asked. */
static bool snapshot(identity_session *session, int64_t min_life_ms, const identity_tokens **tokens,
                     identity_status *status, identity_error *error) {
  int64_t now_ms = identity__loop_boot_ms(session->loop);
  pthread_mutex_lock(&session->lock);
  identity__ask ask = identity__machine_ask_life(&session->tokens, min_life_ms, now_ms);
  bool taken = ask.verdict == IDENTITY__ASK_GIVE;
  session->asked_ms = now_ms;
  if (taken)
    *tokens = make_tokens(session, identity__machine_remaining(&session->tokens, now_ms));
  pthread_mutex_unlock(&session->lock);
  if (taken && *tokens == NULL)
    *status = identity__fail_plain(error, IDENTITY_OUT_OF_MEMORY);
  return taken;
}

static identity__call *prepare_tokens(identity_session *session, int64_t min_life_ms) {
  identity__call *call = identity__begin(session, "session_tokens", tokens_flow, sizeof min_life_ms);
  if (call == NULL)
    return NULL;
  if (min_life_ms < 0)
    (void)identity__fail(&call->error, IDENTITY_BAD_ARGUMENT, "min_life_ms", "min_life_ms is negative");
  memcpy(call->inputs, &min_life_ms, sizeof min_life_ms);
  call->shape = shape_tokens;
  return call;
}

identity_status identity_session_tokens(identity_session *session, int64_t min_life_ms,
                                        const identity_tokens **tokens, identity_error *error) {
  identity_status status = identity__check_ask(session, tokens, "tokens", error);
  if (status != IDENTITY_OK || (min_life_ms >= 0 && snapshot(session, min_life_ms, tokens, &status, error)))
    return status;
  return identity__conclude_with(session, prepare_tokens(session, min_life_ms), tokens, "tokens", error);
}

identity_status identity_session_tokens_start(identity_session *session, int64_t min_life_ms,
                                              identity_done_fn done, void *user_data, identity_call **call) {
  return identity__start(session, prepare_tokens(session, min_life_ms), done, user_data, call);
}

void identity_tokens_free(const identity_tokens *tokens) {
  if (tokens == NULL)
    return;
  identity__wipe_text(tokens->jwt);
  identity__wipe_text(tokens->customer_token);
  identity__block_free(tokens);
}

static void refresh_flow(identity__call *call) {
  if (call->leg == 0)
    identity__call_order(call, IDENTITY__ORDER_ROTATE);
  else
    identity__call_finish(call, IDENTITY_OK);
}

identity_status identity_session_refresh(identity_session *session, identity_error *error) {
  return identity__conclude(session, identity__begin(session, "session_refresh", refresh_flow, 0), error);
}

identity_status identity_session_refresh_start(identity_session *session, identity_done_fn done,
                                               void *user_data, identity_call **call) {
  return identity__start(session, identity__begin(session, "session_refresh", refresh_flow, 0), done,
                         user_data, call);
}

/* ---- taking over a session ---- */

static void adopt_flow(identity__call *call) {
  switch (call->leg) {
  case 0:
    identity__call_order(call, IDENTITY__ORDER_PROBE);
    break;
  case 1:
    identity__call_sign_in(call, IDENTITY_HOW_ADOPT);
    break;
  default:
    identity__call_finish(call, IDENTITY_OK);
  }
}

typedef struct adopt_inputs {
  const char *jwt;
  const char *refresh_token;
} adopt_inputs;

static void grant(identity__call *call, const adopt_inputs *inputs) {
  identity__claims claims;
  bool readable = identity__jwt_claims(inputs->jwt, &claims) != IDENTITY__JWT_UNREADABLE;
  identity_status granted = readable ? identity__call_grant(call, inputs->jwt, inputs->refresh_token, 0)
                                     : IDENTITY_UNEXPECTED_ANSWER;
  if (granted == IDENTITY_OUT_OF_MEMORY)
    identity__fail_prepared(call);
  else if (granted != IDENTITY_OK)
    (void)identity__fail(&call->error, IDENTITY_INVALID_INPUT, "jwt", "jwt is not a JSON Web Token");
  else if (call->grant.publisher_id != NULL && strcmp(call->grant.publisher_id, call->publisher_id) != 0)
    (void)identity__fail(&call->error, IDENTITY_INVALID_INPUT, "jwt", "jwt belongs to another publisher");
}

static identity__call *prepare_adopt(identity_session *session, const char *jwt, const char *refresh_token) {
  static const identity__input texts[] = {
      {"jwt", offsetof(adopt_inputs, jwt), IDENTITY__INPUT_TOKEN, IDENTITY__NEEDED},
      {"refresh_token", offsetof(adopt_inputs, refresh_token), IDENTITY__INPUT_TOKEN, IDENTITY__OPTIONAL},
  };
  const adopt_inputs inputs = {jwt, refresh_token};
  identity__call *call = identity__begin(session, "session_adopt", adopt_flow, 0);
  if (call == NULL || identity__check_inputs(texts, ROWS(texts), &inputs, &call->error) != IDENTITY_OK)
    return call;
  call->sent_boot_ms = identity__loop_boot_ms(session->loop);
  grant(call, &inputs);
  return call;
}

identity_status identity_session_adopt(identity_session *session, const char *jwt, const char *refresh_token,
                                       identity_error *error) {
  return identity__conclude(session, prepare_adopt(session, jwt, refresh_token), error);
}

identity_status identity_session_adopt_start(identity_session *session, const char *jwt,
                                             const char *refresh_token, identity_done_fn done,
                                             void *user_data, identity_call **call) {
  return identity__start(session, prepare_adopt(session, jwt, refresh_token), done, user_data, call);
}

/* ---- leaving ---- */

static void logout_flow(identity__call *call) {
  if (call->leg > 0) {
    identity__call_finish(call, call->status);
    return;
  }
  call->reason = IDENTITY_REASON_LOGOUT;
  identity__call_order(call, IDENTITY__ORDER_SIGN_OUT);
}

identity_status identity_logout(identity_session *session, identity_error *error) {
  return identity__conclude(session, identity__begin(session, "logout", logout_flow, 0), error);
}

identity_status identity_logout_start(identity_session *session, identity_done_fn done, void *user_data,
                                      identity_call **call) {
  return identity__start(session, identity__begin(session, "logout", logout_flow, 0), done, user_data, call);
}

/* The JWT is held over the sign-out: the service learns from it whose tokens to revoke. */
static void everywhere_flow(identity__call *call) {
  identity_status *stored = call->inputs;
  switch (call->leg) {
  case 0:
    identity__call_order(call, IDENTITY__ORDER_TOKEN);
    break;
  case 1:
    call->reason = IDENTITY_REASON_LOGOUT_EVERYWHERE;
    call->holds_token = true;
    identity__call_order(call, IDENTITY__ORDER_SIGN_OUT);
    call->tolerate = true;
    call->settled = true;
    call->settled_as = IDENTITY_OUTCOME_UNKNOWN;
    break;
  case 2:
    *stored = call->status;
    identity__call_send(call, IDENTITY__REVOKE);
    call->tolerate = true;
    break;
  default:
    if (call->status == IDENTITY_OK)
      identity__call_finish(call, *stored);
    else
      identity__call_finish(call,
                            identity__fail(&call->error, IDENTITY_OUTCOME_UNKNOWN, NULL,
                                           "Signed out here; the service did not confirm that every other "
                                           "session of the customer has ended."));
  }
}

static identity__call *prepare_everywhere(identity_session *session) {
  return identity__begin(session, "logout_everywhere", everywhere_flow, sizeof(identity_status));
}

identity_status identity_logout_everywhere(identity_session *session, identity_error *error) {
  return identity__conclude(session, prepare_everywhere(session), error);
}

identity_status identity_logout_everywhere_start(identity_session *session, identity_done_fn done,
                                                 void *user_data, identity_call **call) {
  return identity__start(session, prepare_everywhere(session), done, user_data, call);
}
