/* The capture form and the customer's data. */
#include "support/documents.h"

#include "base/limits.h"
#include "call/endpoint.h"
#include "wire/results.h"

static identity_error error;

/* ---- capture ---- */

#define FORM(settings)                                                                                       \
  "{\"isCaptureEnabled\":true,\"shouldCaptureBeDisplayed\":true,\"settings\":[" settings "]}"
#define CUSTOM(value) FORM("{\"key\":\"custom_1\",\"enabled\":true,\"required\":true,\"value\":" value "}")

static identity_capture_status *read_form(const char *text) {
  identity_capture_status *form;
  if (identity__read_capture(parse(text), 0, &form, &error) != IDENTITY_OK)
    fail_msg("%s: %s", text, error.message);
  drop_document();
  return form;
}

static void a_form_is_read(void **state) {
  (void)state;
  identity_capture_status *form = read_form(FORM(
      "{\"key\":\"email\",\"enabled\":true,\"required\":true,\"answer\":\"jo@example.com\"},"
      "{\"key\":\"firstNameLastName\",\"enabled\":true,\"required\":true,\"answer\":{\"firstName\":\"Jo\","
      "\"lastName\":null}},{\"key\":\"birthDate\",\"enabled\":false,\"required\":true,\"answer\":null},"
      "{\"key\":\"address\",\"enabled\":true,\"required\":false,\"answer\":{\"address\":\"A\",\"city\":\"C\","
      "\"postCode\":1234}},{\"key\":\"custom_1\",\"enabled\":true,\"required\":false,\"value\":"
      "\"option 1;option 2\",\"question\":\"Which one?\",\"answer\":\"option 2\"}"));
  assert_int_equal(form->enabled, 1);
  assert_int_equal(form->should_be_displayed, 1);
  assert_int_equal(form->setting_count, 5);
  const identity_capture_setting *const *settings = form->settings;
  assert_int_equal(settings[0]->kind, IDENTITY_CAPTURE_TEXT);
  assert_string_equal(settings[0]->answers[0]->key, "email");
  assert_string_equal(settings[0]->answers[0]->value, "jo@example.com");
  assert_null(settings[0]->question);
  assert_int_equal(settings[1]->kind, IDENTITY_CAPTURE_NAME);
  assert_int_equal(settings[1]->answer_count, 2);
  assert_string_equal(settings[1]->answers[0]->key, "firstName");
  assert_string_equal(settings[1]->answers[0]->value, "Jo");
  assert_string_equal(settings[1]->answers[1]->key, "lastName");
  assert_null(settings[1]->answers[1]->value);
  assert_int_equal(settings[2]->kind, IDENTITY_CAPTURE_DATE);
  assert_int_equal(settings[2]->enabled, 0);
  assert_int_equal(settings[2]->required, 1);
  assert_int_equal(settings[3]->kind, IDENTITY_CAPTURE_ADDRESS);
  static const char *const keys[] = {"address", "address2", "city", "state", "postCode", "country"};
  static const char *const values[] = {"A", NULL, "C", NULL, "1234", NULL};
  for (size_t i = 0; i < COUNT(keys); i++) {
    CHECK_TEXT(keys[i], settings[3]->answers[i]->key, keys[i]);
    CHECK_TEXT(keys[i], settings[3]->answers[i]->value, values[i]);
  }
  assert_string_equal(settings[4]->question, "Which one?");
  assert_string_equal(settings[4]->answers[0]->value, "option 2");
  free(form);
}

static const struct {
  const char *name;
  const char *text;
  int32_t kind;
  uint32_t count;
  const char *options[3];
} option_rows[] = {
    {"none", CUSTOM("\"\""), IDENTITY_CAPTURE_TEXT, 0, {NULL}},
    {"null", CUSTOM("null"), IDENTITY_CAPTURE_TEXT, 0, {NULL}},
    {"a number", CUSTOM("7"), IDENTITY_CAPTURE_TEXT, 0, {NULL}},
    {"only separators", CUSTOM("\" ; ;\\t;\""), IDENTITY_CAPTURE_TEXT, 0, {NULL}},
    {"one", CUSTOM("\"yes\""), IDENTITY_CAPTURE_CHECKBOX, 1, {"yes"}},
    {"one and a separator", CUSTOM("\"yes;\""), IDENTITY_CAPTURE_CHECKBOX, 1, {"yes"}},
    {"two", CUSTOM("\"yes;no\""), IDENTITY_CAPTURE_CHOICE, 2, {"yes", "no"}},
    {"trimmed",
     CUSTOM("\" option 1 ;\\t option 2\\t;  option 3\""),
     IDENTITY_CAPTURE_CHOICE,
     3,
     {"option 1", "option 2", "option 3"}},
    {"empty ones between", CUSTOM("\";;a;;b;\""), IDENTITY_CAPTURE_CHOICE, 2, {"a", "b"}},
    {"UTF-8", CUSTOM("\"\xC3\xA4;\xE2\x82\xAC\""), IDENTITY_CAPTURE_CHOICE, 2, {"\xC3\xA4", "\xE2\x82\xAC"}},
    {"a colon is text", CUSTOM("\"a:b\""), IDENTITY_CAPTURE_CHECKBOX, 1, {"a:b"}},
};

static void options_are_split_and_trimmed(void **state) {
  (void)state;
  for (size_t i = 0; i < COUNT(option_rows); i++) {
    identity_capture_status *form = read_form(option_rows[i].text);
    const identity_capture_setting *setting = form->settings[0];
    CHECK_INT(option_rows[i].name, setting->kind, option_rows[i].kind);
    CHECK_INT(option_rows[i].name, setting->option_count, option_rows[i].count);
    for (uint32_t j = 0; j < setting->option_count; j++)
      CHECK_TEXT(option_rows[i].name, setting->options[j], option_rows[i].options[j]);
    free(form);
  }
}

static void answers_of_another_shape_count_as_none(void **state) {
  (void)state;
  static const char *const texts[] = {
      FORM("{\"key\":\"firstNameLastName\",\"enabled\":true,\"answer\":null}"),
      FORM("{\"key\":\"firstNameLastName\",\"enabled\":true,\"answer\":\"Jo\"}"),
      FORM("{\"key\":\"firstNameLastName\",\"enabled\":true,\"answer\":[\"Jo\"]}"),
      FORM("{\"key\":\"phoneNumber\",\"enabled\":true,\"answer\":{\"a\":1}}"),
      FORM("{\"key\":\"phoneNumber\",\"enabled\":true,\"answer\":false}"),
      FORM("{\"key\":\"phoneNumber\",\"enabled\":true}"),
  };
  for (size_t i = 0; i < COUNT(texts); i++) {
    identity_capture_status *form = read_form(texts[i]);
    CHECK_TEXT(texts[i], form->settings[0]->answers[0]->value, NULL);
    free(form);
  }
}

static void a_form_need_not_say_whether_to_show_it(void **state) {
  (void)state;
  identity_capture_status *form = read_form("{\"isCaptureEnabled\":false,\"settings\":[]}");
  assert_int_equal(form->enabled, 0);
  assert_int_equal(form->should_be_displayed, 0);
  assert_int_equal(form->setting_count, 0);
  free(form);
}

static void a_form_without_what_it_needs_is_refused(void **state) {
  (void)state;
  static const char *const rows[][2] = {
      {"{}", "\"isCaptureEnabled\""},
      {"{\"isCaptureEnabled\":1,\"settings\":[]}", "\"isCaptureEnabled\""},
      {"{\"isCaptureEnabled\":true}", "\"settings\""},
      {"{\"isCaptureEnabled\":true,\"settings\":{}}", "\"settings\""},
      {FORM("null"), "\"settings.key\""},
      {FORM("{\"enabled\":true}"), "\"settings.key\""},
      {FORM("{\"key\":7,\"enabled\":true}"), "\"settings.key\""},
      {FORM("{\"key\":\"email\"}"), "\"settings.enabled\""},
      {FORM("{\"key\":\"email\",\"enabled\":true},{\"key\":\"a\",\"enabled\":\"yes\"}"),
       "\"settings.enabled\""},
  };
  for (size_t i = 0; i < COUNT(rows); i++) {
    identity_capture_status *form;
    CHECK_INT(rows[i][0], identity__read_capture(parse(rows[i][0]), 16, &form, &error),
              IDENTITY_UNEXPECTED_ANSWER);
    CHECK(rows[i][0], form == NULL && strstr(error.message, rows[i][1]) != NULL);
  }
}

static void a_form_is_bounded(void **state) {
  (void)state;
  for (size_t more = 0; more < 2; more++) {
    identity_capture_status *form;
    char *text = long_list("{\"isCaptureEnabled\":true,\"settings\":[",
                           "{\"key\":\"address\",\"enabled\":true}", IDENTITY__MAX_LIST + more, "]}");
    identity_status status = identity__read_capture(parse_part("form", text, strlen(text)), 0, &form, &error);
    assert_int_equal(status, more ? IDENTITY_UNEXPECTED_ANSWER : IDENTITY_OK);
    if (!more)
      assert_int_equal(form->setting_count, IDENTITY__MAX_LIST);
    free(form);
    free(text);
  }
}

static void the_caller_gets_room_in_front_of_a_form(void **state) {
  (void)state;
  identity_capture_status *form;
  assert_int_equal(identity__read_capture(parse(CUSTOM("\"a;b\"")), 40, &form, &error), IDENTITY_OK);
  char *lead = (char *)form - identity__block_cost(40);
  memset(lead, 'x', 40);
  assert_string_equal(form->settings[0]->options[1], "b");
  free(lead);
}

/* ---- customer ---- */

static const struct {
  const char *name;
  const char *body;
  const char *id;
  const char *external_id;
  const char *external_data;
} customers[] = {
    {"id as number", "{\"responseData\":{\"id\":362344331,\"email\":\"e\"}}", "362344331", NULL, NULL},
    {"id as text", "{\"responseData\":{\"id\":\"362344331\",\"email\":\"e\"}}", "362344331", NULL, NULL},
    {"no envelope", "{\"id\":1,\"email\":\"e\",\"externalData\":{\"a\":1}}", "1", NULL, "{\"a\":1}"},
    {"data as text", "{\"responseData\":{\"id\":1,\"email\":\"e\",\"externalData\":\"{\\\"a\\\":1}\"}}", "1",
     NULL, "{\"a\":1}"},
    {"data as object keeps every digit",
     "{\"responseData\":{\"id\":1,\"email\":\"e\",\"externalData\":{\"a\": 12345678901234567890.10 "
     "}},\"errors\":[]}",
     "1", NULL, "{\"a\": 12345678901234567890.10 }"},
    {"data as list", "{\"responseData\":{\"id\":1,\"email\":\"e\",\"externalData\":[1, 2]}}", "1", NULL,
     "[1, 2]"},
    {"of two the one in the envelope",
     "{\"externalData\":[1],\"responseData\":{\"id\":1,\"email\":\"e\",\"externalData\":[2]}}", "1", NULL,
     "[2]"},
    {"only beside the envelope", "{\"externalData\":[1],\"responseData\":{\"id\":1,\"email\":\"e\"}}", "1",
     NULL, NULL},
    {"data as null", "{\"responseData\":{\"id\":1,\"email\":\"e\",\"externalData\":null}}", "1", NULL, NULL},
    {"empty data", "{\"responseData\":{\"id\":1,\"email\":\"e\",\"externalData\":\"\"}}", "1", NULL, ""},
    {"external id as number", "{\"responseData\":{\"id\":1,\"email\":\"e\",\"externalId\":77}}", "1", "77",
     NULL},
    {"empty external id", "{\"responseData\":{\"id\":1,\"email\":\"e\",\"externalId\":\"\"}}", "1", "", NULL},
};

static identity__answer answer;

/* As the flow does, with what the table of endpoints says of this one. */
static identity_status read_answer(const char *body, identity_customer **customer) {
  size_t length = strlen(body);
  char *copy = exact_text(body, length);
  const identity__http http = {.status = 200, .body = copy, .length = length};
  const identity__expect *expect = &identity__endpoint_of(IDENTITY__CUSTOMER)->expect;
  assert_int_equal(identity__answer_read(&answer, expect, &http, &error), IDENTITY_OK);
  identity_status status = identity__read_customer(answer.data, answer.raw, customer, &error);
  identity__answer_clear(&answer);
  free(copy);
  return status;
}

static void customer_data_is_read(void **state) {
  (void)state;
  for (size_t i = 0; i < COUNT(customers); i++) {
    identity_customer *customer;
    CHECK_INT(customers[i].name, read_answer(customers[i].body, &customer), IDENTITY_OK);
    CHECK_TEXT(customers[i].name, customer->id, customers[i].id);
    CHECK_TEXT(customers[i].name, customer->email, "e");
    CHECK_TEXT(customers[i].name, customer->external_id, customers[i].external_id);
    CHECK_TEXT(customers[i].name, customer->external_data, customers[i].external_data);
    CHECK_TEXT(customers[i].name, customer->first_name, NULL);
    free(customer);
  }
}

static void every_member_of_a_customer_is_read(void **state) {
  (void)state;
  identity_customer *customer;
  const char *text = "{\"id\":1,\"email\":\"e\",\"firstName\":\"Jo\",\"lastName\":\"Doe\",\"country\":\"NL\","
                     "\"regDate\":\"2021-04-28 13:03:26\",\"lastLoginDate\":\"2021-07-26 16:54:38\","
                     "\"lastUserIp\":\"203.0.113.7\",\"lastUserIP\":\"other\",\"transactions\":\"4\"}";
  assert_int_equal(read_answer(text, &customer), IDENTITY_OK);
  assert_string_equal(customer->first_name, "Jo");
  assert_string_equal(customer->last_name, "Doe");
  assert_string_equal(customer->country, "NL");
  assert_string_equal(customer->registration_date, "2021-04-28 13:03:26");
  assert_string_equal(customer->last_login_date, "2021-07-26 16:54:38");
  assert_string_equal(customer->last_user_ip, "203.0.113.7");
  free(customer);
}

static void a_customer_without_id_or_email_is_refused(void **state) {
  (void)state;
  static const char *const texts[] = {"{}",
                                      "{\"id\":1}",
                                      "{\"email\":\"e\"}",
                                      "{\"id\":null,\"email\":\"e\"}",
                                      "{\"id\":1.5,\"email\":\"e\"}",
                                      "{\"id\":true,\"email\":\"e\"}",
                                      "{\"id\":1,\"email\":7}",
                                      "[]",
                                      "null"};
  const identity__json_span none = {NULL, 0};
  for (size_t i = 0; i < COUNT(texts); i++) {
    identity_customer *customer;
    CHECK_INT(texts[i], identity__read_customer(parse(texts[i]), none, &customer, &error),
              IDENTITY_UNEXPECTED_ANSWER);
    CHECK(texts[i], customer == NULL);
  }
}

static const struct CMUnitTest tests[] = {
    DOCUMENT_TEST(a_form_is_read),
    DOCUMENT_TEST(options_are_split_and_trimmed),
    DOCUMENT_TEST(answers_of_another_shape_count_as_none),
    DOCUMENT_TEST(a_form_need_not_say_whether_to_show_it),
    DOCUMENT_TEST(a_form_without_what_it_needs_is_refused),
    DOCUMENT_TEST(a_form_is_bounded),
    DOCUMENT_TEST(the_caller_gets_room_in_front_of_a_form),
    DOCUMENT_TEST(customer_data_is_read),
    DOCUMENT_TEST(every_member_of_a_customer_is_read),
    DOCUMENT_TEST(a_customer_without_id_or_email_is_refused),
};

SUITE("results customer", tests)
