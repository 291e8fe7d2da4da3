/* A stage with a shared loop, anew for each test. It is driven by ticks, unless STAGE_DRIVE says otherwise. */
#ifndef SUPPORT_SHARED_H
#define SUPPORT_SHARED_H

#include "support/aloop.h"
#include "support/stage.h"

#ifndef STAGE_DRIVE
#define STAGE_DRIVE DRIVE_TICK
#endif

static aloop shared;

static int begin(void **state) {
  (void)reset(state);
  aloop_start(&shared, service_config(&server), STAGE_DRIVE);
  return 0;
}

static inline int end(void **state) {
  (void)state;
  aloop_stop(&shared);
  return 0;
}

#endif
