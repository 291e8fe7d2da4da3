/* Calls are started and cancelled from any thread while one drives: each completes exactly once, on that one.
 */
#include "support/stage.h"
#include "support/twins.h"

#include <sched.h>
#include <unistd.h>

enum { STARTERS = 8, EACH = 1250, ALL = STARTERS * EACH, SESSIONS = 4 };

static aloop shared;
static identity_session *sessions[SESSIONS];
static note *calls; /* ALL of them */
static atomic_int misfits;
static atomic_bool over;

static int begin(void **state) {
  (void)reset(state);
  calls = calloc(ALL, sizeof *calls);
  assert_non_null(calls);
  atomic_store(&misfits, 0);
  atomic_store(&over, false);
  aloop_start(&shared, service_config(&server), DRIVE_WAIT);
  for (int i = 0; i < SESSIONS; i++)
    sessions[i] = aloop_open(&shared, &server, "viewer");
  return 0;
}

static int end(void **state) {
  (void)state;
  for (int i = 0; i < SESSIONS; i++)
    identity_session_close(sessions[i]);
  aloop_stop(&shared);
  free(calls);
  return 0;
}

/* One in eight goes over the network if it is not cancelled first; one in two is cancelled, and of those one
 * in two loses its handle at once. */
static void start_one(int number) {
  note *one = &calls[number];
  const char *customer_ip = number % 8 == 0 ? NULL : "no address";
  one->free_result = twins[TWIN_LOCALE].free_result;
  if (identity_fetch_locale_start(sessions[number % SESSIONS], customer_ip, note_done, one, &one->call) !=
      IDENTITY_OK) {
    atomic_fetch_add(&misfits, 1);
    return;
  }
  if (number / 8 % 2 == 0)
    return;
  identity_call_cancel(one->call);
  if (number / 16 % 2 == 0)
    return;
  identity_call_free(one->call);
  one->call = NULL;
}

static void *start_many(void *user_data) {
  int first = (int)(intptr_t)user_data * EACH;
  for (int i = 0; i < EACH; i++)
    start_one(first + i);
  return NULL;
}

static void ten_thousand_calls_from_eight_threads_each_complete_once_on_the_driver(void **state) {
  (void)state;
  pthread_t threads[STARTERS];
  for (int i = 0; i < STARTERS; i++)
    assert_int_equal(pthread_create(&threads[i], NULL, start_many, (void *)(intptr_t)i), 0);
  int64_t until = service_now_ms() + ALOOP_PATIENCE_S * 1000;
  for (int done = 0; done < ALL && service_now_ms() < until;) {
    aloop_turn_for(&shared, 5);
    done = 0;
    for (int i = 0; i < ALL; i++)
      done += atomic_load(&calls[i].count) > 0;
  }
  for (int i = 0; i < STARTERS; i++)
    assert_int_equal(pthread_join(threads[i], NULL), 0);
  aloop_settle(&shared);
  assert_int_equal(atomic_load(&misfits), 0);
  for (int i = 0; i < ALL; i++) {
    note_is(&calls[i], calls[i].status);
    assert_true(pthread_equal(calls[i].thread, pthread_self()));
  }
  int fine = notes_with(calls, ALL, IDENTITY_OK);
  int wrong = notes_with(calls, ALL, IDENTITY_INVALID_INPUT);
  int cancelled = notes_with(calls, ALL, IDENTITY_CANCELLED);
  assert_int_equal(fine + wrong + cancelled, ALL);
  assert_true(fine >= ALL / 16);      /* nobody cancelled these */
  assert_true(wrong >= ALL / 16 * 7); /* nor these */
  assert_int_equal(identity_loop_pending(shared.loop), 0);
  notes_clear(calls, ALL);
}

/* ---- one thread drives, in a wait without an end ---- */

static void *drive(void *user_data) {
  (void)user_data;
  while (!atomic_load(&over))
    if (identity_loop_run(shared.loop, -1) != IDENTITY_OK)
      atomic_fetch_add(&misfits, 1);
  return NULL;
}

static void await(const note *ended) {
  for (int64_t until = service_now_ms() + ALOOP_PATIENCE_S * 1000; service_now_ms() < until;) {
    if (atomic_load(&ended->count) > 0)
      return;
    service_pause_ms(1);
  }
  fail_msg("a loop that waits was not woken");
}

static void a_start_or_a_cancel_wakes_a_loop_that_waits_without_an_end(void **state) {
  (void)state;
  pthread_t driver;
  assert_int_equal(pthread_create(&driver, NULL, drive, NULL), 0);
  service_fault(&server, "{\"path\":\"/publishers/*/consents\",\"times\":-1,\"hang\":true}");
  for (int i = 0; i < 50; i++) {
    note *one = &calls[i];
    bool hangs = i % 2 == 0;
    if (i % 10 == 0)
      service_pause_ms(10); /* it certainly waits by now */
    twin_start(hangs ? TWIN_PUBLISHER_CONSENTS : TWIN_LOCALE, sessions[0], one);
    if (hangs && i % 4 == 0)
      service_pause_ms(3);
    if (hangs)
      identity_call_cancel(one->call);
    await(one);
    note_is(one, hangs ? IDENTITY_CANCELLED : IDENTITY_OK);
  }
  atomic_store(&over, true);
  identity_loop_wake(shared.loop);
  assert_int_equal(pthread_join(driver, NULL), 0);
  assert_int_equal(atomic_load(&misfits), 0);
  notes_clear(calls, 50);
}

static void looks_for_its_handle(note *self) {
  if (self->call == NULL)
    atomic_fetch_add(&misfits, 1);
}

/* A completion may want to free it, and runs as soon as the call is in line. */
static void the_handle_is_there_before_the_completion_runs(void **state) {
  (void)state;
  pthread_t driver;
  assert_int_equal(pthread_create(&driver, NULL, drive, NULL), 0);
  for (int i = 0; i < ALL; i++) {
    note *one = &calls[i];
    one->then = looks_for_its_handle;
    assert_int_equal(identity_fetch_locale_start(sessions[0], "no address", note_done, one, &one->call),
                     IDENTITY_OK);
    while (atomic_load(&one->count) == 0)
      (void)sched_yield();
  }
  atomic_store(&over, true);
  identity_loop_wake(shared.loop);
  assert_int_equal(pthread_join(driver, NULL), 0);
  assert_int_equal(atomic_load(&misfits), 0);
  assert_int_equal(notes_with(calls, ALL, IDENTITY_INVALID_INPUT), ALL);
  notes_clear(calls, ALL);
}

static void a_wake_that_comes_before_the_wait_is_not_lost(void **state) {
  (void)state;
  for (int i = 0; i < 100; i++) {
    identity_loop_wake(shared.loop);
    (void)alarm(ALOOP_PATIENCE_S);
    assert_int_equal(identity_loop_run(shared.loop, -1), IDENTITY_OK);
    (void)alarm(0);
  }
}

/* A call lives until its deadline, however often somebody else moves it. */
static atomic_bool stop_moving;

static void *move_deadlines(void *user_data) {
  note *one = user_data;
  while (!atomic_load(&stop_moving)) {
    (void)identity_call_set_timeout_ms(one->call, 600000);
    (void)identity_call_set_timeout_ms(one->call, 300000);
  }
  return NULL;
}

static void deadlines_are_moved_from_another_thread_while_the_loop_is_driven(void **state) {
  (void)state;
  pthread_t thread;
  service_fault(&server, "{\"path\":\"/locales\",\"delay_ms\":100}");
  twin_start(TWIN_LOCALE, sessions[0], &calls[0]);
  atomic_store(&stop_moving, false);
  assert_int_equal(pthread_create(&thread, NULL, move_deadlines, &calls[0]), 0);
  aloop_until(&shared, &calls[0], 1);
  service_pause_ms(5);
  atomic_store(&stop_moving, true);
  assert_int_equal(pthread_join(thread, NULL), 0);
  note_is(&calls[0], IDENTITY_OK);
  note_clear(&calls[0]);
}

static void *interrupt_often(void *user_data) {
  while (!atomic_load(&over))
    for (int i = 0; i < SESSIONS; i++) {
      identity_session_interrupt(sessions[i]);
      (void)identity_loop_pending(shared.loop);
    }
  return user_data;
}

static void interrupts_from_another_thread_leave_one_completion_each(void **state) {
  (void)state;
  enum { COUNT = 300 };
  pthread_t thread;
  assert_int_equal(pthread_create(&thread, NULL, interrupt_often, NULL), 0);
  for (int i = 0; i < COUNT; i++)
    twin_start(TWIN_LOCALE, sessions[i % SESSIONS], &calls[i]);
  aloop_until(&shared, calls, COUNT);
  atomic_store(&over, true);
  assert_int_equal(pthread_join(thread, NULL), 0);
  aloop_settle(&shared);
  assert_int_equal(notes_with(calls, COUNT, IDENTITY_OK) + notes_with(calls, COUNT, IDENTITY_CANCELLED),
                   COUNT);
  notes_clear(calls, COUNT);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

static const struct CMUnitTest tests[] = {
    TEST(ten_thousand_calls_from_eight_threads_each_complete_once_on_the_driver),
    TEST(a_start_or_a_cancel_wakes_a_loop_that_waits_without_an_end),
    TEST(the_handle_is_there_before_the_completion_runs),
    TEST(a_wake_that_comes_before_the_wait_is_not_lost),
    TEST(deadlines_are_moved_from_another_thread_while_the_loop_is_driven),
    TEST(interrupts_from_another_thread_leave_one_completion_each),
};

SUITE_WITH("async_threads", tests, start, stop)
