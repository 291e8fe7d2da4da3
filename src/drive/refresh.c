#include "drive/refresh.h"
#include "base/error.h"
#include "call/pair.h"
#include "drive/keep.h"
#include "drive/notice.h"
#include "token/flight.h"

#include <stdlib.h>
#include <string.h>

enum { BACKGROUND_PAUSE_MS = 10 * 1000 }; /* also where a failure leaves no cooldown: a lease, a store */

/* Of the call: the flight, and what its request brought. */
typedef struct refresh {
  identity__flight flight;
  identity__landing landing;
  char *refresh_token;
  int32_t next; /* what the flight wants, IDENTITY__DO_x */
  bool begun;
  bool landed; /* and the flight does not know yet */
  bool looks;  /* it waits for the store, and then looks */
} refresh;

/* ---- the flow ---- */

/* False: memory is out for reading the pair. */
static bool gather(identity__call *call, refresh *inputs) {
  const identity__outcome *outcome = call->outcome;
  identity__landing *landing = &inputs->landing;
  identity__refresh_facts *facts = &landing->facts;
  memset(landing, 0, sizeof *landing);
  inputs->landed = true;
  facts->progress = outcome->progress;
  facts->whole = outcome->failure == IDENTITY_OK;
  landing->late = outcome->late;
  landing->closing = outcome->failure == IDENTITY_CANCELLED;
  /* We have broken it off; when the other side did, or has begun to answer, the attempt is over. */
  bool given_up = outcome->failure == IDENTITY_TIMED_OUT || landing->closing;
  landing->running = given_up && outcome->progress == IDENTITY__SENT;
  if (!facts->whole)
    return true;
  facts->http_status = outcome->http.status;
  facts->json = identity__json_is_object(call->answer.root);
  facts->listed = call->answer.listed;
  facts->definite = identity__refresh_text_is_definite(call->answer.text);
  identity_status read = facts->json ? identity__call_read_pair(call) : IDENTITY_UNEXPECTED_ANSWER;
  facts->usable_pair = read == IDENTITY_OK;
  landing->retry_after_ms = outcome->http.retry_after_ms;
  landing->grant = &call->grant;
  /* An absent one means that ours is still good. */
  if (facts->usable_pair && call->grant.refresh_token == NULL)
    call->grant.refresh_token = inputs->refresh_token;
  return read != IDENTITY_OUT_OF_MEMORY;
}

static void send(identity__call *call, refresh *inputs) {
  const identity__pair pairs[] = {{"refreshToken", inputs->refresh_token}};
  identity__call_send(call, IDENTITY__REFRESH);
  call->tolerate = true;
  call->secrets[0] = inputs->refresh_token;
  if (!identity__body_flat(pairs, 1, &call->body))
    call->body.failed = true; /* not finished: the flight has to know that it never left */
}

static void refresh_flow(identity__call *call) {
  refresh *inputs = call->inputs;
  bool answered = call->leg > 0 && call->order == IDENTITY__ORDER_SEND;
  if (answered && !gather(call, inputs)) {
    identity__call_hold(call);
    return;
  }
  if (call->leg == 0 || answered)
    identity__call_order(call, IDENTITY__ORDER_REFRESH);
  else if (inputs->next == IDENTITY__DO_SEND)
    send(call, inputs);
  else
    identity__call_finish(call, call->status);
}

/* ---- the steps ---- */

static bool same_text_or_unknown(const char *ours, const char *theirs) {
  return ours == NULL || theirs == NULL || strcmp(ours, theirs) == 0;
}

static void name_customer(const identity_session *session, const identity__call *call, refresh *inputs) {
  const identity__grant *ours = &session->tokens.record.grant;
  inputs->landing.facts.same_customer = same_text_or_unknown(ours->customer_id, call->grant.customer_id) &&
                                        same_text_or_unknown(session->publisher_id, call->grant.publisher_id);
}

/* With the lock held. */
static int32_t first_step(identity_session *session, const identity__call *call, refresh *inputs,
                          const identity__moment *moment) {
  bool begun = inputs->begun;
  bool landed = inputs->landed;
  inputs->begun = true;
  inputs->landed = false;
  if (!begun)
    return identity__flight_begin(&inputs->flight, &session->tokens);
  if (!landed)
    return identity__flight_woken(&inputs->flight, &session->tokens, moment);
  name_customer(session, call, inputs);
  return identity__flight_landed(&inputs->flight, &session->tokens, &inputs->landing, moment);
}

/* The store is held by somebody else: the call asks again, and then looks first. */
static int32_t wait_to_look(refresh *inputs) {
  inputs->looks = true;
  return IDENTITY__DO_WAIT;
}

static int32_t step_load(identity_session *session, identity__call *call, refresh *inputs) {
  identity__flight *flight = &inputs->flight;
  identity__look look;
  if (!identity__keep_look(session, call, &look))
    return wait_to_look(inputs);
  identity__moment moment = identity__loop_moment(session->loop);
  (void)identity__notice_begin(session);
  int32_t next = identity__flight_loaded(flight, &session->tokens, &look, &moment);
  identity__notice_end(session);
  return next;
}

static int32_t step_swap(identity_session *session, identity__call *call, refresh *inputs) {
  identity__flight *flight = &inputs->flight;
  uint64_t revision;
  int32_t said;
  bool locked = !identity__keep_swap(session, call, &flight->change, &said, &revision);
  if (locked)
    said = IDENTITY__SAID_CONFLICT; /* by the time it is free, much may have happened: it looks first */
  identity__moment moment = identity__loop_moment(session->loop);
  (void)identity__notice_begin(session);
  int32_t next = identity__flight_swapped(flight, &session->tokens, said, revision, &moment);
  identity__notice_end(session);
  return locked ? wait_to_look(inputs) : next;
}

/* What who waited gets: the session is kept, so it is to try later, whatever the gateway said. */
static identity_status failed_status(identity__call *call, const identity__flight *flight) {
  int32_t status_class = identity_status_class(call->error.status);
  bool tells = status_class == IDENTITY_CLASS_RETRY_LATER || status_class == IDENTITY_CLASS_FIX_DEVICE;
  if (flight->status == IDENTITY_REFRESH_DEFERRED && flight->verdict >= 0 && tells)
    return call->error.status;
  return identity__fail_plain(&call->error, flight->status);
}

static int32_t begin_steps(identity_session *session, const identity__call *call, refresh *inputs) {
  if (inputs->looks)
    return IDENTITY__DO_LOAD;
  identity__moment moment = identity__loop_moment(session->loop);
  (void)identity__notice_begin(session);
  int32_t next = first_step(session, call, inputs, &moment);
  identity__notice_end(session);
  return next;
}

static int32_t steps(identity_session *session, identity__call *call, refresh *inputs) {
  int32_t next = begin_steps(session, call, inputs);
  inputs->looks = false;
  while (next == IDENTITY__DO_LOAD || next == IDENTITY__DO_SWAP)
    next = next == IDENTITY__DO_LOAD ? step_load(session, call, inputs) : step_swap(session, call, inputs);
  return next;
}

static bool has_token(const identity_session *session, identity__call *call, refresh *inputs) {
  inputs->refresh_token = identity__arena_text(&call->arena, session->tokens.record.grant.refresh_token);
  return inputs->refresh_token != NULL;
}

/* The request that cannot be made never left: its lease goes. */
static int32_t land_unsent(identity_session *session, identity__call *call, refresh *inputs) {
  memset(&inputs->landing, 0, sizeof inputs->landing);
  inputs->landed = true;
  (void)identity__fail_plain(&call->error, IDENTITY_OUT_OF_MEMORY);
  return steps(session, call, inputs);
}

identity_status identity__refresh_step(identity_session *session, identity__call *call) {
  refresh *inputs = call->inputs;
  identity__flight *flight = &inputs->flight;
  int32_t next = steps(session, call, inputs);
  if (next == IDENTITY__DO_SEND && !has_token(session, call, inputs))
    next = land_unsent(session, call, inputs);
  inputs->next = next;
  if (next == IDENTITY__DO_NONE)
    return flight->status == IDENTITY_OK ? IDENTITY_OK : failed_status(call, flight);
  if (next == IDENTITY__DO_WAIT && !inputs->looks) {
    call->again_ms = flight->wake_boot_ms;
    call->locked_since_ms = 0; /* this wait is for something else */
  }
  return IDENTITY_OK;
}

bool identity__refresh_has_landed(const identity__call *call) {
  const refresh *inputs = call->inputs;
  return identity__flight_has_landed(&inputs->flight);
}

/* A transport of the host may ask from a thread of its own. */
bool identity__refresh_may_leave(const void *owner, identity__now now) {
  const identity__call *call = owner;
  identity_session *session = call->session;
  const refresh *inputs = call->inputs;
  pthread_mutex_lock(&session->lock);
  bool may = identity__flight_may_leave(&inputs->flight, &session->tokens, now.boot_ms);
  pthread_mutex_unlock(&session->lock);
  return may;
}

/* ---- begin and end ---- */

bool identity__refresh_start(identity_session *session, bool rotation) {
  if (session->flight != NULL)
    return true;
  identity__call *call = identity__call_new("refresh", refresh_flow);
  refresh *inputs = call != NULL ? identity__arena_take(&call->arena, sizeof *inputs) : NULL;
  if (inputs == NULL) {
    identity__call_free(call);
    return false;
  }
  inputs->flight.rotation = rotation;
  inputs->flight.in_memory = session->volatile_tokens;
  call->inputs = inputs;
  call->base_url = session->base_url;
  call->publisher_id = session->publisher_id;
  call->session = session;
  call->calls = &session->calls;
  call->owned_by_session = true;
  call->deadline_ms = INT64_MAX; /* its request has limits of its own, and who waits for it a deadline */
  session->flight = call;
  (void)identity__notice_begin(session);
  session->tokens.flying = true;
  identity__notice_end(session);
  identity__loop_add(session->loop, call);
  return true;
}

static void note_flown(identity__flown *flown, const identity_error *error) {
  free(flown->error);
  flown->error = error->status != IDENTITY_OK ? malloc(sizeof *flown->error) : NULL;
  if (flown->error != NULL)
    *flown->error = *error;
  flown->status = error->status;
  flown->number++;
}

void identity__refresh_over(identity_session *session, identity__call *call) {
  refresh *inputs = call->inputs;
  identity__flight_clear(&inputs->flight);
  note_flown(&session->flown, &call->error);
  session->flight = NULL;
  identity__list_add(&session->loop->landed, &session->landed);
  identity__now now = identity__notice_begin(session);
  session->tokens.flying = false;
  session->tokens.last_failure = call->error.status;
  int64_t wait_ms = identity__machine_cooldown_ms(&session->tokens, now.boot_ms);
  identity__notice_end(session);
  session->background_ms = call->error.status != IDENTITY_OK ? now.boot_ms + BACKGROUND_PAUSE_MS : 0;
  if (call->error.status != IDENTITY_OK && identity__machine_standing(&session->tokens) == IDENTITY_OK)
    identity__notice_deferred(session, call->error.status, wait_ms);
}
