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
 * "fdatasync:error=EIO" or "pwrite64:signal=KILL:when=3"; when= counts each name apart. NULL: only watches.
 */
void tracer_start(tracer *self, const worker *watched, const service *server, const char *inject);
/* Lets go of the worker, if it still runs. */
void tracer_stop(tracer *self);
/* One system call of the log: the ordinal-th of its name, from 1, as when= counts them. */
typedef struct traced_call {
  char name[32];
  int ordinal;
} traced_call;

/* Those of the log in their order; returns how many there are. */
int tracer_calls(const tracer *self, traced_call calls[], int capacity);

#endif
