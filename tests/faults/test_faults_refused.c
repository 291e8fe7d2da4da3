/* Faults 8, 10 and 11: what is refused again and again, a refresh or the calls, costs neither the session nor
 * the service's patience. */
#include "support/crowd.h"
#include "support/every_call.h"
#include "support/rotation.h"
#include "support/stage.h"

#define MAIL EVERY_CALL_MAIL
#define REFUSED_401 "\"times\":-1,\"status\":401,\"body\":{\"errors\":[\"Invalid JWT\"]}"
/* Past the end of any JWT: so a refresh is worth its while however young the JWT is. */
#define DATED_2100 "\"headers\":{\"Date\":\"Fri, 01 Jan 2100 00:00:00 GMT\"}"
#define FETCHES_REFUSED "{\"method\":\"GET\",\"path\":\"/customers/*\"," REFUSED_401

enum { BUDGET = 4 };

static int fetches(int status) {
  return service_count(&server, "GET", "/customers/*", status);
}

static identity_session *signed_in(void) {
  identity_session *session = service_open(&server, "viewer");
  service_register(session, MAIL);
  return session;
}

/* ---- 8: the refresh always fails ---- */

static void fault_08_calls_in_a_cooldown_send_nothing(void **state) {
  (void)state;
  identity_error error;
  crowd people;
  identity_session *session = signed_in();
  rotation_fault(&server, "\"times\":-1,\"status\":429,\"body\":\"\",\"headers\":{\"Retry-After\":\"60\"}");
  service_shift_clock(&server, 901);
  crowd_start(&people, session, 32, service_fetch);
  crowd_join(&people);
  for (int i = 0; i < 32; i++) {
    identity_status status = people.members[i].status; /* deferred: it came when the refresh was over */
    assert_true(status == IDENTITY_THROTTLED || status == IDENTITY_REFRESH_DEFERRED);
    assert_in_range(people.members[i].error.retry_after_ms, 40000, 75000);
  }
  assert_int_equal(rotation_count(&server, -1), 1);
  int before = probe_requests(&server);
  for (int i = 0; i < 100; i++) {
    identity_status (*call)(identity_session *, identity_error *) =
        i % 2 ? service_fetch : identity_session_refresh;
    assert_int_equal(call(session, &error), IDENTITY_REFRESH_DEFERRED);
    assert_in_range(error.retry_after_ms, 40000, 75000);
  }
  assert_int_equal(probe_requests(&server), before);
  assert_int_equal(service_state_of(session), IDENTITY_STATE_STALE);
  identity_session_close(session);
}

/* ---- 8: the API always says 401 ---- */

static void fault_08_at_most_four_refreshes_an_hour_are_caused_by_a_401(void **state) {
  (void)state;
  identity_session *session = signed_in();
  service_fault(&server, FETCHES_REFUSED "," DATED_2100 "}");
  for (int i = 0; i < 2 * BUDGET; i++)
    assert_int_equal(service_fetch(session, NULL), IDENTITY_NOT_ALLOWED);
  assert_int_equal(rotation_count(&server, -1), BUDGET);
  assert_int_equal(fetches(401), BUDGET * 2 + BUDGET);
  service_clear_faults(&server);
  assert_int_equal(service_fetch(session, NULL), IDENTITY_OK); /* the JWT was not given up */
  assert_int_equal(rotation_count(&server, -1), BUDGET);
  identity_session_close(session);
}

static void fault_08_sixty_four_threads_share_the_budget(void **state) {
  (void)state;
  crowd people;
  identity_session *session = signed_in();
  service_fault(&server, FETCHES_REFUSED "," DATED_2100 "}");
  crowd_start(&people, session, 64, service_fetch);
  crowd_join(&people);
  assert_int_equal(crowd_count(&people, IDENTITY_NOT_ALLOWED), 64);
  assert_true(rotation_count(&server, -1) <= BUDGET);
  assert_true(fetches(-1) <= 2 * 64); /* none is sent a third time */
  assert_int_equal(service_state_of(session), IDENTITY_STATE_ACTIVE);
  identity_session_close(session);
}

static void fault_08_two_handles_of_a_slot_share_the_budget_and_a_restart_keeps_it(void **state) {
  (void)state;
  identity_session *handles[2];
  handles[0] = service_open_stored(&server, "viewer", "budget");
  service_register(handles[0], MAIL);
  handles[1] = service_open_stored(&server, "viewer", "budget");
  service_fault(&server, FETCHES_REFUSED "," DATED_2100 "}");
  for (int i = 0; i < 3 * BUDGET; i++)
    assert_int_equal(service_fetch(handles[i % 2], NULL), IDENTITY_NOT_ALLOWED);
  assert_int_equal(rotation_count(&server, -1), BUDGET);
  identity_session_close(handles[1]);
  identity_session_close(handles[0]);
  identity_session *again = service_open_stored(&server, "viewer", "budget");
  assert_int_equal(service_fetch(again, NULL), IDENTITY_NOT_ALLOWED);
  assert_int_equal(rotation_count(&server, -1), BUDGET);
  assert_int_equal(service_state_of(again), IDENTITY_STATE_ACTIVE);
  identity_session_close(again);
}

static void fault_08_a_401_for_a_young_jwt_causes_no_refresh(void **state) {
  (void)state;
  identity_session *session = signed_in();
  service_fault(&server, FETCHES_REFUSED "}");
  for (int i = 0; i < 2 * BUDGET; i++)
    assert_int_equal(service_fetch(session, NULL), IDENTITY_NOT_ALLOWED);
  assert_int_equal(fetches(-1), 2 * BUDGET);
  assert_int_equal(rotation_count(&server, -1), 0);
  assert_int_equal(service_state_of(session), IDENTITY_STATE_ACTIVE);
  service_clear_faults(&server);
  assert_int_equal(service_fetch(session, NULL), IDENTITY_OK);
  assert_int_equal(rotation_count(&server, -1), 0);
  identity_session_close(session);
}

/* ---- 10: the refresh is fine, the API still says 401 ---- */

static void refuse_all_calls(void) {
  static const char *const methods[] = {"GET", "PUT", "PATCH"};
  for (size_t i = 0; i < ROWS(methods); i++) {
    char fault[256];
    snprintf(fault, sizeof fault, "{\"method\":\"%s\"," REFUSED_401 "," DATED_2100 "}", methods[i]);
    service_fault(&server, fault);
  }
}

static void refuse_one_call(const every_call *call) {
  identity_error error;
  service_reset(&server);
  identity_session *session = signed_in();
  int before = probe_requests(&server);
  refuse_all_calls();
  if (call->run(session, &error) != IDENTITY_NOT_ALLOWED)
    fail_msg("%s: %s: %s", call->name, identity_status_name(error.status), error.message);
  assert_int_equal(error.http_status, 401);
  assert_int_equal(rotation_count(&server, 200), 1);
  assert_int_equal(probe_requests(&server) - before, 3); /* the call, the refresh, the call */
  assert_int_equal(service_state_of(session), IDENTITY_STATE_ACTIVE);
  service_clear_faults(&server);
  if (call->run(session, &error) != IDENTITY_OK)
    fail_msg("%s, later: %s: %s", call->name, identity_status_name(error.status), error.message);
  assert_int_equal(rotation_count(&server, -1), 1);
  identity_session_close(session);
}

static void fault_10_a_401_right_after_a_refresh_is_not_allowed_and_keeps_the_session(void **state) {
  (void)state;
  int tried = 0;
  for (size_t i = 0; i < every_call_count; i++)
    if (every_calls[i].with_token) {
      refuse_one_call(&every_calls[i]);
      tried++;
    }
  assert_true(tried >= 7);
}

/* ---- 11: the refresh itself is refused by something that is not the service ---- */

static const char *const not_the_services[] = {
    "\"status\":401,\"headers\":{\"Content-Type\":\"text/html\"},\"body\":\"<html>Sign in to the "
    "network</html>\"",
    "\"status\":401,\"headers\":{\"Content-Type\":\"text/html\"},"
    "\"body\":\"<html>Refresh token is expired or does not exist</html>\"",
    "\"status\":401,\"headers\":{\"Content-Type\":\"application/json\"},"
    "\"body\":\"<html>Refresh token is expired or does not exist</html>\"",
    "\"status\":401,\"headers\":{\"WWW-Authenticate\":\"Basic\"},\"body\":\"\"",
    "\"status\":401,\"body\":{\"message\":\"Unauthorized\"}",
    "\"status\":401,\"body\":{\"errors\":[]}",
    "\"status\":401,\"body\":[\"Unauthorized\"]",
    "\"status\":403,\"headers\":{\"Content-Type\":\"text/html\"},\"body\":\"<html>Blocked</html>\"",
};

enum { STRANGERS = sizeof not_the_services / sizeof not_the_services[0] };

/* Each finds its JWT over and the refresh refused; all wait together for the next try. */
static void fault_11_a_401_of_a_gateway_for_the_refresh_keeps_the_session(void **state) {
  (void)state;
  identity_session *sessions[STRANGERS];
  identity_session_close(signed_in());
  for (int i = 0; i < STRANGERS; i++) {
    char account[32];
    snprintf(account, sizeof account, "viewer%d", i);
    sessions[i] = service_open(&server, account);
    assert_int_equal(service_login(sessions[i], MAIL, TEST_PASSWORD, NULL), IDENTITY_OK);
  }
  service_shift_clock(&server, 901);
  for (int i = 0; i < STRANGERS; i++) {
    identity_error error;
    rotation_fault(&server, not_the_services[i]);
    (void)service_fetch(sessions[i], &error);
    if (identity_status_class(error.status) != IDENTITY_CLASS_RETRY_LATER ||
        service_state_of(sessions[i]) != IDENTITY_STATE_STALE)
      fail_msg("%s: %s", not_the_services[i], identity_status_name(error.status));
    assert_int_equal(rotation_count(&server, -1), i + 1);
  }
  for (int i = 0; i < STRANGERS; i++) {
    rotation_wait_for_retry(sessions[i]);
    assert_int_equal(service_fetch(sessions[i], NULL), IDENTITY_OK);
    assert_int_equal(service_state_of(sessions[i]), IDENTITY_STATE_ACTIVE);
    identity_session_close(sessions[i]);
  }
  assert_int_equal(rotation_count(&server, 200), STRANGERS);
  assert_int_equal(rotation_count(&server, -1), 2 * STRANGERS);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test_setup(fault_08_calls_in_a_cooldown_send_nothing, reset),
    cmocka_unit_test_setup(fault_08_at_most_four_refreshes_an_hour_are_caused_by_a_401, reset),
    cmocka_unit_test_setup(fault_08_sixty_four_threads_share_the_budget, reset),
    cmocka_unit_test_setup(fault_08_two_handles_of_a_slot_share_the_budget_and_a_restart_keeps_it, reset),
    cmocka_unit_test_setup(fault_08_a_401_for_a_young_jwt_causes_no_refresh, reset),
    cmocka_unit_test_setup(fault_10_a_401_right_after_a_refresh_is_not_allowed_and_keeps_the_session, reset),
    cmocka_unit_test_setup(fault_11_a_401_of_a_gateway_for_the_refresh_keeps_the_session, reset),
};

SUITE_WITH("faults: refused", tests, start, stop)
