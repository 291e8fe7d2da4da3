/* One table of what happens to a viewer, played in every way that a loop can be driven: they all come to the
 * same. */
#include "support/rotation.h"
#include "support/ways.h"

static void a_login_and_a_fetch(void) {
  identity_session *session = open_viewer("viewer");
  runs(TWIN_CUSTOMER, session, IDENTITY_OK, NULL);
  probe_sent(&server, "POST", "/auths", 1);
  probe_sent(&server, "GET", "/customers/*", 1);
  identity_session_close(session);
}

static void an_expired_jwt_is_replaced_within_the_call(void) {
  identity_session *session = open_viewer("viewer");
  host_clock_sleep(&device, 901000);
  service_shift_clock(&server, 901);
  runs(TWIN_CUSTOMER, session, IDENTITY_OK, NULL);
  assert_int_equal(rotation_count(&server, 200), 1);
  assert_int_equal(service_count(&server, "GET", "/customers/*", 200), 1);
  assert_int_equal(service_count(&server, "GET", "/customers/*", 401), 0);
  identity_session_close(session);
}

static void a_401_is_sent_again_with_a_new_jwt(void) {
  identity_session *session = open_viewer("viewer");
  service_shift_clock(&server, 901);
  runs(TWIN_CUSTOMER, session, IDENTITY_OK, NULL);
  assert_int_equal(rotation_count(&server, 200), 1);
  assert_int_equal(service_count(&server, "GET", "/customers/*", 200), 1);
  assert_int_equal(service_count(&server, "GET", "/customers/*", 401), 1);
  identity_session_close(session);
}

/* The one on another host is not concerned. */
static void a_retry_after_counts_for_all_sessions_of_its_host(void) {
  char url[64];
  identity_error error;
  identity_config *config = config_of_the_device();
  snprintf(url, sizeof url, "http://localhost:%d", server.port);
  assert_int_equal(identity_config_set_base_url(config, url), IDENTITY_OK);
  identity_session *first = open_viewer("first");
  identity_session *second = open_viewer("second");
  identity_session *elsewhere = aloop_open_with(&shared, config, "elsewhere");
  runs(TWIN_LOGIN, elsewhere, IDENTITY_OK, NULL);
  host_clock_sleep(&device, 901000);
  service_shift_clock(&server, 901);
  rotation_fault(&server, "\"status\":429,\"headers\":{\"Retry-After\":\"60\"},\"body\":\"{}\"");
  runs(TWIN_CUSTOMER, first, IDENTITY_THROTTLED, &error);
  assert_in_range(error.retry_after_ms, 59000, 75000);
  runs(TWIN_CUSTOMER, second, IDENTITY_REFRESH_DEFERRED, &error);
  assert_in_range(error.retry_after_ms, 59000, 75000);
  assert_int_equal(rotation_count(&server, -1), 1);
  runs(TWIN_CUSTOMER, elsewhere, IDENTITY_OK, NULL);
  assert_int_equal(rotation_count(&server, -1), 2);
  host_clock_sleep(&device, 76000);
  runs(TWIN_CUSTOMER, second, IDENTITY_OK, NULL);
  runs(TWIN_CUSTOMER, first, IDENTITY_OK, NULL);
  identity_session_close(first);
  identity_session_close(second);
  identity_session_close(elsewhere);
}

static void a_registration_and_what_comes_next(void) {
  identity_session *session = aloop_open_with(&shared, config_of_the_device(), "viewer");
  runs(TWIN_REGISTER, session, IDENTITY_OK, NULL);
  runs(TWIN_NEXT_STEP, session, IDENTITY_OK, NULL);
  runs(TWIN_UPDATE_CAPTURE, session, IDENTITY_OK, NULL);
  runs(TWIN_LOGOUT_EVERYWHERE, session, IDENTITY_OK, NULL);
  runs(TWIN_CUSTOMER, session, IDENTITY_SIGNED_OUT, NULL);
  probe_sent(&server, "DELETE", "/refresh_tokens", 1);
  identity_session_close(session);
}

SCENARIO(a_login_and_a_fetch)
SCENARIO(an_expired_jwt_is_replaced_within_the_call)
SCENARIO(a_401_is_sent_again_with_a_new_jwt)
SCENARIO(a_retry_after_counts_for_all_sessions_of_its_host)
SCENARIO(a_registration_and_what_comes_next)

#define TEST(name) cmocka_unit_test_setup(name, reset)

static const struct CMUnitTest tests[] = {
    TEST(every_driver_a_login_and_a_fetch),
    TEST(every_driver_an_expired_jwt_is_replaced_within_the_call),
    TEST(every_driver_a_401_is_sent_again_with_a_new_jwt),
    TEST(every_driver_a_retry_after_counts_for_all_sessions_of_its_host),
    TEST(every_driver_a_registration_and_what_comes_next),
};

SUITE_WITH("async_drivers", tests, start, stop)
