#include "support/tracer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { ATTACH_MS = 10000, NOT_FOUND = 127 };

static void become_strace(const char *log, pid_t watched, const char *inject) {
  char number[16];
  char tampering[256];
  snprintf(number, sizeof number, "%d", (int)watched);
  snprintf(tampering, sizeof tampering, "inject=%s", inject != NULL ? inject : "none");
  int silence = open("/dev/null", O_RDWR | O_CLOEXEC);
  (void)dup2(silence, STDERR_FILENO);
  if (inject != NULL)
    execlp("strace", "strace", "-f", "-q", "-o", log, "-e", tampering, "-p", number, (char *)NULL);
  else
    execlp("strace", "strace", "-f", "-q", "-o", log, "-p", number, (char *)NULL);
  _exit(NOT_FOUND);
}

/* Whether each thread of the process has this tracer. */
static bool is_attached(pid_t watched) {
  char path[64];
  char line[128];
  int by = 0;
  snprintf(path, sizeof path, "/proc/%d/status", (int)watched);
  FILE *file = fopen(path, "r");
  if (file == NULL)
    return false;
  while (fgets(line, sizeof line, file) != NULL)
    if (sscanf(line, "TracerPid: %d", &by) == 1)
      break;
  fclose(file);
  return by != 0;
}

void tracer_start(tracer *self, const worker *watched, const service *server, const char *inject) {
  static int number;
  int status = 0;
  snprintf(self->log, sizeof self->log, "%s/strace-%d.log", server->directory, number++);
  self->process = fork();
  assert_true(self->process >= 0);
  if (self->process == 0)
    become_strace(self->log, watched->runs, inject);
  for (int waited = 0; waited < ATTACH_MS; waited += 2) {
    if (is_attached(watched->runs))
      return;
    if (waitpid(self->process, &status, WNOHANG) == self->process) {
      if (WIFEXITED(status) && WEXITSTATUS(status) == NOT_FOUND)
        fail_msg("strace is missing: make deps-check installs it (package strace)");
      self->process = 0;
      if (worker_is_gone(watched)) /* killed as soon as it was watched */
        return;
      fail_msg("strace ended with %d: may processes be traced here?", status);
    }
    service_pause_ms(2);
  }
  fail_msg("strace did not take hold of the worker");
}

void tracer_stop(tracer *self) {
  if (self->process == 0)
    return;
  (void)kill(self->process, SIGINT);
  assert_int_equal(waitpid(self->process, NULL, 0), self->process);
}

/* "1234  pwrite64(9, ..." */
static bool read_call(const char *line, traced_call *call) {
  return sscanf(line, "%*d %31[a-z0-9_](", call->name) == 1 && strchr(line, '(') != NULL;
}

int tracer_calls(const tracer *self, traced_call calls[], int capacity) {
  char line[WORKER_LINE];
  int count = 0;
  FILE *file = fopen(self->log, "r");
  assert_non_null(file);
  while (fgets(line, sizeof line, file) != NULL) {
    assert_true(count < capacity);
    traced_call *call = &calls[count];
    if (!read_call(line, call))
      continue;
    call->ordinal = 1;
    for (int i = 0; i < count; i++)
      call->ordinal += strcmp(calls[i].name, call->name) == 0;
    count++;
  }
  fclose(file);
  return count;
}
