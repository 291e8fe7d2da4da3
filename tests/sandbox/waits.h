/* Timers for requests that are held back: nothing in the service ever sleeps. */
#ifndef SBX_WAITS_H
#define SBX_WAITS_H

#include <stdbool.h>
#include <stdint.h>

struct sbx_wait {
  struct sbx_wait *next;
  struct sbx_wait *previous;
  bool active;
  int64_t due_ms; /* on the monotonic clock */
  void (*over)(struct sbx_wait *wait);
  void *owner;
};

/* The earliest first. */
struct sbx_waits {
  struct sbx_wait *first;
};

void sbx_wait_start(struct sbx_waits *waits, struct sbx_wait *wait, int64_t due_ms);
void sbx_wait_stop(struct sbx_waits *waits, struct sbx_wait *wait);
/* Ends each wait that is due; true if there was one. */
bool sbx_waits_run(struct sbx_waits *waits);
/* Milliseconds to the next one; -1: none. */
int sbx_waits_timeout(const struct sbx_waits *waits);

#endif
