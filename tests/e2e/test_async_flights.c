/* A refresh that is out when its session is closed, or its loop freed: the loop finishes it, and what came of
 * it is stored before anybody opens the slot again. */
#include "support/judge.h"
#include "support/rotation.h"
#include "support/stage.h"
#include "support/twins.h"

static aloop shared;

static int begin(void **state) {
  (void)reset(state);
  twins_register(&server);
  aloop_start(&shared, service_config(&server), DRIVE_TICK);
  return 0;
}

static int end(void **state) {
  (void)state;
  aloop_stop(&shared);
  return 0;
}

static identity_config *stored_config(void) {
  char directory[128];
  identity_config *config = service_config(&server);
  snprintf(directory, sizeof directory, "%s/store", server.directory);
  assert_int_equal(identity_config_set_file_store(config, directory), IDENTITY_OK);
  return config;
}

/* Signed in, with a refresh that the service holds back or answers late. */
static identity_session *open_refreshing(const char *account, const char *fault, note *ended) {
  identity_session *session = aloop_open_with(&shared, stored_config(), account);
  twins_log_in(&shared, session);
  int before = rotation_count(&server, -1);
  rotation_fault(&server, fault);
  twin_start(TWIN_REFRESH, session, ended);
  aloop_until_sent(&shared, &server, "POST", ROTATION_PATH, before + 1);
  return session;
}

/* Without the loop: the slot has a pair that the service takes, and nobody had to ask for it again. */
static void reopened_with_the_new_pair(const char *account, int refreshes) {
  identity_session *session = service_open_with(stored_config(), account);
  assert_int_equal(service_state_of(session), IDENTITY_STATE_ACTIVE);
  assert_int_equal(service_fetch(session, NULL), IDENTITY_OK);
  assert_int_equal(rotation_count(&server, -1), refreshes);
  assert_int_equal(identity_session_refresh(session, NULL), IDENTITY_OK); /* it is not the used token */
  judged found = judge_refreshes(&server);
  assert_int_equal(found.repeated, 0);
  assert_int_equal(found.refused, 0);
  identity_session_close(session);
}

static void the_loop_finishes_and_stores_the_refresh_of_a_closed_session(void **state) {
  (void)state;
  note ended = {0};
  identity_session *session = open_refreshing("closed", "\"hang\":true,\"after\":true", &ended);
  identity_session_close(session);
  aloop_turn(&shared);
  note_is(&ended, IDENTITY_CANCELLED);
  aloop_turn_for(&shared, 20);
  rotation_release(&server);
  aloop_turn_for(&shared, 150);
  reopened_with_the_new_pair("closed", 1);
  note_clear(&ended);
}

static void freeing_the_loop_gives_a_sent_refresh_time_to_be_stored(void **state) {
  (void)state;
  note ended = {0};
  identity_session *session = open_refreshing("freed", "\"delay_ms\":200", &ended);
  aloop_stop(&shared);
  note_is(&ended, ended.status);
  identity_session_close(session);
  reopened_with_the_new_pair("freed", 1);
  note_clear(&ended);
  aloop_start(&shared, service_config(&server), DRIVE_TICK);
}

static void freeing_the_loop_gives_the_refresh_of_a_closed_session_time_as_well(void **state) {
  (void)state;
  note ended = {0};
  identity_session *session = open_refreshing("both", "\"delay_ms\":200", &ended);
  identity_session_close(session);
  aloop_stop(&shared);
  note_is(&ended, IDENTITY_CANCELLED);
  reopened_with_the_new_pair("both", 1);
  note_clear(&ended);
  aloop_start(&shared, service_config(&server), DRIVE_TICK);
}

/* It gets about a second, however many there are. */
static void freeing_the_loop_ends_within_a_second_whatever_the_service_does(void **state) {
  (void)state;
  enum { STALLED = 4 };
  note ended[STALLED] = {0};
  identity_session *sessions[STALLED];
  for (int i = 0; i < STALLED; i++) {
    char account[32];
    snprintf(account, sizeof account, "stalled-%d", i);
    sessions[i] = open_refreshing(account, "\"hang\":true", &ended[i]);
  }
  identity_session_close(sessions[0]);
  int64_t begun = service_now_ms();
  aloop_stop(&shared);
  assert_true(service_now_ms() - begun < 1000 + judge_slack_ms());
  assert_int_equal(notes_with(ended, STALLED, IDENTITY_CANCELLED), STALLED);
  for (int i = 1; i < STALLED; i++)
    identity_session_close(sessions[i]);
  notes_clear(ended, STALLED);
  aloop_start(&shared, service_config(&server), DRIVE_TICK);
}

/* What it starts now it could only break off, and nobody would know which token the service goes by. */
static void a_loop_that_ends_starts_no_refresh(void **state) {
  (void)state;
  note ended = {0};
  identity_session *slow = open_refreshing("slow", "\"delay_ms\":980,\"after\":true", &ended);
  identity_config *config = stored_config();
  assert_int_equal(identity_config_set_keep_fresh(config, 1), IDENTITY_OK);
  identity_session *fresh = aloop_open_with(&shared, config, "fresh");
  service_issue_short_jwt(&server, "/auths");
  twins_log_in(&shared, fresh);
  aloop_stop(&shared); /* the soft moment comes in there */
  note_is(&ended, IDENTITY_CANCELLED);
  assert_int_equal(rotation_count(&server, -1), 1);
  identity_session_close(slow);
  identity_session_close(fresh);
  note_clear(&ended);
  aloop_start(&shared, service_config(&server), DRIVE_TICK);
}

/* The viewer comes back while the refresh of before is still out: the new handle waits for it. */
static void a_slot_that_is_opened_again_on_the_loop_takes_the_pair_of_the_old_handles_refresh(void **state) {
  (void)state;
  note ended = {0}, again = {0};
  identity_session *session = open_refreshing("again", "\"hang\":true,\"after\":true", &ended);
  identity_session_close(session);
  identity_session *second = aloop_open_with(&shared, stored_config(), "again");
  twin_start(TWIN_REFRESH, second, &again);
  aloop_turn_for(&shared, 50);
  note_is(&ended, IDENTITY_CANCELLED);
  note_is_open(&again);
  assert_int_equal(rotation_count(&server, -1), 1);
  rotation_release(&server);
  aloop_until(&shared, &again, 1);
  note_is(&again, IDENTITY_OK);
  judged found = judge_refreshes(&server);
  assert_int_equal(found.repeated, 0);
  assert_int_equal(found.refused, 0);
  assert_int_equal(service_state_of(second), IDENTITY_STATE_ACTIVE);
  identity_session_close(second);
  note_clear(&ended);
  note_clear(&again);
}

static void a_sign_out_during_a_refresh_wins_and_the_close_after_it_too(void **state) {
  (void)state;
  note ended = {0}, out = {0};
  identity_session *session = open_refreshing("out", "\"hang\":true,\"after\":true", &ended);
  twin_start(TWIN_LOGOUT, session, &out);
  aloop_until(&shared, &out, 1);
  note_is(&out, IDENTITY_OK);
  aloop_until(&shared, &ended, 1);
  note_is(&ended, IDENTITY_SIGNED_OUT);
  identity_session_close(session);
  rotation_release(&server);
  aloop_turn_for(&shared, 50);
  session = service_open_with(stored_config(), "out");
  assert_int_equal(service_state_of(session), IDENTITY_STATE_SIGNED_OUT);
  identity_session_close(session);
  note_clear(&ended);
  note_clear(&out);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

static const struct CMUnitTest tests[] = {
    TEST(the_loop_finishes_and_stores_the_refresh_of_a_closed_session),
    TEST(freeing_the_loop_gives_a_sent_refresh_time_to_be_stored),
    TEST(freeing_the_loop_gives_the_refresh_of_a_closed_session_time_as_well),
    TEST(a_loop_that_ends_starts_no_refresh),
    TEST(freeing_the_loop_ends_within_a_second_whatever_the_service_does),
    TEST(a_slot_that_is_opened_again_on_the_loop_takes_the_pair_of_the_old_handles_refresh),
    TEST(a_sign_out_during_a_refresh_wins_and_the_close_after_it_too),
};

SUITE_WITH("async_flights", tests, start, stop)
