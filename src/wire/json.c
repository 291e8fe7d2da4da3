#include "wire/json.h"
#include "base/limits.h"
#include "base/secret.h"
#include "base/text.h"

#include <cjson/cJSON.h>
#include <stdlib.h>
#include <string.h>

static int compare_names(const void *a, const void *b) {
  return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Sorted, the same names are neighbours. There is one at least. */
static bool many_are_unique(const cJSON *object) {
  const char *names[IDENTITY__MAX_LIST];
  size_t count = 0;
  const cJSON *child = object->child;
  do {
    if (count == IDENTITY__MAX_LIST)
      return false;
    names[count++] = child->string;
    child = child->next;
  } while (child != NULL);
  qsort(names, count, sizeof names[0], compare_names);
  for (size_t i = 1; i < count; i++)
    if (strcmp(names[i - 1], names[i]) == 0)
      return false;
  return true;
}

enum { FEW = 16 }; /* so many are compared one by one */

/* Duplicate names: RFC 8259 section 4 leaves the meaning open, so two readers could see two customers. */
static bool members_are_unique(const cJSON *object) {
  int32_t count = 0;
  for (const cJSON *one = object->child; one != NULL; one = one->next) {
    if (++count > FEW)
      return many_are_unique(object);
    for (const cJSON *earlier = object->child; earlier != one; earlier = earlier->next)
      if (one->string[0] == earlier->string[0] && strcmp(one->string, earlier->string) == 0)
        return false;
  }
  return true;
}

static bool is_of(const cJSON *node, int type) {
  return node != NULL && (node->type & 0xFF) == type; /* above it, flags */
}

/* From node to node, without recursion. The tree is at most IDENTITY__MAX_JSON_DEPTH deep: the scan saw to
 * it.
 */
static bool names_are_unique(const cJSON *node) {
  const cJSON *above[IDENTITY__MAX_JSON_DEPTH];
  size_t depth = 0;
  for (;;) {
    if (is_of(node, cJSON_Object) && !members_are_unique(node))
      return false;
    if (node->child != NULL) {
      above[depth++] = node;
      node = node->child;
      continue;
    }
    while (node->next == NULL) {
      if (depth == 0)
        return true;
      node = above[--depth];
    }
    node = node->next;
  }
}

int identity__json_parse(const char *bytes, size_t length, identity__json_raw *raws, uint32_t count,
                         identity__json **root) {
  *root = NULL;
  if (!identity__json_scan(bytes, length, raws, count))
    return IDENTITY__JSON_INVALID;
  *root = cJSON_ParseWithLength(bytes, length);
  if (*root == NULL)
    return IDENTITY__JSON_MEMORY;
  if (names_are_unique(*root))
    return IDENTITY__JSON_OK;
  identity__json_free(*root);
  *root = NULL;
  return IDENTITY__JSON_INVALID;
}

static void wipe_texts(cJSON *node) {
  for (; node != NULL; node = node->next) {
    if (node->valuestring != NULL)
      identity__wipe(node->valuestring, strlen(node->valuestring));
    wipe_texts(node->child);
  }
}

void identity__json_free(identity__json *root) {
  wipe_texts(root);
  cJSON_Delete(root);
}

void identity__json_free_plain(identity__json *root) {
  cJSON_Delete(root);
}

const char *identity__json_name(const identity__json *member) {
  return member->string;
}

const identity__json *identity__json_member(const identity__json *object, const char *name) {
  return is_of(object, cJSON_Object) ? cJSON_GetObjectItemCaseSensitive(object, name) : NULL;
}

const identity__json *identity__json_first(const identity__json *list_or_object) {
  return list_or_object != NULL ? list_or_object->child : NULL;
}

const identity__json *identity__json_next(const identity__json *item) {
  return item->next;
}

uint32_t identity__json_count(const identity__json *list) {
  return is_of(list, cJSON_Array) ? (uint32_t)cJSON_GetArraySize(list) : 0;
}

bool identity__json_is_object(const identity__json *node) {
  return is_of(node, cJSON_Object);
}

bool identity__json_is_list(const identity__json *node) {
  return is_of(node, cJSON_Array);
}

bool identity__json_is_null(const identity__json *node) {
  return node == NULL || is_of(node, cJSON_NULL);
}

const char *identity__json_text(const identity__json *node) {
  return is_of(node, cJSON_String) ? node->valuestring : NULL;
}

bool identity__json_flag(const identity__json *node, int32_t *value) {
  bool yes = is_of(node, cJSON_True);
  if (!yes && !is_of(node, cJSON_False))
    return false;
  *value = yes ? 1 : 0;
  return true;
}

bool identity__json_integer(const identity__json *node, int64_t *value) {
  const double exact = 9007199254740991.0; /* 2^53 - 1: beyond, two integers are one double */
  const double half = 4294967296.0;        /* 2^32 */
  if (!is_of(node, cJSON_Number) || node->valuedouble < -exact || node->valuedouble > exact)
    return false;
  bool negative = node->valuedouble < 0;
  double size = negative ? -node->valuedouble : node->valuedouble;
  /* By halves: no 32-bit machine turns 64 bits into a double by itself, and what does is a kilobyte of code.
   */
  uint32_t high = (uint32_t)(size / half);
  double rest = size - high * half;
  uint32_t low = (uint32_t)rest;
  if (low < rest)
    return false;
  int64_t whole = (int64_t)high << 32 | low;
  *value = negative ? -whole : whole;
  return true;
}

identity__json *identity__json_new_object(void) {
  return cJSON_CreateObject();
}

static bool attach(identity__json *object, const char *name, cJSON *value) {
  if (value != NULL && object != NULL && cJSON_AddItemToObject(object, name, value))
    return true;
  identity__json_free(value);
  return false;
}

bool identity__json_put_text(identity__json *object, const char *name, const char *value) {
  return value == NULL || attach(object, name, cJSON_CreateString(value));
}

bool identity__json_put_digits(identity__json *object, const char *name, const char *digits) {
  if (digits == NULL)
    return true;
  if (!identity__all_digits(digits) || (digits[0] == '0' && digits[1] != '\0'))
    return attach(object, name, cJSON_CreateString(digits));
  return attach(object, name, cJSON_CreateRaw(digits));
}

identity__json *identity__json_put_list(identity__json *object, const char *name) {
  cJSON *list = cJSON_CreateArray();
  return attach(object, name, list) ? list : NULL;
}

identity__json *identity__json_add_object(identity__json *list) {
  cJSON *object = cJSON_CreateObject();
  if (object != NULL && list != NULL && cJSON_AddItemToArray(list, object))
    return object;
  cJSON_Delete(object);
  return NULL;
}

/* Upper bound of the printed size: a byte of text becomes six at most (\u001f). */
static size_t printed_bound(const cJSON *node) {
  size_t bound = 0;
  for (; node != NULL; node = node->next) {
    bound += 32;
    if (node->string != NULL)
      bound += strlen(node->string) * 6;
    if (node->valuestring != NULL)
      bound += strlen(node->valuestring) * 6;
    bound += printed_bound(node->child);
  }
  return bound;
}

/* cJSON_Print would leave copies of secrets behind in buffers it outgrew. */
bool identity__json_print(identity__json *root, bool complete, identity__buffer *text) {
  bool printed = false;
  size_t bound = root != NULL ? printed_bound(root) : 0;
  if (root != NULL && complete && bound <= INT32_MAX && identity__buffer_reserve(text, bound))
    printed = cJSON_PrintPreallocated(root, text->bytes + text->length, (int)bound, false);
  if (printed)
    text->length += strlen(text->bytes + text->length);
  identity__json_free(root);
  return printed;
}
