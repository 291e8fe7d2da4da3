/* The JWT that a call needs: replaced when its life is over and after a 401, once for all threads, and never
 * where that would not help. */
#include "support/crowd.h"
#include "support/stage.h"

#define MAIL "jo@example.com"
#define REFRESH "/auths/refresh_token"
#define DATED_2100 "\"headers\":{\"Date\":\"Fri, 01 Jan 2100 00:00:00 GMT\"}"

static int refreshes(int status) {
  return service_count(&server, "POST", REFRESH, status);
}

static int fetches(int status) {
  return service_count(&server, "GET", "/customers/*", status);
}

static identity_session *signed_in(const char *account) {
  identity_session *session = service_open(&server, account);
  service_register(session, MAIL);
  return session;
}

/* ---- when ---- */

static void a_401_for_an_old_jwt_replaces_it_and_sends_the_request_again(void **state) {
  (void)state;
  identity_session *session = signed_in("viewer");
  service_shift_clock(&server, 901);
  assert_int_equal(service_fetch(session, NULL), IDENTITY_OK);
  assert_int_equal(fetches(401), 1);
  assert_int_equal(fetches(200), 1);
  assert_int_equal(refreshes(-1), 1);
  assert_int_equal(service_valid_refresh_tokens(&server, MAIL), 1);
  identity_session_close(session);
}

static void a_refresh_carries_the_refresh_token_and_no_bearer(void **state) {
  (void)state;
  const cJSON *entry;
  int seen = 0;
  identity_session *session = signed_in("viewer");
  assert_int_equal(identity_session_refresh(session, NULL), IDENTITY_OK);
  cJSON *journal = service_get(&server, "journal");
  cJSON_ArrayForEach(entry, cJSON_GetObjectItemCaseSensitive(journal, "requests")) {
    const char *path = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(entry, "path"));
    if (path == NULL || strcmp(path, REFRESH) != 0)
      continue;
    seen++;
    assert_true(cJSON_IsFalse(cJSON_GetObjectItemCaseSensitive(entry, "bearer")));
    const char *token = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(entry, "refresh_token"));
    assert_non_null(token);
    assert_int_equal(strlen(token), 12);
  }
  cJSON_Delete(journal);
  assert_int_equal(seen, 1);
  identity_session_close(session);
}

/* ---- once for all ---- */

static void two_threads_that_ask_for_a_rotation_share_one(void **state) {
  (void)state;
  identity_session *session = signed_in("viewer");
  service_fault(&server, "{\"path\":\"" REFRESH "\",\"delay_ms\":200}");
  assert_int_equal(crowd_successes(session, 2, identity_session_refresh), 2);
  assert_int_equal(refreshes(-1), 1);
  identity_session_close(session);
}

static void a_waiter_that_gives_up_does_not_cost_the_refresh(void **state) {
  (void)state;
  identity_config *config = service_config(&server);
  assert_int_equal(identity_config_set_timeout_ms(config, 300), IDENTITY_OK);
  identity_session *session = service_open_with(config, "viewer");
  service_register(session, MAIL);
  service_fault(&server, "{\"path\":\"" REFRESH "\",\"delay_ms\":450}");
  assert_int_equal(identity_session_refresh(session, NULL), IDENTITY_TIMED_OUT);
  assert_int_equal(service_state_of(session), IDENTITY_STATE_REFRESHING);
  service_pause_ms(250);
  assert_int_equal(service_fetch(session, NULL), IDENTITY_OK);
  assert_int_equal(service_state_of(session), IDENTITY_STATE_ACTIVE);
  assert_int_equal(refreshes(-1), 1);
  assert_int_equal(identity_session_refresh(session, NULL), IDENTITY_OK);
  assert_int_equal(refreshes(200), 2);
  identity_session_close(session);
}

/* ---- when not ---- */

static void a_403_and_a_gateway_page_with_401_cause_no_refresh(void **state) {
  (void)state;
  static const char *const faults[] = {
      "{\"path\":\"/customers/*\",\"status\":403,\"body\":{\"errors\":[\"no\"]}," DATED_2100 "}",
      "{\"path\":\"/customers/*\",\"status\":403,\"body\":{\"message\":\"Forbidden\"}," DATED_2100 "}",
      "{\"path\":\"/customers/*\",\"status\":401,\"body\":\"<html>sign in to the network</html>\"," DATED_2100
      "}",
  };
  identity_session *session = signed_in("viewer");
  for (size_t i = 0; i < sizeof faults / sizeof faults[0]; i++) {
    service_fault(&server, faults[i]);
    assert_int_not_equal(service_fetch(session, NULL), IDENTITY_OK);
    assert_int_equal(service_state_of(session), IDENTITY_STATE_ACTIVE);
  }
  assert_int_equal(fetches(-1), 3);
  assert_int_equal(refreshes(-1), 0);
  identity_session_close(session);
}

static void refuse_all(const char *method) {
  char json[200];
  snprintf(
      json, sizeof json,
      "{\"method\":\"%s\",\"times\":-1,\"status\":401,\"body\":{\"errors\":[\"Expired JWT\"]}," DATED_2100
      "}",
      method);
  service_fault(&server, json);
}

static void a_401_of_a_call_without_a_token_causes_no_refresh(void **state) {
  (void)state;
  identity_update_password_params password;
  identity_register_params params;
  identity_session *session = signed_in("viewer");
  service_send(&server, "PUT", "publishers/" TEST_PUBLISHER "/consents", "{\"consents\":[]}");
  refuse_all("PUT");
  refuse_all("PATCH");
  refuse_all("POST");
  identity_register_params_init(&params, sizeof params);
  params.email = "new@example.com";
  params.password = TEST_PASSWORD;
  identity_update_password_params_init(&password, sizeof password);
  password.email = MAIL;
  password.reset_token = "0123456789abcdef";
  password.new_password = TEST_PASSWORD;
  assert_int_not_equal(identity_register(session, &params, NULL), IDENTITY_OK);
  assert_int_not_equal(service_login(session, MAIL, TEST_PASSWORD, NULL), IDENTITY_OK);
  assert_int_not_equal(identity_request_password_reset(session, MAIL, NULL, NULL), IDENTITY_OK);
  assert_int_not_equal(identity_update_password(session, &password, NULL), IDENTITY_OK);
  assert_int_equal(refreshes(-1), 0);
  assert_int_equal(service_count(&server, "POST", "/customers", 401), 1);
  assert_int_equal(service_count(&server, "POST", "/auths", 401), 1);
  assert_int_equal(service_count(&server, "PUT", "/customers/passwords", 401), 1);
  assert_int_equal(service_count(&server, "PATCH", "/customers/passwords", 401), 1);
  assert_int_not_equal(identity_session_refresh(session, NULL), IDENTITY_OK);
  assert_int_equal(refreshes(-1), 1); /* a refused refresh is not refreshed either */
  assert_int_equal(service_state_of(session), IDENTITY_STATE_STALE);
  identity_session_close(session);
}

/* ---- the new pair ---- */

static void the_new_pair_is_stored_before_a_call_uses_it(void **state) {
  (void)state;
  crowd user;
  identity_session *session = service_open_stored(&server, "viewer", "pair");
  service_register(session, MAIL);
  service_shift_clock(&server, 901);
  service_fault(&server, "{\"method\":\"GET\",\"path\":\"/customers/*\",\"skip\":1,\"delay_ms\":300}");
  crowd_start(&user, session, 1, service_fetch);
  for (int i = 0; i < 100 && fetches(-1) < 2; i++)
    service_pause_ms(5);
  /* The call has the new JWT on its way; a second handle must find the new refresh token already. */
  assert_int_equal(refreshes(200), 1);
  identity_session *other = service_open_stored(&server, "viewer", "pair");
  assert_int_equal(identity_session_refresh(other, NULL), IDENTITY_OK);
  crowd_join(&user);
  assert_int_equal(user.members[0].status, IDENTITY_OK);
  assert_int_equal(refreshes(200), 2);
  assert_int_equal(refreshes(-1), 2);
  assert_int_equal(service_valid_refresh_tokens(&server, MAIL), 1);
  identity_session_close(other);
  identity_session_close(session);
}

static void a_pair_that_another_handle_has_renewed_is_taken_over_without_a_request(void **state) {
  (void)state;
  identity_session *one = service_open_stored(&server, "viewer", "shared");
  service_register(one, MAIL);
  identity_session *other = service_open_stored(&server, "viewer", "shared");
  service_shift_clock(&server, 901);
  assert_int_equal(service_fetch(one, NULL), IDENTITY_OK);
  assert_int_equal(service_fetch(other, NULL), IDENTITY_OK);
  assert_int_equal(refreshes(-1), 1);
  assert_int_equal(service_state_of(other), IDENTITY_STATE_ACTIVE);
  identity_session_close(other);
  identity_session_close(one);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test_setup(a_401_for_an_old_jwt_replaces_it_and_sends_the_request_again, reset),
    cmocka_unit_test_setup(a_refresh_carries_the_refresh_token_and_no_bearer, reset),
    cmocka_unit_test_setup(two_threads_that_ask_for_a_rotation_share_one, reset),
    cmocka_unit_test_setup(a_waiter_that_gives_up_does_not_cost_the_refresh, reset),
    cmocka_unit_test_setup(a_403_and_a_gateway_page_with_401_cause_no_refresh, reset),
    cmocka_unit_test_setup(a_401_of_a_call_without_a_token_causes_no_refresh, reset),
    cmocka_unit_test_setup(the_new_pair_is_stored_before_a_call_uses_it, reset),
    cmocka_unit_test_setup(a_pair_that_another_handle_has_renewed_is_taken_over_without_a_request, reset),
};

SUITE_WITH("refresh", tests, start, stop)
