/* Which capture answers are sent, and which are refused before. */
#include "support/documents.h"

#include "base/limits.h"
#include "wire/capture_plan.h"
#include "wire/results.h"

static const char form_text[] =
    "{\"isCaptureEnabled\":true,\"settings\":["
    "{\"key\":\"email\",\"enabled\":true,\"required\":true,\"answer\":\"jo@example.com\"},"
    "{\"key\":\"firstNameLastName\",\"enabled\":true,\"required\":true,\"answer\":{\"firstName\":\"Jo\"}},"
    "{\"key\":\"birthDate\",\"enabled\":true,\"required\":false,\"answer\":\"1990-01-31\"},"
    "{\"key\":\"companyName\",\"enabled\":false,\"required\":true,\"answer\":null},"
    "{\"key\":\"phoneNumber\",\"enabled\":true,\"required\":false,\"answer\":\"123\"},"
    "{\"key\":\"address\",\"enabled\":true,\"required\":true,\"answer\":{\"city\":\"Delft\"}},"
    "{\"key\":\"custom_1\",\"enabled\":true,\"required\":false,\"value\":\"red; green "
    ";blue\",\"question\":\"Colour?\","
    "\"answer\":\"red\"},"
    "{\"key\":\"custom_2\",\"enabled\":true,\"required\":false,\"value\":\"yes\",\"question\":\"News?\","
    "\"answer\":\"yes\"},"
    "{\"key\":\"custom_3\",\"enabled\":true,\"required\":true,\"value\":\"agreed\",\"question\":\"Agree?\"},"
    "{\"key\":\"custom_4\",\"enabled\":true,\"required\":true,\"value\":\"\",\"question\":\"Why?\"},"
    "{\"key\":\"custom_5\",\"enabled\":true,\"required\":false,\"value\":\"\"},"
    "{\"key\":\"custom_6\",\"enabled\":false,\"required\":false,\"value\":\"\"}]}";

static identity_capture_status *form;
static identity_error error;

static int begin(void **state) {
  (void)state;
  assert_int_equal(identity__read_capture(parse(form_text), 0, &form, &error), IDENTITY_OK);
  drop_document();
  return 0;
}

static int end(void **state) {
  (void)state;
  free(form);
  return 0;
}

#define L50 "abcdefghijabcdefghijabcdefghijabcdefghijabcdefghij"
enum { SENT = 1, UNCHANGED = 0, WRONG = -1 };

static const struct {
  const char *name;
  const char *key;
  const char *value;
  int outcome;
} rows[] = {
    {"name", "firstName", "Joan", SENT},
    {"name never given", "lastName", "Doe", SENT},
    {"the same name", "firstName", "Jo", UNCHANGED},
    {"50 characters", "lastName", L50, SENT},
    {"51 characters", "lastName", L50 "x", WRONG},
    {"empty name", "firstName", "", WRONG},
    {"broken UTF-8", "lastName", "\xC3", WRONG},
    {"broken UTF-8 in a free text", "phoneNumber", "\xFF", WRONG},
    {"the group's own key", "firstNameLastName", "Jo Doe", WRONG},
    {"date", "birthDate", "1990-02-28", SENT},
    {"the same date", "birthDate", "1990-01-31", UNCHANGED},
    {"no such day", "birthDate", "1990-02-30", WRONG},
    {"date in other order", "birthDate", "31-01-1990", WRONG},
    {"empty date", "birthDate", "", WRONG},
    {"not enabled", "companyName", "ACME", WRONG},
    {"custom, not enabled", "custom_6", "x", WRONG},
    {"unknown key", "shoeSize", "44", WRONG},
    {"key in other case", "Birthdate", "1990-02-28", WRONG},
    {"empty key", "", "x", WRONG},
    {"phone", "phoneNumber", "+31 15 123", SENT},
    {"phone taken back", "phoneNumber", "", SENT},
    {"country", "country", "NL", SENT},
    {"country UK", "country", "UK", WRONG},
    {"country uk", "country", "uk", WRONG},
    {"country of three letters", "country", "NLD", WRONG},
    {"empty country", "country", "", WRONG},
    {"city", "city", "Leiden", SENT},
    {"the same city", "city", "Delft", UNCHANGED},
    {"city taken back", "city", "", SENT},
    {"street never given, still none", "address2", "", UNCHANGED},
    {"street", "address", "Markt 1", SENT},
    {"option", "custom_1", "green", SENT},
    {"option as it was", "custom_1", "red", UNCHANGED},
    {"option untrimmed", "custom_1", " green ", WRONG},
    {"option in other case", "custom_1", "Green", WRONG},
    {"no option", "custom_1", "yellow", WRONG},
    {"empty option", "custom_1", "", WRONG},
    {"two options", "custom_1", "red;green", WRONG},
    {"checkbox", "custom_2", "yes", UNCHANGED},
    {"checkbox cleared", "custom_2", "", SENT},
    {"checkbox with another text", "custom_2", "no", WRONG},
    {"required checkbox", "custom_3", "agreed", SENT},
    {"required checkbox cleared", "custom_3", "", WRONG},
    {"required text", "custom_4", "because", SENT},
    {"required text empty", "custom_4", "", WRONG},
    {"optional text, still none", "custom_5", "", UNCHANGED},
    {"the same e-mail", "email", "jo@example.com", UNCHANGED},
    {"another e-mail", "email", "joan@example.com", WRONG},
    {"left alone", "birthDate", NULL, UNCHANGED},
    {"left alone, not even checked", "shoeSize", NULL, UNCHANGED},
};

static void each_answer_is_sent_left_out_or_refused(void **state) {
  (void)state;
  for (size_t i = 0; i < COUNT(rows); i++) {
    const identity_capture_answer answer = {rows[i].key, rows[i].value};
    identity__capture_change *change = calloc(1, sizeof *change);
    uint32_t count = 99;
    identity_status status = identity__capture_plan(form, &answer, 1, change, &count, &error);
    CHECK_TEXT(rows[i].name, identity_status_name(status), rows[i].outcome == WRONG ? "INVALID_INPUT" : "OK");
    CHECK_INT(rows[i].name, count, rows[i].outcome == SENT);
    if (rows[i].outcome == SENT) {
      CHECK_TEXT(rows[i].name, change->key, rows[i].key);
      CHECK_TEXT(rows[i].name, change->value, rows[i].value);
      CHECK_INT(rows[i].name, change->custom, strncmp(rows[i].key, "custom_", 7) == 0);
    }
    if (rows[i].outcome == WRONG)
      CHECK_TEXT(rows[i].name, error.field, rows[i].key);
    free(change);
  }
}

static void only_what_changes_is_sent_in_order(void **state) {
  (void)state;
  const identity_capture_answer answers[] = {{"firstName", "Jo"},
                                             {"custom_1", "blue"},
                                             {"city", NULL},
                                             {"lastName", "Doe"},
                                             {"birthDate", "1990-01-31"}};
  identity__capture_change changes[COUNT(answers)];
  uint32_t count;
  assert_int_equal(identity__capture_plan(form, answers, COUNT(answers), changes, &count, &error),
                   IDENTITY_OK);
  assert_int_equal(count, 2);
  assert_string_equal(changes[0].key, "custom_1");
  assert_string_equal(changes[0].question, "Colour?");
  assert_true(changes[0].custom);
  assert_string_equal(changes[1].key, "lastName");
  assert_null(changes[1].question);
  assert_false(changes[1].custom);
}

static void one_wrong_answer_refuses_all(void **state) {
  (void)state;
  const identity_capture_answer answers[] = {
      {"firstName", "Joan"}, {"birthDate", "never"}, {"shoeSize", "1"}};
  identity__capture_change changes[COUNT(answers)];
  uint32_t count;
  assert_int_equal(identity__capture_plan(form, answers, COUNT(answers), changes, &count, &error),
                   IDENTITY_INVALID_INPUT);
  assert_string_equal(error.field, "birthDate");
  assert_null(strstr(error.message, "never"));
}

static void a_key_given_twice_is_refused(void **state) {
  (void)state;
  const identity_capture_answer twice[] = {{"city", "Leiden"}, {"city", "Gouda"}};
  const identity_capture_answer once[] = {{"city", NULL}, {"city", "Gouda"}, {"city", NULL}};
  identity__capture_change changes[COUNT(once)];
  uint32_t count;
  assert_int_equal(identity__capture_plan(form, twice, COUNT(twice), changes, &count, &error),
                   IDENTITY_INVALID_INPUT);
  assert_string_equal(error.field, "city");
  assert_int_equal(identity__capture_plan(form, once, COUNT(once), changes, &count, &error), IDENTITY_OK);
  assert_int_equal(count, 1);
  assert_string_equal(changes[0].value, "Gouda");
}

static void no_answers_change_nothing(void **state) {
  (void)state;
  uint32_t count = 99;
  assert_int_equal(identity__capture_plan(form, NULL, 0, NULL, &count, &error), IDENTITY_OK);
  assert_int_equal(count, 0);
}

#define PLAN_TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)
static const struct CMUnitTest tests[] = {
    PLAN_TEST(each_answer_is_sent_left_out_or_refused),
    PLAN_TEST(only_what_changes_is_sent_in_order),
    PLAN_TEST(one_wrong_answer_refuses_all),
    PLAN_TEST(a_key_given_twice_is_refused),
    PLAN_TEST(no_answers_change_nothing),
};

SUITE("capture plan", tests)
