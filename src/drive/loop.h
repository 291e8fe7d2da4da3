/* What calls run on: the transport, the calls that run and those that wait, and the turn to drive them. A
 * thread that has the turn is the driver: it alone touches the running calls and the transport. */
#ifndef IDENTITY__LOOP_H
#define IDENTITY__LOOP_H

#include "base/process.h"
#include "call/call.h"
#include "transport/transport.h"

#include <pthread.h>

typedef struct identity__loop {
  pthread_mutex_t lock; /* guards everything but the transport; never held across I/O or foreign code */
  pthread_cond_t changed;
  identity__transport *transport; /* the driver's */
  identity__clock clock;
  identity__fork_mark mark;
  bool driven;
  pthread_t driver;
  bool news;                /* a call came or was cancelled: the driver must look before it waits */
  identity__call *arrivals; /* in order; not begun yet */
  identity__call *running;  /* only the driver changes this list, under the lock */
  uint32_t running_count;
  uint64_t chance; /* the driver's: what jitter is made from */
  int64_t
      quiet_until_ms; /* the driver's: the service asked for no requests that can wait, on the boot clock */
} identity__loop;

/* The clock is the one of the settings. */
identity__loop *identity__loop_new(const identity__transport_settings *settings, identity_error *error);
void identity__loop_free(identity__loop *loop);

identity__now identity__loop_now(const identity__loop *loop);
/* Whether this is a child of the process that made it: what it holds is the parent's. */
bool identity__loop_is_forked(const identity__loop *loop);
/* The driver's: the time, and a number that nobody can foresee closely. */
identity__moment identity__loop_moment(identity__loop *loop);

/* The driver's: a Retry-After of the service counts for every session on the loop (0: it gave none). The time
 * it counts for. */
int64_t identity__loop_quiet(identity__loop *loop, int64_t retry_after_ms);
/* What is left of it. */
int64_t identity__loop_quiet_ms(const identity__loop *loop, identity__now now);

/* From any thread: puts a call in line and wakes the driver. */
void identity__loop_submit(identity__loop *loop, identity__call *call);
/* From any thread: marks the calls of a session that a thread waits for, and wakes the driver. */
void identity__loop_cancel(identity__loop *loop, const void *session);

/* The driver's: moves what may run now from the line to the running calls. */
void identity__loop_admit(identity__loop *loop);
/* The driver's: adds a call that does not wait in line (a flight). */
void identity__loop_add(identity__loop *loop, identity__call *call);
/* The driver's: takes a call off the running ones; a waiting thread is told, a flight is freed. */
void identity__loop_retire(identity__loop *loop, identity__call *call);

bool identity__loop_is_driver(identity__loop *loop);
/* Waits until this thread has the turn (true) or its call is done (false). */
bool identity__loop_take_turn(identity__loop *loop, const identity__call *call);
void identity__loop_pass_turn(identity__loop *loop);
/* The driver's: whether there was news since it was asked last. */
bool identity__loop_take_news(identity__loop *loop);
bool identity__loop_is_cancelled(identity__loop *loop, const identity__call *call);
bool identity__loop_is_done(identity__loop *loop, const identity__call *call);

#endif
