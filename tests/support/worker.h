/* A process of its own that uses sessions on command: it can be killed, stopped and continued as an app's
 * process can, and run under a tool (strace). Commands and answers are lines. The program that calls
 * worker_main when its first argument is "--worker" is the worker: SUITE does. Every function but worker_main
 * fails the running test when something does not work.
 *
 * Commands; each has one answer, and answers come in order:
 *   use N                                the commands that follow mean session N (0 to 7; at first 0)
 *   open URL STORE ACCOUNT TIMEOUT_MS    opens it; STORE: a directory, "-" for memory, "+DIRECTORY" for a
 * file store with volatile tokens login EMAIL, refresh, fetch, tokens, logout, state, close repeat N refresh
 * N times any of these words; the answer counts look MS                              so long: opens the
 * session, asks for the JWT, closes; the answer counts quit                                 closes every
 * session and ends the process */
#ifndef SUPPORT_WORKER_H
#define SUPPORT_WORKER_H

#include "support/service.h"

enum { WORKER_CLASSES = 11, WORKER_LINE = 512, WORKER_PATIENCE_MS = 60000 };

typedef struct worker {
  pid_t process; /* the child: the worker, or the tool it runs under */
  pid_t runs;    /* the worker itself */
  int commands;
  int answers;
  char unread[WORKER_LINE];
  size_t unread_length;
} worker;

typedef struct worker_answer {
  identity_status status; /* of the last call; OK when there was none */
  int32_t state;          /* -1: no session is open */
  int32_t reason;
  int32_t not_persisted;
  int64_t retry_after_ms; /* of the error */
  int64_t took_ms;
  int counts[WORKER_CLASSES]; /* repeat, look: how many calls ended with each class of status */
  int went_back;              /* look: how often a JWT was older than one seen before */
} worker_answer;

/* tool: what to put in front of the program, NULL ends it; NULL: nothing. */
void worker_start(worker *self, const char *const tool[]);
void worker_tell(worker *self, const char *command);
/* False: nothing was said in time, or the process is gone. */
bool worker_hear(worker *self, worker_answer *answer, int patience_ms);
/* Tells and hears. */
worker_answer worker_ask(worker *self, const char *command);
/* Opens the account "viewer" of a store below the service's directory. */
worker_answer worker_open(worker *self, const service *server, const char *store, int timeout_ms);

/* Stops it as the system would (SIGSTOP); returns when it stands still. */
void worker_stop(const worker *self);
/* The same for one that another has stopped. */
void worker_await_stop(const worker *self);
void worker_continue(const worker *self);
/* kill -9, and waits for its end; nothing for one that has been ended. */
void worker_kill(worker *self);
/* Waits for its end, which must be its own wish. */
void worker_quit(worker *self);
/* Whether it has ended, by whatever cause. */
bool worker_is_gone(const worker *self);

/* Runs until there are no more commands. */
int worker_main(void);

#endif
