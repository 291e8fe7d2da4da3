/* Memory is out once, at each place in turn: a call that was taken completes once all the same, and one that
 * was not never does. */
#include "support/allocations.h"
#include "support/host_clock.h"
#include "support/rotation.h"
#include "support/stage.h"
#include "support/twins.h"

enum { MOST_PLACES = 2000 };

static void fail_at(int place) {
  allocations_failed = 0;
  allocations_pause_ms = -1; /* one fails */
  allocations_left = place;
}

static bool has_failed(void) {
  allocations_left = -1;
  return allocations_failed > 0;
}

/* ---- loop and session ---- */

static void a_loop_is_made_or_not_and_says_why(void **state) {
  (void)state;
  int failed = 0;
  identity_config *config = service_config(&server);
  for (int place = 0; place < MOST_PLACES; place++) {
    identity_error error;
    identity_loop *loop = NULL;
    fail_at(place);
    identity_status status = identity_loop_new(config, &loop, &error);
    bool out = has_failed();
    assert_int_equal(status, out ? IDENTITY_OUT_OF_MEMORY : IDENTITY_OK);
    assert_int_equal(error.status, status);
    assert_true((loop != NULL) == (status == IDENTITY_OK));
    identity_loop_free(loop);
    failed += out;
    if (!out)
      break;
  }
  assert_in_range(failed, 3, MOST_PLACES - 1);
  identity_config_free(config);
}

static void a_session_is_opened_on_a_loop_or_not_and_says_why(void **state) {
  (void)state;
  int failed = 0;
  aloop shared;
  identity_config *config = service_config(&server);
  aloop_start(&shared, service_config(&server), DRIVE_TICK);
  for (int place = 0; place < MOST_PLACES; place++) {
    identity_error error;
    identity_session *session = NULL;
    fail_at(place);
    identity_status status = identity_session_open_on(shared.loop, config, "viewer", &session, &error);
    bool out = has_failed();
    assert_true(status == IDENTITY_OK || (out && status == IDENTITY_OUT_OF_MEMORY));
    assert_true((session != NULL) == (status == IDENTITY_OK));
    identity_session_close(session);
    aloop_settle(&shared);
    failed += out;
    if (!out)
      break;
  }
  assert_in_range(failed, 3, MOST_PLACES - 1);
  identity_config_free(config);
  aloop_stop(&shared);
}

/* ---- calls ---- */

static bool is_clear(identity_status status) {
  switch (identity_status_class(status)) {
  case IDENTITY_CLASS_OK:
  case IDENTITY_CLASS_RETRY_LATER:
  case IDENTITY_CLASS_OUTCOME_UNKNOWN:
  case IDENTITY_CLASS_FIX_DEVICE: /* the store could not be written */
  case IDENTITY_CLASS_FIX_INPUT:  /* registered by the attempt before */
  case IDENTITY_CLASS_UPDATE_APP: /* an answer that there was no room for */
    return true;
  default:
    return false;
  }
}

/* True: no allocation was left to fail. */
static bool run_with_failure(aloop *shared, int which, identity_session *session, int place) {
  note ended = {0};
  note_begin(&ended, twins[which].free_result);
  fail_at(place);
  identity_status status = twins[which].start(session, note_done, &ended, &ended.call);
  note_begun(&ended);
  if (status == IDENTITY_OK)
    aloop_until(shared, &ended, 1);
  bool out = has_failed();
  aloop_settle(shared);
  if (status != IDENTITY_OK) {
    assert_int_equal(status, IDENTITY_OUT_OF_MEMORY);
    assert_null(ended.call);
    note_is_open(&ended);
  } else {
    note_is(&ended, ended.status);
    if (!is_clear(ended.status))
      fail_msg("%s, failure at %d: %s", twins[which].name, place, ended.error.message);
  }
  assert_int_equal(identity_loop_pending(shared->loop), 0);
  note_clear(&ended);
  return !out;
}

static void each_call_that_was_taken_completes_once(void **state) {
  static const int order[] = {TWIN_LOCALE, TWIN_LOGIN,   TWIN_CUSTOMER, TWIN_NEXT_STEP,
                              TWIN_TOKENS, TWIN_REFRESH, TWIN_LOGOUT,   TWIN_REGISTER};
  (void)state;
  aloop shared;
  twins_register(&server);
  aloop_start(&shared, service_config(&server), DRIVE_TICK);
  for (size_t i = 0; i < ROWS(order); i++) {
    int place = 0;
    bool whole = false;
    while (!whole && place < MOST_PLACES) {
      identity_session *session = aloop_open(&shared, &server, "viewer");
      if (twins[order[i]].signed_in)
        twins_log_in(&shared, session);
      whole = run_with_failure(&shared, order[i], session, place++);
      identity_session_close(session);
      aloop_settle(&shared);
    }
    assert_true(whole);
    assert_true(place >= 2); /* something did fail */
  }
  aloop_stop(&shared);
}

/* There is none to tell of a cancel, a close or the end of the loop. */
static void cancelling_closing_and_freeing_need_no_memory(void **state) {
  (void)state;
  for (int how = 0; how < 3; how++) {
    note calls[3] = {0};
    aloop shared;
    aloop_start(&shared, service_config(&server), DRIVE_TICK);
    service_reset(&server);
    service_fault(&server, "{\"path\":\"/locales\",\"times\":-1,\"hang\":true}");
    identity_session *session = aloop_open(&shared, &server, "viewer");
    for (int i = 0; i < 3; i++)
      twin_start(TWIN_LOCALE, session, &calls[i]);
    aloop_until_sent(&shared, &server, "GET", "/locales", 3);
    allocations_pause_ms = 0; /* all fail */
    allocations_left = 0;
    for (int i = 0; i < 3 && how == 0; i++)
      identity_call_cancel(calls[i].call);
    if (how == 1)
      identity_session_close(session);
    if (how == 2)
      identity_loop_free(shared.loop);
    else
      (void)identity_loop_run(shared.loop, 0);
    allocations_left = -1;
    assert_int_equal(notes_with(calls, 3, IDENTITY_CANCELLED), 3);
    notes_clear(calls, 3);
    if (how != 1)
      identity_session_close(session);
    if (how != 2)
      aloop_stop(&shared);
  }
}

/* Nobody waits for it, so that nobody would ask again. */
static void a_refresh_in_the_background_that_finds_no_memory_is_tried_a_second_later(void **state) {
  (void)state;
  enum { SOFT_MS = 780000, A_SECOND_MS = 1001 };
  host_clock device;
  aloop shared;
  identity_config *config = service_config(&server);
  twins_register(&server);
  host_clock_start(&device, NULL, 3600000);
  assert_int_equal(identity_config_set_clock(config, &device.clock), IDENTITY_OK);
  assert_int_equal(identity_config_set_keep_fresh(config, 1), IDENTITY_OK);
  identity_session *session = NULL;
  memset(&shared, 0, sizeof shared);
  shared.drive = DRIVE_TICK;
  assert_int_equal(identity_loop_new(config, &shared.loop, NULL), IDENTITY_OK);
  assert_int_equal(identity_session_open_on(shared.loop, config, "viewer", &session, NULL), IDENTITY_OK);
  twins_log_in(&shared, session);
  host_clock_sleep(&device, SOFT_MS);
  allocations_failed = 0;
  allocations_pause_ms = 0; /* all fail */
  allocations_left = 0;
  (void)identity_loop_run(shared.loop, 0);
  allocations_left = -1;
  assert_int_equal(allocations_failed, 1);
  aloop_settle(&shared);
  assert_int_equal(rotation_count(&server, -1), 0);
  host_clock_sleep(&device, A_SECOND_MS);
  aloop_until_sent(&shared, &server, "POST", ROTATION_PATH, 1);
  identity_session_close(session);
  identity_config_free(config);
  aloop_stop(&shared);
}

#define TEST(name) cmocka_unit_test_setup(name, reset)

static const struct CMUnitTest tests[] = {
    TEST(a_loop_is_made_or_not_and_says_why),
    TEST(a_session_is_opened_on_a_loop_or_not_and_says_why),
    TEST(each_call_that_was_taken_completes_once),
    TEST(cancelling_closing_and_freeing_need_no_memory),
    TEST(a_refresh_in_the_background_that_finds_no_memory_is_tried_a_second_later),
};

SUITE_WITH("async_memory", tests, start, stop)
