#include "wire/json_scan.h"
#include "base/limits.h"
#include "base/text.h"

#include <stdint.h>
#include <string.h>

typedef struct scanner {
  const char *at;
  const char *end;
  uint32_t depth;
} scanner;

static void skip_space(scanner *scan) {
  const char *at = scan->at;
  while (at < scan->end && *at <= ' ' && (*at == ' ' || *at == '\n' || *at == '\r' || *at == '\t'))
    at++;
  scan->at = at;
}

static bool take(scanner *scan, char expected) {
  if (scan->at >= scan->end || *scan->at != expected)
    return false;
  scan->at++;
  return true;
}

static bool take_word(scanner *scan, const char *word) {
  size_t length = strlen(word);
  if ((size_t)(scan->end - scan->at) < length || memcmp(scan->at, word, length) != 0)
    return false;
  scan->at += length;
  return true;
}

static int32_t hex_value(char c) {
  if (identity__is_digit(c))
    return c - '0';
  char lower = identity__lower(c);
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

static int32_t take_unit(scanner *scan) {
  int32_t unit = 0;
  for (int i = 0; i < 4; i++) {
    int32_t digit = scan->at < scan->end ? hex_value(*scan->at) : -1;
    if (digit < 0)
      return -1;
    unit = unit * 16 + digit;
    scan->at++;
  }
  return unit;
}

/* Behind "\u": a character other than U+0000, or a whole pair of surrogates (RFC 8259 section 7). */
static bool take_unicode(scanner *scan) {
  int32_t unit = take_unit(scan);
  if (unit <= 0 || (unit >= 0xDC00 && unit <= 0xDFFF))
    return false;
  if (unit < 0xD800 || unit > 0xDBFF)
    return true;
  if (!take_word(scan, "\\u"))
    return false;
  int32_t low = take_unit(scan);
  return low >= 0xDC00 && low <= 0xDFFF;
}

static bool take_escape(scanner *scan) {
  if (scan->at >= scan->end)
    return false;
  char c = *scan->at++;
  if (c == 'u')
    return take_unicode(scan);
  return c != '\0' && strchr("\"\\/bfnrt", c) != NULL;
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
  while (at < end && (uint8_t)*at >= 0x20 && (uint8_t)*at < 0x80 && *at != '"' && *at != '\\')
    at++;
  return at;
}

static bool take_string(scanner *scan) {
  if (!take(scan, '"'))
    return false;
  while ((scan->at = skip_plain(scan->at, scan->end)) < scan->end) {
    uint8_t c = (uint8_t)*scan->at;
    size_t length = c >= 0x80 ? identity__utf8_length(scan->at, (size_t)(scan->end - scan->at)) : 1;
    if (c < 0x20 || length == 0)
      return false;
    scan->at += length;
    if (c == '"')
      return true;
    if (c == '\\' && !take_escape(scan))
      return false;
  }
  return false;
}

static bool take_digits(scanner *scan) {
  const char *at = scan->at;
  while (at < scan->end && *at >= '0' && *at <= '9')
    at++;
  bool any = at > scan->at;
  scan->at = at;
  return any;
}

static bool take_number_text(scanner *scan) {
  (void)take(scan, '-');
  if (!take(scan, '0') && !take_digits(scan))
    return false;
  if (take(scan, '.') && !take_digits(scan))
    return false;
  if (!take(scan, 'e') && !take(scan, 'E'))
    return true;
  if (!take(scan, '+'))
    (void)take(scan, '-');
  return take_digits(scan);
}

static bool take_number(scanner *scan) {
  const char *start = scan->at;
  return take_number_text(scan) && scan->at - start <= IDENTITY__MAX_JSON_NUMBER;
}

static bool take_value(scanner *scan);

static bool take_name(scanner *scan) {
  skip_space(scan);
  if (!take_string(scan))
    return false;
  skip_space(scan);
  return take(scan, ':');
}

/* A list or, with close '}', an object; scan is behind the opening bracket. */
static bool take_members(scanner *scan, char close) {
  skip_space(scan);
  if (take(scan, close))
    return true;
  do {
    if (close == '}' && !take_name(scan))
      return false;
    if (!take_value(scan))
      return false;
    skip_space(scan);
  } while (take(scan, ','));
  return take(scan, close);
}

/* Recursion is bounded by IDENTITY__MAX_JSON_DEPTH. */
static bool take_value(scanner *scan) {
  skip_space(scan);
  if (scan->at >= scan->end)
    return false;
  switch (*scan->at) {
  case '{':
  case '[': {
    if (++scan->depth > IDENTITY__MAX_JSON_DEPTH)
      return false;
    char close = *scan->at++ == '{' ? '}' : ']';
    bool whole = take_members(scan, close);
    scan->depth--;
    return whole;
  }
  case '"':
    return take_string(scan);
  case 't':
    return take_word(scan, "true");
  case 'f':
    return take_word(scan, "false");
  case 'n':
    return take_word(scan, "null");
  default:
    return take_number(scan);
  }
}

bool identity__json_scan(const char *bytes, size_t length) {
  scanner scan = {.at = bytes, .end = bytes + length, .depth = 0};
  if (length == 0 || !take_value(&scan))
    return false;
  skip_space(&scan);
  return scan.at == scan.end;
}

/* ---- finding, in what the scan has found whole ---- */

/* Behind a list or an object: only its strings can hold a bracket that is none. */
static bool skip_nested(scanner *scan) {
  int32_t depth = 0;
  while (scan->at < scan->end) {
    char c = *scan->at;
    if (c == '"') {
      if (!take_string(scan))
        return false;
      continue;
    }
    scan->at++;
    depth += (c == '{' || c == '[') - (c == '}' || c == ']');
    if (depth == 0)
      return true;
  }
  return false;
}

static bool skip_value(scanner *scan) {
  skip_space(scan);
  bool nested = scan->at < scan->end && (*scan->at == '{' || *scan->at == '[');
  return nested ? skip_nested(scan) : take_value(scan);
}

/* Moves to the value of a member of the object that begins here. */
static bool enter_member(scanner *scan, const char *name) {
  skip_space(scan);
  if (!take(scan, '{'))
    return false;
  skip_space(scan);
  while (scan->at < scan->end && *scan->at != '}') {
    skip_space(scan);
    const char *start = scan->at;
    if (!take_string(scan))
      return false;
    size_t length = (size_t)(scan->at - start) - 2;
    skip_space(scan);
    (void)take(scan, ':');
    skip_space(scan);
    if (length == strlen(name) && memcmp(start + 1, name, length) == 0)
      return true;
    if (!skip_value(scan))
      return false;
    skip_space(scan);
    (void)take(scan, ',');
  }
  return false;
}

identity__json_span identity__json_find(const char *bytes, size_t length, const char *const *path) {
  scanner scan = {.at = bytes, .end = bytes + length, .depth = 0};
  identity__json_span none = {NULL, 0};
  for (; *path != NULL; path++)
    if (!enter_member(&scan, *path))
      return none;
  const char *start = scan.at;
  if (!skip_value(&scan))
    return none;
  identity__json_span span = {start, (size_t)(scan.at - start)};
  return span;
}
