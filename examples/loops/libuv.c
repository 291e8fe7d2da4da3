/* SPDX-License-Identifier: MIT
 *
 * An app on libuv (Node's loop): a uv_poll_t for each socket that the library names, and one uv_timer_t.
 * Usage: build/loops/libuv BASE_URL [CA_FILE]
 */
#include "journey.h"

#include <stdio.h>
#include <stdlib.h>
#include <uv.h>

typedef struct watcher {
  uv_poll_t handle; /* first: a pointer to one is a pointer to the other */
  struct watcher *next;
  int64_t socket;
  identity_loop *library;
} watcher;

typedef struct app {
  journey viewer;
  uv_loop_t *uv;
  uv_timer_t timer; /* the library's */
  uv_timer_t beat;  /* the app's own */
  watcher *watchers;
} app;

static void on_ready(uv_poll_t *handle, int status, int events) {
  const watcher *from = (const watcher *)handle;
  (void)identity_loop_on_socket(from->library, from->socket,
                                (events & UV_READABLE ? IDENTITY_READABLE : 0) |
                                    (events & UV_WRITABLE ? IDENTITY_WRITABLE : 0) |
                                    (status < 0 ? IDENTITY_BROKEN : 0));
}

static void free_watcher(uv_handle_t *handle) {
  free(handle);
}

static watcher *new_watcher(app *self, int64_t socket) {
  watcher *made = calloc(1, sizeof *made);
  if (made == NULL || uv_poll_init(self->uv, &made->handle, (int)socket) != 0) {
    fprintf(stderr, "libuv: no watcher for socket %d\n", (int)socket);
    exit(1);
  }
  made->socket = socket;
  made->library = self->viewer.loop;
  made->next = self->watchers;
  self->watchers = made;
  return made;
}

/* The library: watch this socket for these events from now on; 0: no more. */
static void on_watch(int64_t socket, int32_t events, void *user_data) {
  app *self = user_data;
  watcher **at = &self->watchers;
  while (*at != NULL && (*at)->socket != socket)
    at = &(*at)->next;
  watcher *found = *at;
  if (events != 0) {
    if (found == NULL)
      found = new_watcher(self, socket);
    uv_poll_start(&found->handle,
                  (events & IDENTITY_READABLE ? UV_READABLE : 0) |
                      (events & IDENTITY_WRITABLE ? UV_WRITABLE : 0),
                  on_ready);
  } else if (found != NULL) {
    *at = found->next;
    uv_close((uv_handle_t *)&found->handle, free_watcher); /* stops at once: the socket may be closed now */
  }
}

static void on_time(uv_timer_t *timer) {
  const app *self = timer->data;
  (void)identity_loop_on_timer(self->viewer.loop);
}

/* The library: call identity_loop_on_timer in so many milliseconds; -1: no need. */
static void on_timer(int64_t timeout_ms, void *user_data) {
  app *self = user_data;
  uv_update_time(self->uv); /* libuv counts from the beginning of its turn */
  if (timeout_ms < 0)
    uv_timer_stop(&self->timer);
  else
    uv_timer_start(&self->timer, on_time, (uint64_t)timeout_ms, 0);
}

static void on_beat(uv_timer_t *timer) {
  app *self = timer->data;
  journey_beat(&self->viewer);
}

static void stop(void *user_data) {
  app *self = user_data;
  uv_stop(self->uv);
}

int main(int argc, char **argv) {
  app self = {.uv = uv_default_loop()};
  if (!journey_open(&self.viewer, argc, argv, "sockets and a timer on libuv"))
    return self.viewer.exit_code;
  uv_timer_init(self.uv, &self.timer);
  uv_timer_init(self.uv, &self.beat);
  self.timer.data = self.beat.data = &self;
  uv_timer_start(&self.beat, on_beat, JOURNEY_BEAT_MS, JOURNEY_BEAT_MS);
  if (identity_loop_set_host(self.viewer.loop, on_watch, on_timer, &self) == IDENTITY_OK &&
      journey_start(&self.viewer, stop, &self))
    uv_run(self.uv, UV_RUN_DEFAULT);
  (void)identity_loop_set_host(self.viewer.loop, NULL, NULL, NULL); /* the library takes its sockets back */
  while (self.watchers != NULL)
    on_watch(self.watchers->socket, 0, &self);
  uv_close((uv_handle_t *)&self.timer, NULL);
  uv_close((uv_handle_t *)&self.beat, NULL);
  uv_run(self.uv, UV_RUN_DEFAULT); /* until all of them are closed */
  uv_loop_close(self.uv);
  return journey_close(&self.viewer);
}
