/* A look at JSON text before a parser sees it: grammar of RFC 8259, UTF-8, depth, no \u0000, nothing behind
 * the value. */
#ifndef IDENTITY__JSON_SCAN_H
#define IDENTITY__JSON_SCAN_H

#include <stdbool.h>
#include <stddef.h>

/* The text is exactly one JSON value within the bounds of limits.h. */
bool identity__json_scan(const char *bytes, size_t length);

typedef struct identity__json_span {
  const char *start; /* NULL: there is no such member */
  size_t length;
} identity__json_span;

/* The raw text of a value by its path of member names (NULL ends it) in text that passed the scan: for what
 * must not go through a double and back. A name written with escapes is not found. */
identity__json_span identity__json_find(const char *bytes, size_t length, const char *const *path);

#endif
