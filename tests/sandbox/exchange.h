/* One request and its answer on a connection, from the first header byte to the last body byte. Private to
   the server's own files. */
#ifndef SBX_EXCHANGE_H
#define SBX_EXCHANGE_H

#include "call.h"
#include "text.h"
#include "waits.h"

#include <microhttpd.h>

#define SBX_BODY_LIMIT (1U << 20)

struct sbx_connection {
  struct sbx_connection *next, *previous;
  struct MHD_Connection *handle;
  uint64_t number;   /* 1, 2, 3 ... in the order of arrival */
  uint64_t requests; /* that were answered on it, or are being */
  bool busy;
};

struct sbx_server {
  struct MHD_Daemon *daemon;
  struct sbx_service *service;
  struct sbx_waits waits;
  struct sbx_connection *connections;
  uint64_t connection_count; /* so far */
  uint64_t open_count;       /* now */
  uint64_t request_count;
  int port;
  int descriptor;
  bool quiet;
};

enum sbx_stage {
  SBX_RECEIVING, /* the request is still coming */
  SBX_WAITING,   /* held back by a fault */
  SBX_READY,     /* to be answered, or dropped */
  SBX_ANSWERED   /* the answer is with libmicrohttpd */
};

/* The body on its way out, when a fault shapes it. */
struct sbx_stream {
  char *text;
  size_t text_length;
  uint64_t total;  /* text, then spaces up to here */
  uint64_t cut_at; /* the connection is closed here */
  uint64_t rate;   /* bytes per second; 0: as fast as it goes */
  int64_t due_ms;  /* when the next slice may go */
};

struct sbx_exchange {
  struct sbx_server *server;
  struct sbx_connection *link;
  struct MHD_Connection *connection;
  enum sbx_stage stage;
  char method[16];
  char *path;
  char source_ip[48];
  struct sbx_text body;
  bool too_large;
  uint64_t discarded; /* bytes of a body that is too large */
  bool is_control;
  bool processed;
  bool drop;
  bool released; /* by a control request: no longer held back */
  struct sbx_call call;
  struct sbx_fault *fault;
  uint64_t seq;
  struct sbx_wait wait;
  struct sbx_stream stream;
};

/* libmicrohttpd's callback for every step of a request. */
enum MHD_Result sbx_exchange_step(void *server, struct MHD_Connection *connection, const char *url,
                                  const char *method, const char *version, const char *upload_data,
                                  size_t *upload_size, void **state);
void sbx_exchange_over(void *server, struct MHD_Connection *connection, void **state,
                       enum MHD_RequestTerminationCode how);

/* Gives up an exchange that a fault holds back: its connection is closed. */
void sbx_exchange_give_up(struct sbx_exchange *exchange);
/* Lets it go on as if it had never been held back. */
void sbx_exchange_release(struct sbx_exchange *exchange);

/* The answer as libmicrohttpd wants it; *status is set. NULL when memory is out. */
struct MHD_Response *sbx_reply_make(struct sbx_exchange *exchange, unsigned *status);

#endif
