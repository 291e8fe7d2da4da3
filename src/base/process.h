/* Which process this is, whether another one still lives, and whether this one is a forked child. */
#ifndef IDENTITY__PROCESS_H
#define IDENTITY__PROCESS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* Id, start time and id space (namespace) of this process; 0 where the system cannot tell. */
void identity__process_self(int64_t *id, int64_t *start, int64_t *space);
/* True only when certainly no process of that id and start time lives any more. */
bool identity__process_is_gone(int64_t id, int64_t start, int64_t space);

/* Tells a forked child from the process that made it, without a system call where the kernel can: a page that
 * a child finds wiped (Linux 4.14). */
typedef struct identity__fork_mark {
  volatile int32_t *page; /* NULL: the process id has to do */
  pid_t process;
} identity__fork_mark;

void identity__fork_mark_init(identity__fork_mark *mark);
void identity__fork_mark_clear(identity__fork_mark *mark);
bool identity__is_forked(const identity__fork_mark *mark);

#endif
