#include "support/documents.h"

#include "wire/fields.h"

#include <stddef.h>

typedef struct thing {
  const char *text;
  const char *id;
  int64_t integer;
  int32_t flag;
} thing;

static const identity__field optional[] = {
    {"text", offsetof(thing, text), IDENTITY__FIELD_TEXT, 0},
    {"id", offsetof(thing, id), IDENTITY__FIELD_ID, 0},
    {"integer", offsetof(thing, integer), IDENTITY__FIELD_INTEGER, 0},
    {"flag", offsetof(thing, flag), IDENTITY__FIELD_FLAG, 0},
};

static identity__block block;
static thing *result;
static const identity__json *values[4];

static bool fill(const identity__field *fields, size_t count, const identity__json *object,
                 const char **missing) {
  *missing = NULL;
  identity__fields_find(fields, count, object, values);
  assert_true(identity__block_init(&block, identity__block_cost(sizeof *result) +
                                               identity__fields_measure(fields, count, values)));
  result = identity__block_take(&block, sizeof *result);
  return identity__fields_fill(fields, count, values, result, &block, missing);
}

static const struct {
  const char *object;
  const char *text;
  const char *id;
  int64_t integer;
  int32_t flag;
} rows[] = {
    {"{\"text\":\"a\",\"id\":\"b\",\"integer\":-3,\"flag\":true}", "a", "b", -3, 1},
    {"{\"flag\":false,\"integer\":0,\"id\":7,\"text\":\"\"}", "", "7", 0, 0},
    {"{}", NULL, NULL, 0, 0},
    {"{\"text\":null,\"id\":null,\"integer\":null,\"flag\":null}", NULL, NULL, 0, 0},
    {"{\"text\":1,\"id\":true,\"integer\":\"1\",\"flag\":1}", NULL, NULL, 0, 0},
    {"{\"text\":{},\"id\":[],\"integer\":1.5,\"flag\":\"true\"}", NULL, NULL, 0, 0},
    {"{\"text\":true,\"id\":1.5,\"integer\":1e300,\"flag\":[]}", NULL, NULL, 0, 0},
    {"{\"TEXT\":\"a\",\"Id\":\"b\",\"Integer\":1,\"Flag\":true}", NULL, NULL, 0, 0},
    {"{\"id\":9007199254740991}", NULL, "9007199254740991", 0, 0},
    {"{\"id\":-9007199254740991}", NULL, "-9007199254740991", 0, 0},
    {"{\"id\":9007199254740993}", NULL, NULL, 0, 0},
    {"{\"id\":\"007\"}", NULL, "007", 0, 0},
    {"[]", NULL, NULL, 0, 0},
    {"7", NULL, NULL, 0, 0},
};

static void members_of_the_right_kind_are_taken(void **state) {
  (void)state;
  for (size_t i = 0; i < COUNT(rows); i++) {
    const char *missing;
    CHECK(rows[i].object, fill(optional, COUNT(optional), parse(rows[i].object), &missing));
    drop_document(); /* the struct stands alone */
    CHECK_TEXT(rows[i].object, result->text, rows[i].text);
    CHECK_TEXT(rows[i].object, result->id, rows[i].id);
    CHECK_INT(rows[i].object, result->integer, rows[i].integer);
    CHECK_INT(rows[i].object, result->flag, rows[i].flag);
    free(block.base);
  }
}

static void each_kind_can_be_needed(void **state) {
  (void)state;
  for (size_t i = 0; i < COUNT(optional); i++)
    for (size_t row = 0; row < COUNT(rows); row++) {
      const char *missing;
      identity__field needed = optional[i];
      needed.needed = 1;
      bool there = i == 0   ? rows[row].text != NULL
                   : i == 1 ? rows[row].id != NULL
                            : row <= 1; /* the rows with an integer and a flag */
      CHECK_INT(rows[row].object, fill(&needed, 1, parse(rows[row].object), &missing), there);
      CHECK_TEXT(rows[row].object, missing, there ? NULL : optional[i].name);
      free(block.base);
    }
}

static void the_first_missing_one_is_named(void **state) {
  (void)state;
  static const identity__field fields[] = {
      {"text", offsetof(thing, text), IDENTITY__FIELD_TEXT, 1},
      {"id", offsetof(thing, id), IDENTITY__FIELD_ID, 0},
      {"flag", offsetof(thing, flag), IDENTITY__FIELD_FLAG, 1},
      {"integer", offsetof(thing, integer), IDENTITY__FIELD_INTEGER, 1},
  };
  const char *missing;
  assert_false(fill(fields, COUNT(fields), parse("{\"text\":\"a\"}"), &missing));
  assert_string_equal(missing, "flag");
  free(block.base);
  assert_false(fill(fields, COUNT(fields), NULL, &missing));
  assert_string_equal(missing, "text");
  free(block.base);
}

static void an_object_is_measured_to_the_byte(void **state) {
  (void)state;
  const identity__json *object =
      parse("{\"text\":\"four\",\"id\":12345,\"integer\":7,\"flag\":true,\"x\":\"y\"}");
  identity__fields_find(optional, COUNT(optional), object, values);
  assert_int_equal(identity__fields_measure(optional, COUNT(optional), values), 5 + 6);
  identity__fields_find(optional, COUNT(optional), NULL, values);
  assert_int_equal(identity__fields_measure(optional, COUNT(optional), values), 0);
}

static void an_id_is_text_or_an_exact_number(void **state) {
  (void)state;
  static const char *const ids[][2] = {{"\"a b\"", "a b"},
                                       {"0", "0"},
                                       {"-0", "0"},
                                       {"1e3", "1000"},
                                       {"1.5", NULL},
                                       {"true", NULL},
                                       {"null", NULL},
                                       {"[1]", NULL},
                                       {"{}", NULL},
                                       {"1e20", NULL},
                                       {"\"\"", ""},
                                       {"-7", "-7"},
                                       {"1234567890", "1234567890"},
                                       {"9007199254740991", "9007199254740991"},
                                       {"-9007199254740991", "-9007199254740991"}};
  for (size_t i = 0; i < COUNT(ids); i++) {
    char scratch[IDENTITY__ID_SCRATCH];
    CHECK_TEXT(ids[i][0], identity__json_id(parse(ids[i][0]), scratch), ids[i][1]);
  }
}

static const struct CMUnitTest tests[] = {
    DOCUMENT_TEST(members_of_the_right_kind_are_taken), DOCUMENT_TEST(each_kind_can_be_needed),
    DOCUMENT_TEST(the_first_missing_one_is_named),      DOCUMENT_TEST(an_object_is_measured_to_the_byte),
    DOCUMENT_TEST(an_id_is_text_or_an_exact_number),
};

SUITE("fields", tests)
