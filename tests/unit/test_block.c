#include "support/suite.h"
#include "support/allocations.h"

#include "base/block.h"

#include <stdalign.h>

static void cost_is_rounded_up_so_that_the_next_piece_is_aligned(void **state) {
  (void)state;
  size_t unit = alignof(max_align_t);
  assert_int_equal(identity__block_cost(0), 0);
  assert_int_equal(identity__block_cost(1), unit);
  assert_int_equal(identity__block_cost(unit), unit);
  assert_int_equal(identity__block_cost(unit + 1), 2 * unit);
}

static void a_text_costs_its_bytes_and_the_end(void **state) {
  (void)state;
  assert_int_equal(identity__block_text_cost(NULL), 0);
  assert_int_equal(identity__block_text_cost(""), 1);
  assert_int_equal(identity__block_text_cost("abc"), 4);
}

static void pieces_are_zeroed_aligned_and_the_first_is_the_base(void **state) {
  (void)state;
  identity__block block;
  assert_true(identity__block_init(&block, identity__block_cost(3) + identity__block_cost(40)));
  char *first = identity__block_take(&block, 3);
  char *second = identity__block_take(&block, 40);
  assert_ptr_equal(first, block.base);
  assert_int_equal((uintptr_t)second % alignof(max_align_t), 0);
  assert_ptr_equal(second, first + identity__block_cost(3));
  for (size_t i = 0; i < 40; i++)
    assert_int_equal(second[i], 0);
  free(block.base);
}

static void texts_are_copied_and_end_with_zero(void **state) {
  (void)state;
  identity__block block;
  char text[] = "text";
  assert_true(identity__block_init(&block, 100));
  const char *copy = identity__block_text(&block, text);
  const char *part = identity__block_text_part(&block, "partly", 4);
  text[0] = 'T';
  assert_string_equal(copy, "text");
  assert_string_equal(part, "part");
  assert_string_equal(identity__block_text(&block, ""), "");
  assert_string_equal(identity__block_text_part(&block, "unused", 0), "");
  assert_null(identity__block_text(&block, NULL));
  free(block.base);
}

static void a_measured_block_is_filled_to_its_last_byte(void **state) {
  (void)state;
  static const char *const texts[] = {"a", "", "four", NULL, "a longer text"};
  size_t size = 2 * identity__block_cost(24);
  for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
    size += identity__block_text_cost(texts[i]);
  identity__block block;
  assert_true(identity__block_init(&block, size));
  char *first = identity__block_take(&block, 24);
  memset(first, 'x', 24);
  for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
    const char *copy = identity__block_text(&block, texts[i]);
    if (texts[i] != NULL)
      assert_string_equal(copy, texts[i]);
  }
  char *last = identity__block_take(&block, 24);
  assert_non_null(last);
  assert_int_equal(block.used, block.size);
  assert_int_equal(last[0], 0);
  free(block.base);
}

static void without_memory_there_is_no_block(void **state) {
  (void)state;
  identity__block block;
  allocations_left = 0;
  bool made = identity__block_init(&block, 100);
  allocations_left = -1;
  assert_false(made);
  assert_null(block.base);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(cost_is_rounded_up_so_that_the_next_piece_is_aligned),
    cmocka_unit_test(a_text_costs_its_bytes_and_the_end),
    cmocka_unit_test(pieces_are_zeroed_aligned_and_the_first_is_the_base),
    cmocka_unit_test(texts_are_copied_and_end_with_zero),
    cmocka_unit_test(a_measured_block_is_filled_to_its_last_byte),
    cmocka_unit_test(without_memory_there_is_no_block),
};

SUITE("block", tests)
