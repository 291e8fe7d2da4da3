#include "drive/loop.h"
#include "base/error.h"
#include "base/limits.h"
#include "base/secret.h"

#include <stdlib.h>
#include <string.h>

static void init_lists(identity__loop *loop) {
  identity__node *lists[] = {&loop->arrivals,  &loop->signals,  &loop->closings,
                             &loop->completed, &loop->sessions, &loop->landed,
                             &loop->resumed,   &loop->closed,   &loop->ready};
  for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++)
    identity__list_init(lists[i]);
}

identity__loop *identity__loop_new(const identity__transport_settings *settings, identity_error *error) {
  identity__loop *loop = calloc(1, sizeof *loop);
  if (loop == NULL || pthread_mutex_init(&loop->lock, NULL) != 0)
    goto no_lock;
  if (pthread_cond_init(&loop->changed, NULL) != 0)
    goto no_condition;
  init_lists(loop);
  loop->holders = 1;
  loop->pass_ms = INT64_MIN;
  loop->chance = identity__clock_random() | 1;
  loop->clock = *settings->clock;
  identity__fork_mark_init(&loop->mark);
  loop->transport = identity__transport_new(settings, error);
  if (loop->transport != NULL)
    return loop;
  identity__loop_let_go(loop);
  return NULL;

no_condition:
  pthread_mutex_destroy(&loop->lock);
no_lock:
  free(loop);
  (void)identity__fail_plain(error, IDENTITY_OUT_OF_MEMORY);
  return NULL;
}

void identity__loop_end(identity__loop *loop) {
  identity__transport_free(loop->transport);
  loop->transport = NULL;
}

void identity__loop_hold(identity__loop *loop) {
  pthread_mutex_lock(&loop->lock);
  loop->holders++;
  pthread_mutex_unlock(&loop->lock);
}

void identity__loop_let_go(identity__loop *loop) {
  pthread_mutex_lock(&loop->lock);
  bool last = --loop->holders == 0;
  pthread_mutex_unlock(&loop->lock);
  if (!last)
    return;
  identity__secret_free(loop->network);
  identity__fork_mark_clear(&loop->mark);
  pthread_cond_destroy(&loop->changed);
  pthread_mutex_destroy(&loop->lock);
  free(loop);
}

identity__now identity__loop_now(const identity__loop *loop) {
  return identity__clock_read(&loop->clock);
}

int64_t identity__loop_boot_ms(const identity__loop *loop) {
  return identity__clock_read_boot_ms(&loop->clock);
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

/* ---- hosts ---- */

static size_t origin_length(const char *base_url) {
  const char *name = strstr(base_url, "://");
  name = name != NULL ? name + 3 : base_url;
  return (size_t)(name - base_url) + strcspn(name, "/");
}

identity__host *identity__loop_join_host(identity__loop *loop, const char *base_url) {
  size_t length = origin_length(base_url);
  identity__host *host = loop->hosts;
  while (host != NULL && (strncmp(host->origin, base_url, length) != 0 || host->origin[length] != '\0'))
    host = host->next;
  if (host == NULL) {
    host = calloc(1, sizeof *host + length + 1);
    if (host == NULL)
      return NULL;
    memcpy(host->origin, base_url, length);
    identity__list_init(&host->parked);
    identity__list_init(&host->orphans);
    host->next = loop->hosts;
    loop->hosts = host;
  }
  host->sessions++;
  return host;
}

void identity__loop_leave_host(identity__loop *loop, identity__host *host) {
  if (host == NULL || --host->sessions > 0)
    return;
  identity__host **place = &loop->hosts;
  while (*place != host)
    place = &(*place)->next;
  *place = host->next;
  free(host);
}

int64_t identity__host_quiet(identity__host *host, int64_t retry_after_ms, identity__now now) {
  int64_t most =
      retry_after_ms < IDENTITY__MAX_RETRY_AFTER_MS ? retry_after_ms : IDENTITY__MAX_RETRY_AFTER_MS;
  int64_t until = now.boot_ms + most;
  if (most > 0 && until > host->quiet_until_ms)
    host->quiet_until_ms = until;
  return most > 0 ? most : 0;
}

int64_t identity__host_quiet_ms(const identity__host *host, identity__now now) {
  return host->quiet_until_ms > now.boot_ms ? host->quiet_until_ms - now.boot_ms : 0;
}

/* ---- the line ---- */

void identity__loop_wake(identity__loop *loop) {
  identity__transport_wake(loop->transport);
}

void identity__loop_wake_driver(identity__loop *loop) {
  pthread_mutex_lock(&loop->lock);
  if (!loop->ended)
    identity__loop_wake(loop);
  pthread_mutex_unlock(&loop->lock);
}

bool identity__loop_is_gone(identity__loop *loop) {
  pthread_mutex_lock(&loop->lock);
  bool gone = loop->gone;
  pthread_mutex_unlock(&loop->lock);
  return gone;
}

/* With the lock held: whether somebody may be waiting who does not know. */
static bool note_news(identity__loop *loop) {
  bool self = loop->driven && pthread_equal(loop->driver, pthread_self());
  loop->news = true;
  return (loop->driven || loop->shared) && !self && !loop->ended;
}

identity_status identity__loop_submit(identity__loop *loop, identity__call *call, const bool *closing) {
  pthread_mutex_lock(&loop->lock);
  identity_status status = *closing ? IDENTITY_CANCELLED : IDENTITY_OK;
  if (loop->gone)
    status = IDENTITY_LOOP_GONE;
  bool taken = status == IDENTITY_OK;
  if (taken) {
    identity__list_add(&loop->arrivals, &call->queued);
    identity__list_add(call->calls, &call->listed);
    loop->pending += call->complete != NULL;
    loop->out++;
  }
  if (taken && note_news(loop)) /* under the lock: the loop may be freed by then */
    identity__loop_wake(loop);
  pthread_mutex_unlock(&loop->lock);
  return status;
}

void identity__loop_signal(identity__loop *loop, identity__call *call) {
  identity__list_add(&loop->signals, &call->signalled);
  if (note_news(loop))
    identity__loop_wake(loop);
}

void identity__loop_cancel(identity__loop *loop, const identity__node *calls) {
  pthread_mutex_lock(&loop->lock);
  for (identity__node *node = identity__list_first(calls); node != NULL;
       node = identity__list_next(calls, node)) {
    identity__call *call = IDENTITY__OWNER(node, identity__call, listed);
    if (call->owned_by_session)
      continue;
    call->cancelled = true;
    identity__loop_signal(loop, call);
  }
  pthread_mutex_unlock(&loop->lock);
}

void identity__loop_add(identity__loop *loop, identity__call *call) {
  pthread_mutex_lock(&loop->lock);
  identity__list_add(&loop->arrivals, &call->queued);
  identity__list_add(call->calls, &call->listed);
  loop->out++;
  loop->news = true;
  pthread_mutex_unlock(&loop->lock);
}

void identity__loop_retire(identity__loop *loop, identity__call *call) {
  identity__timers_clear(&loop->timers, &call->timer);
  identity__list_remove(&call->begun);
  pthread_mutex_lock(&loop->lock);
  identity__list_remove(&call->queued);
  identity__list_remove(&call->listed);
  identity__list_remove(&call->signalled);
  if (call->handle != NULL)
    call->handle->call = NULL;
  bool nobodys = call->owned_by_session || call->orphaned;
  bool completes = call->complete != NULL;
  if (completes)
    identity__list_add(&loop->completed, &call->queued);
  call->done = true;
  loop->out--;
  if (!nobodys && !completes)
    pthread_cond_broadcast(&loop->changed);
  pthread_mutex_unlock(&loop->lock);
  if (nobodys)
    identity__call_free(call);
}

/* ---- places ---- */

bool identity__loop_take_place(identity__loop *loop, identity__host *host, identity__call *call) {
  if (call->placed) {
    identity__list_remove(&call->parked); /* it may have got it just now, and be about to be resumed */
    return true;
  }
  bool free_one = host->placed < identity__transport_capacity(loop->transport);
  if (!free_one || !identity__list_is_empty(&host->parked)) {
    identity__list_add(&host->parked, &call->parked);
    return false;
  }
  host->placed++;
  call->placed = true;
  return true;
}

/* Who has waited longest gets it. */
static void hand_on(identity__loop *loop, identity__host *host) {
  if (identity__list_is_empty(&host->parked))
    return;
  uint32_t capacity = identity__transport_capacity(loop->transport);
  identity__node *node;
  while (host->placed < capacity && (node = identity__list_take(&host->parked)) != NULL) {
    identity__call *call = IDENTITY__OWNER(node, identity__call, parked);
    host->placed++;
    call->placed = true;
    identity__list_add(&loop->resumed, &call->parked);
  }
}

void identity__loop_leave_place(identity__loop *loop, identity__host *host, identity__call *call) {
  identity__list_remove(&call->parked);
  if (!call->placed)
    return;
  call->placed = false;
  host->placed--;
  hand_on(loop, host);
}

void identity__loop_hand_on(identity__loop *loop) {
  for (identity__host *host = loop->hosts; host != NULL; host = host->next)
    hand_on(loop, host);
}

/* What is told the time now and wants to be told again at once has to wait for the next pass. */
void identity__loop_set_timer(identity__loop *loop, identity__timer *timer, int64_t at_ms) {
  identity__timers_set(&loop->timers, timer, at_ms > loop->pass_ms ? at_ms : loop->pass_ms + 1);
}

/* ---- the turn ---- */

bool identity__loop_is_driver(identity__loop *loop) {
  pthread_mutex_lock(&loop->lock);
  bool driver = loop->driven && pthread_equal(loop->driver, pthread_self());
  pthread_mutex_unlock(&loop->lock);
  return driver;
}

/* With the lock held. */
static void drive(identity__loop *loop) {
  loop->driven = true;
  loop->known_driver = true;
  loop->driver = pthread_self();
}

bool identity__loop_take_turn(identity__loop *loop, const identity__call *call) {
  pthread_mutex_lock(&loop->lock);
  while (loop->driven && !(call != NULL && call->done))
    pthread_cond_wait(&loop->changed, &loop->lock);
  bool turn = !(call != NULL && call->done);
  if (turn)
    drive(loop);
  pthread_mutex_unlock(&loop->lock);
  return turn;
}

bool identity__loop_try_turn(identity__loop *loop) {
  pthread_mutex_lock(&loop->lock);
  bool turn = !loop->driven;
  if (turn)
    drive(loop);
  pthread_mutex_unlock(&loop->lock);
  return turn;
}

void identity__loop_pass_turn(identity__loop *loop) {
  pthread_mutex_lock(&loop->lock);
  loop->driven = false;
  if (loop->shared && loop->news && !loop->ended) /* what a callback of the host has begun last */
    identity__loop_wake(loop);
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
