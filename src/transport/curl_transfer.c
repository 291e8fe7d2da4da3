/* Traps measured on libcurl 7.88 are named where they are dealt with; the floor is 7.68. */
#include "transport/curl_transfer.h"
#include "base/clock.h"
#include "base/limits.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

enum { MOST_HEAD = IDENTITY__MAX_TOKEN + 2048, KEPT_S = 118 /* libcurl trusts an idle connection */ };

/* ---- what libcurl calls ---- */

static size_t on_body(char *bytes, size_t size, size_t count, void *user_data) {
  const identity__transfer *one = user_data;
  return identity_link_body(one->all->link, one->exchange, bytes, size * count) ? size * count : 0;
}

static size_t on_header(char *line, size_t size, size_t count, void *user_data) {
  const identity__transfer *one = user_data;
  return identity_link_header(one->all->link, one->exchange, line, size * count) ? size * count : 0;
}

/* Bodies go through this callback and cannot be rewound: libcurl repeats a POST by itself when a reused
 * connection closes before the first byte of an answer, unless it would have to rewind the body (trap 8a).
 * Nobody can act on a request whose body is missing: that is when it is asked for the last time whether it
 * may leave. */
static size_t on_read(char *bytes, size_t size, size_t count, void *user_data) {
  identity__transfer *one = user_data;
  size_t left = one->body_length - one->body_sent;
  if (one->body_sent == 0 && !identity_link_may_send(one->all->link, one->exchange))
    return CURL_READFUNC_ABORT;
  if (one->body_sent == 0)
    identity_link_sent(one->all->link, one->exchange);
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
  identity__transfer *one = user_data;
  (void)remote, (void)local, (void)remote_port, (void)local_port;
  one->attempts++;
  if (one->once && one->attempts > 1)
    return CURL_PREREQFUNC_ABORT;
  if (one->body_length == 0)
    identity_link_sent(one->all->link, one->exchange);
  return CURL_PREREQFUNC_OK;
}
#endif

/* Before 7.80 nothing tells when a request without a body leaves; how far it got is looked at now and then.
 */
static int on_progress(void *user_data, curl_off_t total, curl_off_t now, curl_off_t up_total,
                       curl_off_t up_now) {
  const identity__transfer *one = user_data;
  curl_off_t begun_us = 0;
  (void)total, (void)now, (void)up_total, (void)up_now;
  if (one->body_length == 0)
    (void)curl_easy_getinfo(one->easy, CURLINFO_PRETRANSFER_TIME_T, &begun_us);
  if (begun_us > 0)
    identity_link_sent(one->all->link, one->exchange);
  return 0;
}

/* ---- transfers ---- */

static bool set_callbacks(identity__transfer *one) {
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

void identity__transfer_free(identity__transfer *one) {
  if (one == NULL)
    return;
  curl_easy_cleanup(one->easy);
  identity__buffer_free(&one->head);
  free(one);
}

static identity__transfer *new_transfer(identity__transfers *all) {
  identity__transfer *one = calloc(1, sizeof *one);
  if (one == NULL)
    return NULL;
  one->all = all;
  identity__buffer_init(&one->head, MOST_HEAD);
  one->easy = curl_easy_init();
  if (one->easy != NULL && identity__curl_set_options(one->easy, &all->settings) && set_callbacks(one))
    return one;
  identity__transfer_free(one);
  return NULL;
}

/* An idle one keeps its handle and every option that is the same for all requests. */
static identity__transfer *take_idle(identity__transfers *all) {
  identity__transfer *one = all->idle;
  if (one == NULL)
    return new_transfer(all);
  all->idle = one->next;
  all->idle_count--;
  return one;
}

/* With its zero byte, which length counts. */
static bool add_line(identity__buffer *head, const char *name, const char *value) {
  return identity__buffer_add_text(head, name) && identity__buffer_add_text(head, ": ") &&
         identity__buffer_add(head, value, strlen(value) + 1);
}

/* Header lines are nodes and texts of our own: libcurl reads them, we wipe them. */
static bool set_headers(identity__transfer *one, const identity_http_request *request) {
  uint32_t count = request->header_count;
  bool body = request->body != NULL;
  bool whole = count < IDENTITY__CURL_LINES;
  for (uint32_t i = 0; i < count && whole; i++)
    whole = add_line(&one->head, request->headers[i].name, request->headers[i].value);
  if (!whole || (body && !add_line(&one->head, "Expect", ""))) /* a body is small: nobody is asked first */
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
static void close_idle(const identity__transfer *one) {
  int64_t idle_ms = identity__clock_boot_ms() - one->all->used_ms;
  IDENTITY__SET_IF_KNOWN(one->easy, CURLOPT_MAXAGE_CONN,
                         idle_ms < IDENTITY__IDLE_CONNECTION_MS ? IDENTITY__IDLE_CONNECTION_MS / 1000L
                                                                : KEPT_S);
}

static bool prepare(identity__transfer *one, uint64_t exchange, const identity_http_request *request) {
  one->exchange = exchange;
  one->body = request->body;
  one->body_length = request->body != NULL ? (size_t)request->body_length : 0;
  one->body_sent = 0;
  one->once = request->once;
  one->attempts = 0;
  one->error_text[0] = '\0';
  close_idle(one);
  /* Where nothing tells about a repeated request without a body, a connection of its own cannot be stale. */
  bool blind = request->once && request->body == NULL && !one->counted;
  return IDENTITY__SET(one->easy, CURLOPT_URL, request->url) && set_method(one->easy, request) &&
         set_headers(one, request) && IDENTITY__SET(one->easy, CURLOPT_FRESH_CONNECT, blind ? 1L : 0L);
}

void identity__transfer_put_back(identity__transfer *one) {
  identity__transfers *all = one->all;
  (void)curl_easy_setopt(one->easy, CURLOPT_HTTPHEADER, NULL);
  identity__buffer_reset(&one->head);
  one->body = NULL;
  if (all->idle_count >= IDENTITY__MAX_CONNECTIONS) {
    identity__transfer_free(one);
    return;
  }
  one->next = all->idle;
  all->idle = one;
  all->idle_count++;
}

identity__transfer *identity__transfer_take(identity__transfers *all, uint64_t exchange,
                                            const identity_http_request *request) {
  identity__transfer *one = take_idle(all);
  if (one == NULL || prepare(one, exchange, request))
    return one;
  identity__transfer_put_back(one);
  return NULL;
}

void identity__transfer_tell_sent(identity__transfer *one) {
  if (!one->counted)
    (void)on_progress(one, 0, 0, 0, 0);
}
