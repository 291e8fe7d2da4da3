/* The one refresh in progress of a handle, from the first look at the store to the commit. Pure: it asks its
 * driver to load, swap, send and wait, and is told what came of it. */
#ifndef IDENTITY__FLIGHT_H
#define IDENTITY__FLIGHT_H

#include "token/change.h"
#include "token/verdict.h"

/* What came of the request. */
typedef struct identity__landing {
  identity__refresh_facts facts;
  const identity__grant
      *grant; /* the pair, where facts say that there is one; lives until the flight is over */
  int64_t retry_after_ms;
  bool running; /* it left, and nothing tells that the service is done with it: we gave up waiting */
  bool late;    /* it was held back, because the lease had become too old */
  bool closing; /* the session goes */
} identity__landing;

typedef struct identity__flight {
  /* ---- set by who begins it ---- */
  bool rotation;  /* a new pair is wanted, whatever the old one is worth */
  bool in_memory; /* goes on without a durable lease where the store cannot be written */

  /* ---- its own ---- */
  int32_t state;
  uint64_t epoch; /* what it started from */
  uint64_t generation;
  uint64_t pair;
  int64_t release_until_ms; /* SEND: the request may leave until then */
  int64_t wake_boot_ms;     /* WAIT: until then */
  int64_t poll_ms;          /* how long it waits between two looks at a foreign lease */
  identity__change change;
  identity__failure failure;
  const identity__grant *grant;
  int32_t verdict;        /* of the answer, IDENTITY__VERDICT_x; -1: none came */
  identity_status status; /* when it is over: OK: there is a newer pair than the one it started from */
} identity__flight;

/* Each tells what to do next, IDENTITY__DO_x. */
int32_t identity__flight_begin(identity__flight *flight, const identity__machine *machine);
int32_t identity__flight_loaded(identity__flight *flight, identity__machine *machine, identity__look *look,
                                const identity__moment *moment);
int32_t identity__flight_swapped(identity__flight *flight, identity__machine *machine, int32_t said,
                                 uint64_t revision, const identity__moment *moment);
/* Its WAIT is over. */
int32_t identity__flight_woken(identity__flight *flight, identity__machine *machine,
                               const identity__moment *moment);
int32_t identity__flight_landed(identity__flight *flight, identity__machine *machine,
                                const identity__landing *landing, const identity__moment *moment);
/* What came of its request is known; the store, or memory, keeps it from being over. */
bool identity__flight_has_landed(const identity__flight *flight);
/* Whether the request of a SEND may leave now: asked once, when its body is about to. */
bool identity__flight_may_leave(const identity__flight *flight, const identity__machine *machine,
                                int64_t now_ms);
void identity__flight_clear(identity__flight *flight);

#endif
