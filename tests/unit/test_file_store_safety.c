/* What the file store refuses to touch, and what it still does when the rights are short. */
#include "support/scratch.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>

enum { NOBODY = 65534 };

static identity__store store;
static char path[1100];

static int begin(void **state) {
  return scratch_make(state);
}

static int32_t open_at(const char *directory) {
  int32_t status = identity__file_store(&store, directory);
  if (status == IDENTITY__STORE_OK)
    store.destroy(store.user_data);
  return status;
}

static void open_store(void) {
  assert_int_equal(identity__file_store(&store, scratch_store), IDENTITY__STORE_OK);
}

static int32_t load_a(void) {
  char buffer[64];
  size_t length = 0;
  uint64_t revision = 0;
  return store.load(store.user_data, "a", buffer, sizeof buffer, &length, &revision);
}

static int32_t swap_a(uint64_t expected) {
  uint64_t revision = 0;
  return store.swap(store.user_data, "a", expected, 0, "text", 4, &revision);
}

static const char *in_scratch(const char *name) {
  (void)snprintf(path, sizeof path, "%s/%s", scratch, name);
  return path;
}

static void the_directory_is_made_private(void **state) {
  (void)state;
  struct stat facts;
  mode_t mask = umask(0);
  assert_int_equal(open_at(scratch_store), IDENTITY__STORE_OK);
  (void)umask(mask);
  assert_int_equal(stat(scratch_store, &facts), 0);
  assert_int_equal(facts.st_mode & 07777, 0700);
  assert_int_equal(open_at(scratch_store), IDENTITY__STORE_OK);
}

static void slashes_at_the_end_change_nothing(void **state) {
  (void)state;
  assert_int_equal(open_at(in_scratch("store///")), IDENTITY__STORE_OK);
  assert_int_equal(access(scratch_store, F_OK), 0);
}

static void a_directory_without_parent_is_not_made(void **state) {
  (void)state;
  assert_int_equal(open_at(in_scratch("no/store")), IDENTITY__STORE_IO);
  assert_int_equal(open_at(""), IDENTITY__STORE_IO);
  assert_int_not_equal(access(in_scratch("no"), F_OK), 0);
}

static void a_file_in_its_place_is_refused(void **state) {
  (void)state;
  (void)close(creat(scratch_store, 0600));
  assert_int_equal(open_at(scratch_store), IDENTITY__STORE_IO);
}

static void a_symbolic_link_to_a_directory_is_refused(void **state) {
  (void)state;
  char real[600];
  (void)snprintf(real, sizeof real, "%s/real", scratch);
  assert_int_equal(mkdir(real, 0700), 0);
  assert_int_equal(symlink(real, scratch_store), 0);
  assert_int_equal(open_at(scratch_store), IDENTITY__STORE_IO);
  assert_int_equal(open_at(in_scratch("store/")), IDENTITY__STORE_IO);
  assert_int_equal(open_at(real), IDENTITY__STORE_OK);
}

static void a_directory_open_to_others_is_refused(void **state) {
  (void)state;
  static const mode_t modes[] = {0750, 0705, 0701, 0710, 0720, 0702, 0755, 0777, 01777};
  assert_int_equal(mkdir(scratch_store, 0700), 0);
  for (size_t i = 0; i < sizeof modes / sizeof modes[0]; i++) {
    assert_int_equal(chmod(scratch_store, modes[i]), 0);
    assert_int_equal(open_at(scratch_store), IDENTITY__STORE_IO);
  }
  assert_int_equal(chmod(scratch_store, 0700), 0);
  open_store();
  assert_int_equal(chmod(scratch_store, 0770), 0); /* it is looked at each time */
  assert_int_equal(load_a(), IDENTITY__STORE_IO);
  assert_int_equal(swap_a(0), IDENTITY__STORE_IO);
  store.destroy(store.user_data);
}

static void what_belongs_to_somebody_else_is_refused(void **state) {
  (void)state;
  assert_int_equal(open_at("/"), IDENTITY__STORE_IO); /* root's, or open to others */
  open_store();
  assert_int_equal(swap_a(0), IDENTITY__STORE_OK);
  if (geteuid() != 0) { /* only root can give things away */
    print_message("not root: only a directory of somebody else was tried, not a file\n");
    store.destroy(store.user_data);
    return;
  }
  assert_int_equal(chown(scratch_file, NOBODY, NOBODY), 0);
  assert_int_equal(load_a(), IDENTITY__STORE_IO);
  assert_int_equal(swap_a(0), IDENTITY__STORE_IO);
  assert_int_equal(chown(scratch_file, 0, 0), 0);
  assert_int_equal(chown(scratch_store, NOBODY, NOBODY), 0);
  assert_int_equal(load_a(), IDENTITY__STORE_IO);
  assert_int_equal(open_at(scratch_store), IDENTITY__STORE_IO);
  store.destroy(store.user_data);
}

static void links_and_other_things_named_like_a_slot_are_refused(void **state) {
  (void)state;
  enum { SYMBOLIC, DANGLING, HARD, DIRECTORY, PIPE, KINDS };
  open_store();
  char victim[600];
  (void)snprintf(victim, sizeof victim, "%s/victim", scratch);
  for (int kind = SYMBOLIC; kind < KINDS; kind++) {
    (void)close(creat(victim, 0600));
    int made = kind == SYMBOLIC    ? symlink(victim, scratch_file)
               : kind == DANGLING  ? symlink("nowhere", scratch_file)
               : kind == HARD      ? link(victim, scratch_file)
               : kind == DIRECTORY ? mkdir(scratch_file, 0700)
                                   : mkfifo(scratch_file, 0600);
    struct stat facts;
    assert_int_equal(made, 0);
    assert_int_equal(load_a(), IDENTITY__STORE_IO);
    assert_int_equal(swap_a(0), IDENTITY__STORE_IO);
    assert_int_equal(stat(victim, &facts), 0);
    assert_int_equal(facts.st_size, 0);
    assert_int_equal(remove(scratch_file), 0);
  }
  assert_int_equal(swap_a(0), IDENTITY__STORE_OK);
  store.destroy(store.user_data);
}

static void a_file_with_wider_rights_is_narrowed(void **state) {
  (void)state;
  struct stat facts;
  open_store();
  assert_int_equal(swap_a(0), IDENTITY__STORE_OK);
  assert_int_equal(chmod(scratch_file, 0644), 0);
  assert_int_equal(load_a(), IDENTITY__STORE_OK);
  assert_int_equal(stat(scratch_file, &facts), 0);
  assert_int_equal(facts.st_mode & 07777, 0600);
  store.destroy(store.user_data);
}

static void a_directory_that_went_away_is_no_empty_store(void **state) {
  (void)state;
  open_store();
  assert_int_equal(rmdir(scratch_store), 0);
  assert_int_equal(load_a(), IDENTITY__STORE_IO);
  assert_int_equal(swap_a(0), IDENTITY__STORE_IO);
  assert_int_equal(mkdir(scratch_store, 0700), 0);
  assert_int_equal(load_a(), IDENTITY__STORE_ABSENT);
  store.destroy(store.user_data);
}

static void a_relative_directory_survives_a_change_of_directory(void **state) {
  (void)state;
  char before[1024];
  assert_non_null(getcwd(before, sizeof before));
  assert_int_equal(chdir(scratch), 0);
  int32_t status = identity__file_store(&store, "store");
  assert_int_equal(chdir(before), 0);
  assert_int_equal(status, IDENTITY__STORE_OK);
  assert_int_equal(swap_a(0), IDENTITY__STORE_OK);
  assert_int_equal(access(scratch_file, F_OK), 0);
  store.destroy(store.user_data);
}

/* root may write everywhere: as root all of it happens in a child that is somebody else. */
static int use_short_rights(void) {
  int failed = 0;
  if (geteuid() == 0 && (setgid(NOBODY) != 0 || setuid(NOBODY) != 0))
    return 1;
  char buffer[64];
  size_t length = 0;
  uint64_t revision = 0;
  if (identity__file_store(&store, scratch_store) != IDENTITY__STORE_OK || swap_a(0) != IDENTITY__STORE_OK)
    return 2;
  (void)store.load(store.user_data, "a", buffer, sizeof buffer, &length, &revision);
  failed |= chmod(scratch_file, 0400);
  failed |= load_a() != IDENTITY__STORE_OK;
  failed |= swap_a(revision) != IDENTITY__STORE_IO;
  failed |= chmod(scratch_file, 0000);
  failed |= load_a() != IDENTITY__STORE_IO;
  failed |= chmod(scratch_file, 0600) | chmod(scratch_store, 0500);
  failed |= load_a() != IDENTITY__STORE_OK;
  store.destroy(store.user_data);
  failed |= open_at(scratch_store) != IDENTITY__STORE_OK;
  failed |= chmod(scratch_store, 0700);
  return failed != 0 ? 3 : 0;
}

static int find_no_file_in_a_read_only_directory(void) {
  uint64_t revision = 0;
  if (geteuid() == 0 && (setgid(NOBODY) != 0 || setuid(NOBODY) != 0))
    return 1;
  if (mkdir(scratch_store, 0500) != 0 || identity__file_store(&store, scratch_store) != IDENTITY__STORE_OK)
    return 2;
  int absent = load_a() == IDENTITY__STORE_ABSENT;
  int refused = store.swap(store.user_data, "a", 0, 1, "text", 4, &revision) == IDENTITY__STORE_IO;
  store.destroy(store.user_data);
  return absent && refused ? 0 : 3;
}

static void assert_child(int (*run)(void)) {
  int result = -1;
  assert_int_equal(chmod(scratch, 0777), 0);
  pid_t child = fork();
  assert_true(child >= 0);
  if (child == 0)
    _exit(run());
  assert_int_equal(waitpid(child, &result, 0), child);
  assert_int_equal(result, 0);
}

static void what_is_read_only_can_be_loaded_and_not_swapped(void **state) {
  (void)state;
  assert_child(use_short_rights);
}

static void in_a_read_only_directory_nothing_is_made(void **state) {
  (void)state;
  assert_child(find_no_file_in_a_read_only_directory);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, scratch_remove)

static const struct CMUnitTest tests[] = {
    TEST(the_directory_is_made_private),
    TEST(slashes_at_the_end_change_nothing),
    TEST(a_directory_without_parent_is_not_made),
    TEST(a_file_in_its_place_is_refused),
    TEST(a_symbolic_link_to_a_directory_is_refused),
    TEST(a_directory_open_to_others_is_refused),
    TEST(what_belongs_to_somebody_else_is_refused),
    TEST(links_and_other_things_named_like_a_slot_are_refused),
    TEST(a_file_with_wider_rights_is_narrowed),
    TEST(a_directory_that_went_away_is_no_empty_store),
    TEST(a_relative_directory_survives_a_change_of_directory),
    TEST(what_is_read_only_can_be_loaded_and_not_swapped),
    TEST(in_a_read_only_directory_nothing_is_made),
};

SUITE("file store safety", tests)
