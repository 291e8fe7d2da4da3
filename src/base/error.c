#include "base/error.h"
#include "base/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

_Static_assert(sizeof(identity_error) == 512, "identity_error is pinned at 512 bytes");

void identity__error_clear(identity_error *error) {
  if (error != NULL)
    memset(error, 0, sizeof *error);
}

static identity_status fill(identity_error *error, identity_status status, const char *field,
                            const char *message) {
  if (error == NULL)
    return status;
  identity__error_clear(error);
  error->status = status;
  if (field != NULL)
    identity__copy_line(error->field, sizeof error->field, field);
  identity__copy_line(error->message, sizeof error->message, message);
  return status;
}

identity_status identity__fail(identity_error *error, identity_status status, const char *field,
                               const char *format, ...) {
  char line[1024];
  va_list arguments;
  va_start(arguments, format);
  int written = vsnprintf(line, sizeof line, format, arguments);
  va_end(arguments);
  return fill(error, status, field, written < 0 ? identity_status_text(status) : line);
}

identity_status identity__fail_plain(identity_error *error, identity_status status) {
  return fill(error, status, NULL, identity_status_text(status));
}
