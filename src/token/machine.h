/* Who is signed in on one slot, and what may be done about the tokens. Pure: the store, the network, the
 * clock and chance are the caller's; it tells what happened and is told what to do. Nothing else decides
 * about tokens. Its changes of the stored record are change.h, its refresh is flight.h.
 *
 * Words: an epoch is one sign-in; a generation is one committed pair. Both only rise. */
#ifndef IDENTITY__MACHINE_H
#define IDENTITY__MACHINE_H

#include "base/clock.h"
#include "token/lease.h"
#include "token/record.h"

#include <identity/identity.h>

#include <stdbool.h>

/* For a support desk: what has happened since the handle was opened. */
typedef struct identity__counters {
  uint64_t refreshes; /* requests that may have left */
  uint64_t rotations; /* pairs committed */
  uint64_t adoptions; /* newer records of another handle taken over */
  uint64_t conflicts;
  uint64_t refused_tokens; /* 401s for a token of the generation that holds */
} identity__counters;

typedef struct identity__machine {
  identity__record record; /* what holds here and now */
  uint64_t pair;           /* how many pairs this handle has held: two of one generation are two */
  uint64_t revision;       /* of the stored record this one came from or went to */
  identity_status blocked; /* why the store cannot be read; OK: it could */
  bool not_persisted;      /* this record is newer than the store's */
  bool unread;             /* and goes over what the store holds, whatever that is */
  bool answers_unsaved;    /* its pending consents, too, are newer than the store's */
  uint64_t over_epoch;     /* unread: what has to be gone over, as far as known by now */
  uint64_t over_generation;
  bool dead;                    /* a 401 told that the JWT of this generation is over */
  bool flying;                  /* a refresh is in flight */
  bool lease_unused;            /* the request under the lease of this handle never left */
  bool foreign;                 /* the record that holds was made by another handle */
  int32_t how;                  /* the sign-in of this handle, IDENTITY_HOW_x */
  bool delivering;              /* the call that signed in is sending the pending consents itself */
  identity_status last_failure; /* of the last refresh; OK: it worked */
  char boot_id[IDENTITY__BOOT_ID_SIZE];
  identity__lease self; /* what leases of this handle carry */
  identity__counters counters;
} identity__machine;

/* self: owner and process. */
void identity__machine_init(identity__machine *machine, const char *boot_id, const identity__lease *self);
void identity__machine_clear(identity__machine *machine);

/* ---- Asking ---- */
enum {
  IDENTITY__ASK_GIVE,    /* take the token */
  IDENTITY__ASK_REFRESH, /* start or join a refresh */
  IDENTITY__ASK_FAIL     /* status says why */
};
typedef struct identity__ask {
  int32_t verdict;
  identity_status status;
  int64_t retry_after_ms;
  int64_t remaining_ms; /* of the JWT; -1: not known */
} identity__ask;

/* A token for a call. */
identity__ask identity__machine_ask(const identity__machine *machine, int64_t now_ms);
/* A token that should live for min_life_ms; GIVE also when less is all there is. */
identity__ask identity__machine_ask_life(const identity__machine *machine, int64_t min_life_ms,
                                         int64_t now_ms);
/* A new pair, whatever the old one is worth. */
identity__ask identity__machine_ask_rotation(const identity__machine *machine, int64_t now_ms);

/* A 401 or 403 for a request sent with a token of (epoch, generation). GIVE: a newer one is there, send again
 * with it; REFRESH: that JWT is over; FAIL: NOT_ALLOWED. expired: the answer's own date is past the JWT's
 * exp. */
identity__ask identity__machine_rejected(identity__machine *machine, uint64_t epoch, uint64_t generation,
                                         bool expired, int64_t now_ms);

/* Life left of the JWT; 0: over; -1: not known. */
int64_t identity__machine_remaining(const identity__machine *machine, int64_t now_ms);
/* Whether it is good for longer than a call takes: nobody waits for its replacement yet. */
bool identity__machine_is_spare(const identity__machine *machine, int64_t now_ms);
/* Whether a call may still be sent with it, however close its end. */
bool identity__machine_is_usable(const identity__machine *machine, int64_t now_ms);
/* From here on, on the boot clock, the JWT is worth replacing in the background: 0.55 to 0.85 of its life,
 * not the same for everyone. INT64_MAX: never. */
int64_t identity__machine_soft_ms(const identity__machine *machine);
/* Where the session stands, IDENTITY_STATE_x. */
int32_t identity__machine_state(const identity__machine *machine);
int64_t identity__machine_cooldown_ms(const identity__machine *machine, int64_t now_ms);
/* The status that a call gets which needs somebody signed in; OK when somebody is. */
identity_status identity__machine_standing(const identity__machine *machine);

/* ---- What the store said ---- */
enum {
  IDENTITY__SAID_OK,
  IDENTITY__SAID_ABSENT,
  IDENTITY__SAID_CONFLICT, /* to a swap: another revision is there */
  IDENTITY__SAID_LOCKED,   /* somebody else holds it */
  IDENTITY__SAID_FAILED,   /* it cannot be read, or written */
  IDENTITY__SAID_LOST,     /* what it held can never be read again */
  IDENTITY__SAID_NEWER,    /* it is of a newer library */
  IDENTITY__SAID_MEMORY
};

/* What a load brought. */
typedef struct identity__look {
  int32_t said;
  uint64_t revision;
  identity__record record; /* OK; empty otherwise */
  bool owner_gone;         /* the owner of its lease is known to be dead */
} identity__look;

/* Takes over what is newer than ours (epoch, then generation, then an end); of the same pair only its notes:
 * pending consents, lease, cooldown, counts. The record of the look is emptied. OK: the slot is known now;
 * else the status for who needs it. */
identity_status identity__machine_hear(identity__machine *machine, identity__look *look, identity__now now);
/* The status for what a store said to a swap. */
identity_status identity__machine_said(int32_t said);
/* The record is what holds from now on; it is emptied. */
void identity__machine_commit(identity__machine *machine, identity__record *next, uint64_t revision,
                              bool persisted);

/* ---- Records that come next: false: memory is out, next is empty ---- */
bool identity__machine_same(const identity__machine *machine, identity__record *next);
bool identity__machine_sign_in(const identity__machine *machine, const identity__grant *grant,
                               const identity_consent_answer *pending, uint32_t pending_count,
                               identity__record *next);
bool identity__machine_sign_out(const identity__machine *machine, int32_t reason, identity__record *next);
/* Ends the session but keeps the customer as a hint. */
bool identity__machine_end(const identity__machine *machine, int32_t reason, identity__record *next);
/* Pending consents replaced (count 0: cleared). */
bool identity__machine_set_pending(const identity__machine *machine, const identity_consent_answer *pending,
                                   uint32_t pending_count, identity__record *next);
/* Marked with a lease of this handle. */
bool identity__machine_lease(const identity__machine *machine, int64_t now_ms, identity__record *next);
/* The pair that a flight brought. */
bool identity__machine_rotate(const identity__machine *machine, const identity__grant *grant,
                              identity__record *next);

/* What came of a refresh that brought no pair. */
typedef struct identity__failure {
  int32_t verdict; /* IDENTITY__VERDICT_x but COMMITTED */
  int64_t retry_after_ms;
  bool in_trouble; /* the service is, by its own answer: 429 or 5xx */
  bool running;    /* the attempt may still run at the service: its lease stays */
  bool closing;    /* nobody will hear of it any more */
  uint64_t random;
  identity__now now;
} identity__failure;

/* With cooldown, counts and marks set, and ended when the verdict is definite. */
bool identity__machine_fail_refresh(const identity__machine *machine, const identity__failure *failure,
                                    identity__record *next);

#endif
