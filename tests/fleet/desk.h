/* The one desk at which all boxes with the library take turns: a whole token machine and a store, filled from
 * the little that is kept of a box, and put away again. */
#ifndef TESTS_FLEET_DESK_H
#define TESTS_FLEET_DESK_H

#include "fleet/fleet.h"
#include "token/flight.h"

typedef struct fleet_desk {
  identity__machine machine;
  identity__record stored;
  uint64_t revision;
  identity__now now;
} fleet_desk;

void fleet_name_boot(char name[IDENTITY__BOOT_ID_SIZE], int16_t boot);
identity__now fleet_now(const fleet_box *box, int64_t now_ms);
void fleet_sit_down(fleet_desk *desk, const fleet_box *box, int64_t now_ms);
/* False: it would not be the same when it sits down again. */
bool fleet_stand_up(fleet_desk *desk, fleet_box *box);

/* ---- The store: one copy, compare and swap ---- */
void fleet_load(const fleet_desk *desk, identity__look *look);
int32_t fleet_swap(fleet_desk *desk, const identity__record *next, uint64_t *revision);

#endif
