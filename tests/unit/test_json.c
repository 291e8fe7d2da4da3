#include "support/documents.h"

#include "base/limits.h"
#include "wire/json.h"

#include <locale.h>

static bool is_refused(const char *text) {
  identity__json *root;
  char *copy = exact_text(text, strlen(text));
  int result = identity__json_parse(copy, strlen(text), NULL, 0, &root);
  free(copy);
  identity__json_free(root);
  return result == IDENTITY__JSON_INVALID && root == NULL;
}

static void names_are_case_sensitive(void **state) {
  (void)state;
  const identity__json *root = parse("{\"JWT\":\"a\",\"jwt\":\"b\",\"Jwt\":\"c\"}");
  assert_string_equal(identity__json_text(identity__json_member(root, "jwt")), "b");
  assert_string_equal(identity__json_text(identity__json_member(root, "Jwt")), "c");
  assert_null(identity__json_member(root, "jWT"));
}

static void duplicate_names_are_refused_at_any_depth(void **state) {
  (void)state;
  static const char *const texts[] = {
      "{\"a\":1,\"a\":2}",
      "{\"a\":1,\"b\":2,\"a\":1}",
      "{\"a\":1,\"\\u0061\":2}",
      "{\"\":1,\"\":2}",
      "[{\"a\":1,\"a\":2}]",
      "{\"x\":{\"y\":[1,{\"a\":1,\"a\":2}]}}",
      "{\"\xC3\xA4\":1,\"\\u00e4\":2}",
  };
  for (size_t i = 0; i < COUNT(texts); i++)
    CHECK(texts[i], is_refused(texts[i]));
  (void)parse("[{\"a\":1},{\"a\":2},{\"b\":{\"a\":1},\"a\":2}]");
}

/* An object of the most members in no order of their names; the one at the place has the name of another. */
static char *add_object(char *at, size_t place, size_t other) {
  for (size_t i = 0; i < IDENTITY__MAX_LIST; i++) {
    size_t name = i == place ? other : i;
    at += sprintf(at, "%s\"%03zu\":0", i > 0 ? "," : "{", name * 387 % IDENTITY__MAX_LIST);
  }
  return at + sprintf(at, "}");
}

static void a_duplicate_is_found_wherever_it_stands_in_a_large_object(void **state) {
  (void)state;
  static const size_t pairs[][2] = {{1, 0}, {999, 0}, {999, 998}, {500, 499}, {0, 999}, {387, 12}};
  char *text = malloc(16 * IDENTITY__MAX_LIST);
  assert_non_null(text);
  (void)add_object(text, 0, 0);
  assert_false(is_refused(text));
  for (size_t i = 0; i < COUNT(pairs); i++) {
    (void)add_object(text, pairs[i][0], pairs[i][1]);
    assert_true(is_refused(text));
  }
  free(text);
}

/* As much as an answer may hold: nothing in it costs the square of its members. */
static void an_answer_full_of_large_objects_is_read(void **state) {
  (void)state;
  enum { OBJECTS = 116 };
  char *text = malloc((size_t)2 * IDENTITY__MAX_BODY);
  assert_non_null(text);
  char *at = text;
  for (int i = 0; i < OBJECTS; i++) {
    *at++ = i > 0 ? ',' : '[';
    at = add_object(at, 0, 0);
  }
  at += sprintf(at, "]");
  assert_in_range(at - text, IDENTITY__MAX_BODY / 2, IDENTITY__MAX_BODY);
  const identity__json *root = parse_part("large objects", text, (size_t)(at - text));
  assert_int_equal(identity__json_count(root), OBJECTS);
  free(text);
}

static void what_the_scan_refuses_never_gets_further(void **state) {
  (void)state;
  static const char *const texts[] = {"", "{", "{} x", "NaN", "01", "{\"a\":\"\\u0000\"}", "\xEF\xBB\xBF{}"};
  for (size_t i = 0; i < COUNT(texts); i++)
    CHECK(texts[i], is_refused(texts[i]));
}

static void members_of_an_object_are_bounded(void **state) {
  (void)state;
  for (size_t more = 0; more < 2; more++) {
    char *text = malloc(32 * IDENTITY__MAX_LIST + 64);
    assert_non_null(text);
    char *at = text + sprintf(text, "[{");
    for (size_t i = 0; i < IDENTITY__MAX_LIST + more; i++)
      at += sprintf(at, "%s\"m%zu\":%zu", i > 0 ? "," : "", i, i);
    (void)sprintf(at, "}]");
    assert_int_equal(is_refused(text), more);
    free(text);
  }
}

static void the_deepest_document_is_read_and_freed(void **state) {
  (void)state;
  char text[512] = "";
  for (int i = 0; i < IDENTITY__MAX_JSON_DEPTH - 1; i++)
    strcat(text, "{\"a\":");
  strcat(text, "[\"deep\"]");
  for (int i = 0; i < IDENTITY__MAX_JSON_DEPTH - 1; i++)
    strcat(text, "}");
  const identity__json *node = parse(text);
  for (int i = 0; i < IDENTITY__MAX_JSON_DEPTH - 1; i++)
    node = identity__json_member(node, "a");
  assert_string_equal(identity__json_text(identity__json_first(node)), "deep");
}

static const struct {
  const char *text;
  bool exact;
  int64_t value;
} integers[] = {
    {"0", true, 0},
    {"-0", true, 0},
    {"7", true, 7},
    {"-7", true, -7},
    {"533354305", true, 533354305},
    {"7.0", true, 7},
    {"7e2", true, 700},
    {"70e-1", true, 7},
    {"9007199254740991", true, INT64_C(9007199254740991)},
    {"-9007199254740991", true, -INT64_C(9007199254740991)},
    {"9007199254740992", false, 0}, /* this and the next are one double */
    {"9007199254740993", false, 0},
    {"-9007199254740992", false, 0},
    {"-9007199254740993", false, 0},
    {"9223372036854775807", false, 0},
    {"18446744073709551616", false, 0},
    {"1e300", false, 0},
    {"-1e300", false, 0},
    {"1e400", false, 0},
    {"-1e400", false, 0},
    {"7.5", false, 0},
    {"0.1", false, 0},
    {"1e-400", true, 0},
    {"\"7\"", false, 0},
    {"true", false, 0},
    {"null", false, 0},
    {"[7]", false, 0},
};

static void integers_are_taken_only_where_exact(void **state) {
  (void)state;
  for (size_t i = 0; i < COUNT(integers); i++) {
    int64_t value = 99;
    CHECK_INT(integers[i].text, identity__json_integer(parse(integers[i].text), &value), integers[i].exact);
    if (integers[i].exact)
      CHECK_INT(integers[i].text, value, integers[i].value);
  }
}

/* The parser behind the scan takes so many characters of a number: what is longer must be refused for what it
 * is, and not be taken for a lack of memory. */
static void a_number_without_end_is_refused(void **state) {
  (void)state;
  for (size_t digits = 60; digits < 200; digits++) {
    char *number = repeated('7', digits);
    identity__json *root;
    int result = identity__json_parse(number, digits, NULL, 0, &root);
    assert_int_equal(result,
                     digits <= IDENTITY__MAX_JSON_NUMBER ? IDENTITY__JSON_OK : IDENTITY__JSON_INVALID);
    identity__json_free(root);
    free(number);
  }
  assert_true(is_refused("[0.1234567890123456789012345678901234567890123456789012345678901234567890]"));
}

static void a_comma_locale_changes_nothing(void **state) {
  (void)state;
  (void)setlocale(LC_ALL, "de_DE.UTF-8");
  int64_t value = 0;
  assert_false(identity__json_integer(parse("25e-1"), &value));
  assert_true(identity__json_integer(parse("12.0"), &value));
  assert_int_equal(value, 12);
  (void)setlocale(LC_ALL, "C");
}

static void each_kind_is_only_itself(void **state) {
  (void)state;
  static const struct {
    const char *text;
    bool object, list, null, is_text, flag, number;
  } rows[] = {{"{}", true, false, false, false, false, false},
              {"[]", false, true, false, false, false, false},
              {"null", false, false, true, false, false, false},
              {"\"\"", false, false, false, true, false, false},
              {"true", false, false, false, false, true, false},
              {"false", false, false, false, false, true, false},
              {"0", false, false, false, false, false, true},
              {"\"null\"", false, false, false, true, false, false}};
  for (size_t i = 0; i < COUNT(rows); i++) {
    int32_t flag = 7;
    int64_t number;
    const identity__json *node = parse(rows[i].text);
    CHECK_INT(rows[i].text, identity__json_is_object(node), rows[i].object);
    CHECK_INT(rows[i].text, identity__json_is_list(node), rows[i].list);
    CHECK_INT(rows[i].text, identity__json_is_null(node), rows[i].null);
    CHECK_INT(rows[i].text, identity__json_text(node) != NULL, rows[i].is_text);
    CHECK_INT(rows[i].text, identity__json_flag(node, &flag), rows[i].flag);
    CHECK_INT(rows[i].text, identity__json_integer(node, &number), rows[i].number);
    if (rows[i].flag)
      CHECK_INT(rows[i].text, flag, strcmp(rows[i].text, "true") == 0);
  }
}

static void an_absent_node_is_nothing(void **state) {
  (void)state;
  int32_t flag;
  int64_t number;
  assert_true(identity__json_is_null(NULL));
  assert_false(identity__json_is_object(NULL));
  assert_false(identity__json_is_list(NULL));
  assert_null(identity__json_text(NULL));
  assert_null(identity__json_first(NULL));
  assert_null(identity__json_member(NULL, "a"));
  assert_int_equal(identity__json_count(NULL), 0);
  assert_false(identity__json_flag(NULL, &flag));
  assert_false(identity__json_integer(NULL, &number));
  assert_null(identity__json_member(parse("[{\"a\":1}]"), "a"));
  assert_int_equal(identity__json_count(parse("{\"a\":1}")), 0);
  identity__json_free(NULL);
}

static void texts_are_unescaped(void **state) {
  (void)state;
  assert_string_equal(
      identity__json_text(parse("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e4\\u20AC\\uD834\\uDD1E\"")),
      "\"\\/\b\f\n\r\t\xC3\xA4\xE2\x82\xAC\xF0\x9D\x84\x9E");
}

/* What was written is what is read. */
static void every_text_comes_back_from_its_printed_form(void **state) {
  (void)state;
  for (int c = 1; c < 256; c++) {
    char value[4] = {(char)c, 'x', '\0', '\0'};
    if (c >= 0x80) {
      value[0] = (char)(0xC0 | c >> 6);
      value[1] = (char)(0x80 | (c & 0x3F));
    }
    identity__buffer text;
    identity__buffer_init(&text, 1000);
    identity__json *object = identity__json_new_object();
    assert_true(identity__json_put_text(object, value, value));
    assert_true(identity__json_print(object, true, &text));
    const identity__json *root = parse(text.bytes);
    assert_string_equal(identity__json_text(identity__json_member(root, value)), value);
    identity__buffer_free(&text);
  }
}

static void an_incomplete_document_is_freed_and_not_printed(void **state) {
  (void)state;
  identity__buffer text;
  identity__buffer_init(&text, 1000);
  identity__json *object = identity__json_new_object();
  assert_true(identity__json_put_text(object, "password", "s3cret"));
  assert_false(identity__json_print(object, false, &text));
  assert_false(identity__json_print(NULL, true, &text));
  assert_int_equal(text.length, 0);
  assert_false(identity__json_put_text(NULL, "a", "b"));
  assert_null(identity__json_put_list(NULL, "a"));
  assert_null(identity__json_add_object(NULL));
  identity__buffer_free(&text);
}

static const struct CMUnitTest tests[] = {
    DOCUMENT_TEST(names_are_case_sensitive),
    DOCUMENT_TEST(duplicate_names_are_refused_at_any_depth),
    DOCUMENT_TEST(a_duplicate_is_found_wherever_it_stands_in_a_large_object),
    DOCUMENT_TEST(an_answer_full_of_large_objects_is_read),
    DOCUMENT_TEST(what_the_scan_refuses_never_gets_further),
    DOCUMENT_TEST(members_of_an_object_are_bounded),
    DOCUMENT_TEST(the_deepest_document_is_read_and_freed),
    DOCUMENT_TEST(integers_are_taken_only_where_exact),
    DOCUMENT_TEST(a_number_without_end_is_refused),
    DOCUMENT_TEST(a_comma_locale_changes_nothing),
    DOCUMENT_TEST(each_kind_is_only_itself),
    DOCUMENT_TEST(an_absent_node_is_nothing),
    DOCUMENT_TEST(texts_are_unescaped),
    DOCUMENT_TEST(every_text_comes_back_from_its_printed_form),
    DOCUMENT_TEST(an_incomplete_document_is_freed_and_not_printed),
};

SUITE("json", tests)
