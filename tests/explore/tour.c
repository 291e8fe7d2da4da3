#include "explore/tour.h"
#include "explore/bugs.h"
#include "explore/invariants.h"
#include "explore/seen.h"

#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { ANY = UNLIMITED, BUG_SECONDS = 30 };

/* Two processes travel at the same time, one on each lane. Each expedition gets its share of the time that is
 * left on its lane; what it does not need is for those after it. */
enum { LANES = 2 };
static const struct {
  explore_expedition where;
  int32_t lane;
  int32_t share;
} expeditions[] = {
    {{"faulty", "two faults, one step of users, one jump of time", ALL_ROOTS, {0, 2, 1, 1}, {0}}, 0, 8},
    {{"steady", "one fault, two steps of users, one jump of time", ALL_ROOTS, {0, 1, 2, 1}, {0}}, 0, 30},
    {{"grace", "the same, and the service has a grace period", ALL_ROOTS, {0, 1, 2, 1}, {GRACE_PREVIOUS, 0}},
     0,
     30},
    {{"patient", "one fault, two steps of users, two jumps of time", 0, {0, 1, 2, 2}, {0}}, 0, 20},
    {{"long", "two faults, two steps of users, one jump of time", 5, {0, 2, 2, 1}, {0}}, 1, 60},
    {{"wide", "everything at any time", ALL_ROOTS, {0, ANY, ANY, ANY}, {0}}, 1, 40},
};
enum { EXPEDITIONS = sizeof expeditions / sizeof expeditions[0] };

void explore_list_expeditions(void) {
  for (int32_t i = 0; i < EXPEDITIONS; i++)
    (void)printf("  %-8s %s\n", expeditions[i].where.name, expeditions[i].where.words);
}

/* ---- One lane ---- */

static void print_result(const explore_expedition *where, const explore_result *result) {
  (void)printf("%s (%s): %llu worlds, %llu transitions, depth %d %s, %.1f s\n", where->name, where->words,
               (unsigned long long)result->worlds, (unsigned long long)result->transitions,
               (int)result->depth, result->exhausted ? "and that is all there is" : "complete",
               result->seconds);
  (void)fflush(stdout);
}

static void fit(explore_expedition *where, const explore_tour *tour) {
  if (tour->root != ALL_ROOTS)
    where->root = tour->root;
  for (int32_t cost = COST_FAULT; tour->most != NULL && cost < COSTS; cost++)
    where->most[cost] = (uint8_t)(tour->most[cost - 1] - '0');
}

/* Whether it is to be visited; chosen by name it has the lane for itself. */
static bool is_on(const explore_tour *tour, int32_t lane, int32_t number) {
  if (tour->expedition != NULL)
    return lane == 0 && strcmp(tour->expedition, expeditions[number].where.name) == 0;
  return expeditions[number].lane == lane;
}

/* What a process has done and met. */
typedef struct tally {
  explore_result total;
  uint64_t checked[MOST_INVARIANTS];
  uint64_t seen[MOST_SEEN];
} tally;

static void run_lane(const explore_tour *tour, int32_t lane, tally *sum) {
  int32_t shares = 0;
  for (int32_t i = 0; i < EXPEDITIONS; i++)
    shares += is_on(tour, lane, i) ? expeditions[i].share : 0;
  for (int32_t i = 0; i < EXPEDITIONS; i++) {
    explore_expedition where = expeditions[i].where;
    explore_limits limits = tour->limits;
    explore_result result;
    if (!is_on(tour, lane, i))
      continue;
    limits.seconds = (limits.seconds - sum->total.seconds) * expeditions[i].share / shares;
    shares -= expeditions[i].share;
    fit(&where, tour);
    explore_run(&where, &limits, &result);
    print_result(&where, &result);
    sum->total.broken |= result.broken;
    sum->total.worlds += result.worlds;
    sum->total.transitions += result.transitions;
    sum->total.seconds += result.seconds;
  }
  memcpy(sum->checked, explore_checked, sizeof explore_checked);
  memcpy(sum->seen, explore_seen, sizeof explore_seen);
}

/* ---- Both lanes ---- */

static bool read_tally(int from, tally *other) {
  size_t at = 0;
  while (at < sizeof *other) {
    ssize_t got = read(from, (char *)other + at, sizeof *other - at);
    if (got <= 0)
      return false;
    at += (size_t)got;
  }
  return true;
}

static void add_tally(tally *sum, const tally *other) {
  sum->total.broken |= other->total.broken;
  sum->total.worlds += other->total.worlds;
  sum->total.transitions += other->total.transitions;
  sum->total.seconds += other->total.seconds;
  for (int32_t i = 0; i < MOST_INVARIANTS; i++)
    sum->checked[i] += other->checked[i];
  for (int32_t i = 0; i < MOST_SEEN; i++)
    sum->seen[i] += other->seen[i];
}

/* False: the other process has failed. */
static bool run_lanes(const explore_tour *tour, tally *sum) {
  int ends[2];
  tally other = {0};
  int status = 1;
  if (pipe(ends) != 0)
    return false;
  pid_t child = fork();
  if (child == 0) {
    run_lane(tour, 1, &other);
    _exit(write(ends[1], &other, sizeof other) == (ssize_t)sizeof other ? 0 : 1);
  }
  (void)close(ends[1]);
  if (child > 0)
    run_lane(tour, 0, sum);
  bool whole = child > 0 && read_tally(ends[0], &other) && waitpid(child, &status, 0) == child && status == 0;
  (void)close(ends[0]);
  add_tally(sum, &other);
  return whole;
}

/* False: one of them never had a case. */
static bool print_invariants(const tally *sum) {
  bool all = true;
  (void)printf("\n%12s  invariant\n", "checked");
  for (int32_t i = 0; i < explore_invariant_count(); i++) {
    const explore_invariant *row = explore_invariant_row(i);
    (void)printf("%12llu  %-9s %s%s\n", (unsigned long long)sum->checked[i], row->name, row->words,
                 sum->total.broken >> i & 1 ? ": BROKEN" : "");
    all = all && sum->checked[i] > 0;
  }
  return all;
}

bool explore_travel(const explore_tour *tour) {
  tally sum = {0};
  bool whole =
      tour->expedition == NULL && tour->root == ALL_ROOTS && tour->most == NULL && tour->limits.depth == 0;
  bool came = true;
  if (tour->expedition == NULL)
    came = run_lanes(tour, &sum);
  else
    run_lane(tour, 0, &sum);
  bool checked = print_invariants(&sum);
  bool seen = explore_print_seen(sum.seen);
  bool vacuous = whole && !(checked && seen);
  (void)printf("\nexplore: %llu worlds, %llu transitions, %.0f s of processor time: %s%s%s\n",
               (unsigned long long)sum.total.worlds, (unsigned long long)sum.total.transitions,
               sum.total.seconds, sum.total.broken == 0 ? "no violation" : "VIOLATIONS",
               vacuous ? ", but something above was never met: not enough time?" : "",
               came ? "" : ", and one of two processes FAILED");
  return sum.total.broken == 0 && !vacuous && came;
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
