/* Sessions on a store of the host: signing in, rotating, sharing it, leaving nothing behind. */
#include "support/crowd.h"
#include "support/judge.h"
#include "support/rotation.h"
#include "support/stage.h"
#include "support/vault.h"

#define MAIL "jo@example.com"

static vault safe;

static int begin(void **state) {
  vault_start(&safe, 0);
  return reset(state);
}

static int begin_keychain(void **state) {
  vault_start(&safe, IDENTITY_STORE_ONE_PROCESS);
  return reset(state);
}

static int end(void **state) {
  (void)state;
  vault_stop(&safe);
  return 0;
}

static identity_session *opened(void) {
  return vault_open(&safe, &server, "viewer");
}

static identity_status log_in(identity_session *session, identity_error *error) {
  return service_login(session, MAIL, TEST_PASSWORD, error);
}

/* ---- one handle ---- */

static void a_session_lives_on_in_the_store_of_the_host(void **state) {
  (void)state;
  identity_session *session = opened();
  probe_reason(session, IDENTITY_STATE_SIGNED_OUT, IDENTITY_REASON_NEVER_SIGNED_IN);
  assert_int_equal(vault_count(&safe), 0);
  service_register(session, MAIL);
  assert_int_equal(vault_count(&safe), 1);
  assert_true(vault_has(&safe, "eyJ"));
  assert_int_equal(identity_session_refresh(session, NULL), IDENTITY_OK);
  identity_session_close(session);
  session = opened();
  assert_int_equal(service_state_of(session), IDENTITY_STATE_ACTIVE);
  assert_int_equal(service_fetch(session, NULL), IDENTITY_OK);
  assert_int_equal(identity_session_refresh(session, NULL), IDENTITY_OK);
  assert_int_equal(rotation_count(&server, 200), 2);
  assert_int_equal(rotation_count(&server, -1), 2);
  identity_session_close(session);
}

static void a_sign_out_leaves_no_secret_in_the_blob(void **state) {
  (void)state;
  identity_session *session = opened();
  service_register(session, MAIL);
  assert_int_equal(identity_session_refresh(session, NULL), IDENTITY_OK);
  const identity_tokens *tokens = NULL;
  assert_int_equal(identity_session_tokens(session, 0, &tokens, NULL), IDENTITY_OK);
  char *jwt = strdup(tokens->jwt);
  identity_tokens_free(tokens);
  assert_true(vault_has(&safe, jwt));
  assert_true(vault_has(&safe, MAIL));
  assert_int_equal(identity_logout(session, NULL), IDENTITY_OK);
  assert_int_equal(vault_count(&safe), 1); /* a tombstone */
  assert_false(vault_has(&safe, jwt));
  assert_false(vault_has(&safe, "eyJ"));
  assert_false(vault_has(&safe, MAIL));
  identity_session_close(session);
  session = opened();
  probe_reason(session, IDENTITY_STATE_SIGNED_OUT, IDENTITY_REASON_LOGOUT);
  identity_session_close(session);
  free(jwt);
}

static void each_account_has_a_blob_of_its_own(void **state) {
  (void)state;
  identity_session *first = opened();
  identity_session *second = vault_open(&safe, &server, "child");
  service_register(first, MAIL);
  service_register(second, "al@example.com");
  assert_int_equal(vault_count(&safe), 2);
  assert_int_equal(identity_logout(first, NULL), IDENTITY_OK);
  assert_int_equal(service_fetch(second, NULL), IDENTITY_OK);
  assert_int_equal(service_state_of(second), IDENTITY_STATE_ACTIVE);
  identity_session_close(first);
  identity_session_close(second);
}

/* ---- two handles ---- */

static void a_second_handle_adopts_what_the_first_has_rotated(void **state) {
  (void)state;
  identity_session *first = opened();
  service_register(first, MAIL);
  identity_session *second = opened();
  assert_int_equal(service_state_of(second), IDENTITY_STATE_ACTIVE);
  assert_int_equal(identity_session_refresh(first, NULL), IDENTITY_OK);
  assert_int_equal(identity_session_refresh(second, NULL), IDENTITY_OK);
  assert_int_equal(rotation_count(&server, -1), 1);
  assert_int_equal(identity_session_refresh(second, NULL), IDENTITY_OK);
  assert_int_equal(identity_session_refresh(first, NULL), IDENTITY_OK);
  assert_int_equal(rotation_count(&server, -1), 2);
  assert_int_equal(rotation_count(&server, 200), 2);
  identity_session_close(first);
  identity_session_close(second);
}

static void a_second_handle_waits_for_the_lease_of_the_first(void **state) {
  (void)state;
  crowd one, other;
  identity_session *first = opened();
  service_register(first, MAIL);
  identity_session *second = opened();
  rotation_fault(&server, "\"delay_ms\":400");
  crowd_start(&one, first, 1, identity_session_refresh);
  rotation_await(&server, 1);
  crowd_start(&other, second, 1, identity_session_refresh);
  crowd_join(&other);
  crowd_join(&one);
  assert_int_equal(one.members[0].status, IDENTITY_OK);
  assert_int_equal(other.members[0].status, IDENTITY_OK);
  assert_int_equal(rotation_count(&server, -1), 1);
  identity_session_close(first);
  identity_session_close(second);
}

static void a_second_handle_learns_of_a_sign_out(void **state) {
  (void)state;
  identity_session *first = opened();
  service_register(first, MAIL);
  identity_session *second = opened();
  assert_int_equal(identity_logout(first, NULL), IDENTITY_OK);
  assert_int_equal(identity_session_refresh(second, NULL), IDENTITY_SIGNED_OUT);
  probe_reason(second, IDENTITY_STATE_SIGNED_OUT, IDENTITY_REASON_OTHER_PROCESS);
  assert_int_equal(rotation_count(&server, -1), 0);
  assert_int_equal(log_in(second, NULL), IDENTITY_OK);
  assert_int_equal(service_state_of(second), IDENTITY_STATE_ACTIVE);
  identity_session_close(first);
  identity_session_close(second);
}

/* Handles of many threads, all rotating: each pair is used once, and the last one is the store's. */
static void handles_that_rotate_at_once_never_send_a_token_twice(void **state) {
  enum { HANDLES = 4, THREADS = 3, ROUNDS = 5 };
  (void)state;
  static crowd people[HANDLES];
  identity_session *sessions[HANDLES];
  identity_session *session = opened();
  service_register(session, MAIL);
  for (int i = 0; i < HANDLES; i++)
    sessions[i] = opened();
  for (int round = 0; round < ROUNDS; round++) {
    for (int i = 0; i < HANDLES; i++)
      crowd_start(&people[i], sessions[i], THREADS, identity_session_refresh);
    for (int i = 0; i < HANDLES; i++) {
      crowd_join(&people[i]);
      assert_int_equal(crowd_count(&people[i], IDENTITY_OK), THREADS);
    }
  }
  judged seen = judge_refreshes(&server);
  assert_int_equal(seen.repeated, 0);
  assert_int_equal(seen.rotated, seen.sent);
  assert_in_range(seen.sent, ROUNDS, HANDLES * ROUNDS);
  for (int i = 0; i < HANDLES; i++)
    identity_session_close(sessions[i]);
  assert_int_equal(identity_session_refresh(session, NULL), IDENTITY_OK);
  identity_session_close(session);
}

/* ---- how the host is called ---- */

static identity_status use_everything(identity_session *session, identity_error *error) {
  const identity_tokens *tokens = NULL;
  identity_status status = identity_session_refresh(session, error);
  if (status == IDENTITY_OK)
    status = service_fetch(session, error);
  if (status == IDENTITY_OK)
    status = identity_session_tokens(session, 0, &tokens, error);
  identity_tokens_free(tokens);
  return status;
}

static void the_host_is_called_by_one_thread_at_a_time(void **state) {
  (void)state;
  identity_session *session = opened();
  service_register(session, MAIL);
  safe.linger_ms = 5;
  vault_recount(&safe);
  for (int round = 0; round < 3; round++)
    assert_int_equal(crowd_successes(session, 16, use_everything), 16);
  assert_true(vault_used(&safe, VAULT_SWAP) >= 2);
  assert_int_equal(safe.together, 1);
  safe.linger_ms = 0;
  identity_session_close(session);
}

/* Another thread that looks while the host's function runs: what it needs is not locked. */
static struct {
  identity_session *session;
  int looks;
} watched;

static void *look_at_the_session(void *user_data) {
  const identity_state *stands = NULL;
  const identity_event *event = NULL;
  const char *json = NULL;
  (void)user_data;
  bool fine = identity_session_state(watched.session, &stands, NULL) == IDENTITY_OK &&
              identity_session_next_event(watched.session, &event, NULL) == IDENTITY_OK &&
              identity_session_explain(watched.session, &json, NULL) == IDENTITY_OK;
  identity_state_free(stands);
  identity_event_free(event);
  identity_explanation_free(json);
  return fine ? &watched : NULL;
}

static void *interrupt_the_session(void *user_data) {
  (void)user_data;
  identity_session_interrupt(watched.session);
  return &watched;
}

/* A hang here would be one for ever: the test ends as a whole. */
static void meet(void *(*other)(void *user_data)) {
  pthread_t thread;
  void *came_back = NULL;
  struct timespec until;
  if (pthread_create(&thread, NULL, other, NULL) != 0)
    abort();
  (void)clock_gettime(CLOCK_REALTIME, &until);
  until.tv_sec += 20;
  if (pthread_timedjoin_np(thread, &came_back, &until) != 0) {
    (void)fprintf(stderr, "a function of the session hangs while the host's store is called\n");
    abort();
  }
  if (came_back == NULL)
    abort();
  watched.looks++;
}

static void look_meanwhile(void *user_data) {
  (void)user_data;
  meet(look_at_the_session);
}

static void interrupt_meanwhile(void *user_data) {
  (void)user_data;
  meet(interrupt_the_session);
}

static void no_lock_is_held_while_the_host_runs(void **state) {
  (void)state;
  watched.session = opened();
  watched.looks = 0;
  service_register(watched.session, MAIL);
  safe.meanwhile = look_meanwhile;
  vault_recount(&safe);
  assert_int_equal(identity_session_refresh(watched.session, NULL), IDENTITY_OK);
  assert_int_equal(identity_logout(watched.session, NULL), IDENTITY_OK);
  assert_int_equal(log_in(watched.session, NULL), IDENTITY_OK);
  assert_int_equal(watched.looks, vault_used(&safe, VAULT_LOAD) + vault_used(&safe, VAULT_SWAP));
  assert_true(watched.looks >= 6);
  safe.meanwhile = interrupt_meanwhile;
  (void)identity_session_refresh(watched.session, NULL);
  safe.meanwhile = NULL;
  assert_int_equal(identity_session_refresh(watched.session, NULL), IDENTITY_OK);
  assert_int_equal(service_state_of(watched.session), IDENTITY_STATE_ACTIVE);
  identity_session_close(watched.session);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)
#define TEST_KEYCHAIN(name)                                                                                  \
  { "keychain: " #name, name, begin_keychain, end, NULL }

static const struct CMUnitTest tests[] = {
    TEST(a_session_lives_on_in_the_store_of_the_host),
    TEST(a_sign_out_leaves_no_secret_in_the_blob),
    TEST(each_account_has_a_blob_of_its_own),
    TEST(a_second_handle_adopts_what_the_first_has_rotated),
    TEST(a_second_handle_waits_for_the_lease_of_the_first),
    TEST(a_second_handle_learns_of_a_sign_out),
    TEST(handles_that_rotate_at_once_never_send_a_token_twice),
    TEST(the_host_is_called_by_one_thread_at_a_time),
    TEST(no_lock_is_held_while_the_host_runs),
    TEST_KEYCHAIN(a_session_lives_on_in_the_store_of_the_host),
    TEST_KEYCHAIN(a_sign_out_leaves_no_secret_in_the_blob),
    TEST_KEYCHAIN(each_account_has_a_blob_of_its_own),
    TEST_KEYCHAIN(a_second_handle_adopts_what_the_first_has_rotated),
    TEST_KEYCHAIN(a_second_handle_waits_for_the_lease_of_the_first),
    TEST_KEYCHAIN(a_second_handle_learns_of_a_sign_out),
    TEST_KEYCHAIN(the_host_is_called_by_one_thread_at_a_time),
    TEST_KEYCHAIN(no_lock_is_held_while_the_host_runs),
};

SUITE_WITH("device store", tests, start, stop)
