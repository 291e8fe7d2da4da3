/* What to show next: consents, then capture, then nothing. */
#include "support/crowd.h"
#include "support/rotation.h"
#include "support/stage.h"

static const identity_next_step *next_step(identity_session *session) {
  identity_error error;
  const identity_next_step *step = NULL;
  if (identity_fetch_next_step(session, &step, &error) != IDENTITY_OK)
    fail_msg("next step: %s", error.message);
  return step;
}

static void consents_that_are_out_of_date_come_first_and_only_those(void **state) {
  (void)state;
  identity_session *session = service_open(&server, "viewer");
  service_register(session, "jo@example.com");
  service_send(&server, "PUT", "publishers/" TEST_PUBLISHER "/consents",
               "{\"versions\":{\"broadcaster_terms\":\"2\",\"broadcaster_marketing\":\"1.8\"}}");
  const identity_next_step *step = next_step(session);
  assert_int_equal(step->step, IDENTITY_STEP_CONSENTS);
  assert_null(step->capture);
  assert_int_equal(step->consents->count, 2);
  assert_string_equal(step->consents->items[0]->name, "broadcaster_terms");
  assert_string_equal(step->consents->items[0]->version, "1.7");
  assert_string_equal(step->consents->items[0]->newest_version, "2");
  assert_int_equal(step->consents->items[0]->needs_update, 1);
  assert_string_equal(step->consents->items[1]->name, "broadcaster_marketing");
  identity_next_step_free(step);
  probe_sent(&server, "GET", "/customers/*/capture/status", 0); /* not asked while consents are */
  identity_session_close(session);
}

static void a_required_consent_that_was_declined_is_asked_again(void **state) {
  (void)state;
  const identity_consent_answer declined = {"terms", "1", 0, 0};
  identity_session *session = service_open(&server, "viewer");
  service_register(session, "jo@example.com");
  assert_int_equal(identity_update_customer_consents(session, &declined, 1, NULL), IDENTITY_OK);
  const identity_next_step *step = next_step(session);
  assert_int_equal(step->step, IDENTITY_STEP_CONSENTS);
  assert_int_equal(step->consents->count, 1);
  assert_string_equal(step->consents->items[0]->name, "terms");
  identity_next_step_free(step);
  identity_session_close(session);
}

static void then_comes_the_capture_form(void **state) {
  (void)state;
  identity_session *session = service_open(&server, "viewer");
  service_register(session, "jo@example.com");
  const identity_next_step *step = next_step(session);
  assert_int_equal(step->step, IDENTITY_STEP_CAPTURE);
  assert_null(step->consents);
  assert_int_equal(step->capture->enabled, 1);
  assert_int_equal(step->capture->should_be_displayed, 1);
  assert_int_equal(step->capture->setting_count, 11);
  assert_string_equal(step->capture->settings[0]->answers[0]->value, "jo@example.com");
  identity_next_step_free(step);
  probe_sent(&server, "GET", "/customers/*/consents", 1);
  probe_sent(&server, "GET", "/customers/*/capture/status", 1);
  identity_session_close(session);
}

static void when_all_is_answered_there_is_nothing_to_show(void **state) {
  static const identity_capture_answer answers[] = {
      {"firstName", "Jo"}, {"lastName", "Doe"}, {"birthDate", "1990-01-31"}, {"custom_1", "Series"}};
  (void)state;
  identity_session *session = service_open(&server, "viewer");
  service_register(session, "jo@example.com");
  assert_int_equal(identity_update_capture_answers(session, answers, ROWS(answers), NULL), IDENTITY_OK);
  const identity_next_step *step = next_step(session);
  assert_int_equal(step->step, IDENTITY_STEP_NONE);
  assert_null(step->consents);
  assert_null(step->capture);
  identity_next_step_free(step);
  identity_session_close(session);
}

static void a_form_that_is_off_or_need_not_be_shown_is_not_shown(void **state) {
  static const struct {
    const char *flags;
    int32_t step;
  } rows[] = {
      {"\"isCaptureEnabled\":false,\"shouldCaptureBeDisplayed\":true", IDENTITY_STEP_NONE},
      {"\"isCaptureEnabled\":true,\"shouldCaptureBeDisplayed\":false", IDENTITY_STEP_NONE},
      {"\"isCaptureEnabled\":true,\"shouldCaptureBeDisplayed\":null", IDENTITY_STEP_NONE},
      {"\"isCaptureEnabled\":true", IDENTITY_STEP_NONE},
      {"\"isCaptureEnabled\":true,\"shouldCaptureBeDisplayed\":true", IDENTITY_STEP_CAPTURE},
  };
  (void)state;
  identity_session *session = service_open(&server, "viewer");
  service_register(session, "jo@example.com");
  for (size_t i = 0; i < ROWS(rows); i++) {
    char body[200];
    snprintf(body, sizeof body, "{\"responseData\":{%s,\"settings\":[]}}", rows[i].flags);
    probe_answer(&server, "GET", "/customers/*/capture/status", 200, body, NULL);
    const identity_next_step *step = next_step(session);
    assert_int_equal(step->step, rows[i].step);
    identity_next_step_free(step);
  }
  identity_session_close(session);
}

static void a_failure_of_either_question_fails_the_call(void **state) {
  static const char *const paths[] = {"/customers/*/consents", "/customers/*/capture/status"};
  (void)state;
  identity_session *session = service_open(&server, "viewer");
  service_register(session, "jo@example.com");
  for (size_t i = 0; i < ROWS(paths); i++) {
    identity_error error;
    const identity_next_step *step = (const identity_next_step *)&server;
    probe_answer(&server, "GET", paths[i], 200, "{\"responseData\":{}}", NULL);
    (void)identity_fetch_next_step(session, &step, &error);
    probe_status(paths[i], &error, IDENTITY_UNEXPECTED_ANSWER, NULL);
    assert_null(step);
  }
  identity_session_close(session);
}

/* ---- over HTTP/1.1 a blocking session has one connection ---- */

static identity_status fetch_capture_step(identity_session *session, identity_error *error) {
  const identity_next_step *step = NULL;
  identity_status status = identity_fetch_next_step(session, &step, error);
  if (status == IDENTITY_OK && step->step != IDENTITY_STEP_CAPTURE)
    status = IDENTITY_UNEXPECTED_ANSWER;
  identity_next_step_free(step);
  return status;
}

static void the_form_is_asked_for_when_the_consents_are_here(void **state) {
  (void)state;
  crowd one;
  identity_session *session = service_open(&server, "viewer");
  service_register(session, "jo@example.com");
  int connections = service_connections(&server);
  service_fault(&server, "{\"method\":\"GET\",\"path\":\"/customers/*/consents\",\"hang\":true}");
  crowd_start(&one, session, 1, fetch_capture_step);
  rotation_await_request(&server, "GET", "/customers/*/consents", 1);
  service_pause_ms(100); /* one that is asked at the same time would be here by then */
  probe_sent(&server, "GET", "/customers/*/capture/status", 0);
  rotation_release(&server);
  crowd_join(&one);
  assert_int_equal(crowd_count(&one, IDENTITY_OK), 1);
  probe_sent(&server, "GET", "/customers/*/consents", 1);
  probe_sent(&server, "GET", "/customers/*/capture/status", 1);
  assert_true(probe_place(&server, "GET", "/customers/*/consents") <
              probe_place(&server, "GET", "/customers/*/capture/status"));
  assert_int_equal(service_connections(&server), connections);
  identity_session_close(session);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test_setup(consents_that_are_out_of_date_come_first_and_only_those, reset),
    cmocka_unit_test_setup(a_required_consent_that_was_declined_is_asked_again, reset),
    cmocka_unit_test_setup(then_comes_the_capture_form, reset),
    cmocka_unit_test_setup(when_all_is_answered_there_is_nothing_to_show, reset),
    cmocka_unit_test_setup(a_form_that_is_off_or_need_not_be_shown_is_not_shown, reset),
    cmocka_unit_test_setup(a_failure_of_either_question_fails_the_call, reset),
    cmocka_unit_test_setup(the_form_is_asked_for_when_the_consents_are_here, reset),
};

SUITE_WITH("next_step", tests, start, stop)
