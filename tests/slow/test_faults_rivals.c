/* Faults 17 and 18. Several processes on one store, for long. */
#include "support/judge.h"
#include "support/rivals.h"
#include "support/stage.h"
#include "support/worker.h"

#define MAIL "jo@example.com"

/* `exp` and Date count whole seconds: of a JWT of 4 s, 3 are certain, and that is when it is replaced. The
 * pause makes the run outlast several of them. */
enum { PROCESSES = 8, ROTATIONS = 1000, BATCH = 10, MOST_BATCHES = 2000, JWT_LIFE_S = 4, PAUSE_MS = 500 };

static worker family[PROCESSES];

static int reset_with_customer(void **state) {
  (void)reset(state);
  identity_session *session = service_open(&server, "setup");
  service_register(session, MAIL);
  identity_session_close(session);
  return 0;
}

/* A test that failed leaves nobody behind who goes on refreshing. */
static int kill_family(void **state) {
  (void)state;
  for (int i = 0; i < PROCESSES; i++)
    worker_kill(&family[i]);
  return 0;
}

/* ---- 17 ---- */

/* Half of them ask for a rotation, the others find their JWT over in the middle of a call. */
static const char *work_of(int process) {
  return process % 2 == 0 ? "repeat 10 refresh" : "repeat 10 fetch";
}

static int rotations_of(int *refused) {
  judged seen = judge_refreshes(&server);
  *refused = seen.refused;
  return seen.rotated;
}

static void start_family(void) {
  char settings[32];
  snprintf(settings, sizeof settings, "{\"jwt_life\":%d}", JWT_LIFE_S);
  service_send(&server, "PUT", "settings", settings);
  for (int i = 0; i < PROCESSES; i++)
    worker_start(&family[i], NULL);
  (void)worker_open(&family[0], &server, "family", 30000);
  assert_int_equal(worker_ask(&family[0], "login " MAIL).status, IDENTITY_OK);
  for (int i = 1; i < PROCESSES; i++)
    assert_int_equal(worker_open(&family[i], &server, "family", 30000).state, IDENTITY_STATE_ACTIVE);
}

static void check(int process, const worker_answer *answer, int later[PROCESSES]) {
  const int *counts = answer->counts;
  later[process] += counts[IDENTITY_CLASS_RETRY_LATER];
  if (counts[IDENTITY_CLASS_OK] + counts[IDENTITY_CLASS_RETRY_LATER] != BATCH)
    fail_msg("process %d: %s, state %d, reason %d", process, identity_status_name(answer->status),
             (int)answer->state, (int)answer->reason);
}

static void fault_17_eight_processes_rotate_one_family_a_thousand_times(void **state) {
  (void)state;
  worker_answer answer;
  int later[PROCESSES] = {0};
  int refused = 0, rotated = 0, batches = 0;
  start_family();
  for (; rotated < ROTATIONS && refused == 0 && batches < MOST_BATCHES; batches++) {
    for (int i = 0; i < PROCESSES; i++)
      worker_tell(&family[i], work_of(i));
    for (int i = 0; i < PROCESSES; i++) {
      assert_true(worker_hear(&family[i], &answer, 10 * WORKER_PATIENCE_MS));
      check(i, &answer, later);
    }
    service_pause_ms(PAUSE_MS);
    rotated = rotations_of(&refused);
  }
  judged seen = judge_refreshes(&server);
  printf("          %d rotations by %d processes, %d POSTs, %d refused, %d sent twice; told to come later:",
         seen.rotated, PROCESSES, seen.sent, seen.refused, seen.repeated);
  for (int i = 0; i < PROCESSES; i++)
    printf(" %d", later[i]);
  printf("\n");
  assert_true(seen.rotated >= ROTATIONS);
  assert_int_equal(seen.refused, 0);
  assert_int_equal(seen.repeated, 0);
  for (int i = 0; i < PROCESSES; i++) {
    assert_int_equal(worker_ask(&family[i], "fetch").status, IDENTITY_OK);
    worker_quit(&family[i]);
  }
  assert_int_equal(service_valid_refresh_tokens(&server, MAIL),
                   2); /* the family's, and that of the registration */
}

/* ---- 18 ---- */

/* IDENTITY_TEST_STORE_SECONDS: how long; 60. */
static void fault_18_a_writer_and_readers_of_one_store_never_see_a_torn_record(void **state) {
  (void)state;
  const char *given = getenv("IDENTITY_TEST_STORE_SECONDS");
  int seconds = given != NULL ? atoi(given) : 60;
  assert_true(seconds > 0);
  rivals_run(&server, MAIL, 1000 * seconds);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test_setup_teardown(fault_17_eight_processes_rotate_one_family_a_thousand_times,
                                    reset_with_customer, kill_family),
    cmocka_unit_test_setup(fault_18_a_writer_and_readers_of_one_store_never_see_a_torn_record,
                           reset_with_customer),
};

SUITE_WITH("slow faults: rivals", tests, start, stop)
