/* What a record consists of: one row for each member, for clearing, copying, encoding, decoding. */
#include "token/record.h"
#include "base/secret.h"
#include "token/record_shape.h"

#include <identity/identity.h>

#include <stdbool.h>
#include <string.h>

enum { ANY = 0 }; /* number */

#define SINGLE(number, what, type, member, most)                                                             \
  { .tag = (number), .kind = (what), .offset = offsetof(type, member), .maximum = (most) }
#define NEEDED_TEXT(number, type, member, most)                                                              \
  {                                                                                                          \
    .tag = (number), .kind = KIND_TEXT, .required = true, .offset = offsetof(type, member),                  \
    .maximum = (most)                                                                                        \
  }
#define GROUP(number, type, member, inner)                                                                   \
  { .tag = (number), .kind = KIND_GROUP, .offset = offsetof(type, member), .group = (inner) }

static const identity__field grant_fields[] = {
    SINGLE(1, KIND_TEXT, identity__grant, jwt, IDENTITY__MAX_TOKEN),
    SINGLE(2, KIND_TEXT, identity__grant, refresh_token, IDENTITY__MAX_TOKEN),
    SINGLE(3, KIND_TEXT, identity__grant, customer_token, IDENTITY__MAX_TOKEN),
    SINGLE(4, KIND_TEXT, identity__grant, customer_id, IDENTITY__MAX_ID),
    SINGLE(5, KIND_TEXT, identity__grant, publisher_id, IDENTITY__MAX_ID),
    SINGLE(6, KIND_TEXT, identity__grant, email, IDENTITY__MAX_EMAIL),
    SINGLE(7, KIND_SIGNED, identity__grant, life_ms, ANY),
    SINGLE(8, KIND_SIGNED, identity__grant, sent_boot_ms, ANY),
    SINGLE(11, KIND_INT32, identity__grant, age, IDENTITY__AGE_LOST),
};

static const identity__field lease_fields[] = {
    SINGLE(1, KIND_ARRAY, identity__lease, fingerprint, sizeof((identity__lease *)0)->fingerprint - 1),
    SINGLE(2, KIND_ARRAY, identity__lease, owner, sizeof((identity__lease *)0)->owner - 1),
    SINGLE(3, KIND_SIGNED, identity__lease, process, ANY),
    SINGLE(4, KIND_SIGNED, identity__lease, process_start, ANY),
    SINGLE(5, KIND_SIGNED, identity__lease, process_space, ANY),
    SINGLE(6, KIND_SIGNED, identity__lease, begun_boot_ms, ANY),
    SINGLE(7, KIND_SIGNED, identity__lease, ends_boot_ms, ANY),
};

static const identity__field consent_fields[] = {
    NEEDED_TEXT(1, identity_consent_answer, name, IDENTITY__MAX_CONSENT_TEXT),
    NEEDED_TEXT(2, identity_consent_answer, version, IDENTITY__MAX_CONSENT_TEXT),
    SINGLE(3, KIND_INT32, identity_consent_answer, accepted, 1),
};

static const identity__field record_fields[] = {
    SINGLE(2, KIND_UINT64, identity__record, epoch, ANY),
    SINGLE(3, KIND_UINT64, identity__record, generation, ANY),
    SINGLE(4, KIND_INT32, identity__record, standing, IDENTITY__RECORD_REAUTH),
    SINGLE(5, KIND_INT32, identity__record, reason, ANY),
    GROUP(6, identity__record, grant, SHAPE_GRANT),
    GROUP(7, identity__record, lease, SHAPE_LEASE),
    SINGLE(8, KIND_SIGNED, identity__record, written_boot_ms, ANY),
    SINGLE(9, KIND_SIGNED, identity__record, cooldown_boot_ms, ANY),
    SINGLE(10, KIND_ARRAY, identity__record, boot_id, IDENTITY__BOOT_ID_SIZE - 1),
    SINGLE(11, KIND_INT32, identity__record, failures, ANY),
    SINGLE(12, KIND_INT32, identity__record, refusals, ANY),
    SINGLE(13, KIND_SIGNED, identity__record, first_refusal_boot_ms, ANY),
    SINGLE(14, KIND_INT32, identity__record, ambiguous, 1),
    {.tag = 15,
     .kind = KIND_SIGNED,
     .places = IDENTITY__MAX_CAUSED,
     .offset = offsetof(identity__record, caused_boot_ms),
     .stride = sizeof(int64_t),
     .count_at = offsetof(identity__record, caused_count)},
    {.tag = 16,
     .kind = KIND_GROUP,
     .places = IDENTITY__MAX_PENDING_CONSENTS,
     .offset = offsetof(identity__record, pending),
     .stride = sizeof(identity_consent_answer),
     .apart = true,
     .count_at = offsetof(identity__record, pending_count),
     .group = SHAPE_CONSENT},
    SINGLE(17, KIND_SIGNED, identity__record, written_wall_ms, ANY),
    SINGLE(18, KIND_ARRAY, identity__record, maker, sizeof((identity__record *)0)->maker - 1),
};

#define SHAPE(fields)                                                                                        \
  (identity__shape) {                                                                                        \
    (fields), sizeof(fields) / sizeof((fields)[0])                                                           \
  }

identity__shape identity__shape_of(uint8_t which) {
  switch (which) {
  case SHAPE_GRANT:
    return SHAPE(grant_fields);
  case SHAPE_LEASE:
    return SHAPE(lease_fields);
  case SHAPE_CONSENT:
    return SHAPE(consent_fields);
  default:
    return SHAPE(record_fields);
  }
}

/* Not those of the pending consents, which stand apart; other lists have none. */
static void free_texts(uint8_t which, char *base) {
  identity__shape shape = identity__shape_of(which);
  for (size_t f = 0; f < shape.count; f++) {
    const identity__field *field = &shape.fields[f];
    char *place = base + field->offset;
    char *text = NULL;
    if (field->places > 0)
      continue;
    if (field->kind == KIND_GROUP)
      free_texts(field->group, place);
    if (field->kind != KIND_TEXT)
      continue;
    memcpy(&text, place, sizeof text);
    identity__secret_free(text);
  }
}

/* After a struct was assigned: replaces its borrowed texts by copies. Goes through to the end when memory is
 * out, so that no borrowed pointer is left to be freed. */
static bool own_texts(uint8_t which, char *base) {
  identity__shape shape = identity__shape_of(which);
  bool whole = true;
  for (size_t f = 0; f < shape.count; f++) {
    const identity__field *field = &shape.fields[f];
    char *place = base + field->offset;
    char *text = NULL;
    if (field->places > 0)
      continue;
    if (field->kind == KIND_GROUP && !own_texts(field->group, place))
      whole = false;
    if (field->kind != KIND_TEXT)
      continue;
    memcpy(&text, place, sizeof text);
    char *copy = identity__secret_copy(text);
    if (text != NULL && copy == NULL)
      whole = false;
    memcpy(place, &copy, sizeof copy);
  }
  return whole;
}

void identity__record_init(identity__record *record) {
  memset(record, 0, sizeof *record);
  record->standing = IDENTITY__RECORD_SIGNED_OUT;
  record->reason = IDENTITY_REASON_NEVER_SIGNED_IN;
}

void identity__record_clear(identity__record *record) {
  free_texts(SHAPE_RECORD, (char *)record);
  identity__consents_free(record->pending, record->pending_count);
  identity__wipe(record, sizeof *record);
  identity__record_init(record);
}

void identity__grant_clear(identity__grant *grant) {
  free_texts(SHAPE_GRANT, (char *)grant);
  identity__wipe(grant, sizeof *grant);
}

int identity__record_copy(identity__record *target, const identity__record *source) {
  if (target == source)
    return 1;
  identity__record_clear(target);
  *target = *source;
  target->pending = NULL;
  target->pending_count = 0;
  bool whole = own_texts(SHAPE_RECORD, (char *)target);
  if (whole && identity__record_set_pending(target, source->pending, source->pending_count))
    return 1;
  identity__record_clear(target);
  return 0;
}

void identity__record_move(identity__record *target, identity__record *source) {
  identity__record_clear(target);
  *target = *source;
  identity__record_init(source);
}

int identity__record_set_pending(identity__record *record, const identity_consent_answer *pending,
                                 uint32_t count) {
  if (count > IDENTITY__MAX_PENDING_CONSENTS)
    return 0;
  identity_consent_answer *copies = identity__consents_copy(pending, count);
  if (copies == NULL && count > 0)
    return 0;
  identity__consents_free(record->pending, record->pending_count);
  record->pending = copies;
  record->pending_count = count;
  return 1;
}

void identity__record_move_pending(identity__record *target, identity__record *source) {
  identity__consents_free(target->pending, target->pending_count);
  target->pending = source->pending;
  target->pending_count = source->pending_count;
  source->pending = NULL;
  source->pending_count = 0;
}

int identity__grant_copy(identity__grant *target, const identity__grant *source) {
  if (target == source)
    return 1;
  identity__grant_clear(target);
  *target = *source;
  if (own_texts(SHAPE_GRANT, (char *)target))
    return 1;
  identity__grant_clear(target);
  return 0;
}
