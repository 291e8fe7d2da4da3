#include "explore/search.h"
#include "explore/canon.h"
#include "explore/invariants.h"
#include "explore/seen.h"
#include "explore/story.h"
#include "explore/visited.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

typedef struct search {
  const explore_expedition *expedition;
  const explore_limits *limits;
  explore_result *result;
  explore_visited visited;
  explore_queue queue;
  double begun;
  double told;
  int32_t depth;
  bool stopped;
  bool full; /* not all worlds of the next depth are in the queue */
} search;

/* Of the processor: a busy machine explores as much as an idle one. */
static double seconds_now(void) {
  struct timespec time = {0};
  (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static void keep(search *all, const explore_world *world) {
  size_t used = explore_visited_bytes(&all->visited) + explore_queue_bytes(&all->queue);
  bool last = all->limits->depth != 0 && all->depth + 1 == all->limits->depth;
  all->full = all->full || used > all->limits->bytes;
  if (!all->full && !last)
    explore_queue_add(&all->queue, world, all->visited.count - 1);
}

static void tell(search *all, bool now) {
  double passed = seconds_now() - all->begun;
  all->stopped = all->stopped || (all->limits->seconds > 0 && passed > all->limits->seconds);
  if (all->limits->wanted != 0 || (!now && passed - all->told < 5))
    return;
  all->told = passed;
  (void)printf("  %-8s %4.0f s: depth %d done, %u worlds, %llu transitions\n", all->expedition->name, passed,
               (int)all->result->depth, (unsigned)all->visited.count,
               (unsigned long long)all->result->transitions);
  (void)fflush(stdout);
}

/* The first breach of each kind is told with the way that leads there. */
static void report(search *all, uint64_t broken, uint32_t parent, explore_step step) {
  uint64_t fresh = broken & ~all->result->broken;
  all->result->broken |= broken;
  all->stopped = all->stopped || all->limits->wanted != 0;
  for (int32_t i = 0; i < explore_invariant_count() && all->limits->wanted == 0; i++)
    if (fresh >> i & 1)
      explore_tell_story(&all->visited, all->expedition, parent, step, i);
}

static void expand(search *all, const explore_world *world, uint32_t number) {
  static explore_world after;
  explore_step steps[MOST_STEPS];
  int32_t count = explore_steps(world, steps);
  for (int32_t i = 0; i < count && !all->stopped; i++) {
    explore_copy_world(&after, world);
    explore_take(&after, steps[i]);
    all->result->transitions++;
    uint64_t broken = explore_check(world, &after);
    explore_see(world, &after);
    if (all->limits->wanted != 0)
      broken &= all->limits->wanted;
    if (broken != 0)
      report(all, broken, number, steps[i]);
    else if (explore_visit(&all->visited, explore_canon(&after), number, steps[i]))
      keep(all, &after);
  }
}

static void begin(search *all) {
  static explore_world world;
  const explore_expedition *expedition = all->expedition;
  explore_rules_now = expedition->rules;
  explore_visited_init(&all->visited);
  for (int32_t root = 0; root < MOST_ROOTS; root++) {
    if ((expedition->root != ALL_ROOTS && expedition->root != root) || !explore_root(&world, root, NULL))
      continue;
    memcpy(world.left, expedition->most, sizeof world.left);
    world.left[COST_NONE] = UNLIMITED;
    if (explore_visit(&all->visited, explore_canon(&world), NO_PARENT, (explore_step)root))
      explore_queue_add(&all->queue, &world, all->visited.count - 1);
  }
}

/* Takes all steps from the worlds of one depth. */
static void take_level(search *all) {
  static explore_world world;
  uint32_t number;
  uint64_t count = all->queue.added - all->queue.taken;
  for (uint64_t i = 0; i < count && !all->stopped && explore_queue_next(&all->queue, &world, &number); i++) {
    expand(all, &world, number);
    if (i % 512 == 0)
      tell(all, false);
  }
  if (!all->stopped)
    all->depth++;
}

static bool is_empty(const search *all) {
  return all->queue.added == all->queue.taken;
}

void explore_run(const explore_expedition *expedition, const explore_limits *limits, explore_result *result) {
  search all = {.expedition = expedition, .limits = limits, .result = result, .begun = seconds_now()};
  memset(result, 0, sizeof *result);
  begin(&all);
  while (!all.stopped && !is_empty(&all) && (limits->depth == 0 || all.depth < limits->depth)) {
    bool whole = !all.full;
    take_level(&all);
    if (whole)
      result->depth = all.depth;
  }
  result->exhausted = !all.stopped && !all.full && is_empty(&all);
  result->worlds = all.visited.count;
  result->seconds = seconds_now() - all.begun;
  tell(&all, true);
  explore_visited_free(&all.visited);
  explore_queue_free(&all.queue);
}
