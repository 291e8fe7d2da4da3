/* Loops and the sessions on them: what they are made from, and what has to be alike. */
#include "support/host_clock.h"
#include "support/stage.h"
#include "support/twins.h"

#include <identity/platform.h>

static void a_loop_needs_a_good_config(void **state) {
  (void)state;
  identity_error error;
  identity_loop *loop = (identity_loop *)(void *)&error;
  identity_config *config = service_config(&server);
  assert_int_equal(identity_loop_new(NULL, &loop, &error), IDENTITY_BAD_ARGUMENT);
  assert_null(loop);
  assert_string_equal(error.field, "config");
  assert_int_equal(identity_loop_new(config, NULL, &error), IDENTITY_BAD_ARGUMENT);
  assert_string_equal(error.field, "loop");
  assert_int_equal(identity_config_set_timeout_ms(config, 1), IDENTITY_BAD_ARGUMENT);
  loop = (identity_loop *)(void *)&error;
  assert_int_equal(identity_loop_new(config, &loop, &error), IDENTITY_BAD_ARGUMENT);
  assert_null(loop);
  assert_string_equal(error.field, "timeout_ms");
  assert_int_equal(identity_loop_new(config, &loop, NULL), IDENTITY_BAD_ARGUMENT);
  identity_config_free(config);
}

static void a_ca_file_that_cannot_be_read_is_told_when_the_loop_is_made(void **state) {
  (void)state;
  identity_error error;
  identity_loop *loop = NULL;
  identity_config *config = service_config(&server);
  assert_int_equal(identity_config_set_ca_file(config, "/nonexistent/ca.pem"), IDENTITY_OK);
  assert_int_equal(identity_loop_new(config, &loop, &error), IDENTITY_CA_FILE);
  assert_null(loop);
  identity_config_free(config);
}

static void opening_on_a_loop_checks_its_arguments_as_opening_without_one(void **state) {
  (void)state;
  aloop shared;
  identity_error error;
  identity_session *session = (identity_session *)(void *)&error;
  identity_config *config = service_config(&server);
  aloop_start(&shared, service_config(&server), DRIVE_TICK);
  assert_int_equal(identity_session_open_on(NULL, config, "viewer", &session, &error), IDENTITY_BAD_ARGUMENT);
  assert_null(session);
  assert_string_equal(error.field, "loop");
  assert_int_equal(identity_session_open_on(shared.loop, NULL, "viewer", &session, &error),
                   IDENTITY_BAD_ARGUMENT);
  assert_string_equal(error.field, "config");
  assert_int_equal(identity_session_open_on(shared.loop, config, "", &session, &error),
                   IDENTITY_BAD_ARGUMENT);
  assert_string_equal(error.field, "account");
  assert_int_equal(identity_session_open_on(shared.loop, config, "viewer", NULL, &error),
                   IDENTITY_BAD_ARGUMENT);
  assert_string_equal(error.field, "session");
  identity_config_free(config);
  aloop_stop(&shared);
}

static void driving_without_a_loop_is_a_bad_argument(void **state) {
  (void)state;
  assert_int_equal(identity_loop_run(NULL, 0), IDENTITY_BAD_ARGUMENT);
  assert_int_equal(identity_loop_on_timer(NULL), IDENTITY_BAD_ARGUMENT);
  assert_int_equal(identity_loop_on_socket(NULL, 1, IDENTITY_READABLE), IDENTITY_BAD_ARGUMENT);
  assert_int_equal(identity_loop_set_host(NULL, NULL, NULL, NULL), IDENTITY_BAD_ARGUMENT);
  assert_int_equal(identity_loop_fd(NULL), -1);
  assert_int_equal(identity_loop_pending(NULL), 0);
  identity_loop_wake(NULL);
}

/* ---- what has to be alike ---- */

static host_clock device;

static identity_status never_start(void *state, identity_link *link, uint64_t exchange,
                                   const identity_http_request *request) {
  (void)state, (void)link, (void)exchange, (void)request;
  return IDENTITY_OFFLINE;
}

static void never_cancel(void *state, uint64_t exchange) {
  (void)state, (void)exchange;
}

static void other_user_agent(identity_config *config) {
  assert_int_equal(identity_config_set_user_agent(config, "other/1"), IDENTITY_OK);
}

static void other_proxy(identity_config *config) {
  assert_int_equal(identity_config_set_proxy(config, "http://127.0.0.1:9"), IDENTITY_OK);
}

static void proxy_of_the_environment(identity_config *config) {
  assert_int_equal(identity_config_set_environment_proxy(config, 1), IDENTITY_OK);
}

static void other_resolve(identity_config *config) {
  assert_int_equal(identity_config_set_resolve(config, "identity.example.com", "127.0.0.1"), IDENTITY_OK);
}

static void other_ca(identity_config *config) {
  assert_int_equal(identity_config_set_ca_pem(config, "-----BEGIN CERTIFICATE-----\n"), IDENTITY_OK);
}

static void other_clock(identity_config *config) {
  host_clock_start(&device, NULL, 1000);
  assert_int_equal(identity_config_set_clock(config, &device.clock), IDENTITY_OK);
}

static void other_transport(identity_config *config) {
  identity_transport transport;
  identity_transport_init(&transport, sizeof transport);
  transport.start = never_start;
  transport.cancel = never_cancel;
  assert_int_equal(identity_config_set_transport(config, &transport), IDENTITY_OK);
}

static void https_only(identity_config *config) {
  assert_int_equal(identity_config_set_base_url(config, "https://127.0.0.1:9"), IDENTITY_OK);
  assert_int_equal(identity_config_set_loopback_http(config, 0), IDENTITY_OK);
}

static void other_address(identity_config *config) {
  assert_int_equal(identity_config_set_base_url(config, "http://127.0.0.1:9"), IDENTITY_OK);
}

static void other_log(identity_config *config) {
  assert_int_equal(identity_config_set_log(config, 0, NULL, NULL), IDENTITY_OK);
}

static void other_timeout(identity_config *config) {
  assert_int_equal(identity_config_set_timeout_ms(config, 12345), IDENTITY_OK);
}

static void other_store(identity_config *config) {
  char directory[128];
  snprintf(directory, sizeof directory, "%s/other", server.directory);
  assert_int_equal(identity_config_set_file_store(config, directory), IDENTITY_OK);
}

static void kept_fresh(identity_config *config) {
  assert_int_equal(identity_config_set_keep_fresh(config, 1), IDENTITY_OK);
}

static const struct {
  const char *name;
  void (*change)(identity_config *config);
  identity_status status;
} rows[] = {
    {"user agent", other_user_agent, IDENTITY_BAD_CONFIGURATION},
    {"proxy", other_proxy, IDENTITY_BAD_CONFIGURATION},
    {"proxy of the environment", proxy_of_the_environment, IDENTITY_BAD_CONFIGURATION},
    {"resolve", other_resolve, IDENTITY_BAD_CONFIGURATION},
    {"CA", other_ca, IDENTITY_BAD_CONFIGURATION},
    {"clock", other_clock, IDENTITY_BAD_CONFIGURATION},
    {"transport", other_transport, IDENTITY_BAD_CONFIGURATION},
    {"https alone", https_only, IDENTITY_BAD_CONFIGURATION},
    {"address", other_address, IDENTITY_OK},
    {"log", other_log, IDENTITY_OK},
    {"time-out", other_timeout, IDENTITY_OK},
    {"store", other_store, IDENTITY_OK},
    {"kept fresh", kept_fresh, IDENTITY_OK},
};

static void network_settings_have_to_be_those_of_the_loop_and_nothing_else(void **state) {
  (void)state;
  aloop shared;
  aloop_start(&shared, service_config(&server), DRIVE_TICK);
  for (size_t i = 0; i < ROWS(rows); i++) {
    identity_error error;
    identity_session *session = NULL;
    identity_config *config = service_config(&server);
    rows[i].change(config);
    (void)identity_session_open_on(shared.loop, config, "viewer", &session, &error);
    probe_status(rows[i].name, &error, rows[i].status, rows[i].status != IDENTITY_OK ? "loop" : NULL);
    assert_true((session != NULL) == (rows[i].status == IDENTITY_OK));
    identity_session_close(session);
    identity_config_free(config);
  }
  aloop_stop(&shared);
}

/* And the other way round: a loop made with the setting takes no session without it. */
static void a_loop_with_a_setting_takes_no_session_without_it(void **state) {
  (void)state;
  for (size_t i = 0; i < ROWS(rows); i++) {
    aloop shared;
    identity_error error;
    identity_session *session = NULL;
    if (rows[i].change == other_ca)
      continue; /* no loop is made with that */
    identity_config *config = service_config(&server);
    rows[i].change(config);
    aloop_start(&shared, config, DRIVE_TICK);
    config = service_config(&server);
    (void)identity_session_open_on(shared.loop, config, "viewer", &session, &error);
    probe_status(rows[i].name, &error, rows[i].status, rows[i].status != IDENTITY_OK ? "loop" : NULL);
    identity_session_close(session);
    identity_config_free(config);
    aloop_stop(&shared);
  }
}

static void sessions_of_two_publishers_share_a_loop(void **state) {
  (void)state;
  aloop shared;
  note calls[2] = {0};
  identity_config *second = identity_config_new("987654321");
  assert_non_null(second);
  assert_int_equal(identity_config_set_base_url(second, server.base_url), IDENTITY_OK);
  assert_int_equal(identity_config_set_loopback_http(second, 1), IDENTITY_OK);
  aloop_start(&shared, service_config(&server), DRIVE_TICK);
  identity_session *one = aloop_open(&shared, &server, "viewer");
  identity_session *other = aloop_open_with(&shared, second, "viewer");
  twin_start(TWIN_PUBLISHER_CONSENTS, one, &calls[0]);
  twin_start(TWIN_PUBLISHER_CONSENTS, other, &calls[1]);
  aloop_until(&shared, calls, 2);
  assert_int_equal(notes_with(calls, 2, IDENTITY_OK), 2);
  assert_int_equal(((const identity_consents *)calls[0].result)->count, 3);
  assert_int_equal(((const identity_consents *)calls[1].result)->count, 1);
  notes_clear(calls, 2);
  identity_session_close(one);
  identity_session_close(other);
  aloop_stop(&shared);
}

#define TEST(name) cmocka_unit_test_setup(name, reset)

static const struct CMUnitTest tests[] = {
    TEST(a_loop_needs_a_good_config),
    TEST(a_ca_file_that_cannot_be_read_is_told_when_the_loop_is_made),
    TEST(opening_on_a_loop_checks_its_arguments_as_opening_without_one),
    TEST(driving_without_a_loop_is_a_bad_argument),
    TEST(network_settings_have_to_be_those_of_the_loop_and_nothing_else),
    TEST(a_loop_with_a_setting_takes_no_session_without_it),
    TEST(sessions_of_two_publishers_share_a_loop),
};

SUITE_WITH("async_open", tests, start, stop)
