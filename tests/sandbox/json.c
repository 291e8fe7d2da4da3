#include "json.h"

#include "text.h"

#include <string.h>

/* cJSON would cut a string at \u0000, so two readers of the same body could disagree about what it says. */
static bool has_escaped_nul(const char *bytes, size_t length) {
  for (size_t at = 0; at + 5 < length; at++) {
    if (bytes[at] != '\\')
      continue;
    if (memcmp(bytes + at + 1, "u0000", 5) == 0)
      return true;
    at++;
  }
  return false;
}

cJSON *sbx_json_parse(const char *bytes, size_t length) {
  if (bytes == NULL || !sbx_utf8_valid(bytes, length) || has_escaped_nul(bytes, length))
    return NULL;
  const char *end = NULL;
  cJSON *value = cJSON_ParseWithLengthOpts(bytes, length, &end, false);
  if (value == NULL)
    return NULL;
  for (; end < bytes + length; end++) {
    if (strchr(" \t\r\n", *end) == NULL) {
      cJSON_Delete(value);
      return NULL;
    }
  }
  return value;
}

const cJSON *sbx_json_member(const cJSON *object, const char *name) {
  return cJSON_GetObjectItemCaseSensitive(object, name);
}

const char *sbx_json_text(const cJSON *object, const char *name) {
  const cJSON *item = sbx_json_member(object, name);
  return cJSON_IsString(item) ? item->valuestring : NULL;
}

bool sbx_json_flag(const cJSON *object, const char *name, bool fallback) {
  const cJSON *item = sbx_json_member(object, name);
  return cJSON_IsBool(item) ? cJSON_IsTrue(item) != 0 : fallback;
}

bool sbx_json_is_integer(const cJSON *item, int64_t *value) {
  if (!cJSON_IsNumber(item))
    return false;
  double number = item->valuedouble;
  if (!(number >= -9007199254740991.0 && number <= 9007199254740991.0))
    return false;
  int64_t whole = (int64_t)number;
  if ((double)whole < number || (double)whole > number)
    return false;
  *value = whole;
  return true;
}

int64_t sbx_json_integer(const cJSON *object, const char *name, int64_t fallback) {
  int64_t value = 0;
  return sbx_json_is_integer(sbx_json_member(object, name), &value) ? value : fallback;
}

bool sbx_json_given(const cJSON *object, const char *name) {
  const cJSON *item = sbx_json_member(object, name);
  return item != NULL && !cJSON_IsNull(item);
}

bool sbx_json_put(cJSON *object, const char *name, cJSON *item) {
  if (object != NULL && item != NULL && cJSON_AddItemToObject(object, name, item))
    return true;
  cJSON_Delete(item);
  return false;
}

bool sbx_json_put_text(cJSON *object, const char *name, const char *text) {
  return sbx_json_put(object, name, text == NULL ? cJSON_CreateNull() : cJSON_CreateString(text));
}

bool sbx_json_put_number(cJSON *object, const char *name, double number) {
  return sbx_json_put(object, name, cJSON_CreateNumber(number));
}

bool sbx_json_put_integer(cJSON *object, const char *name, int64_t number) {
  return sbx_json_put_number(object, name, (double)number);
}

bool sbx_json_put_flag(cJSON *object, const char *name, bool flag) {
  return sbx_json_put(object, name, cJSON_CreateBool(flag));
}

bool sbx_json_append(cJSON *array, cJSON *item) {
  if (array != NULL && item != NULL && cJSON_AddItemToArray(array, item))
    return true;
  cJSON_Delete(item);
  return false;
}

bool sbx_json_set(cJSON *object, const char *name, cJSON *item) {
  if (object == NULL || item == NULL) {
    cJSON_Delete(item);
    return false;
  }
  cJSON_DeleteItemFromObjectCaseSensitive(object, name);
  return sbx_json_put(object, name, item);
}

cJSON *sbx_json_finish(cJSON *item, bool ok) {
  if (ok)
    return item;
  cJSON_Delete(item);
  return NULL;
}
