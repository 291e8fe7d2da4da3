/* What must hold after every step, whatever happens. */
#ifndef EXPLORE_INVARIANTS_H
#define EXPLORE_INVARIANTS_H

#include "explore/world.h"

enum { VACUOUS, HOLDS, BROKEN };

typedef struct explore_invariant {
  const char *name;
  const char *words;
  int32_t (*check)(const explore_world *before, const explore_world *after); /* and explore_event_now */
} explore_invariant;

extern const explore_invariant explore_store_invariants[];
extern const explore_invariant explore_session_invariants[];
extern const int32_t explore_store_invariant_count;
extern const int32_t explore_session_invariant_count;

/* Bits of the broken ones. Counts where the others had something to say. */
uint64_t explore_check(const explore_world *before, const explore_world *after);
int32_t explore_invariant_count(void);
const explore_invariant *explore_invariant_row(int32_t number);
enum { MOST_INVARIANTS = 64 };
extern uint64_t explore_checked[MOST_INVARIANTS];
/* Bits of those whose names are in a list with spaces between. */
uint64_t explore_invariants_named(const char *names);

/* ---- Shared by both tables ---- */
int explore_compare(const identity__record *one, const identity__record *other); /* epoch, then generation */
bool explore_is_signed_in(const identity__record *record);
bool explore_has_secrets(const identity__record *record);
/* Whether the store's current copy can be read. */
bool explore_is_readable(const explore_store *store);
/* The step was one of the flight of its handle, not of an order. */
bool explore_was_flight(const explore_world *before);

#endif
