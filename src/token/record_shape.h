/* The table behind the record's codec; private to it. */
#ifndef IDENTITY__RECORD_SHAPE_H
#define IDENTITY__RECORD_SHAPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { KIND_TEXT, KIND_ARRAY, KIND_INT32, KIND_UINT64, KIND_SIGNED, KIND_GROUP };

/* What a group consists of; by number, so that the tables hold no pointer for the loader to relocate. */
enum { SHAPE_RECORD, SHAPE_GRANT, SHAPE_LEASE, SHAPE_CONSENT };

typedef struct identity__field {
  uint16_t
      maximum;  /* bytes of a text (an array is one longer); value of a number, 0: what its kind can hold */
  uint16_t tag; /* unique within its shape and never used again for something else */
  uint16_t offset;
  uint16_t stride;   /* lists only */
  uint16_t count_at; /* lists only: offset of the uint32_t that counts */
  uint16_t places;   /* lists only: how many fit; 0: a single value */
  uint8_t kind;
  uint8_t group; /* groups only: SHAPE_x */
  bool required; /* texts only */
  bool apart;    /* lists only: the member points at them, and is NULL where there are none */
} identity__field;

typedef struct identity__shape {
  const identity__field *fields; /* at most 32 */
  size_t count;
} identity__shape;

identity__shape identity__shape_of(uint8_t which);

#endif
