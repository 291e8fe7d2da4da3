#include "api/settle.h"
#include "base/buffer.h"
#include "base/limits.h"
#include "base/secret.h"
#include "base/text.h"
#include "wire/check.h"
#include "wire/url.h"

#include <arpa/inet.h>
#include <identity/server.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

/* The contract, section hosts. */
static const char environment_urls[][44] = {
    [IDENTITY_SANDBOX] = "https://mediastoreapi-sandbox.cleeng.com",
    [IDENTITY_PRODUCTION] = "https://mediastoreapi.cleeng.com",
};

/* What each setter takes, for the message that open gives; joined, as they differ much in length. */
static const char setter_rules[] =
    "publisher_id\0must be nine digits\0"
    "environment\0must be IDENTITY_SANDBOX or IDENTITY_PRODUCTION\0"
    "base_url\0must be https://host[:port][/path], or http to loopback, without user, query or fragment\0"
    "loopback_http\0must be 0 or 1\0"
    "file_store\0must be a path of printable text\0"
    "volatile_tokens\0must be 0 or 1\0"
    "log\0must have a level from IDENTITY_LOG_ERROR to IDENTITY_LOG_DEBUG\0"
    "timeout_ms\0must be 100 to 600000\0"
    "resolve\0must be a host name and an IP address, up to 8 times\0"
    "ca_file\0must be a path of printable text\0"
    "ca_pem\0must be certificates in PEM form, at most 1 MiB\0"
    "proxy\0must be a URL of printable text\0"
    "environment_proxy\0must be 0 or 1\0"
    "keep_fresh\0must be 0 or 1\0"
    "user_agent\0must be one line of printable text\0"
    "sso_path\0must be a path that begins with / and has no query\0"
    "sso_header\0must be the name of a header\0"
    "store\0must have load and swap functions and known flags\0"
    "clock\0must have a function, and a boot id of 1 to 39 characters or none\0"
    "transport\0must have start and cancel, and both of on_socket and on_timer or none\0";

static const char *rule_of(const char *setter) {
  const char *rule = setter_rules;
  for (const char *at = setter_rules; *at != '\0'; at = rule + strlen(rule) + 1) {
    rule = at + strlen(at) + 1;
    if (strcmp(at, setter) == 0)
      return rule;
  }
  return "cannot be used";
}

identity_status identity__settle(identity_config *config, const char *setter, identity_status status) {
  if (config == NULL)
    return IDENTITY_BAD_ARGUMENT;
  if (status != IDENTITY_OK && config->failed == IDENTITY_OK) {
    config->failed = status;
    config->failed_setter = setter;
    config->failed_rule = status == IDENTITY_OUT_OF_MEMORY ? "does not fit into memory" : rule_of(setter);
  }
  return status;
}

/* Texts are wiped when replaced: a proxy URL may hold a password. */
static identity_status replace(char **target, const char *text) {
  char *copy = identity__secret_copy(text);
  if (copy == NULL && text != NULL)
    return IDENTITY_OUT_OF_MEMORY;
  identity__secret_free(*target);
  *target = copy;
  return IDENTITY_OK;
}

static bool is_line(const char *text) {
  for (const char *at = text; *at != '\0'; at++)
    if ((unsigned char)*at < 0x20 || *at == 0x7F)
      return false;
  return text[0] != '\0' && strlen(text) <= IDENTITY__MAX_URL && identity__utf8_characters(text) > 0;
}

static bool is_pem(const char *text) {
  return strstr(text, "-----BEGIN") != NULL && strlen(text) <= IDENTITY__MAX_BODY;
}

static bool is_header_name(const char *text) {
  size_t length = strlen(text);
  for (size_t i = 0; i < length; i++)
    if (!identity__is_letter(text[i]) && !identity__is_digit(text[i]) && text[i] != '-')
      return false;
  return length > 0 && length <= 64;
}

static bool is_path(const char *text) {
  return text[0] == '/' && is_line(text) && strpbrk(text, " ?#{}\\") == NULL;
}

static identity_status set_text(identity_config *config, const char *setter, size_t offset, const char *text,
                                bool (*fits)(const char *text)) {
  if (config == NULL)
    return IDENTITY_BAD_ARGUMENT;
  if (text != NULL && !fits(text))
    return identity__settle(config, setter, IDENTITY_BAD_ARGUMENT);
  char **target = (char **)(void *)((char *)config + offset);
  return identity__settle(config, setter, replace(target, text));
}

static identity_status set_flag(identity_config *config, const char *setter, size_t offset, int32_t flag) {
  if (config == NULL)
    return IDENTITY_BAD_ARGUMENT;
  if (flag != 0 && flag != 1)
    return identity__settle(config, setter, IDENTITY_BAD_ARGUMENT);
  memcpy((char *)config + offset, &flag, sizeof flag);
  return IDENTITY_OK;
}

identity_config *identity_config_new(const char *publisher_id) {
  identity_config *config = calloc(1, sizeof *config);
  if (config == NULL)
    return NULL;
  config->timeout_ms = IDENTITY__DEFAULT_TIMEOUT_MS;
  if (publisher_id == NULL || !identity__is_publisher_id(publisher_id))
    (void)identity__settle(config, "publisher_id", IDENTITY_BAD_ARGUMENT);
  else if (replace(&config->publisher_id, publisher_id) != IDENTITY_OK)
    (void)identity__settle(config, "publisher_id", IDENTITY_OUT_OF_MEMORY);
  return config;
}

void identity_config_free(identity_config *config) {
  if (config == NULL)
    return;
  char **texts[] = {&config->publisher_id, &config->base_url, &config->store_directory,
                    &config->ca_file,      &config->ca_pem,   &config->proxy,
                    &config->user_agent,   &config->sso_path, &config->sso_header};
  for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
    identity__secret_free(*texts[i]);
  for (uint32_t i = 0; i < config->resolve_count; i++) {
    identity__secret_free(config->resolve_hosts[i]);
    identity__secret_free(config->resolve_addresses[i]);
  }
  free(config);
}

identity_status identity_config_set_environment(identity_config *config, int32_t environment) {
  if (config == NULL)
    return IDENTITY_BAD_ARGUMENT;
  if (environment != IDENTITY_SANDBOX && environment != IDENTITY_PRODUCTION)
    return identity__settle(config, "environment", IDENTITY_BAD_ARGUMENT);
  return identity__settle(config, "environment", replace(&config->base_url, environment_urls[environment]));
}

/* Whether plain http is allowed is only known at open: here the address only has to be one. */
static bool is_base_url(const char *text) {
  identity__buffer url;
  identity__buffer_init(&url, IDENTITY__MAX_URL);
  bool usable = identity__base_url(text, true, &url) == NULL;
  identity__buffer_free(&url);
  return usable;
}

identity_status identity_config_set_base_url(identity_config *config, const char *base_url) {
  return set_text(config, "base_url", offsetof(identity_config, base_url), base_url, is_base_url);
}

identity_status identity_config_set_loopback_http(identity_config *config, int32_t allowed) {
  return set_flag(config, "loopback_http", offsetof(identity_config, loopback_http), allowed);
}

identity_status identity_config_set_memory_store(identity_config *config) {
  if (config == NULL)
    return IDENTITY_BAD_ARGUMENT;
  config->store_kind = IDENTITY__MEMORY_STORE;
  return IDENTITY_OK;
}

identity_status identity_config_set_file_store(identity_config *config, const char *directory) {
  if (config == NULL)
    return IDENTITY_BAD_ARGUMENT;
  config->store_kind = directory != NULL ? IDENTITY__FILE_STORE : IDENTITY__MEMORY_STORE;
  return set_text(config, "file_store", offsetof(identity_config, store_directory), directory, is_line);
}

identity_status identity_config_set_volatile_tokens(identity_config *config, int32_t allowed) {
  return set_flag(config, "volatile_tokens", offsetof(identity_config, volatile_tokens), allowed);
}

identity_status identity_config_set_log(identity_config *config, int32_t level, identity_log_fn log,
                                        void *user_data) {
  if (config == NULL)
    return IDENTITY_BAD_ARGUMENT;
  if (log != NULL && (level < IDENTITY_LOG_ERROR || level > IDENTITY_LOG_DEBUG))
    return identity__settle(config, "log", IDENTITY_BAD_ARGUMENT);
  identity__log settings = {log, user_data, level};
  config->log = settings;
  return IDENTITY_OK;
}

identity_status identity_config_set_timeout_ms(identity_config *config, uint32_t timeout_ms) {
  if (config == NULL)
    return IDENTITY_BAD_ARGUMENT;
  if (timeout_ms < IDENTITY__MIN_TIMEOUT_MS || timeout_ms > IDENTITY__MAX_TIMEOUT_MS)
    return identity__settle(config, "timeout_ms", IDENTITY_BAD_ARGUMENT);
  config->timeout_ms = timeout_ms;
  return IDENTITY_OK;
}

/* That of IPv6 with or without the brackets that it has in a URL. */
static bool is_address(const char *text) {
  struct in6_addr address;
  char bare[INET6_ADDRSTRLEN];
  size_t length = strlen(text);
  if (inet_pton(AF_INET, text, &address) == 1)
    return true;
  bool in_brackets = length > 2 && text[0] == '[' && text[length - 1] == ']';
  length -= in_brackets ? 2 : 0;
  if (length >= sizeof bare)
    return false;
  memcpy(bare, in_brackets ? text + 1 : text, length);
  bare[length] = '\0';
  return inet_pton(AF_INET6, bare, &address) == 1;
}

identity_status identity_config_set_resolve(identity_config *config, const char *host, const char *address) {
  if (config == NULL)
    return IDENTITY_BAD_ARGUMENT;
  uint32_t i = config->resolve_count;
  bool usable = host != NULL && address != NULL && is_line(host) && strpbrk(host, ":/ ,") == NULL &&
                is_address(address);
  if (!usable || i >= IDENTITY__MAX_RESOLVE)
    return identity__settle(config, "resolve", IDENTITY_BAD_ARGUMENT);
  if (replace(&config->resolve_hosts[i], host) != IDENTITY_OK ||
      replace(&config->resolve_addresses[i], address) != IDENTITY_OK) {
    (void)replace(&config->resolve_hosts[i], NULL);
    return identity__settle(config, "resolve", IDENTITY_OUT_OF_MEMORY);
  }
  config->resolve_count++;
  return IDENTITY_OK;
}

identity_status identity_config_set_ca_file(identity_config *config, const char *path) {
  return set_text(config, "ca_file", offsetof(identity_config, ca_file), path, is_line);
}

identity_status identity_config_set_ca_pem(identity_config *config, const char *pem) {
  return set_text(config, "ca_pem", offsetof(identity_config, ca_pem), pem, is_pem);
}

identity_status identity_config_set_proxy(identity_config *config, const char *proxy_url) {
  return set_text(config, "proxy", offsetof(identity_config, proxy), proxy_url, is_line);
}

identity_status identity_config_set_environment_proxy(identity_config *config, int32_t allowed) {
  return set_flag(config, "environment_proxy", offsetof(identity_config, environment_proxy), allowed);
}

identity_status identity_config_set_keep_fresh(identity_config *config, int32_t wanted) {
  return set_flag(config, "keep_fresh", offsetof(identity_config, keep_fresh), wanted);
}

identity_status identity_config_set_user_agent(identity_config *config, const char *user_agent) {
  return set_text(config, "user_agent", offsetof(identity_config, user_agent), user_agent, is_line);
}

identity_status identity_config_set_sso_path(identity_config *config, const char *path) {
  return set_text(config, "sso_path", offsetof(identity_config, sso_path), path, is_path);
}

identity_status identity_config_set_sso_header(identity_config *config, const char *header_name) {
  return set_text(config, "sso_header", offsetof(identity_config, sso_header), header_name, is_header_name);
}
