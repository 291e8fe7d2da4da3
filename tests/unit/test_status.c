#include "support/suite.h"

#include <identity/identity.h>

#define ROW(name)                                                                                            \
  { IDENTITY_##name, #name }
#define COUNT(rows) (sizeof(rows) / sizeof((rows)[0]))

static const struct {
  identity_status status;
  const char *name;
} statuses[] = {
    ROW(OK),
    ROW(INVALID_INPUT),
    ROW(WRONG_CREDENTIALS),
    ROW(ALREADY_REGISTERED),
    ROW(NOT_WITH_PUBLISHER),
    ROW(UNKNOWN_CUSTOMER),
    ROW(RESET_TOKEN_INVALID),
    ROW(CONSENT_REQUIRED),
    ROW(REFUSED),
    ROW(OFFLINE),
    ROW(CONNECTION_LOST),
    ROW(TIMED_OUT),
    ROW(THROTTLED),
    ROW(SERVICE_FAILED),
    ROW(NOT_THE_SERVICE),
    ROW(REFRESH_DEFERRED),
    ROW(STORE_LOCKED),
    ROW(OUT_OF_MEMORY),
    ROW(SIGNED_OUT),
    ROW(SESSION_ENDED),
    ROW(CAPTCHA_REQUIRED),
    ROW(CAPTCHA_FAILED),
    ROW(CONSENT_CHANGED),
    ROW(UNEXPECTED_ANSWER),
    ROW(ENDPOINT_GONE),
    ROW(STORE_NEWER),
    ROW(TLS_UNTRUSTED),
    ROW(CLOCK_WRONG),
    ROW(CA_FILE),
    ROW(PROXY_AUTH),
    ROW(STORE_FAILED),
    ROW(NOT_ALLOWED),
    ROW(OUTCOME_UNKNOWN),
    ROW(CANCELLED),
    ROW(BAD_ARGUMENT),
    ROW(PARAMS_TOO_NEW),
    ROW(BAD_CONFIGURATION),
    ROW(FORKED),
    ROW(REENTERED),
};

static const struct {
  int32_t status_class;
  const char *name;
} classes[] = {
    {IDENTITY_CLASS_OK, "OK"},
    {IDENTITY_CLASS_FIX_INPUT, "FIX_INPUT"},
    {IDENTITY_CLASS_RETRY_LATER, "RETRY_LATER"},
    {IDENTITY_CLASS_SIGN_IN, "SIGN_IN"},
    {IDENTITY_CLASS_USER_ACTION, "USER_ACTION"},
    {IDENTITY_CLASS_UPDATE_APP, "UPDATE_APP"},
    {IDENTITY_CLASS_FIX_DEVICE, "FIX_DEVICE"},
    {IDENTITY_CLASS_NOT_ALLOWED, "NOT_ALLOWED"},
    {IDENTITY_CLASS_OUTCOME_UNKNOWN, "OUTCOME_UNKNOWN"},
    {IDENTITY_CLASS_CANCELLED, "CANCELLED"},
    {IDENTITY_CLASS_BUG, "BUG"},
};

static void every_status_has_its_name(void **state) {
  (void)state;
  for (size_t i = 0; i < COUNT(statuses); i++)
    assert_string_equal(identity_status_name(statuses[i].status), statuses[i].name);
}

static void names_and_texts_are_unique(void **state) {
  (void)state;
  for (size_t i = 0; i < COUNT(statuses); i++)
    for (size_t other = 0; other < i; other++) {
      assert_int_not_equal(statuses[i].status, statuses[other].status);
      assert_string_not_equal(identity_status_name(statuses[i].status),
                              identity_status_name(statuses[other].status));
      assert_string_not_equal(identity_status_text(statuses[i].status),
                              identity_status_text(statuses[other].status));
    }
}

static void every_text_is_one_sentence(void **state) {
  (void)state;
  for (size_t i = 0; i < COUNT(statuses); i++) {
    const char *text = identity_status_text(statuses[i].status);
    size_t length = strlen(text);
    assert_true(length > 1 && length < 200);
    assert_int_equal(text[length - 1], '.');
    assert_true(text[0] >= 'A' && text[0] <= 'Z');
    assert_null(strchr(text, '\n'));
  }
}

static void the_class_is_the_highest_byte(void **state) {
  (void)state;
  for (size_t i = 0; i < COUNT(statuses); i++)
    assert_int_equal(identity_status_class(statuses[i].status), statuses[i].status / 0x1000000);
}

static void classes_are_the_ten_and_ok(void **state) {
  (void)state;
  for (size_t i = 0; i < COUNT(classes); i++) {
    assert_int_equal(classes[i].status_class, i);
    assert_string_equal(identity_class_name(classes[i].status_class), classes[i].name);
  }
}

static void a_status_of_a_later_release_keeps_its_class(void **state) {
  (void)state;
  for (int32_t status_class = 1; status_class <= IDENTITY_CLASS_BUG; status_class++) {
    identity_status later = status_class * 0x1000000 + 0x7777;
    assert_int_equal(identity_status_class(later), status_class);
    assert_string_equal(identity_status_name(later), classes[status_class].name);
    assert_true(strlen(identity_status_text(later)) > 0);
  }
}

static void values_of_no_release_are_bugs(void **state) {
  (void)state;
  static const int32_t values[] = {-1, INT32_MIN, INT32_MAX, 0x0B000001, 0x7F000000};
  for (size_t i = 0; i < COUNT(values); i++) {
    assert_int_equal(identity_status_class(values[i]), IDENTITY_CLASS_BUG);
    assert_string_equal(identity_status_name(values[i]), "BUG");
    assert_true(strlen(identity_status_text(values[i])) > 0);
  }
  assert_string_equal(identity_class_name(-1), "BUG");
  assert_string_equal(identity_class_name(11), "BUG");
  assert_string_equal(identity_class_name(INT32_MAX), "BUG");
}

static void the_version_has_three_numbers(void **state) {
  (void)state;
  unsigned parts[3];
  char rest = 0;
  assert_int_equal(sscanf(identity_version(), "%u.%u.%u%c", &parts[0], &parts[1], &parts[2], &rest), 3);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(every_status_has_its_name),
    cmocka_unit_test(names_and_texts_are_unique),
    cmocka_unit_test(every_text_is_one_sentence),
    cmocka_unit_test(the_class_is_the_highest_byte),
    cmocka_unit_test(classes_are_the_ten_and_ok),
    cmocka_unit_test(a_status_of_a_later_release_keeps_its_class),
    cmocka_unit_test(values_of_no_release_are_bugs),
    cmocka_unit_test(the_version_has_three_numbers),
};

SUITE("status", tests)
