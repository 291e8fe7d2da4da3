/* What a support desk is shown of a session: always JSON, the numbers of the situation, and nothing that
 * names a viewer or opens a door. */
#include "support/crowd.h"
#include "support/rotation.h"
#include "support/slot.h"
#include "support/stage.h"

#define MAIL "canary-jo@example.com"
#define ACCOUNT "canary-account"

static int store_number;
static char store[32]; /* a fresh one for each test */

static int begin(void **state) {
  (void)snprintf(store, sizeof store, "store-%d", store_number++);
  return reset(state);
}

/* ---- reading ---- */

/* Texts that must not show in the next explanation; ends with NULL. */
static const char *hidden[8];

static void hide(const char *text) {
  size_t count = 0;
  while (hidden[count] != NULL)
    count++;
  assert_true(count + 1 < ROWS(hidden));
  hidden[count] = text;
}

/* What the session holds that must not show: copies, which forget frees. */
static void hide_all_of(identity_session *session) {
  const identity_state *stands = NULL;
  const identity_tokens *tokens = NULL;
  assert_int_equal(identity_session_state(session, &stands, NULL), IDENTITY_OK);
  assert_non_null(stands->customer_id);
  hide(strdup(stands->customer_id));
  assert_int_equal(identity_session_tokens(session, 0, &tokens, NULL), IDENTITY_OK);
  hide(strdup(tokens->jwt));
  identity_tokens_free(tokens);
  identity_state_free(stands);
}

static int forget(void **state) {
  (void)state;
  for (size_t i = 0; hidden[i] != NULL; i++) {
    free((void *)(uintptr_t)hidden[i]);
    hidden[i] = NULL;
  }
  return 0;
}

static void assert_hidden(const char *json) {
  static const char *const always[] = {MAIL,          "canary",       "@",        "eyJ",
                                       TEST_PASSWORD, TEST_PUBLISHER, "127.0.0.1"};
  const char *const texts[] = {json, NULL};
  service_assert_no_secret(texts);
  for (size_t i = 0; i < ROWS(always); i++)
    if (strstr(json, always[i]) != NULL)
      fail_msg("%s shows in %s", always[i], json);
  for (size_t i = 0; hidden[i] != NULL; i++)
    if (strstr(json, hidden[i]) != NULL)
      fail_msg("%s shows in %s", hidden[i], json);
}

static cJSON *explain(identity_session *session) {
  const char *json = NULL;
  assert_int_equal(identity_session_explain(session, &json, NULL), IDENTITY_OK);
  assert_non_null(json);
  assert_hidden(json);
  const char *end = NULL;
  cJSON *root = cJSON_ParseWithOpts(json, &end, true);
  if (root == NULL)
    fail_msg("no JSON: %s", json);
  identity_explanation_free(json);
  return root;
}

/* A member by its path, "refresh/in_flight", or the test fails. */
static const cJSON *member(const cJSON *root, const char *path) {
  char step[40];
  const cJSON *item = root;
  for (const char *at = path; item != NULL && *at != '\0';) {
    size_t length = strcspn(at, "/");
    (void)snprintf(step, sizeof step, "%.*s", (int)length, at);
    item = cJSON_GetObjectItemCaseSensitive(item, step);
    at += length + (at[length] == '/');
  }
  if (item == NULL)
    fail_msg("there is no %s", path);
  return item;
}

/* wanted: as JSON. */
static void is(const cJSON *root, const char *path, const char *wanted) {
  char *found = cJSON_PrintUnformatted(member(root, path));
  if (strcmp(found, wanted) != 0)
    fail_msg("%s is %s, not %s", path, found, wanted);
  free(found);
}

static double number(const cJSON *root, const char *path) {
  const cJSON *item = member(root, path);
  assert_true(cJSON_IsNumber(item));
  return item->valuedouble;
}

static void is_within(const cJSON *root, const char *path, double least, double most) {
  double found = number(root, path);
  if (found < least || found > most)
    fail_msg("%s is %.0f, not within %.0f and %.0f", path, found, least, most);
}

/* One look, several members; NULL ends them. */
static void shows(identity_session *session, const char *const wanted[][2]) {
  cJSON *root = explain(session);
  for (size_t i = 0; wanted[i][0] != NULL; i++)
    is(root, wanted[i][0], wanted[i][1]);
  cJSON_Delete(root);
}

#define SHOWS(session, ...) shows(session, (const char *const[][2]){__VA_ARGS__, {NULL, NULL}})

static identity_session *signed_in(void) {
  identity_session *session = service_open_stored(&server, ACCOUNT, store);
  service_register(session, MAIL);
  hide_all_of(session);
  return session;
}

/* ---- situations ---- */

static void a_session_nobody_has_used(void **state) {
  (void)state;
  identity_session *session = service_open(&server, ACCOUNT);
  SHOWS(session, {"state", "\"signed_out\""}, {"reason", "\"never_signed_in\""}, {"epoch", "0"},
        {"generation", "0"}, {"jwt/there", "false"}, {"refresh_token/there", "false"},
        {"lease/held", "false"}, {"lease/left_ms", "0"}, {"transitions", "[]"}, {"counters/events", "0"},
        {"store/blocked", "\"OK\""}, {"clock/behind_service_ms", "0"});
  identity_session_close(session);
}

static void a_session_that_is_well(void **state) {
  (void)state;
  identity_session *session = signed_in();
  assert_int_equal(identity_session_refresh(session, NULL), IDENTITY_OK);
  hide_all_of(session);
  cJSON *root = explain(session);
  is(root, "library", "\"0.1.0\"");
  is(root, "state", "\"active\"");
  is(root, "reason", "\"none\"");
  is(root, "epoch", "1");
  is(root, "generation", "2");
  is(root, "consents_pending", "0");
  is(root, "store", "{\"blocked\":\"OK\",\"not_persisted\":false,\"made_by_other_handle\":false}");
  is(root, "jwt/age", "\"known\"");
  is(root, "jwt/refused", "false");
  is_within(root, "jwt/life_ms", 899000, 900000);
  is_within(root, "jwt/remaining_ms", 840000, 900000);
  is(root, "refresh_token/there", "true");
  is(root, "refresh",
     "{\"in_flight\":false,\"last_failure\":\"OK\",\"cooldown_ms\":0,\"failures\":0,"
     "\"undocumented_refusals\":0,\"answer_lost\":false,\"caused_by_401\":[]}");
  is(root, "lease/held", "false");
  is_within(root, "clock/wall_ms", 1.7e12, 4e12);
  is_within(root, "clock/boot_ms", 1, 1e12);
  is_within(root, "clock/behind_service_ms", -5000, 5000);
  is(root, "counters",
     "{\"refreshes\":1,\"rotations\":1,\"adoptions\":0,\"conflicts\":0,\"refused_tokens\":0,\"events\":5}");
  cJSON_Delete(root);
  identity_session_close(session);
}

static void a_cooldown(void **state) {
  (void)state;
  identity_session *session = signed_in();
  rotation_fault(&server, "\"status\":429,\"body\":\"\",\"headers\":{\"Retry-After\":\"600\"}");
  assert_int_equal(identity_session_refresh(session, NULL), IDENTITY_THROTTLED);
  cJSON *root = explain(session);
  is(root, "state", "\"stale\"");
  is(root, "refresh/last_failure", "\"THROTTLED\"");
  is(root, "refresh/failures", "1");
  is(root, "refresh/answer_lost", "false");
  is_within(root, "refresh/cooldown_ms", 560000, 750000);
  cJSON_Delete(root);
  identity_session_close(session);
}

static void an_answer_that_was_lost_and_the_end_that_follows(void **state) {
  (void)state;
  identity_session *session = signed_in();
  rotation_fault(&server, "\"drop\":\"after\"");
  assert_int_equal(identity_session_refresh(session, NULL), IDENTITY_CONNECTION_LOST);
  SHOWS(session, {"refresh/answer_lost", "true"}, {"refresh/last_failure", "\"CONNECTION_LOST\""},
        {"lease/held", "false"});
  rotation_wait_for_retry(session);
  assert_int_equal(identity_session_refresh(session, NULL), IDENTITY_SESSION_ENDED);
  SHOWS(session, {"state", "\"reauth_required\""}, {"reason", "\"lost_rotation\""}, {"jwt/there", "false"},
        {"refresh_token/there", "false"}, {"jwt/remaining_ms", "0"}, {"counters/refreshes", "2"},
        {"counters/rotations", "0"});
  identity_session_close(session);
}

static void an_undocumented_refusal(void **state) {
  (void)state;
  identity_session *session = signed_in();
  rotation_fault(&server, "\"status\":400,\"body\":{\"errors\":[\"canary of the service\"]}");
  assert_int_not_equal(identity_session_refresh(session, NULL), IDENTITY_OK);
  SHOWS(session, {"state", "\"stale\""}, {"refresh/undocumented_refusals", "1"});
  identity_session_close(session);
}

/* The JWT is dead and cannot be replaced. */
static void a_jwt_that_a_401_has_ended(void **state) {
  (void)state;
  identity_session *session = signed_in();
  service_shift_clock(&server, 901);
  rotation_fault(&server, "\"status\":500,\"body\":\"\"");
  assert_int_not_equal(service_fetch(session, NULL), IDENTITY_OK);
  cJSON *root = explain(session);
  is(root, "jwt/there", "true");
  is(root, "jwt/refused", "true");
  is(root, "jwt/remaining_ms", "0");
  is(root, "counters/refused_tokens", "1");
  is_within(root, "clock/behind_service_ms", 895000, 930000);
  assert_int_equal(cJSON_GetArraySize(member(root, "refresh/caused_by_401")), 1);
  is_within(cJSON_GetArrayItem(member(root, "refresh/caused_by_401"), 0), "ago_ms", 0, 60000);
  cJSON_Delete(root);
  identity_session_close(session);
}

static identity_session *impatient(void) {
  char directory[128];
  identity_config *config = service_config(&server);
  (void)snprintf(directory, sizeof directory, "%s/%s", server.directory, store);
  assert_int_equal(identity_config_set_file_store(config, directory), IDENTITY_OK);
  assert_int_equal(identity_config_set_timeout_ms(config, 500), IDENTITY_OK);
  return service_open_with(config, ACCOUNT);
}

static void a_lease_of_ours_and_the_same_from_another_handle(void **state) {
  (void)state;
  static crowd people;
  identity_session *holder = signed_in();
  identity_session *other = impatient();
  rotation_fault(&server, "\"hang\":true");
  crowd_start(&people, holder, 1, identity_session_refresh);
  rotation_await(&server, 1);
  assert_int_equal(identity_session_refresh(other, NULL), IDENTITY_TIMED_OUT);
  SHOWS(holder, {"state", "\"refreshing\""}, {"refresh/in_flight", "true"}, {"lease/held", "true"},
        {"lease/ours", "true"});
  SHOWS(other, {"refresh/in_flight", "true"}, {"lease/held", "true"}, {"lease/ours", "false"});
  cJSON *root = explain(other);
  is_within(root, "lease/left_ms", 1000, 75000);
  cJSON_Delete(root);
  rotation_release(&server);
  crowd_join(&people);
  assert_int_equal(people.members[0].status, IDENTITY_OK);
  assert_int_equal(identity_session_refresh(other, NULL), IDENTITY_OK); /* what the holder brought */
  SHOWS(other, {"store/made_by_other_handle", "true"}, {"counters/adoptions", "1"}, {"lease/held", "false"},
        {"generation", "2"});
  identity_session_close(other);
  identity_session_close(holder);
}

static void consents_that_wait(void **state) {
  (void)state;
  identity_session *session = service_open(&server, ACCOUNT);
  service_fault(&server,
                "{\"method\":\"PUT\",\"path\":\"/customers/*/consents\",\"status\":500,\"times\":2}");
  service_register(session, MAIL);
  SHOWS(session, {"consents_pending", "3"});
  identity_session_close(session);
}

static void a_store_that_is_locked(void **state) {
  (void)state;
  identity_session_close(signed_in());
  char *path = slot_path(&server, store);
  int lock = slot_lock(path);
  identity_session *session = service_open_stored(&server, ACCOUNT, store);
  SHOWS(session, {"state", "\"store_blocked\""}, {"store/blocked", "\"STORE_LOCKED\""},
        {"jwt/there", "false"});
  slot_unlock(lock);
  identity_session_close(session);
  free(path);
}

/* ---- how it came there ---- */

static void transitions_are_the_last_32_and_reading_events_takes_none_away(void **state) {
  (void)state;
  enum { REFRESHES = 12, EVENTS = 2 + 3 * REFRESHES };
  identity_session *session = signed_in();
  for (int i = 0; i < REFRESHES; i++)
    assert_int_equal(identity_session_refresh(session, NULL), IDENTITY_OK);
  for (int pass = 0; pass < 2; pass++) {
    cJSON *root = explain(session);
    const cJSON *list = member(root, "transitions");
    assert_int_equal(number(root, "counters/events"), EVENTS);
    assert_int_equal(cJSON_GetArraySize(list), 32);
    for (int i = 0; i < 32; i++)
      assert_int_equal(number(cJSON_GetArrayItem(list, i), "number"), EVENTS - 31 + i);
    const cJSON *last = cJSON_GetArrayItem(list, 31);
    is(last, "event", "\"state\"");
    is(last, "from", "\"refreshing\"");
    is(last, "to", "\"active\"");
    is(last, "reason", "\"none\"");
    cJSON_Delete(root);
    const identity_event *event = NULL;
    do {
      identity_event_free(event);
      assert_int_equal(identity_session_next_event(session, &event, NULL), IDENTITY_OK);
    } while (event != NULL);
  }
  identity_session_close(session);
}

static void a_transition_has_its_reason_and_how_and_cause(void **state) {
  (void)state;
  identity_session *session = service_open(&server, ACCOUNT);
  service_register(session, MAIL);
  rotation_fault(&server, "\"status\":503,\"body\":\"\",\"headers\":{\"Retry-After\":\"9\"}");
  assert_int_not_equal(identity_session_refresh(session, NULL), IDENTITY_OK);
  assert_int_equal(identity_logout(session, NULL), IDENTITY_OK);
  cJSON *root = explain(session);
  const cJSON *list = member(root, "transitions");
  assert_int_equal(cJSON_GetArraySize(list), 8);
  is(cJSON_GetArrayItem(list, 0), "event", "\"signed_in\"");
  is(cJSON_GetArrayItem(list, 0), "how", "\"register\"");
  is(cJSON_GetArrayItem(list, 3), "event", "\"throttled\"");
  is(cJSON_GetArrayItem(list, 3), "amount_ms", "9000");
  is(cJSON_GetArrayItem(list, 5), "event", "\"refresh_deferred\"");
  is(cJSON_GetArrayItem(list, 5), "cause", "\"SERVICE_FAILED\"");
  is(cJSON_GetArrayItem(list, 7), "reason", "\"logout\"");
  cJSON_Delete(root);
  identity_session_close(session);
}

static void bad_arguments_are_told(void **state) {
  (void)state;
  const char *json = NULL;
  identity_error error;
  identity_session *session = service_open(&server, ACCOUNT);
  assert_int_equal(identity_session_explain(NULL, &json, &error), IDENTITY_BAD_ARGUMENT);
  assert_string_equal(error.field, "session");
  assert_int_equal(identity_session_explain(session, NULL, &error), IDENTITY_BAD_ARGUMENT);
  assert_string_equal(error.field, "json");
  identity_explanation_free(NULL);
  identity_session_close(session);
}

#define EXPLAIN_TEST(name) cmocka_unit_test_setup_teardown(name, begin, forget)

static const struct CMUnitTest tests[] = {
    EXPLAIN_TEST(a_session_nobody_has_used),
    EXPLAIN_TEST(a_session_that_is_well),
    EXPLAIN_TEST(a_cooldown),
    EXPLAIN_TEST(an_answer_that_was_lost_and_the_end_that_follows),
    EXPLAIN_TEST(an_undocumented_refusal),
    EXPLAIN_TEST(a_jwt_that_a_401_has_ended),
    EXPLAIN_TEST(a_lease_of_ours_and_the_same_from_another_handle),
    EXPLAIN_TEST(consents_that_wait),
    EXPLAIN_TEST(a_store_that_is_locked),
    EXPLAIN_TEST(transitions_are_the_last_32_and_reading_events_takes_none_away),
    EXPLAIN_TEST(a_transition_has_its_reason_and_how_and_cause),
    EXPLAIN_TEST(bad_arguments_are_told),
};

SUITE_WITH("explain", tests, start, stop)
