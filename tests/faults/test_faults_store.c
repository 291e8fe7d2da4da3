/* Faults 19, 20 and 21. A file store that is locked, damaged or cannot be written: no viewer is lost, and
 * none is kept against their wish. */
#include "support/crowd.h"
#include "support/service.h"
#include "support/slot.h"
#include "support/suite.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define JO "jo@example.com"
#define REFRESH "/auths/refresh_token"

static service server;
static char *path; /* of the slot of "viewer" */

static int start(void **state) {
  (void)state;
  service_start(&server, SERVICE_HTTP, NULL);
  identity_session *session = service_open_stored(&server, "viewer", "store");
  service_register(session, JO);
  identity_session_close(session);
  path = slot_path(&server, "store");
  return 0;
}

static int stop(void **state) {
  (void)state;
  free(path);
  service_assert_no_secret(NULL);
  service_stop(&server);
  return 0;
}

/* A customer, and an empty store. */
static int reset(void **state) {
  (void)state;
  char command[200];
  service_reset(&server);
  snprintf(command, sizeof command, "rm -rf '%s/store' '%s/store-aside'", server.directory, server.directory);
  assert_int_equal(system(command), 0);
  identity_session *session = service_open(&server, "setup");
  service_register(session, JO);
  identity_session_close(session);
  return 0;
}

static identity_session *opened(void) {
  return service_open_stored(&server, "viewer", "store");
}

static identity_session *opened_with(uint32_t timeout_ms, int32_t volatile_tokens) {
  char directory[128];
  identity_config *config = service_config(&server);
  snprintf(directory, sizeof directory, "%s/store", server.directory);
  assert_int_equal(identity_config_set_file_store(config, directory), IDENTITY_OK);
  assert_int_equal(identity_config_set_timeout_ms(config, timeout_ms), IDENTITY_OK);
  assert_int_equal(identity_config_set_volatile_tokens(config, volatile_tokens), IDENTITY_OK);
  return service_open_with(config, "viewer");
}

static identity_status log_in(identity_session *session, identity_error *error) {
  return service_login(session, JO, TEST_PASSWORD, error);
}

static identity_session *signed_in(void) {
  identity_session *session = opened();
  assert_int_equal(log_in(session, NULL), IDENTITY_OK);
  return session;
}

static int refreshes(int status) {
  return service_count(&server, "POST", REFRESH, status);
}

static int not_persisted(identity_session *session) {
  const identity_state *stands = NULL;
  assert_int_equal(identity_session_state(session, &stands, NULL), IDENTITY_OK);
  int value = stands->not_persisted;
  identity_state_free(stands);
  return value;
}

/* ---- locked ---- */

static identity_session *signed_in_briefly(void) {
  identity_session_close(signed_in());
  return opened_with(300, 0);
}

static void fault_20_a_store_that_is_locked_at_open_says_neither_in_nor_out(void **state) {
  (void)state;
  identity_error error;
  identity_session_close(signed_in());
  int lock = slot_lock(path);
  identity_session *session = opened_with(300, 0);
  assert_int_equal(service_state_of(session), IDENTITY_STATE_STORE_BLOCKED);
  assert_int_equal(service_fetch(session, &error), IDENTITY_STORE_LOCKED);
  assert_int_equal(identity_status_class(error.status), IDENTITY_CLASS_RETRY_LATER);
  slot_unlock(lock);
  assert_int_equal(service_fetch(session, NULL), IDENTITY_OK);
  assert_int_equal(service_state_of(session), IDENTITY_STATE_ACTIVE);
  identity_session_close(session);
}

static void fault_20_a_store_that_is_locked_later_stops_a_rotation_before_it_is_sent(void **state) {
  (void)state;
  identity_session *session = signed_in_briefly();
  int lock = slot_lock(path);
  assert_int_equal(identity_session_refresh(session, NULL), IDENTITY_STORE_LOCKED);
  assert_int_equal(refreshes(-1), 0);
  assert_int_equal(service_fetch(session, NULL), IDENTITY_OK); /* the JWT is good */
  slot_unlock(lock);
  assert_int_equal(identity_session_refresh(session, NULL), IDENTITY_OK);
  assert_int_equal(refreshes(200), 1);
  identity_session_close(session);
}

static void fault_20_a_lock_that_goes_within_a_second_is_waited_for(void **state) {
  (void)state;
  crowd one;
  identity_session *session = signed_in_briefly();
  int lock = slot_lock(path);
  crowd_start(&one, session, 1, identity_session_refresh);
  service_pause_ms(150);
  slot_unlock(lock);
  crowd_join(&one);
  assert_int_equal(one.members[0].status, IDENTITY_OK);
  assert_int_equal(refreshes(200), 1);
  identity_session_close(session);
}

static void fault_20_waiting_for_a_lock_ends_with_the_calls_time(void **state) {
  (void)state;
  identity_session *session = signed_in_briefly();
  int lock = slot_lock(path);
  int64_t begun = service_now_ms();
  identity_status status = identity_session_refresh(session, NULL);
  assert_int_equal(identity_status_class(status), IDENTITY_CLASS_RETRY_LATER);
  assert_true(service_now_ms() - begun <= 800); /* the patience with a lock is a second */
  begun = service_now_ms();
  status = log_in(session, NULL);
  assert_int_equal(identity_status_class(status), IDENTITY_CLASS_RETRY_LATER);
  assert_true(service_now_ms() - begun <= 800); /* the patience with a lock is a second */
  assert_int_equal(service_count(&server, "POST", "/auths", -1), 1);
  slot_unlock(lock);
  identity_session_close(session);
}

static void fault_20_a_logout_while_the_store_is_locked_is_made_good_later(void **state) {
  (void)state;
  identity_session *session = signed_in_briefly();
  int lock = slot_lock(path);
  assert_int_equal(identity_logout(session, NULL), IDENTITY_STORE_LOCKED);
  assert_int_equal(service_state_of(session), IDENTITY_STATE_SIGNED_OUT);
  assert_true(slot_has(path, "eyJ"));
  slot_unlock(lock);
  assert_int_equal(service_fetch(session, NULL), IDENTITY_SIGNED_OUT); /* any call tries again */
  assert_false(slot_has(path, "eyJ"));
  assert_int_equal(not_persisted(session), 0);
  identity_session_close(session);
}

static void fault_20_close_tries_the_logout_again_too(void **state) {
  (void)state;
  identity_session *session = signed_in_briefly();
  int lock = slot_lock(path);
  assert_int_equal(identity_logout(session, NULL), IDENTITY_STORE_LOCKED);
  slot_unlock(lock);
  identity_session_close(session);
  assert_false(slot_has(path, "eyJ"));
  session = opened();
  assert_int_equal(service_state_of(session), IDENTITY_STATE_SIGNED_OUT);
  identity_session_close(session);
}

static void fault_20_a_logout_of_a_session_that_could_not_be_read_is_made_good_later(void **state) {
  (void)state;
  identity_session_close(signed_in());
  int lock = slot_lock(path);
  identity_session *session = opened_with(300, 0);
  assert_int_equal(identity_logout(session, NULL), IDENTITY_STORE_LOCKED);
  slot_unlock(lock);
  assert_int_not_equal(service_fetch(session, NULL), IDENTITY_OK);
  assert_int_equal(service_state_of(session), IDENTITY_STATE_SIGNED_OUT);
  identity_session_close(session);
  assert_false(slot_has(path, "eyJ"));
  session = opened();
  assert_int_equal(service_state_of(session), IDENTITY_STATE_SIGNED_OUT);
  identity_session_close(session);
}

/* ---- not writable ---- */

static void fault_19_a_login_without_a_store_to_write_is_refused_before_it_is_sent(void **state) {
  (void)state;
  identity_session *session = opened();
  assert_int_equal(mkdir(path, 0700), 0);
  assert_int_equal(log_in(session, NULL), IDENTITY_STORE_FAILED);
  assert_int_equal(service_count(&server, "POST", "/auths", -1), 0);
  assert_int_equal(service_state_of(session), IDENTITY_STATE_SIGNED_OUT);
  assert_int_equal(rmdir(path), 0);
  assert_int_equal(log_in(session, NULL), IDENTITY_OK);
  identity_session_close(session);
}

static void fault_19_volatile_tokens_live_in_memory_until_the_store_is_back(void **state) {
  (void)state;
  identity_session *session = opened_with(5000, 1);
  assert_int_equal(mkdir(path, 0700), 0);
  assert_int_equal(log_in(session, NULL), IDENTITY_OK);
  assert_int_equal(not_persisted(session), 1);
  assert_int_equal(service_fetch(session, NULL), IDENTITY_OK);
  assert_int_equal(identity_session_refresh(session, NULL), IDENTITY_OK);
  assert_int_equal(not_persisted(session), 1);
  assert_int_equal(rmdir(path), 0);
  assert_int_equal(service_fetch(session, NULL), IDENTITY_OK);
  assert_int_equal(not_persisted(session), 0);
  identity_session_close(session);
  session = opened();
  assert_int_equal(identity_session_refresh(session, NULL), IDENTITY_OK);
  assert_int_equal(refreshes(200), 2);
  identity_session_close(session);
}

static void fault_19_a_store_that_fails_after_the_answer_does_not_cost_the_login(void **state) {
  (void)state;
  crowd one;
  identity_session *session = signed_in();
  service_fault(&server, "{\"path\":\"/auths\",\"delay_ms\":200}");
  crowd_start(&one, session, 1, log_in);
  for (int i = 0; i < 1000 && service_count(&server, "POST", "/auths", -1) < 2; i++)
    service_pause_ms(2);
  slot_block(path);
  crowd_join(&one);
  assert_int_equal(one.members[0].status, IDENTITY_OK);
  assert_int_equal(not_persisted(session), 1);
  assert_int_equal(service_state_of(session), IDENTITY_STATE_ACTIVE);
  slot_unblock(path);
  assert_int_equal(service_fetch(session, NULL), IDENTITY_OK);
  assert_int_equal(not_persisted(session), 0);
  identity_session_close(session);
}

static void fault_19_a_rotated_pair_survives_a_store_that_fails_under_it(void **state) {
  (void)state;
  crowd one;
  identity_session *session = signed_in();
  service_fault(&server, "{\"path\":\"" REFRESH "\",\"delay_ms\":200}");
  crowd_start(&one, session, 1, identity_session_refresh);
  for (int i = 0; i < 1000 && refreshes(-1) == 0; i++)
    service_pause_ms(2);
  slot_block(path);
  crowd_join(&one);
  assert_int_equal(one.members[0].status, IDENTITY_OK);
  assert_int_equal(not_persisted(session), 1);
  slot_unblock(path);
  identity_session_close(session); /* tries once more */
  session = opened();
  assert_int_equal(identity_session_refresh(session, NULL), IDENTITY_OK);
  assert_int_equal(refreshes(200), 2);
  assert_int_equal(refreshes(-1), 2);
  identity_session_close(session);
}

static void fault_19_a_store_that_cannot_be_written_stops_a_rotation_and_the_jwt_goes_on(void **state) {
  (void)state;
  identity_session *session = signed_in();
  slot_block(path);
  assert_int_equal(identity_session_refresh(session, NULL), IDENTITY_STORE_FAILED);
  assert_int_equal(refreshes(-1), 0);
  assert_int_equal(service_fetch(session, NULL), IDENTITY_OK);
  service_shift_clock(&server, 901);
  assert_int_equal(service_fetch(session, NULL), IDENTITY_STORE_FAILED);
  assert_int_equal(refreshes(-1), 0);
  slot_unblock(path);
  assert_int_equal(service_fetch(session, NULL), IDENTITY_OK);
  assert_int_equal(refreshes(200), 1);
  identity_session_close(session);
}

static void fault_19_a_logout_that_cannot_be_written_says_so_and_is_made_good_later(void **state) {
  (void)state;
  identity_session *session = signed_in();
  slot_block(path);
  assert_int_equal(identity_logout(session, NULL), IDENTITY_STORE_FAILED);
  assert_int_equal(service_state_of(session), IDENTITY_STATE_SIGNED_OUT);
  assert_int_equal(service_fetch(session, NULL), IDENTITY_SIGNED_OUT);
  slot_unblock(path);
  assert_true(slot_has(path, "eyJ"));
  assert_int_equal(service_fetch(session, NULL), IDENTITY_SIGNED_OUT);
  assert_false(slot_has(path, "eyJ"));
  identity_session_close(session);
}

/* ---- damaged ---- */

static void fault_21_a_damaged_file_asks_for_a_login_which_overwrites_it(void **state) {
  (void)state;
  identity_session_close(signed_in());
  slot_damage(path);
  identity_session *session = opened();
  assert_int_equal(service_state_of(session), IDENTITY_STATE_REAUTH_REQUIRED);
  assert_int_equal(service_reason_of(session), IDENTITY_REASON_STORE_LOST);
  assert_int_equal(service_fetch(session, NULL), IDENTITY_SESSION_ENDED);
  assert_int_equal(refreshes(-1), 0);
  assert_int_equal(log_in(session, NULL), IDENTITY_OK);
  assert_int_equal(service_fetch(session, NULL), IDENTITY_OK);
  identity_session_close(session);
  session = opened();
  assert_int_equal(service_state_of(session), IDENTITY_STATE_ACTIVE);
  identity_session_close(session);
}

static void fault_21_a_file_damaged_under_a_session_is_written_anew_with_the_pair_in_memory(void **state) {
  (void)state;
  identity_session *session = signed_in();
  slot_damage(path);
  service_shift_clock(&server, 901);
  assert_int_equal(service_fetch(session, NULL), IDENTITY_OK);
  assert_int_equal(refreshes(200), 1);
  identity_session_close(session);
  session = opened();
  assert_int_equal(service_state_of(session), IDENTITY_STATE_ACTIVE);
  assert_int_equal(identity_session_refresh(session, NULL), IDENTITY_OK);
  assert_int_equal(refreshes(200), 2);
  identity_session_close(session);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test_setup(fault_20_a_store_that_is_locked_at_open_says_neither_in_nor_out, reset),
    cmocka_unit_test_setup(fault_20_a_store_that_is_locked_later_stops_a_rotation_before_it_is_sent, reset),
    cmocka_unit_test_setup(fault_20_a_lock_that_goes_within_a_second_is_waited_for, reset),
    cmocka_unit_test_setup(fault_20_waiting_for_a_lock_ends_with_the_calls_time, reset),
    cmocka_unit_test_setup(fault_20_a_logout_while_the_store_is_locked_is_made_good_later, reset),
    cmocka_unit_test_setup(fault_20_close_tries_the_logout_again_too, reset),
    cmocka_unit_test_setup(fault_20_a_logout_of_a_session_that_could_not_be_read_is_made_good_later, reset),
    cmocka_unit_test_setup(fault_19_a_login_without_a_store_to_write_is_refused_before_it_is_sent, reset),
    cmocka_unit_test_setup(fault_19_volatile_tokens_live_in_memory_until_the_store_is_back, reset),
    cmocka_unit_test_setup(fault_19_a_store_that_fails_after_the_answer_does_not_cost_the_login, reset),
    cmocka_unit_test_setup(fault_19_a_rotated_pair_survives_a_store_that_fails_under_it, reset),
    cmocka_unit_test_setup(fault_19_a_store_that_cannot_be_written_stops_a_rotation_and_the_jwt_goes_on,
                           reset),
    cmocka_unit_test_setup(fault_19_a_logout_that_cannot_be_written_says_so_and_is_made_good_later, reset),
    cmocka_unit_test_setup(fault_21_a_damaged_file_asks_for_a_login_which_overwrites_it, reset),
    cmocka_unit_test_setup(fault_21_a_file_damaged_under_a_session_is_written_anew_with_the_pair_in_memory,
                           reset),
};

SUITE_WITH("faults: the store", tests, start, stop)
