/* main() of a unit test: SUITE("name", tests) or, with fixtures of the whole group, SUITE_WITH("name", tests,
 * setup, teardown), where tests is an array of struct CMUnitTest. With --count the program only prints how
 * many there are; with --worker it is the child process of another test (worker.h). */
#ifndef SUPPORT_SUITE_H
#define SUPPORT_SUITE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

int worker_main(void);

static struct {
  CMFixtureFunction setup;
  CMFixtureFunction teardown;
  int broken;
} suite;

/* cmocka answers 0 when a fixture of the group fails. It is broken until it came through: a failed assertion
 * jumps. */
static int suite_fixture(CMFixtureFunction fixture, void **state) {
  int before = suite.broken;
  suite.broken = 1;
  int result = fixture != NULL ? fixture(state) : 0;
  suite.broken = result != 0 ? 1 : before;
  return result;
}

static int suite_setup(void **state) {
  return suite_fixture(suite.setup, state);
}

static int suite_teardown(void **state) {
  return suite_fixture(suite.teardown, state);
}

#define SUITE_WITH(name, tests, group_setup, group_teardown)                                                 \
  int main(int count, char **arguments) {                                                                    \
    if (count == 2 && strcmp(arguments[1], "--count") == 0)                                                  \
      return printf("%zu\n", sizeof(tests) / sizeof((tests)[0])) < 0;                                        \
    if (count == 2 && strcmp(arguments[1], "--worker") == 0)                                                 \
      return worker_main();                                                                                  \
    suite.setup = group_setup;                                                                               \
    suite.teardown = group_teardown;                                                                         \
    return cmocka_run_group_tests_name(name, tests, suite_setup, suite_teardown) != 0 || suite.broken;       \
  }

#define SUITE(name, tests) SUITE_WITH(name, tests, NULL, NULL)

#endif
