#include "support/rows.h"

#include "base/limits.h"
#include "wire/json_scan.h"

static bool scan(const char *text, size_t length) {
  char *copy = exact_text(text, length);
  bool whole = identity__json_scan(copy, length, NULL, 0);
  free(copy);
  return whole;
}

static const char *const valid[] = {
    "null",
    "true",
    "false",
    "0",
    "-0",
    "7",
    "-12",
    "1.5",
    "0.25",
    "1e3",
    "1E+3",
    "1e-3",
    "-1.25e12",
    "9007199254740993",
    "1e400",
    "12345678",
    "-123456789012345678901234567890",
    "12345678.12345678e12345678",
    "[12345678,1234567,123456789]",
    "\"\"",
    "\"text\"",
    "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"",
    "\"\\u0001\"",
    "\"\\u00e9\\uFFFF\"",
    "\"\\uD834\\uDD1E\"",
    "\"\\ud834\\udd1e\"",
    "\"\\uD800\\uDC00\"",
    "\"\\uDBFF\\uDFFF\"",
    "\"j\xC3\xB6rg \xE2\x82\xAC \xF0\x9D\x84\x9E\"",
    "\"\x7F\"",
    "[]",
    "{}",
    "[ ]",
    "{ }",
    " \t\r\n[1 , 2\n]\t",
    "[[],{},[{}]]",
    "{\"a\":1}",
    "{\"\":\"\"}",
    "{ \"a\" : 1 , \"b\" : [ true , null ] }",
    "{\"a\":1,\"a\":2}", /* grammar only: names are compared after parsing */
};

static void valid_documents_pass(void **state) {
  (void)state;
  for (size_t i = 0; i < COUNT(valid); i++)
    CHECK(valid[i], scan(valid[i], strlen(valid[i])));
}

static const char *const invalid[] = {
    "",
    " ",
    "nul",
    "nulll",
    "NULL",
    "True",
    "undefined",
    "NaN",
    "-NaN",
    "Infinity",
    "-Infinity",
    "inf",
    "+1",
    "-",
    "--1",
    "01",
    "-01",
    "00",
    "0x10",
    "1.",
    ".5",
    "-.5",
    "1.e3",
    "1e",
    "1e+",
    "1e+-3",
    "1,5",
    "1 2",
    "1_000",
    "012345678",
    "1234567/",
    "1234567:",
    "12345678a",
    "12345678.",
    "12345678.e1",
    "'text'",
    "text",
    "\"",
    "\"open",
    "\"\\\"",
    "\"\\",
    "\"\\x41\"",
    "\"\\a\"",
    "\"\\'\"",
    "\"\\u\"",
    "\"\\u123\"",
    "\"\\u123g\"",
    "\"\\u 041\"",
    "\"\\U0041\"",
    "\"\\u0000\"",
    "{\"\\u0000\":1}",
    "{\"a\\u0000b\":1}",
    "\"\\uD834\"",
    "\"\\uD834x\"",
    "\"\\uD834\\n\"",
    "\"\\uD834\\u0041\"",
    "\"\\uD834\\uD834\"",
    "\"\\uDD1E\"",
    "\"\\uDC00\"",
    "\"\\uDFFF\"",
    "\"\\uD800\\uDBFF\"",
    "\"\\uDBFF\\uE000\"",
    "\"\\uDD1E\\uD834\"",
    "\"\\uD834\\uDD1\"",
    "\"line\nbreak\"",
    "\"tab\t\"",
    "\"\x1F\"",
    "\"\x80\"",
    "\"\xC3\"",
    "\"\xC3\x28\"",
    "\"\xC0\xAF\"",
    "\"\xED\xA0\x80\"",
    "\"\xF4\x90\x80\x80\"",
    "\"\xFF\"",
    "\xEF\xBB\xBF{}",
    "\xEF\xBB\xBF",
    "\xFE\xFF",
    "\xC2\xA0[]",
    "\f[]",
    "\v[]",
    "[",
    "]",
    "{",
    "}",
    "[1",
    "[1,",
    "[1,]",
    "[,1]",
    "[,]",
    "[1 2]",
    "[1;2]",
    "[1}",
    "{]",
    "{\"a\"}",
    "{\"a\":}",
    "{\"a\":1",
    "{\"a\":1,",
    "{\"a\":1,}",
    "{,\"a\":1}",
    "{\"a\" 1}",
    "{\"a\":1 \"b\":2}",
    "{\"a\"::1}",
    "{a:1}",
    "{'a':1}",
    "{1:1}",
    "{null:1}",
    "{} {}",
    "{}x",
    "[]]",
    "{}}",
    "null,",
    "1/* one */",
    "// one\n1",
    "#1",
    "<html></html>",
};

static void invalid_documents_are_refused(void **state) {
  (void)state;
  for (size_t i = 0; i < COUNT(invalid); i++)
    CHECK(invalid[i], !scan(invalid[i], strlen(invalid[i])));
}

/* Eight bytes are looked at together, from wherever a text begins: none may hide behind another. */
static void every_byte_counts_wherever_it_stands_in_a_text(void **state) {
  (void)state;
  static const char before[] = {'a', ' ', '!', '#', '[', ']', '\x7F'};
  char text[24];
  for (int c = 0; c < 256; c++)
    for (size_t at = 1; at < 22; at++) {
      bool plain = c >= 0x20 && c < 0x80 && c != '"' && c != '\\';
      memset(text, before[at % sizeof before], sizeof text);
      text[0] = text[sizeof text - 1] = '"';
      text[at] = (char)c;
      if (scan(text, sizeof text) != plain)
        fail_msg("byte %d at %zu", c, at);
    }
}

static void every_byte_counts_wherever_it_stands_in_a_number(void **state) {
  (void)state;
  char text[24];
  for (int c = 0; c < 256; c++)
    for (size_t at = 1; at < sizeof text - 1; at++) {
      bool whole = (c >= '0' && c <= '9') || c == '.' || c == 'e' || c == 'E';
      memset(text, '1' + (char)(at % 9), sizeof text);
      text[at] = (char)c;
      if (scan(text, sizeof text) != whole)
        fail_msg("byte %d at %zu", c, at);
    }
}

static void a_zero_byte_is_refused_anywhere(void **state) {
  (void)state;
  static const char document[] = "{\"a\":[1,\"b\"]}";
  for (size_t at = 0; at <= sizeof document - 1; at++) {
    char copy[sizeof document + 1];
    memcpy(copy, document, at);
    copy[at] = '\0';
    memcpy(copy + at + 1, document + at, sizeof document - 1 - at);
    assert_false(scan(copy, sizeof document));
  }
}

/* So many lists in each other, or objects. */
static bool scan_nested(size_t depth, const char *open, const char *inner, const char *close) {
  char text[4096] = "";
  for (size_t i = 0; i < depth; i++)
    strcat(text, open);
  strcat(text, inner);
  for (size_t i = 0; i < depth; i++)
    strcat(text, close);
  return scan(text, strlen(text));
}

static void depth_is_bounded(void **state) {
  (void)state;
  const size_t most = IDENTITY__MAX_JSON_DEPTH;
  assert_true(scan_nested(most, "[", "", "]"));
  assert_true(scan_nested(most, "[", "7", "]"));
  assert_false(scan_nested(most + 1, "[", "", "]"));
  assert_true(scan_nested(most, "{\"a\":", "7", "}"));
  assert_false(scan_nested(most + 1, "{\"a\":", "7", "}"));
  assert_true(scan_nested(most / 2, "[{\"a\":", "7", "}]"));
  assert_false(scan_nested(most / 2, "[{\"a\":", "[]", "}]"));
}

static void depth_counts_what_is_open_not_what_was(void **state) {
  (void)state;
  char text[1024] = "[";
  for (size_t i = 0; i < 3 * IDENTITY__MAX_JSON_DEPTH; i++)
    strcat(text, "[],");
  strcat(text, "{}]");
  assert_true(scan(text, strlen(text)));
}

static void a_million_open_brackets_are_refused_without_harm(void **state) {
  (void)state;
  char *open = repeated('[', IDENTITY__MAX_BODY);
  assert_false(identity__json_scan(open, IDENTITY__MAX_BODY, NULL, 0));
  free(open);
}

/* Every kind of token, and the last byte closes it. */
static const char sample[] =
    "{\"responseData\":{\"jwt\":\"e\\u00e9\\uD834\\uDD1E\xE2\x82\xAC\",\"n\":[-1.5e+3,0,true,"
    "false,null,{}]},\"errors\":[\"a\\\\\\\"\"]}";

static void every_truncation_is_refused(void **state) {
  (void)state;
  assert_true(scan(sample, sizeof sample - 1));
  for (size_t length = 0; length < sizeof sample - 1; length++)
    if (scan(sample, length))
      fail_msg("the first %zu bytes pass", length);
}

static void whatever_stands_behind_the_value_is_refused(void **state) {
  (void)state;
  for (int c = 0; c < 256; c++) {
    char copy[sizeof sample];
    memcpy(copy, sample, sizeof sample - 1);
    copy[sizeof sample - 1] = (char)c;
    bool space = c == ' ' || c == '\t' || c == '\r' || c == '\n';
    if (scan(copy, sizeof sample) != space)
      fail_msg("byte %d behind the value", c);
  }
}

static const struct {
  const char *name;
  const char *document;
  const char *path[IDENTITY__JSON_PATH];
  const char *found; /* NULL: nothing */
} spans[] = {
    {"member", "{\"a\":1,\"b\":[2, 3]}", {"b"}, "[2, 3]"},
    {"first of many", "{\"a\":{\"x\":0},\"b\":1}", {"a"}, "{\"x\":0}"},
    {"nested", "{\"r\":{\"o\":{\"d\":12345678901234567890}}}", {"r", "o", "d"}, "12345678901234567890"},
    {"behind other members",
     "{ \"z\" : [ {\"a\":9} ] , \"r\" : { \"q\":\"}\", \"a\" : 1.50 } }",
     {"r", "a"},
     "1.50"},
    {"absent", "{\"a\":1}", {"b"}, NULL},
    {"absent inside", "{\"a\":{\"b\":1}}", {"a", "c"}, NULL},
    {"prefix of a name", "{\"ab\":1}", {"a"}, NULL},
    {"longer than a name", "{\"a\":1}", {"ab"}, NULL},
    {"case", "{\"A\":1}", {"a"}, NULL},
    {"not an object", "[1]", {"a"}, NULL},
    {"path through a text", "{\"a\":\"b\"}", {"a", "b"}, NULL},
    {"path through null", "{\"a\":null}", {"a", "b"}, NULL},
    {"empty object", "{}", {"a"}, NULL},
    {"null value", "{\"a\":null}", {"a"}, "null"},
    {"whole document", "{\"a\":1}", {NULL}, "{\"a\":1}"},
    {"name only as a value", "{\"b\":\"a\"}", {"a"}, NULL},
    {"same name deeper", "{\"b\":{\"a\":1}}", {"a"}, NULL},
    {"a list on the way", "{\"a\":[{\"b\":1}]}", {"a", "b"}, NULL},
    {"inside of a list", "[{\"a\":1}]", {"a"}, NULL},
    {"second name alone", "{\"b\":1}", {"a", "b"}, NULL},
    {"same name on the way", "{\"a\":{\"a\":2}}", {"a", "a"}, "2"},
    {"beside another path", "{\"b\":{\"c\":1},\"a\":{\"c\":2}}", {"a", "c"}, "2"},
    {"written with an escape", "{\"\\u0061\":1}", {"a"}, NULL},
    {"a text with its quotes", " { \"a\" : \"\\u00e9}\" } ", {"a"}, "\"\\u00e9}\""},
    {"behind what was left", "{\"a\":{\"x\":[{}],\"b\":{\"c\":0}},\"b\":1}", {"a", "b"}, "{\"c\":0}"},
    {"not of what was left", "{\"a\":{\"b\":1},\"c\":{\"b\":2}}", {"a", "b"}, "1"},
    {"not of an object in a list of it", "{\"a\":{\"c\":[{\"b\":1}]}}", {"a", "b"}, NULL},
    {"whole document without its white space", " [1, 2] ", {NULL}, "[1, 2]"},
};

static void check_span(const char *name, identity__json_span span, const char *found) {
  CHECK(name, (span.start == NULL) == (found == NULL));
  if (span.start == NULL)
    return;
  CHECK_INT(name, span.length, strlen(found));
  CHECK(name, memcmp(span.start, found, span.length) == 0);
}

static void raw_text_is_found_by_its_path(void **state) {
  (void)state;
  for (size_t i = 0; i < COUNT(spans); i++) {
    size_t length = strlen(spans[i].document);
    char *copy = exact_text(spans[i].document, length);
    identity__json_raw raw = {.text = {"what was there before", 4}};
    memcpy(raw.path, spans[i].path, sizeof raw.path);
    CHECK(spans[i].name, identity__json_scan(copy, length, &raw, 1));
    check_span(spans[i].name, raw.text, spans[i].found);
    free(copy);
  }
}

static void several_raw_texts_are_found_at_once(void **state) {
  (void)state;
  static const char text[] = "{\"d\":1,\"r\":{\"x\":[0],\"d\":{\"r\":2}}}";
  identity__json_raw raws[] = {
      {.path = {"r", "d"}}, {.path = {"d"}}, {.path = {"r"}}, {.path = {"r", "d", "r"}}};
  static const char *const found[] = {"{\"r\":2}", "1", "{\"x\":[0],\"d\":{\"r\":2}}", "2"};
  assert_true(identity__json_scan(text, strlen(text), raws, COUNT(raws)));
  for (size_t i = 0; i < COUNT(raws); i++)
    check_span(found[i], raws[i].text, found[i]);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(valid_documents_pass),
    cmocka_unit_test(invalid_documents_are_refused),
    cmocka_unit_test(every_byte_counts_wherever_it_stands_in_a_text),
    cmocka_unit_test(every_byte_counts_wherever_it_stands_in_a_number),
    cmocka_unit_test(a_zero_byte_is_refused_anywhere),
    cmocka_unit_test(depth_is_bounded),
    cmocka_unit_test(depth_counts_what_is_open_not_what_was),
    cmocka_unit_test(a_million_open_brackets_are_refused_without_harm),
    cmocka_unit_test(every_truncation_is_refused),
    cmocka_unit_test(whatever_stands_behind_the_value_is_refused),
    cmocka_unit_test(raw_text_is_found_by_its_path),
    cmocka_unit_test(several_raw_texts_are_found_at_once),
};

SUITE("json scan", tests)
