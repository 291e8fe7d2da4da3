/* The whole journey through a transport of the host, which asks the stand-in service in its own way: the seam
 * is enough. */
#include "support/every_call.h"
#include "support/host_clock.h"
#include "support/plain_http.h"
#include "support/recorder.h"
#include "support/rotation.h"
#include "support/stage.h"
#include "support/twins.h"

static aloop shared;
static recorder transport;
static plain_http plain;
static host_clock device;

static void with_clock(identity_config *config) {
  assert_int_equal(identity_config_set_clock(config, &device.clock), IDENTITY_OK);
}

/* ---- the journey ---- */

static const struct step {
  int which;
  const char *method, *path;
} steps[] = {
    {TWIN_LOCALE, "GET", "/locales"},
    {TWIN_PUBLISHER_CONSENTS, "GET", "/publishers/*/consents"},
    {TWIN_LOGIN, "POST", "/auths"},
    {TWIN_CUSTOMER, "GET", "/customers/*"},
    {TWIN_CUSTOMER_CONSENTS, "GET", "/customers/*/consents"},
    {TWIN_UPDATE_CONSENTS, "PUT", "/customers/*/consents"},
    {TWIN_CAPTURE_STATUS, "GET", "/customers/*/capture/status"},
    {TWIN_UPDATE_CAPTURE, "PUT", "/customers/*/capture"},
    {TWIN_NEXT_STEP, "GET", "/customers/*/capture/status"},
    {TWIN_UPDATE_CUSTOMER, "PATCH", "/customers/*"},
    {TWIN_RESET_MAIL, "PUT", "/customers/passwords"},
    {TWIN_REFRESH, "POST", "/auths/refresh_token"},
    {TWIN_LOGOUT_EVERYWHERE, "DELETE", "/refresh_tokens"},
    {TWIN_REGISTER, "POST", "/customers"},
    {TWIN_LOGOUT, NULL, NULL},
};

static void take(int which, identity_session *session) {
  identity_error error;
  (void)twin_run(&shared, which, session, &error);
  probe_status(twins[which].name, &error, IDENTITY_OK, NULL);
}

static void travel(identity_session *session) {
  for (size_t i = 0; i < ROWS(steps); i++) {
    take(steps[i].which, session);
    if (steps[i].method != NULL && service_count(&server, steps[i].method, steps[i].path, 200) == 0)
      fail_msg("%s did not send %s %s", twins[steps[i].which].name, steps[i].method, steps[i].path);
  }
}

/* What happens to a JWT on the way. */
static void travel_through_time(identity_session *session) {
  int before = rotation_count(&server, 200);
  take(TWIN_LOGIN, session);
  host_clock_sleep(&device, 901000);
  service_shift_clock(&server, 901);
  take(TWIN_CUSTOMER, session); /* expired */
  assert_int_equal(rotation_count(&server, 200), before + 1);
  service_shift_clock(&server, 1802);
  take(TWIN_CUSTOMER, session); /* refused, replaced, sent again */
  assert_int_equal(rotation_count(&server, 200), before + 2);
  assert_int_equal(service_count(&server, "GET", "/customers/*", 401), 1);
}

static void begin_with(identity_config *config, int drive) {
  with_clock(config);
  aloop_start(&shared, config, drive);
  aloop_settle(&shared);
}

static void start_over(void) {
  service_reset(&server);
  twins_register(&server);
  service_send(&server, "POST", "release", "{}");
  host_clock_start(&device, NULL, 3600000);
}

static void the_journey_goes_through_threads_of_the_host_in_every_way_to_drive(void **state) {
  (void)state;
  for (int drive = 0; drive < DRIVES; drive++) {
    start_over();
    int before = probe_requests(&server);
    recorder_start(&transport, &server, recorder_forward);
    begin_with(recorder_config(&transport), drive);
    identity_config *config = recorder_config(&transport);
    with_clock(config);
    identity_session *session = aloop_open_with(&shared, config, "viewer");
    travel(session);
    travel_through_time(session);
    assert_int_equal(transport.count, probe_requests(&server) - before);
    assert_int_equal(recorder_cancels(&transport), 0);
    identity_session_close(session);
    aloop_stop(&shared);
    assert_int_equal(transport.opened, 1);
    recorder_stop(&transport);
  }
}

static void the_journey_goes_over_sockets_that_the_loop_watches_in_every_way_to_drive(void **state) {
  (void)state;
  for (int drive = 0; drive < DRIVES; drive++) {
    start_over();
    int before = probe_requests(&server);
    plain_http_start(&plain, &server, drive == DRIVE_FD ? 3 : 0);
    begin_with(plain_http_config(&plain), drive);
    identity_config *config = plain_http_config(&plain);
    with_clock(config);
    identity_session *session = aloop_open_with(&shared, config, "viewer");
    travel(session);
    travel_through_time(session);
    assert_int_equal(plain.started, probe_requests(&server) - before);
    assert_true(plain.socket_calls >= 2 * plain.started);
    assert_true((plain.timers > 0) == (plain.delay_ms > 0));
    assert_int_equal(plain.cancelled, 0);
    identity_session_close(session);
    aloop_stop(&shared);
    assert_int_equal(plain.opened, 1);
    plain_http_stop(&plain);
  }
}

static void a_session_without_a_loop_goes_through_it_as_well(void **state) {
  (void)state;
  start_over();
  recorder_start(&transport, &server, recorder_forward);
  identity_session *session = service_open_with(recorder_config(&transport), "viewer");
  assert_int_equal(service_login(session, TWIN_MAIL, TEST_PASSWORD, NULL), IDENTITY_OK);
  assert_int_equal(service_fetch(session, NULL), IDENTITY_OK);
  assert_int_equal(identity_session_refresh(session, NULL), IDENTITY_OK);
  assert_int_equal(recorder_count(&transport, "POST", "/auths"), 1);
  assert_int_equal(recorder_count(&transport, "GET", "/customers/*"), 1);
  assert_int_equal(recorder_count(&transport, "POST", "/auths/refresh_token"), 1);
  identity_session_close(session);
  assert_int_equal(transport.opened, 1);
  recorder_stop(&transport);
  plain_http_start(&plain, &server, 2);
  session = service_open_with(plain_http_config(&plain), "viewer");
  assert_int_equal(service_login(session, TWIN_MAIL, TEST_PASSWORD, NULL), IDENTITY_OK);
  assert_int_equal(service_fetch(session, NULL), IDENTITY_OK);
  identity_session_close(session);
  plain_http_stop(&plain);
}

/* ---- what it is asked for ---- */

static const char *body_member(const char *body, const char *name, char *value, size_t size) {
  cJSON *json = cJSON_Parse(body);
  const char *text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(json, name));
  snprintf(value, size, "%s", text != NULL ? text : "");
  cJSON_Delete(json);
  return value;
}

static void secrets_stand_in_the_authorization_header_or_the_body_alone(void **state) {
  (void)state;
  start_over();
  recorder_start(&transport, &server, recorder_forward);
  begin_with(recorder_config(&transport), DRIVE_WAIT);
  identity_config *config = recorder_config(&transport);
  with_clock(config);
  identity_session *session = aloop_open_with(&shared, config, "viewer");
  travel(session);
  twins_reset_token[0] = 'x';
  (void)twin_run(&shared, TWIN_UPDATE_PASSWORD, session, NULL);
  int bearers = 0, refreshes = 0;
  recorder_assert_unseen(&transport, TEST_PASSWORD);
  recorder_assert_unseen(&transport, twins_reset_token);
  recorder_assert_unseen(&transport, "eyJ");
  for (int i = 0; i < transport.count; i++) {
    char token[600];
    const taken *one = transport.items[i];
    bearers += one->bearer != NULL && strncmp(one->bearer, "Bearer eyJ", 10) == 0;
    assert_true(one->bearer == NULL || strncmp(one->bearer, "Bearer eyJ", 10) == 0);
    if (one->body == NULL || body_member(one->body, "refreshToken", token, sizeof token)[0] == '\0')
      continue;
    refreshes++;
    assert_null(one->bearer); /* the refresh token goes alone */
    recorder_assert_unseen(&transport, token);
  }
  assert_true(bearers >= 8);
  assert_int_equal(refreshes, 1);
  identity_session_close(session);
  aloop_stop(&shared);
  recorder_stop(&transport);
}

static void what_must_not_be_sent_twice_says_so(void **state) {
  static const struct {
    const char *method, *path;
    int32_t once;
  } rows[] = {{"POST", "/customers", 1},
              {"POST", "/auths/refresh_token", 1},
              {"GET", "/locales", 0},
              {"GET", "/customers/*", 0},
              {"PUT", "/customers/passwords", 1}};
  (void)state;
  start_over();
  recorder_start(&transport, &server, recorder_forward);
  begin_with(recorder_config(&transport), DRIVE_WAIT);
  identity_config *config = recorder_config(&transport);
  with_clock(config);
  identity_session *session = aloop_open_with(&shared, config, "viewer");
  travel(session);
  for (size_t i = 0; i < ROWS(rows); i++) {
    assert_true(recorder_count(&transport, rows[i].method, rows[i].path) > 0);
    for (int at = 0; at < transport.count; at++) {
      taken *one = transport.items[at];
      recorder single = {.server = &server, .items = {one}, .count = 1};
      if (recorder_count(&single, rows[i].method, rows[i].path) == 1)
        assert_int_equal(one->once, rows[i].once);
    }
  }
  identity_session_close(session);
  aloop_stop(&shared);
  recorder_stop(&transport);
}

static void a_new_connection_of_the_host_meets_the_same_errors(void **state) {
  (void)state;
  identity_error error;
  start_over();
  recorder_start(&transport, &server, recorder_forward);
  begin_with(recorder_config(&transport), DRIVE_WAIT);
  identity_config *config = recorder_config(&transport);
  with_clock(config);
  identity_session *session = aloop_open_with(&shared, config, "viewer");
  service_fault(&server, "{\"method\":\"POST\",\"path\":\"/auths\",\"drop\":\"after\"}");
  (void)twin_run(&shared, TWIN_LOGIN, session, &error);
  probe_status("dropped", &error, IDENTITY_CONNECTION_LOST, NULL);
  service_fault(&server, "{\"path\":\"/locales\",\"times\":2,\"status\":502,\"body\":\"<html>\"}");
  (void)twin_run(&shared, TWIN_LOCALE, session, &error);
  probe_status("repeated", &error, IDENTITY_OK, NULL);
  service_fault(&server,
                "{\"path\":\"/locales\",\"status\":429,\"headers\":{\"Retry-After\":\"7\"},\"body\":\"{}\"}");
  (void)twin_run(&shared, TWIN_LOCALE, session, &error);
  probe_status("throttled", &error, IDENTITY_THROTTLED, NULL);
  assert_int_equal(error.retry_after_ms, 7000);
  assert_int_equal(error.http_status, 429);
  identity_session_close(session);
  aloop_stop(&shared);
  recorder_stop(&transport);
}

/* ---- the setter, and a transport that cannot open ---- */

static void a_transport_without_its_functions_is_a_bad_argument(void **state) {
  (void)state;
  struct {
    identity_transport transport;
    void *newer;
  } later;
  identity_config *config = service_config(&server);
  recorder_start(&transport, &server, recorder_forward);
  identity_transport good = transport.transport, given = good;
  given.start = NULL;
  assert_int_equal(identity_config_set_transport(config, &given), IDENTITY_BAD_ARGUMENT);
  given = good;
  given.cancel = NULL;
  assert_int_equal(identity_config_set_transport(config, &given), IDENTITY_BAD_ARGUMENT);
  plain_http_start(&plain, &server, 0);
  given = plain.transport;
  given.on_timer = NULL;
  assert_int_equal(identity_config_set_transport(config, &given), IDENTITY_BAD_ARGUMENT);
  given = good;
  given.struct_size = 4;
  assert_int_equal(identity_config_set_transport(config, &given), IDENTITY_BAD_ARGUMENT);
  identity_transport_init(&later.transport, sizeof later);
  later.transport.start = good.start;
  later.transport.cancel = good.cancel;
  later.newer = NULL;
  assert_int_equal(identity_config_set_transport(config, &later.transport), IDENTITY_OK);
  later.newer = &later;
  assert_int_equal(identity_config_set_transport(config, &later.transport), IDENTITY_PARAMS_TOO_NEW);
  identity_config_free(config);
}

static void without_open_and_close_the_state_is_user_data(void **state) {
  (void)state;
  recorder_start(&transport, &server, recorder_forward);
  transport.transport.open = NULL;
  transport.transport.close = NULL;
  aloop_start(&shared, recorder_config(&transport), DRIVE_WAIT);
  identity_session *session = aloop_open_with(&shared, recorder_config(&transport), "viewer");
  take(TWIN_LOCALE, session);
  assert_int_equal(recorder_count(&transport, "GET", "/locales"), 1);
  assert_int_equal(pthread_join(recorder_last(&transport)->thread, NULL), 0);
  recorder_last(&transport)->has_thread = false;
  identity_session_close(session);
  aloop_stop(&shared);
  recorder_stop(&transport);
}

static void a_transport_that_cannot_open_is_told_when_the_loop_is_made(void **state) {
  (void)state;
  identity_error error;
  identity_loop *loop = NULL;
  identity_session *session = NULL;
  recorder_start(&transport, &server, recorder_forward);
  transport.opens_as = IDENTITY_OUT_OF_MEMORY;
  identity_config *config = recorder_config(&transport);
  assert_int_equal(identity_loop_new(config, &loop, &error), IDENTITY_OUT_OF_MEMORY);
  assert_null(loop);
  assert_int_equal(identity_session_open(config, "viewer", &session, &error), IDENTITY_OUT_OF_MEMORY);
  assert_null(session);
  assert_int_equal(transport.closed, 0);
  transport.opens_as = IDENTITY_OK;
  assert_int_equal(identity_session_open(config, "viewer", &session, &error), IDENTITY_OK);
  identity_session_close(session);
  identity_config_free(config);
  recorder_stop(&transport);
}

static void null_takes_the_transport_back(void **state) {
  (void)state;
  recorder_start(&transport, &server, recorder_stay_silent);
  identity_config *config = recorder_config(&transport);
  assert_int_equal(identity_config_set_transport(config, NULL), IDENTITY_OK);
  identity_session *session = service_open_with(config, "viewer");
  const identity_locale *locale = NULL;
  assert_int_equal(identity_fetch_locale(session, NULL, &locale, NULL), IDENTITY_OK);
  identity_locale_free(locale);
  identity_session_close(session);
  assert_int_equal(transport.opened, 0);
  recorder_stop(&transport);
}

#define TEST(name) cmocka_unit_test_setup(name, reset)

static const struct CMUnitTest tests[] = {
    TEST(the_journey_goes_through_threads_of_the_host_in_every_way_to_drive),
    TEST(the_journey_goes_over_sockets_that_the_loop_watches_in_every_way_to_drive),
    TEST(a_session_without_a_loop_goes_through_it_as_well),
    TEST(secrets_stand_in_the_authorization_header_or_the_body_alone),
    TEST(what_must_not_be_sent_twice_says_so),
    TEST(a_new_connection_of_the_host_meets_the_same_errors),
    TEST(a_transport_without_its_functions_is_a_bad_argument),
    TEST(without_open_and_close_the_state_is_user_data),
    TEST(a_transport_that_cannot_open_is_told_when_the_loop_is_made),
    TEST(null_takes_the_transport_back),
};

SUITE_WITH("transport_journey", tests, start, stop)
