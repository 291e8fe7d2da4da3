/* Fault 8: a refresh that is never answered is tried less and less often, whoever asks and however often. */
#include "support/rotation.h"
#include "support/stage.h"

#define MAIL "jo@example.com"

enum { CLIENTS = 24, SECOND = 1000, OUTAGE_MS = 7 * SECOND, MOST_FAILURES = 16 };

typedef struct client {
  identity_session *session;
  int failures;
} client;

static client clients[CLIENTS];
static int64_t longest[MOST_FAILURES + 1]; /* wait after so many failures */

static void begin(void) {
  identity_session *first = service_open(&server, "first");
  service_register(first, MAIL);
  identity_session_close(first);
  for (int i = 0; i < CLIENTS; i++) {
    char account[32];
    snprintf(account, sizeof account, "viewer%d", i);
    clients[i] = (client){service_open(&server, account), 0};
    assert_int_equal(service_login(clients[i].session, MAIL, TEST_PASSWORD, NULL), IDENTITY_OK);
  }
}

/* A try while it must wait sends nothing; one that may go fails once more and waits at most twice as long. */
static void ask(client *one) {
  identity_error error;
  bool waits = service_wait_of(one->session) > 20; /* else it may go by the time that it asks */
  identity_status status = identity_session_refresh(one->session, &error);
  assert_int_equal(identity_status_class(status), IDENTITY_CLASS_RETRY_LATER);
  if (waits)
    assert_int_equal(status, IDENTITY_REFRESH_DEFERRED);
  if (status == IDENTITY_REFRESH_DEFERRED)
    return;
  one->failures++;
  assert_in_range(one->failures, 1, MOST_FAILURES);
  int64_t wait = service_wait_of(one->session);
  int64_t most = SECOND << one->failures;
  if (wait < SECOND - 500 || wait > most + 1)
    fail_msg("%lld ms after failure %d", (long long)wait, one->failures);
  longest[one->failures] = wait > longest[one->failures] ? wait : longest[one->failures];
}

static void fault_08_a_refresh_that_is_never_answered_is_backed_off(void **state) {
  (void)state;
  int failures = 0;
  begin();
  rotation_fault(&server, "\"times\":-1,\"drop\":\"before\"");
  int64_t begun = service_now_ms();
  while (service_now_ms() - begun < OUTAGE_MS) {
    for (int i = 0; i < CLIENTS; i++)
      ask(&clients[i]);
    service_pause_ms(10);
  }
  for (int i = 0; i < CLIENTS; i++) {
    failures += clients[i].failures;
    assert_in_range(clients[i].failures, 2, 9);
    assert_int_equal(service_state_of(clients[i].session), IDENTITY_STATE_STALE);
    assert_int_equal(service_fetch(clients[i].session, NULL), IDENTITY_OK); /* the JWT is good */
  }
  assert_int_equal(rotation_count(&server, -1), failures);
  assert_true(longest[3] > 2 * SECOND); /* of twenty-four that wait up to eight seconds */
  service_clear_faults(&server);
  for (int i = 0; i < CLIENTS; i++) {
    rotation_wait_for_retry(clients[i].session);
    assert_int_equal(identity_session_refresh(clients[i].session, NULL), IDENTITY_OK);
    assert_int_equal(service_state_of(clients[i].session), IDENTITY_STATE_ACTIVE);
    identity_session_close(clients[i].session);
  }
  assert_int_equal(rotation_count(&server, 200), CLIENTS);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test_setup(fault_08_a_refresh_that_is_never_answered_is_backed_off, reset),
};

SUITE_WITH("faults: backoff", tests, start, stop)
