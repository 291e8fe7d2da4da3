/* Lets the n-th allocation from now fail. To be included by one file of a program. Where another malloc is in
 * the way (a sanitizer, valgrind, another C library) nothing fails, and the test skips itself with
 * SKIP_WITHOUT_FAILURES. */
#ifndef SUPPORT_ALLOCATIONS_H
#define SUPPORT_ALLOCATIONS_H

#include <errno.h>
#include <stdlib.h>

/* How many succeed from now on; -1: all. Volatile: the compiler believes that malloc reads no variable of
 * ours. */
static volatile int allocations_left = -1;

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SUPPORT_SANITIZED 1
#endif
#elif defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SUPPORT_SANITIZED 1
#endif

#if defined(__GLIBC__) && !defined(SUPPORT_SANITIZED)
void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);

static int allocation_fails(void) {
  if (allocations_left == 0) {
    errno = ENOMEM;
    return 1;
  }
  if (allocations_left > 0)
    allocations_left--;
  return 0;
}

void *malloc(size_t size) {
  return allocation_fails() ? NULL : __libc_malloc(size);
}

void *calloc(size_t count, size_t size) {
  return allocation_fails() ? NULL : __libc_calloc(count, size);
}
#endif

static int allocations_can_fail(void) {
  allocations_left = 0;
  void *volatile memory = malloc(1);
  allocations_left = -1;
  free(memory);
  return memory == NULL;
}

#define SKIP_WITHOUT_FAILURES()                                                                              \
  do {                                                                                                       \
    if (!allocations_can_fail())                                                                             \
      skip();                                                                                                \
  } while (0)

#endif
