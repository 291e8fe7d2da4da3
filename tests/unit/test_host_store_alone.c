/* A store of the host that cannot compare and swap, as a keychain: the library compares for it. */
#include "support/hosts.h"
#include "support/allocations.h"

/* A keychain: neither compares nor counts, and says nothing about revisions. */
static int32_t keychain_load(void *user_data, const char *key, void *into, uint64_t capacity,
                             uint64_t *length, uint64_t *revision) {
  uint64_t ignored = 0;
  (void)revision;
  return host_load(user_data, key, into, capacity, length, &ignored);
}

static int32_t keychain_swap(void *user_data, const char *key, uint64_t expected, const void *from,
                             uint64_t length, uint64_t *new_revision) {
  uint64_t ignored = 0;
  (void)new_revision;
  int32_t answer = host_swap(user_data, key, host.revision, from, length, &ignored);
  host.expected = expected;
  return answer;
}

static int begin_keychain(void **state) {
  (void)state;
  return begin_with(IDENTITY_STORE_ONE_PROCESS, keychain_load, keychain_swap);
}

static void a_keychain_is_compared_for(void **state) {
  (void)state;
  uint64_t first = 0;
  uint64_t second = 0;
  uint64_t untouched = 77;
  assert_int_equal(put(5, "x", &untouched), IDENTITY__STORE_CONFLICT);
  assert_int_equal(put(0, "first", &first), IDENTITY__STORE_OK);
  assert_true(first != 0 && first != IDENTITY__LOST_REVISION);
  assert_stored("first", first);
  assert_int_equal(put(0, "x", &untouched), IDENTITY__STORE_CONFLICT);
  assert_int_equal(put(first + 1, "x", &untouched), IDENTITY__STORE_CONFLICT);
  assert_int_equal(put(IDENTITY__LOST_REVISION, "x", &untouched), IDENTITY__STORE_CONFLICT);
  assert_int_equal(host.swaps, 1);
  assert_int_equal(put(first, "second", &second), IDENTITY__STORE_OK);
  assert_true(second != first);
  assert_int_equal(put(first, "x", &untouched), IDENTITY__STORE_CONFLICT);
  assert_int_equal(untouched, 77);
  assert_stored("second", second);
}

/* The blob that it finds is what counts: it may be of another start of the app. */
static void a_keychain_has_the_same_revision_for_the_same_blob(void **state) {
  (void)state;
  uint64_t stored = 0;
  assert_int_equal(put(0, "blob", &stored), IDENTITY__STORE_OK);
  store.destroy(store.user_data);
  char blob[] = "blob";
  assert_int_equal(begin_keychain(state), 0);
  host.revision = 1;
  host.length = strlen(blob);
  memcpy(host.blob, blob, host.length);
  assert_stored("blob", stored);
}

static void an_empty_and_a_longest_blob_of_a_keychain(void **state) {
  (void)state;
  uint64_t revision = 0;
  size_t length;
  assert_int_equal(put(0, "", &revision), IDENTITY__STORE_OK);
  assert_stored("", revision);
  assert_int_equal(store.swap(store.user_data, "a", revision, 0, bytes, MAX, &revision), IDENTITY__STORE_OK);
  uint64_t stored = revision;
  assert_int_equal(load(&length, &revision), IDENTITY__STORE_OK);
  assert_int_equal(length, MAX);
  assert_true(revision == stored);
  assert_int_equal(put(stored, "short", &revision), IDENTITY__STORE_OK);
}

static void a_keychain_that_cannot_be_read_is_not_written(void **state) {
  static const struct {
    const char *name;
    int32_t says;
    int32_t status;
  } rows[] = {
      {"conflict", IDENTITY_STORE_CONFLICT, IDENTITY__STORE_IO},
      {"busy", IDENTITY_STORE_BUSY, IDENTITY__STORE_LOCKED},
      {"io", IDENTITY_STORE_IO, IDENTITY__STORE_IO},
      {"no memory", IDENTITY_STORE_NO_MEMORY, IDENTITY__STORE_MEMORY},
      {"nonsense", 99, IDENTITY__STORE_IO},
  };
  (void)state;
  for (size_t i = 0; i < COUNT(rows); i++) {
    uint64_t untouched = 77;
    host.loads_as = rows[i].says;
    CHECK_INT(rows[i].name, put(0, "x", &untouched), rows[i].status);
    CHECK_INT(rows[i].name, put(IDENTITY__LOST_REVISION, "x", &untouched), rows[i].status);
    CHECK_INT(rows[i].name, untouched, 77);
  }
  assert_int_equal(host.swaps, 0);
}

static void a_lost_key_of_a_keychain_is_overwritten_whatever_it_tells(void **state) {
  (void)state;
  size_t length;
  uint64_t revision;
  uint64_t untouched = 77;
  host.loads_as = IDENTITY_STORE_KEY_LOST;
  host.tells_revision = 12;
  assert_int_equal(load(&length, &revision), IDENTITY__STORE_KEY_LOST);
  assert_true(revision == IDENTITY__LOST_REVISION);
  assert_int_equal(put(0, "x", &untouched), IDENTITY__STORE_CONFLICT);
  assert_int_equal(put(12, "x", &untouched), IDENTITY__STORE_CONFLICT);
  assert_int_equal(host.swaps, 0);
  assert_int_equal(put(revision, "anew", &revision), IDENTITY__STORE_OK);
  host.loads_as = HONEST;
  assert_stored("anew", revision);
  assert_int_equal(put(IDENTITY__LOST_REVISION, "x", &untouched), IDENTITY__STORE_CONFLICT);
}

/* ---- memory ---- */

static void without_memory_there_is_no_store(void **state) {
  static const struct {
    int32_t flags;
    int allocations;
  } rows[] = {{0, 1}, {IDENTITY_STORE_ONE_PROCESS, 2}};
  (void)state;
  for (size_t i = 0; i < COUNT(rows); i++)
    for (int successes = 0; successes <= rows[i].allocations; successes++) {
      identity_store given = {sizeof given, rows[i].flags, &host, host_load, host_swap};
      identity__store made;
      allocations_left = successes;
      int32_t status = identity__host_store(&made, &given);
      allocations_left = -1;
      bool enough = successes == rows[i].allocations;
      assert_int_equal(status, enough ? IDENTITY__STORE_OK : IDENTITY__STORE_MEMORY);
      if (enough)
        made.destroy(made.user_data);
    }
}

static void using_it_takes_no_memory(void **state) {
  (void)state;
  uint64_t revision = 0;
  allocations_left = 0;
  int32_t status = put(0, "first", &revision);
  allocations_left = -1;
  assert_int_equal(status, IDENTITY__STORE_OK);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin_keychain, end)

static const struct CMUnitTest tests[] = {
    TEST(a_keychain_is_compared_for),
    TEST(a_keychain_has_the_same_revision_for_the_same_blob),
    TEST(an_empty_and_a_longest_blob_of_a_keychain),
    TEST(a_keychain_that_cannot_be_read_is_not_written),
    TEST(a_lost_key_of_a_keychain_is_overwritten_whatever_it_tells),
    cmocka_unit_test(without_memory_there_is_no_store),
    TEST(using_it_takes_no_memory),
};

SUITE("host store, one process", tests)
