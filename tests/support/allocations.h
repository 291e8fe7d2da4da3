/* Lets the n-th allocation from now fail. The linker puts these functions in the way of what the program and
 * the library's archive call (--wrap, in the Makefile), so it works under sanitizers and valgrind, too. To be
 * included by one file of a program. */
#ifndef SUPPORT_ALLOCATIONS_H
#define SUPPORT_ALLOCATIONS_H

#include <errno.h>
#include <stdlib.h>
#include <time.h>

/* How many succeed from now on; -1: all. */
static volatile int allocations_left = -1;
/* For how long they then fail; 0: until allocations_left is set anew; -1: only one does. */
static volatile int allocations_pause_ms = 0;
static volatile int allocations_failed = 0; /* how many so far */
/* Every so manieth fails, again and again; 0: not so. */
static volatile int allocations_period = 0;

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);

static long allocations_now_ms(void) {
  struct timespec now;
  (void)clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* True once the time is over that they fail for. */
static int allocations_are_back(void) {
  static long since_ms;
  if (allocations_failed == 0)
    since_ms = allocations_now_ms();
  if (allocations_pause_ms < 0)
    return allocations_failed > 0;
  return allocations_pause_ms > 0 && allocations_now_ms() - since_ms >= allocations_pause_ms;
}

static int allocation_fails(void) {
  if (allocations_left == 0 && allocations_period == 0 && allocations_are_back())
    allocations_left = -1;
  if (allocations_left == 0) {
    allocations_failed++;
    if (allocations_period > 0)
      allocations_left = allocations_period - 1;
    errno = ENOMEM;
    return 1;
  }
  if (allocations_left > 0)
    allocations_left--;
  return 0;
}

void *__wrap_malloc(size_t size) {
  return allocation_fails() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size) {
  return allocation_fails() ? NULL : __real_calloc(count, size);
}

#endif
