#include "wire/fields.h"
#include "wire/results.h"

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
enum { FIELDS = sizeof fields / sizeof fields[0], EXTERNAL_DATA = FIELDS - 1 };

identity_status identity__read_customer(const identity__json *data, identity__json_span external_data,
                                        identity_customer **customer, identity_error *error) {
  const identity__json *values[FIELDS];
  identity__block block;
  *customer = NULL;
  identity__fields_find(fields, FIELDS, data, values);
  const identity__json *whole = values[EXTERNAL_DATA];
  bool raw =
      !identity__json_is_null(whole) && identity__json_text(whole) == NULL && external_data.start != NULL;
  identity_status status = identity__fields_read(fields, FIELDS, values, sizeof **customer,
                                                 raw ? external_data.length + 1 : 0, &block, error);
  if (status != IDENTITY_OK)
    return status;
  *customer = (identity_customer *)(void *)block.base;
  if (raw)
    (*customer)->external_data = identity__block_text_part(&block, external_data.start, external_data.length);
  return IDENTITY_OK;
}
