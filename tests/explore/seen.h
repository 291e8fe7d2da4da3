/* What the walks have met: a proof that quiet invariants were not quiet for want of cases. */
#ifndef EXPLORE_SEEN_H
#define EXPLORE_SEEN_H

#include "explore/world.h"

void explore_see(const explore_world *before, const explore_world *after);
/* False: something was never met. */
bool explore_print_seen(void);

#endif
