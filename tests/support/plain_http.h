/* A transport of the host that has the loop watch its sockets and keep its timer: plain HTTP to the stand-in
 * service, a connection for each exchange, without a thread. */
#ifndef SUPPORT_PLAIN_HTTP_H
#define SUPPORT_PLAIN_HTTP_H

#include "support/service.h"

#include <identity/platform.h>

enum { PLAIN_MOST = 64 };

typedef struct plain_exchange {
  uint64_t number; /* 0: free */
  identity_link *link;
  int socket;           /* -1: not connected yet */
  int64_t begins_at_ms; /* not before */
  bool may_leave;
  char *out; /* the request */
  size_t out_length, out_done;
  char *in; /* the answer as far as it came */
  size_t in_length, in_capacity;
} plain_exchange;

typedef struct plain_http {
  identity_transport transport; /* for identity_config_set_transport */
  service *server;
  int delay_ms; /* each exchange begins so much later, by the timer */
  int opened, closed, started, cancelled, timers, socket_calls;
  const char *flaw;
  plain_exchange open[PLAIN_MOST];
} plain_http;

void plain_http_start(plain_http *self, service *server, int delay_ms);
/* After the last loop: no exchange is left, and the library has kept to the seam. */
void plain_http_stop(plain_http *self);
identity_config *plain_http_config(plain_http *self);

#endif
