/* Lets the n-th allocation from now fail. The linker puts these functions in the way of what the program and
 * the library's archive call (--wrap, in the Makefile), so it works under sanitizers and valgrind, too. To be
 * included by one file of a program. */
#ifndef SUPPORT_ALLOCATIONS_H
#define SUPPORT_ALLOCATIONS_H

#include <errno.h>
#include <stdlib.h>

/* How many succeed from now on; -1: all. */
static volatile int allocations_left = -1;

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);

static int allocation_fails(void) {
  if (allocations_left == 0) {
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
