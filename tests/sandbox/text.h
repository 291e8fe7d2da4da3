/* Growing text, and the few checks on text that the service needs. */
#ifndef SBX_TEXT_H
#define SBX_TEXT_H

#include <stdbool.h>
#include <stddef.h>

/* Starts as {0}. After a failed allocation every further call does nothing and sbx_text_take() gives NULL. */
struct sbx_text {
  char *bytes;
  size_t length;
  size_t capacity;
  bool failed;
};

void sbx_text_add(struct sbx_text *text, const char *piece);
void sbx_text_add_bytes(struct sbx_text *text, const char *bytes, size_t length);
void sbx_text_add_query_value(struct sbx_text *text, const char *value);
char *sbx_text_take(struct sbx_text *text);
void sbx_text_free(struct sbx_text *text);

/* NULL in, NULL out; NULL also when memory is out. */
char *sbx_text_copy(const char *text);
/* Replaces *slot by a copy of text (NULL clears it); false and unchanged when memory is out. */
bool sbx_text_replace(char **slot, const char *text);

bool sbx_utf8_valid(const char *bytes, size_t length);
size_t sbx_utf8_count(const char *text);
bool sbx_text_is_digits(const char *text);
bool sbx_text_ends_with(const char *text, const char *end);
/* Copies what is safe to print in a log line or the journal; everything else becomes '?'. */
void sbx_text_copy_printable(char *out, size_t capacity, const char *text);

#endif
