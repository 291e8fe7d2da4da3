/* Country, currency and locale by IP. */
#include "support/stage.h"

static void the_service_judges_the_address_the_request_comes_from(void **state) {
  (void)state;
  identity_error error;
  const identity_locale *locale = NULL;
  identity_session *session = service_open(&server, "viewer");
  assert_int_equal(identity_fetch_locale(session, NULL, &locale, &error), IDENTITY_OK);
  assert_int_equal(error.status, IDENTITY_OK);
  assert_string_equal(error.message, "");
  assert_string_equal(locale->country, "US");
  assert_string_equal(locale->currency, "USD");
  assert_string_equal(locale->locale, "en_US");
  assert_string_equal(locale->ip_address, "127.0.0.1");
  identity_locale_free(locale);
  cJSON *request = probe_request(&server, "GET", "/locales");
  assert_true(cJSON_IsFalse(cJSON_GetObjectItemCaseSensitive(request, "bearer")));
  assert_int_equal(cJSON_GetObjectItemCaseSensitive(request, "body_bytes")->valueint, 0);
  cJSON_Delete(request);
  identity_session_close(session);
}

static void a_given_address_decides_ipv6_too(void **state) {
  static const struct {
    const char *address, *country, *currency, *locale;
  } rows[] = {
      {"203.0.113.7", "NL", "EUR", "nl_NL"},
      {"192.0.2.255", "GB", "GBP", "en_GB"},
      {"2001:db8::1", "DE", "EUR", "de_DE"},
      {"::ffff:203.0.113.7", "US", "USD", "en_US"},
  };
  (void)state;
  identity_session *session = service_open(&server, "viewer");
  for (size_t i = 0; i < ROWS(rows); i++) {
    const identity_locale *locale = NULL;
    assert_int_equal(identity_fetch_locale(session, rows[i].address, &locale, NULL), IDENTITY_OK);
    assert_string_equal(locale->country, rows[i].country);
    assert_string_equal(locale->currency, rows[i].currency);
    assert_string_equal(locale->locale, rows[i].locale);
    assert_string_equal(locale->ip_address, rows[i].address);
    identity_locale_free(locale);
  }
  identity_session_close(session);
}

static void what_is_no_address_is_not_sent(void **state) {
  static const char *const rows[] = {"",
                                     "x",
                                     "203.0.113.7&a=b",
                                     "203.0.113.7 ",
                                     "fe80::1%eth0",
                                     "12345",
                                     "a.b.c.g",
                                     "1111:2222:3333:4444:5555:6666:255.255.255.2555"};
  (void)state;
  identity_session *session = service_open(&server, "viewer");
  for (size_t i = 0; i < ROWS(rows); i++) {
    identity_error error;
    const identity_locale *locale = (const identity_locale *)&server;
    (void)identity_fetch_locale(session, rows[i], &locale, &error);
    probe_status(rows[i], &error, IDENTITY_INVALID_INPUT, "customer_ip");
    assert_null(locale);
  }
  assert_int_equal(probe_requests(&server), 0);
  identity_session_close(session);
}

static void an_address_that_only_the_service_refuses_is_input_to_fix(void **state) {
  (void)state;
  identity_error error;
  const identity_locale *locale = NULL;
  identity_session *session = service_open(&server, "viewer");
  (void)identity_fetch_locale(session, "1.2.3", &locale, &error);
  const expected refused = {IDENTITY_INVALID_INPUT, 400, NULL, "REQ0002"};
  probe_error("1.2.3", &error, &refused);
  assert_null(locale);
  probe_sent(&server, "GET", "/locales", 1);
  identity_session_close(session);
}

static void unknown_members_and_a_missing_address_do_not_matter(void **state) {
  static const char *const bodies[] = {
      "{\"responseData\":{\"country\":\"NL\",\"currency\":\"EUR\",\"locale\":\"nl_NL\",\"planet\":3},"
      "\"errors\":[]}",
      "{\"responseData\":{\"country\":\"NL\",\"currency\":\"EUR\",\"locale\":\"nl_NL\",\"ipAddress\":null}}",
      "{\"country\":\"NL\",\"currency\":\"EUR\",\"locale\":\"nl_NL\"}",
  };
  (void)state;
  identity_session *session = service_open(&server, "viewer");
  for (size_t i = 0; i < ROWS(bodies); i++) {
    const identity_locale *locale = NULL;
    probe_answer(&server, "GET", "/locales", 200, bodies[i], NULL);
    assert_int_equal(identity_fetch_locale(session, NULL, &locale, NULL), IDENTITY_OK);
    assert_string_equal(locale->country, "NL");
    assert_string_equal(locale->locale, "nl_NL");
    assert_null(locale->ip_address);
    identity_locale_free(locale);
  }
  identity_session_close(session);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test_setup(the_service_judges_the_address_the_request_comes_from, reset),
    cmocka_unit_test_setup(a_given_address_decides_ipv6_too, reset),
    cmocka_unit_test_setup(what_is_no_address_is_not_sent, reset),
    cmocka_unit_test_setup(an_address_that_only_the_service_refuses_is_input_to_fix, reset),
    cmocka_unit_test_setup(unknown_members_and_a_missing_address_do_not_matter, reset),
};

SUITE_WITH("locale", tests, start, stop)
