/* SPDX-License-Identifier: MIT
 *
 * The loop of a game or of a set-top box' screen: the library gets its turn once a frame, and no turn waits.
 * Nothing is simpler; an answer is seen at the next frame. Usage: build/loops/tick BASE_URL [CA_FILE]
 */
#include "journey.h"

#include <time.h>

/* Here the screen is drawn, and the frame's time waited for. */
static void draw_frame(void) {
  const struct timespec frame = {.tv_nsec = JOURNEY_BEAT_MS * 1000000L};
  nanosleep(&frame, NULL);
}

static void stop(void *app) {
  bool *running = app;
  *running = false;
}

int main(int argc, char **argv) {
  journey viewer;
  bool running = true;
  if (!journey_open(&viewer, argc, argv, "a frame at a time"))
    return viewer.exit_code;
  if (!journey_start(&viewer, stop, &running))
    running = false;
  while (running && identity_loop_run(viewer.loop, 0) == IDENTITY_OK) {
    draw_frame();
    journey_beat(&viewer);
  }
  return journey_close(&viewer);
}
