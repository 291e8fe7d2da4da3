/* What the two sides of a link share: the loop's (transport.c) and the transport's (link.c). */
#ifndef IDENTITY__LINK_H
#define IDENTITY__LINK_H

#include "base/limits.h"
#include "transport/headers.h"
#include "transport/transport.h"

#include <pthread.h>

enum { IDENTITY__MOST_HEADERS = 5, IDENTITY__MOST_SLOTS = 65536 };
enum { IDENTITY__IDLE, IDENTITY__RUNNING, IDENTITY__COMPLETED, IDENTITY__TAKEN };

struct identity__exchange {
  identity__exchange *next; /* of the completed ones */
  identity_link *link;
  void *owner;
  uint64_t number; /* of this use; its rest by IDENTITY__MOST_SLOTS is its place */
  int32_t state;   /* IDENTITY__IDLE ... */
  bool sent;
  bool plain;
  identity__response response;
  identity__headers headers;
  bool (*may_leave)(const void *owner, identity__now now);
  identity_http_request request;
  identity_http_header lines[IDENTITY__MOST_HEADERS];
  identity__buffer bearer;
};

struct identity_link {
  pthread_mutex_t lock;       /* guards the exchanges; no foreign code runs under it */
  identity__exchange **slots; /* as many as have run at a time */
  uint32_t slot_count;
  uint32_t idle_count;
  uint32_t capacity;
  uint64_t uses;
  identity__exchange *completed;
  identity__exchange **completed_end;
  pthread_t driver; /* who is in the transport's functions; with driving */
  bool driving;
  identity__poller poller;
  identity_transport calls;
  void *state;
  identity__clock clock;
  char *user_agent;
};

/* With the lock held. */
int32_t identity__link_progress(const identity__exchange *exchange);

#endif
