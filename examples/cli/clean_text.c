/* SPDX-License-Identifier: MIT
 *
 * Text that came from outside is made harmless before a terminal gets to see it. Every step only ever
 * shortens the text, so all work is done in place in a copy.
 */
#include "cli.h"

#include <stdlib.h>
#include <string.h>

/* Length of the UTF-8 character at text, and its code point; 0: broken. */
static size_t character_at(const char *text, uint32_t *code) {
  static const uint32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};
  const unsigned char *bytes = (const unsigned char *)text;
  size_t length = 0;
  if (bytes[0] < 0x80) {
    *code = bytes[0];
    return 1;
  }
  if (bytes[0] >= 0xC2 && bytes[0] <= 0xDF)
    length = 2;
  else if (bytes[0] >= 0xE0 && bytes[0] <= 0xEF)
    length = 3;
  else if (bytes[0] >= 0xF0 && bytes[0] <= 0xF4)
    length = 4;
  else
    return 0;
  uint32_t value = bytes[0] & (0xFFU >> (length + 1));
  for (size_t i = 1; i < length; i++) {
    if ((bytes[i] & 0xC0U) != 0x80U)
      return 0;
    value = value << 6 | (bytes[i] & 0x3FU);
  }
  *code = value;
  const bool surrogate = value >= 0xD800 && value <= 0xDFFF;
  return value < smallest[length] || value > 0x10FFFF || surrogate ? 0 : length;
}

/* Steers the terminal, or turns the direction of what follows. */
static bool is_unsafe(uint32_t code) {
  return code < 0x20 || (code >= 0x7F && code <= 0x9F) || code == 0x2028 || code == 0x2029 ||
         (code >= 0x202A && code <= 0x202E) || (code >= 0x2066 && code <= 0x2069) || code == 0xFEFF ||
         (code >= 0xE0000 && code <= 0xE007F);
}

/* Behind an escape sequence that begins at text: CSI up to its final byte, OSC and the like up to BEL or ESC
 * \. */
static const char *skip_escape(const char *text) {
  text++;
  if (*text == '[') {
    for (text++; *text != '\0' && !(*text >= 0x40 && *text <= 0x7E); text++)
      ;
  } else if (*text == ']' || *text == 'P' || *text == '^' || *text == '_' || *text == 'X') {
    for (text++; *text != '\0' && *text != '\a' && *text != '\033'; text++)
      ;
    if (*text == '\033' && text[1] == '\\')
      text++;
  }
  return *text == '\0' ? text : text + 1;
}

static void clean_in_place(char *text) {
  const char *from = text;
  char *to = text;
  while (*from != '\0') {
    uint32_t code = 0;
    if (*from == '\033') {
      from = skip_escape(from);
      continue;
    }
    const size_t length = character_at(from, &code);
    if (length == 0) {
      *to++ = '?';
      from++;
      continue;
    }
    if (code == '\n' || code == '\t')
      *to++ = ' ';
    else if (!is_unsafe(code))
      for (size_t i = 0; i < length; i++)
        *to++ = from[i];
    from += length;
  }
  *to = '\0';
}

static bool begins_tag(const char *text) {
  const char next = text[1];
  return text[0] == '<' && (next == '/' || next == '!' || next == '?' || (next >= 'a' && next <= 'z') ||
                            (next >= 'A' && next <= 'Z'));
}

/* Behind the tag that begins at text; a > inside quotes does not end it. */
static const char *skip_tag(const char *text) {
  char quote = '\0';
  for (text++; *text != '\0'; text++) {
    if (quote != '\0') {
      if (*text == quote)
        quote = '\0';
    } else if (*text == '"' || *text == '\'') {
      quote = *text;
    } else if (*text == '>') {
      return text + 1;
    }
  }
  return text;
}

/* The character that an entity at text stands for, and the entity's length; 0: none. */
static size_t entity_at(const char *text, char *character) {
  static const struct {
    const char *name;
    char character;
  } entities[] = {{"&amp;", '&'},   {"&lt;", '<'},   {"&gt;", '>'},  {"&quot;", '"'},
                  {"&apos;", '\''}, {"&#39;", '\''}, {"&nbsp;", ' '}};
  for (size_t i = 0; i < sizeof entities / sizeof entities[0]; i++) {
    const size_t length = strlen(entities[i].name);
    if (strncmp(text, entities[i].name, length) == 0) {
      *character = entities[i].character;
      return length;
    }
  }
  return 0;
}

static void strip_html_in_place(char *text) {
  const char *from = text;
  char *to = text;
  while (*from != '\0') {
    if (begins_tag(from)) {
      from = skip_tag(from);
      continue;
    }
    const size_t length = *from == '&' ? entity_at(from, to) : 0;
    if (length == 0)
      *to = *from;
    from += length == 0 ? 1 : length;
    to++;
  }
  *to = '\0';
}

char *text_clean(const char *text) {
  char *copy = strdup(text);
  if (copy != NULL)
    clean_in_place(copy);
  return copy;
}

char *text_clean_html(const char *text) {
  char *copy = strdup(text);
  if (copy == NULL)
    return NULL;
  strip_html_in_place(copy);
  clean_in_place(copy);
  return copy;
}

char *text_valid_utf8(const char *text) {
  char *copy = strdup(text);
  for (char *at = copy; at != NULL && *at != '\0';) {
    uint32_t code = 0;
    const size_t length = character_at(at, &code);
    if (length == 0)
      *at = '?';
    at += length == 0 ? 1 : length;
  }
  return copy;
}

size_t text_width(const char *text) {
  size_t width = 0;
  for (; *text != '\0'; text++)
    if (((unsigned char)*text & 0xC0U) != 0x80U)
      width++;
  return width;
}
