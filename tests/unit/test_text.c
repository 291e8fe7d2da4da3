#include "support/suite.h"

#include "base/text.h"

#include <locale.h>

#define COUNT(rows) (sizeof(rows) / sizeof((rows)[0]))

static void case_is_that_of_ascii_only(void **state) {
  (void)state;
  for (int c = 0; c < 256; c++) {
    char expected = (char)(c >= 'A' && c <= 'Z' ? c + 32 : c);
    assert_int_equal(identity__lower((char)c), expected);
    assert_int_equal(identity__is_letter((char)c), (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z'));
    assert_int_equal(identity__is_digit((char)c), c >= '0' && c <= '9');
  }
}

/* Where the locale is not installed this repeats the plain case. */
static void a_turkish_locale_changes_nothing(void **state) {
  (void)state;
  (void)setlocale(LC_ALL, "tr_TR.UTF-8");
  assert_int_equal(identity__lower('I'), 'i');
  assert_true(identity__same_text("CONTENT-TYPE: ID", "content-type: id"));
  assert_false(identity__same_text("\xC4\xB0", "i"));
  (void)setlocale(LC_ALL, "C");
}

static void digits_are_all_or_nothing(void **state) {
  (void)state;
  static const struct {
    const char *text;
    bool all;
  } rows[] = {{"0", true},   {"123456789", true}, {"", false},   {"12a", false},
              {"-1", false}, {" 1", false},       {"1 ", false}, {"\xD9\xA1", false}};
  for (size_t i = 0; i < COUNT(rows); i++)
    assert_int_equal(identity__all_digits(rows[i].text), rows[i].all);
}

static void texts_are_compared_without_case(void **state) {
  (void)state;
  static const struct {
    const char *a;
    const char *b;
    bool same;
  } rows[] = {{"", "", true},
              {"a", "A", true},
              {"Retry-After", "retry-AFTER", true},
              {"a", "", false},
              {"", "a", false},
              {"ab", "a", false},
              {"a", "ab", false},
              {"[", "{", false},
              {"@", "`", false},
              {"\xC3\x84", "\xC3\xA4", false}};
  for (size_t i = 0; i < COUNT(rows); i++)
    assert_int_equal(identity__same_text(rows[i].a, rows[i].b), rows[i].same);
}

static void prefixes_are_exact(void **state) {
  (void)state;
  assert_true(identity__starts_with("https://x", "https://"));
  assert_true(identity__starts_with("x", ""));
  assert_true(identity__starts_with("", ""));
  assert_false(identity__starts_with("HTTPS://x", "https://"));
  assert_false(identity__starts_with("http", "https"));
}

static void a_text_is_found_without_case_at_its_first_place(void **state) {
  (void)state;
  static const struct {
    const char *text;
    const char *needle;
    int at; /* -1: nowhere */
  } rows[] = {{"Refresh token is expired", "TOKEN", 8},
              {"aab", "ab", 1},
              {"abAB", "AB", 0},
              {"abc", "abcd", -1},
              {"", "a", -1},
              {"abc", "c", 2}};
  for (size_t i = 0; i < COUNT(rows); i++) {
    const char *found = identity__find_text(rows[i].text, rows[i].needle);
    if (rows[i].at < 0)
      assert_null(found);
    else
      assert_ptr_equal(found, rows[i].text + rows[i].at);
  }
}

static const struct {
  const char *text;
  size_t available;
  size_t length;
} utf8_rows[] = {
    {"", 0, 0},
    {"", 1, 1}, /* a zero byte is a character; who forbids it looks for it */
    {"a", 1, 1},
    {"\x7F", 1, 1},
    {"\x80", 1, 0},
    {"\xBF", 1, 0},
    {"\xC0\x80", 2, 0}, /* overlong */
    {"\xC1\xBF", 2, 0},
    {"\xC2\x80", 2, 2},
    {"\xDF\xBF", 2, 2},
    {"\xC2", 1, 0}, /* cut off */
    {"\xC2\x80", 1, 0},
    {"\xC2\x41", 2, 0},
    {"\xC2\xC0", 2, 0},
    {"\xE0\x9F\xBF", 3, 0}, /* overlong */
    {"\xE0\xA0\x80", 3, 3},
    {"\xE0\xA0\x80", 2, 0},
    {"\xE1\x80\x7F", 3, 0},
    {"\xED\x9F\xBF", 3, 3},
    {"\xED\xA0\x80", 3, 0}, /* surrogates */
    {"\xED\xBF\xBF", 3, 0},
    {"\xEE\x80\x80", 3, 3},
    {"\xEF\xBF\xBF", 3, 3},
    {"\xF0\x8F\xBF\xBF", 4, 0}, /* overlong */
    {"\xF0\x90\x80\x80", 4, 4},
    {"\xF0\x90\x80\x80", 3, 0},
    {"\xF4\x8F\xBF\xBF", 4, 4},
    {"\xF4\x90\x80\x80", 4, 0}, /* above U+10FFFF */
    {"\xF5\x80\x80\x80", 4, 0},
    {"\xFE", 1, 0},
    {"\xFF", 1, 0},
};

static void utf8_is_that_of_rfc_3629(void **state) {
  (void)state;
  for (size_t i = 0; i < COUNT(utf8_rows); i++) {
    char exact[8]; /* with other bytes behind what is available */
    memset(exact, 0xBF, sizeof exact);
    memcpy(exact, utf8_rows[i].text, utf8_rows[i].available);
    assert_int_equal(identity__utf8_length(exact, utf8_rows[i].available), utf8_rows[i].length);
  }
}

/* All code points, encoded by the rule, against the library's table. */
static void every_code_point_but_surrogates_is_a_character(void **state) {
  (void)state;
  for (uint32_t point = 0x80; point <= 0x10FFFF; point++) {
    char text[4];
    size_t length = point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;
    static const uint8_t leads[] = {0, 0, 0xC0, 0xE0, 0xF0};
    uint32_t rest = point;
    for (size_t i = length - 1; i > 0; i--, rest >>= 6)
      text[i] = (char)(0x80 | (rest & 0x3F));
    text[0] = (char)(leads[length] | rest);
    bool surrogate = point >= 0xD800 && point <= 0xDFFF;
    if (identity__utf8_length(text, length) != (surrogate ? 0 : length))
      fail_msg("U+%04X", (unsigned)point);
  }
}

static void characters_are_counted_not_bytes(void **state) {
  (void)state;
  static const struct {
    const char *text;
    int64_t characters;
  } rows[] = {{"", 0},          {"abc", 3},      {"\xC3\xA4\xE2\x82\xAC\xF0\x9F\x98\x80", 3},
              {"a\xCC\x88", 2}, /* a combining mark is one of its own */
              {"abc\xFF", -1},  {"\xE2\x82", -1}};
  for (size_t i = 0; i < COUNT(rows); i++)
    assert_int_equal(identity__utf8_characters(rows[i].text), rows[i].characters);
}

static void a_copied_line_is_one_line_of_whole_characters(void **state) {
  (void)state;
  static const struct {
    const char *text;
    size_t size;
    const char *line;
  } rows[] = {{"abc", 4, "abc"},
              {"abcd", 4, "abc"},
              {"abc", 1, ""},
              {"", 1, ""},
              {"a\nb\tc\x7F", 16, "a?b?c?"},
              {"x\xFFy", 16, "x?y"},
              {"\xE2\x82\xAC", 4, "\xE2\x82\xAC"},
              {"\xE2\x82\xAC", 3, ""}, /* not half a character */
              {"a\xE2\x82\xAC", 4, "a"},
              {"a\xE2\x82", 16, "a??"},
              {"\n", 1, ""},
              {"\n", 2, "?"}};
  for (size_t i = 0; i < COUNT(rows); i++) {
    char line[17];
    memset(line, '#', sizeof line);
    identity__copy_line(line, rows[i].size, rows[i].text);
    assert_string_equal(line, rows[i].line);
    assert_int_equal(line[rows[i].size], '#');
  }
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(case_is_that_of_ascii_only),
    cmocka_unit_test(a_turkish_locale_changes_nothing),
    cmocka_unit_test(digits_are_all_or_nothing),
    cmocka_unit_test(texts_are_compared_without_case),
    cmocka_unit_test(prefixes_are_exact),
    cmocka_unit_test(a_text_is_found_without_case_at_its_first_place),
    cmocka_unit_test(utf8_is_that_of_rfc_3629),
    cmocka_unit_test(every_code_point_but_surrogates_is_a_character),
    cmocka_unit_test(characters_are_counted_not_bytes),
    cmocka_unit_test(a_copied_line_is_one_line_of_whole_characters),
};

SUITE("text", tests)
