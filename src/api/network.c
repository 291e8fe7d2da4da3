/* How a config reaches the network: the part of it that a loop has, and that sessions of one loop share. */
#include "api/network.h"
#include "base/buffer.h"
#include "base/error.h"
#include "base/secret.h"
#include "wire/url.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_NETWORK = 2 * 1024 * 1024 };

identity_status identity__check_config(const identity_config *config, identity_error *error) {
  if (config == NULL)
    return identity__fail(error, IDENTITY_BAD_ARGUMENT, "config", "config is NULL");
  if (config->failed != IDENTITY_OK)
    return identity__fail(error, config->failed, config->failed_setter, "The configuration's %s %s.",
                          config->failed_setter, config->failed_rule);
  if (config->base_url == NULL)
    return identity__fail(error, IDENTITY_BAD_CONFIGURATION, "environment",
                          "Neither an environment nor a base URL is set; there is no default.");
  return IDENTITY_OK;
}

char *identity__network_base_url(const identity_config *config, identity_error *error) {
  identity__buffer url;
  identity__buffer_init(&url, IDENTITY__MAX_URL);
  const char *wrong = identity__base_url(config->base_url, config->loopback_http, &url);
  char *copy = wrong == NULL && !url.failed ? identity__secret_copy(url.bytes) : NULL;
  if (url.starved || (wrong == NULL && copy == NULL))
    (void)identity__fail_plain(error, IDENTITY_OUT_OF_MEMORY);
  else if (wrong != NULL)
    (void)identity__fail(error, IDENTITY_BAD_CONFIGURATION, "base_url", "The base URL %s.", wrong);
  identity__buffer_free(&url);
  return copy;
}

static bool is_plain(const char *base_url) {
  return strncmp(base_url, "http://", 7) == 0;
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
static identity_status check_resolve(const char *base_url, const identity_config *config,
                                     identity_error *error) {
  bool plain = is_plain(base_url);
  for (uint32_t i = 0; plain && i < config->resolve_count; i++)
    if (!is_loopback_address(config->resolve_addresses[i]))
      return identity__fail(error, IDENTITY_BAD_CONFIGURATION, "resolve",
                            "With a plain http base URL, names can only be resolved to loopback.");
  return IDENTITY_OK;
}

/* libcurl wants "host:port:address". */
static bool make_resolve(const char *base_url, const identity_config *config, char *lines[]) {
  const char *port = base_port(base_url);
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

identity__loop *identity__network_loop(const identity_config *config, const char *base_url,
                                       identity_error *error) {
  char *resolve[IDENTITY__MAX_RESOLVE] = {NULL};
  identity__loop *loop = NULL;
  if (check_resolve(base_url, config, error) != IDENTITY_OK)
    return NULL;
  char agent[256];
  (void)snprintf(agent, sizeof agent, "%.200s%slibidentity/%s",
                 config->user_agent != NULL ? config->user_agent : "", config->user_agent != NULL ? " " : "",
                 identity_version());
  const identity__transport_settings settings = {
      .ca_file = config->ca_file,
      .ca_pem = config->ca_pem,
      .proxy = config->proxy,
      .environment_proxy = config->environment_proxy,
      .loopback_http = is_plain(base_url),
      .user_agent = agent,
      .resolve = (const char *const *)resolve,
      .resolve_count = config->resolve_count,
      .clock = &config->clock,
      .host = &config->transport,
  };
  if (make_resolve(base_url, config, resolve))
    loop = identity__loop_new(&settings, error);
  else
    (void)identity__fail_plain(error, IDENTITY_OUT_OF_MEMORY);
  for (uint32_t i = 0; i < config->resolve_count; i++)
    free(resolve[i]);
  return loop;
}

/* ---- what sessions of one loop have in common ---- */

static void add_setting(identity__buffer *text, const char *value) {
  (void)identity__buffer_add_text(text, value != NULL ? value : "");
  (void)identity__buffer_add_text(text, "\n");
}

static void add_resolve(identity__buffer *text, const identity_config *config, const char *base_url) {
  if (config->resolve_count > 0)
    add_setting(text, base_port(base_url));
  for (uint32_t i = 0; i < config->resolve_count; i++) {
    add_setting(text, config->resolve_hosts[i]);
    add_setting(text, config->resolve_addresses[i]);
  }
}

char *identity__network_text(const identity_config *config, const char *base_url) {
  identity__buffer text;
  char numbers[160];
  identity__buffer_init(&text, MOST_NETWORK);
  (void)snprintf(numbers, sizeof numbers, "%d %d %p %p %p %p", is_plain(base_url),
                 (int)config->environment_proxy, config->transport.user_data,
                 (void *)(uintptr_t)config->transport.start, config->clock.user_data,
                 (void *)(uintptr_t)config->clock.now);
  const char *values[] = {numbers,       config->ca_file,    config->ca_pem,
                          config->proxy, config->user_agent, config->clock.boot_id};
  for (size_t i = 0; i < sizeof values / sizeof values[0]; i++)
    add_setting(&text, values[i]);
  add_resolve(&text, config, base_url);
  char *copy = text.failed ? NULL : identity__secret_copy(text.bytes);
  identity__buffer_free(&text);
  return copy;
}

identity_status identity__network_fits(const identity_config *config, const char *base_url,
                                       const identity__loop *loop, identity_error *error) {
  char *text = identity__network_text(config, base_url);
  if (text == NULL)
    return identity__fail_plain(error, IDENTITY_OUT_OF_MEMORY);
  bool same = strcmp(text, loop->network) == 0;
  identity__secret_free(text);
  if (same)
    return IDENTITY_OK;
  return identity__fail(
      error, IDENTITY_BAD_CONFIGURATION, "loop",
      "The config's network settings (CA, proxy, resolve, user agent, http or https, transport, "
      "clock) are not those of the loop.");
}
