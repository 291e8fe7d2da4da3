/* libcurl. Traps measured on 7.88 are named where they are dealt with; the floor is 7.68. */
#include "transport/curl_failure.h"
#include "transport/curl_global.h"
#include "transport/curl_options.h"
#include "transport/transport.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/limits.h"
#include "base/secret.h"
#include "base/text.h"
#include "transport/headers.h"

#include <curl/curl.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { IDLE_BODY = 64 * 1024 /* what an exchange keeps for the next answer */, RESERVED_BODY = 16 * 1024 };

struct identity__exchange {
  identity__exchange *next; /* in the list of idle ones */
  identity__transport *transport;
  CURL *easy;
  void *owner;
  identity__response response;
  identity__headers headers;
  const char *body;
  size_t body_length;
  size_t body_sent;
  bool (*may_leave)(const void *owner);
  int32_t once;
  uint32_t attempts; /* how often libcurl was about to send */
  bool counted;      /* it tells (7.80) */
  bool running;
  bool encoded;               /* the answer is in a content encoding nobody asked for */
  struct curl_slist lines[2]; /* Authorization and one more, in front of the transport's own */
  identity__buffer line_texts[2];
  char error_text[CURL_ERROR_SIZE];
};

struct identity__transport {
  CURLM *multi;
  identity__exchange *idle;
  struct curl_slist *headers; /* of every request */
  identity__curl_settings settings;
  identity__clock clock;
  uint32_t idle_count;
  int64_t used_ms; /* when an exchange ran last */
};

static size_t on_body(char *bytes, size_t size, size_t count, void *user_data) {
  identity__exchange *exchange = user_data;
  if (exchange->headers.encoded) {
    exchange->encoded = true;
    return 0;
  }
  return identity__buffer_add(&exchange->response.body, bytes, size * count) ? size * count : 0;
}

static size_t on_header(char *line, size_t size, size_t count, void *user_data) {
  identity__exchange *exchange = user_data;
  return identity__headers_add(&exchange->headers, line, size * count) ? size * count : 0;
}

/* Bodies go through this callback and cannot be rewound: libcurl repeats a POST by itself when a reused
 * connection closes before the first byte of an answer, unless it would have to rewind the body (trap 8a). */
static size_t on_read(char *bytes, size_t size, size_t count, void *user_data) {
  identity__exchange *exchange = user_data;
  size_t left = exchange->body_length - exchange->body_sent;
  if (exchange->body_sent == 0 && exchange->may_leave != NULL && !exchange->may_leave(exchange->owner)) {
    exchange->response.late = true;
    return CURL_READFUNC_ABORT;
  }
  size_t step = left < size * count ? left : size * count;
  memcpy(bytes, exchange->body + exchange->body_sent, step);
  exchange->body_sent += step;
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
  identity__exchange *exchange = user_data;
  (void)remote, (void)local, (void)remote_port, (void)local_port;
  exchange->attempts++;
  return exchange->once && exchange->attempts > 1 ? CURL_PREREQFUNC_ABORT : CURL_PREREQFUNC_OK;
}
#endif

static bool set_callbacks(identity__exchange *exchange) {
  CURL *easy = exchange->easy;
#if LIBCURL_VERSION_NUM >= 0x075000
  exchange->counted = IDENTITY__SET(easy, CURLOPT_PREREQFUNCTION, on_send) &&
                      IDENTITY__SET(easy, CURLOPT_PREREQDATA, exchange);
#endif
  return IDENTITY__SET(easy, CURLOPT_PRIVATE, exchange) &&
         IDENTITY__SET(easy, CURLOPT_ERRORBUFFER, exchange->error_text) &&
         IDENTITY__SET(easy, CURLOPT_WRITEFUNCTION, on_body) &&
         IDENTITY__SET(easy, CURLOPT_WRITEDATA, exchange) &&
         IDENTITY__SET(easy, CURLOPT_HEADERFUNCTION, on_header) &&
         IDENTITY__SET(easy, CURLOPT_HEADERDATA, exchange) &&
         IDENTITY__SET(easy, CURLOPT_OPENSOCKETFUNCTION, on_open) &&
         IDENTITY__SET(easy, CURLOPT_READFUNCTION, on_read) &&
         IDENTITY__SET(easy, CURLOPT_READDATA, exchange);
}

static void free_exchange(identity__exchange *exchange) {
  if (exchange == NULL)
    return;
  curl_easy_cleanup(exchange->easy);
  identity__buffer_free(&exchange->response.body);
  identity__buffer_free(&exchange->line_texts[0]);
  identity__buffer_free(&exchange->line_texts[1]);
  free(exchange);
}

static identity__exchange *new_exchange(identity__transport *transport) {
  identity__exchange *exchange = calloc(1, sizeof *exchange);
  if (exchange == NULL)
    return NULL;
  exchange->transport = transport;
  identity__buffer_init(&exchange->response.body, IDENTITY__MAX_BODY);
  for (int i = 0; i < 2; i++)
    identity__buffer_init(&exchange->line_texts[i], IDENTITY__MAX_TOKEN + 256);
  exchange->easy = curl_easy_init();
  if (exchange->easy != NULL && identity__curl_set_options(exchange->easy, &transport->settings) &&
      set_callbacks(exchange))
    return exchange;
  free_exchange(exchange);
  return NULL;
}

/* An idle exchange keeps its handle, its buffers' memory and every option that is the same for all requests.
 */
static identity__exchange *take_exchange(identity__transport *transport) {
  identity__exchange *exchange = transport->idle;
  if (exchange == NULL)
    return new_exchange(transport);
  transport->idle = exchange->next;
  transport->idle_count--;
  exchange->next = NULL;
  return exchange;
}

/* Header lines with secrets are nodes of our own in front of the common list: libcurl reads them, we wipe
 * them. */
static bool add_line(identity__exchange *exchange, int i, const char *name, const char *value,
                     struct curl_slist **headers) {
  identity__buffer *text = &exchange->line_texts[i];
  if (value == NULL)
    return true;
  if (!identity__buffer_add_text(text, name) || !identity__buffer_add_text(text, value))
    return false;
  exchange->lines[i].data = text->bytes;
  exchange->lines[i].next = *headers;
  *headers = &exchange->lines[i];
  return true;
}

static bool set_headers(identity__exchange *exchange, const identity__request *request) {
  struct curl_slist *headers = exchange->transport->headers;
  char name[80] = "";
  if (request->header_name != NULL) {
    identity__copy_line(name, sizeof name - 2, request->header_name);
    memcpy(name + strlen(name), ": ", 3);
  }
  return add_line(exchange, 0, "Authorization: Bearer ", request->bearer, &headers) &&
         add_line(exchange, 1, name, request->header_value, &headers) &&
         IDENTITY__SET(exchange->easy, CURLOPT_HTTPHEADER, headers);
}

static bool set_method(CURL *easy, const identity__request *request) {
  bool body = request->body != NULL;
  bool get = strcmp(request->method, "GET") == 0;
  bool set = body ? IDENTITY__SET(easy, CURLOPT_POST, 1L) : IDENTITY__SET(easy, CURLOPT_HTTPGET, 1L);
  if (body)
    set = set && IDENTITY__SET(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)request->body_length);
  return set && IDENTITY__SET(easy, CURLOPT_CUSTOMREQUEST, get ? NULL : request->method);
}

static bool prepare(identity__exchange *exchange, const identity__request *request, void *owner) {
  exchange->owner = owner;
  exchange->body = request->body;
  exchange->body_length = request->body != NULL ? request->body_length : 0;
  exchange->body_sent = 0;
  exchange->once = request->once;
  exchange->may_leave = request->may_leave;
  exchange->response.late = false;
  exchange->attempts = 0;
  exchange->encoded = false;
  exchange->error_text[0] = '\0';
  exchange->response.body.maximum = request->max_body;
  identity__headers_init(&exchange->headers);
  /* Where nothing tells about a repeated request without a body, a connection of its own cannot be stale. */
  bool fresh = request->once && request->body == NULL && !exchange->counted;
  /* What comes back exists nowhere else: there must be room for it before anything is sent. */
  size_t room = request->max_body < RESERVED_BODY ? request->max_body : RESERVED_BODY;
  if (request->once && !identity__buffer_reserve(&exchange->response.body, room))
    return false;
  return IDENTITY__SET(exchange->easy, CURLOPT_URL, request->url) && set_method(exchange->easy, request) &&
         set_headers(exchange, request) &&
         IDENTITY__SET(exchange->easy, CURLOPT_FRESH_CONNECT, fresh ? 1L : 0L);
}

enum { KEPT_S = 118 }; /* how long libcurl trusts an idle connection by itself */

/* Connections beyond the first are closed once they were idle for a while: while another was in use since,
 * what is older than that goes, all at once and with the next call. Else the one that may serve it would go,
 * too. */
static void close_idle(const identity__transport *transport, const identity__exchange *exchange) {
  int64_t idle_ms = identity__clock_now().boot_ms - transport->used_ms;
  IDENTITY__SET_IF_KNOWN(exchange->easy, CURLOPT_MAXAGE_CONN,
                         idle_ms < IDENTITY__IDLE_CONNECTION_MS ? IDENTITY__IDLE_CONNECTION_MS / 1000L
                                                                : KEPT_S);
}

identity__exchange *identity__transport_start(identity__transport *transport,
                                              const identity__request *request, void *owner) {
  identity__pipe_guard guard;
  identity__pipe_guard_enter(&guard);
  identity__exchange *exchange = take_exchange(transport);
  if (exchange != NULL)
    close_idle(transport, exchange);
  bool started = exchange != NULL && prepare(exchange, request, owner) &&
                 curl_multi_add_handle(transport->multi, exchange->easy) == CURLM_OK;
  if (started)
    exchange->running = true;
  else if (exchange != NULL) {
    identity__exchange_release(transport, exchange);
    exchange = NULL;
  }
  identity__pipe_guard_leave(&guard);
  return exchange;
}

/* A handle that was just added makes the poll return at once, so one round sends what can be sent. */
void identity__transport_wait(identity__transport *transport, int64_t timeout_ms) {
  identity__pipe_guard guard;
  int running;
  identity__pipe_guard_enter(&guard);
  if (timeout_ms > 0)
    (void)curl_multi_poll(transport->multi, NULL, 0, timeout_ms > 60000 ? 60000 : (int)timeout_ms, NULL);
  (void)curl_multi_perform(transport->multi, &running);
  identity__pipe_guard_leave(&guard);
}

void identity__transport_wake(identity__transport *transport) {
  (void)curl_multi_wakeup(transport->multi);
}

static int32_t progress_of(const identity__exchange *exchange) {
  curl_off_t begun_us = 0;
  if (exchange->headers.status != 0)
    return IDENTITY__ANSWERED;
  /* Nobody can act on a request whose body is missing. */
  if (exchange->body_length > 0)
    return exchange->body_sent > 0 ? IDENTITY__SENT : IDENTITY__UNSENT;
  if (exchange->attempts > 0)
    return IDENTITY__SENT;
  if (!exchange->counted)
    (void)curl_easy_getinfo(exchange->easy, CURLINFO_PRETRANSFER_TIME_T, &begun_us);
  return begun_us > 0 ? IDENTITY__SENT : IDENTITY__UNSENT;
}

static void conclude(identity__exchange *exchange, CURLcode result) {
  identity__response *response = &exchange->response;
  response->failure = IDENTITY_OK;
  response->detail[0] = '\0';
  response->progress = progress_of(exchange);
  response->http_status = exchange->headers.status;
  response->date_s = exchange->headers.date_s;
  response->retry_after_ms = identity__headers_retry_after_ms(
      &exchange->headers, identity__clock_read(&exchange->transport->clock).wall_ms / 1000);
  if (result == CURLE_OK && response->http_status != 0)
    return;
  identity__curl_failure(response, exchange->easy, result, exchange->error_text,
                         exchange->transport->settings.ca_file);
  if (exchange->encoded)
    identity__copy_line(response->detail, sizeof response->detail,
                        "The answer has a content encoding nobody asked for");
  else if (exchange->response.body.starved)
    response->failure = IDENTITY_OUT_OF_MEMORY;
  else if (exchange->response.body.failed)
    identity__copy_line(response->detail, sizeof response->detail,
                        "The answer is larger than the library takes");
}

identity__exchange *identity__transport_next(identity__transport *transport) {
  identity__exchange *exchange = NULL;
  identity__pipe_guard guard;
  CURLMsg *message;
  int left;
  identity__pipe_guard_enter(&guard);
  while (exchange == NULL && (message = curl_multi_info_read(transport->multi, &left)) != NULL) {
    if (message->msg != CURLMSG_DONE)
      continue;
    CURLcode result = message->data.result;
    (void)curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, (char **)&exchange);
    conclude(exchange, result);
  }
  identity__pipe_guard_leave(&guard);
  return exchange;
}

const identity__response *identity__exchange_response(const identity__exchange *exchange) {
  return &exchange->response;
}

void *identity__exchange_owner(const identity__exchange *exchange) {
  return exchange->owner;
}

int32_t identity__exchange_progress(const identity__exchange *exchange) {
  return progress_of(exchange);
}

static void stop(identity__transport *transport, identity__exchange *exchange) {
  identity__pipe_guard guard;
  if (!exchange->running)
    return;
  identity__pipe_guard_enter(&guard);
  (void)curl_multi_remove_handle(transport->multi, exchange->easy);
  identity__pipe_guard_leave(&guard);
  exchange->running = false;
  transport->used_ms = identity__clock_now().boot_ms;
}

void identity__exchange_release(identity__transport *transport, identity__exchange *exchange) {
  stop(transport, exchange);
  (void)curl_easy_setopt(exchange->easy, CURLOPT_HTTPHEADER, NULL);
  identity__buffer_reset(&exchange->response.body);
  identity__buffer_reset(&exchange->line_texts[0]);
  identity__buffer_reset(&exchange->line_texts[1]);
  exchange->body = NULL;
  exchange->owner = NULL;
  if (transport->idle_count >= IDENTITY__MAX_CONNECTIONS) {
    free_exchange(exchange);
    return;
  }
  if (exchange->response.body.capacity > IDLE_BODY)
    identity__buffer_free(&exchange->response.body);
  exchange->next = transport->idle;
  transport->idle = exchange;
  transport->idle_count++;
}

static bool add_header(identity__transport *transport, const char *line) {
  struct curl_slist *headers = curl_slist_append(transport->headers, line);
  if (headers != NULL)
    transport->headers = headers;
  return headers != NULL;
}

static bool copy_settings(identity__transport *transport, const identity__transport_settings *settings) {
  transport->settings.environment_proxy = settings->environment_proxy;
  transport->settings.loopback_http = settings->loopback_http;
  transport->settings.ca_file = identity__secret_copy(settings->ca_file);
  transport->settings.ca_pem = identity__secret_copy(settings->ca_pem);
  transport->settings.proxy = identity__secret_copy(settings->proxy);
  transport->settings.user_agent = identity__secret_copy(settings->user_agent);
  for (uint32_t i = 0; i < settings->resolve_count; i++) {
    struct curl_slist *resolve = curl_slist_append(transport->settings.resolve, settings->resolve[i]);
    if (resolve == NULL)
      return false;
    transport->settings.resolve = resolve;
  }
  return (transport->settings.ca_file != NULL) == (settings->ca_file != NULL) &&
         (transport->settings.ca_pem != NULL) == (settings->ca_pem != NULL) &&
         (transport->settings.proxy != NULL) == (settings->proxy != NULL) &&
         transport->settings.user_agent != NULL;
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

identity__transport *identity__transport_new(const identity__transport_settings *settings,
                                             identity_error *error) {
  if (check_settings(settings, error) != IDENTITY_OK)
    return NULL;
  identity__transport *transport = calloc(1, sizeof *transport);
  if (transport == NULL || !identity__curl_global_enter()) {
    free(transport);
    (void)identity__fail_plain(error, IDENTITY_OUT_OF_MEMORY);
    return NULL;
  }
  if (settings->clock != NULL)
    transport->clock = *settings->clock;
  transport->multi = curl_multi_init();
  transport->used_ms = INT64_MIN / 2;
  /* Without file descriptors libcurl makes a handle that nothing can wake. */
  if (transport->multi != NULL && curl_multi_wakeup(transport->multi) == CURLM_OK &&
      copy_settings(transport, settings) && add_header(transport, "Accept: application/json") &&
      add_header(transport, "Content-Type: application/json") && add_header(transport, "Expect:") &&
      curl_multi_setopt(transport->multi, CURLMOPT_MAX_HOST_CONNECTIONS, (long)IDENTITY__MAX_CONNECTIONS) ==
          CURLM_OK &&
      curl_multi_setopt(transport->multi, CURLMOPT_MAXCONNECTS, (long)IDENTITY__MAX_CONNECTIONS) == CURLM_OK)
    return transport;
  identity__transport_free(transport);
  (void)identity__fail_plain(error, IDENTITY_OUT_OF_MEMORY);
  return NULL;
}

void identity__transport_free(identity__transport *transport) {
  identity__pipe_guard guard;
  if (transport == NULL)
    return;
  identity__pipe_guard_enter(&guard);
  while (transport->idle != NULL) {
    identity__exchange *exchange = transport->idle;
    transport->idle = exchange->next;
    free_exchange(exchange);
  }
  (void)curl_multi_cleanup(transport->multi);
  curl_slist_free_all(transport->headers);
  curl_slist_free_all(transport->settings.resolve);
  identity__secret_free(transport->settings.ca_file);
  identity__secret_free(transport->settings.ca_pem);
  identity__secret_free(transport->settings.proxy);
  identity__secret_free(transport->settings.user_agent);
  identity__pipe_guard_leave(&guard);
  identity__curl_global_leave();
  free(transport);
}
