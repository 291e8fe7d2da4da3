/* What the service needs on top of cJSON: a strict parser, and building with one check at the end. */
#ifndef SBX_JSON_H
#define SBX_JSON_H

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* NULL unless the bytes are exactly one JSON value in valid UTF-8 without U+0000. */
cJSON *sbx_json_parse(const char *bytes, size_t length);

/* Members by exact name; NULL or the fallback when absent or of another type. */
const cJSON *sbx_json_member(const cJSON *object, const char *name);
const char *sbx_json_text(const cJSON *object, const char *name);
bool sbx_json_flag(const cJSON *object, const char *name, bool fallback);
int64_t sbx_json_integer(const cJSON *object, const char *name, int64_t fallback);
/* A member that is absent or null is "not given": clients of the contract send null for what they have not.
 */
bool sbx_json_given(const cJSON *object, const char *name);
bool sbx_json_is_integer(const cJSON *item, int64_t *value);

/* Each returns false when memory is out or `object` is NULL; an item handed over is owned or freed either
 * way. */
bool sbx_json_put(cJSON *object, const char *name, cJSON *item);
bool sbx_json_put_text(cJSON *object, const char *name, const char *text); /* NULL text: null */
bool sbx_json_put_number(cJSON *object, const char *name, double number);
bool sbx_json_put_integer(cJSON *object, const char *name, int64_t number);
bool sbx_json_put_flag(cJSON *object, const char *name, bool flag);
bool sbx_json_append(cJSON *array, cJSON *item);
/* Replaces the member or adds it. */
bool sbx_json_set(cJSON *object, const char *name, cJSON *item);
/* `ok` ? item : NULL (and the item is freed): ends a chain of put calls. */
cJSON *sbx_json_finish(cJSON *item, bool ok);

#endif
