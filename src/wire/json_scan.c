#include "wire/json_scan.h"
#include "base/limits.h"
#include "base/text.h"

#include <stdint.h>
#include <string.h>

/* Each take_x begins at a place, and returns the place behind an x; NULL: there is none. Places are passed by
 * value: so they stay in registers. The zero byte behind the text is part of nothing: so nothing goes past
 * it, and few have to know where the end is. */

/* A list or an object that is open, or the text as a whole. Its sets have a bit for each wanted path. */
typedef struct level {
  const char *value; /* where what is taken now begins */
  uint32_t wanted;   /* paths that lead into this one */
  uint32_t met;      /* those that lead to that value, too */
  char closing;      /* bracket */
} level;

typedef struct scanner {
  const char *end;
  const char *eights_end; /* at each place before it there are eight bytes of the text */
  identity__json_raw *raws;
  uint32_t count;
  level levels[IDENTITY__MAX_JSON_DEPTH + 1];
} scanner;

/* Apart, as it is hardly ever needed. */
__attribute__((noinline)) static const char *skip_white(const char *at) {
  while (*at == ' ' || *at == '\n' || *at == '\r' || *at == '\t')
    at++;
  return at;
}

static inline const char *skip_space(const char *at) {
  return *at > ' ' ? at : skip_white(at);
}

static const char *take(const char *at, char expected) {
  return *at == expected ? at + 1 : NULL;
}

static const char *take_word(const char *at, const char *word) {
  while (*word != '\0')
    if (*at++ != *word++)
      return NULL;
  return at;
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

#define EACH(byte) (UINT64_C(0x0101010101010101) * (byte))

/* The top bit of each byte that ends a plain stretch: a control character or a quote (which follows the last
 * of them when its second bit is turned over), a backslash, or one beyond ASCII, which stays so in one of the
 * two differences at least. A borrow may set the bit of a byte behind the first such one, never of one before
 * it. */
static uint64_t specials(uint64_t bytes) {
  return (((bytes ^ EACH(0x02)) - EACH(0x21)) | ((bytes ^ EACH('\\')) - EACH(1))) & EACH(0x80);
}

/* Most of an answer is plain text: eight bytes at a time. */
static inline const char *skip_plain(const scanner *scan, const char *at) {
  for (; at < scan->eights_end; at += 8) {
    uint64_t found = specials(eight_bytes(at));
    if (found != 0)
      return at + __builtin_ctzll(found) / 8;
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

/* The rest of a string that is not all plain; apart, so that for one that is no registers are saved. */
__attribute__((noinline)) static const char *take_rest(const scanner *scan, const char *at) {
  while (at != NULL && *at != '"') {
    at = take_special(at, scan->end);
    if (at != NULL)
      at = skip_plain(scan, at);
  }
  return at != NULL ? at + 1 : NULL;
}

static inline const char *take_string(const scanner *scan, const char *at) {
  if (*at != '"')
    return NULL;
  at = skip_plain(scan, at + 1);
  return *at == '"' ? at + 1 : take_rest(scan, at);
}

static bool are_digits(uint64_t bytes) {
  return (((bytes - EACH('0')) | (bytes + EACH(0x7F - '9'))) & EACH(0x80)) == 0;
}

static const char *take_digits(const scanner *scan, const char *at) {
  const char *start = at;
  while (at < scan->eights_end && are_digits(eight_bytes(at)))
    at += 8;
  while (identity__is_digit(*at))
    at++;
  return at > start ? at : NULL;
}

static const char *take_exponent(const scanner *scan, const char *at) {
  if (*at == '+' || *at == '-')
    at++;
  return take_digits(scan, at);
}

static const char *take_number(const scanner *scan, const char *at) {
  const char *start = at;
  at += *at == '-';
  at = *at == '0' ? at + 1 : take_digits(scan, at);
  if (at != NULL && *at == '.')
    at = take_digits(scan, at + 1);
  if (at != NULL && (*at == 'e' || *at == 'E'))
    at = take_exponent(scan, at + 1);
  return at != NULL && at - start <= IDENTITY__MAX_JSON_NUMBER ? at : NULL;
}

/* ---- what is wanted ---- */

static bool is_name(const char *wanted, const char *name, size_t length) {
  size_t i = 0;
  while (i < length && wanted[i] == name[i]) /* no zero byte is in a name */
    i++;
  return i == length && wanted[i] == '\0';
}

/* Those of a set whose path goes on, below so many names, with this one. */
static uint32_t meet(const scanner *scan, uint32_t set, size_t depth, const char *name, size_t length) {
  uint32_t met = 0;
  for (uint32_t i = 0; i < scan->count; i++) {
    const char *wanted = (set >> i & 1) != 0 ? scan->raws[i].path[depth] : NULL;
    if (wanted != NULL && is_name(wanted, name, length))
      met |= UINT32_C(1) << i;
  }
  return met;
}

/* A value below so many names is what those of a set want whose path ends here. */
static void note(const scanner *scan, uint32_t set, size_t depth, const char *start, const char *end) {
  for (uint32_t i = 0; i < scan->count; i++)
    if ((set >> i & 1) != 0 && scan->raws[i].path[depth] == NULL)
      scan->raws[i].text = (identity__json_span){start, (size_t)(end - start)};
}

/* ---- values: nothing but one begins where it is taken, no white space ---- */

static const char *take_literal(const char *at) {
  switch (*at) {
  case 't':
    return take_word(at, "true");
  case 'f':
    return take_word(at, "false");
  default:
    return take_word(at, "null");
  }
}

/* A value that no others are in: most are. */
static const char *take_scalar(const scanner *scan, const char *at) {
  if (*at == '"')
    return take_string(scan, at);
  return *at <= '9' ? take_number(scan, at) : take_literal(at);
}

/* The name of a member, its colon and the white space around that. */
static const char *take_name(const scanner *scan, level *object, const char *at) {
  const char *behind = take_string(scan, at);
  if (behind == NULL)
    return NULL;
  if (object->wanted != 0) /* its length without its quotes */
    object->met =
        meet(scan, object->wanted, (size_t)(object - scan->levels) - 1, at + 1, (size_t)(behind - at) - 2);
  at = take(skip_space(behind), ':');
  return at != NULL ? skip_space(at) : NULL;
}

/* At a bracket. A list ends every path. */
static level *enter(level *outer, char bracket) {
  level *inner = outer + 1;
  bool named = bracket == '{';
  inner->wanted = named ? outer->met : 0;
  inner->met = 0;
  inner->closing = named ? '}' : ']';
  return inner;
}

/* The value of the text. No recursion: a device has little stack. Above a value are as many names as open
 * brackets on every path that still leads there. */
static const char *take_text(scanner *scan, const char *at, uint32_t wanted) {
  level *const outermost = scan->levels;
  level *inner = outermost;
  inner->met = wanted;
  inner->closing = '\0';
  for (;;) {
    if (inner->closing == '}' && (at = take_name(scan, inner, at)) == NULL)
      return NULL;
    inner->value = at;
    if (*at == '{' || *at == '[') {
      if (inner == outermost + IDENTITY__MAX_JSON_DEPTH)
        return NULL;
      inner = enter(inner, *at);
      at = skip_space(at + 1);
      if (*at != inner->closing)
        continue;
      inner--; /* nothing is in it */
      at++;
    } else if ((at = take_scalar(scan, at)) == NULL)
      return NULL;
    for (;;) { /* behind a value: which may be the last of more than one level */
      if (inner->met != 0)
        note(scan, inner->met, (size_t)(inner - outermost), inner->value, at);
      if (inner == outermost)
        return at;
      at = skip_space(at);
      if (*at == ',')
        break;
      if (*at++ != inner->closing)
        return NULL;
      inner--;
    }
    at = skip_space(at + 1);
  }
}

bool identity__json_scan(const char *bytes, size_t length, identity__json_raw *raws, uint32_t count) {
  scanner scan;
  scan.end = bytes + length;
  scan.eights_end = length >= 8 ? scan.end - 7 : bytes;
  scan.raws = raws;
  scan.count = count;
  for (uint32_t i = 0; i < count; i++)
    raws[i].text = (identity__json_span){NULL, 0};
  const char *at = take_text(&scan, skip_space(bytes), (UINT32_C(1) << count) - 1);
  return at != NULL && skip_space(at) == scan.end;
}
