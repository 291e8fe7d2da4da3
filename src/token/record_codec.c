/* One record as bytes: an envelope that stays the same in every format version (magic, version, length of the
 * body, CRC-32 of these three and the body), then the body: elements of tag, length and value, where the
 * value of a group is elements again. All numbers are little-endian. The first element is the binding; tags
 * not known here are skipped. Encode refuses what decode would, so that nothing unreadable is ever stored. */
#include "token/record.h"
#include "base/bytes.h"
#include "base/text.h"
#include "token/record_shape.h"

#include <stdlib.h>
#include <string.h>

enum { MAGIC = 0x43524449 /* "IDRC" */, FORMAT_VERSION = 1 };
enum { AT_MAGIC = 0, AT_VERSION = 4, AT_LENGTH = 8, AT_CHECKSUM = 12, ENVELOPE_SIZE = 16 };
enum { ELEMENT_HEADER = 4, NUMBER_SIZE = 8, TAG_BINDING = 1, MAX_BINDING = IDENTITY__MAX_URL };

typedef struct element {
  const char *value;
  size_t length;
  uint16_t tag;
} element;

typedef struct elements {
  const char *bytes;
  size_t left;
} elements;

/* A number of any kind travels as 64 bits, and its range is judged there. */
static int64_t load_value(const identity__field *field, const char *place) {
  int32_t small = 0;
  int64_t value = 0;
  if (field->kind != KIND_INT32) {
    memcpy(&value, place, sizeof value);
    return value;
  }
  memcpy(&small, place, sizeof small);
  return small;
}

static void store_value(const identity__field *field, char *place, int64_t value) {
  int32_t small = (int32_t)value;
  if (field->kind == KIND_INT32)
    memcpy(place, &small, sizeof small);
  else
    memcpy(place, &value, sizeof value);
}

/* How many values of a field a struct says it has; not checked against places. */
static uint32_t count_of(const identity__field *field, const char *base) {
  uint32_t count = 1;
  if (field->places > 0)
    memcpy(&count, base + field->count_at, sizeof count);
  return count;
}

/* Bytes of so many values of a list. */
static size_t span(const identity__field *field, uint32_t count) {
  return (size_t)count * field->stride;
}

/* Far outside of any real time, and two of them can be added or subtracted without overflow. */
#define MAX_SIGNED ((int64_t)1 << 60)

static bool in_range(const identity__field *field, int64_t value) {
  if (field->kind == KIND_SIGNED)
    return value <= MAX_SIGNED && value >= -MAX_SIGNED;
  int64_t most = field->kind == KIND_INT32 ? INT32_MAX : INT64_MAX;
  return value >= 0 && value <= (field->maximum > 0 ? field->maximum : most);
}

static bool is_plain_text(const char *text, size_t length, size_t maximum) {
  if (length > maximum || memchr(text, '\0', length) != NULL)
    return false;
  for (size_t step = 0; length > 0; length -= step, text += step) {
    step = identity__utf8_length(text, length);
    if (step == 0)
      return false;
  }
  return true;
}

/* ---- Encoding ---- */

static bool begin_element(identity__buffer *bytes, uint16_t tag, size_t *start) {
  char header[ELEMENT_HEADER] = {0};
  identity__put_number(header, tag, 2);
  *start = bytes->length;
  return identity__buffer_add(bytes, header, sizeof header);
}

static bool end_element(identity__buffer *bytes, size_t start) {
  size_t length = bytes->length - start - ELEMENT_HEADER;
  if (length > UINT16_MAX)
    return false;
  identity__put_number(bytes->bytes + start + 2, length, 2);
  return true;
}

static bool add_text(identity__buffer *bytes, const char *text, size_t length, size_t maximum) {
  return is_plain_text(text, length, maximum) && identity__buffer_add(bytes, text, length);
}

static bool add_number(identity__buffer *bytes, const identity__field *field, const char *place) {
  char number[NUMBER_SIZE];
  int64_t value = load_value(field, place);
  identity__put_number(number, (uint64_t)value, sizeof number);
  return in_range(field, value) && identity__buffer_add(bytes, number, sizeof number);
}

static bool add_shape(identity__buffer *bytes, uint8_t which, const char *base);

static bool add_value(identity__buffer *bytes, const identity__field *field, const char *place) {
  const char *text = place;
  size_t start = 0;
  if (field->kind == KIND_TEXT)
    memcpy(&text, place, sizeof text);
  if (text == NULL)
    return !field->required;
  if (!begin_element(bytes, field->tag, &start))
    return false;
  bool added = false;
  if (field->kind == KIND_GROUP)
    added = add_shape(bytes, field->group, place);
  else if (field->kind == KIND_TEXT || field->kind == KIND_ARRAY)
    added = add_text(bytes, text, strnlen(text, (size_t)field->maximum + 1), field->maximum);
  else
    added = add_number(bytes, field, place);
  return added && end_element(bytes, start);
}

static const char *values_of(const identity__field *field, const char *base) {
  const char *values = base + field->offset;
  if (field->apart)
    memcpy(&values, base + field->offset, sizeof values);
  return values;
}

static bool add_shape(identity__buffer *bytes, uint8_t which, const char *base) {
  identity__shape shape = identity__shape_of(which);
  for (size_t f = 0; f < shape.count; f++) {
    const identity__field *field = &shape.fields[f];
    uint32_t count = count_of(field, base);
    if (field->places > 0 && count > field->places)
      return false;
    const char *values = values_of(field, base);
    for (uint32_t i = 0; i < count; i++)
      if (!add_value(bytes, field, values + span(field, i)))
        return false;
  }
  return true;
}

static uint32_t envelope_checksum(const char *bytes, size_t length) {
  uint32_t sum = identity__checksum(0, bytes, AT_CHECKSUM);
  return identity__checksum(sum, bytes + ENVELOPE_SIZE, length - ENVELOPE_SIZE);
}

static bool add_all(identity__buffer *bytes, const identity__record *record, const char *binding) {
  char envelope[ENVELOPE_SIZE] = {0};
  size_t start = 0;
  if (bytes->length > 0 || !identity__buffer_add(bytes, envelope, sizeof envelope))
    return false;
  if (!begin_element(bytes, TAG_BINDING, &start) || !add_text(bytes, binding, strlen(binding), MAX_BINDING) ||
      !end_element(bytes, start))
    return false;
  return add_shape(bytes, SHAPE_RECORD, (const char *)record) && bytes->length <= IDENTITY__MAX_RECORD;
}

int identity__record_encode(const identity__record *record, const char *binding, identity__buffer *bytes) {
  if (!add_all(bytes, record, binding)) {
    identity__buffer_reset(bytes); /* half a record helps nobody, and its secrets are wiped */
    return 0;
  }
  identity__put_number(bytes->bytes + AT_MAGIC, MAGIC, 4);
  identity__put_number(bytes->bytes + AT_VERSION, FORMAT_VERSION, 4);
  identity__put_number(bytes->bytes + AT_LENGTH, bytes->length - ENVELOPE_SIZE, 4);
  identity__put_number(bytes->bytes + AT_CHECKSUM, envelope_checksum(bytes->bytes, bytes->length), 4);
  return 1;
}

/* ---- Decoding ---- */

static bool next_element(elements *reader, element *next) {
  if (reader->left < ELEMENT_HEADER)
    return false;
  next->tag = (uint16_t)identity__get_number(reader->bytes, 2);
  next->length = (size_t)identity__get_number(reader->bytes + 2, 2);
  next->value = reader->bytes + ELEMENT_HEADER;
  if (next->length > reader->left - ELEMENT_HEADER)
    return false;
  reader->bytes = next->value + next->length;
  reader->left -= ELEMENT_HEADER + next->length;
  return true;
}

static char *copy_part(const char *bytes, size_t length) {
  char *copy = malloc(length + 1);
  if (copy == NULL)
    return NULL;
  memcpy(copy, bytes, length);
  copy[length] = '\0';
  return copy;
}

static int32_t read_text(const identity__field *field, const element *found, char *place) {
  if (!is_plain_text(found->value, found->length, field->maximum))
    return IDENTITY__RECORD_CORRUPT;
  if (field->kind == KIND_ARRAY) {
    memcpy(place, found->value, found->length); /* zeroed before, and one longer than its maximum */
    return IDENTITY__RECORD_OK;
  }
  char *text = copy_part(found->value, found->length);
  memcpy(place, &text, sizeof text);
  return text != NULL ? IDENTITY__RECORD_OK : IDENTITY__RECORD_MEMORY;
}

static int32_t read_number(const identity__field *field, const element *found, char *place) {
  if (found->length != NUMBER_SIZE)
    return IDENTITY__RECORD_CORRUPT;
  int64_t value = (int64_t)identity__get_number(found->value, NUMBER_SIZE);
  if (!in_range(field, value))
    return IDENTITY__RECORD_CORRUPT;
  store_value(field, place, value);
  return IDENTITY__RECORD_OK;
}

static int32_t read_shape(uint8_t which, const char *bytes, size_t length, char *base);

static int32_t read_value(const identity__field *field, const element *found, char *place) {
  if (field->kind == KIND_GROUP)
    return read_shape(field->group, found->value, found->length, place);
  if (field->kind == KIND_TEXT || field->kind == KIND_ARRAY)
    return read_text(field, found, place);
  return read_number(field, found, place);
}

static const identity__field *find_field(const identity__shape *shape, uint16_t tag) {
  for (size_t f = 0; f < shape->count; f++)
    if (shape->fields[f].tag == tag)
      return &shape->fields[f];
  return NULL;
}

/* A list that stands apart grows by one: hardly any record has one, and none a long one. */
static char *grow(const identity__field *field, uint32_t count, char *base) {
  char *old = NULL;
  char *values = calloc(count + 1, field->stride);
  if (values == NULL)
    return NULL;
  memcpy(&old, base + field->offset, sizeof old);
  if (old != NULL)
    memcpy(values, old, span(field, count));
  free(old);
  memcpy(base + field->offset, &values, sizeof values);
  return values;
}

/* Where the next value of a list goes. */
static int32_t take_next(const identity__field *field, char *base, char **place) {
  uint32_t count = count_of(field, base);
  if (count >= field->places)
    return IDENTITY__RECORD_CORRUPT;
  char *values = field->apart ? grow(field, count, base) : base + field->offset;
  if (values == NULL)
    return IDENTITY__RECORD_MEMORY;
  *place = values + span(field, count);
  count++; /* before it is filled: clearing has to find what a broken group leaves */
  memcpy(base + field->count_at, &count, sizeof count);
  return IDENTITY__RECORD_OK;
}

/* Where a value goes; CORRUPT when it has no place left. */
static int32_t take_place(const identity__shape *shape, const identity__field *field, uint32_t *seen,
                          char *base, char **place) {
  uint32_t bit = (uint32_t)1 << (field - shape->fields);
  bool again = (*seen & bit) != 0;
  *seen |= bit;
  if (field->places > 0)
    return take_next(field, base, place);
  *place = base + field->offset;
  return again ? IDENTITY__RECORD_CORRUPT : IDENTITY__RECORD_OK;
}

static int32_t read_shape(uint8_t which, const char *bytes, size_t length, char *base) {
  identity__shape shape = identity__shape_of(which);
  elements reader = {bytes, length};
  uint32_t seen = 0;
  while (reader.left > 0) {
    element next;
    if (!next_element(&reader, &next))
      return IDENTITY__RECORD_CORRUPT;
    const identity__field *field = find_field(&shape, next.tag);
    if (field == NULL)
      continue;
    char *place = NULL;
    int32_t status = take_place(&shape, field, &seen, base, &place);
    if (status == IDENTITY__RECORD_OK)
      status = read_value(field, &next, place);
    if (status != IDENTITY__RECORD_OK)
      return status;
  }
  for (size_t f = 0; f < shape.count; f++)
    if (shape.fields[f].required && (seen & (uint32_t)1 << f) == 0)
      return IDENTITY__RECORD_CORRUPT;
  return IDENTITY__RECORD_OK;
}

static int32_t check_envelope(const char *bytes, size_t length) {
  if (bytes == NULL || length < ENVELOPE_SIZE || length > IDENTITY__MAX_RECORD)
    return IDENTITY__RECORD_CORRUPT;
  if (identity__get_number(bytes + AT_MAGIC, 4) != MAGIC ||
      identity__get_number(bytes + AT_LENGTH, 4) != length - ENVELOPE_SIZE ||
      identity__get_number(bytes + AT_CHECKSUM, 4) != envelope_checksum(bytes, length))
    return IDENTITY__RECORD_CORRUPT;
  uint64_t version = identity__get_number(bytes + AT_VERSION, 4);
  if (version > FORMAT_VERSION)
    return IDENTITY__RECORD_NEWER;
  return version == FORMAT_VERSION ? IDENTITY__RECORD_OK : IDENTITY__RECORD_CORRUPT;
}

int32_t identity__record_decode(const void *bytes, size_t length, const char *binding,
                                identity__record *record) {
  identity__record_clear(record);
  int32_t status = check_envelope(bytes, length);
  if (status != IDENTITY__RECORD_OK)
    return status;
  elements reader = {(const char *)bytes + ENVELOPE_SIZE, length - ENVELOPE_SIZE};
  element first;
  if (!next_element(&reader, &first) || first.tag != TAG_BINDING || first.length != strlen(binding) ||
      memcmp(first.value, binding, first.length) != 0)
    return IDENTITY__RECORD_CORRUPT;
  status = read_shape(SHAPE_RECORD, reader.bytes, reader.left, (char *)record);
  if (status != IDENTITY__RECORD_OK)
    identity__record_clear(record);
  return status;
}
