/* What a session tells of what happened to it: each event of its own doings and of the service's answers, in
 * order and numbered. */
#include "support/crowd.h"
#include "support/host_clock.h"
#include "support/news.h"
#include "support/rotation.h"
#include "support/stage.h"

#include <identity/server.h>

#define MAIL "jo@example.com"
#define DEFINITE "\"status\":401,\"body\":{\"errors\":[\"Refresh token is expired or does not exist\"]}"
#define ROTATED "state active>refreshing, token_refreshed, state refreshing>active"

/* Signed in, and the news of that are read. */
static news signed_in(void) {
  news paper = {.session = service_open(&server, "viewer")};
  service_register(paper.session, MAIL);
  news_skip(&paper);
  return paper;
}

static char *customer_of(identity_session *session) {
  const identity_state *seen = NULL;
  assert_int_equal(identity_session_state(session, &seen, NULL), IDENTITY_OK);
  assert_non_null(seen->customer_id);
  char *id = strdup(seen->customer_id);
  identity_state_free(seen);
  assert_non_null(id);
  return id;
}

/* ---- who ---- */

static void a_registration_tells_of_the_sign_in_and_not_of_consents_that_arrived(void **state) {
  (void)state;
  news paper = {.session = service_open(&server, "viewer")};
  news_are(&paper, "");
  service_register(paper.session, MAIL);
  news_are(&paper, "signed_in register, state signed_out>active");
  assert_int_equal(paper.number, 2);
  identity_session_close(paper.session);
}

static void consents_that_did_not_arrive_are_told_once(void **state) {
  (void)state;
  news paper = {.session = service_open(&server, "viewer")};
  service_fault(&server,
                "{\"method\":\"PUT\",\"path\":\"/customers/*/consents\",\"status\":500,\"times\":2}");
  service_register(paper.session, MAIL);
  assert_int_equal(service_pending_of(paper.session), 1);
  news_are(&paper, "signed_in register, state signed_out>active, consents_pending");
  assert_int_equal(service_fetch(paper.session, NULL), IDENTITY_OK); /* and there they go */
  assert_int_equal(service_pending_of(paper.session), 0);
  news_are(&paper, "");
  identity_session_close(paper.session);
}

static identity_status adopt(identity_session *session) {
  char *jwt;
  char *refresh_token;
  service_login_raw(&server, MAIL, &jwt, &refresh_token);
  identity_status status = identity_session_adopt(session, jwt, refresh_token, NULL);
  free(jwt);
  free(refresh_token);
  return status;
}

static identity_status log_in(identity_session *session) {
  return service_login(session, MAIL, TEST_PASSWORD, NULL);
}

static identity_status sign_on(identity_session *session) {
  return identity_sso_login(session, "sandbox-publisher-token", MAIL, NULL, NULL);
}

static void each_way_in_has_its_name(void **state) {
  (void)state;
  static const struct {
    identity_status (*run)(identity_session *session);
    const char *first, *again;
  } ways[] = {
      {log_in, "signed_in login, state signed_out>active", "signed_in login"},
      {sign_on, "signed_in sso, state signed_out>active", "signed_in sso"},
      {adopt, "signed_in adopt, state signed_out>active", "signed_in adopt"},
  };
  news owner = signed_in();
  for (size_t i = 0; i < ROWS(ways); i++) {
    news paper = {.session = service_open(&server, "viewer")};
    assert_int_equal(ways[i].run(paper.session), IDENTITY_OK);
    news_are(&paper, ways[i].first);
    assert_int_equal(ways[i].run(paper.session), IDENTITY_OK); /* in the place of the old session */
    news_are(&paper, ways[i].again);
    identity_session_close(paper.session);
  }
  identity_session_close(owner.session);
}

static void a_login_that_is_refused_is_no_news(void **state) {
  (void)state;
  news paper = signed_in();
  assert_int_equal(service_login(paper.session, MAIL, "Wrong-passw0rd", NULL), IDENTITY_WRONG_CREDENTIALS);
  news_are(&paper, "");
  identity_session_close(paper.session);
}

static void each_way_out_has_its_name(void **state) {
  (void)state;
  news paper = signed_in();
  assert_int_equal(identity_logout(paper.session, NULL), IDENTITY_OK);
  news_are(&paper, "signed_out logout, state active>signed_out logout");
  assert_int_equal(log_in(paper.session), IDENTITY_OK);
  news_are(&paper, "signed_in login, state signed_out>active");
  assert_int_equal(identity_logout_everywhere(paper.session, NULL), IDENTITY_OK);
  news_are(&paper, "signed_out logout_everywhere, state active>signed_out logout_everywhere");
  identity_session_close(paper.session);
}

/* ---- the refresh ---- */

static void a_refresh_tells_when_it_begins_and_what_came_of_it(void **state) {
  (void)state;
  news paper = signed_in();
  assert_int_equal(identity_session_refresh(paper.session, NULL), IDENTITY_OK);
  news_are(&paper, ROTATED);
  service_shift_clock(&server, 200); /* less than what makes a clock suspect */
  service_fault(&server, "{\"method\":\"GET\",\"path\":\"/customers/*\",\"status\":401,\"body\":{\"errors\":["
                         "\"Expired JWT\"]},\"headers\":{\"Date\":\"Fri, 01 Jan 2100 00:00:00 GMT\"}}");
  assert_int_equal(service_fetch(paper.session, NULL), IDENTITY_OK); /* a 401 causes one, too */
  news_are(&paper, "clock_suspect, " ROTATED);
  identity_session_close(paper.session);
}

static void a_refresh_that_failed_tells_why_and_until_when(void **state) {
  (void)state;
  static const struct {
    const char *fault, *wanted;
    int64_t quiet_ms, least_ms, most_ms;
  } rows[] = {
      {"\"status\":500,\"body\":\"\"",
       "state active>refreshing, state refreshing>stale, refresh_deferred SERVICE_FAILED", 0, 190000, 400000},
      {"\"status\":503,\"body\":\"\",\"headers\":{\"Retry-After\":\"600\"}",
       "state active>refreshing, throttled, state refreshing>stale, refresh_deferred SERVICE_FAILED", 600000,
       590000, 750000},
      {"\"status\":429,\"body\":\"\",\"headers\":{\"Retry-After\":\"700\"}",
       "state active>refreshing, throttled, state refreshing>stale, refresh_deferred THROTTLED", 700000,
       690000, 875000},
      {"\"status\":401,\"body\":{\"errors\":[\"No\"]}",
       "state active>refreshing, state refreshing>stale, refresh_deferred REFRESH_DEFERRED", 0, 290000,
       300000},
  };
  for (size_t i = 0; i < ROWS(rows); i++) {
    service_reset(&server);
    news paper = signed_in();
    rotation_fault(&server, rows[i].fault);
    assert_int_not_equal(identity_session_refresh(paper.session, NULL), IDENTITY_OK);
    news_are(&paper, rows[i].wanted);
    int last = rows[i].quiet_ms > 0 ? 1 : 0;
    assert_int_equal(paper.amount_count, last + 1);
    assert_true(last == 0 || paper.amounts[0] == rows[i].quiet_ms);
    assert_true(paper.amounts[last] > rows[i].least_ms && paper.amounts[last] <= rows[i].most_ms);
    identity_session_close(paper.session);
  }
}

static void a_stale_session_that_recovers_says_so(void **state) {
  static host_clock hands;
  (void)state;
  host_clock_start(&hands, NULL, 5 * 3600 * 1000);
  news paper = {.session = host_clock_open(&hands, &server, "viewer")};
  service_register(paper.session, MAIL);
  rotation_fault(&server, "\"status\":500,\"body\":\"\"");
  assert_int_not_equal(identity_session_refresh(paper.session, NULL), IDENTITY_OK);
  host_clock_sleep(&hands, service_wait_of(paper.session) + 5);
  host_clock_set_wall(&hands, 0); /* the service has not slept */
  news_skip(&paper);
  assert_int_equal(identity_session_refresh(paper.session, NULL), IDENTITY_OK);
  news_are(&paper, "state stale>refreshing, token_refreshed, state refreshing>active");
  identity_session_close(paper.session);
}

static void a_call_that_is_throttled_tells_for_how_long(void **state) {
  (void)state;
  news paper = signed_in();
  service_fault(&server, "{\"path\":\"/locales\",\"status\":429,\"headers\":{\"Retry-After\":\"7\"}}");
  const identity_locale *locale = NULL;
  assert_int_equal(identity_fetch_locale(paper.session, NULL, &locale, NULL), IDENTITY_THROTTLED);
  news_are(&paper, "throttled");
  assert_int_equal(paper.amounts[0], 7000);
  identity_session_close(paper.session);
}

/* ---- the end ---- */

static void a_refusal_for_good_names_the_customer_until_somebody_else_is_signed_in(void **state) {
  (void)state;
  for (int read_late = 0; read_late < 2; read_late++) {
    service_reset(&server);
    news paper = signed_in();
    char *customer = customer_of(paper.session);
    rotation_fault(&server, DEFINITE);
    assert_int_equal(identity_session_refresh(paper.session, NULL), IDENTITY_SESSION_ENDED);
    if (read_late)
      service_register(paper.session, "another@example.com");
    news_are(&paper, read_late ? "state active>refreshing, reauth_required refused, "
                                 "state refreshing>reauth_required refused, signed_in register, "
                                 "state reauth_required>active"
                               : "state active>refreshing, reauth_required refused, "
                                 "state refreshing>reauth_required refused");
    assert_string_equal(paper.customer, read_late ? "" : customer);
    free(customer);
    identity_session_close(paper.session);
  }
}

static void a_refusal_after_a_lost_answer_is_a_lost_rotation(void **state) {
  (void)state;
  news paper = signed_in();
  char *customer = customer_of(paper.session);
  rotation_fault(&server, "\"drop\":\"after\"");
  assert_int_equal(identity_session_refresh(paper.session, NULL), IDENTITY_CONNECTION_LOST);
  news_are(&paper, "state active>refreshing, state refreshing>stale, refresh_deferred CONNECTION_LOST");
  rotation_wait_for_retry(paper.session);
  assert_int_equal(identity_session_refresh(paper.session, NULL), IDENTITY_SESSION_ENDED);
  news_are(&paper, "state stale>refreshing, reauth_required lost_rotation, "
                   "state refreshing>reauth_required lost_rotation");
  assert_string_equal(paper.customer, customer);
  free(customer);
  identity_session_close(paper.session);
}

static void an_adopted_jwt_that_ends_says_that_there_was_no_refresh_token(void **state) {
  (void)state;
  char *jwt;
  char *unused;
  news owner = signed_in();
  service_login_raw(&server, MAIL, &jwt, &unused);
  news paper = {.session = service_open(&server, "viewer")};
  assert_int_equal(identity_session_adopt(paper.session, jwt, NULL, NULL), IDENTITY_OK);
  news_are(&paper, "signed_in adopt, state signed_out>active");
  service_shift_clock(&server, 901);
  assert_int_equal(service_fetch(paper.session, NULL), IDENTITY_SESSION_ENDED);
  news_are(&paper, "clock_suspect, reauth_required no_refresh_token, "
                   "state active>reauth_required no_refresh_token");
  free(jwt);
  free(unused);
  identity_session_close(paper.session);
  identity_session_close(owner.session);
}

static void tokens_that_a_new_address_has_ended_say_so(void **state) {
  (void)state;
  identity_update_customer_params params;
  news paper = signed_in();
  service_send(&server, "PUT", "settings", "{\"revoke_on_email_change\":true}");
  identity_update_customer_params_init(&params, sizeof params);
  params.email = "new@example.com";
  params.confirmation_password = TEST_PASSWORD;
  assert_int_equal(identity_update_customer(paper.session, &params, NULL), IDENTITY_OK);
  probe_reason(paper.session, IDENTITY_STATE_REAUTH_REQUIRED, IDENTITY_REASON_CREDENTIALS_CHANGED);
  news_are(&paper, "state active>refreshing, reauth_required refused, "
                   "state refreshing>reauth_required refused, reauth_required credentials_changed");
  identity_session_close(paper.session);
}

/* ---- numbers ---- */

enum { ROTATIONS = 25 };

static void the_oldest_go_when_nobody_reads_and_the_gap_shows_it(void **state) {
  (void)state;
  const identity_event *event = NULL;
  news paper = signed_in();
  uint64_t before = paper.number;
  for (int i = 0; i < ROTATIONS; i++)
    assert_int_equal(identity_session_refresh(paper.session, NULL), IDENTITY_OK);
  assert_int_equal(identity_session_next_event(paper.session, &event, NULL), IDENTITY_OK);
  assert_non_null(event);
  assert_int_equal(event->number, before + 3 * ROTATIONS - 63);
  identity_event_free(event);
  news_skip(&paper);
  assert_int_equal(paper.number, before + 3 * ROTATIONS);
  assert_int_equal(identity_session_refresh(paper.session, NULL), IDENTITY_OK);
  news_are(&paper, ROTATED);
  identity_session_close(paper.session);
}

static void bad_arguments_are_told(void **state) {
  (void)state;
  const identity_event *event = NULL;
  identity_error error;
  identity_session *session = service_open(&server, "viewer");
  assert_int_equal(identity_session_next_event(NULL, &event, &error), IDENTITY_BAD_ARGUMENT);
  assert_string_equal(error.field, "session");
  assert_int_equal(identity_session_next_event(session, NULL, &error), IDENTITY_BAD_ARGUMENT);
  assert_string_equal(error.field, "event");
  identity_event_free(NULL);
  identity_session_close(session);
}

/* ---- two readers ---- */

/* Three events each: all fit into the queue, so that none is dropped, however late the readers are. */
enum { READERS = 2, MOST_READ = 400, TOGETHER = 20 };

typedef struct reader {
  pthread_t thread;
  identity_session *session;
  volatile int *over;
  uint64_t numbers[MOST_READ];
  int count;
  int failures;
} reader;

static void *read_events(void *argument) {
  reader *self = argument;
  bool last;
  do {
    const identity_event *event = NULL;
    last = __atomic_load_n(self->over, __ATOMIC_SEQ_CST); /* then one more look */
    self->failures += identity_session_next_event(self->session, &event, NULL) != IDENTITY_OK;
    if (event != NULL && self->count < MOST_READ)
      self->numbers[self->count++] = event->number;
    last = last && event == NULL;
    identity_event_free(event);
  } while (!last);
  return NULL;
}

static void two_readers_get_each_event_once_and_in_order(void **state) {
  (void)state;
  static reader readers[READERS];
  static int seen[3 * TOGETHER + 1];
  int over = 0;
  int total = 0;
  news paper = signed_in();
  memset(readers, 0, sizeof readers);
  for (int i = 0; i < READERS; i++) {
    readers[i].session = paper.session;
    readers[i].over = &over;
    assert_int_equal(pthread_create(&readers[i].thread, NULL, read_events, &readers[i]), 0);
  }
  for (int i = 0; i < TOGETHER; i++)
    assert_int_equal(identity_session_refresh(paper.session, NULL), IDENTITY_OK);
  __atomic_store_n(&over, 1, __ATOMIC_SEQ_CST);
  for (int i = 0; i < READERS; i++)
    assert_int_equal(pthread_join(readers[i].thread, NULL), 0);
  for (int i = 0; i < READERS; i++) {
    assert_int_equal(readers[i].failures, 0);
    total += readers[i].count;
    for (int at = 0; at < readers[i].count; at++) {
      assert_true(at == 0 || readers[i].numbers[at] > readers[i].numbers[at - 1]);
      assert_in_range(readers[i].numbers[at], paper.number + 1, paper.number + 3 * TOGETHER);
      assert_int_equal(seen[readers[i].numbers[at] - paper.number]++, 0);
    }
  }
  assert_int_equal(total, 3 * TOGETHER);
  identity_session_close(paper.session);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test_setup(a_registration_tells_of_the_sign_in_and_not_of_consents_that_arrived, reset),
    cmocka_unit_test_setup(consents_that_did_not_arrive_are_told_once, reset),
    cmocka_unit_test_setup(each_way_in_has_its_name, reset),
    cmocka_unit_test_setup(a_login_that_is_refused_is_no_news, reset),
    cmocka_unit_test_setup(each_way_out_has_its_name, reset),
    cmocka_unit_test_setup(a_refresh_tells_when_it_begins_and_what_came_of_it, reset),
    cmocka_unit_test_setup(a_refresh_that_failed_tells_why_and_until_when, reset),
    cmocka_unit_test_setup(a_stale_session_that_recovers_says_so, reset),
    cmocka_unit_test_setup(a_call_that_is_throttled_tells_for_how_long, reset),
    cmocka_unit_test_setup(a_refusal_for_good_names_the_customer_until_somebody_else_is_signed_in, reset),
    cmocka_unit_test_setup(a_refusal_after_a_lost_answer_is_a_lost_rotation, reset),
    cmocka_unit_test_setup(an_adopted_jwt_that_ends_says_that_there_was_no_refresh_token, reset),
    cmocka_unit_test_setup(tokens_that_a_new_address_has_ended_say_so, reset),
    cmocka_unit_test_setup(the_oldest_go_when_nobody_reads_and_the_gap_shows_it, reset),
    cmocka_unit_test_setup(bad_arguments_are_told, reset),
    cmocka_unit_test_setup(two_readers_get_each_event_once_and_in_order, reset),
};

SUITE_WITH("session events", tests, start, stop)
