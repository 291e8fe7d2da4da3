/* What libcurl needs once per process, and what every entry into it needs. */
#ifndef IDENTITY__CURL_GLOBAL_H
#define IDENTITY__CURL_GLOBAL_H

#include <signal.h>
#include <stdbool.h>

/* Counted and safe under concurrent opens; the only mutable state of the library outside handles. */
bool identity__curl_global_enter(void);
void identity__curl_global_leave(void);

/* libcurl's TLS library writes to sockets whose peer may be gone: SIGPIPE is held back around each entry for
 * this thread, and one that came meanwhile is taken off. The process's own handling of the signal is never
 * touched. */
typedef struct identity__pipe_guard {
  sigset_t before;
  bool was_pending;
} identity__pipe_guard;

void identity__pipe_guard_enter(identity__pipe_guard *guard);
void identity__pipe_guard_leave(const identity__pipe_guard *guard);

#endif
