#include "transport/poller.h"
#include "base/clock.h"

#include <identity/async.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#if defined(__linux__)
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#endif

enum {
  FIRST_CAPACITY = 32 /* libcurl needs no more for one service */,
  LONGEST_POLL_MS = 60 * 1000,
  MISSED_MS = 50 /* between two looks at what the one descriptor does not know */
};
enum { AT_ONCE = 0 }; /* of the timer: long past, and no clock has to be asked */
static const int64_t longest_timer_ms = INT32_MAX * INT64_C(1000); /* what a 32-bit time_t still takes */

/* ---- wake-up ---- */

static bool open_wake(identity__poller *poller) {
#if defined(__linux__)
  poller->wake_in = poller->wake_out = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  return poller->wake_in >= 0;
#else
  int ends[2];
  if (pipe(ends) != 0)
    return false;
  for (int i = 0; i < 2; i++) {
    (void)fcntl(ends[i], F_SETFD, FD_CLOEXEC);
    (void)fcntl(ends[i], F_SETFL, O_NONBLOCK);
  }
  poller->wake_in = ends[0];
  poller->wake_out = ends[1];
  return true;
#endif
}

/* One byte, or count, at a time is in it: it never fills up. */
void identity__poller_wake(identity__poller *poller) {
  const uint64_t one = 1;
  (void)pthread_mutex_lock(&poller->lock);
  if (!poller->woken)
    poller->woken = write(poller->wake_out, &one, poller->wake_in == poller->wake_out ? sizeof one : 1) > 0;
  (void)pthread_mutex_unlock(&poller->lock);
}

static bool take_wake(identity__poller *poller, int64_t socket) {
  uint64_t count;
  if (socket != poller->wake_in)
    return false;
  (void)pthread_mutex_lock(&poller->lock);
  (void)!read(poller->wake_in, &count, sizeof count);
  poller->woken = false;
  (void)pthread_mutex_unlock(&poller->lock);
  return true;
}

/* ---- what is watched ---- */

static bool grow(identity__poller *poller) {
  uint32_t capacity = poller->capacity > 0 ? 2 * poller->capacity : FIRST_CAPACITY;
  identity__watched *watched = malloc(capacity * sizeof *watched);
  struct pollfd *polled = malloc(capacity * sizeof *polled);
  if (watched == NULL || polled == NULL) {
    free(watched);
    free(polled);
    return false;
  }
  if (poller->count > 0) {
    memcpy(watched, poller->watched, poller->count * sizeof *watched);
    memcpy(polled, poller->polled, poller->count * sizeof *polled); /* may be being told */
  }
  free(poller->watched);
  free(poller->polled);
  poller->watched = watched;
  poller->polled = polled;
  poller->capacity = capacity;
  return true;
}

static identity__watched *find(const identity__poller *poller, int64_t socket) {
  for (uint32_t i = 0; i < poller->count; i++)
    if (poller->watched[i].socket == socket)
      return &poller->watched[i];
  return NULL;
}

static void take_off(identity__poller *poller, identity__watched *one) {
  *one = poller->watched[--poller->count];
}

/* An epoll set forgets a socket when it is closed, and a number may come back for another one: it is told at
 * once. False: the set has no room (memory, or the user's watches); to fail for that would cost every request
 * that is out. */
static bool set_all(const identity__poller *poller, int socket, int32_t before, int32_t events) {
#if defined(__linux__)
  if (poller->all < 0 || before == events)
    return true;
  struct epoll_event event = {.data.fd = socket};
  event.events = ((events & IDENTITY_READABLE) != 0 ? (uint32_t)EPOLLIN : 0) |
                 ((events & IDENTITY_WRITABLE) != 0 ? (uint32_t)EPOLLOUT : 0);
  int what = events == 0 ? EPOLL_CTL_DEL : EPOLL_CTL_ADD;
  int done = epoll_ctl(poller->all, before != 0 && events != 0 ? EPOLL_CTL_MOD : what, socket, &event);
  if (done != 0 && errno == ENOENT && events != 0)
    done = epoll_ctl(poller->all, EPOLL_CTL_ADD, socket, &event);
  return done == 0 || events == 0;
#else
  (void)poller, (void)socket, (void)before, (void)events;
  return true;
#endif
}

bool identity__poller_watch(identity__poller *poller, int64_t socket, int32_t events) {
  identity__watched *one = find(poller, socket);
  if (one == NULL && events == 0)
    return true;
  if (socket < 0 || socket > INT_MAX) /* cut, it would be somebody else's */
    return false;
  if (one == NULL) {
    if (poller->count == poller->capacity && !grow(poller))
      return false;
    one = &poller->watched[poller->count++];
    *one = (identity__watched){.socket = (int)socket};
  }
  one->missed = !set_all(poller, one->socket, one->missed ? 0 : one->events, events);
  one->again = one->again || (one->events == 0 && one->told != 0);
  one->events = events;
  if (events == 0 && one->told == 0)
    take_off(poller, one);
  return true;
}

bool identity__poller_init(identity__poller *poller) {
  memset(poller, 0, sizeof *poller);
  poller->due_ms = INT64_MAX;
  poller->told_ms = INT64_MAX;
  poller->all = poller->all_timer = -1;
  if (!open_wake(poller))
    return false;
  if (pthread_mutex_init(&poller->lock, NULL) == 0) {
    if (identity__poller_watch(poller, poller->wake_in, IDENTITY_READABLE))
      return true;
    (void)pthread_mutex_destroy(&poller->lock);
  }
  (void)close(poller->wake_in);
  if (poller->wake_out != poller->wake_in)
    (void)close(poller->wake_out);
  return false;
}

void identity__poller_clear(identity__poller *poller) {
  if (poller->all >= 0) {
    (void)close(poller->all);
    (void)close(poller->all_timer);
  }
  (void)close(poller->wake_in);
  if (poller->wake_out != poller->wake_in)
    (void)close(poller->wake_out);
  (void)pthread_mutex_destroy(&poller->lock);
  free(poller->watched);
  free(poller->polled);
}

/* ---- the timer ---- */

void identity__poller_timer(identity__poller *poller, int64_t timeout_ms) {
  bool never = timeout_ms < 0 || timeout_ms > longest_timer_ms;
  poller->due_ms = never ? INT64_MAX : AT_ONCE;
  if (!never && timeout_ms > 0)
    poller->due_ms = identity__clock_boot_ms() + timeout_ms;
}

bool identity__poller_take_timer(identity__poller *poller) {
  if (poller->due_ms != AT_ONCE &&
      (poller->due_ms == INT64_MAX || identity__clock_boot_ms() < poller->due_ms))
    return false;
  poller->due_ms = INT64_MAX;
  return true;
}

/* At most wait_ms, and not past the timer. */
static int64_t wait_until_due(const identity__poller *poller, int64_t wait_ms) {
  if (poller->due_ms == INT64_MAX)
    return wait_ms;
  if (poller->due_ms == AT_ONCE)
    return 0;
  int64_t left = poller->due_ms - identity__clock_boot_ms();
  if (left < 0)
    left = 0;
  return left < wait_ms ? left : wait_ms;
}

/* ---- waiting ---- */

static int32_t events_of(short found) {
  return ((found & (POLLIN | POLLPRI)) != 0 ? IDENTITY_READABLE : 0) |
         ((found & POLLOUT) != 0 ? IDENTITY_WRITABLE : 0) |
         ((found & (POLLERR | POLLHUP | POLLNVAL)) != 0 ? IDENTITY_BROKEN : 0);
}

/* The set changes while it is told, what was found does not. */
static bool tell_ready(identity__poller *poller, uint32_t count, identity__ready_fn ready, void *owner) {
  bool any = false;
  for (uint32_t i = 0; i < count; i++) {
    const struct pollfd found = poller->polled[i];
    if (found.revents == 0 || take_wake(poller, found.fd))
      continue;
    const identity__watched *still = find(poller, found.fd);
    if (still == NULL || still->events == 0)
      continue;
    ready(owner, found.fd, events_of(found.revents));
    any = true;
  }
  return any;
}

bool identity__poller_wait(identity__poller *poller, int64_t timeout_ms, identity__ready_fn ready,
                           void *owner) {
  int64_t wait = wait_until_due(poller, timeout_ms);
  uint32_t count = poller->count;
  for (uint32_t i = 0; i < count; i++) {
    const identity__watched *one = &poller->watched[i];
    short wanted = (short)((one->events & IDENTITY_READABLE) != 0 ? POLLIN : 0);
    wanted = (short)(wanted | ((one->events & IDENTITY_WRITABLE) != 0 ? POLLOUT : 0));
    poller->polled[i] = (struct pollfd){.fd = one->events != 0 ? one->socket : -1, .events = wanted};
  }
  if (wait > LONGEST_POLL_MS)
    wait = LONGEST_POLL_MS;
  return poll(poller->polled, count, (int)wait) > 0 && tell_ready(poller, count, ready, owner);
}

/* ---- a host that waits in our place ---- */

void identity__poller_set_host(identity__poller *poller, const identity__poll_host *host) {
  const identity__poll_host none = {0};
  poller->host = host != NULL ? *host : none;
  poller->told_ms = INT64_MAX;
  for (uint32_t i = 0; i < poller->count;) {
    poller->watched[i].told = 0;
    if (poller->watched[i].events == 0)
      take_off(poller, &poller->watched[i]);
    else
      i++;
  }
}

static void tell_one(const identity__poller *poller, identity__watched was, int32_t events) {
  if (was.again)
    poller->host.watch(was.socket, 0, poller->host.user_data);
  if (was.again || events != was.told)
    poller->host.watch(was.socket, events, poller->host.user_data);
}

static void tell_sockets(identity__poller *poller) {
  for (uint32_t i = 0; i < poller->count;) {
    identity__watched *one = &poller->watched[i];
    identity__watched was = *one;
    one->told = was.events;
    one->again = false;
    if (was.events == 0)
      take_off(poller, one);
    else
      i++;
    was.again = was.again && was.events != 0;
    tell_one(poller, was, was.events);
  }
}

void identity__poller_farewell(identity__poller *poller) {
  for (uint32_t i = 0; poller->host.watch != NULL && i < poller->count; i++)
    if (poller->watched[i].told != 0)
      poller->host.watch(poller->watched[i].socket, 0, poller->host.user_data);
  if (poller->host.watch != NULL)
    poller->host.timer(-1, poller->host.user_data);
  identity__poller_set_host(poller, NULL);
}

void identity__poller_timer_used(identity__poller *poller) {
  poller->told_ms = INT64_MAX;
}

/* -1: there is nothing to wait for. */
static int64_t host_wait_ms(const identity__poller *poller, int64_t wait_ms) {
  int64_t wait = wait_until_due(poller, wait_ms);
  return wait == INT64_MAX ? -1 : wait;
}

static void tell_timer(identity__poller *poller, int64_t wait) {
  int64_t at = wait < 0 ? INT64_MAX : identity__clock_boot_ms() + wait;
  if (at == poller->told_ms)
    return;
  poller->told_ms = at;
  poller->host.timer(wait, poller->host.user_data);
}

/* True: some are still to be looked at by the timer alone. */
static bool set_missed(identity__poller *poller) {
  bool any = false;
  for (uint32_t i = 0; i < poller->count; i++) {
    identity__watched *one = &poller->watched[i];
    if (one->missed)
      one->missed = !set_all(poller, one->socket, 0, one->events);
    any = any || one->missed;
  }
  return any;
}

static void set_all_timer(const identity__poller *poller, int64_t wait) {
#if defined(__linux__)
  /* Zero would stop it: what is due at once is due in a moment. */
  struct itimerspec when = {.it_value = {.tv_sec = wait / 1000, .tv_nsec = (long)(wait % 1000) * 1000000}};
  if (wait == 0)
    when.it_value.tv_nsec = 1;
  if (wait < 0)
    when.it_value.tv_sec = when.it_value.tv_nsec = 0;
  (void)timerfd_settime(poller->all_timer, 0, &when, NULL);
#else
  (void)poller, (void)wait;
#endif
}

bool identity__poller_has_host(const identity__poller *poller) {
  return poller->host.watch != NULL || poller->all >= 0;
}

void identity__poller_tell(identity__poller *poller, int64_t wait_ms) {
  int64_t wait = host_wait_ms(poller, wait_ms);
  if (poller->host.watch != NULL)
    tell_sockets(poller);
  if (poller->host.watch != NULL)
    tell_timer(poller, wait);
  if (poller->all >= 0 && set_missed(poller) && (wait < 0 || wait > MISSED_MS))
    wait = MISSED_MS;
  if (poller->all >= 0)
    set_all_timer(poller, wait);
}

int identity__poller_all(identity__poller *poller) {
#if defined(__linux__)
  if (poller->all >= 0)
    return poller->all;
  int all = epoll_create1(EPOLL_CLOEXEC);
  int timer = timerfd_create(CLOCK_BOOTTIME, TFD_CLOEXEC | TFD_NONBLOCK);
  if (timer < 0 && errno == EINVAL) /* before Linux 3.15 */
    timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
  struct epoll_event event = {.events = EPOLLIN, .data.fd = timer};
  if (all < 0 || timer < 0 || epoll_ctl(all, EPOLL_CTL_ADD, timer, &event) != 0) {
    if (all >= 0)
      (void)close(all);
    if (timer >= 0)
      (void)close(timer);
    return -1;
  }
  poller->all = all;
  poller->all_timer = timer;
  for (uint32_t i = 0; i < poller->count; i++)
    poller->watched[i].missed = true;
  (void)set_missed(poller);
#else
  (void)poller;
#endif
  return poller->all;
}
