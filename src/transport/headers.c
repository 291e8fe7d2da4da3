#include "transport/headers.h"
#include "base/clock.h"
#include "base/limits.h"
#include "base/text.h"

#include <curl/curl.h>
#include <string.h>

enum { LONGEST_WAIT_S = 3600, VALUE_SIZE = 128 };

void identity__headers_init(identity__headers *headers) {
  memset(headers, 0, sizeof *headers);
  headers->retry_s = -1;
}

/* "HTTP/1.1 200 OK", "HTTP/2 200": a new answer (after 100 Continue, say) begins. */
static bool take_status(identity__headers *headers, const char *line, size_t length) {
  if (length < 12 || strncmp(line, "HTTP/", 5) != 0)
    return false;
  const char *space = memchr(line, ' ', length);
  size_t size = headers->size;
  if (space == NULL || line + length - space < 4)
    return false;
  int32_t status = 0;
  for (int i = 1; i <= 3; i++) {
    if (!identity__is_digit(space[i]))
      return false;
    status = status * 10 + (space[i] - '0');
  }
  identity__headers_init(headers);
  headers->size = size;
  headers->status = status >= 200 ? status : 0;
  return true;
}

static void copy_value(char value[VALUE_SIZE], const char *from, size_t length) {
  while (length > 0 && (*from == ' ' || *from == '\t')) {
    from++;
    length--;
  }
  while (length > 0 && strchr(" \t\r\n", from[length - 1]) != NULL)
    length--;
  if (length >= VALUE_SIZE)
    length = VALUE_SIZE - 1;
  memcpy(value, from, length);
  value[length] = '\0';
}

/* libcurl's parser takes every date form of RFC 9110 section 5.6.7. */
static int64_t date_of(const char *value) {
  time_t date = curl_getdate(value, NULL);
  return date > 0 ? (int64_t)date : 0;
}

static void take_date(identity__headers *headers, const char *value) {
  headers->date_s = date_of(value);
}

static void take_retry_after(identity__headers *headers, const char *value) {
  if (!identity__all_digits(value)) {
    headers->retry_at_s = date_of(value);
    return;
  }
  headers->retry_s = 0;
  for (; *value != '\0' && headers->retry_s <= LONGEST_WAIT_S; value++)
    headers->retry_s = headers->retry_s * 10 + (*value - '0');
}

static void take_encoding(identity__headers *headers, const char *value) {
  headers->encoded = value[0] != '\0' && !identity__same_text(value, "identity");
}

static const struct {
  const char *name;
  void (*take)(identity__headers *headers, const char *value);
} rows[] = {
    {"date", take_date},
    {"retry-after", take_retry_after},
    {"content-encoding", take_encoding},
};

static bool name_is(const char *line, size_t length, const char *name) {
  if (length != strlen(name))
    return false;
  for (size_t i = 0; i < length; i++)
    if (identity__lower(line[i]) != name[i])
      return false;
  return true;
}

bool identity__headers_add(identity__headers *headers, const char *line, size_t length) {
  headers->size += length;
  if (headers->size > IDENTITY__MAX_HEADERS)
    return false;
  if (take_status(headers, line, length))
    return true;
  const char *colon = memchr(line, ':', length);
  if (colon == NULL)
    return true;
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
    char value[VALUE_SIZE];
    if (!name_is(line, (size_t)(colon - line), rows[i].name))
      continue;
    copy_value(value, colon + 1, length - (size_t)(colon - line) - 1);
    rows[i].take(headers, value);
  }
  return true;
}

int64_t identity__headers_retry_after_ms(const identity__headers *headers, int64_t wall_s) {
  int64_t wait_s = headers->retry_s;
  if (headers->retry_at_s > 0 && headers->date_s == 0 && wall_s < IDENTITY__CLOCK_FLOOR_S)
    return 0; /* nothing to measure that date against */
  if (headers->retry_at_s > 0)
    wait_s = headers->retry_at_s - (headers->date_s > 0 ? headers->date_s : wall_s);
  if (wait_s <= 0)
    return 0;
  return (wait_s > LONGEST_WAIT_S ? LONGEST_WAIT_S : wait_s) * 1000;
}
