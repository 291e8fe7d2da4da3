/* Faults 12 and 13: a sign-out, and a sign-in of somebody else, while a refresh is under way. What the
 * refresh brings then belongs to nobody. */
#include "support/crowd.h"
#include "support/own_memory.h"
#include "support/rotation.h"
#include "support/slot.h"
#include "support/stage.h"

#define JO "jo@example.com"
#define MO "mo@example.com"

/* As many as have connections of their own. */
enum { WAITERS = 8 };

/* Two customers; each test has a store of its own. */
static int reset_with_customers(void **state) {
  char command[128];
  reset(state);
  snprintf(command, sizeof command, "rm -rf '%s/store'", server.directory);
  assert_int_equal(system(command), 0);
  identity_session *session = service_open(&server, "setup");
  service_register(session, JO);
  service_register(session, MO);
  identity_session_close(session);
  return 0;
}

static identity_session *opened(void) {
  return service_open_stored(&server, "viewer", "store");
}

static identity_status log_in_mo(identity_session *session, identity_error *error) {
  return service_login(session, MO, TEST_PASSWORD, error);
}

static identity_session *signed_in(void) {
  identity_session *session = opened();
  assert_int_equal(service_login(session, JO, TEST_PASSWORD, NULL), IDENTITY_OK);
  return session;
}

static void assert_is(identity_session *session, const char *email) {
  identity_error error;
  const identity_customer *customer = NULL;
  if (identity_fetch_customer(session, &customer, &error) != IDENTITY_OK)
    fail_msg("customer: %s", error.message);
  assert_string_equal(customer->email, email);
  identity_customer_free(customer);
}

/* Callers whose JWT is over, each of which was told so by the service, and a refresh that hangs. */
static void hang_refresh(identity_session *session, crowd *waiters) {
  service_shift_clock(&server, 901);
  service_fault(&server, "{\"method\":\"GET\",\"path\":\"/customers/*\",\"times\":8,\"delay_ms\":300}");
  rotation_fault(&server, "\"hang\":true");
  crowd_start(waiters, session, WAITERS, service_fetch);
  rotation_await_request(&server, "GET", "/customers/*", WAITERS);
  rotation_await(&server, 1);
  for (int i = 0; i < 1000 && service_count(&server, "GET", "/customers/*", 401) < WAITERS; i++)
    service_pause_ms(2);
  assert_int_equal(service_count(&server, "GET", "/customers/*", 401), WAITERS);
}

static void assert_nothing_stored(const char *path) {
  assert_false(slot_has(path, "eyJ"));
  assert_false(slot_has(path, JO));
}

/* ---- 12: sign-out ---- */

static void fault_12_a_sign_out_during_a_refresh_wins(void **state) {
  (void)state;
  crowd waiters;
  identity_session *session = signed_in();
  char *path = slot_path(&server, "store");
  hang_refresh(session, &waiters);
  int64_t begun = service_now_ms();
  assert_int_equal(identity_logout(session, NULL), IDENTITY_OK);
  assert_true(service_now_ms() - begun < 1000);
  assert_nothing_stored(path);
  crowd_join(&waiters); /* without the answer */
  assert_int_equal(crowd_count(&waiters, IDENTITY_SIGNED_OUT), WAITERS);
  rotation_release(&server);
  service_pause_ms(50);
  assert_int_equal(service_fetch(session, NULL), IDENTITY_SIGNED_OUT); /* reads what came meanwhile */
  probe_reason(session, IDENTITY_STATE_SIGNED_OUT, IDENTITY_REASON_LOGOUT);
  assert_nothing_stored(path);
  identity_session_close(session);
  assert_nothing_stored(path);
  session = opened();
  probe_reason(session, IDENTITY_STATE_SIGNED_OUT, IDENTITY_REASON_LOGOUT);
  assert_int_equal(log_in_mo(session, NULL), IDENTITY_OK);
  assert_is(session, MO);
  assert_int_equal(rotation_count(&server, -1), 1);
  identity_session_close(session);
  free(path);
}

static void fault_12_a_sign_out_through_another_handle_wins(void **state) {
  (void)state;
  crowd waiters;
  identity_session *session = signed_in();
  identity_session *other = opened();
  char *path = slot_path(&server, "store");
  hang_refresh(session, &waiters);
  assert_int_equal(identity_logout(other, NULL), IDENTITY_OK);
  assert_nothing_stored(path);
  rotation_release(&server);
  crowd_join(&waiters);
  assert_int_equal(crowd_count(&waiters, IDENTITY_SIGNED_OUT), WAITERS);
  probe_reason(session, IDENTITY_STATE_SIGNED_OUT, IDENTITY_REASON_OTHER_PROCESS);
  assert_nothing_stored(path);
  identity_session_close(session);
  identity_session_close(other);
  assert_nothing_stored(path);
  assert_int_equal(rotation_count(&server, -1), 1);
  free(path);
}

/* The answer comes a little before the sign-out, a little after, and in the middle of it. */
static void fault_12_a_sign_out_around_the_answer_wins(void **state) {
  (void)state;
  enum { ROUNDS = 40, ANSWER_MS = 20 };
  identity_session *session = signed_in();
  char *path = slot_path(&server, "store");
  for (int i = 0; i < ROUNDS; i++) {
    crowd one;
    char fault[32];
    snprintf(fault, sizeof fault, "\"delay_ms\":%d", ANSWER_MS);
    rotation_fault(&server, fault);
    crowd_start(&one, session, 1, identity_session_refresh);
    service_pause_ms(i);
    assert_int_equal(identity_logout(session, NULL), IDENTITY_OK);
    assert_nothing_stored(path);
    crowd_join(&one);
    identity_status status = one.members[0].status;
    assert_true(status == IDENTITY_OK || status == IDENTITY_SIGNED_OUT); /* OK: it was before */
    assert_int_equal(service_fetch(session, NULL), IDENTITY_SIGNED_OUT);
    probe_reason(session, IDENTITY_STATE_SIGNED_OUT, IDENTITY_REASON_LOGOUT);
    assert_nothing_stored(path);
    service_clear_faults(&server); /* the refresh may not have begun */
    assert_int_equal(service_login(session, JO, TEST_PASSWORD, NULL), IDENTITY_OK);
  }
  assert_true(rotation_count(&server, -1) > 0);
  identity_session_close(session);
  free(path);
}

/* The JWT was never sent, so every copy is the library's own. Of the refresh token the flight has sent one
 * copy stays in libcurl's upload buffer, which only libcurl could wipe; the record, the flight and its body
 * have been wiped. */
static void fault_12_after_a_sign_out_during_a_refresh_no_secret_is_in_memory(void **state) {
  (void)state;
  crowd one;
  static masked jwt, refresh_token;
  service_send(&server, "PUT", "settings", "{\"jwt_life\":901}"); /* so that no other JWT is the same */
  own_memory_login(&server, JO, &jwt, &refresh_token);
  identity_session *session = opened();
  assert_int_equal(own_memory_count(&refresh_token), 0);
  assert_int_equal(own_memory_adopt(session, &jwt, &refresh_token), IDENTITY_OK);
  rotation_fault(&server, "\"hang\":true");
  crowd_start(&one, session, 1, identity_session_refresh);
  rotation_await(&server, 1);
  assert_true(own_memory_count(&jwt) > 0);
  assert_true(own_memory_count(&refresh_token) > 1);
  assert_int_equal(identity_logout(session, NULL), IDENTITY_OK);
  crowd_join(&one);
  assert_int_equal(own_memory_count(&jwt), 0);
  assert_true(own_memory_count(&refresh_token) <= 1);
  identity_session_close(session);
}

/* ---- 13: somebody else ---- */

static void fault_13_another_customer_signs_in_while_a_refresh_hangs(void **state) {
  (void)state;
  crowd waiters;
  identity_session *session = signed_in();
  hang_refresh(session, &waiters);
  assert_int_equal(log_in_mo(session, NULL), IDENTITY_OK);
  assert_is(session, MO);
  rotation_release(&server);
  crowd_join(&waiters);
  /* Who asked as the one customer never gets the data of the other. */
  assert_int_equal(crowd_count(&waiters, IDENTITY_SIGNED_OUT), WAITERS);
  service_pause_ms(50);
  assert_is(session, MO);
  assert_int_equal(service_state_of(session), IDENTITY_STATE_ACTIVE);
  identity_session_close(session);
  session = opened();
  assert_is(session, MO);
  assert_int_equal(identity_session_refresh(session, NULL), IDENTITY_OK);
  assert_is(session, MO);
  identity_session_close(session);
  assert_int_equal(service_valid_refresh_tokens(&server, MO), 2); /* one is of the registration */
}

static void fault_13_the_same_customer_signs_in_again_while_a_refresh_hangs(void **state) {
  (void)state;
  crowd waiters;
  identity_session *session = signed_in();
  hang_refresh(session, &waiters);
  assert_int_equal(service_login(session, JO, TEST_PASSWORD, NULL), IDENTITY_OK);
  rotation_release(&server);
  crowd_join(&waiters);
  assert_int_equal(crowd_count(&waiters, IDENTITY_OK), WAITERS);
  assert_is(session, JO);
  assert_int_equal(identity_session_refresh(session, NULL), IDENTITY_OK); /* with the token of the login */
  assert_int_equal(rotation_count(&server, -1), 2);
  identity_session_close(session);
}

static void fault_13_another_customer_signs_in_through_another_handle(void **state) {
  (void)state;
  crowd waiters;
  identity_session *session = signed_in();
  identity_session *other = opened();
  hang_refresh(session, &waiters);
  assert_int_equal(log_in_mo(other, NULL), IDENTITY_OK);
  rotation_release(&server);
  crowd_join(&waiters);
  assert_int_equal(crowd_count(&waiters, IDENTITY_SIGNED_OUT), WAITERS);
  assert_is(other, MO);
  assert_is(session, MO);
  assert_int_equal(identity_session_refresh(session, NULL), IDENTITY_OK);
  assert_int_equal(rotation_count(&server, 200), 2);
  identity_session_close(session);
  identity_session_close(other);
  session = opened();
  assert_is(session, MO);
  identity_session_close(session);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test_setup(fault_12_a_sign_out_during_a_refresh_wins, reset_with_customers),
    cmocka_unit_test_setup(fault_12_a_sign_out_through_another_handle_wins, reset_with_customers),
    cmocka_unit_test_setup(fault_12_a_sign_out_around_the_answer_wins, reset_with_customers),
    cmocka_unit_test_setup(fault_12_after_a_sign_out_during_a_refresh_no_secret_is_in_memory,
                           reset_with_customers),
    cmocka_unit_test_setup(fault_13_another_customer_signs_in_while_a_refresh_hangs, reset_with_customers),
    cmocka_unit_test_setup(fault_13_the_same_customer_signs_in_again_while_a_refresh_hangs,
                           reset_with_customers),
    cmocka_unit_test_setup(fault_13_another_customer_signs_in_through_another_handle, reset_with_customers),
};

SUITE_WITH("faults: sign-out", tests, start, stop)
