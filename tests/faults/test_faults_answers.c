/* Faults 29, 30 and 31. Answers that are too much, too little, too slow or lost, and no service at all. */
#include "support/judge.h"
#include "support/peer.h"
#include "support/slot.h"
#include "support/stage.h"

#include <sys/resource.h>

#define MAIL "jo@example.com"
#define REFRESH "/auths/refresh_token"

/* An answer may be kept up to a mebibyte, a few copies of it while it is read; 10 GB would show. */
enum { GROWTH_KB = 24 * 1024 };

static long peak_kb(void) {
  struct rusage usage;
  assert_int_equal(getrusage(RUSAGE_SELF, &usage), 0);
  return usage.ru_maxrss;
}

static identity_status locale_of(identity_session *session, identity_error *error) {
  const identity_locale *locale = NULL;
  identity_status status = identity_fetch_locale(session, NULL, &locale, error);
  assert_true((locale != NULL) == (status == IDENTITY_OK));
  identity_locale_free(locale);
  return status;
}

static void path_fault(const char *path, const char *members) {
  char json[200];
  snprintf(json, sizeof json, "{\"path\":\"%s\",%s}", path, members);
  service_fault(&server, json);
}

/* ---- 29: bodies and headers ---- */

typedef struct row {
  const char *fault;
  identity_status status;
} row;

static void fault_29_an_answer_at_its_bound_is_taken_and_one_beyond_is_not(void **state) {
  (void)state;
  static const row rows[] = {
      {"\"big_body\":1048576", IDENTITY_OK},
      {"\"big_body\":1048577", IDENTITY_NOT_THE_SERVICE},
      {"\"big_body\":1048577,\"chunked\":true", IDENTITY_NOT_THE_SERVICE},
      {"\"big_body\":10000000000", IDENTITY_NOT_THE_SERVICE},
      {"\"big_body\":10000000000,\"chunked\":true", IDENTITY_NOT_THE_SERVICE},
      {"\"big_body\":10000000000,\"status\":500,\"body\":\"x\"", IDENTITY_NOT_THE_SERVICE},
      {"\"big_header\":60000", IDENTITY_OK},
      {"\"big_header\":65536", IDENTITY_NOT_THE_SERVICE},
      {"\"big_header\":150000", IDENTITY_NOT_THE_SERVICE},
      {"\"content_encoding\":\"gzip\"", IDENTITY_NOT_THE_SERVICE},
      {"\"content_encoding\":\"br\",\"status\":500,\"body\":\"x\"", IDENTITY_NOT_THE_SERVICE},
      {"\"content_encoding\":\"identity\"", IDENTITY_OK},
      {"\"chunked\":true", IDENTITY_OK},
  };
  identity_session *session = service_open(&server, "viewer");
  long before = peak_kb();
  for (size_t i = 0; i < ROWS(rows); i++) {
    identity_error error;
    service_reset(&server);
    path_fault("/locales", rows[i].fault);
    int64_t begun = service_now_ms();
    identity_status status = locale_of(session, &error);
    if (status != rows[i].status)
      fail_msg("%s: %s: %s", rows[i].fault, identity_status_name(status), error.message);
    assert_true(service_now_ms() - begun < 1000 + judge_slack_ms());
    assert_int_equal(service_count(&server, "GET", "/locales", -1), 1);
    assert_int_equal(locale_of(session, &error), IDENTITY_OK); /* the session goes on */
  }
  if (!judge_runs_slowly())
    assert_true(peak_kb() - before < GROWTH_KB);
  identity_session_close(session);
}

static void fault_29_a_token_answer_has_a_smaller_bound(void **state) {
  (void)state;
  identity_session *session = service_open(&server, "viewer");
  service_register(session, MAIL);
  path_fault("/auths", "\"big_body\":262144");
  assert_int_equal(service_login(session, MAIL, TEST_PASSWORD, NULL), IDENTITY_OK);
  path_fault("/auths", "\"big_body\":262145");
  assert_int_equal(service_login(session, MAIL, TEST_PASSWORD, NULL), IDENTITY_NOT_THE_SERVICE);
  path_fault(REFRESH, "\"big_body\":262145");
  assert_int_equal(identity_session_refresh(session, NULL), IDENTITY_NOT_THE_SERVICE);
  assert_int_equal(service_count(&server, "POST", REFRESH, -1), 1);
  identity_session_close(session);
}

static void fault_29_a_truncated_answer_of_a_get_is_asked_for_twice_more(void **state) {
  (void)state;
  identity_error error;
  identity_session *session = service_open(&server, "viewer");
  path_fault("/locales", "\"cut_body_at\":10,\"times\":-1");
  assert_int_equal(locale_of(session, &error), IDENTITY_CONNECTION_LOST);
  assert_int_equal(service_count(&server, "GET", "/locales", -1), 3);
  identity_session_close(session);
}

/* The service keeps the old token a while, as some day it may: what was rotated under a bad answer is not
 * lost. */
static void fault_29_no_answer_to_a_refresh_ends_the_session(void **state) {
  (void)state;
  static const char *const faults[] = {
      "\"big_body\":10000000000",
      "\"big_body\":10000000000,\"chunked\":true",
      "\"big_header\":150000",
      "\"content_encoding\":\"gzip\"",
      "\"cut_body_at\":1",
      "\"cut_body_at\":100",
      "\"chunked\":true,\"cut_body_at\":100",
      "\"bytes_per_second\":1",
  };
  long before = peak_kb();
  for (size_t i = 0; i < ROWS(faults); i++) {
    service_reset(&server);
    service_send(&server, "PUT", "settings", "{\"grace\":600}");
    identity_config *config = service_config(&server);
    assert_int_equal(identity_config_set_timeout_ms(config, 300), IDENTITY_OK);
    identity_session *session = service_open_with(config, "viewer");
    service_register(session, MAIL);
    path_fault(REFRESH, faults[i]);
    identity_status status = identity_session_refresh(session, NULL);
    if (identity_status_class(status) != IDENTITY_CLASS_RETRY_LATER)
      fail_msg("%s: %s", faults[i], identity_status_name(status));
    assert_int_equal(service_fetch(session, NULL), IDENTITY_OK); /* the JWT lives */
    assert_int_equal(service_count(&server, "POST", REFRESH, -1), 1);
    assert_int_equal(service_valid_refresh_tokens(&server, MAIL) >= 1, 1);
    identity_session_close(session);
  }
  if (!judge_runs_slowly())
    assert_true(peak_kb() - before < GROWTH_KB);
}

static void fault_29_a_byte_a_second_ends_with_the_calls_time(void **state) {
  (void)state;
  identity_error error;
  identity_config *config = service_config(&server);
  assert_int_equal(identity_config_set_timeout_ms(config, 300), IDENTITY_OK);
  identity_session *session = service_open_with(config, "viewer");
  service_register(session, MAIL);
  path_fault("/customers/*", "\"bytes_per_second\":1");
  int64_t begun = service_now_ms();
  assert_int_equal(service_fetch(session, &error), IDENTITY_TIMED_OUT);
  assert_in_range(service_now_ms() - begun, 299, 300 + judge_slack_ms());
  assert_int_equal(identity_status_class(error.status), IDENTITY_CLASS_RETRY_LATER);
  assert_int_equal(service_fetch(session, NULL), IDENTITY_OK);
  identity_session_close(session);
}

/* ---- 30: a lost answer to a registration ---- */

static identity_status register_jo(identity_session *session, identity_error *error) {
  const identity_register_params params = probe_register_params(MAIL);
  return identity_register(session, &params, error);
}

static void fault_30_after_a_registration_without_an_answer_a_login_works(void **state) {
  (void)state;
  static const char *const faults[] = {
      "\"drop\":\"after\"",
      "\"drop\":\"after\",\"abort\":true",
      "\"cut_body_at\":5",
      "\"after\":true,\"hang\":true",
      "\"after\":true,\"status\":504,\"body\":\"<html>\"",
  };
  for (size_t i = 0; i < ROWS(faults); i++) {
    identity_error error;
    char json[200];
    service_reset(&server);
    identity_config *config = service_config(&server);
    assert_int_equal(identity_config_set_timeout_ms(config, 500), IDENTITY_OK);
    identity_session *session = probe_open(config);
    snprintf(json, sizeof json, "{\"method\":\"POST\",\"path\":\"/customers\",\"times\":-1,%s}", faults[i]);
    service_fault(&server, json);
    (void)register_jo(session, &error);
    probe_status(faults[i], &error, IDENTITY_OUTCOME_UNKNOWN, NULL);
    probe_sent(&server, "POST", "/customers", 1);
    assert_int_equal(service_state_of(session), IDENTITY_STATE_SIGNED_OUT);
    assert_int_equal(service_login(session, MAIL, TEST_PASSWORD, &error), IDENTITY_OK);
    assert_int_equal(service_fetch(session, NULL), IDENTITY_OK);
    service_clear_faults(&server);
    (void)register_jo(session, &error); /* a second try tells the same */
    assert_int_equal(error.status, IDENTITY_ALREADY_REGISTERED);
    assert_int_equal(service_state_of(session), IDENTITY_STATE_ACTIVE);
    identity_session_close(session);
  }
}

/* ---- 31: signing out offline ---- */

static identity_session *offline_session(int port) {
  char base_url[64];
  char directory[128];
  identity_config *config = service_config(&server);
  snprintf(base_url, sizeof base_url, "http://127.0.0.1:%d", port);
  snprintf(directory, sizeof directory, "%s/offline", server.directory);
  assert_int_equal(identity_config_set_base_url(config, base_url), IDENTITY_OK);
  assert_int_equal(identity_config_set_file_store(config, directory), IDENTITY_OK);
  assert_int_equal(identity_config_set_timeout_ms(config, 500), IDENTITY_OK);
  return service_open_with(config, "viewer");
}

static void fault_31_a_sign_out_works_offline(void **state) {
  (void)state;
  char *jwt, *refresh_token;
  identity_session *other = service_open(&server, "other");
  service_register(other, MAIL);
  identity_session_close(other);
  service_login_raw(&server, MAIL, &jwt, &refresh_token);
  int nobody = peer_closed_port();
  identity_session *session = offline_session(nobody);
  assert_int_equal(identity_session_adopt(session, jwt, refresh_token, NULL), IDENTITY_OK);
  char *path = slot_path(&server, "offline");
  assert_true(slot_has(path, refresh_token));
  assert_int_equal(identity_logout_everywhere(session, NULL), IDENTITY_OUTCOME_UNKNOWN);
  probe_reason(session, IDENTITY_STATE_SIGNED_OUT, IDENTITY_REASON_LOGOUT_EVERYWHERE);
  assert_false(slot_has(path, refresh_token));
  assert_int_equal(identity_session_adopt(session, jwt, refresh_token, NULL), IDENTITY_OK);
  assert_int_equal(identity_logout(session, NULL), IDENTITY_OK);
  probe_reason(session, IDENTITY_STATE_SIGNED_OUT, IDENTITY_REASON_LOGOUT);
  assert_false(slot_has(path, refresh_token));
  assert_false(slot_has(path, jwt));
  identity_session_close(session);
  session = offline_session(nobody);
  probe_reason(session, IDENTITY_STATE_SIGNED_OUT, IDENTITY_REASON_LOGOUT);
  identity_session_close(session);
  free(path);
  free(jwt);
  free(refresh_token);
}

/* A network that swallows everything must not hold up who wants to be out. */
static void fault_31_a_sign_out_waits_for_no_network(void **state) {
  (void)state;
  peer silent;
  char *jwt, *refresh_token;
  identity_session *other = service_open(&server, "other");
  service_register(other, MAIL);
  identity_session_close(other);
  service_login_raw(&server, MAIL, &jwt, &refresh_token);
  peer_start(&silent, NULL, 0, 0);
  identity_session *session = offline_session(silent.port);
  assert_int_equal(identity_session_adopt(session, jwt, refresh_token, NULL), IDENTITY_OK);
  assert_int_equal(identity_session_refresh(session, NULL), IDENTITY_TIMED_OUT); /* its flight is still out */
  int64_t begun = service_now_ms();
  assert_int_equal(identity_logout(session, NULL), IDENTITY_OK);
  assert_true(service_now_ms() - begun < 300 + judge_slack_ms());
  assert_int_equal(service_state_of(session), IDENTITY_STATE_SIGNED_OUT);
  assert_int_equal(service_fetch(session, NULL), IDENTITY_SIGNED_OUT);
  identity_session_close(session);
  peer_stop(&silent);
  free(jwt);
  free(refresh_token);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test_setup(fault_29_an_answer_at_its_bound_is_taken_and_one_beyond_is_not, reset),
    cmocka_unit_test_setup(fault_29_a_token_answer_has_a_smaller_bound, reset),
    cmocka_unit_test_setup(fault_29_a_truncated_answer_of_a_get_is_asked_for_twice_more, reset),
    cmocka_unit_test_setup(fault_29_no_answer_to_a_refresh_ends_the_session, reset),
    cmocka_unit_test_setup(fault_29_a_byte_a_second_ends_with_the_calls_time, reset),
    cmocka_unit_test_setup(fault_30_after_a_registration_without_an_answer_a_login_works, reset),
    cmocka_unit_test_setup(fault_31_a_sign_out_works_offline, reset),
    cmocka_unit_test_setup(fault_31_a_sign_out_waits_for_no_network, reset),
};

SUITE_WITH("faults: answers", tests, start, stop)
