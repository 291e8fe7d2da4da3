/* Each enumerated value of the face has a name of its own, and any other value is unknown. */
#include "support/rows.h"

#include "base/names.h"

#include <identity/identity.h>

#include <stdbool.h>

static const struct {
  const char *row;
  const char *(*name)(int32_t value);
  int32_t first, last;
} tables[] = {
    {"state", identity__state_name, IDENTITY_STATE_SIGNED_OUT, IDENTITY_STATE_REAUTH_REQUIRED},
    {"reason", identity__reason_name, IDENTITY_REASON_NONE, IDENTITY_REASON_NO_REFRESH_TOKEN},
    {"event", identity__event_name, IDENTITY_EVENT_STATE, IDENTITY_EVENT_THROTTLED},
    {"how", identity__how_name, IDENTITY_HOW_NONE, IDENTITY_HOW_OTHER_PROCESS},
};

static bool is_a_word(const char *name) {
  return name[0] != '\0' && strspn(name, "abcdefghijklmnopqrstuvwxyz_") == strlen(name);
}

static void each_value_has_a_name_of_its_own(void **state) {
  (void)state;
  for (size_t i = 0; i < COUNT(tables); i++)
    for (int32_t value = tables[i].first; value <= tables[i].last; value++) {
      const char *name = tables[i].name(value);
      CHECK(tables[i].row, is_a_word(name));
      CHECK(tables[i].row, strcmp(name, "unknown") != 0);
      for (int32_t other = tables[i].first; other < value; other++)
        CHECK(tables[i].row, strcmp(name, tables[i].name(other)) != 0);
    }
}

static void any_other_value_is_unknown(void **state) {
  (void)state;
  for (size_t i = 0; i < COUNT(tables); i++) {
    const int32_t values[] = {tables[i].first - 1, tables[i].last + 1, INT32_MIN, INT32_MAX};
    for (size_t v = 0; v < COUNT(values); v++)
      CHECK_TEXT(tables[i].row, tables[i].name(values[v]), "unknown");
  }
}

/* Those of the header, and what an app may have stored. */
static void the_names_are_those_that_are_promised(void **state) {
  (void)state;
  assert_string_equal(identity__state_name(IDENTITY_STATE_ACTIVE), "active");
  assert_string_equal(identity__state_name(IDENTITY_STATE_STORE_BLOCKED), "store_blocked");
  assert_string_equal(identity__reason_name(IDENTITY_REASON_LOST_ROTATION), "lost_rotation");
  assert_string_equal(identity__event_name(IDENTITY_EVENT_TOKEN_REFRESHED), "token_refreshed");
  assert_string_equal(identity__how_name(IDENTITY_HOW_SSO), "sso");
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(each_value_has_a_name_of_its_own),
    cmocka_unit_test(any_other_value_is_unknown),
    cmocka_unit_test(the_names_are_those_that_are_promised),
};

SUITE("names", tests)
