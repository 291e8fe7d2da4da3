/* What has happened to a session, numbered and in order: found by comparing the machine with how it looked
 * last, so that no change can be forgotten. A ring that app and support desk read. Pure. */
#ifndef IDENTITY__EVENTS_H
#define IDENTITY__EVENTS_H

#include "token/machine.h"

typedef struct identity__event_note {
  uint64_t number;
  uint64_t epoch;
  int64_t at_ms; /* on the wall clock */
  int64_t amount_ms;
  int32_t kind;
  int32_t old_state;
  int32_t new_state;
  int32_t reason;
  int32_t how;
  identity_status cause;
} identity__event_note;

typedef struct identity__view {
  uint64_t epoch;
  uint64_t generation;
  int32_t state;
  int32_t standing;
  int32_t reason;
  bool pending;
  bool not_persisted;
  identity_status blocked;
} identity__view;

typedef struct identity__events {
  identity__event_note *notes; /* a ring that grows to IDENTITY__MAX_EVENTS */
  uint32_t capacity;
  uint64_t last; /* number of the newest; notes of (last - capacity, last] are there */
  uint64_t told; /* number of the last one that was taken */
  identity__view seen;
} identity__events;

/* What the machine looks like now is no news. */
void identity__events_begin(identity__events *events, const identity__machine *machine);
void identity__events_clear(identity__events *events);
/* Notes what has changed since it was looked at last. */
void identity__events_notice(identity__events *events, const identity__machine *machine, int64_t wall_ms);
/* Notes something the machine does not show; number and epoch are filled in. For want of memory it is
 * dropped, and the gap in the numbers shows it. */
void identity__events_add(identity__events *events, const identity__event_note *note);
/* The next one that was not taken yet; NULL: none. Valid until the next note. */
const identity__event_note *identity__events_peek(const identity__events *events);
void identity__events_take(identity__events *events);
/* The one of a number; NULL: it is not there. */
const identity__event_note *identity__events_find(const identity__events *events, uint64_t number);

#endif
