#include "support/worker.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#if defined(__linux__)
#include <sys/prctl.h>
#endif

enum { MOST_ARGUMENTS = 32, POLL_MS = 5, STILL_MS = 100, STOP_MS = 10000 };

/* ---- the process ---- */

static void become_worker(const char *const tool[], int commands, int answers) {
  char self[PATH_MAX] = "";
  const char *arguments[MOST_ARGUMENTS + 3];
  size_t count = 0;
  if (readlink("/proc/self/exe", self, sizeof self - 1) <= 0)
    _exit(126);
  for (; tool != NULL && tool[count] != NULL && count < MOST_ARGUMENTS; count++)
    arguments[count] = tool[count];
  arguments[count++] = self;
  arguments[count++] = "--worker";
  arguments[count] = NULL;
#if defined(__linux__)
  (void)prctl(PR_SET_PDEATHSIG, SIGKILL); /* a failed test leaves nothing behind */
#endif
  (void)dup2(commands, STDIN_FILENO);
  (void)dup2(answers, STDOUT_FILENO);
  execvp(arguments[0], (char *const *)(uintptr_t)arguments);
  _exit(127);
}

/* A line without its end; false: none in time, or no more. */
static bool read_line(worker *self, char line[WORKER_LINE], int patience_ms) {
  int64_t ends = service_now_ms() + patience_ms;
  for (;;) {
    char *end = memchr(self->unread, '\n', self->unread_length);
    if (end != NULL) {
      size_t length = (size_t)(end - self->unread);
      memcpy(line, self->unread, length);
      line[length] = '\0';
      self->unread_length -= length + 1;
      memmove(self->unread, end + 1, self->unread_length);
      return true;
    }
    struct pollfd one = {self->answers, POLLIN, 0};
    int64_t left = ends - service_now_ms();
    if (left <= 0 || self->unread_length == sizeof self->unread)
      return false;
    if (poll(&one, 1, (int)left) <= 0)
      continue;
    ssize_t step =
        read(self->answers, self->unread + self->unread_length, sizeof self->unread - self->unread_length);
    if (step <= 0)
      return false;
    self->unread_length += (size_t)step;
  }
}

void worker_start(worker *self, const char *const tool[]) {
  char line[WORKER_LINE];
  int commands[2], answers[2], runs = 0;
  memset(self, 0, sizeof *self);
  assert_int_equal(pipe2(commands, O_CLOEXEC), 0);
  assert_int_equal(pipe2(answers, O_CLOEXEC), 0);
  self->process = fork();
  assert_true(self->process >= 0);
  if (self->process == 0)
    become_worker(tool, commands[0], answers[1]);
  close(commands[0]);
  close(answers[1]);
  self->commands = commands[1];
  self->answers = answers[0];
  if (!read_line(self, line, WORKER_PATIENCE_MS) || sscanf(line, "here %d", &runs) != 1)
    fail_msg("a worker did not start");
  self->runs = runs;
}

void worker_tell(worker *self, const char *command) {
  char line[WORKER_LINE];
  int length = snprintf(line, sizeof line, "%s\n", command);
  assert_true(length > 0 && length < WORKER_LINE);
  /* One that has been killed may not have been noticed yet: its answer will be missed. */
  void (*before)(int) = signal(SIGPIPE, SIG_IGN);
  ssize_t put = write(self->commands, line, (size_t)length);
  (void)signal(SIGPIPE, before);
  assert_true(put == length || (put < 0 && errno == EPIPE));
}

bool worker_hear(worker *self, worker_answer *answer, int patience_ms) {
  char line[WORKER_LINE];
  int *counts = answer->counts;
  int used = 0;
  memset(answer, 0, sizeof *answer);
  if (!read_line(self, line, patience_ms))
    return false;
  int found = sscanf(line, "%" SCNd32 " %" SCNd32 " %" SCNd32 " %" SCNd32 " %" SCNd64 " %" SCNd64 " %d%n",
                     &answer->status, &answer->state, &answer->reason, &answer->not_persisted,
                     &answer->retry_after_ms, &answer->took_ms, &answer->went_back, &used);
  const char *rest = line + used;
  for (int i = 0; i < WORKER_CLASSES && found == 7; i++) {
    char *end = NULL;
    counts[i] = (int)strtol(rest, &end, 10);
    rest = end;
  }
  if (found != 7)
    fail_msg("a worker said \"%s\"", line);
  return true;
}

worker_answer worker_ask(worker *self, const char *command) {
  worker_answer answer;
  worker_tell(self, command);
  if (!worker_hear(self, &answer, WORKER_PATIENCE_MS))
    fail_msg("a worker did not answer \"%s\"", command);
  return answer;
}

worker_answer worker_open(worker *self, const service *server, const char *store, int timeout_ms) {
  char command[WORKER_LINE];
  snprintf(command, sizeof command, "open %s %s/%s viewer %d", server->base_url, server->directory, store,
           timeout_ms);
  worker_answer answer = worker_ask(self, command);
  assert_int_equal(answer.status, IDENTITY_OK);
  return answer;
}

/* ---- signals ---- */

/* The letter of /proc/PID/stat that stands behind the name, which may hold anything. */
static char process_state(pid_t process) {
  char path[64];
  char line[512] = "";
  snprintf(path, sizeof path, "/proc/%d/stat", (int)process);
  FILE *file = fopen(path, "r");
  if (file == NULL)
    return 'X';
  bool there = fgets(line, sizeof line, file) != NULL;
  fclose(file);
  const char *name_end = strrchr(line, ')');
  return there && name_end != NULL && name_end[1] == ' ' ? name_end[2] : 'X';
}

/* Under a tool a process stands still for a moment at each system call: that does not count. */
void worker_await_stop(const worker *self) {
  int still = 0;
  for (int waited = 0; waited < STOP_MS && still < STILL_MS; waited += POLL_MS) {
    char now = process_state(self->runs);
    still = now == 'T' || now == 't' ? still + POLL_MS : 0;
    service_pause_ms(POLL_MS);
  }
  if (still < STILL_MS)
    fail_msg("process %d did not stop", (int)self->runs);
}

void worker_stop(const worker *self) {
  assert_int_equal(kill(self->runs, SIGSTOP), 0);
  worker_await_stop(self);
}

void worker_continue(const worker *self) {
  assert_int_equal(kill(self->runs, SIGCONT), 0);
}

bool worker_is_gone(const worker *self) {
  char now = process_state(self->runs);
  return now == 'X' || now == 'Z';
}

static int await_end(worker *self) {
  int status = 0;
  close(self->commands);
  assert_int_equal(waitpid(self->process, &status, 0), self->process);
  close(self->answers);
  self->process = self->runs = 0;
  return status;
}

void worker_kill(worker *self) {
  if (self->process == 0)
    return;
  assert_true(kill(self->runs, SIGKILL) == 0 || errno == ESRCH);
  (void)await_end(self);
}

void worker_quit(worker *self) {
  worker_tell(self, "quit");
  int status = await_end(self);
  assert_true(WIFEXITED(status));
  assert_int_equal(WEXITSTATUS(status), 0);
}
