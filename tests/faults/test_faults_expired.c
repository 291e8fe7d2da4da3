/* Faults 1 and 2: a JWT that is over is replaced by one refresh, whoever finds it out, however, and when. */
#include "support/crowd.h"
#include "support/rotation.h"
#include "support/stage.h"

#define MAIL "jo@example.com"
#define CONSENTS "/customers/*/consents"

enum { EVERYBODY = 64, LATE = 4 };

static int fetches(int status) {
  return service_count(&server, "GET", "/customers/*", status);
}

/* ---- 1: all find it over ---- */

/* Real JWTs of two seconds, waited for: their life is over for the library and for the service. */
static void fault_01_sixty_four_threads_find_the_jwt_expired(void **state) {
  (void)state;
  static const int counts[] = {1, 32, EVERYBODY};
  identity_session *sessions[3];
  int requests = 0;
  service_send(&server, "PUT", "settings", "{\"jwt_life\":2}");
  for (int i = 0; i < 3; i++) {
    char email[32];
    snprintf(email, sizeof email, "viewer%d@example.com", i);
    sessions[i] = service_open(&server, "viewer");
    service_register(sessions[i], email);
  }
  assert_int_equal(rotation_count(&server, -1), 0);
  service_pause_ms(2000);
  service_send(&server, "PUT", "settings", "{\"jwt_life\":900}");
  for (int i = 0; i < 3; i++) {
    assert_int_equal(crowd_successes(sessions[i], counts[i], service_fetch), counts[i]);
    requests += counts[i];
    assert_int_equal(rotation_count(&server, 200), i + 1);
    assert_int_equal(rotation_count(&server, -1), i + 1);
    assert_int_equal(fetches(200), requests);
    assert_int_equal(fetches(-1), requests);
    identity_session_close(sessions[i]);
  }
  assert_int_equal(service_valid_refresh_tokens(&server, "viewer2@example.com"), 1);
}

static void fault_01_sixty_four_threads_that_get_a_401_refresh_once(void **state) {
  (void)state;
  identity_session *session = service_open(&server, "viewer");
  service_register(session, MAIL);
  service_shift_clock(&server, 901);
  assert_int_equal(crowd_successes(session, EVERYBODY, service_fetch), EVERYBODY);
  assert_int_equal(rotation_count(&server, -1), 1);
  assert_int_equal(fetches(200), EVERYBODY);
  assert_true(fetches(401) <= EVERYBODY);
  identity_session_close(session);
}

/* The answer takes a while, so that both handles are in the middle of it. */
static void fault_01_the_threads_of_two_handles_of_one_store_refresh_once(void **state) {
  (void)state;
  crowd one, other;
  service_issue_short_jwt(&server, "/customers");
  identity_session *first = service_open_stored(&server, "viewer", "shared");
  service_register(first, MAIL);
  identity_session *second = service_open_stored(&server, "viewer", "shared");
  service_pause_ms(1050);
  rotation_fault(&server, "\"delay_ms\":200");
  crowd_start(&one, first, EVERYBODY / 2, service_fetch);
  crowd_start(&other, second, EVERYBODY / 2, service_fetch);
  crowd_join(&one);
  crowd_join(&other);
  assert_int_equal(crowd_count(&one, IDENTITY_OK), EVERYBODY / 2);
  assert_int_equal(crowd_count(&other, IDENTITY_OK), EVERYBODY / 2);
  assert_int_equal(rotation_count(&server, -1), 1);
  assert_int_equal(fetches(-1), EVERYBODY);
  assert_int_equal(service_valid_refresh_tokens(&server, MAIL), 1);
  identity_session_close(second);
  identity_session_close(first);
}

/* ---- 2: a 401 for the old one ---- */

static identity_status fetch_consents(identity_session *session, identity_error *error) {
  const identity_customer_consents *consents = NULL;
  identity_status status = identity_fetch_customer_consents(session, &consents, error);
  identity_customer_consents_free(consents);
  return status;
}

/* A session whose next requests of this kind wait, to be refused then; the 401 is dated past the end of any
 * JWT, so that nothing but its being late stands against a refresh. */
static identity_session *with_late_refusals(crowd *late, int delay_ms) {
  char fault[300];
  identity_session *session = service_open(&server, "viewer");
  service_register(session, MAIL);
  service_send(&server, "PUT", "settings", "{\"jwt_life\":901}"); /* so that the next JWT differs */
  snprintf(fault, sizeof fault,
           "{\"method\":\"GET\",\"path\":\"" CONSENTS "\",\"times\":%d,\"delay_ms\":%d,\"status\":401,"
           "\"body\":{\"errors\":[\"Expired JWT\"]},"
           "\"headers\":{\"Date\":\"Fri, 01 Jan 2100 00:00:00 GMT\"}}",
           LATE, delay_ms);
  service_fault(&server, fault);
  crowd_start(late, session, LATE, fetch_consents);
  rotation_await_request(&server, "GET", CONSENTS, LATE);
  return session;
}

/* How many of the requests carried the JWT that the last refresh brought. */
static int with_newest_jwt(void) {
  int count = 0;
  const cJSON *entry;
  cJSON *refresh = probe_request(&server, "POST", ROTATION_PATH);
  const cJSON *newest = cJSON_GetObjectItemCaseSensitive(refresh, "jwt_issued");
  cJSON *journal = service_get(&server, "journal");
  cJSON_ArrayForEach(entry, cJSON_GetObjectItemCaseSensitive(journal, "requests")) {
    const cJSON *sent = cJSON_GetObjectItemCaseSensitive(entry, "jwt");
    count +=
        cJSON_IsString(sent) && cJSON_IsString(newest) && strcmp(sent->valuestring, newest->valuestring) == 0;
  }
  cJSON_Delete(journal);
  cJSON_Delete(refresh);
  return count;
}

static void fault_02_a_401_for_the_old_jwt_lands_after_the_refresh(void **state) {
  (void)state;
  crowd late;
  identity_session *session = with_late_refusals(&late, 20000);
  assert_int_equal(identity_session_refresh(session, NULL), IDENTITY_OK);
  assert_int_equal(service_count(&server, "GET", CONSENTS, 0), LATE);
  rotation_release(&server);
  crowd_join(&late);
  assert_int_equal(crowd_count(&late, IDENTITY_OK), LATE);
  assert_int_equal(rotation_count(&server, -1), 1);
  assert_int_equal(service_count(&server, "GET", CONSENTS, 401), LATE);
  assert_int_equal(service_count(&server, "GET", CONSENTS, -1), 2 * LATE);
  assert_int_equal(with_newest_jwt(), LATE);
  identity_session_close(session);
}

static void fault_02_a_401_for_the_old_jwt_lands_during_the_refresh(void **state) {
  (void)state;
  crowd late, rotation;
  identity_session *session = with_late_refusals(&late, 250);
  rotation_fault(&server, "\"delay_ms\":500");
  crowd_start(&rotation, session, 1, identity_session_refresh);
  rotation_await(&server, 1);
  crowd_join(&late);
  crowd_join(&rotation);
  assert_int_equal(crowd_count(&late, IDENTITY_OK), LATE);
  assert_int_equal(crowd_count(&rotation, IDENTITY_OK), 1);
  assert_int_equal(rotation_count(&server, -1), 1);
  assert_int_equal(service_count(&server, "GET", CONSENTS, -1), 2 * LATE);
  assert_int_equal(with_newest_jwt(), LATE);
  identity_session_close(session);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test_setup(fault_01_sixty_four_threads_find_the_jwt_expired, reset),
    cmocka_unit_test_setup(fault_01_sixty_four_threads_that_get_a_401_refresh_once, reset),
    cmocka_unit_test_setup(fault_01_the_threads_of_two_handles_of_one_store_refresh_once, reset),
    cmocka_unit_test_setup(fault_02_a_401_for_the_old_jwt_lands_after_the_refresh, reset),
    cmocka_unit_test_setup(fault_02_a_401_for_the_old_jwt_lands_during_the_refresh, reset),
};

SUITE_WITH("faults: expired", tests, start, stop)
