#include "wire/fields.h"
#include "wire/results.h"

static const identity__field fields[] = {
    {"country", offsetof(identity_locale, country), IDENTITY__FIELD_TEXT, 1},
    {"currency", offsetof(identity_locale, currency), IDENTITY__FIELD_TEXT, 1},
    {"locale", offsetof(identity_locale, locale), IDENTITY__FIELD_TEXT, 1},
    {"ipAddress", offsetof(identity_locale, ip_address), IDENTITY__FIELD_TEXT, 0},
};
enum { FIELDS = sizeof fields / sizeof fields[0] };

identity_status identity__read_locale(const identity__json *data, identity_locale **locale,
                                      identity_error *error) {
  const identity__json *values[FIELDS];
  identity__block block;
  *locale = NULL;
  identity__fields_find(fields, FIELDS, data, values);
  identity_status status = identity__fields_read(fields, FIELDS, values, sizeof **locale, 0, &block, error);
  if (status == IDENTITY_OK)
    *locale = (identity_locale *)(void *)block.base;
  return status;
}
