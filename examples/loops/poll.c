/* SPDX-License-Identifier: MIT
 *
 * An app with a poll() loop of its own: the library tells it which sockets to watch and when to call again,
 * the app says what has become ready. Works on every POSIX system. Usage: build/loops/poll BASE_URL [CA_FILE]
 */
#include "journey.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { MAX_WATCHED = 64, NEVER = -1 };

typedef struct app {
  journey viewer;
  struct pollfd watched[MAX_WATCHED];
  nfds_t count;
  int64_t library_at_ms; /* when to call identity_loop_on_timer; NEVER */
  int64_t beat_at_ms;    /* the app's own timer */
  bool running;
} app;

static int64_t now_ms(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* The library: watch this socket for these events from now on; 0: no more. */
static void on_watch(int64_t socket, int32_t events, void *user_data) {
  app *self = user_data;
  nfds_t at = 0;
  while (at < self->count && self->watched[at].fd != (int)socket)
    at++;
  if (events == 0) {
    if (at < self->count)
      self->watched[at] = self->watched[--self->count];
    return;
  }
  if (at == MAX_WATCHED) {
    fprintf(stderr, "poll: more than %d sockets\n", MAX_WATCHED);
    exit(1);
  }
  if (at == self->count)
    self->watched[self->count++] = (struct pollfd){.fd = (int)socket};
  self->watched[at].events = (short)((events & IDENTITY_READABLE ? POLLIN : 0) | //
                                     (events & IDENTITY_WRITABLE ? POLLOUT : 0));
}

/* The library: call identity_loop_on_timer in so many milliseconds; -1: no need. */
static void on_timer(int64_t timeout_ms, void *user_data) {
  app *self = user_data;
  self->library_at_ms = timeout_ms < 0 ? NEVER : now_ms() + timeout_ms;
}

static int time_left_ms(const app *self) {
  const int64_t now = now_ms();
  int64_t next = self->beat_at_ms;
  if (self->library_at_ms != NEVER && self->library_at_ms < next)
    next = self->library_at_ms;
  return next > now ? (int)(next - now) : 0;
}

/* The table may change inside each call. A row that moves down past i is seen again by the next poll(). */
static void tell_sockets(app *self) {
  for (nfds_t i = 0; i < self->count; i++) {
    const short got = self->watched[i].revents;
    self->watched[i].revents = 0;
    const int32_t events = (got & POLLIN ? IDENTITY_READABLE : 0) | (got & POLLOUT ? IDENTITY_WRITABLE : 0) |
                           (got & (POLLERR | POLLHUP | POLLNVAL) ? IDENTITY_BROKEN : 0);
    if (events != 0)
      (void)identity_loop_on_socket(self->viewer.loop, self->watched[i].fd, events);
  }
}

static void run(app *self) {
  while (self->running) {
    if (poll(self->watched, self->count, time_left_ms(self)) < 0 && errno != EINTR)
      return;
    tell_sockets(self);
    const int64_t now = now_ms();
    if (self->library_at_ms != NEVER && now >= self->library_at_ms) {
      self->library_at_ms = NEVER; /* first: the library may set it anew in there */
      (void)identity_loop_on_timer(self->viewer.loop);
    }
    if (now >= self->beat_at_ms) {
      self->beat_at_ms = now + JOURNEY_BEAT_MS;
      journey_beat(&self->viewer);
    }
  }
}

static void stop(void *user_data) {
  app *self = user_data;
  self->running = false;
}

int main(int argc, char **argv) {
  app self = {.library_at_ms = NEVER, .running = true};
  if (!journey_open(&self.viewer, argc, argv, "sockets and a timer in a poll() loop"))
    return self.viewer.exit_code;
  if (identity_loop_set_host(self.viewer.loop, on_watch, on_timer, &self) == IDENTITY_OK &&
      journey_start(&self.viewer, stop, &self))
    run(&self);
  (void)identity_loop_set_host(self.viewer.loop, NULL, NULL, NULL); /* the library takes its sockets back */
  return journey_close(&self.viewer);
}
