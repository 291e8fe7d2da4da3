#include "explore/bugs.h"

#include <string.h>

static const explore_bug rows[BUGS] = {
    [BUG_NONE] = {"none", "nothing is broken", "", NULL},
    [BUG_BLIND_SWAP] = {"blind-swap", "the store swaps whatever revision is expected", "RISE PAIR I2 I2b I3 NOTES LEASE",
                        NULL},
    [BUG_CONFLICT_FAILS] = {"conflict-fails", "a conflict is taken for a failure of the store", "I2b", NULL},
    [BUG_CONFLICT_OVERWRITTEN] = {"conflict-overwritten",
                                  "a flight that meets a conflict writes over what is there", "RISE PAIR I2 NOTES",
                                  NULL},
    [BUG_NO_LEASE] = {"no-lease", "a refresh goes without a lease in the store", "I1", NULL},
    [BUG_LEASE_IGNORED] = {"lease-ignored", "a flight does not see the lease of another handle", "I1 LEASE", NULL},
    [BUG_LEASE_DROPPED] = {"lease-dropped", "an order writes without the lease that it has read", "LEASE", NULL},
    [BUG_OWNER_DEAD] = {"owner-dead", "every owner of a lease is taken for dead", "I1 LEASE", NULL},
    [BUG_LATE_RELEASE] = {"late-release", "a request leaves however old its lease is", "I1 NEWEST", NULL},
    [BUG_RUNNING_FORGOTTEN] = {"running-forgotten", "an attempt that nobody waits for is taken for over", "I1", NULL},
    [BUG_NO_REREAD] = {"no-reread", "a refusal counts without another look at the store", "SPURIOUS", NULL},
    [BUG_500_DEFINITE] = {"500-definite", "a 500 is taken for a definite refusal", "I4 SPURIOUS", NULL},
    [BUG_UNDOCUMENTED_DEFINITE] = {"undocumented-definite", "any refusal is taken for a definite one", "I4 SPURIOUS",
                                   NULL},
    [BUG_LATE_REPLY] = {"late-reply", "a reply that comes after the sign-out is committed", "I2 I8 PAIR RISE MEMORY",
                        NULL},
    [BUG_PAIR_DROPPED] = {"pair-dropped", "a pair that the store does not take is dropped", "I3", NULL},
    [BUG_PAIR_FORGOTTEN] = {"pair-forgotten", "a pair that the store did not take counts as stored", "I3c", NULL},
    [BUG_ONE_COPY] = {"one-copy", "a sign-out leaves the copy before it as it was", "I8 I8b", NULL},
    [BUG_PENDING_DROPPED] = {"pending-dropped", "what is read of pending consents is dropped", "NOTES", NULL},
    [BUG_STRANGER] = {"stranger", "whose pair it is nobody looks at", "WHOSE", NULL},
    [BUG_STALE_TOKEN] = {"stale-token", "a flight sends the refresh token of the flight before", "NEWEST", NULL},
    [BUG_GENERATION_MIXED] = {"generation-mixed", "every 401 is taken for one of the current token", "I7", NULL},
    [BUG_BUDGET_FORGOTTEN] = {"budget-forgotten", "how many refreshes 401s have caused is forgotten", "I9", NULL},
    [BUG_MARK_FORGOTTEN] = {"mark-forgotten", "that an attempt got no answer is forgotten", "NAME", NULL},
    [BUG_LOCKED_EMPTY] = {"locked-empty", "a store that cannot be read is taken for an empty one", "I4c", NULL},
};

const explore_bug *explore_bug_row(int32_t bug) {
  return &rows[bug];
}

int32_t explore_bug_named(const char *name) {
  for (int32_t bug = 0; bug < BUGS; bug++)
    if (strcmp(rows[bug].name, name) == 0)
      return bug;
  return -1;
}
