/* How much of the heap the program and the library's archive hold, by what they ask for and give back: the
 * linker puts these functions in their way (--wrap, in the Makefile), so it tells under sanitizers and
 * valgrind, too. To be included by one file of a program, of one thread. */
#ifndef SUPPORT_HEAP_H
#define SUPPORT_HEAP_H

#include <malloc.h>
#include <stddef.h>
#include <stdlib.h>

typedef struct heap_mark {
  size_t counted;
  size_t told; /* by the allocator: of libcurl's and cJSON's, too; always 0 where it has no say */
} heap_mark;

static size_t heap_counted;

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void __real_free(void *memory);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void __wrap_free(void *memory);

/* As glibc takes it on 64 bits, whoever is the allocator: eight bytes more, in steps of 16, at least 32. */
static size_t heap_taken(void *memory) {
  enum { OWN = 8, STEP = 16, LEAST = 32 };
  size_t size = memory != NULL ? malloc_usable_size(memory) + OWN : 0;
  size_t whole = (size + STEP - 1) / STEP * STEP;
  return size > 0 && whole < LEAST ? LEAST : whole;
}

void *__wrap_malloc(size_t size) {
  void *memory = __real_malloc(size);
  heap_counted += heap_taken(memory);
  return memory;
}

void *__wrap_calloc(size_t count, size_t size) {
  void *memory = __real_calloc(count, size);
  heap_counted += heap_taken(memory);
  return memory;
}

void __wrap_free(void *memory) {
  heap_counted -= heap_taken(memory);
  __real_free(memory);
}

static heap_mark heap_now(void) {
  heap_mark mark = {.counted = heap_counted};
#if defined(__GLIBC__) && (__GLIBC__ > 2 || __GLIBC_MINOR__ >= 33)
  struct mallinfo2 info = mallinfo2();
  mark.told = info.uordblks + info.hblkhd;
#endif
  return mark;
}

/* By the larger of the two figures. */
static size_t heap_between(heap_mark less, heap_mark more) {
  size_t counted = more.counted - less.counted;
  size_t told = more.told - less.told;
  return counted > told ? counted : told;
}

#endif
