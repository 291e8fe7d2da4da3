/* Processes that write and read one file store at the same time (fault 18). */
#ifndef SUPPORT_RIVALS_H
#define SUPPORT_RIVALS_H

#include "support/service.h"

/* For so long, one process rotates and three look; then everything is asserted: no reader ever saw a torn
 * record, an older one after a newer, or nobody signed in, and the writer was refused nothing. Prints what it
 * counted. */
void rivals_run(service *server, const char *email, int duration_ms);

#endif
