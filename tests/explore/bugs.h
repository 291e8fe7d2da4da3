/* Faults of a driver, a store or an engine, planted one at a time: the explorer must find each. They live in the
 * explorer's driver and store; the library knows nothing of them. */
#ifndef EXPLORE_BUGS_H
#define EXPLORE_BUGS_H

#include "explore/world.h"

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
  BUG_RUNNING_FORGOTTEN,
  BUG_NO_REREAD,
  BUG_500_DEFINITE,
  BUG_UNDOCUMENTED_DEFINITE,
  BUG_LATE_REPLY,
  BUG_PAIR_DROPPED,
  BUG_PAIR_FORGOTTEN,
  BUG_ONE_COPY,
  BUG_PENDING_DROPPED,
  BUG_STRANGER,
  BUG_STALE_TOKEN,
  BUG_GENERATION_MIXED,
  BUG_BUDGET_FORGOTTEN,
  BUG_MARK_FORGOTTEN,
  BUG_LOCKED_EMPTY,
  BUGS
};

static inline bool explore_has_bug(int32_t bug) {
  return explore_rules_now.bug == bug;
}

typedef struct explore_bug {
  const char *name;
  const char *words;
  const char *breaks;    /* the invariants of which one must be reported: "I1 I2" */
  const char *expedition; /* that finds it; NULL: the wide one */
} explore_bug;

const explore_bug *explore_bug_row(int32_t bug);
int32_t explore_bug_named(const char *name);

#endif
