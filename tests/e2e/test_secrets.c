/* Passwords, tokens, reset tokens and captcha values show neither in an error nor in a log line, even when
 * the service repeats them. */
#include "support/stage.h"

#define PASSWORD "canary-pass-0123456789-abcdefghij-klmnopqrst"
#define RESET_TOKEN "4f1c9a7be02d5836914fa07c3be8d2651f90c4e7ab38d6125e0f7c94b1a3d862"
#define CAPTCHA "canary-captcha-03AGdBq25SxXT-pmSeBXjzScW-EiocHwwpwqtk1QXlJnGnUJ"
#define PUBLISHER_TOKEN "canary-publisher-9f8e7d6c5b4a39281706"

#include <identity/server.h>

static void assert_clean(const char *what, const identity_error *error, const char *secret) {
  char begin[13];
  const char *const texts[] = {error->message, error->code, error->field, NULL};
  snprintf(begin, sizeof begin, "%s", secret);
  for (size_t i = 0; texts[i] != NULL; i++)
    if (strstr(texts[i], begin) != NULL)
      fail_msg("%s: the error repeats it: %s", what, texts[i]);
  /* A binding may copy the struct as a whole: nothing behind the end of a text either. */
  if (memmem(error, sizeof *error, begin, strlen(begin)) != NULL)
    fail_msg("%s: the error still holds it behind a text", what);
  service_assert_no_secret(texts);
}

/* ---- calls that carry a secret ---- */

static void run_login(identity_session *session, identity_error *error) {
  (void)service_login(session, "jo@example.com", PASSWORD, error);
}

static void run_register(identity_session *session, identity_error *error) {
  identity_register_params params = probe_register_params("jo@example.com");
  params.password = PASSWORD;
  params.captcha_value = CAPTCHA;
  (void)identity_register(session, &params, error);
}

static void run_new_password(identity_session *session, identity_error *error) {
  identity_update_password_params params;
  identity_update_password_params_init(&params, sizeof params);
  params.reset_token = RESET_TOKEN;
  params.new_password = PASSWORD;
  params.email = "jo@example.com";
  (void)identity_update_password(session, &params, error);
}

static void run_new_email(identity_session *session, identity_error *error) {
  identity_update_customer_params params;
  identity_update_customer_params_init(&params, sizeof params);
  params.email = "new@example.com";
  params.confirmation_password = PASSWORD;
  (void)identity_update_customer(session, &params, error);
}

static void run_sso(identity_session *session, identity_error *error) {
  (void)identity_sso_login(session, PUBLISHER_TOKEN, "jo@example.com", NULL, error);
}

static const struct {
  const char *name, *method, *path, *secret;
  void (*run)(identity_session *session, identity_error *error);
} rows[] = {
    {"login", "POST", "/auths", PASSWORD, run_login},
    {"register", "POST", "/customers", PASSWORD, run_register},
    {"register's captcha", "POST", "/customers", CAPTCHA, run_register},
    {"reset token", "PATCH", "/customers/passwords", RESET_TOKEN, run_new_password},
    {"new password", "PATCH", "/customers/passwords", PASSWORD, run_new_password},
    {"confirmation password", "PATCH", "/customers/*", PASSWORD, run_new_email},
    {"publisher token", "POST", "/sso/auths", PUBLISHER_TOKEN, run_sso},
};

static int begin(void **state) {
  static bool watched;
  reset(state);
  for (size_t i = 0; i < ROWS(rows) && !watched; i++)
    service_watch_secret(rows[i].secret);
  watched = true;
  return 0;
}

static void echo(const char *method, const char *path, const char *head, const char *secret,
                 const char *tail) {
  char body[4096];
  snprintf(body, sizeof body, "%s%s%s", head, secret, tail);
  probe_answer(&server, method, path, 400, body, NULL);
}

static void a_secret_that_the_service_repeats_does_not_show(void **state) {
  static const char *const shapes[][2] = {
      {"{\"errors\":[\"", "\"]}"},
      {"{\"errors\":[\"Value '", "' is bad.\"],\"code\":\"REQ0001\"}"},
      {"{\"message\":\"Bad: ", "\"}"},
      {"{\"errors\":[\"x\"],\"code\":\"", "\"}"},
      {"{\"errors\":[\"Invalid param password,", "\",\"and more\"]}"},
  };
  (void)state;
  identity_session *session = service_open(&server, "viewer");
  service_register(session, "jo@example.com");
  for (size_t i = 0; i < ROWS(rows); i++)
    for (size_t j = 0; j < ROWS(shapes); j++) {
      identity_error error;
      echo(rows[i].method, rows[i].path, shapes[j][0], rows[i].secret, shapes[j][1]);
      rows[i].run(session, &error);
      assert_int_not_equal(error.status, IDENTITY_OK);
      assert_int_equal(error.http_status, 400);
      assert_string_not_equal(error.message, "");
      assert_clean(rows[i].name, &error, rows[i].secret);
      assert_string_equal(error.code, j == 1 ? "REQ0001" : "");
    }
  identity_session_close(session);
}

/* The service's words are cut: a secret that is cut with them must not leave its beginning behind. */
static void a_secret_at_the_end_of_a_long_text_does_not_show_in_part(void **state) {
  (void)state;
  identity_session *session = service_open(&server, "viewer");
  service_register(session, "jo@example.com");
  for (size_t i = 0; i < ROWS(rows); i++)
    for (int filler = 270; filler < 330; filler += 3) {
      char head[400] = "{\"errors\":[\"";
      char begin_of_secret[9];
      identity_error error;
      size_t used = strlen(head);
      memset(head + used, '.', (size_t)filler);
      head[used + (size_t)filler - 1] = ' ';
      head[used + (size_t)filler] = '\0';
      echo(rows[i].method, rows[i].path, head, rows[i].secret, " and more\"]}");
      rows[i].run(session, &error);
      snprintf(begin_of_secret, sizeof begin_of_secret, "%s", rows[i].secret);
      if (strstr(error.message, begin_of_secret) != NULL)
        fail_msg("%s, %d characters before it: %s", rows[i].name, filler, error.message);
    }
  identity_session_close(session);
}

/* ---- tokens ---- */

static void the_jwt_does_not_show_when_the_service_repeats_it(void **state) {
  static const char *const heads[] = {"{\"errors\":[\"Invalid JWT token ", "{\"message\":\"Bearer ",
                                      "{\"errors\":[\"some words, and then the token that is so long: "};
  (void)state;
  const identity_tokens *tokens = NULL;
  identity_session *session = service_open(&server, "viewer");
  service_register(session, "jo@example.com");
  assert_int_equal(identity_session_tokens(session, 0, &tokens, NULL), IDENTITY_OK);
  service_watch_secret(tokens->jwt);
  for (size_t i = 0; i < ROWS(heads); i++) {
    identity_error error;
    const identity_customer *customer = NULL;
    echo("GET", "/customers/*", heads[i], tokens->jwt, "\"]}");
    if (i == 1)
      echo("GET", "/customers/*", heads[i], tokens->jwt, "\"}");
    (void)identity_fetch_customer(session, &customer, &error);
    assert_int_not_equal(error.status, IDENTITY_OK);
    assert_clean("JWT", &error, tokens->jwt);
    assert_null(strstr(error.message, "eyJ"));
  }
  identity_tokens_free(tokens);
  identity_session_close(session);
}

static void the_refresh_token_does_not_show_when_the_service_repeats_it(void **state) {
  (void)state;
  const identity_tokens *tokens = NULL;
  identity_error error;
  identity_session *session = service_open(&server, "viewer");
  service_register(session, "jo@example.com");
  assert_int_equal(identity_session_tokens(session, 0, &tokens, NULL), IDENTITY_OK);
  identity_session *adopted = service_open(&server, "adopted");
  assert_int_equal(identity_session_adopt(adopted, tokens->jwt, RESET_TOKEN, NULL), IDENTITY_OK);
  echo("POST", "/auths/refresh_token", "{\"errors\":[\"Refresh token ", RESET_TOKEN, " is bad\"]}");
  (void)identity_session_refresh(adopted, &error);
  assert_int_not_equal(error.status, IDENTITY_OK);
  assert_clean("refresh token", &error, RESET_TOKEN);
  probe_sent(&server, "POST", "/auths/refresh_token", 1);
  identity_tokens_free(tokens);
  identity_session_close(adopted);
  identity_session_close(session);
}

/* ---- local refusals and the log ---- */

static void a_secret_that_is_refused_here_does_not_show(void **state) {
  static const char bad[] = "canary bad\nsecret value without rule";
  (void)state;
  identity_error error;
  identity_session *session = service_open(&server, "viewer");
  service_watch_secret("canary bad");
  identity_register_params params = probe_register_params("jo@example.com");
  params.captcha_value = bad;
  (void)identity_register(session, &params, &error);
  assert_clean("captcha", &error, bad);
  params = probe_register_params("jo@example.com");
  params.password = bad;
  (void)identity_register(session, &params, &error);
  assert_clean("password", &error, bad);
  (void)identity_session_adopt(session, bad, NULL, &error);
  assert_clean("jwt", &error, bad);
  (void)identity_sso_login(session, bad, "jo@example.com", NULL, &error);
  assert_clean("publisher token", &error, bad);
  assert_int_equal(probe_requests(&server), 0);
  identity_session_close(session);
}

static void the_log_tells_what_was_called_and_no_secret(void **state) {
  (void)state;
  identity_error error;
  const identity_tokens *tokens = NULL;
  identity_session *session = service_open(&server, "viewer");
  service_register(session, "jo@example.com");
  assert_int_equal(identity_session_tokens(session, 0, &tokens, NULL), IDENTITY_OK);
  service_watch_secret(tokens->jwt);
  service_watch_secret(tokens->customer_token);
  assert_int_equal(identity_session_refresh(session, NULL), IDENTITY_OK);
  assert_int_equal(identity_request_password_reset(session, "jo@example.com", NULL, NULL), IDENTITY_OK);
  char *link = service_last_link(&server);
  const identity_reset_link *parsed = NULL;
  assert_int_equal(identity_parse_reset_link(link, &parsed, NULL), IDENTITY_OK);
  service_watch_secret(parsed->reset_token);
  for (size_t i = 0; i < ROWS(rows); i++)
    rows[i].run(session, &error);
  assert_int_equal(identity_logout(session, NULL), IDENTITY_OK);
  service_assert_logged("POST /customers");
  service_assert_logged("/auths/refresh_token");
  service_assert_no_secret(NULL);
  identity_reset_link_free(parsed);
  identity_tokens_free(tokens);
  free(link);
  identity_session_close(session);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test_setup(a_secret_that_the_service_repeats_does_not_show, begin),
    cmocka_unit_test_setup(a_secret_at_the_end_of_a_long_text_does_not_show_in_part, begin),
    cmocka_unit_test_setup(the_jwt_does_not_show_when_the_service_repeats_it, begin),
    cmocka_unit_test_setup(the_refresh_token_does_not_show_when_the_service_repeats_it, begin),
    cmocka_unit_test_setup(a_secret_that_is_refused_here_does_not_show, begin),
    cmocka_unit_test_setup(the_log_tells_what_was_called_and_no_secret, begin),
};

SUITE_WITH("secrets", tests, start, stop)
