/* A loop that is freed, and loops side by side, while other threads use their sessions. */
#include "support/stage.h"
#include "support/twins.h"

enum { STARTERS = 4, EACH = 400, ROUNDS = 10, LOOPS = 4 };

/* ---- a loop is freed while threads start and cancel ---- */

static aloop shared;
static identity_session *session;
static note (*calls)[EACH];
static identity_status said[STARTERS][EACH];

static void *start_until_gone(void *user_data) {
  int mine = (int)(intptr_t)user_data;
  for (int i = 0; i < EACH; i++) {
    note *one = &calls[mine][i];
    one->free_result = twins[TWIN_LOCALE].free_result;
    said[mine][i] =
        identity_fetch_locale_start(session, i % 4 == 0 ? NULL : "no address", note_done, one, &one->call);
    if (i % 3 == 0)
      identity_call_cancel(one->call);
    if (i % 5 == 0)
      (void)identity_call_set_timeout_ms(one->call, 5000);
  }
  return NULL;
}

static void check_round(void) {
  int refused = 0;
  for (int mine = 0; mine < STARTERS; mine++)
    for (int i = 0; i < EACH; i++) {
      note *one = &calls[mine][i];
      refused += said[mine][i] != IDENTITY_OK;
      if (said[mine][i] == IDENTITY_OK) {
        note_is(one, one->status);
      } else {
        assert_int_equal(said[mine][i], IDENTITY_LOOP_GONE);
        note_is_open(one);
        assert_null(one->call);
      }
      note_clear(one);
    }
  assert_true(refused < STARTERS * EACH);
}

static void calls_that_are_started_while_the_loop_is_freed_complete_once_or_are_refused(void **state) {
  (void)state;
  for (int round = 0; round < ROUNDS; round++) {
    pthread_t threads[STARTERS];
    calls = calloc(STARTERS, sizeof *calls);
    assert_non_null(calls);
    aloop_start(&shared, service_config(&server), DRIVE_TICK);
    session = aloop_open(&shared, &server, "viewer");
    for (int i = 0; i < STARTERS; i++)
      assert_int_equal(pthread_create(&threads[i], NULL, start_until_gone, (void *)(intptr_t)i), 0);
    while (identity_loop_pending(shared.loop) == 0)
      service_pause_ms(1);
    aloop_turn_for(&shared, round % 4);
    aloop_stop(&shared);
    for (int i = 0; i < STARTERS; i++)
      assert_int_equal(pthread_join(threads[i], NULL), 0);
    check_round();
    identity_session_close(session);
    free(calls);
  }
}

/* ---- loops side by side ---- */

static void *run_own_loop(void *user_data) {
  (void)user_data;
  identity_loop *loop = NULL;
  identity_session *own = NULL;
  intptr_t done = 0;
  identity_config *config = service_config(&server);
  if (identity_loop_new(config, &loop, NULL) != IDENTITY_OK ||
      identity_session_open_on(loop, config, "own", &own, NULL) != IDENTITY_OK)
    return NULL;
  for (int i = 0; i < EACH / 4; i++) {
    note one = {.free_result = twins[TWIN_LOCALE].free_result};
    if (identity_fetch_locale_start(own, NULL, note_done, &one, NULL) != IDENTITY_OK)
      break;
    while (atomic_load(&one.count) == 0)
      (void)identity_loop_run(loop, 1000);
    done += one.status == IDENTITY_OK && pthread_equal(one.thread, pthread_self());
    note_clear(&one);
  }
  identity_loop_free(loop);
  identity_session_close(own);
  identity_config_free(config);
  return (void *)done;
}

static void loops_on_threads_of_their_own_do_not_disturb_each_other(void **state) {
  (void)state;
  pthread_t threads[LOOPS];
  for (int i = 0; i < LOOPS; i++)
    assert_int_equal(pthread_create(&threads[i], NULL, run_own_loop, NULL), 0);
  for (int i = 0; i < LOOPS; i++) {
    void *done = NULL;
    assert_int_equal(pthread_join(threads[i], &done), 0);
    assert_int_equal((intptr_t)done, EACH / 4);
  }
}

/* ---- sessions of a loop that is gone, closed side by side ---- */

static void *close_here(void *user_data) {
  identity_session_close(user_data);
  return NULL;
}

static void sessions_whose_loop_is_gone_are_closed_from_any_thread(void **state) {
  (void)state;
  enum { SESSIONS = 16 };
  pthread_t threads[SESSIONS];
  identity_session *sessions[SESSIONS];
  aloop_start(&shared, service_config(&server), DRIVE_TICK);
  for (int i = 0; i < SESSIONS; i++)
    sessions[i] = aloop_open(&shared, &server, "viewer");
  aloop_stop(&shared);
  for (int i = 0; i < SESSIONS; i++)
    assert_int_equal(pthread_create(&threads[i], NULL, close_here, sessions[i]), 0);
  for (int i = 0; i < SESSIONS; i++)
    assert_int_equal(pthread_join(threads[i], NULL), 0);
}

/* The same while it lives and is driven. */
static void sessions_are_closed_from_other_threads_while_the_loop_is_driven(void **state) {
  (void)state;
  enum { SESSIONS = 16 };
  pthread_t threads[SESSIONS];
  note ended[SESSIONS] = {0};
  aloop_start(&shared, service_config(&server), DRIVE_WAIT);
  for (int i = 0; i < SESSIONS; i++) {
    identity_session *one = aloop_open(&shared, &server, "viewer");
    twin_start(TWIN_LOCALE, one, &ended[i]);
    assert_int_equal(pthread_create(&threads[i], NULL, close_here, one), 0);
  }
  aloop_until(&shared, ended, SESSIONS);
  for (int i = 0; i < SESSIONS; i++)
    assert_int_equal(pthread_join(threads[i], NULL), 0);
  aloop_settle(&shared);
  for (int i = 0; i < SESSIONS; i++)
    note_is(&ended[i], ended[i].status);
  assert_int_equal(notes_with(ended, SESSIONS, IDENTITY_OK) + notes_with(ended, SESSIONS, IDENTITY_CANCELLED),
                   SESSIONS);
  notes_clear(ended, SESSIONS);
  aloop_stop(&shared);
}

#define TEST(name) cmocka_unit_test_setup(name, reset)

static const struct CMUnitTest tests[] = {
    TEST(calls_that_are_started_while_the_loop_is_freed_complete_once_or_are_refused),
    TEST(loops_on_threads_of_their_own_do_not_disturb_each_other),
    TEST(sessions_whose_loop_is_gone_are_closed_from_any_thread),
    TEST(sessions_are_closed_from_other_threads_while_the_loop_is_driven),
};

SUITE_WITH("async_races", tests, start, stop)
