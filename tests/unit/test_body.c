#include "support/rows.h"

#include "base/limits.h"
#include "wire/body.h"

static identity__buffer body;

static int begin(void **state) {
  (void)state;
  identity__buffer_init(&body, IDENTITY__MAX_BODY);
  return 0;
}

static int end(void **state) {
  (void)state;
  identity__buffer_free(&body);
  return 0;
}

static const struct {
  const char *name;
  identity__pair pairs[3];
  size_t count;
  const char *text;
} flats[] = {
    {"none", {{NULL, NULL}}, 0, "{}"},
    {"texts",
     {{"email", "jo@example.com"}, {"password", "s3cret"}},
     2,
     "{\"email\":\"jo@example.com\",\"password\":\"s3cret\"}"},
    {"absent ones are left out", {{"a", NULL}, {"b", "x"}, {"c", NULL}}, 3, "{\"b\":\"x\"}"},
    {"empty is not absent", {{"a", ""}}, 1, "{\"a\":\"\"}"},
    {"escapes",
     {{"a", "\"\\/\b\f\n\r\t\x01\x1F\x7F"}},
     1,
     "{\"a\":\"\\\"\\\\/\\b\\f\\n\\r\\t\\u0001\\u001f\x7F\"}"},
    {"UTF-8",
     {{"a", "j\xC3\xB6 \xE2\x82\xAC \xF0\x9D\x84\x9E"}},
     1,
     "{\"a\":\"j\xC3\xB6 \xE2\x82\xAC \xF0\x9D\x84\x9E\"}"},
    {"digits as a number", {{"#customerId", "533354305"}}, 1, "{\"customerId\":533354305}"},
    {"digits of any size",
     {{"#id", "12345678901234567890123456789012"}},
     1,
     "{\"id\":12345678901234567890123456789012}"},
    {"zero", {{"#id", "0"}}, 1, "{\"id\":0}"},
    {"a leading zero stays a text", {{"#id", "0123"}}, 1, "{\"id\":\"0123\"}"},
    {"no digits", {{"#id", "12a"}}, 1, "{\"id\":\"12a\"}"},
    {"a sign", {{"#id", "-1"}}, 1, "{\"id\":\"-1\"}"},
    {"empty", {{"#id", ""}}, 1, "{\"id\":\"\"}"},
    {"JSON is text here", {{"externalData", "{\"a\":1}"}}, 1, "{\"externalData\":\"{\\\"a\\\":1}\"}"},
};

static void flat_bodies_are_written(void **state) {
  (void)state;
  for (size_t i = 0; i < COUNT(flats); i++) {
    identity__buffer_reset(&body);
    CHECK(flats[i].name, identity__body_flat(flats[i].pairs, flats[i].count, &body));
    CHECK_TEXT(flats[i].name, body.bytes, flats[i].text);
    CHECK_INT(flats[i].name, body.length, strlen(flats[i].text));
  }
}

static void consents_are_written(void **state) {
  (void)state;
  const identity_consent_answer answers[] = {{"terms", "1.7", 1, 0}, {"marketing", "2", 0, 0}};
  assert_true(identity__body_consents(answers, 2, &body));
  assert_string_equal(body.bytes,
                      "{\"consents\":[{\"name\":\"terms\",\"version\":\"1.7\",\"state\":\"accepted\"},"
                      "{\"name\":\"marketing\",\"version\":\"2\",\"state\":\"declined\"}]}");
  identity__buffer_reset(&body);
  assert_true(identity__body_consents(NULL, 0, &body));
  assert_string_equal(body.bytes, "{\"consents\":[]}");
}

static void capture_answers_are_written_flat_and_custom_ones_in_a_list(void **state) {
  (void)state;
  const identity__capture_change changes[] = {{"firstName", "Jo", NULL, false},
                                              {"custom_1", "red", "Which one?", true},
                                              {"city", "", NULL, false},
                                              {"custom_12", "", NULL, true}};
  assert_true(identity__body_capture(changes, 4, &body));
  assert_string_equal(
      body.bytes,
      "{\"firstName\":\"Jo\",\"customAnswers\":[{\"questionId\":\"custom_1\",\"question\":\"Which one?\","
      "\"value\":\"red\"},{\"questionId\":\"custom_12\",\"value\":\"\"}],\"city\":\"\"}");
  identity__buffer_reset(&body);
  assert_true(identity__body_capture(changes, 1, &body));
  assert_string_equal(body.bytes, "{\"firstName\":\"Jo\"}");
}

static void a_body_over_the_bound_fails_and_leaves_nothing(void **state) {
  (void)state;
  char *value = repeated('x', IDENTITY__MAX_TEXT);
  const identity__pair pairs[] = {{"a", value}};
  identity__buffer small;
  identity__buffer_init(&small, IDENTITY__MAX_TEXT);
  assert_false(identity__body_flat(pairs, 1, &small));
  assert_int_equal(small.length, 0);
  assert_true(small.failed);
  identity__buffer_free(&small);
  free(value);
}

/* The largest that an app can pass: all texts at their limit, each byte written as six. */
static void the_largest_allowed_texts_fit(void **state) {
  (void)state;
  identity__buffer large;
  char *value = repeated('\x01', IDENTITY__MAX_TEXT);
  const identity__pair pairs[] = {{"a", value}, {"b", value}, {"c", value}};
  identity__buffer_init(&large, 2 * IDENTITY__MAX_BODY);
  assert_true(identity__body_flat(pairs, 3, &large));
  assert_int_equal(large.length, 3 * (6 * IDENTITY__MAX_TEXT + strlen("\"a\":\"\",")) + 1);
  identity__buffer_free(&large);
  free(value);
}

#define BODY_TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)
static const struct CMUnitTest tests[] = {
    BODY_TEST(flat_bodies_are_written),
    BODY_TEST(consents_are_written),
    BODY_TEST(capture_answers_are_written_flat_and_custom_ones_in_a_list),
    BODY_TEST(a_body_over_the_bound_fails_and_leaves_nothing),
    BODY_TEST(the_largest_allowed_texts_fit),
};

SUITE("body", tests)
