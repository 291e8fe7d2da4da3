#include "drive/pump.h"
#include "base/error.h"
#include "drive/keep.h"
#include "drive/notice.h"
#include "drive/orders.h"
#include "drive/refresh.h"
#include "drive/tokens.h"

#include <assert.h>
#include <inttypes.h>
#include <string.h>

enum { ORPHAN_MS = 1000 /* for an answer that comes anyway */ };

/* What an event points to. */
typedef struct news {
  identity__token_news token;
  identity_error error;
  identity__outcome outcome;
} news;

static void release_exchange(identity_session *session, identity__call *call) {
  if (call->exchange != NULL && call->plain_answer)
    identity__exchange_set_plain(call->exchange);
  if (call->exchange != NULL)
    identity__exchange_release(session->loop->transport, call->exchange);
  call->exchange = NULL;
}

int32_t identity__pump_progress(const identity__call *call) {
  return call->exchange != NULL ? identity__exchange_progress(call->exchange) : IDENTITY__UNSENT;
}

/* True: an event is at hand already, because nothing could be sent. */
static bool perform_send(identity_session *session, identity__call *call, news *at, identity__event *event) {
  const identity__send *send = &call->send;
  const identity__request request = {
      .method = send->endpoint->method,
      .url = send->url,
      .bearer = send->bearer,
      .header_name = send->header_name,
      .header_value = send->header_value,
      .body = send->body,
      .body_length = send->body_length,
      .max_body = send->endpoint->max_body,
      .once = send->endpoint->once,
      .may_leave = call->owned_by_session ? identity__refresh_may_leave : NULL,
  };
  assert(call->exchange == NULL);
  call->exchange = identity__transport_start(session->loop->transport, &request, call);
  if (call->exchange != NULL)
    return false;
  memset(&at->outcome, 0, sizeof at->outcome);
  at->outcome.failure = IDENTITY_OUT_OF_MEMORY;
  event->kind = IDENTITY__EVENT_RESPONSE;
  event->outcome = &at->outcome;
  return true;
}

static void end_calls(identity_session *session, const identity__call *except);

static bool perform_beside(identity__call *call, news *at, identity__event *event) {
  call->waits_for_beside = !call->beside->done;
  at->error = call->beside->error;
  event->kind = IDENTITY__EVENT_ORDERED;
  event->error = &at->error;
  return call->beside->done;
}

static bool perform_order(identity_session *session, identity__call *call, news *at, identity__event *event) {
  if (call->order == IDENTITY__ORDER_TOKEN)
    return identity__tokens_ask(session, call, IDENTITY__ASKS_LIFE, &at->token, event);
  if (call->order == IDENTITY__ORDER_ROTATE)
    return identity__tokens_ask(session, call, IDENTITY__ASKS_ROTATION, &at->token, event);
  if (call->order == IDENTITY__ORDER_BESIDE)
    return perform_beside(call, at, event);
  /* Only when it signs out: while it waits for the store, somebody may sign in, whose calls go on. */
  if (call->order == IDENTITY__ORDER_SIGN_OUT && call->locked_since_ms == 0)
    end_calls(session, call);
  identity__order_run(session, call, &at->error);
  event->kind = IDENTITY__EVENT_ORDERED;
  event->error = &at->error;
  return true;
}

static bool perform_pending(identity_session *session, identity__call *call, news *at,
                            identity__event *event) {
  identity__order_pending(session, call);
  identity__error_clear(&at->error);
  event->kind = IDENTITY__EVENT_ORDERED;
  event->error = &at->error;
  return true;
}

/* Consents that the registration could not deliver are news only now. */
static void end_delivery(identity_session *session) {
  session->delivers = NULL;
  (void)identity__notice_begin(session);
  session->tokens.delivering = false;
  identity__notice_end(session);
}

bool identity__pump_is_counted(const identity__call *call) {
  return !call->owned_by_session && call->beside_of == NULL && !call->orphaned;
}

/* Where one has ended, the next in line gets its place. */
static void call_next(identity_session *session) {
  identity__loop *loop = session->loop;
  pthread_mutex_lock(&loop->lock);
  identity__node *node = identity__list_take(&session->line);
  if (node != NULL) {
    IDENTITY__OWNER(node, identity__call, queued)->in_line = true;
    identity__list_add(&loop->ready, node);
  } else
    session->running--;
  pthread_mutex_unlock(&loop->lock);
}

static void shape_result(identity_session *session, identity__call *call) {
  if (call->status != IDENTITY_OK || call->shape == NULL)
    return;
  call->result = call->shape(session, &call->error);
  if (call->result == NULL)
    call->status = call->error.status;
}

void identity__pump_cancel(identity__call *call, const identity_error *error) {
  const identity__event event = {
      .kind = IDENTITY__EVENT_CANCEL, .error = error, .progress = identity__pump_progress(call)};
  identity__pump(call, &event);
}

static void orphan(identity_session *session, identity__call *beside) {
  identity__loop *loop = session->loop;
  int64_t until_ms = identity__loop_boot_ms(loop) + ORPHAN_MS;
  beside->beside_of->beside = NULL;
  beside->beside_of = NULL;
  beside->orphaned = true;
  if (until_ms < beside->deadline_ms)
    beside->deadline_ms = until_ms;
  identity__list_add(&session->host->orphans, &beside->parked);
  identity__loop_set_timer(loop, &beside->timer, identity__call_timer_ms(beside));
}

/* Nobody needs its answer any more. To break off what has left would cost a connection where it has one of
 * its own (HTTP/1.1): that may run on for a moment, unless the app wanted an end or others wait for the
 * place. */
static void end_beside(identity_session *session, const identity__call *call) {
  identity__call *beside = call->beside;
  if (beside == NULL || beside->done)
    return;
  bool left = identity__pump_progress(beside) != IDENTITY__UNSENT;
  if (call->status == IDENTITY_OK && left && identity__list_is_empty(&session->host->parked))
    orphan(session, beside);
  else
    identity__pump_cancel(beside, NULL);
}

static void give_orphans_places(const identity__host *host) {
  identity__node *node;
  while (!identity__list_is_empty(&host->parked) && (node = identity__list_first(&host->orphans)) != NULL)
    identity__pump_cancel(IDENTITY__OWNER(node, identity__call, parked), NULL);
}

/* Who waits for this one goes on, but not before everything of it is over. */
static void tell_main(identity__loop *loop, const identity__call *call) {
  identity__call *main_call = call->beside_of;
  if (main_call == NULL || !main_call->waits_for_beside)
    return;
  main_call->waits_for_beside = false;
  main_call->parked_action = IDENTITY__ACTION_ORDER;
  identity__list_add(&loop->resumed, &main_call->parked);
}

/* How a call beside ended is told by the one it ran for, if it matters. */
static int32_t level_of(const identity__call *call) {
  if (call->beside_of != NULL || call->orphaned)
    return IDENTITY_LOG_DEBUG;
  return call->status == IDENTITY_OK ? IDENTITY_LOG_INFO : IDENTITY_LOG_WARNING;
}

static void finish(identity_session *session, identity__call *call) {
  shape_result(session, call);
  if (session->pending_call == call)
    session->pending_call = NULL;
  if (session->delivers == call)
    end_delivery(session);
  if (session->flight == call)
    identity__refresh_over(session, call);
  identity__log_line(&session->log, level_of(call), "%s: %s", call->name, identity_status_name(call->status));
  end_beside(session, call);
  tell_main(session->loop, call);
  bool counted = identity__pump_is_counted(call) && (identity__list_has(&call->begun) || call->in_line);
  identity__loop_leave_place(session->loop, session->host, call);
  identity__loop_retire(session->loop, call);
  if (counted)
    call_next(session);
  identity__tokens_background(session);
}

/* Valid until the exchange is released. */
static identity__outcome outcome_of(const identity__exchange *exchange) {
  const identity__response *response = identity__exchange_response(exchange);
  identity__outcome outcome = {
      .failure = response->failure,
      .progress = response->progress,
      .late = response->late,
      .detail = response->detail,
      .http = {.status = response->http_status,
               .body = response->body.length > 0 ? response->body.bytes : "",
               .length = response->body.length,
               .date_s = response->date_s,
               .retry_after_ms = response->retry_after_ms},
  };
  return outcome;
}

/* A refresh takes its place before its lease: it must not wait for one while that runs. Once it has landed it
 * needs none: what came of it only has to be stored. */
static bool has_place(identity_session *session, identity__call *call, int32_t action) {
  bool sends = call->order == IDENTITY__ORDER_REFRESH && !identity__refresh_has_landed(call);
  if (action == IDENTITY__ACTION_ORDER && !sends)
    return true;
  call->parked_action = action;
  bool placed = identity__loop_take_place(session->loop, session->host, call);
  if (!placed)
    give_orphans_places(session->host);
  return placed;
}

/* True: another event is at hand. */
static bool perform(identity_session *session, identity__call *call, int32_t action, news *at,
                    identity__event *event) {
  memset(event, 0, sizeof *event);
  switch (action) {
  case IDENTITY__ACTION_TOKEN:
    return identity__tokens_ask(session, call, IDENTITY__ASKS_TOKEN, &at->token, event);
  case IDENTITY__ACTION_REJECTED:
    return identity__tokens_rejected(session, call, &at->token, event);
  case IDENTITY__ACTION_SEND:
    return has_place(session, call, action) && perform_send(session, call, at, event);
  case IDENTITY__ACTION_ORDER:
    return has_place(session, call, action) && perform_order(session, call, at, event);
  case IDENTITY__ACTION_PENDING:
    return perform_pending(session, call, at, event);
  case IDENTITY__ACTION_RETELL:
    at->outcome = outcome_of(call->exchange);
    event->kind = IDENTITY__EVENT_RESPONSE;
    event->outcome = &at->outcome;
    return true;
  case IDENTITY__ACTION_DONE:
    finish(session, call);
    return false;
  default:
    return false;
  }
}

static bool ends_exchange(const identity__event *event, int32_t action) {
  if (action == IDENTITY__ACTION_HOLD)
    return false;
  if (event->kind == IDENTITY__EVENT_RESPONSE)
    return true;
  return action != IDENTITY__ACTION_WAIT && action != IDENTITY__ACTION_RETELL;
}

/* Performs an action and what follows from it, until the call waits or is over. */
static void carry(identity__call *call, int32_t action) {
  identity_session *session = call->session;
  identity__event event;
  news at;
  while (perform(session, call, action, &at, &event)) {
    if (call->orphaned) /* what it had to deliver is delivered */
      event = (identity__event){.kind = IDENTITY__EVENT_CANCEL};
    identity__moment moment = identity__loop_moment(session->loop);
    action = identity__call_step(call, &event, &moment);
    if (ends_exchange(&event, action))
      release_exchange(session, call);
  }
  if (action == IDENTITY__ACTION_DONE)
    return;
  if (call->exchange == NULL && !identity__list_has(&call->parked))
    identity__loop_leave_place(session->loop, session->host, call);
  identity__loop_set_timer(session->loop, &call->timer, identity__call_timer_ms(call));
}

void identity__pump(identity__call *call, const identity__event *event) {
  identity_session *session = call->session;
  if (event->kind == IDENTITY__EVENT_START) {
    call->sign_outs = session->sign_outs;
    (void)identity__keep_retry(session, NULL); /* whatever this call is for: what is not stored has to be */
  }
  identity__moment moment = identity__loop_moment(session->loop);
  int32_t action = identity__call_step(call, event, &moment);
  if (ends_exchange(event, action))
    release_exchange(session, call);
  carry(call, action);
}

void identity__pump_resume(identity__call *call) {
  carry(call, call->parked_action);
}

static identity__call *concerned(const identity_session *session, const identity__call *except) {
  for (identity__node *node = identity__list_first(&session->begun); node != NULL;
       node = identity__list_next(&session->begun, node)) {
    identity__call *call = IDENTITY__OWNER(node, identity__call, begun);
    if (call != except && (call->used.set || call->waits_for_token || call == session->flight))
      return call;
  }
  return NULL;
}

/* Calls that carry a token of a session that ends must have ended when the sign-out returns, and so must its
 * refresh: their requests are broken off. */
static void end_calls(identity_session *session, const identity__call *except) {
  identity__call *call;
  identity_error error;
  (void)identity__fail_plain(&error, IDENTITY_SIGNED_OUT);
  while ((call = concerned(session, except)) != NULL)
    identity__pump_cancel(call, &error);
}

void identity__pump_response(identity__exchange *exchange) {
  identity__call *call = identity__exchange_owner(exchange);
  identity_session *session = call->session;
  const identity__response *response = identity__exchange_response(exchange);
  identity__outcome outcome = outcome_of(exchange);
  identity__event event = {.kind = IDENTITY__EVENT_RESPONSE, .outcome = &outcome};
  bool answered = response->failure == IDENTITY_OK;
  int64_t quiet_ms = 0;
  if (identity__answer_throttles(&outcome.http))
    quiet_ms =
        identity__host_quiet(session->host, response->retry_after_ms, identity__loop_now(session->loop));
  identity__notice_answer(session, response->date_s, quiet_ms);
  identity__log_line(&session->log, IDENTITY_LOG_DEBUG, "%s: %s %s -> HTTP %" PRId32 "%s%s", call->name,
                     call->send.endpoint->method, call->send.endpoint->path, response->http_status,
                     answered ? "" : ", ", answered ? "" : identity_status_name(response->failure));
  if (call->orphaned && !call->prelude) /* not sent anew, nor with another token */
    identity__pump_cancel(call, NULL);
  else
    identity__pump(call, &event);
}

/* The next call of a session that can be told of the end of a flight. */
static identity__call *told_call(identity_session *session, identity__token_news *told,
                                 identity__event *event) {
  for (identity__node *node = identity__list_first(&session->begun); node != NULL;
       node = identity__list_next(&session->begun, node)) {
    identity__call *call = IDENTITY__OWNER(node, identity__call, begun);
    if (identity__tokens_answer(session, call, told, event))
      return call;
  }
  return NULL;
}

bool identity__pump_waiters(identity__loop *loop) {
  identity__node *node;
  bool any = false;
  while ((node = identity__list_take(&loop->landed)) != NULL) {
    identity_session *session = IDENTITY__OWNER(node, identity_session, landed);
    identity__token_news told;
    identity__event event;
    identity__call *call;
    while ((call = told_call(session, &told, &event)) != NULL) {
      identity__pump(call, &event);
      any = true;
    }
    identity__tokens_told(session);
  }
  return any;
}
