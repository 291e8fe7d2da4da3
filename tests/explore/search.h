/* Breadth first through all worlds, so that the first breach found is a shortest one. */
#ifndef EXPLORE_SEARCH_H
#define EXPLORE_SEARCH_H

#include "explore/world.h"

enum { ALL_ROOTS = -1, MOST_ROOTS = 16 };

/* Where to explore, and what a walk may cost. */
typedef struct explore_expedition {
  const char *name;
  const char *words;
  int32_t root;        /* or ALL_ROOTS */
  uint8_t most[COSTS]; /* faults, steps of users, jumps of time */
  explore_rules rules;
} explore_expedition;

typedef struct explore_limits {
  double seconds;
  int32_t depth;
  size_t bytes;
  uint64_t wanted; /* bits of invariants: only these count, and the first breach ends it; 0: all count */
} explore_limits;

typedef struct explore_result {
  uint64_t worlds;
  uint64_t transitions;
  int32_t depth;  /* all steps up to it were taken */
  bool exhausted; /* there are no others */
  double seconds;
  uint64_t broken; /* bits of invariants */
} explore_result;

void explore_run(const explore_expedition *expedition, const explore_limits *limits, explore_result *result);

#endif
