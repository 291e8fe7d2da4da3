#include "support/suite.h"

#include "base/bytes.h"

static void numbers_are_little_endian(void **state) {
  (void)state;
  char bytes[9] = {0};
  identity__put_number(bytes, 0x0102030405060708u, 8);
  assert_memory_equal(bytes, "\x08\x07\x06\x05\x04\x03\x02\x01\0", 9);
  assert_int_equal(identity__get_number(bytes, 8), 0x0102030405060708u);
  assert_int_equal(identity__get_number(bytes, 2), 0x0708);
  assert_int_equal(identity__get_number(bytes, 1), 8);
}

static void the_high_bit_survives(void **state) {
  (void)state;
  char bytes[8];
  identity__put_number(bytes, UINT64_MAX, 8);
  assert_int_equal(identity__get_number(bytes, 8), UINT64_MAX);
  assert_int_equal(identity__get_number(bytes, 4), UINT32_MAX);
}

static void only_the_low_bytes_are_written(void **state) {
  (void)state;
  char bytes[3] = {0, 0, 'x'};
  identity__put_number(bytes, 0x12345678, 2);
  assert_memory_equal(bytes, "\x78\x56x", 3);
}

static void checksum_is_the_known_crc_32(void **state) {
  (void)state;
  static const struct {
    const char *text;
    uint32_t sum;
  } rows[] = {
      {"", 0}, {"123456789", 0xCBF43926}, {"The quick brown fox jumps over the lazy dog", 0x414FA339}};
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
    assert_int_equal(identity__checksum(0, rows[i].text, strlen(rows[i].text)), rows[i].sum);
}

static void checksum_may_be_taken_in_pieces(void **state) {
  (void)state;
  for (size_t cut = 0; cut <= 9; cut++)
    assert_int_equal(identity__checksum(identity__checksum(0, "123456789", cut), &"123456789"[cut], 9 - cut),
                     0xCBF43926);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(numbers_are_little_endian),       cmocka_unit_test(the_high_bit_survives),
    cmocka_unit_test(only_the_low_bytes_are_written),  cmocka_unit_test(checksum_is_the_known_crc_32),
    cmocka_unit_test(checksum_may_be_taken_in_pieces),
};

SUITE("bytes", tests)
