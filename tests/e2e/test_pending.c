/* Registered, but the consents did not reach the service: they wait, and are never lost or made up. */
#include "support/crowd.h"
#include "support/stage.h"

#define MAIL "jo@example.com"
#define CONSENTS "/customers/*/consents"
#define REGISTER_PUT_FAILS "{\"method\":\"PUT\",\"path\":\"" CONSENTS "\",\"status\":429,\"body\":\"\"}"

static int puts_of(int status) {
  return service_count(&server, "PUT", CONSENTS, status);
}

/* How many answers the service has of the customer. */
static int answers_at_service(void) {
  int count = 0;
  cJSON *customers = service_get(&server, "customers");
  const cJSON *customer = cJSON_GetArrayItem(cJSON_GetObjectItemCaseSensitive(customers, "customers"), 0);
  const cJSON *consent;
  assert_non_null(customer);
  cJSON_ArrayForEach(consent, cJSON_GetObjectItemCaseSensitive(customer, "consents")) {
    const char *state = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(consent, "state"));
    count += state != NULL && strcmp(state, "accepted") == 0;
  }
  cJSON_Delete(customers);
  return count;
}

static identity_session *registered_in(const char *store) {
  identity_session *session =
      store != NULL ? service_open_stored(&server, "viewer", store) : service_open(&server, "viewer");
  service_fault(&server, REGISTER_PUT_FAILS);
  service_register(session, MAIL); /* asserts OK */
  return session;
}

static identity_session *registered(void) {
  return registered_in(NULL);
}

static void registering_succeeds_though_the_consents_fail_and_says_so(void **state) {
  (void)state;
  identity_session *session = registered();
  assert_int_equal(service_state_of(session), IDENTITY_STATE_ACTIVE);
  assert_int_equal(service_pending_of(session), 1);
  assert_int_equal(puts_of(429), 1);
  assert_int_equal(puts_of(-1), 1);
  assert_int_equal(answers_at_service(), 0);
  identity_session_close(session);
}

static void registering_succeeds_though_the_consents_get_no_answer(void **state) {
  (void)state;
  identity_session *session = service_open(&server, "viewer");
  service_fault(&server, "{\"method\":\"PUT\",\"path\":\"" CONSENTS "\",\"times\":2,\"drop\":\"before\"}");
  service_register(session, MAIL);
  assert_int_equal(service_pending_of(session), 1);
  assert_int_equal(service_count(&server, "POST", "/customers", -1), 1);
  assert_int_equal(puts_of(-1), 2); /* this one the library tries twice */
  identity_session_close(session);
}

/* Where a request of the journal stands, from 0; -1: it is not there. */
static int place_of(const char *method, const char *end_of_path, int status) {
  int place = 0;
  int found = -1;
  const cJSON *entry;
  cJSON *journal = service_get(&server, "journal");
  cJSON_ArrayForEach(entry, cJSON_GetObjectItemCaseSensitive(journal, "requests")) {
    const char *path = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(entry, "path"));
    const char *end = path != NULL ? strrchr(path, '/') : NULL;
    int entry_status = cJSON_GetObjectItemCaseSensitive(entry, "status")->valueint;
    if (end != NULL && strcmp(end, end_of_path) == 0 && entry_status == status &&
        strcmp(cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(entry, "method")), method) == 0)
      found = place;
    place++;
  }
  cJSON_Delete(journal);
  return found;
}

static identity_status fetch_capture(identity_session *session, identity_error *error) {
  const identity_capture_status *status = NULL;
  identity_status result = identity_fetch_capture_status(session, &status, error);
  identity_capture_status_free(status);
  return result;
}

static void they_go_before_the_next_authorised_call_and_then_never_again(void **state) {
  (void)state;
  identity_session *session = registered();
  assert_int_equal(fetch_capture(session, NULL), IDENTITY_OK);
  assert_int_equal(service_pending_of(session), 0);
  assert_int_equal(answers_at_service(), 3);
  assert_int_equal(puts_of(200), 1);
  assert_true(place_of("PUT", "/consents", 200) < place_of("GET", "/status", 200));
  assert_int_equal(fetch_capture(session, NULL), IDENTITY_OK);
  assert_int_equal(puts_of(-1), 2);
  identity_session_close(session);
}

static void they_do_not_go_before_a_call_that_needs_no_token(void **state) {
  (void)state;
  const identity_locale *locale = NULL;
  identity_session *session = registered();
  assert_int_equal(identity_fetch_locale(session, NULL, &locale, NULL), IDENTITY_OK);
  identity_locale_free(locale);
  assert_int_equal(puts_of(-1), 1);
  assert_int_equal(service_pending_of(session), 1);
  identity_session_close(session);
}

static void one_thread_of_many_tries_them(void **state) {
  (void)state;
  identity_session *session = registered();
  service_fault(&server, "{\"method\":\"PUT\",\"path\":\"" CONSENTS "\",\"delay_ms\":150}");
  assert_int_equal(crowd_successes(session, 16, service_fetch), 16);
  assert_int_equal(puts_of(200), 1);
  assert_int_equal(puts_of(-1), 2);
  assert_int_equal(service_pending_of(session), 0);
  identity_session_close(session);
}

static void the_next_call(const char *fault, int pending_after) {
  char json[300];
  service_reset(&server);
  identity_session *session = registered();
  snprintf(json, sizeof json, "{\"method\":\"PUT\",\"path\":\"" CONSENTS "\",\"times\":-1,%s}", fault);
  service_fault(&server, json);
  assert_int_equal(service_fetch(session, NULL), IDENTITY_OK); /* goes on whatever comes back */
  if (service_pending_of(session) != pending_after)
    fail_msg("%s: pending is %d", fault, !pending_after);
  assert_int_equal(puts_of(-1), 2);
  assert_int_equal(service_fetch(session, NULL), IDENTITY_OK);
  assert_int_equal(puts_of(-1), 2); /* gone, or at most once per backoff */
  identity_session_close(session);
}

static void a_refusal_drops_them(void **state) {
  (void)state;
  the_next_call("\"status\":400,\"body\":{\"errors\":[\"No\"]}", 0);
  the_next_call("\"status\":403,\"body\":{\"errors\":[\"No\"]}", 0);
  the_next_call("\"status\":404,\"body\":{\"errors\":[\"No\"]}", 0);
  the_next_call("\"status\":422,\"body\":{\"errors\":[\"No\"]}", 0);
}

static void a_failure_that_may_pass_keeps_them(void **state) {
  (void)state;
  the_next_call("\"status\":401,\"body\":{\"errors\":[\"No\"]}", 1);
  the_next_call("\"status\":408,\"body\":\"\"", 1);
  the_next_call("\"status\":425,\"body\":\"\"", 1);
  the_next_call("\"status\":429,\"body\":\"\"", 1);
  the_next_call("\"status\":500,\"body\":{\"errors\":[\"No\"]}", 1);
  the_next_call("\"status\":503,\"body\":\"\"", 1);
  the_next_call("\"status\":302,\"body\":\"\"", 1);
  the_next_call("\"drop\":\"before\"", 1);
}

static void they_are_tried_again_after_the_backoff(void **state) {
  (void)state;
  identity_session *session = registered();
  service_fault(&server, "{\"method\":\"PUT\",\"path\":\"" CONSENTS "\",\"status\":500,\"body\":\"\"}");
  assert_int_equal(service_fetch(session, NULL), IDENTITY_OK);
  assert_int_equal(service_pending_of(session), 1);
  service_pause_ms(1005);
  assert_int_equal(service_fetch(session, NULL), IDENTITY_OK);
  assert_int_equal(service_pending_of(session), 0);
  assert_int_equal(answers_at_service(), 3);
  identity_session_close(session);
}

static void a_service_that_hangs_on_them_costs_a_quarter_of_the_time(void **state) {
  (void)state;
  identity_config *config = service_config(&server);
  assert_int_equal(identity_config_set_timeout_ms(config, 1600), IDENTITY_OK);
  identity_session *session = service_open_with(config, "viewer");
  service_fault(&server, REGISTER_PUT_FAILS);
  service_register(session, MAIL);
  service_fault(&server, "{\"method\":\"PUT\",\"path\":\"" CONSENTS "\",\"hang\":true}");
  int64_t begun = service_now_ms();
  assert_int_equal(service_fetch(session, NULL), IDENTITY_OK);
  int64_t took = service_now_ms() - begun;
  assert_in_range(took, 390, 800);
  assert_int_equal(service_pending_of(session), 1);
  identity_session_close(session);
}

static void they_survive_a_restart(void **state) {
  (void)state;
  identity_session *session = registered_in("restart");
  identity_session_close(session);
  session = service_open_stored(&server, "viewer", "restart");
  assert_int_equal(service_pending_of(session), 1);
  assert_int_equal(service_fetch(session, NULL), IDENTITY_OK);
  assert_int_equal(service_pending_of(session), 0);
  assert_int_equal(answers_at_service(), 3);
  identity_session_close(session);
  session = service_open_stored(&server, "viewer", "restart");
  assert_int_equal(service_pending_of(session), 0);
  identity_session_close(session);
}

static void they_survive_a_rotation_of_the_tokens(void **state) {
  (void)state;
  identity_session *session = registered();
  assert_int_equal(identity_session_refresh(session, NULL), IDENTITY_OK);
  assert_int_equal(service_pending_of(session), 1);
  assert_int_equal(service_fetch(session, NULL), IDENTITY_OK);
  assert_int_equal(answers_at_service(), 3);
  identity_session_close(session);
}

static void answers_that_one_handle_has_sent_are_not_brought_back_by_another(void **state) {
  (void)state;
  identity_session *one = registered_in("shared");
  identity_session *other = service_open_stored(&server, "viewer", "shared");
  assert_int_equal(service_fetch(one, NULL), IDENTITY_OK);
  assert_int_equal(service_pending_of(one), 0);
  assert_int_equal(identity_session_refresh(other, NULL), IDENTITY_OK);
  assert_int_equal(service_pending_of(other), 0);
  assert_int_equal(service_fetch(other, NULL), IDENTITY_OK);
  assert_int_equal(puts_of(-1), 2);
  identity_session_close(other);
  identity_session_close(one);
}

static identity_status update_one(identity_session *session, const char *name, int32_t accepted) {
  const identity_customer_consents *consents = NULL;
  identity_consent_answer answer;
  identity_status status;
  memset(&answer, 0, sizeof answer);
  assert_int_equal(identity_fetch_customer_consents(session, &consents, NULL), IDENTITY_OK);
  for (uint32_t i = 0; i < consents->count; i++)
    if (strcmp(consents->items[i]->name, name) == 0)
      answer.version = consents->items[i]->newest_version;
  assert_non_null(answer.version);
  answer.name = name;
  answer.accepted = accepted;
  status = identity_update_customer_consents(session, &answer, 1, NULL);
  identity_customer_consents_free(consents);
  return status;
}

static void an_explicit_answer_replaces_the_waiting_one_of_its_name(void **state) {
  (void)state;
  identity_session *session = registered_in("explicit");
  service_fault(&server, "{\"method\":\"PUT\",\"path\":\"" CONSENTS "\",\"status\":500,\"body\":\"\"}");
  assert_int_equal(update_one(session, "broadcaster_marketing", 0), IDENTITY_OK);
  assert_int_equal(puts_of(500), 1); /* the waiting ones, in front of the look at the consents */
  assert_int_equal(service_pending_of(session), 1);
  identity_session_close(session); /* a new handle has no backoff to wait for */
  session = service_open_stored(&server, "viewer", "explicit");
  assert_int_equal(service_fetch(session, NULL), IDENTITY_OK);
  assert_int_equal(service_pending_of(session), 0);
  assert_int_equal(answers_at_service(), 2); /* the terms; marketing stays declined */
  identity_session_close(session);
}

static void a_logout_forgets_them(void **state) {
  (void)state;
  identity_session *session = registered();
  assert_int_equal(identity_logout(session, NULL), IDENTITY_OK);
  assert_int_equal(service_pending_of(session), 0);
  assert_int_equal(service_login(session, MAIL, TEST_PASSWORD, NULL), IDENTITY_OK);
  assert_int_equal(service_fetch(session, NULL), IDENTITY_OK);
  assert_int_equal(puts_of(-1), 1);
  identity_session_close(session);
}

static identity_status register_first(identity_session *session, identity_error *error) {
  (void)error;
  service_register(session, "first@example.com");
  return IDENTITY_OK;
}

/* Two viewers register on one session; the first one's consents arrive when the second is signed in already.
 */
static void another_customers_answers_do_not_clear_them(void **state) {
  (void)state;
  crowd first;
  identity_session *session = service_open(&server, "viewer");
  service_fault(&server,
                "[{\"method\":\"PUT\",\"path\":\"/customers/*/consents\",\"delay_ms\":700},"
                "{\"method\":\"PUT\",\"path\":\"/customers/*/consents\",\"status\":500,\"times\":-1}]");
  crowd_start(&first, session, 1, register_first);
  for (int i = 0; i < 500 && service_count(&server, "POST", "/customers", 200) < 1; i++)
    service_pause_ms(2);
  service_pause_ms(100); /* the first one's consents are out */
  service_register(session, "second@example.com");
  assert_int_equal(service_pending_of(session), 1);
  crowd_join(&first);
  assert_int_equal(crowd_count(&first, IDENTITY_OK), 1);
  assert_int_equal(service_pending_of(session), 1);
  identity_session_close(session);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test_setup(another_customers_answers_do_not_clear_them, reset),
    cmocka_unit_test_setup(registering_succeeds_though_the_consents_fail_and_says_so, reset),
    cmocka_unit_test_setup(registering_succeeds_though_the_consents_get_no_answer, reset),
    cmocka_unit_test_setup(they_go_before_the_next_authorised_call_and_then_never_again, reset),
    cmocka_unit_test_setup(they_do_not_go_before_a_call_that_needs_no_token, reset),
    cmocka_unit_test_setup(one_thread_of_many_tries_them, reset),
    cmocka_unit_test_setup(a_refusal_drops_them, reset),
    cmocka_unit_test_setup(a_failure_that_may_pass_keeps_them, reset),
    cmocka_unit_test_setup(they_are_tried_again_after_the_backoff, reset),
    cmocka_unit_test_setup(a_service_that_hangs_on_them_costs_a_quarter_of_the_time, reset),
    cmocka_unit_test_setup(they_survive_a_restart, reset),
    cmocka_unit_test_setup(they_survive_a_rotation_of_the_tokens, reset),
    cmocka_unit_test_setup(answers_that_one_handle_has_sent_are_not_brought_back_by_another, reset),
    cmocka_unit_test_setup(an_explicit_answer_replaces_the_waiting_one_of_its_name, reset),
    cmocka_unit_test_setup(a_logout_forgets_them, reset),
};

SUITE_WITH("pending", tests, start, stop)
