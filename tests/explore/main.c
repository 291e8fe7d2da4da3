/* Explores the token machine: every interleaving of two handles, their store, the service, time and faults.
 */
#include "explore/bugs.h"
#include "explore/invariants.h"
#include "explore/search.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ANY = UNLIMITED, DEFAULT_SECONDS = 100, BUG_SECONDS = 30 };

/* Each gets its share of the time; what it does not need is left for those after it. */
static const struct {
  explore_expedition where;
  int32_t share;
} expeditions[] = {
    {{"steady", "one fault, two steps of users, one jump of time", ALL_ROOTS, {0, 1, 2, 1}, {0}}, 40},
    {{"grace",
      "the same, with a grace period of the service",
      ALL_ROOTS,
      {0, 1, 2, 1},
      {.grace = GRACE_PREVIOUS}},
     30},
    {{"faulty", "two faults, one step of users, one jump of time", ALL_ROOTS, {0, 2, 1, 1}, {0}}, 20},
    {{"wide", "everything at any time", ALL_ROOTS, {0, ANY, ANY, ANY}, {0}}, 10},
};
enum { EXPEDITIONS = sizeof expeditions / sizeof expeditions[0] };

typedef struct options {
  explore_limits limits;
  int32_t bug;
  const char *expedition;
  int32_t root;
  const char *most;
  bool self_test;
  bool late_orphans;
} options;

static void print_result(const explore_expedition *where, const explore_result *result) {
  (void)printf("%s (%s): %llu worlds, %llu transitions, depth %d%s, %.1f s\n", where->name, where->words,
               (unsigned long long)result->worlds, (unsigned long long)result->transitions,
               (int)result->depth, result->exhausted ? ": all there is" : " complete", result->seconds);
  (void)fflush(stdout);
}

static void print_invariants(uint64_t broken) {
  (void)printf("\n%-9s %12s  %s\n", "invariant", "checked", "");
  for (int32_t i = 0; i < explore_invariant_count(); i++)
    (void)printf("%-9s %12llu  %s%s\n", explore_invariant_row(i)->name,
                 (unsigned long long)explore_times_checked(i), explore_invariant_row(i)->words,
                 broken >> i & 1 ? "   BROKEN" : "");
}

static bool explore_all(const options *chosen) {
  uint64_t broken = 0;
  uint64_t worlds = 0, transitions = 0;
  double left = chosen->limits.seconds;
  int32_t shares = 0;
  for (int32_t i = 0; i < EXPEDITIONS; i++)
    shares += expeditions[i].share;
  for (int32_t i = 0; i < EXPEDITIONS; shares -= expeditions[i].share, i++) {
    explore_expedition where = expeditions[i].where;
    explore_limits limits = chosen->limits;
    explore_result result;
    if (chosen->expedition != NULL && strcmp(chosen->expedition, where.name) != 0)
      continue;
    if (chosen->expedition == NULL)
      limits.seconds = left * expeditions[i].share / shares;
    where.rules.late_orphans = chosen->late_orphans;
    if (chosen->root != ALL_ROOTS)
      where.root = chosen->root;
    for (int32_t cost = COST_FAULT; chosen->most != NULL && cost < COSTS; cost++)
      where.most[cost] = (uint8_t)(chosen->most[cost - 1] - '0');
    explore_run(&where, &limits, &result);
    print_result(&where, &result);
    broken |= result.broken;
    worlds += result.worlds;
    transitions += result.transitions;
    left -= result.seconds;
  }
  print_invariants(broken);
  (void)printf("\nexplore: %llu worlds, %llu transitions, %s\n", (unsigned long long)worlds,
               (unsigned long long)transitions, broken == 0 ? "no violation" : "VIOLATIONS");
  return broken == 0;
}

static bool explore_bug_found(int32_t bug, const options *chosen) {
  const explore_bug *row = explore_bug_row(bug);
  explore_expedition where = explore_bug_expedition(bug);
  explore_limits limits = chosen->limits;
  explore_result result;
  char found[64] = "NOT FOUND";
  limits.seconds = BUG_SECONDS;
  limits.wanted = chosen->self_test ? explore_invariants_named(row->breaks) : 0;
  explore_run(&where, &limits, &result);
  for (int32_t i = 0; i < explore_invariant_count(); i++)
    if (result.broken >> i & 1)
      (void)snprintf(found, sizeof found, "%s", explore_invariant_row(i)->name);
  (void)printf("%-22s %-62s %-9s %2d steps %9llu worlds %5.2f s\n", row->name, row->words, found,
               (int)result.depth + 1, (unsigned long long)result.worlds, result.seconds);
  (void)fflush(stdout);
  return result.broken != 0;
}

static bool self_test(const options *chosen) {
  int32_t missed = 0;
  for (int32_t bug = BUG_NONE + 1; bug < BUGS; bug++)
    missed += !explore_bug_found(bug, chosen);
  (void)printf("self-test: %d planted faults, %d not found\n", BUGS - 1, (int)missed);
  return missed == 0;
}

static void list_bugs(void) {
  for (int32_t bug = BUG_NONE + 1; bug < BUGS; bug++)
    (void)printf("%-22s %s (%s)\n", explore_bug_row(bug)->name, explore_bug_row(bug)->words,
                 explore_bug_row(bug)->breaks);
}

static int help(int result) {
  (void)fprintf(
      result == 0 ? stdout : stderr,
      "usage: explore [--seconds N] [--depth N] [--expedition NAME] [--root N] [--most FUT]\n"
      "               [--late-orphans] [--self-test] [--bug NAME] [--list-bugs]\n"
      "  --seconds N        how long at most, together (default %d)\n"
      "  --depth N          how many steps at most\n"
      "  --expedition NAME  only this one: steady, grace, faulty, wide\n"
      "  --root N           only from this world\n"
      "  --most FUT         three digits: faults, steps of users, jumps of time\n"
      "  --late-orphans     the service takes what has left for 10 s more, whatever became of the sender\n"
      "  --self-test        each planted fault must be found\n"
      "  --bug NAME         one of them, with its story\n"
      "  --list-bugs        what there is\n",
      DEFAULT_SECONDS);
  return result;
}

static bool read_option(options *chosen, const char *name, const char *value, bool *used) {
  *used = false;
  if (strcmp(name, "--self-test") == 0)
    return chosen->self_test = true;
  if (strcmp(name, "--late-orphans") == 0)
    return chosen->late_orphans = true;
  *used = true;
  if (value == NULL)
    return false;
  if (strcmp(name, "--seconds") == 0)
    return (chosen->limits.seconds = atof(value)) > 0;
  if (strcmp(name, "--depth") == 0)
    return (chosen->limits.depth = atoi(value)) > 0;
  if (strcmp(name, "--expedition") == 0)
    return (chosen->expedition = value) != NULL;
  if (strcmp(name, "--root") == 0)
    return (chosen->root = atoi(value)) >= 0;
  if (strcmp(name, "--most") == 0)
    return strlen(chosen->most = value) == COSTS - 1;
  return strcmp(name, "--bug") == 0 && (chosen->bug = explore_bug_named(value)) >= 0;
}

int main(int count, char **arguments) {
  options chosen = {.limits = {.seconds = DEFAULT_SECONDS, .bytes = (size_t)3 << 30}, .root = ALL_ROOTS};
  for (int i = 1; i < count; i++) {
    bool used = false;
    if (strcmp(arguments[i], "--help") == 0)
      return help(0);
    if (strcmp(arguments[i], "--list-bugs") == 0) {
      list_bugs();
      return 0;
    }
    if (!read_option(&chosen, arguments[i], arguments[i + 1], &used))
      return help(2);
    i += used;
  }
  if (chosen.self_test)
    return self_test(&chosen) ? 0 : 1;
  if (chosen.bug != BUG_NONE)
    return explore_bug_found(chosen.bug, &chosen) ? 1 : 0;
  return explore_all(&chosen) ? 0 : 1;
}
