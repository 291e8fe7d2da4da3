#include "options.h"

#include "tls_state.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TEN_YEARS 315360000

static const char help[] =
    "Usage: identity-sandbox [OPTION]...\n"
    "A local stand-in for the identity API: everything in memory, on 127.0.0.1 only.\n"
    "\n"
    "  --port N           listen on this port (default 0: any free one)\n"
    "  --port-file FILE   write the port into FILE once the service accepts connections\n"
    "  --tls              speak HTTPS, with an own authority made in the --state directory\n"
    "  --certificate KIND with --tls: good, expired, early or other-host, made anew\n"
    "  --state DIR        keep certificates and the signing key of the JWTs in DIR\n"
    "  --jwt-life S       a JWT lives S seconds (default 900)\n"
    "  --refresh-life S   a refresh token lives S seconds (default 8640000: 100 days)\n"
    "  --grace S          a used refresh token is good again for S seconds (default 0: it is dead at once)\n"
    "  --config FILE      publishers, offers, consents, capture settings, customers (JSON)\n"
    "  --quiet            no start-up lines, no line per request\n"
    "  --help             show this text\n"
    "  --version          show the version\n"
    "\n"
    "Without --config it knows publisher 123456789 with offer S123456789_US. Requests under /_sandbox/\n"
    "watch and steer it: journal, outbox, customers, clock, settings, publishers, faults, reset.\n"
    "To make it hang (DELETE to the same address takes it back):\n"
    "  curl -d '{\"method\":\"GET\",\"path\":\"/customers/*\",\"hang\":true}' \\\n"
    "    http://127.0.0.1:8080/_sandbox/faults\n"
    "SIGTERM or SIGINT stop it. Exit codes: 0 stopped, 1 could not start, 2 bad option.\n";

static bool complain(const char *option, const char *what) {
  fprintf(stderr, "identity-sandbox: %s%s\nTry 'identity-sandbox --help'.\n", option, what);
  return false;
}

static bool read_number(const char *option, const char *text, int64_t least, int64_t most, int64_t *value) {
  char *end = NULL;
  size_t length = strlen(text);
  if (length > 0 && length <= 10 && text[strspn(text, "0123456789")] == '\0')
    *value = strtoll(text, &end, 10);
  if (end != NULL && *value >= least && *value <= most)
    return true;
  char what[96];
  snprintf(what, sizeof what, " needs a whole number from %lld to %lld", (long long)least, (long long)most);
  return complain(option, what);
}

enum letter {
  PORT = 256,
  PORT_FILE,
  TLS,
  CERTIFICATE,
  STATE,
  JWT_LIFE,
  REFRESH_LIFE,
  GRACE,
  CONFIG,
  QUIET,
  HELP,
  VERSION
};

static const struct option table[] = {
    {"port", required_argument, NULL, PORT},
    {"port-file", required_argument, NULL, PORT_FILE},
    {"tls", no_argument, NULL, TLS},
    {"certificate", required_argument, NULL, CERTIFICATE},
    {"state", required_argument, NULL, STATE},
    {"jwt-life", required_argument, NULL, JWT_LIFE},
    {"refresh-life", required_argument, NULL, REFRESH_LIFE},
    {"grace", required_argument, NULL, GRACE},
    {"config", required_argument, NULL, CONFIG},
    {"quiet", no_argument, NULL, QUIET},
    {"help", no_argument, NULL, HELP},
    {"version", no_argument, NULL, VERSION},
    {NULL, 0, NULL, 0},
};

static bool take(int letter, const char *value, struct sbx_options *options) {
  int64_t number = 0;
  switch (letter) {
  case PORT:
    if (!read_number("--port", value, 0, 65535, &number))
      return false;
    options->port = (int)number;
    return true;
  case JWT_LIFE:
    return read_number("--jwt-life", value, 1, TEN_YEARS, &options->jwt_life);
  case REFRESH_LIFE:
    return read_number("--refresh-life", value, 1, TEN_YEARS, &options->refresh_life);
  case GRACE:
    return read_number("--grace", value, 0, TEN_YEARS, &options->grace);
  case PORT_FILE:
    options->port_file = value;
    return *value != '\0' || complain("--port-file", " needs a file name");
  case STATE:
    options->state = value;
    return *value != '\0' || complain("--state", " needs a directory");
  case CERTIFICATE:
    options->certificate = value;
    return sbx_tls_is_certificate(value) ||
           complain("--certificate", " needs one of good, expired, early, other-host");
  case CONFIG:
    options->config = value;
    return *value != '\0' || complain("--config", " needs a file name");
  case TLS:
    options->tls = true;
    return true;
  case QUIET:
    options->quiet = true;
    return true;
  default:
    return false;
  }
}

enum sbx_option_result sbx_options_read(int count, char **arguments, struct sbx_options *options) {
  *options = (struct sbx_options){.jwt_life = -1, .refresh_life = -1, .grace = -1};
  opterr = 0;
  for (;;) {
    int current = optind;
    int letter = getopt_long(count, arguments, ":", table, NULL);
    if (letter == -1)
      break;
    if (letter == HELP || letter == VERSION) {
      fputs(letter == HELP ? help : "identity-sandbox " SBX_VERSION "\n", stdout);
      return SBX_OPTIONS_DONE;
    }
    if (letter == ':' || letter == '?') {
      complain(arguments[current],
               letter == ':' ? " needs a value" : ": unknown option, or a value it does not take");
      return SBX_OPTIONS_BAD;
    }
    if (!take(letter, optarg, options))
      return SBX_OPTIONS_BAD;
  }
  if (optind < count) {
    complain(arguments[optind], ": unexpected argument");
    return SBX_OPTIONS_BAD;
  }
  if (options->tls && options->state == NULL) {
    complain("--tls", " needs --state DIR, where its authority is kept");
    return SBX_OPTIONS_BAD;
  }
  return SBX_OPTIONS_RUN;
}
