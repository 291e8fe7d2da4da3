/* A session: one slot of a store, its token machine, and the loop that its calls run on. */
#ifndef IDENTITY__SESSION_H
#define IDENTITY__SESSION_H

#include "drive/loop.h"
#include "drive/settings.h"
#include "store/store.h"
#include "token/events.h"

/* What came of a refresh, for the calls that waited for it. */
typedef struct identity__flown {
  uint64_t number; /* rises with each flight that ended */
  identity_status status;
  identity_error *error; /* of one that failed, until who waited is told; NULL: the status says it all */
} identity__flown;

struct identity_session {
  /* ---- set once at open ---- */
  char *base_url;
  char *publisher_id;
  char *account;
  char *sso_path;   /* NULL: as usual */
  char *sso_header; /* the same */
  char *store_key;  /* names the slot in its store */
  char *binding;    /* environment, publisher and account: written into the record */
  identity__log log;
  uint32_t timeout_ms;
  int32_t volatile_tokens;
  int32_t keep_fresh;
  identity__store store;
  identity__loop *loop;
  identity__host *host;

  /* ---- guarded by lock; only the driver writes the machine ---- */
  pthread_mutex_t lock;
  identity__machine tokens;
  identity__events events;
  int64_t clock_offset_ms; /* what the service's date was ahead of ours, last */
  int64_t asked_ms;        /* when somebody wanted a token last, on the boot clock */

  /* ---- the driver's ---- */
  identity__call *flight;       /* the refresh in progress */
  identity__flown flown;        /* the last flight */
  uint64_t sign_outs;           /* how often this handle signed out */
  identity__call *pending_call; /* tries the pending consents */
  identity__call *delivers;     /* has registered, and sends the consents itself */
  int64_t changes_at_ms;        /* of a change that is being made, on the wall clock */
  int64_t told_offset_ms;       /* of the clock, in an event; 0: none, or it is right again */
  uint32_t conflicts;           /* swaps in a row that another handle won */
  int32_t pending_failures;
  int64_t pending_next_ms; /* not before, on the boot clock */
  int64_t background_ms;   /* no refresh in the background before, on the boot clock */
  identity__node listed;   /* among the sessions of the loop */
  identity__node landed;   /* its flight is over, and who waited has to be told */
  identity__node line;     /* calls beyond those that may run */
  identity__node begun;    /* calls that have, and are not over */
  uint32_t running;        /* those of them that take a place of the 64 */
  identity__timer timer;   /* for the background, and for what a store has not taken when it is closed */
  int64_t retry_ms;        /* the store is not asked again before, on the system's boot clock */

  /* ---- guarded by the loop's lock ---- */
  identity__node calls;    /* all that are not over, with the flight */
  identity__node closings; /* of a shared loop: the app has closed it */
  uint32_t inside;         /* threads in a blocking call */
  bool closing;
  int64_t close_until_ms; /* the end of close's second; 0: nobody closes */
};

#endif
