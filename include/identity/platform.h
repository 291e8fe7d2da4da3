/* SPDX-License-Identifier: MIT
 *
 * libidentity for those who port it: what a device can put in the place of the library's own store, clock and
 * HTTP transport.
 * An application does not need this header. Since: 0.1.0 for everything in it.
 *
 * The functions given here run on whatever thread makes a call, one at a time for each session, never under a lock
 * of the library. They must not call functions of the library (but for identity_link_x), and should be short: nothing
 * interrupts them. What user_data points to is the host's. Each _init function is of thread class "any".
 */
#ifndef IDENTITY_PLATFORM_H
#define IDENTITY_PLATFORM_H

#include <identity/identity.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- Store. Thread class: builder. Does not block. -------------------------------------------------------------
 * One blob for each key (at most 120 bytes; it ends with the account key as the app gave it), at most 65,536 bytes, with
 * secrets in it: it must lie where nobody else can read it. Unreadable is not empty: a store that cannot tell whether
 * there is a blob says BUSY or IO, never ABSENT; ABSENT means that nobody is signed in. */

/** What load and swap return. */
enum {
  IDENTITY_STORE_OK = 0,
  IDENTITY_STORE_ABSENT = 1,   /* load: there is no blob */
  IDENTITY_STORE_CONFLICT = 2, /* swap: the stored revision is another than expected; nothing was written */
  IDENTITY_STORE_BUSY = 3,     /* held by somebody else, or locked until the viewer unlocks the device: asked again */
  IDENTITY_STORE_IO = 4,       /* cannot be read or written */
  IDENTITY_STORE_KEY_LOST = 5, /* load: there is a blob and it can never be read again */
  IDENTITY_STORE_NO_MEMORY = 6
};

/** The store cannot compare and swap (a keychain): only one session at a time may use a key. Revisions are then
 *  the library's business: load need not set one, swap need not look at the expected one. */
enum { IDENTITY_STORE_ONE_PROCESS = 1 };

/** Copies the blob of a key into buffer (capacity bytes, at least 65,536), and tells its length and its revision:
 *  a number from 1 to 2^64 - 2 that is another one after each swap.
 *  @return IDENTITY_STORE_OK, ABSENT, BUSY, IO, KEY_LOST, NO_MEMORY. KEY_LOST may set a revision, too. */
typedef int32_t (*identity_store_load_fn)(void *user_data, const char *key, void *buffer, uint64_t capacity,
                                          uint64_t *length, uint64_t *revision);
/** Writes the blob if the stored revision is the expected one (0: there is none, or KEY_LOST told no revision;
 *  that of KEY_LOST: overwrite what is unreadable), and tells the new revision. It must be atomic against other
 *  processes and threads, durable when it returns OK, and leave no earlier blob that could come back or be read.
 *  @return IDENTITY_STORE_OK, CONFLICT, BUSY, IO, NO_MEMORY. */
typedef int32_t (*identity_store_swap_fn)(void *user_data, const char *key, uint64_t expected_revision,
                                          const void *bytes, uint64_t length, uint64_t *new_revision);

/** A host's own store; filled after identity_store_init. */
typedef struct identity_store {
  uint32_t struct_size;
  int32_t flags; /* 0 or IDENTITY_STORE_ONE_PROCESS */
  void *user_data;
  identity_store_load_fn load;
  identity_store_swap_fn swap;
} identity_store;

/** Zeroes a struct of size bytes and notes the size. Thread class: any. */
IDENTITY_API void identity_store_init(identity_store *store, uint32_t size);
/** Keeps tokens in a store of the host; the struct is copied, what user_data points to outlives every session of the
 *  config. NULL: back to memory. The last of the store setters counts.
 *  @return OK; BAD_ARGUMENT (no load or swap, unknown flags); PARAMS_TOO_NEW. */
IDENTITY_API identity_status identity_config_set_store(identity_config *config, const identity_store *store);

/* ---- Clock. Thread class: builder. Does not block. ------------------------------------------------------------- */

/** Tells the time in milliseconds on two clocks. boot: since the device started, also running while it sleeps, never
 *  set back, at least 0. wall: since 1970, as the device believes; 0 where it has none. Time-outs run on boot: it must go
 *  on. Called from any thread. */
typedef void (*identity_clock_fn)(void *user_data, int64_t *boot_ms, int64_t *wall_ms);

/** A host's own clock; filled after identity_clock_init. */
typedef struct identity_clock {
  uint32_t struct_size;
  int32_t reserved;
  void *user_data;
  identity_clock_fn now;
  const char *boot_id; /* names this start of the device, 1 to 39 characters; NULL: as the system says */
} identity_clock;

/** Zeroes a struct of size bytes and notes the size. Thread class: any. */
IDENTITY_API void identity_clock_init(identity_clock *clock, uint32_t size);
/** Takes the time from the host; the struct and its boot_id are copied, what user_data points to outlives every session,
 *  loop and call handle of the config. NULL: the system's clocks.
 *  @return OK; BAD_ARGUMENT (no function, a boot_id of another length); PARAMS_TOO_NEW. */
IDENTITY_API identity_status identity_config_set_clock(identity_config *config, const identity_clock *clock);

/* ---- Transport. ------------------------------------------------------------------------------------------------
 * An HTTP stack of the host in the place of libcurl; the library's own is written against this seam. A transport
 * serves any number of loops (a session opened without a loop has one of its own). It must check certificates and
 * host names, follow no redirects, keep no cookies, and never send a request twice by itself.
 *
 * A loop starts an exchange with a number that it never uses again. The transport tells what comes of it through the
 * link, from any thread, one call at a time for one exchange, and ends it with identity_link_complete. What it says of an
 * exchange that is over or was cancelled is not heard: saying it twice or too late does no harm. An exchange that is never
 * completed is cancelled when the call behind it has run out of time. */

/** A loop as its transport sees it; valid from open to close. */
typedef struct identity_link identity_link;

/** One header of a request. */
typedef struct identity_http_header {
  const char *name;
  const char *value; /* may be a secret: not to be logged */
} identity_http_header;

/** What to send. Everything it points to lives until the exchange has completed or cancel was called. */
typedef struct identity_http_request {
  uint32_t struct_size;
  uint32_t header_count;
  int32_t once; /* 1: must not reach the wire twice, whatever becomes of the connection */
  uint32_t reserved;
  uint64_t body_length;
  const char *method;
  const char *url;
  const identity_http_header *headers;
  const void *body; /* NULL: none */
} identity_http_request;

/** A host's own transport; filled after identity_transport_init. state is what open gave, or user_data without an open.
 *  All functions run on the thread that drives the loop, never under a lock. */
typedef struct identity_transport {
  uint32_t struct_size;
  uint32_t reserved;
  void *user_data;
  /** Optional. A loop begins; link is its own, until close. @return IDENTITY_OK, or why it cannot, e.g. OUT_OF_MEMORY:
   *  that is what identity_session_open or identity_loop_new then returns. */
  identity_status (*open)(void *user_data, identity_link *link, void **state);
  /** Optional. The loop is gone; no exchange is running. */
  void (*close)(void *state);
  /** Begins an exchange and returns without waiting for the network; it may complete it in here. @return IDENTITY_OK;
   *  else it was not begun, and nothing was sent. */
  identity_status (*start)(void *state, identity_link *link, uint64_t exchange,
                           const identity_http_request *request);
  /** The exchange is given up: closes its connection; the request is not touched any more when it returns. */
  void (*cancel)(void *state, uint64_t exchange);
  /** Optional, with on_timer: for a transport that has the loop watch its sockets. events: IDENTITY_READABLE ... of
   *  async.h. */
  void (*on_socket)(void *state, int64_t socket, int32_t events);
  /** The time that identity_link_timer was told has come. */
  void (*on_timer)(void *state);
} identity_transport;

/** Zeroes a struct of size bytes and notes the size. Thread class: any. */
IDENTITY_API void identity_transport_init(identity_transport *transport, uint32_t size);
/** Goes through a transport of the host; the struct is copied, what user_data points to outlives every session and loop of the
 *  config. CA, proxy and resolve settings do not concern it. NULL: back to libcurl. Thread class: builder.
 *  @return OK; BAD_ARGUMENT (no start or cancel; on_socket without on_timer); PARAMS_TOO_NEW. */
IDENTITY_API identity_status identity_config_set_transport(identity_config *config,
                                                           const identity_transport *transport);

/* Told by the transport. Thread class: any. Does not block. */

/** Asked right before the first byte of the request leaves. 0: it must not leave any more; complete it with CANCELLED. */
IDENTITY_API int32_t identity_link_may_send(identity_link *link, uint64_t exchange);
/** The request may have left: from now on nobody knows what the service has seen. An exchange that completes without it was
 *  never sent. */
IDENTITY_API void identity_link_sent(identity_link *link, uint64_t exchange);
/** One line of the answer's head as it came, first the status line ("HTTP/1.1 200 OK"), with or without CRLF.
 *  @return 1; 0: it is over the bounds, complete with NOT_THE_SERVICE. */
IDENTITY_API int32_t identity_link_header(identity_link *link, uint64_t exchange, const char *line, uint64_t length);
/** A piece of the answer's body. @return 1; 0: it is not wanted (too long, encoded), complete with NOT_THE_SERVICE. */
IDENTITY_API int32_t identity_link_body(identity_link *link, uint64_t exchange, const void *bytes, uint64_t length);
/** The exchange is over. failure: IDENTITY_OK when the whole answer is here, else what kept it from coming (RETRY_LATER and
 *  FIX_DEVICE statuses; others count as CONNECTION_LOST). detail: one line without a secret for the developer, or NULL. */
IDENTITY_API void identity_link_complete(identity_link *link, uint64_t exchange, identity_status failure,
                                         const char *detail);
/** How many exchanges with one service (scheme, host and port) may run at a time, 1 to 64; 8 until it is told. */
IDENTITY_API void identity_link_set_capacity(identity_link *link, uint32_t count);

/* For a transport with on_socket. Only inside its functions, on the thread that drives the loop. */

/** Watch a socket for IDENTITY_READABLE, WRITABLE or both; 0: no more, before it is closed. @return 1; 0: memory is
 *  out, or that is no file descriptor. */
IDENTITY_API int32_t identity_link_watch(identity_link *link, int64_t socket, int32_t events);
/** Call on_timer in so many milliseconds; replaces what was said before. -1, or beyond 68 years: no more. */
IDENTITY_API void identity_link_timer(identity_link *link, int64_t timeout_ms);

#ifdef __cplusplus
}
#endif

#endif
