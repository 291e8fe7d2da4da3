/* The device of a worker: its clocks, and the system calls under the library that wait or connect. */
#ifndef SOAK_VIRTUAL_H
#define SOAK_VIRTUAL_H

#include "soak/shared.h"

#include <identity/identity.h>

/* From here on the process lives on the time of the page. */
void virtual_begin(soak_page *page, int32_t worker);
/* Gives the device's clocks and boot id to a config. */
identity_status virtual_clock(identity_config *config);
/* Until the harness says that so much virtual time is over. */
void virtual_pause(int64_t ms);
/* Until the harness has looked. */
void virtual_ask(void);

#endif
