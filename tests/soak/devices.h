/* The devices of a soak: their wall clocks, stores and networks. */
#ifndef SOAK_DEVICES_H
#define SOAK_DEVICES_H

#include "soak/fleet.h"

void devices_begin(soak_page *page, soak_tally *tally);
/* Any of them. */
int32_t devices_pick(void);

/* Of any device: the wall clock jumps; the store's lock is taken for a while; the network goes away for a
 * while. */
void devices_step_clock(void);
void devices_hold_store(void);
void devices_go_offline(void);

/* What is due at this virtual time ends. */
void devices_step(void);
/* When the next thing is due; INT64_MAX: nothing. */
int64_t devices_next_ms(void);
/* All stores free, all networks there. */
void devices_calm(void);

#endif
