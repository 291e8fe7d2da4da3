#include "base/text.h"

#include <string.h>

char identity__lower(char c) {
  return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

bool identity__is_letter(char c) {
  char lower = identity__lower(c);
  return lower >= 'a' && lower <= 'z';
}

bool identity__all_digits(const char *text) {
  if (*text == '\0')
    return false;
  while (identity__is_digit(*text))
    text++;
  return *text == '\0';
}

bool identity__same_text(const char *a, const char *b) {
  while (*a != '\0' && identity__lower(*a) == identity__lower(*b)) {
    a++;
    b++;
  }
  return identity__lower(*a) == identity__lower(*b);
}

bool identity__starts_with(const char *text, const char *prefix) {
  return strncmp(text, prefix, strlen(prefix)) == 0;
}

static bool matches_here(const char *text, const char *needle) {
  while (*needle != '\0' && identity__lower(*text) == identity__lower(*needle)) {
    text++;
    needle++;
  }
  return *needle == '\0';
}

const char *identity__find_text(const char *text, const char *needle) {
  for (; *text != '\0'; text++)
    if (matches_here(text, needle))
      return text;
  return NULL;
}

/* Rows of RFC 3629 section 4: the range of the lead byte, of the byte after it, and the length. */
static const struct {
  uint8_t lead_from, lead_to, next_from, next_to, length;
} utf8_rows[] = {
    {0x00, 0x7F, 0, 0, 1},       {0xC2, 0xDF, 0x80, 0xBF, 2}, {0xE0, 0xE0, 0xA0, 0xBF, 3},
    {0xE1, 0xEC, 0x80, 0xBF, 3}, {0xED, 0xED, 0x80, 0x9F, 3}, {0xEE, 0xEF, 0x80, 0xBF, 3},
    {0xF0, 0xF0, 0x90, 0xBF, 4}, {0xF1, 0xF3, 0x80, 0xBF, 4}, {0xF4, 0xF4, 0x80, 0x8F, 4},
};

size_t identity__utf8_length(const char *text, size_t available) {
  const uint8_t *bytes = (const uint8_t *)text;
  if (available == 0)
    return 0;
  for (size_t row = 0; row < sizeof utf8_rows / sizeof utf8_rows[0]; row++) {
    if (bytes[0] < utf8_rows[row].lead_from || bytes[0] > utf8_rows[row].lead_to)
      continue;
    size_t length = utf8_rows[row].length;
    if (length > available)
      return 0;
    if (length > 1 && (bytes[1] < utf8_rows[row].next_from || bytes[1] > utf8_rows[row].next_to))
      return 0;
    for (size_t i = 2; i < length; i++)
      if ((bytes[i] & 0xC0) != 0x80)
        return 0;
    return length;
  }
  return 0;
}

int64_t identity__utf8_characters(const char *text) {
  size_t left = strlen(text);
  int64_t characters = 0;
  while (left > 0) {
    size_t length = identity__utf8_length(text, left);
    if (length == 0)
      return -1;
    text += length;
    left -= length;
    characters++;
  }
  return characters;
}

/* C0, DEL, C1 (U+0080 to U+009F), and what turns the direction of text (U+202A to U+202E, U+2066 to U+2069):
 * a terminal or a log viewer obeys them. */
static bool is_control(const char *text, size_t length) {
  const uint8_t *bytes = (const uint8_t *)text;
  if (length == 1)
    return bytes[0] < 0x20 || bytes[0] == 0x7F;
  if (length == 2)
    return bytes[0] == 0xC2 && bytes[1] < 0xA0;
  if (length != 3 || bytes[0] != 0xE2)
    return false;
  return (bytes[1] == 0x80 && bytes[2] >= 0xAA && bytes[2] <= 0xAE) ||
         (bytes[1] == 0x81 && bytes[2] >= 0xA6 && bytes[2] <= 0xA9);
}

void identity__copy_line(char *target, size_t size, const char *text) {
  size_t used = 0;
  size_t left = strlen(text);
  while (left > 0) {
    size_t length = identity__utf8_length(text, left);
    bool printable = length > 0 && !is_control(text, length);
    size_t step = length == 0 ? 1 : length;
    if (used + (printable ? step : 1) >= size)
      break;
    if (printable)
      memcpy(target + used, text, step);
    else
      target[used] = '?';
    used += printable ? step : 1;
    text += step;
    left -= step;
  }
  target[used] = '\0';
}

const char *identity__joined_text(const char *joined, size_t index) {
  for (; index > 0; index--)
    joined += strlen(joined) + 1;
  return joined;
}
