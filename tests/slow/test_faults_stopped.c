/* Faults 20, 27 and 33, the long ones: a store held by a process with a slow disk, a refresh on a half-open
 * connection, and a process that is stopped in mid-refresh while another goes on. What takes more than a
 * minute begins before the first test, so that it runs side by side. */
#include "support/judge.h"
#include "support/relay.h"
#include "support/slot.h"
#include "support/suite.h"
#include "support/tracer.h"
#include "support/worker.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/file.h>
#include <unistd.h>

#define MAIL "jo@example.com"
#define REFRESH "/auths/refresh_token"

/* A lease lasts 75 s; nobody whose owner lives and stands still gets it earlier. */
enum { LEASE_MS = 75000, EARLY_MS = 5000, PATIENCE_MS = 180000, PATIENT_CALL_MS = 150000 };

/* One stand-in service with its customer and two processes on one store. */
typedef struct scene {
  service server;
  worker stopped; /* refreshes, and is stopped in it */
  worker other;   /* asks for a refresh after that */
  tracer strace;
  int64_t begun_ms; /* when the first was stopped */
} scene;

static scene held, lost, unsent;

static void open_scene(scene *at, const char *settings) {
  service_start(&at->server, SERVICE_HTTP, NULL);
  identity_session *session = service_open(&at->server, "setup");
  service_register(session, MAIL);
  identity_session_close(session);
  service_send(&at->server, "PUT", "settings", settings);
  worker_start(&at->stopped, NULL);
  (void)worker_open(&at->stopped, &at->server, "shared", PATIENT_CALL_MS);
  assert_int_equal(worker_ask(&at->stopped, "login " MAIL).status, IDENTITY_OK);
  worker_start(&at->other, NULL);
  assert_int_equal(worker_open(&at->other, &at->server, "shared", PATIENT_CALL_MS).state,
                   IDENTITY_STATE_ACTIVE);
}

static void close_scene(scene *at) {
  worker_quit(&at->stopped);
  worker_quit(&at->other);
  service_stop(&at->server);
}

/* Processed; the answer comes when the process stands still, and lies in its socket. */
static void stop_with_the_answer_in_the_socket(scene *at) {
  service_fault(&at->server, "{\"path\":\"" REFRESH "\",\"after\":true,\"hang\":true}");
  worker_tell(&at->stopped, "refresh");
  judge_await(&at->server, "POST", REFRESH, 1);
  worker_stop(&at->stopped);
  at->begun_ms = service_now_ms();
  service_send(&at->server, "POST", "release", "{}");
  worker_tell(&at->other, "refresh");
}

/* It stands still while it connects: the lease is taken, nothing has been sent. */
static void stop_before_the_body_was_sent(scene *at) {
  service_send(&at->server, "POST", "close-idle", "{}");
  service_pause_ms(50);
  tracer_start(&at->strace, &at->stopped, &at->server, "connect:signal=STOP:when=1");
  worker_tell(&at->stopped, "refresh");
  worker_await_stop(&at->stopped);
  at->begun_ms = service_now_ms();
  assert_int_equal(judge_refreshes(&at->server).sent, 0);
  worker_tell(&at->other, "refresh");
}

static int start(void **state) {
  (void)state;
  open_scene(&held, "{\"grace\":3600}");
  open_scene(&lost, "{\"grace\":0}");
  open_scene(&unsent, "{\"grace\":0}");
  stop_with_the_answer_in_the_socket(&held);
  stop_with_the_answer_in_the_socket(&lost);
  stop_before_the_body_was_sent(&unsent);
  return 0;
}

/* ---- 20: a slow disk under the lock ---- */

static void await_lock(const char *path) {
  for (int waited = 0; waited < 10000; waited += 2) {
    int file = open(path, O_RDWR | O_CLOEXEC);
    int result = flock(file, LOCK_EX | LOCK_NB);
    if (result == 0)
      (void)flock(file, LOCK_UN);
    close(file);
    if (result != 0)
      return;
    service_pause_ms(2);
  }
  fail_msg("the store was never locked");
}

static void fault_20_a_slow_disk_of_one_process_costs_the_others_nothing(void **state) {
  (void)state;
  service server;
  worker slow;
  tracer strace;
  worker_answer answer;
  service_start(&server, SERVICE_HTTP, NULL);
  identity_session *session = service_open_stored(&server, "viewer", "slow");
  service_register(session, MAIL);
  char *path = slot_path(&server, "slow");
  worker_start(&slow, NULL);
  (void)worker_open(&slow, &server, "slow", 60000);
  tracer_start(&strace, &slow, &server, "fdatasync:delay_enter=4000000:when=1");
  worker_tell(&slow, "refresh");
  await_lock(path);
  int64_t begun = service_now_ms();
  assert_int_equal(identity_session_refresh(session, NULL), IDENTITY_STORE_LOCKED);
  assert_in_range(service_now_ms() - begun, 0, 1000 + judge_slack_ms());
  assert_int_equal(service_fetch(session, NULL), IDENTITY_OK); /* the JWT is good */
  identity_session *fresh = service_open_stored(&server, "viewer", "slow");
  assert_int_equal(service_state_of(fresh), IDENTITY_STATE_STORE_BLOCKED); /* neither in nor out */
  assert_true(worker_hear(&slow, &answer, WORKER_PATIENCE_MS));
  assert_int_equal(answer.status, IDENTITY_OK);
  tracer_stop(&strace);
  assert_int_equal(service_fetch(fresh, NULL), IDENTITY_OK);
  assert_int_equal(service_state_of(fresh), IDENTITY_STATE_ACTIVE);
  assert_int_equal(identity_session_refresh(session, NULL), IDENTITY_OK);
  judged seen = judge_refreshes(&server);
  assert_int_equal(seen.repeated, 0);
  assert_int_equal(seen.refused, 0);
  worker_quit(&slow);
  identity_session_close(fresh);
  identity_session_close(session);
  free(path);
  service_stop(&server);
}

/* ---- 27: a refresh on a half-open connection ---- */

static identity_session *open_through(service *server, int port) {
  char base_url[64];
  identity_config *config = service_config(server);
  snprintf(base_url, sizeof base_url, "http://127.0.0.1:%d", port);
  assert_int_equal(identity_config_set_base_url(config, base_url), IDENTITY_OK);
  assert_int_equal(identity_config_set_timeout_ms(config, 5000), IDENTITY_OK);
  return service_open_with(config, "viewer");
}

/* The JWT is over and the refresh lies on a connection that nobody answers: it is given up after its own
 * time, not before its lease is over is the token sent again, and the viewer is signed in all the while. */
static void fault_27_a_refresh_on_a_half_open_connection_is_made_good(void **state) {
  (void)state;
  service server;
  relay between;
  int asked = 0;
  service_start(&server, SERVICE_HTTP, NULL);
  relay_start(&between, server.port);
  identity_session *session = open_through(&server, between.port);
  service_issue_short_jwt(&server, "/customers");
  service_register(session, MAIL);
  service_pause_ms(1050);
  relay_forget(&between);
  int64_t begun = service_now_ms();
  identity_status status = IDENTITY_TIMED_OUT;
  for (; status != IDENTITY_OK && service_now_ms() - begun < PATIENCE_MS; asked++) {
    int64_t called = service_now_ms();
    status = service_fetch(session, NULL);
    assert_in_range(service_now_ms() - called, 0, 5000 + judge_slack_ms());
    if (status != IDENTITY_OK)
      assert_int_equal(identity_status_class(status), IDENTITY_CLASS_RETRY_LATER);
    service_pause_ms(500);
  }
  printf("          signed in again %d ms after the connection died, at call %d\n",
         (int)(service_now_ms() - begun), asked);
  assert_int_equal(status, IDENTITY_OK);
  judged seen = judge_refreshes(&server);
  assert_int_equal(seen.sent, 1);
  assert_int_equal(seen.rotated, 1);
  identity_session_close(session);
  relay_stop(&between);
  service_stop(&server);
}

/* ---- 33: stopped in mid-refresh ---- */

/* The other process has waited for the whole lease. */
static worker_answer hear_other(scene *at) {
  worker_answer answer;
  if (!worker_hear(&at->other, &answer, PATIENCE_MS))
    fail_msg("the other process never came back");
  int64_t after = service_now_ms() - at->begun_ms;
  printf("          the other process: %s after %d ms\n", identity_status_name(answer.status),
         (int)answer.took_ms);
  if (answer.took_ms < LEASE_MS - EARLY_MS)
    fail_msg("it did not wait for the lease of a process that lives: %d ms", (int)answer.took_ms);
  assert_true(after < LEASE_MS + 60000);
  return answer;
}

/* Does it, after whatever wait it is asked for. */
static void succeeds(worker *app, const char *command) {
  int64_t ends = service_now_ms() + 30000;
  worker_answer answer = worker_ask(app, command);
  while (identity_status_class(answer.status) == IDENTITY_CLASS_RETRY_LATER && service_now_ms() < ends) {
    service_pause_ms((int)answer.retry_after_ms + 50);
    answer = worker_ask(app, command);
  }
  if (answer.status != IDENTITY_OK || answer.state != IDENTITY_STATE_ACTIVE)
    fail_msg("%s: %s, state %d, reason %d", command, identity_status_name(answer.status), (int)answer.state,
             (int)answer.reason);
}

/* It goes on and ends up with the newest pair, from the store or its socket; nothing old is sent any more.
 * Its own call is long past its time: that may be told to come later. */
static void go_on(scene *at, int sent) {
  worker_answer answer;
  judged before = judge_refreshes(&at->server);
  assert_int_equal(before.sent, sent);
  worker_continue(&at->stopped);
  assert_true(worker_hear(&at->stopped, &answer, WORKER_PATIENCE_MS));
  int32_t came_out = identity_status_class(answer.status);
  if (came_out != IDENTITY_CLASS_OK && came_out != IDENTITY_CLASS_RETRY_LATER)
    fail_msg("the stopped process: %s, state %d, reason %d", identity_status_name(answer.status),
             (int)answer.state, (int)answer.reason);
  assert_int_equal(judge_refreshes(&at->server).sent, sent); /* what it had begun, it does not send now */
  succeeds(&at->stopped, "fetch");
  succeeds(&at->stopped, "refresh");
  (void)worker_ask(&at->other, "close"); /* one that was told to sign in looks again when it starts anew */
  assert_int_equal(worker_open(&at->other, &at->server, "shared", PATIENT_CALL_MS).state,
                   IDENTITY_STATE_ACTIVE);
  succeeds(&at->other, "refresh");
  succeeds(&at->other, "fetch");
  judged after = judge_refreshes(&at->server);
  assert_int_equal(after.repeated, before.repeated);
  assert_int_equal(after.refused, before.refused);
}

static void fault_33_stopped_before_the_body_was_sent(void **state) {
  (void)state;
  assert_int_equal(hear_other(&unsent).status, IDENTITY_OK);
  go_on(&unsent, 1);
  judged seen = judge_refreshes(&unsent.server);
  assert_int_equal(seen.repeated, 0);
  assert_int_equal(seen.refused, 0);
  tracer_stop(&unsent.strace);
  close_scene(&unsent);
}

static void fault_33_stopped_with_the_answer_in_its_socket_and_a_grace_period(void **state) {
  (void)state;
  assert_int_equal(hear_other(&held).status, IDENTITY_OK);
  go_on(&held, 2);
  assert_int_equal(judge_refreshes(&held.server).refused, 0);
  close_scene(&held);
}

/* Without a grace period the other one is refused: that rotation counts as lost until its owner wakes with
 * the pair. */
static void fault_33_stopped_with_the_answer_in_its_socket_the_late_pair_wins(void **state) {
  (void)state;
  worker_answer other = hear_other(&lost);
  assert_int_equal(other.status, IDENTITY_SESSION_ENDED);
  assert_int_equal(other.state, IDENTITY_STATE_REAUTH_REQUIRED);
  assert_int_equal(other.reason, IDENTITY_REASON_LOST_ROTATION);
  go_on(&lost, 2);
  close_scene(&lost);
}

static int stop(void **state) {
  (void)state;
  scene *all[] = {&held, &lost, &unsent};
  service_assert_no_secret(NULL);
  for (int i = 0; i < 3; i++) { /* of a test that failed */
    if (all[i]->stopped.process > 0) {
      worker_kill(&all[i]->stopped);
      worker_kill(&all[i]->other);
    }
    service_stop(&all[i]->server);
  }
  return 0;
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(fault_20_a_slow_disk_of_one_process_costs_the_others_nothing),
    cmocka_unit_test(fault_27_a_refresh_on_a_half_open_connection_is_made_good),
    cmocka_unit_test(fault_33_stopped_before_the_body_was_sent),
    cmocka_unit_test(fault_33_stopped_with_the_answer_in_its_socket_and_a_grace_period),
    cmocka_unit_test(fault_33_stopped_with_the_answer_in_its_socket_the_late_pair_wins),
};

SUITE_WITH("slow faults: stopped", tests, start, stop)
