/* Opening and closing sessions: the config becomes a slot, a store and a loop. */
#include "api/begin.h"
#include "base/error.h"
#include "base/process.h"
#include "base/secret.h"
#include "drive/blocking.h"
#include "drive/keep.h"
#include "wire/url.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { KEY_SIZE = 160 };

static identity_status check_config(const identity_config *config, const char *account,
                                    identity_error *error) {
  if (config == NULL)
    return identity__fail(error, IDENTITY_BAD_ARGUMENT, "config", "config is NULL");
  if (config->failed != IDENTITY_OK)
    return identity__fail(error, config->failed, config->failed_setter, "The configuration's %s %s.",
                          config->failed_setter, config->failed_rule);
  if (account == NULL || account[0] == '\0' ||
      strnlen(account, IDENTITY__MAX_ACCOUNT + 1) > IDENTITY__MAX_ACCOUNT)
    return identity__fail(error, IDENTITY_BAD_ARGUMENT, "account", "account must have 1 to %d bytes",
                          IDENTITY__MAX_ACCOUNT);
  if (config->base_url == NULL)
    return identity__fail(error, IDENTITY_BAD_CONFIGURATION, "environment",
                          "Neither an environment nor a base URL is set; there is no default.");
  return IDENTITY_OK;
}

static char *take_text(identity__buffer *buffer) {
  char *text = buffer->failed || buffer->bytes == NULL ? NULL : identity__secret_copy(buffer->bytes);
  identity__buffer_free(buffer);
  return text;
}

static identity_status copy_base_url(identity_session *session, const identity_config *config,
                                     identity_error *error) {
  identity__buffer url;
  identity__buffer_init(&url, IDENTITY__MAX_URL);
  const char *wrong = identity__base_url(config->base_url, config->loopback_http, &url);
  bool starved = url.starved;
  session->base_url = take_text(&url);
  if (starved)
    return identity__fail_plain(error, IDENTITY_OUT_OF_MEMORY);
  if (wrong != NULL)
    return identity__fail(error, IDENTITY_BAD_CONFIGURATION, "base_url", "The base URL %s.", wrong);
  return IDENTITY_OK;
}

/* FNV-1a: names the service in a store key without its length; the record itself is bound to the whole
 * address. */
static uint64_t hash_text(const char *text) {
  uint64_t hash = UINT64_C(0xCBF29CE484222325);
  for (; *text != '\0'; text++)
    hash = (hash ^ (uint64_t)(unsigned char)*text) * UINT64_C(0x100000001B3);
  return hash;
}

static char *make_key(const identity_session *session) {
  char key[KEY_SIZE];
  (void)snprintf(key, sizeof key, "%016" PRIx64 "-%s-%s", hash_text(session->base_url), session->publisher_id,
                 session->account);
  return identity__secret_copy(key);
}

static char *make_binding(const identity_session *session) {
  identity__buffer binding;
  identity__buffer_init(&binding, (size_t)2 * IDENTITY__MAX_URL);
  (void)identity__buffer_add_text(&binding, session->base_url);
  (void)identity__buffer_add_text(&binding, "\n");
  (void)identity__buffer_add_text(&binding, session->publisher_id);
  (void)identity__buffer_add_text(&binding, "\n");
  (void)identity__buffer_add_text(&binding, session->account);
  return take_text(&binding);
}

static identity_status copy_settings(identity_session *session, const identity_config *config,
                                     const char *account, identity_error *error) {
  session->publisher_id = identity__secret_copy(config->publisher_id);
  session->account = identity__secret_copy(account);
  session->sso_path = identity__secret_copy(config->sso_path != NULL ? config->sso_path : "/sso/auths");
  session->sso_header =
      identity__secret_copy(config->sso_header != NULL ? config->sso_header : "X-Publisher-Token");
  session->log = config->log;
  session->timeout_ms = config->timeout_ms;
  session->volatile_tokens = config->volatile_tokens;
  if (copy_base_url(session, config, error) != IDENTITY_OK)
    return error->status;
  if (session->base_url != NULL && session->publisher_id != NULL && session->account != NULL) {
    session->store_key = make_key(session);
    session->binding = make_binding(session);
  }
  if (session->store_key == NULL || session->binding == NULL || session->sso_path == NULL ||
      session->sso_header == NULL)
    return identity__fail_plain(error, IDENTITY_OUT_OF_MEMORY);
  return IDENTITY_OK;
}

static int32_t make_store(identity_session *session, const identity_config *config) {
  switch (config->store_kind) {
  case IDENTITY__FILE_STORE:
    return identity__file_store(&session->store, config->store_directory);
  case IDENTITY__HOST_STORE:
    return identity__host_store(&session->store, &config->host_store);
  default:
    return identity__memory_store(&session->store);
  }
}

static identity_status open_store(identity_session *session, const identity_config *config,
                                  identity_error *error) {
  int32_t result = make_store(session, config);
  if (result == IDENTITY__STORE_OK)
    return IDENTITY_OK;
  if (result == IDENTITY__STORE_MEMORY)
    return identity__fail_plain(error, IDENTITY_OUT_OF_MEMORY);
  return identity__fail(
      error, IDENTITY_STORE_FAILED, "file_store",
      "The store directory cannot be used (it must be ours alone, mode 0700, in a directory that "
      "exists): %s",
      config->store_directory);
}

static const char *base_port(const char *base_url) {
  const char *host = strstr(base_url, "://") + 3;
  const char *bracket = strchr(host, ']');
  const char *colon = strchr(bracket != NULL ? bracket : host, ':');
  const char *slash = strchr(host, '/');
  if (colon != NULL && (slash == NULL || colon < slash))
    return colon + 1;
  return strncmp(base_url, "https", 5) == 0 ? "443" : "80";
}

static bool is_loopback_address(const char *address) {
  return strncmp(address, "127.", 4) == 0 || strcmp(address, "::1") == 0 || strcmp(address, "[::1]") == 0;
}

/* Plain http must not leave this machine through a name that is answered otherwise. */
static identity_status check_resolve(const identity_session *session, const identity_config *config,
                                     identity_error *error) {
  bool plain = strncmp(session->base_url, "http://", 7) == 0;
  for (uint32_t i = 0; plain && i < config->resolve_count; i++)
    if (!is_loopback_address(config->resolve_addresses[i]))
      return identity__fail(error, IDENTITY_BAD_CONFIGURATION, "resolve",
                            "With a plain http base URL, names can only be resolved to loopback.");
  return IDENTITY_OK;
}

/* libcurl wants "host:port:address". */
static bool make_resolve(const identity_session *session, const identity_config *config, char *lines[]) {
  const char *port = base_port(session->base_url);
  for (uint32_t i = 0; i < config->resolve_count; i++) {
    const char *address = config->resolve_addresses[i];
    bool bare = strchr(address, ':') != NULL && address[0] != '[';
    size_t size = strlen(config->resolve_hosts[i]) + strlen(address) + 16;
    lines[i] = malloc(size);
    if (lines[i] == NULL)
      return false;
    (void)snprintf(lines[i], size, "%s:%.*s:%s%s%s", config->resolve_hosts[i], (int)strcspn(port, "/"), port,
                   bare ? "[" : "", address, bare ? "]" : "");
  }
  return true;
}

static identity_status open_loop(identity_session *session, const identity_config *config,
                                 identity_error *error) {
  char *resolve[IDENTITY__MAX_RESOLVE] = {NULL};
  if (check_resolve(session, config, error) != IDENTITY_OK)
    return error->status;
  char agent[256];
  (void)snprintf(agent, sizeof agent, "%.200s%slibidentity/%s",
                 config->user_agent != NULL ? config->user_agent : "", config->user_agent != NULL ? " " : "",
                 identity_version());
  const identity__transport_settings settings = {
      .ca_file = config->ca_file,
      .ca_pem = config->ca_pem,
      .proxy = config->proxy,
      .environment_proxy = config->environment_proxy,
      .loopback_http = strncmp(session->base_url, "http://", 7) == 0,
      .user_agent = agent,
      .resolve = (const char *const *)resolve,
      .resolve_count = config->resolve_count,
      .clock = &config->clock,
  };
  if (make_resolve(session, config, resolve))
    session->loop = identity__loop_new(&settings, error);
  else
    (void)identity__fail_plain(error, IDENTITY_OUT_OF_MEMORY);
  for (uint32_t i = 0; i < config->resolve_count; i++)
    free(resolve[i]);
  return error->status;
}

/* A child must not end the parent's connections, nor write its store: there the loop is left behind. */
static void free_session(identity_session *session) {
  if (session->loop != NULL && !identity__loop_is_forked(session->loop))
    identity__loop_free(session->loop);
  if (session->store.destroy != NULL)
    session->store.destroy(session->store.user_data);
  identity__machine_clear(&session->tokens);
  identity__events_clear(&session->events);
  pthread_mutex_destroy(&session->lock);
  char *texts[] = {session->base_url,   session->publisher_id, session->account, session->sso_path,
                   session->sso_header, session->store_key,    session->binding};
  for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
    identity__secret_free(texts[i]);
  free(session);
}

static identity_session *new_session(const identity__clock *clock) {
  char boot_id[IDENTITY__BOOT_ID_SIZE];
  identity__lease self = {0};
  identity_session *session = calloc(1, sizeof *session);
  if (session == NULL || pthread_mutex_init(&session->lock, NULL) != 0) {
    free(session);
    return NULL;
  }
  identity__clock_boot_id(boot_id);
  if (clock->boot_id[0] != '\0')
    memcpy(boot_id, clock->boot_id, sizeof boot_id);
  (void)snprintf(self.owner, sizeof self.owner, "%016" PRIx64, identity__clock_random());
  identity__process_self(&self.process, &self.process_start, &self.process_space);
  identity__machine_init(&session->tokens, boot_id, &self);
  return session;
}

identity_status identity_session_open(const identity_config *config, const char *account,
                                      identity_session **session, identity_error *error) {
  IDENTITY__ERROR_OR_LOCAL(error);
  if (identity__check_result(session, "session", error) != IDENTITY_OK)
    return error->status;
  *session = NULL;
  if (check_config(config, account, error) != IDENTITY_OK)
    return error->status;
  identity_session *opened = new_session(&config->clock);
  if (opened == NULL)
    return identity__fail_plain(error, IDENTITY_OUT_OF_MEMORY);
  if (copy_settings(opened, config, account, error) != IDENTITY_OK ||
      open_store(opened, config, error) != IDENTITY_OK || open_loop(opened, config, error) != IDENTITY_OK) {
    free_session(opened);
    return error->status;
  }
  identity__keep_load(opened);
  identity__events_begin(&opened->events, &opened->tokens);
  *session = opened;
  return IDENTITY_OK;
}

void identity_session_close(identity_session *session) {
  if (session == NULL)
    return;
  if (!identity__loop_is_forked(session->loop))
    identity__wind_up(session);
  free_session(session);
}

void identity_session_interrupt(identity_session *session) {
  if (session != NULL && !identity__loop_is_forked(session->loop))
    identity__loop_cancel(session->loop, session);
}
