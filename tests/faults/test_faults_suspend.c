/* Fault 23. The device sleeps for eight hours: idle, in the middle of a call, with a refresh in flight,
 * during a cooldown. Both of its clocks have gone on; no timer has. */
#include "support/crowd.h"
#include "support/host_clock.h"
#include "support/judge.h"
#include "support/rotation.h"
#include "support/stage.h"
#include "support/vault.h"

#define MAIL "jo@example.com"

#define MINUTE (INT64_C(60) * 1000)
#define NIGHT (480 * MINUTE)

enum { NIGHT_S = 8 * 3600, PATIENCE_MS = 30000, SHORT_MS = 300, SOON_MS = 2000 };

static host_clock hands;
static vault safe;

static int begin(void **state) {
  host_clock_start(&hands, "boot-1", 60 * MINUTE);
  vault_start(&safe, 0);
  return reset(state);
}

static int end(void **state) {
  (void)state;
  vault_stop(&safe);
  return 0;
}

static identity_session *opened(uint32_t timeout_ms) {
  identity_config *config = vault_config(&safe, &server);
  assert_int_equal(identity_config_set_timeout_ms(config, timeout_ms), IDENTITY_OK);
  assert_int_equal(identity_config_set_clock(config, &hands.clock), IDENTITY_OK);
  return service_open_with(config, "viewer");
}

static identity_session *signed_in(uint32_t timeout_ms) {
  identity_session *session = opened(timeout_ms);
  service_register(session, MAIL);
  return session;
}

static void sleep_for_a_night(void) {
  host_clock_sleep(&hands, NIGHT);
  service_shift_clock(&server, NIGHT_S);
}

static int rejected(void) {
  return service_count(&server, "GET", "/customers/*", 401);
}

static void is_active(identity_session *session) {
  assert_int_equal(service_fetch(session, NULL), IDENTITY_OK);
  assert_int_equal(service_state_of(session), IDENTITY_STATE_ACTIVE);
}

static void has_refreshed(int sent, int rotated, int repeated) {
  judged seen = judge_refreshes(&server);
  assert_int_equal(seen.sent, sent);
  assert_int_equal(seen.rotated, rotated);
  assert_int_equal(seen.repeated, repeated);
  assert_int_equal(seen.twice, 0);
}

/* ---- nothing runs ---- */

static void fault_23_a_call_after_the_night_refreshes_first(void **state) {
  (void)state;
  identity_session *session = signed_in(PATIENCE_MS);
  for (int night = 1; night <= 3; night++) {
    sleep_for_a_night();
    service_shift_clock(&server, night * NIGHT_S);
    is_active(session);
    has_refreshed(night, night, 0);
  }
  assert_int_equal(rejected(), 0);
  identity_session_close(session);
}

static void fault_23_the_jwt_after_the_night_is_a_new_one(void **state) {
  (void)state;
  const identity_tokens *tokens = NULL;
  identity_session *session = signed_in(PATIENCE_MS);
  sleep_for_a_night();
  assert_int_equal(identity_session_tokens(session, 0, &tokens, NULL), IDENTITY_OK);
  assert_true(tokens->remaining_ms > 14 * MINUTE);
  identity_tokens_free(tokens);
  assert_int_equal(crowd_successes(session, 32, service_fetch), 32);
  has_refreshed(1, 1, 0);
  assert_int_equal(rejected(), 0);
  identity_session_close(session);
}

static void fault_23_a_nap_within_the_life_of_the_jwt_costs_nothing(void **state) {
  (void)state;
  identity_session *session = signed_in(PATIENCE_MS);
  for (int nap = 1; nap <= 7; nap++) {
    host_clock_sleep(&hands, 2 * MINUTE);
    service_shift_clock(&server, nap * 120);
    is_active(session);
  }
  has_refreshed(0, 0, 0);
  identity_session_close(session);
}

/* A refresh failed in the evening; in the morning its cooldown is over, too. */
static void fault_23_a_cooldown_ends_in_its_sleep(void **state) {
  (void)state;
  identity_session *session = signed_in(PATIENCE_MS);
  rotation_fault(&server, "\"status\":429,\"headers\":{\"Retry-After\":\"3600\"}");
  assert_int_not_equal(identity_session_refresh(session, NULL), IDENTITY_OK);
  assert_true(service_wait_of(session) > 59 * MINUTE);
  assert_int_equal(identity_session_refresh(session, NULL), IDENTITY_REFRESH_DEFERRED);
  sleep_for_a_night();
  is_active(session);
  has_refreshed(2, 1, 1);
  identity_session_close(session);
}

/* ---- in the middle of a call ---- */

static void fault_23_a_call_that_waited_all_night_ends_soon(void **state) {
  (void)state;
  crowd people;
  identity_session *session = signed_in(PATIENCE_MS);
  service_fault(&server, "{\"method\":\"GET\",\"hang\":true,\"times\":-1}");
  crowd_start(&people, session, 8, service_fetch);
  rotation_await_request(&server, "GET", "/customers/*", 8);
  int64_t begun = service_now_ms();
  sleep_for_a_night();
  crowd_join(&people);
  assert_in_range(service_now_ms() - begun, 0, SOON_MS + judge_slack_ms());
  assert_int_equal(crowd_count(&people, IDENTITY_TIMED_OUT), 8);
  assert_int_equal(service_state_of(session), IDENTITY_STATE_ACTIVE);
  service_clear_faults(&server);
  is_active(session);
  has_refreshed(1, 1, 0);
  identity_session_close(session);
}

/* A short sleep, within the time-out of the call: it goes on. */
static void fault_23_a_call_survives_a_nap(void **state) {
  (void)state;
  crowd one;
  identity_session *session = signed_in(PATIENCE_MS);
  service_fault(&server, "{\"method\":\"GET\",\"hang\":true}");
  crowd_start(&one, session, 1, service_fetch);
  rotation_await_request(&server, "GET", "/customers/*", 1);
  host_clock_sleep(&hands, PATIENCE_MS / 2);
  service_pause_ms(300);
  rotation_release(&server);
  crowd_join(&one);
  assert_int_equal(one.members[0].status, IDENTITY_OK);
  identity_session_close(session);
}

/* ---- with a refresh in flight ---- */

/* Its caller has gone, and nobody drives: the request is out. */
static identity_session *with_a_refresh_in_flight(const char *fault) {
  identity_session *session = signed_in(SHORT_MS);
  rotation_fault(&server, fault);
  assert_int_equal(identity_session_refresh(session, NULL), IDENTITY_TIMED_OUT);
  assert_int_equal(service_state_of(session), IDENTITY_STATE_REFRESHING);
  return session;
}

/* Lets the service answer, and waits until that is in the socket. */
static void answer_now(void) {
  rotation_release(&server);
  for (int i = 0; i < 2000 && rotation_count(&server, 200) == 0; i++)
    service_pause_ms(2);
  assert_int_equal(rotation_count(&server, 200), 1);
  service_pause_ms(20);
}

static void fault_23_a_pair_in_the_socket_is_read_before_a_time_out_is_judged(void **state) {
  (void)state;
  /* Longer than a refresh may take, and than its lease; shorter than the life of its JWT. */
  identity_session *session = with_a_refresh_in_flight("\"hang\":true");
  answer_now();
  host_clock_sleep(&hands, 2 * MINUTE);
  service_shift_clock(&server, 120);
  is_active(session);
  assert_int_equal(identity_session_refresh(session, NULL), IDENTITY_OK);
  has_refreshed(2, 2, 0);
  identity_session_close(session);
  session = opened(PATIENCE_MS);
  is_active(session);
  identity_session_close(session);
}

static void fault_23_a_pair_in_the_socket_answers_who_asks_for_a_rotation(void **state) {
  (void)state;
  identity_session *session = with_a_refresh_in_flight("\"hang\":true");
  answer_now();
  sleep_for_a_night();
  assert_int_equal(identity_session_refresh(session, NULL), IDENTITY_OK);
  has_refreshed(1, 1, 0);
  is_active(session); /* the JWT of last night is over: its refresh token brings another */
  has_refreshed(2, 2, 0);
  assert_int_equal(rejected(), 0);
  identity_session_close(session);
}

static void fault_23_a_pair_in_the_socket_survives_a_close_in_the_morning(void **state) {
  (void)state;
  identity_session *session = with_a_refresh_in_flight("\"hang\":true");
  answer_now();
  sleep_for_a_night();
  identity_session_close(session);
  session = opened(PATIENCE_MS);
  is_active(session);
  has_refreshed(2, 2, 0);
  identity_session_close(session);
}

/* The connection died in the night. The service never took the token: it is still good. */
static void fault_23_a_refresh_without_an_answer_is_sent_again_in_the_morning(void **state) {
  (void)state;
  identity_session *session = with_a_refresh_in_flight("\"hang\":true");
  sleep_for_a_night();
  identity_error error;
  int64_t begun = service_now_ms();
  assert_int_not_equal(service_fetch(session, &error), IDENTITY_OK);
  assert_int_equal(identity_status_class(error.status), IDENTITY_CLASS_RETRY_LATER);
  assert_in_range(service_now_ms() - begun, 0, SOON_MS + judge_slack_ms());
  assert_int_equal(service_state_of(session), IDENTITY_STATE_STALE);
  host_clock_sleep(&hands, service_wait_of(session) + 5);
  is_active(session);
  has_refreshed(2, 1, 1);
  identity_session_close(session);
}

/* It took the token, and a grace period outlasts the night. */
static void fault_23_a_pair_that_is_lost_in_the_night_is_given_again_within_a_grace_period(void **state) {
  (void)state;
  identity_session *session = signed_in(SHORT_MS);
  service_send(&server, "PUT", "settings", "{\"grace\":86400}");
  rotation_fault(&server, "\"hang\":true,\"after\":true");
  assert_int_equal(identity_session_refresh(session, NULL), IDENTITY_TIMED_OUT);
  sleep_for_a_night();
  assert_int_not_equal(service_fetch(session, NULL), IDENTITY_OK);
  host_clock_sleep(&hands, service_wait_of(session) + 5);
  is_active(session);
  judged seen = judge_refreshes(&server);
  assert_int_equal(seen.sent, 2);
  assert_int_equal(seen.refused, 0);
  identity_session_close(session);
}

/* A caller that waited for the refresh when the device fell asleep. */
static void fault_23_who_waits_for_a_refresh_is_let_go_soon(void **state) {
  (void)state;
  crowd people;
  identity_session *session = signed_in(PATIENCE_MS);
  rotation_fault(&server, "\"hang\":true");
  crowd_start(&people, session, 8, identity_session_refresh);
  rotation_await(&server, 1);
  int64_t begun = service_now_ms();
  sleep_for_a_night();
  crowd_join(&people);
  assert_in_range(service_now_ms() - begun, 0, SOON_MS + judge_slack_ms());
  assert_int_equal(crowd_count(&people, IDENTITY_OK), 0);
  for (int i = 0; i < people.count; i++)
    assert_int_equal(identity_status_class(people.members[i].status), IDENTITY_CLASS_RETRY_LATER);
  if (service_state_of(session) == IDENTITY_STATE_STALE)
    host_clock_sleep(&hands, service_wait_of(session) + 5);
  is_active(session);
  has_refreshed(2, 1, 1);
  identity_session_close(session);
}

/* The lease of another handle is over in the morning. */
static void fault_23_a_handle_that_waited_for_the_lease_of_another_goes_on(void **state) {
  (void)state;
  crowd one;
  identity_session *first = with_a_refresh_in_flight("\"hang\":true");
  identity_session *second = opened(10 * PATIENCE_MS);
  crowd_start(&one, second, 1, identity_session_refresh);
  service_pause_ms(300);
  has_refreshed(1, 0, 0);
  host_clock_sleep(&hands, 20 * 1000);
  service_pause_ms(600); /* its lease takes longer than that */
  has_refreshed(1, 0, 0);
  host_clock_sleep(&hands, MINUTE);
  crowd_join(&one);
  has_refreshed(2, 1, 1);
  assert_int_equal(one.members[0].status, IDENTITY_OK);
  identity_session_close(second);
  identity_session_close(first);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

static const struct CMUnitTest tests[] = {
    TEST(fault_23_a_call_after_the_night_refreshes_first),
    TEST(fault_23_the_jwt_after_the_night_is_a_new_one),
    TEST(fault_23_a_nap_within_the_life_of_the_jwt_costs_nothing),
    TEST(fault_23_a_cooldown_ends_in_its_sleep),
    TEST(fault_23_a_call_that_waited_all_night_ends_soon),
    TEST(fault_23_a_call_survives_a_nap),
    TEST(fault_23_a_pair_in_the_socket_is_read_before_a_time_out_is_judged),
    TEST(fault_23_a_pair_in_the_socket_answers_who_asks_for_a_rotation),
    TEST(fault_23_a_pair_in_the_socket_survives_a_close_in_the_morning),
    TEST(fault_23_a_refresh_without_an_answer_is_sent_again_in_the_morning),
    TEST(fault_23_a_pair_that_is_lost_in_the_night_is_given_again_within_a_grace_period),
    TEST(fault_23_who_waits_for_a_refresh_is_let_go_soon),
    TEST(fault_23_a_handle_that_waited_for_the_lease_of_another_goes_on),
};

SUITE_WITH("faults: suspend", tests, start, stop)
