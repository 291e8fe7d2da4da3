#include "drive/round.h"
#include "base/error.h"
#include "drive/ending.h"
#include "drive/pump.h"
#include "drive/tokens.h"

/* What waits for sockets does not count the time that a device sleeps, deadlines do: after it has woken up, a
 * call must not go on waiting for what was left. */
enum { LONGEST_WAIT_MS = 200, MOST_LOOKS = 100 };

/* Who was in line before who is new. */
static identity__call *take_call(identity__loop *loop) {
  pthread_mutex_lock(&loop->lock);
  identity__node *node = identity__list_take(&loop->ready);
  if (node == NULL)
    node = identity__list_take(&loop->arrivals);
  pthread_mutex_unlock(&loop->lock);
  return node != NULL ? IDENTITY__OWNER(node, identity__call, queued) : NULL;
}

/* A second connection costs more than it saves, unless there is one anyway or both share one (HTTP/2). */
static bool carries_both(const identity__loop *loop) {
  return loop->shared || identity__transport_capacity(loop->transport) > IDENTITY__MAX_CONNECTIONS;
}

/* For want of memory the one comes after the other. */
static void begin_beside(identity__loop *loop, identity__call *call) {
  identity__call *beside = identity__call_new("beside", call->beside_flow);
  if (beside == NULL)
    return;
  beside->base_url = call->base_url;
  beside->publisher_id = call->publisher_id;
  beside->deadline_ms = call->deadline_ms;
  beside->session = call->session;
  beside->calls = call->calls;
  beside->beside_of = call;
  call->beside = beside;
  identity__loop_add(loop, beside);
}

static void begin(identity__loop *loop, identity__call *call) {
  identity_session *session = call->session;
  identity__list_add(&session->begun, &call->begun);
  session->running += identity__pump_is_counted(call) && !call->in_line; /* who was in line has got a place */
  bool cancelled = identity__loop_is_cancelled(loop, call);              /* then nothing of it is sent */
  if (call->beside_flow != NULL && !cancelled && carries_both(loop))
    begin_beside(loop, call);
  const identity__event event = {.kind = cancelled ? IDENTITY__EVENT_CANCEL : IDENTITY__EVENT_START};
  identity__pump(call, &event);
}

/* 64 calls of a session run; the others wait in line, and in order. */
static bool may_run(const identity__call *call) {
  const identity_session *session = call->session;
  return !identity__pump_is_counted(call) ||
         (session->running < IDENTITY__MAX_RUNNING_CALLS && identity__list_is_empty(&session->line));
}

static void stand_in_line(identity__loop *loop, identity__call *call) {
  identity_session *session = call->session;
  pthread_mutex_lock(&loop->lock);
  identity__list_add(&session->line, &call->queued);
  pthread_mutex_unlock(&loop->lock);
  identity__loop_set_timer(loop, &call->timer, call->deadline_ms);
}

/* One look, where most passes find nothing. */
static bool has_arrivals(identity__loop *loop) {
  pthread_mutex_lock(&loop->lock);
  bool any = !identity__list_is_empty(&loop->ready) || !identity__list_is_empty(&loop->arrivals) ||
             !identity__list_is_empty(&loop->signals) || !identity__list_is_empty(&loop->closings);
  pthread_mutex_unlock(&loop->lock);
  return any;
}

static bool begin_arrivals(identity__loop *loop) {
  identity__call *call;
  bool any = false;
  while ((call = take_call(loop)) != NULL) {
    any = true;
    if (call->in_line || may_run(call))
      begin(loop, call);
    else
      stand_in_line(loop, call);
  }
  return any;
}

static identity__call *take_signalled(identity__loop *loop, bool *cancelled) {
  identity__call *call = NULL;
  pthread_mutex_lock(&loop->lock);
  identity__node *node = identity__list_take(&loop->signals);
  if (node != NULL) {
    call = IDENTITY__OWNER(node, identity__call, signalled);
    *cancelled = call->cancelled;
    if (call->wanted_deadline_ms > 0)
      call->deadline_ms = call->wanted_deadline_ms;
  }
  pthread_mutex_unlock(&loop->lock);
  return call;
}

static void retime(identity__loop *loop, identity__call *call) {
  identity__loop_set_timer(loop, &call->timer,
                           identity__list_has(&call->begun) ? identity__call_timer_ms(call)
                                                            : call->deadline_ms);
  if (call->beside == NULL || call->beside->done)
    return;
  call->beside->deadline_ms = call->deadline_ms;
  retime(loop, call->beside);
}

static bool hear_signals(identity__loop *loop) {
  identity__call *call;
  bool cancelled = false;
  bool any = false;
  while ((call = take_signalled(loop, &cancelled)) != NULL) {
    any = true;
    if (!cancelled)
      retime(loop, call);
    else
      identity__pump_cancel(call, NULL);
  }
  return any;
}

static bool resume_parked(identity__loop *loop) {
  identity__node *node;
  bool any = false;
  while ((node = identity__list_take(&loop->resumed)) != NULL) {
    identity__pump_resume(IDENTITY__OWNER(node, identity__call, parked));
    any = true;
  }
  return any;
}

/* A flight that the store has settled, or has stopped, is over before it sent anything: who waits for it
 * must not wait for the network. */
void identity__round_settle(identity__loop *loop) {
  bool any = true;
  while (any) {
    bool arrived = has_arrivals(loop);
    bool closed = arrived || !identity__list_is_empty(&loop->closed);
    any = arrived && begin_arrivals(loop);
    any = (arrived && hear_signals(loop)) || any;
    any = identity__pump_waiters(loop) || any;
    identity__loop_hand_on(loop);
    any = resume_parked(loop) || any;
    any = (closed && identity__end_closed(loop)) || any;
  }
}

static void tell_time(identity__loop *loop, identity__timer *timer) {
  if (timer->kind == IDENTITY__TIMER_SESSION) {
    identity__tokens_background(IDENTITY__OWNER(timer, identity_session, timer));
    return;
  }
  identity__call *call = IDENTITY__OWNER(timer, identity__call, timer);
  if (identity__list_has(&call->begun) && !identity__loop_is_cancelled(loop, call)) {
    const identity__event event = {.kind = IDENTITY__EVENT_TIMER, .progress = identity__pump_progress(call)};
    identity__pump(call, &event);
    return;
  }
  identity_error late; /* of one that is still in line */
  (void)identity__fail_plain(&late, IDENTITY_TIMED_OUT);
  identity__pump_cancel(call, identity__list_has(&call->begun) ? NULL : &late);
}

static void tell_times(identity__loop *loop, int64_t read_ms) {
  loop->pass_ms = read_ms;
  while (loop->timers.first != NULL && loop->timers.first->at_ms <= read_ms) {
    identity__timer *timer = loop->timers.first;
    identity__timers_clear(&loop->timers, timer);
    tell_time(loop, timer);
    (void)identity__pump_waiters(
        loop); /* who waits for what has ended by that is told so, and not the time */
  }
  loop->pass_ms = INT64_MIN;
}

static void read_all(identity__loop *loop) {
  identity__exchange *exchange;
  while ((exchange = identity__transport_next(loop->transport)) != NULL)
    identity__pump_response(exchange);
  (void)identity__pump_waiters(loop);
}

void identity__round_collect(identity__loop *loop, int64_t read_ms) {
  read_all(loop);
  /* One look at the sockets need not bring all that lies there (many streams, many sockets, a long answer).
   */
  for (int32_t i = 0; i < MOST_LOOKS && identity__timers_next_ms(&loop->timers) <= read_ms; i++) {
    if (!identity__transport_wait(loop->transport, 0))
      break;
    read_all(loop);
  }
  tell_times(loop, read_ms);
  identity__round_settle(loop);
}

int64_t identity__round_wait_ms(const identity__loop *loop, int64_t now_ms) {
  int64_t next = identity__timers_next_ms(&loop->timers);
  if (next == INT64_MAX)
    return next;
  int64_t wait = next - now_ms;
  return wait > 0 ? wait : 0;
}

/* Where nothing is out there is no deadline to miss either. */
static bool has_calls(identity__loop *loop) {
  pthread_mutex_lock(&loop->lock);
  bool any = loop->out > 0;
  pthread_mutex_unlock(&loop->lock);
  return any;
}

void identity__round(identity__loop *loop, int64_t longest_ms, const identity__call *awaited) {
  identity__round_settle(loop);
  if (awaited != NULL && awaited->done)
    return;                                       /* it needed no network */
  int64_t read_ms = identity__loop_boot_ms(loop); /* the sockets are read after that */
  int64_t wait = identity__round_wait_ms(loop, read_ms);
  if (wait > LONGEST_WAIT_MS && has_calls(loop))
    wait = LONGEST_WAIT_MS;
  if (wait > longest_ms)
    wait = longest_ms;
  /* What wakes a wait may have been used up meanwhile. Completions that are due wait for a blocking call,
   * and for the end of their loop. */
  bool due = awaited == NULL && !loop->gone && !identity__list_is_empty(&loop->completed);
  if (identity__loop_take_news(loop) || due)
    wait = 0;
  identity__transport_wait(loop->transport, wait);
  identity__round_collect(loop, read_ms);
}
