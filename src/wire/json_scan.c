#include "wire/json_scan.h"
#include "base/limits.h"
#include "base/text.h"

#include <stdint.h>
#include <string.h>

/* Each take_x begins at a place, and returns the place behind an x; NULL: there is none. Places are passed by
 * value: so they stay in registers. The zero byte behind the text is part of nothing: so nothing goes past
 * it, and few have to know where the end is. */

typedef struct scanner {
  const char *end;
  identity__json_raw *raws;
  uint32_t count;
} scanner;

static const char *skip_space(const char *at) {
  while (*at <= ' ' && (*at == ' ' || *at == '\n' || *at == '\r' || *at == '\t'))
    at++;
  return at;
}

static const char *take(const char *at, char expected) {
  return *at == expected ? at + 1 : NULL;
}

static const char *take_word(const char *at, const char *word) {
  size_t length = strlen(word);
  return strncmp(at, word, length) == 0 ? at + length : NULL;
}

static int32_t hex_value(char c) {
  if (identity__is_digit(c))
    return c - '0';
  char lower = identity__lower(c);
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

/* The four digits of an escape; -1: there are none. */
static int32_t unit_at(const char *at) {
  int32_t unit = 0;
  for (int i = 0; i < 4; i++) {
    int32_t digit = hex_value(at[i]);
    if (digit < 0)
      return -1;
    unit = unit * 16 + digit;
  }
  return unit;
}

/* Behind "\u": a character other than U+0000, or a whole pair of surrogates (RFC 8259 section 7). */
static const char *take_unicode(const char *at) {
  int32_t unit = unit_at(at);
  if (unit <= 0 || (unit >= 0xDC00 && unit <= 0xDFFF))
    return NULL;
  at += 4;
  if (unit < 0xD800 || unit > 0xDBFF)
    return at;
  at = take_word(at, "\\u");
  int32_t low = at != NULL ? unit_at(at) : -1;
  return low >= 0xDC00 && low <= 0xDFFF ? at + 4 : NULL;
}

/* Behind a backslash. */
static const char *take_escape(const char *at) {
  if (*at == 'u')
    return take_unicode(at + 1);
  return *at != '\0' && strchr("\"\\/bfnrt", *at) != NULL ? at + 1 : NULL;
}

/* The first of eight bytes at its low end, whatever machine this is. */
static uint64_t eight_bytes(const char *at) {
  uint64_t bytes;
  memcpy(&bytes, at, sizeof bytes);
#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
  bytes = __builtin_bswap64(bytes);
#endif
  return bytes;
}

/* The top bit of each byte that ends a plain stretch: a quote, a backslash, a control character, or one
 * beyond ASCII. A borrow may set the bit of a byte behind the first such one, never of one before it. */
static uint64_t specials(uint64_t bytes) {
  const uint64_t ones = UINT64_C(0x0101010101010101);
  uint64_t quotes = bytes ^ ones * '"';
  uint64_t slashes = bytes ^ ones * '\\';
  return ((quotes - ones) | (slashes - ones) | (bytes - ones * 0x20) | bytes) & ones * 0x80;
}

/* Most of an answer is plain text: eight bytes at a time. */
static const char *skip_plain(const char *at, const char *end) {
  while (end - at >= 8) {
    uint64_t found = specials(eight_bytes(at));
    if (found != 0)
      return at + __builtin_ctzll(found) / 8;
    at += 8;
  }
  while ((uint8_t)*at >= 0x20 && (uint8_t)*at < 0x80 && *at != '"' && *at != '\\')
    at++;
  return at;
}

/* What ends a plain stretch inside of a string: an escape, or a character beyond ASCII; nothing else may. */
static const char *take_special(const char *at, const char *end) {
  if (*at == '\\')
    return take_escape(at + 1);
  size_t length = (uint8_t)*at >= 0x80 ? identity__utf8_length(at, (size_t)(end - at)) : 0;
  return length > 0 ? at + length : NULL;
}

/* The rest of a string that is not all plain. */
static const char *take_rest(const char *at, const char *end) {
  while (at != NULL && *at != '"') {
    at = take_special(at, end);
    if (at != NULL)
      at = skip_plain(at, end);
  }
  return at != NULL ? at + 1 : NULL;
}

static const char *take_string(const char *at, const char *end) {
  if (*at != '"')
    return NULL;
  at = skip_plain(at + 1, end);
  return *at == '"' ? at + 1 : take_rest(at, end);
}

static const char *take_digits(const char *at) {
  const char *start = at;
  while (*at >= '0' && *at <= '9')
    at++;
  return at > start ? at : NULL;
}

static const char *take_exponent(const char *at) {
  if (*at == '+' || *at == '-')
    at++;
  return take_digits(at);
}

static const char *take_number(const char *at) {
  const char *start = at;
  at += *at == '-';
  at = *at == '0' ? at + 1 : take_digits(at);
  if (at != NULL && *at == '.')
    at = take_digits(at + 1);
  if (at != NULL && (*at == 'e' || *at == 'E'))
    at = take_exponent(at + 1);
  return at != NULL && at - start <= IDENTITY__MAX_JSON_NUMBER ? at : NULL;
}

/* ---- what is wanted: a set has a bit for each of its paths ---- */

/* Those of a set whose path goes on, below so many names, with this one. */
static uint32_t meet(const scanner *scan, uint32_t set, uint32_t depth, const char *name, size_t length) {
  uint32_t met = 0;
  for (uint32_t i = 0; i < scan->count; i++) {
    const char *wanted = (set >> i & 1) != 0 ? scan->raws[i].path[depth] : NULL;
    if (wanted != NULL && strlen(wanted) == length && memcmp(wanted, name, length) == 0)
      met |= UINT32_C(1) << i;
  }
  return met;
}

/* A value below so many names is what those of a set want whose path ends here. */
static void note(const scanner *scan, uint32_t set, uint32_t depth, const char *start, const char *end) {
  for (uint32_t i = 0; i < scan->count; i++)
    if ((set >> i & 1) != 0 && scan->raws[i].path[depth] == NULL)
      scan->raws[i].text = (identity__json_span){start, (size_t)(end - start)};
}

/* ---- values: nothing but one begins where it is taken, no white space ---- */

static const char *take_text_or_number(const char *at, const char *end) {
  switch (*at) {
  case '"':
    return take_string(at, end);
  case 't':
    return take_word(at, "true");
  case 'f':
    return take_word(at, "false");
  case 'n':
    return take_word(at, "null");
  default:
    return take_number(at);
  }
}

static const char *take_list(const scanner *scan, const char *at, uint32_t depth);
static const char *take_object(const scanner *scan, const char *at, uint32_t depth, uint32_t wanted);

/* Recursion is bounded by IDENTITY__MAX_JSON_DEPTH. */
static const char *take_value(const scanner *scan, const char *at, uint32_t depth, uint32_t wanted) {
  if (*at == '{')
    return depth < IDENTITY__MAX_JSON_DEPTH ? take_object(scan, at + 1, depth + 1, wanted) : NULL;
  if (*at == '[')
    return depth < IDENTITY__MAX_JSON_DEPTH ? take_list(scan, at + 1, depth + 1) : NULL;
  return take_text_or_number(at, scan->end);
}

/* Behind the opening bracket, which depth counts. */
static const char *take_list(const scanner *scan, const char *at, uint32_t depth) {
  at = skip_space(at);
  if (*at == ']')
    return at + 1;
  for (;;) {
    at = take_value(scan, at, depth, 0);
    if (at == NULL)
      return NULL;
    at = skip_space(at);
    if (*at != ',')
      return take(at, ']');
    at = skip_space(at + 1);
  }
}

/* A name, its colon and the white space behind it. */
static const char *take_name(const char *at, const char *end, size_t *length) {
  const char *behind = take_string(at, end);
  if (behind == NULL)
    return NULL;
  *length = (size_t)(behind - at) - 2; /* without its quotes */
  at = take(skip_space(behind), ':');
  return at != NULL ? skip_space(at) : NULL;
}

/* As take_list. Above it are as many names of the wanted paths as brackets: a list ends every path. */
static const char *take_object(const scanner *scan, const char *at, uint32_t depth, uint32_t wanted) {
  at = skip_space(at);
  if (*at == '}')
    return at + 1;
  for (;;) {
    size_t length;
    const char *name = at + 1;
    const char *value = take_name(at, scan->end, &length);
    if (value == NULL)
      return NULL;
    uint32_t met = wanted != 0 ? meet(scan, wanted, depth - 1, name, length) : 0;
    at = take_value(scan, value, depth, met);
    if (at == NULL)
      return NULL;
    if (met != 0)
      note(scan, met, depth, value, at);
    at = skip_space(at);
    if (*at != ',')
      return take(at, '}');
    at = skip_space(at + 1);
  }
}

bool identity__json_scan(const char *bytes, size_t length, identity__json_raw *raws, uint32_t count) {
  const scanner scan = {.end = bytes + length, .raws = raws, .count = count};
  const uint32_t all = (UINT32_C(1) << count) - 1;
  for (uint32_t i = 0; i < count; i++)
    raws[i].text = (identity__json_span){NULL, 0};
  const char *start = skip_space(bytes);
  const char *at = take_value(&scan, start, 0, all);
  if (at == NULL)
    return false;
  note(&scan, all, 0, start, at);
  return skip_space(at) == scan.end;
}
