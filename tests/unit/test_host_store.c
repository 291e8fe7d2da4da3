/* A store of the host behind the library's seam: each of its answers, and what it must not be trusted with.
 */
#include "support/hosts.h"

static int begin(void **state) {
  (void)state;
  return begin_with(0, host_load, host_swap);
}

/* ---- a host that compares ---- */

static void what_was_swapped_in_is_loaded(void **state) {
  (void)state;
  size_t length;
  uint64_t revision;
  uint64_t stored = 0;
  assert_int_equal(load(&length, &revision), IDENTITY__STORE_ABSENT);
  assert_int_equal(length, 0);
  assert_int_equal(revision, 0);
  assert_int_equal(put(0, "first", &stored), IDENTITY__STORE_OK);
  assert_int_equal(stored, 1);
  assert_stored("first", stored);
  assert_string_equal(host.key, "a");
  assert_true(host.capacity >= MAX);
  uint64_t untouched = 77;
  assert_int_equal(put(0, "x", &untouched), IDENTITY__STORE_CONFLICT);
  assert_int_equal(put(stored + 1, "x", &untouched), IDENTITY__STORE_CONFLICT);
  assert_int_equal(untouched, 77);
  assert_stored("first", stored);
  assert_int_equal(put(stored, "second", &stored), IDENTITY__STORE_OK);
  assert_stored("second", 2);
}

static void its_revisions_are_handed_on_as_they_are(void **state) {
  static const uint64_t revisions[] = {1, 1u << 31, UINT64_MAX - 1};
  (void)state;
  for (size_t i = 0; i < COUNT(revisions); i++) {
    size_t length;
    uint64_t revision = 0;
    host.length = 1;
    host.revision = revisions[i];
    assert_int_equal(load(&length, &revision), IDENTITY__STORE_OK);
    assert_true(revision == revisions[i]);
    host.swaps_as = IDENTITY_STORE_OK;
    host.tells_revision = revisions[i];
    assert_int_equal(put(revisions[i], "x", &revision), IDENTITY__STORE_OK);
    assert_true(host.expected == revisions[i]);
    assert_true(revision == revisions[i]);
    host.swaps_as = HONEST;
  }
}

/* ---- each answer ---- */

typedef struct answer_row {
  const char *name;
  int32_t says;
  int32_t load;
  int32_t swap;
} answer_row;

static const answer_row answers[] = {
    {"ok", IDENTITY_STORE_OK, IDENTITY__STORE_OK, IDENTITY__STORE_OK},
    {"absent", IDENTITY_STORE_ABSENT, IDENTITY__STORE_ABSENT, IDENTITY__STORE_IO},
    {"conflict", IDENTITY_STORE_CONFLICT, IDENTITY__STORE_IO, IDENTITY__STORE_CONFLICT},
    {"busy", IDENTITY_STORE_BUSY, IDENTITY__STORE_LOCKED, IDENTITY__STORE_LOCKED},
    {"io", IDENTITY_STORE_IO, IDENTITY__STORE_IO, IDENTITY__STORE_IO},
    {"key lost", IDENTITY_STORE_KEY_LOST, IDENTITY__STORE_KEY_LOST, IDENTITY__STORE_IO},
    {"no memory", IDENTITY_STORE_NO_MEMORY, IDENTITY__STORE_MEMORY, IDENTITY__STORE_MEMORY},
    {"one more than there are", 7, IDENTITY__STORE_IO, IDENTITY__STORE_IO},
    {"negative", -1, IDENTITY__STORE_IO, IDENTITY__STORE_IO},
    {"least", INT32_MIN, IDENTITY__STORE_IO, IDENTITY__STORE_IO},
    {"most", INT32_MAX, IDENTITY__STORE_IO, IDENTITY__STORE_IO},
};

/* Nothing but OK tells a length, nothing but OK and KEY_LOST a revision, whatever the host has set. */
static void each_answer_to_a_load(void **state) {
  (void)state;
  host.tells_length = 5;
  host.tells_revision = 12;
  for (size_t i = 0; i < COUNT(answers); i++) {
    const answer_row *row = &answers[i];
    bool names = row->says == IDENTITY_STORE_OK || row->says == IDENTITY_STORE_KEY_LOST;
    size_t length;
    uint64_t revision;
    host.loads_as = row->says;
    CHECK_INT(row->name, load(&length, &revision), row->load);
    CHECK_INT(row->name, length, row->says == IDENTITY_STORE_OK ? 5 : 0);
    CHECK_INT(row->name, revision, names ? 12 : 0);
  }
  assert_int_equal(host.swaps, 0);
}

static void each_answer_to_a_swap(void **state) {
  (void)state;
  host.tells_revision = 12;
  for (size_t i = 0; i < COUNT(answers); i++) {
    const answer_row *row = &answers[i];
    uint64_t revision = 77;
    host.swaps_as = row->says;
    CHECK_INT(row->name, put(3, "x", &revision), row->swap);
    CHECK_INT(row->name, revision, row->says == IDENTITY_STORE_OK ? 12 : 77);
  }
  assert_int_equal(host.loads, 0);
}

/* ---- lengths, revisions ---- */

static void a_length_beyond_the_buffer_or_the_bound_is_no_blob(void **state) {
  static const struct {
    const char *name;
    size_t capacity;
    uint64_t length;
    int32_t status;
  } rows[] = {
      {"nothing", MAX, 0, IDENTITY__STORE_OK},
      {"all there is room for", 16, 16, IDENTITY__STORE_OK},
      {"one more", 16, 17, IDENTITY__STORE_IO},
      {"the bound", MAX, MAX, IDENTITY__STORE_OK},
      {"beyond the bound", MAX, MAX + 1, IDENTITY__STORE_IO},
      {"beyond the bound, with room", MAX + 2, MAX + 1, IDENTITY__STORE_IO},
      {"the bound, with room", MAX + 2, MAX, IDENTITY__STORE_OK},
      {"beyond 32 bits", MAX, (UINT64_C(1) << 32) + 1, IDENTITY__STORE_IO},
      {"the most", MAX, UINT64_MAX, IDENTITY__STORE_IO},
  };
  (void)state;
  host.loads_as = IDENTITY_STORE_OK;
  host.tells_revision = 12;
  for (size_t i = 0; i < COUNT(rows); i++) {
    size_t length = 99;
    uint64_t revision = 99;
    bool fits = rows[i].status == IDENTITY__STORE_OK;
    host.tells_length = rows[i].length;
    CHECK_INT(rows[i].name, store.load(store.user_data, "a", buffer, rows[i].capacity, &length, &revision),
              rows[i].status);
    CHECK_INT(rows[i].name, host.capacity, rows[i].capacity);
    CHECK_INT(rows[i].name, length, fits ? rows[i].length : 0);
    CHECK_INT(rows[i].name, revision, fits ? 12 : 0);
  }
}

static void the_longest_blob_and_key_go_through_whole(void **state) {
  (void)state;
  char *key = repeated('k', IDENTITY__MAX_STORE_KEY);
  char *blob = exact_copy(bytes, MAX);
  char *into = repeated('?', MAX - 1); /* MAX bytes with its end */
  size_t length = 0;
  uint64_t revision = 0;
  assert_int_equal(store.swap(store.user_data, key, 0, 0, blob, MAX, &revision), IDENTITY__STORE_OK);
  assert_string_equal(host.key, key);
  assert_int_equal(store.load(store.user_data, key, into, MAX, &length, &revision), IDENTITY__STORE_OK);
  assert_int_equal(length, MAX);
  assert_memory_equal(into, blob, MAX);
  free(into);
  free(blob);
  free(key);
}

/* Revision 0 is "there is none", and the last of all is that of what is lost: a blob cannot have them. */
static void a_revision_that_no_blob_can_have_is_a_failure(void **state) {
  static const uint64_t revisions[] = {0, UINT64_MAX};
  (void)state;
  for (size_t i = 0; i < COUNT(revisions); i++) {
    size_t length = 99;
    uint64_t revision = 99;
    uint64_t untouched = 77;
    host.tells_revision = revisions[i];
    host.loads_as = IDENTITY_STORE_OK;
    host.tells_length = 5;
    assert_int_equal(load(&length, &revision), IDENTITY__STORE_IO);
    assert_int_equal(length, 0);
    assert_int_equal(revision, 0);
    host.swaps_as = IDENTITY_STORE_OK;
    assert_int_equal(put(1, "x", &untouched), IDENTITY__STORE_IO);
    assert_int_equal(untouched, 77);
  }
}

/* ---- what can never be read again ---- */

static void a_lost_blob_is_overwritten_by_the_revision_it_came_with(void **state) {
  (void)state;
  size_t length;
  uint64_t revision;
  host.length = 9;
  host.revision = 8;
  host.loads_as = IDENTITY_STORE_KEY_LOST;
  host.tells_revision = 8;
  assert_int_equal(load(&length, &revision), IDENTITY__STORE_KEY_LOST);
  assert_int_equal(length, 0);
  assert_int_equal(revision, 8);
  assert_int_equal(put(revision, "anew", &revision), IDENTITY__STORE_OK);
  host.loads_as = HONEST;
  assert_stored("anew", 9);
}

static void a_lost_blob_without_a_revision_has_one_that_no_blob_has(void **state) {
  (void)state;
  size_t length;
  uint64_t revision;
  host.loads_as = IDENTITY_STORE_KEY_LOST;
  assert_int_equal(load(&length, &revision), IDENTITY__STORE_KEY_LOST);
  assert_true(revision == IDENTITY__LOST_REVISION);
  host.swaps_as = IDENTITY_STORE_OK;
  host.tells_revision = 3;
  assert_int_equal(put(revision, "anew", &revision), IDENTITY__STORE_OK);
  assert_int_equal(host.expected, 0); /* a host knows nothing of ours */
  assert_int_equal(revision, 3);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

static const struct CMUnitTest tests[] = {
    TEST(what_was_swapped_in_is_loaded),
    TEST(its_revisions_are_handed_on_as_they_are),
    TEST(each_answer_to_a_load),
    TEST(each_answer_to_a_swap),
    TEST(a_length_beyond_the_buffer_or_the_bound_is_no_blob),
    TEST(the_longest_blob_and_key_go_through_whole),
    TEST(a_revision_that_no_blob_can_have_is_a_failure),
    TEST(a_lost_blob_is_overwritten_by_the_revision_it_came_with),
    TEST(a_lost_blob_without_a_revision_has_one_that_no_blob_has),
};

SUITE("host store", tests)
