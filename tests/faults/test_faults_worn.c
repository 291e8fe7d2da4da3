/* Faults 35 and 36: a refresh token that is months old, and answers that bring none. */
#include "support/crowd.h"
#include "support/slot.h"
#include "support/stage.h"

#define MAIL "jo@example.com"
#define REFRESH "/auths/refresh_token"

enum { MONTHS_S = 101 * 86400 };

static void empty_store(const char *store) {
  char command[160];
  snprintf(command, sizeof command, "rm -rf '%s/%s'", server.directory, store);
  assert_int_equal(system(command), 0);
}

/* Without a secret, with the customer for the login form. */
static void asks_for_a_login(identity_session *session) {
  identity_error error;
  const identity_state *seen = NULL;
  probe_reason(session, IDENTITY_STATE_REAUTH_REQUIRED, IDENTITY_REASON_REFUSED);
  assert_int_equal(identity_session_state(session, &seen, NULL), IDENTITY_OK);
  char *id = probe_customer_text(&server, MAIL, "id");
  assert_string_equal(seen->email, MAIL);
  assert_string_equal(seen->customer_id, id);
  assert_int_equal(seen->not_persisted, 0);
  identity_state_free(seen);
  free(id);
  (void)service_fetch(session, &error);
  probe_status("after it", &error, IDENTITY_SESSION_ENDED, NULL);
  assert_int_equal(identity_status_class(error.status), IDENTITY_CLASS_SIGN_IN);
  assert_int_equal(identity_session_refresh(session, NULL), IDENTITY_SESSION_ENDED);
  const identity_tokens *tokens = NULL;
  assert_int_equal(identity_session_tokens(session, 0, &tokens, NULL), IDENTITY_SESSION_ENDED);
  assert_null(tokens);
}

static void logs_in_from_there(identity_session *session) {
  assert_int_equal(service_login(session, "other@example.com", "wrong-Passw0rd", NULL),
                   IDENTITY_WRONG_CREDENTIALS);
  probe_reason(session, IDENTITY_STATE_REAUTH_REQUIRED, IDENTITY_REASON_REFUSED);
  assert_int_equal(service_login(session, MAIL, TEST_PASSWORD, NULL), IDENTITY_OK);
  assert_int_equal(service_state_of(session), IDENTITY_STATE_ACTIVE);
  assert_int_equal(service_fetch(session, NULL), IDENTITY_OK);
}

/* ---- fault 35 ---- */

/* known_dead: the library knows that the JWT is over, else the service tells it. */
static void unused_for_months(bool known_dead) {
  identity_error error;
  service_reset(&server);
  empty_store("months");
  identity_session *session = service_open_stored(&server, "viewer", "months");
  if (known_dead)
    service_issue_short_jwt(&server, "/customers");
  service_register(session, MAIL);
  identity_session_close(session);
  char *slot = slot_path(&server, "months");
  assert_true(slot_has(slot, "eyJ"));
  if (known_dead)
    service_pause_ms(1050);
  service_shift_clock(&server, MONTHS_S);
  session = service_open_stored(&server, "viewer", "months");
  (void)service_fetch(session, &error);
  probe_status("the first call", &error, IDENTITY_SESSION_ENDED, NULL);
  probe_sent(&server, "GET", "/customers/*", known_dead ? 0 : 1);
  asks_for_a_login(session);
  assert_false(slot_has(slot, "eyJ")); /* no secret is kept that nobody takes */
  identity_session_close(session);
  session = service_open_stored(&server, "viewer", "months");
  asks_for_a_login(session);
  probe_sent(&server, "POST", REFRESH, 1); /* one, over both handles */
  logs_in_from_there(session);
  identity_session_close(session);
  session = service_open_stored(&server, "viewer", "months");
  assert_int_equal(service_fetch(session, NULL), IDENTITY_OK);
  probe_sent(&server, "POST", REFRESH, 1);
  identity_session_close(session);
  free(slot);
}

static void fault_35_a_refresh_token_unused_for_months_ends_with_one_post(void **state) {
  (void)state;
  unused_for_months(false);
}

static void fault_35_the_same_with_a_jwt_that_is_known_to_be_over(void **state) {
  (void)state;
  unused_for_months(true);
}

static void fault_35_a_crowd_learns_it_from_one_post(void **state) {
  (void)state;
  crowd people;
  identity_session *session = service_open(&server, "viewer");
  service_register(session, MAIL);
  service_shift_clock(&server, MONTHS_S);
  crowd_start(&people, session, 16, service_fetch);
  crowd_join(&people);
  assert_int_equal(crowd_count(&people, IDENTITY_SESSION_ENDED), 16);
  probe_sent(&server, "POST", REFRESH, 1);
  asks_for_a_login(session);
  logs_in_from_there(session);
  identity_session_close(session);
}

/* ---- fault 36 ---- */

/* The fingerprints of the refresh tokens that were sent, in order. */
static int sent_tokens(char prints[8][16]) {
  int count = 0;
  const cJSON *entry;
  cJSON *journal = service_get(&server, "journal");
  cJSON_ArrayForEach(entry, cJSON_GetObjectItemCaseSensitive(journal, "requests")) {
    const char *path = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(entry, "path"));
    const char *print = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(entry, "refresh_token"));
    if (path == NULL || strcmp(path, REFRESH) != 0)
      continue;
    assert_non_null(print);
    assert_true(count < 8);
    snprintf(prints[count++], 16, "%s", print);
  }
  cJSON_Delete(journal);
  return count;
}

static void assert_same_token_each_time(int count) {
  char prints[8][16];
  assert_int_equal(sent_tokens(prints), count);
  for (int i = 1; i < count; i++)
    assert_string_equal(prints[i], prints[0]);
}

static char *jwt_of(identity_session *session) {
  const identity_tokens *tokens = NULL;
  assert_int_equal(identity_session_tokens(session, 0, &tokens, NULL), IDENTITY_OK);
  char *jwt = strdup(tokens->jwt);
  identity_tokens_free(tokens);
  assert_non_null(jwt);
  return jwt;
}

/* The service exchanges the token, gives it a grace, and its answer is edited. */
static identity_session *signed_in_with(const char *store, const char *edit) {
  char fault[120];
  service_reset(&server);
  empty_store(store);
  service_send(&server, "PUT", "settings", "{\"grace\":600}");
  identity_session *session = service_open_stored(&server, "viewer", store);
  service_register(session, MAIL);
  service_send(&server, "PUT", "settings", "{\"jwt_life\":901}"); /* another exp: another JWT */
  snprintf(fault, sizeof fault, "{\"path\":\"" REFRESH "\",%s}", edit);
  service_fault(&server, fault);
  return session;
}

static void fault_36_an_answer_without_a_refresh_token_keeps_ours(void **state) {
  static const char *const edits[] = {"\"omit\":[\"refreshToken\"]", "\"set\":{\"refreshToken\":null}"};
  (void)state;
  for (size_t i = 0; i < ROWS(edits); i++) {
    identity_session *session = signed_in_with("absent", edits[i]);
    char *before = jwt_of(session);
    assert_int_equal(identity_session_refresh(session, NULL), IDENTITY_OK);
    char *after = jwt_of(session);
    assert_string_not_equal(after, before); /* the JWT that came is used */
    assert_int_equal(service_fetch(session, NULL), IDENTITY_OK);
    assert_int_equal(service_state_of(session), IDENTITY_STATE_ACTIVE);
    identity_session_close(session);
    session = service_open_stored(&server, "viewer", "absent");
    char *stored = jwt_of(session);
    assert_string_equal(stored, after); /* ours and the new JWT are one stored pair */
    assert_int_equal(identity_session_refresh(session, NULL), IDENTITY_OK);
    assert_same_token_each_time(2);
    assert_int_equal(identity_session_refresh(session, NULL), IDENTITY_OK);
    identity_session_close(session);
    free(before), free(after), free(stored);
  }
}

#define EMPTY "\"set\":{\"refreshToken\":\"\"}"

/* What came with it is not used either: half a pair is none. */
static identity_session *fail_with_empty(const char *store) {
  identity_error error;
  identity_session *session = signed_in_with(store, EMPTY);
  char *before = jwt_of(session);
  (void)identity_session_refresh(session, &error);
  assert_int_equal(identity_status_class(error.status), IDENTITY_CLASS_RETRY_LATER);
  assert_int_equal(service_state_of(session), IDENTITY_STATE_STALE);
  char *after = jwt_of(session);
  assert_string_equal(after, before);
  assert_int_equal(service_fetch(session, NULL), IDENTITY_OK);
  probe_sent(&server, "POST", REFRESH, 1);
  free(before), free(after);
  return session;
}

static void fault_36_an_empty_refresh_token_is_no_pair_and_ours_is_kept(void **state) {
  (void)state;
  identity_session *session = fail_with_empty("empty");
  identity_session_close(session); /* stored as it was: another handle goes on with the same token */
  session = service_open_stored(&server, "viewer", "empty");
  assert_int_equal(service_state_of(session), IDENTITY_STATE_STALE);
  service_pause_ms((int)service_wait_of(session) + 5);
  assert_int_equal(identity_session_refresh(session, NULL), IDENTITY_OK);
  assert_same_token_each_time(2);
  assert_int_equal(service_state_of(session), IDENTITY_STATE_ACTIVE);
  identity_session_close(session);
}

/* Without a grace the token was used up with that answer: only then, and by its own name, is the session
 * lost. */
static void fault_36_without_a_grace_it_is_a_lost_rotation_and_nothing_else(void **state) {
  (void)state;
  identity_session *session = fail_with_empty("lost");
  service_send(&server, "PUT", "settings", "{\"grace\":0}");
  service_pause_ms((int)service_wait_of(session) + 5);
  assert_int_equal(identity_session_refresh(session, NULL), IDENTITY_SESSION_ENDED);
  probe_reason(session, IDENTITY_STATE_REAUTH_REQUIRED, IDENTITY_REASON_LOST_ROTATION);
  assert_same_token_each_time(2);
  identity_session_close(session);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test_setup(fault_35_a_refresh_token_unused_for_months_ends_with_one_post, reset),
    cmocka_unit_test_setup(fault_35_the_same_with_a_jwt_that_is_known_to_be_over, reset),
    cmocka_unit_test_setup(fault_35_a_crowd_learns_it_from_one_post, reset),
    cmocka_unit_test_setup(fault_36_an_answer_without_a_refresh_token_keeps_ours, reset),
    cmocka_unit_test_setup(fault_36_an_empty_refresh_token_is_no_pair_and_ours_is_kept, reset),
    cmocka_unit_test_setup(fault_36_without_a_grace_it_is_a_lost_rotation_and_nothing_else, reset),
};

SUITE_WITH("faults: worn tokens", tests, start, stop)
