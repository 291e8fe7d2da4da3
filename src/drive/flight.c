#include "drive/flight.h"
#include "base/error.h"
#include "call/pair.h"
#include "drive/keep.h"
#include "token/verdict.h"

#include <string.h>

enum { FLIGHT_TIMEOUT_MS = 60 * 1000 };

/* A flight's own: from where it started, and what came back. */
typedef struct flight_inputs {
  uint64_t epoch;
  uint64_t generation;
  const char *refresh_token;
  bool settled; /* the store had the newer pair: nothing was sent */
  identity__refresh_facts facts;
  int64_t retry_after_ms;
} flight_inputs;

/* ---- asking ---- */

static identity__ask ask_machine(identity_session *session, const identity__call *call) {
  identity__now now = identity__clock_now();
  switch (call->asks) {
  case IDENTITY__ASKS_LIFE:
    return identity__machine_ask_life(&session->tokens, call->min_life_ms, now);
  case IDENTITY__ASKS_ROTATION:
    return identity__machine_ask_rotation(&session->tokens, now);
  default:
    return identity__machine_ask(&session->tokens, now);
  }
}

static void use_token(identity_session *session, identity__call *call, identity__token_use *token) {
  const identity__record *record = &session->tokens.record;
  token->jwt = record->grant.jwt;
  token->customer_id = record->grant.customer_id;
  token->epoch = record->epoch;
  token->generation = record->generation;
  token->pending = record->pending;
  token->pending_count = 0;
  bool due = session->pending_call == NULL && identity__clock_now().boot_ms >= session->pending_next_ms;
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
  const identity__change change = {make_end, &reason, IDENTITY__KEEP_SAME_PAIR, true, true};
  (void)identity__keep_change(session, &change);
}

static void flight_flow(identity__call *call);

static bool start_flight(identity_session *session) {
  if (session->flight != NULL)
    return true;
  identity__call *flight = identity__call_new("refresh", flight_flow);
  flight_inputs *inputs = flight != NULL ? identity__arena_take(&flight->arena, sizeof *inputs) : NULL;
  if (inputs == NULL) {
    identity__call_free(flight);
    return false;
  }
  flight->inputs = inputs;
  flight->base_url = session->base_url;
  flight->publisher_id = session->publisher_id;
  flight->session = session;
  flight->owned_by_session = true;
  flight->deadline_ms = identity__clock_now().boot_ms + FLIGHT_TIMEOUT_MS;
  session->flight = flight;
  pthread_mutex_lock(&session->lock);
  session->tokens.flying = true;
  pthread_mutex_unlock(&session->lock);
  identity__loop_add(session->loop, flight);
  return true;
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
  if (!start_flight(session)) {
    (void)identity__fail_plain(&news->error, IDENTITY_OUT_OF_MEMORY);
    return true;
  }
  call->waits_for_token = true;
  call->flight_number = session->landing.number;
  return false;
}

bool identity__flight_ask(identity_session *session, identity__call *call, int32_t asks,
                          identity__token_news *news, identity__event *event) {
  call->asks = asks;
  if (session->tokens.blocked != IDENTITY_OK)
    identity__keep_load(session);
  identity__keep_retry(session);
  identity__ask ask = ask_machine(session, call);
  return tell(session, call, &ask, news, event);
}

bool identity__flight_rejected(identity_session *session, identity__call *call, identity__token_news *news,
                               identity__event *event) {
  call->asks = IDENTITY__ASKS_TOKEN;
  pthread_mutex_lock(&session->lock);
  identity__ask ask = identity__machine_rejected(&session->tokens, call->used.epoch, call->used.generation,
                                                 call->used.expired, identity__clock_now());
  pthread_mutex_unlock(&session->lock);
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
  identity_status failed = session->landing.error.status;
  bool usable = ask.remaining_ms > 0 || (ask.remaining_ms < 0 && !session->tokens.record.grant.age_known);
  if (ask.verdict != IDENTITY__ASK_REFRESH || failed == IDENTITY_OK)
    return ask;
  ask.verdict = usable ? IDENTITY__ASK_GIVE : IDENTITY__ASK_FAIL;
  ask.status = usable ? IDENTITY_OK : failed;
  return ask;
}

bool identity__flight_answer(identity_session *session, identity__call *call, identity__token_news *news,
                             identity__event *event) {
  const identity__landing *landing = &session->landing;
  if (!call->waits_for_token || session->flight != NULL || landing->number == call->flight_number)
    return false;
  memset(event, 0, sizeof *event);
  if (call->asks == IDENTITY__ASKS_ROTATION) {
    call->waits_for_token = false;
    news->error = landing->error;
    event->kind = IDENTITY__EVENT_ORDERED;
    event->error = &news->error;
    return true;
  }
  identity__ask ask = ask_after_flight(session, call);
  bool told = tell(session, call, &ask, news, event);
  if (told && ask.verdict == IDENTITY__ASK_FAIL && landing->error.status != IDENTITY_OK) {
    news->error = landing->error;
    news->error.retry_after_ms = ask.retry_after_ms;
  }
  return told;
}

/* ---- the flight ---- */

static bool same_text_or_unknown(const char *ours, const char *theirs) {
  return ours == NULL || theirs == NULL || strcmp(ours, theirs) == 0;
}

static void gather(identity__call *call, flight_inputs *inputs) {
  const identity__outcome *outcome = call->outcome;
  identity__refresh_facts *facts = &inputs->facts;
  facts->progress = outcome != NULL ? outcome->progress : 0;
  facts->whole = outcome != NULL && outcome->failure == IDENTITY_OK;
  if (!facts->whole)
    return;
  facts->http_status = outcome->http.status;
  facts->json = identity__json_is_object(call->answer.root);
  facts->listed = call->answer.listed;
  facts->definite = identity__refresh_text_is_definite(call->answer.text);
  facts->usable_pair = facts->json && identity__call_read_pair(call) == IDENTITY_OK;
  inputs->retry_after_ms = outcome->http.retry_after_ms;
}

static void flight_flow(identity__call *call) {
  flight_inputs *inputs = call->inputs;
  switch (call->leg) {
  case 0:
    identity__call_order(call, IDENTITY__ORDER_REFRESH_BEGIN);
    break;
  case 1: {
    if (inputs->settled) {
      identity__call_finish(call, IDENTITY_OK);
      break;
    }
    const identity__pair pairs[] = {{"refreshToken", inputs->refresh_token}};
    identity__call_send(call, IDENTITY__REFRESH);
    call->tolerate = true;
    call->secrets[0] = inputs->refresh_token;
    (void)identity__call_built(call, identity__body_flat(pairs, 1, &call->body));
    break;
  }
  case 2:
    gather(call, inputs);
    identity__call_order(call, IDENTITY__ORDER_REFRESH_END);
    break;
  default:
    identity__call_finish(call, call->status);
  }
}

identity_status identity__flight_begin(identity_session *session, identity__call *flight) {
  flight_inputs *inputs = flight->inputs;
  const identity__record *record = &session->tokens.record;
  uint64_t epoch = record->epoch;
  uint64_t generation = record->generation;
  /* Also looks at what another handle has stored: CONFLICT brings it here. */
  identity_status status = identity__keep_probe(session);
  if (status != IDENTITY_OK)
    return status;
  inputs->settled = record->epoch != epoch || record->generation != generation;
  if (record->standing != IDENTITY__RECORD_SIGNED_IN || record->grant.refresh_token == NULL)
    return identity__machine_standing(&session->tokens) != IDENTITY_OK
               ? identity__machine_standing(&session->tokens)
               : IDENTITY_SESSION_ENDED;
  inputs->epoch = record->epoch;
  inputs->generation = record->generation;
  inputs->refresh_token = identity__arena_text(&flight->arena, record->grant.refresh_token);
  return inputs->refresh_token != NULL ? IDENTITY_OK : IDENTITY_OUT_OF_MEMORY;
}

static bool make_rotation(const identity__machine *machine, const void *input, identity__record *next) {
  return identity__machine_rotate(machine, input, next);
}

typedef struct failure {
  int32_t verdict;
  int64_t retry_after_ms;
  identity__moment moment;
} failure;

static bool make_failure(const identity__machine *machine, const void *input, identity__record *next) {
  const failure *failed = input;
  return identity__machine_fail_refresh(machine, failed->verdict, failed->retry_after_ms,
                                        failed->moment.random, failed->moment.now, next);
}

/* The new pair is durable before anyone uses it; a store that fails must not cost it. */
static identity_status commit_pair(identity_session *session, identity__call *flight) {
  memcpy(flight->grant.boot_id, session->tokens.boot_id, sizeof flight->grant.boot_id);
  const identity__change change = {make_rotation, &flight->grant, IDENTITY__KEEP_SAME_PAIR, false, true};
  identity_status status = identity__keep_change(session, &change);
  return status == IDENTITY_OUT_OF_MEMORY ? status : IDENTITY_OK;
}

/* What a call that waited gets: the session is kept, so it is to try later, whatever the gateway said. */
static identity_status failed_status(identity__call *flight) {
  int32_t status_class = identity_status_class(flight->error.status);
  if (status_class == IDENTITY_CLASS_RETRY_LATER || status_class == IDENTITY_CLASS_FIX_DEVICE)
    return flight->error.status;
  (void)identity__fail_plain(&flight->error, IDENTITY_REFRESH_DEFERRED);
  return flight->error.status;
}

static identity_status ended_status(identity_session *session, identity__call *flight) {
  identity__ask ask = {IDENTITY__ASK_FAIL, identity__machine_standing(&session->tokens), 0, 0};
  explain(&ask, &flight->error);
  return ask.status;
}

identity_status identity__flight_end(identity_session *session, identity__call *flight) {
  flight_inputs *inputs = flight->inputs;
  const identity__record *record = &session->tokens.record;
  /* Somebody signed out or in meanwhile: this reply belongs to nobody any more (I2). */
  if (record->epoch != inputs->epoch || record->generation != inputs->generation)
    return IDENTITY_OK;
  inputs->facts.same_customer = same_text_or_unknown(record->grant.customer_id, flight->grant.customer_id) &&
                                same_text_or_unknown(session->publisher_id, flight->grant.publisher_id);
  failure failed = {identity__refresh_verdict(&inputs->facts), inputs->retry_after_ms,
                    identity__loop_moment(session->loop)};
  if (failed.verdict == IDENTITY__VERDICT_COMMITTED)
    return commit_pair(session, flight);
  /* Before a refusal ends a session, the store is read again: a newer pair there wins. */
  if ((failed.verdict == IDENTITY__VERDICT_REJECTED || failed.verdict == IDENTITY__VERDICT_REFUSED) &&
      identity__keep_look(session) == IDENTITY_OK && record->generation != inputs->generation)
    return IDENTITY_OK;
  const identity__change change = {make_failure, &failed, IDENTITY__KEEP_SAME_PAIR,
                                   failed.verdict == IDENTITY__VERDICT_REJECTED, true};
  (void)identity__keep_change(session, &change);
  if (identity__machine_standing(&session->tokens) != IDENTITY_OK)
    return ended_status(session, flight);
  return failed_status(flight);
}

void identity__flight_over(identity_session *session, const identity__call *flight) {
  session->landing.number++;
  session->landing.error = flight->error;
  session->flight = NULL;
  pthread_mutex_lock(&session->lock);
  session->tokens.flying = false;
  session->tokens.last_failure = flight->error.status;
  pthread_mutex_unlock(&session->lock);
}
