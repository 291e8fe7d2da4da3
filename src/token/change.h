/* One change of the stored record: made from what holds, swapped in, then used: durable first. Another
 * handle's swap in between (CONFLICT) is no verdict: look, compare, make it again. Pure: it asks its driver
 * to load and swap. */
#ifndef IDENTITY__CHANGE_H
#define IDENTITY__CHANGE_H

#include "token/machine.h"

/* Makes the record to store next from the machine as it stands; false: memory is out. */
typedef bool (*identity__maker)(const identity__machine *machine, const void *input, identity__record *next);

/* What it may be made over, when somebody else has changed the slot meanwhile. */
enum {
  IDENTITY__OVER_ALL,  /* sign-in and sign-out win */
  IDENTITY__OVER_PAIR, /* the epoch and generation we began with */
  IDENTITY__OVER_EPOCH
};

/* What the driver is to do next. */
enum {
  IDENTITY__DO_LOAD,
  IDENTITY__DO_SWAP, /* change.next over machine.revision */
  IDENTITY__DO_SEND, /* of a flight: the refresh */
  IDENTITY__DO_WAIT, /* of a flight: until its wake_boot_ms */
  IDENTITY__DO_NONE  /* it is over: status */
};

typedef struct identity__change {
  /* ---- set by who makes it ---- */
  identity__maker make;
  const void *input;
  int32_t over; /* IDENTITY__OVER_x */
  bool revives; /* a late good pair: also over an end that was declared because its answer seemed lost (I2) */
  bool both_copies;   /* no earlier copy may come back: a new epoch */
  bool in_memory_too; /* when the store fails, hold it in memory and try the store again later */
  /* Of an end that the service has declared: only where it must do without a store. Another handle may have
   * stored a good pair by now, and only a swap that is taken shows that it has not. */
  bool end_in_memory;
  bool answers; /* it changes the pending consents */

  /* ---- its own ---- */
  uint64_t epoch;
  uint64_t generation;
  uint64_t pair;
  int32_t standing;
  identity__record next;
  /* OK, also when a newer record of another handle was taken instead (overtaken); STORE_LOCKED, STORE_FAILED,
   * STORE_NEWER, OUT_OF_MEMORY. */
  identity_status status;
  bool overtaken;
} identity__change;

/* Whether a change that began over (epoch, generation, pair, standing) may be made over what holds now. */
bool identity__change_fits(const identity__change *change, const identity__machine *machine);
/* Each tells what to do next: LOAD, SWAP or NONE. */
int32_t identity__change_begin(identity__change *change, const identity__machine *machine, identity__now now);
int32_t identity__change_swapped(identity__change *change, identity__machine *machine, int32_t said,
                                 uint64_t revision);
int32_t identity__change_loaded(identity__change *change, identity__machine *machine, identity__look *look,
                                identity__now now);

#endif
