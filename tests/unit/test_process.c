/* Whether another process still lives, and whether this one is a forked child: with real processes. */
#include "support/rows.h"

#include "base/process.h"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
  NOBODY = 0x7FFFFFF0,
  TICK_MS = 20
}; /* no system gives ids that high; a tick of start times is 10 ms */

static void pause_ms(int ms) {
  struct timespec time = {ms / 1000, (long)(ms % 1000) * 1000000};
  (void)nanosleep(&time, NULL);
}

typedef struct facts {
  int64_t id;
  int64_t start;
  int64_t space;
} facts;

static facts own(void) {
  facts self = {0};
  identity__process_self(&self.id, &self.start, &self.space);
  return self;
}

static bool is_gone(facts of) {
  return identity__process_is_gone(of.id, of.start, of.space);
}

/* A child that tells its own facts and lives until it is killed or, if asked so, ends at once. */
static facts begin_child(pid_t *child, bool ends) {
  facts told = {0};
  int ends_of_pipe[2];
  assert_int_equal(pipe(ends_of_pipe), 0);
  *child = fork();
  assert_true(*child >= 0);
  if (*child == 0) {
    facts mine = own();
    if (write(ends_of_pipe[1], &mine, sizeof mine) != (ssize_t)sizeof mine)
      _exit(1);
    while (!ends)
      pause();
    _exit(0);
  }
  assert_int_equal(read(ends_of_pipe[0], &told, sizeof told), sizeof told);
  (void)close(ends_of_pipe[0]);
  (void)close(ends_of_pipe[1]);
  return told;
}

static void reap(pid_t child) {
  assert_int_equal(waitpid(child, NULL, 0), child);
}

/* ---- another process ---- */

static void this_process_lives(void **state) {
  (void)state;
  facts self = own();
  assert_int_equal(self.id, getpid());
  assert_true(self.start > 0);
  assert_true(self.space > 0);
  assert_false(is_gone(self));
  facts again = own();
  assert_memory_equal(&self, &again, sizeof self);
}

static void a_child_lives_until_it_is_killed(void **state) {
  (void)state;
  pid_t child;
  facts of = begin_child(&child, false);
  assert_int_equal(of.id, child);
  assert_int_equal(of.space, own().space);
  assert_true(of.start >= own().start);
  assert_false(is_gone(of));
  assert_int_equal(kill(child, SIGSTOP), 0);
  assert_int_equal(waitpid(child, NULL, WUNTRACED), child);
  assert_false(is_gone(of)); /* stopped is not dead */
  assert_int_equal(kill(child, SIGKILL), 0);
  reap(child);
  assert_true(is_gone(of));
}

/* Its id is still taken, but it will never do anything again. */
static void a_zombie_is_gone(void **state) {
  (void)state;
  pid_t child;
  siginfo_t end;
  facts of = begin_child(&child, true);
  assert_int_equal(waitid(P_PID, (id_t)child, &end, WEXITED | WNOWAIT), 0);
  assert_int_equal(kill(child, 0), 0);
  assert_true(is_gone(of));
  reap(child);
  assert_true(is_gone(of));
}

/* The same id, given to another process since. */
static void another_start_time_is_another_process(void **state) {
  (void)state;
  facts self = own();
  facts earlier = {self.id, self.start - 1, self.space};
  facts later = {self.id, self.start + 1, self.space};
  assert_true(is_gone(earlier));
  assert_true(is_gone(later));
}

static void processes_that_begin_apart_differ_in_their_start(void **state) {
  (void)state;
  pid_t first, second;
  facts of_first = begin_child(&first, false);
  pause_ms(TICK_MS);
  facts of_second = begin_child(&second, false);
  assert_true(of_second.start > of_first.start);
  facts mixed = {of_first.id, of_second.start, of_first.space};
  assert_true(is_gone(mixed));
  (void)kill(first, SIGKILL);
  (void)kill(second, SIGKILL);
  reap(first);
  reap(second);
}

/* Where anything is unknown, nobody is declared dead. */
static void what_is_not_certain_is_not_gone(void **state) {
  (void)state;
  facts self = own();
  const struct {
    const char *name;
    facts of;
    bool gone;
  } rows[] = {
      {"nobody has this id", {NOBODY, 1, self.space}, true},
      {"in another id space", {NOBODY, 1, self.space + 1}, false},
      {"in an unknown id space", {NOBODY, 1, 0}, false},
      {"a start that is not known", {NOBODY, 0, self.space}, false},
      {"no id", {0, 1, self.space}, false},
      {"a negative id", {-1, 1, self.space}, false},
      {"an id beyond 32 bits", {INT64_MAX, 1, self.space}, true},
  };
  for (size_t i = 0; i < COUNT(rows); i++)
    CHECK_INT(rows[i].name, is_gone(rows[i].of), rows[i].gone);
}

/* The name of a program stands before its state and its start, and may look like them. */
static void the_name_of_a_program_can_be_anything(void **state) {
  static const char *const names[] = {"a) Z 1 (b", ") ) ) )", "(", "Z 0 0 0 0 0 0", "\n) X\n", ""};
  char before[16] = "";
  (void)state;
  facts self = own();
  assert_int_equal(prctl(PR_GET_NAME, before, 0, 0, 0), 0);
  for (size_t i = 0; i < COUNT(names); i++) {
    assert_int_equal(prctl(PR_SET_NAME, names[i], 0, 0, 0), 0);
    facts named = own();
    bool gone = is_gone(self);
    (void)prctl(PR_SET_NAME, before, 0, 0, 0);
    CHECK_INT(names[i], named.start, self.start);
    CHECK_INT(names[i], gone, false);
  }
}

/* ---- fork marks ---- */

enum { CHILD_IS_FORKED = 1, GRANDCHILD_IS_FORKED = 2, OWN_MARK_IS_WRONG = 4, FAILED = 8 };

/* What a child and its child see of the mark: the same memory, made in another process. */
static int look_as_a_grandchild(const identity__fork_mark *mark) {
  int status = 0;
  pid_t grandchild = fork();
  if (grandchild == 0)
    _exit(identity__is_forked(mark) ? GRANDCHILD_IS_FORKED : 0);
  if (grandchild < 0 || waitpid(grandchild, &status, 0) != grandchild || !WIFEXITED(status))
    return FAILED;
  return WEXITSTATUS(status);
}

/* A mark that the child makes for itself is no forked one. */
static int look_at_an_own_mark(void) {
  identity__fork_mark own_mark;
  identity__fork_mark_init(&own_mark);
  int wrong = identity__is_forked(&own_mark) ? OWN_MARK_IS_WRONG : 0;
  identity__fork_mark_clear(&own_mark);
  return wrong;
}

static int look_as_a_child(const identity__fork_mark *mark) {
  int status = 0;
  pid_t child = fork();
  if (child == 0) {
    int seen = identity__is_forked(mark) ? CHILD_IS_FORKED : 0;
    _exit(seen | look_as_a_grandchild(mark) | look_at_an_own_mark());
  }
  assert_true(child > 0);
  assert_int_equal(waitpid(child, &status, 0), child);
  assert_true(WIFEXITED(status));
  return WEXITSTATUS(status);
}

static void children_and_their_children_know_that_they_are(void **state) {
  (void)state;
  identity__fork_mark mark;
  identity__fork_mark_init(&mark);
  assert_false(identity__is_forked(&mark));
  for (int i = 0; i < 3; i++) {
    assert_int_equal(look_as_a_child(&mark), CHILD_IS_FORKED | GRANDCHILD_IS_FORKED);
    assert_false(identity__is_forked(&mark)); /* and the parent goes on */
  }
  identity__fork_mark_clear(&mark);
}

/* A system that has no such page. */
static void without_a_page_the_process_id_tells(void **state) {
  (void)state;
  identity__fork_mark mark;
  identity__fork_mark_init(&mark);
  identity__fork_mark_clear(&mark);
  assert_null((const void *)(uintptr_t)mark.page);
  identity__fork_mark_clear(&mark);
  assert_false(identity__is_forked(&mark));
  assert_int_equal(look_as_a_child(&mark), CHILD_IS_FORKED | GRANDCHILD_IS_FORKED);
  assert_false(identity__is_forked(&mark));
}

/* A child may give back what it inherited. */
static void a_child_can_clear_the_mark(void **state) {
  (void)state;
  int status = 0;
  identity__fork_mark mark;
  identity__fork_mark_init(&mark);
  pid_t child = fork();
  if (child == 0) {
    identity__fork_mark_clear(&mark);
    _exit(identity__is_forked(&mark) ? 0 : 1);
  }
  assert_int_equal(waitpid(child, &status, 0), child);
  assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
  assert_false(identity__is_forked(&mark));
  identity__fork_mark_clear(&mark);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(this_process_lives),
    cmocka_unit_test(a_child_lives_until_it_is_killed),
    cmocka_unit_test(a_zombie_is_gone),
    cmocka_unit_test(another_start_time_is_another_process),
    cmocka_unit_test(processes_that_begin_apart_differ_in_their_start),
    cmocka_unit_test(what_is_not_certain_is_not_gone),
    cmocka_unit_test(the_name_of_a_program_can_be_anything),
    cmocka_unit_test(children_and_their_children_know_that_they_are),
    cmocka_unit_test(without_a_page_the_process_id_tells),
    cmocka_unit_test(a_child_can_clear_the_mark),
};

SUITE("process", tests)
