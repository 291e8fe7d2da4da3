/* The sockets that a loop waits for, one timer, and a way to wake it from any thread. The loop waits here
 * itself (poll), or a host does in its place: with sockets and timer told one by one, or with one descriptor
 * for all (Linux). */
#ifndef IDENTITY__POLLER_H
#define IDENTITY__POLLER_H

#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What one of the sockets is watched for, as the host was told last. */
typedef struct identity__watched {
  int socket;
  int32_t events; /* IDENTITY_READABLE ...; 0: no more, and the host has yet to be told */
  int32_t told;
  bool again;  /* it was taken off and is watched anew, and may be another one of the same number */
  bool missed; /* there was no room for it behind the one descriptor */
} identity__watched;

/* Who waits in the loop's place. */
typedef struct identity__poll_host {
  void (*watch)(int64_t socket, int32_t events, void *user_data);
  void (*timer)(int64_t timeout_ms, void *user_data);
  void *user_data;
} identity__poll_host;

typedef struct identity__poller {
  identity__watched *watched; /* the first is the wake-up */
  struct pollfd *polled;      /* room for as many */
  uint32_t count;
  uint32_t capacity;
  int64_t due_ms; /* the transport's timer, on the system's boot clock; INT64_MAX: none */
  int wake_in;
  int wake_out;
  bool woken; /* with the lock: there is something in the pipe */
  pthread_mutex_t lock;
  identity__poll_host host; /* watch NULL: none */
  int64_t told_ms;          /* when the host is to come back, at the latest */
  int all;                  /* one descriptor for everything; -1: none */
  int all_timer;
} identity__poller;

/* What is called for a socket that is ready. */
typedef void (*identity__ready_fn)(void *owner, int64_t socket, int32_t events);

/* False: no descriptors or no memory is left. */
bool identity__poller_init(identity__poller *poller);
void identity__poller_clear(identity__poller *poller);

/* events 0: no more. False: memory is out, or it is no descriptor. */
bool identity__poller_watch(identity__poller *poller, int64_t socket, int32_t events);
/* -1: none, as is one of more than 68 years. */
void identity__poller_timer(identity__poller *poller, int64_t timeout_ms);
/* Whether the timer has come; it is taken. */
bool identity__poller_take_timer(identity__poller *poller);
/* Waits up to timeout_ms, or for the timer, and tells which sockets are ready; a wake-up is taken. False:
 * none was. */
bool identity__poller_wait(identity__poller *poller, int64_t timeout_ms, identity__ready_fn ready,
                           void *owner);
/* From any thread. */
void identity__poller_wake(identity__poller *poller);
/* The one descriptor; -1: not here, or none is left. */
int identity__poller_all(identity__poller *poller);
/* host NULL: there is none any more; nothing is told. */
void identity__poller_set_host(identity__poller *poller, const identity__poll_host *host);
/* Whether somebody waits in the loop's place. */
bool identity__poller_has_host(const identity__poller *poller);
/* The host's timer has gone off: it has none until it is told again. */
void identity__poller_timer_used(identity__poller *poller);
/* Tells who waits in the loop's place what has changed, and when to come back: at wake_ms on the boot clock
 * or at the transport's timer, whichever is first. Nobody's lock is held, and no transport is on the stack.
 */
void identity__poller_tell(identity__poller *poller, int64_t wait_ms);

/* Tells a host that there is nothing to watch, nor to come back for, any more. */
void identity__poller_farewell(identity__poller *poller);

#endif
