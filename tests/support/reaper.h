/* Ends the processes that a test program has started when it ends itself: a failed test stops nothing. */
#ifndef SUPPORT_REAPER_H
#define SUPPORT_REAPER_H

#include <sys/types.h>

/* In the child, before it becomes the other program: it is killed when the parent dies (Linux). */
void reaper_end_with(pid_t parent);
/* In the parent: when it exits, the process is killed and its directory removed. */
void reaper_watch(pid_t process, const char *directory);
/* It has ended. */
void reaper_forget(pid_t process);
void reaper_remove(const char *directory);

#endif
