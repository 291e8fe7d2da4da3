/* The tests' own support: a stand-in service ends with the process that started it, however that ends. */
#include "support/service.h"
#include "support/suite.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PATIENCE_MS = 10000 };

enum { BY_EXIT, BY_KILL, BY_ABORT };

/* A test program of its own, that starts two services and stops none. */
static void run_and_end(int how, int report) {
  service services[2];
  for (int i = 0; i < 2; i++)
    service_start(&services[i], SERVICE_HTTP, NULL);
  if (write(report, services, sizeof services) != (ssize_t)sizeof services)
    _exit(1);
  if (how == BY_EXIT)
    exit(1);
  (void)signal(SIGABRT, SIG_DFL);
  raise(how == BY_KILL ? SIGKILL : SIGABRT);
}

/* Orphans come to us (PR_SET_CHILD_SUBREAPER): they are waited for like children. */
static void assert_gone(pid_t process) {
  for (int waited = 0; waited < PATIENCE_MS; waited += 10) {
    if (waitpid(process, NULL, WNOHANG) == process || kill(process, 0) != 0)
      return;
    service_pause_ms(10);
  }
  kill(process, SIGKILL);
  fail_msg("process %d still runs", (int)process);
}

static void ends(int how) {
  int report[2];
  service services[2];
  assert_int_equal(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
  assert_int_equal(pipe(report), 0);
  fflush(NULL);
  pid_t child = fork();
  assert_true(child >= 0);
  if (child == 0)
    run_and_end(how, report[1]);
  close(report[1]);
  ssize_t length = read(report[0], services, sizeof services);
  close(report[0]);
  assert_int_equal(length, sizeof services);
  assert_int_equal(waitpid(child, NULL, 0), child);
  for (int i = 0; i < 2; i++) {
    struct stat facts;
    char command[100];
    assert_gone(services[i].process);
    if (how == BY_EXIT)
      assert_int_not_equal(stat(services[i].directory, &facts), 0);
    snprintf(command, sizeof command, "rm -rf '%s'", services[i].directory);
    assert_int_equal(system(command), 0);
  }
}

static void services_end_with_a_process_that_exits(void **state) {
  (void)state;
  ends(BY_EXIT);
}

static void services_end_with_a_process_that_is_killed(void **state) {
  (void)state;
  ends(BY_KILL);
}

static void services_end_with_a_process_that_aborts(void **state) {
  (void)state;
  ends(BY_ABORT);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(services_end_with_a_process_that_exits),
    cmocka_unit_test(services_end_with_a_process_that_is_killed),
    cmocka_unit_test(services_end_with_a_process_that_aborts),
};

SUITE("service ends", tests)
