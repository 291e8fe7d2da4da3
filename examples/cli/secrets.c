/* SPDX-License-Identifier: MIT
 *
 * Secrets come from a prompt without echo or from standard input, and leave no copy behind: the buffer has
 * its full size from the start, is filled by read(2) alone and wiped before it is freed.
 */
#include "cli.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

enum { SECRET_CAPACITY = 64 * 1024 };

static const int end_signals[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT};
enum { END_SIGNAL_COUNT = sizeof end_signals / sizeof end_signals[0] };

/* The signal handler has no other way to get at it. */
static struct termios terminal_before;

void wipe(void *memory, size_t size) {
  volatile unsigned char *bytes = memory;
  while (size-- > 0)
    *bytes++ = 0;
}

void secret_free(struct secret *secret) {
  if (secret->text != NULL)
    wipe(secret->text, SECRET_CAPACITY);
  free(secret->text);
  secret->text = NULL;
  secret->length = 0;
}

/* Gives the echo back and dies of the same signal (its action was reset before this ran). */
static void restore_and_die(int signal_number) {
  tcsetattr(STDIN_FILENO, TCSANOW, &terminal_before);
  if (write(STDERR_FILENO, "\n", 1) < 0) {
    /* Only for the looks. */
  }
  raise(signal_number);
}

static void catch_end_signals(struct sigaction before[END_SIGNAL_COUNT]) {
  struct sigaction action;
  memset(&action, 0, sizeof action);
  action.sa_handler = restore_and_die;
  action.sa_flags = (int)(SA_RESETHAND | SA_NODEFER);
  sigemptyset(&action.sa_mask);
  for (int i = 0; i < END_SIGNAL_COUNT; i++) {
    sigaction(end_signals[i], NULL, &before[i]);
    if (before[i].sa_handler != SIG_IGN)
      sigaction(end_signals[i], &action, NULL);
  }
}

/* The prompt goes to the terminal itself: standard output and error may lead elsewhere. */
static void write_to_terminal(const char *text) {
  int terminal = open("/dev/tty", O_WRONLY | O_NOCTTY | O_CLOEXEC);
  const int target = terminal >= 0 ? terminal : STDERR_FILENO;
  if (write(target, text, strlen(text)) < 0) {
    /* Without a prompt the reading still works. */
  }
  if (terminal >= 0)
    close(terminal);
}

/* One byte; 0 at the end, -1 with errno. */
static ssize_t read_byte(char *byte) {
  ssize_t count = 0;
  do
    count = read(STDIN_FILENO, byte, 1);
  while (count < 0 && errno == EINTR);
  return count;
}

/* Reads up to a line end (or, with whole, to the end of the input). Byte by byte, so that what belongs to the
 * next secret stays in the pipe. */
static identity_status read_bytes(struct run *run, const char *name, bool whole, struct secret *secret) {
  for (;;) {
    char byte = 0;
    const ssize_t count = read_byte(&byte);
    if (count < 0)
      return usage_error(run, "cannot read the %s from standard input: %s", name, strerror(errno));
    if (count == 0 && secret->length == 0)
      return usage_error(run, "the %s is missing on standard input", name);
    if (count == 0 || (byte == '\n' && !whole))
      break;
    if (byte == '\0')
      return usage_error(run, "the %s holds a zero byte", name);
    if (secret->length == SECRET_CAPACITY - 1)
      return usage_error(run, "the %s is too long", name);
    secret->text[secret->length++] = byte;
  }
  if (secret->length > 0 && secret->text[secret->length - 1] == '\r')
    secret->text[--secret->length] = '\0';
  return IDENTITY_OK;
}

static identity_status prompt(struct run *run, const char *name, struct secret *secret) {
  struct sigaction before[END_SIGNAL_COUNT];
  struct termios silent;
  if (tcgetattr(STDIN_FILENO, &terminal_before) != 0)
    return usage_error(run, "cannot switch the echo off: %s", strerror(errno));
  silent = terminal_before;
  silent.c_lflag &= ~(tcflag_t)(ECHO | ECHOE | ECHOK | ECHONL);
  silent.c_lflag |= (tcflag_t)ICANON;
  catch_end_signals(before);
  identity_status status = IDENTITY_OK;
  if (tcsetattr(STDIN_FILENO, TCSANOW, &silent) != 0) {
    status = usage_error(run, "cannot switch the echo off: %s", strerror(errno));
  } else {
    char line[64];
    snprintf(line, sizeof line, "%c%s: ", name[0] >= 'a' && name[0] <= 'z' ? name[0] - 'a' + 'A' : name[0],
             name + 1);
    write_to_terminal(line);
    status = read_bytes(run, name, false, secret);
    tcsetattr(STDIN_FILENO, TCSANOW, &terminal_before);
    write_to_terminal("\n");
  }
  for (int i = 0; i < END_SIGNAL_COUNT; i++)
    sigaction(end_signals[i], &before[i], NULL);
  return status;
}

static identity_status read_secret(struct run *run, const char *name, bool whole, struct secret *secret) {
  secret->length = 0;
  secret->text = calloc(1, SECRET_CAPACITY);
  if (secret->text == NULL)
    return out_of_memory(run);
  if (isatty(STDIN_FILENO) == 1)
    return prompt(run, name, secret);
  return read_bytes(run, name, whole, secret);
}

identity_status secret_read_line(struct run *run, const char *name, struct secret *secret) {
  return read_secret(run, name, false, secret);
}

identity_status secret_read_all(struct run *run, const char *name, struct secret *secret) {
  return read_secret(run, name, true, secret);
}
