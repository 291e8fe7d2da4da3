/* Fault 5: no network, when the app starts and while it is used. */
#include "support/crowd.h"
#include "support/outage.h"
#include "support/rotation.h"
#include "support/stage.h"

#define MAIL "jo@example.com"

static outage network;

static int start_behind_outage(void **state) {
  start(state);
  outage_start(&network, server.port);
  return 0;
}

static int stop_behind_outage(void **state) {
  outage_stop(&network);
  return stop(state);
}

static int reset_and_mend(void **state) {
  char command[128];
  outage_mend(&network);
  snprintf(command, sizeof command, "rm -rf '%s/store'", server.directory);
  assert_int_equal(system(command), 0);
  return reset(state);
}

/* Another start of the app: the slot is one of the outage's address. */
static identity_session *opened(const char *account) {
  char directory[128];
  char base_url[64];
  identity_config *config = service_config(&server);
  snprintf(directory, sizeof directory, "%s/store", server.directory);
  snprintf(base_url, sizeof base_url, "http://127.0.0.1:%d", network.port);
  assert_int_equal(identity_config_set_base_url(config, base_url), IDENTITY_OK);
  assert_int_equal(identity_config_set_file_store(config, directory), IDENTITY_OK);
  return service_open_with(config, account);
}

static identity_session *registered(void) {
  identity_session *session = opened("viewer");
  service_register(session, MAIL);
  return session;
}

static void assert_offline(identity_session *session,
                           identity_status (*call)(identity_session *, identity_error *)) {
  identity_error error;
  (void)call(session, &error);
  assert_int_equal(identity_status_class(error.status), IDENTITY_CLASS_RETRY_LATER);
  assert_int_equal(error.http_status, 0);
}

static void assert_has_jwt(identity_session *session) {
  const identity_tokens *tokens = NULL;
  assert_int_equal(identity_session_tokens(session, 0, &tokens, NULL), IDENTITY_OK);
  assert_true(tokens->remaining_ms > 0);
  identity_tokens_free(tokens);
}

static void fault_05_offline_at_start_the_viewer_is_signed_in(void **state) {
  (void)state;
  identity_error error;
  identity_session_close(registered());
  outage_cut(&network);
  int before = probe_requests(&server);
  identity_session *session = opened("viewer");
  assert_int_equal(service_state_of(session), IDENTITY_STATE_ACTIVE);
  assert_has_jwt(session);
  assert_int_equal(service_fetch(session, &error), IDENTITY_OFFLINE);
  assert_int_equal(service_state_of(session), IDENTITY_STATE_ACTIVE);
  assert_int_equal(probe_requests(&server), before);
  outage_mend(&network);
  assert_int_equal(service_fetch(session, NULL), IDENTITY_OK);
  assert_int_equal(rotation_count(&server, -1), 0);
  identity_session_close(session);
}

static void fault_05_offline_at_start_with_a_jwt_that_is_over(void **state) {
  (void)state;
  identity_error error;
  const identity_tokens *tokens = NULL;
  service_issue_short_jwt(&server, "/customers");
  identity_session_close(registered());
  service_pause_ms(1050);
  outage_cut(&network);
  identity_session *session = opened("viewer");
  assert_int_equal(service_state_of(session), IDENTITY_STATE_ACTIVE);
  assert_int_equal(service_fetch(session, &error), IDENTITY_OFFLINE);
  assert_int_equal(service_state_of(session), IDENTITY_STATE_STALE);
  assert_int_equal(identity_session_tokens(session, 0, &tokens, &error), IDENTITY_REFRESH_DEFERRED);
  assert_null(tokens);
  assert_in_range(error.retry_after_ms, 1, 2001);
  identity_session_close(session);
  session = opened("viewer"); /* started once more, still offline */
  assert_offline(session, service_fetch);
  outage_mend(&network);
  rotation_wait_for_retry(session);
  assert_int_equal(service_fetch(session, NULL), IDENTITY_OK);
  assert_int_equal(service_state_of(session), IDENTITY_STATE_ACTIVE);
  assert_int_equal(rotation_count(&server, -1), 1);
  assert_int_equal(service_valid_refresh_tokens(&server, MAIL), 1);
  identity_session_close(session);
}

static void fault_05_offline_in_use(void **state) {
  (void)state;
  crowd people;
  identity_session *session = registered();
  assert_int_equal(service_fetch(session, NULL), IDENTITY_OK);
  outage_cut(&network);
  crowd_start(&people, session, 16, service_fetch);
  crowd_join(&people);
  for (int i = 0; i < 16; i++)
    assert_int_equal(identity_status_class(people.members[i].status), IDENTITY_CLASS_RETRY_LATER);
  assert_int_equal(service_state_of(session), IDENTITY_STATE_ACTIVE);
  assert_offline(session, identity_session_refresh);
  assert_int_equal(service_state_of(session), IDENTITY_STATE_STALE);
  assert_has_jwt(session);
  outage_mend(&network);
  assert_int_equal(service_fetch(session, NULL), IDENTITY_OK); /* with the JWT of before */
  assert_int_equal(rotation_count(&server, -1), 0);
  rotation_wait_for_retry(session);
  assert_int_equal(identity_session_refresh(session, NULL), IDENTITY_OK);
  assert_int_equal(service_state_of(session), IDENTITY_STATE_ACTIVE);
  assert_int_equal(rotation_count(&server, -1), 1);
  identity_session_close(session);
}

static void lose_answer(identity_session *session, int number) {
  crowd one;
  rotation_fault(&server, "\"delay_ms\":20000,\"after\":true");
  crowd_start(&one, session, 1, identity_session_refresh);
  rotation_await(&server, number);
  outage_cut(&network);
  crowd_join(&one);
  assert_int_equal(identity_status_class(one.members[0].status), IDENTITY_CLASS_RETRY_LATER);
  assert_has_jwt(session);
  outage_mend(&network);
  assert_int_equal(service_fetch(session, NULL), IDENTITY_OK);
}

static void comes_back(identity_session *session, const char *settings, identity_status status,
                       int32_t reason) {
  service_send(&server, "PUT", "settings", settings);
  rotation_wait_for_retry(session);
  assert_int_equal(identity_session_refresh(session, NULL), status);
  assert_int_equal(service_reason_of(session), reason);
  identity_session_close(session);
}

/* The service has made the new pair, and the way back is gone. A service with a grace period gives it again;
 * without one it is the loss that nobody can prevent, and is called so. */
static void fault_05_offline_under_a_refresh(void **state) {
  (void)state;
  service_send(&server, "PUT", "settings", "{\"grace\":60}"); /* so that it remembers what was exchanged */
  identity_session *lucky = registered();
  identity_session *lost = opened("other");
  assert_int_equal(service_login(lost, MAIL, TEST_PASSWORD, NULL), IDENTITY_OK);
  lose_answer(lucky, 1);
  lose_answer(lost, 2);
  comes_back(lucky, "{\"grace\":60}", IDENTITY_OK, IDENTITY_REASON_NONE);
  comes_back(lost, "{\"grace\":0}", IDENTITY_SESSION_ENDED, IDENTITY_REASON_LOST_ROTATION);
  assert_int_equal(rotation_count(&server, -1), 4);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test_setup(fault_05_offline_at_start_the_viewer_is_signed_in, reset_and_mend),
    cmocka_unit_test_setup(fault_05_offline_at_start_with_a_jwt_that_is_over, reset_and_mend),
    cmocka_unit_test_setup(fault_05_offline_in_use, reset_and_mend),
    cmocka_unit_test_setup(fault_05_offline_under_a_refresh, reset_and_mend),
};

SUITE_WITH("faults: offline", tests, start_behind_outage, stop_behind_outage)
