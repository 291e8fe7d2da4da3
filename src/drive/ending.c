#include "drive/ending.h"
#include "base/secret.h"
#include "drive/keep.h"
#include "drive/pump.h"
#include "drive/round.h"

#include <stdlib.h>

enum { STORE_PAUSE_MS = 20 };

/* A child must not end the parent's connections, nor write its store: there the loop is left behind. */
void identity__session_free(identity_session *session) {
  identity__loop *loop = session->loop;
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

/* Whatever the host's clock says. */
static int64_t begin_closing(identity_session *session) {
  int64_t until = identity__clock_boot_ms() + IDENTITY__CLOSE_GRACE_MS;
  pthread_mutex_lock(&session->loop->lock);
  session->closing = true;
  session->close_until_ms = until;
  pthread_mutex_unlock(&session->loop->lock);
  identity__loop_cancel(session->loop, &session->calls);
  return until;
}

/* ---- a loop of its own ---- */

/* Waits until every thread has left. They leave by themselves: their calls are cancelled. */
static void wait_for_threads(identity_session *session) {
  identity__loop *loop = session->loop;
  pthread_mutex_lock(&loop->lock);
  while (session->inside > 0)
    pthread_cond_wait(&loop->changed, &loop->lock);
  pthread_mutex_unlock(&loop->lock);
}

/* As long as close has time. */
static void store_the_rest(identity_session *session, int64_t until) {
  do {
    (void)identity__keep_retry(session, NULL);
    if (session->tokens.not_persisted)
      identity__transport_wait(session->loop->transport, STORE_PAUSE_MS);
  } while (session->tokens.not_persisted && identity__clock_boot_ms() < until);
}

void identity__wind_up(identity_session *session) {
  identity__loop *loop = session->loop;
  int64_t until = begin_closing(session);
  wait_for_threads(session);
  if (!identity__loop_take_turn(loop, NULL))
    return;
  while (is_worth_waiting(session) && identity__clock_boot_ms() < until)
    identity__round(loop, until - identity__clock_boot_ms(), NULL);
  give_up_flight(session);
  identity__round_settle(loop);
  store_the_rest(session, until);
  identity__loop_pass_turn(loop);
}

/* ---- a shared loop ---- */

void identity__session_leave(identity_session *session) {
  identity__loop *loop = session->loop;
  (void)begin_closing(session);
  pthread_mutex_lock(&loop->lock);
  bool ended = loop->ended;
  if (!ended) {
    identity__list_add(&loop->closings, &session->closings);
    loop->news = true;
    identity__loop_wake(loop);
  }
  pthread_mutex_unlock(&loop->lock);
  if (ended)
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

/* What the store does not take is tried again until close's second is over. */
static bool end_session(identity__loop *loop, identity_session *session) {
  if (session->flight != NULL && !is_worth_waiting(session))
    give_up_flight(session);
  if (session->flight != NULL || !identity__list_is_empty(&session->calls))
    return false;
  int64_t now_ms = identity__clock_boot_ms();
  if (now_ms < session->retry_ms)
    return false;
  (void)identity__keep_retry(session, NULL);
  if (session->tokens.not_persisted && now_ms < close_until_ms(session)) {
    session->retry_ms = now_ms + STORE_PAUSE_MS;
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

static void cancel_all(identity__loop *loop) {
  for (identity__node *node = identity__list_first(&loop->sessions); node != NULL;
       node = identity__list_next(&loop->sessions, node))
    identity__loop_cancel(loop, &IDENTITY__OWNER(node, identity_session, listed)->calls);
  identity__round_settle(loop);
}

static bool waits_for_flights(const identity__loop *loop) {
  for (identity__node *node = identity__list_first(&loop->sessions); node != NULL;
       node = identity__list_next(&loop->sessions, node))
    if (is_worth_waiting(IDENTITY__OWNER(node, identity_session, listed)))
      return true;
  return false;
}

void identity__loop_wind_up(identity__loop *loop) {
  int64_t until = identity__clock_boot_ms() + IDENTITY__CLOSE_GRACE_MS;
  pthread_mutex_lock(&loop->lock);
  loop->gone = true;
  pthread_mutex_unlock(&loop->lock);
  cancel_all(loop);
  while (waits_for_flights(loop) && identity__clock_boot_ms() < until)
    identity__round(loop, until - identity__clock_boot_ms(), NULL);
  for (identity__node *node = identity__list_first(&loop->sessions); node != NULL;
       node = identity__list_next(&loop->sessions, node)) {
    identity_session *session = IDENTITY__OWNER(node, identity_session, listed);
    give_up_flight(session);
    (void)identity__keep_retry(session, NULL);
  }
  identity__round_settle(loop);
}

void identity__loop_finish(identity__loop *loop) {
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
    (void)identity__keep_retry(session, NULL); /* for the last time */
    identity__session_free(session);
  }
  identity__loop_end(loop);
}
