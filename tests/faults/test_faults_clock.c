/* Fault 22. A device's clock that is wrong, jumps while the app runs, or starts anew: no viewer is signed out
 * for it, and no refresh is sent that the same device with a right clock would not send, but one where nobody
 * can know how old the JWT is. */
#include "support/host_clock.h"
#include "support/judge.h"
#include "support/rotation.h"
#include "support/rows.h"
#include "support/stage.h"

#include <time.h>

#define MAIL "jo@example.com"

#define SECOND INT64_C(1000)
#define MINUTE (60 * SECOND)
#define HOUR (60 * MINUTE)
#define DAY (24 * HOUR)
#define DATE_2038 ((INT64_C(1) << 31) + 86400) /* seconds: beyond 32 bits with a sign */
#define DATE_2107 ((INT64_C(1) << 32) + 86400) /* and without */
#define DATE_9999 INT64_C(253402300000)

enum { JWT_LIFE_S = 900, SUSPECT_MS = 5 * 60 * 1000 };

static host_clock hands;

/* ---- wrong clocks ---- */

typedef struct wrong_clock {
  const char *name;
  int64_t ahead_ms; /* or */
  int64_t date_s;   /* -1: ahead_ms counts */
  bool none;        /* the device knows no date */
} wrong_clock;

static const wrong_clock right = {"right", 0, -1, false};
static const wrong_clock hour_ahead = {"an hour ahead", HOUR, -1, false};
static const wrong_clock hour_behind = {"an hour behind", -HOUR, -1, false};
static const wrong_clock in_1970 = {"1970", 0, 5, false};
static const wrong_clock in_2038 = {"2038", 0, DATE_2038, false};
static const wrong_clock in_2107 = {"2107", 0, DATE_2107, false};
static const wrong_clock in_9999 = {"9999", 0, DATE_9999, false};
static const wrong_clock no_date = {"no date", 0, -1, true};

static const wrong_clock *const all[] = {&right,   &hour_ahead, &hour_behind, &in_1970,
                                         &in_2038, &in_2107,    &in_9999,     &no_date};

static void set_clock(const wrong_clock *wrong) {
  atomic_store(&hands.stopped, wrong->none);
  if (wrong->date_s >= 0)
    host_clock_set_date(&hands, wrong->date_s);
  else
    host_clock_set_wall(&hands, wrong->ahead_ms);
}

static identity_session *opened_with(host_clock *clock, const char *store, uint32_t timeout_ms) {
  char directory[128];
  identity_config *config = service_config(&server);
  assert_int_equal(identity_config_set_timeout_ms(config, timeout_ms), IDENTITY_OK);
  snprintf(directory, sizeof directory, "%s/%s", server.directory, store);
  assert_int_equal(identity_config_set_file_store(config, directory), IDENTITY_OK);
  assert_int_equal(identity_config_set_clock(config, &clock->clock), IDENTITY_OK);
  return service_open_with(config, "viewer");
}

static identity_session *opened(void) {
  return opened_with(&hands, "store", 30000);
}

static int begin(void **state) {
  char command[200];
  (void)reset(state);
  snprintf(command, sizeof command, "rm -rf '%s/store' '%s/before'", server.directory, server.directory);
  assert_int_equal(system(command), 0);
  return 0;
}

/* A device that has been up for a while, with its clock set so. */
static identity_session *signed_in(const wrong_clock *wrong) {
  (void)begin(NULL);
  host_clock_start(&hands, "boot-1", 5 * HOUR);
  set_clock(wrong);
  identity_session *session = opened();
  service_register(session, MAIL);
  return session;
}

/* Time passes for the device and for the service. */
static void pass(int64_t ms, int service_s) {
  host_clock_sleep(&hands, ms);
  service_shift_clock(&server, service_s);
}

static int64_t remaining(const char *name, identity_session *session, int64_t min_life_ms) {
  const identity_tokens *tokens = NULL;
  CHECK_INT(name, identity_session_tokens(session, min_life_ms, &tokens, NULL), IDENTITY_OK);
  int64_t left = tokens->remaining_ms;
  identity_tokens_free(tokens);
  return left;
}

static void refreshed(const char *name, int times) {
  judged seen = judge_refreshes(&server);
  CHECK_INT(name, seen.sent, times);
  CHECK_INT(name, seen.rotated, times);
  CHECK_INT(name, seen.repeated, 0);
}

/* How many CLOCK_SUSPECT events there are; the last one's amount. */
static int suspicions(identity_session *session, int64_t *amount_ms) {
  int count = 0;
  const identity_event *event = NULL;
  while (identity_session_next_event(session, &event, NULL) == IDENTITY_OK && event != NULL) {
    if (event->kind == IDENTITY_EVENT_CLOCK_SUSPECT) {
      *amount_ms = event->amount_ms;
      count++;
    }
    identity_event_free(event);
  }
  return count;
}

/* What the service's date is ahead of the device's. */
static int64_t behind_ms(void) {
  int64_t boot_ms, wall_ms;
  host_clock_read(&hands, &boot_ms, &wall_ms);
  return (int64_t)time(NULL) * 1000 - wall_ms;
}

static void fault_22_a_session_lives_its_life_under_a_wrong_clock(void **state) {
  (void)state;
  for (size_t i = 0; i < ROWS(all); i++) {
    const char *name = all[i]->name;
    int64_t amount_ms = 0;
    identity_session *session = signed_in(all[i]);
    CHECK_INT(name, service_fetch(session, NULL), IDENTITY_OK);
    int64_t left = remaining(name, session, 0);
    CHECK(name, left > 800 * SECOND && left <= JWT_LIFE_S * SECOND);
    CHECK(name, remaining(name, session, 899 * SECOND) > 800 * SECOND); /* young: the freshest there is */
    CHECK_INT(name, suspicions(session, &amount_ms), all[i] != &right);
    if (all[i] != &right)
      CHECK(name, llabs(amount_ms - behind_ms()) < MINUTE);
    refreshed(name, 0);
    pass(5 * MINUTE, 300);
    CHECK_INT(name, service_fetch(session, NULL), IDENTITY_OK);
    CHECK(name, remaining(name, session, 0) <= 600 * SECOND);
    refreshed(name, 0);
    pass(10 * MINUTE + 5 * SECOND, 905);
    CHECK_INT(name, service_fetch(session, NULL), IDENTITY_OK);
    refreshed(name, 1);
    CHECK_INT(name, service_count(&server, "GET", "/customers/*", 401), 0);
    pass(14 * MINUTE, 905 + 840);
    CHECK(name, remaining(name, session, 2 * MINUTE) > 800 * SECOND);
    CHECK_INT(name, identity_session_refresh(session, NULL), IDENTITY_OK);
    refreshed(name, 3);
    CHECK_INT(name, service_state_of(session), IDENTITY_STATE_ACTIVE);
    identity_session_close(session);
  }
}

static void fault_22_no_step_of_the_clock_costs_a_refresh(void **state) {
  (void)state;
  identity_session *session = signed_in(&right);
  int suspected = 0;
  int64_t amount_ms = 0;
  for (size_t from = 0; from < ROWS(all); from++)
    for (size_t to = 0; to < ROWS(all); to++) {
      char name[64];
      snprintf(name, sizeof name, "%s, then %s", all[from]->name, all[to]->name);
      set_clock(all[from]);
      CHECK_INT(name, service_fetch(session, NULL), IDENTITY_OK);
      (void)suspicions(session, &amount_ms);
      set_clock(all[to]);
      CHECK_INT(name, service_fetch(session, NULL), IDENTITY_OK);
      CHECK(name, remaining(name, session, 0) > 800 * SECOND);
      CHECK_INT(name, service_state_of(session), IDENTITY_STATE_ACTIVE);
      bool near = from == to || llabs(amount_ms - behind_ms()) < SUSPECT_MS;
      int told = suspicions(session, &amount_ms);
      CHECK_INT(name, told, to == 0 || near ? 0 : 1);
      suspected += told;
    }
  assert_true(suspected > (int)ROWS(all));
  refreshed("all steps", 0);
  pass(JWT_LIFE_S * SECOND, JWT_LIFE_S);
  assert_int_equal(service_fetch(session, NULL), IDENTITY_OK);
  refreshed("its life is over", 1);
  identity_session_close(session);
}

/* ---- cooldowns ---- */

static void cools_down(const char *name, identity_session *session, const char *fault, int64_t least_ms,
                       int64_t most_ms) {
  int before = judge_refreshes(&server).sent;
  rotation_fault(&server, fault);
  CHECK(name, identity_session_refresh(session, NULL) != IDENTITY_OK);
  for (size_t i = 0; i < ROWS(all); i++) {
    set_clock(all[i]);
    int64_t wait = service_wait_of(session);
    CHECK(all[i]->name, wait >= least_ms - 30 * SECOND && wait <= most_ms);
    CHECK_INT(all[i]->name, identity_session_refresh(session, NULL), IDENTITY_REFRESH_DEFERRED);
    CHECK_INT(all[i]->name, service_fetch(session, NULL), IDENTITY_OK);
  }
  CHECK_INT(name, judge_refreshes(&server).sent, before + 1);
  host_clock_sleep(&hands, service_wait_of(session) + 5);
  CHECK_INT(name, identity_session_refresh(session, NULL), IDENTITY_OK);
}

/* Retry-After as a date is ten minutes after the answer's own, whatever the device believes. */
static void fault_22_a_cooldown_takes_as_long_as_it_takes(void **state) {
  char dated[300];
  char date[40], later[40];
  time_t now = time(NULL), then = now + 600;
  struct tm split;
  (void)state;
  identity_session *session = signed_in(&right);
  strftime(date, sizeof date, "%a, %d %b %Y %H:%M:%S GMT", gmtime_r(&now, &split));
  strftime(later, sizeof later, "%a, %d %b %Y %H:%M:%S GMT", gmtime_r(&then, &split));
  snprintf(dated, sizeof dated, "\"status\":429,\"headers\":{\"Date\":\"%s\",\"Retry-After\":\"%s\"}", date,
           later);
  static const char *const plain = "\"status\":429,\"headers\":{\"Retry-After\":\"600\"}";
  set_clock(&hour_ahead);
  cools_down("seconds, ahead", session, plain, 600 * SECOND, 750 * SECOND);
  set_clock(&in_1970);
  cools_down("seconds, 1970", session, plain, 600 * SECOND, 750 * SECOND);
  set_clock(&hour_behind);
  cools_down("a date, behind", session, dated, 600 * SECOND, 750 * SECOND);
  set_clock(&in_2038);
  cools_down("a date, 2038", session, dated, 600 * SECOND, 750 * SECOND);
  judged seen = judge_refreshes(&server);
  assert_int_equal(seen.sent, 8);
  assert_int_equal(seen.rotated, 4);
  identity_session_close(session);
}

/* ---- reboots ---- */

typedef struct reboot {
  const wrong_clock *before;
  const wrong_clock *after;
  const char *boot_id; /* after it */
  int away_s;
  int refreshes; /* before an ordinary call */
  int rejected;  /* how many 401s it gets */
} reboot;

#define NEW "boot-2"
static const wrong_clock behind_19_minutes = {"19 minutes behind", -19 * MINUTE, -1, false};

static const reboot reboots[] = {
    {&right, &right, NEW, 60, 0, 0},
    {&right, &right, NEW, 1200, 1, 0},
    {&right, &right, NEW, 30 * 86400, 1, 0},
    {&right, &hour_ahead, NEW, 60, 1, 0},
    {&right, &hour_behind, NEW, 60, 1, 0},
    {&right, &in_1970, NEW, 60, 1, 0},
    {&right, &in_2038, NEW, 60, 1, 0},
    {&right, &in_9999, NEW, 60, 1, 0},
    {&right, &no_date, NEW, 60, 1, 0},
    {&hour_ahead, &right, NEW, 60, 1, 0},
    {&hour_behind, &right, NEW, 60, 1, 0},
    {&hour_ahead, &hour_ahead, NEW, 60, 0, 0},
    {&in_1970, &right, NEW, 60, 1, 0},
    {&in_1970, &in_1970, NEW, 60, 1, 0},
    {&in_2038, &right, NEW, 60, 1, 0},
    {&no_date, &no_date, NEW, 60, 1, 0},
    /* The clock says that a minute has passed: the service knows better. */
    {&right, &behind_19_minutes, NEW, 1200, 1, 1},
    /* A device that cannot name its starts: the clock that begins anew tells. */
    {&right, &right, "boot-1", 60, 0, 0},
    {&right, &right, "boot-1", 1200, 1, 0},
    {&right, &in_1970, "boot-1", 60, 1, 0},
};

static void name_reboot(const reboot *row, char name[static 128]) {
  snprintf(name, 128, "%s, then %s, %s, %d s later", row->before->name, row->after->name, row->boot_id,
           row->away_s);
}

/* The device was off for so long and has just started. */
static identity_session *start_again(const reboot *row) {
  host_clock_start(&hands, row->boot_id, 2 * SECOND);
  set_clock(row->after);
  if (row->after->date_s < 0 && !row->after->none)
    host_clock_set_wall(&hands, row->after->ahead_ms + row->away_s * SECOND);
  service_shift_clock(&server, row->away_s);
  return opened();
}

static void fault_22_a_reboot_costs_one_refresh_at_most(void **state) {
  (void)state;
  for (size_t i = 0; i < ROWS(reboots); i++) {
    char name[128];
    name_reboot(&reboots[i], name);
    identity_session_close(signed_in(reboots[i].before));
    identity_session *session = start_again(&reboots[i]);
    CHECK_INT(name, service_state_of(session), IDENTITY_STATE_ACTIVE);
    CHECK_INT(name, service_fetch(session, NULL), IDENTITY_OK);
    CHECK_INT(name, service_count(&server, "GET", "/customers/*", 401), reboots[i].rejected);
    refreshed(name, reboots[i].refreshes);
    CHECK(name, remaining(name, session, 0) > 0);
    identity_session_close(session);
    session = opened();
    CHECK_INT(name, service_fetch(session, NULL), IDENTITY_OK);
    CHECK_INT(name, service_state_of(session), IDENTITY_STATE_ACTIVE);
    refreshed(name, reboots[i].refreshes);
    identity_session_close(session);
  }
}

/* Who asks for the JWT itself gets one that is worth something, or the only one where nothing tells
 * otherwise. */
static void fault_22_a_jwt_that_is_handed_out_after_a_reboot_is_refreshed_if_need_be(void **state) {
  (void)state;
  for (size_t i = 0; i < ROWS(reboots); i++) {
    char name[128];
    name_reboot(&reboots[i], name);
    identity_session_close(signed_in(reboots[i].before));
    identity_session *session = start_again(&reboots[i]);
    CHECK(name, remaining(name, session, 5 * MINUTE) > 5 * MINUTE);
    refreshed(name, reboots[i].refreshes - reboots[i].rejected);
    CHECK_INT(name, identity_session_refresh(session, NULL), IDENTITY_OK);
    refreshed(name, reboots[i].refreshes - reboots[i].rejected + 1);
    CHECK_INT(name, service_state_of(session), IDENTITY_STATE_ACTIVE);
    identity_session_close(session);
  }
}

static void fault_22_a_cooldown_goes_on_after_a_reboot_where_it_can_be_measured(void **state) {
  static const struct {
    const wrong_clock *after;
    bool goes_on;
  } rows[] = {{&right, true}, {&hour_behind, false}, {&in_1970, false}, {&no_date, false}};
  (void)state;
  for (size_t i = 0; i < ROWS(rows); i++) {
    const char *name = rows[i].after->name;
    const reboot row = {&right, rows[i].after, NEW, 300, 0, 0};
    identity_session *session = signed_in(&right);
    rotation_fault(&server, "\"status\":429,\"headers\":{\"Retry-After\":\"1800\"}");
    CHECK(name, identity_session_refresh(session, NULL) != IDENTITY_OK);
    identity_session_close(session);
    session = start_again(&row);
    if (rows[i].goes_on)
      CHECK(name, service_wait_of(session) > 24 * MINUTE);
    CHECK_INT(name, identity_session_refresh(session, NULL),
              rows[i].goes_on ? IDENTITY_REFRESH_DEFERRED : IDENTITY_OK);
    CHECK_INT(name, judge_refreshes(&server).sent, rows[i].goes_on ? 1 : 2);
    CHECK_INT(name, service_fetch(session, NULL), IDENTITY_OK);
    identity_session_close(session);
  }
}

/* A refresh in flight when the device goes off: its lease stays in the store. Nobody knows whether the
 * service took it; here it did not. */
static void fault_22_a_lease_does_not_outlive_a_reboot(void **state) {
  static host_clock old_hands;
  (void)state;
  for (size_t i = 0; i < ROWS(all); i++) {
    const char *name = all[i]->name;
    const reboot row = {&right, all[i], NEW, 5, 0, 0};
    char command[200];
    (void)begin(NULL);
    host_clock_start(&old_hands, "boot-1", 5 * HOUR);
    identity_session *before = opened_with(&old_hands, "before", 200);
    service_register(before, MAIL);
    rotation_fault(&server, "\"hang\":true");
    CHECK_INT(name, identity_session_refresh(before, NULL), IDENTITY_TIMED_OUT);
    snprintf(command, sizeof command, "mv '%s/before' '%s/store'", server.directory, server.directory);
    assert_int_equal(system(command), 0);
    identity_session *session = start_again(&row);
    CHECK_INT(name, identity_session_refresh(session, NULL), IDENTITY_OK);
    CHECK_INT(name, service_state_of(session), IDENTITY_STATE_ACTIVE);
    judged seen = judge_refreshes(&server);
    CHECK_INT(name, seen.sent, 2);
    CHECK_INT(name, seen.rotated, 1);
    CHECK_INT(name, seen.twice, 0);
    identity_session_close(session);
    service_reset(&server); /* lets the other one go */
    identity_session_close(before);
  }
}

#define TEST(name) cmocka_unit_test_setup(name, begin)

static const struct CMUnitTest tests[] = {
    TEST(fault_22_a_session_lives_its_life_under_a_wrong_clock),
    TEST(fault_22_no_step_of_the_clock_costs_a_refresh),
    TEST(fault_22_a_cooldown_takes_as_long_as_it_takes),
    TEST(fault_22_a_reboot_costs_one_refresh_at_most),
    TEST(fault_22_a_jwt_that_is_handed_out_after_a_reboot_is_refreshed_if_need_be),
    TEST(fault_22_a_cooldown_goes_on_after_a_reboot_where_it_can_be_measured),
    TEST(fault_22_a_lease_does_not_outlive_a_reboot),
};

SUITE_WITH("faults: the clock", tests, start, stop)
