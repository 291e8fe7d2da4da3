/* Networks that do not bring the service: no route, CA files, proxies, and addresses that are none. Answers
 * that are too much or too little: fault 29; certificates and redirects: faults 25 and 26. */
#include "support/peer.h"
#include "support/service.h"
#include "support/suite.h"

#include <stdlib.h>

#define MAIL "jo@example.com"
#define REFRESH "/auths/refresh_token"

static service server;
static service plain;

static int start(void **state) {
  (void)state;
  service_start(&server, SERVICE_TLS, NULL);
  service_start(&plain, SERVICE_HTTP, NULL);
  return 0;
}

static int stop(void **state) {
  (void)state;
  service_assert_no_secret(NULL);
  service_stop(&plain);
  service_stop(&server);
  return 0;
}

static int reset(void **state) {
  (void)state;
  service_reset(&server);
  service_reset(&plain);
  return 0;
}

static identity_status locale_of(identity_session *session, identity_error *error) {
  const identity_locale *locale = NULL;
  identity_status status = identity_fetch_locale(session, NULL, &locale, error);
  assert_true((locale != NULL) == (status == IDENTITY_OK));
  identity_locale_free(locale);
  return status;
}

/* One call with this config, which it takes. */
static identity_status locale_with(identity_config *config, identity_error *error) {
  identity_session *session = service_open_with(config, "viewer");
  identity_status status = locale_of(session, error);
  identity_session_close(session);
  return status;
}

static identity_config *config_for(const char *scheme, const char *host, int port) {
  char base_url[128];
  identity_config *config = service_config(&server);
  snprintf(base_url, sizeof base_url, "%s://%s:%d", scheme, host, port);
  assert_int_equal(identity_config_set_base_url(config, base_url), IDENTITY_OK);
  return config;
}

/* ---- connecting ---- */

static void a_port_where_nobody_listens_is_offline(void **state) {
  (void)state;
  static const char *const schemes[] = {"http", "https"};
  for (int i = 0; i < 2; i++) {
    identity_error error;
    identity_config *config = config_for(schemes[i], "127.0.0.1", peer_closed_port());
    assert_int_equal(identity_config_set_timeout_ms(config, 100), IDENTITY_OK); /* no time for a repetition */
    assert_int_equal(locale_with(config, &error), IDENTITY_OFFLINE);
    assert_int_equal(error.http_status, 0);
  }
}

static void a_missing_ca_file_is_named(void **state) {
  (void)state;
  identity_error error;
  identity_session *session = NULL;
  char path[96];
  snprintf(path, sizeof path, "%s/no-such-ca.pem", server.directory);
  identity_config *config = service_config(&server);
  assert_int_equal(identity_config_set_ca_file(config, path), IDENTITY_OK);
  assert_int_equal(identity_session_open(config, "viewer", &session, &error), IDENTITY_CA_FILE);
  assert_null(session);
  assert_non_null(strstr(error.message, path));
  identity_config_free(config);
}

static void a_ca_file_without_certificates_is_named(void **state) {
  (void)state;
  identity_error error;
  char path[96];
  snprintf(path, sizeof path, "%s/port", server.directory); /* a file with a number */
  identity_config *config = service_config(&server);
  assert_int_equal(identity_config_set_ca_file(config, path), IDENTITY_OK);
  assert_int_equal(locale_with(config, &error), IDENTITY_CA_FILE);
  assert_non_null(strstr(error.message, path));
}

static void certificates_from_memory_are_trusted(void **state) {
  (void)state;
  identity_error error;
  char pem[16384];
  FILE *file = fopen(server.ca_file, "r");
  assert_non_null(file);
  size_t length = fread(pem, 1, sizeof pem - 1, file);
  fclose(file);
  pem[length] = '\0';
  identity_config *config = service_config(&server);
  assert_int_equal(identity_config_set_ca_file(config, NULL), IDENTITY_OK);
  assert_int_equal(identity_config_set_ca_pem(config, pem), IDENTITY_OK);
  memset(pem, 'x', length); /* the config has its own copy */
  assert_int_equal(locale_with(config, &error), IDENTITY_OK);
}

/* ---- proxies ---- */

#define WANTS_LOGIN                                                                                          \
  "HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic realm=\"hotel\"\r\n"              \
  "Content-Length: 0\r\nConnection: close\r\n\r\n"
#define LETS_NOBODY_OUT "HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"

static identity_status locale_through(const service *through, const char *answer, const char *login,
                                      identity_error *error) {
  char url[96];
  peer proxy;
  peer_start(&proxy, answer, strlen(answer), 0);
  identity_config *config = service_config((service *)(uintptr_t)through);
  snprintf(url, sizeof url, "http://%s127.0.0.1:%d", login, proxy.port);
  assert_int_equal(identity_config_set_proxy(config, url), IDENTITY_OK);
  identity_status status = locale_with(config, error);
  assert_true(peer_connections(&proxy) >= 1);
  assert_true(peer_has_seen(&proxy, "CONNECT 127.0.0.1"));
  assert_int_equal(peer_has_seen(&proxy, "Proxy-Authorization: Basic"), login[0] != '\0');
  peer_stop(&proxy);
  return status;
}

static void plain_http_goes_through_no_proxy(void **state) {
  (void)state;
  identity_error error;
  char url[96];
  peer proxy;
  peer_start(&proxy, WANTS_LOGIN, strlen(WANTS_LOGIN), 0);
  snprintf(url, sizeof url, "http://127.0.0.1:%d", proxy.port);
  identity_config *config = service_config(&plain);
  assert_int_equal(identity_config_set_proxy(config, url), IDENTITY_OK);
  assert_int_equal(locale_with(config, &error), IDENTITY_OK);
  assert_int_equal(setenv("http_proxy", url, 1), 0);
  config = service_config(&plain);
  assert_int_equal(identity_config_set_environment_proxy(config, 1), IDENTITY_OK);
  assert_int_equal(locale_with(config, &error), IDENTITY_OK);
  assert_int_equal(unsetenv("http_proxy"), 0);
  assert_int_equal(peer_connections(&proxy), 0);
  peer_stop(&proxy);
}

static void plain_http_is_resolved_to_loopback_only(void **state) {
  (void)state;
  identity_error error;
  identity_session *session = NULL;
  identity_config *config = service_config(&plain);
  assert_int_equal(identity_config_set_base_url(config, "http://localhost:1"), IDENTITY_OK);
  assert_int_equal(identity_config_set_resolve(config, "localhost", "203.0.113.5"), IDENTITY_OK);
  assert_int_equal(identity_session_open(config, "viewer", &session, &error), IDENTITY_BAD_CONFIGURATION);
  assert_string_equal(error.field, "resolve");
  identity_config_free(config);
}

static void a_proxy_that_lets_nobody_out_is_offline(void **state) {
  (void)state;
  identity_error error;
  assert_int_equal(locale_through(&server, LETS_NOBODY_OUT, "", &error), IDENTITY_OFFLINE);
}

static void the_environments_proxy_counts_only_when_allowed(void **state) {
  (void)state;
  identity_error error;
  char url[96];
  peer proxy;
  peer_start(&proxy, WANTS_LOGIN, strlen(WANTS_LOGIN), 0);
  snprintf(url, sizeof url, "http://127.0.0.1:%d", proxy.port);
  assert_int_equal(setenv("https_proxy", url, 1), 0);
  assert_int_equal(locale_with(service_config(&server), &error), IDENTITY_OK);
  assert_int_equal(peer_connections(&proxy), 0);
  identity_config *config = service_config(&server);
  assert_int_equal(identity_config_set_environment_proxy(config, 1), IDENTITY_OK);
  assert_int_equal(locale_with(config, &error), IDENTITY_PROXY_AUTH);
  assert_true(peer_connections(&proxy) > 0);
  assert_int_equal(unsetenv("https_proxy"), 0);
  peer_stop(&proxy);
}

/* ---- addresses ---- */

static identity_status open_at(const char *base_url, int loopback_http, identity_error *error) {
  identity_session *session = NULL;
  identity_config *config = identity_config_new(TEST_PUBLISHER);
  (void)identity_config_set_base_url(config, base_url);
  (void)identity_config_set_loopback_http(config, loopback_http);
  identity_status status = identity_session_open(config, "viewer", &session, error);
  assert_true((session != NULL) == (status == IDENTITY_OK));
  identity_session_close(session);
  identity_config_free(config);
  return status;
}

static void plain_http_is_for_loopback_and_only_when_allowed(void **state) {
  (void)state;
  static const char *const refused[] = {
      "http://identity.example.com",
      "http://192.0.2.1",
      "http://10.0.0.1:8080",
      "http://127.0.0.1.example.com",
      "http://localhost.example.com",
      "http://128.0.0.1",
      "http://[::2]",
      "http://127.1",
      "http://0.0.0.0",
  };
  identity_error error;
  for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
    if (identity_status_class(open_at(refused[i], 1, &error)) != IDENTITY_CLASS_BUG)
      fail_msg("%s was taken", refused[i]);
    assert_string_equal(error.field, "base_url");
  }
  assert_int_equal(open_at("http://127.0.0.1:8080", 0, &error), IDENTITY_BAD_CONFIGURATION);
  assert_int_equal(open_at("http://127.0.0.1:8080", 1, &error), IDENTITY_OK);
  assert_int_equal(open_at("http://localhost/v2", 1, &error), IDENTITY_OK);
  assert_int_equal(open_at("http://[::1]:80", 1, &error), IDENTITY_OK);
  assert_int_equal(open_at("HTTPS://Identity.Example.com/v2/", 0, &error), IDENTITY_OK);
}

static void what_is_no_base_url_is_refused(void **state) {
  (void)state;
  static const char *const refused[] = {
      "",
      "identity.example.com",
      "//identity.example.com",
      "ftp://identity.example.com",
      "file:///etc/passwd",
      "https://",
      "https:///v2",
      "https://:443",
      "https://user:password@identity.example.com",
      "https://identity.example.com?x=1",
      "https://identity.example.com/#x",
      "https://identity.example.com:0",
      "https://identity.example.com:65536",
      "https://identity.example.com:80x",
      "https://identity.example.com:",
      "https://identity example.com",
      "https://identity.example.com/a b",
      "https://identity.example.com\r\nX: y",
      "https://identity.example.com\\@evil.example.com",
      "https://ident%69ty.example.com",
      "https://[::1",
  };
  identity_error error;
  for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
    if (identity_status_class(open_at(refused[i], 1, &error)) != IDENTITY_CLASS_BUG)
      fail_msg("\"%s\" was taken", refused[i]);
    assert_string_equal(error.field, "base_url");
  }
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test_setup(a_port_where_nobody_listens_is_offline, reset),
    cmocka_unit_test_setup(a_missing_ca_file_is_named, reset),
    cmocka_unit_test_setup(a_ca_file_without_certificates_is_named, reset),
    cmocka_unit_test_setup(certificates_from_memory_are_trusted, reset),
    cmocka_unit_test_setup(plain_http_goes_through_no_proxy, reset),
    cmocka_unit_test_setup(plain_http_is_resolved_to_loopback_only, reset),
    cmocka_unit_test_setup(a_proxy_that_lets_nobody_out_is_offline, reset),
    cmocka_unit_test_setup(the_environments_proxy_counts_only_when_allowed, reset),
    cmocka_unit_test_setup(plain_http_is_for_loopback_and_only_when_allowed, reset),
    cmocka_unit_test_setup(what_is_no_base_url_is_refused, reset),
};

SUITE_WITH("failures", tests, start, stop)
