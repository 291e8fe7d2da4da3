/* What a callback of the app may not do. Forks and signals: faults 32 and 34. */
#include "support/service.h"
#include "support/suite.h"

static service server;

static int start(void **state) {
  (void)state;
  service_start(&server, SERVICE_HTTP, NULL);
  return 0;
}

static int stop(void **state) {
  (void)state;
  service_assert_no_secret(NULL);
  service_stop(&server);
  return 0;
}

static int reset(void **state) {
  (void)state;
  service_reset(&server);
  return 0;
}

static identity_status fetch_locale(identity_session *session, identity_error *error) {
  const identity_locale *locale = NULL;
  identity_status status = identity_fetch_locale(session, NULL, &locale, error);
  identity_locale_free(locale);
  return status;
}

typedef struct inside {
  identity_session *session;
  int calls;
  identity_status blocking;
  identity_status state;
} inside;

static void call_again(int32_t level, const char *line, void *user_data) {
  inside *at = user_data;
  const identity_state *stands = NULL;
  (void)level, (void)line;
  if (at->session == NULL)
    return;
  at->calls++;
  at->blocking = fetch_locale(at->session, NULL);
  at->state = identity_session_state(at->session, &stands, NULL);
  identity_state_free(stands);
  identity_session_interrupt(NULL);
}

static void a_blocking_call_inside_the_log_callback_is_refused(void **state) {
  (void)state;
  inside at = {NULL, 0, IDENTITY_OK, IDENTITY_OUT_OF_MEMORY};
  identity_config *config = service_config(&server);
  assert_int_equal(identity_config_set_log(config, IDENTITY_LOG_DEBUG, call_again, &at), IDENTITY_OK);
  at.session = service_open_with(config, "viewer");
  assert_int_equal(fetch_locale(at.session, NULL), IDENTITY_OK);
  assert_true(at.calls > 0);
  assert_int_equal(at.blocking, IDENTITY_REENTERED);
  assert_int_equal(at.state, IDENTITY_OK);
  assert_int_equal(service_count(&server, "GET", "/locales", -1), 1);
  identity_session_close(at.session);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test_setup(a_blocking_call_inside_the_log_callback_is_refused, reset),
};

SUITE_WITH("process", tests, start, stop)
