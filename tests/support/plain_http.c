#include "support/plain_http.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <errno.h>
#include <identity/async.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { STEP = 16 * 1024, HEAD = 32 * 1024 };

static void mind(plain_http *self, bool fine, const char *flaw) {
  if (!fine && self->flaw == NULL)
    self->flaw = flaw;
}

/* ---- the request as bytes ---- */

static bool write_request(const plain_http *self, plain_exchange *one, const identity_http_request *request) {
  char head[HEAD];
  size_t base = strlen(self->server->base_url);
  int used = snprintf(head, sizeof head, "%s %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nConnection: close\r\n",
                      request->method, request->url + base, self->server->port);
  for (uint32_t i = 0; i < request->header_count && used < HEAD; i++)
    used += snprintf(head + used, sizeof head - (size_t)used, "%s: %s\r\n", request->headers[i].name,
                     request->headers[i].value);
  if (used < HEAD)
    used += snprintf(head + used, sizeof head - (size_t)used, "Content-Length: %llu\r\n\r\n",
                     (unsigned long long)request->body_length);
  if (used >= HEAD)
    return false;
  one->out_length = (size_t)used + (size_t)request->body_length;
  one->out = malloc(one->out_length);
  if (one->out == NULL)
    return false;
  memcpy(one->out, head, (size_t)used);
  if (request->body_length > 0)
    memcpy(one->out + used, request->body, (size_t)request->body_length);
  return true;
}

/* ---- the end of an exchange ---- */

static void drop(plain_exchange *one) {
  if (one->socket >= 0) {
    (void)identity_link_watch(one->link, one->socket, 0);
    close(one->socket);
  }
  free(one->out);
  free(one->in);
  memset(one, 0, sizeof *one);
}

static void end(plain_exchange *one, identity_status failure, const char *detail) {
  identity_link *link = one->link;
  uint64_t number = one->number;
  drop(one);
  identity_link_complete(link, number, failure, detail);
}

/* Line by line, and the rest as the body. */
static void tell_answer(plain_exchange *one) {
  size_t at = 0;
  bool fine = true;
  while (fine && at < one->in_length) {
    const char *line = one->in + at;
    const char *feed = memchr(line, '\n', one->in_length - at);
    if (feed == NULL)
      break;
    size_t length = (size_t)(feed - line) + 1;
    at += length;
    if (length <= 2)
      break;
    fine = identity_link_header(one->link, one->number, line, length);
  }
  fine = fine && identity_link_body(one->link, one->number, one->in + at, one->in_length - at);
  if (one->in_length == 0)
    end(one, IDENTITY_CONNECTION_LOST, "The connection was closed");
  else
    end(one, fine ? IDENTITY_OK : IDENTITY_NOT_THE_SERVICE, NULL);
}

/* ---- sockets ---- */

static void connect_to(const plain_http *self, plain_exchange *one) {
  struct sockaddr_in address = {.sin_family = AF_INET,
                                .sin_port = htons((uint16_t)self->server->port),
                                .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  one->socket = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (one->socket < 0) {
    end(one, IDENTITY_OUT_OF_MEMORY, NULL);
    return;
  }
  if (connect(one->socket, (struct sockaddr *)&address, sizeof address) != 0 && errno != EINPROGRESS) {
    end(one, IDENTITY_OFFLINE, "Nobody listens");
    return;
  }
  if (!identity_link_watch(one->link, one->socket, IDENTITY_WRITABLE))
    end(one, IDENTITY_OUT_OF_MEMORY, NULL);
}

static void on_writable(plain_exchange *one) {
  if (!one->may_leave && !identity_link_may_send(one->link, one->number)) {
    end(one, IDENTITY_CANCELLED, NULL);
    return;
  }
  one->may_leave = true;
  identity_link_sent(one->link, one->number);
  ssize_t step = send(one->socket, one->out + one->out_done, one->out_length - one->out_done, MSG_NOSIGNAL);
  if (step < 0 && errno != EAGAIN) {
    end(one, IDENTITY_CONNECTION_LOST, "The request could not be sent");
    return;
  }
  one->out_done += step > 0 ? (size_t)step : 0;
  if (one->out_done == one->out_length)
    (void)identity_link_watch(one->link, one->socket, IDENTITY_READABLE);
}

static bool grow(plain_exchange *one) {
  if (one->in_capacity - one->in_length >= STEP)
    return true;
  char *grown = realloc(one->in, one->in_capacity + 4 * STEP);
  if (grown == NULL)
    return false;
  one->in = grown;
  one->in_capacity += 4 * STEP;
  return true;
}

static void on_readable(plain_exchange *one) {
  if (!grow(one)) {
    end(one, IDENTITY_OUT_OF_MEMORY, NULL);
    return;
  }
  ssize_t step = recv(one->socket, one->in + one->in_length, STEP, 0);
  if (step < 0 && errno == EAGAIN)
    return;
  if (step > 0) {
    one->in_length += (size_t)step;
    return;
  }
  tell_answer(one);
}

/* ---- the seam ---- */

static void set_timer(plain_http *self, identity_link *link) {
  int64_t next = INT64_MAX;
  for (int i = 0; i < PLAIN_MOST; i++)
    if (self->open[i].number != 0 && self->open[i].socket < 0 && self->open[i].begins_at_ms < next)
      next = self->open[i].begins_at_ms;
  int64_t left = next - service_now_ms();
  identity_link_timer(link, next == INT64_MAX ? -1 : left > 0 ? left : 0);
}

static identity_status begin(void *state, identity_link *link, uint64_t exchange,
                             const identity_http_request *request) {
  plain_http *self = state;
  plain_exchange *one = self->open;
  while (one < self->open + PLAIN_MOST && one->number != 0)
    one++;
  self->started++;
  if (one == self->open + PLAIN_MOST || !write_request(self, one, request))
    return IDENTITY_OUT_OF_MEMORY;
  one->number = exchange;
  one->link = link;
  one->socket = -1;
  one->begins_at_ms = service_now_ms() + self->delay_ms;
  if (self->delay_ms > 0)
    set_timer(self, link);
  else
    connect_to(self, one);
  return IDENTITY_OK;
}

static void cancel(void *state, uint64_t exchange) {
  plain_http *self = state;
  plain_exchange *one = self->open;
  while (one < self->open + PLAIN_MOST && one->number != exchange)
    one++;
  mind(self, one < self->open + PLAIN_MOST, "an exchange was cancelled that is not running");
  self->cancelled++;
  if (one < self->open + PLAIN_MOST)
    drop(one);
}

static void on_socket(void *state, int64_t socket, int32_t events) {
  plain_http *self = state;
  plain_exchange *one = self->open;
  self->socket_calls++;
  while (one < self->open + PLAIN_MOST && (one->number == 0 || one->socket != socket))
    one++;
  if (one == self->open + PLAIN_MOST) {
    mind(self, false, "news of a socket that is not watched");
    return;
  }
  if (one->out_done < one->out_length)
    on_writable(one);
  else if ((events & (IDENTITY_READABLE | IDENTITY_BROKEN)) != 0)
    on_readable(one);
}

static void on_timer(void *state) {
  plain_http *self = state;
  identity_link *link = NULL;
  self->timers++;
  for (int i = 0; i < PLAIN_MOST; i++) {
    plain_exchange *one = &self->open[i];
    if (one->number == 0 || one->socket >= 0)
      continue;
    link = one->link;
    if (one->begins_at_ms <= service_now_ms())
      connect_to(self, one);
  }
  if (link != NULL)
    set_timer(self, link);
}

static identity_status open_state(void *user_data, identity_link *link, void **state) {
  plain_http *self = user_data;
  (void)link;
  self->opened++;
  *state = self;
  return IDENTITY_OK;
}

static void close_state(void *state) {
  plain_http *self = state;
  self->closed++;
  for (int i = 0; i < PLAIN_MOST; i++)
    mind(self, self->open[i].number == 0, "the loop is gone and an exchange still runs");
}

void plain_http_start(plain_http *self, service *server, int delay_ms) {
  memset(self, 0, sizeof *self);
  self->server = server;
  self->delay_ms = delay_ms;
  identity_transport_init(&self->transport, sizeof self->transport);
  self->transport.user_data = self;
  self->transport.open = open_state;
  self->transport.close = close_state;
  self->transport.start = begin;
  self->transport.cancel = cancel;
  self->transport.on_socket = on_socket;
  self->transport.on_timer = on_timer;
}

void plain_http_stop(plain_http *self) {
  if (self->flaw != NULL)
    fail_msg("the transport saw: %s", self->flaw);
  assert_int_equal(self->opened, self->closed);
}

identity_config *plain_http_config(plain_http *self) {
  identity_config *config = service_config(self->server);
  assert_int_equal(identity_config_set_transport(config, &self->transport), IDENTITY_OK);
  return config;
}
