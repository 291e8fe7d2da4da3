#include "base/error.h"
#include "wire/fields.h"
#include "wire/results.h"

#include <stdlib.h>

static const identity__field fields[] = {
    {"country", offsetof(identity_locale, country), IDENTITY__FIELD_TEXT, 1},
    {"currency", offsetof(identity_locale, currency), IDENTITY__FIELD_TEXT, 1},
    {"locale", offsetof(identity_locale, locale), IDENTITY__FIELD_TEXT, 1},
    {"ipAddress", offsetof(identity_locale, ip_address), IDENTITY__FIELD_TEXT, 0},
};
enum { FIELDS = sizeof fields / sizeof fields[0] };

identity_status identity__read_locale(const identity__json *data, identity_locale **locale,
                                      identity_error *error) {
  const char *missing = NULL;
  identity__block block;
  *locale = NULL;
  const identity__json *values[FIELDS];
  identity__fields_find(fields, FIELDS, data, values);
  size_t size = identity__block_cost(sizeof **locale) + identity__fields_measure(fields, FIELDS, values);
  if (!identity__block_init(&block, size))
    return identity__fail_plain(error, IDENTITY_OUT_OF_MEMORY);
  identity_locale *result = identity__block_take(&block, sizeof *result);
  if (!identity__fields_fill(fields, FIELDS, values, result, &block, &missing)) {
    free(block.base);
    return identity__answer_lacks(missing, error);
  }
  *locale = result;
  return IDENTITY_OK;
}
