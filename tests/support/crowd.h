/* Threads that make the same call on one session at the same moment. */
#ifndef SUPPORT_CROWD_H
#define SUPPORT_CROWD_H

#include <identity/identity.h>
#include <pthread.h>

enum { CROWD_MOST = 1024 };

typedef identity_status (*crowd_call)(identity_session *session, identity_error *error);

typedef struct crowd {
  pthread_t threads[CROWD_MOST];
  struct crowd_member {
    struct crowd *crowd;
    identity_error error;
    identity_status status;
    int64_t took_ms;
  } members[CROWD_MOST];
  pthread_barrier_t start;
  identity_session *session;
  crowd_call call;
  int count;
} crowd;

/* The threads begin when all of them are there. */
void crowd_start(crowd *people, identity_session *session, int count, crowd_call call);
void crowd_join(crowd *people);
/* How many got this status. */
int crowd_count(const crowd *people, identity_status status);
/* Starts, joins, and counts the OK ones. */
int crowd_successes(identity_session *session, int count, crowd_call call);

#endif
