/* A random walk of an app on a loop: it starts, cancels, closes, opens, interrupts and frees as it likes,
 * also inside completions, while the service misbehaves. What must hold: a call that was taken completes
 * exactly once, and one that was not never does. */
#ifndef SUPPORT_ASYNC_WALK_H
#define SUPPORT_ASYNC_WALK_H

#include "support/twins.h"

typedef struct walked {
  int started, refused;
  int completed;    /* as often as it should */
  int by_class[11]; /* IDENTITY_CLASS_x */
  int inside;       /* acts inside completions */
  int loops;        /* that were freed, half of them inside a completion */
} walked;

/* The same seed walks the same way, as far as the service's timing allows. TWIN_MAIL must be registered.
 * Fails the running test, naming the seed. */
walked async_walk(service *server, unsigned seed, int steps);

#endif
