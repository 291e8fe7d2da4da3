/* What happens to both handles alike: time passes, devices start again, stores are damaged. */
#ifndef EXPLORE_NATURE_H
#define EXPLORE_NATURE_H

#include "explore/world.h"

/* Variant i of time is the i-th moment from now on at which something ends; the last is five seconds, so that
 * not everything begins at once. */
enum { MOMENTS = 7, FIVE_SECONDS = MOMENTS };
bool explore_can_pass(const explore_world *world, int32_t variant);
void explore_pass(explore_world *world, int32_t variant);

enum { HAPPENS_REBOOT, HAPPENS_REBOOT_1970, HAPPENS_REVOCATION, HAPPENS_LOSS, HAPPENS_FALLBACK, HAPPENINGS };
bool explore_can_happen(const explore_world *world, int32_t variant);
void explore_happen(explore_world *world, int32_t variant);

#endif
