/* What a _start twin makes of bad input: the same error as the blocking call, in its completion, without a
 * request. */
#include "support/shared.h"
#include "support/twins.h"

#include <identity/platform.h>

/* ---- the rows: a call in both forms ---- */

typedef struct bad_row {
  const char *name;
  identity_status (*start)(identity_session *session, identity_done_fn done, void *user_data,
                           identity_call **call);
  identity_status (*run)(identity_session *session, identity_error *error);
  identity_status status;
  const char *field;
  bool was_sent; /* the service itself refuses it */
} bad_row;

/* arguments: in brackets; each ends with a comma. */
#define STRIP(...) __VA_ARGS__
#define BAD(row, function, arguments)                                                                        \
  static identity_status row##_start(identity_session *session, identity_done_fn done, void *user_data,      \
                                     identity_call **call) {                                                 \
    return function##_start(session, STRIP arguments done, user_data, call);                                 \
  }                                                                                                          \
  static identity_status row##_run(identity_session *session, identity_error *error) {                       \
    return function(session, STRIP arguments error);                                                         \
  }
/* The same for a call with a result. */
#define BAD_RESULT(row, function, type, arguments)                                                           \
  static identity_status row##_start(identity_session *session, identity_done_fn done, void *user_data,      \
                                     identity_call **call) {                                                 \
    return function##_start(session, STRIP arguments done, user_data, call);                                 \
  }                                                                                                          \
  static identity_status row##_run(identity_session *session, identity_error *error) {                       \
    const type *result = NULL;                                                                               \
    identity_status status = function(session, STRIP arguments & result, error);                             \
    assert_null(result);                                                                                     \
    return status;                                                                                           \
  }

/* Params of the current release with one member set, of no size, and of a later release. */
#define PARAMS(kind, name, member, value)                                                                    \
  static const identity_##kind##_params *name(void) {                                                        \
    static identity_##kind##_params params;                                                                  \
    identity_##kind##_params_init(&params, sizeof params);                                                   \
    params.member = value;                                                                                   \
    return &params;                                                                                          \
  }

PARAMS(login, sizeless_login, struct_size, 0)
PARAMS(login, login_without_password, email, "jo@example.com")
PARAMS(register, sizeless_register, struct_size, 3)
PARAMS(register, register_nobody, email, "nobody")
PARAMS(update_customer, nameless, first_name, "")
PARAMS(update_customer, sizeless_customer, struct_size, 0)
PARAMS(update_password, short_password, new_password, "short")

static const identity_login_params *newer_login(void) {
  static struct {
    identity_login_params params;
    const char *newer;
  } later;
  identity_login_params_init(&later.params, sizeof later);
  later.params.email = "jo@example.com";
  later.params.password = TEST_PASSWORD;
  later.newer = "unknown";
  return &later.params;
}

static const identity_capture_answer no_key = {NULL, "value"};
static const identity_consent_answer no_name = {NULL, "1", 1, 0};

BAD_RESULT(locale, identity_fetch_locale, identity_locale, ("localhost", ))
BAD_RESULT(publisher, identity_fetch_publisher_consents, identity_consents, ())
BAD(register_null, identity_register, (NULL, ))
BAD(register_size, identity_register, (sizeless_register(), ))
BAD(register_email, identity_register, (register_nobody(), ))
BAD(login_null, identity_login, (NULL, ))
BAD(login_size, identity_login, (sizeless_login(), ))
BAD(login_newer, identity_login, (newer_login(), ))
BAD(login_password, identity_login, (login_without_password(), ))
BAD_RESULT(consents, identity_fetch_customer_consents, identity_customer_consents, ())
BAD(answers_null, identity_update_customer_consents, (NULL, 1, ))
BAD(answers_name, identity_update_customer_consents, (&no_name, 1, ))
BAD_RESULT(form, identity_fetch_capture_status, identity_capture_status, ())
BAD(capture_null, identity_update_capture_answers, (NULL, 1, ))
BAD(capture_key, identity_update_capture_answers, (&no_key, 1, ))
BAD_RESULT(step, identity_fetch_next_step, identity_next_step, ())
BAD_RESULT(customer, identity_fetch_customer, identity_customer, ())
BAD(customer_null, identity_update_customer, (NULL, ))
BAD(customer_size, identity_update_customer, (sizeless_customer(), ))
BAD(customer_name, identity_update_customer, (nameless(), ))
BAD(mail_null, identity_request_password_reset, (NULL, NULL, ))
BAD(mail_url, identity_request_password_reset, ("jo@example.com", "no url", ))
BAD(password_null, identity_update_password, (NULL, ))
BAD(password_short, identity_update_password, (short_password(), ))
BAD_RESULT(tokens, identity_session_tokens, identity_tokens, (0, ))
BAD_RESULT(tokens_life, identity_session_tokens, identity_tokens, (-1, ))
BAD(refresh, identity_session_refresh, ())
BAD(adopt_null, identity_session_adopt, (NULL, NULL, ))
BAD(adopt_text, identity_session_adopt, ("no token", NULL, ))
BAD(everywhere, identity_logout_everywhere, ())

#define ROW(row, status, field)                                                                              \
  { #row, row##_start, row##_run, IDENTITY_##status, field, false }

static const bad_row rows[] = {
    ROW(locale, INVALID_INPUT, "customer_ip"),
    {"publisher", publisher_start, publisher_run, IDENTITY_BAD_CONFIGURATION, "publisher_id", true},
    ROW(register_null, BAD_ARGUMENT, "params"),
    ROW(register_size, BAD_ARGUMENT, "struct_size"),
    ROW(register_email, INVALID_INPUT, "email"),
    ROW(login_null, BAD_ARGUMENT, "params"),
    ROW(login_size, BAD_ARGUMENT, "struct_size"),
    ROW(login_newer, PARAMS_TOO_NEW, ""),
    ROW(login_password, INVALID_INPUT, "password"),
    ROW(consents, SIGNED_OUT, ""),
    ROW(answers_null, BAD_ARGUMENT, "consents"),
    ROW(answers_name, BAD_ARGUMENT, "consents"),
    ROW(form, SIGNED_OUT, ""),
    ROW(capture_null, BAD_ARGUMENT, "answers"),
    ROW(capture_key, BAD_ARGUMENT, "answers"),
    ROW(step, SIGNED_OUT, ""),
    ROW(customer, SIGNED_OUT, ""),
    ROW(customer_null, BAD_ARGUMENT, "params"),
    ROW(customer_size, BAD_ARGUMENT, "struct_size"),
    ROW(customer_name, INVALID_INPUT, "first_name"),
    ROW(mail_null, INVALID_INPUT, "email"),
    ROW(mail_url, INVALID_INPUT, "reset_url"),
    ROW(password_null, BAD_ARGUMENT, "params"),
    ROW(password_short, INVALID_INPUT, "reset_token"),
    ROW(tokens, SIGNED_OUT, ""),
    ROW(tokens_life, BAD_ARGUMENT, "min_life_ms"),
    ROW(refresh, SIGNED_OUT, ""),
    ROW(adopt_null, INVALID_INPUT, "jwt"),
    ROW(adopt_text, INVALID_INPUT, "jwt"),
    ROW(everywhere, SIGNED_OUT, ""),
};

static void check_alike(const char *name, const identity_error *got, const identity_error *wanted) {
  if (got->status != wanted->status || got->http_status != wanted->http_status ||
      got->retry_after_ms != wanted->retry_after_ms || strcmp(got->code, wanted->code) != 0 ||
      strcmp(got->field, wanted->field) != 0 || strcmp(got->message, wanted->message) != 0)
    fail_msg("%s: the completion has %s \"%s\" (%s), the blocking call %s \"%s\" (%s)", name,
             identity_status_name(got->status), got->field, got->message,
             identity_status_name(wanted->status), wanted->field, wanted->message);
}

static void play(const bad_row *row, identity_session *started, identity_session *blocking) {
  note ended = {0};
  identity_error error;
  assert_int_equal(row->run(blocking, &error), row->status);
  probe_status(row->name, &error, row->status, row->field);
  int before = probe_requests(&server);
  note_begin(&ended, NULL);
  identity_status status = row->start(started, note_done, &ended, &ended.call);
  note_begun(&ended);
  if (status != IDENTITY_OK)
    fail_msg("%s: the start itself said %s", row->name, identity_status_name(status));
  note_is_open(&ended);
  aloop_until(&shared, &ended, 1);
  note_is(&ended, row->status);
  check_alike(row->name, &ended.error, &error);
  aloop_settle(&shared);
  note_is(&ended, row->status);
  assert_int_equal(probe_requests(&server) - before, row->was_sent ? 1 : 0);
  note_clear(&ended);
}

/* Who asks with the wrong publisher is told so by the service. */
static void bad_input_is_complained_of_in_the_completion_as_in_the_blocking_call(void **state) {
  (void)state;
  identity_session *started = aloop_open(&shared, &server, "viewer");
  identity_session *blocking = service_open(&server, "viewer");
  probe_answer(&server, "GET", "/publishers/*/consents", 400,
               "{\"errors\":[\"Invalid param publisherId\"],\"code\":\"REQ0100\"}", NULL);
  for (size_t i = 0; i < ROWS(rows); i++)
    play(&rows[i], started, blocking);
  identity_session_close(started);
  identity_session_close(blocking);
}

/* ---- a sign-out has no input: its store fails ---- */

static int32_t broken_load(void *user_data, const char *key, void *buffer, uint64_t capacity,
                           uint64_t *length, uint64_t *revision) {
  (void)user_data, (void)key, (void)buffer, (void)capacity, (void)length, (void)revision;
  return IDENTITY_STORE_ABSENT;
}

static int32_t broken_swap(void *user_data, const char *key, uint64_t expected_revision, const void *bytes,
                           uint64_t length, uint64_t *new_revision) {
  (void)user_data, (void)key, (void)expected_revision, (void)bytes, (void)length, (void)new_revision;
  return IDENTITY_STORE_IO;
}

static identity_config *config_with_a_broken_store(void) {
  identity_store broken;
  identity_config *config = service_config(&server);
  identity_store_init(&broken, sizeof broken);
  broken.load = broken_load;
  broken.swap = broken_swap;
  assert_int_equal(identity_config_set_store(config, &broken), IDENTITY_OK);
  assert_int_equal(identity_config_set_volatile_tokens(config, 1), IDENTITY_OK);
  return config;
}

static void a_sign_out_that_cannot_be_stored_says_the_same_in_both_forms(void **state) {
  (void)state;
  note ended = {0};
  identity_error error;
  twins_register(&server);
  identity_session *started = aloop_open_with(&shared, config_with_a_broken_store(), "viewer");
  identity_session *blocking = service_open_with(config_with_a_broken_store(), "viewer");
  twins_log_in(&shared, started);
  assert_int_equal(service_login(blocking, TWIN_MAIL, TEST_PASSWORD, NULL), IDENTITY_OK);
  assert_int_equal(identity_logout(blocking, &error), IDENTITY_STORE_FAILED);
  twin_start(TWIN_LOGOUT, started, &ended);
  aloop_until(&shared, &ended, 1);
  note_is(&ended, IDENTITY_STORE_FAILED);
  check_alike("logout", &ended.error, &error);
  note_clear(&ended);
  identity_session_close(started);
  identity_session_close(blocking);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

static const struct CMUnitTest tests[] = {
    TEST(bad_input_is_complained_of_in_the_completion_as_in_the_blocking_call),
    TEST(a_sign_out_that_cannot_be_stored_says_the_same_in_both_forms),
};

SUITE_WITH("async_bad_input", tests, start, stop)
