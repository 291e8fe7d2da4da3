/* Forgotten passwords: the mail, the new password, and whose session ends with it. */
#include "support/stage.h"

#define NEW_PASSWORD "canary-N3wsecret"

static identity_session *signed_in(const char *account, const char *email) {
  identity_session *session = service_open(&server, account);
  service_register(session, email);
  return session;
}

/* A mailed link, taken from the outbox and read. */
static const identity_reset_link *mailed_link(identity_session *session, const char *email) {
  const identity_reset_link *link = NULL;
  assert_int_equal(identity_request_password_reset(session, email, NULL, NULL), IDENTITY_OK);
  char *url = service_last_link(&server);
  assert_int_equal(identity_parse_reset_link(url, &link, NULL), IDENTITY_OK);
  free(url);
  return link;
}

static identity_update_password_params new_password(const identity_reset_link *link) {
  identity_update_password_params params;
  identity_update_password_params_init(&params, sizeof params);
  params.reset_token = link->reset_token;
  params.email = link->email;
  params.publisher_id = link->publisher_id;
  params.new_password = NEW_PASSWORD;
  return params;
}

static void assert_link_begins(const char *text) {
  char *url = service_last_link(&server);
  if (strncmp(url, text, strlen(text)) != 0)
    fail_msg("the link does not begin with %s", text);
  free(url);
}

/* ---- the mail ---- */

static void without_a_page_the_services_own_is_used(void **state) {
  static const char sent[] = "{\"customerEmail\":\"jo@example.com\",\"publisherId\":\"123456789\"}";
  (void)state;
  identity_session *session = signed_in("viewer", "jo@example.com");
  assert_int_equal(identity_request_password_reset(session, "jo@example.com", NULL, NULL), IDENTITY_OK);
  assert_int_equal(probe_body_bytes(&server, "PUT", "/customers/passwords"), sizeof sent - 1);
  assert_false(probe_has_header(&server, "PUT", "/customers/passwords", "Authorization"));
  assert_link_begins("https://cleeng.com/reset-password?resetPasswordToken=");
  assert_int_equal(service_state_of(session), IDENTITY_STATE_ACTIVE); /* asking ends no session */
  identity_session_close(session);
}

static void the_apps_own_page_is_used_with_its_query_and_fragment(void **state) {
  static const char *const rows[][2] = {
      {"https://app.example.com/reset", "https://app.example.com/reset?resetPasswordToken="},
      {"https://app.example.com/?u=edit%20it", "https://app.example.com/?u=edit%20it&resetPasswordToken="},
      {"tv.example://account/reset#now", "tv.example://account/reset?resetPasswordToken="},
  };
  (void)state;
  identity_session *session = signed_in("viewer", "jo+tv@example.com");
  for (size_t i = 0; i < ROWS(rows); i++) {
    const identity_reset_link *link = NULL;
    assert_int_equal(identity_request_password_reset(session, "jo+tv@example.com", rows[i][0], NULL),
                     IDENTITY_OK);
    assert_link_begins(rows[i][1]);
    char *url = service_last_link(&server);
    assert_int_equal(identity_parse_reset_link(url, &link, NULL), IDENTITY_OK);
    assert_string_equal(link->email, "jo+tv@example.com");
    assert_int_equal(strlen(link->reset_token), 64);
    assert_string_equal(link->publisher_id, TEST_PUBLISHER);
    identity_reset_link_free(link);
    free(url);
  }
  identity_session_close(session);
}

static void an_unknown_address_is_told_and_no_mail_goes_out(void **state) {
  (void)state;
  identity_error error;
  identity_session *session = service_open(&server, "viewer");
  (void)identity_request_password_reset(session, "nobody@example.com", NULL, &error);
  const expected unknown = {IDENTITY_UNKNOWN_CUSTOMER, 404, "email", "USER0004"};
  probe_error("unknown", &error, &unknown);
  cJSON *outbox = service_get(&server, "outbox");
  assert_int_equal(cJSON_GetArraySize(cJSON_GetObjectItemCaseSensitive(outbox, "mails")), 0);
  cJSON_Delete(outbox);
  identity_session_close(session);
}

/* Two requests would be two mails: it is never sent again, whatever happened to it. */
static void a_mail_is_asked_for_once_whatever_comes_back(void **state) {
  static const struct {
    const char *fault;
    identity_status status;
  } rows[] = {
      {"\"status\":503,\"body\":\"\"", IDENTITY_SERVICE_FAILED},
      {"\"status\":500,\"body\":\"<html>\"", IDENTITY_SERVICE_FAILED},
      {"\"drop\":\"before\"", IDENTITY_CONNECTION_LOST},
      {"\"drop\":\"after\"", IDENTITY_CONNECTION_LOST},
      {"\"status\":200,\"body\":\"<html>\"", IDENTITY_NOT_THE_SERVICE},
  };
  (void)state;
  identity_session *session = signed_in("viewer", "jo@example.com");
  for (size_t i = 0; i < ROWS(rows); i++) {
    char fault[200];
    identity_error error;
    snprintf(fault, sizeof fault, "{\"method\":\"PUT\",\"path\":\"/customers/passwords\",\"times\":-1,%s}",
             rows[i].fault);
    service_clear_faults(&server);
    service_fault(&server, fault);
    (void)identity_request_password_reset(session, "jo@example.com", NULL, &error);
    probe_status(rows[i].fault, &error, rows[i].status, NULL);
    assert_int_equal(identity_status_class(error.status), IDENTITY_CLASS_RETRY_LATER);
    probe_sent(&server, "PUT", "/customers/passwords", (int)i + 1);
  }
  probe_answer(&server, "PUT", "/customers/passwords", 204, NULL, NULL);
  assert_int_equal(identity_request_password_reset(session, "jo@example.com", NULL, NULL), IDENTITY_OK);
  identity_session_close(session);
}

/* ---- the new password ---- */

static void the_mailed_token_sets_a_new_password_once(void **state) {
  (void)state;
  identity_error error;
  identity_session *other = signed_in("other", "jo@example.com");
  identity_session *session = service_open(&server, "viewer");
  const identity_reset_link *link = mailed_link(session, "jo@example.com");
  const identity_update_password_params params = new_password(link);
  service_watch_secret(NEW_PASSWORD);
  service_watch_secret(link->reset_token);
  assert_int_equal(identity_update_password(session, &params, &error), IDENTITY_OK);
  probe_reason(session, IDENTITY_STATE_SIGNED_OUT, IDENTITY_REASON_NEVER_SIGNED_IN); /* signs nobody in */
  assert_int_equal(service_login(session, "jo@example.com", TEST_PASSWORD, NULL), IDENTITY_WRONG_CREDENTIALS);
  assert_int_equal(service_login(session, "jo@example.com", NEW_PASSWORD, NULL), IDENTITY_OK);
  (void)identity_update_password(session, &params, &error);
  const expected used = {IDENTITY_RESET_TOKEN_INVALID, 422, "reset_token", NULL};
  probe_error("used token", &error, &used);
  assert_int_equal(identity_status_class(error.status), IDENTITY_CLASS_FIX_INPUT);
  assert_int_equal(service_state_of(session), IDENTITY_STATE_ACTIVE); /* nothing changed: nothing ends */
  probe_sent(&server, "PATCH", "/customers/passwords", 2);
  identity_reset_link_free(link);
  identity_session_close(session);
  identity_session_close(other);
}

static void the_customer_may_be_named_by_id(void **state) {
  (void)state;
  identity_error error;
  identity_session *other = signed_in("other", "jo@example.com");
  identity_session *session = service_open(&server, "viewer");
  const identity_reset_link *link = mailed_link(session, "jo@example.com");
  identity_update_password_params params = new_password(link);
  char *id = probe_customer_text(&server, "jo@example.com", "id");
  params.email = NULL;
  params.customer_id = "1";
  (void)identity_update_password(session, &params, &error);
  probe_status("another id", &error, IDENTITY_RESET_TOKEN_INVALID, "reset_token");
  params.customer_id = id; /* an integer on the wire: the service refuses a string */
  (void)identity_update_password(session, &params, &error);
  probe_status("by id", &error, IDENTITY_OK, NULL);
  assert_int_equal(service_login(session, "jo@example.com", NEW_PASSWORD, NULL), IDENTITY_OK);
  free(id);
  identity_reset_link_free(link);
  identity_session_close(session);
  identity_session_close(other);
}

static void a_token_that_is_over_or_somebody_elses_is_refused(void **state) {
  (void)state;
  identity_error error;
  identity_session *other = signed_in("other", "mo@example.com");
  identity_session *session = signed_in("viewer", "jo@example.com");
  const identity_reset_link *link = mailed_link(session, "jo@example.com");
  identity_update_password_params params = new_password(link);
  params.email = "mo@example.com";
  (void)identity_update_password(session, &params, &error);
  probe_status("somebody else's", &error, IDENTITY_RESET_TOKEN_INVALID, "reset_token");
  params.email = "nobody@example.com";
  (void)identity_update_password(session, &params, &error);
  probe_status("nobody's", &error, IDENTITY_UNKNOWN_CUSTOMER, "email");
  service_shift_clock(&server, 3601);
  params.email = "jo@example.com";
  (void)identity_update_password(session, &params, &error);
  probe_status("over", &error, IDENTITY_RESET_TOKEN_INVALID, "reset_token");
  assert_int_equal(service_login(session, "jo@example.com", TEST_PASSWORD, NULL), IDENTITY_OK);
  identity_reset_link_free(link);
  identity_session_close(session);
  identity_session_close(other);
}

static void what_is_wrong_here_is_not_sent(void **state) {
  static const struct {
    const char *token, *password, *email, *id, *publisher, *field;
  } rows[] = {
      {NULL, NEW_PASSWORD, "jo@example.com", NULL, NULL, "reset_token"},
      {"", NEW_PASSWORD, "jo@example.com", NULL, NULL, "reset_token"},
      {"a b", NEW_PASSWORD, "jo@example.com", NULL, NULL, "reset_token"},
      {"abc", NULL, "jo@example.com", NULL, NULL, "new_password"},
      {"abc", "short1", "jo@example.com", NULL, NULL, "new_password"},
      {"abc", "no-digit", "jo@example.com", NULL, NULL, "new_password"},
      {"abc", NEW_PASSWORD, NULL, NULL, NULL, "email"},
      {"abc", NEW_PASSWORD, "jo", NULL, NULL, "email"},
      {"abc", NEW_PASSWORD, NULL, "12a", NULL, "customer_id"},
      {"abc", NEW_PASSWORD, NULL, "", NULL, "customer_id"},
      {"abc", NEW_PASSWORD, "jo@example.com", NULL, "987654321", "publisher_id"},
      {"abc", NEW_PASSWORD, "jo@example.com", NULL, "", "publisher_id"},
  };
  (void)state;
  identity_session *session = service_open(&server, "viewer");
  for (size_t i = 0; i < ROWS(rows); i++) {
    identity_error error;
    identity_update_password_params params;
    identity_update_password_params_init(&params, sizeof params);
    params.reset_token = rows[i].token;
    params.new_password = rows[i].password;
    params.email = rows[i].email;
    params.customer_id = rows[i].id;
    params.publisher_id = rows[i].publisher;
    (void)identity_update_password(session, &params, &error);
    probe_status(rows[i].field, &error, IDENTITY_INVALID_INPUT, rows[i].field);
  }
  assert_int_equal(probe_requests(&server), 0);
  identity_session_close(session);
}

/* ---- whose session ends ---- */

static void a_new_password_ends_the_session_of_that_customer_only(void **state) {
  static const struct {
    const char *email;
    bool by_id, ends;
  } rows[] = {
      {"jo@example.com", false, true},
      {"jo@example.com", true, true},
      {"mo@example.com", false, false},
      {"mo@example.com", true, false},
  };
  (void)state;
  for (size_t i = 0; i < ROWS(rows); i++) {
    service_reset(&server);
    identity_session *other = signed_in("other", "mo@example.com");
    identity_session *session = signed_in("viewer", "jo@example.com");
    const identity_reset_link *link = mailed_link(session, rows[i].email);
    identity_update_password_params params = new_password(link);
    char *id = probe_customer_text(&server, rows[i].email, "id");
    params.customer_id = rows[i].by_id ? id : NULL;
    params.email = rows[i].by_id ? NULL : params.email;
    assert_int_equal(identity_update_password(session, &params, NULL), IDENTITY_OK);
    if (rows[i].ends)
      probe_reason(session, IDENTITY_STATE_REAUTH_REQUIRED, IDENTITY_REASON_CREDENTIALS_CHANGED);
    else
      probe_reason(session, IDENTITY_STATE_ACTIVE, IDENTITY_REASON_NONE);
    free(id);
    identity_reset_link_free(link);
    identity_session_close(session);
    identity_session_close(other);
  }
}

static void a_new_password_ends_a_stored_session_for_good(void **state) {
  (void)state;
  const identity_customer *customer = NULL;
  identity_session *session = service_open_stored(&server, "viewer", "store");
  service_register(session, "jo@example.com");
  const identity_reset_link *link = mailed_link(session, "jo@example.com");
  identity_update_password_params params = new_password(link);
  params.email = "JO@Example.com"; /* addresses are compared without case */
  assert_int_equal(identity_update_password(session, &params, NULL), IDENTITY_OK);
  identity_session_close(session);
  session = service_open_stored(&server, "viewer", "store");
  probe_reason(session, IDENTITY_STATE_REAUTH_REQUIRED, IDENTITY_REASON_CREDENTIALS_CHANGED);
  assert_int_equal(identity_fetch_customer(session, &customer, NULL), IDENTITY_SESSION_ENDED);
  identity_reset_link_free(link);
  identity_session_close(session);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test_setup(without_a_page_the_services_own_is_used, reset),
    cmocka_unit_test_setup(the_apps_own_page_is_used_with_its_query_and_fragment, reset),
    cmocka_unit_test_setup(an_unknown_address_is_told_and_no_mail_goes_out, reset),
    cmocka_unit_test_setup(a_mail_is_asked_for_once_whatever_comes_back, reset),
    cmocka_unit_test_setup(the_mailed_token_sets_a_new_password_once, reset),
    cmocka_unit_test_setup(the_customer_may_be_named_by_id, reset),
    cmocka_unit_test_setup(a_token_that_is_over_or_somebody_elses_is_refused, reset),
    cmocka_unit_test_setup(what_is_wrong_here_is_not_sent, reset),
    cmocka_unit_test_setup(a_new_password_ends_the_session_of_that_customer_only, reset),
    cmocka_unit_test_setup(a_new_password_ends_a_stored_session_for_good, reset),
};

SUITE_WITH("password", tests, start, stop)
