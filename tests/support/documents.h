/* JSON documents of a test, parsed from memory of the exact size. */
#ifndef SUPPORT_DOCUMENTS_H
#define SUPPORT_DOCUMENTS_H

#include "support/rows.h"

#include "wire/json.h"

static identity__json *document;

static inline void drop_document(void) {
  identity__json_free(document);
  document = NULL;
}

static inline const identity__json *parse_part(const char *row, const char *text, size_t length) {
  drop_document();
  char *copy = exact_text(text, length);
  int result = identity__json_parse(copy, length, NULL, 0, &document);
  free(copy);
  CHECK_INT(row, result, IDENTITY__JSON_OK);
  return document;
}

static inline const identity__json *parse(const char *text) {
  return parse_part(text, text, strlen(text));
}

/* head, then count times item joined by commas, then tail; free() it. */
static inline char *long_list(const char *head, const char *item, size_t count, const char *tail) {
  size_t size = strlen(head) + count * (strlen(item) + 1) + strlen(tail) + 1;
  char *text = malloc(size);
  assert_non_null(text);
  char *at = text + sprintf(text, "%s", head);
  for (size_t i = 0; i < count; i++)
    at += sprintf(at, "%s%s", i > 0 ? "," : "", item);
  (void)sprintf(at, "%s", tail);
  return text;
}

static inline int end_document(void **state) {
  (void)state;
  drop_document();
  return 0;
}

#define DOCUMENT_TEST(name) cmocka_unit_test_teardown(name, end_document)

#endif
