/* Faults of an engine, a driver, a store or a service, planted one at a time: each must be found. They live
 * in the explorer's own driver, store and service; the library knows nothing of them. */
#ifndef EXPLORE_BUGS_H
#define EXPLORE_BUGS_H

#include "explore/search.h"

enum {
  BUG_NONE,
  BUG_BLIND_SWAP,
  BUG_CONFLICT_FAILS,
  BUG_CONFLICT_OVERWRITTEN,
  BUG_NO_LEASE,
  BUG_LEASE_IGNORED,
  BUG_LEASE_DROPPED,
  BUG_OWNER_DEAD,
  BUG_LATE_RELEASE,
  BUG_BLIND_RELEASE,
  BUG_RUNNING_FORGOTTEN,
  BUG_NO_REREAD,
  BUG_500_DEFINITE,
  BUG_UNDOCUMENTED_DEFINITE,
  BUG_LATE_REPLY,
  BUG_PAIR_DROPPED,
  BUG_STARVED_DROPPED,
  BUG_PAIR_FORGOTTEN,
  BUG_PAIR_UNWANTED,
  BUG_PAIR_MISREAD,
  BUG_ONE_COPY,
  BUG_PENDING_DROPPED,
  BUG_STRANGER,
  BUG_STALE_TOKEN,
  BUG_GENERATION_MIXED,
  BUG_DEAD_FORGOTTEN,
  BUG_BUDGET_FORGOTTEN,
  BUG_YOUTH_IGNORED,
  BUG_MARK_FORGOTTEN,
  BUG_LOCKED_EMPTY,
  BUG_RETRY_SIGNS_OUT,
  BUG_FLYING_FORGOTTEN,
  BUG_NO_GRACE,
  BUGS
};

static inline bool explore_has_bug(int32_t bug) {
  return explore_rules_now.bug == bug;
}

typedef struct explore_bug {
  const char *name;
  const char *words;
  const char *breaks; /* the invariants of which one must be found broken */
  int32_t root;       /* where it is looked for, and at what cost */
  uint8_t most[COSTS];
  int32_t grace;
} explore_bug;

const explore_bug *explore_bug_row(int32_t bug);
int32_t explore_bug_named(const char *name); /* or -1 */
explore_expedition explore_bug_expedition(int32_t bug);

#endif
