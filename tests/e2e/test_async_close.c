/* A session of a shared loop is closed at any time: at once, and what is still out completes in the next
 * function of the loop. */
#include "support/judge.h"
#include "support/rotation.h"
#include "support/shared.h"
#include "support/twins.h"
#include "support/vault.h"

enum { CALLS = 5, ROUNDS = 30, CLOSE_MS = 1300, MOST_SWAPS = 60 };

static void calls_still_out_complete_as_cancelled_in_the_next_turn(void **state) {
  (void)state;
  note calls[CALLS] = {0};
  identity_session *session = aloop_open(&shared, &server, "viewer");
  service_fault(&server, "{\"path\":\"/locales\",\"times\":2,\"hang\":true}");
  twin_start(TWIN_LOCALE, session, &calls[0]);
  twin_start(TWIN_LOCALE, session, &calls[1]);
  aloop_until_sent(&shared, &server, "GET", "/locales", 2);
  for (int i = 2; i < CALLS; i++)
    twin_start(TWIN_LOCALE, session, &calls[i]);
  identity_session_close(session);
  for (int i = 0; i < CALLS; i++)
    note_is_open(&calls[i]);
  aloop_turn(&shared);
  assert_int_equal(notes_with(calls, CALLS, IDENTITY_CANCELLED), CALLS);
  aloop_settle(&shared);
  assert_int_equal(notes_with(calls, CALLS, IDENTITY_CANCELLED), CALLS);
  assert_int_equal(identity_loop_pending(shared.loop), 0);
  probe_sent(&server, "GET", "/locales", 2);
  notes_clear(calls, CALLS);
}

static void a_sent_registration_of_a_closed_session_has_an_unknown_outcome(void **state) {
  (void)state;
  note ended = {0};
  identity_session *session = aloop_open(&shared, &server, "viewer");
  service_fault(&server, "{\"method\":\"POST\",\"path\":\"/customers\",\"hang\":true}");
  twin_start(TWIN_REGISTER, session, &ended);
  aloop_until_sent(&shared, &server, "POST", "/customers", 1);
  identity_session_close(session);
  aloop_turn(&shared);
  note_is(&ended, IDENTITY_OUTCOME_UNKNOWN);
  note_clear(&ended);
}

static void close_context(note *self) {
  identity_session_close(self->context);
  self->context = NULL;
}

static void a_session_is_closed_inside_its_own_completion(void **state) {
  (void)state;
  note first = {.then = close_context}, others[CALLS] = {0};
  identity_session *session = aloop_open(&shared, &server, "viewer");
  service_fault(&server, "{\"path\":\"/publishers/*/consents\",\"times\":-1,\"hang\":true}");
  first.context = session;
  for (int i = 0; i < CALLS; i++)
    twin_start(TWIN_PUBLISHER_CONSENTS, session, &others[i]);
  twin_start(TWIN_LOCALE, session, &first);
  aloop_until(&shared, &first, 1);
  aloop_until(&shared, others, CALLS);
  aloop_settle(&shared);
  note_is(&first, IDENTITY_OK);
  assert_int_equal(notes_with(others, CALLS, IDENTITY_CANCELLED), CALLS);
  for (int i = 0; i < CALLS; i++)
    assert_true(others[i].order > first.order); /* none ran inside the close */
  note_clear(&first);
  notes_clear(others, CALLS);
}

/* The same at each place among completions that are due together. */
static void a_session_is_closed_inside_any_of_its_completions(void **state) {
  (void)state;
  for (int which = 0; which < CALLS; which++)
    for (int round = 0; round < ROUNDS / CALLS; round++) {
      note calls[CALLS] = {0};
      identity_session *session = aloop_open(&shared, &server, "viewer");
      for (int i = 0; i < CALLS; i++) {
        calls[i].then = i == which ? close_context : NULL;
        calls[i].context = i == which ? session : NULL;
        twin_start(TWIN_LOCALE, session, &calls[i]);
      }
      service_pause_ms(1);
      aloop_until(&shared, calls, CALLS);
      aloop_settle(&shared);
      assert_int_equal(notes_with(calls, CALLS, IDENTITY_OK) + notes_with(calls, CALLS, IDENTITY_CANCELLED),
                       CALLS);
      note_is(&calls[which], IDENTITY_OK);
      notes_clear(calls, CALLS);
    }
}

static void a_completion_closes_another_session_with_calls_out(void **state) {
  (void)state;
  note first = {.then = close_context}, other = {0}, third = {0};
  identity_session *session = aloop_open(&shared, &server, "viewer");
  identity_session *bystander = aloop_open(&shared, &server, "bystander");
  first.context = aloop_open(&shared, &server, "other");
  service_fault(&server, "{\"path\":\"/publishers/*/consents\",\"times\":-1,\"hang\":true}");
  twin_start(TWIN_PUBLISHER_CONSENTS, first.context, &other);
  aloop_until_sent(&shared, &server, "GET", "/publishers/*/consents", 1);
  twin_start(TWIN_LOCALE, session, &first);
  twin_start(TWIN_LOCALE, bystander, &third);
  aloop_until(&shared, &first, 1);
  aloop_until(&shared, &other, 1);
  aloop_until(&shared, &third, 1);
  note_is(&first, IDENTITY_OK);
  note_is(&other, IDENTITY_CANCELLED);
  note_is(&third, IDENTITY_OK);
  note_clear(&first);
  note_clear(&other);
  note_clear(&third);
  identity_session_close(session);
  identity_session_close(bystander);
}

/* A cancelled call's completion closes the session, too. */
static void a_session_is_closed_inside_a_completion_that_its_cancel_made(void **state) {
  (void)state;
  note calls[2] = {0};
  identity_session *session = aloop_open(&shared, &server, "viewer");
  calls[0].then = close_context;
  calls[0].context = session;
  twin_start(TWIN_LOCALE, session, &calls[0]);
  twin_start(TWIN_LOCALE, session, &calls[1]);
  identity_call_cancel(calls[0].call);
  aloop_until(&shared, calls, 2);
  aloop_settle(&shared);
  note_is(&calls[0], IDENTITY_CANCELLED);
  note_is(&calls[1], calls[1].status);
  notes_clear(calls, 2);
}

static void closing_does_not_block_whatever_the_network_does(void **state) {
  (void)state;
  note ended = {0};
  twins_register(&server);
  identity_session *session = twins_viewer(&shared, &server, "viewer");
  service_fault(&server, "{\"path\":\"/auths/refresh_token\",\"hang\":true}");
  twin_start(TWIN_REFRESH, session, &ended);
  aloop_until_sent(&shared, &server, "POST", "/auths/refresh_token", 1);
  int64_t begun = service_now_ms();
  identity_session_close(session); /* without a loop it would give the refresh its second */
  assert_true(judge_runs_slowly() || service_now_ms() - begun < 500);
  aloop_turn(&shared);
  note_is(&ended, IDENTITY_CANCELLED);
  note_clear(&ended);
}

static void sessions_come_and_go_on_a_loop_that_is_never_driven(void **state) {
  (void)state;
  note calls[ROUNDS] = {0};
  for (int i = 0; i < ROUNDS; i++) {
    identity_session *session = aloop_open(&shared, &server, "viewer");
    twin_start(TWIN_LOCALE, session, &calls[i]);
    identity_session_close(session);
  }
  assert_int_equal(identity_loop_pending(shared.loop), ROUNDS);
  aloop_turn(&shared);
  assert_int_equal(notes_with(calls, ROUNDS, IDENTITY_CANCELLED), ROUNDS);
  assert_int_equal(identity_loop_pending(shared.loop), 0);
  assert_int_equal(probe_requests(&server), 0);
  notes_clear(calls, ROUNDS);
}

/* A loop that is driven all the time does not ask a store all the time that takes nothing. */
static void a_store_that_fails_is_asked_now_and_then_in_the_second_of_the_close(void **state) {
  static const int32_t answers[] = {IDENTITY_STORE_IO, IDENTITY_STORE_BUSY};
  (void)state;
  for (size_t i = 0; i < ROWS(answers); i++) {
    static vault store;
    service_reset(&server);
    twins_register(&server);
    vault_start(&store, 0);
    identity_session *session = aloop_open_with(&shared, vault_config(&store, &server), "viewer");
    twins_log_in(&shared, session);
    note ended = {0};
    vault_lies(&store, VAULT_SWAP, (vault_lie){answers[i], 1, VAULT_ALWAYS, false}); /* after the lease */
    twin_start(TWIN_REFRESH, session, &ended);
    aloop_until_sent(&shared, &server, "POST", ROTATION_PATH, 1);
    aloop_turn_for(&shared, 100); /* the answer is here, and cannot be stored */
    vault_recount(&store);
    identity_session_close(session);
    aloop_turn_for(&shared, CLOSE_MS);
    int asked = vault_used(&store, VAULT_SWAP);
    if (asked < 2 || asked > MOST_SWAPS)
      fail_msg("the store was asked %d times", asked);
    aloop_settle(&shared);
    assert_int_equal(vault_used(&store, VAULT_SWAP), asked); /* and given up */
    assert_int_equal(atomic_load(&ended.count), 1);
    note_clear(&ended);
    vault_stop(&store);
  }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

static const struct CMUnitTest tests[] = {
    TEST(calls_still_out_complete_as_cancelled_in_the_next_turn),
    TEST(a_sent_registration_of_a_closed_session_has_an_unknown_outcome),
    TEST(a_session_is_closed_inside_its_own_completion),
    TEST(a_session_is_closed_inside_any_of_its_completions),
    TEST(a_completion_closes_another_session_with_calls_out),
    TEST(a_session_is_closed_inside_a_completion_that_its_cancel_made),
    TEST(closing_does_not_block_whatever_the_network_does),
    TEST(sessions_come_and_go_on_a_loop_that_is_never_driven),
    TEST(a_store_that_fails_is_asked_now_and_then_in_the_second_of_the_close),
};

SUITE_WITH("async_close", tests, start, stop)
