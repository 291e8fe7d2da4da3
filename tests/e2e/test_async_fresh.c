/* The refresh in the background of a shared loop: at the soft moment of the JWT (between 0.55 and 0.85 of its
 * life), without a caller who waits, and only for a session that is used. */
#include "support/host_clock.h"
#include "support/judge.h"
#include "support/news.h"
#include "support/rotation.h"
#include "support/stage.h"
#include "support/twins.h"

#include <poll.h>

enum { BEFORE_MS = 490000, AFTER_MS = 780000, OVER_MS = 901000 };

static aloop shared;
static host_clock device;

static identity_config *config_of_the_device(int32_t keep_fresh) {
  identity_config *config = service_config(&server);
  assert_int_equal(identity_config_set_clock(config, &device.clock), IDENTITY_OK);
  assert_int_equal(identity_config_set_keep_fresh(config, keep_fresh), IDENTITY_OK);
  return config;
}

static int begin(void **state) {
  (void)reset(state);
  twins_register(&server);
  host_clock_start(&device, NULL, 3600000);
  aloop_start(&shared, config_of_the_device(0), DRIVE_TICK);
  return 0;
}

static int end(void **state) {
  (void)state;
  aloop_stop(&shared);
  return 0;
}

static identity_session *open_viewer(int32_t keep_fresh) {
  identity_session *session = aloop_open_with(&shared, config_of_the_device(keep_fresh), "viewer");
  twins_log_in(&shared, session);
  return session;
}

static void sleep_ms(int ms) {
  host_clock_sleep(&device, ms);
  service_shift_clock(&server, (int)(atomic_load(&device.wall_ahead_ms) / 1000));
}

static void fetch(identity_session *session) {
  assert_int_equal(twin_run(&shared, TWIN_CUSTOMER, session, NULL), IDENTITY_OK);
}

/* So many refreshes have come in, and no more of them are on the way. */
static void expect_refreshes(int count) {
  if (count > 0)
    aloop_until_sent(&shared, &server, "POST", ROTATION_PATH, count);
  aloop_turn_for(&shared, 60);
  assert_int_equal(rotation_count(&server, -1), count);
}

static void a_jwt_in_use_is_replaced_at_its_soft_moment_while_nobody_waits(void **state) {
  (void)state;
  identity_session *session = open_viewer(0);
  fetch(session);
  sleep_ms(BEFORE_MS);
  expect_refreshes(0);
  sleep_ms(AFTER_MS - BEFORE_MS);
  assert_int_equal(identity_loop_pending(shared.loop), 0);
  expect_refreshes(1);
  assert_int_equal(identity_loop_pending(shared.loop), 0); /* it is nobody's call */
  aloop_until_state(&shared, session, IDENTITY_STATE_ACTIVE);
  sleep_ms(OVER_MS - AFTER_MS);
  fetch(session); /* with the new one */
  assert_int_equal(rotation_count(&server, -1), 1);
  assert_int_equal(service_count(&server, "GET", "/customers/*", 401), 0);
  identity_session_close(session);
}

static void it_is_refreshed_life_after_life_as_long_as_somebody_asks_and_then_no_more(void **state) {
  (void)state;
  identity_session *session = open_viewer(0);
  for (int life = 1; life <= 3; life++) {
    fetch(session);
    sleep_ms(AFTER_MS);
    expect_refreshes(life);
    aloop_until_state(&shared, session, IDENTITY_STATE_ACTIVE);
  }
  sleep_ms(AFTER_MS); /* nobody has asked since the third refresh */
  expect_refreshes(3);
  sleep_ms(OVER_MS);
  expect_refreshes(3);
  fetch(session); /* in line, as without a loop */
  assert_int_equal(rotation_count(&server, -1), 4);
  identity_session_close(session);
}

static void a_session_that_is_kept_fresh_is_refreshed_though_nobody_asks(void **state) {
  (void)state;
  identity_session *session = open_viewer(1);
  for (int life = 1; life <= 4; life++) {
    sleep_ms(AFTER_MS);
    expect_refreshes(life);
    aloop_until_state(&shared, session, IDENTITY_STATE_ACTIVE);
  }
  judged found = judge_refreshes(&server);
  assert_int_equal(found.rotated, 4);
  assert_int_equal(found.repeated, 0);
  identity_session_close(session);
}

static void a_call_does_not_wait_for_a_refresh_in_the_background(void **state) {
  (void)state;
  identity_session *session = open_viewer(0);
  fetch(session);
  rotation_fault(&server, "\"hang\":true");
  sleep_ms(AFTER_MS);
  aloop_until_sent(&shared, &server, "POST", ROTATION_PATH, 1);
  fetch(session); /* with the old JWT, which still lives */
  assert_int_equal(service_state_of(session), IDENTITY_STATE_REFRESHING);
  rotation_release(&server);
  aloop_until_state(&shared, session, IDENTITY_STATE_ACTIVE);
  expect_refreshes(1);
  identity_session_close(session);
}

static void
a_refresh_in_the_background_that_fails_is_tried_again_and_nobody_is_told_but_by_events(void **state) {
  (void)state;
  identity_session *session = open_viewer(0);
  news paper = {.session = session};
  fetch(session);
  news_skip(&paper);
  rotation_fault(&server, "\"status\":502,\"body\":\"<html>\"");
  sleep_ms(AFTER_MS);
  aloop_until_state(&shared, session, IDENTITY_STATE_STALE);
  fetch(session); /* the JWT still lives */
  assert_int_equal(rotation_count(&server, -1), 1);
  sleep_ms((int)service_wait_of(session) + 15000); /* a failure in the background may wait longer */
  expect_refreshes(2);
  aloop_until_state(&shared, session, IDENTITY_STATE_ACTIVE);
  fetch(session);
  identity_session_close(session);
}

static void who_signed_out_or_never_signed_in_is_not_refreshed(void **state) {
  (void)state;
  identity_session *session = open_viewer(1);
  identity_session *nobody = aloop_open_with(&shared, config_of_the_device(1), "nobody");
  fetch(session);
  assert_int_equal(twin_run(&shared, TWIN_LOGOUT, session, NULL), IDENTITY_OK);
  sleep_ms(AFTER_MS);
  expect_refreshes(0);
  sleep_ms(OVER_MS);
  expect_refreshes(0);
  identity_session_close(nobody);
  identity_session_close(session);
}

static identity_session *open_stored(void) {
  char directory[128];
  identity_config *config = config_of_the_device(1);
  snprintf(directory, sizeof directory, "%s/store", server.directory);
  assert_int_equal(identity_config_set_file_store(config, directory), IDENTITY_OK);
  return aloop_open_with(&shared, config, "viewer");
}

/* Whoever waits for the descriptor alone hears of a session that was opened past its soft moment. */
static void opening_a_session_past_its_soft_moment_wakes_who_waits(void **state) {
  (void)state;
  identity_session *first = open_stored();
  twins_log_in(&shared, first);
  identity_session_close(first);
  aloop_settle(&shared);
  sleep_ms(AFTER_MS);
  shared.drive = DRIVE_FD;
  struct pollfd one = {identity_loop_fd(shared.loop), POLLIN, 0};
  aloop_settle(&shared);
  assert_int_equal(poll(&one, 1, 0), 0);
  identity_session *session = open_stored();
  assert_int_equal(poll(&one, 1, 0), 1);
  expect_refreshes(1);
  aloop_until_state(&shared, session, IDENTITY_STATE_ACTIVE);
  identity_session_close(session);
}

static void a_session_without_a_loop_is_not_refreshed_in_the_background(void **state) {
  (void)state;
  identity_session *session = service_open_with(config_of_the_device(1), "viewer");
  assert_int_equal(service_login(session, TWIN_MAIL, TEST_PASSWORD, NULL), IDENTITY_OK);
  sleep_ms(AFTER_MS);
  assert_int_equal(service_fetch(session, NULL), IDENTITY_OK); /* inside the hard margin's life */
  assert_int_equal(rotation_count(&server, -1), 0);
  identity_session_close(session);
}

/* ---- by the system's clock ---- */

/* The timer that a host is told of covers the soft moment: it does nothing but wait for it. */
static void a_host_that_sleeps_until_its_timer_is_woken_for_the_refresh(void **state) {
  (void)state;
  for (int drive = DRIVE_FD; drive <= DRIVE_HOST; drive++) {
    aloop own;
    service_reset(&server);
    twins_register(&server);
    service_issue_short_jwt(&server, "/auths");
    aloop_start(&own, service_config(&server), drive);
    identity_session *session = twins_viewer(&own, &server, "viewer");
    note ended = {0};
    twin_start(TWIN_CUSTOMER, session, &ended);
    aloop_until(&own, &ended, 1);
    note_clear(&ended);
    int turns = own.turns;
    aloop_doze_until_sent(&own, &server, "POST", ROTATION_PATH, 1);
    assert_true(own.turns - turns < 40); /* it was not polled for */
    aloop_until_state(&own, session, IDENTITY_STATE_ACTIVE);
    identity_session_close(session);
    aloop_stop(&own);
  }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

static const struct CMUnitTest tests[] = {
    TEST(a_jwt_in_use_is_replaced_at_its_soft_moment_while_nobody_waits),
    TEST(it_is_refreshed_life_after_life_as_long_as_somebody_asks_and_then_no_more),
    TEST(a_session_that_is_kept_fresh_is_refreshed_though_nobody_asks),
    TEST(a_call_does_not_wait_for_a_refresh_in_the_background),
    TEST(a_refresh_in_the_background_that_fails_is_tried_again_and_nobody_is_told_but_by_events),
    TEST(who_signed_out_or_never_signed_in_is_not_refreshed),
    TEST(opening_a_session_past_its_soft_moment_wakes_who_waits),
    TEST(a_session_without_a_loop_is_not_refreshed_in_the_background),
    TEST(a_host_that_sleeps_until_its_timer_is_woken_for_the_refresh),
};

SUITE_WITH("async_fresh", tests, start, stop)
