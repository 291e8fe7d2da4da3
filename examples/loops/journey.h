/* SPDX-License-Identifier: MIT
 *
 * The journey of a viewer as a chain of completions, the same on every event loop: no call in here waits. The
 * other files of this folder show how a loop drives it.
 */
#ifndef LOOPS_JOURNEY_H
#define LOOPS_JOURNEY_H

#include <identity/async.h>

#include <stdbool.h>

/* How often an app's own timer goes off beside the journey: nothing holds it up. */
enum { JOURNEY_BEAT_MS = 10 };

typedef struct journey {
  identity_loop *loop;
  identity_session *session;
  int at;     /* the step that is under way */
  int rounds; /* how often the viewer was asked for something */
  const identity_consents *consents;
  const identity_next_step *asked;
  char email[64];
  bool over;
  int exit_code;            /* 0 once the last step is done */
  void (*ended)(void *app); /* the journey is over, well or not: let the event loop end */
  void *app;
  unsigned beats;
  unsigned beats_at_start; /* of the step */
  unsigned most_beats;     /* during one step */
} journey;

/* Reads "BASE_URL [CA_FILE]", opens a loop and a session on it. False: nothing is to be done, return
 * exit_code. */
bool journey_open(journey *self, int argc, char **argv, const char *about);
/* Starts the first step. True: ended runs once, while the loop is driven. False: it never does. */
bool journey_start(journey *self, void (*ended)(void *app), void *app);
/* The app's own timer went off. */
void journey_beat(journey *self);
/* Closes and frees, says how often the timer went off, and returns the exit code of the program. */
int journey_close(journey *self);

#endif
