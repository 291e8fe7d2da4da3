/* Memory that is out for a moment, at every single allocation of a refresh, a login and a registration: what
 * the service has issued is kept, nothing is sent twice, and the next call works. */
#include "support/allocations.h"
#include "support/judge.h"
#include "support/rotation.h"
#include "support/slot.h"
#include "support/stage.h"

enum { OUT_MS = 15, ONLY_ONE = -1, MOST_ALLOCATIONS = 1000 };

/* What one run with the n-th allocation failing is about. */
typedef struct starved {
  identity_session *session;
  identity_error error;
  int number;
  bool hit; /* an allocation did fail */
  char email[40];
} starved;

static starved all[MOST_ALLOCATIONS];
static const char *store; /* NULL: memory; else a name for the directory of files */
static int out_ms;

static void open_one(starved *one, int number, const char *kind) {
  char account[40];
  memset(one, 0, sizeof *one);
  one->number = number;
  (void)snprintf(one->email, sizeof one->email, "%s%d@example.com", kind, number);
  (void)snprintf(account, sizeof account, "%s%d", kind, number);
  one->session =
      store == NULL ? service_open(&server, account) : service_open_stored(&server, account, store);
}

/* Runs a call while the n-th allocation from its start fails, and those of the next moment. */
static void run_starved(starved *one, identity_status (*call)(starved *one)) {
  allocations_failed = 0;
  allocations_pause_ms = out_ms;
  allocations_left = one->number;
  (void)call(one);
  one->hit = allocations_failed > 0;
  allocations_left = -1;
}

/* Nothing but: worked, try later, or nobody knows. */
static void check_status(const starved *one) {
  int32_t status_class = identity_status_class(one->error.status);
  if (status_class != IDENTITY_CLASS_OK && status_class != IDENTITY_CLASS_RETRY_LATER &&
      status_class != IDENTITY_CLASS_OUTCOME_UNKNOWN)
    fail_msg("without the allocation %d: %s", one->number, identity_status_name(one->error.status));
}

static void check(const starved *one, bool condition, const char *what) {
  if (!condition)
    fail_msg("without the allocation %d (%s): not so: %s", one->number,
             identity_status_name(one->error.status), what);
}

static double number_in(const cJSON *object, const char *name) {
  return cJSON_GetNumberValue(cJSON_GetObjectItemCaseSensitive(object, name));
}

/* What has come in since the last look: the journal of hundreds of registrations is long. */
static cJSON *latest_requests(void) {
  static double since;
  char path[40];
  (void)snprintf(path, sizeof path, "journal?since=%.0f", since);
  cJSON *journal = service_get(&server, path);
  since = number_in(journal, "last_seq");
  return journal;
}

static void begin_counting(void) {
  cJSON_Delete(latest_requests());
}

/* status -1: any. */
static int count_latest(const char *method, const char *path, int status) {
  int count = 0;
  const cJSON *entry;
  cJSON *journal = latest_requests();
  cJSON_ArrayForEach(entry, cJSON_GetObjectItemCaseSensitive(journal, "requests")) {
    const char *verb = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(entry, "method"));
    const char *target = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(entry, "path"));
    bool same = verb != NULL && target != NULL && strcmp(verb, method) == 0 && strcmp(target, path) == 0;
    count += same && (status < 0 || number_in(entry, "status") == status);
  }
  cJSON_Delete(journal);
  return count;
}

/* The session that the service knows is the one that is here. */
static void check_signed_in(const starved *one, int tokens_at_service) {
  check(one, service_state_of(one->session) != IDENTITY_STATE_SIGNED_OUT, "signed in");
  check(one, service_fetch(one->session, NULL) == IDENTITY_OK, "the JWT works");
  check(one, service_valid_refresh_tokens(&server, one->email) == tokens_at_service, "the tokens issued");
}

/* What a refresh that failed has left: a second one, when its time has come. */
static void check_refresh(starved *one) {
  if (service_wait_of(one->session) > 0)
    rotation_wait_for_retry(one->session);
  identity_status status = identity_session_refresh(one->session, &one->error);
  check(one, status == IDENTITY_OK, "the refresh token works");
  identity_session_close(one->session);
}

static void check_journal(int rotations) {
  judged seen = judge_refreshes(&server);
  assert_int_equal(seen.repeated, 0);
  assert_int_equal(seen.refused, 0);
  assert_int_equal(seen.rotated, rotations);
}

/* ---- the three calls ---- */

static identity_status refresh(starved *one) {
  return identity_session_refresh(one->session, &one->error);
}

static identity_status log_in(starved *one) {
  return service_login(one->session, one->email, TEST_PASSWORD, &one->error);
}

static identity_status sign_up(starved *one) {
  const identity_register_params params = probe_register_params(one->email);
  return identity_register(one->session, &params, &one->error);
}

/* ---- what must hold after each ---- */

/* How many of them were asked for, the last one without a failure. */
static int each_allocation_of_a_refresh(void) {
  int count = 0;
  int rotations = 0;
  do {
    starved *one = &all[count];
    open_one(one, count, "refresh");
    service_register(one->session, one->email);
    begin_counting();
    run_starved(one, refresh);
    int rotated = count_latest("POST", ROTATION_PATH, 200);
    check_status(one);
    check(one, rotated == (one->error.status == IDENTITY_OK), "a pair that was issued is here");
    rotations += rotated;
    check_signed_in(one, 1);
  } while (all[count++].hit && count < MOST_ALLOCATIONS);
  for (int i = 0; i < count; i++)
    check_refresh(&all[i]);
  check_journal(rotations + count);
  return count;
}

static int each_allocation_of_a_login(void) {
  int count = 0;
  do {
    starved *one = &all[count];
    open_one(one, count, "owner");
    service_register(one->session, one->email);
    assert_int_equal(identity_logout(one->session, NULL), IDENTITY_OK);
    begin_counting();
    run_starved(one, log_in);
    int issued = count_latest("POST", "/auths", -1);
    check_status(one);
    check(one, issued == (one->error.status == IDENTITY_OK), "a pair that was issued is here");
    if (issued == 0) {
      check(one, one->error.status == IDENTITY_OUT_OF_MEMORY, "nothing was sent: OUT_OF_MEMORY");
      check(one, service_state_of(one->session) == IDENTITY_STATE_SIGNED_OUT, "signed out");
      check(one, log_in(one) == IDENTITY_OK, "a login that is tried again");
    }
    check_signed_in(one, 2); /* the registration's, too: the service cannot revoke a single one */
  } while (all[count++].hit && count < MOST_ALLOCATIONS);
  for (int i = 0; i < count; i++)
    check_refresh(&all[i]);
  check_journal(count);
  return count;
}

static void check_consents(starved *one) {
  check(one, service_fetch(one->session, NULL) == IDENTITY_OK, "the JWT works");
  check(one, service_pending_of(one->session) == 0, "the consents wait no longer");
  probe_customer_is(&server, one->email, "consents/terms/state", "accepted");
  probe_customer_is(&server, one->email, "consents/broadcaster_terms/state", "accepted");
}

static int each_allocation_of_a_registration(void) {
  int count = 0;
  do {
    starved *one = &all[count];
    open_one(one, count, "new");
    begin_counting();
    run_starved(one, sign_up);
    int issued = count_latest("POST", "/customers", -1);
    check_status(one);
    check(one, issued == (one->error.status == IDENTITY_OK), "a pair that was issued is here");
    if (issued == 0) {
      check(one, service_state_of(one->session) == IDENTITY_STATE_SIGNED_OUT, "signed out");
      check(one, sign_up(one) == IDENTITY_OK, "a registration that is tried again");
    }
    check_consents(one);
    check_signed_in(one, 1);
  } while (all[count++].hit && count < MOST_ALLOCATIONS);
  for (int i = 0; i < count; i++)
    check_refresh(&all[i]);
  check_journal(count);
  return count;
}

/* Every allocation counts, also those of what reads and writes JSON; or only the library's own, because a
 * call without memory for JSON waits a while, and there are hundreds of those. */
enum { ALL, OWN };

static void with(int (*run)(void), const char *tokens_in, int for_ms, int which) {
  cJSON_Hooks hooks = {__wrap_malloc, free};
  service_reset(&server);
  store = tokens_in;
  out_ms = for_ms;
  cJSON_InitHooks(which == ALL ? &hooks : NULL);
  int64_t begun = service_now_ms();
  int count = run();
  cJSON_InitHooks(NULL);
  print_message("             %d allocations, %d ms\n", count - 1, (int)(service_now_ms() - begun));
  assert_in_range(count, which == ALL ? 40 : 10, MOST_ALLOCATIONS - 1);
}

static void no_allocation_of_a_refresh_costs_the_pair(void **state) {
  (void)state;
  with(each_allocation_of_a_refresh, "files", OUT_MS, ALL);
  with(each_allocation_of_a_refresh, NULL, ONLY_ONE, OWN);
}

static void no_allocation_of_a_login_costs_the_pair(void **state) {
  (void)state;
  with(each_allocation_of_a_login, NULL, OUT_MS, ALL);
  with(each_allocation_of_a_login, "files", ONLY_ONE, OWN);
}

static void no_allocation_of_a_registration_costs_the_account_or_its_consents(void **state) {
  (void)state;
  with(each_allocation_of_a_registration, NULL, ONLY_ONE, ALL);
  with(each_allocation_of_a_registration, "files", OUT_MS, OWN);
}

/* ---- looking ---- */

static identity_status next_event(starved *one) {
  const identity_event *event = NULL;
  identity_status status = identity_session_next_event(one->session, &event, &one->error);
  check(one, (event != NULL) == (status == IDENTITY_OK), "an event or a failure");
  identity_event_free(event);
  return status;
}

static identity_status explain(starved *one) {
  const char *json = NULL;
  identity_status status = identity_session_explain(one->session, &json, &one->error);
  check(one, (json != NULL) == (status == IDENTITY_OK), "an explanation or a failure");
  identity_explanation_free(json);
  return status;
}

static uint64_t number_of_next(identity_session *session) {
  const identity_event *event = NULL;
  assert_int_equal(identity_session_next_event(session, &event, NULL), IDENTITY_OK);
  assert_non_null(event);
  uint64_t number = event->number;
  identity_event_free(event);
  return number;
}

static void an_event_that_finds_no_memory_stays_and_so_does_what_can_be_explained(void **state) {
  (void)state;
  starved one;
  store = NULL;
  out_ms = ONLY_ONE;
  open_one(&one, 0, "looker");
  service_register(one.session, one.email);
  assert_int_equal(identity_session_refresh(one.session, NULL), IDENTITY_OK);
  run_starved(&one, next_event);
  assert_true(one.hit);
  assert_int_equal(one.error.status, IDENTITY_OUT_OF_MEMORY);
  assert_int_equal(number_of_next(one.session), 1);
  do {
    run_starved(&one, explain);
    assert_int_equal(one.error.status, one.hit ? IDENTITY_OUT_OF_MEMORY : IDENTITY_OK);
    one.number++;
  } while (one.hit);
  assert_int_equal(number_of_next(one.session), 2);
  identity_session_close(one.session);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test_setup(no_allocation_of_a_refresh_costs_the_pair, reset),
    cmocka_unit_test_setup(no_allocation_of_a_login_costs_the_pair, reset),
    cmocka_unit_test_setup(no_allocation_of_a_registration_costs_the_account_or_its_consents, reset),
    cmocka_unit_test_setup(an_event_that_finds_no_memory_stays_and_so_does_what_can_be_explained, reset),
};

SUITE_WITH("memory", tests, start, stop)
