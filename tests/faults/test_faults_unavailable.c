/* Faults 6 and 7: a service that is down or wants less, in every form that it or a gateway may give to that.
 * The viewer stays signed in, and the next try waits. */
#include "support/host_clock.h"
#include "support/rotation.h"
#include "support/stage.h"

#define MAIL "jo@example.com"

enum { SECOND = 1000, MINUTE = 60 * SECOND, HOUR = 60 * MINUTE };

/* How long it waits that can do without: its JWT is good. */
#define SOON 1, 2001
#define A_WHILE 200 * SECOND - 2000, 400 * SECOND

static host_clock hands;

static int fetches(void) {
  return service_count(&server, "GET", "/customers/*", -1);
}

/* The customer, and a session of its own for each row. */
static identity_session *logged_in(int row) {
  char account[32];
  snprintf(account, sizeof account, "viewer%d", row);
  identity_session *session = host_clock_open(&hands, &server, account);
  assert_int_equal(service_login(session, MAIL, TEST_PASSWORD, NULL), IDENTITY_OK);
  return session;
}

static int reset_with_customer(void **state) {
  reset(state);
  host_clock_start(&hands, NULL, 5 * HOUR);
  identity_session *session = service_open(&server, "somebody");
  service_register(session, MAIL);
  identity_session_close(session);
  return 0;
}

/* ---- 6: 500 to 530 ---- */

enum { FIRST_STATUS = 500, LAST_STATUS = 530 };

static const char *const bodies[] = {
    "\"headers\":{\"Content-Type\":\"text/html\"},\"body\":\"<html>Bad gateway</html>\"",
    "\"body\":{\"errors\":[\"Internal server error\"]}",
    "\"body\":\"\"",
};

enum { BODIES = 3, FAILURES = (LAST_STATUS - FIRST_STATUS + 1) * BODIES };

static void failure_at(int row, char members[200]) {
  snprintf(members, 200, "\"status\":%d,%s", FIRST_STATUS + row / BODIES, bodies[row % BODIES]);
}

/* 511 is what a network answers that wants a login itself. */
static identity_status told_as(int row) {
  return FIRST_STATUS + row / BODIES == 511 ? IDENTITY_NOT_THE_SERVICE : IDENTITY_SERVICE_FAILED;
}

static void fail_refresh(identity_session *session, int row) {
  char members[200];
  identity_error error;
  failure_at(row, members);
  rotation_fault(&server, members);
  (void)identity_session_refresh(session, &error);
  if (error.status != told_as(row) || service_state_of(session) != IDENTITY_STATE_STALE)
    fail_msg("%s: %s", members, identity_status_name(error.status));
  int64_t wait = service_wait_of(session);
  const int64_t bounds[][2] = {{A_WHILE}, {SOON}};
  const int64_t *bound = bounds[told_as(row) == IDENTITY_NOT_THE_SERVICE];
  if (wait < bound[0] || wait > bound[1])
    fail_msg("%s: waits %lld ms", members, (long long)wait);
  assert_int_equal(service_fetch(session, NULL), IDENTITY_OK); /* the JWT is good */
  assert_int_equal(identity_session_refresh(session, NULL), IDENTITY_REFRESH_DEFERRED);
}

static void fault_06_a_refresh_that_is_answered_500_to_530_keeps_the_session(void **state) {
  (void)state;
  identity_session *sessions[FAILURES];
  for (int i = 0; i < FAILURES; i++) {
    sessions[i] = logged_in(i);
    fail_refresh(sessions[i], i);
  }
  assert_int_equal(rotation_count(&server, -1), FAILURES);
  host_clock_sleep(&hands, 400 * SECOND + 5);
  for (int i = 0; i < FAILURES; i++) {
    assert_int_equal(identity_session_refresh(sessions[i], NULL), IDENTITY_OK);
    assert_int_equal(service_state_of(sessions[i]), IDENTITY_STATE_ACTIVE);
    identity_session_close(sessions[i]);
  }
  assert_int_equal(rotation_count(&server, 200), FAILURES);
  assert_int_equal(rotation_count(&server, -1), 2 * FAILURES);
}

/* The time-out leaves no room for what Retry-After asks for: each is sent once. */
static void fault_06_a_call_that_is_answered_500_to_530_costs_nothing(void **state) {
  (void)state;
  identity_session *session = logged_in(0);
  for (int i = 0; i < FAILURES; i++) {
    char fault[300];
    identity_error error;
    int status = FIRST_STATUS + i / BODIES;
    snprintf(
        fault, sizeof fault,
        "{\"method\":\"GET\",\"path\":\"/customers/*\",\"status\":%d,\"headers\":{\"Retry-After\":\"40\","
        "\"Content-Type\":\"%s\"},%s}",
        status, i % BODIES == 0 ? "text/html" : "application/json", strstr(bodies[i % BODIES], "\"body\""));
    service_fault(&server, fault);
    (void)service_fetch(session, &error);
    if (error.status != told_as(i) || error.http_status != status)
      fail_msg("%s: %s", fault, identity_status_name(error.status));
    assert_int_equal(fetches(), i + 1);
  }
  assert_int_equal(service_state_of(session), IDENTITY_STATE_ACTIVE);
  assert_int_equal(service_fetch(session, NULL), IDENTITY_OK);
  assert_int_equal(rotation_count(&server, -1), 0);
  identity_session_close(session);
}

/* ---- 7: 429 ---- */

typedef struct limit {
  const char *headers; /* of the answer, a JSON object */
  int64_t told_ms;     /* what they say */
  int64_t wait_least_ms;
  int64_t wait_most_ms;
} limit;

/* Of the JWT's fifteen. */
#define TEN_MINUTES 10 * MINUTE, 10 * MINUTE - 2000, 10 * MINUTE + 10 * MINUTE / 4
#define AN_HOUR HOUR, HOUR - 2000, HOUR + HOUR / 4

static const limit limits[] = {
    {"{}", 0, A_WHILE},
    {"{\"Retry-After\":\"1\"}", 1000, A_WHILE},
    {"{\"Retry-After\":\"60\"}", MINUTE, A_WHILE},
    {"{\"Retry-After\":\"600\"}", TEN_MINUTES},
    {"{\"Retry-After\":\"3600\"}", AN_HOUR},
    {"{\"Date\":\"Fri, 01 Jan 2100 00:00:00 GMT\",\"Retry-After\":\"Fri, 01 Jan 2100 00:10:00 GMT\"}",
     TEN_MINUTES},
    {"{\"Date\":\"Fri, 01 Jan 2100 00:00:00 GMT\",\"Retry-After\":\"Fri, 01 Jan 2100 09:00:00 GMT\"}",
     AN_HOUR},
    {"{\"Date\":\"Fri, 01 Jan 2100 00:01:00 GMT\",\"Retry-After\":\"Fri, 01 Jan 2100 00:00:00 GMT\"}", 0,
     A_WHILE},
    {"{\"Retry-After\":\"Fri, 31 Dec 9999 23:59:59 GMT\"}", AN_HOUR},
    {"{\"Retry-After\":\"3601\"}", AN_HOUR},
    {"{\"Retry-After\":\"2147483648\"}", AN_HOUR},
    {"{\"Retry-After\":\"99999999999\"}", AN_HOUR},
    {"{\"Retry-After\":\"0\"}", 0, A_WHILE},
    {"{\"Retry-After\":\"-5\"}", 0, A_WHILE},
    {"{\"Retry-After\":\"-99999999999\"}", 0, A_WHILE},
    {"{\"Retry-After\":\"soon\"}", 0, A_WHILE},
    {"{\"Retry-After\":\"60 seconds\"}", 0, A_WHILE},
};

enum { LIMITS = sizeof limits / sizeof limits[0] };

static void check_wait(const limit *at, const char *what, int64_t wait) {
  if (wait < at->wait_least_ms || wait > at->wait_most_ms)
    fail_msg("%s: %s is %lld ms", at->headers, what, (long long)wait);
}

static void limit_refresh(identity_session *session, const limit *at) {
  char members[300];
  identity_error error;
  snprintf(members, sizeof members, "\"status\":429,\"body\":\"\",\"headers\":%s", at->headers);
  rotation_fault(&server, members);
  if (identity_session_refresh(session, &error) != IDENTITY_THROTTLED)
    fail_msg("%s: %s", at->headers, identity_status_name(error.status));
  check_wait(at, "retry_after_ms of the refresh", error.retry_after_ms);
  assert_int_equal(service_state_of(session), IDENTITY_STATE_STALE);
  check_wait(at, "retry_after_ms of the state", service_wait_of(session));
  assert_int_equal(identity_session_refresh(session, &error), IDENTITY_REFRESH_DEFERRED);
  check_wait(at, "retry_after_ms of the next refresh", error.retry_after_ms);
  assert_int_equal(service_fetch(session, NULL), IDENTITY_OK);
}

/* Those that wait for a while are well after it; the others are signed in all the time. */
static void fault_07_a_refresh_that_is_answered_429_waits_as_it_is_told(void **state) {
  (void)state;
  identity_session *sessions[LIMITS];
  int soon = 0;
  for (int i = 0; i < LIMITS; i++) {
    sessions[i] = logged_in(i);
    limit_refresh(sessions[i], &limits[i]);
  }
  assert_int_equal(rotation_count(&server, -1), LIMITS);
  host_clock_sleep(&hands, 400 * SECOND + 5);
  for (int i = 0; i < LIMITS; i++) {
    bool over = limits[i].wait_most_ms <= 400 * SECOND;
    assert_int_equal(identity_session_refresh(sessions[i], NULL),
                     over ? IDENTITY_OK : IDENTITY_REFRESH_DEFERRED);
    assert_int_equal(service_state_of(sessions[i]), over ? IDENTITY_STATE_ACTIVE : IDENTITY_STATE_STALE);
    assert_int_equal(service_fetch(sessions[i], NULL), IDENTITY_OK);
    identity_session_close(sessions[i]);
    soon += over;
  }
  assert_int_equal(rotation_count(&server, 200), soon);
  assert_int_equal(rotation_count(&server, -1), LIMITS + soon);
}

static void fault_07_a_call_that_is_answered_429_is_not_repeated(void **state) {
  (void)state;
  identity_session *session = logged_in(0);
  for (int i = 0; i < LIMITS; i++) {
    char fault[300];
    identity_error error;
    snprintf(fault, sizeof fault,
             "{\"method\":\"GET\",\"path\":\"/customers/*\",\"status\":429,\"body\":\"\",\"headers\":%s}",
             limits[i].headers);
    service_fault(&server, fault);
    if (service_fetch(session, &error) != IDENTITY_THROTTLED)
      fail_msg("%s: %s", limits[i].headers, identity_status_name(error.status));
    if (error.retry_after_ms != limits[i].told_ms)
      fail_msg("%s: %lld ms", limits[i].headers, (long long)error.retry_after_ms);
    assert_int_equal(fetches(), i + 1);
  }
  assert_int_equal(service_state_of(session), IDENTITY_STATE_ACTIVE);
  assert_int_equal(service_fetch(session, NULL), IDENTITY_OK);
  assert_int_equal(rotation_count(&server, -1), 0);
  identity_session_close(session);
}

/* What one call is told counts for the session: a refresh can wait. */
static void fault_07_a_throttled_call_holds_refreshes_back(void **state) {
  (void)state;
  identity_error error;
  const identity_tokens *tokens = NULL;
  identity_session *session = logged_in(0);
  service_fault(&server, "{\"path\":\"/customers/*\",\"status\":429,\"headers\":{\"Retry-After\":\"60\"},"
                         "\"body\":{\"message\":\"Too many\"}}");
  assert_int_equal(service_fetch(session, NULL), IDENTITY_THROTTLED);
  assert_int_equal(identity_session_refresh(session, &error), IDENTITY_REFRESH_DEFERRED);
  assert_in_range(error.retry_after_ms, 50000, 60000);
  assert_int_equal(identity_session_tokens(session, 0, &tokens, NULL), IDENTITY_OK);
  identity_tokens_free(tokens);
  assert_int_equal(service_fetch(session, NULL), IDENTITY_OK);
  assert_int_equal(rotation_count(&server, -1), 0);
  identity_session_close(session);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test_setup(fault_07_a_throttled_call_holds_refreshes_back, reset_with_customer),
    cmocka_unit_test_setup(fault_06_a_refresh_that_is_answered_500_to_530_keeps_the_session,
                           reset_with_customer),
    cmocka_unit_test_setup(fault_06_a_call_that_is_answered_500_to_530_costs_nothing, reset_with_customer),
    cmocka_unit_test_setup(fault_07_a_refresh_that_is_answered_429_waits_as_it_is_told, reset_with_customer),
    cmocka_unit_test_setup(fault_07_a_call_that_is_answered_429_is_not_repeated, reset_with_customer),
};

SUITE_WITH("faults: answers", tests, start, stop)
