/* The network as the loop sees it: requests go in, answers come out, and one place waits. Knows nothing of
 * tokens or JSON. Behind it is a transport of platform.h: the host's, or libcurl (curl.c). One thread at a
 * time, but for identity__transport_wake. */
#ifndef IDENTITY__TRANSPORT_H
#define IDENTITY__TRANSPORT_H

#include "base/buffer.h"
#include "base/clock.h"
#include "transport/poller.h"

#include <identity/platform.h>

typedef struct identity_link identity__transport;
typedef struct identity__exchange identity__exchange; /* one request and its answer */

typedef struct identity__transport_settings {
  const char *ca_file; /* NULL with ca_pem NULL: the system's */
  const char *ca_pem;
  const char *proxy; /* NULL: none */
  int32_t environment_proxy;
  int32_t loopback_http; /* plain http is allowed; where to, the caller has checked */
  const char *user_agent;
  const char *const *resolve; /* "host:port:address" */
  uint32_t resolve_count;
  const identity__clock *clock; /* for what headers say about time, copied; NULL: the system's */
  const identity_transport
      *host; /* the host's own transport, copied; NULL, or one without a start: libcurl */
} identity__transport_settings;

typedef struct identity__request {
  const char *method;
  const char *url;
  const char *bearer;      /* JWT for the Authorization header; NULL: none */
  const char *header_name; /* one further header, for the publisher token; NULL: none */
  const char *header_value;
  const char *body; /* lives until the exchange is released; NULL: none */
  size_t body_length;
  size_t max_body;                                         /* of the answer */
  bool (*may_leave)(const void *owner, identity__now now); /* asked once, when it is about to; NULL: it may */
  int32_t once; /* must not reach the wire twice, whatever happens to the connection */
} identity__request;

/* How far a request got. */
enum { IDENTITY__UNSENT = 0, IDENTITY__SENT = 1, IDENTITY__ANSWERED = 2 };

typedef struct identity__response {
  identity_status failure; /* OK: there is a whole answer */
  int32_t progress;        /* IDENTITY__UNSENT ... */
  int32_t http_status;
  int64_t date_s;         /* Date header, seconds since 1970; 0: none */
  int64_t retry_after_ms; /* Retry-After header as time from now; 0: none or nonsense */
  bool late;              /* it was held back: its time to leave had passed */
  identity__buffer body;
  char detail[200]; /* what happened, for the developer */
} identity__response;

/* NULL fills error: OUT_OF_MEMORY, CA_FILE, BAD_CONFIGURATION. */
identity__transport *identity__transport_new(const identity__transport_settings *settings,
                                             identity_error *error);
void identity__transport_free(identity__transport *transport);

/* Begins an exchange; owner comes back with it. NULL: memory is out. */
identity__exchange *identity__transport_start(identity__transport *transport,
                                              const identity__request *request, void *owner);
/* How many exchanges may run at a time with one host. */
uint32_t identity__transport_capacity(identity__transport *transport);
/* Sends and receives what can be, waiting up to timeout_ms for something to do (0: one pass without waiting).
 * False: there was nothing to do. */
bool identity__transport_wait(identity__transport *transport, int64_t timeout_ms);
/* The sockets, for who waits for them in the loop's place. */
identity__poller *identity__transport_poller(identity__transport *transport);
/* Whether an exchange is over that has not been taken. */
bool identity__transport_has_completed(identity__transport *transport);
/* Ends a running wait, or the next one; from any thread. */
void identity__transport_wake(identity__transport *transport);
/* The next exchange that is over, or NULL. The caller releases it. */
identity__exchange *identity__transport_next(identity__transport *transport);

const identity__response *identity__exchange_response(const identity__exchange *exchange);
void *identity__exchange_owner(const identity__exchange *exchange);
/* Whether any byte of the request may have left. */
int32_t identity__exchange_progress(identity__exchange *exchange);
/* What it brought holds no secret: it need not be wiped. */
void identity__exchange_set_plain(identity__exchange *exchange);
/* Wipes it; one that still runs is given up (its connection is closed). */
void identity__exchange_release(identity__transport *transport, identity__exchange *exchange);

#endif
