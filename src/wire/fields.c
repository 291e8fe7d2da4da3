#include "wire/fields.h"
#include "base/error.h"
#include "wire/answer.h"

#include <stdlib.h>
#include <string.h>

/* Written from its last digit on. */
static const char *digits_of(int64_t number, char scratch[IDENTITY__ID_SCRATCH]) {
  char *at = &scratch[IDENTITY__ID_SCRATCH - 1];
  uint64_t left = (uint64_t)(number < 0 ? -number : number);
  *at = '\0';
  do {
    *--at = (char)('0' + left % 10);
    left /= 10;
  } while (left > 0);
  if (number < 0)
    *--at = '-';
  return at;
}

const char *identity__json_id(const identity__json *node, char scratch[IDENTITY__ID_SCRATCH]) {
  const char *text = identity__json_text(node);
  if (text != NULL)
    return text;
  int64_t number;
  return identity__json_integer(node, &number) ? digits_of(number, scratch) : NULL;
}

static const char *text_of(const identity__field *field, const identity__json *value,
                           char scratch[IDENTITY__ID_SCRATCH]) {
  return field->kind == IDENTITY__FIELD_ID ? identity__json_id(value, scratch) : identity__json_text(value);
}

static bool is_text(const identity__field *field) {
  return field->kind == IDENTITY__FIELD_TEXT || field->kind == IDENTITY__FIELD_ID;
}

/* One walk over the members: an object has few, and a look-up of each field would walk over all of them. */
void identity__fields_find(const identity__field *fields, size_t count, const identity__json *object,
                           const identity__json *values[]) {
  const identity__json *member = identity__json_is_object(object) ? identity__json_first(object) : NULL;
  for (size_t i = 0; i < count; i++)
    values[i] = NULL;
  for (; member != NULL; member = identity__json_next(member)) {
    const char *name = identity__json_name(member);
    size_t i = 0;
    while (i < count && (name[0] != fields[i].name[0] || strcmp(name, fields[i].name) != 0))
      i++;
    if (i < count)
      values[i] = member;
  }
}

size_t identity__fields_measure(const identity__field *fields, size_t count,
                                const identity__json *const values[]) {
  char scratch[IDENTITY__ID_SCRATCH];
  size_t size = 0;
  for (size_t i = 0; i < count; i++)
    if (is_text(&fields[i]))
      size += identity__block_text_cost(text_of(&fields[i], values[i], scratch));
  return size;
}

static bool fill_one(const identity__field *field, const identity__json *value, char *place,
                     identity__block *block) {
  char scratch[IDENTITY__ID_SCRATCH];
  if (field->kind == IDENTITY__FIELD_FLAG) {
    int32_t flag = 0;
    bool found = identity__json_flag(value, &flag);
    memcpy(place, &flag, sizeof flag);
    return found;
  }
  if (field->kind == IDENTITY__FIELD_INTEGER) {
    int64_t integer = 0;
    bool found = identity__json_integer(value, &integer);
    memcpy(place, &integer, sizeof integer);
    return found;
  }
  const char *text = identity__block_text(block, text_of(field, value, scratch));
  memcpy(place, &text, sizeof text);
  return text != NULL;
}

bool identity__fields_fill(const identity__field *fields, size_t count, const identity__json *const values[],
                           void *target, identity__block *block, const char **missing) {
  for (size_t i = 0; i < count; i++) {
    bool found = fill_one(&fields[i], values[i], (char *)target + fields[i].offset, block);
    if (found || !fields[i].needed)
      continue;
    *missing = fields[i].name;
    return false;
  }
  return true;
}

identity_status identity__fields_read(const identity__field *fields, size_t count,
                                      const identity__json *const values[], size_t size, size_t spare,
                                      identity__block *block, identity_error *error) {
  const char *missing = NULL;
  size_t whole = identity__block_cost(size) + identity__fields_measure(fields, count, values) + spare;
  if (!identity__block_init(block, whole))
    return identity__fail_plain(error, IDENTITY_OUT_OF_MEMORY);
  void *target = identity__block_take(block, size);
  if (identity__fields_fill(fields, count, values, target, block, &missing))
    return IDENTITY_OK;
  free(block->base);
  return identity__answer_lacks(missing, error);
}
