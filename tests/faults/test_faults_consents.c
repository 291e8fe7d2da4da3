/* Faults 38 and 39: consents that one handle stores while another's refresh is out, and terms that change
 * between the viewer's look and their arrival. */
#include "support/crowd.h"
#include "support/stage.h"

#define MAIL "jo@example.com"
#define REFRESH "/auths/refresh_token"
#define CONSENTS "/customers/*/consents"
#define DEFINITIONS "publishers/" TEST_PUBLISHER "/consents"

/* ---- fault 38 ---- */

static identity_session *opened(void) {
  return service_open_stored(&server, "viewer", "shared");
}

static int clean(void **state) {
  char command[160];
  (void)reset(state);
  snprintf(command, sizeof command, "rm -rf '%s/shared'", server.directory);
  assert_int_equal(system(command), 0);
  return 0;
}

static void await(const char *method, const char *path, int count) {
  for (int i = 0; i < 2500 && service_count(&server, method, path, -1) < count; i++)
    service_pause_ms(2);
  probe_sent(&server, method, path, count);
}

/* Registered; the answers wait in the store. */
static void register_pending(void) {
  identity_session *session = opened();
  service_fault(&server, "{\"method\":\"PUT\",\"path\":\"" CONSENTS "\",\"status\":429,\"body\":\"\"}");
  service_register(session, MAIL);
  assert_int_equal(service_pending_of(session), 1);
  probe_sent(&server, "PUT", CONSENTS, 1);
  identity_session_close(session);
}

/* A's refresh is at the service, which has not answered yet. */
static identity_session *refreshing(crowd *flight) {
  identity_session *session = opened();
  service_fault(&server, "{\"path\":\"" REFRESH "\",\"hang\":true}");
  crowd_start(flight, session, 1, identity_session_refresh);
  await("POST", REFRESH, 1);
  return session;
}

static void lands(crowd *flight) {
  service_send(&server, "POST", "release", "{}");
  crowd_join(flight);
  assert_int_equal(crowd_count(flight, IDENTITY_OK), 1);
}

/* The pair of A's flight is what the store holds: a third handle lives by it. */
static void the_pair_is_stored(int refreshes) {
  identity_session *session = opened();
  assert_int_equal(service_state_of(session), IDENTITY_STATE_ACTIVE);
  assert_int_equal(identity_session_refresh(session, NULL), IDENTITY_OK);
  probe_sent(&server, "POST", REFRESH, refreshes);
  assert_int_equal(service_count(&server, "POST", REFRESH, 200), refreshes);
  assert_int_equal(service_valid_refresh_tokens(&server, MAIL), 1);
  identity_session_close(session);
}

static void accepted(const char *terms, const char *broadcaster_terms, const char *marketing) {
  probe_customer_is(&server, MAIL, "consents/terms/state", terms);
  probe_customer_is(&server, MAIL, "consents/broadcaster_terms/state", broadcaster_terms);
  probe_customer_is(&server, MAIL, "consents/broadcaster_marketing/state", marketing);
}

static void fault_38_consents_sent_while_a_refresh_is_out_stay_sent_and_the_pair_is_kept(void **state) {
  (void)state;
  crowd flight;
  register_pending();
  identity_session *other = opened();
  identity_session *session = refreshing(&flight);
  assert_int_equal(service_pending_of(other), 1);
  assert_int_equal(service_fetch(other, NULL), IDENTITY_OK); /* sends them, and takes them off */
  assert_int_equal(service_pending_of(other), 0);
  accepted("accepted", "accepted", "accepted");
  lands(&flight);
  assert_int_equal(service_pending_of(session), 0);
  assert_int_equal(service_fetch(session, NULL), IDENTITY_OK);
  probe_sent(&server, "PUT", CONSENTS, 2); /* not brought back, not sent again */
  identity_session_close(session);
  identity_session_close(other);
  the_pair_is_stored(2);
  probe_sent(&server, "PUT", CONSENTS, 2);
}

/* The answer of B replaces one of three; the two others go on waiting, in what A commits, too. */
static void fault_38_an_answer_replaced_while_a_refresh_is_out_stays_replaced(void **state) {
  (void)state;
  crowd flight;
  const identity_consent_answer no_news = {"broadcaster_marketing", "1.7", 0, 0};
  register_pending();
  identity_session *other = opened();
  identity_session *session = refreshing(&flight);
  service_fault(&server, "{\"method\":\"PUT\",\"path\":\"" CONSENTS "\",\"status\":429,\"body\":\"\"}");
  assert_int_equal(service_fetch(other, NULL), IDENTITY_OK); /* tries them in vain */
  assert_int_equal(identity_update_customer_consents(other, &no_news, 1, NULL), IDENTITY_OK);
  probe_sent(&server, "PUT", CONSENTS, 3); /* at registration, in vain, and the new answer */
  assert_int_equal(service_pending_of(other), 1);
  accepted("", "", "declined");
  lands(&flight);
  assert_int_equal(service_pending_of(session), 1);
  identity_session_close(other);
  assert_int_equal(service_fetch(session, NULL), IDENTITY_OK); /* had not tried: nothing to wait for */
  accepted("accepted", "accepted", "declined");
  assert_int_equal(service_pending_of(session), 0);
  identity_session_close(session);
  the_pair_is_stored(2);
}

/* What B stores leaves A's lease where it is: B's own refresh waits for A's and sends nothing. */
static void fault_38_who_stores_consents_leaves_the_lease_alone(void **state) {
  (void)state;
  crowd flight, joined;
  register_pending();
  identity_session *other = opened();
  identity_session *session = refreshing(&flight);
  assert_int_equal(service_fetch(other, NULL), IDENTITY_OK);
  assert_int_equal(service_pending_of(other), 0);
  crowd_start(&joined, other, 1, identity_session_refresh);
  service_pause_ms(300);
  probe_sent(&server, "POST", REFRESH, 1);
  lands(&flight);
  crowd_join(&joined);
  assert_int_equal(crowd_count(&joined, IDENTITY_OK), 1);
  probe_sent(&server, "POST", REFRESH, 1);
  assert_int_equal(service_fetch(other, NULL), IDENTITY_OK);
  assert_int_equal(service_fetch(session, NULL), IDENTITY_OK);
  identity_session_close(other);
  identity_session_close(session);
  the_pair_is_stored(2);
}

/* The other way round: the PUT of the consents is out when the other handle commits its pair. */
static void fault_38_a_pair_committed_while_consents_are_out_is_kept(void **state) {
  (void)state;
  crowd sender;
  register_pending();
  identity_session *session = opened();
  identity_session *other = opened();
  service_fault(&server, "{\"method\":\"PUT\",\"path\":\"" CONSENTS "\",\"hang\":true}");
  crowd_start(&sender, other, 1, service_fetch);
  await("PUT", CONSENTS, 2);
  assert_int_equal(identity_session_refresh(session, NULL), IDENTITY_OK);
  assert_int_equal(service_pending_of(session), 1);
  lands(&sender);
  assert_int_equal(service_pending_of(other), 0);
  accepted("accepted", "accepted", "accepted");
  identity_session_close(other);
  identity_session_close(session);
  session = opened();
  assert_int_equal(service_pending_of(session), 0);
  identity_session_close(session);
  the_pair_is_stored(2);
  probe_sent(&server, "PUT", CONSENTS, 2);
}

/* ---- fault 39 ---- */

static void raise_terms(const char *versions) {
  service_send(&server, "PUT", DEFINITIONS, versions);
}

/* What the viewer sees, kept as an app keeps it. */
static const identity_consents *displayed(identity_session *session, identity_consent_answer answers[3]) {
  const identity_consents *consents = NULL;
  assert_int_equal(identity_fetch_publisher_consents(session, &consents, NULL), IDENTITY_OK);
  assert_int_equal(consents->count, 3);
  for (uint32_t i = 0; i < 3; i++)
    answers[i] = (identity_consent_answer){consents->items[i]->name, consents->items[i]->version,
                                           consents->items[i]->required, 0};
  return consents;
}

static identity_status register_with(identity_session *session, const identity_consent_answer answers[3],
                                     identity_error *error) {
  identity_register_params params = probe_register_params(MAIL);
  params.consents = answers;
  params.consent_count = 3;
  return identity_register(session, &params, error);
}

static void fault_39_terms_raised_between_display_and_register_send_nothing(void **state) {
  static const struct {
    const char *versions, *field;
  } rows[] = {
      {"{\"versions\":{\"terms\":\"2\"}}", "terms"},
      {"{\"versions\":{\"broadcaster_terms\":\"1.70\"}}", "broadcaster_terms"},
      {"{\"versions\":{\"broadcaster_marketing\":\"1.6\"}}",
       "broadcaster_marketing"}, /* declined, optional */
  };
  (void)state;
  for (size_t i = 0; i < ROWS(rows); i++) {
    identity_error error;
    identity_consent_answer answers[3];
    service_reset(&server);
    identity_session *session = service_open(&server, "viewer");
    const identity_consents *seen = displayed(session, answers);
    raise_terms(rows[i].versions);
    (void)register_with(session, answers, &error);
    probe_status(rows[i].versions, &error, IDENTITY_CONSENT_CHANGED, rows[i].field);
    assert_int_equal(identity_status_class(error.status), IDENTITY_CLASS_USER_ACTION);
    probe_sent(&server, "POST", "/customers", 0);
    probe_sent(&server, "PUT", CONSENTS, 0);
    assert_null(probe_customer(&server, MAIL));
    probe_reason(session, IDENTITY_STATE_SIGNED_OUT, IDENTITY_REASON_NEVER_SIGNED_IN);
    identity_consents_free(seen);
    seen = displayed(session, answers); /* shown again, and answered */
    assert_int_equal(register_with(session, answers, &error), IDENTITY_OK);
    identity_consents_free(seen);
    identity_session_close(session);
  }
}

static const char *version_in(const identity_next_step *step, const char *name) {
  for (uint32_t i = 0; i < step->consents->count; i++)
    if (strcmp(step->consents->items[i]->name, name) == 0)
      return step->consents->items[i]->newest_version;
  fail_msg("%s is not asked for", name);
  return NULL;
}

/* Version 2 was never seen: the service has no answer to it, and the viewer is asked. */
static void asks_again_for_version_2(identity_session *session) {
  const identity_next_step *step = NULL;
  assert_int_equal(identity_fetch_next_step(session, &step, NULL), IDENTITY_OK);
  assert_int_equal(step->step, IDENTITY_STEP_CONSENTS);
  assert_string_equal(version_in(step, "terms"), "2");
  assert_int_equal(service_pending_of(session), 0);
  probe_customer_is(&server, MAIL, "consents/terms/state", "");
  probe_customer_is(&server, MAIL, "consents/terms/version", "");
  const identity_consent_answer answers[] = {
      {"terms", version_in(step, "terms"), 1, 0},
      {"broadcaster_terms", version_in(step, "broadcaster_terms"), 1, 0},
  };
  assert_int_equal(identity_update_customer_consents(session, answers, 2, NULL), IDENTITY_OK);
  identity_next_step_free(step);
  probe_customer_is(&server, MAIL, "consents/terms/state", "accepted");
  probe_customer_is(&server, MAIL, "consents/terms/version", "2");
}

static void fault_39_terms_raised_before_pending_answers_go_drop_them(void **state) {
  static const char *const faults[] = {
      "{\"method\":\"PUT\",\"path\":\"" CONSENTS "\",\"status\":429,\"body\":\"\"}",
      "{\"method\":\"PUT\",\"path\":\"" CONSENTS "\",\"times\":2,\"drop\":\"before\"}",
  };
  (void)state;
  for (size_t i = 0; i < ROWS(faults); i++) {
    service_reset(&server);
    identity_session *session = service_open(&server, "viewer");
    service_fault(&server, faults[i]);
    service_register(session, MAIL);
    assert_int_equal(service_pending_of(session), 1);
    int bytes = probe_body_bytes(&server, "PUT", CONSENTS);
    raise_terms("{\"versions\":{\"terms\":\"2\"}}");
    assert_int_equal(service_fetch(session, NULL), IDENTITY_OK); /* goes on whatever they get */
    assert_int_equal(service_count(&server, "PUT", CONSENTS, 422), 1);
    assert_int_equal(probe_body_bytes(&server, "PUT", CONSENTS), bytes); /* as the viewer gave them */
    assert_int_equal(service_pending_of(session), 0);
    assert_int_equal(service_fetch(session, NULL), IDENTITY_OK);
    assert_int_equal(service_count(&server, "PUT", CONSENTS, 422), 1);
    asks_again_for_version_2(session);
    identity_session_close(session);
  }
}

static identity_status register_jo(identity_session *session, identity_error *error) {
  return register_with(session, probe_consents, error);
}

/* Between the library's own look and the PUT: the account is made, the answers are not turned into newer
 * ones. */
static void fault_39_terms_raised_while_the_account_is_made_are_asked_for_again(void **state) {
  (void)state;
  crowd one;
  identity_session *session = service_open(&server, "viewer");
  service_fault(&server, "{\"method\":\"POST\",\"path\":\"/customers\",\"hang\":true}");
  crowd_start(&one, session, 1, register_jo);
  await("POST", "/customers", 1);
  raise_terms("{\"versions\":{\"terms\":\"2\"}}");
  lands(&one);
  assert_int_equal(service_state_of(session), IDENTITY_STATE_ACTIVE);
  assert_int_equal(service_fetch(session, NULL), IDENTITY_OK);
  assert_int_equal(service_count(&server, "PUT", CONSENTS, 200), 0);
  asks_again_for_version_2(session);
  identity_session_close(session);
}

/* The same for who is signed in and answers what was on the screen. */
static void fault_39_an_update_of_terms_that_were_raised_meanwhile_sends_nothing(void **state) {
  (void)state;
  identity_error error;
  identity_session *session = service_open(&server, "viewer");
  service_register(session, MAIL);
  raise_terms("{\"versions\":{\"terms\":\"2\"}}");
  (void)identity_update_customer_consents(session, probe_consents, PROBE_CONSENTS, &error);
  probe_status("update", &error, IDENTITY_CONSENT_CHANGED, "terms");
  probe_sent(&server, "PUT", CONSENTS, 1); /* that of the registration */
  probe_customer_is(&server, MAIL, "consents/terms/version", "1");
  identity_session_close(session);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test_setup(fault_38_consents_sent_while_a_refresh_is_out_stay_sent_and_the_pair_is_kept,
                           clean),
    cmocka_unit_test_setup(fault_38_an_answer_replaced_while_a_refresh_is_out_stays_replaced, clean),
    cmocka_unit_test_setup(fault_38_who_stores_consents_leaves_the_lease_alone, clean),
    cmocka_unit_test_setup(fault_38_a_pair_committed_while_consents_are_out_is_kept, clean),
    cmocka_unit_test_setup(fault_39_terms_raised_between_display_and_register_send_nothing, clean),
    cmocka_unit_test_setup(fault_39_terms_raised_before_pending_answers_go_drop_them, clean),
    cmocka_unit_test_setup(fault_39_terms_raised_while_the_account_is_made_are_asked_for_again, clean),
    cmocka_unit_test_setup(fault_39_an_update_of_terms_that_were_raised_meanwhile_sends_nothing, clean),
};

SUITE_WITH("faults: consents", tests, start, stop)
