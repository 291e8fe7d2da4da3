/* Bounds that no other test goes to the edge of, at n and n + 1. */
#include "support/calls.h"

#include "api/answers.h"
#include "base/limits.h"
#include "token/machine.h"

static identity_config *config;

static int begin(void **state) {
  (void)state;
  config = identity_config_new("123456789");
  assert_non_null(config);
  return identity_config_set_environment(config, IDENTITY_SANDBOX);
}

static int end(void **state) {
  identity_config_free(config);
  return end_call(state);
}

static void an_account_key_has_one_to_64_bytes(void **state) {
  (void)state;
  static const struct {
    size_t length;
    identity_status status;
  } rows[] = {{0, IDENTITY_BAD_ARGUMENT},
              {1, IDENTITY_OK},
              {IDENTITY__MAX_ACCOUNT, IDENTITY_OK},
              {IDENTITY__MAX_ACCOUNT + 1, IDENTITY_BAD_ARGUMENT}};
  for (size_t i = 0; i < COUNT(rows); i++) {
    identity_session *session;
    identity_error error;
    char *account = repeated('k', rows[i].length);
    assert_int_equal(identity_session_open(config, account, &session, &error), rows[i].status);
    identity_session_close(session);
    free(account);
  }
}

static void a_time_out_is_a_tenth_of_a_second_to_ten_minutes(void **state) {
  (void)state;
  assert_int_equal(identity_config_set_timeout_ms(config, IDENTITY__MIN_TIMEOUT_MS - 1),
                   IDENTITY_BAD_ARGUMENT);
  assert_int_equal(identity_config_set_timeout_ms(config, IDENTITY__MIN_TIMEOUT_MS), IDENTITY_OK);
  assert_int_equal(identity_config_set_timeout_ms(config, IDENTITY__MAX_TIMEOUT_MS), IDENTITY_OK);
  assert_int_equal(identity_config_set_timeout_ms(config, IDENTITY__MAX_TIMEOUT_MS + 1),
                   IDENTITY_BAD_ARGUMENT);
  assert_int_equal(identity_config_set_timeout_ms(config, 0), IDENTITY_BAD_ARGUMENT);
}

static void eight_hosts_can_be_resolved(void **state) {
  (void)state;
  for (int i = 0; i <= IDENTITY__MAX_RESOLVE; i++) {
    char host[] = "host-0.example.com";
    host[5] = (char)('0' + i);
    assert_int_equal(identity_config_set_resolve(config, host, "127.0.0.1"),
                     i < IDENTITY__MAX_RESOLVE ? IDENTITY_OK : IDENTITY_BAD_ARGUMENT);
  }
}

static identity_status take(const identity_consent_answer *answers, uint32_t count) {
  identity__call *taking = identity__call_new("test", NULL);
  assert_non_null(taking);
  bool taken = identity__take_answers(taking, answers, count);
  identity_status status = taking->error.status;
  assert_int_equal(taken, status == IDENTITY_OK);
  identity__call_free(taking);
  return status;
}

static void as_many_consents_are_answered_as_can_be_kept(void **state) {
  (void)state;
  identity_consent_answer answers[IDENTITY__MAX_PENDING_CONSENTS + 1];
  char names[COUNT(answers)][8];
  for (size_t i = 0; i < COUNT(answers); i++) {
    (void)snprintf(names[i], sizeof names[i], "c%zu", i);
    answers[i] = (identity_consent_answer){names[i], "1", 1, 0};
  }
  assert_int_equal(take(answers, IDENTITY__MAX_PENDING_CONSENTS), IDENTITY_OK);
  assert_int_equal(take(answers, IDENTITY__MAX_PENDING_CONSENTS + 1), IDENTITY_BAD_ARGUMENT);
}

static void an_answered_consent_is_as_long_as_can_be_kept(void **state) {
  (void)state;
  for (size_t more = 0; more < 2; more++) {
    char *text = repeated('v', IDENTITY__MAX_CONSENT_TEXT + more);
    const identity_consent_answer by_name = {text, "1", 1, 0};
    const identity_consent_answer by_version = {"terms", text, 1, 0};
    identity_status status = more ? IDENTITY_BAD_ARGUMENT : IDENTITY_OK;
    assert_int_equal(take(&by_name, 1), status);
    assert_int_equal(take(&by_version, 1), status);
    free(text);
  }
}

static void the_machine_keeps_no_more_consents_than_a_record_holds(void **state) {
  (void)state;
  static char name[] = "terms", version[] = "1";
  static identity_consent_answer many[IDENTITY__MAX_PENDING_CONSENTS + 1];
  identity__machine machine;
  identity__record next;
  identity__grant grant = {0};
  for (size_t i = 0; i < COUNT(many); i++)
    many[i] = (identity_consent_answer){name, version, 1, 0};
  identity__machine_init(&machine, (const char[IDENTITY__BOOT_ID_SIZE]){"boot"}, &(const identity__lease){0});
  assert_true(identity__machine_sign_in(&machine, &grant, many, IDENTITY__MAX_PENDING_CONSENTS, &next));
  assert_int_equal(next.pending_count, IDENTITY__MAX_PENDING_CONSENTS);
  identity__record_clear(&next);
  assert_false(identity__machine_sign_in(&machine, &grant, many, IDENTITY__MAX_PENDING_CONSENTS + 1, &next));
  assert_int_equal(next.pending_count, 0);
  assert_false(identity__machine_set_pending(&machine, many, IDENTITY__MAX_PENDING_CONSENTS + 1, &next));
  identity__machine_clear(&machine);
}

static void a_call_carries_a_token_up_to_its_bound(void **state) {
  (void)state;
  for (size_t more = 0; more < 2; more++) {
    identity__token_use token = some_token();
    char *jwt = repeated('j', IDENTITY__MAX_TOKEN + more);
    token.jwt = jwt;
    new_call_to(IDENTITY__CUSTOMER);
    assert_int_equal(begin_call(), IDENTITY__ACTION_TOKEN);
    assert_int_equal(give_token(&token), more ? IDENTITY__ACTION_DONE : IDENTITY__ACTION_SEND);
    free(jwt);
  }
}

static void a_call_names_a_customer_up_to_its_bound(void **state) {
  (void)state;
  for (size_t more = 0; more < 2; more++) {
    identity__token_use token = some_token();
    char *id = repeated('7', IDENTITY__MAX_ID + more);
    token.customer_id = id;
    new_call_to(IDENTITY__CUSTOMER);
    assert_int_equal(begin_call(), IDENTITY__ACTION_TOKEN);
    assert_int_equal(give_token(&token), more ? IDENTITY__ACTION_DONE : IDENTITY__ACTION_SEND);
    free(id);
  }
}

static void a_body_that_did_not_fit_is_not_sent(void **state) {
  (void)state;
  for (size_t more = 0; more < 2; more++) {
    char *body = repeated('b', 2 * IDENTITY__MAX_BODY + more);
    const leg script = {.order = IDENTITY__ORDER_SEND, .endpoint = IDENTITY__LOGIN, .body = body};
    new_call(&script, 1);
    assert_int_equal(begin_call(), more ? IDENTITY__ACTION_DONE : IDENTITY__ACTION_SEND);
    free(body);
  }
}

static void answers_with_tokens_are_bounded_closer(void **state) {
  (void)state;
  static const identity__endpoint_id with_tokens[] = {IDENTITY__REGISTER, IDENTITY__LOGIN, IDENTITY__REFRESH,
                                                      IDENTITY__SSO};
  size_t closer = 0;
  for (identity__endpoint_id id = IDENTITY__LOCALE; id <= IDENTITY__UPDATE_CAPTURE; id++)
    closer += identity__endpoint_of(id)->max_body == IDENTITY__MAX_TOKEN_BODY;
  assert_int_equal(closer, COUNT(with_tokens));
  for (size_t i = 0; i < COUNT(with_tokens); i++)
    assert_int_equal(identity__endpoint_of(with_tokens[i])->max_body, IDENTITY__MAX_TOKEN_BODY);
  assert_int_equal(identity__endpoint_of(IDENTITY__CUSTOMER)->max_body, IDENTITY__MAX_BODY);
}

#define LIMIT_TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)
static const struct CMUnitTest tests[] = {
    LIMIT_TEST(an_account_key_has_one_to_64_bytes),
    LIMIT_TEST(a_time_out_is_a_tenth_of_a_second_to_ten_minutes),
    LIMIT_TEST(eight_hosts_can_be_resolved),
    LIMIT_TEST(as_many_consents_are_answered_as_can_be_kept),
    LIMIT_TEST(an_answered_consent_is_as_long_as_can_be_kept),
    LIMIT_TEST(the_machine_keeps_no_more_consents_than_a_record_holds),
    LIMIT_TEST(a_call_carries_a_token_up_to_its_bound),
    LIMIT_TEST(a_call_names_a_customer_up_to_its_bound),
    LIMIT_TEST(a_body_that_did_not_fit_is_not_sent),
    LIMIT_TEST(answers_with_tokens_are_bounded_closer),
};

SUITE("limits", tests)
