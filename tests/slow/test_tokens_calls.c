/* A JWT that is at hand costs no system call but, where the kernel gives no other way, the clock's: thousands
 * of them in a process that strace watches. Fails where strace is missing (make deps-check). */
#include "support/judge.h"
#include "support/stage.h"
#include "support/tracer.h"

#define MANY "5000"

enum { TIMES = 5000 };

/* Between them the process is in our hands. */
static const char *const ours[] = {"read(0,", "write(1,", "restart_syscall("};
/* The clock, and what memory that is never used again costs a sanitizer. */
static const char *const clocks[] = {"clock_gettime("};
static const char *const sanitizers[] = {"mmap(", "munmap(", "madvise(", "mremap(", "brk("};

static bool is_one_of(const char *line, const char *const names[], size_t count) {
  for (size_t i = 0; i < count; i++)
    if (strstr(line, names[i]) != NULL)
      return true;
  return false;
}

/* What the log names besides; the reads and writes of the commands are counted, so that an empty log is no
 * proof. */
static int foreign_calls(const tracer *watcher, bool show, int *commands) {
  char line[WORKER_LINE];
  int foreign = 0;
  FILE *file = fopen(watcher->log, "r");
  assert_non_null(file);
  *commands = 0;
  while (fgets(line, sizeof line, file) != NULL) {
    if (strchr(line, '(') == NULL)
      continue;
    bool slow = judge_runs_slowly() && is_one_of(line, sanitizers, ROWS(sanitizers));
    bool mine = is_one_of(line, ours, ROWS(ours));
    *commands += strstr(line, "write(1,") != NULL;
    if (mine || slow || is_one_of(line, clocks, ROWS(clocks)))
      continue;
    if (show)
      print_message("  %s", line);
    foreign++;
  }
  fclose(file);
  return foreign;
}

static worker_answer watch(worker *app, const char *command, bool show, int *foreign) {
  tracer watcher;
  int commands = 0;
  tracer_start(&watcher, app, &server, NULL);
  worker_answer answer = worker_ask(app, command);
  tracer_stop(&watcher);
  *foreign = foreign_calls(&watcher, show, &commands);
  assert_int_equal(answer.status, IDENTITY_OK);
  assert_true(commands >= 1);
  return answer;
}

static void a_jwt_at_hand_costs_no_system_call(void **state) {
  (void)state;
  worker app;
  int foreign = 0;
  identity_session *session = service_open(&server, "elsewhere");
  service_register(session, "jo@example.com");
  identity_session_close(session);
  worker_start(&app, NULL);
  assert_int_equal(worker_open(&app, &server, "store", 30000).status, IDENTITY_OK);
  assert_int_equal(worker_ask(&app, "login jo@example.com").status, IDENTITY_OK);
  assert_int_equal(worker_ask(&app, "repeat " MANY " tokens").status, IDENTITY_OK); /* memory is warm */
  worker_answer answer = watch(&app, "repeat " MANY " tokens", true, &foreign);
  assert_int_equal(answer.counts[IDENTITY_CLASS_OK], TIMES);
  assert_int_equal(foreign, 0);
  (void)watch(&app, "fetch", false, &foreign); /* it does watch */
  assert_true(foreign > 0);
  worker_quit(&app);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test_setup(a_jwt_at_hand_costs_no_system_call, reset),
};

SUITE_WITH("tokens under strace", tests, start, stop)
