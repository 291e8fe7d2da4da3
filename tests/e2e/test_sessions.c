/* Who is signed in, and what of it a file store keeps: restarts, several handles, sign-in beside an old
 * session, sign-out while something is under way. */
#include "support/crowd.h"
#include "support/slot.h"
#include "support/stage.h"

#include <unistd.h>

#define JO "jo@example.com"
#define MO "mo@example.com"
#define REFRESH "/auths/refresh_token"

/* Two customers; each test has a store of its own. */
static int begin(void **state) {
  char command[128];
  (void)reset(state);
  snprintf(command, sizeof command, "rm -rf '%s/store'", server.directory);
  assert_int_equal(system(command), 0);
  identity_session *session = service_open(&server, "setup");
  service_register(session, JO);
  service_register(session, MO);
  identity_session_close(session);
  return 0;
}

static identity_session *opened(const char *account) {
  return service_open_stored(&server, account, "store");
}

static identity_session *signed_in_as(const char *account, const char *email) {
  identity_session *session = opened(account);
  assert_int_equal(service_login(session, email, TEST_PASSWORD, NULL), IDENTITY_OK);
  return session;
}

static int refreshes(int status) {
  return service_count(&server, "POST", REFRESH, status);
}

static void assert_is(identity_session *session, const char *email) {
  identity_error error;
  const identity_customer *customer = NULL;
  if (identity_fetch_customer(session, &customer, &error) != IDENTITY_OK)
    fail_msg("customer: %s", error.message);
  assert_string_equal(customer->email, email);
  identity_customer_free(customer);
}

static void assert_stands(identity_session *session, int32_t state, int32_t reason) {
  assert_int_equal(service_state_of(session), state);
  assert_int_equal(service_reason_of(session), reason);
}

/* ---- one slot ---- */

static void a_restart_finds_the_viewer_signed_in(void **state) {
  (void)state;
  identity_session *session = signed_in_as("viewer", JO);
  assert_int_equal(identity_session_refresh(session, NULL), IDENTITY_OK);
  identity_session_close(session);
  session = opened("viewer");
  assert_stands(session, IDENTITY_STATE_ACTIVE, IDENTITY_REASON_NONE);
  assert_is(session, JO);
  assert_int_equal(refreshes(-1), 1); /* the JWT came back with its age */
  assert_int_equal(identity_session_refresh(session, NULL), IDENTITY_OK);
  assert_int_equal(refreshes(200), 2);
  identity_session_close(session);
}

static void a_memory_store_forgets(void **state) {
  (void)state;
  identity_session *session = service_open(&server, "viewer");
  assert_int_equal(service_login(session, JO, TEST_PASSWORD, NULL), IDENTITY_OK);
  identity_session_close(session);
  session = service_open(&server, "viewer");
  assert_stands(session, IDENTITY_STATE_SIGNED_OUT, IDENTITY_REASON_NEVER_SIGNED_IN);
  identity_session_close(session);
}

static void a_slot_belongs_to_its_account(void **state) {
  (void)state;
  identity_session *session = signed_in_as("viewer", JO);
  identity_session *other = signed_in_as("other", MO);
  assert_is(session, JO);
  assert_is(other, MO);
  assert_int_equal(identity_logout(other, NULL), IDENTITY_OK);
  assert_is(session, JO);
  identity_session *third = opened("third");
  assert_stands(third, IDENTITY_STATE_SIGNED_OUT, IDENTITY_REASON_NEVER_SIGNED_IN);
  identity_session_close(third);
  identity_session_close(other);
  identity_session_close(session);
}

static void a_slot_belongs_to_its_publisher_and_environment(void **state) {
  (void)state;
  char directory[128];
  char base_url[64];
  identity_session_close(signed_in_as("viewer", JO));
  snprintf(directory, sizeof directory, "%s/store", server.directory);
  snprintf(base_url, sizeof base_url, "http://localhost:%d", server.port);
  for (int i = 0; i < 2; i++) {
    identity_config *config = identity_config_new(i == 0 ? "987654321" : TEST_PUBLISHER);
    assert_int_equal(identity_config_set_base_url(config, i == 0 ? server.base_url : base_url), IDENTITY_OK);
    assert_int_equal(identity_config_set_loopback_http(config, 1), IDENTITY_OK);
    assert_int_equal(identity_config_set_file_store(config, directory), IDENTITY_OK);
    identity_session *session = service_open_with(config, "viewer");
    assert_stands(session, IDENTITY_STATE_SIGNED_OUT, IDENTITY_REASON_NEVER_SIGNED_IN);
    identity_session_close(session);
  }
  identity_session *session = opened("viewer");
  assert_is(session, JO);
  identity_session_close(session);
}

static void a_file_that_was_moved_to_another_account_signs_nobody_in(void **state) {
  (void)state;
  char *mine, *theirs;
  identity_session_close(signed_in_as("viewer", JO));
  mine = slot_path(&server, "store");
  identity_session_close(signed_in_as("other", MO));
  theirs = slot_path_besides(&server, "store", mine);
  assert_int_equal(rename(mine, theirs), 0);
  identity_session *session = opened("other");
  assert_stands(session, IDENTITY_STATE_REAUTH_REQUIRED, IDENTITY_REASON_STORE_LOST);
  assert_int_equal(service_fetch(session, NULL), IDENTITY_SESSION_ENDED);
  assert_int_equal(service_count(&server, "GET", "/customers/*", -1), 0);
  identity_session_close(session);
  free(mine);
  free(theirs);
}

/* ---- signing out ---- */

static void a_logout_wipes_every_copy_in_the_file(void **state) {
  (void)state;
  char *jwts[2];
  identity_session *session = signed_in_as("viewer", JO);
  for (int i = 0; i < 2; i++) { /* the second rotation leaves the first pair in the other half */
    const identity_tokens *tokens = NULL;
    service_send(&server, "PUT", "settings", i == 0 ? "{\"jwt_life\":900}" : "{\"jwt_life\":901}");
    assert_int_equal(identity_session_refresh(session, NULL), IDENTITY_OK);
    assert_int_equal(identity_session_tokens(session, 0, &tokens, NULL), IDENTITY_OK);
    jwts[i] = strdup(tokens->jwt);
    assert_non_null(jwts[i]);
    identity_tokens_free(tokens);
  }
  char *path = slot_path(&server, "store");
  assert_string_not_equal(jwts[0], jwts[1]);
  assert_true(slot_has(path, jwts[1]));
  assert_true(slot_has(path, JO));
  assert_int_equal(identity_logout(session, NULL), IDENTITY_OK);
  for (int i = 0; i < 2; i++) {
    assert_false(slot_has(path, jwts[i]));
    free(jwts[i]);
  }
  assert_false(slot_has(path, "eyJ"));
  assert_false(slot_has(path, JO));
  assert_stands(session, IDENTITY_STATE_SIGNED_OUT, IDENTITY_REASON_LOGOUT);
  identity_session_close(session);
  session = opened("viewer");
  assert_stands(session, IDENTITY_STATE_SIGNED_OUT, IDENTITY_REASON_LOGOUT);
  identity_session_close(session);
  free(path);
}

static void logout_is_seen_at(crowd_call call, int fetches) {
  identity_session *one = signed_in_as("viewer", JO);
  identity_session *other = opened("viewer");
  assert_int_equal(identity_logout(one, NULL), IDENTITY_OK);
  assert_int_equal(service_state_of(other), IDENTITY_STATE_ACTIVE);
  service_shift_clock(&server, 901);
  assert_int_equal(call(other, NULL), IDENTITY_SIGNED_OUT);
  assert_stands(other, IDENTITY_STATE_SIGNED_OUT, IDENTITY_REASON_OTHER_PROCESS);
  assert_int_equal(service_count(&server, "GET", "/customers/*", -1), fetches);
  assert_int_equal(refreshes(-1), 0);
  identity_session_close(other);
  identity_session_close(one);
}

static void a_logout_is_seen_by_another_handle_at_its_next_refresh(void **state) {
  (void)state;
  logout_is_seen_at(identity_session_refresh, 0);
}

static void a_logout_is_seen_by_another_handle_at_its_next_401(void **state) {
  (void)state;
  logout_is_seen_at(service_fetch, 1);
}

static void a_login_through_another_handle_is_taken_over(void **state) {
  (void)state;
  identity_session *one = signed_in_as("viewer", JO);
  identity_session *other = opened("viewer");
  assert_int_equal(identity_logout(one, NULL), IDENTITY_OK);
  assert_int_equal(service_login(one, MO, TEST_PASSWORD, NULL), IDENTITY_OK);
  assert_int_equal(identity_session_refresh(other, NULL), IDENTITY_OK);
  assert_is(other, MO);
  assert_int_equal(refreshes(-1), 0);
  identity_session_close(other);
  identity_session_close(one);
}

static void a_logout_everywhere_revokes_what_other_devices_hold(void **state) {
  (void)state;
  identity_session *one = signed_in_as("viewer", JO);
  identity_session *device = signed_in_as("device", JO);
  assert_int_equal(identity_logout_everywhere(one, NULL), IDENTITY_OK);
  assert_int_equal(service_count(&server, "DELETE", "/refresh_tokens", 200), 1);
  assert_int_equal(service_valid_refresh_tokens(&server, JO), 0);
  assert_stands(one, IDENTITY_STATE_SIGNED_OUT, IDENTITY_REASON_LOGOUT_EVERYWHERE);
  assert_int_equal(identity_session_refresh(device, NULL), IDENTITY_SESSION_ENDED);
  assert_stands(device, IDENTITY_STATE_REAUTH_REQUIRED, IDENTITY_REASON_REFUSED);
  identity_session_close(device);
  identity_session_close(one);
}

/* ---- signing in beside ---- */

static void a_login_replaces_the_session_only_when_it_succeeds(void **state) {
  (void)state;
  identity_session *session = signed_in_as("viewer", JO);
  assert_int_equal(service_login(session, MO, "wrong-Passw0rd", NULL), IDENTITY_WRONG_CREDENTIALS);
  assert_is(session, JO);
  service_fault(&server, "{\"path\":\"/auths\",\"drop\":\"after\"}");
  assert_int_equal(service_login(session, MO, TEST_PASSWORD, NULL), IDENTITY_CONNECTION_LOST);
  assert_is(session, JO);
  service_fault(&server, "{\"path\":\"/auths\",\"omit\":[\"refreshToken\"]}");
  assert_int_equal(service_login(session, MO, TEST_PASSWORD, NULL), IDENTITY_UNEXPECTED_ANSWER);
  assert_is(session, JO);
  assert_int_equal(service_login(session, MO, TEST_PASSWORD, NULL), IDENTITY_OK);
  assert_is(session, MO);
  identity_session_close(session);
  session = opened("viewer");
  assert_is(session, MO);
  identity_session_close(session);
}

static identity_status log_in_mo(identity_session *session, identity_error *error) {
  return service_login(session, MO, TEST_PASSWORD, error);
}

static identity_status register_new(identity_session *session, identity_error *error) {
  identity_register_params params;
  identity_register_params_init(&params, sizeof params);
  params.email = "new@example.com";
  params.password = TEST_PASSWORD;
  return identity_register(session, &params, error);
}

static void await(const char *path) {
  for (int i = 0; i < 1000 && service_count(&server, "POST", path, 0) == 0; i++)
    service_pause_ms(2);
  assert_int_equal(service_count(&server, "POST", path, 0), 1);
}

static void release(void) {
  service_send(&server, "POST", "release", "{}");
}

static void log_out_during(const char *path, crowd_call call, identity_status status) {
  crowd one;
  char fault[96];
  identity_session *session = opened("viewer");
  service_send(&server, "PUT", "publishers/" TEST_PUBLISHER "/consents", "{\"consents\":[]}");
  snprintf(fault, sizeof fault, "{\"method\":\"POST\",\"path\":\"%s\",\"hang\":true}", path);
  service_fault(&server, fault);
  crowd_start(&one, session, 1, call);
  await(path);
  assert_int_equal(identity_logout(session, NULL), IDENTITY_OK);
  release();
  crowd_join(&one);
  assert_int_equal(one.members[0].status, status);
  assert_stands(session, IDENTITY_STATE_SIGNED_OUT, IDENTITY_REASON_LOGOUT);
  identity_session_close(session);
  session = opened("viewer");
  assert_stands(session, IDENTITY_STATE_SIGNED_OUT, IDENTITY_REASON_LOGOUT);
  identity_session_close(session);
}

static void a_logout_during_a_login_cancels_it(void **state) {
  (void)state;
  log_out_during("/auths", log_in_mo, IDENTITY_CANCELLED);
}

static void a_logout_during_a_registration_makes_its_outcome_unknown(void **state) {
  (void)state;
  log_out_during("/customers", register_new, IDENTITY_OUTCOME_UNKNOWN);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test_setup(a_restart_finds_the_viewer_signed_in, begin),
    cmocka_unit_test_setup(a_memory_store_forgets, begin),
    cmocka_unit_test_setup(a_slot_belongs_to_its_account, begin),
    cmocka_unit_test_setup(a_slot_belongs_to_its_publisher_and_environment, begin),
    cmocka_unit_test_setup(a_file_that_was_moved_to_another_account_signs_nobody_in, begin),
    cmocka_unit_test_setup(a_logout_wipes_every_copy_in_the_file, begin),
    cmocka_unit_test_setup(a_logout_is_seen_by_another_handle_at_its_next_refresh, begin),
    cmocka_unit_test_setup(a_logout_is_seen_by_another_handle_at_its_next_401, begin),
    cmocka_unit_test_setup(a_login_through_another_handle_is_taken_over, begin),
    cmocka_unit_test_setup(a_logout_everywhere_revokes_what_other_devices_hold, begin),
    cmocka_unit_test_setup(a_login_replaces_the_session_only_when_it_succeeds, begin),
    cmocka_unit_test_setup(a_logout_during_a_login_cancels_it, begin),
    cmocka_unit_test_setup(a_logout_during_a_registration_makes_its_outcome_unknown, begin),
};

SUITE_WITH("sessions", tests, start, stop)
