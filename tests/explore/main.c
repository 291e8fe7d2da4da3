/* Explores the token machine: every interleaving of two handles, a store, a service, time and faults. */
#include "explore/bugs.h"
#include "explore/invariants.h"
#include "explore/search.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ANY UNLIMITED

static const explore_expedition expeditions[] = {
    {"wide", "everything at any time", ALL_ROOTS, {0, ANY, ANY, ANY}, {GRACE_NONE, false, BUG_NONE}},
    {"deep", "two faults, three steps of users, three jumps", ALL_ROOTS, {0, 2, 3, 3}, {GRACE_NONE, false, BUG_NONE}},
    {"grace", "with a grace period", ALL_ROOTS, {0, 2, 3, 3}, {GRACE_PREVIOUS, false, BUG_NONE}},
};
enum { EXPEDITIONS = sizeof expeditions / sizeof expeditions[0] };

int main(int count, char **arguments) {
  explore_limits limits = {.seconds = 30, .bytes = (size_t)3 << 30};
  explore_expedition chosen = expeditions[0];
  for (int i = 1; i + 1 < count; i += 2) {
    const char *name = arguments[i], *value = arguments[i + 1];
    if (strcmp(name, "--seconds") == 0)
      limits.seconds = atoi(value);
    else if (strcmp(name, "--depth") == 0)
      limits.depth = atoi(value);
    else if (strcmp(name, "--root") == 0)
      chosen.root = atoi(value);
    else if (strcmp(name, "--most") == 0) {
      chosen.most[1] = (uint8_t)(value[0] - '0');
      chosen.most[2] = (uint8_t)(value[1] - '0');
      chosen.most[3] = (uint8_t)(value[2] - '0');
    } else if (strcmp(name, "--bug") == 0)
      chosen.rules.bug = explore_bug_named(value);
    else if (strcmp(name, "--expedition") == 0)
      for (int32_t e = 0; e < EXPEDITIONS; e++)
        if (strcmp(expeditions[e].name, value) == 0)
          chosen = expeditions[e];
  }
  explore_result result;
  explore_run(&chosen, &limits, &result);
  printf("%s: %llu worlds, %llu transitions, depth %d%s, %.1f s, %u violations\n", chosen.name,
         (unsigned long long)result.worlds, (unsigned long long)result.transitions, result.depth,
         result.exhausted ? " (all there is)" : "", result.seconds, result.violations);
  for (int32_t i = 0; i < explore_invariant_count(); i++)
    printf("  %-8s %10llu  %s\n", explore_invariant_row(i)->name, (unsigned long long)explore_times_checked(i),
           explore_invariant_row(i)->words);
  return result.violations != 0;
}
