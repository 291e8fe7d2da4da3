/* libcurl behind the seam of platform.h, over one multi handle, so that connections and the parsed CA bundle
 * are shared by everything on a loop. The floor is 7.68. */
#include "transport/curl.h"
#include "base/error.h"
#include "base/limits.h"
#include "base/secret.h"
#include "transport/curl_failure.h"
#include "transport/curl_global.h"
#include "transport/curl_transfer.h"

#include <identity/async.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef struct curl_transport {
  CURLM *multi;
  identity__transfers all;
  identity__transfer *running;
  bool one_by_one; /* some host has answered without HTTP/2 */
} curl_transport;

static int32_t events_of(int what) {
  return (what == CURL_POLL_IN || what == CURL_POLL_INOUT ? IDENTITY_READABLE : 0) |
         (what == CURL_POLL_OUT || what == CURL_POLL_INOUT ? IDENTITY_WRITABLE : 0);
}

/* A no would end every transfer, and libcurl 7.88 crashes over it: without memory for it (beyond the poller's
 * first sockets) one is left to its deadline. */
static int on_watch(CURL *easy, curl_socket_t socket, int what, void *user_data, void *socket_data) {
  const curl_transport *transport = user_data;
  (void)easy, (void)socket_data;
  (void)identity_link_watch(transport->all.link, socket, events_of(what));
  return 0;
}

static int on_timeout(CURLM *multi, long timeout_ms, void *user_data) {
  const curl_transport *transport = user_data;
  (void)multi;
  identity_link_timer(transport->all.link, timeout_ms);
  return 0;
}

static void take_off(curl_transport *transport, identity__transfer *one) {
  identity__transfer **place = &transport->running;
  while (*place != one)
    place = &(*place)->next;
  *place = one->next;
  (void)curl_multi_remove_handle(transport->multi, one->easy);
  transport->all.used_ms = identity__clock_boot_ms();
  identity__transfer_put_back(one);
}

/* ---- the seam ---- */

/* Nothing is written here: that is left to the timer that libcurl sets. */
static identity_status curl_start(void *state, identity_link *link, uint64_t exchange,
                                  const identity_http_request *request) {
  curl_transport *transport = state;
  (void)link;
  identity__transfer *one = identity__transfer_take(&transport->all, exchange, request);
  bool started = one != NULL && curl_multi_add_handle(transport->multi, one->easy) == CURLM_OK;
  if (started) {
    one->next = transport->running;
    transport->running = one;
  } else if (one != NULL)
    identity__transfer_put_back(one);
  return started ? IDENTITY_OK : IDENTITY_OUT_OF_MEMORY;
}

static void curl_cancel(void *state, uint64_t exchange) {
  curl_transport *transport = state;
  identity__pipe_guard guard;
  identity__pipe_guard_enter(&guard);
  identity__transfer *one = transport->running;
  while (one != NULL && one->exchange != exchange)
    one = one->next;
  if (one != NULL)
    take_off(transport, one);
  identity__pipe_guard_leave(&guard);
}

/* Only connections that multiplex carry more than one exchange each; of several hosts the weakest counts. */
static void learn_capacity(curl_transport *transport, CURL *easy) {
  long version = 0;
  if (curl_easy_getinfo(easy, CURLINFO_HTTP_VERSION, &version) != CURLE_OK || version == 0)
    return;
  transport->one_by_one = transport->one_by_one || version < CURL_HTTP_VERSION_2_0;
  identity_link_set_capacity(transport->all.link,
                             transport->one_by_one ? IDENTITY__MAX_CONNECTIONS : IDENTITY__MAX_EXCHANGES);
}

static void conclude(curl_transport *transport, identity__transfer *one, CURLcode result) {
  identity__curl_trouble failure = {.status = IDENTITY_OK};
  if (result != CURLE_OK)
    identity__curl_failure(&failure, one->easy, result, one->error_text, transport->all.settings.ca_file);
  identity__transfer_tell_sent(one);
  if (result == CURLE_OK)
    learn_capacity(transport, one->easy);
  uint64_t exchange = one->exchange;
  take_off(transport, one);
  identity_link_complete(transport->all.link, exchange, failure.status, failure.detail);
}

static void read_results(curl_transport *transport) {
  CURLMsg *message;
  int left;
  while ((message = curl_multi_info_read(transport->multi, &left)) != NULL) {
    identity__transfer *one = NULL;
    if (message->msg != CURLMSG_DONE)
      continue;
    CURLcode result = message->data.result;
    (void)curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, (char **)&one);
    conclude(transport, one, result);
  }
}

static void act(curl_transport *transport, curl_socket_t socket, int events) {
  identity__pipe_guard guard;
  int running;
  identity__pipe_guard_enter(&guard);
  (void)curl_multi_socket_action(transport->multi, socket, events, &running);
  read_results(transport);
  identity__pipe_guard_leave(&guard);
}

static void curl_on_socket(void *state, int64_t socket, int32_t events) {
  act(state, (curl_socket_t)socket,
      ((events & IDENTITY_READABLE) != 0 ? CURL_CSELECT_IN : 0) |
          ((events & IDENTITY_WRITABLE) != 0 ? CURL_CSELECT_OUT : 0) |
          ((events & IDENTITY_BROKEN) != 0 ? CURL_CSELECT_ERR : 0));
}

static void curl_on_timer(void *state) {
  act(state, CURL_SOCKET_TIMEOUT, 0);
}

/* ---- begin and end ---- */

static bool copy_settings(curl_transport *transport, const identity__transport_settings *settings) {
  transport->all.settings.environment_proxy = settings->environment_proxy;
  transport->all.settings.loopback_http = settings->loopback_http;
  transport->all.settings.ca_file = identity__secret_copy(settings->ca_file);
  transport->all.settings.ca_pem = identity__secret_copy(settings->ca_pem);
  transport->all.settings.proxy = identity__secret_copy(settings->proxy);
  for (uint32_t i = 0; i < settings->resolve_count; i++) {
    struct curl_slist *resolve = curl_slist_append(transport->all.settings.resolve, settings->resolve[i]);
    if (resolve == NULL)
      return false;
    transport->all.settings.resolve = resolve;
  }
  return (transport->all.settings.ca_file != NULL) == (settings->ca_file != NULL) &&
         (transport->all.settings.ca_pem != NULL) == (settings->ca_pem != NULL) &&
         (transport->all.settings.proxy != NULL) == (settings->proxy != NULL);
}

static identity_status check_settings(const identity__transport_settings *settings, identity_error *error) {
  if (settings->ca_file != NULL && access(settings->ca_file, R_OK) != 0)
    return identity__fail(error, IDENTITY_CA_FILE, "ca_file", "The CA file cannot be read (%s): %s",
                          strerror(errno), settings->ca_file);
  if (settings->ca_pem != NULL && curl_version_info(CURLVERSION_NOW)->version_num < 0x074D00)
    return identity__fail(error, IDENTITY_BAD_CONFIGURATION, "ca_pem",
                          "CA certificates from memory need libcurl 7.77");
  return IDENTITY_OK;
}

static bool set_multi(curl_transport *transport) {
  CURLM *multi = transport->multi;
  return curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, on_watch) == CURLM_OK &&
         curl_multi_setopt(multi, CURLMOPT_SOCKETDATA, transport) == CURLM_OK &&
         curl_multi_setopt(multi, CURLMOPT_TIMERFUNCTION, on_timeout) == CURLM_OK &&
         curl_multi_setopt(multi, CURLMOPT_TIMERDATA, transport) == CURLM_OK &&
         curl_multi_setopt(multi, CURLMOPT_MAX_HOST_CONNECTIONS, (long)IDENTITY__MAX_CONNECTIONS) ==
             CURLM_OK &&
         curl_multi_setopt(multi, CURLMOPT_MAXCONNECTS, (long)IDENTITY__MAX_POOL) == CURLM_OK;
}

static identity_status curl_open(void *user_data, identity_link *link, void **state) {
  curl_transport *transport = user_data;
  transport->all.link = link;
  *state = transport;
  return IDENTITY_OK;
}

static void curl_close(void *state) {
  curl_transport *transport = state;
  identity__pipe_guard guard;
  identity__pipe_guard_enter(&guard);
  while (transport->running != NULL)
    take_off(transport, transport->running);
  while (transport->all.idle != NULL) {
    identity__transfer *one = transport->all.idle;
    transport->all.idle = one->next;
    identity__transfer_free(one);
  }
  (void)curl_multi_cleanup(transport->multi);
  curl_slist_free_all(transport->all.settings.resolve);
  identity__secret_free(transport->all.settings.ca_file);
  identity__secret_free(transport->all.settings.ca_pem);
  identity__secret_free(transport->all.settings.proxy);
  identity__pipe_guard_leave(&guard);
  identity__curl_global_leave();
  free(transport);
}

identity_status identity__curl_transport(const identity__transport_settings *settings,
                                         identity_transport *calls, identity_error *error) {
  if (check_settings(settings, error) != IDENTITY_OK)
    return error->status;
  curl_transport *transport = calloc(1, sizeof *transport);
  if (transport == NULL || !identity__curl_global_enter()) {
    free(transport);
    return identity__fail_plain(error, IDENTITY_OUT_OF_MEMORY);
  }
  *calls = (identity_transport){.struct_size = sizeof *calls,
                                .user_data = transport,
                                .open = curl_open,
                                .close = curl_close,
                                .start = curl_start,
                                .cancel = curl_cancel,
                                .on_socket = curl_on_socket,
                                .on_timer = curl_on_timer};
  transport->all.used_ms = INT64_MIN / 2;
  transport->multi = curl_multi_init();
  if (transport->multi != NULL && set_multi(transport) && copy_settings(transport, settings))
    return IDENTITY_OK;
  curl_close(transport);
  return identity__fail_plain(error, IDENTITY_OUT_OF_MEMORY);
}
