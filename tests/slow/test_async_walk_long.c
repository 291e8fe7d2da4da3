/* Long random walks of an app on a loop. A seed that fails is named; IDENTITY_TEST_SEED walks it alone. */
#include "support/async_walk.h"
#include "support/judge.h"
#include "support/stage.h"

enum { SEEDS = 20, STEPS = 6000 };

static void every_call_of_many_random_apps_completes_exactly_once(void **state) {
  const char *chosen = getenv("IDENTITY_TEST_SEED");
  unsigned first = chosen != NULL ? (unsigned)strtoul(chosen, NULL, 10) : 100;
  unsigned count = chosen != NULL ? 1 : judge_runs_slowly() ? SEEDS / 10 : SEEDS;
  int64_t total = 0;
  for (unsigned seed = first; seed < first + count; seed++) {
    (void)reset(state);
    twins_register(&server);
    walked seen = async_walk(&server, seed, STEPS);
    total += seen.completed;
    assert_true(seen.started > STEPS / 4);
  }
  printf("    %u walks, %lld calls, each completed once\n", count, (long long)total);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test_setup(every_call_of_many_random_apps_completes_exactly_once, reset),
};

SUITE_WITH("async_walk_long", tests, start, stop)
