/* Finished lines to the app's log function. Only fixed texts and values from an allow-list come here: names
 * of calls and states, methods, path templates, statuses, numbers. Never a URL, a body, a header value or an
 * id. */
#ifndef IDENTITY__LOG_H
#define IDENTITY__LOG_H

#include <identity/identity.h>

typedef struct identity__log {
  identity_log_fn write; /* NULL: no log */
  void *user_data;
  int32_t level;
} identity__log;

/* Must not be called with a lock held. */
__attribute__((format(printf, 3, 4))) void identity__log_line(const identity__log *log, int32_t level,
                                                              const char *format, ...);

#endif
