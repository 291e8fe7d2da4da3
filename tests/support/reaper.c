#include "support/reaper.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#ifdef __linux__
#include <sys/prctl.h>
#endif
#include <sys/wait.h>
#include <unistd.h>

static struct {
  pid_t process; /* 0: free */
  pid_t owner;
  char directory[64];
} running[16];

enum { MOST_RUNNING = sizeof running / sizeof running[0] };

void reaper_remove(const char *directory) {
  char command[128];
  snprintf(command, sizeof command, "rm -rf '%s'", directory);
  assert_int_equal(system(command), 0);
}

static void end_all(void) {
  for (int i = 0; i < MOST_RUNNING; i++) {
    if (running[i].process <= 0 || running[i].owner != getpid())
      continue;
    kill(running[i].process, SIGKILL);
    waitpid(running[i].process, NULL, 0);
    reaper_remove(running[i].directory);
  }
}

void reaper_watch(pid_t process, const char *directory) {
  static bool registered;
  int place = 0;
  while (place < MOST_RUNNING && running[place].process > 0 && running[place].owner == getpid())
    place++;
  assert_true(place < MOST_RUNNING);
  running[place].process = process;
  running[place].owner = getpid();
  snprintf(running[place].directory, sizeof running[place].directory, "%s", directory);
  if (!registered)
    assert_int_equal(atexit(end_all), 0);
  registered = true;
}

void reaper_forget(pid_t process) {
  for (int i = 0; i < MOST_RUNNING; i++)
    if (running[i].process == process)
      running[i].process = 0;
}

/* A test that is killed, or that a signal ends, runs no end_all. */
void reaper_end_with(pid_t parent) {
#ifdef __linux__
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != parent)
    _exit(127);
#else
  (void)parent;
#endif
}
