/* What the walks have met: a proof that quiet invariants were not quiet for want of cases. */
#ifndef EXPLORE_SEEN_H
#define EXPLORE_SEEN_H

#include "explore/world.h"

enum { MOST_SEEN = 32 };
extern uint64_t explore_seen[MOST_SEEN];

void explore_see(const explore_world *before, const explore_world *after);
/* False: something was never met. */
bool explore_print_seen(const uint64_t seen[MOST_SEEN]);

#endif
