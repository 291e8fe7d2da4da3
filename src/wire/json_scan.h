/* A look at JSON text before a parser sees it: grammar of RFC 8259, UTF-8, depth, no \u0000, nothing behind
 * the value. */
#ifndef IDENTITY__JSON_SCAN_H
#define IDENTITY__JSON_SCAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct identity__json_span {
  const char *start; /* NULL: there is none */
  size_t length;
} identity__json_span;

enum { IDENTITY__JSON_PATH = 4, IDENTITY__JSON_RAWS = 31 };

/* A value whose text is wanted as it was written: for what must not go through a double and back. A name that
 * was written with escapes is not found. */
typedef struct identity__json_raw {
  const char *path[IDENTITY__JSON_PATH]; /* names of members, one inside the other; NULL ends it */
  identity__json_span text;
} identity__json_raw;

/* The text, which has a zero byte behind it, is exactly one JSON value within the bounds of limits.h. Fills
 * the texts of up to IDENTITY__JSON_RAWS wanted values as it goes by. */
bool identity__json_scan(const char *bytes, size_t length, identity__json_raw *raws, uint32_t count);

#endif
