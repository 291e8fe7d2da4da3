/* Loops under a test, in every way that they can be driven, and a note of how each call ended. Every function
 * fails the running test when something does not work. */
#ifndef SUPPORT_ALOOP_H
#define SUPPORT_ALOOP_H

#include "support/service.h"

#include <identity/async.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>

enum { ALOOP_PATIENCE_S = 20, ALOOP_WATCHED = 64 };

/* A blocking call that drives by itself; identity_loop_run that never and that always waits; the descriptor;
 * sockets and timer of the host. */
enum { DRIVE_BLOCKING, DRIVE_TICK, DRIVE_WAIT, DRIVE_FD, DRIVE_HOST, DRIVES };
extern const char *const aloop_drive_names[DRIVES];

/* ---- a note ---- */

/* How one call ended. A note lives until its call has completed and is cleared then. */
typedef struct note {
  atomic_int count; /* completions */
  int order;        /* of all completions of the program: this was the n-th */
  identity_status status;
  identity_error error;
  const void *result;                /* kept until note_clear */
  void (*free_result)(const void *); /* NULL: there must be none */
  identity_call *call;               /* NULL: none was asked for, or the test has freed it */
  pthread_t thread;                  /* that it completed on */
  pthread_t starter;
  atomic_bool starting;            /* the _start function has not returned yet */
  const char *flaw;                /* what was wrong with the completion itself */
  void (*then)(struct note *self); /* what the app does inside the completion */
  void *context;                   /* for then */
} note;

/* Around a _start function: keeps then and context alone. */
void note_begin(note *self, void (*free_result)(const void *));
void note_begun(note *self);
/* The completion of every call that has a note. */
void note_done(identity_status status, const void *result, const identity_error *error, void *user_data);
/* It completed once, with this status, and nothing was wrong with that. */
void note_is(const note *self, identity_status status);
void note_is_open(const note *self);
/* Frees what it keeps. */
void note_clear(note *self);
void notes_clear(note *notes, size_t count);
int notes_with(const note *notes, size_t count, identity_status status);

/* ---- a loop ---- */

typedef struct aloop {
  identity_loop *loop;
  int drive;
  atomic_bool inside; /* an identity_loop_x function runs */
  int outside;        /* host callbacks that came while none did */
  int turns;          /* so far */
  int told;           /* host callbacks so far */
  int64_t timer_at_ms;
  struct watched {
    int socket;
    short events;
  } watched[ALOOP_WATCHED];
  size_t watched_count;
} aloop;

/* Takes the config; that of service_config: the service's network settings. */
void aloop_start(aloop *self, identity_config *config, int drive);
/* Frees the loop; sessions are closed before or after it. */
void aloop_stop(aloop *self);
/* From now on the sockets and the timer are the test's. */
void aloop_adopt_host(aloop *self);
/* With one callback of the two. */
identity_status aloop_adopt_half_a_host(aloop *self, bool with_sockets);
/* As a host that says so at any time, and of any socket. */
identity_status aloop_tell_timer(aloop *self);
identity_status aloop_tell_socket(aloop *self, int64_t socket, int32_t events);
identity_session *aloop_open(aloop *self, service *server, const char *account);
/* Takes the config. */
identity_session *aloop_open_with(aloop *self, identity_config *config, const char *account);

/* One turn; by the tick and by a blocking app it does not wait. */
void aloop_turn(aloop *self);
/* Turns until these have completed. */
void aloop_until(aloop *self, const note *notes, size_t count);
/* Turns, without waiting long, until so many requests of this kind have arrived. */
void aloop_until_sent(aloop *self, service *server, const char *method, const char *path, int count);
/* The same with turns as long as they take, so that they can be counted. */
void aloop_doze_until_sent(aloop *self, service *server, const char *method, const char *path, int count);
/* Turns, without waiting long, until the session is in this state. */
void aloop_until_state(aloop *self, identity_session *session, int32_t state);
/* Turns for so long. */
void aloop_turn_for(aloop *self, int ms);
/* As many turns as a loop needs that has nothing to wait for. */
void aloop_settle(aloop *self);

#endif
