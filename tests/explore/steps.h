/* All that can happen next: the atomic steps of a world. */
#ifndef EXPLORE_STEPS_H
#define EXPLORE_STEPS_H

#include "explore/world.h"

#include <stddef.h>

enum { MOST_STEPS = 160, NO_STEP = 0xFFFF };

/* A step by number: what, who, and which variant of it. */
typedef uint16_t explore_step;

/* The steps that are possible now; how many. */
int32_t explore_steps(const explore_world *world, explore_step steps[MOST_STEPS]);
/* Takes one; explore_event_now tells what it did. */
void explore_take(explore_world *world, explore_step step);
void explore_print_step(explore_step step, char *text, size_t size);

#endif
