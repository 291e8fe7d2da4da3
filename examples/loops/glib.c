/* SPDX-License-Identifier: MIT
 *
 * A GLib or GTK app: the library is one source of its main loop, a descriptor. (Where there is no such
 * descriptor, on macOS say: g_unix_fd_add for each socket and g_timeout_add, told by identity_loop_set_host,
 * as libuv.c does it.) Usage: build/loops/glib BASE_URL [CA_FILE]
 */
#include "journey.h"

#include <glib-unix.h>
#include <glib.h>

typedef struct app {
  journey viewer;
  GMainLoop *main_loop;
} app;

/* 0: there is something to do, and nothing to wait for. */
static gboolean on_library(gint fd, GIOCondition condition, gpointer user_data) {
  app *self = user_data;
  (void)fd;
  (void)condition;
  if (identity_loop_run(self->viewer.loop, 0) != IDENTITY_OK)
    g_main_loop_quit(self->main_loop);
  return G_SOURCE_CONTINUE; /* main takes it off */
}

/* An animation, say: it goes on while calls are out. */
static gboolean on_beat(gpointer user_data) {
  app *self = user_data;
  journey_beat(&self->viewer);
  return G_SOURCE_CONTINUE;
}

static void stop(void *user_data) {
  app *self = user_data;
  g_main_loop_quit(self->main_loop);
}

int main(int argc, char **argv) {
  app self = {0};
  if (!journey_open(&self.viewer, argc, argv, "a source of GLib's main loop"))
    return self.viewer.exit_code;
  const int32_t fd = identity_loop_fd(self.viewer.loop);
  if (fd < 0) {
    g_printerr("glib: the library has no descriptor here\n");
    return journey_close(&self.viewer);
  }
  self.main_loop = g_main_loop_new(NULL, FALSE);
  const guint library = g_unix_fd_add(fd, G_IO_IN, on_library, &self);
  const guint beat = g_timeout_add(JOURNEY_BEAT_MS, on_beat, &self);
  if (journey_start(&self.viewer, stop, &self))
    g_main_loop_run(self.main_loop);
  g_source_remove(library); /* before its descriptor is closed */
  g_source_remove(beat);
  g_main_loop_unref(self.main_loop);
  return journey_close(&self.viewer);
}
