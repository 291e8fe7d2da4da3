/* What a config holds and a session copies. */
#ifndef IDENTITY__SETTINGS_H
#define IDENTITY__SETTINGS_H

#include "base/clock.h"
#include "base/limits.h"
#include "base/log.h"

#include <identity/platform.h>

enum { IDENTITY__MEMORY_STORE, IDENTITY__FILE_STORE, IDENTITY__HOST_STORE };

struct identity_config {
  identity_status failed; /* the first setter that failed */
  const char *failed_setter;
  const char *failed_rule; /* what the value should have been */
  char *publisher_id;
  char *base_url;
  char *store_directory;
  char *ca_file;
  char *ca_pem;
  char *proxy;
  char *user_agent;
  char *sso_path;
  char *sso_header;
  char *resolve_hosts[IDENTITY__MAX_RESOLVE];
  char *resolve_addresses[IDENTITY__MAX_RESOLVE];
  uint32_t resolve_count;
  uint32_t timeout_ms;
  int32_t environment;
  int32_t store_kind;
  int32_t loopback_http;
  int32_t volatile_tokens;
  int32_t environment_proxy;
  int32_t keep_fresh;
  identity__log log;
  identity_store host_store;
  identity__clock clock;
  identity_transport transport; /* start NULL: libcurl */
};

#endif
