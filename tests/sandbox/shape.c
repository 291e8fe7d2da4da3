#include "shape.h"

#include "json.h"
#include "text.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

bool sbx_problem_say(struct sbx_problem *problem, const char *where, const char *format, ...) {
  char what[192];
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(what, sizeof what, format, arguments);
  va_end(arguments);
  snprintf(problem->text, sizeof problem->text, "%s: %s", where, what);
  return false;
}

static bool check_size(int64_t size, const char *what, const char *where, const struct sbx_field *field,
                       struct sbx_problem *problem) {
  if (size >= field->least && size <= field->most)
    return true;
  return sbx_problem_say(problem, where, "\"%s\" must be %s from %lld to %lld", field->name, what,
                         (long long)field->least, (long long)field->most);
}

static bool check_field(const cJSON *item, const char *where, const struct sbx_field *field,
                        struct sbx_problem *problem) {
  int64_t integer = 0;
  switch (field->kind) {
  case SBX_TEXT:
    if (!cJSON_IsString(item))
      return sbx_problem_say(problem, where, "\"%s\" must be a string", field->name);
    return check_size((int64_t)sbx_utf8_count(item->valuestring), "a string with a length", where, field,
                      problem);
  case SBX_INTEGER:
    if (!sbx_json_is_integer(item, &integer))
      return sbx_problem_say(problem, where, "\"%s\" must be a whole number", field->name);
    return check_size(integer, "a whole number", where, field, problem);
  case SBX_ARRAY:
    if (!cJSON_IsArray(item))
      return sbx_problem_say(problem, where, "\"%s\" must be an array", field->name);
    return check_size(cJSON_GetArraySize(item), "an array with a length", where, field, problem);
  case SBX_FLAG:
    return cJSON_IsBool(item) || sbx_problem_say(problem, where, "\"%s\" must be true or false", field->name);
  case SBX_OBJECT:
    return cJSON_IsObject(item) || sbx_problem_say(problem, where, "\"%s\" must be an object", field->name);
  case SBX_ANY:
    return true;
  }
  return false;
}

static const struct sbx_field *find_field(const struct sbx_field *fields, size_t count, const char *name) {
  for (size_t i = 0; i < count; i++) {
    if (strcmp(fields[i].name, name) == 0)
      return &fields[i];
  }
  return NULL;
}

bool sbx_shape_check(const cJSON *object, const char *where, const struct sbx_field *fields, size_t count,
                     struct sbx_problem *problem) {
  if (!cJSON_IsObject(object))
    return sbx_problem_say(problem, where, "must be an object");
  const cJSON *item = NULL;
  cJSON_ArrayForEach(item, object) {
    const struct sbx_field *field = find_field(fields, count, item->string);
    if (field == NULL) {
      char name[48];
      sbx_text_copy_printable(name, sizeof name, item->string);
      return sbx_problem_say(problem, where, "unknown member \"%s\"", name);
    }
    if (!check_field(item, where, field, problem))
      return false;
  }
  for (size_t i = 0; i < count; i++) {
    if (fields[i].required && sbx_json_member(object, fields[i].name) == NULL)
      return sbx_problem_say(problem, where, "\"%s\" is missing", fields[i].name);
  }
  return true;
}

bool sbx_shape_all_texts(const cJSON *array, const char *where, struct sbx_problem *problem) {
  const cJSON *item = NULL;
  cJSON_ArrayForEach(item, array) {
    if (!cJSON_IsString(item) || item->valuestring[0] == '\0')
      return sbx_problem_say(problem, where, "must hold only non-empty strings");
  }
  return true;
}
