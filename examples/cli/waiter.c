/* SPDX-License-Identifier: MIT
 *
 * What happens while the library blocks. One small thread per call shows the progress line and passes Ctrl-C
 * on: identity_session_interrupt takes a lock, so a signal handler must not call it. The handler only writes
 * a byte.
 */
#include "cli.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PROGRESS_AFTER_MS = 1000, INTERRUPT_AGAIN_MS = 100, READ_END = 0, WRITE_END = 1 };

static const int stop_signals[] = {SIGINT, SIGTERM, SIGHUP};
enum { STOP_SIGNAL_COUNT = sizeof stop_signals / sizeof stop_signals[0] };

static const char progress_line[] = "waiting for the service ...";
static const char progress_erase[] = "\r                           \r";

/* One call waits at a time; the handler needs the pipe, and it has no other way to get at it. */
static struct waiter {
  identity_session *session;
  pthread_t thread;
  struct sigaction before[STOP_SIGNAL_COUNT];
  int pipe[2];
  bool wants_progress;
  bool progress_shown;
  bool runs;
} waiter;
static volatile sig_atomic_t stop_asked;
static volatile sig_atomic_t pipe_for_handler = -1;

static void on_stop_signal(int signal_number) {
  const int saved_errno = errno;
  (void)signal_number;
  stop_asked = 1;
  if (write((int)pipe_for_handler, "i", 1) < 0) {
    /* A full or closed pipe: the thread was told already. */
  }
  errno = saved_errno;
}

/* SA_RESETHAND: the second signal of a kind finds the default action, which kills. */
static void catch_signals(void) {
  struct sigaction action;
  memset(&action, 0, sizeof action);
  action.sa_handler = on_stop_signal;
  action.sa_flags = (int)(SA_RESTART | SA_RESETHAND);
  sigemptyset(&action.sa_mask);
  for (int i = 0; i < STOP_SIGNAL_COUNT; i++) {
    sigaction(stop_signals[i], NULL, &waiter.before[i]);
    if (waiter.before[i].sa_handler != SIG_IGN) /* ignored on purpose: nohup, a background job */
      sigaction(stop_signals[i], &action, NULL);
  }
}

static void release_signals(void) {
  for (int i = 0; i < STOP_SIGNAL_COUNT; i++)
    sigaction(stop_signals[i], &waiter.before[i], NULL);
}

static void show_progress(void) {
  if (write(STDERR_FILENO, progress_line, sizeof progress_line - 1) > 0)
    waiter.progress_shown = true;
}

static void *watch(void *unused) {
  (void)unused;
  bool interrupting = false;
  int timeout = waiter.wants_progress ? PROGRESS_AFTER_MS : -1;
  for (;;) {
    struct pollfd ready = {.fd = waiter.pipe[READ_END], .events = POLLIN, .revents = 0};
    const int count = poll(&ready, 1, timeout);
    char byte = 0;
    if (count < 0 && errno != EINTR)
      return NULL;
    if (count > 0 && read(waiter.pipe[READ_END], &byte, 1) == 1 && byte != 'i')
      return NULL; /* the call is over */
    if (count == 0 && !interrupting) {
      show_progress();
      timeout = -1;
    }
    if (byte == 'i')
      interrupting = true;
    if (interrupting) {
      /* Asked again until the call is over: the first may have come before the call was in flight. */
      identity_session_interrupt(waiter.session);
      timeout = INTERRUPT_AGAIN_MS;
    }
  }
}

static bool make_pipe(void) {
  if (pipe(waiter.pipe) != 0)
    return false;
  for (int end = READ_END; end <= WRITE_END; end++)
    fcntl(waiter.pipe[end], F_SETFD, FD_CLOEXEC);
  fcntl(waiter.pipe[WRITE_END], F_SETFL, O_NONBLOCK);
  return true;
}

static void close_pipe(void) {
  pipe_for_handler = -1;
  close(waiter.pipe[READ_END]);
  close(waiter.pipe[WRITE_END]);
}

bool call_begin(struct run *run) {
  if (run->interrupted) {
    client_error(run, IDENTITY_CANCELLED, "", "interrupted");
    return false;
  }
  const char *terminal = getenv("TERM");
  waiter.session = run->session;
  waiter.progress_shown = false;
  waiter.wants_progress = isatty(STDERR_FILENO) == 1 && !option_given(run, OPTION_VERBOSE) &&
                          !(terminal != NULL && strcmp(terminal, "dumb") == 0);
  waiter.runs = false;
  if (!make_pipe())
    return true; /* the call works without its comforts: Ctrl-C then simply ends the program */
  if (pthread_create(&waiter.thread, NULL, watch, NULL) != 0) {
    close_pipe();
    return true;
  }
  waiter.runs = true;
  pipe_for_handler = waiter.pipe[WRITE_END];
  catch_signals();
  return true;
}

identity_status call_end(struct run *run, identity_status status) {
  if (!waiter.runs)
    return status;
  /* The pipe holds 64 KiB and a signal kills at its second arrival, so there is room for this byte. */
  while (write(waiter.pipe[WRITE_END], "e", 1) < 0 && errno == EINTR)
    ;
  pthread_join(waiter.thread, NULL);
  release_signals();
  close_pipe();
  if (waiter.progress_shown && write(STDERR_FILENO, progress_erase, sizeof progress_erase - 1) < 0) {
    /* Nobody sees it then. */
  }
  run->interrupted = stop_asked != 0;
  return status;
}
