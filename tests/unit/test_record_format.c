/* The bytes of a record: built by hand here, with a checksum of its own. */
#include "support/records.h"

enum { ENVELOPE = 16 };

static uint32_t plain_crc(uint32_t sum, const char *from, size_t length) {
  for (size_t i = 0; i < length; i++) {
    sum ^= (uint8_t)from[i];
    for (int bit = 0; bit < 8; bit++)
      sum = (sum & 1) != 0 ? sum >> 1 ^ 0xEDB88320 : sum >> 1;
  }
  return sum;
}

static void put_32(char *at, uint32_t value) {
  for (int i = 0; i < 4; i++)
    at[i] = (char)(value >> (8 * i));
}

/* Makes an envelope right again after its bytes were changed. */
static void seal(char *from, size_t length) {
  put_32(from + 8, (uint32_t)(length - ENVELOPE));
  put_32(from + 12, ~plain_crc(plain_crc(UINT32_MAX, from, 12), from + ENVELOPE, length - ENVELOPE));
}

/* A change of these sums means that records of older releases can no longer be read: raise the version
 * instead. */
static void the_format_does_not_drift(void **state) {
  (void)state;
  fill(&source);
  encode_source();
  assert_memory_equal(bytes.bytes, "IDRC\1\0\0\0", 8);
  assert_int_equal(bytes.length, 577);
  assert_int_equal(~plain_crc(UINT32_MAX, bytes.bytes, bytes.length), 0xACB6070E);
}

static void every_truncation_is_corrupt(void **state) {
  (void)state;
  fill(&source);
  encode_source();
  for (size_t length = 0; length < bytes.length; length++) {
    assert_int_equal(decode_part(bytes.bytes, length), IDENTITY__RECORD_CORRUPT);
    assert_empty(&target);
  }
  assert_int_equal(identity__record_decode(NULL, 0, BINDING, &target), IDENTITY__RECORD_CORRUPT);
}

static void a_byte_more_is_corrupt(void **state) {
  (void)state;
  fill(&source);
  encode_source();
  assert_true(identity__buffer_add(&bytes, "\0", 1));
  assert_int_equal(decode_part(bytes.bytes, bytes.length), IDENTITY__RECORD_CORRUPT);
}

static void every_flipped_bit_is_corrupt(void **state) {
  (void)state;
  fill(&source);
  encode_source();
  for (size_t bit = 0; bit < 8 * bytes.length; bit++) {
    bytes.bytes[bit / 8] = (char)(bytes.bytes[bit / 8] ^ 1 << bit % 8);
    assert_int_equal(decode_part(bytes.bytes, bytes.length), IDENTITY__RECORD_CORRUPT);
    assert_empty(&target);
    bytes.bytes[bit / 8] = (char)(bytes.bytes[bit / 8] ^ 1 << bit % 8);
  }
}

/* Behind a right checksum, as from a writer gone wrong: whatever is accepted can be written again. */
static void every_truncation_and_flip_with_a_right_checksum_is_survived(void **state) {
  (void)state;
  identity__buffer again;
  identity__buffer_init(&again, IDENTITY__MAX_RECORD);
  fill(&source);
  encode_source();
  for (size_t cut = ENVELOPE; cut < bytes.length; cut++) {
    char copy[4096];
    memcpy(copy, bytes.bytes, cut);
    seal(copy, cut);
    (void)decode_part(copy, cut);
  }
  for (size_t bit = 0; bit < 8 * (bytes.length - ENVELOPE); bit++) {
    char copy[4096];
    memcpy(copy, bytes.bytes, bytes.length);
    copy[ENVELOPE + bit / 8] = (char)(copy[ENVELOPE + bit / 8] ^ 1 << bit % 8);
    seal(copy, bytes.length);
    int32_t status = decode_part(copy, bytes.length);
    assert_true(status == IDENTITY__RECORD_OK || status == IDENTITY__RECORD_CORRUPT);
    if (status == IDENTITY__RECORD_OK)
      assert_true(identity__record_encode(&target, BINDING, &again));
    identity__buffer_reset(&again);
  }
  identity__buffer_free(&again);
}

static void bytes_of_another_binding_are_corrupt(void **state) {
  (void)state;
  static const char *const others[] = {"", "sandbox/123456789/viewer-2", "sandbox/123456789/viewer-",
                                       BINDING "1"};
  fill(&source);
  for (size_t i = 0; i < COUNT(others); i++) {
    identity__buffer_reset(&bytes);
    assert_true(identity__record_encode(&source, others[i], &bytes));
    assert_int_equal(decode_part(bytes.bytes, bytes.length), IDENTITY__RECORD_CORRUPT);
    assert_empty(&target);
  }
}

static void a_newer_version_is_told_apart_from_damage(void **state) {
  (void)state;
  fill(&source);
  encode_source();
  bytes.bytes[4] = 2;
  assert_int_equal(decode_part(bytes.bytes, bytes.length), IDENTITY__RECORD_CORRUPT);
  seal(bytes.bytes, bytes.length);
  assert_int_equal(decode_part(bytes.bytes, bytes.length), IDENTITY__RECORD_NEWER);
  assert_empty(&target);
  put_32(bytes.bytes + 4, UINT32_MAX);
  memset(bytes.bytes + ENVELOPE, 0xFF, bytes.length - ENVELOPE); /* its body is its own business */
  seal(bytes.bytes, bytes.length);
  assert_int_equal(decode_part(bytes.bytes, bytes.length), IDENTITY__RECORD_NEWER);
  put_32(bytes.bytes + 4, 0);
  seal(bytes.bytes, bytes.length);
  assert_int_equal(decode_part(bytes.bytes, bytes.length), IDENTITY__RECORD_CORRUPT);
}

/* Elements added to an empty body with only the binding in it. */
static int32_t decode_elements(const char *elements, size_t length) {
  static const char binding[] = "\1\0\32\0" BINDING;
  char *record = calloc(1, ENVELOPE + sizeof binding - 1 + length);
  assert_non_null(record);
  memcpy(record, "IDRC\1\0\0", 8);
  memcpy(record + ENVELOPE, binding, sizeof binding - 1);
  memcpy(record + ENVELOPE + sizeof binding - 1, elements, length);
  seal(record, ENVELOPE + sizeof binding - 1 + length);
  int32_t status = decode_part(record, ENVELOPE + sizeof binding - 1 + length);
  free(record);
  return status;
}

#define ELEMENTS(text) (text), sizeof(text) - 1
#define NUMBER "\10\0"
#define ZERO "\0\0\0\0\0\0\0\0"
#define ONE "\1\0\0\0\0\0\0\0"

static const struct {
  const char *elements;
  size_t length;
  int32_t status;
} element_rows[] = {
    {ELEMENTS(""), IDENTITY__RECORD_OK},
    {ELEMENTS("\2\0" NUMBER ONE), IDENTITY__RECORD_OK},
    {ELEMENTS("\2\0" NUMBER ONE "\2\0" NUMBER ONE), IDENTITY__RECORD_CORRUPT}, /* twice */
    {ELEMENTS("\2\0\7\0\1\0\0\0\0\0\0"), IDENTITY__RECORD_CORRUPT},            /* a short number */
    {ELEMENTS("\2\0\11\0" ONE "\0"), IDENTITY__RECORD_CORRUPT},                /* a long one */
    {ELEMENTS("\2\0" NUMBER "\1\0\0\0\0\0\0\x80"), IDENTITY__RECORD_CORRUPT},  /* an epoch below 0 */
    {ELEMENTS("\4\0" NUMBER "\2\0\0\0\0\0\0\0"), IDENTITY__RECORD_OK},         /* standing */
    {ELEMENTS("\4\0" NUMBER "\3\0\0\0\0\0\0\0"), IDENTITY__RECORD_CORRUPT},    /* unknown */
    {ELEMENTS("\4\0" NUMBER "\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF"), IDENTITY__RECORD_CORRUPT},
    {ELEMENTS("\4\0" NUMBER "\0\0\0\0\1\0\0\0"), IDENTITY__RECORD_CORRUPT},  /* 2^32 */
    {ELEMENTS("\16\0" NUMBER "\2\0\0\0\0\0\0\0"), IDENTITY__RECORD_CORRUPT}, /* a flag of 2 */
    {ELEMENTS("\10\0" NUMBER "\0\0\0\0\0\0\0\20"), IDENTITY__RECORD_OK},     /* a time of 2^60 */
    {ELEMENTS("\10\0" NUMBER "\1\0\0\0\0\0\0\20"), IDENTITY__RECORD_CORRUPT},
    {ELEMENTS("\10\0" NUMBER "\0\0\0\0\0\0\0\xF0"), IDENTITY__RECORD_OK}, /* -2^60 */
    {ELEMENTS("\10\0" NUMBER "\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xEF"), IDENTITY__RECORD_CORRUPT},
    {ELEMENTS("\12\0\47\0"
              "123456789012345678901234567890123456789"),
     IDENTITY__RECORD_OK}, /* boot id */
    {ELEMENTS("\12\0\50\0"
              "1234567890123456789012345678901234567890"),
     IDENTITY__RECORD_CORRUPT},
    {ELEMENTS("\12\0\2\0\xC3\xA4"), IDENTITY__RECORD_OK},
    {ELEMENTS("\12\0\1\0\xC3"), IDENTITY__RECORD_CORRUPT},             /* not UTF-8 */
    {ELEMENTS("\12\0\3\0a\0b"), IDENTITY__RECORD_CORRUPT},             /* a zero in a text */
    {ELEMENTS("\xFF\xFF\3\0abc\2\0" NUMBER ONE), IDENTITY__RECORD_OK}, /* an unknown tag */
    {ELEMENTS("\xFF\xFF\0\0\xFF\xFF\0\0"), IDENTITY__RECORD_OK},       /* twice */
    {ELEMENTS("\xFF\xFF\4\0abc"), IDENTITY__RECORD_CORRUPT},           /* longer than there is */
    {ELEMENTS("\xFF\xFF\xFF\xFF"), IDENTITY__RECORD_CORRUPT},
    {ELEMENTS("\xFF"), IDENTITY__RECORD_CORRUPT},
    {ELEMENTS("\6\0\0\0"), IDENTITY__RECORD_OK},              /* a grant of nothing */
    {ELEMENTS("\6\0\0\0\6\0\0\0"), IDENTITY__RECORD_CORRUPT}, /* two of them */
    {ELEMENTS("\6\0\7\0\1\0\3\0jwt"), IDENTITY__RECORD_OK},
    {ELEMENTS("\6\0\10\0\1\0\5\0jwt\0\0"), IDENTITY__RECORD_CORRUPT},        /* over the group's end */
    {ELEMENTS("\6\0\16\0\1\0\3\0jwt\1\0\3\0jwt"), IDENTITY__RECORD_CORRUPT}, /* two JWTs */
    {ELEMENTS("\6\0\13\0\1\0\3\0jwt\xFF\xFF\0\0"), IDENTITY__RECORD_OK},     /* unknown in a group */
    {ELEMENTS("\6\0\3\0\1\0\0"), IDENTITY__RECORD_CORRUPT},
    {ELEMENTS("\20\0\10\0\1\0\0\0\2\0\0\0"), IDENTITY__RECORD_OK}, /* a consent */
    {ELEMENTS("\20\0\4\0\1\0\0\0"), IDENTITY__RECORD_CORRUPT},     /* without a version */
    {ELEMENTS("\20\0\4\0\2\0\0\0"), IDENTITY__RECORD_CORRUPT},     /* without a name */
    {ELEMENTS("\20\0\0\0"), IDENTITY__RECORD_CORRUPT},
    {ELEMENTS("\17\0" NUMBER ZERO "\17\0" NUMBER ZERO "\17\0" NUMBER ZERO "\17\0" NUMBER ONE),
     IDENTITY__RECORD_OK},
    {ELEMENTS("\17\0" NUMBER ZERO "\17\0" NUMBER ZERO "\17\0" NUMBER ZERO "\17\0" NUMBER ONE
              "\17\0" NUMBER ONE),
     IDENTITY__RECORD_CORRUPT}, /* a fifth */
};

static void single_elements_are_judged(void **state) {
  (void)state;
  for (size_t i = 0; i < COUNT(element_rows); i++) {
    if (decode_elements(element_rows[i].elements, element_rows[i].length) != element_rows[i].status)
      fail_msg("row %zu", i);
    if (element_rows[i].status != IDENTITY__RECORD_OK)
      assert_empty(&target);
  }
}

static void consents_are_counted(void **state) {
  (void)state;
  static const char consent[] = "\20\0\10\0\1\0\0\0\2\0\0\0";
  char elements[(IDENTITY__MAX_PENDING_CONSENTS + 1) * (sizeof consent - 1)];
  for (size_t i = 0; i <= IDENTITY__MAX_PENDING_CONSENTS; i++)
    memcpy(elements + i * (sizeof consent - 1), consent, sizeof consent - 1);
  assert_int_equal(decode_elements(elements, sizeof elements - (sizeof consent - 1)), IDENTITY__RECORD_OK);
  assert_int_equal(target.pending_count, IDENTITY__MAX_PENDING_CONSENTS);
  assert_int_equal(decode_elements(elements, sizeof elements), IDENTITY__RECORD_CORRUPT);
}

static void the_binding_has_to_be_there(void **state) {
  (void)state;
  char record[ENVELOPE + 4] = "IDRC\1\0\0";
  seal(record, ENVELOPE);
  assert_int_equal(decode_part(record, ENVELOPE), IDENTITY__RECORD_CORRUPT);
  record[ENVELOPE] = 6; /* a grant of nothing */
  seal(record, sizeof record);
  assert_int_equal(decode_part(record, sizeof record), IDENTITY__RECORD_CORRUPT);
}

static void an_over_long_text_behind_a_right_checksum_is_corrupt(void **state) {
  (void)state;
  enum { LONG = IDENTITY__MAX_TOKEN + 1 };
  static char elements[4 + 4 + LONG];
  memset(elements, 'x', sizeof elements);
  static const char too_long[] = {6, 0, 5, 64, 1, 0, 1, 64};
  memcpy(elements, too_long, sizeof too_long);
  assert_int_equal(decode_elements(elements, sizeof elements), IDENTITY__RECORD_CORRUPT);
  static const char longest[] = {6, 0, 4, 64, 1, 0, 0, 64};
  memcpy(elements, longest, sizeof longest);
  assert_int_equal(decode_elements(elements, sizeof elements - 1), IDENTITY__RECORD_OK);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

static const struct CMUnitTest tests[] = {
    TEST(the_format_does_not_drift),
    TEST(every_truncation_is_corrupt),
    TEST(a_byte_more_is_corrupt),
    TEST(every_flipped_bit_is_corrupt),
    TEST(every_truncation_and_flip_with_a_right_checksum_is_survived),
    TEST(bytes_of_another_binding_are_corrupt),
    TEST(a_newer_version_is_told_apart_from_damage),
    TEST(single_elements_are_judged),
    TEST(consents_are_counted),
    TEST(the_binding_has_to_be_there),
    TEST(an_over_long_text_behind_a_right_checksum_is_corrupt),
};

SUITE("record format", tests)
