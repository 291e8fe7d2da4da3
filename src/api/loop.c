/* The loop as an app sees it: made, driven in one of three ways, freed. */
#include "api/begin.h"
#include "api/network.h"
#include "base/error.h"
#include "base/secret.h"
#include "drive/deliver.h"
#include "drive/ending.h"
#include "drive/round.h"

#include <stdlib.h>

identity_status identity_loop_new(const identity_config *config, identity_loop **loop,
                                  identity_error *error) {
  identity_error local;
  if (error == NULL)
    error = &local;
  if (identity__check_result(loop, "loop", error) != IDENTITY_OK ||
      identity__check_config(config, error) != IDENTITY_OK)
    return error->status;
  char *base_url = identity__network_base_url(config, error);
  char *network = base_url != NULL ? identity__network_text(config, base_url) : NULL;
  if (base_url != NULL && network == NULL)
    (void)identity__fail_plain(error, IDENTITY_OUT_OF_MEMORY);
  if (network != NULL)
    *loop = identity__network_loop(config, base_url, error);
  identity__secret_free(base_url);
  if (*loop == NULL) {
    identity__secret_free(network);
    return error->status;
  }
  (*loop)->shared = true;
  (*loop)->network = network;
  return IDENTITY_OK;
}

/* ---- driving ---- */

/* OK: this thread has the turn. */
static identity_status take_turn(identity_loop *loop) {
  if (loop == NULL)
    return IDENTITY_BAD_ARGUMENT;
  if (identity__loop_is_forked(loop))
    return IDENTITY_FORKED;
  if (identity__loop_is_driver(loop))
    return IDENTITY_REENTERED;
  (void)identity__loop_take_turn(loop, NULL);
  return IDENTITY_OK;
}

/* What the host's functions have started has to be begun, and there is nobody else to say so. */
static void wake_for_news(identity_loop *loop) {
  pthread_mutex_lock(&loop->lock);
  bool news = loop->news;
  pthread_mutex_unlock(&loop->lock);
  if (news)
    identity__loop_wake(loop);
}

/* Whoever waits in the loop's place learns for what, and how long. */
static void tell_host(identity_loop *loop) {
  identity__poller *poller = identity__transport_poller(loop->transport);
  if (!identity__poller_has_host(poller))
    return;
  int64_t wait_ms = identity__round_wait_ms(loop, identity__loop_boot_ms(loop));
  pthread_mutex_lock(&loop->lock);
  if (loop->news || !identity__list_is_empty(&loop->completed))
    wait_ms = 0;
  pthread_mutex_unlock(&loop->lock);
  if (identity__transport_has_completed(loop->transport)) /* inside start, say */
    wait_ms = 0;
  identity__poller_tell(poller, wait_ms);
  wake_for_news(loop);
}

/* What completions have started leaves at once. */
static void pass_turn(identity_loop *loop) {
  identity__deliver(loop);
  if (!loop->free_wanted && identity__loop_take_news(loop))
    identity__round_settle(loop);
  if (!loop->free_wanted)
    tell_host(loop);
  if (loop->free_wanted)
    identity__loop_close(loop);
  else
    identity__loop_pass_turn(loop);
}

static bool is_back_wanted(identity_loop *loop) {
  pthread_mutex_lock(&loop->lock);
  bool wanted = loop->woken || loop->free_wanted || !identity__list_is_empty(&loop->completed);
  loop->woken = false;
  pthread_mutex_unlock(&loop->lock);
  return wanted;
}

/* With the turn, which it passes on. */
static void drive(identity_loop *loop, int32_t timeout_ms) {
  int64_t now_ms = identity__clock_boot_ms();
  int64_t until = timeout_ms < 0 ? INT64_MAX : now_ms + timeout_ms;
  do {
    identity__round(loop, until == INT64_MAX ? until : until - now_ms, NULL);
    now_ms = identity__clock_boot_ms();
  } while (!is_back_wanted(loop) && now_ms < until);
  pass_turn(loop);
}

identity_status identity_loop_run(identity_loop *loop, int32_t timeout_ms) {
  identity_status status = take_turn(loop);
  if (status == IDENTITY_OK)
    drive(loop, timeout_ms);
  return status;
}

void identity_loop_wake(identity_loop *loop) {
  if (loop == NULL || identity__loop_is_forked(loop))
    return;
  pthread_mutex_lock(&loop->lock);
  loop->woken = true;
  if (!loop->ended)
    identity__loop_wake(loop);
  pthread_mutex_unlock(&loop->lock);
}

uint32_t identity_loop_pending(identity_loop *loop) {
  if (loop == NULL || identity__loop_is_forked(loop))
    return 0;
  pthread_mutex_lock(&loop->lock);
  uint32_t pending = loop->pending;
  pthread_mutex_unlock(&loop->lock);
  return pending;
}

/* Whatever the host has found ready: one look at all sockets comes before any time is judged. */
identity_status identity_loop_on_socket(identity_loop *loop, int64_t socket, int32_t events) {
  (void)socket, (void)events;
  return identity_loop_run(loop, 0);
}

/* What the host was told holds no more: its timer has gone off, and the same moment may have to be told
 * again. */
identity_status identity_loop_on_timer(identity_loop *loop) {
  identity_status status = take_turn(loop);
  if (status != IDENTITY_OK)
    return status;
  identity__poller_timer_used(identity__transport_poller(loop->transport));
  drive(loop, 0);
  return IDENTITY_OK;
}

identity_status identity_loop_set_host(identity_loop *loop, identity_watch_fn watch, identity_timer_fn timer,
                                       void *user_data) {
  const identity__poll_host host = {watch, timer, user_data};
  if ((watch == NULL) != (timer == NULL))
    return IDENTITY_BAD_ARGUMENT;
  identity_status status = take_turn(loop);
  if (status != IDENTITY_OK)
    return status;
  identity__poller_set_host(identity__transport_poller(loop->transport), watch != NULL ? &host : NULL);
  pass_turn(loop);
  return IDENTITY_OK;
}

int32_t identity_loop_fd(identity_loop *loop) {
  if (loop == NULL || identity__loop_is_forked(loop))
    return -1;
  bool turn = take_turn(loop) == IDENTITY_OK; /* inside a callback it is there already */
  int32_t all = identity__poller_all(identity__transport_poller(loop->transport));
  if (turn)
    pass_turn(loop);
  return all;
}

void identity_loop_free(identity_loop *loop) {
  if (loop == NULL || identity__loop_is_forked(loop))
    return;
  if (take_turn(loop) == IDENTITY_OK)
    identity__loop_close(loop);
  else
    loop->free_wanted = true; /* in a callback: when the function around it ends */
}
