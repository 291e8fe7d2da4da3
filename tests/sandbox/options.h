/* The command line. */
#ifndef SBX_OPTIONS_H
#define SBX_OPTIONS_H

#include "settings.h"

#include <stdbool.h>
#include <stdint.h>

#ifndef SBX_VERSION
#define SBX_VERSION "0.1.0"
#endif

struct sbx_options {
  int port;
  const char *port_file;
  bool tls;
  const char *state;
  const char *certificate; /* NULL: a good one, kept */
  const char *config;
  bool quiet;
  /* -1: not given, the config file or the default decides */
  int64_t jwt_life;
  int64_t refresh_life;
  int64_t grace;
};

enum sbx_option_result { SBX_OPTIONS_RUN, SBX_OPTIONS_DONE, SBX_OPTIONS_BAD };

/* Prints what is to be printed: help and version on stdout, what is wrong on stderr. */
enum sbx_option_result sbx_options_read(int count, char **arguments, struct sbx_options *options);

#endif
