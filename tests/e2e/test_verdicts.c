/* What may come back from POST /auths/refresh_token, row by row: what the call is told, where the session
 * stands, when the next try may start, and whether the viewer is still signed in after it. */
#include "support/host_clock.h"
#include "support/peer.h"
#include "support/stage.h"

#define MAIL "jo@example.com"
#define REFRESH "/auths/refresh_token"
#define HTML "\"headers\":{\"Content-Type\":\"text/html\"},\"body\":\"<html>Welcome to the hotel</html>\""
#define DEFINITE "{\"errors\":[\"Refresh token is expired or does not exist\"]}"

static int refreshes(int status) {
  return service_count(&server, "POST", REFRESH, status);
}

static void refresh_fault(const char *members) {
  char json[600];
  snprintf(json, sizeof json, "{\"method\":\"POST\",\"path\":\"" REFRESH "\",%s}", members);
  service_fault(&server, json);
}

/* ---- rows that keep the session ---- */

static host_clock hands;

/* What the next try brings. LATER: not within this test; HEALS: OK if the service has a grace period by then.
 */
enum { RECOVERS, HEALS, LOST, REFUSED, LATER };

typedef struct row {
  const char *fault;
  identity_status status; /* 0: any of RETRY_LATER */
  int then;
  int64_t wait_least_ms; /* until the next try */
  int64_t wait_most_ms;
} row;

#define SOON 1, 2001
#define A_WHILE 199000, 400000
#define REFUSAL 299000, 300000

/* 500 to 530, 429 and a gateway's 401 have tests of their own, as faults 6, 7 and 11. */
static const row rows[] = {
    {"\"drop\":\"after\"", IDENTITY_CONNECTION_LOST, HEALS, SOON},
    {"\"drop\":\"before\"", IDENTITY_CONNECTION_LOST, RECOVERS, SOON},
    {"\"drop\":\"before\",\"abort\":true", IDENTITY_CONNECTION_LOST, RECOVERS, SOON},
    {"\"drop\":\"after\"", IDENTITY_CONNECTION_LOST, LOST, SOON},
    {"\"cut_body_at\":20", IDENTITY_CONNECTION_LOST, LOST, SOON},
    {"\"status\":408,\"body\":\"\"", IDENTITY_SERVICE_FAILED, RECOVERS, SOON},
    {"\"status\":500,\"after\":true,\"body\":\"\"", IDENTITY_SERVICE_FAILED, LOST, A_WHILE},
    {"\"status\":504,\"after\":true," HTML, IDENTITY_SERVICE_FAILED, LOST, A_WHILE},
    {"\"status\":503,\"after\":true,\"body\":\"\"", IDENTITY_SERVICE_FAILED, REFUSED, A_WHILE},
    {"\"status\":425,\"body\":\"\"", IDENTITY_THROTTLED, RECOVERS, SOON},
    {"\"status\":503,\"body\":\"\",\"headers\":{\"Retry-After\":\"600\"}", IDENTITY_SERVICE_FAILED, LATER,
     599000, 750000},
    {"\"status\":302,\"after\":true,\"headers\":{\"Location\":\"/elsewhere\"},\"body\":\"\"",
     IDENTITY_NOT_THE_SERVICE, LOST, SOON},
    {"\"status\":307,\"headers\":{\"Location\":\"" REFRESH "\"},\"body\":\"\"", IDENTITY_NOT_THE_SERVICE,
     RECOVERS, SOON},
    {"\"status\":200," HTML, IDENTITY_NOT_THE_SERVICE, RECOVERS, SOON},
    {"\"status\":200,\"after\":true," HTML, IDENTITY_NOT_THE_SERVICE, LOST, SOON},
    {"\"status\":200,\"body\":{}", 0, RECOVERS, SOON},
    {"\"status\":200,\"after\":true,\"body\":{}", 0, LOST, SOON},
    {"\"status\":200,\"body\":\"\"", 0, RECOVERS, SOON},
    {"\"status\":204,\"body\":\"\"", 0, RECOVERS, SOON},
    {"\"set\":{\"refreshToken\":\"\"}", 0, LOST, SOON},
    {"\"set\":{\"refreshToken\":7}", 0, LOST, SOON},
    {"\"set\":{\"jwt\":\"two.parts\"}", 0, LOST, SOON},
    {"\"omit\":[\"jwt\"]", 0, LOST, SOON},
    {"\"status\":511,\"after\":true," HTML, IDENTITY_NOT_THE_SERVICE, REFUSED, SOON},
    {"\"status\":400,\"body\":{\"errors\":[\"Missing or invalid parameter\"]}", 0, LATER, REFUSAL},
    {"\"status\":401,\"body\":{\"errors\":[\"No\"]}", 0, LATER, REFUSAL},
    {"\"status\":422,\"body\":{\"errors\":[\"No\"],\"code\":\"XYZ0001\"}", 0, LATER, REFUSAL},
    {"\"status\":403,\"body\":{\"message\":\"Forbidden\"}", 0, RECOVERS, SOON},
    {"\"status\":404," HTML, 0, RECOVERS, SOON},
};

enum { ROWS = sizeof rows / sizeof rows[0] };

#define EXPECT(row, condition)                                                                               \
  do {                                                                                                       \
    if (!(condition))                                                                                        \
      fail_msg("%s: %s", (row)->fault, #condition);                                                          \
  } while (0)

/* One failed refresh: told to who asked, kept, and not tried again at once; the JWT goes on working. */
static identity_session *fail_once(const row *at, int number) {
  identity_error error;
  char email[40];
  char account[40];
  snprintf(email, sizeof email, "row%d@example.com", number);
  snprintf(account, sizeof account, "row%d", number);
  identity_session *session = host_clock_open(&hands, &server, account);
  service_register(session, email);
  refresh_fault(at->fault);
  identity_status status = identity_session_refresh(session, &error);
  EXPECT(at, identity_status_class(status) == IDENTITY_CLASS_RETRY_LATER);
  EXPECT(at, at->status == 0 || at->status == status);
  EXPECT(at, service_state_of(session) == IDENTITY_STATE_STALE);
  int64_t wait = service_wait_of(session);
  if (wait < at->wait_least_ms || wait > at->wait_most_ms)
    fail_msg("%s: waits %lld ms", at->fault, (long long)wait);
  EXPECT(at, service_fetch(session, NULL) == IDENTITY_OK);
  EXPECT(at, identity_session_refresh(session, &error) == IDENTITY_REFRESH_DEFERRED);
  EXPECT(at, error.retry_after_ms > 0 && error.retry_after_ms <= at->wait_most_ms);
  return session;
}

static void try_again(const row *at, identity_session *session) {
  service_send(&server, "PUT", "settings", at->then == HEALS ? "{\"grace\":60}" : "{\"grace\":0}");
  identity_status status = identity_session_refresh(session, NULL);
  switch (at->then) {
  case RECOVERS:
  case HEALS:
    EXPECT(at, status == IDENTITY_OK);
    EXPECT(at, service_state_of(session) == IDENTITY_STATE_ACTIVE);
    break;
  case LATER:
    EXPECT(at, status == IDENTITY_REFRESH_DEFERRED);
    EXPECT(at, service_state_of(session) == IDENTITY_STATE_STALE);
    break;
  default:
    EXPECT(at, status == IDENTITY_SESSION_ENDED);
    EXPECT(at, service_state_of(session) == IDENTITY_STATE_REAUTH_REQUIRED);
    EXPECT(at, service_reason_of(session) ==
                   (at->then == LOST ? IDENTITY_REASON_LOST_ROTATION : IDENTITY_REASON_REFUSED));
  }
}

static bool waits_a_while(const row *at) {
  return at->wait_most_ms > 2001 && at->then != LATER;
}

static int try_all_again(identity_session *sessions[ROWS], bool after_a_while) {
  int tries = 0;
  for (int i = 0; i < (int)ROWS; i++) {
    if (waits_a_while(&rows[i]) != after_a_while)
      continue;
    try_again(&rows[i], sessions[i]);
    tries += rows[i].then != LATER;
    identity_session_close(sessions[i]);
  }
  return tries;
}

static void each_answer_that_is_no_pair_keeps_the_session_and_waits(void **state) {
  (void)state;
  identity_session *sessions[ROWS];
  host_clock_start(&hands, NULL, 5 * 3600 * 1000);
  service_send(&server, "PUT", "settings", "{\"grace\":60}"); /* so that it remembers what was exchanged */
  for (int i = 0; i < (int)ROWS; i++)
    sessions[i] = fail_once(&rows[i], i);
  assert_int_equal(refreshes(-1), ROWS);
  service_pause_ms(2005);
  int tries = try_all_again(sessions, false);
  assert_int_equal(refreshes(-1), ROWS + tries);
  host_clock_sleep(&hands, 400000);
  tries += try_all_again(sessions, true);
  assert_int_equal(refreshes(-1), ROWS + tries);
}

/* ---- rows that need more ---- */

static identity_session *signed_in(void) {
  identity_session *session = service_open(&server, "viewer");
  service_register(session, MAIL);
  return session;
}

static void a_definite_refusal_ends_the_session_whatever_its_status(void **state) {
  (void)state;
  static const char *const faults[] = {
      "\"status\":401,\"body\":" DEFINITE,
      "\"status\":400,\"body\":" DEFINITE,
      "\"status\":403,\"body\":{\"errors\":[\"REFRESH TOKEN IS EXPIRED or does not exist\"]}",
      "\"status\":500,\"body\":" DEFINITE,
      "\"status\":200,\"body\":" DEFINITE,
  };
  for (size_t i = 0; i < sizeof faults / sizeof faults[0]; i++) {
    identity_error error;
    const identity_state *stands = NULL;
    service_reset(&server);
    identity_session *session = signed_in();
    refresh_fault(faults[i]);
    assert_int_equal(identity_session_refresh(session, &error), IDENTITY_SESSION_ENDED);
    assert_int_equal(identity_session_state(session, &stands, NULL), IDENTITY_OK);
    assert_int_equal(stands->state, IDENTITY_STATE_REAUTH_REQUIRED);
    assert_int_equal(stands->reason, IDENTITY_REASON_REFUSED);
    assert_string_equal(stands->email, MAIL); /* the hint for the login form */
    identity_state_free(stands);
    assert_int_equal(service_fetch(session, NULL), IDENTITY_SESSION_ENDED);
    assert_int_equal(service_count(&server, "GET", "/customers/*", -1), 0);
    assert_int_equal(refreshes(-1), 1);
    assert_int_equal(service_login(session, MAIL, TEST_PASSWORD, NULL), IDENTITY_OK);
    assert_int_equal(service_state_of(session), IDENTITY_STATE_ACTIVE);
    identity_session_close(session);
  }
}

static void the_pair_of_another_customer_is_dropped(void **state) {
  (void)state;
  char fault[64];
  const identity_state *other = NULL;
  identity_session *session = signed_in();
  identity_session *stranger = service_open(&server, "stranger");
  service_register(stranger, "stranger@example.com");
  assert_int_equal(identity_session_state(stranger, &other, NULL), IDENTITY_OK);
  snprintf(fault, sizeof fault, "\"as_customer\":%s", other->customer_id);
  identity_state_free(other);
  refresh_fault(fault);
  identity_status status = identity_session_refresh(session, NULL);
  assert_int_equal(identity_status_class(status), IDENTITY_CLASS_RETRY_LATER);
  assert_int_equal(service_state_of(session), IDENTITY_STATE_STALE);
  assert_int_equal(identity_session_state(session, &other, NULL), IDENTITY_OK);
  assert_string_equal(other->email, MAIL);
  identity_state_free(other);
  assert_int_equal(service_fetch(session, NULL), IDENTITY_OK);
  assert_int_equal(refreshes(-1), 1);
  identity_session_close(stranger);
  identity_session_close(session);
}

/* ---- before it left ---- */

typedef struct away {
  const char *base_url;
  identity_status status;
} away;

static void a_refresh_that_never_left_keeps_the_session(void **state) {
  (void)state;
  char *jwt;
  char *refresh_token;
  service tls;
  char closed[64];
  char untrusted[64];
  service_start(&tls, SERVICE_TLS, NULL);
  snprintf(closed, sizeof closed, "http://127.0.0.1:%d", peer_closed_port());
  snprintf(untrusted, sizeof untrusted, "%s", tls.base_url);
  identity_session *owner = signed_in();
  service_login_raw(&server, MAIL, &jwt, &refresh_token);
  const away cases[] = {{closed, IDENTITY_OFFLINE}, {untrusted, IDENTITY_TLS_UNTRUSTED}};
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    identity_config *config = service_config(&server);
    assert_int_equal(identity_config_set_base_url(config, cases[i].base_url), IDENTITY_OK);
    identity_session *session = service_open_with(config, "away");
    assert_int_equal(identity_session_adopt(session, jwt, refresh_token, NULL), IDENTITY_OK);
    assert_int_equal(identity_session_refresh(session, NULL), cases[i].status);
    assert_int_equal(service_state_of(session), IDENTITY_STATE_STALE);
    assert_true(service_wait_of(session) > 0 && service_wait_of(session) <= 2000);
    identity_session_close(session);
  }
  assert_int_equal(service_count(&tls, "POST", REFRESH, -1), 0);
  service_stop(&tls);
  free(jwt);
  free(refresh_token);
  identity_session_close(owner);
}

/* ---- the cooldown ---- */

static void the_cooldown_survives_a_restart(void **state) {
  (void)state;
  static const char *const faults[] = {
      "\"status\":429,\"body\":\"\",\"headers\":{\"Retry-After\":\"60\"}",
      "\"status\":400,\"body\":{\"errors\":[\"No\"]}",
  };
  for (size_t i = 0; i < sizeof faults / sizeof faults[0]; i++) {
    service_reset(&server);
    identity_session *session = service_open_stored(&server, "viewer", i == 0 ? "cool" : "cooler");
    service_register(session, MAIL);
    refresh_fault(faults[i]);
    assert_int_not_equal(identity_session_refresh(session, NULL), IDENTITY_OK);
    identity_session_close(session);
    session = service_open_stored(&server, "viewer", i == 0 ? "cool" : "cooler");
    assert_int_equal(service_state_of(session), IDENTITY_STATE_STALE);
    assert_true(service_wait_of(session) > 58000);
    assert_int_equal(identity_session_refresh(session, NULL), IDENTITY_REFRESH_DEFERRED);
    assert_int_equal(refreshes(-1), 1);
    identity_session_close(session);
  }
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test_setup(each_answer_that_is_no_pair_keeps_the_session_and_waits, reset),
    cmocka_unit_test_setup(a_definite_refusal_ends_the_session_whatever_its_status, reset),
    cmocka_unit_test_setup(the_pair_of_another_customer_is_dropped, reset),
    cmocka_unit_test_setup(a_refresh_that_never_left_keeps_the_session, reset),
    cmocka_unit_test_setup(the_cooldown_survives_a_restart, reset),
};

SUITE_WITH("verdicts", tests, start, stop)
