/* Faults 15 and 27. A network that takes everything and answers nothing: who waits is let go in time, and the
 * session goes on where the network does. */
#include "support/crowd.h"
#include "support/judge.h"
#include "support/peer.h"
#include "support/relay.h"
#include "support/stage.h"

#include <signal.h>
#include <sys/resource.h>

#define MAIL "jo@example.com"
#define REFRESH "/auths/refresh_token"

enum { WAITERS = 1000, SESSIONS = 4, TIMEOUT_MS = 500, SHORT_MS = 200 };
/* A waiting call with its thread; a connection, of which a session has eight. */
enum { WAITER_KB = 64, CONNECTION_KB = 256 };

static crowd people[SESSIONS];

/* Valgrind runs 500 threads at most. */
static int waiters(void) {
  return judge_runs_slowly() ? 400 : WAITERS;
}

/* A thousand threads have to be woken and run. */
static int most_ms(void) {
  return TIMEOUT_MS + 200 + 2 * judge_slack_ms();
}

static long peak_kb(void) {
  struct rusage usage;
  assert_int_equal(getrusage(RUSAGE_SELF, &usage), 0);
  return usage.ru_maxrss;
}

static identity_session *opened_at(const char *scheme, int port, unsigned timeout_ms) {
  char base_url[64];
  identity_config *config = service_config(&server);
  snprintf(base_url, sizeof base_url, "%s://127.0.0.1:%d", scheme, port);
  assert_int_equal(identity_config_set_base_url(config, base_url), IDENTITY_OK);
  assert_int_equal(identity_config_set_timeout_ms(config, timeout_ms), IDENTITY_OK);
  return service_open_with(config, "viewer");
}

static identity_status fetch_locale(identity_session *session, identity_error *error) {
  const identity_locale *locale = NULL;
  identity_status status = identity_fetch_locale(session, NULL, &locale, error);
  identity_locale_free(locale);
  return status;
}

static void all_waited_in_vain(int count) {
  for (int s = 0; s < count; s++) {
    crowd_join(&people[s]);
    assert_int_equal(crowd_count(&people[s], IDENTITY_TIMED_OUT), people[s].count);
    for (int i = 0; i < people[s].count; i++)
      assert_in_range(people[s].members[i].took_ms, TIMEOUT_MS - 1, most_ms());
  }
}

/* ---- 15: a black hole ---- */

static void fault_15_a_thousand_callers_of_a_black_hole_are_let_go_in_time(void **state) {
  (void)state;
  peer hole;
  identity_session *sessions[SESSIONS];
  peer_start(&hole, NULL, 0, 0);
  long before = peak_kb();
  for (int i = 0; i < SESSIONS; i++)
    sessions[i] = opened_at("http", hole.port, TIMEOUT_MS);
  for (int i = 0; i < SESSIONS; i++)
    crowd_start(&people[i], sessions[i], waiters() / SESSIONS, fetch_locale);
  all_waited_in_vain(SESSIONS);
  if (!judge_runs_slowly())
    assert_in_range(peak_kb() - before, 0, WAITERS * WAITER_KB + SESSIONS * 8 * CONNECTION_KB);
  assert_true(peer_connections(&hole) >= SESSIONS);
  for (int i = 0; i < SESSIONS; i++)
    identity_session_close(sessions[i]);
  peer_stop(&hole);
}

static void fault_15_a_session_works_again_once_the_service_answers(void **state) {
  (void)state;
  identity_session *session = opened_at("http", server.port, TIMEOUT_MS);
  service_register(session, MAIL);
  service_fault(&server, "{\"hang\":true,\"times\":-1}");
  crowd_start(&people[0], session, waiters(), service_fetch);
  all_waited_in_vain(1);
  service_clear_faults(&server);
  assert_int_equal(crowd_successes(session, 32, service_fetch), 32);
  assert_int_equal(service_state_of(session), IDENTITY_STATE_ACTIVE);
  identity_session_close(session);
}

/* The JWT is over, the refresh hangs: nobody who gives up takes it along, and it is sent once for all of
 * them. */
static void fault_15_a_thousand_waiters_for_a_refresh_cost_it_nothing(void **state) {
  (void)state;
  identity_session *session = opened_at("http", server.port, TIMEOUT_MS);
  service_issue_short_jwt(&server, "/customers");
  service_register(session, MAIL);
  service_fault(&server, "{\"path\":\"" REFRESH "\",\"hang\":true,\"times\":-1}");
  service_pause_ms(1050);
  crowd_start(&people[0], session, waiters(), service_fetch);
  all_waited_in_vain(1);
  assert_int_equal(judge_refreshes(&server).sent, 1);
  service_send(&server, "POST", "release", "{}");
  service_clear_faults(&server);
  assert_int_equal(service_fetch(session, NULL), IDENTITY_OK);
  judged seen = judge_refreshes(&server);
  assert_int_equal(seen.sent, 1);
  assert_int_equal(seen.rotated, 1);
  assert_int_equal(service_state_of(session), IDENTITY_STATE_ACTIVE);
  identity_session_close(session);
}

/* ---- 27: silent accept, half-open connection ---- */

static void ends_in_time(const char *scheme, int port) {
  identity_error error;
  identity_session *session = opened_at(scheme, port, SHORT_MS);
  int64_t begun = service_now_ms();
  assert_int_equal(fetch_locale(session, &error), IDENTITY_TIMED_OUT);
  assert_in_range(service_now_ms() - begun, SHORT_MS - 1, SHORT_MS + judge_slack_ms());
  begun = service_now_ms();
  identity_session_close(session);
  assert_in_range(service_now_ms() - begun, 0, judge_slack_ms());
}

static void fault_27_a_service_that_only_accepts_is_given_up_in_time(void **state) {
  (void)state;
  peer silent;
  peer_start(&silent, NULL, 0, 0);
  ends_in_time("http", silent.port);
  ends_in_time("https", silent.port);
  assert_int_equal(peer_connections(&silent), 2);
  peer_stop(&silent);
}

static void fault_27_a_half_open_connection_is_left_for_another(void **state) {
  (void)state;
  relay between;
  relay_start(&between, server.port);
  identity_session *session = opened_at("http", between.port, TIMEOUT_MS);
  service_register(session, MAIL);
  assert_int_equal(relay_connections(&between), 1);
  relay_forget(&between);
  int64_t begun = service_now_ms();
  assert_int_equal(service_fetch(session, NULL), IDENTITY_TIMED_OUT);
  assert_in_range(service_now_ms() - begun, TIMEOUT_MS - 1, TIMEOUT_MS + judge_slack_ms());
  assert_int_equal(service_fetch(session, NULL), IDENTITY_OK);
  assert_int_equal(relay_connections(&between), 2);
  assert_int_equal(service_count(&server, "GET", "/customers/*", -1), 1);
  identity_session_close(session);
  relay_stop(&between);
}

/* The connection dies with a refresh in it: calls go on with the JWT, and close does not wait for the dead.
 */
static void fault_27_a_refresh_on_a_half_open_connection_costs_no_call(void **state) {
  (void)state;
  relay between;
  relay_start(&between, server.port);
  identity_session *session = opened_at("http", between.port, TIMEOUT_MS);
  service_register(session, MAIL);
  relay_forget(&between);
  assert_int_equal(identity_session_refresh(session, NULL), IDENTITY_TIMED_OUT);
  assert_int_equal(service_fetch(session, NULL), IDENTITY_OK);
  assert_int_equal(judge_refreshes(&server).sent, 0);
  int64_t begun = service_now_ms();
  identity_session_close(session);
  assert_in_range(service_now_ms() - begun, 0, 1000 + judge_slack_ms());
  relay_stop(&between);
}

/* A service that stands still, as under a debugger or a frozen virtual machine: its kernel still accepts. */
static void fault_27_a_service_that_stands_still_is_given_up_and_found_again(void **state) {
  (void)state;
  identity_session *session = opened_at("http", server.port, TIMEOUT_MS);
  service_register(session, MAIL);
  assert_int_equal(kill(server.process, SIGSTOP), 0);
  int64_t begun = service_now_ms();
  identity_status status = service_fetch(session, NULL);
  int64_t took = service_now_ms() - begun;
  assert_int_equal(kill(server.process, SIGCONT), 0);
  assert_int_equal(status, IDENTITY_TIMED_OUT);
  assert_in_range(took, TIMEOUT_MS - 1, TIMEOUT_MS + judge_slack_ms());
  assert_int_equal(service_fetch(session, NULL), IDENTITY_OK);
  identity_session_close(session);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test_setup(fault_15_a_thousand_callers_of_a_black_hole_are_let_go_in_time, reset),
    cmocka_unit_test_setup(fault_15_a_session_works_again_once_the_service_answers, reset),
    cmocka_unit_test_setup(fault_15_a_thousand_waiters_for_a_refresh_cost_it_nothing, reset),
    cmocka_unit_test_setup(fault_27_a_service_that_only_accepts_is_given_up_in_time, reset),
    cmocka_unit_test_setup(fault_27_a_half_open_connection_is_left_for_another, reset),
    cmocka_unit_test_setup(fault_27_a_refresh_on_a_half_open_connection_costs_no_call, reset),
    cmocka_unit_test_setup(fault_27_a_service_that_stands_still_is_given_up_and_found_again, reset),
};

SUITE_WITH("faults: waiting", tests, start, stop)
