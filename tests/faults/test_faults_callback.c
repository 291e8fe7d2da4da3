/* Fault 14: a callback of the app calls the library again. */
#include "support/every_call.h"
#include "support/rotation.h"
#include "support/stage.h"

#include <identity/server.h>

#define MAIL EVERY_CALL_MAIL

/* What runs inside the log callback, and what it found. */
typedef struct inside {
  identity_session *session; /* the one that the callback belongs to; NULL: not now */
  identity_session *other;
  void (*run)(struct inside *at);
  int calls;
  char wrong[200]; /* empty: nothing */
} inside;

/* An assertion would jump out of the library. */
#define EXPECT(at, condition)                                                                                \
  do {                                                                                                       \
    if (!(condition) && (at)->wrong[0] == '\0')                                                              \
      (void)snprintf((at)->wrong, sizeof(at)->wrong, "inside the callback: %s", #condition);                 \
  } while (0)

static void call_again(int32_t level, const char *line, void *user_data) {
  inside *at = user_data;
  (void)level, (void)line;
  if (at->session == NULL)
    return;
  at->calls++;
  at->run(at);
}

static void begin(inside *at, void (*run)(inside *at)) {
  identity_config *config = service_config(&server);
  memset(at, 0, sizeof *at);
  at->run = run;
  assert_int_equal(identity_config_set_log(config, IDENTITY_LOG_DEBUG, call_again, at), IDENTITY_OK);
  identity_session *session = service_open_with(config, "viewer");
  service_register(session, MAIL);
  at->other = service_open(&server, "other");
  at->session = session;
}

static void end(inside *at) {
  identity_session *session = at->session;
  if (at->wrong[0] != '\0')
    fail_msg("%s", at->wrong);
  assert_true(at->calls > 0);
  at->session = NULL;
  identity_session_close(session);
  identity_session_close(at->other);
}

/* ---- what does not block ---- */

static void texts_and_params(inside *at) {
  identity_register_params registration;
  identity_login_params login;
  identity_update_customer_params customer;
  identity_update_password_params password;
  const identity_reset_link *link = NULL;
  EXPECT(at, identity_status_class(IDENTITY_OFFLINE) == IDENTITY_CLASS_RETRY_LATER);
  EXPECT(at, strcmp(identity_status_name(IDENTITY_OFFLINE), "OFFLINE") == 0);
  EXPECT(at, identity_status_text(IDENTITY_OFFLINE)[0] != '\0');
  EXPECT(at, strcmp(identity_class_name(IDENTITY_CLASS_SIGN_IN), "SIGN_IN") == 0);
  EXPECT(at, identity_version()[0] != '\0');
  identity_register_params_init(&registration, sizeof registration);
  identity_login_params_init(&login, sizeof login);
  identity_update_customer_params_init(&customer, sizeof customer);
  identity_update_password_params_init(&password, sizeof password);
  EXPECT(at, registration.struct_size == sizeof registration && login.struct_size == sizeof login);
  EXPECT(at, customer.struct_size == sizeof customer && password.struct_size == sizeof password);
  EXPECT(at, identity_parse_reset_link("https://a.example/?x=1", &link, NULL) == IDENTITY_INVALID_INPUT);
  identity_reset_link_free(link);
}

/* None of the results is there, and nothing is closed: that does nothing. */
static void nothing_is_freed(void) {
  identity_config_free(NULL);
  identity_session_close(NULL);
  identity_state_free(NULL);
  identity_tokens_free(NULL);
  identity_locale_free(NULL);
  identity_consents_free(NULL);
  identity_customer_consents_free(NULL);
  identity_capture_status_free(NULL);
  identity_next_step_free(NULL);
  identity_customer_free(NULL);
}

static void another_config(inside *at) {
  identity_session *session = NULL;
  identity_config *config = identity_config_new(TEST_PUBLISHER);
  const identity_status set[] = {
      identity_config_set_environment(config, IDENTITY_SANDBOX),
      identity_config_set_base_url(config, "https://identity.example.com"),
      identity_config_set_loopback_http(config, 1),
      identity_config_set_file_store(config, "/tmp/identity-test-never-opened"),
      identity_config_set_memory_store(config),
      identity_config_set_volatile_tokens(config, 1),
      identity_config_set_log(config, IDENTITY_LOG_ERROR, NULL, NULL),
      identity_config_set_timeout_ms(config, 1000),
      identity_config_set_resolve(config, "identity.example.com", "127.0.0.1"),
      identity_config_set_ca_file(config, NULL),
      identity_config_set_ca_pem(config, NULL),
      identity_config_set_proxy(config, NULL),
      identity_config_set_environment_proxy(config, 0),
      identity_config_set_user_agent(config, "player/3.1"),
      identity_config_set_sso_path(config, "/sso/auths"),
      identity_config_set_sso_header(config, "X-Publisher-Token"),
  };
  for (size_t i = 0; i < ROWS(set); i++)
    EXPECT(at, set[i] == IDENTITY_OK);
  EXPECT(at, identity_session_open(config, "inside", &session, NULL) == IDENTITY_OK);
  identity_session_close(session);
  identity_config_free(config);
}

static void state_and_tokens(inside *at) {
  const identity_state *stands = NULL;
  const identity_tokens *tokens = NULL;
  EXPECT(at, identity_session_state(at->session, &stands, NULL) == IDENTITY_OK);
  EXPECT(at, stands != NULL && strcmp(stands->publisher_id, TEST_PUBLISHER) == 0);
  identity_state_free(stands);
  EXPECT(at, identity_session_tokens(at->session, 0, &tokens, NULL) == IDENTITY_OK);
  EXPECT(at, tokens != NULL && tokens->remaining_ms > 0);
  identity_tokens_free(tokens);
  identity_session_interrupt(NULL);
  identity_session_interrupt(at->other);
}

static void all_that_does_not_block(inside *at) {
  texts_and_params(at);
  nothing_is_freed();
  another_config(at);
  state_and_tokens(at);
}

static void fault_14_what_does_not_block_works_inside_a_callback(void **state) {
  (void)state;
  inside at;
  identity_error error;
  begin(&at, all_that_does_not_block);
  assert_int_equal(service_fetch(at.session, &error), IDENTITY_OK);
  assert_int_equal(identity_session_refresh(at.session, &error), IDENTITY_OK);
  assert_int_equal(service_fetch(at.session, &error), IDENTITY_OK);
  assert_int_equal(rotation_count(&server, -1), 1);
  end(&at);
}

/* The line of a refresh may be written while the pair changes hands: whatever is told then is whole. */
static void state_whatever_it_is(inside *at) {
  const identity_state *stands = NULL;
  EXPECT(at, identity_session_state(at->session, &stands, NULL) == IDENTITY_OK);
  EXPECT(at, stands != NULL && stands->state_name != NULL && strcmp(stands->account, "viewer") == 0);
  identity_state_free(stands);
}

static void fault_14_the_state_is_told_inside_a_callback_of_any_call(void **state) {
  (void)state;
  size_t spoke = 0;
  for (size_t i = 0; i < every_call_count; i++) {
    inside at;
    service_reset(&server);
    begin(&at, state_whatever_it_is);
    (void)every_calls[i].run(at.session, NULL);
    spoke += at.calls > 0;
    at.calls++; /* adopt and logout may have nothing to say */
    end(&at);
  }
  assert_true(spoke >= every_call_count - 2);
}

static void interrupt_ourselves(inside *at) {
  identity_session_interrupt(at->session);
}

static void fault_14_an_interrupt_inside_a_callback_ends_the_call_it_belongs_to(void **state) {
  (void)state;
  inside at;
  begin(&at, interrupt_ourselves);
  service_fault(&server, "{\"method\":\"GET\",\"path\":\"/customers/*\",\"delay_ms\":300}");
  int64_t begun = service_now_ms();
  identity_status status = service_fetch(at.session, NULL);
  assert_true(status == IDENTITY_CANCELLED || status == IDENTITY_OK); /* OK: its last line was the first */
  assert_true(service_now_ms() - begun < 5000);
  at.run = texts_and_params;
  assert_int_equal(service_fetch(at.session, NULL), IDENTITY_OK);
  assert_int_equal(service_state_of(at.session), IDENTITY_STATE_ACTIVE);
  end(&at);
}

/* ---- what blocks ---- */

static void every_blocking_call(inside *at) {
  const identity_tokens *tokens = NULL;
  for (size_t i = 0; i < every_call_count; i++) {
    identity_error error;
    identity_status status = every_calls[i].run(at->session, &error);
    if ((status != IDENTITY_REENTERED || error.status != status) && at->wrong[0] == '\0')
      (void)snprintf(at->wrong, sizeof at->wrong, "%s inside the callback: %s", every_calls[i].name,
                     identity_status_name(status));
  }
  EXPECT(at, identity_session_tokens(at->session, 0, &tokens, NULL) == IDENTITY_OK);
  identity_tokens_free(tokens);
}

static void fault_14_a_blocking_call_of_the_same_session_is_refused(void **state) {
  (void)state;
  inside at;
  begin(&at, every_blocking_call);
  int before = probe_requests(&server);
  assert_int_equal(service_fetch(at.session, NULL), IDENTITY_OK);
  assert_int_equal(probe_requests(&server), before + 1);
  assert_int_equal(service_state_of(at.session), IDENTITY_STATE_ACTIVE);
  end(&at);
}

static void tokens_that_need_a_refresh(inside *at) {
  const identity_tokens *tokens = NULL;
  EXPECT(at, identity_session_tokens(at->session, 0, &tokens, NULL) != IDENTITY_OK);
  EXPECT(at, tokens == NULL);
  identity_tokens_free(tokens);
}

static identity_status log_in(identity_session *session, identity_error *error) {
  return service_login(session, MAIL, TEST_PASSWORD, error);
}

/* A JWT of a second that is over: inside the callback it cannot be replaced. */
static void fault_14_tokens_inside_a_callback_do_not_wait_for_a_refresh(void **state) {
  (void)state;
  inside at;
  begin(&at, tokens_that_need_a_refresh);
  identity_session *session = at.session;
  at.session = NULL;
  service_issue_short_jwt(&server, "/auths");
  assert_int_equal(log_in(session, NULL), IDENTITY_OK);
  service_pause_ms(1050);
  rotation_fault(&server, "\"times\":-1,\"status\":429,\"body\":\"\",\"headers\":{\"Retry-After\":\"60\"}");
  at.session = session;
  assert_int_equal(identity_status_class(service_fetch(session, NULL)), IDENTITY_CLASS_RETRY_LATER);
  assert_int_equal(rotation_count(&server, -1), 1);
  end(&at);
}

static void a_call_of_another_session(inside *at) {
  EXPECT(at, log_in(at->other, NULL) == IDENTITY_OK);
  EXPECT(at, service_fetch(at->other, NULL) == IDENTITY_OK);
  EXPECT(at, identity_session_refresh(at->other, NULL) == IDENTITY_OK);
}

static void fault_14_another_session_may_be_used_inside_a_callback(void **state) {
  (void)state;
  inside at;
  begin(&at, a_call_of_another_session);
  assert_int_equal(service_fetch(at.session, NULL), IDENTITY_OK);
  assert_int_equal(service_state_of(at.session), IDENTITY_STATE_ACTIVE);
  end(&at);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test_setup(fault_14_what_does_not_block_works_inside_a_callback, reset),
    cmocka_unit_test_setup(fault_14_the_state_is_told_inside_a_callback_of_any_call, reset),
    cmocka_unit_test_setup(fault_14_an_interrupt_inside_a_callback_ends_the_call_it_belongs_to, reset),
    cmocka_unit_test_setup(fault_14_a_blocking_call_of_the_same_session_is_refused, reset),
    cmocka_unit_test_setup(fault_14_tokens_inside_a_callback_do_not_wait_for_a_refresh, reset),
    cmocka_unit_test_setup(fault_14_another_session_may_be_used_inside_a_callback, reset),
};

SUITE_WITH("faults: callback", tests, start, stop)
