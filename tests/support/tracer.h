/* strace on a worker: it makes system calls fail, wait, stop the process or kill it. Every function fails the
 * running test when something does not work, strace missing among it. */
#ifndef SUPPORT_TRACER_H
#define SUPPORT_TRACER_H

#include "support/worker.h"

typedef struct tracer {
  pid_t process;
  char log[160]; /* what the worker did while it was watched */
} tracer;

/* From now on every system call of the worker counts. inject: as after strace's -e inject=, e.g.
 * "fdatasync:error=EIO" or "all:signal=KILL:when=7"; NULL: only watches. */
void tracer_start(tracer *self, const worker *watched, const service *server, const char *inject);
/* Lets go of the worker, if it still runs. */
void tracer_stop(tracer *self);
/* How many system calls the log names. */
int tracer_calls(const tracer *self);
/* The last line of the log that is a system call; "" when there is none. */
void tracer_last(const tracer *self, char line[WORKER_LINE]);

#endif
