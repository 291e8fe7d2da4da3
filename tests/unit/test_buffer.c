#include "support/suite.h"
#include "support/allocations.h"

#include "base/buffer.h"

enum { MAXIMUM = 1000 };

static identity__buffer buffer;
static char filler[2 * MAXIMUM];

static int begin(void **state) {
  (void)state;
  memset(filler, 'f', sizeof filler);
  identity__buffer_init(&buffer, MAXIMUM);
  return 0;
}

static int end(void **state) {
  (void)state;
  identity__buffer_free(&buffer);
  return 0;
}

static void a_new_one_is_empty_and_owns_nothing(void **state) {
  (void)state;
  assert_null(buffer.bytes);
  assert_int_equal(buffer.length, 0);
  assert_false(buffer.failed);
}

static void what_is_added_stands_in_order_and_ends_with_zero(void **state) {
  (void)state;
  assert_true(identity__buffer_add_text(&buffer, "one "));
  assert_true(identity__buffer_add(&buffer, "two-", 3));
  assert_true(identity__buffer_add_text(&buffer, ""));
  assert_int_equal(buffer.length, 7);
  assert_string_equal(buffer.bytes, "one two");
}

static void bytes_of_any_value_are_kept(void **state) {
  (void)state;
  assert_true(identity__buffer_add(&buffer, "a\0b\xFF", 4));
  assert_int_equal(buffer.length, 4);
  assert_memory_equal(buffer.bytes, "a\0b\xFF", 5);
}

static void nothing_may_be_added(void **state) {
  (void)state;
  assert_true(identity__buffer_add(&buffer, NULL, 0));
  assert_int_equal(buffer.length, 0);
  assert_string_equal(buffer.bytes, "");
}

static void the_bound_is_reached_but_not_passed(void **state) {
  (void)state;
  assert_true(identity__buffer_add(&buffer, filler, MAXIMUM));
  assert_false(buffer.failed);
  assert_int_equal(buffer.bytes[MAXIMUM], 0);
  assert_false(identity__buffer_add(&buffer, "x", 1));
  assert_true(buffer.failed);
  assert_int_equal(buffer.length, MAXIMUM);
}

static void one_byte_more_than_the_bound_is_refused_at_once(void **state) {
  (void)state;
  assert_false(identity__buffer_add(&buffer, filler, MAXIMUM + 1));
  assert_true(buffer.failed);
  assert_int_equal(buffer.length, 0);
}

static void the_bound_holds_when_bytes_come_one_by_one(void **state) {
  (void)state;
  for (int i = 0; i < MAXIMUM; i++)
    assert_true(identity__buffer_add(&buffer, "y", 1));
  assert_false(identity__buffer_add(&buffer, "y", 1));
}

static void absurd_lengths_are_refused(void **state) {
  (void)state;
  assert_true(identity__buffer_add(&buffer, "abc", 3));
  assert_false(identity__buffer_reserve(&buffer, SIZE_MAX));
  identity__buffer_reset(&buffer);
  assert_true(identity__buffer_add(&buffer, "abc", 3));
  assert_false(identity__buffer_reserve(&buffer, SIZE_MAX - 2));
}

static void after_a_failure_nothing_is_taken_until_reset(void **state) {
  (void)state;
  assert_true(identity__buffer_add_text(&buffer, "kept"));
  assert_false(identity__buffer_add(&buffer, filler, MAXIMUM));
  assert_false(identity__buffer_add_text(&buffer, "x"));
  assert_string_equal(buffer.bytes, "kept");
  identity__buffer_reset(&buffer);
  assert_true(identity__buffer_add_text(&buffer, "x"));
  assert_string_equal(buffer.bytes, "x");
}

static void reset_wipes_and_keeps_the_memory(void **state) {
  (void)state;
  assert_true(identity__buffer_add_text(&buffer, "secret"));
  const char *memory = buffer.bytes;
  identity__buffer_reset(&buffer);
  assert_int_equal(buffer.length, 0);
  assert_ptr_equal(buffer.bytes, memory);
  for (size_t i = 0; i < sizeof "secret"; i++)
    assert_int_equal(memory[i], 0);
}

static void reserved_room_may_be_filled_by_hand(void **state) {
  (void)state;
  assert_true(identity__buffer_add_text(&buffer, "a"));
  assert_true(identity__buffer_reserve(&buffer, MAXIMUM - 1));
  memset(buffer.bytes + buffer.length, 'b', MAXIMUM - 1);
  buffer.length += MAXIMUM - 1;
  assert_true(identity__buffer_add(&buffer, "", 0));
  assert_int_equal(strlen(buffer.bytes), MAXIMUM);
}

static void a_bound_of_nothing_takes_nothing(void **state) {
  (void)state;
  identity__buffer none;
  identity__buffer_init(&none, 0);
  assert_true(identity__buffer_add(&none, "", 0));
  assert_false(identity__buffer_add(&none, "x", 1));
  identity__buffer_free(&none);
}

static void free_empties_and_the_bound_stays(void **state) {
  (void)state;
  assert_true(identity__buffer_add_text(&buffer, "secret"));
  identity__buffer_free(&buffer);
  assert_null(buffer.bytes);
  assert_int_equal(buffer.length, 0);
  assert_int_equal(buffer.maximum, MAXIMUM);
  identity__buffer_free(&buffer);
}

static void without_memory_the_content_stays_and_it_is_failed(void **state) {
  (void)state;
  assert_true(identity__buffer_add_text(&buffer, "kept"));
  allocations_left = 0;
  bool added = identity__buffer_add(&buffer, filler, 900);
  allocations_left = -1;
  assert_false(added);
  assert_true(buffer.failed);
  assert_string_equal(buffer.bytes, "kept");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

static const struct CMUnitTest tests[] = {
    TEST(a_new_one_is_empty_and_owns_nothing),
    TEST(what_is_added_stands_in_order_and_ends_with_zero),
    TEST(bytes_of_any_value_are_kept),
    TEST(nothing_may_be_added),
    TEST(the_bound_is_reached_but_not_passed),
    TEST(one_byte_more_than_the_bound_is_refused_at_once),
    TEST(the_bound_holds_when_bytes_come_one_by_one),
    TEST(absurd_lengths_are_refused),
    TEST(after_a_failure_nothing_is_taken_until_reset),
    TEST(reset_wipes_and_keeps_the_memory),
    TEST(reserved_room_may_be_filled_by_hand),
    TEST(a_bound_of_nothing_takes_nothing),
    TEST(free_empties_and_the_bound_stays),
    TEST(without_memory_the_content_stays_and_it_is_failed),
};

SUITE("buffer", tests)
