/* A transport of the host, for one loop at a time, that writes down what it is asked for, and does with each
 * exchange what the test says: answers from a script, asks the stand-in service in a thread of its own, or
 * stays silent. Every function but the acts fails the running test when something does not work. */
#ifndef SUPPORT_RECORDER_H
#define SUPPORT_RECORDER_H

#include "support/service.h"

#include <identity/platform.h>
#include <pthread.h>
#include <stdatomic.h>

enum { RECORDER_MOST = 2048 };

struct recorder;

/* One exchange: a copy of its request, and what became of it. */
typedef struct taken {
  struct recorder *recorder;
  identity_link *link; /* NULL: its loop is gone */
  uint64_t number;
  char *method, *url, *body; /* body NULL: none */
  size_t body_length;
  char *headers; /* "Name: value" lines but for Authorization */
  char *bearer;  /* the value of Authorization; NULL: none */
  int32_t once;
  atomic_int cancelled;
  bool has_thread;
  pthread_t thread;
} taken;

/* What is done with an exchange; inside start. */
typedef identity_status (*recorder_act)(taken *one);

typedef struct recorder {
  identity_transport transport; /* for identity_config_set_transport */
  service *server;
  recorder_act act; /* for exchanges that begin from now on */
  identity_status opens_as;
  pthread_t driver; /* the thread whose loops it serves */
  int opened, closed;
  const char *flaw; /* what the library did wrong */
  taken *items[RECORDER_MOST];
  int count;
} recorder;

/* The calling thread is the one that drives. */
void recorder_start(recorder *self, service *server, recorder_act act);
/* After the last loop: everything that was opened is closed, and the library has kept to the seam. */
void recorder_stop(recorder *self);
/* That of service_config, with this transport. */
identity_config *recorder_config(recorder *self);

/* How many exchanges had this method and this path (the service's base URL cut off; '*' is any segment). */
int recorder_count(const recorder *self, const char *method, const char *path);
/* The last one, or the test fails. */
taken *recorder_last(const recorder *self);
int recorder_cancels(const recorder *self);
/* No URL, method or header but Authorization holds this text. */
void recorder_assert_unseen(const recorder *self, const char *secret);

/* ---- acts ---- */

/* Asks the service over HTTP, in a thread of its own. */
identity_status recorder_forward(taken *one);
/* Never says anything. */
identity_status recorder_stay_silent(taken *one);
/* Answers with the locale of nowhere, inside start. */
identity_status recorder_answer_at_once(taken *one);

/* ---- pieces of acts ---- */

#define RECORDER_LOCALE                                                                                      \
  "{\"responseData\":{\"country\":\"US\",\"currency\":\"USD\",\"locale\":\"en_US\","                         \
  "\"ipAddress\":\"198.51.100.1\"},\"errors\":[]}"

/* Sent, a status line with "Content-Type: application/json", the body, complete. */
void recorder_answer(taken *one, int status, const char *body);
int32_t recorder_header(const taken *one, const char *line);

#endif
