/* A whole run: all expeditions, or all planted faults. */
#ifndef EXPLORE_TOUR_H
#define EXPLORE_TOUR_H

#include "explore/search.h"

typedef struct explore_tour {
  explore_limits limits;
  const char *expedition; /* NULL: all */
  int32_t root;
  const char *most; /* digits in place of each expedition's costs; NULL: as they are */
} explore_tour;

/* No violation, and no invariant without a case. */
bool explore_travel(const explore_tour *tour);
/* Every planted fault is found. */
bool explore_test_self(const explore_tour *tour);
/* One planted fault with its story. */
void explore_tell_bug(const explore_tour *tour, int32_t bug);
void explore_list_expeditions(void);

#endif
