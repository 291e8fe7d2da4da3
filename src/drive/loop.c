#include "drive/loop.h"
#include "base/error.h"
#include "base/limits.h"

#include <stdlib.h>

identity__loop *identity__loop_new(const identity__transport_settings *settings, identity_error *error) {
  identity__loop *loop = calloc(1, sizeof *loop);
  if (loop == NULL || pthread_mutex_init(&loop->lock, NULL) != 0)
    goto no_lock;
  if (pthread_cond_init(&loop->changed, NULL) != 0)
    goto no_condition;
  loop->chance = identity__clock_random() | 1;
  loop->clock = *settings->clock;
  identity__fork_mark_init(&loop->mark);
  loop->transport = identity__transport_new(settings, error);
  if (loop->transport != NULL)
    return loop;
  identity__fork_mark_clear(&loop->mark);
  pthread_cond_destroy(&loop->changed);
  pthread_mutex_destroy(&loop->lock);
  free(loop);
  return NULL;

no_condition:
  pthread_mutex_destroy(&loop->lock);
no_lock:
  free(loop);
  (void)identity__fail_plain(error, IDENTITY_OUT_OF_MEMORY);
  return NULL;
}

void identity__loop_free(identity__loop *loop) {
  if (loop == NULL)
    return;
  identity__transport_free(loop->transport);
  identity__fork_mark_clear(&loop->mark);
  pthread_cond_destroy(&loop->changed);
  pthread_mutex_destroy(&loop->lock);
  free(loop);
}

identity__now identity__loop_now(const identity__loop *loop) {
  return identity__clock_read(&loop->clock);
}

bool identity__loop_is_forked(const identity__loop *loop) {
  return identity__is_forked(&loop->mark);
}

/* xorshift64*: the system is asked for randomness once a loop, not at every step. */
identity__moment identity__loop_moment(identity__loop *loop) {
  loop->chance ^= loop->chance >> 12;
  loop->chance ^= loop->chance << 25;
  loop->chance ^= loop->chance >> 27;
  identity__moment moment = {identity__loop_now(loop), loop->chance * UINT64_C(0x2545F4914F6CDD1D) >> 1};
  return moment;
}

int64_t identity__loop_quiet(identity__loop *loop, int64_t retry_after_ms) {
  int64_t most =
      retry_after_ms < IDENTITY__MAX_RETRY_AFTER_MS ? retry_after_ms : IDENTITY__MAX_RETRY_AFTER_MS;
  int64_t until = identity__loop_now(loop).boot_ms + most;
  if (most > 0 && until > loop->quiet_until_ms)
    loop->quiet_until_ms = until;
  return most > 0 ? most : 0;
}

int64_t identity__loop_quiet_ms(const identity__loop *loop, identity__now now) {
  return loop->quiet_until_ms > now.boot_ms ? loop->quiet_until_ms - now.boot_ms : 0;
}

static void append(identity__call **list, identity__call *call) {
  call->next = NULL;
  while (*list != NULL)
    list = &(*list)->next;
  *list = call;
}

void identity__loop_submit(identity__loop *loop, identity__call *call) {
  pthread_mutex_lock(&loop->lock);
  append(&loop->arrivals, call);
  bool wake = loop->driven;
  loop->news = loop->news || wake;
  pthread_mutex_unlock(&loop->lock);
  if (wake)
    identity__transport_wake(loop->transport);
}

static void cancel_all(identity__call *list, const void *session) {
  for (; list != NULL; list = list->next)
    if (list->session == session && !list->owned_by_session)
      list->cancelled = true;
}

void identity__loop_cancel(identity__loop *loop, const void *session) {
  pthread_mutex_lock(&loop->lock);
  cancel_all(loop->arrivals, session);
  cancel_all(loop->running, session);
  loop->news = true;
  pthread_mutex_unlock(&loop->lock);
  identity__transport_wake(loop->transport);
}

void identity__loop_admit(identity__loop *loop) {
  pthread_mutex_lock(&loop->lock);
  while (loop->arrivals != NULL && loop->running_count < IDENTITY__MAX_RUNNING_CALLS) {
    identity__call *call = loop->arrivals;
    loop->arrivals = call->next;
    append(&loop->running, call);
    loop->running_count++;
  }
  pthread_mutex_unlock(&loop->lock);
}

void identity__loop_add(identity__loop *loop, identity__call *call) {
  pthread_mutex_lock(&loop->lock);
  append(&loop->running, call);
  loop->running_count++;
  pthread_mutex_unlock(&loop->lock);
}

static bool unlink_call(identity__call **list, const identity__call *call) {
  for (; *list != NULL; list = &(*list)->next) {
    if (*list != call)
      continue;
    *list = call->next;
    return true;
  }
  return false;
}

void identity__loop_retire(identity__loop *loop, identity__call *call) {
  pthread_mutex_lock(&loop->lock);
  if (unlink_call(&loop->running, call))
    loop->running_count--;
  else
    (void)unlink_call(&loop->arrivals, call);
  bool flight = call->owned_by_session;
  call->done = true;
  pthread_cond_broadcast(&loop->changed);
  pthread_mutex_unlock(&loop->lock);
  if (flight)
    identity__call_free(call);
}

bool identity__loop_is_driver(identity__loop *loop) {
  pthread_mutex_lock(&loop->lock);
  bool driver = loop->driven && pthread_equal(loop->driver, pthread_self());
  pthread_mutex_unlock(&loop->lock);
  return driver;
}

bool identity__loop_take_turn(identity__loop *loop, const identity__call *call) {
  pthread_mutex_lock(&loop->lock);
  while (loop->driven && !(call != NULL && call->done))
    pthread_cond_wait(&loop->changed, &loop->lock);
  bool turn = !(call != NULL && call->done);
  if (turn) {
    loop->driven = true;
    loop->driver = pthread_self();
  }
  pthread_mutex_unlock(&loop->lock);
  return turn;
}

void identity__loop_pass_turn(identity__loop *loop) {
  pthread_mutex_lock(&loop->lock);
  loop->driven = false;
  pthread_cond_broadcast(&loop->changed);
  pthread_mutex_unlock(&loop->lock);
}

bool identity__loop_take_news(identity__loop *loop) {
  pthread_mutex_lock(&loop->lock);
  bool news = loop->news;
  loop->news = false;
  pthread_mutex_unlock(&loop->lock);
  return news;
}

bool identity__loop_is_cancelled(identity__loop *loop, const identity__call *call) {
  pthread_mutex_lock(&loop->lock);
  bool cancelled = call->cancelled;
  pthread_mutex_unlock(&loop->lock);
  return cancelled;
}

bool identity__loop_is_done(identity__loop *loop, const identity__call *call) {
  pthread_mutex_lock(&loop->lock);
  bool done = call->done;
  pthread_mutex_unlock(&loop->lock);
  return done;
}
