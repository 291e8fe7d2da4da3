#include "base/log.h"

#include <stdarg.h>
#include <stdio.h>

void identity__log_line(const identity__log *log, int32_t level, const char *format, ...) {
  if (log->write == NULL || level > log->level)
    return;
  char line[512];
  va_list arguments;
  va_start(arguments, format);
  int written = vsnprintf(line, sizeof line, format, arguments);
  va_end(arguments);
  if (written >= 0)
    log->write(level, line, log->user_data);
}
