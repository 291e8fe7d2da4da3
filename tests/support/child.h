/* A part of a test in a process of its own, which can be killed in the middle of it. */
#ifndef SUPPORT_CHILD_H
#define SUPPORT_CHILD_H

#include <sys/types.h>

/* Runs a function in a child process, which ends with its result. It must not use assertions. */
pid_t child_start(int (*run)(void *user_data), void *user_data);
/* -9; returns when the process is gone. */
void child_kill(pid_t child);

#endif
