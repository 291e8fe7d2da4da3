/* The stand-in service of a soak: its process, its clock, its control. Every function ends
 * the run when something does not work. */
#ifndef SOAK_LINK_H
#define SOAK_LINK_H

#include "soak/shared.h"

#include <cjson/cJSON.h>

/* sandbox: the program. grace_s: of its refresh tokens. */
void link_start(soak_page *page, const char *sandbox, int64_t grace_s);
void link_stop(void);
/* Sets the service's clock to a virtual time. */
void link_set_clock(int64_t now_ms);
/* Lets go on what faults hold back. */
void link_release(void);
void link_close_idle(void);
/* One request to /_sandbox/PATH; json NULL: without a body. The answer, until the next one. */
const char *link_control(const char *method, const char *path, const char *json);
/* GET, as a tree that the caller deletes. */
cJSON *link_read(const char *path);
/* When the journal's own time was 0. */
int64_t link_started_us(void);

/* Prints why, ends every process of the run, exits with 2. */
_Noreturn void soak_give_up(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
