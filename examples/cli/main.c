/* SPDX-License-Identifier: MIT
 *
 * One run from the command line to the exit code.
 */
#include "cli.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

identity_status usage_error(struct run *run, const char *format, ...) {
  va_list list;
  run->error = (identity_error){.status = IDENTITY_BAD_ARGUMENT};
  run->is_usage = true;
  va_start(list, format);
  vsnprintf(run->error.message, sizeof run->error.message, format, list);
  va_end(list);
  return IDENTITY_BAD_ARGUMENT;
}

identity_status client_error(struct run *run, identity_status status, const char *field, const char *format,
                             ...) {
  va_list list;
  run->error = (identity_error){.status = status};
  snprintf(run->error.field, sizeof run->error.field, "%s", field);
  va_start(list, format);
  vsnprintf(run->error.message, sizeof run->error.message, format, list);
  va_end(list);
  return status;
}

/* Writes what stdio holds back. The first failure is remembered. */
static void flush_out(struct run *run) {
  errno = 0;
  if ((fflush(stdout) != 0 || ferror(stdout)) && run->output_error == 0)
    run->output_error = errno != 0 ? errno : EIO;
}

void write_out(struct run *run, const char *bytes, size_t size) {
  flush_out(run);
  while (size > 0 && run->output_error == 0) {
    const ssize_t written = write(STDOUT_FILENO, bytes, size);
    if (written < 0 && errno == EINTR)
      continue;
    if (written <= 0) {
      run->output_error = written < 0 ? errno : EIO;
      return;
    }
    bytes += written;
    size -= (size_t)written;
  }
}

identity_status give_json(struct run *run, cJSON *result) {
  run->result = result;
  return result != NULL ? IDENTITY_OK : out_of_memory(run);
}

identity_status shown(struct run *run, bool printed) {
  return printed ? IDENTITY_OK : out_of_memory(run);
}

identity_status give_state(struct run *run, const char *headline) {
  const identity_state *state = NULL;
  identity_status status = identity_session_state(run->session, &state, &run->error);
  if (status != IDENTITY_OK)
    return status;
  if (run->json) {
    status = give_json(run, json_state(state));
  } else {
    if (headline != NULL)
      puts(headline);
    status = shown(run, show_state(state));
  }
  identity_state_free(state);
  return status;
}

/* A file that is opened later must not get the number of a closed standard stream: the output would go into
 * it. The stand-ins are opened the wrong way round, so that reading or writing them fails. */
static void keep_standard_streams(void) {
  for (int stream = STDIN_FILENO; stream <= STDERR_FILENO; stream++)
    if (fcntl(stream, F_GETFD) < 0 && errno == EBADF)
      if (open("/dev/null", stream == STDOUT_FILENO ? O_RDONLY : O_WRONLY) != stream)
        _exit(EXIT_OUTPUT);
}

static identity_status print_version(struct run *run) {
  if (run->json)
    return give_json(run, json_one_text("version", identity_version()));
  printf(PROGRAM " %s\n", identity_version());
  return IDENTITY_OK;
}

static identity_status print_help(struct run *run) {
  char *text = NULL;
  size_t size = 0;
  FILE *memory = NULL;
  if (!run->json) {
    help_print(stdout, run->command);
    return IDENTITY_OK;
  }
  memory = open_memstream(&text, &size);
  if (memory == NULL)
    return out_of_memory(run);
  help_print(memory, run->command);
  identity_status status =
      fclose(memory) == 0 ? give_json(run, json_one_text("help", text)) : out_of_memory(run);
  free(text);
  return status;
}

static identity_status carry_out(struct run *run, int argc, char **argv) {
  identity_status status = arguments_parse(run, argc, argv);
  if (status != IDENTITY_OK)
    return status;
  if (option_given(run, OPTION_HELP))
    return print_help(run);
  if (option_given(run, OPTION_VERSION))
    return print_version(run);
  if (run->command->check != NULL) {
    status = run->command->check(run);
    if (status != IDENTITY_OK)
      return status;
  }
  status = session_begin(run);
  if (status == IDENTITY_OK)
    status = run->command->perform(run);
  identity_session_close(run->session);
  run->session = NULL;
  return status;
}

static int exit_code(const struct run *run, identity_status status) {
  if (status == IDENTITY_OK)
    return run->output_error != 0 ? EXIT_OUTPUT : EXIT_OK;
  return run->is_usage ? EXIT_USAGE : EXIT_CLASS_BASE + (int)identity_status_class(status);
}

static int report(struct run *run, identity_status status) {
  if (run->json)
    json_report(run, status);
  else if (status != IDENTITY_OK)
    show_error(run);
  flush_out(run);
  if (run->output_error != 0)
    fprintf(stderr, PROGRAM ": the output could not be written: %s\n", strerror(run->output_error));
  return exit_code(run, status);
}

int main(int argc, char **argv) {
  struct run run;
  memset(&run, 0, sizeof run);
  keep_standard_streams();
  signal(SIGPIPE, SIG_IGN); /* a reader that left shows as a failed write */
  run.json = arguments_want_json(argc, argv);
  const identity_status status = carry_out(&run, argc, argv);
  const int code = report(&run, status);
  secret_free(&run.proof);
  secret_free(&run.password);
  secret_free(&run.captcha);
  json_wipe(run.result);
  arguments_free(&run.arguments);
  return code;
}
