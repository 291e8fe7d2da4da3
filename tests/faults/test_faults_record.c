/* Faults 18 and 21. The record of a slot under writers and readers, and when it is damaged. */
#include "support/judge.h"
#include "support/rivals.h"
#include "support/slot.h"
#include "support/stage.h"
#include "support/worker.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAIL "jo@example.com"

static int reset_with_customer(void **state) {
  (void)reset(state);
  identity_session *session = service_open(&server, "setup");
  service_register(session, MAIL);
  identity_session_close(session);
  return 0;
}

/* The long run of this is in the slow tests. */
static void fault_18_a_writer_and_readers_of_one_store_never_see_a_torn_record(void **state) {
  (void)state;
  rivals_run(&server, MAIL, judge_runs_slowly() ? 500 : 2000);
}

/* ---- 21: the secret is lost ---- */

typedef struct damage {
  const char *name;
  int32_t state;   /* that a fresh handle finds */
  int first, last; /* halves: 0 and 1 */
  off_t at;        /* in the half */
  size_t length;   /* how many bytes are inverted */
} damage;

/* The size of a half is that of the file by two. */
static void invert(const char *path, const damage *how) {
  struct stat facts;
  char byte;
  int file = open(path, O_RDWR | O_CLOEXEC);
  assert_true(file >= 0);
  assert_int_equal(fstat(file, &facts), 0);
  for (int half = how->first; half <= how->last; half++)
    for (size_t i = 0; i < how->length; i++) {
      off_t at = half * (facts.st_size / 2) + how->at + (off_t)i;
      assert_int_equal(pread(file, &byte, 1, at), 1);
      byte = (char)~byte;
      assert_int_equal(pwrite(file, &byte, 1, at), 1);
    }
  close(file);
}

static void stands_after(const damage *how) {
  char store[32];
  static int number;
  snprintf(store, sizeof store, "damaged-%d", number++);
  identity_session *session = service_open_stored(&server, "viewer", store);
  assert_int_equal(service_login(session, MAIL, TEST_PASSWORD, NULL), IDENTITY_OK);
  assert_int_equal(identity_session_refresh(session, NULL), IDENTITY_OK);
  identity_session_close(session);
  char *path = slot_path(&server, store);
  invert(path, how);
  int sent = judge_refreshes(&server).sent;
  session = service_open_stored(&server, "viewer", store);
  if (service_state_of(session) != how->state)
    fail_msg("%s: the state is %d", how->name, (int)service_state_of(session));
  if (how->state == IDENTITY_STATE_REAUTH_REQUIRED) {
    assert_int_equal(service_reason_of(session), IDENTITY_REASON_STORE_LOST);
    assert_int_equal(service_fetch(session, NULL), IDENTITY_SESSION_ENDED);
    assert_int_equal(identity_session_refresh(session, NULL), IDENTITY_SESSION_ENDED);
    assert_int_equal(judge_refreshes(&server).sent, sent); /* nothing of what was there is sent */
    assert_int_equal(service_login(session, MAIL, TEST_PASSWORD, NULL), IDENTITY_OK);
  }
  identity_session_close(session);
  session = service_open_stored(&server, "viewer", store); /* the login has overwritten it */
  assert_int_equal(service_state_of(session), IDENTITY_STATE_ACTIVE);
  identity_session_close(session);
  free(path);
}

static void fault_21_a_record_that_is_lost_for_good_asks_for_a_login_which_overwrites_it(void **state) {
  (void)state;
  static const damage rows[] = {
      {"one bit of both texts", IDENTITY_STATE_REAUTH_REQUIRED, 0, 1, 100, 1},
      {"both checksums", IDENTITY_STATE_REAUTH_REQUIRED, 0, 1, 16, 4},
      {"both sequence numbers", IDENTITY_STATE_REAUTH_REQUIRED, 0, 1, 8, 8},
      {"both lengths", IDENTITY_STATE_REAUTH_REQUIRED, 0, 1, 4, 4},
      {"both magic numbers", IDENTITY_STATE_REAUTH_REQUIRED, 0, 1, 0, 4},
      {"the first kilobyte of both", IDENTITY_STATE_REAUTH_REQUIRED, 0, 1, 0, 1024},
  };
  for (size_t i = 0; i < ROWS(rows); i++)
    stands_after(&rows[i]);
}

/* The two halves hold the record and the one before; one of the two may go. What the older one says is not
 * the newest truth, but the viewer is signed in, and the service decides. */
static void fault_21_one_damaged_half_signs_nobody_out(void **state) {
  (void)state;
  for (int half = 0; half < 2; half++) {
    char store[32];
    damage how = {"one half", IDENTITY_STATE_ACTIVE, half, half, 100, 64};
    snprintf(store, sizeof store, "half-%d", half);
    identity_session *session = service_open_stored(&server, "viewer", store);
    assert_int_equal(service_login(session, MAIL, TEST_PASSWORD, NULL), IDENTITY_OK);
    identity_session_close(session);
    char *path = slot_path(&server, store);
    invert(path, &how);
    session = service_open_stored(&server, "viewer", store);
    assert_int_equal(service_state_of(session), IDENTITY_STATE_ACTIVE);
    assert_int_equal(service_fetch(session, NULL), IDENTITY_OK);
    assert_int_equal(identity_session_refresh(session, NULL), IDENTITY_OK); /* a login is in both */
    identity_session_close(session);
    session = service_open_stored(&server, "viewer", store);
    assert_int_equal(service_state_of(session), IDENTITY_STATE_ACTIVE);
    assert_int_equal(identity_session_refresh(session, NULL), IDENTITY_OK);
    identity_session_close(session);
    free(path);
  }
  assert_int_equal(judge_refreshes(&server).refused, 0);
}

/* The handle that still holds the pair is the last copy there is. */
static void fault_21_what_another_process_destroys_is_written_anew_from_memory(void **state) {
  (void)state;
  worker app;
  damage how = {"everything", IDENTITY_STATE_REAUTH_REQUIRED, 0, 1, 0, 2048};
  worker_start(&app, NULL);
  (void)worker_open(&app, &server, "destroyed", 10000);
  assert_int_equal(worker_ask(&app, "login " MAIL).status, IDENTITY_OK);
  char *path = slot_path(&server, "destroyed");
  invert(path, &how);
  assert_int_equal(worker_ask(&app, "refresh").status, IDENTITY_OK);
  worker_kill(&app);
  identity_session *session = service_open_stored(&server, "viewer", "destroyed");
  assert_int_equal(service_state_of(session), IDENTITY_STATE_ACTIVE);
  assert_int_equal(identity_session_refresh(session, NULL), IDENTITY_OK);
  assert_int_equal(judge_refreshes(&server).refused, 0);
  identity_session_close(session);
  free(path);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test_setup(fault_18_a_writer_and_readers_of_one_store_never_see_a_torn_record,
                           reset_with_customer),
    cmocka_unit_test_setup(fault_21_a_record_that_is_lost_for_good_asks_for_a_login_which_overwrites_it,
                           reset_with_customer),
    cmocka_unit_test_setup(fault_21_one_damaged_half_signs_nobody_out, reset_with_customer),
    cmocka_unit_test_setup(fault_21_what_another_process_destroys_is_written_anew_from_memory,
                           reset_with_customer),
};

SUITE_WITH("faults: the record", tests, start, stop)
