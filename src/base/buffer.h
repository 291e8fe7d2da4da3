/* Bytes that grow up to a bound. Growing copies, wipes and frees, because what grows is often secret. */
#ifndef IDENTITY__BUFFER_H
#define IDENTITY__BUFFER_H

#include <stdbool.h>
#include <stddef.h>

typedef struct identity__buffer {
  char *bytes; /* always ends with a zero byte that length does not count, once anything was added */
  size_t length;
  size_t capacity;
  size_t maximum;
  bool failed;  /* an append did not fit or memory was out: the content is not whole */
  bool starved; /* it was memory */
} identity__buffer;

void identity__buffer_init(identity__buffer *buffer, size_t maximum);
/* False when the bound is reached or memory is out; the buffer then stays failed until it is reset. */
bool identity__buffer_add(identity__buffer *buffer, const void *bytes, size_t length);
bool identity__buffer_add_text(identity__buffer *buffer, const char *text);
/* Makes room for length more bytes; the caller writes them and then adds to length itself. */
bool identity__buffer_reserve(identity__buffer *buffer, size_t length);
/* Wipes and empties, keeps the memory for the next use. */
void identity__buffer_reset(identity__buffer *buffer);
/* As reset, but what is no secret is only wiped when the memory goes. */
void identity__buffer_reset_plain(identity__buffer *buffer);
void identity__buffer_free(identity__buffer *buffer);

#endif
