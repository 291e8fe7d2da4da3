/* The network fails in every way that a loop can be driven: they all come to the same. */
#include "support/peer.h"
#include "support/plain_http.h"
#include "support/ways.h"

static void a_stalled_service_ends_by_the_deadline(void) {
  identity_config *config = config_of_the_device();
  assert_int_equal(identity_config_set_timeout_ms(config, 150), IDENTITY_OK);
  identity_session *session = aloop_open_with(&shared, config, "viewer");
  service_fault(&server, "{\"path\":\"/locales\",\"times\":-1,\"hang\":true}");
  runs(TWIN_LOCALE, session, IDENTITY_TIMED_OUT, NULL);
  service_clear_faults(&server);
  runs(TWIN_LOCALE, session, IDENTITY_OK, NULL);
  identity_session_close(session);
}

static void a_service_that_is_not_there_is_offline(void) {
  char url[64];
  identity_config *config = config_of_the_device();
  snprintf(url, sizeof url, "http://127.0.0.1:%d", peer_closed_port());
  assert_int_equal(identity_config_set_base_url(config, url), IDENTITY_OK);
  identity_session *session = aloop_open_with(&shared, config, "viewer");
  runs(TWIN_LOGIN, session, IDENTITY_OFFLINE, NULL);
  identity_session_close(session);
}

static identity_config *config_through(plain_http *network) {
  identity_config *config = plain_http_config(network);
  assert_int_equal(identity_config_set_clock(config, &device.clock), IDENTITY_OK);
  return config;
}

static void an_answer_that_breaks_off_is_asked_for_again(void) {
  identity_session *session = open_viewer("viewer");
  service_fault(&server, "{\"path\":\"/customers/*\",\"times\":2,\"drop\":\"after\"}");
  runs(TWIN_CUSTOMER, session, IDENTITY_OK, NULL);
  probe_sent(&server, "GET", "/customers/*", 3);
  identity_session_close(session);
}

/* Until the whole of so many answers lies in the sockets; nobody drives meanwhile. */
static void await_answers(int count) {
  int there = 0;
  service_send(&server, "POST", "release", "{}");
  for (int64_t until = service_now_ms() + 10000; there < count && service_now_ms() < until;) {
    const cJSON *entry;
    cJSON *journal = service_get(&server, "journal");
    there = 0;
    cJSON_ArrayForEach(entry, cJSON_GetObjectItemCaseSensitive(journal, "requests")) {
      const char *path = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(entry, "path"));
      bool sent = cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(entry, "sent"));
      there += sent && path != NULL && strcmp(path, "/locales") == 0;
    }
    cJSON_Delete(journal);
  }
  assert_int_equal(there, count);
}

/* The device slept, or nobody drove: more than one look at the sockets is needed to bring them in. */
static void answers_that_are_there_are_read_before_a_deadline_that_has_passed(void) {
  enum { CALLS = 8, ASLEEP_MS = 40000 };
  note calls[CALLS] = {0};
  identity_session *session = aloop_open_with(&shared, config_of_the_device(), "viewer");
  int before = service_count(&server, "GET", "/locales", -1);
  service_fault(&server, "{\"path\":\"/locales\",\"times\":-1,\"delay_ms\":20000,\"big_body\":100000}");
  for (int i = 0; i < CALLS; i++)
    twin_start(TWIN_LOCALE, session, &calls[i]);
  int all = CALLS + before;
  aloop_until_sent(&shared, &server, "GET", "/locales", all);
  await_answers(all);
  host_clock_sleep(&device, ASLEEP_MS);
  aloop_turn(&shared);
  aloop_until(&shared, calls, CALLS);
  if (notes_with(calls, CALLS, IDENTITY_OK) != CALLS)
    fail_msg("%s: %d of %d answers", what, notes_with(calls, CALLS, IDENTITY_OK), CALLS);
  notes_clear(calls, CALLS);
  identity_session_close(session);
}

/* A transport of the host may read a piece at each look. */
static void an_answer_that_takes_many_looks_is_read_before_a_deadline_that_has_passed(void **state) {
  enum { ASLEEP_MS = 40000 };
  (void)state;
  plain_http network;
  note ended = {0};
  plain_http_start(&network, &server, 0);
  host_clock_start(&device, NULL, 3600000);
  aloop_start(&shared, config_through(&network), DRIVE_TICK);
  identity_session *session = aloop_open_with(&shared, config_through(&network), "viewer");
  service_fault(&server, "{\"path\":\"/locales\",\"delay_ms\":20000,\"big_body\":100000}");
  twin_start(TWIN_LOCALE, session, &ended);
  aloop_until_sent(&shared, &server, "GET", "/locales", 1);
  await_answers(1);
  host_clock_sleep(&device, ASLEEP_MS);
  aloop_until(&shared, &ended, 1);
  note_is(&ended, IDENTITY_OK);
  note_clear(&ended);
  identity_session_close(session);
  aloop_stop(&shared);
  plain_http_stop(&network);
}

SCENARIO(a_stalled_service_ends_by_the_deadline)
SCENARIO(a_service_that_is_not_there_is_offline)
SCENARIO(an_answer_that_breaks_off_is_asked_for_again)
SCENARIO(answers_that_are_there_are_read_before_a_deadline_that_has_passed)

#define TEST(name) cmocka_unit_test_setup(name, reset)

static const struct CMUnitTest tests[] = {
    TEST(every_driver_a_stalled_service_ends_by_the_deadline),
    TEST(every_driver_a_service_that_is_not_there_is_offline),
    TEST(every_driver_an_answer_that_breaks_off_is_asked_for_again),
    TEST(every_driver_answers_that_are_there_are_read_before_a_deadline_that_has_passed),
    TEST(an_answer_that_takes_many_looks_is_read_before_a_deadline_that_has_passed),
};

SUITE_WITH("async_drivers_network", tests, start, stop)
