/* The two clocks, read once per step and handed down as a value: the pure rooms never ask the time
 * themselves. */
#ifndef IDENTITY__CLOCK_H
#define IDENTITY__CLOCK_H

#include <stdint.h>

typedef struct identity__now {
  int64_t boot_ms; /* since boot, running through suspend: what ages and deadlines are measured on */
  int64_t wall_ms; /* since 1970, as the device believes */
} identity__now;

/* The moment of a step: the pure rooms have no clock and no dice. */
typedef struct identity__moment {
  identity__now now;
  uint64_t random;
} identity__moment;

/* A device clock before the release of this library is wrong (raised at each release): 2026-01-01. */
#define IDENTITY__CLOCK_FLOOR_S INT64_C(1767225600)

enum { IDENTITY__BOOT_ID_SIZE = 40 };

/* Where a session takes the time from: the host's clock, or the system's (now NULL). */
typedef struct identity__clock {
  void (*now)(void *user_data, int64_t *boot_ms, int64_t *wall_ms);
  void *user_data;
  char boot_id[IDENTITY__BOOT_ID_SIZE]; /* empty: as the system says */
} identity__clock;

identity__now identity__clock_read(const identity__clock *clock);
int64_t identity__clock_read_boot_ms(const identity__clock *clock);
/* The system's time since boot, for what has to do with this machine and not with tokens. */
int64_t identity__clock_boot_ms(void);
/* Names this boot; empty when the system cannot tell. */
void identity__clock_boot_id(char boot_id[IDENTITY__BOOT_ID_SIZE]);
/* Unpredictable enough for jitter and handle names; not for keys. */
uint64_t identity__clock_random(void);

#endif
