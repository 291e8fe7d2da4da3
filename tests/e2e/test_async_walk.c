/* A short random walk of an app on a loop; the long one is slow. */
#include "support/async_walk.h"
#include "support/judge.h"
#include "support/stage.h"

static void every_call_of_a_random_app_completes_exactly_once(void **state) {
  int steps = judge_runs_slowly() ? 400 : 1200;
  for (unsigned seed = 1; seed <= 2; seed++) {
    (void)reset(state);
    twins_register(&server);
    walked seen = async_walk(&server, seed, steps);
    assert_true(seen.started > steps / 8); /* how many are refused depends on how slow everything is */
    assert_true(seen.by_class[IDENTITY_CLASS_OK] > 0);
    assert_true(seen.by_class[IDENTITY_CLASS_CANCELLED] > 0);
    assert_true(seen.inside > 0);
  }
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test_setup(every_call_of_a_random_app_completes_exactly_once, reset),
};

SUITE_WITH("async_walk", tests, start, stop)
