#include "base/error.h"
#include "base/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

_Static_assert(sizeof(identity_error) == 512, "identity_error is pinned at 512 bytes");

void identity__error_clear(identity_error *error) {
  memset(error, 0, sizeof *error);
}

static void begin(identity_error *error, identity_status status, const char *field) {
  identity__error_clear(error);
  error->status = status;
  if (field != NULL)
    identity__copy_line(error->field, sizeof error->field, field);
}

identity_status identity__fail(identity_error *error, identity_status status, const char *field,
                               const char *format, ...) {
  char line[1024];
  va_list arguments;
  va_start(arguments, format);
  int written = vsnprintf(line, sizeof line, format, arguments);
  va_end(arguments);
  begin(error, status, field);
  identity__copy_line(error->message, sizeof error->message,
                      written < 0 ? identity_status_text(status) : line);
  return status;
}

identity_status identity__fail_plain(identity_error *error, identity_status status) {
  begin(error, status, NULL);
  identity__copy_line(error->message, sizeof error->message, identity_status_text(status));
  return status;
}
