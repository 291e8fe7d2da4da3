/* The few header lines of an answer that matter, and the bound over all of them. */
#ifndef IDENTITY__HEADERS_H
#define IDENTITY__HEADERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct identity__headers {
  size_t size;        /* bytes seen */
  int32_t status;     /* of the last status line; 0: none yet */
  bool encoded;       /* Content-Encoding other than identity */
  int64_t date_s;     /* Date; 0: none */
  int64_t retry_s;    /* Retry-After in seconds; -1: none */
  int64_t retry_at_s; /* Retry-After as a date; 0: none */
} identity__headers;

void identity__headers_init(identity__headers *headers);
/* Takes one line as it came; false: over the bound. */
bool identity__headers_add(identity__headers *headers, const char *line, size_t length);
/* Time to wait from now; a date counts from the answer's own Date, else from wall_s. 0: none, past or
 * nonsense; at most an hour. */
int64_t identity__headers_retry_after_ms(const identity__headers *headers, int64_t wall_s);

#endif
