/* Each answer of the host's store at each moment of a refresh: none of them costs a session. */
#include "support/host_clock.h"
#include "support/judge.h"
#include "support/rotation.h"
#include "support/rows.h"
#include "support/stage.h"
#include "support/vault.h"

#define MAIL "jo@example.com"

enum { SHORT_MS = 400, PATIENCE_MS = 1000, NONSENSE = 99 };

static vault safe;
static host_clock hands; /* of the device: nobody waits for a backoff */

static int begin(void **state) {
  vault_start(&safe, 0);
  host_clock_start(&hands, "boot-1", 60000);
  return reset(state);
}

static int end(void **state) {
  (void)state;
  vault_stop(&safe);
  return 0;
}

static identity_session *opened(uint32_t timeout_ms) {
  identity_config *config = vault_config(&safe, &server);
  assert_int_equal(identity_config_set_timeout_ms(config, timeout_ms), IDENTITY_OK);
  assert_int_equal(identity_config_set_clock(config, &hands.clock), IDENTITY_OK);
  return service_open_with(config, "viewer");
}

static void register_once(void) {
  identity_session *session = opened(10000);
  service_register(session, MAIL);
  identity_session_close(session);
}

static int not_persisted(identity_session *session) {
  const identity_state *stands = NULL;
  assert_int_equal(identity_session_state(session, &stands, NULL), IDENTITY_OK);
  int value = stands->not_persisted;
  identity_state_free(stands);
  return value;
}

/* ---- one use of the store, in a refresh ---- */

/* The uses in order: a look, the lease, the request, and what came of it; before a refusal counts, a second
 * look. */
typedef struct moment {
  const char *name;
  int door;
  int skip;
  const char *fault; /* on the refresh; NULL: it works */
} moment;

#define BROKEN "\"status\":500,\"body\":\"\""
#define REFUSED "\"status\":401,\"body\":{\"errors\":[\"Refresh token is expired or does not exist\"]}"

static const moment look = {"the look", VAULT_LOAD, 0, NULL};
static const moment lease = {"the lease", VAULT_SWAP, 0, NULL};
static const moment commit = {"the commit", VAULT_SWAP, 1, NULL};
static const moment mark = {"the mark of a failure", VAULT_SWAP, 1, BROKEN};
static const moment second_look = {"the look before a refusal counts", VAULT_LOAD, 1, REFUSED};

typedef struct row {
  const moment *at;
  const char *name;
  int32_t says;
  int times;
  identity_status status;
  int posts;
  int volatile_pair; /* 1: what came is in memory only until the store is back */
} row;

#define ONCE 1
#define EVER VAULT_ALWAYS

static const row rows[] = {
    {&look, "absent", IDENTITY_STORE_ABSENT, ONCE, IDENTITY_OK, 1, 0},
    {&look, "conflict", IDENTITY_STORE_CONFLICT, ONCE, IDENTITY_STORE_FAILED, 0, 0},
    {&look, "busy once", IDENTITY_STORE_BUSY, ONCE, IDENTITY_OK, 1, 0},
    {&look, "busy", IDENTITY_STORE_BUSY, EVER, IDENTITY_STORE_LOCKED, 0, 0},
    {&look, "io", IDENTITY_STORE_IO, EVER, IDENTITY_STORE_FAILED, 0, 0},
    {&look, "key lost", IDENTITY_STORE_KEY_LOST, ONCE, IDENTITY_OK, 1, 0},
    {&look, "no memory", IDENTITY_STORE_NO_MEMORY, EVER, IDENTITY_OUT_OF_MEMORY, 0, 0},
    {&look, "nonsense", NONSENSE, EVER, IDENTITY_STORE_FAILED, 0, 0},
    {&look, "ok without a revision", IDENTITY_STORE_OK, EVER, IDENTITY_STORE_FAILED, 0, 0},

    {&lease, "absent", IDENTITY_STORE_ABSENT, EVER, IDENTITY_STORE_FAILED, 0, 0},
    {&lease, "conflict", IDENTITY_STORE_CONFLICT, ONCE, IDENTITY_OK, 1, 0},
    {&lease, "conflict three times", IDENTITY_STORE_CONFLICT, 3, IDENTITY_OK, 1, 0},
    {&lease, "conflict for ever", IDENTITY_STORE_CONFLICT, EVER, IDENTITY_STORE_LOCKED, 0, 0},
    {&lease, "busy once", IDENTITY_STORE_BUSY, ONCE, IDENTITY_OK, 1, 0},
    {&lease, "busy", IDENTITY_STORE_BUSY, EVER, IDENTITY_STORE_LOCKED, 0, 0},
    {&lease, "io", IDENTITY_STORE_IO, EVER, IDENTITY_STORE_FAILED, 0, 0},
    {&lease, "key lost", IDENTITY_STORE_KEY_LOST, EVER, IDENTITY_STORE_FAILED, 0, 0},
    {&lease, "no memory", IDENTITY_STORE_NO_MEMORY, EVER, IDENTITY_OUT_OF_MEMORY, 0, 0},
    {&lease, "nonsense", NONSENSE, EVER, IDENTITY_STORE_FAILED, 0, 0},

    {&commit, "absent", IDENTITY_STORE_ABSENT, EVER, IDENTITY_OK, 1, 1},
    {&commit, "conflict", IDENTITY_STORE_CONFLICT, ONCE, IDENTITY_OK, 1, 0},
    {&commit, "conflict three times", IDENTITY_STORE_CONFLICT, 3, IDENTITY_OK, 1, 0},
    {&commit, "conflict for ever", IDENTITY_STORE_CONFLICT, EVER, IDENTITY_OK, 1, 1},
    {&commit, "busy once", IDENTITY_STORE_BUSY, ONCE, IDENTITY_OK, 1, 0},
    {&commit, "busy", IDENTITY_STORE_BUSY, EVER, IDENTITY_OK, 1, 1},
    {&commit, "io", IDENTITY_STORE_IO, EVER, IDENTITY_OK, 1, 1},
    {&commit, "key lost", IDENTITY_STORE_KEY_LOST, EVER, IDENTITY_OK, 1, 1},
    {&commit, "no memory", IDENTITY_STORE_NO_MEMORY, EVER, IDENTITY_OK, 1, 1},
    {&commit, "nonsense", NONSENSE, EVER, IDENTITY_OK, 1, 1},

    {&mark, "absent", IDENTITY_STORE_ABSENT, EVER, IDENTITY_SERVICE_FAILED, 1, 1},
    {&mark, "conflict", IDENTITY_STORE_CONFLICT, ONCE, IDENTITY_SERVICE_FAILED, 1, 0},
    {&mark, "conflict for ever", IDENTITY_STORE_CONFLICT, EVER, IDENTITY_SERVICE_FAILED, 1, 1},
    {&mark, "busy once", IDENTITY_STORE_BUSY, ONCE, IDENTITY_SERVICE_FAILED, 1, 0},
    {&mark, "busy", IDENTITY_STORE_BUSY, EVER, IDENTITY_SERVICE_FAILED, 1, 1},
    {&mark, "io", IDENTITY_STORE_IO, EVER, IDENTITY_SERVICE_FAILED, 1, 1},
    {&mark, "no memory", IDENTITY_STORE_NO_MEMORY, EVER, IDENTITY_SERVICE_FAILED, 1, 1},
    {&mark, "nonsense", NONSENSE, EVER, IDENTITY_SERVICE_FAILED, 1, 1},

    {&second_look, "conflict", IDENTITY_STORE_CONFLICT, EVER, IDENTITY_REFRESH_DEFERRED, 1, 0},
    {&second_look, "busy", IDENTITY_STORE_BUSY, EVER, IDENTITY_REFRESH_DEFERRED, 1, 0},
    {&second_look, "io", IDENTITY_STORE_IO, EVER, IDENTITY_REFRESH_DEFERRED, 1, 0},
    {&second_look, "no memory", IDENTITY_STORE_NO_MEMORY, EVER, IDENTITY_REFRESH_DEFERRED, 1, 0},
    {&second_look, "nonsense", NONSENSE, EVER, IDENTITY_REFRESH_DEFERRED, 1, 0},
};

static bool is_signed_in(identity_session *session) {
  int32_t stands = service_state_of(session);
  return stands == IDENTITY_STATE_ACTIVE || stands == IDENTITY_STATE_STALE;
}

/* Once the store is back, both this handle and the next one rotate on, and no token was sent twice but the
 * one that the service had not taken. */
static void goes_on(const char *name, identity_session *session, const row *want) {
  int missed = want->at->fault != NULL && want->posts > 0;
  vault_tells_the_truth(&safe);
  if (service_state_of(session) == IDENTITY_STATE_STALE)
    host_clock_sleep(&hands, service_wait_of(session) + 5);
  CHECK_INT(name, identity_session_refresh(session, NULL), IDENTITY_OK);
  CHECK_INT(name, not_persisted(session), 0);
  identity_session_close(session);
  session = opened(10000);
  CHECK_INT(name, service_state_of(session), IDENTITY_STATE_ACTIVE);
  CHECK_INT(name, identity_session_refresh(session, NULL), IDENTITY_OK);
  identity_session_close(session);
  judged seen = judge_refreshes(&server);
  CHECK_INT(name, seen.sent, want->posts + 2);
  CHECK_INT(name, seen.rotated, want->posts + 2 - missed);
  CHECK_INT(name, seen.repeated, missed);
}

static void run(const row *want) {
  char name[128];
  snprintf(name, sizeof name, "%s: %s", want->at->name, want->name);
  service_reset(&server);
  vault_stop(&safe);
  vault_start(&safe, 0);
  register_once();
  identity_session *session = opened(SHORT_MS);
  if (want->at->fault != NULL)
    rotation_fault(&server, want->at->fault);
  vault_lies(&safe, want->at->door, (vault_lie){want->says, want->at->skip, want->times, false});
  identity_status status = identity_session_refresh(session, NULL);
  if (status != want->status)
    fail_msg("%s: %s, not %s", name, identity_status_name(status), identity_status_name(want->status));
  CHECK_INT(name, judge_refreshes(&server).sent, want->posts);
  CHECK(name, is_signed_in(session));
  CHECK_INT(name, not_persisted(session), want->volatile_pair);
  CHECK_INT(name, service_fetch(session, NULL), IDENTITY_OK); /* the JWT is good all along */
  goes_on(name, session, want);
}

static void run_moment(const moment *at) {
  int count = 0;
  for (size_t i = 0; i < ROWS(rows); i++) {
    if (rows[i].at != at)
      continue;
    run(&rows[i]);
    count++;
  }
  assert_true(count > 0);
}

static void each_answer_to_the_look(void **state) {
  (void)state;
  run_moment(&look);
}

static void each_answer_to_the_lease(void **state) {
  (void)state;
  run_moment(&lease);
}

static void each_answer_to_the_commit(void **state) {
  (void)state;
  run_moment(&commit);
}

static void each_answer_to_the_mark_of_a_failure(void **state) {
  (void)state;
  run_moment(&mark);
}

static void each_answer_to_the_look_before_a_refusal_counts(void **state) {
  (void)state;
  run_moment(&second_look);
}

/* ---- how long it takes ---- */

static void a_busy_store_is_asked_for_about_a_second(void **state) {
  (void)state;
  identity_error error;
  register_once();
  identity_session *session = opened(30000);
  vault_lies(&safe, VAULT_LOAD, (vault_lie){IDENTITY_STORE_BUSY, 0, EVER, false});
  int64_t begun = service_now_ms();
  assert_int_equal(identity_session_refresh(session, &error), IDENTITY_STORE_LOCKED);
  assert_int_equal(identity_status_class(error.status), IDENTITY_CLASS_RETRY_LATER);
  assert_in_range(service_now_ms() - begun, PATIENCE_MS - 100, PATIENCE_MS + 500 + judge_slack_ms());
  assert_in_range(vault_used(&safe, VAULT_LOAD), 5, 110); /* every 10 to 50 ms, slower on a busy machine */
  assert_int_equal(service_fetch(session, NULL), IDENTITY_OK);
  vault_tells_the_truth(&safe);
  identity_session_close(session);
}

/* ---- at open ---- */

static void each_answer_at_open(void **state) {
  static const struct {
    const char *name;
    int32_t says;
    int32_t stands;
    identity_status fetch;
  } at_open[] = {
      {"busy", IDENTITY_STORE_BUSY, IDENTITY_STATE_STORE_BLOCKED, IDENTITY_STORE_LOCKED},
      {"io", IDENTITY_STORE_IO, IDENTITY_STATE_STORE_BLOCKED, IDENTITY_STORE_LOCKED},
      {"conflict", IDENTITY_STORE_CONFLICT, IDENTITY_STATE_STORE_BLOCKED, IDENTITY_STORE_LOCKED},
      {"no memory", IDENTITY_STORE_NO_MEMORY, IDENTITY_STATE_STORE_BLOCKED, IDENTITY_OUT_OF_MEMORY},
      {"nonsense", NONSENSE, IDENTITY_STATE_STORE_BLOCKED, IDENTITY_STORE_LOCKED},
      {"ok without a revision", IDENTITY_STORE_OK, IDENTITY_STATE_STORE_BLOCKED, IDENTITY_STORE_LOCKED},
  };
  (void)state;
  register_once();
  for (size_t i = 0; i < ROWS(at_open); i++) {
    const char *name = at_open[i].name;
    vault_recount(&safe);
    vault_lies(&safe, VAULT_LOAD, (vault_lie){at_open[i].says, 0, EVER, false});
    identity_session *session = opened(SHORT_MS);
    CHECK_INT(name, service_state_of(session), at_open[i].stands);
    CHECK_INT(name, service_fetch(session, NULL), at_open[i].fetch);
    CHECK_INT(name, vault_written(&safe), 0);
    vault_tells_the_truth(&safe);
    CHECK_INT(name, service_fetch(session, NULL), IDENTITY_OK);
    CHECK_INT(name, service_state_of(session), IDENTITY_STATE_ACTIVE);
    CHECK_INT(name, vault_written(&safe), 0);
    identity_session_close(session);
  }
  assert_int_equal(rotation_count(&server, -1), 0);
}

/* Fault 21, with a store of the host: the key that encrypts the blob is gone. */
static void run_lost_key(bool tells_revision) {
  identity_error error;
  register_once();
  vault_lies(&safe, VAULT_LOAD, (vault_lie){IDENTITY_STORE_KEY_LOST, 0, EVER, tells_revision});
  identity_session *session = opened(10000);
  probe_reason(session, IDENTITY_STATE_REAUTH_REQUIRED, IDENTITY_REASON_STORE_LOST);
  assert_int_equal(service_fetch(session, &error), IDENTITY_SESSION_ENDED);
  assert_int_equal(identity_status_class(error.status), IDENTITY_CLASS_SIGN_IN);
  assert_int_equal(identity_session_refresh(session, NULL), IDENTITY_SESSION_ENDED);
  assert_int_equal(rotation_count(&server, -1), 0);
  assert_int_equal(service_login(session, MAIL, TEST_PASSWORD, NULL), IDENTITY_OK);
  assert_int_equal(not_persisted(session), 0);
  vault_tells_the_truth(&safe); /* it was overwritten: the new blob can be read */
  assert_int_equal(identity_session_refresh(session, NULL), IDENTITY_OK);
  identity_session_close(session);
  session = opened(10000);
  assert_int_equal(service_state_of(session), IDENTITY_STATE_ACTIVE);
  assert_int_equal(service_fetch(session, NULL), IDENTITY_OK);
  identity_session_close(session);
}

static void fault_21_a_lost_key_asks_for_a_login_which_overwrites(void **state) {
  (void)state;
  run_lost_key(true);
}

static void fault_21_a_lost_key_of_a_keychain_asks_for_a_login_which_overwrites(void **state) {
  (void)state;
  vault_stop(&safe);
  vault_start(&safe, IDENTITY_STORE_ONE_PROCESS);
  run_lost_key(false);
}

/* A host that compares, and never agrees: who must win, gives up. */
static void a_login_that_never_wins_ends(void **state) {
  (void)state;
  identity_error error;
  register_once();
  identity_session *session = opened(10000);
  vault_lies(&safe, VAULT_SWAP, (vault_lie){IDENTITY_STORE_CONFLICT, 0, EVER, false});
  assert_int_equal(service_login(session, MAIL, TEST_PASSWORD, &error), IDENTITY_STORE_LOCKED);
  assert_int_equal(identity_status_class(error.status), IDENTITY_CLASS_RETRY_LATER);
  assert_int_equal(service_count(&server, "POST", "/auths", -1), 0);
  assert_int_equal(service_state_of(session), IDENTITY_STATE_ACTIVE);
  assert_int_equal(identity_logout(session, &error), IDENTITY_STORE_LOCKED);
  assert_int_equal(service_state_of(session), IDENTITY_STATE_SIGNED_OUT);
  vault_tells_the_truth(&safe);
  assert_int_equal(service_fetch(session, NULL), IDENTITY_SIGNED_OUT);
  assert_false(vault_has(&safe, "eyJ"));
  identity_session_close(session);
}

/* A blob that vanishes under a session, as when the app's data are cleared, comes back with the next pair. */
static void a_blob_that_vanishes_is_written_anew(void **state) {
  (void)state;
  register_once();
  identity_session *session = opened(10000);
  for (int i = 0; i < VAULT_BLOBS; i++) {
    free(safe.blobs[i].bytes);
    memset(&safe.blobs[i], 0, sizeof safe.blobs[i]);
  }
  assert_int_equal(service_fetch(session, NULL), IDENTITY_OK);
  assert_int_equal(identity_session_refresh(session, NULL), IDENTITY_OK);
  identity_session_close(session);
  session = opened(10000);
  assert_int_equal(service_state_of(session), IDENTITY_STATE_ACTIVE);
  identity_session_close(session);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

static const struct CMUnitTest tests[] = {
    TEST(each_answer_to_the_look),
    TEST(each_answer_to_the_lease),
    TEST(each_answer_to_the_commit),
    TEST(each_answer_to_the_mark_of_a_failure),
    TEST(each_answer_to_the_look_before_a_refusal_counts),
    TEST(a_busy_store_is_asked_for_about_a_second),
    TEST(each_answer_at_open),
    TEST(fault_21_a_lost_key_asks_for_a_login_which_overwrites),
    TEST(fault_21_a_lost_key_of_a_keychain_asks_for_a_login_which_overwrites),
    TEST(a_login_that_never_wins_ends),
    TEST(a_blob_that_vanishes_is_written_anew),
};

SUITE_WITH("device store: answers", tests, start, stop)
