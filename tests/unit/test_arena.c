#include "support/suite.h"
#include "support/allocations.h"

#include "base/arena.h"

#include <stdalign.h>

static alignas(max_align_t) char storage[256];
static identity__arena arena;

static int begin(void **state) {
  (void)state;
  memset(storage, 'x', sizeof storage);
  identity__arena_init(&arena, storage, sizeof storage);
  return 0;
}

static int end(void **state) {
  (void)state;
  identity__arena_clear(&arena);
  return 0;
}

static int is_lent(const void *memory) {
  return (const char *)memory >= storage && (const char *)memory < storage + sizeof storage;
}

static void assert_zero(const char *bytes, size_t size) {
  for (size_t i = 0; i < size; i++)
    assert_int_equal(bytes[i], 0);
}

static void memory_is_zeroed_and_aligned_for_any_type(void **state) {
  (void)state;
  for (size_t size = 0; size < 100; size++) {
    char *memory = identity__arena_take(&arena, size);
    assert_non_null(memory);
    assert_int_equal((uintptr_t)memory % alignof(max_align_t), 0);
    assert_zero(memory, size);
    memset(memory, 'y', size);
  }
}

static void pieces_do_not_overlap(void **state) {
  (void)state;
  char *pieces[64];
  for (size_t i = 0; i < 64; i++) {
    pieces[i] = identity__arena_take(&arena, 100 + i);
    memset(pieces[i], (int)i, 100 + i);
  }
  for (size_t i = 0; i < 64; i++)
    for (size_t at = 0; at < 100 + i; at++)
      assert_int_equal(pieces[i][at], i);
}

static void pieces_of_no_size_are_different_ones(void **state) {
  (void)state;
  void *first = identity__arena_take(&arena, 0);
  assert_non_null(first);
  assert_ptr_not_equal(first, identity__arena_take(&arena, 0));
}

static void lent_storage_is_used_to_its_last_byte(void **state) {
  (void)state;
  assert_true(is_lent(identity__arena_take(&arena, sizeof storage)));
  assert_false(is_lent(identity__arena_take(&arena, 1)));
}

static void one_byte_more_than_was_lent_is_allocated(void **state) {
  (void)state;
  void *memory = identity__arena_take(&arena, sizeof storage + 1);
  assert_non_null(memory);
  assert_false(is_lent(memory));
}

static void a_piece_larger_than_a_chunk_gets_its_own(void **state) {
  (void)state;
  char *memory = identity__arena_take(&arena, 1 << 20);
  assert_non_null(memory);
  assert_zero(memory, 1 << 20);
}

static void an_arena_without_storage_works(void **state) {
  (void)state;
  identity__arena bare;
  identity__arena_init(&bare, NULL, 0);
  assert_string_equal(identity__arena_text(&bare, "text"), "text");
  identity__arena_clear(&bare);
}

static void absurd_sizes_are_refused(void **state) {
  (void)state;
  assert_null(identity__arena_take(&arena, SIZE_MAX));
  assert_null(identity__arena_take(&arena, SIZE_MAX / 2 + 1));
  assert_true(is_lent(identity__arena_take(&arena, 1)));
}

static void texts_are_copied(void **state) {
  (void)state;
  char text[] = "a text";
  char *copy = identity__arena_text(&arena, text);
  text[0] = 'b';
  assert_string_equal(copy, "a text");
  assert_string_equal(identity__arena_text(&arena, ""), "");
  assert_null(identity__arena_text(&arena, NULL));
}

static void clear_wipes_what_was_lent_and_starts_over(void **state) {
  (void)state;
  (void)identity__arena_text(&arena, "a password");
  (void)identity__arena_take(&arena, 10000);
  identity__arena_clear(&arena);
  assert_zero(storage, sizeof storage);
  assert_ptr_equal(identity__arena_take(&arena, 1), storage);
}

static void without_memory_it_says_so_and_goes_on(void **state) {
  (void)state;
  allocations_left = 0;
  void *large = identity__arena_take(&arena, 5000);
  char *text = identity__arena_text(&arena, "fits into the lent storage");
  allocations_left = -1;
  assert_null(large);
  assert_true(is_lent(text));
  assert_non_null(identity__arena_take(&arena, 5000));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

static const struct CMUnitTest tests[] = {
    TEST(memory_is_zeroed_and_aligned_for_any_type),
    TEST(pieces_do_not_overlap),
    TEST(pieces_of_no_size_are_different_ones),
    TEST(lent_storage_is_used_to_its_last_byte),
    TEST(one_byte_more_than_was_lent_is_allocated),
    TEST(a_piece_larger_than_a_chunk_gets_its_own),
    TEST(an_arena_without_storage_works),
    TEST(absurd_sizes_are_refused),
    TEST(texts_are_copied),
    TEST(clear_wipes_what_was_lent_and_starts_over),
    TEST(without_memory_it_says_so_and_goes_on),
};

SUITE("arena", tests)
