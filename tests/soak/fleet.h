/* The processes of a soak and what befalls them and their devices. */
#ifndef SOAK_FLEET_H
#define SOAK_FLEET_H

#include "soak/shared.h"

typedef struct soak_tally {
  int32_t starts, restarts, kills, stops, suspends, reboots, locks, outages, steps_of_clocks;
} soak_tally;

/* Starts every worker. program: the worker's; page_path: what it is told. */
void fleet_start(soak_page *page, const char *program, const char *page_path);
/* The processes end; nothing more befalls anyone. */
void fleet_kill(void);
/* Whether a worker runs: neither dead nor stopped. */
bool fleet_runs(int32_t worker);
/* What is due at this virtual time happens. */
void fleet_step(void);
/* When the next thing is due. */
int64_t fleet_next_ms(void);
/* Everybody goes on, online and with a free store; nothing more befalls anyone but a restart. */
void fleet_calm(void);
const soak_tally *fleet_tally(void);

#endif
