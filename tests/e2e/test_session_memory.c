/* What a session costs that is signed in and has nothing to do: back ends hold thousands of them on one loop.
 */
#include "support/heap.h"
#include "support/suite.h"

#include <identity/async.h>

enum { SESSIONS = 1000, MOST_BYTES = 4096, JWT_LENGTH = 560, ACCOUNT_SIZE = 32 };

#define REFRESH_TOKEN "0123456789abcdef0123456789abcdef0123456789abcdef"

static identity_loop *loop;
static identity_session *sessions[SESSIONS];
static heap_mark before;
static uint32_t ended, failed;

static void note(identity_status status, const void *result, const identity_error *error, void *user_data) {
  (void)result;
  (void)error;
  (void)user_data;
  ended++;
  failed += status != IDENTITY_OK;
}

/* Nobody listens there. */
static identity_config *new_config(void) {
  identity_config *config = identity_config_new("123456789");
  assert_non_null(config);
  assert_int_equal(identity_config_set_base_url(config, "http://127.0.0.1:1"), IDENTITY_OK);
  assert_int_equal(identity_config_set_loopback_http(config, 1), IDENTITY_OK);
  return config;
}

static int open_all(void **state) {
  (void)state;
  identity_config *config = new_config();
  assert_int_equal(identity_loop_new(config, &loop, NULL), IDENTITY_OK);
  before = heap_now();
  for (int i = 0; i < SESSIONS; i++) {
    char account[ACCOUNT_SIZE];
    (void)snprintf(account, sizeof account, "viewer-%d", i);
    assert_int_equal(identity_session_open_on(loop, config, account, &sessions[i], NULL), IDENTITY_OK);
  }
  identity_config_free(config);
  return 0;
}

static void close_sessions(void) {
  for (int i = 0; i < SESSIONS; i++) {
    identity_session_close(sessions[i]);
    sessions[i] = NULL;
  }
  assert_int_equal(identity_loop_run(loop, 0), IDENTITY_OK);
}

static int close_all(void **state) {
  (void)state;
  close_sessions();
  identity_loop_free(loop);
  return 0;
}

static void run_until_all_ended(void) {
  while (ended < SESSIONS)
    assert_int_equal(identity_loop_run(loop, -1), IDENTITY_OK);
}

/* As long as the service's own; it is not signed, and nobody here looks. */
static void make_jwt(char jwt[JWT_LENGTH + 1]) {
  static const char begin[] =
      "eyJhbGciOiJSUzI1NiJ9."
      "eyJjdXN0b21lcklkIjo1MzMzNTQzMDUsInB1Ymxpc2hlcklkIjoxMjM0NTY3ODksImVtYWlsIjoiam9A"
      "ZXhhbXBsZS5jb20iLCJleHAiOjE5OTk5OTk5OTl9.";
  memset(jwt, 'A', JWT_LENGTH);
  jwt[JWT_LENGTH] = '\0';
  memcpy(jwt, begin, sizeof begin - 1);
}

static void sign_all_in(void) {
  char jwt[JWT_LENGTH + 1];
  make_jwt(jwt);
  ended = failed = 0;
  for (int i = 0; i < SESSIONS; i++)
    assert_int_equal(identity_session_adopt_start(sessions[i], jwt, REFRESH_TOKEN, note, NULL, NULL),
                     IDENTITY_OK);
  run_until_all_ended();
  assert_int_equal(failed, 0);
}

static void assert_small(size_t bytes) {
  print_message("%zu bytes for each of %d sessions\n", bytes / SESSIONS, (int)SESSIONS);
  assert_in_range(bytes / SESSIONS, 1, MOST_BYTES);
}

static void a_session_that_is_signed_in_costs_at_most_4_kib(void **state) {
  (void)state;
  sign_all_in();
  assert_small(heap_between(before, heap_now()));
}

/* What its end gives back: the buffers for requests stay with the loop. */
static void so_does_one_whose_last_refresh_has_failed(void **state) {
  (void)state;
  sign_all_in();
  ended = failed = 0;
  for (int i = 0; i < SESSIONS; i++)
    assert_int_equal(identity_session_refresh_start(sessions[i], note, NULL, NULL), IDENTITY_OK);
  run_until_all_ended();
  assert_int_equal(failed, SESSIONS);
  heap_mark full = heap_now();
  close_sessions();
  assert_small(heap_between(heap_now(), full));
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test_setup_teardown(a_session_that_is_signed_in_costs_at_most_4_kib, open_all, close_all),
    cmocka_unit_test_setup_teardown(so_does_one_whose_last_refresh_has_failed, open_all, close_all),
};

SUITE("session memory", tests)
