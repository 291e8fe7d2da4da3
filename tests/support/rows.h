/* Tables of cases: every failure names its row. */
#ifndef SUPPORT_ROWS_H
#define SUPPORT_ROWS_H

#include "support/suite.h"

#include <inttypes.h>
#include <stdlib.h>

#define COUNT(rows) (sizeof(rows) / sizeof((rows)[0]))

#define CHECK(row, condition)                                                                                \
  do {                                                                                                       \
    if (!(condition))                                                                                        \
      fail_msg("row \"%s\": %s", (row), #condition);                                                         \
  } while (0)

#define CHECK_INT(row, got, wanted)                                                                          \
  do {                                                                                                       \
    int64_t check_got = (int64_t)(got);                                                                      \
    int64_t check_wanted = (int64_t)(wanted);                                                                \
    if (check_got != check_wanted)                                                                           \
      fail_msg("row \"%s\": %s is %" PRId64 " (0x%" PRIx64 "), not %" PRId64 " (0x%" PRIx64 ")", (row),      \
               #got, check_got, (uint64_t)check_got, check_wanted, (uint64_t)check_wanted);                  \
  } while (0)

/* NULL is a value of its own. */
#define CHECK_TEXT(row, got, wanted)                                                                         \
  do {                                                                                                       \
    const char *check_got = (got);                                                                           \
    const char *check_wanted = (wanted);                                                                     \
    if ((check_got == NULL) != (check_wanted == NULL) ||                                                     \
        (check_got != NULL && strcmp(check_got, check_wanted) != 0))                                         \
      fail_msg("row \"%s\": %s is \"%s\", not \"%s\"", (row), #got,                                          \
               check_got != NULL ? check_got : "(none)", check_wanted != NULL ? check_wanted : "(none)");    \
  } while (0)

/* Bytes at the end of their own allocation, so that a sanitizer sees one byte too many; free() them. */
static inline char *exact_copy(const char *bytes, size_t length) {
  char *copy = malloc(length > 0 ? length : 1);
  assert_non_null(copy);
  if (length > 0)
    memcpy(copy, bytes, length);
  return copy;
}

/* The same with a zero byte behind it. */
static inline char *exact_text(const char *bytes, size_t length) {
  char *copy = malloc(length + 1);
  assert_non_null(copy);
  memcpy(copy, bytes, length);
  copy[length] = '\0';
  return copy;
}

/* A text of so many times the same character; free() it. */
static inline char *repeated(char c, size_t count) {
  char *text = malloc(count + 1);
  assert_non_null(text);
  memset(text, c, count);
  text[count] = '\0';
  return text;
}

#endif
