/* Who is signed in on one slot, and what may be done about the tokens. Pure: the store, the network, the
 * clock and chance are the caller's; it tells what happened and is told what to do. Nothing else decides
 * about tokens.
 *
 * Words: an epoch is one sign-in; a generation is one committed pair. Both only rise. */
#ifndef IDENTITY__MACHINE_H
#define IDENTITY__MACHINE_H

#include "base/clock.h"
#include "token/record.h"

#include <identity/identity.h>

#include <stdbool.h>

typedef struct identity__machine {
  identity__record record;      /* what holds here and now */
  uint64_t revision;            /* of the stored record this one came from or went to */
  identity_status blocked;      /* why the store cannot be read; OK: it could */
  bool not_persisted;           /* this record is newer than the store's */
  bool unread;                  /* and was made while the store could not be read */
  bool dead;                    /* a 401 told that the JWT of this generation is over */
  bool flying;                  /* a refresh is in flight */
  identity_status last_failure; /* of the last refresh; OK: it worked */
  char boot_id[IDENTITY__BOOT_ID_SIZE];
} identity__machine;

void identity__machine_init(identity__machine *machine, const char *boot_id);
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
identity__ask identity__machine_ask(const identity__machine *machine, identity__now now);
/* A token that should live for min_life_ms; GIVE also when less is all there is. */
identity__ask identity__machine_ask_life(const identity__machine *machine, int64_t min_life_ms,
                                         identity__now now);
/* A new pair, whatever the old one is worth. */
identity__ask identity__machine_ask_rotation(const identity__machine *machine, identity__now now);

/* A 401 or 403 for a request sent with a token of (epoch, generation). GIVE: a newer one is there, send again
 * with it; REFRESH: that JWT is over; FAIL: NOT_ALLOWED. expired: the answer's own date is past the JWT's
 * exp. */
identity__ask identity__machine_rejected(identity__machine *machine, uint64_t epoch, uint64_t generation,
                                         bool expired, identity__now now);

/* Life left of a grant; 0: over; -1: not known. */
int64_t identity__machine_remaining(const identity__machine *machine, identity__now now);
/* Where the session stands, IDENTITY_STATE_x. */
int32_t identity__machine_state(const identity__machine *machine);
int64_t identity__machine_cooldown_ms(const identity__machine *machine, identity__now now);
/* The status that a call gets which needs somebody signed in; OK when somebody is. */
identity_status identity__machine_standing(const identity__machine *machine);

/* ---- What the store said ---- */
/* Takes over what another handle has stored if it is newer than ours (epoch, then generation). True: it was.
 * Of the same pair only its notes are taken: pending consents, cooldown, counts. The loaded record is
 * emptied. */
bool identity__machine_adopt_stored(identity__machine *machine, identity__record *loaded, uint64_t revision);
/* The first look at the store, or the first after it was blocked: what it says holds. */
void identity__machine_take_stored(identity__machine *machine, identity__record *loaded, uint64_t revision);
/* The stored secret is damaged or gone. */
void identity__machine_store_lost(identity__machine *machine, uint64_t revision);

/* ---- Changing who is signed in: each makes the record that should be stored next; false: memory is out ----
 */
bool identity__machine_sign_in(const identity__machine *machine, const identity__grant *grant,
                               const identity__kept_consent *pending, uint32_t pending_count,
                               identity__record *next);
bool identity__machine_sign_out(const identity__machine *machine, int32_t reason, identity__record *next);
/* Ends the session but keeps the customer as a hint. */
bool identity__machine_end(const identity__machine *machine, int32_t reason, identity__record *next);
/* Pending consents replaced (count 0: cleared). */
bool identity__machine_set_pending(const identity__machine *machine, const identity__kept_consent *pending,
                                   uint32_t pending_count, identity__record *next);
/* The record is what holds from now on; it is emptied. */
void identity__machine_commit(identity__machine *machine, identity__record *next, uint64_t revision,
                              bool persisted);

/* ---- The refresh ---- */
/* The pair that a flight brought, over (epoch, generation) that it started from. */
bool identity__machine_rotate(const identity__machine *machine, const identity__grant *grant,
                              identity__record *next);
/* What becomes of the record after a verdict other than COMMITTED: next is a copy with the cooldown, the
 * counts and the marks set, and ended when the verdict is definite. caused is remembered by
 * identity__machine_rejected. */
bool identity__machine_fail_refresh(const identity__machine *machine, int32_t verdict, int64_t retry_after_ms,
                                    uint64_t random, identity__now now, identity__record *next);

#endif
