/* The JWT that a call needs: replaced when its life is over and after a 401, once for all threads, and never
 * where that would not help. */
#include "support/crowd.h"
#include "support/stage.h"

#define MAIL "jo@example.com"
#define REFRESH "/auths/refresh_token"
#define ALWAYS_401                                                                                           \
  "{\"method\":\"GET\",\"path\":\"/customers/*\",\"times\":-1,\"status\":401,"                               \
  "\"body\":{\"errors\":[\"Invalid JWT\"]}"
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

/* Real JWTs of two seconds, waited for: their life is over for the library and for the service. */
static void a_jwt_whose_life_is_over_is_replaced_once_before_the_requests_of_all_threads(void **state) {
  (void)state;
  static const int counts[] = {1, 32, 64};
  identity_session *sessions[3];
  int requests = 0;
  service_send(&server, "PUT", "settings", "{\"jwt_life\":2}");
  for (int i = 0; i < 3; i++) {
    char email[32];
    snprintf(email, sizeof email, "viewer%d@example.com", i);
    sessions[i] = service_open(&server, "viewer");
    service_register(sessions[i], email);
  }
  assert_int_equal(refreshes(-1), 0);
  service_pause_ms(2000);
  service_send(&server, "PUT", "settings", "{\"jwt_life\":900}");
  for (int i = 0; i < 3; i++) {
    assert_int_equal(crowd_successes(sessions[i], counts[i], service_fetch), counts[i]);
    requests += counts[i];
    assert_int_equal(refreshes(200), i + 1);
    assert_int_equal(refreshes(-1), i + 1);
    assert_int_equal(fetches(200), requests);
    assert_int_equal(fetches(-1), requests);
    identity_session_close(sessions[i]);
  }
  assert_int_equal(service_valid_refresh_tokens(&server, "viewer2@example.com"), 1);
}

static void sixty_four_threads_that_get_a_401_refresh_once(void **state) {
  (void)state;
  identity_session *session = signed_in("viewer");
  service_shift_clock(&server, 901);
  assert_int_equal(crowd_successes(session, 64, service_fetch), 64);
  assert_int_equal(refreshes(-1), 1);
  assert_int_equal(fetches(200), 64);
  assert_true(fetches(401) <= 64);
  identity_session_close(session);
}

static void two_threads_that_ask_for_a_rotation_share_one(void **state) {
  (void)state;
  identity_session *session = signed_in("viewer");
  service_fault(&server, "{\"path\":\"" REFRESH "\",\"delay_ms\":200}");
  assert_int_equal(crowd_successes(session, 2, identity_session_refresh), 2);
  assert_int_equal(refreshes(-1), 1);
  identity_session_close(session);
}

static identity_status fetch_consents(identity_session *session, identity_error *error) {
  const identity_customer_consents *consents = NULL;
  identity_status status = identity_fetch_customer_consents(session, &consents, error);
  identity_customer_consents_free(consents);
  return status;
}

static void a_401_that_lands_after_the_refresh_is_sent_again_without_a_second_one(void **state) {
  (void)state;
  crowd late;
  identity_session *session = signed_in("viewer");
  service_fault(&server, "{\"method\":\"GET\",\"path\":\"/customers/*/consents\",\"delay_ms\":400,"
                         "\"status\":401,\"body\":{\"errors\":[\"Expired JWT\"]}," DATED_2100 "}");
  crowd_start(&late, session, 1, fetch_consents);
  service_pause_ms(150);
  assert_int_equal(identity_session_refresh(session, NULL), IDENTITY_OK);
  crowd_join(&late);
  assert_int_equal(late.members[0].status, IDENTITY_OK);
  assert_int_equal(refreshes(-1), 1);
  assert_int_equal(service_count(&server, "GET", "/customers/*/consents", -1), 2);
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

static void a_401_right_after_a_refresh_is_not_allowed_and_keeps_the_session(void **state) {
  (void)state;
  identity_error error;
  identity_session *session = signed_in("viewer");
  service_fault(&server, ALWAYS_401 "," DATED_2100 "}");
  assert_int_equal(service_fetch(session, &error), IDENTITY_NOT_ALLOWED);
  assert_int_equal(error.http_status, 401);
  assert_int_equal(fetches(401), 2);
  assert_int_equal(fetches(-1), 2);
  assert_int_equal(refreshes(200), 1);
  assert_int_equal(service_state_of(session), IDENTITY_STATE_ACTIVE);
  service_clear_faults(&server);
  assert_int_equal(service_fetch(session, NULL), IDENTITY_OK);
  identity_session_close(session);
}

static void at_most_four_refreshes_an_hour_are_caused_by_a_401(void **state) {
  (void)state;
  identity_session *session = signed_in("viewer");
  service_fault(&server, ALWAYS_401 "," DATED_2100 "}");
  for (int i = 0; i < 8; i++)
    assert_int_equal(service_fetch(session, NULL), IDENTITY_NOT_ALLOWED);
  assert_int_equal(refreshes(-1), 4);
  assert_int_equal(fetches(401), 4 * 2 + 4);
  service_clear_faults(&server);
  assert_int_equal(service_fetch(session, NULL), IDENTITY_OK); /* the JWT was not given up */
  assert_int_equal(refreshes(-1), 4);
  identity_session_close(session);
}

static void a_restart_does_not_renew_the_budget(void **state) {
  (void)state;
  identity_session *session = service_open_stored(&server, "viewer", "budget");
  service_register(session, MAIL);
  service_fault(&server, ALWAYS_401 "," DATED_2100 "}");
  for (int i = 0; i < 4; i++)
    assert_int_equal(service_fetch(session, NULL), IDENTITY_NOT_ALLOWED);
  identity_session_close(session);
  session = service_open_stored(&server, "viewer", "budget");
  assert_int_equal(service_fetch(session, NULL), IDENTITY_NOT_ALLOWED);
  assert_int_equal(refreshes(-1), 4);
  identity_session_close(session);
}

static void a_401_for_a_young_jwt_causes_no_refresh(void **state) {
  (void)state;
  identity_session *session = signed_in("viewer");
  service_fault(&server, ALWAYS_401 "}");
  assert_int_equal(service_fetch(session, NULL), IDENTITY_NOT_ALLOWED);
  assert_int_equal(fetches(-1), 1);
  assert_int_equal(refreshes(-1), 0);
  assert_int_equal(service_state_of(session), IDENTITY_STATE_ACTIVE);
  service_clear_faults(&server);
  assert_int_equal(service_fetch(session, NULL), IDENTITY_OK);
  assert_int_equal(refreshes(-1), 0);
  identity_session_close(session);
}

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
    cmocka_unit_test_setup(a_jwt_whose_life_is_over_is_replaced_once_before_the_requests_of_all_threads,
                           reset),
    cmocka_unit_test_setup(sixty_four_threads_that_get_a_401_refresh_once, reset),
    cmocka_unit_test_setup(two_threads_that_ask_for_a_rotation_share_one, reset),
    cmocka_unit_test_setup(a_401_that_lands_after_the_refresh_is_sent_again_without_a_second_one, reset),
    cmocka_unit_test_setup(a_waiter_that_gives_up_does_not_cost_the_refresh, reset),
    cmocka_unit_test_setup(a_401_right_after_a_refresh_is_not_allowed_and_keeps_the_session, reset),
    cmocka_unit_test_setup(at_most_four_refreshes_an_hour_are_caused_by_a_401, reset),
    cmocka_unit_test_setup(a_restart_does_not_renew_the_budget, reset),
    cmocka_unit_test_setup(a_401_for_a_young_jwt_causes_no_refresh, reset),
    cmocka_unit_test_setup(a_403_and_a_gateway_page_with_401_cause_no_refresh, reset),
    cmocka_unit_test_setup(a_401_of_a_call_without_a_token_causes_no_refresh, reset),
    cmocka_unit_test_setup(the_new_pair_is_stored_before_a_call_uses_it, reset),
    cmocka_unit_test_setup(a_pair_that_another_handle_has_renewed_is_taken_over_without_a_request, reset),
};

SUITE_WITH("refresh", tests, start, stop)
