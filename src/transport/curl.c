/* libcurl behind the seam of platform.h, over one multi handle, so that connections and the parsed CA bundle
 * are shared by everything on a loop. Traps measured on 7.88 are named where they are dealt with; the floor
 * is 7.68. */
#include "transport/curl.h"
#include "base/buffer.h"
#include "base/error.h"
#include "base/limits.h"
#include "base/secret.h"
#include "transport/curl_failure.h"
#include "transport/curl_global.h"
#include "transport/curl_options.h"

#include <identity/async.h>

#include <curl/curl.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
  MOST_LINES = 8,
  MOST_HEAD = IDENTITY__MAX_TOKEN + 2048,
  KEPT_S = 118 /* libcurl trusts an idle connection */
};

typedef struct curl_transport curl_transport;

/* One easy handle: idle, or with an exchange. */
typedef struct transfer {
  struct transfer *next;
  curl_transport *transport;
  CURL *easy;
  uint64_t exchange;
  const char *body;
  size_t body_length;
  size_t body_sent;
  int32_t once;
  uint32_t attempts; /* how often libcurl was about to send */
  bool counted;      /* it tells (7.80) */
  struct curl_slist lines[MOST_LINES];
  identity__buffer head; /* their texts; the JWT is in it */
  char error_text[CURL_ERROR_SIZE];
} transfer;

struct curl_transport {
  CURLM *multi;
  identity_link *link;
  transfer *idle;
  transfer *running;
  identity__curl_settings settings;
  uint32_t idle_count;
  int64_t used_ms; /* when a transfer ran last */
};

/* ---- what libcurl calls ---- */

static size_t on_body(char *bytes, size_t size, size_t count, void *user_data) {
  const transfer *one = user_data;
  return identity_link_body(one->transport->link, one->exchange, bytes, size * count) ? size * count : 0;
}

static size_t on_header(char *line, size_t size, size_t count, void *user_data) {
  const transfer *one = user_data;
  return identity_link_header(one->transport->link, one->exchange, line, size * count) ? size * count : 0;
}

/* Bodies go through this callback and cannot be rewound: libcurl repeats a POST by itself when a reused
 * connection closes before the first byte of an answer, unless it would have to rewind the body (trap 8a).
 * Nobody can act on a request whose body is missing: that is when it is asked for the last time whether it
 * may leave. */
static size_t on_read(char *bytes, size_t size, size_t count, void *user_data) {
  transfer *one = user_data;
  size_t left = one->body_length - one->body_sent;
  if (one->body_sent == 0 && !identity_link_may_send(one->transport->link, one->exchange))
    return CURL_READFUNC_ABORT;
  if (one->body_sent == 0)
    identity_link_sent(one->transport->link, one->exchange);
  size_t step = left < size * count ? left : size * count;
  memcpy(bytes, one->body + one->body_sent, step);
  one->body_sent += step;
  return step;
}

/* A program that the app starts must not inherit a connection. */
static curl_socket_t on_open(void *user_data, curlsocktype purpose, struct curl_sockaddr *address) {
  (void)user_data, (void)purpose;
#if defined(SOCK_CLOEXEC)
  return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
#else
  curl_socket_t opened = socket(address->family, address->socktype, address->protocol);
  if (opened != CURL_SOCKET_BAD)
    (void)fcntl(opened, F_SETFD, FD_CLOEXEC);
  return opened;
#endif
}

#if LIBCURL_VERSION_NUM >= 0x075000
/* Called before each attempt to send; a second one would be libcurl's own repetition. */
static int on_send(void *user_data, char *remote, char *local, int remote_port, int local_port) {
  transfer *one = user_data;
  (void)remote, (void)local, (void)remote_port, (void)local_port;
  one->attempts++;
  if (one->once && one->attempts > 1)
    return CURL_PREREQFUNC_ABORT;
  if (one->body_length == 0)
    identity_link_sent(one->transport->link, one->exchange);
  return CURL_PREREQFUNC_OK;
}
#endif

/* Before 7.80 nothing tells when a request without a body leaves; how far it got is looked at now and then.
 */
static int on_progress(void *user_data, curl_off_t total, curl_off_t now, curl_off_t up_total,
                       curl_off_t up_now) {
  const transfer *one = user_data;
  curl_off_t begun_us = 0;
  (void)total, (void)now, (void)up_total, (void)up_now;
  if (one->body_length == 0)
    (void)curl_easy_getinfo(one->easy, CURLINFO_PRETRANSFER_TIME_T, &begun_us);
  if (begun_us > 0)
    identity_link_sent(one->transport->link, one->exchange);
  return 0;
}

static int32_t events_of(int what) {
  return (what == CURL_POLL_IN || what == CURL_POLL_INOUT ? IDENTITY_READABLE : 0) |
         (what == CURL_POLL_OUT || what == CURL_POLL_INOUT ? IDENTITY_WRITABLE : 0);
}

static int on_watch(CURL *easy, curl_socket_t socket, int what, void *user_data, void *socket_data) {
  const curl_transport *transport = user_data;
  (void)easy, (void)socket_data;
  return identity_link_watch(transport->link, socket, events_of(what)) ? 0 : -1;
}

static int on_timeout(CURLM *multi, long timeout_ms, void *user_data) {
  const curl_transport *transport = user_data;
  (void)multi;
  identity_link_timer(transport->link, timeout_ms);
  return 0;
}

/* ---- transfers ---- */

static bool set_callbacks(transfer *one) {
  CURL *easy = one->easy;
#if LIBCURL_VERSION_NUM >= 0x075000
  one->counted =
      IDENTITY__SET(easy, CURLOPT_PREREQFUNCTION, on_send) && IDENTITY__SET(easy, CURLOPT_PREREQDATA, one);
#endif
  bool told = one->counted ||
              (IDENTITY__SET(easy, CURLOPT_XFERINFOFUNCTION, on_progress) &&
               IDENTITY__SET(easy, CURLOPT_XFERINFODATA, one) && IDENTITY__SET(easy, CURLOPT_NOPROGRESS, 0L));
  return told && IDENTITY__SET(easy, CURLOPT_PRIVATE, one) &&
         IDENTITY__SET(easy, CURLOPT_ERRORBUFFER, one->error_text) &&
         IDENTITY__SET(easy, CURLOPT_WRITEFUNCTION, on_body) && IDENTITY__SET(easy, CURLOPT_WRITEDATA, one) &&
         IDENTITY__SET(easy, CURLOPT_HEADERFUNCTION, on_header) &&
         IDENTITY__SET(easy, CURLOPT_HEADERDATA, one) &&
         IDENTITY__SET(easy, CURLOPT_OPENSOCKETFUNCTION, on_open) &&
         IDENTITY__SET(easy, CURLOPT_READFUNCTION, on_read) && IDENTITY__SET(easy, CURLOPT_READDATA, one);
}

static void free_transfer(transfer *one) {
  if (one == NULL)
    return;
  curl_easy_cleanup(one->easy);
  identity__buffer_free(&one->head);
  free(one);
}

static transfer *new_transfer(curl_transport *transport) {
  transfer *one = calloc(1, sizeof *one);
  if (one == NULL)
    return NULL;
  one->transport = transport;
  identity__buffer_init(&one->head, MOST_HEAD);
  one->easy = curl_easy_init();
  if (one->easy != NULL && identity__curl_set_options(one->easy, &transport->settings) && set_callbacks(one))
    return one;
  free_transfer(one);
  return NULL;
}

/* An idle one keeps its handle and every option that is the same for all requests. */
static transfer *take_transfer(curl_transport *transport) {
  transfer *one = transport->idle;
  if (one == NULL)
    return new_transfer(transport);
  transport->idle = one->next;
  transport->idle_count--;
  return one;
}

static bool add_text(transfer *one, const char *name, const char *value) {
  return identity__buffer_add_text(&one->head, name) && identity__buffer_add_text(&one->head, value) &&
         identity__buffer_add(&one->head, "", 1);
}

/* Header lines are nodes and texts of our own: libcurl reads them, we wipe them. */
static bool set_headers(transfer *one, const identity_http_request *request) {
  uint32_t count = request->header_count;
  bool body = request->body != NULL;
  bool whole = count < MOST_LINES;
  for (uint32_t i = 0; i < count && whole; i++)
    whole = identity__buffer_add_text(&one->head, request->headers[i].name) &&
            add_text(one, ": ", request->headers[i].value);
  if (!whole || (body && !add_text(one, "Expect:", ""))) /* a body is small: nobody is asked first */
    return false;
  count += body;
  char *text = one->head.bytes;
  for (uint32_t i = 0; i < count; i++) {
    one->lines[i].data = text;
    one->lines[i].next = i + 1 < count ? &one->lines[i + 1] : NULL;
    text += strlen(text) + 1;
  }
  return IDENTITY__SET(one->easy, CURLOPT_HTTPHEADER, count > 0 ? one->lines : NULL);
}

static bool set_method(CURL *easy, const identity_http_request *request) {
  bool body = request->body != NULL;
  bool get = strcmp(request->method, "GET") == 0;
  bool set = body ? IDENTITY__SET(easy, CURLOPT_POST, 1L) : IDENTITY__SET(easy, CURLOPT_HTTPGET, 1L);
  if (body)
    set = set && IDENTITY__SET(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)request->body_length);
  return set && IDENTITY__SET(easy, CURLOPT_CUSTOMREQUEST, get ? NULL : request->method);
}

/* Connections beyond the first are closed once they were idle for a while: while another was in use since,
 * what is older than that goes, all at once and with the next call. Else the one that may serve it would go,
 * too. */
static void close_idle(const curl_transport *transport, const transfer *one) {
  int64_t idle_ms = identity__clock_now().boot_ms - transport->used_ms;
  IDENTITY__SET_IF_KNOWN(one->easy, CURLOPT_MAXAGE_CONN,
                         idle_ms < IDENTITY__IDLE_CONNECTION_MS ? IDENTITY__IDLE_CONNECTION_MS / 1000L
                                                                : KEPT_S);
}

static bool prepare(transfer *one, uint64_t exchange, const identity_http_request *request) {
  one->exchange = exchange;
  one->body = request->body;
  one->body_length = request->body != NULL ? (size_t)request->body_length : 0;
  one->body_sent = 0;
  one->once = request->once;
  one->attempts = 0;
  one->error_text[0] = '\0';
  close_idle(one->transport, one);
  /* Where nothing tells about a repeated request without a body, a connection of its own cannot be stale. */
  bool blind = request->once && request->body == NULL && !one->counted;
  return IDENTITY__SET(one->easy, CURLOPT_URL, request->url) && set_method(one->easy, request) &&
         set_headers(one, request) && IDENTITY__SET(one->easy, CURLOPT_FRESH_CONNECT, blind ? 1L : 0L);
}

/* Wiped; few of those that are idle are kept. */
static void put_back(curl_transport *transport, transfer *one) {
  (void)curl_easy_setopt(one->easy, CURLOPT_HTTPHEADER, NULL);
  identity__buffer_reset(&one->head);
  one->body = NULL;
  if (transport->idle_count >= IDENTITY__MAX_CONNECTIONS) {
    free_transfer(one);
    return;
  }
  one->next = transport->idle;
  transport->idle = one;
  transport->idle_count++;
}

static void take_off(curl_transport *transport, transfer *one) {
  transfer **place = &transport->running;
  while (*place != one)
    place = &(*place)->next;
  *place = one->next;
  (void)curl_multi_remove_handle(transport->multi, one->easy);
  transport->used_ms = identity__clock_now().boot_ms;
  put_back(transport, one);
}

/* ---- the seam ---- */

/* Nothing is written here: that is left to the timer that libcurl sets. */
static identity_status curl_start(void *state, identity_link *link, uint64_t exchange,
                                  const identity_http_request *request) {
  curl_transport *transport = state;
  (void)link;
  transfer *one = take_transfer(transport);
  bool started = one != NULL && prepare(one, exchange, request) &&
                 curl_multi_add_handle(transport->multi, one->easy) == CURLM_OK;
  if (started) {
    one->next = transport->running;
    transport->running = one;
  } else if (one != NULL)
    put_back(transport, one);
  return started ? IDENTITY_OK : IDENTITY_OUT_OF_MEMORY;
}

static void curl_cancel(void *state, uint64_t exchange) {
  curl_transport *transport = state;
  identity__pipe_guard guard;
  identity__pipe_guard_enter(&guard);
  transfer *one = transport->running;
  while (one != NULL && one->exchange != exchange)
    one = one->next;
  if (one != NULL)
    take_off(transport, one);
  identity__pipe_guard_leave(&guard);
}

/* Only a connection that multiplexes carries more than one exchange. */
static void learn_capacity(const curl_transport *transport, CURL *easy) {
  long version = 0;
  if (curl_easy_getinfo(easy, CURLINFO_HTTP_VERSION, &version) != CURLE_OK || version == 0)
    return;
  identity_link_set_capacity(transport->link, version >= CURL_HTTP_VERSION_2_0 ? IDENTITY__MAX_EXCHANGES
                                                                               : IDENTITY__MAX_CONNECTIONS);
}

static void conclude(curl_transport *transport, transfer *one, CURLcode result) {
  identity__curl_trouble failure = {.status = IDENTITY_OK};
  if (result != CURLE_OK)
    identity__curl_failure(&failure, one->easy, result, one->error_text, transport->settings.ca_file);
  if (!one->counted)
    (void)on_progress(one, 0, 0, 0, 0);
  if (result == CURLE_OK)
    learn_capacity(transport, one->easy);
  uint64_t exchange = one->exchange;
  take_off(transport, one);
  identity_link_complete(transport->link, exchange, failure.status, failure.detail);
}

static void read_results(curl_transport *transport) {
  CURLMsg *message;
  int left;
  while ((message = curl_multi_info_read(transport->multi, &left)) != NULL) {
    transfer *one = NULL;
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
  transport->settings.environment_proxy = settings->environment_proxy;
  transport->settings.loopback_http = settings->loopback_http;
  transport->settings.ca_file = identity__secret_copy(settings->ca_file);
  transport->settings.ca_pem = identity__secret_copy(settings->ca_pem);
  transport->settings.proxy = identity__secret_copy(settings->proxy);
  for (uint32_t i = 0; i < settings->resolve_count; i++) {
    struct curl_slist *resolve = curl_slist_append(transport->settings.resolve, settings->resolve[i]);
    if (resolve == NULL)
      return false;
    transport->settings.resolve = resolve;
  }
  return (transport->settings.ca_file != NULL) == (settings->ca_file != NULL) &&
         (transport->settings.ca_pem != NULL) == (settings->ca_pem != NULL) &&
         (transport->settings.proxy != NULL) == (settings->proxy != NULL);
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
         curl_multi_setopt(multi, CURLMOPT_MAXCONNECTS, (long)IDENTITY__MAX_CONNECTIONS) == CURLM_OK;
}

static identity_status curl_open(void *user_data, identity_link *link, void **state) {
  curl_transport *transport = user_data;
  transport->link = link;
  *state = transport;
  return IDENTITY_OK;
}

static void curl_close(void *state) {
  curl_transport *transport = state;
  identity__pipe_guard guard;
  identity__pipe_guard_enter(&guard);
  while (transport->running != NULL)
    take_off(transport, transport->running);
  while (transport->idle != NULL) {
    transfer *one = transport->idle;
    transport->idle = one->next;
    free_transfer(one);
  }
  (void)curl_multi_cleanup(transport->multi);
  curl_slist_free_all(transport->settings.resolve);
  identity__secret_free(transport->settings.ca_file);
  identity__secret_free(transport->settings.ca_pem);
  identity__secret_free(transport->settings.proxy);
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
  transport->used_ms = INT64_MIN / 2;
  transport->multi = curl_multi_init();
  if (transport->multi != NULL && set_multi(transport) && copy_settings(transport, settings))
    return IDENTITY_OK;
  curl_close(transport);
  return identity__fail_plain(error, IDENTITY_OUT_OF_MEMORY);
}
