/* Arguments that cannot be used: they are bugs of the caller, crash nothing and send nothing. */
#include "support/stage.h"

#include <identity/server.h>

static void assert_nothing_sent(void) {
  assert_int_equal(probe_requests(&server), 0);
}

static void assert_bug(const char *what, const identity_error *error, const char *field) {
  probe_status(what, error, IDENTITY_BAD_ARGUMENT, field);
  assert_int_equal(identity_status_class(error->status), IDENTITY_CLASS_BUG);
}

/* ---- params structs ---- */

/* A struct of a later release: it begins as ours does and goes on. */
#define LATER(type)                                                                                          \
  struct {                                                                                                   \
    type known;                                                                                              \
    char more[24];                                                                                           \
  }

static void init_register(void *params, uint32_t size) {
  identity_register_params_init(params, size);
  const identity_register_params good = probe_register_params("jo@example.com");
  identity_register_params *known = params;
  *known = good;
  known->struct_size = size;
}

static identity_status call_register(identity_session *session, const void *params, identity_error *error) {
  return identity_register(session, params, error);
}

static void init_login(void *params, uint32_t size) {
  identity_login_params_init(params, size);
  identity_login_params *known = params;
  known->email = "jo@example.com";
  known->password = TEST_PASSWORD;
}

static identity_status call_login(identity_session *session, const void *params, identity_error *error) {
  return identity_login(session, params, error);
}

static void init_customer(void *params, uint32_t size) {
  identity_update_customer_params_init(params, size);
  identity_update_customer_params *known = params;
  known->first_name = "Jo";
}

static identity_status call_customer(identity_session *session, const void *params, identity_error *error) {
  return identity_update_customer(session, params, error);
}

static void init_password(void *params, uint32_t size) {
  identity_update_password_params_init(params, size);
  identity_update_password_params *known = params;
  known->reset_token = "abc";
  known->new_password = TEST_PASSWORD;
  known->email = "jo@example.com";
}

static identity_status call_password(identity_session *session, const void *params, identity_error *error) {
  return identity_update_password(session, params, error);
}

static const struct {
  const char *name;
  uint32_t size;
  void (*init)(void *params, uint32_t size);
  identity_status (*call)(identity_session *session, const void *params, identity_error *error);
  identity_status passed; /* what it comes to when the params are fine */
} calls[] = {
    {"register", sizeof(identity_register_params), init_register, call_register, IDENTITY_OK},
    {"login", sizeof(identity_login_params), init_login, call_login, IDENTITY_OK},
    {"update customer", sizeof(identity_update_customer_params), init_customer, call_customer, IDENTITY_OK},
    {"update password", sizeof(identity_update_password_params), init_password, call_password,
     IDENTITY_RESET_TOKEN_INVALID},
};

typedef union any_params {
  LATER(identity_register_params) registration;
  char bytes[256];
  void *aligned;
} any_params;

static void a_struct_that_is_too_short_or_never_filled_is_refused(void **state) {
  (void)state;
  identity_session *session = service_open(&server, "viewer");
  for (size_t i = 0; i < ROWS(calls); i++) {
    const uint32_t sizes[] = {0, 1, 4, 8, calls[i].size - 8, calls[i].size - 1};
    for (size_t j = 0; j < ROWS(sizes); j++) {
      identity_error error;
      any_params params;
      memset(&params, 0, sizeof params);
      calls[i].init(&params, calls[i].size);
      memcpy(&params, &sizes[j], sizeof sizes[j]);
      (void)calls[i].call(session, &params, &error);
      assert_bug(calls[i].name, &error, "struct_size");
    }
  }
  assert_nothing_sent();
  identity_session_close(session);
}

static void a_struct_of_a_later_release_passes_while_what_is_new_in_it_is_absent(void **state) {
  (void)state;
  identity_session *session = service_open(&server, "viewer");
  for (size_t i = 0; i < ROWS(calls); i++) {
    for (uint32_t more = 0; more <= 24; more += 8) {
      identity_error error;
      any_params params;
      if (calls[i].call == call_register && more != 8)
        continue;                           /* an address registers once */
      memset(&params, 0xA5, sizeof params); /* init clears as much as the caller's struct has */
      calls[i].init(&params, calls[i].size + more);
      (void)calls[i].call(session, &params, &error);
      if (error.status != calls[i].passed)
        fail_msg("%s + %u: %s", calls[i].name, more, error.message);
    }
  }
  identity_session_close(session);
}

static void a_struct_of_a_later_release_that_uses_what_is_new_is_refused(void **state) {
  (void)state;
  identity_session *session = service_open(&server, "viewer");
  for (size_t i = 0; i < ROWS(calls); i++) {
    for (uint32_t at = 0; at < 24; at += 23) {
      identity_error error;
      any_params params;
      memset(&params, 0, sizeof params);
      calls[i].init(&params, calls[i].size + 24);
      params.bytes[calls[i].size + at] = 1;
      (void)calls[i].call(session, &params, &error);
      probe_status(calls[i].name, &error, IDENTITY_PARAMS_TOO_NEW, NULL);
      assert_int_equal(identity_status_class(error.status), IDENTITY_CLASS_BUG);
    }
  }
  assert_nothing_sent();
  identity_session_close(session);
}

static void null_params_and_null_sessions_are_refused(void **state) {
  (void)state;
  identity_session *session = service_open(&server, "viewer");
  for (size_t i = 0; i < ROWS(calls); i++) {
    identity_error error;
    any_params params;
    (void)calls[i].call(session, NULL, &error);
    assert_bug(calls[i].name, &error, "params");
    assert_int_equal(calls[i].call(session, NULL, NULL), IDENTITY_BAD_ARGUMENT);
    calls[i].init(&params, calls[i].size);
    (void)calls[i].call(NULL, &params, &error);
    assert_bug(calls[i].name, &error, "session");
    assert_int_equal(calls[i].call(NULL, &params, NULL), IDENTITY_BAD_ARGUMENT);
  }
  assert_nothing_sent();
  identity_session_close(session);
}

/* ---- sessions and results ---- */

#define RESULTS(X)                                                                                           \
  X(identity_state, identity_session_state(session, result, error), "state")                                 \
  X(identity_tokens, identity_session_tokens(session, 0, result, error), "tokens")                           \
  X(identity_locale, identity_fetch_locale(session, NULL, result, error), "locale")                          \
  X(identity_consents, identity_fetch_publisher_consents(session, result, error), "consents")                \
  X(identity_customer_consents, identity_fetch_customer_consents(session, result, error), "consents")        \
  X(identity_capture_status, identity_fetch_capture_status(session, result, error), "status")                \
  X(identity_next_step, identity_fetch_next_step(session, result, error), "next_step")                       \
  X(identity_customer, identity_fetch_customer(session, result, error), "customer")

/* With a NULL session the result is NULL; with a NULL result pointer it is named. */
#define CHECK_RESULT(type, expression, field)                                                                \
  {                                                                                                          \
    identity_session *session = NULL;                                                                        \
    identity_error filled, *error = &filled;                                                                 \
    const type *place = (const type *)(const void *)&server;                                                 \
    const type **result = &place;                                                                            \
    (void)(expression);                                                                                      \
    assert_bug(#type, error, "session");                                                                     \
    assert_null(place);                                                                                      \
    session = opened;                                                                                        \
    result = NULL;                                                                                           \
    (void)(expression);                                                                                      \
    assert_bug(#type, error, field);                                                                         \
    error = NULL;                                                                                            \
    assert_int_equal((expression), IDENTITY_BAD_ARGUMENT);                                                   \
    session = NULL;                                                                                          \
    assert_int_equal((expression), IDENTITY_BAD_ARGUMENT);                                                   \
  }

static void a_null_session_or_result_is_named(void **state) {
  (void)state;
  identity_session *opened = service_open(&server, "viewer");
  RESULTS(CHECK_RESULT)
  assert_nothing_sent();
  identity_session_close(opened);
}

static void calls_without_a_result_refuse_a_null_session_too(void **state) {
  (void)state;
  identity_error error;
  const identity_capture_answer answer = {"city", "Gent"};
  (void)identity_session_refresh(NULL, &error);
  assert_bug("refresh", &error, "session");
  (void)identity_logout(NULL, &error);
  assert_bug("logout", &error, "session");
  (void)identity_logout_everywhere(NULL, &error);
  assert_bug("logout everywhere", &error, "session");
  (void)identity_session_adopt(NULL, "a.b.c", NULL, &error);
  assert_bug("adopt", &error, "session");
  (void)identity_update_customer_consents(NULL, probe_consents, 1, &error);
  assert_bug("update consents", &error, "session");
  (void)identity_update_capture_answers(NULL, &answer, 1, &error);
  assert_bug("update capture", &error, "session");
  (void)identity_request_password_reset(NULL, "jo@example.com", NULL, &error);
  assert_bug("request reset", &error, "session");
  (void)identity_sso_login(NULL, "token", "jo@example.com", NULL, &error);
  assert_bug("sso login", &error, "session");
  assert_int_equal(identity_logout(NULL, NULL), IDENTITY_BAD_ARGUMENT);
  assert_int_equal(identity_session_refresh(NULL, NULL), IDENTITY_BAD_ARGUMENT);
}

static void lists_that_cannot_be_read_are_refused(void **state) {
  static const identity_consent_answer nameless[] = {{"terms", "1", 1, 0}, {NULL, "1", 1, 0}};
  static const identity_consent_answer versionless = {"terms", NULL, 1, 0};
  static const identity_consent_answer twice[] = {{"terms", "1", 1, 0}, {"terms", "1", 0, 0}};
  static const identity_capture_answer keyless[] = {{"city", "Gent"}, {NULL, "x"}};
  static const identity_capture_answer empty_key = {"", "x"};
  (void)state;
  identity_error error;
  identity_session *session = service_open(&server, "viewer");
  identity_register_params params = probe_register_params("jo@example.com");
  params.consents = NULL;
  assert_int_equal(identity_register(session, &params, &error), IDENTITY_BAD_ARGUMENT);
  assert_bug("register without a list", &error, "consents");
  (void)identity_update_customer_consents(session, NULL, 1, &error);
  assert_bug("no list", &error, "consents");
  (void)identity_update_customer_consents(session, probe_consents, 0, &error);
  assert_bug("empty list", &error, "answers");
  (void)identity_update_customer_consents(session, nameless, 2, &error);
  assert_bug("no name", &error, "consents");
  (void)identity_update_customer_consents(session, &versionless, 1, &error);
  assert_bug("no version", &error, "terms");
  (void)identity_update_customer_consents(session, twice, 2, &error);
  assert_bug("twice", &error, "terms");
  (void)identity_update_customer_consents(session, probe_consents, UINT32_MAX, &error);
  assert_bug("too many", &error, "consents");
  (void)identity_update_capture_answers(session, NULL, 1, &error);
  assert_bug("no answers", &error, "answers");
  (void)identity_update_capture_answers(session, keyless, 0, &error);
  assert_bug("empty answers", &error, "answers");
  (void)identity_update_capture_answers(session, keyless, 2, &error);
  assert_bug("no key", &error, "answers");
  (void)identity_update_capture_answers(session, &empty_key, 1, &error);
  assert_bug("empty key", &error, "answers");
  (void)identity_update_capture_answers(session, keyless, UINT32_MAX, &error);
  assert_bug("too many answers", &error, "answers");
  assert_nothing_sent();
  identity_session_close(session);
}

static void freeing_and_closing_null_does_nothing(void **state) {
  (void)state;
  identity_config_free(NULL);
  identity_session_close(NULL);
  identity_session_interrupt(NULL);
  identity_state_free(NULL);
  identity_tokens_free(NULL);
  identity_locale_free(NULL);
  identity_consents_free(NULL);
  identity_customer_consents_free(NULL);
  identity_capture_status_free(NULL);
  identity_next_step_free(NULL);
  identity_customer_free(NULL);
  identity_reset_link_free(NULL);
  identity_register_params_init(NULL, 8);
  identity_login_params_init(NULL, 8);
  identity_update_customer_params_init(NULL, 8);
  identity_update_password_params_init(NULL, 8);
}

static void an_error_of_an_earlier_call_is_cleared_by_success(void **state) {
  (void)state;
  identity_error error;
  const identity_locale *locale = NULL;
  const identity_error clear = {0};
  identity_session *session = service_open(&server, "viewer");
  assert_int_equal(identity_fetch_locale(session, "x", &locale, &error), IDENTITY_INVALID_INPUT);
  memset(error.message, 'x', sizeof error.message);
  assert_int_equal(identity_fetch_locale(session, NULL, &locale, &error), IDENTITY_OK);
  assert_memory_equal(&error, &clear, sizeof error);
  identity_locale_free(locale);
  identity_session_close(session);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test_setup(a_struct_that_is_too_short_or_never_filled_is_refused, reset),
    cmocka_unit_test_setup(a_struct_of_a_later_release_passes_while_what_is_new_in_it_is_absent, reset),
    cmocka_unit_test_setup(a_struct_of_a_later_release_that_uses_what_is_new_is_refused, reset),
    cmocka_unit_test_setup(null_params_and_null_sessions_are_refused, reset),
    cmocka_unit_test_setup(a_null_session_or_result_is_named, reset),
    cmocka_unit_test_setup(calls_without_a_result_refuse_a_null_session_too, reset),
    cmocka_unit_test_setup(lists_that_cannot_be_read_are_refused, reset),
    cmocka_unit_test_setup(freeing_and_closing_null_does_nothing, reset),
    cmocka_unit_test_setup(an_error_of_an_earlier_call_is_cleared_by_success, reset),
};

SUITE_WITH("params", tests, start, stop)
