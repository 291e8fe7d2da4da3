#include "base/buffer.h"
#include "base/secret.h"

#include <stdlib.h>
#include <string.h>

enum { FIRST_CAPACITY = 256 };

void identity__buffer_init(identity__buffer *buffer, size_t maximum) {
  memset(buffer, 0, sizeof *buffer);
  buffer->maximum = maximum;
}

static bool grow(identity__buffer *buffer, size_t needed) {
  size_t capacity = buffer->capacity > 0 ? buffer->capacity : FIRST_CAPACITY;
  while (capacity < needed)
    capacity *= 2;
  char *bytes = malloc(capacity);
  if (bytes == NULL)
    return false;
  if (buffer->length > 0)
    memcpy(bytes, buffer->bytes, buffer->length);
  bytes[buffer->length] = '\0';
  identity__wipe(buffer->bytes, buffer->capacity);
  free(buffer->bytes);
  buffer->bytes = bytes;
  buffer->capacity = capacity;
  return true;
}

bool identity__buffer_reserve(identity__buffer *buffer, size_t length) {
  if (buffer->failed)
    return false;
  buffer->failed = true;
  if (length > buffer->maximum - buffer->length)
    return false;
  size_t needed = buffer->length + length + 1;
  buffer->starved = needed > buffer->capacity && !grow(buffer, needed);
  if (buffer->starved)
    return false;
  buffer->failed = false;
  return true;
}

static bool has_room(const identity__buffer *buffer, size_t length) {
  return !buffer->failed && length <= buffer->maximum - buffer->length &&
         buffer->length + length < buffer->capacity;
}

bool identity__buffer_add(identity__buffer *buffer, const void *bytes, size_t length) {
  if (!has_room(buffer, length) && !identity__buffer_reserve(buffer, length))
    return false;
  if (length > 0)
    memcpy(buffer->bytes + buffer->length, bytes, length);
  buffer->length += length;
  buffer->bytes[buffer->length] = '\0';
  return true;
}

bool identity__buffer_add_text(identity__buffer *buffer, const char *text) {
  return identity__buffer_add(buffer, text, strlen(text));
}

void identity__buffer_reset(identity__buffer *buffer) {
  identity__wipe(buffer->bytes, buffer->length);
  identity__buffer_reset_plain(buffer);
}

void identity__buffer_reset_plain(identity__buffer *buffer) {
  buffer->length = 0;
  buffer->failed = false;
  buffer->starved = false;
}

void identity__buffer_free(identity__buffer *buffer) {
  identity__wipe(buffer->bytes, buffer->capacity);
  free(buffer->bytes);
  identity__buffer_init(buffer, buffer->maximum);
}
