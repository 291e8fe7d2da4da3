/* Configuration and opening: a setter that failed is told by open, and opening needs no network. */
#include "support/stage.h"

#include <identity/server.h>

static identity_status open_config(identity_config *config, const char *account, identity_error *error) {
  identity_session *session = (identity_session *)(void *)&server;
  identity_status status = identity_session_open(config, account, &session, error);
  assert_true((session == NULL) == (status != IDENTITY_OK));
  identity_session_close(session);
  identity_config_free(config);
  return status;
}

static void ignore_line(int32_t level, const char *line, void *user_data) {
  (void)level, (void)line, (void)user_data;
}

/* ---- setters ---- */

#define SETTERS(X)                                                                                           \
  X(environment, identity_config_set_environment(config, 0))                                                 \
  X(environment, identity_config_set_environment(config, 3))                                                 \
  X(base_url, identity_config_set_base_url(config, ""))                                                      \
  X(base_url, identity_config_set_base_url(config, "example.com"))                                           \
  X(base_url, identity_config_set_base_url(config, "ftp://example.com"))                                     \
  X(base_url, identity_config_set_base_url(config, "http://example.com"))                                    \
  X(base_url, identity_config_set_base_url(config, "http://127.0.0.1.example.com"))                          \
  X(base_url, identity_config_set_base_url(config, "https://user@example.com"))                              \
  X(base_url, identity_config_set_base_url(config, "https://example.com/?a=b"))                              \
  X(base_url, identity_config_set_base_url(config, "https://example.com/#a"))                                \
  X(base_url, identity_config_set_base_url(config, "https://example.com:0"))                                 \
  X(base_url, identity_config_set_base_url(config, "https://example.com:65536"))                             \
  X(loopback_http, identity_config_set_loopback_http(config, 2))                                             \
  X(file_store, identity_config_set_file_store(config, ""))                                                  \
  X(volatile_tokens, identity_config_set_volatile_tokens(config, -1))                                        \
  X(log, identity_config_set_log(config, 0, ignore_line, NULL))                                              \
  X(log, identity_config_set_log(config, 5, ignore_line, NULL))                                              \
  X(timeout_ms, identity_config_set_timeout_ms(config, 99))                                                  \
  X(timeout_ms, identity_config_set_timeout_ms(config, 600001))                                              \
  X(resolve, identity_config_set_resolve(config, NULL, "127.0.0.1"))                                         \
  X(resolve, identity_config_set_resolve(config, "a", NULL))                                                 \
  X(resolve, identity_config_set_resolve(config, "a:1", "127.0.0.1"))                                        \
  X(resolve, identity_config_set_resolve(config, "a", "127.0.0.1,::1"))                                      \
  X(resolve, identity_config_set_resolve(config, "a", "foo"))                                                \
  X(ca_file, identity_config_set_ca_file(config, ""))                                                        \
  X(ca_pem, identity_config_set_ca_pem(config, "no certificate"))                                            \
  X(proxy, identity_config_set_proxy(config, ""))                                                            \
  X(proxy, identity_config_set_proxy(config, "http://a\r\nX: y"))                                            \
  X(environment_proxy, identity_config_set_environment_proxy(config, 7))                                     \
  X(user_agent, identity_config_set_user_agent(config, ""))                                                  \
  X(user_agent, identity_config_set_user_agent(config, "a\r\nX: y"))

#define CHECK_SETTER(name, expression)                                                                       \
  {                                                                                                          \
    identity_error error;                                                                                    \
    identity_config *config = service_config(&server);                                                       \
    assert_int_equal((expression), IDENTITY_BAD_ARGUMENT);                                                   \
    (void)identity_config_set_sso_path(config, "later failures do not count");                               \
    assert_int_equal(open_config(config, "viewer", &error), IDENTITY_BAD_ARGUMENT);                          \
    probe_status(#expression, &error, IDENTITY_BAD_ARGUMENT, #name);                                         \
    config = NULL;                                                                                           \
    assert_int_equal((expression), IDENTITY_BAD_ARGUMENT);                                                   \
  }

static void a_value_that_cannot_be_is_refused_and_open_names_the_first(void **state) {
  (void)state;
  SETTERS(CHECK_SETTER)
  assert_int_equal(identity_config_set_memory_store(NULL), IDENTITY_BAD_ARGUMENT);
  assert_int_equal(probe_requests(&server), 0);
}

static void null_takes_a_setting_back(void **state) {
  (void)state;
  identity_error error;
  identity_config *config = service_config(&server);
  assert_int_equal(identity_config_set_ca_file(config, "/nowhere/ca.pem"), IDENTITY_OK);
  assert_int_equal(identity_config_set_ca_file(config, NULL), IDENTITY_OK);
  assert_int_equal(identity_config_set_ca_pem(config, NULL), IDENTITY_OK);
  assert_int_equal(identity_config_set_proxy(config, "http://127.0.0.1:1"), IDENTITY_OK);
  assert_int_equal(identity_config_set_proxy(config, NULL), IDENTITY_OK);
  assert_int_equal(identity_config_set_file_store(config, "/nowhere/at/all"), IDENTITY_OK);
  assert_int_equal(identity_config_set_file_store(config, NULL), IDENTITY_OK);
  assert_int_equal(identity_config_set_user_agent(config, NULL), IDENTITY_OK);
  assert_int_equal(identity_config_set_log(config, 0, NULL, NULL), IDENTITY_OK);
  identity_session *session = probe_open(config);
  const identity_locale *locale = NULL;
  (void)identity_fetch_locale(session, NULL, &locale, &error);
  probe_status("all taken back", &error, IDENTITY_OK, NULL);
  identity_locale_free(locale);
  identity_session_close(session);
}

/* Else libcurl would find it, in each call. */
static void a_host_is_resolved_to_an_ip_address_and_nothing_else(void **state) {
  static const struct {
    const char *address;
    bool taken;
  } rows[] = {
      {"203.0.113.5", true},
      {"0.0.0.0", true},
      {"::1", true},
      {"[::1]", true},
      {"2001:DB8::7", true},
      {"[2001:db8:0:0:0:0:0:7]", true},
      {"::ffff:203.0.113.5", true},
      {"", false},
      {"foo", false},
      {"127.0.0.1 ", false},
      {" 127.0.0.1", false},
      {"127.0.0.1:443", false},
      {"127.0.0.256", false},
      {"127.1", false},
      {"2130706433", false},
      {"[127.0.0.1]", false},
      {"[::1", false},
      {"::1]", false},
      {"[[::1]]", false},
      {"[]", false},
      {":", false},
      {"::1::", false},
      {"[::1]:443", false},
      {"fe80::1%eth0", false},
      {"1:2:3:4:5:6:7:8:9", false},
      {"0000:0000:0000:0000:0000:0000:0000:00000000000000000000000000000000000001", false},
  };
  (void)state;
  for (size_t i = 0; i < ROWS(rows); i++) {
    identity_error error;
    identity_config *config = identity_config_new(TEST_PUBLISHER);
    identity_status wanted = rows[i].taken ? IDENTITY_OK : IDENTITY_BAD_ARGUMENT;
    assert_int_equal(identity_config_set_environment(config, IDENTITY_SANDBOX), IDENTITY_OK);
    identity_status status = identity_config_set_resolve(config, "identity.example.com", rows[i].address);
    if (status != wanted)
      fail_msg("\"%s\": %s", rows[i].address, identity_status_name(status));
    assert_int_equal(open_config(config, "viewer", &error), wanted);
  }
}

static void the_ninth_resolved_host_is_one_too_many(void **state) {
  (void)state;
  identity_config *config = service_config(&server);
  for (int i = 0; i < 9; i++) {
    char host[20];
    snprintf(host, sizeof host, "host%d.example", i);
    assert_int_equal(identity_config_set_resolve(config, host, "127.0.0.1"),
                     i < 8 ? IDENTITY_OK : IDENTITY_BAD_ARGUMENT);
  }
  identity_config_free(config);
}

/* ---- opening ---- */

static void a_publisher_id_has_nine_digits(void **state) {
  static const char *const ids[] = {NULL, "", "12345678", "1234567890", "12345678a", " 12345678"};
  (void)state;
  for (size_t i = 0; i < ROWS(ids); i++) {
    identity_error error;
    identity_config *config = identity_config_new(ids[i]);
    assert_non_null(config);
    assert_int_equal(identity_config_set_environment(config, IDENTITY_SANDBOX), IDENTITY_OK);
    assert_int_equal(open_config(config, "viewer", &error), IDENTITY_BAD_ARGUMENT);
    probe_status("publisher id", &error, IDENTITY_BAD_ARGUMENT, "publisher_id");
  }
}

static void an_account_key_has_1_to_64_bytes(void **state) {
  static const char sixty_four[] = "1234567890123456789012345678901234567890123456789012345678901234";
  static const char sixty_five[] = "12345678901234567890123456789012345678901234567890123456789012345";
  static const char *const bad[] = {NULL, "", sixty_five};
  (void)state;
  identity_error error;
  for (size_t i = 0; i < ROWS(bad); i++) {
    assert_int_equal(open_config(service_config(&server), bad[i], &error), IDENTITY_BAD_ARGUMENT);
    probe_status("account", &error, IDENTITY_BAD_ARGUMENT, "account");
  }
  assert_int_equal(open_config(service_config(&server), sixty_four, &error), IDENTITY_OK);
  assert_int_equal(open_config(service_config(&server), "/../\n\xC3\xA4", &error), IDENTITY_OK);
}

static void opening_wants_a_config_an_environment_and_a_place_for_the_handle(void **state) {
  (void)state;
  identity_error error;
  identity_session *session = (identity_session *)(void *)&server;
  (void)identity_session_open(NULL, "viewer", &session, &error);
  probe_status("no config", &error, IDENTITY_BAD_ARGUMENT, "config");
  assert_null(session);
  assert_int_equal(identity_session_open(NULL, "viewer", &session, NULL), IDENTITY_BAD_ARGUMENT);
  identity_config *config = service_config(&server);
  (void)identity_session_open(config, "viewer", NULL, &error);
  probe_status("no place", &error, IDENTITY_BAD_ARGUMENT, "session");
  identity_config_free(config);
  (void)open_config(identity_config_new(TEST_PUBLISHER), "viewer", &error);
  probe_status("no environment", &error, IDENTITY_BAD_CONFIGURATION, "environment");
  config = service_config(&server);
  assert_int_equal(identity_config_set_loopback_http(config, 0), IDENTITY_OK);
  (void)open_config(config, "viewer", &error);
  probe_status("plain http is not allowed", &error, IDENTITY_BAD_CONFIGURATION, "base_url");
  assert_int_equal(probe_requests(&server), 0);
}

static void opening_needs_no_network_and_copies_the_config(void **state) {
  (void)state;
  char account[] = "viewer";
  const identity_state *seen = NULL;
  identity_session *session = NULL;
  identity_config *config = service_config(&server);
  assert_int_equal(identity_session_open(config, account, &session, NULL), IDENTITY_OK);
  identity_config_free(config);
  memset(account, 'x', sizeof account - 1);
  assert_int_equal(identity_session_state(session, &seen, NULL), IDENTITY_OK);
  assert_string_equal(seen->account, "viewer");
  assert_string_equal(seen->publisher_id, TEST_PUBLISHER);
  assert_string_equal(seen->state_name, "signed_out");
  assert_string_equal(seen->reason_name, "never_signed_in");
  assert_null(seen->email);
  identity_state_free(seen);
  assert_int_equal(probe_requests(&server), 0);
  service_register(session, "jo@example.com");
  identity_session_close(session);
}

static void the_agent_names_the_app_and_the_library(void **state) {
  (void)state;
  identity_config *config = service_config(&server);
  assert_int_equal(identity_config_set_user_agent(config, "player/3.1 (tv)"), IDENTITY_OK);
  identity_session *session = probe_open(config);
  const identity_locale *locale = NULL;
  assert_int_equal(identity_fetch_locale(session, NULL, &locale, NULL), IDENTITY_OK);
  assert_true(probe_has_header(&server, "GET", "/locales", "User-Agent"));
  assert_true(probe_has_header(&server, "GET", "/locales", "Accept"));
  assert_false(probe_has_header(&server, "GET", "/locales", "Accept-Encoding")); /* none is asked for */
  assert_false(probe_has_header(&server, "GET", "/locales", "Cookie"));
  identity_locale_free(locale);
  identity_session_close(session);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test_setup(a_value_that_cannot_be_is_refused_and_open_names_the_first, reset),
    cmocka_unit_test_setup(null_takes_a_setting_back, reset),
    cmocka_unit_test_setup(a_host_is_resolved_to_an_ip_address_and_nothing_else, reset),
    cmocka_unit_test_setup(the_ninth_resolved_host_is_one_too_many, reset),
    cmocka_unit_test_setup(a_publisher_id_has_nine_digits, reset),
    cmocka_unit_test_setup(an_account_key_has_1_to_64_bytes, reset),
    cmocka_unit_test_setup(opening_wants_a_config_an_environment_and_a_place_for_the_handle, reset),
    cmocka_unit_test_setup(opening_needs_no_network_and_copies_the_config, reset),
    cmocka_unit_test_setup(the_agent_names_the_app_and_the_library, reset),
};

SUITE_WITH("config", tests, start, stop)
