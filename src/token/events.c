#include "token/events.h"
#include "base/limits.h"

#include <stdlib.h>
#include <string.h>

enum { FIRST_CAPACITY = 4 };
_Static_assert((IDENTITY__MAX_EVENTS & (IDENTITY__MAX_EVENTS - 1)) == 0, "capacities are powers of two");

static size_t place_of(uint64_t number, uint32_t capacity) {
  return (size_t)number & (capacity - 1);
}

/* ---- The ring ---- */

static bool grow(identity__events *events) {
  uint32_t capacity = events->capacity > 0 ? 2 * events->capacity : FIRST_CAPACITY;
  identity__event_note *notes = calloc(capacity, sizeof *notes);
  if (notes == NULL)
    return false;
  for (uint64_t number = 1; number <= events->last; number++) {
    const identity__event_note *note = identity__events_find(events, number);
    if (note != NULL)
      notes[place_of(number, capacity)] = *note;
  }
  free(events->notes);
  events->notes = notes;
  events->capacity = capacity;
  return true;
}

void identity__events_add(identity__events *events, const identity__event_note *note) {
  bool full = events->last >= events->capacity;
  bool placed = !full || events->capacity >= IDENTITY__MAX_EVENTS || grow(events) || events->capacity > 0;
  uint64_t number = ++events->last;
  if (!placed)
    return;
  identity__event_note *place = &events->notes[place_of(number, events->capacity)];
  *place = *note;
  place->number = number;
  place->epoch = events->seen.epoch;
}

const identity__event_note *identity__events_find(const identity__events *events, uint64_t number) {
  if (events->capacity == 0 || number == 0)
    return NULL;
  const identity__event_note *note = &events->notes[place_of(number, events->capacity)];
  return note->number == number ? note : NULL;
}

const identity__event_note *identity__events_peek(const identity__events *events) {
  uint64_t oldest = events->last >= events->capacity ? events->last - events->capacity + 1 : 1;
  for (uint64_t number = events->told >= oldest ? events->told + 1 : oldest; number <= events->last;
       number++) {
    const identity__event_note *note = identity__events_find(events, number);
    if (note != NULL)
      return note;
  }
  return NULL;
}

void identity__events_take(identity__events *events) {
  const identity__event_note *note = identity__events_peek(events);
  if (note != NULL)
    events->told = note->number;
}

/* ---- Noticing ---- */

static void look(const identity__machine *machine, identity__view *view) {
  const identity__record *record = &machine->record;
  view->epoch = record->epoch;
  view->generation = record->generation;
  view->state = identity__machine_state(machine);
  view->standing = record->standing;
  view->reason = record->reason;
  view->pending = record->pending_count > 0 && !machine->delivering;
  view->not_persisted = machine->not_persisted;
  view->blocked = machine->blocked;
}

void identity__events_begin(identity__events *events, const identity__machine *machine) {
  identity__events_clear(events);
  look(machine, &events->seen);
}

void identity__events_clear(identity__events *events) {
  free(events->notes);
  memset(events, 0, sizeof *events);
}

/* In the order in which they are told. */
static const uint8_t order[] = {
    IDENTITY_EVENT_EXTERNAL_CHANGE, IDENTITY_EVENT_SIGNED_IN,       IDENTITY_EVENT_SIGNED_OUT,
    IDENTITY_EVENT_TOKEN_REFRESHED, IDENTITY_EVENT_REAUTH_REQUIRED, IDENTITY_EVENT_CONSENTS_PENDING,
    IDENTITY_EVENT_STORE_BLOCKED,   IDENTITY_EVENT_STORE_FAILED,    IDENTITY_EVENT_STORE_RECOVERED,
    IDENTITY_EVENT_STATE,
};

static bool has_happened(int32_t kind, const identity__view *was, const identity__view *is, bool foreign) {
  bool new_epoch = was->epoch != is->epoch;
  switch (kind) {
  case IDENTITY_EVENT_EXTERNAL_CHANGE:
    return foreign && (new_epoch || was->generation != is->generation);
  case IDENTITY_EVENT_SIGNED_IN:
    return new_epoch && is->standing == IDENTITY__RECORD_SIGNED_IN;
  case IDENTITY_EVENT_SIGNED_OUT:
    return new_epoch && is->standing == IDENTITY__RECORD_SIGNED_OUT;
  case IDENTITY_EVENT_TOKEN_REFRESHED:
    return !new_epoch && was->generation < is->generation && !foreign;
  case IDENTITY_EVENT_REAUTH_REQUIRED:
    /* Told again when the reason turns out later: tokens that a new password has ended are refused first. */
    return (was->standing != is->standing || was->reason != is->reason) &&
           is->standing == IDENTITY__RECORD_REAUTH;
  case IDENTITY_EVENT_CONSENTS_PENDING:
    return !was->pending && is->pending;
  case IDENTITY_EVENT_STORE_BLOCKED:
    return was->blocked == IDENTITY_OK && is->blocked != IDENTITY_OK;
  case IDENTITY_EVENT_STORE_FAILED:
    return !was->not_persisted && is->not_persisted;
  case IDENTITY_EVENT_STORE_RECOVERED:
    return (was->blocked != IDENTITY_OK && is->blocked == IDENTITY_OK) ||
           (was->not_persisted && !is->not_persisted);
  default: /* IDENTITY_EVENT_STATE */
    return was->state != is->state;
  }
}

/* A store that was locked at open tells now what it would have told then: nobody has changed anything. */
static void look_back(identity__view *was, const identity__view *is, const identity__machine *machine) {
  if (!machine->foreign || was->epoch != 0 || was->blocked == IDENTITY_OK)
    return;
  int32_t state = was->state;
  identity_status blocked = was->blocked;
  *was = *is;
  was->state = state;
  was->blocked = blocked;
}

void identity__events_notice(identity__events *events, const identity__machine *machine, int64_t wall_ms) {
  const identity__view *is = &events->seen;
  identity__view was = *is;
  look(machine, &events->seen);
  look_back(&was, is, machine);
  bool out = is->state == IDENTITY_STATE_SIGNED_OUT || is->state == IDENTITY_STATE_REAUTH_REQUIRED;
  for (size_t i = 0; i < sizeof order / sizeof order[0]; i++) {
    if (!has_happened(order[i], &was, is, machine->foreign))
      continue;
    identity__event_note note = {.at_ms = wall_ms,
                                 .kind = order[i],
                                 .old_state = was.state,
                                 .new_state = is->state,
                                 .reason = out ? machine->record.reason : IDENTITY_REASON_NONE,
                                 .cause = is->blocked};
    if (note.kind == IDENTITY_EVENT_SIGNED_IN)
      note.how = machine->foreign ? IDENTITY_HOW_OTHER_PROCESS : machine->how;
    identity__events_add(events, &note);
  }
}
