/* Which of many moments comes next: a pairing heap of members of what waits (Fredman, Sedgewick, Sleator,
 * Tarjan 1986), so that nothing is allocated and ten thousand waiting calls cost little. */
#ifndef IDENTITY__TIMERS_H
#define IDENTITY__TIMERS_H

#include <stdbool.h>
#include <stdint.h>

/* All zero: not set. */
typedef struct identity__timer {
  struct identity__timer *child;
  struct identity__timer *sibling;
  struct identity__timer *back; /* the one before among siblings; of the first, the parent */
  int64_t at_ms;
  int32_t kind; /* the owner's */
  bool set;
} identity__timer;

typedef struct identity__timers {
  identity__timer *first; /* the earliest; NULL: none is set */
} identity__timers;

/* Sets it, also anew; INT64_MAX: not at all. */
void identity__timers_set(identity__timers *timers, identity__timer *timer, int64_t at_ms);
/* Nothing for one that is not set. */
void identity__timers_clear(identity__timers *timers, identity__timer *timer);
/* The moment of the earliest; INT64_MAX: none is set. */
int64_t identity__timers_next_ms(const identity__timers *timers);

#endif
