/* SPDX-License-Identifier: MIT
 *
 * From the options to an open session.
 */
#include "cli.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { PATH_CAPACITY = 4096, MAX_TIMEOUT_MS = 600000, MIN_TIMEOUT_MS = 100 };

static void print_log_line(int32_t level, const char *line, void *user_data) {
  static const char *const names[] = {"", "error", "warning", "info", "debug"};
  (void)user_data;
  char *clean = text_clean(line);
  if (clean != NULL)
    fprintf(stderr, PROGRAM ": [%s] %s\n", level >= 1 && level <= 4 ? names[level] : "log", clean);
  free(clean);
}

/* Makes a directory and its parents for the user alone. */
static identity_status make_directories(struct run *run, char *path) {
  for (char *at = path + 1;; at++) {
    if (*at != '/' && *at != '\0')
      continue;
    const char end = *at;
    *at = '\0';
    if (mkdir(path, S_IRWXU) != 0 && errno != EEXIST)
      return client_error(run, IDENTITY_STORE_FAILED, "store", "cannot make the directory %.200s: %s", path,
                          strerror(errno));
    *at = end;
    if (end == '\0')
      return IDENTITY_OK;
  }
}

/* The user's state directory, as the XDG base directory specification has it. */
static identity_status default_store(struct run *run, char path[PATH_CAPACITY]) {
  const char *state = getenv("XDG_STATE_HOME");
  const char *home = getenv("HOME");
  int length = -1;
  if (state != NULL && state[0] == '/')
    length = snprintf(path, PATH_CAPACITY, "%s/identity-cli", state);
  else if (home != NULL && home[0] == '/')
    length = snprintf(path, PATH_CAPACITY, "%s/.local/state/identity-cli", home);
  if (length < 0 || length >= PATH_CAPACITY)
    return usage_error(run, "no place to keep sessions: set HOME or give --store DIR");
  return make_directories(run, path);
}

static identity_status check_publisher(struct run *run) {
  const char *publisher = run->arguments.value[OPTION_PUBLISHER];
  if (publisher == NULL)
    return usage_error(run, "say which publisher: --publisher ID");
  if (strlen(publisher) != 9 || strspn(publisher, "0123456789") != 9)
    return usage_error(run, "%s must be nine digits", option_label(run, OPTION_PUBLISHER));
  return IDENTITY_OK;
}

/* The command line is visible to every user of the machine. */
static identity_status check_proxy(struct run *run) {
  const char *proxy = run->arguments.value[OPTION_PROXY];
  if (proxy == NULL || run->arguments.from_environment[OPTION_PROXY])
    return IDENTITY_OK;
  const char *scheme = strstr(proxy, "://");
  const char *user = scheme != NULL ? scheme + 3 : proxy;
  const char *at = strrchr(user, '@');
  if (at != NULL && memchr(user, ':', (size_t)(at - user)) != NULL)
    return usage_error(run, "--proxy must not hold a password: use the variable IDENTITY_PROXY for it");
  return IDENTITY_OK;
}

/* Every setting here came from the user: one that the library refuses is a usage error that names the option.
 */
static identity_status setting(struct run *run, identity_status status, enum option_id id,
                               const char *wanted) {
  if (status == IDENTITY_OK)
    return IDENTITY_OK;
  if (status == IDENTITY_OUT_OF_MEMORY)
    return out_of_memory(run);
  return usage_error(run, "%s must be %s", option_label(run, id), wanted);
}

static identity_status set_service(struct run *run, identity_config *config) {
  const char *base_url = run->arguments.value[OPTION_BASE_URL];
  const char *environment = run->arguments.value[OPTION_ENVIRONMENT];
  if (base_url != NULL && environment != NULL)
    return usage_error(
        run, "give either --base-url (IDENTITY_BASE_URL) or --environment (IDENTITY_ENVIRONMENT), not both");
  if (base_url != NULL) {
    identity_status status = identity_config_set_loopback_http(config, 1);
    if (status == IDENTITY_OK)
      status = identity_config_set_base_url(config, base_url);
    return setting(run, status, OPTION_BASE_URL,
                   "an address like https://host/path (http for loopback only)");
  }
  if (environment == NULL)
    return usage_error(run, "say which service: --base-url URL or --environment sandbox|production");
  if (strcmp(environment, "sandbox") == 0)
    return setting(run, identity_config_set_environment(config, IDENTITY_SANDBOX), OPTION_ENVIRONMENT,
                   "known");
  if (strcmp(environment, "production") == 0)
    return setting(run, identity_config_set_environment(config, IDENTITY_PRODUCTION), OPTION_ENVIRONMENT,
                   "known");
  return usage_error(run, "%s must be sandbox or production", option_label(run, OPTION_ENVIRONMENT));
}

static identity_status set_timeout(struct run *run, identity_config *config) {
  int64_t milliseconds = 0;
  if (!option_given(run, OPTION_TIMEOUT))
    return IDENTITY_OK;
  if (!seconds_parse(run->arguments.value[OPTION_TIMEOUT], MAX_TIMEOUT_MS, &milliseconds) ||
      milliseconds < MIN_TIMEOUT_MS)
    return usage_error(run, "%s must be 0.1 to 600 seconds", option_label(run, OPTION_TIMEOUT));
  return setting(run, identity_config_set_timeout_ms(config, (uint32_t)milliseconds), OPTION_TIMEOUT,
                 "0.1 to 600 seconds");
}

static identity_status set_store(struct run *run, identity_config *config) {
  char path[PATH_CAPACITY];
  const char *directory = run->arguments.value[OPTION_STORE];
  if (directory == NULL) {
    identity_status status = default_store(run, path);
    if (status != IDENTITY_OK)
      return status;
    directory = path;
  }
  return setting(run, identity_config_set_file_store(config, directory), OPTION_STORE, "a directory");
}

static identity_status set_connection(struct run *run, identity_config *config) {
  identity_status status = check_proxy(run);
  if (status == IDENTITY_OK && option_given(run, OPTION_PROXY))
    status = setting(run, identity_config_set_proxy(config, run->arguments.value[OPTION_PROXY]), OPTION_PROXY,
                     "an address like http://proxy:3128");
  if (status == IDENTITY_OK && option_given(run, OPTION_CA_FILE))
    status = setting(run, identity_config_set_ca_file(config, run->arguments.value[OPTION_CA_FILE]),
                     OPTION_CA_FILE, "a file");
  if (status == IDENTITY_OK)
    status = set_timeout(run, config);
  return status;
}

static identity_status open_with(struct run *run, identity_config *config) {
  char product[64];
  snprintf(product, sizeof product, PROGRAM "/%s", identity_version());
  identity_status status = set_service(run, config);
  if (status == IDENTITY_OK)
    status = set_connection(run, config);
  if (status == IDENTITY_OK)
    status = set_store(run, config);
  if (status != IDENTITY_OK)
    return status;
  identity_config_set_user_agent(config, product); /* open reports what failed here */
  if (option_given(run, OPTION_VERBOSE))
    identity_config_set_log(config, IDENTITY_LOG_DEBUG, print_log_line, NULL);
  const char *account = run->arguments.value[OPTION_ACCOUNT];
  status = identity_session_open(config, account != NULL ? account : "default", &run->session, &run->error);
  if (identity_status_class(status) == IDENTITY_CLASS_BUG) {
    char reason[sizeof run->error.message];
    memcpy(reason, run->error.message, sizeof reason);
    return usage_error(run, "%s", reason[0] != '\0' ? reason : identity_status_text(status));
  }
  return status;
}

identity_status session_begin(struct run *run) {
  identity_status status = check_publisher(run);
  if (status == IDENTITY_OK) {
    identity_config *config = identity_config_new(run->arguments.value[OPTION_PUBLISHER]);
    status = config != NULL ? open_with(run, config) : out_of_memory(run);
    identity_config_free(config);
  }
  if (run->is_usage)
    run->command = NULL; /* it is about a global option: the hint names the overall help */
  return status;
}
