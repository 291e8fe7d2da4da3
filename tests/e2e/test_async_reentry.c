/* What may be done inside a completion and what not, and where blocking calls of a shared loop are allowed.
 */
#include "support/every_call.h"
#include "support/stage.h"
#include "support/twins.h"

#include <inttypes.h>

static aloop shared;
static identity_session *session;

static int begin(void **state) {
  (void)reset(state);
  aloop_start(&shared, service_config(&server), DRIVE_TICK);
  session = aloop_open(&shared, &server, "viewer");
  return 0;
}

static int end(void **state) {
  (void)state;
  identity_session_close(session);
  aloop_stop(&shared);
  return 0;
}

/* ---- inside a completion ---- */

static struct {
  identity_session *other;
  identity_error own[32], others[32];
  identity_status run, waiting_run, on_timer, on_socket, set_host;
} inside;

static void block(note *self) {
  (void)self;
  for (size_t i = 0; i < every_call_count; i++) {
    (void)every_calls[i].run(session, &inside.own[i]);
    (void)every_calls[i].run(inside.other, &inside.others[i]);
  }
}

static void blocking_calls_inside_a_completion_are_reentered(void **state) {
  (void)state;
  note ended = {.then = block};
  assert_true(every_call_count <= ROWS(inside.own));
  inside.other = aloop_open(&shared, &server, "other");
  twin_start(TWIN_LOCALE, session, &ended);
  aloop_until(&shared, &ended, 1);
  note_is(&ended, IDENTITY_OK);
  for (size_t i = 0; i < every_call_count; i++) {
    probe_status(every_calls[i].name, &inside.own[i], IDENTITY_REENTERED, NULL);
    probe_status(every_calls[i].name, &inside.others[i], IDENTITY_REENTERED, NULL);
  }
  assert_int_equal(probe_requests(&server), 1);
  note_clear(&ended);
  identity_session_close(inside.other);
}

static void drive(note *self) {
  (void)self;
  inside.run = identity_loop_run(shared.loop, 0);
  inside.waiting_run = identity_loop_run(shared.loop, -1);
  inside.on_timer = identity_loop_on_timer(shared.loop);
  inside.on_socket = identity_loop_on_socket(shared.loop, 0, IDENTITY_READABLE);
  inside.set_host = identity_loop_set_host(shared.loop, NULL, NULL, NULL);
}

static void driving_the_loop_inside_a_completion_is_reentered(void **state) {
  (void)state;
  note ended = {.then = drive};
  twin_start(TWIN_LOCALE, session, &ended);
  aloop_until(&shared, &ended, 1);
  note_is(&ended, IDENTITY_OK);
  assert_int_equal(inside.run, IDENTITY_REENTERED);
  assert_int_equal(inside.waiting_run, IDENTITY_REENTERED);
  assert_int_equal(inside.on_timer, IDENTITY_REENTERED);
  assert_int_equal(inside.on_socket, IDENTITY_REENTERED);
  assert_int_equal(inside.set_host, IDENTITY_REENTERED);
  note_clear(&ended);
}

static struct {
  uint32_t pending;
  int32_t descriptor;
  identity_session *opened;
  identity_status open, state, event, explain;
} allowed;

static void do_what_is_allowed(note *self) {
  const identity_state *where = NULL;
  const identity_event *event = NULL;
  const char *json = NULL;
  identity_config *config = self->context;
  allowed.pending = identity_loop_pending(shared.loop);
  allowed.descriptor = identity_loop_fd(shared.loop);
  identity_loop_wake(shared.loop);
  identity_session_interrupt(session);
  allowed.state = identity_session_state(session, &where, NULL);
  allowed.event = identity_session_next_event(session, &event, NULL);
  allowed.explain = identity_session_explain(session, &json, NULL);
  allowed.open = identity_session_open_on(shared.loop, config, "opened inside", &allowed.opened, NULL);
  identity_state_free(where);
  identity_event_free(event);
  identity_explanation_free(json);
}

static void everything_that_does_not_block_is_allowed_inside_a_completion(void **state) {
  (void)state;
  note ended = {.then = do_what_is_allowed};
  ended.context = service_config(&server);
  twin_start(TWIN_LOCALE, session, &ended);
  aloop_until(&shared, &ended, 1);
  note_is(&ended, IDENTITY_OK);
  assert_int_equal(allowed.pending, 0);
  assert_true(allowed.descriptor >= 0);
  assert_int_equal(allowed.state, IDENTITY_OK);
  assert_int_equal(allowed.event, IDENTITY_OK);
  assert_int_equal(allowed.explain, IDENTITY_OK);
  assert_int_equal(allowed.open, IDENTITY_OK);
  assert_int_equal(twin_run(&shared, TWIN_LOCALE, allowed.opened, NULL), IDENTITY_OK);
  identity_session_close(allowed.opened);
  identity_config_free(ended.context);
  note_clear(&ended);
}

/* ---- a chain: each completion starts the next call ---- */

enum { LINKS = 1000, MOST_STACK = 4096 };

static struct {
  identity_status (*start)(identity_session *session, identity_done_fn done, void *user_data,
                           identity_call **call);
  int done, refused, nested, running;
  uintptr_t lowest, highest;
} chain;

static void link_done(identity_status status, const void *result, const identity_error *error,
                      void *user_data) {
  uintptr_t here = (uintptr_t)__builtin_frame_address(0);
  (void)error, (void)user_data;
  if (status == IDENTITY_OK)
    twins[TWIN_LOCALE].free_result(result);
  chain.nested += chain.running;
  chain.running = 1;
  chain.lowest = chain.done == 0 || here < chain.lowest ? here : chain.lowest;
  chain.highest = here > chain.highest ? here : chain.highest;
  if (++chain.done < LINKS)
    chain.refused += chain.start(session, link_done, NULL, NULL) != IDENTITY_OK;
  chain.running = 0;
}

static identity_status start_badly(identity_session *on, identity_done_fn done, void *user_data,
                                   identity_call **call) {
  return identity_fetch_locale_start(on, "no address", done, user_data, call);
}

static void run_chain(identity_status (*first)(identity_session *session, identity_done_fn done,
                                               void *user_data, identity_call **call)) {
  memset(&chain, 0, sizeof chain);
  chain.start = first;
  assert_int_equal(first(session, link_done, NULL, NULL), IDENTITY_OK);
  int64_t until = service_now_ms() + ALOOP_PATIENCE_S * 1000;
  while (chain.done < LINKS && service_now_ms() < until)
    aloop_turn(&shared);
  aloop_settle(&shared);
  assert_int_equal(chain.done, LINKS);
  assert_int_equal(chain.refused, 0);
  assert_int_equal(chain.nested, 0);
  assert_true(chain.highest - chain.lowest < MOST_STACK);
}

static void a_thousand_calls_each_started_by_the_one_before_need_no_more_stack_than_one(void **state) {
  (void)state;
  run_chain(start_badly);
  assert_int_equal(probe_requests(&server), 0);
  run_chain(twins[TWIN_LOCALE].start);
  probe_sent(&server, "GET", "/locales", LINKS);
}

/* One that never ends must leave the turn its end. */
static void a_chain_does_not_hold_up_the_turn_for_ever(void **state) {
  (void)state;
  note other = {0};
  memset(&chain, 0, sizeof chain);
  chain.start = start_badly;
  chain.done = -100 * LINKS;
  assert_int_equal(start_badly(session, link_done, NULL, NULL), IDENTITY_OK);
  twin_start(TWIN_LOCALE, session, &other);
  aloop_until(&shared, &other, 1);
  note_is(&other, IDENTITY_OK);
  assert_true(chain.done < 0); /* the answer did not have to wait until the chain was over */
  chain.done = LINKS;
  aloop_settle(&shared);
  note_clear(&other);
}

/* ---- blocking calls on a shared loop ---- */

static void blocking_calls_work_on_the_thread_that_drives(void **state) {
  static const int order[] = {TWIN_LOCALE,
                              TWIN_PUBLISHER_CONSENTS,
                              TWIN_LOGIN,
                              TWIN_CUSTOMER,
                              TWIN_CUSTOMER_CONSENTS,
                              TWIN_UPDATE_CONSENTS,
                              TWIN_CAPTURE_STATUS,
                              TWIN_UPDATE_CAPTURE,
                              TWIN_NEXT_STEP,
                              TWIN_UPDATE_CUSTOMER,
                              TWIN_REFRESH,
                              TWIN_RESET_MAIL,
                              TWIN_LOGOUT,
                              TWIN_ADOPT,
                              TWIN_REGISTER,
                              TWIN_LOGOUT_EVERYWHERE};
  (void)state;
  twins_register(&server);
  aloop_turn(&shared);
  shared.drive = DRIVE_BLOCKING;
  for (size_t i = 0; i < ROWS(order); i++) {
    identity_error error;
    (void)twin_run(&shared, order[i], session, &error);
    probe_status(twins[order[i]].name, &error, IDENTITY_OK, NULL);
  }
  shared.drive = DRIVE_TICK;
}

static void completions_of_others_wait_during_a_blocking_call(void **state) {
  (void)state;
  note waits = {0};
  const identity_consents *consents = NULL;
  identity_session *other = aloop_open(&shared, &server, "other");
  aloop_turn(&shared);
  service_fault(&server, "{\"path\":\"/publishers/*/consents\",\"delay_ms\":150}");
  twin_start(TWIN_LOCALE, other, &waits);
  assert_int_equal(identity_fetch_publisher_consents(session, &consents, NULL), IDENTITY_OK);
  identity_consents_free(consents);
  assert_int_equal(service_count(&server, "GET", "/locales", 200), 1); /* it is answered ... */
  note_is_open(&waits);                                                /* ... and not told */
  assert_int_equal(identity_loop_pending(shared.loop), 1);
  aloop_until(&shared, &waits, 1);
  note_is(&waits, IDENTITY_OK);
  note_clear(&waits);
  identity_session_close(other);
}

/* A host's sockets and timer are served inside functions of the loop alone. */
static void a_host_is_told_nothing_during_a_blocking_call_and_all_of_it_after(void **state) {
  (void)state;
  aloop hosted;
  note calls[3] = {0};
  aloop_start(&hosted, service_config(&server), DRIVE_HOST);
  identity_session *on_host = aloop_open(&hosted, &server, "viewer");
  for (int round = 0; round < 3; round++) {
    twin_start(TWIN_LOCALE, on_host, &calls[round]);
    aloop_turn(&hosted);
    const identity_consents *consents = NULL;
    assert_int_equal(identity_fetch_publisher_consents(on_host, &consents, NULL), IDENTITY_OK);
    identity_consents_free(consents);
    aloop_until(&hosted, &calls[round], 1);
    note_is(&calls[round], IDENTITY_OK);
  }
  notes_clear(calls, 3);
  identity_session_close(on_host);
  aloop_stop(&hosted);
  assert_int_equal(hosted.outside, 0);
}

static identity_error foreign[64];

static void *call_from_here(void *user_data) {
  const identity_tokens *tokens = NULL;
  (void)user_data;
  for (size_t i = 0; i < every_call_count; i++)
    (void)every_calls[i].run(session, &foreign[i]);
  (void)identity_session_tokens(session, 0, &tokens, &foreign[every_call_count]);
  return NULL;
}

static void check_foreign(const char *name, const identity_error *error) {
  char text[80];
  probe_status(name, error, IDENTITY_WRONG_THREAD, NULL);
  snprintf(text, sizeof text, "identity_%s_start", name);
  if (strcmp(name, "sso_login") != 0 && strstr(error->message, text) == NULL)
    fail_msg("%s: the text does not name %s: %s", name, text, error->message);
}

static void blocking_calls_from_another_thread_are_told_of_the_start_twin(void **state) {
  (void)state;
  pthread_t thread;
  aloop_turn(&shared);
  assert_true(every_call_count < ROWS(foreign));
  assert_int_equal(pthread_create(&thread, NULL, call_from_here, NULL), 0);
  assert_int_equal(pthread_join(thread, NULL), 0);
  for (size_t i = 0; i < every_call_count; i++)
    check_foreign(every_calls[i].name, &foreign[i]);
  check_foreign("session_tokens", &foreign[every_call_count]);
  assert_int_equal(identity_status_class(IDENTITY_WRONG_THREAD), IDENTITY_CLASS_BUG);
  assert_int_equal(probe_requests(&server), 0);
}

static void *drive_from_here(void *user_data) {
  static identity_error error;
  const identity_locale *locale = NULL;
  (void)user_data;
  (void)identity_loop_run(shared.loop, 0);
  (void)identity_fetch_locale(session, NULL, &locale, &error);
  identity_locale_free(locale);
  return &error;
}

static void the_thread_that_drove_last_may_block_and_the_one_before_may_not(void **state) {
  (void)state;
  pthread_t thread;
  void *said = NULL;
  const identity_locale *locale = NULL;
  aloop_turn(&shared);
  assert_int_equal(pthread_create(&thread, NULL, drive_from_here, NULL), 0);
  assert_int_equal(pthread_join(thread, &said), 0);
  probe_status("the new driver", said, IDENTITY_OK, NULL);
  assert_int_equal(identity_fetch_locale(session, NULL, &locale, NULL), IDENTITY_WRONG_THREAD);
  assert_null(locale);
  aloop_turn(&shared);
  assert_int_equal(identity_fetch_locale(session, NULL, &locale, NULL), IDENTITY_OK);
  identity_locale_free(locale);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

static const struct CMUnitTest tests[] = {
    TEST(blocking_calls_inside_a_completion_are_reentered),
    TEST(driving_the_loop_inside_a_completion_is_reentered),
    TEST(everything_that_does_not_block_is_allowed_inside_a_completion),
    TEST(a_thousand_calls_each_started_by_the_one_before_need_no_more_stack_than_one),
    TEST(a_chain_does_not_hold_up_the_turn_for_ever),
    TEST(blocking_calls_work_on_the_thread_that_drives),
    TEST(completions_of_others_wait_during_a_blocking_call),
    TEST(a_host_is_told_nothing_during_a_blocking_call_and_all_of_it_after),
    TEST(blocking_calls_from_another_thread_are_told_of_the_start_twin),
    TEST(the_thread_that_drove_last_may_block_and_the_one_before_may_not),
};

SUITE_WITH("async_reentry", tests, start, stop)
