#include "text.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static bool reserve(struct sbx_text *text, size_t extra) {
  if (text->failed || extra > SIZE_MAX / 4 - text->length) {
    text->failed = true;
    return false;
  }
  size_t needed = text->length + extra + 1;
  if (needed <= text->capacity)
    return true;
  size_t capacity = text->capacity == 0 ? 128 : text->capacity;
  while (capacity < needed)
    capacity *= 2;
  char *bytes = realloc(text->bytes, capacity);
  if (bytes == NULL) {
    text->failed = true;
    return false;
  }
  text->bytes = bytes;
  text->capacity = capacity;
  return true;
}

void sbx_text_add_bytes(struct sbx_text *text, const char *bytes, size_t length) {
  if (!reserve(text, length))
    return;
  if (length > 0)
    memcpy(text->bytes + text->length, bytes, length);
  text->length += length;
  text->bytes[text->length] = '\0';
}

void sbx_text_add(struct sbx_text *text, const char *piece) {
  sbx_text_add_bytes(text, piece, strlen(piece));
}

static bool is_unreserved(unsigned char c) {
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
         (c != '\0' && strchr("-._~", c) != NULL);
}

/* RFC 3986: everything but the unreserved characters is percent-encoded. */
void sbx_text_add_query_value(struct sbx_text *text, const char *value) {
  static const char hex[] = "0123456789ABCDEF";
  for (const char *at = value; *at != '\0'; at++) {
    unsigned char c = (unsigned char)*at;
    if (is_unreserved(c)) {
      sbx_text_add_bytes(text, at, 1);
      continue;
    }
    char encoded[3] = {'%', hex[c >> 4], hex[c & 15]};
    sbx_text_add_bytes(text, encoded, sizeof encoded);
  }
}

char *sbx_text_take(struct sbx_text *text) {
  if (!reserve(text, 0)) {
    sbx_text_free(text);
    return NULL;
  }
  text->bytes[text->length] = '\0';
  char *bytes = text->bytes;
  *text = (struct sbx_text){0};
  return bytes;
}

void sbx_text_free(struct sbx_text *text) {
  free(text->bytes);
  *text = (struct sbx_text){0};
}

char *sbx_text_copy(const char *text) {
  return text == NULL ? NULL : strdup(text);
}

bool sbx_text_replace(char **slot, const char *text) {
  char *copy = sbx_text_copy(text);
  if (copy == NULL && text != NULL)
    return false;
  free(*slot);
  *slot = copy;
  return true;
}

/* Length of the UTF-8 sequence at `bytes`, 0 when it is none. NUL counts as invalid: no text here holds one.
 */
static size_t sequence_length(const unsigned char *bytes, size_t left) {
  static const struct {
    unsigned char mask, lead;
    uint32_t smallest;
  } forms[] = {{0x80, 0x00, 0x1}, {0xe0, 0xc0, 0x80}, {0xf0, 0xe0, 0x800}, {0xf8, 0xf0, 0x10000}};
  for (size_t form = 0; form < sizeof forms / sizeof forms[0]; form++) {
    if ((bytes[0] & forms[form].mask) != forms[form].lead)
      continue;
    if (form + 1 > left)
      return 0;
    uint32_t point = bytes[0] & (unsigned char)~forms[form].mask;
    for (size_t i = 1; i <= form; i++) {
      if ((bytes[i] & 0xc0) != 0x80)
        return 0;
      point = (point << 6) | (bytes[i] & 0x3fU);
    }
    bool bad = point < forms[form].smallest || point > 0x10ffff || (point >= 0xd800 && point <= 0xdfff);
    return bad ? 0 : form + 1;
  }
  return 0;
}

bool sbx_utf8_valid(const char *bytes, size_t length) {
  for (size_t at = 0; at < length;) {
    size_t step = sequence_length((const unsigned char *)bytes + at, length - at);
    if (step == 0)
      return false;
    at += step;
  }
  return true;
}

size_t sbx_utf8_count(const char *text) {
  size_t count = 0;
  for (; *text != '\0'; text++)
    count += ((unsigned char)*text & 0xc0) != 0x80;
  return count;
}

bool sbx_text_is_digits(const char *text) {
  return *text != '\0' && text[strspn(text, "0123456789")] == '\0';
}

bool sbx_text_ends_with(const char *text, const char *end) {
  size_t length = strlen(text), end_length = strlen(end);
  return length >= end_length && strcasecmp(text + length - end_length, end) == 0;
}

void sbx_text_copy_printable(char *out, size_t capacity, const char *text) {
  size_t used = 0;
  for (; *text != '\0' && used + 1 < capacity; text++) {
    bool safe = *text > ' ' && *text < 0x7f;
    out[used++] = (char)(safe ? *text : '?');
  }
  out[used] = '\0';
}
