#include "drive/blocking.h"
#include "base/error.h"
#include "drive/keep.h"
#include "drive/pump.h"

/* What waits for sockets does not count the time that a device sleeps, deadlines do: after it has woken up, a
 * call must not go on waiting for what was left. */
enum { LONGEST_WAIT_MS = 200, STORE_PAUSE_MS = 20 };

static void begin_new(identity__loop *loop) {
  identity__loop_admit(loop);
  for (identity__call *call = loop->running; call != NULL;) {
    if (call->begun) {
      call = call->next;
      continue;
    }
    call->begun = true;
    bool cancelled = identity__loop_is_cancelled(loop, call); /* then nothing of it is sent */
    const identity__event event = {.kind = cancelled ? IDENTITY__EVENT_CANCEL : IDENTITY__EVENT_START};
    identity__pump(call, &event);
    call = loop->running; /* the list has changed */
  }
}

static bool has_new(const identity__loop *loop) {
  for (const identity__call *call = loop->running; call != NULL; call = call->next)
    if (!call->begun)
      return true;
  return false;
}

/* Calls in the line have deadlines, too. */
static int64_t next_timer_ms(identity__loop *loop) {
  int64_t next = INT64_MAX;
  pthread_mutex_lock(&loop->lock);
  for (const identity__call *call = loop->arrivals; call != NULL; call = call->next)
    next = call->deadline_ms < next ? call->deadline_ms : next;
  pthread_mutex_unlock(&loop->lock);
  for (const identity__call *call = loop->running; call != NULL; call = call->next) {
    int64_t timer = identity__call_timer_ms(call);
    next = timer < next ? timer : next;
  }
  return next;
}

/* What a call is due for: cancelled first, then its timer. False: nothing. */
static bool due_event(identity__loop *loop, const identity__call *call, int64_t now_ms,
                      identity__event *event) {
  bool cancelled = identity__loop_is_cancelled(loop, call);
  *event = (identity__event){.kind = cancelled ? IDENTITY__EVENT_CANCEL : IDENTITY__EVENT_TIMER,
                             .progress = identity__pump_progress(call)};
  return cancelled || identity__call_timer_ms(call) <= now_ms;
}

static void pump_due(identity__loop *loop, int64_t now_ms) {
  for (identity__call *call = loop->running; call != NULL;) {
    identity__event event;
    identity__call *next = call->next;
    if (due_event(loop, call, now_ms, &event)) {
      identity__pump(call, &event);
      next = loop->running; /* the list has changed */
    }
    call = next;
  }
}

/* A call in the line that must end there, and with what status. */
static identity__call *late_arrival(identity__loop *loop, int64_t now_ms, identity_status *status) {
  identity__call *late = NULL;
  pthread_mutex_lock(&loop->lock);
  for (identity__call *call = loop->arrivals; call != NULL && late == NULL; call = call->next) {
    late = call->cancelled || call->deadline_ms <= now_ms ? call : NULL;
    *status = call->cancelled ? IDENTITY_CANCELLED : IDENTITY_TIMED_OUT;
  }
  pthread_mutex_unlock(&loop->lock);
  return late;
}

static void end_late_arrivals(identity__loop *loop) {
  identity__call *call;
  identity_status status = IDENTITY_OK;
  while ((call = late_arrival(loop, identity__loop_now(loop).boot_ms, &status)) != NULL) {
    identity_error error;
    (void)identity__fail_plain(&error, status);
    identity__event event = {.kind = IDENTITY__EVENT_CANCEL, .error = &error};
    identity__pump(call, &event);
  }
}

/* One round for a call that this thread waits for (or none): begin, wait, read what came, and only then judge
 * the clock, so that an answer that is already there is never taken for a time-out. */
static void drive_round(identity__loop *loop, const identity__call *awaited) {
  identity__exchange *exchange;
  /* A flight that the store has settled, or has stopped, is over before it sent anything: who waits for it
   * must not wait for the network. */
  do
    begin_new(loop);
  while (identity__pump_waiters(loop) || has_new(loop));
  if (awaited != NULL && identity__loop_is_done(loop, awaited))
    return;                                           /* it needed no network */
  int64_t read_ms = identity__loop_now(loop).boot_ms; /* what is due by then has been looked for after it */
  int64_t wait = next_timer_ms(loop) - read_ms;
  if (wait > LONGEST_WAIT_MS)
    wait = LONGEST_WAIT_MS;
  /* What wakes a wait may have been used up by a wait for the store meanwhile. */
  if (identity__loop_take_news(loop))
    wait = 0;
  identity__transport_wait(loop->transport, wait > 0 ? wait : 0);
  while ((exchange = identity__transport_next(loop->transport)) != NULL)
    identity__pump_response(exchange);
  (void)identity__pump_waiters(loop);
  pump_due(loop, read_ms);
  (void)identity__pump_waiters(loop);
  end_late_arrivals(loop);
}

identity_status identity__session_usable(identity_session *session, identity_error *error) {
  if (session == NULL)
    return identity__fail(error, IDENTITY_BAD_ARGUMENT, "session", "session is NULL");
  if (identity__loop_is_forked(session->loop))
    return identity__fail_plain(error, IDENTITY_FORKED);
  return IDENTITY_OK;
}

static void leave(identity_session *session) {
  identity__loop *loop = session->loop;
  pthread_mutex_lock(&loop->lock);
  session->inside--;
  pthread_cond_broadcast(&loop->changed);
  pthread_mutex_unlock(&loop->lock);
}

static identity_status enter(identity_session *session, identity_error *error) {
  identity__loop *loop = session->loop;
  if (identity__loop_is_driver(loop))
    return identity__fail_plain(error, IDENTITY_REENTERED);
  pthread_mutex_lock(&loop->lock);
  bool closing = session->closing;
  session->inside += closing ? 0 : 1;
  pthread_mutex_unlock(&loop->lock);
  return closing ? identity__fail_plain(error, IDENTITY_CANCELLED) : IDENTITY_OK;
}

static bool is_closing(identity_session *session) {
  pthread_mutex_lock(&session->loop->lock);
  bool closing = session->closing;
  pthread_mutex_unlock(&session->loop->lock);
  return closing;
}

identity_status identity__run(identity_session *session, identity__call *call, identity_error *error) {
  identity__loop *loop = session->loop;
  identity_status status = enter(session, &call->error);
  if (status == IDENTITY_OK) {
    call->session = session;
    identity__loop_submit(loop, call);
    if (is_closing(session)) /* since it entered: close has not seen this call */
      identity__loop_cancel(loop, session);
    if (identity__loop_take_turn(loop, call)) {
      while (!identity__loop_is_done(loop, call))
        drive_round(loop, call);
      identity__loop_pass_turn(loop);
    }
    status = call->status;
    leave(session);
  }
  if (error != NULL)
    *error = call->error;
  return status;
}

/* Waits until every thread has left. They leave by themselves: their calls are cancelled. */
static void wait_for_threads(identity_session *session) {
  identity__loop *loop = session->loop;
  pthread_mutex_lock(&loop->lock);
  while (session->inside > 0)
    pthread_cond_wait(&loop->changed, &loop->lock);
  pthread_mutex_unlock(&loop->lock);
}

/* A refresh that stays without an answer is told so, and leaves its mark in the record, or takes it off. */
static void give_up_flight(identity_session *session) {
  if (session->flight == NULL)
    return;
  identity__outcome outcome = {.failure = IDENTITY_CANCELLED,
                               .progress = identity__pump_progress(session->flight)};
  bool sent = session->flight->exchange != NULL;
  identity__event event = {.kind = sent ? IDENTITY__EVENT_RESPONSE : IDENTITY__EVENT_CANCEL,
                           .outcome = &outcome};
  identity__pump(session->flight, &event);
}

/* It was sent, or its answer is here and waits for memory or the store. */
static bool is_worth_waiting(const identity_session *session) {
  const identity__call *flight = session->flight;
  return flight != NULL && (identity__pump_progress(flight) != IDENTITY__UNSENT || flight->grant.jwt != NULL);
}

/* As long as close has time. */
static void store_the_rest(identity_session *session, int64_t until) {
  do {
    identity__keep_retry(session, false);
    if (session->tokens.not_persisted)
      identity__transport_wait(session->loop->transport, STORE_PAUSE_MS);
  } while (session->tokens.not_persisted && identity__clock_now().boot_ms < until);
}

void identity__wind_up(identity_session *session) {
  identity__loop *loop = session->loop;
  int64_t until =
      identity__clock_now().boot_ms + IDENTITY__CLOSE_GRACE_MS; /* whatever the host's clock says */
  pthread_mutex_lock(&loop->lock);
  session->closing = true;
  session->close_until_ms = until;
  pthread_mutex_unlock(&loop->lock);
  identity__loop_cancel(loop, session);
  wait_for_threads(session);
  if (!identity__loop_take_turn(loop, NULL))
    return;
  while (is_worth_waiting(session) && identity__clock_now().boot_ms < until)
    drive_round(loop, NULL);
  give_up_flight(session);
  store_the_rest(session, until);
  identity__loop_pass_turn(loop);
}
