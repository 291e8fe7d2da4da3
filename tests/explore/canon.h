/* When two worlds are the same: whatever can happen in one can happen in the other, step by step. Times
 * count from now, tokens by their first appearance, epochs and generations by rank, and A and B may be
 * exchanged. */
#ifndef EXPLORE_CANON_H
#define EXPLORE_CANON_H

#include "explore/world.h"

uint64_t explore_canon(const explore_world *world);

#endif
