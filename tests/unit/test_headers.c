#include "support/rows.h"

#include "base/limits.h"
#include "transport/headers.h"

#include <time.h>

static identity__headers headers;

/* The lines of an answer, each as libcurl hands it over; no zero byte behind them. */
static bool add(const char *line) {
  size_t length = strlen(line);
  char *copy = exact_copy(line, length);
  bool taken = identity__headers_add(&headers, copy, length);
  free(copy);
  return taken;
}

static int begin(void **state) {
  (void)state;
  identity__headers_init(&headers);
  return 0;
}

static void a_date_means_nothing_to_a_device_without_date(void **state) {
  (void)begin(state);
  assert_true(add("HTTP/1.1 429 x\r\n") && add("Retry-After: Fri, 15 Jan 2027 08:02:00 GMT\r\n"));
  assert_int_equal(identity__headers_retry_after_ms(&headers, 60), 0);
}

static const struct {
  const char *line;
  int32_t status;
} lines[] = {
    {"HTTP/1.1 200 OK\r\n", 200},
    {"HTTP/1.0 404 Not Found\r\n", 404},
    {"HTTP/2 200 \r\n", 200},
    {"HTTP/2 503\r\n", 503},
    {"HTTP/3 429 \r\n", 429},
    {"HTTP/2 200", 200}, /* with or without CRLF */
    {"HTTP/1.1 200", 200},
    {"HTTP/2 20", 0},
    {"HTTP/1.1 599 x\r\n", 599},
    {"HTTP/1.1 100 Continue\r\n", 0},
    {"HTTP/2 103 \r\n", 0},
    {"Status: 200\r\n", 0},
    {"HTTP/1.1\r\n", 0},
    {"HTTP/1.1 20\r\n", 0},
    {"\r\n", 0},
    {"", 0},
    {"X-HTTP/1.1: 200 OK\r\n", 0},
};

static void status_lines_are_read(void **state) {
  for (size_t i = 0; i < COUNT(lines); i++) {
    (void)begin(state);
    CHECK(lines[i].line, add(lines[i].line));
    CHECK_INT(lines[i].line, headers.status, lines[i].status);
  }
}

static void the_last_answer_counts(void **state) {
  (void)state;
  assert_true(add("HTTP/1.1 100 Continue\r\n"));
  assert_true(add("Date: Tue, 14 Nov 2023 22:13:20 GMT\r\n"));
  assert_true(add("Retry-After: 9\r\n"));
  assert_true(add("Content-Encoding: gzip\r\n"));
  assert_true(add("\r\n"));
  assert_int_equal(headers.status, 0);
  size_t seen = headers.size;
  assert_true(add("HTTP/1.1 200 OK\r\n"));
  assert_int_equal(headers.status, 200);
  assert_int_equal(headers.date_s, 0);
  assert_false(headers.encoded);
  assert_int_equal(identity__headers_retry_after_ms(&headers, 1700000000), 0);
  assert_int_equal(headers.size, seen + strlen("HTTP/1.1 200 OK\r\n"));
}

static const struct {
  const char *line;
  int64_t date_s;
} dates[] = {
    {"Date: Tue, 14 Nov 2023 22:13:20 GMT\r\n", 1700000000},
    {"date: Tue, 14 Nov 2023 22:13:20 GMT\r\n", 1700000000},
    {"DATE:Tue, 14 Nov 2023 22:13:20 GMT\r\n", 1700000000},
    {"Date:\t Tue, 14 Nov 2023 22:13:20 GMT \t\r\n", 1700000000},
    {"Date: Tuesday, 14-Nov-23 22:13:20 GMT\r\n", 1700000000},
    {"Date: Tue Nov 14 22:13:20 2023\r\n", 1700000000},
    {"Date: Thu, 01 Jan 1970 00:00:00 GMT\r\n", 0},
    {"Date: soon\r\n", 0},
    {"Date:\r\n", 0},
    {"Date\r\n", 0},
    {"Date : Tue, 14 Nov 2023 22:13:20 GMT\r\n", 0},
    {" Date: Tue, 14 Nov 2023 22:13:20 GMT\r\n", 0},
    {"X-Date: Tue, 14 Nov 2023 22:13:20 GMT\r\n", 0},
    {"Dat: Tue, 14 Nov 2023 22:13:20 GMT\r\n", 0},
};

static void the_date_is_read_in_every_form_and_case(void **state) {
  for (size_t i = 0; i < COUNT(dates); i++) {
    (void)begin(state);
    CHECK(dates[i].line, add(dates[i].line));
    CHECK_INT(dates[i].line, headers.date_s, dates[i].date_s);
  }
}

/* Every day of 230 years, each at another time of it, as gmtime tells them. */
static void the_usual_date_is_right_on_every_day(void **state) {
  static const char *const days[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  static const char *const months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                       "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  for (int64_t when = 12345; when < INT64_C(230) * 31557600; when += 86400 + 1237) {
    char line[64];
    struct tm parts;
    time_t moment = (time_t)when;
    (void)begin(state);
    assert_non_null(gmtime_r(&moment, &parts));
    (void)snprintf(line, sizeof line, "Date: %s, %02d %s %04d %02d:%02d:%02d GMT\r\n", days[parts.tm_wday],
                   parts.tm_mday, months[parts.tm_mon], parts.tm_year + 1900, parts.tm_hour, parts.tm_min,
                   parts.tm_sec);
    assert_true(add(line));
    CHECK_INT(line, headers.date_s, when);
  }
}

#define NOW "Date: Tue, 14 Nov 2023 22:13:20 GMT\r\n"

static const struct {
  const char *name;
  const char *date; /* NULL: none; the device believes in 1800000060 */
  const char *retry;
  int64_t ms;
} retries[] = {
    {"seconds", NULL, "Retry-After: 120\r\n", 120000},
    {"one", NULL, "retry-after:1\r\n", 1000},
    {"zero", NULL, "Retry-After: 0\r\n", 0},
    {"leading zeros", NULL, "Retry-After: 0007\r\n", 7000},
    {"an hour", NULL, "Retry-After: 3600\r\n", 3600000},
    {"more than an hour", NULL, "Retry-After: 3601\r\n", 3600000},
    {"absurd", NULL, "Retry-After: 99999999999999999999999999999999\r\n", 3600000},
    {"negative", NULL, "Retry-After: -5\r\n", 0},
    {"signed", NULL, "Retry-After: +5\r\n", 0},
    {"fraction", NULL, "Retry-After: 1.5\r\n", 0},
    {"with a unit", NULL, "Retry-After: 5s\r\n", 0},
    {"words", NULL, "Retry-After: later\r\n", 0},
    {"empty", NULL, "Retry-After:\r\n", 0},
    {"a date counts from the answer's own", NOW, "Retry-After: Tue, 14 Nov 2023 22:15:20 GMT\r\n", 120000},
    {"without one, from the device's", NULL, "Retry-After: Fri, 15 Jan 2027 08:02:00 GMT\r\n", 60000},
    {"a date that is over", NOW, "Retry-After: Tue, 14 Nov 2023 22:13:19 GMT\r\n", 0},
    {"a date of now", NOW, "Retry-After: Tue, 14 Nov 2023 22:13:20 GMT\r\n", 0},
    {"a date in years", NOW, "Retry-After: Tue, 14 Nov 2033 22:13:20 GMT\r\n", 3600000},
};

static void retry_after_is_time_to_wait(void **state) {
  for (size_t i = 0; i < COUNT(retries); i++) {
    (void)begin(state);
    CHECK(retries[i].name, add("HTTP/1.1 429 x\r\n") && add(retries[i].retry));
    if (retries[i].date != NULL) /* the order does not matter */
      CHECK(retries[i].name, add(retries[i].date));
    CHECK_INT(retries[i].name, identity__headers_retry_after_ms(&headers, 1800000060), retries[i].ms);
  }
}

static const struct {
  const char *line;
  bool encoded;
} encodings[] = {
    {"Content-Encoding: gzip\r\n", true},      {"content-encoding:br\r\n", true},
    {"Content-Encoding: identity\r\n", false}, {"Content-Encoding: IDENTITY \r\n", false},
    {"Content-Encoding:\r\n", false},          {"Content-Encoding: identity, gzip\r\n", true},
    {"Content-Encodings: gzip\r\n", false},    {"Transfer-Encoding: gzip\r\n", false},
};

static void an_encoded_body_is_noticed(void **state) {
  for (size_t i = 0; i < COUNT(encodings); i++) {
    (void)begin(state);
    CHECK(encodings[i].line, add(encodings[i].line));
    CHECK_INT(encodings[i].line, headers.encoded, encodings[i].encoded);
  }
}

static void all_lines_together_are_bounded(void **state) {
  (void)state;
  const size_t half = IDENTITY__MAX_HEADERS / 2;
  char *line = repeated('x', half);
  line[0] = 'a';
  line[1] = ':';
  assert_true(identity__headers_add(&headers, line, half));
  assert_true(identity__headers_add(&headers, line, half));
  assert_int_equal(headers.size, IDENTITY__MAX_HEADERS);
  assert_false(add("\n"));
  free(line);
}

static void answers_that_come_before_do_not_reset_the_bound(void **state) {
  (void)state;
  size_t taken = 0;
  while (add("HTTP/1.1 100 Continue\r\n"))
    taken++;
  assert_int_equal(taken, IDENTITY__MAX_HEADERS / strlen("HTTP/1.1 100 Continue\r\n"));
}

static void a_value_without_end_is_cut(void **state) {
  (void)state;
  char *line = repeated('9', 5000);
  memcpy(line, "Retry-After: ", 13);
  assert_true(add(line));
  assert_int_equal(identity__headers_retry_after_ms(&headers, 0), 3600000);
  free(line);
}

#define HEADER_TEST(name) cmocka_unit_test_setup(name, begin)
static const struct CMUnitTest tests[] = {
    HEADER_TEST(status_lines_are_read),
    HEADER_TEST(the_last_answer_counts),
    HEADER_TEST(the_date_is_read_in_every_form_and_case),
    HEADER_TEST(the_usual_date_is_right_on_every_day),
    HEADER_TEST(retry_after_is_time_to_wait),
    HEADER_TEST(a_date_means_nothing_to_a_device_without_date),
    HEADER_TEST(an_encoded_body_is_noticed),
    HEADER_TEST(all_lines_together_are_bounded),
    HEADER_TEST(answers_that_come_before_do_not_reset_the_bound),
    HEADER_TEST(a_value_without_end_is_cut),
};

SUITE("headers", tests)
