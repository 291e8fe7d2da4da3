/* The handle of a call: given back at any time, of any use only while the call runs, and no part of whether
 * it completes. And its own deadline. */
#define STAGE_DRIVE DRIVE_WAIT

#include "support/judge.h"
#include "support/shared.h"
#include "support/twins.h"

static void free_handle(note *self) {
  identity_call_free(self->call);
  self->call = NULL;
}

static void a_handle_is_freed_before_inside_and_after_the_completion(void **state) {
  (void)state;
  note before = {0}, inside = {.then = free_handle}, after = {0};
  identity_session *session = aloop_open(&shared, &server, "viewer");
  twin_start(TWIN_LOCALE, session, &before);
  twin_start(TWIN_LOCALE, session, &inside);
  twin_start(TWIN_LOCALE, session, &after);
  free_handle(&before);
  aloop_until(&shared, &before, 1);
  aloop_until(&shared, &inside, 1);
  aloop_until(&shared, &after, 1);
  aloop_settle(&shared);
  note_is(&before, IDENTITY_OK);
  note_is(&inside, IDENTITY_OK);
  note_is(&after, IDENTITY_OK);
  free_handle(&after);
  identity_call_free(NULL);
  note_clear(&before);
  note_clear(&inside);
  note_clear(&after);
  identity_session_close(session);
}

static void a_call_that_was_cancelled_and_whose_handle_is_gone_completes_once(void **state) {
  (void)state;
  note ended = {0};
  identity_session *session = aloop_open(&shared, &server, "viewer");
  service_fault(&server, "{\"path\":\"/locales\",\"hang\":true}");
  twin_start(TWIN_LOCALE, session, &ended);
  aloop_until_sent(&shared, &server, "GET", "/locales", 1);
  identity_call_cancel(ended.call);
  free_handle(&ended);
  aloop_until(&shared, &ended, 1);
  aloop_settle(&shared);
  note_is(&ended, IDENTITY_CANCELLED);
  note_clear(&ended);
  identity_session_close(session);
}

static void a_handle_outlives_its_session_and_its_loop(void **state) {
  (void)state;
  note ended = {0};
  identity_session *session = aloop_open(&shared, &server, "viewer");
  twin_start(TWIN_LOCALE, session, &ended);
  identity_session_close(session);
  identity_call_cancel(ended.call);
  aloop_stop(&shared);
  note_is(&ended, IDENTITY_CANCELLED);
  identity_call_cancel(ended.call);
  (void)identity_call_set_timeout_ms(ended.call, 1000);
  note_clear(&ended);
  note_is(&ended, IDENTITY_CANCELLED);
  aloop_start(&shared, service_config(&server), DRIVE_WAIT);
}

/* ---- deadlines ---- */

static identity_session *patient(uint32_t timeout_ms) {
  identity_config *config = service_config(&server);
  assert_int_equal(identity_config_set_timeout_ms(config, timeout_ms), IDENTITY_OK);
  return aloop_open_with(&shared, config, "viewer");
}

static void a_deadline_of_its_own_is_from_100_to_600000_ms(void **state) {
  static const struct {
    uint32_t timeout_ms;
    identity_status status;
  } rows[] = {
      {0, IDENTITY_BAD_ARGUMENT}, {99, IDENTITY_BAD_ARGUMENT},     {100, IDENTITY_OK},
      {600000, IDENTITY_OK},      {600001, IDENTITY_BAD_ARGUMENT}, {UINT32_MAX, IDENTITY_BAD_ARGUMENT}};
  (void)state;
  note ended = {0};
  identity_session *session = aloop_open(&shared, &server, "viewer");
  twin_start(TWIN_LOCALE, session, &ended);
  for (size_t i = 0; i < ROWS(rows); i++)
    assert_int_equal(identity_call_set_timeout_ms(ended.call, rows[i].timeout_ms), rows[i].status);
  assert_int_equal(identity_call_set_timeout_ms(NULL, 1000), IDENTITY_BAD_ARGUMENT);
  assert_int_equal(identity_call_set_timeout_ms(ended.call, 30000), IDENTITY_OK);
  aloop_until(&shared, &ended, 1);
  note_is(&ended, IDENTITY_OK);
  note_clear(&ended);
  identity_session_close(session);
}

static void a_shorter_deadline_ends_a_call_before_that_of_the_config(void **state) {
  (void)state;
  note ours = {0}, other = {0};
  identity_session *session = patient(600000);
  service_fault(&server, "{\"path\":\"/locales\",\"times\":-1,\"hang\":true}");
  twin_start(TWIN_LOCALE, session, &ours);
  twin_start(TWIN_LOCALE, session, &other);
  assert_int_equal(identity_call_set_timeout_ms(ours.call, 150), IDENTITY_OK);
  aloop_until(&shared, &ours, 1);
  note_is(&ours, IDENTITY_TIMED_OUT);
  note_is_open(&other);
  identity_call_cancel(other.call);
  aloop_until(&shared, &other, 1);
  note_is(&other, IDENTITY_CANCELLED);
  note_clear(&ours);
  note_clear(&other);
  identity_session_close(session);
}

/* It counts from when it was set, also while the loop sleeps in a longer wait. */
static void a_deadline_set_on_a_running_call_holds_from_then(void **state) {
  (void)state;
  note ended = {0};
  identity_session *session = patient(600000);
  service_fault(&server, "{\"path\":\"/locales\",\"times\":-1,\"hang\":true}");
  twin_start(TWIN_LOCALE, session, &ended);
  aloop_until_sent(&shared, &server, "GET", "/locales", 1);
  int64_t set_ms = service_now_ms();
  assert_int_equal(identity_call_set_timeout_ms(ended.call, 200), IDENTITY_OK);
  aloop_until(&shared, &ended, 1);
  note_is(&ended, IDENTITY_TIMED_OUT);
  assert_true(service_now_ms() - set_ms >= 195);
  assert_true(service_now_ms() - set_ms < 200 + 200 + judge_slack_ms());
  note_clear(&ended);
  identity_session_close(session);
}

static void a_longer_deadline_lets_a_call_outlast_that_of_the_config(void **state) {
  (void)state;
  note longer = {0}, other = {0};
  identity_session *session = patient(200);
  service_fault(&server, "{\"path\":\"/locales\",\"times\":-1,\"hang\":true}");
  twin_start(TWIN_LOCALE, session, &longer);
  twin_start(TWIN_LOCALE, session, &other);
  assert_int_equal(identity_call_set_timeout_ms(longer.call, 60000), IDENTITY_OK);
  aloop_until(&shared, &other, 1);
  note_is(&other, IDENTITY_TIMED_OUT);
  note_is_open(&longer);
  service_send(&server, "POST", "release", "{}");
  aloop_until(&shared, &longer, 1);
  note_is(&longer, IDENTITY_OK);
  note_clear(&longer);
  note_clear(&other);
  identity_session_close(session);
}

#define MORE 80 /* more than may run at a time */

static void calls_that_wait_in_line_have_deadlines_too(void **state) {
  (void)state;
  note calls[MORE] = {0};
  identity_session *session = patient(300);
  service_fault(&server, "{\"path\":\"/locales\",\"times\":-1,\"hang\":true}");
  for (int i = 0; i < MORE; i++)
    twin_start(TWIN_LOCALE, session, &calls[i]);
  aloop_until(&shared, calls, MORE);
  assert_int_equal(notes_with(calls, MORE, IDENTITY_TIMED_OUT), MORE);
  notes_clear(calls, MORE);
  identity_session_close(session);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

static const struct CMUnitTest tests[] = {
    TEST(a_handle_is_freed_before_inside_and_after_the_completion),
    TEST(a_call_that_was_cancelled_and_whose_handle_is_gone_completes_once),
    TEST(a_handle_outlives_its_session_and_its_loop),
    TEST(a_deadline_of_its_own_is_from_100_to_600000_ms),
    TEST(a_shorter_deadline_ends_a_call_before_that_of_the_config),
    TEST(a_deadline_set_on_a_running_call_holds_from_then),
    TEST(a_longer_deadline_lets_a_call_outlast_that_of_the_config),
    TEST(calls_that_wait_in_line_have_deadlines_too),
};

SUITE_WITH("async_handles", tests, start, stop)
