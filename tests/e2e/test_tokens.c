/* The app's own way to the JWT, rotations it asks for, and sessions that began elsewhere. */
#include "support/crowd.h"
#include "support/stage.h"

#define MAIL "jo@example.com"
#define REFRESH "/auths/refresh_token"

static char *jwt;
static char *refresh_token;

/* A customer of the service, and a pair that the library has not seen yet. */
static int begin(void **state) {
  (void)reset(state);
  identity_session *session = service_open(&server, "somebody");
  service_register(session, MAIL);
  identity_session_close(session);
  service_login_raw(&server, MAIL, &jwt, &refresh_token);
  return 0;
}

static int clear(void **state) {
  (void)state;
  free(jwt);
  free(refresh_token);
  return 0;
}

static int refreshes(void) {
  return service_count(&server, "POST", REFRESH, -1);
}

static identity_session *logged_in(void) {
  identity_session *session = service_open(&server, "viewer");
  assert_int_equal(service_login(session, MAIL, TEST_PASSWORD, NULL), IDENTITY_OK);
  return session;
}

static const identity_tokens *tokens_of(identity_session *session, int64_t min_life_ms) {
  const identity_tokens *tokens = NULL;
  assert_int_equal(identity_session_tokens(session, min_life_ms, &tokens, NULL), IDENTITY_OK);
  assert_non_null(tokens);
  return tokens;
}

static void a_fresh_jwt_is_given_with_its_remaining_time_and_no_request(void **state) {
  (void)state;
  identity_session *session = logged_in();
  const identity_tokens *tokens = tokens_of(session, 0);
  assert_true(tokens->remaining_ms > 890000 && tokens->remaining_ms <= 901000);
  assert_string_equal(tokens->publisher_id, TEST_PUBLISHER);
  assert_non_null(tokens->customer_id);
  assert_non_null(tokens->customer_token);
  assert_int_equal(refreshes(), 0);
  identity_tokens_free(tokens);
  identity_session_close(session);
}

static void no_asked_life_refreshes_a_jwt_younger_than_a_minute(void **state) {
  (void)state;
  identity_session *session = logged_in();
  const identity_tokens *tokens = tokens_of(session, INT64_MAX);
  assert_true(tokens->remaining_ms > 890000);
  identity_tokens_free(tokens);
  assert_int_equal(refreshes(), 0);
  identity_session_close(session);
}

static void a_jwt_that_is_over_is_replaced_and_keeps_the_customer_token(void **state) {
  (void)state;
  service_issue_short_jwt(&server, "/auths");
  identity_session *session = logged_in();
  service_pause_ms(1050);
  const identity_tokens *tokens = tokens_of(session, 0);
  assert_true(tokens->remaining_ms > 890000);
  assert_non_null(tokens->customer_token);
  identity_tokens_free(tokens);
  assert_int_equal(refreshes(), 1);
  identity_session_close(session);
}

static void the_freshest_jwt_is_given_while_the_refresh_fails(void **state) {
  (void)state;
  service_fault(&server, "{\"path\":\"" REFRESH "\",\"times\":-1,\"status\":500,\"body\":\"\"}");
  service_issue_short_jwt(&server, "/auths");
  identity_session *session = logged_in();
  service_pause_ms(800); /* in the margin: worth a refresh, and not over yet */
  const identity_tokens *tokens = tokens_of(session, 0);
  assert_true(tokens->remaining_ms > 0 && tokens->remaining_ms <= 250);
  identity_tokens_free(tokens);
  assert_int_equal(refreshes(), 1);
  service_pause_ms(300);
  identity_error error;
  tokens = NULL;
  assert_int_equal(identity_session_tokens(session, 0, &tokens, &error), IDENTITY_REFRESH_DEFERRED);
  assert_null(tokens);
  assert_in_range(error.retry_after_ms, 1, 30000); /* calls were about to need another one */
  assert_int_equal(refreshes(), 1);
  identity_session_close(session);
}

static void a_good_jwt_is_used_while_the_refresh_fails(void **state) {
  (void)state;
  identity_session *session = logged_in();
  service_fault(&server, "{\"path\":\"" REFRESH "\",\"times\":-1,\"status\":500,\"body\":\"\"}");
  assert_int_equal(identity_session_refresh(session, NULL), IDENTITY_SERVICE_FAILED);
  for (int i = 0; i < 3; i++)
    assert_int_equal(service_fetch(session, NULL), IDENTITY_OK);
  assert_int_equal(service_state_of(session), IDENTITY_STATE_STALE);
  assert_int_equal(refreshes(), 1);
  identity_session_close(session);
}

static void a_good_jwt_is_used_while_the_refresh_hangs(void **state) {
  (void)state;
  crowd rotation;
  identity_session *session = logged_in();
  service_fault(&server, "{\"path\":\"" REFRESH "\",\"hang\":true}");
  crowd_start(&rotation, session, 1, identity_session_refresh);
  while (refreshes() == 0)
    service_pause_ms(5);
  assert_int_equal(service_fetch(session, NULL), IDENTITY_OK);
  const identity_tokens *tokens = tokens_of(session, 0);
  identity_tokens_free(tokens);
  assert_int_equal(service_state_of(session), IDENTITY_STATE_REFRESHING);
  service_send(&server, "POST", "release", "{}");
  crowd_join(&rotation);
  assert_int_equal(rotation.members[0].status, IDENTITY_OK);
  assert_int_equal(refreshes(), 1);
  identity_session_close(session);
}

static void a_rotation_that_is_asked_for_always_happens(void **state) {
  (void)state;
  identity_session *session = logged_in();
  for (int i = 1; i <= 5; i++) {
    assert_int_equal(identity_session_refresh(session, NULL), IDENTITY_OK);
    assert_int_equal(refreshes(), i);
  }
  assert_int_equal(service_fetch(session, NULL), IDENTITY_OK);
  identity_session_close(session);
}

static void nobody_signed_in_gets_no_token_and_no_rotation(void **state) {
  (void)state;
  const identity_tokens *tokens = NULL;
  identity_session *session = service_open(&server, "nobody");
  assert_int_equal(identity_session_tokens(session, 0, &tokens, NULL), IDENTITY_SIGNED_OUT);
  assert_int_equal(identity_session_refresh(session, NULL), IDENTITY_SIGNED_OUT);
  assert_int_equal(service_fetch(session, NULL), IDENTITY_SIGNED_OUT);
  assert_int_equal(refreshes(), 0);
  identity_session_close(session);
}

/* ---- adopted ---- */

static identity_session *adopted(const char *with_refresh_token) {
  identity_session *session = service_open(&server, "viewer");
  assert_int_equal(identity_session_adopt(session, jwt, with_refresh_token, NULL), IDENTITY_OK);
  assert_int_equal(service_state_of(session), IDENTITY_STATE_ACTIVE);
  return session;
}

static void an_adopted_pair_works_for_calls_without_a_refresh(void **state) {
  (void)state;
  identity_session *session = adopted(refresh_token);
  assert_int_equal(service_fetch(session, NULL), IDENTITY_OK);
  assert_int_equal(refreshes(), 0);
  identity_session_close(session);
}

static void an_adopted_pair_is_refreshed_before_the_app_gets_the_jwt(void **state) {
  (void)state;
  identity_session *session = adopted(refresh_token);
  const identity_tokens *tokens = tokens_of(session, 0);
  assert_true(tokens->remaining_ms > 890000);
  identity_tokens_free(tokens);
  assert_int_equal(refreshes(), 1);
  identity_session_close(session);
}

static void an_adopted_pair_is_refreshed_after_a_401(void **state) {
  (void)state;
  identity_session *session = adopted(refresh_token);
  service_shift_clock(&server, 901);
  assert_int_equal(service_fetch(session, NULL), IDENTITY_OK);
  assert_int_equal(refreshes(), 1);
  identity_session_close(session);
}

static void an_adopted_jwt_without_a_refresh_token_is_given_with_an_unknown_life(void **state) {
  (void)state;
  identity_session *session = adopted(NULL);
  const identity_tokens *tokens = tokens_of(session, 60000);
  assert_string_equal(tokens->jwt, jwt);
  assert_true(tokens->remaining_ms == -1);
  identity_tokens_free(tokens);
  assert_int_equal(service_fetch(session, NULL), IDENTITY_OK);
  assert_int_equal(identity_session_refresh(session, NULL), IDENTITY_SESSION_ENDED);
  assert_int_equal(service_fetch(session, NULL), IDENTITY_OK); /* asking for more has not cost it */
  assert_int_equal(refreshes(), 0);
  identity_session_close(session);
}

static void an_adopted_jwt_without_a_refresh_token_ends_with_its_first_401(void **state) {
  (void)state;
  const identity_tokens *tokens = NULL;
  identity_session *session = adopted(NULL);
  service_shift_clock(&server, 901);
  assert_int_equal(service_fetch(session, NULL), IDENTITY_SESSION_ENDED);
  assert_int_equal(service_state_of(session), IDENTITY_STATE_REAUTH_REQUIRED);
  assert_int_equal(service_reason_of(session), IDENTITY_REASON_NO_REFRESH_TOKEN);
  assert_int_equal(identity_session_tokens(session, 0, &tokens, NULL), IDENTITY_SESSION_ENDED);
  assert_int_equal(service_fetch(session, NULL), IDENTITY_SESSION_ENDED);
  assert_int_equal(service_count(&server, "GET", "/customers/*", -1), 1);
  assert_int_equal(refreshes(), 0);
  assert_int_equal(service_login(session, MAIL, TEST_PASSWORD, NULL), IDENTITY_OK);
  assert_int_equal(service_fetch(session, NULL), IDENTITY_OK);
  identity_session_close(session);
}

static void what_is_no_token_or_another_publishers_is_not_adopted(void **state) {
  (void)state;
  identity_error error;
  identity_session *session = adopted(refresh_token);
  assert_int_equal(identity_session_adopt(session, "no token", NULL, &error), IDENTITY_INVALID_INPUT);
  assert_string_equal(error.field, "jwt");
  /* {"publisherId":987654321} */
  assert_int_equal(
      identity_session_adopt(session, "eyJhIjoxfQ.eyJwdWJsaXNoZXJJZCI6OTg3NjU0MzIxfQ.c2ln", NULL, &error),
      IDENTITY_INVALID_INPUT);
  assert_int_equal(identity_session_adopt(session, jwt, "", &error), IDENTITY_INVALID_INPUT);
  assert_string_equal(error.field, "refresh_token");
  assert_int_equal(service_fetch(session, NULL), IDENTITY_OK); /* the session of before goes on */
  identity_session_close(session);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, clear)

static const struct CMUnitTest tests[] = {
    TEST(a_fresh_jwt_is_given_with_its_remaining_time_and_no_request),
    TEST(no_asked_life_refreshes_a_jwt_younger_than_a_minute),
    TEST(a_jwt_that_is_over_is_replaced_and_keeps_the_customer_token),
    TEST(the_freshest_jwt_is_given_while_the_refresh_fails),
    TEST(a_good_jwt_is_used_while_the_refresh_fails),
    TEST(a_good_jwt_is_used_while_the_refresh_hangs),
    TEST(a_rotation_that_is_asked_for_always_happens),
    TEST(nobody_signed_in_gets_no_token_and_no_rotation),
    TEST(an_adopted_pair_works_for_calls_without_a_refresh),
    TEST(an_adopted_pair_is_refreshed_before_the_app_gets_the_jwt),
    TEST(an_adopted_pair_is_refreshed_after_a_401),
    TEST(an_adopted_jwt_without_a_refresh_token_is_given_with_an_unknown_life),
    TEST(an_adopted_jwt_without_a_refresh_token_ends_with_its_first_401),
    TEST(what_is_no_token_or_another_publishers_is_not_adopted),
};

SUITE_WITH("tokens", tests, start, stop)
