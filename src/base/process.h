/* Which process this is, whether another one still lives, and whether this one is a forked child. */
#ifndef IDENTITY__PROCESS_H
#define IDENTITY__PROCESS_H

#include <stdbool.h>
#include <stdint.h>

/* Id, start time and id space (namespace) of this process; 0 where the system cannot tell. */
void identity__process_self(int64_t *id, int64_t *start, int64_t *space);
/* True only when certainly no process of that id and start time lives any more. */
bool identity__process_is_gone(int64_t id, int64_t start, int64_t space);

#endif
