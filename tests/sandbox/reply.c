/* From the answer of a call, and the fault that shapes it, to the bytes on the wire. */
#include "exchange.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define BLOCK_SIZE 16384
/* A slow body goes out in slices of this length, or byte by byte when it is slower than that. */
#define SLICE_MS 50
#define HEADER_LINE 8000

static bool fault_has_header(const struct sbx_fault *fault, const char *name) {
  const cJSON *header = NULL;
  if (fault == NULL)
    return false;
  cJSON_ArrayForEach(header, fault->headers) {
    if (strcasecmp(header->string, name) == 0)
      return true;
  }
  return false;
}

static bool add_default(struct MHD_Response *response, const struct sbx_fault *fault, const char *name,
                        const char *value) {
  return fault_has_header(fault, name) || MHD_add_response_header(response, name, value) == MHD_YES;
}

static bool add_padding(struct MHD_Response *response, int64_t bytes) {
  char value[HEADER_LINE + 1], name[40];
  for (int line = 1; bytes > 0; line++) {
    size_t length = bytes < HEADER_LINE ? (size_t)bytes : HEADER_LINE;
    memset(value, 'x', length);
    value[length] = '\0';
    snprintf(name, sizeof name, "X-Sandbox-Padding-%d", line);
    if (MHD_add_response_header(response, name, value) != MHD_YES)
      return false;
    bytes -= (int64_t)length;
  }
  return true;
}

static bool add_fault_headers(struct MHD_Response *response, const struct sbx_fault *fault) {
  const cJSON *header = NULL;
  if (fault == NULL)
    return true;
  cJSON_ArrayForEach(header, fault->headers) {
    if (cJSON_IsString(header) &&
        MHD_add_response_header(response, header->string, header->valuestring) != MHD_YES)
      return false;
  }
  if (fault->content_encoding != NULL &&
      MHD_add_response_header(response, "Content-Encoding", fault->content_encoding) != MHD_YES)
    return false;
  return add_padding(response, fault->big_header);
}

static bool add_headers(struct sbx_exchange *exchange, struct MHD_Response *response, bool has_body) {
  const struct sbx_fault *fault = exchange->fault;
  char date[SBX_DATE_SIZE];
  sbx_format_http_date(sbx_clock_now(&exchange->server->service->clock), date);
  return add_default(response, fault, "Date", date) &&
         (!has_body || add_default(response, fault, "Content-Type", "application/json")) &&
         (exchange->call.allow[0] == '\0' || add_default(response, fault, "Allow", exchange->call.allow)) &&
         add_fault_headers(response, fault);
}

/* Never more than the rate allows; suspends the connection until the next slice is due. */
static size_t allowance(struct sbx_exchange *exchange, size_t wanted) {
  struct sbx_stream *stream = &exchange->stream;
  if (stream->rate == 0)
    return wanted;
  int64_t now = sbx_monotonic_ms();
  if (now < stream->due_ms) {
    sbx_wait_start(&exchange->server->waits, &exchange->wait, stream->due_ms);
    MHD_suspend_connection(exchange->connection);
    return 0;
  }
  uint64_t slice = stream->rate * SLICE_MS / 1000;
  if (slice == 0)
    slice = 1;
  if (slice > wanted)
    slice = wanted;
  stream->due_ms = now + (int64_t)(slice * 1000 / stream->rate);
  return (size_t)slice;
}

static ssize_t read_stream(void *state, uint64_t position, char *out, size_t capacity) {
  struct sbx_exchange *exchange = state;
  struct sbx_stream *stream = &exchange->stream;
  if (exchange->drop || position >= stream->cut_at)
    return MHD_CONTENT_READER_END_WITH_ERROR;
  if (position >= stream->total)
    return MHD_CONTENT_READER_END_OF_STREAM;
  uint64_t left = stream->total - position;
  if (left > stream->cut_at - position)
    left = stream->cut_at - position;
  size_t length = allowance(exchange, left < capacity ? (size_t)left : capacity);
  if (position < stream->text_length) {
    size_t text_left = stream->text_length - (size_t)position;
    if (length > text_left)
      length = text_left;
    memcpy(out, stream->text + position, length);
  } else {
    memset(out, ' ', length);
  }
  return (ssize_t)length;
}

/* Trailing spaces keep JSON valid: a body of exactly n bytes can be right in every other way. */
static struct MHD_Response *make_stream(struct sbx_exchange *exchange, char *text, size_t length) {
  const struct sbx_fault *fault = exchange->fault;
  struct sbx_stream *stream = &exchange->stream;
  *stream = (struct sbx_stream){.text = text, .text_length = length, .total = length};
  if (fault->big_body > 0)
    stream->total = (uint64_t)fault->big_body > length ? (uint64_t)fault->big_body : length;
  stream->cut_at = fault->cut_body_at < 0 ? UINT64_MAX : (uint64_t)fault->cut_body_at;
  stream->rate = (uint64_t)fault->bytes_per_second;
  uint64_t size = fault->chunked ? MHD_SIZE_UNKNOWN : stream->total;
  return MHD_create_response_from_callback(size, BLOCK_SIZE, read_stream, exchange, NULL);
}

/* New text, or NULL: no memory. */
static char *body_text(const struct sbx_exchange *exchange) {
  const struct sbx_fault *fault = exchange->fault;
  if (fault != NULL && fault->status != 0)
    return sbx_text_copy(fault->body == NULL ? "" : fault->body);
  if (exchange->call.answer == NULL)
    return sbx_text_copy("");
  char *printed = cJSON_PrintUnformatted(exchange->call.answer);
  char *text = sbx_text_copy(printed);
  cJSON_free(printed);
  return text;
}

struct MHD_Response *sbx_reply_make(struct sbx_exchange *exchange, unsigned *status) {
  const struct sbx_fault *fault = exchange->fault;
  char *text = body_text(exchange);
  if (text == NULL)
    return NULL;
  size_t length = strlen(text);
  bool shaped = fault != NULL && (fault->big_body != 0 || fault->cut_body_at >= 0 ||
                                  fault->bytes_per_second != 0 || fault->chunked);
  struct MHD_Response *response = shaped
                                      ? make_stream(exchange, text, length)
                                      : MHD_create_response_from_buffer(length, text, MHD_RESPMEM_MUST_FREE);
  if (response == NULL) {
    if (!shaped)
      free(text);
    return NULL;
  }
  *status = (unsigned)(fault != NULL && fault->status != 0 ? fault->status : exchange->call.status);
  if (add_headers(exchange, response, length > 0 || shaped))
    return response;
  MHD_destroy_response(response);
  return NULL;
}
