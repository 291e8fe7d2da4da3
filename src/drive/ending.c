#include "drive/ending.h"
#include "base/secret.h"
#include "drive/deliver.h"
#include "drive/keep.h"
#include "drive/pump.h"
#include "drive/refresh.h"
#include "drive/round.h"

#include <stdlib.h>

enum { STORE_PAUSE_MS = 20 };

/* In a child: another thread of the parent was at it, and nobody will give its locks back, nor finish what it
 * had begun to change. */
static bool is_torn(identity_session *session) {
  const identity__loop *loop = session->loop;
  bool at_it = loop->driven && !pthread_equal(loop->driver, pthread_self());
  if (at_it || pthread_mutex_trylock(&session->lock) != 0)
    return true;
  pthread_mutex_unlock(&session->lock);
  return false;
}

/* A child must not end the parent's connections, nor write its store: there the loop is left behind, and a
 * session that is torn with it. */
void identity__session_free(identity_session *session) {
  identity__loop *loop = session->loop;
  if (loop != NULL && identity__loop_is_forked(loop) && is_torn(session))
    return;
  if (loop != NULL && !identity__loop_is_forked(loop)) {
    pthread_mutex_lock(&loop->lock); /* of a loop that is gone, threads may close sessions side by side */
    identity__timers_clear(&loop->timers, &session->timer);
    identity__list_remove(&session->listed);
    identity__list_remove(&session->landed);
    identity__loop_leave_host(loop, session->host);
    pthread_mutex_unlock(&loop->lock);
    if (!loop->shared)
      identity__loop_end(loop);
    identity__loop_let_go(loop);
  }
  if (session->store.destroy != NULL)
    session->store.destroy(session->store.user_data);
  identity__machine_clear(&session->tokens);
  identity__events_clear(&session->events);
  pthread_mutex_destroy(&session->lock);
  free(session->flown.error);
  char *texts[] = {session->base_url,   session->publisher_id, session->account, session->sso_path,
                   session->sso_header, session->store_key,    session->binding};
  for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
    identity__secret_free(texts[i]);
  free(session);
}

/* A refresh that stays without an answer is told so, and leaves its mark in the record, or takes it off. */
static void break_off_flight(identity_session *session) {
  identity__outcome outcome = {.failure = IDENTITY_CANCELLED,
                               .progress = identity__pump_progress(session->flight)};
  bool sent = session->flight->exchange != NULL;
  identity__event event = {.kind = sent ? IDENTITY__EVENT_RESPONSE : IDENTITY__EVENT_CANCEL,
                           .outcome = &outcome};
  identity__pump(session->flight, &event);
}

/* It was sent, or what came of it waits for memory or the store. */
static bool is_worth_waiting(const identity_session *session) {
  const identity__call *flight = session->flight;
  return flight != NULL &&
         (identity__pump_progress(flight) != IDENTITY__UNSENT || identity__refresh_has_landed(flight));
}

/* It would only be sent for nobody. That it was not may have to be stored, and the store be waited for. */
static void break_off_unsent(identity_session *session) {
  if (session->flight != NULL && !is_worth_waiting(session))
    break_off_flight(session);
}

/* The store is asked a last time, and not waited for any more: whatever the host's clock says, that time is
 * past. What it does not take is kept in memory, and tried once more with the rest. */
static void end_flight(identity_session *session) {
  pthread_mutex_lock(&session->loop->lock);
  session->close_until_ms = INT64_MIN;
  pthread_mutex_unlock(&session->loop->lock);
  identity__call *flight = session->flight;
  if (flight != NULL && flight->exchange == NULL && identity__refresh_has_landed(flight)) {
    const identity__event event = {.kind = IDENTITY__EVENT_TIMER};
    flight->again_ms = INT64_MIN;
    identity__pump(flight, &event);
  }
  while (session->flight != NULL)
    break_off_flight(session);
}

/* Close's second begins, whatever the host's clock says. */
static void begin_second(identity_session *session, bool closing) {
  int64_t until = identity__clock_boot_ms() + IDENTITY__CLOSE_GRACE_MS;
  pthread_mutex_lock(&session->loop->lock);
  session->close_until_ms = until;
  session->closing = session->closing || closing;
  pthread_mutex_unlock(&session->loop->lock);
}

static void begin_closing(identity_session *session) {
  begin_second(session, true);
  identity__loop_cancel(session->loop, &session->calls);
}

/* Waits until every thread has left. They leave by themselves: their calls are cancelled. */
static void wait_for_threads(identity_session *session) {
  identity__loop *loop = session->loop;
  pthread_mutex_lock(&loop->lock);
  while (session->inside > 0)
    pthread_cond_wait(&loop->changed, &loop->lock);
  pthread_mutex_unlock(&loop->lock);
}

/* What the store has not taken is tried now and then, however often something happens. */
static void keep(identity_session *session) {
  int64_t now_ms = identity__clock_boot_ms();
  if (now_ms < session->retry_ms)
    return;
  (void)identity__keep_retry(session, NULL);
  session->retry_ms = now_ms + STORE_PAUSE_MS;
}

static void keep_last(identity_session *session) {
  end_flight(session);
  (void)identity__keep_retry(session, NULL);
}

static void cancel_calls(identity_session *session) {
  identity__loop_cancel(session->loop, &session->calls);
}

static void begin_end(identity_session *session) {
  begin_second(session, false);
  break_off_unsent(session);
}

/* What is done to each session that is left on a loop when that ends. */
typedef void (*each_fn)(identity_session *session);

static void each_session(identity__loop *loop, each_fn what) {
  for (identity__node *node = identity__list_first(&loop->sessions); node != NULL;
       node = identity__list_next(&loop->sessions, node))
    what(IDENTITY__OWNER(node, identity_session, listed));
}

/* For how long there is anything to be waited for: a flight, or a store, which is asked more often. */
static int64_t wait_ms(const identity__loop *loop, int64_t until) {
  int64_t left_ms = until - identity__clock_boot_ms();
  int64_t wait = 0;
  for (identity__node *node = identity__list_first(&loop->sessions); node != NULL;
       node = identity__list_next(&loop->sessions, node)) {
    const identity_session *session = IDENTITY__OWNER(node, identity_session, listed);
    if (session->tokens.not_persisted)
      return left_ms < STORE_PAUSE_MS ? left_ms : STORE_PAUSE_MS;
    wait = is_worth_waiting(session) ? left_ms : wait;
  }
  return wait;
}

/* Everything on the loop ends: what is sent, and what is stored, has a second. */
static void wind_up(identity__loop *loop) {
  int64_t until = identity__clock_boot_ms() + IDENTITY__CLOSE_GRACE_MS;
  int64_t wait;
  pthread_mutex_lock(&loop->lock);
  loop->gone = true;
  pthread_mutex_unlock(&loop->lock);
  each_session(loop, cancel_calls);
  identity__round_settle(loop);
  each_session(loop, begin_end);
  each_session(loop, keep);
  while ((wait = wait_ms(loop, until)) > 0) {
    identity__round(loop, wait, NULL);
    each_session(loop, keep);
  }
  each_session(loop, keep_last);
  identity__round_settle(loop);
}

void identity__wind_up(identity_session *session) {
  begin_closing(session);
  wait_for_threads(session);
  (void)identity__loop_take_turn(session->loop, NULL);
  wind_up(session->loop);
  identity__loop_pass_turn(session->loop);
}

/* ---- a shared loop ---- */

void identity__session_leave(identity_session *session) {
  identity__loop *loop = session->loop;
  begin_closing(session);
  pthread_mutex_lock(&loop->lock);
  bool ended = loop->ended;
  if (!ended) {
    identity__list_add(&loop->closings, &session->closings);
    loop->news = true;
    identity__loop_wake(loop);
  }
  pthread_mutex_unlock(&loop->lock);
  if (!ended)
    return;
  wait_for_threads(session);
  (void)identity__keep_retry(session, NULL); /* its loop has tried for a second, some time ago */
  identity__session_free(session);
}

static identity_session *take_closing(identity__loop *loop) {
  pthread_mutex_lock(&loop->lock);
  identity__node *node = identity__list_take(&loop->closings);
  pthread_mutex_unlock(&loop->lock);
  return node != NULL ? IDENTITY__OWNER(node, identity_session, closings) : NULL;
}

static int64_t close_until_ms(identity_session *session) {
  pthread_mutex_lock(&session->loop->lock);
  int64_t until = session->close_until_ms;
  pthread_mutex_unlock(&session->loop->lock);
  return until;
}

/* Threads in a blocking call go by themselves, and say so; calls are cancelled, a flight has its own limits.
 */
static bool is_in_use(identity__loop *loop, identity_session *session) {
  pthread_mutex_lock(&loop->lock);
  bool in_use = session->inside > 0 || session->flight != NULL || !identity__list_is_empty(&session->calls);
  pthread_mutex_unlock(&loop->lock);
  return in_use;
}

/* What the store does not take is tried again until close's second is over. */
static bool end_session(identity__loop *loop, identity_session *session) {
  break_off_unsent(session);
  if (is_in_use(loop, session))
    return false;
  keep(session);
  if (session->tokens.not_persisted && identity__clock_boot_ms() < close_until_ms(session)) {
    identity__loop_set_timer(loop, &session->timer, identity__loop_boot_ms(loop) + STORE_PAUSE_MS);
    return false;
  }
  identity__list_remove(&session->closings);
  identity__session_free(session);
  return true;
}

bool identity__end_closed(identity__loop *loop) {
  identity_session *session;
  bool any = false;
  while ((session = take_closing(loop)) != NULL)
    identity__list_add(&loop->closed, &session->closings);
  identity__node *next;
  for (identity__node *node = identity__list_first(&loop->closed); node != NULL; node = next) {
    next = identity__list_next(&loop->closed, node);
    any = end_session(loop, IDENTITY__OWNER(node, identity_session, closings)) || any;
  }
  return any;
}

static void finish(identity__loop *loop) {
  identity_session *session;
  identity__node *node;
  (void)identity__end_closed(loop);
  pthread_mutex_lock(&loop->lock);
  loop->ended = true; /* who closes a session from now on frees it */
  pthread_mutex_unlock(&loop->lock);
  while ((session = take_closing(loop)) != NULL)
    identity__list_add(&loop->closed, &session->closings);
  while ((node = identity__list_take(&loop->closed)) != NULL) {
    session = IDENTITY__OWNER(node, identity_session, closings);
    wait_for_threads(session);
    identity__session_free(session);
  }
  identity__loop_end(loop);
}

void identity__loop_close(identity__loop *loop) {
  wind_up(loop);
  identity__deliver(loop);
  identity__poller_farewell(identity__transport_poller(loop->transport));
  finish(loop);
  identity__loop_pass_turn(loop);
  identity__loop_let_go(loop);
}
