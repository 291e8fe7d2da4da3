/* Fault 25: a proxy that wants a login, and certificates that are not the service's: each is told by its own
 * status, nothing secret leaves, and the session is kept. */
#define STAGE_KIND SERVICE_TLS
#include "support/peer.h"
#include "support/slot.h"
#include "support/stage.h"

#define MAIL "jo@example.com"
#define REFRESH "/auths/refresh_token"
#define ELSEWHERE "elsewhere.example.org"
#define WANTS_LOGIN                                                                                          \
  "HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic realm=\"hotel\"\r\n"              \
  "Content-Length: 0\r\nConnection: close\r\n\r\n"

/* The same service as others would show it. */
static service stranger, expired, early, other_host;
static peer proxy;

static int begin(void **state) {
  static const struct {
    service *at;
    const char *options[3];
  } rows[] = {
      {&stranger, {NULL}},
      {&expired, {"--certificate", "expired", NULL}},
      {&early, {"--certificate", "early", NULL}},
      {&other_host, {"--certificate", "other-host", NULL}},
  };
  (void)start(state);
  for (size_t i = 0; i < ROWS(rows); i++)
    service_start(rows[i].at, SERVICE_TLS, rows[i].options);
  peer_start(&proxy, WANTS_LOGIN, strlen(WANTS_LOGIN), 0);
  return 0;
}

static int end(void **state) {
  peer_stop(&proxy);
  service_stop(&other_host);
  service_stop(&early);
  service_stop(&expired);
  service_stop(&stranger);
  return stop(state);
}

/* ---- the ways ---- */

static void trust(identity_config *config, const service *whom) {
  assert_int_equal(identity_config_set_ca_file(config, whom->ca_file), IDENTITY_OK);
}

static void to(identity_config *config, const char *host, const service *where) {
  char base_url[96];
  snprintf(base_url, sizeof base_url, "https://%s:%d", host, where->port);
  assert_int_equal(identity_config_set_base_url(config, base_url), IDENTITY_OK);
  if (strcmp(host, ELSEWHERE) == 0)
    assert_int_equal(identity_config_set_resolve(config, ELSEWHERE, "127.0.0.1"), IDENTITY_OK);
}

static void foreign_ca(identity_config *config) {
  trust(config, &stranger);
}

static void systems_ca(identity_config *config) {
  assert_int_equal(identity_config_set_ca_file(config, NULL), IDENTITY_OK);
}

static void strangers_server(identity_config *config) {
  to(config, "127.0.0.1", &stranger);
}

static void name_not_in_it(identity_config *config) {
  to(config, ELSEWHERE, &server);
}

static void flawed(identity_config *config, const service *whom) {
  trust(config, whom);
  to(config, "127.0.0.1", whom);
}

static void other_hosts(identity_config *config) {
  flawed(config, &other_host);
}

static void over(identity_config *config) {
  flawed(config, &expired);
}

static void not_yet(identity_config *config) {
  flawed(config, &early);
}

static void through(identity_config *config, const char *login) {
  char url[96];
  snprintf(url, sizeof url, "http://%s127.0.0.1:%d", login, proxy.port);
  assert_int_equal(identity_config_set_proxy(config, url), IDENTITY_OK);
}

static void proxy_without_login(identity_config *config) {
  through(config, "");
}

static void proxy_with_wrong_login(identity_config *config) {
  through(config, "viewer:wrong-proxy-word@");
}

typedef struct way {
  const char *name;
  void (*set)(identity_config *config);
  identity_status status;
  bool same_service; /* the same base URL: a later session with a good way finds the same slot */
} way;

static const way ways[] = {
    {"foreign CA", foreign_ca, IDENTITY_TLS_UNTRUSTED, true},
    {"the system's CA", systems_ca, IDENTITY_TLS_UNTRUSTED, true},
    {"407", proxy_without_login, IDENTITY_PROXY_AUTH, true},
    {"407 with a login", proxy_with_wrong_login, IDENTITY_PROXY_AUTH, true},
    {"a stranger's server", strangers_server, IDENTITY_TLS_UNTRUSTED, false},
    {"wrong host", name_not_in_it, IDENTITY_TLS_UNTRUSTED, false},
    {"another host's certificate", other_hosts, IDENTITY_TLS_UNTRUSTED, false},
    {"expired", over, IDENTITY_TLS_UNTRUSTED, false},
    {"not yet valid", not_yet, IDENTITY_CLOCK_WRONG, false},
};

static void nobody_saw_a_thing(int requests_of_ours, const char *const secrets[]) {
  assert_int_equal(probe_requests(&server), requests_of_ours);
  assert_int_equal(probe_requests(&stranger), 0);
  assert_int_equal(probe_requests(&expired), 0);
  assert_int_equal(probe_requests(&early), 0);
  assert_int_equal(probe_requests(&other_host), 0);
  assert_false(peer_has_seen(&proxy, TEST_PASSWORD));
  assert_false(peer_has_seen(&proxy, "Bearer"));
  for (size_t i = 0; secrets != NULL && secrets[i] != NULL; i++)
    assert_false(peer_has_seen(&proxy, secrets[i]));
}

/* ---- calls ---- */

static void check_call(const char *what, const identity_error *error, identity_status status) {
  const expected wanted = {status, 0, NULL, NULL};
  probe_error(what, error, &wanted);
  assert_int_equal(identity_status_class(error->status), IDENTITY_CLASS_FIX_DEVICE);
  assert_null(strstr(error->message, "wrong-proxy-word"));
}

static void fault_25_each_has_its_own_status_and_no_password_leaves(void **state) {
  (void)state;
  for (size_t i = 0; i < ROWS(ways); i++) {
    identity_error error;
    const identity_locale *locale = NULL;
    identity_config *config = service_config(&server);
    ways[i].set(config);
    identity_session *session = service_open_with(config, "viewer");
    (void)identity_fetch_locale(session, NULL, &locale, &error);
    assert_null(locale);
    check_call(ways[i].name, &error, ways[i].status);
    (void)service_login(session, MAIL, TEST_PASSWORD, &error);
    check_call(ways[i].name, &error, ways[i].status);
    identity_register_params params = probe_register_params(MAIL);
    (void)identity_register(session, &params, &error);
    check_call(ways[i].name, &error, ways[i].status);
    probe_reason(session, IDENTITY_STATE_SIGNED_OUT, IDENTITY_REASON_NEVER_SIGNED_IN);
    identity_session_close(session);
  }
  assert_true(peer_has_seen(&proxy, "CONNECT 127.0.0.1"));
  assert_true(peer_has_seen(&proxy, "Proxy-Authorization: Basic")); /* its own login it may have */
  nobody_saw_a_thing(0, NULL);
}

/* Not a single way is shut for good: the name that the certificate has is let in. */
static void fault_25_a_name_that_the_certificate_has_is_trusted(void **state) {
  (void)state;
  const identity_locale *locale = NULL;
  identity_config *config = service_config(&server);
  to(config, "localhost", &server);
  assert_int_equal(identity_config_set_resolve(config, "localhost", "127.0.0.1"), IDENTITY_OK);
  identity_session *session = service_open_with(config, "viewer");
  assert_int_equal(identity_fetch_locale(session, NULL, &locale, NULL), IDENTITY_OK);
  identity_locale_free(locale);
  identity_session_close(session);
}

/* ---- refreshes ---- */

static identity_config *stored_config(const char *store) {
  char directory[160];
  identity_config *config = service_config(&server);
  snprintf(directory, sizeof directory, "%s/%s", server.directory, store);
  assert_int_equal(identity_config_set_file_store(config, directory), IDENTITY_OK);
  return config;
}

/* A pair of its own for a viewer in a store of its own, and a refresh that cannot leave. */
static void refresh_on(const way *at, const char *store, const char *jwt, const char *refresh_token) {
  identity_error error;
  identity_config *config = stored_config(store);
  at->set(config);
  identity_session *session = service_open_with(config, "viewer");
  assert_int_equal(identity_session_adopt(session, jwt, refresh_token, NULL), IDENTITY_OK);
  (void)identity_session_refresh(session, &error);
  check_call(at->name, &error, at->status);
  assert_int_equal(service_state_of(session), IDENTITY_STATE_STALE);
  assert_in_range(service_wait_of(session), 1, 2001);
  identity_session_close(session);
  char *slot = slot_path(&server, store);
  assert_true(slot_has(slot, refresh_token)); /* kept, whatever way it is tried next */
  free(slot);
}

/* After the wait: by a good way where the address is the same, else past the library. */
static void refresh_again(const way *at, const char *store, const char *refresh_token) {
  if (at->same_service) {
    identity_session *session = service_open_with(stored_config(store), "viewer");
    assert_int_equal(service_state_of(session), IDENTITY_STATE_STALE);
    assert_int_equal(identity_session_refresh(session, NULL), IDENTITY_OK);
    assert_int_equal(service_fetch(session, NULL), IDENTITY_OK);
    assert_int_equal(service_state_of(session), IDENTITY_STATE_ACTIVE);
    identity_session_close(session);
    return;
  }
  char json[2000];
  snprintf(json, sizeof json, "{\"refreshToken\":\"%s\"}", refresh_token);
  char *answer = service_request(&server, "POST", REFRESH, json);
  assert_non_null(strstr(answer, "\"jwt\""));
  free(answer);
}

static void fault_25_a_refresh_that_cannot_leave_keeps_the_session_and_its_secrets(void **state) {
  (void)state;
  char stores[ROWS(ways)][16];
  char *secrets[2 * ROWS(ways) + 1] = {NULL};
  identity_session *owner = service_open(&server, "owner");
  service_register(owner, MAIL);
  for (size_t i = 0; i < ROWS(ways); i++) {
    service_login_raw(&server, MAIL, &secrets[2 * i], &secrets[2 * i + 1]);
    service_watch_secret(secrets[2 * i + 1]);
  }
  int before = probe_requests(&server);
  for (size_t i = 0; i < ROWS(ways); i++) {
    snprintf(stores[i], sizeof stores[i], "way%zu", i);
    refresh_on(&ways[i], stores[i], secrets[2 * i], secrets[2 * i + 1]);
  }
  nobody_saw_a_thing(before, (const char *const *)secrets);
  service_pause_ms(2005);
  for (size_t i = 0; i < ROWS(ways); i++)
    refresh_again(&ways[i], stores[i], secrets[2 * i + 1]);
  probe_sent(&server, "POST", REFRESH, ROWS(ways));
  assert_int_equal(service_count(&server, "POST", REFRESH, 200), ROWS(ways));
  for (size_t i = 0; i < 2 * ROWS(ways); i++)
    free(secrets[i]);
  identity_session_close(owner);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test_setup(fault_25_each_has_its_own_status_and_no_password_leaves, reset),
    cmocka_unit_test_setup(fault_25_a_name_that_the_certificate_has_is_trusted, reset),
    cmocka_unit_test_setup(fault_25_a_refresh_that_cannot_leave_keeps_the_session_and_its_secrets, reset),
};

SUITE_WITH("faults: trust", tests, begin, end)
