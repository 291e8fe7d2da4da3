/* A loop is freed at any time: what is in flight completes in there, and sessions that are still open say
 * that their loop is gone. */
#include "support/every_call.h"
#include "support/stage.h"
#include "support/twins.h"
#include "support/vault.h"

#include "drive/loop.h"

static aloop shared;

enum { CALLS = 5 };

static int begin(void **state) {
  (void)reset(state);
  aloop_start(&shared, service_config(&server), DRIVE_TICK);
  return 0;
}

static void is_orphaned(identity_session *session) {
  for (int which = 0; which < TWINS; which++)
    twin_is_refused(which, session, IDENTITY_LOOP_GONE);
  for (size_t i = 0; i < every_call_count; i++) {
    identity_error error;
    (void)every_calls[i].run(session, &error);
    probe_status(every_calls[i].name, &error, IDENTITY_LOOP_GONE, NULL);
  }
}

static void what_is_in_flight_completes_inside_the_free(void **state) {
  (void)state;
  note calls[CALLS] = {0};
  note sent = {0};
  identity_session *sessions[2] = {aloop_open(&shared, &server, "one"), aloop_open(&shared, &server, "two")};
  service_fault(&server, "[{\"path\":\"/locales\",\"times\":2,\"hang\":true},"
                         "{\"method\":\"POST\",\"path\":\"/customers\",\"hang\":true}]");
  twin_start(TWIN_LOCALE, sessions[0], &calls[0]);
  twin_start(TWIN_LOCALE, sessions[1], &calls[1]);
  aloop_until_sent(&shared, &server, "GET", "/locales", 2);
  twin_start(TWIN_REGISTER, sessions[0], &sent);
  aloop_until_sent(&shared, &server, "POST", "/customers", 1);
  for (int i = 2; i < CALLS; i++)
    twin_start(TWIN_CUSTOMER + i, sessions[i % 2], &calls[i]);
  aloop_stop(&shared);
  assert_int_equal(notes_with(calls, CALLS, IDENTITY_CANCELLED), CALLS);
  note_is(&sent, IDENTITY_OUTCOME_UNKNOWN);
  is_orphaned(sessions[0]);
  is_orphaned(sessions[1]);
  identity_session_interrupt(sessions[0]);
  identity_session_close(sessions[0]);
  identity_session_close(sessions[1]);
  assert_int_equal(notes_with(calls, CALLS, IDENTITY_CANCELLED), CALLS);
  notes_clear(calls, CALLS);
  note_clear(&sent);
  probe_sent(&server, "GET", "/locales", 3); /* one of the registration */
}

static void a_loop_without_calls_or_sessions_is_freed_and_null_is_fine(void **state) {
  (void)state;
  aloop_stop(&shared);
  identity_loop_free(NULL);
}

/* ---- inside a completion ---- */

static struct {
  identity_session *session;
  note late; /* of a call that is started after the free */
  identity_status late_said;
  int pending_at_free;
} freed;

static void free_loop(note *self) {
  freed.pending_at_free = (int)identity_loop_pending(shared.loop);
  identity_loop_free(self->context);
}

static void free_loop_and_start(note *self) {
  free_loop(self);
  freed.late.free_result = twins[TWIN_LOCALE].free_result;
  freed.late_said =
      identity_fetch_locale_start(freed.session, NULL, note_done, &freed.late, &freed.late.call);
}

static void free_loop_and_close(note *self) {
  free_loop(self);
  identity_session_close(freed.session);
}

static void close_and_free_loop(note *self) {
  identity_session_close(freed.session);
  free_loop(self);
}

/* The loop is gone when the function around the completion ends, and the other calls have completed by then.
 */
static void drive_to_the_free(void (*then)(note *self), int drive) {
  note first = {.then = then}, others[CALLS] = {0};
  memset(&freed, 0, sizeof freed);
  if (drive != shared.drive) {
    aloop_stop(&shared);
    aloop_start(&shared, service_config(&server), drive);
  }
  service_fault(&server, "{\"path\":\"/publishers/*/consents\",\"times\":-1,\"hang\":true}");
  freed.session = aloop_open(&shared, &server, "viewer");
  first.context = shared.loop;
  for (int i = 0; i < CALLS; i++)
    twin_start(TWIN_PUBLISHER_CONSENTS, freed.session, &others[i]);
  twin_start(TWIN_LOCALE, freed.session, &first);
  aloop_until(&shared, &first, 1);
  shared.loop = NULL;
  note_is(&first, IDENTITY_OK);
  assert_int_equal(notes_with(others, CALLS, IDENTITY_CANCELLED), CALLS);
  for (int i = 0; i < CALLS; i++)
    assert_true(others[i].order > first.order); /* none ran inside the completion */
  note_clear(&first);
  notes_clear(others, CALLS);
}

static void a_loop_is_freed_inside_a_completion_however_it_is_driven(void **state) {
  (void)state;
  for (int drive = DRIVE_TICK; drive <= DRIVE_FD; drive++) {
    if (shared.loop == NULL)
      aloop_start(&shared, service_config(&server), drive);
    drive_to_the_free(free_loop, drive);
    is_orphaned(freed.session);
    identity_session_close(freed.session);
    service_reset(&server);
  }
}

/* Whether it was taken or not: what was taken completes. */
static void a_call_that_is_started_after_the_free_completes_once_or_is_refused(void **state) {
  (void)state;
  drive_to_the_free(free_loop_and_start, DRIVE_TICK);
  if (freed.late_said == IDENTITY_OK)
    note_is(&freed.late, IDENTITY_CANCELLED);
  else
    assert_int_equal(freed.late_said, IDENTITY_LOOP_GONE);
  assert_int_equal(atomic_load(&freed.late.count), freed.late_said == IDENTITY_OK);
  note_clear(&freed.late);
  is_orphaned(freed.session);
  identity_session_close(freed.session);
}

static void loop_and_session_are_both_given_up_inside_a_completion(void **state) {
  (void)state;
  drive_to_the_free(free_loop_and_close, DRIVE_TICK);
  aloop_start(&shared, service_config(&server), DRIVE_TICK);
  drive_to_the_free(close_and_free_loop, DRIVE_TICK);
}

/* ---- what a completion inside the free does ---- */

enum { MOST_AGAIN = 1000 };

static int again;

static void start_again(note *self) {
  note *next = self->context;
  if (++again > MOST_AGAIN)
    return;
  freed.late_said = identity_fetch_locale_start(freed.session, NULL, note_done, next, NULL);
}

static void a_completion_that_starts_anew_inside_the_free_does_not_hold_it_up(void **state) {
  (void)state;
  note ended = {.then = start_again}, next = {.free_result = twins[TWIN_LOCALE].free_result};
  ended.context = &next;
  again = 0;
  freed.session = aloop_open(&shared, &server, "viewer");
  twin_start(TWIN_LOCALE, freed.session, &ended);
  aloop_stop(&shared);
  note_is(&ended, IDENTITY_CANCELLED);
  if (freed.late_said == IDENTITY_OK)
    note_is(&next, IDENTITY_CANCELLED);
  else
    note_is_open(&next);
  note_clear(&ended);
  note_clear(&next);
  identity_session_close(freed.session);
  assert_int_equal(probe_requests(&server), 0);
}

static void close_session(note *self) {
  identity_session_close(self->context);
}

static void a_completion_inside_the_free_closes_its_session(void **state) {
  (void)state;
  note calls[2] = {{.then = close_session}};
  calls[0].context = aloop_open(&shared, &server, "viewer");
  twin_start(TWIN_LOCALE, calls[0].context, &calls[0]);
  twin_start(TWIN_LOCALE, calls[0].context, &calls[1]);
  aloop_stop(&shared);
  assert_int_equal(notes_with(calls, 2, IDENTITY_CANCELLED), 2);
  notes_clear(calls, 2);
}

static identity_status open_said;

static void open_another(note *self) {
  identity_session *another = self->context;
  identity_config *config = service_config(&server);
  open_said = identity_session_open_on(shared.loop, config, "another", &another, NULL);
  identity_config_free(config);
  if (another != NULL)
    open_said = IDENTITY_OK;
}

static void a_completion_inside_the_free_cannot_open_a_session(void **state) {
  (void)state;
  note ended = {.then = open_another};
  identity_session *session = ended.context = aloop_open(&shared, &server, "viewer");
  open_said = IDENTITY_OK;
  twin_start(TWIN_LOCALE, session, &ended);
  aloop_stop(&shared);
  note_is(&ended, IDENTITY_CANCELLED);
  assert_int_equal(open_said, IDENTITY_LOOP_GONE);
  note_clear(&ended);
  identity_session_close(session);
}

/* ---- another thread closes a session ---- */

static void *close_there(void *user_data) {
  identity_session_close(user_data);
  return NULL;
}

static struct {
  identity_session *session;
  bool armed; /* closed in the next use of the store */
} beside;

static void close_from_a_thread(void *user_data) {
  pthread_t thread;
  (void)user_data;
  if (!beside.armed || beside.session == NULL)
    return;
  assert_int_equal(pthread_create(&thread, NULL, close_there, beside.session), 0);
  assert_int_equal(pthread_join(thread, NULL), 0);
  beside.session = NULL;
}

/* What the first has not stored is tried once more after that. */
static void linger_and_close(note *self) {
  service_pause_ms(50);
  beside.armed = true;
  identity_session_close(self->context);
}

/* Where the loop has heard of every session that was closed, and is about to end. False: a slow machine did
 * not come to it. */
static bool close_beside_the_free(void) {
  vault store;
  note last = {.then = linger_and_close};
  vault_start(&store, 0);
  aloop_start(&shared, service_config(&server), DRIVE_TICK);
  identity_session *first = aloop_open_with(&shared, vault_config(&store, &server), "first");
  beside.session = aloop_open(&shared, &server, "second");
  beside.armed = false;
  twins_log_in(&shared, first);
  vault_lies(&store, VAULT_SWAP, (vault_lie){IDENTITY_STORE_IO, 1, VAULT_ALWAYS, false});
  (void)twin_run(&shared, TWIN_REFRESH, first, NULL); /* its pair is in memory only */
  last.context = first;
  twin_start(TWIN_LOCALE, beside.session, &last);
  store.meanwhile = close_from_a_thread;
  const identity__loop *loop = last.call->loop;
  aloop_stop(&shared);
  bool came_to_it = beside.session == NULL;
  identity_session_close(beside.session);
  assert_int_equal(loop->holders, 1); /* the handle alone */
  note_is(&last, IDENTITY_CANCELLED);
  note_clear(&last);
  vault_stop(&store);
  return came_to_it;
}

static void a_session_that_is_closed_beside_the_free_goes_with_it(void **state) {
  enum { MOST_TRIES = 10 };
  int tries = 0;
  (void)state;
  twins_register(&server);
  aloop_stop(&shared);
  while (!close_beside_the_free())
    assert_in_range(++tries, 1, MOST_TRIES);
}

/* ---- a host that sleeps ---- */

static void ignore_socket(int64_t socket, int32_t events, void *user_data) {
  (void)socket, (void)events, (void)user_data;
}

static void ignore_timer(int64_t timeout_ms, void *user_data) {
  (void)timeout_ms, (void)user_data;
}

static void a_host_that_never_calls_back_leaves_its_calls_pending_until_the_free(void **state) {
  (void)state;
  note calls[CALLS] = {0};
  identity_config *config = service_config(&server);
  assert_int_equal(identity_config_set_timeout_ms(config, 100), IDENTITY_OK);
  identity_session *session = aloop_open_with(&shared, config, "viewer");
  assert_int_equal(identity_loop_set_host(shared.loop, ignore_socket, ignore_timer, NULL), IDENTITY_OK);
  for (int i = 0; i < CALLS; i++)
    twin_start(TWIN_LOCALE, session, &calls[i]);
  identity_loop_wake(shared.loop);
  service_pause_ms(250); /* longer than the calls have */
  for (int i = 0; i < CALLS; i++)
    note_is_open(&calls[i]);
  assert_int_equal(identity_loop_pending(shared.loop), CALLS);
  identity_call_cancel(calls[1].call);
  aloop_stop(&shared);
  for (int i = 0; i < CALLS; i++)
    note_is(&calls[i], IDENTITY_CANCELLED);
  notes_clear(calls, CALLS);
  identity_session_close(session);
}

#define TEST(name) cmocka_unit_test_setup(name, begin)

static const struct CMUnitTest tests[] = {
    TEST(what_is_in_flight_completes_inside_the_free),
    TEST(a_loop_without_calls_or_sessions_is_freed_and_null_is_fine),
    TEST(a_loop_is_freed_inside_a_completion_however_it_is_driven),
    TEST(a_call_that_is_started_after_the_free_completes_once_or_is_refused),
    TEST(loop_and_session_are_both_given_up_inside_a_completion),
    TEST(a_completion_that_starts_anew_inside_the_free_does_not_hold_it_up),
    TEST(a_completion_inside_the_free_closes_its_session),
    TEST(a_completion_inside_the_free_cannot_open_a_session),
    TEST(a_session_that_is_closed_beside_the_free_goes_with_it),
    TEST(a_host_that_never_calls_back_leaves_its_calls_pending_until_the_free),
};

SUITE_WITH("async_loop_free", tests, start, stop)
