#include "drive/tokens.h"
#include "base/error.h"
#include "drive/keep.h"
#include "drive/notice.h"
#include "drive/refresh.h"

#include <stdlib.h>
#include <string.h>

static int64_t latest(int64_t one, int64_t other) {
  return one > other ? one : other;
}

/* The service has asked everybody on this loop to stay away for a while. A flight that is out goes on. */
static void hold_back(const identity_session *session, identity__ask *ask, bool rotation, identity__now now) {
  int64_t quiet_ms = identity__host_quiet_ms(session->host, now);
  if (ask->verdict != IDENTITY__ASK_REFRESH || session->flight != NULL || quiet_ms == 0)
    return;
  bool usable = !rotation && identity__machine_is_usable(&session->tokens, now.boot_ms);
  ask->verdict = usable ? IDENTITY__ASK_GIVE : IDENTITY__ASK_FAIL;
  ask->status = usable ? IDENTITY_OK : IDENTITY_REFRESH_DEFERRED;
  ask->retry_after_ms = usable ? 0 : quiet_ms;
}

static identity__ask ask_machine(identity_session *session, const identity__call *call) {
  identity__now now = identity__loop_now(session->loop);
  identity__ask ask;
  switch (call->asks) {
  case IDENTITY__ASKS_LIFE:
    ask = identity__machine_ask_life(&session->tokens, call->min_life_ms, now.boot_ms);
    break;
  case IDENTITY__ASKS_ROTATION:
    ask = identity__machine_ask_rotation(&session->tokens, now.boot_ms);
    break;
  default:
    ask = identity__machine_ask(&session->tokens, now.boot_ms);
  }
  hold_back(session, &ask, call->asks == IDENTITY__ASKS_ROTATION, now);
  return ask;
}

static void use_token(identity_session *session, identity__call *call, identity__token_use *token) {
  const identity__record *record = &session->tokens.record;
  int64_t now_ms = identity__loop_boot_ms(session->loop);
  pthread_mutex_lock(&session->lock);
  session->asked_ms = now_ms;
  pthread_mutex_unlock(&session->lock);
  token->jwt = record->grant.jwt;
  token->customer_id = record->grant.customer_id;
  token->epoch = record->epoch;
  token->generation = record->generation;
  token->pending = record->pending;
  token->pending_count = 0;
  bool due = session->pending_call == NULL && now_ms >= session->pending_next_ms;
  if (call->asks != IDENTITY__ASKS_TOKEN || call->prelude_done || !due || record->pending_count == 0)
    return;
  token->pending_count = record->pending_count;
  session->pending_call = call;
}

static void explain(const identity__ask *ask, identity_error *error) {
  (void)identity__fail_plain(error, ask->status);
  error->retry_after_ms = ask->retry_after_ms;
}

static bool make_end(const identity__machine *machine, const void *input, identity__record *next) {
  const int32_t *reason = input;
  return identity__machine_end(machine, *reason, next);
}

/* An adopted JWT that is over and has no refresh token: there is nothing left to go on with. */
static void end_without_refresh_token(identity_session *session) {
  static const int32_t reason = IDENTITY_REASON_NO_REFRESH_TOKEN;
  identity__change change = {.make = make_end,
                             .input = &reason,
                             .over = IDENTITY__OVER_PAIR,
                             .both_copies = true,
                             .in_memory_too = true,
                             .end_in_memory = true};
  (void)identity__keep_change(session, NULL, &change);
}

static bool tell(identity_session *session, identity__call *call, const identity__ask *ask,
                 identity__token_news *news, identity__event *event) {
  memset(event, 0, sizeof *event);
  call->waits_for_token = false;
  if (ask->verdict == IDENTITY__ASK_GIVE) {
    use_token(session, call, &news->token);
    event->kind = IDENTITY__EVENT_TOKEN;
    event->token = &news->token;
    return true;
  }
  event->kind = IDENTITY__EVENT_FAILED;
  event->error = &news->error;
  if (ask->verdict == IDENTITY__ASK_FAIL) {
    explain(ask, &news->error);
    /* Only a call that needs the JWT has found it over; a rotation that cannot be had costs nothing. */
    if (ask->status == IDENTITY_SESSION_ENDED && call->asks != IDENTITY__ASKS_ROTATION &&
        identity__machine_standing(&session->tokens) == IDENTITY_OK)
      end_without_refresh_token(session);
    return true;
  }
  if (!identity__refresh_start(session, call->asks == IDENTITY__ASKS_ROTATION)) {
    (void)identity__fail_plain(&news->error, IDENTITY_OUT_OF_MEMORY);
    return true;
  }
  call->waits_for_token = true;
  call->flight_number = session->flown.number;
  return false;
}

bool identity__tokens_ask(identity_session *session, identity__call *call, int32_t asks,
                          identity__token_news *news, identity__event *event) {
  call->asks = asks;
  call->again_ms = 0;
  /* Who is signed out here may have been signed in through another handle since. */
  if (identity__machine_standing(&session->tokens) != IDENTITY_OK && !identity__keep_load(session, call))
    return false;
  call->locked_since_ms = 0; /* also where somebody has signed in here while it waited */
  identity__ask ask = ask_machine(session, call);
  return tell(session, call, &ask, news, event);
}

bool identity__tokens_rejected(identity_session *session, identity__call *call, identity__token_news *news,
                               identity__event *event) {
  call->asks = IDENTITY__ASKS_TOKEN;
  identity__now now = identity__notice_begin(session);
  identity__ask ask = identity__machine_rejected(&session->tokens, call->used.epoch, call->used.generation,
                                                 call->used.expired, now.boot_ms);
  identity__notice_end(session);
  hold_back(session, &ask, false, now);
  bool told = tell(session, call, &ask, news, event);
  /* The service's own words say more than ours. */
  if (told && ask.verdict == IDENTITY__ASK_FAIL && ask.status == IDENTITY_NOT_ALLOWED)
    news->error = call->error;
  return told;
}

/* A flight that failed and left no cooldown (the store could not be written) is not begun again for who has
 * waited for it: the JWT while it is good, else that failure. */
static identity__ask ask_after_flight(identity_session *session, const identity__call *call) {
  identity__ask ask = ask_machine(session, call);
  identity_status failed = session->flown.status;
  bool usable = identity__machine_is_usable(&session->tokens, identity__loop_boot_ms(session->loop));
  if (ask.verdict != IDENTITY__ASK_REFRESH || failed == IDENTITY_OK)
    return ask;
  ask.verdict = usable ? IDENTITY__ASK_GIVE : IDENTITY__ASK_FAIL;
  ask.status = usable ? IDENTITY_OK : failed;
  return ask;
}

static void tell_flown(const identity__flown *flown, identity_error *error) {
  if (flown->error != NULL)
    *error = *flown->error;
  else if (flown->status != IDENTITY_OK)
    (void)identity__fail_plain(error, flown->status);
  else
    identity__error_clear(error);
}

bool identity__tokens_answer(identity_session *session, identity__call *call, identity__token_news *news,
                             identity__event *event) {
  const identity__flown *flown = &session->flown;
  if (!call->waits_for_token || session->flight != NULL || flown->number == call->flight_number)
    return false;
  memset(event, 0, sizeof *event);
  if (call->asks == IDENTITY__ASKS_ROTATION) {
    call->waits_for_token = false;
    tell_flown(flown, &news->error);
    if (flown->status != IDENTITY_OK) /* the service may have asked for less than we wait */
      news->error.retry_after_ms =
          latest(news->error.retry_after_ms, ask_machine(session, call).retry_after_ms);
    event->kind = IDENTITY__EVENT_ORDERED;
    event->error = &news->error;
    return true;
  }
  identity__ask ask = ask_after_flight(session, call);
  bool told = tell(session, call, &ask, news, event);
  if (told && ask.verdict == IDENTITY__ASK_FAIL && flown->status != IDENTITY_OK) {
    tell_flown(flown, &news->error);
    news->error.retry_after_ms = ask.retry_after_ms;
  }
  return told;
}

void identity__tokens_told(identity_session *session) {
  free(session->flown.error);
  session->flown.error = NULL;
}

/* ---- in the background ---- */

enum { STARVED_MS = 1000 };

/* A token that nobody has asked for during its life is left to end, unless the app wants it otherwise. */
static bool is_wanted(identity_session *session, int64_t now_ms) {
  pthread_mutex_lock(&session->lock);
  int64_t asked_ms = session->asked_ms;
  pthread_mutex_unlock(&session->lock);
  bool asked = asked_ms > 0 && now_ms - asked_ms <= session->tokens.record.grant.life_ms;
  return asked || session->keep_fresh;
}

/* It, or its loop. */
static bool is_closing(identity_session *session) {
  pthread_mutex_lock(&session->loop->lock);
  bool closing = session->closing || session->loop->gone;
  pthread_mutex_unlock(&session->loop->lock);
  return closing;
}

void identity__tokens_background(identity_session *session) {
  identity__loop *loop = session->loop;
  if (!loop->shared || session->flight != NULL)
    return;
  int64_t soft_ms = identity__machine_soft_ms(&session->tokens);
  if (soft_ms == INT64_MAX || is_closing(session))
    return;
  identity__now now = identity__loop_now(loop);
  int64_t at_ms = latest(soft_ms, session->background_ms);
  at_ms = latest(at_ms, now.boot_ms + identity__machine_cooldown_ms(&session->tokens, now.boot_ms));
  at_ms = latest(at_ms, now.boot_ms + identity__host_quiet_ms(session->host, now));
  if (at_ms > now.boot_ms)
    identity__loop_set_timer(loop, &session->timer, at_ms);
  else if (is_wanted(session, now.boot_ms) && !identity__refresh_start(session, false))
    identity__loop_set_timer(loop, &session->timer, now.boot_ms + STARVED_MS);
}
