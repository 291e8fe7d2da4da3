#include "call/call.h"
#include "base/error.h"
#include "wire/jwt.h"
#include "wire/url.h"

#include <string.h>

enum {
  STATE_NEW,
  STATE_TOKEN,
  STATE_SENDING,
  STATE_PAUSED,
  STATE_ORDERED,
  STATE_AGAIN,
  STATE_HELD,
  STATE_DONE
};
enum { REPEAT_FIRST_MS = 200, HOLD_MS = 200, PROGRESS_UNSENT = 0 };

/* ---- the machine ---- */

static int32_t done(identity__call *call) {
  call->state = STATE_DONE;
  if (call->status == IDENTITY_OK) {
    identity__error_clear(&call->error);
    return IDENTITY__ACTION_DONE;
  }
  if (call->error.status != call->status)
    (void)identity__fail_plain(&call->error, call->status);
  identity__call_hide_secrets(call);
  return IDENTITY__ACTION_DONE;
}

static int32_t fail(identity__call *call, identity_status status) {
  call->status = identity__fail_plain(&call->error, call->settled ? call->settled_as : status);
  return done(call);
}

static int32_t want_token(identity__call *call) {
  call->again_ms = 0;
  call->state = STATE_TOKEN;
  return IDENTITY__ACTION_TOKEN;
}

static const char *path_id(const identity__call *call, const identity__endpoint *endpoint) {
  return endpoint->path_id == IDENTITY__PATH_PUBLISHER ? call->publisher_id : call->customer_id;
}

static int32_t take_response(identity__call *call, const identity__outcome *outcome,
                             const identity__moment *moment);

/* Memory is out before there is a request: what has been prepared for it must know, as of any failure. */
static int32_t end_unsent(identity__call *call, const identity__moment *moment) {
  call->timed_out = (identity__outcome){.failure = IDENTITY_OUT_OF_MEMORY, .progress = PROGRESS_UNSENT};
  return take_response(call, &call->timed_out, moment);
}

static int32_t send_request(identity__call *call, const identity__endpoint *endpoint,
                            const identity__buffer *body, const identity__moment *moment) {
  bool prelude = call->prelude;
  identity__buffer_reset(&call->url);
  if (!identity__url_build(&call->url, call->base_url,
                           prelude || call->path == NULL ? endpoint->path : call->path,
                           path_id(call, endpoint), prelude ? NULL : call->query_name, call->query_value))
    return end_unsent(call, moment);
  identity__send send = {.endpoint = endpoint, .url = call->url.bytes};
  send.bearer = endpoint->expect.authorised ? call->bearer.bytes : NULL;
  send.header_name = prelude ? NULL : call->header_name;
  send.header_value = prelude ? NULL : call->header_value;
  send.body = body->length > 0 ? body->bytes : NULL;
  send.body_length = body->length;
  call->send = send;
  for (int i = 0; i < IDENTITY__LIMITS; i++)
    call->limits_ms[i] =
        endpoint->limits_s[i] > 0 ? moment->now.boot_ms + endpoint->limits_s[i] * INT64_C(1000) : INT64_MAX;
  call->sent_boot_ms = moment->now.boot_ms;
  call->plain_answer = false; /* that was the one before */
  call->state = STATE_SENDING;
  return IDENTITY__ACTION_SEND;
}

static int32_t send_main(identity__call *call, const identity__moment *moment) {
  call->prelude = false;
  return send_request(call, call->endpoint, &call->body, moment);
}

static int32_t begin_send(identity__call *call, const identity__moment *moment) {
  return call->endpoint->expect.authorised && !call->holds_token ? want_token(call) : send_main(call, moment);
}

static int32_t hold(identity__call *call, const identity__moment *moment) {
  call->state = STATE_HELD;
  call->pause_until_ms = moment->now.boot_ms + HOLD_MS;
  return IDENTITY__ACTION_HOLD;
}

/* Asks the flow what comes next and begins it. */
static int32_t advance(identity__call *call, const identity__moment *moment) {
  bool failed = call->leg > 0 && call->status != IDENTITY_OK && !call->tolerate;
  call->tries = 0;
  call->replayed = false;
  if (!failed)
    call->flow(call);
  identity__answer_clear(&call->answer);
  call->outcome = NULL;
  if (!failed && call->order == IDENTITY__ORDER_HOLD) {
    call->order = IDENTITY__ORDER_SEND;
    return hold(call, moment);
  }
  if (failed || call->order == IDENTITY__ORDER_FINISH)
    return done(call);
  call->leg++;
  call->status = IDENTITY_OK;
  if (call->order != IDENTITY__ORDER_SEND) {
    call->state = STATE_ORDERED;
    return IDENTITY__ACTION_ORDER;
  }
  if (call->body.failed)
    return end_unsent(call, moment);
  return begin_send(call, moment);
}

static int32_t end_leg(identity__call *call, identity_status status, const identity__moment *moment) {
  call->status = status;
  if (status != IDENTITY_OK)
    identity__call_hide_secrets(call);
  return advance(call, moment);
}

/* ---- tokens ---- */

static bool keep_pending(identity__call *call, const identity__token_use *token) {
  if (token->pending_count > IDENTITY__MAX_PENDING_CONSENTS)
    return false;
  call->pending = identity__consents_keep(&call->arena, token->pending, token->pending_count);
  if (call->pending == NULL)
    return false;
  call->pending_count = token->pending_count;
  return identity__body_consents(call->pending, call->pending_count, &call->prelude_body);
}

/* Consents of a registration that did not reach the service go first, with at most a quarter of the time
 * left. */
static int32_t begin_prelude(identity__call *call, const identity__token_use *token,
                             const identity__moment *moment) {
  call->prelude_done = true;
  if (!keep_pending(call, token)) {
    call->pending_end = IDENTITY__PENDING_KEPT;
    call->state = STATE_ORDERED;
    call->prelude = true;
    return IDENTITY__ACTION_PENDING;
  }
  call->prelude = true;
  call->prelude_deadline_ms = moment->now.boot_ms + (call->deadline_ms - moment->now.boot_ms) / 4;
  return send_request(call, identity__endpoint_of(IDENTITY__UPDATE_CONSENTS), &call->prelude_body, moment);
}

/* A call belongs to the customer it began with: it never goes on for somebody who signed in meanwhile, nor
 * for somebody unknown. */
static bool same_customer(const identity__call *call, uint64_t epoch, const char *customer_id) {
  return !call->used.set || call->used.epoch == epoch ||
         (customer_id[0] != '\0' && strcmp(call->customer_id, customer_id) == 0);
}

static int32_t take_token(identity__call *call, const identity__token_use *token,
                          const identity__moment *moment) {
  const char *customer_id = token->customer_id != NULL ? token->customer_id : "";
  if (!same_customer(call, token->epoch, customer_id) || strlen(customer_id) >= sizeof call->customer_id)
    return fail(call, IDENTITY_SIGNED_OUT);
  identity__buffer_reset(&call->bearer);
  if (!identity__buffer_add_text(&call->bearer, token->jwt))
    return fail(call, IDENTITY_OUT_OF_MEMORY);
  memcpy(call->customer_id, customer_id, strlen(customer_id) + 1);
  call->used.epoch = token->epoch;
  call->used.generation = token->generation;
  call->used.set = true;
  if (call->order == IDENTITY__ORDER_TOKEN)
    return end_leg(call, IDENTITY_OK, moment);
  if (call->customer_id[0] == '\0' && call->endpoint->path_id == IDENTITY__PATH_CUSTOMER)
    return fail(call, IDENTITY_SESSION_ENDED); /* an adopted JWT that does not say whose it is */
  if (token->pending_count > 0 && !call->prelude_done && call->endpoint->expect.authorised)
    return begin_prelude(call, token, moment);
  return send_main(call, moment);
}

/* ---- answers ---- */

static bool is_passing(identity_status status) {
  return status == IDENTITY_OFFLINE || status == IDENTITY_CONNECTION_LOST ||
         status == IDENTITY_SERVICE_FAILED || status == IDENTITY_TIMED_OUT;
}

/* What the table allows, and what certainly did not leave once more. */
static bool may_repeat(const identity__call *call, identity_status status, int32_t progress) {
  int32_t repeats = call->endpoint->repeats;
  if (repeats == IDENTITY__REPEAT_NEVER || !is_passing(status))
    return false;
  if (repeats == 0 && progress == PROGRESS_UNSENT)
    repeats = 1;
  return call->tries < repeats;
}

static int32_t pause_before_repeat(identity__call *call, const identity__moment *moment) {
  int64_t bound = (int64_t)REPEAT_FIRST_MS << call->tries;
  int64_t wait = bound / 2 + (int64_t)(moment->random % (uint64_t)(bound + 1));
  if (call->error.retry_after_ms > wait)
    wait = call->error.retry_after_ms;
  if (moment->now.boot_ms + wait >= call->deadline_ms)
    return IDENTITY__ACTION_DONE; /* no time left for another try */
  call->tries++;
  call->state = STATE_PAUSED;
  call->pause_until_ms = moment->now.boot_ms + wait;
  return IDENTITY__ACTION_WAIT;
}

static identity_status failure_status(identity__call *call, const identity__endpoint *endpoint,
                                      const identity__outcome *outcome) {
  identity_status status = outcome->failure;
  if (endpoint->expect.outcome_matters && outcome->progress != PROGRESS_UNSENT)
    status = IDENTITY_OUTCOME_UNKNOWN;
  const char *detail =
      outcome->detail != NULL && outcome->detail[0] != '\0' ? outcome->detail : "no usable answer";
  (void)identity__fail(&call->error, status, status == IDENTITY_CA_FILE ? "ca_file" : NULL, "%s (%s)",
                       identity_status_text(status), detail);
  call->error.http_status = outcome->progress == 2 ? outcome->http.status : 0;
  return status;
}

/* What such an endpoint gives exists nowhere else: the refresh token that was sent is dead by now. */
static bool holds_tokens(const identity__endpoint *endpoint) {
  return endpoint->max_body == IDENTITY__MAX_TOKEN_BODY;
}

static identity_status judge(identity__call *call, const identity__endpoint *endpoint,
                             const identity__outcome *outcome) {
  identity__answer_clear(&call->answer);
  call->plain_answer = false;
  if (outcome->failure != IDENTITY_OK)
    return failure_status(call, endpoint, outcome);
  identity_status status =
      identity__answer_read(&call->answer, &endpoint->expect, &outcome->http, &call->error);
  bool unread = status == IDENTITY_OUT_OF_MEMORY && endpoint->expect.outcome_matters;
  if (unread && !holds_tokens(endpoint))
    return identity__fail_plain(&call->error, IDENTITY_OUTCOME_UNKNOWN); /* done, but nobody could read it */
  call->plain_answer = status == IDENTITY_OK && call->answer.plain;
  return status;
}

/* A 4xx means the service will never take them as they are (contract, update consents; the versions may have
 * moved on), anything else that they have to wait. A page of HTML is not the service's word. */
bool identity__call_consents_refused(const identity__call *call, const identity__outcome *outcome) {
  int32_t http = outcome != NULL && outcome->failure == IDENTITY_OK ? outcome->http.status : 0;
  bool refused = http >= 400 && http < 500 && http != 401 && http != 408 && http != 425 && http != 429;
  return refused && call->answer.root != NULL;
}

static int32_t end_prelude(identity__call *call, identity_status status, const identity__outcome *outcome) {
  bool refused = identity__call_consents_refused(call, outcome);
  call->pending_end = refused ? IDENTITY__PENDING_DROPPED : IDENTITY__PENDING_KEPT;
  if (status == IDENTITY_OK)
    call->pending_end = IDENTITY__PENDING_SENT;
  identity__answer_clear(&call->answer);
  identity__error_clear(&call->error);
  call->state = STATE_ORDERED;
  return IDENTITY__ACTION_PENDING;
}

static int32_t reject_token(identity__call *call, const identity__outcome *outcome) {
  identity__claims claims;
  bool readable = identity__jwt_claims(call->bearer.bytes, &claims) == IDENTITY__JWT_OK;
  call->used.expired = readable && claims.expires_s > 0 && outcome->http.date_s >= claims.expires_s;
  call->replayed = true;
  call->state = STATE_TOKEN;
  return IDENTITY__ACTION_REJECTED;
}

static int32_t hold_answer(identity__call *call, const identity__moment *moment) {
  bool outcome = call->endpoint->expect.outcome_matters;
  (void)identity__fail_plain(&call->error, outcome ? IDENTITY_OUTCOME_UNKNOWN : IDENTITY_OUT_OF_MEMORY);
  return hold(call, moment);
}

static int32_t take_response(identity__call *call, const identity__outcome *outcome,
                             const identity__moment *moment) {
  if (call->prelude)
    return end_prelude(call, judge(call, identity__endpoint_of(IDENTITY__UPDATE_CONSENTS), outcome), outcome);
  identity_status status = judge(call, call->endpoint, outcome);
  if (status == IDENTITY_OUT_OF_MEMORY && outcome->failure == IDENTITY_OK && holds_tokens(call->endpoint))
    return hold_answer(call, moment);
  if (call->answer.auth_refused && !call->replayed && !call->holds_token && outcome->http.status != 403)
    return reject_token(call, outcome);
  if (status != IDENTITY_OK && may_repeat(call, status, outcome->progress) &&
      pause_before_repeat(call, moment) == IDENTITY__ACTION_WAIT)
    return IDENTITY__ACTION_WAIT;
  call->outcome = outcome;
  return end_leg(call, status, moment);
}

/* ---- timers and cancelling ---- */

static identity_status unless_sent(const identity__call *call, identity_status status, int32_t progress) {
  bool held = call->state == STATE_HELD || call->state == STATE_AGAIN; /* answered, and memory was out */
  bool sending = call->state == STATE_SENDING && !call->prelude && progress != PROGRESS_UNSENT;
  return (sending || (held && call->endpoint != NULL)) && call->endpoint->expect.outcome_matters
             ? IDENTITY_OUTCOME_UNKNOWN
             : status;
}

/* The nearest of the limits. */
static int64_t limit_ms(const identity__call *call) {
  int64_t limit = INT64_MAX;
  for (int i = 0; call->state == STATE_SENDING && i < IDENTITY__LIMITS; i++)
    limit = call->limits_ms[i] < limit ? call->limits_ms[i] : limit;
  return limit;
}

/* A request that has come further leaves the limits behind that it has met. */
static void pass_limits(identity__call *call, int32_t progress) {
  for (int i = 0; i < progress && i < IDENTITY__LIMITS; i++)
    call->limits_ms[i] = INT64_MAX;
}

/* The flow is told as of any failure; a request that never left has only met no network. */
static int32_t end_request(identity__call *call, int32_t progress, const identity__moment *moment) {
  bool unsent = progress == PROGRESS_UNSENT;
  const identity__outcome ended = {.failure = unsent ? IDENTITY_OFFLINE : IDENTITY_TIMED_OUT,
                                   .progress = progress,
                                   .detail = unsent ? "no connection in time" : "no answer in time"};
  call->timed_out = ended;
  return take_response(call, &call->timed_out, moment);
}

/* The driver could not do what it was asked, and says when to ask again. */
static bool asks_again(const identity__call *call) {
  bool asked = call->state == STATE_TOKEN || call->state == STATE_ORDERED;
  return call->state == STATE_AGAIN || (asked && call->again_ms > 0);
}

/* A pair that waits for the store only: whose time has passed meanwhile (the device slept) is asked a last
 * time, and does not wait any more. */
static bool keeps_pair(const identity__call *call) {
  return call->state == STATE_AGAIN && call->order == IDENTITY__ORDER_SIGN_IN && call->locked_since_ms != 0;
}

static int32_t ask_again(identity__call *call) {
  call->again_ms = 0;
  if (call->state == STATE_TOKEN)
    return IDENTITY__ACTION_TOKEN;
  call->state = STATE_ORDERED;
  return IDENTITY__ACTION_ORDER;
}

static int32_t take_timer(identity__call *call, int32_t progress, const identity__moment *moment) {
  int64_t now = moment->now.boot_ms;
  bool again = now < call->deadline_ms || keeps_pair(call);
  if (asks_again(call) && again && now >= call->again_ms)
    return ask_again(call);
  pass_limits(call, progress);
  if (now < call->deadline_ms && now >= limit_ms(call))
    return end_request(call, progress, moment);
  bool paused = call->state == STATE_PAUSED || call->state == STATE_HELD || asks_again(call);
  if (now >= call->deadline_ms && paused && !call->settled && call->error.status != IDENTITY_OK)
    return end_leg(call, call->error.status,
                   moment); /* what kept it from an answer says more than the time-out */
  if (now >= call->deadline_ms) {
    identity_status status = unless_sent(call, IDENTITY_TIMED_OUT, progress);
    call->timed_out = (identity__outcome){.failure = IDENTITY_TIMED_OUT, .progress = progress};
    call->outcome = &call->timed_out;
    (void)identity__fail_plain(&call->error, status);
    /* The flow of a flight must see its end; others end with the first failure anyway. */
    return call->state == STATE_SENDING && !call->prelude ? end_leg(call, status, moment)
                                                          : fail(call, status);
  }
  if (call->state == STATE_SENDING && call->prelude && now >= call->prelude_deadline_ms)
    return end_prelude(call, IDENTITY_TIMED_OUT, NULL);
  if (call->state == STATE_HELD && now >= call->pause_until_ms)
    return IDENTITY__ACTION_RETELL;
  if (call->state == STATE_PAUSED && now >= call->pause_until_ms)
    return begin_send(call, moment);
  return IDENTITY__ACTION_WAIT;
}

int64_t identity__call_timer_ms(const identity__call *call) {
  if (asks_again(call) && call->again_ms < call->deadline_ms)
    return call->again_ms;
  bool pauses = call->state == STATE_PAUSED || call->state == STATE_HELD;
  if (pauses && call->pause_until_ms < call->deadline_ms)
    return call->pause_until_ms;
  if (call->state == STATE_SENDING && call->prelude && call->prelude_deadline_ms < call->deadline_ms)
    return call->prelude_deadline_ms;
  int64_t limit = limit_ms(call);
  return limit < call->deadline_ms ? limit : call->deadline_ms;
}

static int32_t take_ordered(identity__call *call, const identity_error *error,
                            const identity__moment *moment) {
  if (call->prelude)
    return send_main(call, moment);
  if (error->status == IDENTITY_OK && call->again_ms > 0) {
    call->state = STATE_AGAIN;
    return IDENTITY__ACTION_WAIT;
  }
  if (error->status != IDENTITY_OK)
    call->error = *error;
  return end_leg(call, error->status, moment);
}

static int32_t cancel(identity__call *call, const identity__event *event) {
  identity_status status = event->error != NULL ? event->error->status : IDENTITY_CANCELLED;
  return fail(call, unless_sent(call, status, event->progress));
}

int32_t identity__call_step(identity__call *call, const identity__event *event,
                            const identity__moment *moment) {
  if (call->state == STATE_DONE)
    return IDENTITY__ACTION_DONE;
  switch (event->kind) {
  case IDENTITY__EVENT_START:
    return advance(call, moment);
  case IDENTITY__EVENT_TOKEN:
    return take_token(call, event->token, moment);
  case IDENTITY__EVENT_FAILED:
    call->error = *event->error;
    return end_leg(call, event->error->status, moment);
  case IDENTITY__EVENT_RESPONSE:
    return take_response(call, event->outcome, moment);
  case IDENTITY__EVENT_ORDERED:
    return take_ordered(call, event->error, moment);
  case IDENTITY__EVENT_TIMER:
    return take_timer(call, event->progress, moment);
  default:
    return cancel(call, event);
  }
}
