/* One table-driven check for every JSON document a person writes: the config file, control requests, faults.
 */
#ifndef SBX_SHAPE_H
#define SBX_SHAPE_H

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum sbx_kind { SBX_TEXT, SBX_FLAG, SBX_INTEGER, SBX_OBJECT, SBX_ARRAY, SBX_ANY };

/* least and most: characters of a text, value of an integer, members of an array. */
struct sbx_field {
  const char *name;
  enum sbx_kind kind;
  bool required;
  int64_t least;
  int64_t most;
};

/* What is wrong, for a person: "publishers[0].id: must be ...". Empty while nothing is. */
struct sbx_problem {
  char text[256];
};

/* Refuses a missing required member, a member of the wrong kind or size, and a member that is not in the
 * table. */
bool sbx_shape_check(const cJSON *object, const char *where, const struct sbx_field *fields, size_t count,
                     struct sbx_problem *problem);
bool sbx_shape_all_texts(const cJSON *array, const char *where, struct sbx_problem *problem);
bool sbx_problem_say(struct sbx_problem *problem, const char *where, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
