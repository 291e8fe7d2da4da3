/* Answers of the service as the structs an app gets. */
#include "support/documents.h"

#include "base/limits.h"
#include "wire/results.h"

static identity_error error;

static void check_lacks(const char *row, identity_status status, const void *result, const char *what) {
  char quoted[64];
  (void)snprintf(quoted, sizeof quoted, "\"%s\"", what);
  CHECK_TEXT(row, identity_status_name(status), "UNEXPECTED_ANSWER");
  CHECK(row, result == NULL);
  if (strstr(error.message, quoted) == NULL)
    fail_msg("row \"%s\": \"%s\" does not speak of %s", row, error.message, quoted);
}

/* ---- locale ---- */

static void a_locale_is_read(void **state) {
  (void)state;
  identity_locale *locale;
  const char *text =
      "{\"country\":\"NL\",\"currency\":\"EUR\",\"locale\":\"nl_NL\",\"ipAddress\":\"203.0.113.7\","
      "\"other\":[1,{}]}";
  assert_int_equal(identity__read_locale(parse(text), &locale, &error), IDENTITY_OK);
  drop_document(); /* the result stands alone */
  assert_string_equal(locale->country, "NL");
  assert_string_equal(locale->currency, "EUR");
  assert_string_equal(locale->locale, "nl_NL");
  assert_string_equal(locale->ip_address, "203.0.113.7");
  free(locale);
  assert_int_equal(
      identity__read_locale(parse("{\"country\":\"\",\"currency\":\"\",\"locale\":\"\"}"), &locale, &error),
      IDENTITY_OK);
  assert_null(locale->ip_address);
  free(locale);
}

static const struct {
  const char *text;
  const char *lacks;
} bad_locales[] = {
    {"{}", "country"},
    {"{\"country\":\"NL\",\"currency\":\"EUR\"}", "locale"},
    {"{\"country\":null,\"currency\":\"EUR\",\"locale\":\"x\"}", "country"},
    {"{\"country\":7,\"currency\":\"EUR\",\"locale\":\"x\"}", "country"},
    {"{\"country\":[\"NL\"],\"currency\":\"EUR\",\"locale\":\"x\"}", "country"},
    {"{\"Country\":\"NL\",\"currency\":\"EUR\",\"locale\":\"x\"}", "country"},
    {"{\"country\":\"NL\",\"currency\":true,\"locale\":\"x\"}", "currency"},
    {"[]", "country"},
    {"null", "country"},
    {"\"NL\"", "country"},
};

static void a_locale_without_what_it_needs_is_refused(void **state) {
  (void)state;
  for (size_t i = 0; i < COUNT(bad_locales); i++) {
    identity_locale *locale;
    identity_status status = identity__read_locale(parse(bad_locales[i].text), &locale, &error);
    check_lacks(bad_locales[i].text, status, locale, bad_locales[i].lacks);
  }
  identity_locale *locale;
  assert_int_equal(identity__read_locale(NULL, &locale, &error), IDENTITY_UNEXPECTED_ANSWER);
}

/* ---- the publisher's consents ---- */

#define TERMS "{\"broadcasterId\":0,\"name\":\"terms\",\"version\":\"1\",\"required\":true}"

static void publisher_consents_are_read(void **state) {
  (void)state;
  identity_consents *consents;
  const char *text =
      "{\"consents\":[" TERMS ",{\"broadcasterId\":123456789,\"name\":\"broadcaster_marketing\","
      "\"version\":\"1.7\",\"required\":false,\"enabledByDefault\":true,\"value\":\"News\","
      "\"label\":\"Send <a href=\\\"x\\\">news</a>\"},{\"name\":\"new_kind\",\"version\":7,"
      "\"required\":false,\"broadcasterId\":\"9\",\"value\":false,\"enabledByDefault\":\"yes\"}]}";
  assert_int_equal(identity__read_consents(parse(text), &consents, &error), IDENTITY_OK);
  drop_document();
  assert_int_equal(consents->count, 3);
  assert_string_equal(consents->items[0]->name, "terms");
  assert_string_equal(consents->items[0]->broadcaster_id, "0");
  assert_int_equal(consents->items[0]->required, 1);
  assert_int_equal(consents->items[0]->enabled_by_default, 0);
  assert_null(consents->items[0]->label);
  assert_string_equal(consents->items[1]->version, "1.7");
  assert_string_equal(consents->items[1]->label, "Send <a href=\"x\">news</a>");
  assert_int_equal(consents->items[1]->enabled_by_default, 1);
  assert_string_equal(consents->items[2]->version, "7");
  assert_string_equal(consents->items[2]->broadcaster_id, "9");
  assert_null(consents->items[2]->value);
  assert_int_equal(consents->items[2]->enabled_by_default, 0);
  free(consents);
}

static const struct {
  const char *text;
  const char *lacks;
} bad_consents[] = {
    {"{}", "consents"},
    {"{\"consents\":null}", "consents"},
    {"{\"consents\":{}}", "consents"},
    {"{\"consents\":\"\"}", "consents"},
    {"[" TERMS "]", "consents"},
    {"{\"consents\":[" TERMS ",null]}", "required"},
    {"{\"consents\":[7]}", "required"},
    {"{\"consents\":[{\"name\":\"a\",\"version\":\"1\"}]}", "required"},
    {"{\"consents\":[{\"name\":\"a\",\"version\":\"1\",\"required\":\"true\"}]}", "required"},
    {"{\"consents\":[{\"name\":\"a\",\"version\":\"1\",\"required\":1}]}", "required"},
    {"{\"consents\":[{\"version\":\"1\",\"required\":true}]}", "name"},
    {"{\"consents\":[{\"name\":7,\"version\":\"1\",\"required\":true}]}", "name"},
    {"{\"consents\":[{\"name\":\"a\",\"required\":true}]}", "version"},
    {"{\"consents\":[{\"name\":\"a\",\"version\":1.5,\"required\":true}]}", "version"},
};

static void consents_without_what_they_need_are_refused(void **state) {
  (void)state;
  for (size_t i = 0; i < COUNT(bad_consents); i++) {
    identity_consents *consents;
    identity_status status = identity__read_consents(parse(bad_consents[i].text), &consents, &error);
    check_lacks(bad_consents[i].text, status, consents, bad_consents[i].lacks);
  }
}

static void lists_are_bounded(void **state) {
  (void)state;
  for (size_t more = 0; more < 2; more++) {
    identity_consents *consents;
    identity_customer_consents *answers;
    char *list = long_list("{\"consents\":[", TERMS, IDENTITY__MAX_LIST + more, "]}");
    identity_status status =
        identity__read_consents(parse_part("list", list, strlen(list)), &consents, &error);
    assert_int_equal(status, more ? IDENTITY_UNEXPECTED_ANSWER : IDENTITY_OK);
    if (!more)
      assert_int_equal(consents->count, IDENTITY__MAX_LIST);
    free(consents);
    free(list);
    list = long_list("{\"consents\":[", "{\"name\":\"a\",\"newestVersion\":\"1\"}", IDENTITY__MAX_LIST + more,
                     "]}");
    status = identity__read_customer_consents(parse_part("list", list, strlen(list)), IDENTITY__ALL_CONSENTS,
                                              0, &answers, &error);
    assert_int_equal(status, more ? IDENTITY_UNEXPECTED_ANSWER : IDENTITY_OK);
    free(answers);
    free(list);
  }
}

static void an_empty_list_is_a_list(void **state) {
  (void)state;
  identity_consents *consents;
  assert_int_equal(identity__read_consents(parse("{\"consents\":[]}"), &consents, &error), IDENTITY_OK);
  assert_int_equal(consents->count, 0);
  free(consents);
}

/* ---- the customer's consents ---- */

#define ANSWER(required, state, version, newest, update)                                                     \
  "{\"consents\":[{\"customerId\":\"7\",\"name\":\"a\",\"required\":" required ",\"state\":" state           \
  ",\"version\":" version ",\"newestVersion\":" newest ",\"needsUpdate\":" update "}]}"

static const struct {
  const char *name;
  const char *text;
  int32_t accepted;
  int32_t needs_update;
  const char *version;
} answers[] = {
    {"up to date", ANSWER("true", "\"accepted\"", "\"7\"", "\"7\"", "false"), 1, 0, "7"},
    {"newer version", ANSWER("true", "\"accepted\"", "\"6\"", "\"7\"", "false"), 1, 1, "6"},
    {"versions are no numbers", ANSWER("true", "\"accepted\"", "\"9\"", "\"10\"", "false"), 1, 1, "9"},
    {"older version is newest", ANSWER("false", "\"accepted\"", "\"10\"", "\"9\"", "false"), 1, 1, "10"},
    {"the service says so", ANSWER("false", "\"accepted\"", "\"7\"", "\"7\"", "true"), 1, 1, "7"},
    {"declined, required", ANSWER("true", "\"declined\"", "\"7\"", "\"7\"", "false"), 0, 1, "7"},
    {"declined, optional", ANSWER("false", "\"declined\"", "\"7\"", "\"7\"", "false"), 0, 0, "7"},
    {"declined in an older version", ANSWER("false", "\"declined\"", "\"6\"", "\"7\"", "false"), 0, 1, "6"},
    {"never answered, required", ANSWER("true", "\"declined\"", "\"\"", "\"7\"", "false"), 0, 1, NULL},
    {"never answered, optional", ANSWER("false", "\"declined\"", "\"\"", "\"7\"", "false"), 0, 0, NULL},
    {"no version, optional", ANSWER("false", "\"declined\"", "null", "\"7\"", "false"), 0, 0, NULL},
    {"no version, but accepted", ANSWER("true", "\"accepted\"", "null", "\"7\"", "false"), 1, 0, NULL},
    {"versions as numbers", ANSWER("true", "\"accepted\"", "7", "7", "false"), 1, 0, "7"},
    {"number and text", ANSWER("true", "\"accepted\"", "7", "\"7\"", "false"), 1, 0, "7"},
    {"state of no kind", ANSWER("true", "true", "\"7\"", "\"7\"", "false"), 0, 1, "7"},
    {"state in other case", ANSWER("true", "\"Accepted\"", "\"7\"", "\"7\"", "false"), 0, 1, "7"},
    {"flags of no kind", ANSWER("\"yes\"", "\"declined\"", "\"7\"", "\"7\"", "\"true\""), 0, 0, "7"},
};

static void whether_to_ask_again_follows_from_state_and_versions(void **state) {
  (void)state;
  for (size_t i = 0; i < COUNT(answers); i++) {
    identity_customer_consents *all, *to_ask;
    const identity__json *data = parse_part(answers[i].name, answers[i].text, strlen(answers[i].text));
    CHECK_INT(answers[i].name,
              identity__read_customer_consents(data, IDENTITY__ALL_CONSENTS, 0, &all, &error), IDENTITY_OK);
    CHECK_INT(answers[i].name,
              identity__read_customer_consents(data, IDENTITY__CONSENTS_TO_ASK, 0, &to_ask, &error),
              IDENTITY_OK);
    CHECK_INT(answers[i].name, all->count, 1);
    CHECK_INT(answers[i].name, all->items[0]->accepted, answers[i].accepted);
    CHECK_INT(answers[i].name, all->items[0]->needs_update, answers[i].needs_update);
    CHECK_TEXT(answers[i].name, all->items[0]->version, answers[i].version);
    CHECK_INT(answers[i].name, to_ask->count, answers[i].needs_update);
    free(all);
    free(to_ask);
  }
}

static void customer_consents_are_read(void **state) {
  (void)state;
  identity_customer_consents *consents;
  const char *text =
      "{\"consents\":[{\"name\":\"a\",\"newestVersion\":\"1\"},{\"customerId\":\"859989525\",\"name\":"
      "\"broadcaster_terms\",\"required\":true,\"state\":\"accepted\",\"version\":\"6\",\"newestVersion\":"
      "\"7\","
      "\"needsUpdate\":true,\"label\":\"I accept\",\"value\":\"https://example.com/t\",\"date\":1609840678},"
      "{\"name\":\"b\",\"newestVersion\":\"1\",\"required\":true,\"date\":\"soon\"}]}";
  const identity__json *data = parse(text);
  assert_int_equal(identity__read_customer_consents(data, IDENTITY__CONSENTS_TO_ASK, 40, &consents, &error),
                   IDENTITY_OK);
  char *lead = (char *)consents - identity__block_cost(40);
  memset(lead, 'x', 40); /* room of the caller's, in front and in the same block */
  assert_int_equal(consents->count, 2);
  assert_string_equal(consents->items[0]->name, "broadcaster_terms");
  assert_string_equal(consents->items[0]->newest_version, "7");
  assert_string_equal(consents->items[0]->label, "I accept");
  assert_string_equal(consents->items[0]->value, "https://example.com/t");
  assert_int_equal(consents->items[0]->date, 1609840678);
  assert_string_equal(consents->items[1]->name, "b");
  assert_int_equal(consents->items[1]->date, 0);
  free(lead);
}

static void customer_consents_without_what_they_need_are_refused(void **state) {
  (void)state;
  static const char *const texts[][2] = {{"{}", "consents"},
                                         {"{\"consents\":[{\"newestVersion\":\"1\"}]}", "name"},
                                         {"{\"consents\":[{\"name\":\"a\"}]}", "newestVersion"},
                                         {"{\"consents\":[null]}", "name"}};
  for (size_t i = 0; i < COUNT(texts); i++) {
    identity_customer_consents *consents;
    identity_status status =
        identity__read_customer_consents(parse(texts[i][0]), IDENTITY__ALL_CONSENTS, 8, &consents, &error);
    check_lacks(texts[i][0], status, consents, texts[i][1]);
  }
}

static const struct CMUnitTest tests[] = {
    DOCUMENT_TEST(a_locale_is_read),
    DOCUMENT_TEST(a_locale_without_what_it_needs_is_refused),
    DOCUMENT_TEST(publisher_consents_are_read),
    DOCUMENT_TEST(consents_without_what_they_need_are_refused),
    DOCUMENT_TEST(lists_are_bounded),
    DOCUMENT_TEST(an_empty_list_is_a_list),
    DOCUMENT_TEST(whether_to_ask_again_follows_from_state_and_versions),
    DOCUMENT_TEST(customer_consents_are_read),
    DOCUMENT_TEST(customer_consents_without_what_they_need_are_refused),
};

SUITE("results", tests)
