#include "explore/bugs.h"

#include <string.h>

/* Faults, steps of users, jumps of time. */
#define COST(faults, users, times)                                                                           \
  { 0, (faults), (users), (times) }

static const explore_bug rows[BUGS] = {
    [BUG_NONE] = {"none", "nothing is broken", "", ALL_ROOTS, COST(1, 2, 1), GRACE_NONE},
    [BUG_BLIND_SWAP] = {"blind-swap", "the store swaps whatever revision is expected", "RISE PAIR", 0,
                        COST(0, 2, 0), GRACE_NONE},
    [BUG_CONFLICT_FAILS] = {"conflict-fails", "a conflict is taken for a failure of the store", "I2b", 0,
                            COST(0, 2, 0), GRACE_NONE},
    [BUG_CONFLICT_OVERWRITTEN] = {"conflict-overwritten", "a flight that meets a conflict writes over it",
                                  "I2", 5, COST(0, 2, 0), GRACE_NONE},
    [BUG_NO_LEASE] = {"no-lease", "a refresh goes without a lease in the store", "I1", 0, COST(0, 2, 0),
                      GRACE_NONE},
    [BUG_LEASE_IGNORED] = {"lease-ignored", "a flight does not see the lease of another handle", "I1", 0,
                           COST(0, 2, 0), GRACE_NONE},
    [BUG_LEASE_DROPPED] = {"lease-dropped", "an order writes without the lease that it has read", "LEASE", 0,
                           COST(0, 2, 0), GRACE_NONE},
    [BUG_OWNER_DEAD] = {"owner-dead", "the owner of every lease is taken for dead", "I1", 0, COST(0, 2, 1),
                        GRACE_NONE},
    [BUG_LATE_RELEASE] = {"late-release", "a request leaves however old its lease is", "I1", 0, COST(0, 2, 1),
                          GRACE_NONE},
    [BUG_BLIND_RELEASE] = {"blind-release", "a request leaves whoever is signed in by now", "NEWEST", 0,
                           COST(0, 2, 0), GRACE_NONE},
    [BUG_RUNNING_FORGOTTEN] = {"running-forgotten", "an attempt that nobody waits for is taken for over",
                               "I1", 0, COST(1, 2, 1), GRACE_NONE},
    [BUG_NO_REREAD] = {"no-reread", "a refusal counts whatever the store holds by then", "SPURIOUS", 7,
                       COST(0, 1, 0), GRACE_NONE},
    [BUG_500_DEFINITE] = {"500-definite", "a 500 is taken for a definite refusal", "I4", 0, COST(1, 1, 0),
                          GRACE_NONE},
    [BUG_UNDOCUMENTED_DEFINITE] = {"undocumented-definite", "any refusal is taken for a definite one", "I4",
                                   0, COST(1, 1, 0), GRACE_NONE},
    [BUG_LATE_REPLY] = {"late-reply", "a reply that comes after the sign-out is committed", "I2 I8 RISE PAIR",
                        5, COST(0, 2, 0), GRACE_NONE},
    [BUG_PAIR_DROPPED] = {"pair-dropped", "a pair that the store does not take is dropped", "I3", 5,
                          COST(1, 1, 0), GRACE_NONE},
    [BUG_STARVED_DROPPED] = {"starved-dropped", "a pair that there is no memory for is dropped", "I3", 5,
                             COST(1, 1, 0), GRACE_NONE},
    [BUG_PAIR_FORGOTTEN] = {"pair-forgotten", "a pair that the store did not take counts as stored", "I3c", 5,
                            COST(1, 1, 0), GRACE_NONE},
    [BUG_PAIR_UNWANTED] = {"pair-unwanted", "a pair in memory gives way to the older one in the store",
                           "I3b MEMORY", 5, COST(2, 2, 0), GRACE_NONE},
    [BUG_PAIR_MISREAD] = {"pair-misread", "a pair is taken for a broken answer", "LOST", 0, COST(0, 2, 1),
                          GRACE_NONE},
    [BUG_ONE_COPY] = {"one-copy", "a new epoch leaves the copy before it as it was", "I8 I8b", 0,
                      COST(0, 1, 0), GRACE_NONE},
    [BUG_PENDING_DROPPED] = {"pending-dropped", "what is read of pending consents is dropped", "NOTES", 8,
                             COST(0, 2, 0), GRACE_NONE},
    [BUG_STRANGER] = {"stranger", "whose pair it is nobody looks at", "WHOSE", 0, COST(1, 1, 0), GRACE_NONE},
    [BUG_STALE_TOKEN] = {"stale-token", "a flight sends the refresh token of the flight before", "NEWEST", 5,
                         COST(0, 2, 0), GRACE_NONE},
    [BUG_GENERATION_MIXED] = {"generation-mixed", "every 401 is taken for one of the current token", "I7", 1,
                              COST(0, 2, 0), GRACE_NONE},
    [BUG_DEAD_FORGOTTEN] = {"dead-forgotten", "that a 401 was for this JWT already is forgotten", "I7b", 1,
                            COST(1, 2, 1), GRACE_NONE},
    [BUG_BUDGET_FORGOTTEN] = {"budget-forgotten", "how many refreshes 401s have caused is forgotten", "I9",
                              10, COST(0, 2, 1), GRACE_NONE},
    [BUG_YOUTH_IGNORED] = {"youth-ignored", "a 401 for a young token is taken for one past its end", "I9b", 5,
                           COST(0, 2, 0), GRACE_NONE},
    [BUG_MARK_FORGOTTEN] = {"mark-forgotten", "that an attempt got no answer is forgotten", "NAME", 6,
                            COST(0, 1, 1), GRACE_NONE},
    [BUG_LOCKED_EMPTY] = {"locked-empty", "a store that cannot be read is taken for an empty one", "I4c", 4,
                          COST(1, 0, 0), GRACE_NONE},
    [BUG_RETRY_SIGNS_OUT] = {"retry-signs-out", "what the store did not take is taken for a sign-out",
                             "I4 I4b", 5, COST(1, 2, 0), GRACE_NONE},
    [BUG_FLYING_FORGOTTEN] = {"flying-forgotten", "a waiting flight is not known to be one", "GOES ON", 0,
                              COST(0, 2, 0), GRACE_NONE},
    [BUG_NO_GRACE] = {"no-grace", "the service promises a grace period and gives none", "GRACE", 6,
                      COST(0, 1, 1), GRACE_PREVIOUS},
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

explore_expedition explore_bug_expedition(int32_t bug) {
  const explore_bug *row = &rows[bug];
  explore_expedition expedition = {.name = row->name, .words = row->words, .root = row->root};
  memcpy(expedition.most, row->most, sizeof row->most);
  expedition.rules = (explore_rules){.grace = row->grace, .bug = bug};
  return expedition;
}
