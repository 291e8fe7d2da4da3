#include "exchange.h"

#include "control.h"
#include "exchange_journal.h"
#include "fault_edits.h"
#include "routes.h"

#include <arpa/inet.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

/* A chunked upload has no length to refuse it by; past this it is not even read to its end. */
#define UPLOAD_LIMIT (16U << 20)
#define HANG_CHECK_MS 1000

static const char *get_header(const struct sbx_call *call, const char *name) {
  const struct sbx_exchange *exchange = call->transport;
  return MHD_lookup_connection_value(exchange->connection, MHD_HEADER_KIND, name);
}

static const char *get_query(const struct sbx_call *call, const char *name) {
  const struct sbx_exchange *exchange = call->transport;
  return MHD_lookup_connection_value(exchange->connection, MHD_GET_ARGUMENT_KIND, name);
}

static void note_source(struct sbx_exchange *exchange) {
  const union MHD_ConnectionInfo *info =
      MHD_get_connection_info(exchange->connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
  const struct sockaddr_in *address = info == NULL ? NULL : (const void *)info->client_addr;
  if (address == NULL || address->sin_family != AF_INET ||
      inet_ntop(AF_INET, &address->sin_addr, exchange->source_ip, sizeof exchange->source_ip) == NULL)
    snprintf(exchange->source_ip, sizeof exchange->source_ip, "127.0.0.1");
}

static void wait_over(struct sbx_wait *wait);

static struct sbx_exchange *begin(struct sbx_server *server, struct MHD_Connection *connection,
                                  const char *path, const char *method) {
  const union MHD_ConnectionInfo *info =
      MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
  struct sbx_exchange *exchange = calloc(1, sizeof *exchange);
  if (exchange == NULL || info == NULL || info->socket_context == NULL) {
    free(exchange);
    return NULL;
  }
  exchange->path = sbx_text_copy(path);
  if (exchange->path == NULL) {
    free(exchange);
    return NULL;
  }
  exchange->server = server;
  exchange->connection = connection;
  exchange->link = info->socket_context;
  exchange->link->busy = true;
  exchange->link->requests++;
  snprintf(exchange->method, sizeof exchange->method, "%s", method);
  exchange->is_control = strcmp(path, "/_sandbox") == 0 || strncmp(path, "/_sandbox/", 10) == 0;
  exchange->wait = (struct sbx_wait){.over = wait_over, .owner = exchange};
  note_source(exchange);
  exchange->call = (struct sbx_call){
      .service = server->service,
      .method = exchange->method,
      .path = exchange->path,
      .source_ip = exchange->source_ip,
      .transport = exchange,
      .header = get_header,
      .query = get_query,
  };
  return exchange;
}

static enum MHD_Result collect(struct sbx_exchange *exchange, const char *bytes, size_t *size) {
  size_t length = *size;
  *size = 0;
  if (exchange->too_large || exchange->body.length + length > SBX_BODY_LIMIT) {
    exchange->too_large = true;
    exchange->call.has_body = true;
    exchange->discarded += length;
    return exchange->discarded > UPLOAD_LIMIT ? MHD_NO : MHD_YES;
  }
  sbx_text_add_bytes(&exchange->body, bytes, length);
  return exchange->body.failed ? MHD_NO : MHD_YES;
}

static void process(struct sbx_exchange *exchange) {
  struct sbx_call *call = &exchange->call;
  exchange->processed = true;
  if (exchange->too_large) {
    sbx_answer_message(call, 413, "Request body is larger than 1 MiB");
    return;
  }
  if (exchange->is_control) {
    sbx_control_process(call);
    return;
  }
  if (exchange->fault != NULL)
    call->as_customer = exchange->fault->as_customer;
  sbx_routes_process(call);
  if (exchange->fault != NULL)
    sbx_fault_edit_answer(exchange->fault, call);
}

static bool wants_processing(const struct sbx_exchange *exchange) {
  const struct sbx_fault *fault = exchange->fault;
  if (fault == NULL || fault->after || fault->drop == SBX_DROP_AFTER)
    return true;
  return fault->drop == SBX_DROP_NOT && fault->status == 0 && (!fault->hang || exchange->released);
}

static void process_if_wanted(struct sbx_exchange *exchange) {
  if (!exchange->processed && wants_processing(exchange))
    process(exchange);
  sbx_exchange_note_progress(exchange);
}

static bool peer_is_gone(const struct sbx_exchange *exchange) {
  const union MHD_ConnectionInfo *info =
      MHD_get_connection_info(exchange->connection, MHD_CONNECTION_INFO_CONNECTION_FD);
  if (info == NULL)
    return true;
  struct pollfd descriptor = {.fd = info->connect_fd, .events = POLLRDHUP};
  return poll(&descriptor, 1, 0) > 0;
}

/* An answer that was held back has nobody to go to when its client has left. */
static void resume(struct sbx_exchange *exchange) {
  exchange->stage = SBX_READY;
  exchange->drop = exchange->drop || peer_is_gone(exchange);
  MHD_resume_connection(exchange->connection);
}

void sbx_exchange_give_up(struct sbx_exchange *exchange) {
  sbx_wait_stop(&exchange->server->waits, &exchange->wait);
  exchange->drop = true;
  if (exchange->stage == SBX_WAITING)
    resume(exchange);
  else
    MHD_resume_connection(exchange->connection); /* a slow body: the reader sees `drop` */
}

void sbx_exchange_release(struct sbx_exchange *exchange) {
  if (exchange->stage != SBX_WAITING)
    return;
  sbx_wait_stop(&exchange->server->waits, &exchange->wait);
  exchange->released = true;
  process_if_wanted(exchange);
  resume(exchange);
}

/* Runs outside libmicrohttpd, so the request is processed even when its client has left in the meantime: that
   is what a slow service does. */
static void wait_over(struct sbx_wait *wait) {
  struct sbx_exchange *exchange = wait->owner;
  if (exchange->stage == SBX_ANSWERED) {
    MHD_resume_connection(exchange->connection);
    return;
  }
  if (!exchange->fault->hang) {
    process_if_wanted(exchange);
    resume(exchange);
    return;
  }
  if (peer_is_gone(exchange))
    sbx_exchange_give_up(exchange);
  else
    sbx_wait_start(&exchange->server->waits, wait, sbx_monotonic_ms() + HANG_CHECK_MS);
}

/* The whole request is here: decides what a fault does to it. */
static void received(struct sbx_exchange *exchange) {
  struct sbx_call *call = &exchange->call;
  struct sbx_server *server = exchange->server;
  call->has_body = call->has_body || exchange->body.length > 0;
  if (exchange->body.length > 0)
    call->body = sbx_json_parse(exchange->body.bytes, exchange->body.length);
  exchange->stage = SBX_READY;
  if (exchange->is_control) {
    process(exchange);
    return;
  }
  bool reused = exchange->link->requests > 1;
  exchange->fault = sbx_faults_pick(&server->service->faults, exchange->method, exchange->path, reused);
  sbx_exchange_note_arrival(exchange);
  const struct sbx_fault *fault = exchange->fault;
  bool held = fault != NULL && (fault->hang || fault->delay_ms > 0);
  if (!held || fault->after)
    process_if_wanted(exchange);
  if (!held)
    return;
  exchange->stage = SBX_WAITING;
  int64_t delay = fault->hang ? HANG_CHECK_MS : fault->delay_ms;
  sbx_wait_start(&server->waits, &exchange->wait, sbx_monotonic_ms() + delay);
  MHD_suspend_connection(exchange->connection);
}

/* Linux resets a connection that is disconnected so; libmicrohttpd's own close begins with a polite shutdown.
 */
static void abort_connection(const struct sbx_exchange *exchange) {
  const union MHD_ConnectionInfo *info =
      MHD_get_connection_info(exchange->connection, MHD_CONNECTION_INFO_CONNECTION_FD);
  const struct sockaddr nowhere = {.sa_family = AF_UNSPEC};
  if (info != NULL && connect(info->connect_fd, &nowhere, sizeof nowhere) != 0)
    shutdown(info->connect_fd, SHUT_RDWR);
}

static enum MHD_Result drop(struct sbx_exchange *exchange) {
  if (exchange->fault != NULL && exchange->fault->abort)
    abort_connection(exchange);
  exchange->drop = true;
  sbx_exchange_note_end(exchange, 0);
  return MHD_NO;
}

static enum MHD_Result answer(struct sbx_exchange *exchange) {
  const struct sbx_fault *fault = exchange->fault;
  if (exchange->drop ||
      (fault != NULL && (fault->drop != SBX_DROP_NOT || (fault->hang && !exchange->released))))
    return drop(exchange);
  unsigned status = 0;
  struct MHD_Response *response = sbx_reply_make(exchange, &status);
  if (response == NULL)
    return drop(exchange);
  exchange->stage = SBX_ANSWERED;
  enum MHD_Result result = MHD_queue_response(exchange->connection, status, response);
  MHD_destroy_response(response);
  sbx_exchange_note_end(exchange, result == MHD_YES ? (int)status : 0);
  return result;
}

/* A body whose length is told is refused before it is sent. */
static bool announces_too_much(struct sbx_exchange *exchange) {
  const char *length = MHD_lookup_connection_value(exchange->connection, MHD_HEADER_KIND, "Content-Length");
  return length != NULL && strtoull(length, NULL, 10) > SBX_BODY_LIMIT;
}

enum MHD_Result sbx_exchange_step(void *server, struct MHD_Connection *connection, const char *url,
                                  const char *method, const char *version, const char *upload_data,
                                  size_t *upload_size, void **state) {
  (void)version;
  struct sbx_exchange *exchange = *state;
  if (exchange == NULL) {
    exchange = begin(server, connection, url, method);
    *state = exchange;
    if (exchange == NULL)
      return MHD_NO;
    if (!announces_too_much(exchange))
      return MHD_YES;
    exchange->too_large = true;
  }
  if (*upload_size > 0)
    return collect(exchange, upload_data, upload_size);
  if (exchange->stage == SBX_RECEIVING)
    received(exchange);
  return exchange->stage == SBX_READY ? answer(exchange) : MHD_YES;
}

void sbx_exchange_over(void *server, struct MHD_Connection *connection, void **state,
                       enum MHD_RequestTerminationCode how) {
  (void)server;
  (void)connection;
  struct sbx_exchange *exchange = *state;
  if (exchange == NULL)
    return;
  *state = NULL;
  exchange->link->busy = false;
  sbx_exchange_note_sent(exchange, how == MHD_REQUEST_TERMINATED_COMPLETED_OK);
  sbx_wait_stop(&exchange->server->waits, &exchange->wait);
  sbx_fault_release(exchange->fault);
  cJSON_Delete(exchange->call.body);
  cJSON_Delete(exchange->call.answer);
  sbx_text_free(&exchange->body);
  free(exchange->stream.text);
  free(exchange->path);
  free(exchange);
}
