/* What an answer says: its data and its words. */
#include "support/rows.h"

#include "wire/answer.h"

static void data_is_what_the_envelope_holds(void **state) {
  (void)state;
  static const struct {
    const char *name;
    const char *body;
    const char *jwt;
  } rows[] = {
      {"enveloped", "{\"responseData\":{\"jwt\":\"in\"},\"jwt\":\"out\"}", "in"},
      {"flat", "{\"jwt\":\"out\"}", "out"},
      {"null envelope", "{\"responseData\":null,\"jwt\":\"out\"}", NULL},
      {"list in the envelope", "{\"responseData\":[],\"jwt\":\"out\"}", NULL},
      {"other case", "{\"ResponseData\":{\"jwt\":\"in\"},\"jwt\":\"out\"}", "out"},
  };
  const identity__expect expect = {0};
  for (size_t i = 0; i < COUNT(rows); i++) {
    identity__answer answer;
    identity_error error;
    const identity__http http = {200, rows[i].body, strlen(rows[i].body), 0, 0};
    CHECK_INT(rows[i].name, identity__answer_read(&answer, &expect, &http, &error), IDENTITY_OK);
    CHECK_TEXT(rows[i].name, identity__json_text(identity__json_member(answer.data, "jwt")), rows[i].jwt);
    identity__answer_clear(&answer);
  }
}

static void complaints_are_gathered(void **state) {
  (void)state;
  static const struct {
    const char *name;
    const char *body;
    const char *text;
    const char *message;
    bool listed;
  } rows[] = {
      {"two", "{\"errors\":[\"a\",\"b\"],\"code\":\"X1\"}", "a, b", "a, b (HTTP 418, X1)", true},
      {"one", "{\"errors\":[\"a\"]}", "a", "a (HTTP 418)", true},
      {"message alone is not listed", "{\"message\":\"m\"}", "m", "m (HTTP 418)", false},
      {"text alone is not listed", "{\"errors\":\"e\"}", "e", "e (HTTP 418)", false},
      {"empty list", "{\"errors\":[],\"message\":\"m\"}", "m", "m (HTTP 418)", false},
      {"control characters", "{\"errors\":[\"a\\nb\"]}", "a?b", "a?b (HTTP 418)", true},
      {"nothing said", "{}", "", "The service does not allow this. (HTTP 418)", false},
      {"a percent sign is text", "{\"errors\":[\"100%s %n\"]}", "100%s %n", "100%s %n (HTTP 418)", true},
  };
  const identity__expect expect = {0};
  for (size_t i = 0; i < COUNT(rows); i++) {
    identity__answer answer;
    identity_error error;
    const identity__http http = {418, rows[i].body, strlen(rows[i].body), 0, 0};
    CHECK_INT(rows[i].name, identity__answer_read(&answer, &expect, &http, &error), IDENTITY_NOT_ALLOWED);
    CHECK_TEXT(rows[i].name, answer.text, rows[i].text);
    CHECK_TEXT(rows[i].name, error.message, rows[i].message);
    CHECK_INT(rows[i].name, answer.listed, rows[i].listed);
    identity__answer_clear(&answer);
  }
}

static void endless_complaints_are_cut_at_a_character(void **state) {
  (void)state;
  char body[8192] = "{\"errors\":[";
  for (int i = 0; i < 600; i++)
    strcat(body, i > 0 ? ",\"\xE2\x82\xAC\"" : "\"\xE2\x82\xAC\"");
  strcat(body, "],\"code\":\"A_CODE_THAT_IS_LONGER_THAN_32_BYTES_FOR_SURE\"}");
  identity__answer answer;
  identity_error error;
  const identity__expect expect = {0};
  const identity__http http = {418, body, strlen(body), 0, 0};
  assert_int_equal(identity__answer_read(&answer, &expect, &http, &error), IDENTITY_NOT_ALLOWED);
  assert_true(strlen(answer.text) < sizeof answer.text);
  assert_true(strlen(answer.text) > sizeof answer.text - 16);
  assert_string_equal(error.code, "A_CODE_THAT_IS_LONGER_THAN_32_B");
  assert_non_null(strstr(error.message, "\xE2\x82\xAC"));
  identity__answer_clear(&answer);
}

static void an_answer_that_lacks_something_says_what(void **state) {
  (void)state;
  identity_error error;
  assert_int_equal(identity__answer_lacks("jwt", &error), IDENTITY_UNEXPECTED_ANSWER);
  assert_int_equal(identity_status_class(error.status), IDENTITY_CLASS_UPDATE_APP);
  assert_non_null(strstr(error.message, "\"jwt\""));
}

static void only_data_without_a_word_is_plain(void **state) {
  (void)state;
  static const struct {
    const char *name;
    const char *body;
    int32_t http;
    bool plain_data;
    bool plain;
  } rows[] = {
      {"data", "{\"responseData\":{\"a\":1},\"errors\":[]}", 200, true, true},
      {"flat data", "{\"a\":1}", 200, true, true},
      {"data that may hold a token", "{\"responseData\":{\"a\":1}}", 200, false, false},
      {"words beside data", "{\"responseData\":{\"a\":1},\"errors\":[\"e\"]}", 200, true, false},
      {"words of another shape", "{\"responseData\":{\"a\":1},\"errors\":[{\"b\":\"e\"}]}", 200, true, false},
      {"a message", "{\"responseData\":{\"a\":1},\"message\":\"m\"}", 200, true, false},
      {"a code", "{\"responseData\":{\"a\":1},\"code\":\"X1\"}", 200, true, false},
      {"words instead of data", "{\"responseData\":{},\"errors\":[\"e\"]}", 200, true, false},
      {"a refusal", "{\"a\":1}", 401, true, false},
      {"no object", "[1]", 200, true, false},
  };
  for (size_t i = 0; i < COUNT(rows); i++) {
    identity__answer answer;
    identity_error error;
    const identity__expect expect = {.plain_data = rows[i].plain_data};
    const identity__http http = {rows[i].http, rows[i].body, strlen(rows[i].body), 0, 0};
    (void)identity__answer_read(&answer, &expect, &http, &error);
    CHECK(rows[i].name, answer.root != NULL && answer.plain == rows[i].plain);
    identity__answer_clear(&answer);
  }
}

static void a_429_throttles_unless_it_asks_for_a_captcha(void **state) {
  static const struct {
    int32_t status;
    const char *body;
    bool throttles;
  } rows[] = {
      {429, "", true},
      {429, "<html></html>", true},
      {429, "{\"code\":\"CPT0001\"", true}, /* not whole */
      {429, "{\"message\":\"Too many requests\"}", true},
      {429, "{\"code\":\"USER0001\",\"errors\":[\"e\"]}", true},
      {429, "{\"code\":\"CPT0001\",\"errors\":[\"e\"]}", false},
      {429, "{\"code\":\"CPT0002\"}", false},
      {429, "{\"message\":\"reCAPTCHA verification failed\"}", false},
      {503, "{\"code\":\"CPT0001\"}", true},
      {503, "", true},
      {200, "", false},
      {400, "{\"code\":\"CPT0001\"}", false},
      {500, "", false},
      {0, "", false},
  };
  (void)state;
  for (size_t i = 0; i < COUNT(rows); i++) {
    const identity__http http = {rows[i].status, rows[i].body, strlen(rows[i].body), 0, 1000};
    CHECK_INT(rows[i].body, identity__answer_throttles(&http), rows[i].throttles);
  }
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(data_is_what_the_envelope_holds),
    cmocka_unit_test(complaints_are_gathered),
    cmocka_unit_test(endless_complaints_are_cut_at_a_character),
    cmocka_unit_test(an_answer_that_lacks_something_says_what),
    cmocka_unit_test(only_data_without_a_word_is_plain),
    cmocka_unit_test(a_429_throttles_unless_it_asks_for_a_captcha),
};

SUITE("answer words", tests)
