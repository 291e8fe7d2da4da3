/* Fault 16. A session is closed, or its calls interrupted, at random moments of whatever it is doing. */
#include "support/crowd.h"
#include "support/judge.h"
#include "support/stage.h"

#define MAIL "jo@example.com"
#define REFRESH "/auths/refresh_token"

/* The moments lie before, in and after what the calls take: the service answers within LONGEST_MS, which
 * close grants a refresh that is out. */
enum { MOMENTS = 100, FIRST_MS = 30, LAST_MS = 500, LONGEST_MS = 400, CLOSE_MS = 1000, CALLERS = 4 };

static crowd callers[2];
static unsigned seed;

static int random_below(int bound) {
  return (int)((unsigned)rand_r(&seed) % (unsigned)bound);
}

/* IDENTITY_TEST_SEED repeats a run. */
static void choose_seed(void) {
  const char *given = getenv("IDENTITY_TEST_SEED");
  seed = given != NULL ? (unsigned)strtoul(given, NULL, 10) : (unsigned)service_now_ms();
  printf("          IDENTITY_TEST_SEED=%u\n", seed);
}

static int reset_with_customer(void **state) {
  (void)reset(state);
  identity_session *session = service_open(&server, "setup");
  service_register(session, MAIL);
  identity_session_close(session);
  return 0;
}

static void be_slow(void) {
  char json[200];
  service_clear_faults(&server);
  snprintf(json, sizeof json,
           "[{\"path\":\"" REFRESH
           "\",\"delay_ms\":%d},{\"path\":\"/customers/*\",\"times\":-1,\"delay_ms\":%d}]",
           1 + random_below(LONGEST_MS), 1 + random_below(LONGEST_MS));
  service_fault(&server, json);
}

static void ended_well(const crowd *people, int round) {
  for (int i = 0; i < people->count; i++) {
    identity_status status = people->members[i].status;
    if (status != IDENTITY_OK && status != IDENTITY_CANCELLED)
      fail_msg("round %d: a call ended with %s", round, identity_status_name(status));
  }
}

/* Calls begin before the moment, and end in it or before it. */
static int close_in(identity_session *session, int round, bool interrupted) {
  be_slow();
  crowd_start(&callers[0], session, CALLERS, service_fetch);
  crowd_start(&callers[1], session, 1, identity_session_refresh);
  service_pause_ms(FIRST_MS + random_below(LAST_MS - FIRST_MS));
  int64_t begun = service_now_ms();
  if (interrupted) {
    identity_session_interrupt(session);
    crowd_join(&callers[0]);
    crowd_join(&callers[1]);
    assert_true(service_now_ms() - begun < CLOSE_MS + judge_slack_ms());
    begun = service_now_ms();
  }
  identity_session_close(session);
  int took = (int)(service_now_ms() - begun);
  if (took > CLOSE_MS + judge_slack_ms())
    fail_msg("round %d: close took %d ms", round, took);
  if (!interrupted) {
    crowd_join(&callers[0]);
    crowd_join(&callers[1]);
  }
  ended_well(&callers[0], round);
  ended_well(&callers[1], round);
  service_clear_faults(&server);
  return took;
}

static void close_at_random_moments(bool interrupted) {
  int longest = 0, cancelled = 0;
  choose_seed();
  identity_session *session = service_open_stored(&server, "viewer", "closing");
  assert_int_equal(service_login(session, MAIL, TEST_PASSWORD, NULL), IDENTITY_OK);
  for (int round = 0; round < MOMENTS; round++) {
    int took = close_in(session, round, interrupted);
    longest = took > longest ? took : longest;
    cancelled += crowd_count(&callers[1], IDENTITY_CANCELLED);
    session = service_open_stored(&server, "viewer", "closing");
    if (service_state_of(session) != IDENTITY_STATE_ACTIVE)
      fail_msg("round %d: the state is %d, reason %d", round, (int)service_state_of(session),
               (int)service_reason_of(session));
    assert_int_equal(service_fetch(session, NULL), IDENTITY_OK);
  }
  assert_int_equal(identity_session_refresh(session, NULL), IDENTITY_OK);
  identity_session_close(session);
  judged seen = judge_refreshes(&server);
  printf(
      "          %d closed, %d while a refresh was out; the longest took %d ms; %d refreshes, %d refused\n",
      MOMENTS, cancelled, longest, seen.sent, seen.refused);
  assert_int_equal(seen.refused, 0);
  assert_int_equal(seen.repeated, 0);
  assert_true(cancelled > 0 && cancelled < MOMENTS); /* the moments lie on both sides of the answer */
}

static void fault_16_close_at_a_hundred_random_moments_loses_nobody(void **state) {
  (void)state;
  close_at_random_moments(false);
}

static void fault_16_interrupt_and_close_at_a_hundred_random_moments_loses_nobody(void **state) {
  (void)state;
  close_at_random_moments(true);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test_setup(fault_16_close_at_a_hundred_random_moments_loses_nobody, reset_with_customer),
    cmocka_unit_test_setup(fault_16_interrupt_and_close_at_a_hundred_random_moments_loses_nobody,
                           reset_with_customer),
};

SUITE_WITH("slow faults: close", tests, start, stop)
