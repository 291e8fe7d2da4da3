/* The network fails in every way that a loop can be driven: they all come to the same. */
#include "support/peer.h"
#include "support/ways.h"

static void a_stalled_service_ends_by_the_deadline(void) {
  identity_config *config = config_of_the_device();
  assert_int_equal(identity_config_set_timeout_ms(config, 150), IDENTITY_OK);
  identity_session *session = aloop_open_with(&shared, config, "viewer");
  service_fault(&server, "{\"path\":\"/locales\",\"times\":-1,\"hang\":true}");
  runs(TWIN_LOCALE, session, IDENTITY_TIMED_OUT, NULL);
  service_clear_faults(&server);
  runs(TWIN_LOCALE, session, IDENTITY_OK, NULL);
  identity_session_close(session);
}

static void a_service_that_is_not_there_is_offline(void) {
  char url[64];
  identity_config *config = config_of_the_device();
  snprintf(url, sizeof url, "http://127.0.0.1:%d", peer_closed_port());
  assert_int_equal(identity_config_set_base_url(config, url), IDENTITY_OK);
  identity_session *session = aloop_open_with(&shared, config, "viewer");
  runs(TWIN_LOGIN, session, IDENTITY_OFFLINE, NULL);
  identity_session_close(session);
}

static void an_answer_that_breaks_off_is_asked_for_again(void) {
  identity_session *session = open_viewer("viewer");
  service_fault(&server, "{\"path\":\"/customers/*\",\"times\":2,\"drop\":\"after\"}");
  runs(TWIN_CUSTOMER, session, IDENTITY_OK, NULL);
  probe_sent(&server, "GET", "/customers/*", 3);
  identity_session_close(session);
}

SCENARIO(a_stalled_service_ends_by_the_deadline)
SCENARIO(a_service_that_is_not_there_is_offline)
SCENARIO(an_answer_that_breaks_off_is_asked_for_again)

#define TEST(name) cmocka_unit_test_setup(name, reset)

static const struct CMUnitTest tests[] = {
    TEST(every_driver_a_stalled_service_ends_by_the_deadline),
    TEST(every_driver_a_service_that_is_not_there_is_offline),
    TEST(every_driver_an_answer_that_breaks_off_is_asked_for_again),
};

SUITE_WITH("async_drivers_network", tests, start, stop)
