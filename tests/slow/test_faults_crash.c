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
  char command[160];
  (void)reset(state);
  snprintf(command, sizeof command, "rm -rf '%s'/login-* '%s'/refresh-*", server.directory, server.directory);
  assert_int_equal(system(command), 0);
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

/* The calls of an undisturbed run, and what became of the run that was killed in each. */
static traced_call calls[MOST_CALLS];
static struct crash {
  bool killed;
  bool rotated; /* the service had taken its refresh token */
} crashes[MOST_CALLS];

static void name_store(char store[32], const char *what, int n) {
  snprintf(store, 32, "%s-%d", what, n);
}

/* A worker before the command: for a refresh, signed in. */
static void prepare(worker *app, const char *command, int n) {
  char store[32];
  name_store(store, command[0] == 'l' ? "login" : "refresh", n);
  worker_start(app, NULL);
  (void)worker_open(app, &server, store, TIMEOUT_MS);
  if (command[0] != 'l')
    assert_int_equal(worker_ask(app, "login " MAIL).status, IDENTITY_OK);
}

static int calls_of(const char *command) {
  worker app;
  tracer strace;
  prepare(&app, command, MOST_CALLS);
  tracer_start(&strace, &app, &server, NULL);
  assert_int_equal(worker_ask(&app, command).status, IDENTITY_OK);
  tracer_stop(&strace);
  worker_quit(&app);
  return tracer_calls(&strace, calls, MOST_CALLS);
}

/* False: it came through, this time there were fewer calls of this name. */
static bool kill_at(worker *app, const char *command, const traced_call *at) {
  tracer strace;
  worker_answer answer;
  char inject[96];
  snprintf(inject, sizeof inject, "%s:signal=KILL:when=%d", at->name, at->ordinal);
  tracer_start(&strace, app, &server, inject);
  worker_tell(app, command);
  bool answered = worker_hear(app, &answer, DIES_MS);
  bool killed = !answered;
  for (int waited = 0; waited < 50 && !killed; waited += 5) { /* or in what it does after its answer */
    service_pause_ms(5);
    killed = worker_is_gone(app);
  }
  tracer_stop(&strace);
  (void)remove(strace.log);
  worker_kill(app);
  if (answered)
    assert_int_equal(answer.status, IDENTITY_OK);
  return killed;
}

static void fail_at(int n, const char *what, identity_status status, identity_session *session) {
  fail_msg("killed at call %d, %s number %d%s: %s %s, state %d, reason %d", n, calls[n].name,
           calls[n].ordinal, crashes[n].rotated ? ", rotated" : "", what, identity_status_name(status),
           (int)service_state_of(session), (int)service_reason_of(session));
}

static void fault_19_killed_at_each_call_of_a_sign_in(void **state) {
  (void)state;
  int killed = 0, in = 0;
  int count = calls_of("login " MAIL);
  for (int n = 0; n < count; n++) {
    worker app;
    char store[32];
    prepare(&app, "login " MAIL, n);
    killed += kill_at(&app, "login " MAIL, &calls[n]);
    name_store(store, "login", n);
    identity_session *session = service_open_stored(&server, "viewer", store);
    int32_t stands = service_state_of(session);
    bool before =
        stands == IDENTITY_STATE_SIGNED_OUT && service_reason_of(session) == IDENTITY_REASON_NEVER_SIGNED_IN;
    if (!before && stands != IDENTITY_STATE_ACTIVE)
      fail_at(n, "opened", IDENTITY_OK, session);
    if (before)
      assert_int_equal(service_login(session, MAIL, TEST_PASSWORD, NULL), IDENTITY_OK);
    in += !before;
    assert_int_equal(service_fetch(session, NULL), IDENTITY_OK);
    identity_session_close(session);
  }
  printf("          a sign-in of %d system calls, killed at %d of them: %d times signed in, else as before\n",
         count, killed, in);
  assert_true(count > 20 && killed > count * 3 / 4);
  assert_true(in > 0 && in < count);
}

/* Each waits for the lease of the dead and tries again. */
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

/* How many calls there were. */
static int crash_refreshes(void) {
  int count = calls_of("refresh");
  for (int n = 0; n < count; n++) {
    worker app;
    char store[32];
    prepare(&app, "refresh", n);
    int before = judge_refreshes(&server).rotated;
    crashes[n].killed = kill_at(&app, "refresh", &calls[n]);
    crashes[n].rotated = judge_refreshes(&server).rotated > before;
    name_store(store, "refresh", n);
    identity_session *session = service_open_stored(&server, "viewer", store);
    int32_t stands = service_state_of(session);
    if (stands != IDENTITY_STATE_ACTIVE && stands != IDENTITY_STATE_STALE &&
        stands != IDENTITY_STATE_REFRESHING)
      fail_at(n, "opened", IDENTITY_OK, session);
    assert_int_equal(service_fetch(session, NULL), IDENTITY_OK); /* the JWT lives */
    identity_session_close(session);
  }
  return count;
}

typedef struct settled {
  int killed;
  int rotated; /* among them */
  int lost;    /* to a rotation that the service had made and the dead had not stored */
} settled;

static settled settle_refreshes(int count) {
  settled sum = {0};
  for (int n = 0; n < count; n++) {
    char store[32];
    name_store(store, "refresh", n);
    identity_session *session = service_open_stored(&server, "viewer", store);
    identity_status status = refresh_at_last(session);
    bool lost = status == IDENTITY_SESSION_ENDED && crashes[n].rotated && crashes[n].killed &&
                service_reason_of(session) == IDENTITY_REASON_LOST_ROTATION;
    if (status != IDENTITY_OK && !lost)
      fail_at(n, "the refresh after it says", status, session);
    sum.killed += crashes[n].killed;
    sum.rotated += crashes[n].killed && crashes[n].rotated;
    sum.lost += lost;
    identity_session_close(session);
  }
  printf("          a refresh of %d system calls, killed at %d of them, %d after the rotation: LOST_ROTATION "
         "%d\n",
         count, sum.killed, sum.rotated, sum.lost);
  assert_true(count > 20 && sum.killed > count * 3 / 4);
  return sum;
}

static void fault_19_killed_at_each_call_of_a_refresh(void **state) {
  (void)state;
  settled sum = settle_refreshes(crash_refreshes());
  assert_true(sum.lost < sum.rotated); /* what was committed before the end is kept */
}

static void fault_19_killed_at_each_call_of_a_refresh_with_a_grace_period_nobody_is_lost(void **state) {
  (void)state;
  service_send(&server, "PUT", "settings", "{\"grace\":3600}");
  assert_int_equal(settle_refreshes(crash_refreshes()).lost, 0);
}

/* ---- calls that fail ---- */

/* How often a refresh makes calls of this name. */
static int calls_of_a_refresh(worker *app, const char *name) {
  tracer strace;
  int count = 0;
  tracer_start(&strace, app, &server, NULL);
  assert_int_equal(worker_ask(app, "refresh").status, IDENTITY_OK);
  tracer_stop(&strace);
  int all = tracer_calls(&strace, calls, MOST_CALLS);
  for (int i = 0; i < all; i++)
    count += strcmp(calls[i].name, name) == 0;
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
    int most = calls_of_a_refresh(&app, faults[i][0]);
    assert_true(most > 1);
    for (int n = 1; n <= most; n++) {
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
