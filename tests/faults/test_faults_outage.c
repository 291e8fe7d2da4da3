/* Fault 9: two hundred clients that met an outage do not come back all at once. */
#include "support/host_clock.h"
#include "support/rotation.h"
#include "support/stage.h"

#include <pthread.h>

#define MAIL "jo@example.com"

enum { CLIENTS = 200, SECOND = 1000 };

typedef struct client {
  host_clock hands;
  identity_session *session;
  pthread_t thread;
  int64_t wait_ms;
  identity_status status;
} client;

static client clients[CLIENTS];

/* Each finds its JWT over and the refresh answered like this. */
static void meet_outage(const char *members) {
  char fault[200];
  identity_session *first = service_open(&server, "first");
  service_register(first, MAIL);
  identity_session_close(first);
  for (int i = 0; i < CLIENTS; i++) {
    char account[32];
    snprintf(account, sizeof account, "viewer%d", i);
    host_clock_start(&clients[i].hands, NULL, 5 * 3600 * SECOND);
    clients[i].session = host_clock_open(&clients[i].hands, &server, account);
    assert_int_equal(service_login(clients[i].session, MAIL, TEST_PASSWORD, NULL), IDENTITY_OK);
  }
  service_shift_clock(&server, 901);
  snprintf(fault, sizeof fault, "\"times\":-1,%s", members);
  rotation_fault(&server, fault);
  for (int i = 0; i < CLIENTS; i++) {
    identity_error error;
    (void)service_fetch(clients[i].session, &error);
    assert_int_equal(identity_status_class(error.status), IDENTITY_CLASS_RETRY_LATER);
    assert_int_equal(service_state_of(clients[i].session), IDENTITY_STATE_STALE);
    clients[i].wait_ms = service_wait_of(clients[i].session);
    assert_true(clients[i].wait_ms > 0);
  }
  assert_int_equal(rotation_count(&server, 503), CLIENTS);
  assert_int_equal(rotation_count(&server, -1), CLIENTS);
}

static void leave(void) {
  for (int i = 0; i < CLIENTS; i++)
    identity_session_close(clients[i].session);
}

/* ---- a crowd in time ---- */

static int compare(const void *one, const void *other) {
  int64_t a = *(const int64_t *)one;
  int64_t b = *(const int64_t *)other;
  return (a > b) - (a < b);
}

/* The most that fall into any stretch of this length; they are sorted. */
static int most_within(const int64_t times[CLIENTS], int64_t length) {
  int most = 0;
  for (int first = 0, last = 0; last < CLIENTS; last++) {
    while (times[last] - times[first] > length)
      first++;
    most = last - first + 1 > most ? last - first + 1 : most;
  }
  return most;
}

/* Over a whole range, and even there: twenty would be in each tenth, three times that is no chance. */
static void assert_waits_are_spread(int64_t least_ms, int64_t least_range_ms) {
  int64_t waits[CLIENTS];
  for (int i = 0; i < CLIENTS; i++)
    waits[i] = clients[i].wait_ms;
  qsort(waits, CLIENTS, sizeof waits[0], compare);
  int64_t range = waits[CLIENTS - 1] - waits[0];
  assert_true(waits[0] >= least_ms - 200); /* a little of it is over */
  if (range < least_range_ms)
    fail_msg("all waits are from %lld to %lld ms", (long long)waits[0], (long long)waits[CLIENTS - 1]);
  assert_in_range(most_within(waits, range / 10), 1, 60);
}

static void fault_09_two_hundred_clients_are_told_different_waits(void **state) {
  (void)state;
  meet_outage("\"status\":503,\"body\":\"\"");
  assert_waits_are_spread(SECOND, 20 * SECOND);
  for (int i = 0; i < CLIENTS; i++)
    assert_in_range(clients[i].wait_ms, 1, 30 * SECOND);
  leave();
}

static void fault_09_a_retry_after_does_not_bring_all_at_the_same_moment(void **state) {
  (void)state;
  meet_outage("\"status\":503,\"body\":\"\",\"headers\":{\"Retry-After\":\"60\"}");
  assert_waits_are_spread(60 * SECOND, 10 * SECOND);
  leave();
}

/* Ten times as fast for the devices as for the test. */
static void *come_back(void *user_data) {
  client *one = user_data;
  int64_t wait = service_wait_of(one->session);
  service_pause_ms((int)wait / 10);
  host_clock_sleep(&one->hands, wait - wait / 10 + 2);
  one->status = service_fetch(one->session, NULL);
  return NULL;
}

static void assert_requests_are_spread(void) {
  int64_t arrivals[CLIENTS];
  int count = 0;
  const cJSON *entry;
  cJSON *journal = service_get(&server, "journal");
  cJSON_ArrayForEach(entry, cJSON_GetObjectItemCaseSensitive(journal, "requests")) {
    const char *path = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(entry, "path"));
    double status = cJSON_GetNumberValue(cJSON_GetObjectItemCaseSensitive(entry, "status"));
    if (path != NULL && strcmp(path, ROTATION_PATH) == 0 && status < 201 && count < CLIENTS)
      arrivals[count++] =
          (int64_t)cJSON_GetNumberValue(cJSON_GetObjectItemCaseSensitive(entry, "elapsed_ms"));
  }
  cJSON_Delete(journal);
  assert_int_equal(count, CLIENTS);
  qsort(arrivals, CLIENTS, sizeof arrivals[0], compare);
  assert_in_range(most_within(arrivals, SECOND / 10), 1, CLIENTS / 2); /* a busy machine makes them meet */
  assert_true(arrivals[CLIENTS - 1] - arrivals[0] >= 2 * SECOND);
}

static void fault_09_two_hundred_clients_come_back_one_after_the_other(void **state) {
  (void)state;
  meet_outage("\"status\":503,\"body\":\"\"");
  service_clear_faults(&server);
  for (int i = 0; i < CLIENTS; i++)
    assert_int_equal(pthread_create(&clients[i].thread, NULL, come_back, &clients[i]), 0);
  for (int i = 0; i < CLIENTS; i++)
    assert_int_equal(pthread_join(clients[i].thread, NULL), 0);
  for (int i = 0; i < CLIENTS; i++)
    assert_int_equal(clients[i].status, IDENTITY_OK);
  assert_int_equal(rotation_count(&server, 200), CLIENTS);
  assert_int_equal(rotation_count(&server, -1), 2 * CLIENTS);
  assert_requests_are_spread();
  leave();
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test_setup(fault_09_two_hundred_clients_are_told_different_waits, reset),
    cmocka_unit_test_setup(fault_09_a_retry_after_does_not_bring_all_at_the_same_moment, reset),
    cmocka_unit_test_setup(fault_09_two_hundred_clients_come_back_one_after_the_other, reset),
};

SUITE_WITH("faults: outage", tests, start, stop)
