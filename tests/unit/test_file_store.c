/* What the file store does with blobs, keys, revisions and locks. Damage: test_file_store_damage.c. */
#include "support/scratch.h"
#include "support/allocations.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>

#define COUNT(rows) (sizeof(rows) / sizeof((rows)[0]))

static identity__store store;
static char buffer[IDENTITY__MAX_RECORD + 1];
static char blob[IDENTITY__MAX_RECORD + 1];

static int begin(void **state) {
  memset(blob, 'b', sizeof blob);
  return scratch_make(state) != 0 || identity__file_store(&store, scratch_store) != IDENTITY__STORE_OK;
}

static int end(void **state) {
  store.destroy(store.user_data);
  return scratch_remove(state);
}

static int32_t put_in(const identity__store *in, const char *key, uint64_t expected, const char *text,
                      uint64_t *revision) {
  return in->swap(in->user_data, key, expected, 0, text, strlen(text), revision);
}

static int32_t put(const char *key, uint64_t expected, const char *text, uint64_t *revision) {
  return put_in(&store, key, expected, text, revision);
}

static int32_t load_in(const identity__store *in, const char *key, uint64_t *revision) {
  size_t length = 99;
  *revision = 99;
  int32_t status = in->load(in->user_data, key, buffer, sizeof buffer - 1, &length, revision);
  if (status != IDENTITY__STORE_OK)
    assert_int_equal(length, 0);
  buffer[length] = '\0';
  return status;
}

static void assert_stored(const char *key, const char *text, uint64_t expected_revision) {
  uint64_t revision = 0;
  assert_int_equal(load_in(&store, key, &revision), IDENTITY__STORE_OK);
  assert_string_equal(buffer, text);
  assert_int_equal(revision, expected_revision);
}

static void assert_absent(const char *key) {
  uint64_t revision = 0;
  assert_int_equal(load_in(&store, key, &revision), IDENTITY__STORE_ABSENT);
  assert_int_equal(revision, 0);
}

static int count_files(void) {
  char command[700];
  int files = -1;
  (void)snprintf(command, sizeof command, "ls -A '%s' | wc -l", scratch_store);
  FILE *list = popen(command, "r");
  assert_non_null(list);
  assert_int_equal(fscanf(list, "%d", &files), 1);
  assert_int_equal(pclose(list), 0);
  return files;
}

static void a_new_store_has_nothing(void **state) {
  (void)state;
  assert_absent("a");
  assert_int_equal(count_files(), 0);
}

static void what_was_swapped_in_is_loaded(void **state) {
  (void)state;
  uint64_t revision = 0;
  assert_int_equal(put("a", 0, "first", &revision), IDENTITY__STORE_OK);
  assert_true(revision > 0);
  assert_stored("a", "first", revision);
}

static void a_store_opened_again_has_it_still(void **state) {
  (void)state;
  uint64_t revision = 0;
  assert_int_equal(put("a", 0, "first", &revision), IDENTITY__STORE_OK);
  store.destroy(store.user_data);
  assert_int_equal(identity__file_store(&store, scratch_store), IDENTITY__STORE_OK);
  assert_stored("a", "first", revision);
}

static void revisions_rise(void **state) {
  (void)state;
  uint64_t revision = 0;
  for (int i = 0; i < 40; i++) {
    uint64_t before = revision;
    const char *text = i % 3 == 0 ? "a longer text" : "short";
    assert_int_equal(store.swap(store.user_data, "a", before, i % 4 == 0, text, strlen(text), &revision),
                     IDENTITY__STORE_OK);
    assert_true(revision > before);
    assert_stored("a", text, revision);
  }
}

static void another_revision_is_a_conflict_and_nothing_changes(void **state) {
  (void)state;
  uint64_t revision = 0;
  uint64_t untouched = 77;
  assert_int_equal(put("a", 5, "x", &untouched), IDENTITY__STORE_CONFLICT);
  assert_int_equal(count_files(), 0);
  assert_int_equal(put("a", 0, "first", &revision), IDENTITY__STORE_OK);
  assert_int_equal(put("a", 0, "x", &untouched), IDENTITY__STORE_CONFLICT);
  assert_int_equal(put("a", revision + 1, "x", &untouched), IDENTITY__STORE_CONFLICT);
  assert_int_equal(put("a", revision - 1, "x", &untouched), IDENTITY__STORE_CONFLICT);
  assert_int_equal(put("a", IDENTITY__LOST_REVISION, "x", &untouched), IDENTITY__STORE_CONFLICT);
  assert_int_equal(untouched, 77);
  assert_stored("a", "first", revision);
}

static void of_two_handles_one_wins(void **state) {
  (void)state;
  identity__store other;
  uint64_t first = 0;
  uint64_t second = 0;
  assert_int_equal(identity__file_store(&other, scratch_store), IDENTITY__STORE_OK);
  assert_int_equal(put("a", 0, "one", &first), IDENTITY__STORE_OK);
  assert_int_equal(put_in(&other, "a", 0, "two", &second), IDENTITY__STORE_CONFLICT);
  assert_int_equal(load_in(&other, "a", &second), IDENTITY__STORE_OK);
  assert_int_equal(second, first);
  assert_int_equal(put_in(&other, "a", second, "two", &second), IDENTITY__STORE_OK);
  assert_int_equal(put("a", first, "three", &first), IDENTITY__STORE_CONFLICT);
  assert_stored("a", "two", second);
  other.destroy(other.user_data);
}

static void a_file_made_again_does_not_repeat_revisions(void **state) {
  (void)state;
  uint64_t old = 0;
  uint64_t fresh = 0;
  assert_int_equal(put("a", 0, "old", &old), IDENTITY__STORE_OK);
  assert_int_equal(unlink(scratch_file), 0);
  assert_absent("a");
  assert_int_equal(put("a", old, "x", &old), IDENTITY__STORE_CONFLICT);
  assert_int_equal(put("a", 0, "new", &fresh), IDENTITY__STORE_OK);
  assert_int_equal(put("a", old, "x", &old), IDENTITY__STORE_CONFLICT);
  assert_stored("a", "new", fresh);
}

static void sizes_up_to_the_bound_are_taken(void **state) {
  (void)state;
  static const struct {
    size_t length;
    int32_t status;
  } rows[] = {{0, IDENTITY__STORE_OK},
              {1, IDENTITY__STORE_OK},
              {4075, IDENTITY__STORE_OK},
              {4076, IDENTITY__STORE_OK},
              {4077, IDENTITY__STORE_OK},
              {IDENTITY__MAX_RECORD - 1, IDENTITY__STORE_OK},
              {IDENTITY__MAX_RECORD, IDENTITY__STORE_OK},
              {IDENTITY__MAX_RECORD + 1, IDENTITY__STORE_IO}};
  uint64_t revision = 0;
  size_t length = 99;
  for (size_t i = 0; i < COUNT(rows); i++) {
    assert_int_equal(store.swap(store.user_data, "a", revision, 0, blob, rows[i].length, &revision),
                     rows[i].status);
    if (rows[i].status != IDENTITY__STORE_OK)
      continue;
    assert_int_equal(store.load(store.user_data, "a", buffer, rows[i].length, &length, &revision),
                     IDENTITY__STORE_OK);
    assert_int_equal(length, rows[i].length);
    assert_memory_equal(buffer, blob, length);
  }
  assert_int_equal(store.load(store.user_data, "a", buffer, IDENTITY__MAX_RECORD - 1, &length, &revision),
                   IDENTITY__STORE_IO);
  assert_int_equal(length, 0);
  assert_int_equal(revision, 0);
}

static void any_key_stays_in_the_directory(void **state) {
  (void)state;
  static const char *const keys[] = {"../../etc/passwd", "a/b",      ".",   "..", "A", "a",
                                     "\xFF\x01",         "viewer 1", "%s%n"};
  uint64_t revisions[COUNT(keys)] = {0};
  for (size_t i = 0; i < COUNT(keys); i++)
    assert_int_equal(put(keys[i], 0, keys[i], &revisions[i]), IDENTITY__STORE_OK);
  for (size_t i = 0; i < COUNT(keys); i++)
    assert_stored(keys[i], keys[i], revisions[i]);
  assert_int_equal(count_files(), COUNT(keys));
}

static void keys_up_to_the_bound_are_taken(void **state) {
  (void)state;
  char key[IDENTITY__MAX_STORE_KEY + 2] = {0};
  uint64_t revision = 0;
  memset(key, 'k', IDENTITY__MAX_STORE_KEY);
  assert_int_equal(put(key, 0, "x", &revision), IDENTITY__STORE_OK);
  assert_stored(key, "x", revision);
  key[IDENTITY__MAX_STORE_KEY] = 'k';
  assert_int_equal(put(key, 0, "x", &revision), IDENTITY__STORE_IO);
  assert_int_equal(load_in(&store, key, &revision), IDENTITY__STORE_IO);
  assert_int_equal(put("", 0, "x", &revision), IDENTITY__STORE_IO);
}

static void a_slot_is_one_private_file_that_never_grows(void **state) {
  (void)state;
  struct stat first;
  struct stat later;
  uint64_t revision = 0;
  mode_t mask = umask(0);
  assert_int_equal(put("a", 0, "x", &revision), IDENTITY__STORE_OK);
  (void)umask(mask);
  assert_int_equal(stat(scratch_file, &first), 0);
  assert_int_equal(first.st_mode & 07777, 0600);
  assert_int_equal(store.swap(store.user_data, "a", revision, 1, blob, IDENTITY__MAX_RECORD, &revision),
                   IDENTITY__STORE_OK);
  assert_int_equal(stat(scratch_file, &later), 0);
  assert_int_equal(first.st_ino, later.st_ino);
  assert_int_equal(first.st_size, later.st_size);
  assert_int_equal(first.st_blocks, later.st_blocks);
  assert_int_equal(count_files(), 1);
}

static void a_held_lock_is_reported_at_once(void **state) {
  (void)state;
  uint64_t revision = 0;
  uint64_t ignored = 0;
  assert_int_equal(put("a", 0, "one", &revision), IDENTITY__STORE_OK);
  int file = open(scratch_file, O_RDWR | O_CLOEXEC);
  assert_int_equal(flock(file, LOCK_EX | LOCK_NB), 0);
  assert_int_equal(load_in(&store, "a", &ignored), IDENTITY__STORE_LOCKED);
  assert_int_equal(put("a", revision, "two", &ignored), IDENTITY__STORE_LOCKED);
  assert_int_equal(flock(file, LOCK_SH | LOCK_NB), 0); /* a reader */
  assert_stored("a", "one", revision);
  assert_int_equal(put("a", revision, "two", &ignored), IDENTITY__STORE_LOCKED);
  assert_int_equal(flock(file, LOCK_UN), 0);
  assert_int_equal(put("a", revision, "two", &revision), IDENTITY__STORE_OK);
  assert_int_equal(flock(file, LOCK_EX | LOCK_NB), 0); /* nothing is held between two operations */
  (void)close(file);
  assert_stored("a", "two", revision);
}

static void no_descriptor_stays_open(void **state) {
  (void)state;
  uint64_t revision = 0;
  int before = dup(0);
  assert_int_equal(put("a", 0, "x", &revision), IDENTITY__STORE_OK);
  assert_int_equal(put("a", 0, "x", &revision), IDENTITY__STORE_CONFLICT);
  assert_stored("a", "x", revision);
  assert_absent("b");
  int after = dup(0);
  assert_int_equal(after, before + 1);
  (void)close(before);
  (void)close(after);
}

/* Adds 1 to the number in the slot, as often as told, against all others. */
static int count_up(int times) {
  identity__store own;
  if (identity__file_store(&own, scratch_store) != IDENTITY__STORE_OK)
    return 1;
  while (times > 0) {
    uint64_t revision = 0;
    char text[16];
    int32_t status = load_in(&own, "a", &revision);
    if (status == IDENTITY__STORE_OK || status == IDENTITY__STORE_ABSENT) {
      int number = status == IDENTITY__STORE_OK ? atoi(buffer) : 0;
      (void)snprintf(text, sizeof text, "%d", number + 1);
      status = put_in(&own, "a", revision, text, &revision);
    }
    if (status == IDENTITY__STORE_OK)
      times--;
    else if (status != IDENTITY__STORE_LOCKED && status != IDENTITY__STORE_CONFLICT)
      return 1;
    else
      (void)usleep(500);
  }
  own.destroy(own.user_data);
  return 0;
}

static void processes_lose_no_update(void **state) {
  (void)state;
  enum { PROCESSES = 4, TIMES = 25 };
  for (int i = 0; i < PROCESSES; i++) {
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0)
      _exit(count_up(TIMES));
  }
  for (int i = 0; i < PROCESSES; i++) {
    int result = -1;
    assert_true(wait(&result) > 0);
    assert_int_equal(result, 0);
  }
  uint64_t revision = 0;
  assert_int_equal(load_in(&store, "a", &revision), IDENTITY__STORE_OK);
  assert_string_equal(buffer, "100");
}

static void without_memory_there_is_no_store(void **state) {
  (void)state;
  identity__store made;
  int32_t status = IDENTITY__STORE_MEMORY;
  for (int allowed = 0; status == IDENTITY__STORE_MEMORY; allowed++) {
    allocations_left = allowed;
    status = identity__file_store(&made, scratch_store);
    allocations_left = -1;
  }
  assert_int_equal(status, IDENTITY__STORE_OK);
  made.destroy(made.user_data);
}

static void load_and_swap_need_no_memory(void **state) {
  (void)state;
  uint64_t revision = 0;
  size_t length = 0;
  allocations_left = 0;
  int32_t swapped = store.swap(store.user_data, "a", 0, 1, blob, IDENTITY__MAX_RECORD, &revision);
  int32_t loaded = store.load(store.user_data, "a", buffer, sizeof buffer, &length, &revision);
  allocations_left = -1;
  assert_int_equal(swapped, IDENTITY__STORE_OK);
  assert_int_equal(loaded, IDENTITY__STORE_OK);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

static const struct CMUnitTest tests[] = {
    TEST(a_new_store_has_nothing),
    TEST(what_was_swapped_in_is_loaded),
    TEST(a_store_opened_again_has_it_still),
    TEST(revisions_rise),
    TEST(another_revision_is_a_conflict_and_nothing_changes),
    TEST(of_two_handles_one_wins),
    TEST(a_file_made_again_does_not_repeat_revisions),
    TEST(sizes_up_to_the_bound_are_taken),
    TEST(any_key_stays_in_the_directory),
    TEST(keys_up_to_the_bound_are_taken),
    TEST(a_slot_is_one_private_file_that_never_grows),
    TEST(a_held_lock_is_reported_at_once),
    TEST(no_descriptor_stays_open),
    TEST(processes_lose_no_update),
    TEST(without_memory_there_is_no_store),
    TEST(load_and_swap_need_no_memory),
};

SUITE("file store", tests)
