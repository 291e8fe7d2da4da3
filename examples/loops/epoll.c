/* SPDX-License-Identifier: MIT
 *
 * An app with an epoll set of its own (Linux): all that the library waits for, sockets, timers and calls from
 * other threads, is one more descriptor in it. Usage: build/loops/epoll BASE_URL [CA_FILE]
 */
#include "journey.h"

#include <errno.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>

typedef struct app {
  journey viewer;
  int set;
  int timer; /* the app's own */
  bool running;
} app;

static void on_timer(app *self) {
  uint64_t times;
  if (read(self->timer, &times, sizeof times) == (ssize_t)sizeof times)
    journey_beat(&self->viewer);
}

/* 0: there is something to do, and nothing to wait for. */
static void on_library(app *self) {
  if (identity_loop_run(self->viewer.loop, 0) != IDENTITY_OK)
    self->running = false;
}

static bool add(const app *self, int fd) {
  struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};
  return fd >= 0 && epoll_ctl(self->set, EPOLL_CTL_ADD, fd, &event) == 0;
}

static bool set_up(app *self) {
  const struct itimerspec beat = {.it_interval.tv_nsec = JOURNEY_BEAT_MS * 1000000L,
                                  .it_value.tv_nsec = JOURNEY_BEAT_MS * 1000000L};
  self->set = epoll_create1(EPOLL_CLOEXEC);
  self->timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
  const bool done = self->set >= 0 && self->timer >= 0 && timerfd_settime(self->timer, 0, &beat, NULL) == 0 &&
                    add(self, self->timer) && add(self, identity_loop_fd(self->viewer.loop));
  if (!done)
    perror("epoll");
  return done;
}

static void run(app *self) {
  struct epoll_event events[8];
  while (self->running) {
    const int count = epoll_wait(self->set, events, 8, -1);
    if (count < 0 && errno != EINTR)
      return;
    for (int i = 0; i < count && self->running; i++) {
      if (events[i].data.fd == self->timer)
        on_timer(self);
      else
        on_library(self);
    }
  }
}

static void stop(void *user_data) {
  app *self = user_data;
  self->running = false;
}

int main(int argc, char **argv) {
  app self = {.set = -1, .timer = -1, .running = true};
  if (!journey_open(&self.viewer, argc, argv, "one descriptor in an epoll set"))
    return self.viewer.exit_code;
  if (set_up(&self) && journey_start(&self.viewer, stop, &self))
    run(&self);
  if (self.timer >= 0)
    close(self.timer);
  if (self.set >= 0)
    close(self.set);
  return journey_close(&self.viewer); /* closes the library's descriptor */
}
