/* Cancelling: whenever it comes, the call completes exactly once, and what it waited for goes on. */
#include "support/host_clock.h"
#include "support/rotation.h"
#include "support/stage.h"
#include "support/twins.h"

static aloop shared;
static identity_session *session;
static host_clock device;

static identity_config *config_with_clock(void) {
  identity_config *config = service_config(&server);
  assert_int_equal(identity_config_set_clock(config, &device.clock), IDENTITY_OK);
  return config;
}

static int begin(void **state) {
  (void)reset(state);
  host_clock_start(&device, NULL, 3600000);
  aloop_start(&shared, config_with_clock(), DRIVE_TICK);
  session = aloop_open_with(&shared, config_with_clock(), "viewer");
  return 0;
}

static int end(void **state) {
  (void)state;
  identity_session_close(session);
  aloop_stop(&shared);
  return 0;
}

static void ends_once(note *ended, identity_status status) {
  aloop_until(&shared, ended, 1);
  note_is(ended, status);
  aloop_settle(&shared);
  note_is(ended, status);
  assert_int_equal(identity_loop_pending(shared.loop), 0);
  note_clear(ended);
}

static void a_call_cancelled_before_the_loop_is_driven_sends_nothing(void **state) {
  (void)state;
  for (int which = 0; which < TWINS; which++) {
    note ended = {0};
    twin_start(which, session, &ended);
    identity_call_cancel(ended.call);
    note_is_open(&ended);
    assert_int_equal(identity_loop_pending(shared.loop), 1);
    ends_once(&ended, IDENTITY_CANCELLED);
  }
  assert_int_equal(probe_requests(&server), 0);
}

static void a_call_cancelled_in_flight_completes_in_the_next_turn(void **state) {
  (void)state;
  note ended = {0};
  service_fault(&server, "{\"path\":\"/locales\",\"hang\":true}");
  twin_start(TWIN_LOCALE, session, &ended);
  aloop_until_sent(&shared, &server, "GET", "/locales", 1);
  identity_call_cancel(ended.call);
  note_is_open(&ended);
  aloop_turn(&shared);
  note_is(&ended, IDENTITY_CANCELLED);
  service_send(&server, "POST", "release", "{}");
  ends_once(&ended, IDENTITY_CANCELLED);
}

static void cancelling_many_times_completes_once(void **state) {
  (void)state;
  note ended = {0};
  twin_start(TWIN_LOCALE, session, &ended);
  for (int i = 0; i < 5; i++)
    identity_call_cancel(ended.call);
  aloop_until(&shared, &ended, 1);
  for (int i = 0; i < 5; i++)
    identity_call_cancel(ended.call);
  ends_once(&ended, IDENTITY_CANCELLED);
}

static void a_call_that_has_completed_is_not_touched_by_a_cancel(void **state) {
  (void)state;
  note ended = {0};
  twin_start(TWIN_LOCALE, session, &ended);
  aloop_until(&shared, &ended, 1);
  identity_call_cancel(ended.call);
  ends_once(&ended, IDENTITY_OK);
  identity_call_cancel(NULL);
}

static void cancel_it(note *self) {
  identity_call_cancel(self->call);
}

static void cancel_the_other(note *self) {
  identity_call_cancel(((note *)self->context)->call);
}

static void a_cancel_inside_its_own_completion_does_nothing(void **state) {
  (void)state;
  note ended = {.then = cancel_it};
  twin_start(TWIN_LOCALE, session, &ended);
  ends_once(&ended, IDENTITY_OK);
}

static void a_call_is_cancelled_from_the_completion_of_another(void **state) {
  (void)state;
  note other = {0};
  note ended = {.then = cancel_the_other, .context = &other};
  service_fault(&server, "{\"path\":\"/publishers/*/consents\",\"hang\":true}");
  twin_start(TWIN_PUBLISHER_CONSENTS, session, &other);
  aloop_until_sent(&shared, &server, "GET", "/publishers/*/consents", 1);
  twin_start(TWIN_LOCALE, session, &ended);
  aloop_until(&shared, &ended, 1);
  note_is(&ended, IDENTITY_OK);
  ends_once(&other, IDENTITY_CANCELLED);
  assert_true(other.order > ended.order);
  note_clear(&ended);
}

/* Two completions are due at the same moment, and each cancels the other's call: whichever is first wins, and
 * none is lost. */
static void two_completions_that_cancel_each_other_run_once_each(void **state) {
  (void)state;
  for (int round = 0; round < 20; round++) {
    note both[2] = {{.then = cancel_the_other, .context = &both[1]},
                    {.then = cancel_the_other, .context = &both[0]}};
    twin_start(TWIN_LOCALE, session, &both[0]);
    twin_start(TWIN_LOCALE, session, &both[1]);
    aloop_until(&shared, both, 2);
    aloop_settle(&shared);
    for (int i = 0; i < 2; i++)
      note_is(&both[i], both[i].status);
    assert_true(notes_with(both, 2, IDENTITY_OK) >= 1);
    assert_int_equal(notes_with(both, 2, IDENTITY_OK) + notes_with(both, 2, IDENTITY_CANCELLED), 2);
    notes_clear(both, 2);
  }
}

static void a_sent_register_or_new_password_that_is_cancelled_has_an_unknown_outcome(void **state) {
  static const struct {
    int which;
    const char *method, *path;
    identity_status status;
  } rows[] = {
      {TWIN_REGISTER, "POST", "/customers", IDENTITY_OUTCOME_UNKNOWN},
      {TWIN_REGISTER, "GET", "/locales", IDENTITY_CANCELLED},
      {TWIN_UPDATE_PASSWORD, "PATCH", "/customers/passwords", IDENTITY_OUTCOME_UNKNOWN},
      {TWIN_LOGIN, "POST", "/auths", IDENTITY_CANCELLED},
  };
  (void)state;
  for (size_t i = 0; i < ROWS(rows); i++) {
    char fault[120];
    note ended = {0};
    service_reset(&server);
    snprintf(fault, sizeof fault, "{\"method\":\"%s\",\"path\":\"%s\",\"hang\":true}", rows[i].method,
             rows[i].path);
    service_fault(&server, fault);
    twin_start(rows[i].which, session, &ended);
    aloop_until_sent(&shared, &server, rows[i].method, rows[i].path, 1);
    identity_call_cancel(ended.call);
    ends_once(&ended, rows[i].status);
    probe_sent(&server, rows[i].method, rows[i].path, 1);
  }
}

static void cancelling_who_waits_for_a_refresh_leaves_the_refresh_alone(void **state) {
  (void)state;
  note waits[3] = {0};
  twins_register(&server);
  twins_log_in(&shared, session);
  host_clock_sleep(&device, 901000);
  rotation_fault(&server, "\"hang\":true");
  for (int i = 0; i < 3; i++)
    twin_start(TWIN_CUSTOMER, session, &waits[i]);
  aloop_until_sent(&shared, &server, "POST", ROTATION_PATH, 1);
  identity_call_cancel(waits[0].call);
  aloop_until(&shared, &waits[0], 1);
  note_is(&waits[0], IDENTITY_CANCELLED);
  note_is_open(&waits[1]);
  assert_int_equal(service_state_of(session), IDENTITY_STATE_REFRESHING);
  identity_call_cancel(waits[1].call);
  identity_call_cancel(waits[2].call);
  aloop_until(&shared, waits, 3);
  assert_int_equal(notes_with(waits, 3, IDENTITY_CANCELLED), 3);
  assert_int_equal(service_state_of(session), IDENTITY_STATE_REFRESHING);
  rotation_release(&server);
  aloop_until_state(&shared, session, IDENTITY_STATE_ACTIVE); /* though nobody waits for it any more */
  notes_clear(waits, 3);
  assert_int_equal(twin_run(&shared, TWIN_CUSTOMER, session, NULL), IDENTITY_OK);
  assert_int_equal(rotation_count(&server, -1), 1);
}

static void an_interrupt_ends_the_calls_of_its_session_and_those_alone(void **state) {
  (void)state;
  note ours[3] = {0};
  note theirs = {0};
  note later = {0};
  identity_session *other = aloop_open_with(&shared, config_with_clock(), "other");
  service_fault(&server, "{\"path\":\"/locales\",\"times\":4,\"hang\":true}");
  for (int i = 0; i < 3; i++)
    twin_start(TWIN_LOCALE, session, &ours[i]);
  twin_start(TWIN_LOCALE, other, &theirs);
  aloop_until_sent(&shared, &server, "GET", "/locales", 4);
  identity_session_interrupt(session);
  assert_int_equal(notes_with(ours, 3, IDENTITY_CANCELLED), 0);
  twin_start(TWIN_LOCALE, session, &later);
  aloop_until(&shared, ours, 3);
  assert_int_equal(notes_with(ours, 3, IDENTITY_CANCELLED), 3);
  note_is_open(&theirs);
  service_send(&server, "POST", "release", "{}");
  aloop_until(&shared, &theirs, 1);
  aloop_until(&shared, &later, 1);
  note_is(&theirs, IDENTITY_OK);
  note_is(&later, IDENTITY_OK);
  notes_clear(ours, 3);
  note_clear(&theirs);
  note_clear(&later);
  identity_session_close(other);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

static const struct CMUnitTest tests[] = {
    TEST(a_call_cancelled_before_the_loop_is_driven_sends_nothing),
    TEST(a_call_cancelled_in_flight_completes_in_the_next_turn),
    TEST(cancelling_many_times_completes_once),
    TEST(a_call_that_has_completed_is_not_touched_by_a_cancel),
    TEST(a_cancel_inside_its_own_completion_does_nothing),
    TEST(a_call_is_cancelled_from_the_completion_of_another),
    TEST(two_completions_that_cancel_each_other_run_once_each),
    TEST(a_sent_register_or_new_password_that_is_cancelled_has_an_unknown_outcome),
    TEST(cancelling_who_waits_for_a_refresh_leaves_the_refresh_alone),
    TEST(an_interrupt_ends_the_calls_of_its_session_and_those_alone),
};

SUITE_WITH("async_cancel", tests, start, stop)
