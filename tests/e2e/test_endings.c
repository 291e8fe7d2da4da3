/* How sessions and loops end while the store is held by somebody else, or a thread is still inside: nothing
 * that must be stored is lost, and nothing is freed under anybody. */
#include "support/peer.h"
#include "support/rotation.h"
#include "support/shared.h"
#include "support/twins.h"
#include "support/vault.h"

#include <pthread.h>

enum { SECOND_MS = 1000, SLACK_MS = 1500, TIMEOUT_MS = 200, MOST_SWAPS = 100 };

static vault store;
static char *jwt, *refresh_token;

static const vault_lie busy_for_a_while = {IDENTITY_STORE_BUSY, 0, 4, false};
static const vault_lie always_busy = {IDENTITY_STORE_BUSY, 0, VAULT_ALWAYS, false};

static int begin_stored(void **state) {
  (void)begin(state);
  twins_register(&server);
  vault_start(&store, 0);
  service_login_raw(&server, TWIN_MAIL, &jwt, &refresh_token);
  return 0;
}

static int end_stored(void **state) {
  (void)state;
  vault_stop(&store);
  free(jwt);
  free(refresh_token);
  return 0;
}

static identity_session *opened(void) {
  return aloop_open_with(&shared, vault_config(&store, &server), "viewer");
}

static identity_session *signed_in(void) {
  note ended = {0};
  identity_session *session = opened();
  note_begin(&ended, NULL);
  assert_int_equal(identity_session_adopt_start(session, jwt, refresh_token, note_done, &ended, &ended.call),
                   IDENTITY_OK);
  note_begun(&ended);
  aloop_until(&shared, &ended, 1);
  note_is(&ended, IDENTITY_OK);
  note_clear(&ended);
  assert_true(vault_has(&store, refresh_token));
  return session;
}

/* Whoever comes next finds the viewer signed in, with a refresh token that is good. */
static void next_start_finds_a_good_pair(void) {
  identity_error error;
  identity_session *session = vault_open(&store, &server, "viewer");
  (void)identity_session_refresh(session, &error);
  probe_status("the next start", &error, IDENTITY_OK, NULL);
  identity_session_close(session);
}

/* ---- a sign-out that is not stored yet ---- */

static void log_out_unstored(identity_session *session, note *ended) {
  twin_start(TWIN_LOGOUT, session, ended);
  assert_int_equal(identity_loop_run(shared.loop, 0), IDENTITY_OK);
  assert_true(vault_has(&store, refresh_token));
}

static void a_sign_out_is_stored_while_its_loop_is_freed(void **state) {
  (void)state;
  for (int close_first = 0; close_first < 2; close_first++) {
    note ended = {0};
    identity_session *session = signed_in();
    vault_lies(&store, VAULT_SWAP, busy_for_a_while);
    log_out_unstored(session, &ended);
    if (close_first)
      identity_session_close(session);
    aloop_stop(&shared);
    assert_false(vault_has(&store, refresh_token));
    if (!close_first)
      identity_session_close(session);
    note_clear(&ended);
    vault_tells_the_truth(&store);
    aloop_start(&shared, service_config(&server), DRIVE_TICK);
  }
  aloop_stop(&shared);
}

static void a_sign_out_is_stored_by_a_close_after_its_loop(void **state) {
  (void)state;
  note ended = {0};
  identity_session *session = signed_in();
  vault_lies(&store, VAULT_SWAP, always_busy);
  log_out_unstored(session, &ended);
  vault_recount(&store);
  int64_t begun = service_now_ms();
  aloop_stop(&shared);
  assert_in_range(service_now_ms() - begun, 0, SECOND_MS + SLACK_MS);
  assert_in_range(vault_used(&store, VAULT_SWAP), 2, MOST_SWAPS); /* now and then */
  assert_true(vault_has(&store, refresh_token));
  vault_tells_the_truth(&store);
  identity_session_close(session);
  assert_false(vault_has(&store, refresh_token));
  note_clear(&ended);
}

/* ---- a refresh that is out ---- */

static void a_new_pair_is_stored_while_its_loop_is_freed(void **state) {
  (void)state;
  note ended = {0};
  identity_session *session = signed_in();
  vault_lies(&store, VAULT_SWAP, (vault_lie){IDENTITY_STORE_BUSY, 1, 8, false}); /* after the lease */
  twin_start(TWIN_REFRESH, session, &ended);
  aloop_until_sent(&shared, &server, "POST", ROTATION_PATH, 1);
  aloop_stop(&shared);
  note_clear(&ended);
  next_start_finds_a_good_pair();
  identity_session_close(session);
}

static void a_new_pair_is_stored_by_a_close_after_its_loop(void **state) {
  (void)state;
  note ended = {0};
  identity_session *session = signed_in();
  vault_lies(&store, VAULT_SWAP, (vault_lie){IDENTITY_STORE_BUSY, 1, VAULT_ALWAYS, false});
  twin_start(TWIN_REFRESH, session, &ended);
  aloop_until_sent(&shared, &server, "POST", ROTATION_PATH, 1);
  aloop_stop(&shared);
  note_clear(&ended);
  vault_tells_the_truth(&store);
  identity_session_close(session);
  next_start_finds_a_good_pair();
}

/* It stays without an answer, and its mark cannot be stored: it ends all the same. */
static void a_refresh_that_hangs_ends_with_its_loop_though_the_store_is_held(void **state) {
  (void)state;
  note ended = {0};
  identity_session *session = signed_in();
  service_fault(&server, "{\"path\":\"" ROTATION_PATH "\",\"times\":-1,\"hang\":true}");
  twin_start(TWIN_REFRESH, session, &ended);
  aloop_until_sent(&shared, &server, "POST", ROTATION_PATH, 1);
  vault_lies(&store, VAULT_SWAP, always_busy);
  vault_recount(&store);
  int64_t begun = service_now_ms();
  aloop_stop(&shared);
  assert_in_range(service_now_ms() - begun, SECOND_MS - 100, SECOND_MS + SLACK_MS);
  assert_true(vault_used(&store, VAULT_SWAP) > 0);
  identity_session_close(session);
  note_clear(&ended);
}

/* The lease of a refresh that never left would keep the next start waiting for it. */
static void a_close_takes_the_lease_of_an_unsent_refresh_back_though_the_store_is_held(void **state) {
  char url[64];
  peer silent;
  identity_session *session = NULL;
  (void)state;
  aloop_stop(&shared);
  peer_start(&silent, NULL, 0, 0);
  snprintf(url, sizeof url, "https://127.0.0.1:%d", silent.port);
  identity_config *config = vault_config(&store, &server);
  assert_int_equal(identity_config_set_base_url(config, url), IDENTITY_OK);
  assert_int_equal(identity_config_set_timeout_ms(config, TIMEOUT_MS), IDENTITY_OK);
  assert_int_equal(identity_session_open(config, "viewer", &session, NULL), IDENTITY_OK);
  identity_config_free(config);
  assert_int_equal(identity_session_adopt(session, jwt, refresh_token, NULL), IDENTITY_OK);
  vault_recount(&store);
  assert_int_not_equal(identity_session_refresh(session, NULL), IDENTITY_OK);
  assert_int_equal(vault_written(&store), 1); /* the lease */
  vault_lies(&store, VAULT_SWAP, busy_for_a_while);
  int64_t begun = service_now_ms();
  identity_session_close(session);
  assert_in_range(service_now_ms() - begun, 0, SECOND_MS);
  assert_int_equal(vault_written(&store), 2);
  peer_stop(&silent);
}

/* ---- a thread that is inside ---- */

static void *fetch_locale(void *user_data) {
  const identity_locale *locale = NULL;
  identity_status status = identity_fetch_locale(user_data, NULL, &locale, NULL);
  identity_locale_free(locale);
  return (void *)(intptr_t)status;
}

/* On a shared loop that no other thread has driven. What is closed under it must outlive it. */
static void a_session_is_closed_under_a_blocking_call_of_its_loop(void **state) {
  (void)state;
  for (int freed = 0; freed < 2; freed++) {
    pthread_t thread;
    void *status = NULL;
    identity_session *session = aloop_open(&shared, &server, "viewer");
    service_fault(&server, "{\"path\":\"/locales\",\"times\":1,\"hang\":true}");
    assert_int_equal(pthread_create(&thread, NULL, fetch_locale, session), 0);
    for (int i = 0; i < 2500 && service_count(&server, "GET", "/locales", -1) == 0; i++)
      service_pause_ms(2);
    identity_session_close(session);
    if (freed)
      aloop_stop(&shared);
    assert_int_equal(pthread_join(thread, &status), 0);
    assert_int_equal((identity_status)(intptr_t)status, IDENTITY_CANCELLED);
    service_reset(&server);
    if (!freed) {
      aloop_stop(&shared);
      aloop_start(&shared, service_config(&server), DRIVE_TICK);
    }
  }
}

#define STORED(name) cmocka_unit_test_setup_teardown(name, begin_stored, end_stored)

static const struct CMUnitTest tests[] = {
    STORED(a_sign_out_is_stored_while_its_loop_is_freed),
    STORED(a_sign_out_is_stored_by_a_close_after_its_loop),
    STORED(a_new_pair_is_stored_while_its_loop_is_freed),
    STORED(a_new_pair_is_stored_by_a_close_after_its_loop),
    STORED(a_refresh_that_hangs_ends_with_its_loop_though_the_store_is_held),
    STORED(a_close_takes_the_lease_of_an_unsent_refresh_back_though_the_store_is_held),
    cmocka_unit_test_setup(a_session_is_closed_under_a_blocking_call_of_its_loop, begin),
};

SUITE_WITH("endings", tests, start, stop)
