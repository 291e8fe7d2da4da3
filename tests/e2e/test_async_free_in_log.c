/* A loop is freed by the app's log function, which runs inside whatever function of the app drives it: it is
 * gone when that returns. */
#include "support/shared.h"
#include "support/twins.h"

enum { CALLS = 3 };

static identity_loop *to_free;
static const char *free_at; /* the line */
static note others[CALLS];  /* of another session, and without an answer */

static void free_loop(int32_t level, const char *line, void *user_data) {
  (void)level, (void)user_data;
  if (to_free == NULL || strstr(line, free_at) == NULL)
    return;
  identity_loop_free(to_free);
  to_free = NULL;
}

static identity_session *open_freeing(const char *at) {
  identity_config *config = service_config(&server);
  assert_int_equal(identity_config_set_log(config, IDENTITY_LOG_DEBUG, free_loop, NULL), IDENTITY_OK);
  to_free = shared.loop;
  free_at = at;
  return aloop_open_with(&shared, config, "viewer");
}

static identity_session *open_waiting(void) {
  service_fault(&server, "{\"path\":\"/publishers/*/consents\",\"times\":-1,\"hang\":true}");
  memset(others, 0, sizeof others);
  identity_session *session = aloop_open(&shared, &server, "other");
  for (int i = 0; i < CALLS; i++)
    twin_start(TWIN_PUBLISHER_CONSENTS, session, &others[i]);
  return session;
}

static void loop_is_gone(identity_session *session, identity_session *other) {
  assert_null(to_free);
  shared.loop = NULL;
  for (int i = 0; i < CALLS; i++)
    note_is(&others[i], IDENTITY_CANCELLED);
  notes_clear(others, CALLS);
  twin_is_refused(TWIN_LOCALE, session, IDENTITY_LOOP_GONE);
  twin_is_refused(TWIN_LOCALE, other, IDENTITY_LOOP_GONE);
  identity_session_close(session);
  identity_session_close(other);
}

/* Which itself goes on to its end. */
static void in_a_blocking_call(void **state) {
  static const char *const lines[] = {"/locales -> HTTP 200", "fetch_locale: OK"};
  for (size_t i = 0; i < ROWS(lines); i++) {
    const identity_locale *locale = NULL;
    identity_session *other = open_waiting();
    identity_session *session = open_freeing(lines[i]);
    assert_int_equal(identity_fetch_locale(session, NULL, &locale, NULL), IDENTITY_OK);
    assert_string_equal(locale->country, "US");
    loop_is_gone(session, other);
    identity_locale_free(locale);
    if (i + 1 < ROWS(lines))
      (void)begin(state);
  }
}

static void in_a_blocking_call_that_fails(void **state) {
  (void)state;
  const identity_locale *locale = NULL;
  identity_session *other = open_waiting();
  identity_session *session = open_freeing("HTTP 404");
  service_fault(&server, "{\"path\":\"/locales\",\"times\":-1,\"status\":404,\"body\":\"\"}");
  assert_int_not_equal(identity_fetch_locale(session, NULL, &locale, NULL), IDENTITY_OK);
  loop_is_gone(session, other);
}

/* Though no completion is due yet. */
static void in_a_loop_that_waits_as_long_as_it_takes(void **state) {
  (void)state;
  note ended = {0};
  identity_session *other = open_waiting();
  identity_session *session = open_freeing("HTTP 503");
  service_fault(&server, "{\"path\":\"/locales\",\"status\":503,\"body\":\"\"}");
  service_fault(&server, "{\"path\":\"/locales\",\"times\":-1,\"hang\":true}");
  twin_start(TWIN_LOCALE, session, &ended);
  assert_int_equal(identity_loop_run(shared.loop, -1), IDENTITY_OK);
  note_is(&ended, IDENTITY_CANCELLED);
  note_clear(&ended);
  loop_is_gone(session, other);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test_setup_teardown(in_a_blocking_call, begin, end),
    cmocka_unit_test_setup_teardown(in_a_blocking_call_that_fails, begin, end),
    cmocka_unit_test_setup_teardown(in_a_loop_that_waits_as_long_as_it_takes, begin, end),
};

SUITE_WITH("async_free_in_log", tests, start, stop)
