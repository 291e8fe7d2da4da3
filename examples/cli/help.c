/* SPDX-License-Identifier: MIT
 *
 * The help pages, made from the tables of commands and options.
 */
#include "cli.h"

#include <string.h>

static void print_option(FILE *out, enum option_id id) {
  const struct option *option = &options[id];
  char left[40];
  snprintf(left, sizeof left, "%s%s%s", option->name, option->value ? " " : "",
           option->value ? option->value : "");
  fprintf(out, "  %-22s %s\n", left, option->help);
}

static void print_overview(FILE *out) {
  fputs("identity-cli: register, sign in and manage a customer of a subscription-video service.\n\n"
        "Usage: identity-cli [OPTION]... COMMAND [ARGUMENT]...\n\nCommands:\n",
        out);
  for (size_t i = 0; i < command_count; i++)
    fprintf(out, "  %-16s %s\n", commands[i].name, commands[i].summary);
  fputs("  help COMMAND     what a command does and takes\n\n"
        "Options, before or after the command:\n",
        out);
  for (int id = 0; id < GLOBAL_OPTION_COUNT; id++)
    print_option(out, (enum option_id)id);
  fputs(
      "\n"
      "Each of them is also an environment variable: IDENTITY_BASE_URL, IDENTITY_ENVIRONMENT,\n"
      "IDENTITY_PUBLISHER, IDENTITY_ACCOUNT, IDENTITY_STORE, IDENTITY_CA_FILE, IDENTITY_PROXY,\n"
      "IDENTITY_TIMEOUT, IDENTITY_JSON=1, IDENTITY_VERBOSE=1. The command line wins. A publisher, and a\n"
      "base URL or an environment, are always needed.\n"
      "\n"
      "Passwords, reset links, tokens and captcha values are never arguments: they are read from a prompt\n"
      "without echo or, when standard input is no terminal, from it: one a line, in the order that the\n"
      "command's help says.\n"
      "\n"
      "Exit codes: 0 done; 1 the output could not be written; 2 wrong usage; else what to do:\n"
      "  11 FIX_INPUT        correct the input       16 FIX_DEVICE       clock, certificates, proxy, "
      "storage\n"
      "  12 RETRY_LATER      try again later         17 NOT_ALLOWED      the service refuses this customer\n"
      "  13 SIGN_IN          log in first            18 OUTCOME_UNKNOWN  look before you repeat it\n"
      "  14 USER_ACTION      captcha or new terms    19 CANCELLED        interrupted with Ctrl-C\n"
      "  15 UPDATE_APP       a newer version needed  20 BUG              wrong configuration, or a bug\n"
      "\n"
      "Example, against the stand-in service of the source tree (build/identity-sandbox --port 8080):\n"
      "  identity-cli --base-url http://127.0.0.1:8080 --publisher 123456789 \\\n"
      "      register --email jo@example.com --accept-required\n",
      out);
}

/* The synopsis may have several lines: the later ones are indented. */
static void print_synopsis(FILE *out, const struct command *command) {
  fprintf(out, "Usage: identity-cli [OPTION]... %s ", command->name);
  for (const char *at = command->synopsis; *at != '\0'; at++) {
    if (*at == '\n')
      fputs("\n           ", out);
    else
      fputc(*at, out);
  }
  fputc('\n', out);
}

static void print_command(FILE *out, const struct command *command) {
  fprintf(out, "identity-cli %s: %s\n\n", command->name, command->summary);
  print_synopsis(out, command);
  fprintf(out, "\n%s", command->help);
  if (command->options != 0) {
    fputs("\nOptions:\n", out);
    for (int id = GLOBAL_OPTION_COUNT; id < OPTION_COUNT; id++)
      if ((command->options & OPTION_BIT(id)) != 0)
        print_option(out, (enum option_id)id);
  }
  fputs("\nThe options of every command: identity-cli --help\n", out);
}

void help_print(FILE *out, const struct command *command) {
  if (command == NULL)
    print_overview(out);
  else
    print_command(out, command);
}
