/* What the service is known to refuse is found before anything is sent, and named by its field. */
#include "support/stage.h"

#define FIFTY "12345678901234567890123456789012345678901234567890"
#define EIGHTY FIFTY "123456789012345678901234567890"

static void assert_refused(const char *what, const identity_error *error, const char *field) {
  probe_status(what != NULL ? what : "(absent)", error, IDENTITY_INVALID_INPUT, field);
  assert_int_equal(identity_status_class(error->status), IDENTITY_CLASS_FIX_INPUT);
  assert_int_equal(error->http_status, 0);
  if (what != NULL && strlen(what) > 8 && strstr(error->message, what) != NULL)
    fail_msg("the message repeats the value: %s", error->message);
}

typedef struct check_row {
  size_t member; /* where its text stands in the params struct */
  const char *field, *value;
} check_row;

static void set_text(void *params, size_t member, const char *value) {
  const char **slot = (const char **)(void *)((char *)params + member);
  *slot = value;
}

/* ---- register ---- */

#define REGISTER(member, value)                                                                              \
  { offsetof(identity_register_params, member), #member, value }

static const check_row register_rows[] = {
    REGISTER(email, NULL),
    REGISTER(email, ""),
    REGISTER(email, "jo"),
    REGISTER(email, "jo@"),
    REGISTER(email, "@example.com"),
    REGISTER(email, "jo@example"),
    REGISTER(email, "jo@.com"),
    REGISTER(email, "jo@example.com."),
    REGISTER(email, "jo@a..com"),
    REGISTER(email, "j o@example.com"),
    REGISTER(email, "jo@exa mple.com"),
    REGISTER(email, "jo@example.com\n"),
    REGISTER(email, "jo@a@example.com"),
    REGISTER(email, "jo\xFF@example.com"),
    REGISTER(email, FIFTY "123456789012345@example.com"), /* 65 before the @ */
    REGISTER(password, NULL),
    REGISTER(password, ""),
    REGISTER(password, "seven_1"),
    REGISTER(password, "onlyletters"),
    REGISTER(password, "12345678"),
    REGISTER(password, "!@#$%^&1"),
    REGISTER(password, "letters-_+=()"),
    REGISTER(password, EIGHTY "a"),
    REGISTER(password, "p\xFFssword1"),
    REGISTER(offer_id, ""),
    REGISTER(offer_id, "S12345678_US"),
    REGISTER(offer_id, "S1234567890_US"),
    REGISTER(offer_id, "1123456789_US"),
    REGISTER(offer_id, "S123456789_U"),
    REGISTER(offer_id, "S123456789_USA"),
    REGISTER(offer_id, "S123456789-US"),
    REGISTER(offer_id, "S12345678x_US"),
    REGISTER(locale, ""),
    REGISTER(locale, "e"),
    REGISTER(locale, "en US"),
    REGISTER(locale, "en_US;x"),
    REGISTER(country, ""),
    REGISTER(country, "UK"),
    REGISTER(country, "uk"),
    REGISTER(country, "USA"),
    REGISTER(country, "U1"),
    REGISTER(currency, "US"),
    REGISTER(currency, "EURO"),
    REGISTER(currency, "E1R"),
    REGISTER(first_name, ""),
    REGISTER(first_name, FIFTY "1"),
    REGISTER(first_name, "J\xC3"),
    REGISTER(last_name, ""),
    REGISTER(last_name, FIFTY "1"),
    REGISTER(external_id, ""),
    REGISTER(external_data, ""),
    REGISTER(external_data, "{"),
    REGISTER(external_data, "{\"a\":1}x"),
    REGISTER(external_data, "{'a':1}"),
    REGISTER(customer_ip, ""),
    REGISTER(customer_ip, "localhost"),
    REGISTER(customer_ip, "1.2.3.4:80]"),
    REGISTER(captcha_value, ""),
    REGISTER(captcha_value, "a b"),
};

static void register_checks_each_input(void **state) {
  (void)state;
  identity_session *session = service_open(&server, "viewer");
  for (size_t i = 0; i < ROWS(register_rows); i++) {
    identity_error error;
    identity_register_params params = probe_register_params("jo@example.com");
    set_text(&params, register_rows[i].member, register_rows[i].value);
    (void)identity_register(session, &params, &error);
    assert_refused(register_rows[i].value, &error, register_rows[i].field);
  }
  assert_int_equal(probe_requests(&server), 0);
  identity_session_close(session);
}

static void what_is_just_within_the_rules_is_sent(void **state) {
  static const struct {
    size_t member;
    const char *value;
  } rows[] = {
      {offsetof(identity_register_params, password), "eight_1!"},
      {offsetof(identity_register_params, password), "abcdefg&"},
      {offsetof(identity_register_params, password), FIFTY "12345678901234567890123456789a"},
      {offsetof(identity_register_params, first_name), FIFTY},
      {offsetof(identity_register_params, last_name), "\xE6\x9D\x8E"},
      {offsetof(identity_register_params, country), "GB"},
      {offsetof(identity_register_params, offer_id), "S123456789_US"},
      {offsetof(identity_register_params, external_data), " {\"a\" : [ ] } "},
      {offsetof(identity_register_params, customer_ip), "::1"},
  };
  (void)state;
  identity_session *session = service_open(&server, "viewer");
  for (size_t i = 0; i < ROWS(rows); i++) {
    char email[40];
    identity_error error;
    snprintf(email, sizeof email, "jo%zu@example.com", i);
    identity_register_params params = probe_register_params(email);
    set_text(&params, rows[i].member, rows[i].value);
    (void)identity_register(session, &params, &error);
    probe_status(rows[i].value, &error, IDENTITY_OK, NULL);
  }
  identity_session_close(session);
}

static void four_thousand_characters_of_external_data_pass_and_one_more_does_not(void **state) {
  (void)state;
  char data[4002];
  identity_error error;
  identity_session *session = service_open(&server, "viewer");
  identity_register_params params = probe_register_params("jo@example.com");
  memset(data, 'x', sizeof data);
  memcpy(data, "{\"a\":\"", 6);
  memcpy(data + 3999, "\"}", 3);
  params.external_data = data;
  (void)identity_register(session, &params, &error);
  probe_status("4,001", &error, IDENTITY_INVALID_INPUT, "external_data");
  assert_int_equal(probe_requests(&server), 0);
  memcpy(data + 3998, "\"}", 3);
  (void)identity_register(session, &params, &error);
  probe_status("4,000", &error, IDENTITY_OK, NULL);
  identity_session_close(session);
}

/* ---- the others ---- */

static void login_checks_each_input(void **state) {
  static const check_row rows[] = {
      {offsetof(identity_login_params, email), "email", NULL},
      {offsetof(identity_login_params, email), "email", "jo@example"},
      {offsetof(identity_login_params, password), "password", NULL},
      {offsetof(identity_login_params, password), "password", ""},
      {offsetof(identity_login_params, password), "password", "p\xC3\x28ssword1"},
      {offsetof(identity_login_params, offer_id), "offer_id", "offer"},
      {offsetof(identity_login_params, customer_ip), "customer_ip", "here"},
  };
  (void)state;
  identity_session *session = service_open(&server, "viewer");
  for (size_t i = 0; i < ROWS(rows); i++) {
    identity_error error;
    identity_login_params params;
    identity_login_params_init(&params, sizeof params);
    params.email = "jo@example.com";
    params.password = TEST_PASSWORD;
    set_text(&params, rows[i].member, rows[i].value);
    (void)identity_login(session, &params, &error);
    assert_refused(rows[i].value, &error, rows[i].field);
  }
  assert_int_equal(probe_requests(&server), 0);
  identity_session_close(session);
}

static void update_customer_checks_each_input(void **state) {
  static const check_row rows[] = {
      {offsetof(identity_update_customer_params, first_name), "first_name", ""},
      {offsetof(identity_update_customer_params, first_name), "first_name", FIFTY "1"},
      {offsetof(identity_update_customer_params, last_name), "last_name", FIFTY "1"},
      {offsetof(identity_update_customer_params, country), "country", "UK"},
      {offsetof(identity_update_customer_params, locale), "locale", "en US"},
      {offsetof(identity_update_customer_params, external_data), "external_data", "not json"},
      {offsetof(identity_update_customer_params, email), "email", "jo"},
      {offsetof(identity_update_customer_params, email), "confirmation_password",
       "new@example.com"}, /* is missing */
  };
  (void)state;
  identity_error error;
  identity_update_customer_params params;
  identity_session *session = service_open(&server, "viewer");
  for (size_t i = 0; i < ROWS(rows); i++) {
    identity_update_customer_params_init(&params, sizeof params);
    set_text(&params, rows[i].member, rows[i].value);
    (void)identity_update_customer(session, &params, &error);
    assert_refused(rows[i].value, &error, rows[i].field);
  }
  identity_update_customer_params_init(&params, sizeof params);
  params.confirmation_password = TEST_PASSWORD;
  (void)identity_update_customer(session, &params, &error);
  probe_status("nothing to change", &error, IDENTITY_BAD_ARGUMENT, "params");
  assert_int_equal(probe_requests(&server), 0);
  identity_session_close(session);
}

static void a_reset_mail_checks_address_and_page(void **state) {
  static const char *const pages[] = {"",
                                      "app.example.com/reset",
                                      "/reset",
                                      "https://",
                                      "https://a b",
                                      "https:///reset",
                                      "mailto:jo@example.com",
                                      "https://a.example/\xC3\xA4",
                                      "https://a.example/<x>",
                                      "https://a.example/\r\nX: y"};
  static const char *const addresses[] = {NULL, "", "jo", "jo@example"};
  (void)state;
  identity_error error;
  identity_session *session = service_open(&server, "viewer");
  for (size_t i = 0; i < ROWS(pages); i++) {
    (void)identity_request_password_reset(session, "jo@example.com", pages[i], &error);
    assert_refused(pages[i], &error, "reset_url");
  }
  for (size_t i = 0; i < ROWS(addresses); i++) {
    (void)identity_request_password_reset(session, addresses[i], NULL, &error);
    assert_refused(addresses[i], &error, "email");
  }
  assert_int_equal(probe_requests(&server), 0);
  identity_session_close(session);
}

static void an_adopted_token_must_look_like_one(void **state) {
  static const char *const jwts[] = {NULL, "", "a.b", "a.b.c.d", "a b.c.d", "a..c", "a.b.\xC3\xA4"};
  (void)state;
  identity_error error;
  const identity_tokens *tokens = NULL;
  identity_session *session = service_open(&server, "viewer");
  for (size_t i = 0; i < ROWS(jwts); i++) {
    (void)identity_session_adopt(session, jwts[i], NULL, &error);
    assert_refused(jwts[i], &error, "jwt");
  }
  (void)identity_session_adopt(session, "a.b.c", "with space", &error);
  assert_refused("with space", &error, "refresh_token");
  (void)identity_session_tokens(session, -1, &tokens, &error);
  probe_status("negative life", &error, IDENTITY_BAD_ARGUMENT, "min_life_ms");
  probe_reason(session, IDENTITY_STATE_SIGNED_OUT, IDENTITY_REASON_NEVER_SIGNED_IN);
  assert_int_equal(probe_requests(&server), 0);
  identity_session_close(session);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test_setup(register_checks_each_input, reset),
    cmocka_unit_test_setup(what_is_just_within_the_rules_is_sent, reset),
    cmocka_unit_test_setup(four_thousand_characters_of_external_data_pass_and_one_more_does_not, reset),
    cmocka_unit_test_setup(login_checks_each_input, reset),
    cmocka_unit_test_setup(update_customer_checks_each_input, reset),
    cmocka_unit_test_setup(a_reset_mail_checks_address_and_page, reset),
    cmocka_unit_test_setup(an_adopted_token_must_look_like_one, reset),
};

SUITE_WITH("checks", tests, start, stop)
