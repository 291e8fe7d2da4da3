/* Opening and closing sessions: the config becomes a slot, a store and a loop. */
#include "api/begin.h"
#include "api/network.h"
#include "base/error.h"
#include "base/process.h"
#include "base/secret.h"
#include "drive/ending.h"
#include "drive/keep.h"
#include "drive/tokens.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { KEY_SIZE = 160 };

static identity_status check_account(const char *account, identity_error *error) {
  if (account == NULL || account[0] == '\0' ||
      strnlen(account, IDENTITY__MAX_ACCOUNT + 1) > IDENTITY__MAX_ACCOUNT)
    return identity__fail(error, IDENTITY_BAD_ARGUMENT, "account", "account must have 1 to %d bytes",
                          IDENTITY__MAX_ACCOUNT);
  return IDENTITY_OK;
}

static char *take_text(identity__buffer *buffer) {
  char *text = buffer->failed || buffer->bytes == NULL ? NULL : identity__secret_copy(buffer->bytes);
  identity__buffer_free(buffer);
  return text;
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

/* What is absent stays absent. */
static bool copy_text(char **target, const char *text) {
  *target = identity__secret_copy(text);
  return *target != NULL || text == NULL;
}

static identity_status copy_settings(identity_session *session, const identity_config *config,
                                     const char *account, identity_error *error) {
  bool copied = copy_text(&session->publisher_id, config->publisher_id) &&
                copy_text(&session->account, account) && copy_text(&session->sso_path, config->sso_path) &&
                copy_text(&session->sso_header, config->sso_header);
  session->log = config->log;
  session->timeout_ms = config->timeout_ms;
  session->volatile_tokens = config->volatile_tokens;
  session->keep_fresh = config->keep_fresh;
  session->base_url = identity__network_base_url(config, error);
  if (session->base_url == NULL)
    return error->status;
  if (copied) {
    session->store_key = make_key(session);
    session->binding = make_binding(session);
  }
  if (session->store_key == NULL || session->binding == NULL)
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

static identity_session *new_session(const identity__clock *clock) {
  char boot_id[IDENTITY__BOOT_ID_SIZE];
  identity__lease self = {0};
  identity_session *session = calloc(1, sizeof *session);
  if (session == NULL || pthread_mutex_init(&session->lock, NULL) != 0) {
    free(session);
    return NULL;
  }
  session->timer.kind = IDENTITY__TIMER_SESSION;
  identity__list_init(&session->calls);
  identity__list_init(&session->line);
  identity__list_init(&session->begun);
  identity__clock_boot_id(boot_id);
  if (clock->boot_id[0] != '\0')
    memcpy(boot_id, clock->boot_id, sizeof boot_id);
  (void)snprintf(self.owner, sizeof self.owner, "%016" PRIx64, identity__clock_random());
  identity__process_self(&self.process, &self.process_start, &self.process_space);
  identity__machine_init(&session->tokens, boot_id, &self);
  return session;
}

/* On a loop of its own, or on the app's. */
static identity_status join_loop(identity_session *session, const identity_config *config,
                                 identity_loop *shared, identity_error *error) {
  if (shared == NULL)
    session->loop = identity__network_loop(config, session->base_url, error);
  else if (identity__network_fits(config, session->base_url, shared, error) == IDENTITY_OK) {
    identity__loop_hold(shared);
    session->loop = shared;
  }
  if (session->loop == NULL)
    return error->status;
  session->host = identity__loop_join_host(session->loop, session->base_url);
  if (session->host == NULL)
    return identity__fail_plain(error, IDENTITY_OUT_OF_MEMORY);
  identity__list_add(&session->loop->sessions, &session->listed);
  return IDENTITY_OK;
}

static identity_status open_session(const identity_config *config, const char *account, identity_loop *shared,
                                    identity_session **session, identity_error *error) {
  identity_error local;
  if (error == NULL)
    error = &local;
  identity__error_clear(error);
  if (session == NULL)
    return identity__check_result(session, "session", error);
  *session = NULL;
  if (identity__check_config(config, error) != IDENTITY_OK || check_account(account, error) != IDENTITY_OK)
    return error->status;
  identity_session *opened = new_session(&config->clock);
  if (opened == NULL)
    return identity__fail_plain(error, IDENTITY_OUT_OF_MEMORY);
  if (copy_settings(opened, config, account, error) != IDENTITY_OK ||
      open_store(opened, config, error) != IDENTITY_OK ||
      join_loop(opened, config, shared, error) != IDENTITY_OK) {
    identity__session_free(opened);
    return error->status;
  }
  identity__keep_open(opened, shared == NULL);
  identity__events_begin(&opened->events, &opened->tokens);
  identity__tokens_background(opened);
  *session = opened;
  return IDENTITY_OK;
}

identity_status identity_session_open(const identity_config *config, const char *account,
                                      identity_session **session, identity_error *error) {
  return open_session(config, account, NULL, session, error);
}

identity_status identity_session_open_on(identity_loop *loop, const identity_config *config,
                                         const char *account, identity_session **session,
                                         identity_error *error) {
  if (session != NULL)
    *session = NULL;
  if (loop == NULL)
    return identity__fail(error, IDENTITY_BAD_ARGUMENT, "loop", "loop is NULL");
  if (identity__loop_is_forked(loop))
    return identity__fail_plain(error, IDENTITY_FORKED);
  if (identity__loop_is_gone(loop))
    return identity__fail_plain(error, IDENTITY_LOOP_GONE);
  identity_status status = open_session(config, account, loop, session, error);
  identity__loop_wake_driver(loop); /* it may have something to do in the background */
  return status;
}

void identity_session_close(identity_session *session) {
  if (session == NULL)
    return;
  bool forked = identity__loop_is_forked(session->loop);
  if (session->loop->shared && !forked) {
    identity__session_leave(session);
    return;
  }
  if (!forked)
    identity__wind_up(session);
  identity__session_free(session);
}

void identity_session_interrupt(identity_session *session) {
  if (session != NULL && !identity__loop_is_forked(session->loop))
    identity__loop_cancel(session->loop, &session->calls);
}
