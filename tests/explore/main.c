/* Explores the token machine: every interleaving of two handles, their store, the service, time and faults.
 */
#include "explore/bugs.h"
#include "explore/tour.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DEFAULT_SECONDS = 105, MESSAGE_BYTES = 1 << 16 };
#define MOST_BYTES ((size_t)2 << 30) /* of each process */

typedef struct options {
  explore_tour tour;
  int32_t bug;
  bool self_test;
  bool list_bugs;
  bool help;
} options;

static bool list_bugs(void) {
  for (int32_t bug = BUG_NONE + 1; bug < BUGS; bug++)
    (void)printf("  %-22s %s (%s)\n", explore_bug_row(bug)->name, explore_bug_row(bug)->words,
                 explore_bug_row(bug)->breaks);
  return true;
}

static bool help(void) {
  const char *words = NULL;
  static explore_world world;
  (void)printf(
      "usage: explore [--seconds N] [--depth N] [--gigabytes N] [--expedition NAME] [--root N] [--most FUT]\n"
      "       explore --self-test | --bug NAME | --list-bugs | --help\n"
      "  --seconds N        of processor time for each of two processes (%d)\n"
      "  --depth N          how many steps at most\n"
      "  --gigabytes N      of memory for each process (2)\n"
      "  --expedition NAME  only this one\n"
      "  --root N           only from this world\n"
      "  --most FUT         three digits: faults, steps of users, jumps of time\n"
      "  --self-test        every planted fault must be found\n"
      "  --bug NAME         one of them, with its story\n"
      "  --list-bugs        which there are\n"
      "expeditions:\n",
      DEFAULT_SECONDS);
  explore_list_expeditions();
  (void)printf("worlds to begin with:\n");
  for (int32_t root = 0; explore_root(&world, root, &words); root++)
    (void)printf("  %2d %s\n", (int)root, words);
  return true;
}

static bool is_cost(const char *digits) {
  return strlen(digits) == COSTS - 1 && strspn(digits, "0123456789") == COSTS - 1;
}

/* How many arguments it takes; 0: there is no such option, or its value is none. */
static int read_option(options *chosen, const char *name, const char *value) {
  static const char *const alone[] = {"--self-test", "--list-bugs", "--help"};
  bool *const flags[] = {&chosen->self_test, &chosen->list_bugs, &chosen->help};
  for (size_t i = 0; i < sizeof alone / sizeof alone[0]; i++)
    if (strcmp(name, alone[i]) == 0)
      return *flags[i] = true;
  if (value == NULL)
    return 0;
  if (strcmp(name, "--seconds") == 0)
    return (chosen->tour.limits.seconds = atof(value)) > 0 ? 2 : 0;
  if (strcmp(name, "--depth") == 0)
    return (chosen->tour.limits.depth = atoi(value)) > 0 ? 2 : 0;
  if (strcmp(name, "--gigabytes") == 0)
    return (chosen->tour.limits.bytes = (size_t)atoi(value) << 30) > 0 ? 2 : 0;
  if (strcmp(name, "--root") == 0)
    return (chosen->tour.root = atoi(value)) >= 0 ? 2 : 0;
  if (strcmp(name, "--bug") == 0)
    return (chosen->bug = explore_bug_named(value)) > BUG_NONE ? 2 : 0;
  if (strcmp(name, "--most") == 0)
    return is_cost(chosen->tour.most = value) ? 2 : 0;
  chosen->tour.expedition = value;
  return strcmp(name, "--expedition") == 0 ? 2 : 0;
}

int main(int count, char **arguments) {
  options chosen = {.tour = {.limits = {.seconds = DEFAULT_SECONDS, .bytes = MOST_BYTES}, .root = ALL_ROOTS}};
  for (int i = 1; i < count;) {
    int used = read_option(&chosen, arguments[i], arguments[i + 1]);
    if (used == 0) {
      (void)fprintf(stderr, "explore: what is %s? --help says more\n", arguments[i]);
      return 2;
    }
    i += used;
  }
  (void)setvbuf(stdout, NULL, _IOFBF, MESSAGE_BYTES); /* two processes write to it, whole messages each */
  if (chosen.help || chosen.list_bugs)
    return (chosen.help ? help() : list_bugs()) ? 0 : 1;
  if (chosen.self_test)
    return explore_test_self(&chosen.tour) ? 0 : 1;
  if (chosen.bug == BUG_NONE)
    return explore_travel(&chosen.tour) ? 0 : 1;
  explore_tell_bug(&chosen.tour, chosen.bug);
  return 0;
}
