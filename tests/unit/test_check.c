#include "support/rows.h"

#include "base/limits.h"
#include "wire/check.h"

static identity_status check(int kind, const char *value, identity_error *error) {
  const identity__input input = {"the_field", 0, (uint8_t)kind, IDENTITY__NEEDED};
  memset(error, 0, sizeof *error);
  return identity__check_inputs(&input, 1, &value, error);
}

static void check_value(const char *name, int kind, const char *value, bool good) {
  identity_error error;
  char *copy = exact_copy(value, strlen(value) + 1);
  identity_status status = check(kind, copy, &error);
  CHECK_TEXT(name, identity_status_name(status), good ? "OK" : "INVALID_INPUT");
  if (!good) {
    CHECK_TEXT(name, error.field, "the_field");
    CHECK(name, strncmp(error.message, "the_field ", 10) == 0);
  }
  free(copy);
}

#define L10 "abcdefghij"
#define L50 L10 L10 L10 L10 L10
#define L60 L50 L10
#define L64 L60 "abcd"

/* NULL ends each list. */
static const struct {
  int kind;
  const char *good[24];
  const char *bad[40];
} kinds[] = {
    {IDENTITY__INPUT_TEXT, {"x", " ", "j\xC3\xB6rg"}, {"", "\xC3", "\xED\xA0\x80", "\xFF"}},
    {IDENTITY__INPUT_EMAIL,
     {"jo@example.com", "a@b.c", "jo+tv@example.com", "jo.doe@mail.example.co.uk", "JO@EXAMPLE.COM",
      "o'neil@example.com", "j\xC3\xB6@ex\xC3\xA4mple.com", "1@2.3", "!#$%&'*/=?^_`{|}~-@example.com",
      L64 "@example.com"},
     {"",
      "jo",
      "jo@",
      "@example.com",
      "@",
      "jo@example",
      "jo@@example.com",
      "jo@exa@mple.com",
      "jo doe@example.com",
      "jo@example .com",
      " jo@example.com",
      "jo@example.com ",
      "jo@example.com\n",
      "jo\t@example.com",
      "jo@.example.com",
      "jo@example.com.",
      "jo@example..com",
      "jo@.",
      "jo@..",
      "jo@example,com.x",
      "jo@<example.com>",
      "jo@exam(ple).com",
      "jo@[192.0.2.1]",
      "jo@\"example\".com",
      "jo@exam;ple.com",
      "jo@exam:ple.com",
      "jo@exam\\ple.com",
      L64 "e@example.com",
      "jo@example.com\x7F",
      "j\xC3@example.com"}},
    {IDENTITY__INPUT_PASSWORD, {"x", " ", "short", "j\xC3\xB6"}, {"", "\xFF"}},
    {IDENTITY__INPUT_NEW_PASSWORD,
     {"abcdefg1", "ABCDEFG1", "abcdefg!", "abcdefg@", "abcdefg#", "abcdefg$", "abcdefg%", "abcdefg^",
      "abcdefg&", "1234567a", "!!!!!!!a", "a b c d 1", L60 L10 "abcdefghi1",
      "\xC3\xA4\xC3\xB6\xC3\xBC\xC3\xA4\xC3\xB6\xC3\xBC\xC3\xA4"
      "1"},
     {"", "abcdef1", "abcdefgh", "12345678", "!@#$%^&!", "1234!@#$", "abcdefg*", "abcdefg?", "abcdefg ",
      L60 L10 L10 "1",
      "\xC3\xA4\xC3\xB6\xC3\xBC"
      "1",
      "abcdefg1\xFF"}},
    {IDENTITY__INPUT_OFFER,
     {"S565568989_US", "s565568989_us", "P000000000_NL"},
     {"", "S565568989", "S565568989_", "S565568989_U", "S565568989_USA", "S56556898_US", "S5655689890_US",
      "1565568989_US", "S56556898a_US", "S565568989-US", "S565568989_U1", " S565568989_US", "S565568989_US ",
      "S565568989_US\n",
      "\xC3\xA4"
      "65568989_US"}},
    {IDENTITY__INPUT_COUNTRY,
     {"NL", "GB", "US", "nl", "UA", "KU"},
     {"", "N", "NLD", "UK", "uk", "Uk", "uK", "N1", "N ", "\xC3\xA4", "--"}},
    {IDENTITY__INPUT_CURRENCY, {"EUR", "usd"}, {"", "EU", "EURO", "EU1", "E R", "\xE2\x82\xAC"}},
    {IDENTITY__INPUT_LOCALE,
     {"en", "en_US", "nl-NL", "zh_Hans_CN", "es-419", "aaaaaaaaaabbbbbbbbbbccccccccccddddd"},
     {"", "e", "en US", "en.UTF-8", "en_US@euro", "aaaaaaaaaabbbbbbbbbbccccccccccdddddd", "\xC3\xA4n"}},
    {IDENTITY__INPUT_NAME,
     {"J", "Jo", "Jean-Luc O'Neil", L50, "\xE6\x9D\x8E"},
     {"", L50 "x", "\xC3", "J\xFF"}},
    {IDENTITY__INPUT_DATE,
     {"1990-01-31", "2024-02-29", "2000-02-29", "1999-12-31", "0001-01-01", "2023-04-30"},
     {"",           "1990-1-31",   "90-01-31",    "1990/01/31",       "1990-01-32",
      "1990-00-10", "1990-13-01",  "1990-01-00",  "2023-02-29",       "1900-02-29",
      "2023-02-30", "2023-04-31",  "2023-06-31",  "2023-09-31",       "2023-11-31",
      "0000-01-01", "1990-01-31 ", " 1990-01-31", "1990-01-31T00:00", "1990-01-3",
      "199O-01-31", "-990-01-31",  "31-01-1990",  "1990-01-+1"}},
    {IDENTITY__INPUT_IP,
     {"203.0.113.7", "::1", "2001:db8::1", "2001:DB8::A", "::ffff:203.0.113.7",
      "0000:0000:0000:0000:0000:ffff:255.255.255.255"},
     {"", "1", "203", "localhost", "203.0.113.7 ", "[::1]", "fe80::1%eth0", "203.0.113.7&x=1",
      "0000:0000:0000:0000:0000:ffff:255.255.255.2555", "example.com"}},
    {IDENTITY__INPUT_JSON,
     {"{}", "{\"a\":[1,2]}", "[]", "null", "\"text\"", " {} "},
     {"", "{", "text", "{\"a\":1,}", "{} {}", "{\"a\":\"\\u0000\"}", "{'a':1}"}},
    {IDENTITY__INPUT_URL,
     {"https://app.example.com/reset", "http://x", "app://reset"},
     {"", "app.example.com", "/reset", "https://", "https://a b", "https:///x", "https://a\\b"}},
    {IDENTITY__INPUT_TOKEN,
     {"x", "abc.def_ghi-jkl", "!"},
     {"", " ", "a b", "a\n", "a\tb", "\x7F", "\x01", "\xFF"}},
    {IDENTITY__INPUT_ID,
     {"0", "533354305", "12345678901234567890123456789012"},
     {"", "-1", "1.0", "12a", " 1", "123456789012345678901234567890123", "\xD9\xA1"}},
};

static void each_kind_takes_good_values(void **state) {
  (void)state;
  for (size_t i = 0; i < COUNT(kinds); i++)
    for (size_t j = 0; kinds[i].good[j] != NULL; j++)
      check_value(kinds[i].good[j], kinds[i].kind, kinds[i].good[j], true);
}

static void each_kind_refuses_bad_values(void **state) {
  (void)state;
  for (size_t i = 0; i < COUNT(kinds); i++)
    for (size_t j = 0; kinds[i].bad[j] != NULL; j++)
      check_value(kinds[i].bad[j], kinds[i].kind, kinds[i].bad[j], false);
}

/* The rules stand in the order of the kinds: a word of each. */
static void each_kind_says_what_it_wants(void **state) {
  (void)state;
  static const char *const words[] = {
      "empty",         "e-mail", "empty", "80 characters", "S565568989_US", "ISO 3166", "currency", "locale",
      "50 characters", "date",   "IPv4",  "JSON",          "absolute URL",  "token",    "digits"};
  assert_int_equal(COUNT(words), IDENTITY__INPUT_ID + 1);
  for (size_t i = 0; i < COUNT(words); i++) {
    identity_error error;
    (void)check((int)i, i == IDENTITY__INPUT_NAME ? "" : kinds[i].bad[0], &error);
    CHECK(words[i], strstr(error.message, words[i]) != NULL);
    CHECK(words[i], strstr(identity__input_rule((int)i), words[i]) != NULL);
  }
}

static void every_kind_is_in_the_table(void **state) {
  (void)state;
  assert_int_equal(COUNT(kinds), IDENTITY__INPUT_ID + 1);
  for (size_t i = 0; i < COUNT(kinds); i++)
    assert_int_equal(kinds[i].kind, i);
}

/* head, then as many characters as make the length, then tail. */
static char *filled(const char *head, const char *filling, size_t count, const char *tail) {
  size_t size = strlen(head) + count * strlen(filling) + strlen(tail) + 1;
  char *text = calloc(1, size);
  assert_non_null(text);
  strcpy(text, head);
  char *at = text + strlen(head);
  for (size_t i = 0; i < count; i++, at += strlen(filling))
    memcpy(at, filling, strlen(filling));
  strcpy(at, tail);
  return text;
}

static const struct {
  const char *name;
  int kind;
  const char *head;
  const char *filling;
  const char *tail;
  size_t most; /* fillings that pass; one more does not */
} limits[] = {
    {"text in bytes", IDENTITY__INPUT_TEXT, "", "x", "", IDENTITY__MAX_TEXT},
    {"email in bytes", IDENTITY__INPUT_EMAIL, "jo@", "x", ".com", IDENTITY__MAX_EMAIL - 7},
    {"password in bytes", IDENTITY__INPUT_PASSWORD, "", "x", "", IDENTITY__MAX_TEXT},
    {"new password in characters", IDENTITY__INPUT_NEW_PASSWORD, "1", "\xE2\x82\xAC", "",
     IDENTITY__MAX_PASSWORD_CHARACTERS - 1},
    {"name in characters", IDENTITY__INPUT_NAME, "", "\xF0\x9D\x84\x9E", "", IDENTITY__MAX_NAME_CHARACTERS},
    {"external data in characters", IDENTITY__INPUT_JSON, "\"", "\xE2\x82\xAC", "\"",
     IDENTITY__MAX_EXTERNAL_DATA_CHARACTERS - 2},
    {"token in bytes", IDENTITY__INPUT_TOKEN, "", "x", "", IDENTITY__MAX_TOKEN},
    {"url in bytes", IDENTITY__INPUT_URL, "https://", "x", "", IDENTITY__MAX_URL - 8},
    {"id in digits", IDENTITY__INPUT_ID, "", "7", "", IDENTITY__MAX_ID},
};

static void limits_hold_at_their_edge(void **state) {
  (void)state;
  for (size_t i = 0; i < COUNT(limits); i++) {
    char *most = filled(limits[i].head, limits[i].filling, limits[i].most, limits[i].tail);
    char *more = filled(limits[i].head, limits[i].filling, limits[i].most + 1, limits[i].tail);
    check_value(limits[i].name, limits[i].kind, most, true);
    check_value(limits[i].name, limits[i].kind, more, false);
    free(most);
    free(more);
  }
}

static void the_shortest_new_password_has_eight_characters(void **state) {
  (void)state;
  check_value("7", IDENTITY__INPUT_NEW_PASSWORD,
              "\xC3\xA4\xC3\xA4\xC3\xA4\xC3\xA4\xC3\xA4\xC3\xA4"
              "1",
              false);
  check_value("8", IDENTITY__INPUT_NEW_PASSWORD,
              "\xC3\xA4\xC3\xA4\xC3\xA4\xC3\xA4\xC3\xA4\xC3\xA4\xC3\xA4"
              "1",
              true);
}

static void a_publisher_id_has_nine_digits(void **state) {
  (void)state;
  static const struct {
    const char *text;
    bool good;
  } rows[] = {{"123456789", true}, {"000000000", true},  {"12345678", false},  {"1234567890", false},
              {"", false},         {"12345678a", false}, {" 12345678", false}, {"-12345678", false}};
  for (size_t i = 0; i < COUNT(rows); i++)
    CHECK_INT(rows[i].text, identity__is_publisher_id(rows[i].text), rows[i].good);
}

static void the_first_wrong_input_is_named(void **state) {
  (void)state;
  const struct {
    const char *email, *country, *password, *offer_id;
  } texts = {"jo@example.com", NULL, "secretword", "x"};
  const identity__input inputs[] = {
      {"email", 0, IDENTITY__INPUT_EMAIL, IDENTITY__NEEDED},
      {"country", sizeof(char *), IDENTITY__INPUT_COUNTRY, IDENTITY__OPTIONAL},
      {"password", 2 * sizeof(char *), IDENTITY__INPUT_NEW_PASSWORD, IDENTITY__NEEDED},
      {"offer_id", 3 * sizeof(char *), IDENTITY__INPUT_OFFER, IDENTITY__NEEDED},
  };
  identity_error error;
  assert_int_equal(identity__check_inputs(inputs, COUNT(inputs), &texts, &error), IDENTITY_INVALID_INPUT);
  assert_string_equal(error.field, "password");
  assert_null(strstr(error.message, "secretword"));
  assert_int_equal(error.status, IDENTITY_INVALID_INPUT);
  assert_int_equal(identity__check_inputs(inputs, 2, &texts, &error), IDENTITY_OK);
  assert_int_equal(identity__check_inputs(inputs, 0, &texts, &error), IDENTITY_OK);
}

static void only_a_needed_input_may_not_be_absent(void **state) {
  (void)state;
  identity_error error;
  for (int kind = IDENTITY__INPUT_TEXT; kind <= IDENTITY__INPUT_ID; kind++) {
    const char *absent = NULL;
    identity__input input = {"the_field", 0, (uint8_t)kind, IDENTITY__SECRET};
    assert_int_equal(identity__check_inputs(&input, 1, &absent, &error), IDENTITY_OK);
    input.traits |= IDENTITY__NEEDED;
    assert_int_equal(identity__check_inputs(&input, 1, &absent, &error), IDENTITY_INVALID_INPUT);
    assert_string_equal(error.message, "the_field is missing");
  }
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(each_kind_takes_good_values),
    cmocka_unit_test(each_kind_refuses_bad_values),
    cmocka_unit_test(each_kind_says_what_it_wants),
    cmocka_unit_test(every_kind_is_in_the_table),
    cmocka_unit_test(limits_hold_at_their_edge),
    cmocka_unit_test(the_shortest_new_password_has_eight_characters),
    cmocka_unit_test(a_publisher_id_has_nine_digits),
    cmocka_unit_test(the_first_wrong_input_is_named),
    cmocka_unit_test(only_a_needed_input_may_not_be_absent),
};

SUITE("check", tests)
