/* The world that the explorer walks through: two handles of one slot, their store, the service, what is on
 * the way between them, and time. A world is one block without pointers of its own but to texts and lists
 * that live for ever (texts.h) and into itself (explore_settle), so that it is cloned by assignment. */
#ifndef EXPLORE_WORLD_H
#define EXPLORE_WORLD_H

#include "token/flight.h"
#include "token/machine.h"
#include "token/machine_times.h"

enum { HANDLES = 2, REQUESTS = 6, TOKENS = 40, MOST_CAUSED = 8, NOBODY = -1 };
#define LIFE_MS (15 * IDENTITY__MINUTE_MS)

/* What the service sends back. */
enum {
  ANSWER_PAIR,
  ANSWER_JWT_ONLY, /* without a refresh token: the old one stays good */
  ANSWER_DEFINITE, /* expired or does not exist */
  ANSWER_UNDOCUMENTED,
  ANSWER_500,
  ANSWER_503,
  ANSWER_HTML,    /* 403 of a firewall */
  ANSWER_STRANGER /* a pair of another customer */
};

/* ---- What is on the way ---- */

enum { REQUEST_NONE, REQUEST_HELD, REQUEST_LEFT, REQUEST_ANSWERED };

typedef struct explore_request {
  int32_t state;
  int32_t listener; /* the handle that waits for the answer, or NOBODY */
  int32_t owner;    /* who sent it, by number */
  int32_t token;    /* the refresh token that it carries */
  int32_t answer;   /* ANSWERED: what is in the socket */
  int32_t pair;
  int64_t begun_ms; /* its lease */
  int64_t left_ms;
  int64_t ends_ms; /* the service acts on it before this, or never */
} explore_request;

/* ---- The service ---- */

enum { TOKEN_UNKNOWN, TOKEN_GOOD, TOKEN_USED, TOKEN_DEAD, TOKEN_REVOKED };

typedef struct explore_service {
  int32_t issued; /* tokens are numbered from 1 */
  uint8_t state[TOKENS];
  uint8_t customer[TOKENS];
  uint8_t parent[TOKENS]; /* the token that it was exchanged for */
} explore_service;

/* ---- The store: two copies, as in a file ---- */

typedef struct explore_copy {
  bool there;
  bool unreadable; /* what it held can never be read again */
  uint64_t revision;
  identity__record record;
} explore_copy;

typedef struct explore_store {
  uint64_t revisions; /* given out so far */
  explore_copy now;
  explore_copy before;
} explore_store;

/* ---- A handle: its machine and the driver around it ---- */

enum { HANDLE_CLOSED, HANDLE_OPEN, HANDLE_CLOSING };
enum { USER_NOTHING, USER_SIGN_OUT, USER_SIGN_IN, USER_SET_PENDING, USER_CLEAR_PENDING, USER_RETRY };

/* A change that the user ordered, and all that its maker needs. */
typedef struct explore_order {
  int32_t kind;     /* USER_x */
  int32_t next;     /* IDENTITY__DO_x */
  int32_t token;    /* SIGN_IN */
  int32_t customer; /* and whose it is */
  int32_t reason;   /* SIGN_OUT */
  int64_t given_ms;
  bool faulty; /* the store has failed meanwhile */
  identity__change change;
} explore_order;

typedef struct explore_handle {
  int32_t state;
  int32_t owner; /* numbers each opening */
  identity__machine machine;
  explore_order order;
  int32_t next;    /* of the flight, IDENTITY__DO_x; NONE: none flies */
  int32_t request; /* of the flight; NOBODY: none */
  identity__flight flight;
  identity__grant answer; /* that the flight's grant points at */

  /* ---- what only the invariants look at ---- */
  bool caused;       /* the flight was caused by a 401 */
  int32_t refusal;   /* the ANSWER_x that lets this flight end the session; 0: none */
  int32_t received;  /* the refresh token that this flight has brought; 0: none */
  bool consents_due; /* the store has not taken yet what the viewer has answered */

  /* ---- what only planted bugs look at ---- */
  int32_t last_token; /* what it sent last */
  bool rereads;       /* the next load is the one before a refusal counts */
} explore_handle;

/* How many steps of each kind a walk may still take. */
enum { COST_NONE, COST_FAULT, COST_USER, COST_TIME, COSTS };
enum { UNLIMITED = 255 };

typedef struct explore_world {
  identity__now now;
  int32_t boot;
  int32_t owners;
  explore_handle handles[HANDLES];
  explore_request requests[REQUESTS];
  explore_service service;
  explore_store store;
  uint8_t left[COSTS];
  bool gone[TOKENS]; /* by number: owners that were killed */

  /* ---- what only the invariants look at ---- */
  bool excused;    /* a rotation may have been lost: its owner gone, its answer lost, its store failing */
  bool store_lost; /* and whatever the store promised with it */
  int32_t caused;  /* refreshes after a 401 */
  int64_t caused_ms[MOST_CAUSED];
  uint64_t caused_epoch; /* by the last one of them */
  uint64_t caused_generation;
} explore_world;

/* What an exploration is about. */
enum { GRACE_NONE, GRACE_PREVIOUS };
typedef struct explore_rules {
  int32_t grace;
  int32_t bug; /* BUG_x */
} explore_rules;
extern explore_rules explore_rules_now;

/* What a step did, for the invariants. */
enum { STORE_UNTOUCHED, STORE_READ, STORE_SWAPPED };
typedef struct explore_event {
  int32_t handle; /* NOBODY: none */
  int32_t store;  /* what it did there */
  bool released;  /* a request left */
  bool landed;    /* a flight was told what came of its request */
  int32_t answer; /* landed: ANSWER_x; NOBODY: none came */
  bool held_back; /* it was too late for one */
  bool flight_over;
  int32_t ordered;        /* USER_x that is over now */
  identity_status status; /* of it */
  bool overtaken;
  bool caused;  /* a 401 has caused a refresh */
  bool expired; /* of a token past its end */
  bool died;    /* the memory of the handle is gone */
  bool opened;
  bool damaged;    /* the store was */
  int32_t request; /* released */
  const char *stuck;
} explore_event;
extern explore_event explore_event_now;

/* ---- world.c ---- */
void explore_copy_world(explore_world *world, const explore_world *source);
/* After a copy: pointers into the world point into this one. */
void explore_settle(explore_world *world);
identity__moment explore_moment(const explore_world *world);
char explore_name(int32_t handle);
/* A world to begin with; false: there is no such. */
bool explore_root(explore_world *world, int32_t number, const char **words);

/* ---- store.c ---- */
enum { LOAD_FINE, LOAD_OWNER_UNKNOWN, LOAD_LOCKED, LOAD_STARVED };
enum { SWAP_FINE, SWAP_FAILS, SWAP_WRITES_AND_FAILS };
void explore_load(const explore_world *world, int32_t handle, int32_t variant, identity__look *look);
int32_t explore_swap(explore_world *world, int32_t handle, int32_t variant, const identity__record *next,
                     bool both_copies, uint64_t *revision);
bool explore_is_of_this_boot(const explore_world *world, const identity__record *record);
bool explore_owner_is_gone(const explore_world *world, const identity__lease *lease);

/* ---- service.c ---- */
int32_t explore_issue(explore_service *service, int32_t customer, int32_t parent);
bool explore_would_take(const explore_service *service, int32_t token);
/* The request arrives; variant 0 is an honest answer, the others are faults. */
bool explore_can_arrive(const explore_world *world, int32_t request, int32_t variant);
void explore_arrive(explore_world *world, int32_t request, int32_t variant);
/* What the library would read out of an answer. */
void explore_read_answer(explore_world *world, int32_t handle, const explore_request *request,
                         identity__landing *landing);

/* ---- handle.c: what the library's driver does ---- */
bool explore_is_moved(const explore_handle *handle); /* since its flight began */
bool explore_is_busy(const explore_handle *handle);  /* in the middle of a chain of store operations */
bool explore_waits_for_store(const explore_handle *handle, int32_t what);
void explore_open(explore_world *world, int32_t handle, int32_t variant);
void explore_begin_flight(explore_world *world, int32_t handle, bool rotation);
void explore_release(explore_world *world, int32_t handle);
void explore_land(explore_world *world, int32_t handle, const identity__landing *landing);
void explore_wake(explore_world *world, int32_t handle);
identity__ask explore_refused(identity__machine *machine, uint64_t epoch, uint64_t generation, bool expired,
                              identity__now now);
void explore_abandon(explore_world *world, int32_t handle);
void explore_look(explore_world *world, int32_t handle);
/* The flight goes on as the machine has said. */
void explore_fly(explore_world *world, int32_t handle, int32_t next);
void explore_close(explore_world *world, int32_t handle);
void explore_close_on(explore_world *world, int32_t handle);
void explore_kill(explore_world *world, int32_t handle);

/* ---- orders.c: what the user orders, and the store operations of handles ---- */
void explore_begin_order(explore_world *world, int32_t handle, int32_t kind, int32_t token);
void explore_store_step(explore_world *world, int32_t handle, int32_t variant);

#endif
