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
/* How long a service is left alone that has answered that it is in trouble. Who has a dead JWT, and has not
 * failed yet, begins with the first: that may have been one bad answer. Who can do without begins with the
 * second. From the third on there is a try in about eight minutes; never do ten pass without one. */
#define IDENTITY__TROUBLE_FIRST_LEAST_MS IDENTITY__SECOND_MS
#define IDENTITY__TROUBLE_FIRST_MOST_MS (30 * IDENTITY__SECOND_MS)
#define IDENTITY__TROUBLE_SECOND_LEAST_MS (200 * IDENTITY__SECOND_MS)
#define IDENTITY__TROUBLE_SECOND_MOST_MS (400 * IDENTITY__SECOND_MS)
#define IDENTITY__TROUBLE_LATER_LEAST_MS (360 * IDENTITY__SECOND_MS)
#define IDENTITY__TROUBLE_LATER_MOST_MS (570 * IDENTITY__SECOND_MS)
/* The part of its life, in thousandths, after which a JWT is replaced in the background. Early and wide: who
 * has come back from an outage together is soon apart, and of those who would come as it ends most have
 * failed once before, and wait. */
#define IDENTITY__SOFT_LEAST_PERMILLE 550
#define IDENTITY__SOFT_MOST_PERMILLE 850
/* A Retry-After at its bound, with its jitter. */
#define IDENTITY__COOLDOWN_MOST_MS (IDENTITY__HOUR_MS + IDENTITY__HOUR_MS / 4)
#define IDENTITY__ABSENCE_MOST_MS (24 * IDENTITY__HOUR_MS * 400)
#define IDENTITY__CLOCK_FLOOR_MS (IDENTITY__CLOCK_FLOOR_S * IDENTITY__SECOND_MS)

#endif
