/* Fault 19. A process is killed at each system call of a sign-in and of a refresh; the calls under the store
 * fail with EIO and ENOSPC; the disk is full. */
#include "support/judge.h"
#include "support/stage.h"
#include "support/tracer.h"
#include "support/worker.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAIL "jo@example.com"

enum { MOST_CALLS = 600, TIMEOUT_MS = 30000, DEAD_OWNER_MS = 10000, DIES_MS = 20000 };

static int reset_with_customer(void **state) {
  (void)reset(state);
  identity_session *session = service_open(&server, "setup");
  service_register(session, MAIL);
  identity_session_close(session);
  return 0;
}

static void signed_in(worker *app, const char *store) {
  worker_start(app, NULL);
  (void)worker_open(app, &server, store, TIMEOUT_MS);
  assert_int_equal(worker_ask(app, "login " MAIL).status, IDENTITY_OK);
}

/* ---- killed at each call ---- */

typedef struct crash {
  identity_session *session; /* that was opened afterwards; NULL: the worker came through */
  bool rotated;              /* the service had taken its refresh token */
  char at[WORKER_LINE];      /* the call it was killed in */
} crash;

static crash crashes[MOST_CALLS];

/* Lets a worker do something and kills it at its n-th system call from there. False: it had fewer. */
static bool kill_at(worker *app, const char *command, int n, char at[WORKER_LINE]) {
  tracer strace;
  worker_answer answer;
  char inject[64];
  snprintf(inject, sizeof inject, "all:signal=KILL:when=%d", n);
  tracer_start(&strace, app, &server, inject);
  worker_tell(app, command);
  bool survived = worker_hear(app, &answer, DIES_MS);
  bool killed = !survived;
  if (survived) /* it may die of its answer, which is the last call and as good as any */
    for (int waited = 0; waited < 20 && !(killed = worker_is_gone(app)); waited += 2)
      service_pause_ms(2);
  tracer_stop(&strace);
  tracer_last(&strace, at);
  (void)remove(strace.log);
  worker_kill(app);
  if (survived && !killed)
    assert_int_equal(answer.status, IDENTITY_OK);
  return killed;
}

static void fault_19_killed_at_each_call_of_a_sign_in(void **state) {
  (void)state;
  int killed = 0, in = 0;
  for (int n = 1; n < MOST_CALLS; n++) {
    worker app;
    char store[32], at[WORKER_LINE];
    snprintf(store, sizeof store, "login-%d", n);
    worker_start(&app, NULL);
    (void)worker_open(&app, &server, store, TIMEOUT_MS);
    if (!kill_at(&app, "login " MAIL, n, at))
      break;
    killed++;
    identity_session *session = service_open_stored(&server, "viewer", store);
    int32_t stands = service_state_of(session);
    if (stands == IDENTITY_STATE_ACTIVE) {
      in++;
      assert_int_equal(service_fetch(session, NULL), IDENTITY_OK);
    } else if (stands != IDENTITY_STATE_SIGNED_OUT ||
               service_reason_of(session) != IDENTITY_REASON_NEVER_SIGNED_IN) {
      fail_msg("killed at call %d (%s): state %d, reason %d", n, at, (int)stands,
               (int)service_reason_of(session));
    } else {
      assert_int_equal(service_login(session, MAIL, TEST_PASSWORD, NULL), IDENTITY_OK);
    }
    identity_session_close(session);
  }
  printf("          killed at %d calls of a sign-in: %d times signed in, else as before\n", killed, in);
  assert_true(killed > 20 && killed < MOST_CALLS - 1);
  assert_true(in > 0 && in < killed);
}

/* Each session waits for the lease of the dead and tries again. */
static identity_status refresh_at_last(identity_session *session) {
  int64_t ends = service_now_ms() + 6 * DEAD_OWNER_MS;
  identity_error error;
  identity_status status = identity_session_refresh(session, &error);
  while (identity_status_class(status) == IDENTITY_CLASS_RETRY_LATER && service_now_ms() < ends) {
    service_pause_ms(error.retry_after_ms > 0 ? (int)error.retry_after_ms + 5 : 100);
    status = identity_session_refresh(session, &error);
  }
  return status;
}

static int crash_refreshes(void) {
  int count = 0;
  for (int n = 1; n < MOST_CALLS; n++) {
    worker app;
    char store[32];
    crash *one = &crashes[count];
    snprintf(store, sizeof store, "refresh-%d", n);
    signed_in(&app, store);
    int before = judge_refreshes(&server).rotated;
    if (!kill_at(&app, "refresh", n, one->at))
      break;
    one->rotated = judge_refreshes(&server).rotated > before;
    one->session = service_open_stored(&server, "viewer", store);
    int32_t stands = service_state_of(one->session);
    if (stands != IDENTITY_STATE_ACTIVE && stands != IDENTITY_STATE_STALE &&
        stands != IDENTITY_STATE_REFRESHING)
      fail_msg("killed at call %d (%s): state %d, reason %d", n, one->at, (int)stands,
               (int)service_reason_of(one->session));
    assert_int_equal(service_fetch(one->session, NULL), IDENTITY_OK); /* the JWT lives */
    count++;
  }
  return count;
}

/* What becomes of them; how many were lost to a rotation that the service had made and the dead had not
 * stored. */
static int settle_refreshes(int count, int *kept, int *rotated) {
  int lost = 0;
  *kept = *rotated = 0;
  for (int i = 0; i < count; i++) {
    identity_session *session = crashes[i].session;
    identity_status status = refresh_at_last(session);
    *rotated += crashes[i].rotated;
    if (status == IDENTITY_OK)
      ++*kept;
    else if (status == IDENTITY_SESSION_ENDED && crashes[i].rotated &&
             service_reason_of(session) == IDENTITY_REASON_LOST_ROTATION)
      lost++;
    else
      fail_msg("killed at call %d (%s), %s: the refresh after it says %s, state %d, reason %d", i + 1,
               crashes[i].at, crashes[i].rotated ? "rotated" : "not rotated", identity_status_name(status),
               (int)service_state_of(session), (int)service_reason_of(session));
    identity_session_close(session);
  }
  return lost;
}

static void fault_19_killed_at_each_call_of_a_refresh(void **state) {
  (void)state;
  int kept, rotated;
  int count = crash_refreshes();
  int lost = settle_refreshes(count, &kept, &rotated);
  printf("          killed at %d calls of a refresh, %d after the rotation: %d kept, LOST_ROTATION %d\n",
         count, rotated, kept, lost);
  assert_true(count > 20 && count < MOST_CALLS - 1);
  assert_true(lost < rotated); /* what was committed before the end is kept */
}

static void fault_19_killed_at_each_call_of_a_refresh_with_a_grace_period_nobody_is_lost(void **state) {
  (void)state;
  int kept, rotated;
  service_send(&server, "PUT", "settings", "{\"grace\":3600}");
  int count = crash_refreshes();
  int lost = settle_refreshes(count, &kept, &rotated);
  printf("          killed at %d calls of a refresh, %d after the rotation, grace period: %d kept, "
         "LOST_ROTATION %d\n",
         count, rotated, kept, lost);
  assert_true(count > 20);
  assert_int_equal(lost, 0);
}

/* ---- calls that fail ---- */

/* How often a refresh makes calls of this name. */
static int calls_of_a_refresh(worker *app, const char *name) {
  tracer strace;
  char line[WORKER_LINE], named[64];
  int count = 0;
  tracer_start(&strace, app, &server, NULL);
  assert_int_equal(worker_ask(app, "refresh").status, IDENTITY_OK);
  tracer_stop(&strace);
  snprintf(named, sizeof named, "%s(", name);
  FILE *file = fopen(strace.log, "r");
  assert_non_null(file);
  while (fgets(line, sizeof line, file) != NULL)
    count += strstr(line, named) != NULL;
  fclose(file);
  return count;
}

/* From the n-th call on they fail, then they work again. What was rotated is in memory and goes to the store
 * then. */
static bool fail_from(worker *app, const char *name, const char *fault, int n) {
  tracer strace;
  char inject[64];
  snprintf(inject, sizeof inject, "%s:error=%s:when=%d+", name, fault, n);
  int before = judge_refreshes(&server).sent;
  tracer_start(&strace, app, &server, inject);
  worker_answer during = worker_ask(app, "refresh");
  worker_answer fetched = worker_ask(app, "fetch");
  tracer_stop(&strace);
  int sent = judge_refreshes(&server).sent - before;
  bool rotated = during.status == IDENTITY_OK;
  if (rotated ? sent != 1 || !during.not_persisted : during.status != IDENTITY_STORE_FAILED || sent != 0)
    fail_msg("%s %s from call %d on: %s, %d sent, not persisted %d", name, fault, n,
             identity_status_name(during.status), sent, (int)during.not_persisted);
  assert_int_equal(fetched.status, IDENTITY_OK);
  assert_int_equal(fetched.not_persisted, rotated);
  fetched = worker_ask(app, "fetch");
  assert_int_equal(fetched.status, IDENTITY_OK);
  assert_int_equal(fetched.not_persisted, 0);
  return rotated;
}

static void fault_19_a_store_that_fails_costs_neither_the_old_pair_nor_the_new(void **state) {
  (void)state;
  static const char *const faults[][2] = {{"fdatasync", "EIO"}, {"pwrite64", "EIO"}, {"pwrite64", "ENOSPC"}};
  for (size_t i = 0; i < ROWS(faults); i++) {
    int held = 0, refused = 0;
    worker app;
    char store[32];
    snprintf(store, sizeof store, "failing-%d", (int)i);
    signed_in(&app, store);
    int calls = calls_of_a_refresh(&app, faults[i][0]);
    assert_true(calls > 1);
    for (int n = 1; n <= calls; n++) {
      if (fail_from(&app, faults[i][0], faults[i][1], n))
        held++;
      else
        refused++;
    }
    worker_kill(&app); /* whatever it held it has stored by now */
    identity_session *session = service_open_stored(&server, "viewer", store);
    assert_int_equal(identity_session_refresh(session, NULL), IDENTITY_OK);
    identity_session_close(session);
    printf(
        "          %s of %s: %d times before anything was sent, %d times the new pair was held in memory\n",
        faults[i][1], faults[i][0], refused, held);
    assert_true(held > 0 && refused > 0);
  }
  assert_int_equal(judge_refreshes(&server).refused, 0);
}

/* ---- a full disk ---- */

static char disk[128];

static int unmount(void **state) {
  (void)state;
  if (disk[0] != '\0')
    (void)umount2(disk, MNT_DETACH);
  disk[0] = '\0';
  return 0;
}

static void fill(const char *path) {
  static const char bytes[4096] = "full";
  int file = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
  assert_true(file >= 0);
  while (write(file, bytes, sizeof bytes) > 0)
    continue;
  assert_int_equal(errno, ENOSPC);
  close(file);
}

/* A real one, where we may mount it. */
static void fill_a_real_disk(void) {
  char filler[160];
  snprintf(disk, sizeof disk, "%s/disk", server.directory);
  snprintf(filler, sizeof filler, "%s/filler", disk);
  assert_int_equal(mkdir(disk, 0700), 0);
  if (mount("tmpfs", disk, "tmpfs", 0, "size=512k,mode=0700") != 0) {
    printf("          no file system may be mounted here: the full disk is only injected\n");
    disk[0] = '\0';
    return;
  }
  identity_session *session = service_open_stored(&server, "viewer", "disk");
  assert_int_equal(service_login(session, MAIL, TEST_PASSWORD, NULL), IDENTITY_OK);
  fill(filler);
  for (int i = 0; i < 5; i++) /* what there is can be written on */
    assert_int_equal(identity_session_refresh(session, NULL), IDENTITY_OK);
  identity_session *other = service_open_stored(&server, "other", "disk");
  int before = service_count(&server, "POST", "/auths", -1);
  assert_int_equal(service_login(other, MAIL, TEST_PASSWORD, NULL), IDENTITY_STORE_FAILED);
  assert_int_equal(service_count(&server, "POST", "/auths", -1), before);
  assert_int_equal(identity_logout(session, NULL), IDENTITY_OK);
  assert_int_equal(unlink(filler), 0);
  assert_int_equal(service_login(other, MAIL, TEST_PASSWORD, NULL), IDENTITY_OK);
  identity_session_close(other);
  identity_session_close(session);
  printf("          a real file system was filled\n");
}

static void fault_19_a_full_disk_stops_no_refresh_and_refuses_a_sign_in_before_it_is_sent(void **state) {
  (void)state;
  tracer strace;
  worker app;
  worker_start(&app, NULL);
  (void)worker_open(&app, &server, "full", TIMEOUT_MS);
  tracer_start(&strace, &app, &server, "fallocate,pwrite64,ftruncate:error=ENOSPC");
  worker_answer answer = worker_ask(&app, "login " MAIL);
  tracer_stop(&strace);
  assert_int_equal(answer.status, IDENTITY_STORE_FAILED);
  assert_int_equal(service_count(&server, "POST", "/auths", -1), 0);
  assert_int_equal(worker_ask(&app, "login " MAIL).status, IDENTITY_OK);
  worker_quit(&app);
  fill_a_real_disk();
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test_setup(fault_19_killed_at_each_call_of_a_sign_in, reset_with_customer),
    cmocka_unit_test_setup(fault_19_killed_at_each_call_of_a_refresh, reset_with_customer),
    cmocka_unit_test_setup(fault_19_killed_at_each_call_of_a_refresh_with_a_grace_period_nobody_is_lost,
                           reset_with_customer),
    cmocka_unit_test_setup(fault_19_a_store_that_fails_costs_neither_the_old_pair_nor_the_new,
                           reset_with_customer),
    cmocka_unit_test_setup_teardown(
        fault_19_a_full_disk_stops_no_refresh_and_refuses_a_sign_in_before_it_is_sent, reset_with_customer,
        unmount),
};

SUITE_WITH("slow faults: crash", tests, start, stop)
