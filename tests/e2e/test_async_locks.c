/* A store that is held by somebody else, while calls of a shared loop wait for it and others go on: each is
 * told what became of it, and of nothing else. */
#include "support/rotation.h"
#include "support/stage.h"
#include "support/twins.h"
#include "support/vault.h"

enum { A_WHILE_MS = 60 }; /* asked again meanwhile, at least once */

static aloop shared;
static vault store;
static identity_session *session;

static char *jwt, *refresh_token; /* of the viewer, for who signs in without the network */

static const vault_lie busy = {IDENTITY_STORE_BUSY, 0, VAULT_ALWAYS, false};

static int begin(void **state) {
  (void)reset(state);
  twins_register(&server);
  vault_start(&store, 0);
  aloop_start(&shared, service_config(&server), DRIVE_TICK);
  session = aloop_open_with(&shared, vault_config(&store, &server), "viewer");
  service_login_raw(&server, TWIN_MAIL, &jwt, &refresh_token);
  return 0;
}

static int end(void **state) {
  (void)state;
  identity_session_close(session);
  aloop_stop(&shared);
  vault_stop(&store);
  free(jwt);
  free(refresh_token);
  return 0;
}

static void ends(note *ended, identity_status status) {
  aloop_until(&shared, ended, 1);
  note_is(ended, status);
  note_clear(ended);
}

static void adopts(void) {
  note ended = {0};
  note_begin(&ended, NULL);
  assert_int_equal(identity_session_adopt_start(session, jwt, refresh_token, note_done, &ended, &ended.call),
                   IDENTITY_OK);
  note_begun(&ended);
  ends(&ended, IDENTITY_OK);
}

/* ---- signing out ---- */

/* It has to look at the store first, and cannot; then somebody signs in here. */
static void a_sign_out_everywhere_that_waited_before_there_was_anybody_signs_out(void **state) {
  (void)state;
  note ended = {0};
  vault_lies(&store, VAULT_LOAD, busy);
  twin_start(TWIN_LOGOUT_EVERYWHERE, session, &ended);
  aloop_turn(&shared);
  note_is_open(&ended);
  adopts();
  note_is_open(&ended);
  ends(&ended, IDENTITY_OK);
  assert_int_equal(service_state_of(session), IDENTITY_STATE_SIGNED_OUT);
  assert_false(vault_has(&store, refresh_token));
}

/* The sign-out is done, but for the store; whoever has signed in since is not its business. */
static void a_sign_out_that_waits_leaves_the_calls_of_who_signed_in_since_alone(void **state) {
  (void)state;
  note out = {0}, fetched = {0};
  adopts();
  vault_lies(&store, VAULT_SWAP, (vault_lie){IDENTITY_STORE_BUSY, 0, 2, false});
  service_fault(&server, "{\"method\":\"GET\",\"path\":\"/customers/*\",\"hang\":true,\"after\":true}");
  twin_start(TWIN_LOGOUT, session, &out);
  aloop_turn(&shared);
  note_is_open(&out);
  adopts();
  twin_start(TWIN_CUSTOMER, session, &fetched);
  ends(&out, IDENTITY_OK);
  aloop_until_sent(&shared, &server, "GET", "/customers/*", 1);
  note_is_open(&fetched);
  rotation_release(&server);
  ends(&fetched, IDENTITY_OK);
  assert_int_equal(service_state_of(session), IDENTITY_STATE_ACTIVE);
}

/* ---- a pair in hand ---- */

/* Its answer is here; that others hold every connection does not keep it from the store. */
static void a_new_pair_that_waits_for_the_store_needs_no_connection(void **state) {
  enum { CROWD = 12 };
  (void)state;
  static note rotated, hung[CROWD];
  adopts();
  rotation_fault(&server, "\"delay_ms\":150");
  service_fault(&server, "{\"path\":\"/locales\",\"hang\":true,\"times\":100}");
  twin_start(TWIN_REFRESH, session, &rotated);
  aloop_until_sent(&shared, &server, "POST", ROTATION_PATH, 1);
  vault_lies(&store, VAULT_SWAP, busy);
  for (int i = 0; i < CROWD; i++)
    twin_start(TWIN_LOCALE, session, &hung[i]);
  while (rotation_count(&server, 200) < 1)
    aloop_turn_for(&shared, 5);
  aloop_turn_for(&shared, A_WHILE_MS);
  note_is_open(&rotated);
  vault_tells_the_truth(&store);
  aloop_turn_for(&shared, 500);
  note_is(&rotated, IDENTITY_OK);
  for (int i = 0; i < CROWD; i++)
    identity_call_cancel(hung[i].call);
  aloop_until(&shared, hung, CROWD);
  note_clear(&rotated);
  notes_clear(hung, CROWD);
}

/* Somebody reads it all the time, say: then it can be read, and not written. */
static void a_refresh_asks_a_store_that_is_never_free_for_a_second_and_no_longer(void **state) {
  (void)state;
  static note rotated;
  adopts();
  vault_lies(&store, VAULT_SWAP, busy);
  rotated = (note){0};
  twin_start(TWIN_REFRESH, session, &rotated);
  assert_int_equal(identity_call_set_timeout_ms(rotated.call, 60000), IDENTITY_OK);
  ends(&rotated, IDENTITY_STORE_LOCKED);
  assert_int_equal(rotation_count(&server, -1), 0);
  int used = vault_used(&store, VAULT_SWAP);
  aloop_turn_for(&shared, 300);
  assert_int_equal(vault_used(&store, VAULT_SWAP), used); /* nobody asks it any more */
}

static void a_new_pair_lives_in_memory_when_the_store_has_not_been_free_for_a_second(void **state) {
  (void)state;
  static note rotated;
  adopts();
  rotation_fault(&server, "\"delay_ms\":100");
  rotated = (note){0};
  twin_start(TWIN_REFRESH, session, &rotated);
  assert_int_equal(identity_call_set_timeout_ms(rotated.call, 60000), IDENTITY_OK);
  aloop_until_sent(&shared, &server, "POST", ROTATION_PATH, 1);
  vault_lies(&store, VAULT_SWAP, busy);
  ends(&rotated, IDENTITY_OK);
  vault_tells_the_truth(&store);
  assert_int_equal(service_state_of(session), IDENTITY_STATE_ACTIVE);
}

/* ---- deadlines ---- */

/* Of a call that needs no store. */
static void the_deadline_of_another_call_is_no_end_of_its_patience(void **state) {
  (void)state;
  note in = {0}, brief = {0};
  service_fault(&server, "{\"path\":\"/locales\",\"hang\":true,\"times\":100}");
  vault_lies(&store, VAULT_SWAP, busy);
  twin_start(TWIN_LOGIN, session, &in);
  twin_start(TWIN_LOCALE, session, &brief);
  assert_int_equal(identity_call_set_timeout_ms(brief.call, 100), IDENTITY_OK);
  ends(&brief, IDENTITY_TIMED_OUT);
  note_is_open(&in);
  vault_tells_the_truth(&store);
  ends(&in, IDENTITY_OK);
}

/* The device slept, or the app was busy: the pair is here all the same. */
static void a_pair_that_waits_for_the_store_past_the_deadline_is_not_dropped(void **state) {
  (void)state;
  note in = {0};
  int before = service_count(&server, "POST", "/auths", -1);
  service_fault(&server, "{\"path\":\"/auths\",\"delay_ms\":100}");
  twin_start(TWIN_LOGIN, session, &in);
  assert_int_equal(identity_call_set_timeout_ms(in.call, 600), IDENTITY_OK);
  aloop_until_sent(&shared, &server, "POST", "/auths", before + 1);
  vault_lies(&store, VAULT_SWAP, busy);
  int used = vault_used(&store, VAULT_SWAP);
  while (vault_used(&store, VAULT_SWAP) == used)
    aloop_turn_for(&shared, 1);
  note_is_open(&in);
  vault_tells_the_truth(&store);
  service_pause_ms(800);
  ends(&in, IDENTITY_OK);
  assert_int_equal(service_state_of(session), IDENTITY_STATE_ACTIVE);
}

/* ---- two requests, one deadline ---- */

static void another_deadline_counts_for_both_requests_of_a_call(void **state) {
  (void)state;
  note next = {0};
  identity_config *config = service_config(&server);
  assert_int_equal(identity_config_set_timeout_ms(config, 400), IDENTITY_OK);
  identity_session *hasty = aloop_open_with(&shared, config, "hasty");
  twins_log_in(&shared, hasty);
  service_fault(&server, "{\"path\":\"/customers/*/capture/status\",\"delay_ms\":800}");
  twin_start(TWIN_NEXT_STEP, hasty, &next);
  aloop_until_sent(&shared, &server, "GET", "/customers/*/capture/status", 1);
  assert_int_equal(identity_call_set_timeout_ms(next.call, 5000), IDENTITY_OK);
  ends(&next, IDENTITY_OK);
  identity_session_close(hasty);
}

/* ---- a completion that is due waits for a blocking call, which waits for its answer ---- */

static atomic_int looks;

static void count_looks(void *user_data, int64_t *boot_ms, int64_t *wall_ms) {
  (void)user_data;
  atomic_fetch_add(&looks, 1);
  *boot_ms = service_now_ms();
  *wall_ms = 1800000000000;
}

static identity_config *counting_config(void) {
  identity_config *config = service_config(&server);
  identity_clock clock;
  identity_clock_init(&clock, sizeof clock);
  clock.now = count_looks;
  assert_int_equal(identity_config_set_clock(config, &clock), IDENTITY_OK);
  return config;
}

/* So often does a blocking call that waits 600 ms look at the clock, with a completion due or without. */
static int looks_of_a_blocking_call(aloop *counted, identity_session *on, bool due) {
  const identity_consents *consents = NULL;
  note ended = {0};
  service_fault(&server, "{\"path\":\"/publishers/*/consents\",\"delay_ms\":600}");
  if (due)
    twin_start(TWIN_LOCALE, on, &ended);
  int before = atomic_load(&looks);
  assert_int_equal(identity_fetch_publisher_consents(on, &consents, NULL), IDENTITY_OK);
  int used = atomic_load(&looks) - before;
  identity_consents_free(consents);
  if (!due)
    return used;
  note_is_open(&ended);
  aloop_until(counted, &ended, 1);
  note_clear(&ended);
  return used;
}

static void a_blocking_call_sleeps_while_a_completion_is_due(void **state) {
  (void)state;
  aloop counted = {0};
  aloop_start(&counted, counting_config(), DRIVE_TICK);
  identity_session *on = aloop_open_with(&counted, counting_config(), "counted");
  int alone = looks_of_a_blocking_call(&counted, on, false);
  int beside = looks_of_a_blocking_call(&counted, on, true);
  if (beside > 10 * alone)
    fail_msg("%d looks at the clock, %d with a completion due", alone, beside);
  identity_session_close(on);
  aloop_stop(&counted);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

static const struct CMUnitTest tests[] = {
    TEST(a_sign_out_everywhere_that_waited_before_there_was_anybody_signs_out),
    TEST(a_sign_out_that_waits_leaves_the_calls_of_who_signed_in_since_alone),
    TEST(a_new_pair_that_waits_for_the_store_needs_no_connection),
    TEST(a_refresh_asks_a_store_that_is_never_free_for_a_second_and_no_longer),
    TEST(a_new_pair_lives_in_memory_when_the_store_has_not_been_free_for_a_second),
    TEST(the_deadline_of_another_call_is_no_end_of_its_patience),
    TEST(a_pair_that_waits_for_the_store_past_the_deadline_is_not_dropped),
    TEST(another_deadline_counts_for_both_requests_of_a_call),
    TEST(a_blocking_call_sleeps_while_a_completion_is_due),
};

SUITE_WITH("async locks", tests, start, stop)
