/* A store is written only when the pair, the lease or the pending consents changed: flash memory wears. */
#include "support/crowd.h"
#include "support/host_clock.h"
#include "support/rotation.h"
#include "support/rows.h"
#include "support/stage.h"
#include "support/vault.h"

#define MAIL "jo@example.com"

enum { MANY = 20, MINUTE_MS = 60 * 1000 };

static vault safe;
static host_clock hands;
static identity_session *session;

static identity_session *opened(void) {
  identity_config *config = vault_config(&safe, &server);
  assert_int_equal(identity_config_set_clock(config, &hands.clock), IDENTITY_OK);
  return service_open_with(config, "viewer");
}

static int begin(void **state) {
  vault_start(&safe, 0);
  host_clock_start(&hands, "boot-1", MINUTE_MS);
  (void)reset(state);
  session = opened();
  service_register(session, MAIL);
  vault_recount(&safe);
  return 0;
}

static int end(void **state) {
  (void)state;
  identity_session_close(session);
  vault_stop(&safe);
  return 0;
}

/* Every swap counts, those in vain, too. */
static void used(const char *what, int swaps) {
  CHECK_INT(what, vault_used(&safe, VAULT_SWAP), swaps);
  vault_recount(&safe);
}

/* ---- what writes nothing ---- */

static void fetch_consents(void) {
  const identity_customer_consents *consents = NULL;
  assert_int_equal(identity_fetch_customer_consents(session, &consents, NULL), IDENTITY_OK);
  identity_customer_consents_free(consents);
}

static void take_next_step(void) {
  const identity_next_step *step = NULL;
  assert_int_equal(identity_fetch_next_step(session, &step, NULL), IDENTITY_OK);
  identity_next_step_free(step);
}

static void change_the_name(void) {
  identity_update_customer_params params;
  identity_update_customer_params_init(&params, sizeof params);
  params.first_name = "Jo";
  assert_int_equal(identity_update_customer(session, &params, NULL), IDENTITY_OK);
}

static void answer_a_consent(void) {
  assert_int_equal(identity_update_customer_consents(session, &probe_consents[PROBE_MARKETING], 1, NULL),
                   IDENTITY_OK);
}

static void take_tokens(void) {
  const identity_tokens *tokens = NULL;
  assert_int_equal(identity_session_tokens(session, 0, &tokens, NULL), IDENTITY_OK);
  identity_tokens_free(tokens);
}

static void look_at_the_state(void) {
  const char *json = NULL;
  (void)service_state_of(session);
  assert_int_equal(identity_session_explain(session, &json, NULL), IDENTITY_OK);
  identity_explanation_free(json);
}

static void open_and_close(void) {
  identity_session_close(opened());
  identity_session_close(session);
  session = opened();
}

static void have_a_call_fail(void) {
  service_fault(&server, "{\"method\":\"GET\",\"times\":3,\"status\":500,\"body\":\"\"}");
  assert_int_equal(service_fetch(session, NULL), IDENTITY_SERVICE_FAILED);
}

static void mail_a_link(void) {
  assert_int_equal(identity_request_password_reset(session, MAIL, NULL, NULL), IDENTITY_OK);
}

static void get_a_401_for_a_young_jwt(void) {
  probe_answer(&server, "GET", "/customers/*", 401,
               "{\"errors\":[\"Invalid JWT token\"],\"code\":\"AUTH0002\"}", NULL);
  assert_int_equal(service_fetch(session, NULL), IDENTITY_NOT_ALLOWED);
  service_clear_faults(&server);
}

static void fetch(void) {
  assert_int_equal(service_fetch(session, NULL), IDENTITY_OK);
}

static void ordinary_use_writes_nothing(void **state) {
  static const struct {
    const char *name;
    void (*act)(void);
    int times;
  } rows[] = {
      {"fetch", fetch, MANY},
      {"consents", fetch_consents, 2},
      {"next step", take_next_step, 2},
      {"change the name", change_the_name, 2},
      {"answer a consent", answer_a_consent, 2},
      {"tokens", take_tokens, MANY},
      {"state", look_at_the_state, MANY},
      {"a call that fails", have_a_call_fail, 1},
      {"a mail", mail_a_link, 1},
      {"a 401 for a young JWT", get_a_401_for_a_young_jwt, 2},
      {"open and close", open_and_close, MANY},
  };
  (void)state;
  for (size_t i = 0; i < ROWS(rows); i++) {
    for (int n = 0; n < rows[i].times; n++)
      rows[i].act();
    used(rows[i].name, 0);
  }
  host_clock_sleep(&hands, 10 * MINUTE_MS);
  for (size_t i = 0; i < ROWS(rows) - 2; i++) /* the JWT is old enough by now that a 401 would count */
    rows[i].act();
  used("ten minutes later", 0);
  assert_int_equal(rotation_count(&server, -1), 0);
}

/* The 401 for the old JWT lands after the refresh: the request is sent again with the new one, and that is
 * all. */
static void a_401_that_is_resent_writes_nothing(void **state) {
  (void)state;
  crowd one;
  service_fault(&server, "{\"method\":\"GET\",\"path\":\"/customers/*\",\"delay_ms\":300,\"status\":401,"
                         "\"body\":{\"errors\":[\"Invalid JWT token\"],\"code\":\"AUTH0002\"}}");
  crowd_start(&one, session, 1, service_fetch);
  rotation_await_request(&server, "GET", "/customers/*", 1);
  assert_int_equal(identity_session_refresh(session, NULL), IDENTITY_OK);
  used("the rotation", 2);
  crowd_join(&one);
  assert_int_equal(one.members[0].status, IDENTITY_OK);
  assert_int_equal(service_count(&server, "GET", "/customers/*", 200), 1);
  used("the 401", 0);
  assert_int_equal(rotation_count(&server, -1), 1);
}

/* ---- what writes ---- */

static void a_rotation_writes_lease_and_pair(void **state) {
  (void)state;
  for (int i = 0; i < 3; i++) {
    assert_int_equal(identity_session_refresh(session, NULL), IDENTITY_OK);
    used("asked for", 2);
  }
  service_shift_clock(&server, 901);
  host_clock_sleep(&hands, 901 * 1000);
  fetch();
  used("its life is over", 2);
  service_shift_clock(&server, 2 * 901);
  fetch();
  used("after a 401", 2);
  assert_int_equal(rotation_count(&server, 200), 5);
}

static void a_failing_refresh_writes_lease_and_mark_and_then_nothing(void **state) {
  static const char *const faults[] = {"\"status\":500,\"body\":\"\"", "\"drop\":\"before\"",
                                       "\"status\":429,\"headers\":{\"Retry-After\":\"60\"}"};
  (void)state;
  for (size_t i = 0; i < ROWS(faults); i++) {
    rotation_fault(&server, faults[i]);
    assert_int_not_equal(identity_session_refresh(session, NULL), IDENTITY_OK);
    used(faults[i], 2);
    for (int n = 0; n < MANY; n++)
      assert_int_equal(identity_session_refresh(session, NULL), IDENTITY_REFRESH_DEFERRED);
    fetch();
    used("while the cooldown runs", 0);
    host_clock_sleep(&hands, service_wait_of(session) + 5);
  }
  assert_int_equal(identity_session_refresh(session, NULL), IDENTITY_OK);
  used("and back", 2);
}

static void a_second_handle_that_adopts_writes_nothing(void **state) {
  (void)state;
  identity_session *second = opened();
  assert_int_equal(identity_session_refresh(session, NULL), IDENTITY_OK);
  used("the first", 2);
  assert_int_equal(identity_session_refresh(second, NULL), IDENTITY_OK);
  assert_int_equal(service_fetch(second, NULL), IDENTITY_OK);
  used("the second", 0);
  assert_int_equal(rotation_count(&server, -1), 1);
  identity_session_close(second);
}

static void a_login_writes_a_probe_and_the_pair(void **state) {
  (void)state;
  assert_int_equal(service_login(session, MAIL, TEST_PASSWORD, NULL), IDENTITY_OK);
  used("over the old session", 2);
  assert_int_equal(identity_logout(session, NULL), IDENTITY_OK);
  used("logout", 1);
  assert_int_equal(service_login(session, MAIL, TEST_PASSWORD, NULL), IDENTITY_OK);
  used("after a logout", 2);
  assert_int_equal(service_login(session, MAIL, "wrong-Passw0rd!", NULL), IDENTITY_WRONG_CREDENTIALS);
  used("refused", 1);
  fetch();
  used("afterwards", 0);
}

/* Registering stores the consents with the pair, before they are sent, and takes them off once they were. */
static void pending_consents_are_written_once_and_taken_off_once(void **state) {
  (void)state;
  service_register(session, "al@example.com");
  used("registered", 3);
  probe_answer(&server, "PUT", "/customers/*/consents", 500, NULL, NULL);
  identity_register_params params = probe_register_params("bo@example.com");
  assert_int_equal(identity_register(session, &params, NULL), IDENTITY_OK);
  assert_int_equal(service_pending_of(session), 1);
  used("with consents pending", 2);
  host_clock_sleep(&hands, MINUTE_MS);
  fetch(); /* tries them in vain */
  assert_int_equal(service_pending_of(session), 1);
  used("tried in vain", 0);
  service_clear_faults(&server);
  host_clock_sleep(&hands, 5 * MINUTE_MS);
  fetch();
  assert_int_equal(service_pending_of(session), 0);
  used("sent", 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

static const struct CMUnitTest tests[] = {
    TEST(ordinary_use_writes_nothing),
    TEST(a_401_that_is_resent_writes_nothing),
    TEST(a_rotation_writes_lease_and_pair),
    TEST(a_failing_refresh_writes_lease_and_mark_and_then_nothing),
    TEST(a_second_handle_that_adopts_writes_nothing),
    TEST(a_login_writes_a_probe_and_the_pair),
    TEST(pending_consents_are_written_once_and_taken_off_once),
};

SUITE_WITH("device store: writes", tests, start, stop)
