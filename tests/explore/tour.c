#include "explore/tour.h"
#include "explore/bugs.h"
#include "explore/invariants.h"
#include "explore/seen.h"

#include <stdio.h>
#include <string.h>

enum { ANY = UNLIMITED, BUG_SECONDS = 30 };

/* Each gets its share of the time that is left; what it does not need is for those after it. */
static const struct {
  explore_expedition where;
  int32_t share;
} expeditions[] = {
    {{"faulty", "two faults, one step of users, one jump of time", ALL_ROOTS, {0, 2, 1, 1}, {0}}, 8},
    {{"steady", "one fault, two steps of users, one jump of time", ALL_ROOTS, {0, 1, 2, 1}, {0}}, 26},
    {{"grace", "the same, and the service has a grace period", ALL_ROOTS, {0, 1, 2, 1}, {GRACE_PREVIOUS, 0}},
     26},
    {{"patient", "one fault, two steps of users, two jumps of time", 0, {0, 1, 2, 2}, {0}}, 13},
    {{"long", "two faults, two steps of users, one jump of time", 5, {0, 2, 2, 1}, {0}}, 30},
    {{"wide", "everything at any time", ALL_ROOTS, {0, ANY, ANY, ANY}, {0}}, 20},
};
enum { EXPEDITIONS = sizeof expeditions / sizeof expeditions[0] };

void explore_list_expeditions(void) {
  for (int32_t i = 0; i < EXPEDITIONS; i++)
    (void)printf("  %-8s %s\n", expeditions[i].where.name, expeditions[i].where.words);
}

/* ---- All expeditions ---- */

static void print_result(const explore_expedition *where, const explore_result *result) {
  (void)printf("%s (%s): %llu worlds, %llu transitions, depth %d %s, %.1f s\n", where->name, where->words,
               (unsigned long long)result->worlds, (unsigned long long)result->transitions,
               (int)result->depth, result->exhausted ? "and that is all there is" : "complete",
               result->seconds);
  (void)fflush(stdout);
}

/* False: one of them never had a case. */
static bool print_invariants(uint64_t broken) {
  bool all = true;
  (void)printf("\n%12s  invariant\n", "checked");
  for (int32_t i = 0; i < explore_invariant_count(); i++) {
    const explore_invariant *row = explore_invariant_row(i);
    uint64_t times = explore_times_checked(i);
    (void)printf("%12llu  %-9s %s%s\n", (unsigned long long)times, row->name, row->words,
                 broken >> i & 1 ? ": BROKEN" : "");
    all = all && times > 0;
  }
  return all;
}

static void fit(explore_expedition *where, const explore_tour *tour) {
  if (tour->root != ALL_ROOTS)
    where->root = tour->root;
  for (int32_t cost = COST_FAULT; tour->most != NULL && cost < COSTS; cost++)
    where->most[cost] = (uint8_t)(tour->most[cost - 1] - '0');
}

static explore_result run_all(const explore_tour *tour) {
  explore_result total = {0};
  int32_t shares = 0;
  for (int32_t i = 0; i < EXPEDITIONS; i++)
    shares += expeditions[i].share;
  for (int32_t i = 0; i < EXPEDITIONS; shares -= expeditions[i].share, i++) {
    explore_expedition where = expeditions[i].where;
    explore_limits limits = tour->limits;
    explore_result result;
    if (tour->expedition != NULL && strcmp(tour->expedition, where.name) != 0)
      continue;
    if (tour->expedition == NULL)
      limits.seconds = (limits.seconds - total.seconds) * expeditions[i].share / shares;
    fit(&where, tour);
    explore_run(&where, &limits, &result);
    print_result(&where, &result);
    total.broken |= result.broken;
    total.worlds += result.worlds;
    total.transitions += result.transitions;
    total.seconds += result.seconds;
  }
  return total;
}

bool explore_travel(const explore_tour *tour) {
  bool whole =
      tour->expedition == NULL && tour->root == ALL_ROOTS && tour->most == NULL && tour->limits.depth == 0;
  explore_result total = run_all(tour);
  bool checked = print_invariants(total.broken);
  bool seen = explore_print_seen();
  bool vacuous = whole && !(checked && seen);
  (void)printf("\nexplore: %llu worlds, %llu transitions, %.0f s: %s%s\n", (unsigned long long)total.worlds,
               (unsigned long long)total.transitions, total.seconds,
               total.broken == 0 ? "no violation" : "VIOLATIONS",
               vacuous ? ", but something above was never met: not enough time?" : "");
  return total.broken == 0 && !vacuous;
}

/* ---- Planted faults ---- */

static const char *name_of(uint64_t broken) {
  for (int32_t i = 0; i < explore_invariant_count(); i++)
    if (broken >> i & 1)
      return explore_invariant_row(i)->name;
  return "NOT FOUND";
}

static bool find_bug(const explore_tour *tour, int32_t bug) {
  const explore_bug *row = explore_bug_row(bug);
  explore_expedition where = explore_bug_expedition(bug);
  explore_limits limits = tour->limits;
  explore_result result;
  limits.seconds = BUG_SECONDS;
  limits.wanted = explore_invariants_named(row->breaks);
  explore_run(&where, &limits, &result);
  (void)printf("%-22s %-62s %-9s %3d steps %8llu worlds %5.2f s\n", row->name, row->words,
               name_of(result.broken), (int)result.depth + 1, (unsigned long long)result.worlds,
               result.seconds);
  (void)fflush(stdout);
  return result.broken != 0;
}

bool explore_test_self(const explore_tour *tour) {
  int32_t missed = 0;
  (void)printf("%-22s %-62s %s\n", "planted", "", "found by");
  for (int32_t bug = BUG_NONE + 1; bug < BUGS; bug++)
    missed += !find_bug(tour, bug);
  (void)printf("explore: %d planted faults, %d not found\n", BUGS - 1, (int)missed);
  return missed == 0;
}

void explore_tell_bug(const explore_tour *tour, int32_t bug) {
  explore_expedition where = explore_bug_expedition(bug);
  explore_result result;
  explore_run(&where, &tour->limits, &result);
  print_result(&where, &result);
}
