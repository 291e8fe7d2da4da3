/* 64 calls of a session run, the others wait in line: each place is handed on, however the calls end. */
#include "support/scripted.h"

#include "base/limits.h"

enum { RUNNING = IDENTITY__MAX_RUNNING_CALLS, MOST = 3 * RUNNING, SLEEP_MS = 120000 };

static note calls[MOST];

/* Who came first runs out of time first. */
static void start_calls(void) {
  memset(calls, 0, sizeof calls);
  for (int i = 0; i < MOST; i++) {
    if (i % RUNNING == 0)
      host_clock_sleep(&device, 100);
    twin_start(TWIN_LOCALE, session, &calls[i]);
  }
  aloop_settle(&shared);
  assert_int_equal(identity_loop_pending(shared.loop), MOST);
}

static void all_ended(identity_status status) {
  aloop_until(&shared, calls, MOST);
  for (int i = 0; i < MOST; i++)
    note_is(&calls[i], status);
  notes_clear(calls, MOST);
  aloop_settle(&shared);
  assert_int_equal(identity_loop_pending(shared.loop), 0);
}

/* No place is taken for good. */
static void places_are_free(void) {
  transport.act = recorder_answer_at_once;
  int before = transport.count;
  for (int i = 0; i < MOST; i++)
    runs(TWIN_LOCALE, IDENTITY_OK);
  assert_int_equal(transport.count, before + MOST);
}

static void after_an_interrupt_the_next_call_is_sent(void **state) {
  (void)state;
  note next = {0};
  for (int round = 0; round < 3; round++) {
    transport.act = recorder_stay_silent;
    start_calls();
    int before = transport.count;
    identity_session_interrupt(session);
    transport.act = recorder_answer_at_once;
    twin_start(TWIN_LOCALE, session, &next);
    all_ended(IDENTITY_CANCELLED);
    ends_once(&next, IDENTITY_OK);
    assert_int_equal(transport.count, before + 1); /* nothing of those in line has left */
    note_clear(&next);
  }
  places_are_free();
}

/* Those that ran, those that have just got their places, and those in line run out of time in one turn; the
 * one behind them has time left. */
static void when_deadlines_pass_at_once_the_call_behind_them_is_sent(void **state) {
  (void)state;
  note next = {0};
  for (int round = 0; round < 3; round++) {
    transport.act = recorder_stay_silent;
    start_calls();
    int before = transport.count;
    transport.act = recorder_answer_at_once;
    twin_start(TWIN_LOCALE, session, &next);
    assert_int_equal(identity_call_set_timeout_ms(next.call, 600000), IDENTITY_OK);
    aloop_settle(&shared);
    host_clock_sleep(&device, SLEEP_MS);
    all_ended(IDENTITY_TIMED_OUT);
    ends_once(&next, IDENTITY_OK);
    assert_int_equal(transport.count, before + 1);
    note_clear(&next);
  }
  places_are_free();
}

static void starts_the_next(note *self) {
  note *next = self->context;
  twin_start(TWIN_LOCALE, session, next);
}

static void what_completions_of_an_interrupt_start_is_sent(void **state) {
  (void)state;
  static note next[MOST];
  memset(calls, 0, sizeof calls);
  memset(next, 0, sizeof next);
  for (int i = 0; i < MOST; i++) {
    calls[i].then = starts_the_next;
    calls[i].context = &next[i];
    twin_start(TWIN_LOCALE, session, &calls[i]);
  }
  aloop_settle(&shared);
  transport.act = recorder_answer_at_once;
  identity_session_interrupt(session);
  aloop_until(&shared, next, MOST);
  for (int i = 0; i < MOST; i++)
    note_is(&next[i], IDENTITY_OK);
  notes_clear(next, MOST);
  all_ended(IDENTITY_CANCELLED);
}

static const struct CMUnitTest tests[] = {
    TEST(after_an_interrupt_the_next_call_is_sent),
    TEST(when_deadlines_pass_at_once_the_call_behind_them_is_sent),
    TEST(what_completions_of_an_interrupt_start_is_sent),
};

SUITE_WITH("async_places", tests, start, stop)
