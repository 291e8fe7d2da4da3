#include "base/error.h"
#include "wire/fields.h"
#include "wire/json_scan.h"
#include "wire/results.h"

#include <stdlib.h>
#include <string.h>

static const identity__field fields[] = {
    {"id", offsetof(identity_customer, id), IDENTITY__FIELD_ID, 1},
    {"email", offsetof(identity_customer, email), IDENTITY__FIELD_TEXT, 1},
    {"firstName", offsetof(identity_customer, first_name), IDENTITY__FIELD_TEXT, 0},
    {"lastName", offsetof(identity_customer, last_name), IDENTITY__FIELD_TEXT, 0},
    {"country", offsetof(identity_customer, country), IDENTITY__FIELD_TEXT, 0},
    {"regDate", offsetof(identity_customer, registration_date), IDENTITY__FIELD_TEXT, 0},
    {"lastLoginDate", offsetof(identity_customer, last_login_date), IDENTITY__FIELD_TEXT, 0},
    {"lastUserIp", offsetof(identity_customer, last_user_ip), IDENTITY__FIELD_TEXT, 0},
    {"externalId", offsetof(identity_customer, external_id), IDENTITY__FIELD_ID, 0},
    /* A string holds the JSON text itself; an object is taken from the answer as it was written. */
    {"externalData", offsetof(identity_customer, external_data), IDENTITY__FIELD_TEXT, 0},
};
enum { FIELDS = sizeof fields / sizeof fields[0] };

static identity__json_span find_external_data(const identity__json *data, const char *body, size_t length) {
  static const char *const enveloped[] = {"responseData", "externalData", NULL};
  static const char *const flat[] = {"externalData", NULL};
  identity__json_span none = {NULL, 0};
  const identity__json *value = identity__json_member(data, "externalData");
  if (identity__json_is_null(value) || identity__json_text(value) != NULL)
    return none;
  identity__json_span span = identity__json_find(body, length, enveloped);
  return span.start != NULL ? span : identity__json_find(body, length, flat);
}

identity_status identity__read_customer(const identity__json *data, const char *body, size_t length,
                                        identity_customer **customer, identity_error *error) {
  const char *missing = NULL;
  identity__block block;
  *customer = NULL;
  identity__json_span external = find_external_data(data, body, length);
  size_t size = identity__block_cost(sizeof **customer) + identity__fields_measure(fields, FIELDS, data) +
                (external.start != NULL ? external.length + 1 : 0);
  if (!identity__block_init(&block, size))
    return identity__fail_plain(error, IDENTITY_OUT_OF_MEMORY);
  identity_customer *result = identity__block_take(&block, sizeof *result);
  if (!identity__fields_fill(fields, FIELDS, data, result, &block, &missing)) {
    free(block.base);
    return identity__answer_lacks(missing, error);
  }
  if (external.start != NULL)
    result->external_data = identity__block_text_part(&block, external.start, external.length);
  *customer = result;
  return IDENTITY_OK;
}
