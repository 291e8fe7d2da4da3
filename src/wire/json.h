/* JSON documents. json.c alone knows cJSON; what comes in is scanned first (json_scan.h), so that cJSON only
 * ever sees well-formed UTF-8 JSON within the bounds, and never leaves a half-parsed secret behind. */
#ifndef IDENTITY__JSON_H
#define IDENTITY__JSON_H

#include "base/buffer.h"
#include "wire/json_scan.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct cJSON identity__json;

enum { IDENTITY__JSON_OK = 0, IDENTITY__JSON_INVALID = 1, IDENTITY__JSON_MEMORY = 2 };

/* ---- Reading. Names are case-sensitive; NULL nodes are taken as absent everywhere. ---- */
/* There must be a zero byte behind the text. Wanted raw texts are noted (json_scan.h). */
int identity__json_parse(const char *bytes, size_t length, identity__json_raw *raws, uint32_t count,
                         identity__json **root);
/* Wipes every text of the tree and frees it. */
void identity__json_free(identity__json *root);
/* Frees it as it is: of a tree that certainly holds no secret. */
void identity__json_free_plain(identity__json *root);
const char *identity__json_name(const identity__json *member);
const identity__json *identity__json_member(const identity__json *object, const char *name);
const identity__json *identity__json_first(const identity__json *list_or_object);
const identity__json *identity__json_next(const identity__json *item);
uint32_t identity__json_count(const identity__json *list);
bool identity__json_is_object(const identity__json *node);
bool identity__json_is_list(const identity__json *node);
bool identity__json_is_null(const identity__json *node);     /* null or absent */
const char *identity__json_text(const identity__json *node); /* NULL unless it is a string */
bool identity__json_flag(const identity__json *node, int32_t *value);
/* Only exact integers, up to +-(2^53 - 1) (RFC 8259 section 6). */
bool identity__json_integer(const identity__json *node, int64_t *value);

/* ---- Writing. A failed step shows when the document is printed; NULL values are left out. ---- */
identity__json *identity__json_new_object(void);
bool identity__json_put_text(identity__json *object, const char *name, const char *value);
/* Digits as a number of any size, anything else as a string. */
bool identity__json_put_digits(identity__json *object, const char *name, const char *digits);
identity__json *identity__json_put_list(identity__json *object, const char *name);
identity__json *identity__json_add_object(identity__json *list);
/* Prints without white space into an empty buffer and frees the document, also when it fails. */
bool identity__json_print(identity__json *root, bool complete, identity__buffer *text);

#endif
