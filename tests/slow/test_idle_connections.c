/* What a burst of calls opened is closed again when nothing ran at the same time for 30 s; one connection
 * stays. */
#define STAGE_KIND SERVICE_TLS
#include "support/crowd.h"
#include "support/stage.h"

enum { MOST = 8, IDLE_MS = 30000 };

/* Of the session, without the one that asks. */
static int open_connections(void) {
  cJSON *status = service_get(&server, "status");
  int count = cJSON_GetObjectItemCaseSensitive(status, "open_connections")->valueint - 1;
  cJSON_Delete(status);
  return count;
}

static void await_connections(int count) {
  for (int i = 0; i < 500 && open_connections() != count; i++)
    service_pause_ms(10);
  assert_int_equal(open_connections(), count);
}

static identity_session *burst(void) {
  identity_session *session = service_open(&server, "viewer");
  service_register(session, "jo@example.com");
  assert_int_equal(open_connections(), 1); /* one thread, one connection */
  service_fault(&server, "{\"method\":\"GET\",\"path\":\"/customers/*\",\"times\":32,\"delay_ms\":50}");
  assert_int_equal(crowd_successes(session, 32, service_fetch), 32);
  assert_int_equal(open_connections(), MOST); /* 32 at once, eight connections */
  return session;
}

static void extra_connections_close_after_thirty_idle_seconds(void **state) {
  (void)state;
  identity_session *session = burst();
  service_pause_ms(1000);
  assert_int_equal(service_fetch(session, NULL), IDENTITY_OK);
  assert_int_equal(open_connections(), MOST); /* the next burst may be near */
  service_pause_ms(IDLE_MS + 500);
  int before = service_connections(&server);
  assert_int_equal(service_fetch(session, NULL), IDENTITY_OK);
  service_pause_ms(1100); /* libcurl looks once a second */
  assert_int_equal(service_fetch(session, NULL), IDENTITY_OK);
  await_connections(1);
  assert_int_equal(service_fetch(session, NULL), IDENTITY_OK);
  assert_int_equal(open_connections(), 1);
  assert_int_equal(service_connections(&server), before); /* one that was there, none anew */
  service_fault(&server, "{\"method\":\"GET\",\"path\":\"/customers/*\",\"times\":32,\"delay_ms\":50}");
  assert_int_equal(crowd_successes(session, 32, service_fetch), 32);
  assert_int_equal(open_connections(), MOST); /* and up again */
  identity_session_close(session);
  await_connections(0);
}

/* A session with one connection keeps it, however long it was idle. */
static void the_only_connection_outlives_the_thirty_seconds(void **state) {
  (void)state;
  identity_session *session = service_open(&server, "viewer");
  service_register(session, "jo@example.com");
  service_pause_ms(IDLE_MS + 2500);
  assert_int_equal(service_fetch(session, NULL), IDENTITY_OK);
  assert_int_equal(service_fetch(session, NULL), IDENTITY_OK);
  assert_int_equal(service_connections(&server), 1);
  identity_session_close(session);
}

/* Calls one after the other do not keep the others alive: idle is who does not run beside another. */
static void a_call_now_and_then_does_not_keep_the_extra_connections(void **state) {
  (void)state;
  identity_session *session = burst();
  int64_t begun = service_now_ms();
  while (service_now_ms() - begun < IDLE_MS + 1000) {
    assert_int_equal(service_fetch(session, NULL), IDENTITY_OK);
    service_pause_ms(2000);
  }
  assert_int_equal(service_fetch(session, NULL), IDENTITY_OK);
  await_connections(1);
  identity_session_close(session);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test_setup(extra_connections_close_after_thirty_idle_seconds, reset),
    cmocka_unit_test_setup(the_only_connection_outlives_the_thirty_seconds, reset),
    cmocka_unit_test_setup(a_call_now_and_then_does_not_keep_the_extra_connections, reset),
};

SUITE_WITH("idle connections", tests, start, stop)
