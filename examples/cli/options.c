/* SPDX-License-Identifier: MIT
 *
 * Reads the command line and the IDENTITY_ variables. The command line wins over the environment.
 */
#include "cli.h"

#include <stdlib.h>
#include <string.h>

const struct option options[OPTION_COUNT] = {
    [OPTION_BASE_URL] = {"--base-url", "IDENTITY_BASE_URL", "URL",
                         "address of the service; http for loopback only"},
    [OPTION_ENVIRONMENT] = {"--environment", "IDENTITY_ENVIRONMENT", "NAME",
                            "or its name: sandbox, production"},
    [OPTION_PUBLISHER] = {"--publisher", "IDENTITY_PUBLISHER", "ID", "publisher, nine digits"},
    [OPTION_ACCOUNT] = {"--account", "IDENTITY_ACCOUNT", "KEY", "whose session it is (\"default\")"},
    [OPTION_STORE] = {"--store", "IDENTITY_STORE", "DIR",
                      "where sessions are kept (the user's state directory)"},
    [OPTION_CA_FILE] = {"--ca-file", "IDENTITY_CA_FILE", "FILE",
                        "trust these certificates (PEM) instead of the system's"},
    [OPTION_PROXY] = {"--proxy", "IDENTITY_PROXY", "URL",
                      "go through a proxy; a password only by the variable"},
    [OPTION_TIMEOUT] = {"--timeout", "IDENTITY_TIMEOUT", "SECONDS", "time for a whole call, 0.1 to 600 (30)"},
    [OPTION_JSON] = {"--json", "IDENTITY_JSON", NULL, "print one JSON object"},
    [OPTION_VERBOSE] = {"--verbose", "IDENTITY_VERBOSE", NULL, "say on standard error what happens"},
    [OPTION_HELP] = {"--help", NULL, NULL, "print help, overall or for a command"},
    [OPTION_VERSION] = {"--version", NULL, NULL, "print the version"},
    [OPTION_EMAIL] = {"--email", NULL, "E", "e-mail address of the customer"},
    [OPTION_ACCEPT] = {"--accept", NULL, "NAME", "accept this consent; may be repeated"},
    [OPTION_DECLINE] = {"--decline", NULL, "NAME", "decline this consent; may be repeated"},
    [OPTION_ACCEPT_REQUIRED] = {"--accept-required", NULL, NULL, "accept every required consent"},
    [OPTION_OFFER] = {"--offer", NULL, "ID", "offer instead of the publisher, e.g. S565568989_US"},
    [OPTION_FIRST_NAME] = {"--first-name", NULL, "N", "first name, 1 to 50 characters"},
    [OPTION_LAST_NAME] = {"--last-name", NULL, "N", "last name, 1 to 50 characters"},
    [OPTION_COUNTRY] = {"--country", NULL, "CC", "country, two letters, e.g. GB"},
    [OPTION_CURRENCY] = {"--currency", NULL, "CUR", "currency, three letters, e.g. EUR"},
    [OPTION_LOCALE] = {"--locale", NULL, "L", "locale, e.g. en_US"},
    [OPTION_EXTERNAL_ID] = {"--external-id", NULL, "ID", "your own id of the customer"},
    [OPTION_EXTERNAL_DATA] = {"--external-data", NULL, "JSON", "your own data about the customer, JSON text"},
    [OPTION_CUSTOMER_IP] = {"--customer-ip", NULL, "IP", "IPv4 or IPv6 address of the viewer"},
    [OPTION_CAPTCHA_STDIN] = {"--captcha-stdin", NULL, NULL, "read a captcha value after the password"},
    [OPTION_RESET_URL] = {"--reset-url", NULL, "URL", "page that the mailed link leads to"},
    [OPTION_LINK_STDIN] = {"--link-stdin", NULL, NULL, "read the mailed link"},
    [OPTION_TOKEN_STDIN] = {"--token-stdin", NULL, NULL, "read the token of the mailed link; needs --email"},
    [OPTION_MIN_LIFE] = {"--min-life", NULL, "SECONDS", "life that the JWT should have left"},
    [OPTION_FOLLOW] = {"--follow", NULL, "SECONDS", "go on for that long"},
    [OPTION_EVERYWHERE] = {"--everywhere", NULL, NULL, "revoke all sessions of the customer on all devices"},
};

bool option_given(const struct run *run, enum option_id id) {
  return run->arguments.value[id] != NULL;
}

const char *option_label(const struct run *run, enum option_id id) {
  return run->arguments.from_environment[id] ? options[id].environment : options[id].name;
}

bool seconds_parse(const char *text, int64_t max_ms, int64_t *milliseconds) {
  int64_t value = 0;
  int decimals = -1; /* -1: before the point */
  size_t digits = 0;
  for (; *text != '\0'; text++) {
    if (*text == '.' && decimals < 0) {
      decimals = 0;
      continue;
    }
    if (*text < '0' || *text > '9' || decimals == 3 || value > max_ms)
      return false;
    value = value * 10 + (*text - '0');
    digits++;
    if (decimals >= 0)
      decimals++;
  }
  for (int i = decimals < 0 ? 0 : decimals; i < 3; i++)
    value *= 10;
  *milliseconds = value;
  return digits > 0 && value <= max_ms;
}

/* 1, 0 or -1 for a text that is neither yes nor no */
static int flag_value(const char *text) {
  static const char *const yes[] = {"1", "true", "yes", "on"};
  static const char *const no[] = {"", "0", "false", "no", "off"};
  for (size_t i = 0; i < sizeof yes / sizeof yes[0]; i++)
    if (strcmp(text, yes[i]) == 0)
      return 1;
  for (size_t i = 0; i < sizeof no / sizeof no[0]; i++)
    if (strcmp(text, no[i]) == 0)
      return 0;
  return -1;
}

bool arguments_want_json(int argc, char **argv) {
  const char *variable = getenv(options[OPTION_JSON].environment);
  if (variable != NULL && flag_value(variable) == 1)
    return true;
  for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++)
    if (strcmp(argv[i], options[OPTION_JSON].name) == 0)
      return true;
  return false;
}

/* The option that text names; length is without "=VALUE". OPTION_COUNT: none. */
static enum option_id find_option(const char *text, size_t length) {
  for (int id = 0; id < OPTION_COUNT; id++)
    if (strlen(options[id].name) == length && strncmp(options[id].name, text, length) == 0)
      return (enum option_id)id;
  return OPTION_COUNT;
}

static identity_status unknown_option(struct run *run, const char *text, size_t length) {
  static const char *const secrets[] = {"--password",      "--new-password", "--token",   "--jwt",
                                        "--refresh-token", "--link",         "--captcha", "--captcha-value"};
  for (size_t i = 0; i < sizeof secrets / sizeof secrets[0]; i++)
    if (strlen(secrets[i]) == length && strncmp(secrets[i], text, length) == 0)
      return usage_error(run, "there is no option %s: secrets are read from a prompt or standard input",
                         secrets[i]);
  /* Only the name is shown, cut short: what follows "=" or a single dash may be a secret. */
  size_t shown_length = text[1] == '-' ? length : 2;
  char name[32];
  if (shown_length >= sizeof name)
    shown_length = sizeof name - 1;
  memcpy(name, text, shown_length);
  name[shown_length] = '\0';
  return usage_error(run, "unknown option %s", name);
}

static identity_status take_option(struct run *run, int argc, char **argv, int *index) {
  struct arguments *arguments = &run->arguments;
  const char *text = argv[*index];
  const size_t length = strcspn(text, "=");
  const enum option_id id = strcmp(text, "-h") == 0 ? OPTION_HELP : find_option(text, length);
  if (id == OPTION_COUNT)
    return unknown_option(run, text, length);
  const struct option *option = &options[id];
  const char *value = text[length] == '=' ? text + length + 1 : NULL;
  if (option->value == NULL) {
    if (value != NULL)
      return usage_error(run, "%s takes no value", option->name);
    arguments->value[id] = "";
    return IDENTITY_OK;
  }
  if (value == NULL) {
    /* An option where a value belongs is a forgotten value far more often than a value. */
    if (*index + 1 >= argc || strncmp(argv[*index + 1], "--", 2) == 0)
      return usage_error(run, "%s needs a value: %s %s", option->name, option->name, option->value);
    value = argv[++*index];
  }
  arguments->value[id] = value;
  if (id == OPTION_ACCEPT || id == OPTION_DECLINE)
    arguments->choices[arguments->choice_count++] = (struct choice){value, id == OPTION_ACCEPT};
  return IDENTITY_OK;
}

static void take_word(struct arguments *arguments, const char *word) {
  if (arguments->command_name == NULL)
    arguments->command_name = word;
  else
    arguments->words[arguments->word_count++] = word;
}

static identity_status read_command_line(struct run *run, int argc, char **argv) {
  bool only_words = false;
  for (int i = 1; i < argc; i++) {
    if (!only_words && strcmp(argv[i], "--") == 0) {
      only_words = true;
      continue;
    }
    if (only_words || argv[i][0] != '-' || argv[i][1] == '\0') {
      take_word(&run->arguments, argv[i]);
      continue;
    }
    identity_status status = take_option(run, argc, argv, &i);
    if (status != IDENTITY_OK)
      return status;
  }
  return IDENTITY_OK;
}

static identity_status read_environment(struct run *run) {
  struct arguments *arguments = &run->arguments;
  const bool service_given = option_given(run, OPTION_BASE_URL) || option_given(run, OPTION_ENVIRONMENT);
  for (int id = 0; id < GLOBAL_OPTION_COUNT; id++) {
    if (options[id].environment == NULL || arguments->value[id] != NULL)
      continue;
    /* The two name one thing: one of them on the command line overrules both variables. */
    if (service_given && (id == OPTION_BASE_URL || id == OPTION_ENVIRONMENT))
      continue;
    const char *value = getenv(options[id].environment);
    if (value == NULL || value[0] == '\0')
      continue;
    arguments->from_environment[id] = true;
    if (options[id].value != NULL) {
      arguments->value[id] = value;
      continue;
    }
    const int flag = flag_value(value);
    if (flag < 0)
      return usage_error(run, "%s must be 1 or 0", options[id].environment);
    arguments->value[id] = flag == 1 ? "" : NULL;
  }
  return IDENTITY_OK;
}

static identity_status check_command(struct run *run) {
  const struct command *command = run->command;
  for (int id = GLOBAL_OPTION_COUNT; id < OPTION_COUNT; id++) {
    const bool given = run->arguments.value[id] != NULL;
    if (given && (command->options & OPTION_BIT(id)) == 0)
      return usage_error(run, "%s does not take %s", command->name, options[id].name);
    if (!given && (command->required & OPTION_BIT(id)) != 0)
      return usage_error(run, "%s needs %s %s", command->name, options[id].name, options[id].value);
  }
  /* A stray word is not repeated: it may be a password. */
  if (command->words == NO_WORDS && run->arguments.word_count > 0)
    return usage_error(run, "%s takes options only; secrets are read from a prompt or standard input",
                       command->name);
  if (command->words == SOME_WORDS && run->arguments.word_count == 0)
    return usage_error(run, "%s needs %s", command->name, command->synopsis);
  return IDENTITY_OK;
}

static identity_status find_command(struct run *run) {
  struct arguments *arguments = &run->arguments;
  if (arguments->command_name != NULL && strcmp(arguments->command_name, "help") == 0) {
    arguments->value[OPTION_HELP] = "";
    arguments->command_name = arguments->word_count > 0 ? arguments->words[0] : NULL;
  }
  if (arguments->command_name == NULL) {
    if (option_given(run, OPTION_HELP) || option_given(run, OPTION_VERSION))
      return IDENTITY_OK;
    return usage_error(run, "no command is given");
  }
  run->command = command_find(arguments->command_name);
  if (run->command == NULL)
    return usage_error(run, "unknown command %.40s", arguments->command_name);
  return IDENTITY_OK;
}

identity_status arguments_parse(struct run *run, int argc, char **argv) {
  struct arguments *arguments = &run->arguments;
  const size_t places = argc > 0 ? (size_t)argc : 1;
  arguments->words = calloc(places, sizeof *arguments->words);
  arguments->choices = calloc(places, sizeof *arguments->choices);
  if (arguments->words == NULL || arguments->choices == NULL)
    return out_of_memory(run);
  identity_status status = read_command_line(run, argc, argv);
  if (status == IDENTITY_OK)
    status = find_command(run);
  if (status != IDENTITY_OK || option_given(run, OPTION_HELP) || option_given(run, OPTION_VERSION))
    return status;
  status = read_environment(run);
  return status != IDENTITY_OK ? status : check_command(run);
}

void arguments_free(struct arguments *arguments) {
  free(arguments->words);
  free(arguments->choices);
}
