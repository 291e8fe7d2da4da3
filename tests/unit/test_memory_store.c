#include "support/suite.h"
#include "support/allocations.h"

#include "base/limits.h"
#include "store/store.h"

static identity__store store;
static char buffer[IDENTITY__MAX_RECORD + 1];
static char blob[IDENTITY__MAX_RECORD + 1];

static int begin(void **state) {
  (void)state;
  memset(blob, 'b', sizeof blob);
  return identity__memory_store(&store);
}

static int end(void **state) {
  (void)state;
  store.destroy(store.user_data);
  return 0;
}

static int32_t put(const char *key, uint64_t expected, const char *text, uint64_t *revision) {
  return store.swap(store.user_data, key, expected, 0, text, strlen(text), revision);
}

static void assert_stored(const char *key, const char *text, uint64_t expected_revision) {
  size_t length = 99;
  uint64_t revision = 99;
  assert_int_equal(store.load(store.user_data, key, buffer, sizeof buffer, &length, &revision),
                   IDENTITY__STORE_OK);
  assert_int_equal(length, strlen(text));
  assert_memory_equal(buffer, text, length);
  assert_int_equal(revision, expected_revision);
}

static void a_new_store_has_nothing(void **state) {
  (void)state;
  size_t length = 99;
  uint64_t revision = 99;
  assert_int_equal(store.load(store.user_data, "a", buffer, sizeof buffer, &length, &revision),
                   IDENTITY__STORE_ABSENT);
  assert_int_equal(length, 0);
  assert_int_equal(revision, 0);
}

static void what_was_swapped_in_is_loaded(void **state) {
  (void)state;
  uint64_t revision = 0;
  assert_int_equal(put("a", 0, "first", &revision), IDENTITY__STORE_OK);
  assert_true(revision > 0);
  assert_stored("a", "first", revision);
}

static void revisions_rise(void **state) {
  (void)state;
  uint64_t revision = 0;
  for (int i = 0; i < 100; i++) {
    uint64_t before = revision;
    assert_int_equal(put("a", before, i % 2 == 0 ? "long long text" : "short", &revision),
                     IDENTITY__STORE_OK);
    assert_true(revision > before);
  }
  assert_stored("a", "short", revision);
}

static void another_revision_is_a_conflict_and_nothing_changes(void **state) {
  (void)state;
  uint64_t revision = 0;
  uint64_t untouched = 77;
  assert_int_equal(put("a", 5, "x", &untouched), IDENTITY__STORE_CONFLICT);
  assert_int_equal(put("a", 0, "first", &revision), IDENTITY__STORE_OK);
  assert_int_equal(put("a", 0, "x", &untouched), IDENTITY__STORE_CONFLICT);
  assert_int_equal(put("a", revision + 1, "x", &untouched), IDENTITY__STORE_CONFLICT);
  assert_int_equal(put("a", IDENTITY__LOST_REVISION, "x", &untouched), IDENTITY__STORE_CONFLICT);
  assert_int_equal(untouched, 77);
  assert_stored("a", "first", revision);
}

static void keys_do_not_touch_each_other(void **state) {
  (void)state;
  uint64_t first = 0;
  uint64_t second = 0;
  uint64_t third = 0;
  assert_int_equal(put("a", 0, "one", &first), IDENTITY__STORE_OK);
  assert_int_equal(put("A", 0, "two", &second), IDENTITY__STORE_OK);
  assert_int_equal(put("ab", 0, "three", &third), IDENTITY__STORE_OK);
  assert_int_equal(put("A", second, "four", &second), IDENTITY__STORE_OK);
  assert_stored("a", "one", first);
  assert_stored("A", "four", second);
  assert_stored("ab", "three", third);
}

static void two_stores_do_not_see_each_other(void **state) {
  (void)state;
  identity__store other;
  uint64_t revision = 0;
  size_t length = 0;
  assert_int_equal(identity__memory_store(&other), IDENTITY__STORE_OK);
  assert_int_equal(put("a", 0, "one", &revision), IDENTITY__STORE_OK);
  assert_int_equal(other.load(other.user_data, "a", buffer, sizeof buffer, &length, &revision),
                   IDENTITY__STORE_ABSENT);
  other.destroy(other.user_data);
}

static void sizes_up_to_the_bound_are_taken(void **state) {
  (void)state;
  static const struct {
    size_t length;
    int32_t status;
  } rows[] = {{0, IDENTITY__STORE_OK},
              {1, IDENTITY__STORE_OK},
              {IDENTITY__MAX_RECORD, IDENTITY__STORE_OK},
              {IDENTITY__MAX_RECORD + 1, IDENTITY__STORE_IO}};
  uint64_t revision = 0;
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
    assert_int_equal(store.swap(store.user_data, "a", revision, 1, blob, rows[i].length, &revision),
                     rows[i].status);
  size_t length = 0;
  assert_int_equal(store.load(store.user_data, "a", buffer, IDENTITY__MAX_RECORD, &length, &revision),
                   IDENTITY__STORE_OK);
  assert_int_equal(length, IDENTITY__MAX_RECORD);
  assert_memory_equal(buffer, blob, length);
  assert_int_equal(store.load(store.user_data, "a", buffer, IDENTITY__MAX_RECORD - 1, &length, &revision),
                   IDENTITY__STORE_IO);
  assert_int_equal(length, 0);
}

static void keys_up_to_the_bound_are_taken(void **state) {
  (void)state;
  char key[IDENTITY__MAX_STORE_KEY + 2] = {0};
  uint64_t revision = 0;
  memset(key, 'k', IDENTITY__MAX_STORE_KEY);
  assert_int_equal(put(key, 0, "x", &revision), IDENTITY__STORE_OK);
  key[IDENTITY__MAX_STORE_KEY] = 'k';
  assert_int_equal(put(key, 0, "x", &revision), IDENTITY__STORE_IO);
}

static void without_memory_the_old_blob_stays(void **state) {
  (void)state;
  uint64_t revision = 0;
  uint64_t ignored = 0;
  assert_int_equal(put("a", 0, "first", &revision), IDENTITY__STORE_OK);
  for (int successes = 0; successes < 2; successes++) {
    allocations_left = successes;
    int32_t fresh = put("b", 0, "second", &ignored);
    allocations_left = 0;
    int32_t replaced = put("a", revision, "second", &ignored);
    allocations_left = -1;
    assert_int_equal(fresh, IDENTITY__STORE_MEMORY);
    assert_int_equal(replaced, IDENTITY__STORE_MEMORY);
    assert_stored("a", "first", revision);
    size_t length = 0;
    assert_int_equal(store.load(store.user_data, "b", buffer, sizeof buffer, &length, &ignored),
                     IDENTITY__STORE_ABSENT);
  }
}

static void without_memory_there_is_no_store(void **state) {
  (void)state;
  identity__store none;
  allocations_left = 0;
  int32_t status = identity__memory_store(&none);
  allocations_left = -1;
  assert_int_equal(status, IDENTITY__STORE_MEMORY);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

static const struct CMUnitTest tests[] = {
    TEST(a_new_store_has_nothing),
    TEST(what_was_swapped_in_is_loaded),
    TEST(revisions_rise),
    TEST(another_revision_is_a_conflict_and_nothing_changes),
    TEST(keys_do_not_touch_each_other),
    TEST(two_stores_do_not_see_each_other),
    TEST(sizes_up_to_the_bound_are_taken),
    TEST(keys_up_to_the_bound_are_taken),
    TEST(without_memory_the_old_blob_stays),
    TEST(without_memory_there_is_no_store),
};

SUITE("memory store", tests)
