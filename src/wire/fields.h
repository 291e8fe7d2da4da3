/* Flat JSON objects into structs by tables: a row names the member, its kind and where it goes. */
#ifndef IDENTITY__FIELDS_H
#define IDENTITY__FIELDS_H

#include "base/block.h"
#include "wire/json.h"

#include <identity/identity.h>

enum {
  IDENTITY__FIELD_TEXT, /* const char *: a string; null and absent are NULL */
  IDENTITY__FIELD_ID,   /* const char *: a number or a string, kept as text (contract, identifier types drift)
                         */
  IDENTITY__FIELD_FLAG, /* int32_t */
  IDENTITY__FIELD_INTEGER /* int64_t */
};

typedef struct identity__field {
  char name[20];
  uint16_t offset;
  uint8_t kind;
  uint8_t needed; /* absent, null or of another kind: the answer is not usable */
} identity__field;

/* Looks the members of an object up once, for what follows; NULL: there is none. */
void identity__fields_find(const identity__field *fields, size_t count, const identity__json *object,
                           const identity__json *values[]);
/* Bytes that their texts need in a block. */
size_t identity__fields_measure(const identity__field *fields, size_t count,
                                const identity__json *const values[]);
/* Fills a zeroed struct; false names the first needed member that is missing. */
bool identity__fields_fill(const identity__field *fields, size_t count, const identity__json *const values[],
                           void *target, identity__block *block, const char **missing);
/* A struct and its texts in a block that has so many bytes to spare. Fills error where something needed is
 * missing, or memory is out. */
identity_status identity__fields_read(const identity__field *fields, size_t count,
                                      const identity__json *const values[], size_t size, size_t spare,
                                      identity__block *block, identity_error *error);
/* An id as text: digits of a number, or the string itself; scratch is used for numbers. NULL: neither. */
enum { IDENTITY__ID_SCRATCH = 24 };
const char *identity__json_id(const identity__json *node, char scratch[IDENTITY__ID_SCRATCH]);

#endif
