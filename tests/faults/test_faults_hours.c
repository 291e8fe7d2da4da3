/* Faults 8 and 11 over hours and days, on a clock of the test's own: how often a refresh is tried that always
 * fails, and how often one is caused by calls that are always refused. */
#include "support/rotation.h"
#include "support/stage.h"

#include <identity/platform.h>

#include <stdatomic.h>
#include <time.h>

#define MAIL "jo@example.com"
/* JWTs of three days: none is replaced for its age. */
#define LONG_JWT "{\"jwt_life\":259200}"
#define REFUSED                                                                                              \
  "{\"method\":\"GET\",\"path\":\"/customers/"                                                               \
  "*\",\"times\":-1,\"status\":401,\"body\":{\"errors\":[\"Invalid JWT\"]}"
#define DATED_2100 "\"headers\":{\"Date\":\"Fri, 01 Jan 2100 00:00:00 GMT\"}"

#define SECOND INT64_C(1000)
#define MINUTE (60 * SECOND)
#define HOUR (60 * MINUTE)

enum { BUDGET = 4, MOST_REFRESHES = 400 };

static _Atomic int64_t ahead_ms; /* of the device's own clocks */

static int64_t own_ms(clockid_t id) {
  struct timespec now;
  clock_gettime(id, &now);
  return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void tell_time(void *user_data, int64_t *boot_ms, int64_t *wall_ms) {
  (void)user_data;
  *boot_ms = own_ms(CLOCK_MONOTONIC) + ahead_ms;
  *wall_ms = own_ms(CLOCK_REALTIME) + ahead_ms;
}

static void pass(int64_t ms) {
  ahead_ms += ms;
}

static identity_session *signed_in(void) {
  identity_clock watch;
  identity_config *config = service_config(&server);
  identity_clock_init(&watch, sizeof watch);
  watch.now = tell_time;
  assert_int_equal(identity_config_set_clock(config, &watch), IDENTITY_OK);
  service_send(&server, "PUT", "settings", LONG_JWT);
  identity_session *session = service_open_with(config, "viewer");
  service_register(session, MAIL);
  return session;
}

/* ---- the refresh always fails ---- */

typedef struct pace {
  int64_t first_ms; /* the least wait after the first failure */
  int64_t least_ms; /* and after the others */
  int64_t most_ms;
  int64_t longest_ms; /* one of sixty is longer than that */
} pace;

static const pace backoff = {SECOND, SECOND, 5 * MINUTE, 2 * MINUTE};
/* A service that answers, and a JWT that is good. */
static const pace in_trouble = {200 * SECOND, 360 * SECOND, 570 * SECOND, 465 * SECOND};

/* Asks just before the time that was told, and just after it. */
static void fail_once_more(identity_session *session, const char *members, const pace *at,
                           int64_t *waited_ms) {
  int before = rotation_count(&server, -1);
  int64_t wait = service_wait_of(session);
  if (wait > SECOND) {
    pass(wait - SECOND / 2);
    assert_int_equal(identity_session_refresh(session, NULL), IDENTITY_REFRESH_DEFERRED);
    assert_int_equal(rotation_count(&server, -1), before);
  }
  pass(SECOND);
  identity_status status = identity_session_refresh(session, NULL);
  if (identity_status_class(status) != IDENTITY_CLASS_RETRY_LATER ||
      service_state_of(session) != IDENTITY_STATE_STALE || rotation_count(&server, -1) != before + 1)
    fail_msg("%s, refresh %d: %s", members, before + 1, identity_status_name(status));
  *waited_ms = service_wait_of(session);
  int64_t least_ms = before == 0 ? at->first_ms : at->least_ms;
  if (*waited_ms < least_ms - SECOND / 2 || *waited_ms > at->most_ms)
    fail_msg("%s, refresh %d: waits %lld ms", members, before + 1, (long long)*waited_ms);
}

static void always_fails(const char *members, const pace *at) {
  enum { FAILURES = 60 };
  char fault[300];
  int64_t longest = 0;
  int64_t wait = 0;
  service_reset(&server);
  identity_session *session = signed_in();
  snprintf(fault, sizeof fault, "\"times\":-1,%s", members);
  rotation_fault(&server, fault);
  for (int i = 0; i < FAILURES; i++) {
    fail_once_more(session, members, at, &wait);
    longest = wait > longest ? wait : longest;
  }
  assert_true(longest > at->longest_ms);
  assert_int_equal(service_fetch(session, NULL), IDENTITY_OK); /* the JWT is good */
  service_clear_faults(&server);
  pass(wait + SECOND);
  assert_int_equal(identity_session_refresh(session, NULL), IDENTITY_OK);
  assert_int_equal(service_state_of(session), IDENTITY_STATE_ACTIVE);
  assert_int_equal(rotation_count(&server, 200), 1);
  identity_session_close(session);
}

static void fault_08_a_refresh_that_fails_for_hours_is_tried_every_few_minutes(void **state) {
  (void)state;
  always_fails("\"status\":500,\"body\":\"\"", &in_trouble);
  always_fails("\"status\":503,\"body\":\"\"", &in_trouble);
  always_fails("\"drop\":\"before\"", &backoff);
}

static void fault_11_a_gateway_that_answers_401_for_hours_ends_no_session(void **state) {
  (void)state;
  always_fails(
      "\"status\":401,\"headers\":{\"Content-Type\":\"text/html\"},\"body\":\"<html>Sign in</html>\"",
      &backoff);
  always_fails("\"status\":401,\"body\":{\"message\":\"Unauthorized\"}", &backoff);
}

/* ---- the API always says 401 ---- */

/* A day in which a call is refused every five minutes; the times of the refreshes. */
static int refused_day(identity_session *session, int64_t times[MOST_REFRESHES]) {
  int count = 0;
  for (int64_t now = 0; now < 24 * HOUR; now += 5 * MINUTE) {
    assert_int_equal(service_fetch(session, NULL), IDENTITY_NOT_ALLOWED);
    int sent = rotation_count(&server, -1);
    assert_in_range(sent - count, 0, 1);
    if (sent > count)
      times[count] = now;
    count = sent;
    pass(5 * MINUTE);
  }
  return count;
}

static void fault_08_a_day_of_401s_causes_four_refreshes_an_hour(void **state) {
  (void)state;
  static int64_t times[MOST_REFRESHES];
  identity_session *session = signed_in();
  service_fault(&server, REFUSED "," DATED_2100 "}");
  int count = refused_day(session, times);
  assert_in_range(count, 24 * BUDGET - BUDGET, 24 * BUDGET);
  for (int i = 0; i + BUDGET < count; i++)
    assert_true(times[i + BUDGET] - times[i] >= HOUR - SECOND);
  assert_int_equal(service_state_of(session), IDENTITY_STATE_ACTIVE);
  service_clear_faults(&server);
  assert_int_equal(service_fetch(session, NULL), IDENTITY_OK);
  assert_int_equal(rotation_count(&server, 200), count);
  identity_session_close(session);
}

/* The 401 bears today's date: nothing says that the JWT is over, so it must have lived a minute at least. */
static void fault_08_a_401_replaces_no_jwt_younger_than_a_minute(void **state) {
  (void)state;
  identity_session *session = signed_in();
  service_fault(&server, REFUSED "}");
  for (int i = 1; i <= BUDGET; i++) {
    pass(50 * SECOND);
    assert_int_equal(service_fetch(session, NULL), IDENTITY_NOT_ALLOWED);
    assert_int_equal(rotation_count(&server, -1), i - 1);
    pass(11 * SECOND);
    assert_int_equal(service_fetch(session, NULL), IDENTITY_NOT_ALLOWED);
    assert_int_equal(rotation_count(&server, -1), i);
    assert_int_equal(service_fetch(session, NULL), IDENTITY_NOT_ALLOWED);
    assert_int_equal(rotation_count(&server, -1), i);
  }
  pass(10 * MINUTE);
  assert_int_equal(service_fetch(session, NULL), IDENTITY_NOT_ALLOWED); /* four in this hour */
  assert_int_equal(rotation_count(&server, -1), BUDGET);
  identity_session_close(session);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test_setup(fault_08_a_refresh_that_fails_for_hours_is_tried_every_few_minutes, reset),
    cmocka_unit_test_setup(fault_11_a_gateway_that_answers_401_for_hours_ends_no_session, reset),
    cmocka_unit_test_setup(fault_08_a_day_of_401s_causes_four_refreshes_an_hour, reset),
    cmocka_unit_test_setup(fault_08_a_401_replaces_no_jwt_younger_than_a_minute, reset),
};

SUITE_WITH("faults: hours", tests, start, stop)
