/* The table behind the record's codec; private to it. */
#ifndef IDENTITY__RECORD_SHAPE_H
#define IDENTITY__RECORD_SHAPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { KIND_TEXT, KIND_ARRAY, KIND_INT32, KIND_UINT64, KIND_SIGNED, KIND_GROUP };

typedef struct identity__shape identity__shape;

typedef struct identity__field {
  uint16_t tag; /* unique within its shape and never used again for something else */
  uint16_t kind;
  bool required;   /* texts only */
  bool apart;      /* lists only: the member points at them, and is NULL where there are none */
  uint32_t places; /* lists only: how many fit; 0: a single value */
  size_t offset;
  int64_t maximum; /* bytes of a text (an array is one longer), value of a number */
  size_t stride;   /* lists only */
  size_t count_at; /* lists only: offset of the uint32_t that counts */
  const identity__shape *group;
} identity__field;

struct identity__shape {
  const identity__field *fields; /* at most 32 */
  size_t count;
};

extern const identity__shape identity__record_shape;

#endif
