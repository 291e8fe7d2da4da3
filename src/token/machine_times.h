/* Times that the token machine goes by. */
#ifndef IDENTITY__MACHINE_TIMES_H
#define IDENTITY__MACHINE_TIMES_H

#include "base/clock.h"

#define IDENTITY__SECOND_MS INT64_C(1000)
#define IDENTITY__MINUTE_MS (60 * IDENTITY__SECOND_MS)
#define IDENTITY__HOUR_MS (60 * IDENTITY__MINUTE_MS)
#define IDENTITY__YOUNG_MS IDENTITY__MINUTE_MS /* a token younger than this is not worth a refresh */
#define IDENTITY__BACKOFF_FIRST_MS IDENTITY__SECOND_MS
#define IDENTITY__BACKOFF_MOST_MS (5 * IDENTITY__MINUTE_MS)
/* A Retry-After at its bound, with its jitter. */
#define IDENTITY__COOLDOWN_MOST_MS (IDENTITY__HOUR_MS + IDENTITY__HOUR_MS / 4)
#define IDENTITY__ABSENCE_MOST_MS (24 * IDENTITY__HOUR_MS * 400)
#define IDENTITY__CLOCK_FLOOR_MS (IDENTITY__CLOCK_FLOOR_S * IDENTITY__SECOND_MS)

#endif
