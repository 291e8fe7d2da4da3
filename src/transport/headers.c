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
  if (length < 10 || memcmp(line, "HTTP/", 5) != 0)
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

static bool is_white(char c) {
  return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static void copy_value(char value[VALUE_SIZE], const char *from, size_t length) {
  for (; length > 0 && is_white(*from); length--)
    from++;
  while (length > 0 && is_white(from[length - 1]))
    length--;
  if (length >= VALUE_SIZE)
    length = VALUE_SIZE - 1;
  memcpy(value, from, length);
  value[length] = '\0';
}

/* Two digits of a text that has them; -1: it has not. */
static int32_t two_digits(const char *text) {
  return identity__is_digit(text[0]) && identity__is_digit(text[1]) ? (text[0] - '0') * 10 + text[1] - '0'
                                                                    : -1;
}

static int32_t month_of(const char *name) {
  static const char names[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
  for (int32_t month = 0; month < 12; month++)
    if (memcmp(names + (size_t)3 * (size_t)month, name, 3) == 0)
      return month + 1;
  return -1;
}

/* Days from 1970-01-01 of the proleptic Gregorian calendar; years begin in March, so that the leap day is the
 * last. */
static int64_t days_of(int32_t year, int32_t month, int32_t day) {
  int64_t years = month > 2 ? year : year - 1;
  int64_t months = month > 2 ? month - 3 : month + 9;
  return years * 365 + years / 4 - years / 100 + years / 400 + (months * 153 + 2) / 5 + day - 1 - 719468;
}

/* The form that every service sends ("Sun, 06 Nov 1994 08:49:37 GMT"), at a hundredth of what the parser for
 * all of them costs; -1: another form. */
static int64_t usual_date(const char *text) {
  if (strlen(text) != 29 || text[3] != ',' || text[4] != ' ' || memcmp(text + 25, " GMT", 4) != 0)
    return -1;
  const int32_t parts[] = {two_digits(text + 5),  month_of(text + 8),    two_digits(text + 12),
                           two_digits(text + 14), two_digits(text + 17), two_digits(text + 20),
                           two_digits(text + 23)};
  for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
    if (parts[i] < 0)
      return -1;
  if (parts[0] < 1 || parts[0] > 31 || parts[4] > 23 || parts[5] > 59 || parts[6] > 60)
    return -1;
  int64_t days = days_of(parts[2] * 100 + parts[3], parts[1], parts[0]);
  return days * 86400 + parts[4] * INT64_C(3600) + parts[5] * INT64_C(60) + parts[6];
}

/* libcurl's parser takes every date form of RFC 9110 section 5.6.7. */
static int64_t date_of(const char *value) {
  int64_t usual = usual_date(value);
  if (usual >= 0)
    return usual;
  time_t date = curl_getdate(value, NULL);
  return date > 0 ? (int64_t)date : 0;
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

enum { DATE, RETRY_AFTER, CONTENT_ENCODING, KNOWN };
static const char names[KNOWN][20] = {"date", "retry-after", "content-encoding"};

static void take(identity__headers *headers, int32_t known, const char *value) {
  switch (known) {
  case DATE:
    headers->date_s = date_of(value);
    return;
  case RETRY_AFTER:
    take_retry_after(headers, value);
    return;
  default: /* CONTENT_ENCODING */
    headers->encoded = value[0] != '\0' && !identity__same_text(value, "identity");
  }
}

static bool name_is(const char *line, size_t length, const char *name) {
  size_t i = 0;
  while (i < length && name[i] != '\0' && identity__lower(line[i]) == name[i])
    i++;
  return i == length && name[i] == '\0';
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
  size_t name = (size_t)(colon - line);
  for (int32_t known = 0; known < KNOWN; known++) {
    char value[VALUE_SIZE];
    if (!name_is(line, name, names[known]))
      continue;
    copy_value(value, colon + 1, length - name - 1);
    take(headers, known, value);
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
