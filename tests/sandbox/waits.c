#include "waits.h"

#include "clock.h"

#include <stddef.h>

void sbx_wait_start(struct sbx_waits *waits, struct sbx_wait *wait, int64_t due_ms) {
  sbx_wait_stop(waits, wait);
  struct sbx_wait *before = NULL, *after = waits->first;
  while (after != NULL && after->due_ms <= due_ms) {
    before = after;
    after = after->next;
  }
  wait->due_ms = due_ms;
  wait->active = true;
  wait->previous = before;
  wait->next = after;
  if (before != NULL)
    before->next = wait;
  else
    waits->first = wait;
  if (after != NULL)
    after->previous = wait;
}

void sbx_wait_stop(struct sbx_waits *waits, struct sbx_wait *wait) {
  if (!wait->active)
    return;
  if (wait->previous != NULL)
    wait->previous->next = wait->next;
  else
    waits->first = wait->next;
  if (wait->next != NULL)
    wait->next->previous = wait->previous;
  wait->active = false;
}

/* `now` is read once, so that a wait that starts itself again can't hold the loop. */
bool sbx_waits_run(struct sbx_waits *waits) {
  int64_t now = sbx_monotonic_ms();
  bool any = false;
  while (waits->first != NULL && waits->first->due_ms <= now) {
    struct sbx_wait *wait = waits->first;
    sbx_wait_stop(waits, wait);
    wait->over(wait);
    any = true;
  }
  return any;
}

int sbx_waits_timeout(const struct sbx_waits *waits) {
  if (waits->first == NULL)
    return -1;
  int64_t left = waits->first->due_ms - sbx_monotonic_ms();
  if (left <= 0)
    return 0;
  return left > 60000 ? 60000 : (int)left;
}
