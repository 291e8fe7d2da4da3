/* What calls run on: the transport, the calls in line and those that run, their timers, and the turn to drive
 * them. A thread that has the turn is the driver: it alone touches running calls and the transport. A loop is
 * the private one of a session, or one that sessions share. */
#ifndef IDENTITY__LOOP_H
#define IDENTITY__LOOP_H

#include "base/list.h"
#include "base/process.h"
#include "base/timers.h"
#include "call/call.h"
#include "transport/transport.h"

#include <identity/async.h>

#include <pthread.h>

enum { IDENTITY__TIMER_CALL, IDENTITY__TIMER_SESSION };

/* What an app holds of a call: it outlives the call. */
struct identity_call {
  struct identity_loop *loop;
  identity__call *call; /* with the loop's lock; NULL: it is over */
};

/* What sessions of one service share: its wish to be left alone for a while, and the places to send. */
typedef struct identity__host {
  struct identity__host *next;
  uint32_t sessions;
  int64_t quiet_until_ms; /* on the boot clock */
  uint32_t placed;        /* calls that have a place */
  identity__node parked;  /* calls that wait for one */
  identity__node orphans; /* requests that nobody waits for: they give theirs up */
  char origin[];          /* scheme, name and port */
} identity__host;

typedef struct identity_loop {
  pthread_mutex_t lock; /* never held across I/O or foreign code */
  pthread_cond_t changed;

  /* ---- set once ---- */
  bool shared;
  identity__transport *transport; /* the driver's */
  identity__clock clock;
  identity__fork_mark mark;
  char *network; /* shared: the network settings as one text; sessions must have the same */

  /* ---- guarded by lock ---- */
  bool driven;
  bool known_driver;        /* some thread has driven it */
  pthread_t driver;         /* who drives it, or did last */
  bool news;                /* a call came or was cancelled: the driver must look before it waits */
  bool woken;               /* shared: the app wants the driver back */
  bool gone;                /* shared: the app frees it: nothing is taken any more */
  bool ended;               /* and has freed it: there is no transport */
  uint32_t holders;         /* sessions and call handles, and the app: the last one frees the memory */
  uint32_t pending;         /* calls whose completion has not run */
  uint32_t out;             /* calls and flights that are not over */
  identity__node arrivals;  /* calls in order; not begun yet */
  identity__node signals;   /* calls that were cancelled, or got another deadline */
  identity__node closings;  /* sessions that the app has closed */
  identity__node completed; /* calls whose completion is due */
  identity__node ready;     /* calls that stood in the line of their session, and may begin now */

  /* ---- the driver's ---- */
  identity__timers timers;
  int64_t pass_ms; /* timers up to then go off, those that are set meanwhile later; INT64_MIN: none do */
  identity__node sessions;
  identity__node landed;  /* sessions whose flight is over */
  identity__node resumed; /* calls that have got a place to send */
  identity__node closed;  /* sessions that still have something out */
  uint64_t chance;        /* what jitter is made from */
  bool free_wanted;       /* the app has freed it in a callback: it ends after the last of them */
  identity__host *hosts;
} identity__loop;

/* The clock is the one of the settings. */
identity__loop *identity__loop_new(const identity__transport_settings *settings, identity_error *error);
/* Its transport and what it holds; the memory goes with the last holder. */
void identity__loop_end(identity__loop *loop);
void identity__loop_hold(identity__loop *loop);
void identity__loop_let_go(identity__loop *loop);

identity__now identity__loop_now(const identity__loop *loop);
int64_t identity__loop_boot_ms(const identity__loop *loop);
/* Whether this is a child of the process that made it: what it holds is the parent's. */
bool identity__loop_is_forked(const identity__loop *loop);
/* The driver's: the time, and a number that nobody can foresee closely. */
identity__moment identity__loop_moment(identity__loop *loop);

/* The host of a base URL, shared with who asked before; NULL: memory is out. */
identity__host *identity__loop_join_host(identity__loop *loop, const char *base_url);
void identity__loop_leave_host(identity__loop *loop, identity__host *host);
/* The driver's: a Retry-After counts for every session that talks to the host (0: it gave none). The time it
 * counts for. */
int64_t identity__host_quiet(identity__host *host, int64_t retry_after_ms, identity__now now);
/* What is left of it. */
int64_t identity__host_quiet_ms(const identity__host *host, identity__now now);

/* From any thread: puts a call in line, and among the calls of its session, and wakes the driver. Otherwise
 * LOOP_GONE, or CANCELLED: its session is closing, which is looked at under the lock. */
identity_status identity__loop_submit(identity__loop *loop, identity__call *call, const bool *closing);
/* From any thread: cancels the calls of such a list, but for a flight. */
void identity__loop_cancel(identity__loop *loop, const identity__node *calls);
/* With the lock held: the driver has to look at this call. */
void identity__loop_signal(identity__loop *loop, identity__call *call);
/* With the lock held, and not once it has ended. */
void identity__loop_wake(identity__loop *loop);
/* From any thread: who drives it, or waits in its place, is to look; not once it has ended. */
void identity__loop_wake_driver(identity__loop *loop);
/* Whether the app frees it, or has. */
bool identity__loop_is_gone(identity__loop *loop);

/* The driver's: adds a call that does not wait in line (a flight). */
void identity__loop_add(identity__loop *loop, identity__call *call);
/* The driver's: the call is over. A waiting thread is told, a completion is due, or nobody cares and it is
 * freed. */
void identity__loop_retire(identity__loop *loop, identity__call *call);

/* The driver's: a call that wants to send needs one of the places that the transport has for its host, so
 * that a service which stays silent holds up no other. False: it is parked until there is one. */
bool identity__loop_take_place(identity__loop *loop, identity__host *host, identity__call *call);
void identity__loop_leave_place(identity__loop *loop, identity__host *host, identity__call *call);
/* The driver's: who is parked gets what places there are; the transport may have more by now. */
void identity__loop_hand_on(identity__loop *loop);

/* The driver's: when a call or a session is to be told the time; INT64_MAX: never. */
void identity__loop_set_timer(identity__loop *loop, identity__timer *timer, int64_t at_ms);

bool identity__loop_is_driver(identity__loop *loop);
/* Waits until this thread has the turn (true) or its call is done (false). */
bool identity__loop_take_turn(identity__loop *loop, const identity__call *call);
/* The turn, if nobody has it. */
bool identity__loop_try_turn(identity__loop *loop);
void identity__loop_pass_turn(identity__loop *loop);
/* The driver's: whether there was news since it was asked last. */
bool identity__loop_take_news(identity__loop *loop);
bool identity__loop_is_cancelled(identity__loop *loop, const identity__call *call);

#endif
