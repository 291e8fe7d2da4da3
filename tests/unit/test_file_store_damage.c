/* Torn, flipped and cut files: an older blob or "lost" comes out, never another one, and never "absent". */
#include "support/scratch.h"

#include "base/bytes.h"

#include <fcntl.h>

enum { HALF = 68 * 1024, HEADER = 20, STEP = 1024 };

static identity__store store;
static uint64_t older_revision, newer_revision;
static char older[40000], newer[30000]; /* the blobs in the two halves */
static char buffer[IDENTITY__MAX_RECORD];
static char image[2 * HALF];

static int32_t swap_in(uint64_t expected, int32_t both, const void *blob, size_t length, uint64_t *revision) {
  return store.swap(store.user_data, "a", expected, both, blob, length, revision);
}

static int32_t load_blob(size_t *length, uint64_t *revision) {
  return store.load(store.user_data, "a", buffer, sizeof buffer, length, revision);
}

static int32_t load_status(void) {
  size_t length = 0;
  uint64_t revision = 0;
  return load_blob(&length, &revision);
}

static void read_image(void) {
  int file = open(scratch_file, O_RDONLY | O_CLOEXEC);
  assert_int_equal(read(file, image, sizeof image), sizeof image);
  (void)close(file);
}

static void write_image(size_t size) {
  int file = open(scratch_file, O_WRONLY | O_TRUNC | O_CLOEXEC);
  assert_int_equal(write(file, image, size), size);
  (void)close(file);
}

static int begin(void **state) {
  if (scratch_make(state) != 0 || identity__file_store(&store, scratch_store) != IDENTITY__STORE_OK)
    return -1;
  for (size_t i = 0; i < sizeof older; i++)
    older[i] = (char)("older blob "[i % 11] ^ (char)(i >> 8));
  for (size_t i = 0; i < sizeof newer; i++)
    newer[i] = (char)("newer blob "[i % 11] ^ (char)(i >> 8));
  if (swap_in(0, 0, older, sizeof older, &older_revision) != IDENTITY__STORE_OK)
    return -1;
  return swap_in(older_revision, 0, newer, sizeof newer, &newer_revision);
}

static int end(void **state) {
  store.destroy(store.user_data);
  return scratch_remove(state);
}

static int holds(const char *blob, size_t size, uint64_t revision) {
  size_t length = 0;
  uint64_t loaded = 0;
  return load_blob(&length, &loaded) == IDENTITY__STORE_OK && length == size && loaded == revision &&
         memcmp(buffer, blob, size) == 0;
}

static int holds_older(void) {
  return holds(older, sizeof older, older_revision);
}

static int holds_newer(void) {
  return holds(newer, sizeof newer, newer_revision);
}

static int is_lost(void) {
  size_t length = 99;
  uint64_t revision = 0;
  return load_blob(&length, &revision) == IDENTITY__STORE_KEY_LOST && length == 0 &&
         revision == IDENTITY__LOST_REVISION;
}

static int contains(const char *text) {
  read_image();
  return memmem(image, sizeof image, text, strlen(text)) != NULL;
}

static void a_cut_file_gives_what_is_whole(void **state) {
  (void)state;
  read_image();
  for (size_t size = STEP; size <= sizeof image; size += STEP) {
    write_image(size);
    if (size < HEADER + sizeof older)
      assert_true(is_lost());
    else if (size < HALF + HEADER + sizeof newer)
      assert_true(holds_older());
    else
      assert_true(holds_newer());
  }
}

static void a_cut_file_is_mended_by_the_next_swap(void **state) {
  (void)state;
  uint64_t revision = 0;
  read_image();
  write_image(HALF);
  assert_true(holds_older());
  assert_int_equal(swap_in(older_revision, 0, newer, sizeof newer, &revision), IDENTITY__STORE_OK);
  assert_true(holds(newer, sizeof newer, revision));
  read_image(); /* it has its whole size again */
}

static void an_emptied_file_is_absent(void **state) {
  (void)state;
  write_image(0);
  assert_int_equal(load_status(), IDENTITY__STORE_ABSENT);
  memset(image, 0, sizeof image);
  write_image(100);
  assert_int_equal(load_status(), IDENTITY__STORE_ABSENT);
  write_image(sizeof image);
  assert_int_equal(load_status(), IDENTITY__STORE_ABSENT);
}

static void a_blob_without_its_first_header_is_absent(void **state) {
  (void)state;
  uint64_t revision = 0;
  memset(image, 0, sizeof image);
  memcpy(image + HEADER, "half-made secret", sizeof "half-made secret");
  memcpy(image + 60000, "half-made secret", sizeof "half-made secret");
  write_image(sizeof image);
  assert_int_equal(load_status(), IDENTITY__STORE_ABSENT);
  assert_int_equal(swap_in(0, 0, "x", 1, &revision), IDENTITY__STORE_OK);
  assert_false(contains("half-made"));
}

static void damage_of_the_newer_half_gives_the_older_blob(void **state) {
  (void)state;
  read_image();
  for (size_t at = HALF; at < sizeof image; at += at < HALF + HEADER ? 1 : STEP) {
    image[at] ^= 0x10;
    write_image(sizeof image);
    assert_true(at < HALF + HEADER + sizeof newer ? holds_older() : holds_newer());
    image[at] ^= 0x10;
  }
}

static void damage_of_the_older_half_changes_nothing(void **state) {
  (void)state;
  read_image();
  for (size_t at = 0; at < HALF; at += at < HEADER ? 1 : STEP) {
    image[at] ^= 0x01;
    write_image(sizeof image);
    assert_true(holds_newer());
    image[at] ^= 0x01;
  }
}

static void every_bit_of_a_header_counts(void **state) {
  (void)state;
  read_image();
  for (size_t bit = 0; bit < (size_t)8 * HEADER; bit++) {
    image[HALF + bit / 8] = (char)(image[HALF + bit / 8] ^ 1 << bit % 8);
    write_image(sizeof image);
    assert_true(holds_older());
    image[HALF + bit / 8] = (char)(image[HALF + bit / 8] ^ 1 << bit % 8);
  }
}

static void damage_of_both_halves_is_lost_and_not_absent(void **state) {
  (void)state;
  read_image();
  for (size_t at = 0; at < HEADER + sizeof newer; at += at < HEADER ? 1 : STEP) {
    image[at] ^= 0x20;
    image[HALF + at] ^= 0x20;
    write_image(sizeof image);
    assert_true(is_lost());
    image[at] ^= 0x20;
    image[HALF + at] ^= 0x20;
  }
}

static void what_is_lost_is_overwritten_only_on_purpose(void **state) {
  (void)state;
  uint64_t revision = 0;
  read_image();
  image[HEADER] ^= 1;
  image[HALF + HEADER] ^= 1;
  write_image(sizeof image);
  assert_int_equal(swap_in(0, 0, "x", 1, &revision), IDENTITY__STORE_CONFLICT);
  assert_int_equal(swap_in(newer_revision, 0, "x", 1, &revision), IDENTITY__STORE_CONFLICT);
  assert_true(is_lost());
  assert_int_equal(swap_in(IDENTITY__LOST_REVISION, 0, "found", 5, &revision), IDENTITY__STORE_OK);
  assert_true(holds("found", 5, revision));
  assert_int_equal(swap_in(IDENTITY__LOST_REVISION, 0, "x", 1, &revision), IDENTITY__STORE_CONFLICT);
  assert_int_equal(swap_in(newer_revision, 0, "x", 1, &revision), IDENTITY__STORE_CONFLICT);
  assert_false(contains("older blob"));
  assert_false(contains("newer blob"));
}

static void a_swap_goes_to_the_broken_half(void **state) {
  (void)state;
  uint64_t revision = 0;
  read_image();
  image[HALF] ^= 1;
  write_image(sizeof image);
  assert_int_equal(swap_in(older_revision, 0, "third", 5, &revision), IDENTITY__STORE_OK);
  assert_true(holds("third", 5, revision));
  read_image();
  image[HALF] ^= 1;
  write_image(sizeof image);
  assert_true(holds_older());
}

static void after_both_copies_no_earlier_one_comes_back(void **state) {
  (void)state;
  uint64_t revision = 0;
  assert_int_equal(swap_in(newer_revision, 1, "signed out", 10, &revision), IDENTITY__STORE_OK);
  read_image();
  for (size_t half = 0; half < 2; half++) {
    image[half * HALF + HEADER] ^= 1;
    write_image(sizeof image);
    size_t length = 0;
    uint64_t loaded = 0;
    assert_int_equal(load_blob(&length, &loaded), IDENTITY__STORE_OK);
    assert_memory_equal(buffer, "signed out", 10);
    assert_true(loaded > newer_revision);
    image[half * HALF + HEADER] ^= 1;
  }
}

static void after_both_copies_no_byte_of_earlier_ones_is_left(void **state) {
  (void)state;
  uint64_t revision = 0;
  assert_true(contains("older blob"));
  assert_true(contains("newer blob"));
  read_image(); /* and what a broken write may have left behind the blobs */
  memcpy(image + HALF - sizeof "older blob", "older blob", sizeof "older blob");
  memcpy(image + HALF + HEADER + sizeof newer, "newer blob", sizeof "newer blob");
  write_image(sizeof image);
  assert_int_equal(swap_in(newer_revision, 1, "signed out", 10, &revision), IDENTITY__STORE_OK);
  read_image();
  for (size_t half = 0; half < 2; half++) {
    assert_memory_equal(image + half * HALF + HEADER, "signed out", 10);
    for (size_t at = HEADER + 10; at < HALF; at++)
      assert_int_equal(image[half * HALF + at], 0);
  }
}

static void a_shorter_blob_leaves_nothing_of_the_longer(void **state) {
  (void)state;
  uint64_t revision = 0;
  assert_int_equal(swap_in(newer_revision, 0, "third", 5, &revision), IDENTITY__STORE_OK);
  assert_false(contains("older blob"));
  assert_true(contains("newer blob"));
}

static void a_longer_file_is_read_all_the_same(void **state) {
  (void)state;
  int file = open(scratch_file, O_WRONLY | O_APPEND | O_CLOEXEC);
  assert_int_equal(write(file, "junk", 4), 4);
  (void)close(file);
  assert_true(holds_newer());
}

/* The last numbers have no successor, and the very last one means "lost". */
static void a_sequence_without_successors_is_not_believed(void **state) {
  (void)state;
  static const struct {
    uint64_t sequence;
    int believed;
  } rows[] = {{0, 0}, {1, 1}, {UINT64_MAX - 3, 1}, {UINT64_MAX - 2, 0}, {UINT64_MAX - 1, 0}, {UINT64_MAX, 0}};
  read_image();
  memset(image + HALF, 0, HALF);
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
    uint64_t revision = 0;
    identity__put_number(image + 8, rows[i].sequence, 8);
    uint32_t sum = identity__checksum(0, image, 16);
    identity__put_number(image + 16, identity__checksum(sum, image + HEADER, sizeof older), 4);
    write_image(sizeof image);
    if (!rows[i].believed) {
      assert_true(is_lost());
      continue;
    }
    assert_true(holds(older, sizeof older, rows[i].sequence));
    assert_int_equal(swap_in(rows[i].sequence, 1, "next", 4, &revision), IDENTITY__STORE_OK);
    assert_true(revision > rows[i].sequence && revision < IDENTITY__LOST_REVISION);
  }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

static const struct CMUnitTest tests[] = {
    TEST(a_cut_file_gives_what_is_whole),
    TEST(a_cut_file_is_mended_by_the_next_swap),
    TEST(an_emptied_file_is_absent),
    TEST(a_blob_without_its_first_header_is_absent),
    TEST(damage_of_the_newer_half_gives_the_older_blob),
    TEST(damage_of_the_older_half_changes_nothing),
    TEST(every_bit_of_a_header_counts),
    TEST(damage_of_both_halves_is_lost_and_not_absent),
    TEST(what_is_lost_is_overwritten_only_on_purpose),
    TEST(a_swap_goes_to_the_broken_half),
    TEST(after_both_copies_no_earlier_one_comes_back),
    TEST(after_both_copies_no_byte_of_earlier_ones_is_left),
    TEST(a_shorter_blob_leaves_nothing_of_the_longer),
    TEST(a_longer_file_is_read_all_the_same),
    TEST(a_sequence_without_successors_is_not_believed),
};

SUITE("file store damage", tests)
