/* Every _start twin once: what it brings, whose that is, and that it completes once, later, on the thread
 * that drives. */
#include "support/stage.h"
#include "support/twins.h"

#include <string.h>

static aloop shared;

static int begin(void **state) {
  (void)reset(state);
  twins_register(&server);
  aloop_start(&shared, service_config(&server), DRIVE_WAIT);
  return 0;
}

static int end(void **state) {
  (void)state;
  aloop_stop(&shared);
  return 0;
}

/* The mail is asked for past the loop. */
static void take_reset_token(void) {
  const identity_reset_link *parts = NULL;
  identity_session *session = service_open(&server, "forgetful");
  assert_int_equal(identity_request_password_reset(session, TWIN_MAIL, NULL, NULL), IDENTITY_OK);
  char *link = service_last_link(&server);
  assert_int_equal(identity_parse_reset_link(link, &parts, NULL), IDENTITY_OK);
  snprintf(twins_reset_token, sizeof twins_reset_token, "%s", parts->reset_token);
  service_watch_secret(twins_reset_token);
  identity_reset_link_free(parts);
  free(link);
  identity_session_close(session);
}

static identity_session *open_for(int which) {
  if (twins[which].signed_in)
    return twins_viewer(&shared, &server, twins[which].name);
  return aloop_open(&shared, &server, twins[which].name);
}

static void check_result(int which, const note *ended) {
  if ((twins[which].free_result == NULL) != (ended->result == NULL))
    fail_msg("%s: a result is %s", twins[which].name, ended->result == NULL ? "missing" : "there");
  if (ended->result != NULL && !twins[which].is_as_expected(ended->result))
    fail_msg("%s: the result is not what the service said", twins[which].name);
}

static void each_brings_its_result_in_one_completion_after_the_start_returned(void **state) {
  (void)state;
  take_reset_token();
  for (int which = 0; which < TWINS; which++) {
    note ended = {0};
    identity_session *session = open_for(which);
    twin_start(which, session, &ended);
    note_is_open(&ended);
    assert_int_equal(identity_loop_pending(shared.loop), 1);
    aloop_until(&shared, &ended, 1);
    if (ended.status != IDENTITY_OK)
      fail_msg("%s: %s", twins[which].name, ended.error.message);
    note_is(&ended, IDENTITY_OK);
    assert_true(pthread_equal(ended.thread, pthread_self()));
    assert_int_equal(identity_loop_pending(shared.loop), 0);
    check_result(which, &ended);
    aloop_settle(&shared);
    note_is(&ended, IDENTITY_OK);
    note_clear(&ended);
    identity_session_close(session);
  }
}

static void a_result_outlives_its_call_its_session_and_its_loop(void **state) {
  (void)state;
  note ended[TWINS] = {0};
  identity_session *session = twins_viewer(&shared, &server, "viewer");
  for (int which = 0; which < TWINS; which++)
    if (twins[which].free_result != NULL) {
      twin_start(which, session, &ended[which]);
      aloop_until(&shared, &ended[which], 1);
    }
  identity_session_close(session);
  aloop_stop(&shared);
  for (int which = 0; which < TWINS; which++)
    if (twins[which].free_result != NULL) {
      note_is(&ended[which], IDENTITY_OK);
      check_result(which, &ended[which]);
    }
  notes_clear(ended, TWINS);
  aloop_start(&shared, service_config(&server), DRIVE_WAIT);
}

/* Bodies are checked by what the service stored: the texts of the caller are gone by then. */
static void input_is_copied_before_the_start_returns(void **state) {
  (void)state;
  note ended = {0};
  char name[] = "Original";
  identity_update_customer_params params;
  identity_session *session = twins_viewer(&shared, &server, "viewer");
  identity_update_customer_params_init(&params, sizeof params);
  params.first_name = name;
  assert_int_equal(identity_update_customer_start(session, &params, note_done, &ended, &ended.call),
                   IDENTITY_OK);
  memset(name, 'x', sizeof name - 1);
  memset(&params, 0xEE, sizeof params);
  aloop_until(&shared, &ended, 1);
  note_is(&ended, IDENTITY_OK);
  probe_customer_is(&server, TWIN_MAIL, "first_name", "Original");
  note_clear(&ended);
  identity_session_close(session);
}

static void a_call_without_a_handle_completes_all_the_same(void **state) {
  (void)state;
  note ended = {.free_result = twins[TWIN_LOCALE].free_result};
  identity_session *session = aloop_open(&shared, &server, "viewer");
  assert_int_equal(identity_fetch_locale_start(session, NULL, note_done, &ended, NULL), IDENTITY_OK);
  aloop_until(&shared, &ended, 1);
  note_is(&ended, IDENTITY_OK);
  note_clear(&ended);
  identity_session_close(session);
}

#define MANY 50

static void calls_started_together_all_complete_each_once(void **state) {
  (void)state;
  note ended[MANY] = {0};
  int before = service_count(&server, "GET", "/locales", -1);
  identity_session *session = aloop_open(&shared, &server, "viewer");
  for (int i = 0; i < MANY; i++)
    twin_start(TWIN_LOCALE, session, &ended[i]);
  assert_int_equal(identity_loop_pending(shared.loop), MANY);
  aloop_until(&shared, ended, MANY);
  assert_int_equal(notes_with(ended, MANY, IDENTITY_OK), MANY);
  probe_sent(&server, "GET", "/locales", before + MANY);
  notes_clear(ended, MANY);
  identity_session_close(session);
}

static void the_next_step_asks_for_consents_and_form_at_the_same_time(void **state) {
  (void)state;
  note ended = {0};
  identity_session *session = twins_viewer(&shared, &server, "viewer");
  service_fault(&server, "[{\"path\":\"/customers/*/consents\",\"hang\":true},"
                         "{\"path\":\"/customers/*/capture/status\",\"hang\":true}]");
  twin_start(TWIN_NEXT_STEP, session, &ended);
  aloop_until_sent(&shared, &server, "GET", "/customers/*/consents", 1);
  aloop_until_sent(&shared, &server, "GET", "/customers/*/capture/status", 1);
  note_is_open(&ended);
  service_send(&server, "POST", "release", "{}");
  aloop_until(&shared, &ended, 1);
  note_is(&ended, IDENTITY_OK);
  check_result(TWIN_NEXT_STEP, &ended);
  note_clear(&ended);
  identity_session_close(session);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

static const struct CMUnitTest tests[] = {
    TEST(each_brings_its_result_in_one_completion_after_the_start_returned),
    TEST(a_result_outlives_its_call_its_session_and_its_loop),
    TEST(input_is_copied_before_the_start_returns),
    TEST(a_call_without_a_handle_completes_all_the_same),
    TEST(calls_started_together_all_complete_each_once),
    TEST(the_next_step_asks_for_consents_and_form_at_the_same_time),
};

SUITE_WITH("async_twins", tests, start, stop)
