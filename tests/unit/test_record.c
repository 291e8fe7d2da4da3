#include "support/allocations.h"
#include "support/records.h"

static char *long_text(size_t length) {
  char *made = malloc(length + 1);
  assert_non_null(made);
  memset(made, 'x', length);
  made[length] = '\0';
  return made;
}

static void replace(char **place, char *value) {
  free(*place);
  *place = value;
}

enum { MOST_TEXTS = 6 + 2 * IDENTITY__MAX_PENDING_CONSENTS };

typedef struct parts {
  identity__record record; /* without its texts and its list */
  identity_consent_answer pending[IDENTITY__MAX_PENDING_CONSENTS];
  char *texts[MOST_TEXTS];
  size_t count;
} parts;

static void take_apart(const identity__record *whole, parts *all) {
  memset(all, 0, sizeof *all);
  memcpy(&all->record, whole, sizeof all->record);
  identity__record *record = &all->record;
  char **places[MOST_TEXTS] = {
      &record->grant.jwt,         &record->grant.refresh_token, &record->grant.customer_token,
      &record->grant.customer_id, &record->grant.publisher_id,  &record->grant.email};
  all->count = 6;
  for (uint32_t i = 0; i < record->pending_count; i++) {
    memcpy(&all->pending[i], &record->pending[i], sizeof all->pending[i]);
    places[all->count++] = (char **)&all->pending[i].name;
    places[all->count++] = (char **)&all->pending[i].version;
  }
  for (size_t i = 0; i < all->count; i++) {
    all->texts[i] = *places[i];
    *places[i] = NULL;
  }
  record->pending = NULL;
}

/* The texts one by one, everything else by its bytes: a member that is added later is compared too. */
static void assert_same(const identity__record *a, const identity__record *b) {
  static parts of_a, of_b;
  take_apart(a, &of_a);
  take_apart(b, &of_b);
  assert_int_equal(of_a.count, of_b.count);
  for (size_t i = 0; i < of_a.count; i++) {
    assert_int_equal(of_a.texts[i] == NULL, of_b.texts[i] == NULL);
    if (of_a.texts[i] == NULL)
      continue;
    assert_string_equal(of_a.texts[i], of_b.texts[i]);
    assert_ptr_not_equal(of_a.texts[i], of_b.texts[i]);
  }
  assert_memory_equal(&of_a.record, &of_b.record, sizeof of_a.record);
  assert_memory_equal(of_a.pending, of_b.pending, sizeof of_a.pending);
  assert_true(a->pending == NULL || a->pending != b->pending);
}

static void a_new_record_says_that_nobody_ever_signed_in(void **state) {
  (void)state;
  assert_int_equal(target.standing, IDENTITY__RECORD_SIGNED_OUT);
  assert_int_equal(target.reason, IDENTITY_REASON_NEVER_SIGNED_IN);
  assert_int_equal(target.epoch, 0);
  assert_null(target.grant.jwt);
}

static void every_member_comes_back(void **state) {
  (void)state;
  fill(&source);
  encode_source();
  assert_int_equal(decode_part(bytes.bytes, bytes.length), IDENTITY__RECORD_OK);
  assert_same(&source, &target);
}

static void an_empty_record_comes_back(void **state) {
  (void)state;
  encode_source();
  assert_true(bytes.length < 1024);
  assert_int_equal(decode_part(bytes.bytes, bytes.length), IDENTITY__RECORD_OK);
  assert_empty(&target);
}

static void an_empty_text_is_not_an_absent_one(void **state) {
  (void)state;
  source.grant.jwt = text("");
  encode_source();
  assert_int_equal(decode_part(bytes.bytes, bytes.length), IDENTITY__RECORD_OK);
  assert_string_equal(target.grant.jwt, "");
  assert_null(target.grant.refresh_token);
}

static void what_the_target_held_is_replaced(void **state) {
  (void)state;
  encode_source();
  fill(&target);
  assert_int_equal(decode_part(bytes.bytes, bytes.length), IDENTITY__RECORD_OK);
  assert_empty(&target);
}

static const struct {
  size_t offset;
  size_t maximum;
} text_limits[] = {
    {offsetof(identity__record, grant.jwt), IDENTITY__MAX_TOKEN},
    {offsetof(identity__record, grant.refresh_token), IDENTITY__MAX_TOKEN},
    {offsetof(identity__record, grant.customer_token), IDENTITY__MAX_TOKEN},
    {offsetof(identity__record, grant.customer_id), IDENTITY__MAX_ID},
    {offsetof(identity__record, grant.publisher_id), IDENTITY__MAX_ID},
    {offsetof(identity__record, grant.email), IDENTITY__MAX_EMAIL},
};

static void text_is_taken_up_to(char **place, size_t maximum) {
  replace(place, long_text(maximum));
  encode_source();
  assert_int_equal(decode_part(bytes.bytes, bytes.length), IDENTITY__RECORD_OK);
  assert_same(&source, &target);
  replace(place, long_text(maximum + 1));
  identity__buffer_reset(&bytes);
  assert_false(identity__record_encode(&source, BINDING, &bytes));
  assert_int_equal(bytes.length, 0);
  replace(place, text("x"));
}

static void texts_are_taken_up_to_their_limit(void **state) {
  (void)state;
  fill(&source);
  for (size_t i = 0; i < COUNT(text_limits); i++)
    text_is_taken_up_to((char **)(void *)((char *)&source + text_limits[i].offset), text_limits[i].maximum);
  text_is_taken_up_to((char **)&source.pending[1].name, IDENTITY__MAX_CONSENT_TEXT);
  text_is_taken_up_to((char **)&source.pending[1].version, IDENTITY__MAX_CONSENT_TEXT);
}

static void what_could_not_be_read_back_is_not_written(void **state) {
  (void)state;
  fill(&source);
  encode_source();
#define REFUSED(change, undo)                                                                                \
  do {                                                                                                       \
    change;                                                                                                  \
    identity__buffer_reset(&bytes);                                                                          \
    assert_false(identity__record_encode(&source, BINDING, &bytes));                                         \
    assert_int_equal(bytes.length, 0);                                                                       \
    undo;                                                                                                    \
    encode_source();                                                                                         \
  } while (0)
  REFUSED(source.epoch = (uint64_t)INT64_MAX + 1, source.epoch = 0);
  REFUSED(source.standing = 3, source.standing = 0);
  REFUSED(source.standing = -1, source.standing = 0);
  REFUSED(source.ambiguous = 2, source.ambiguous = 1);
  REFUSED(source.failures = -1, source.failures = 0);
  REFUSED(source.grant.sent_boot_ms = INT64_MIN, source.grant.sent_boot_ms = 0);
  REFUSED(source.grant.age = IDENTITY__AGE_LOST + 1, source.grant.age = IDENTITY__AGE_LOST);
  REFUSED(source.cooldown_boot_ms = INT64_MAX, source.cooldown_boot_ms = 0);
  REFUSED(source.written_wall_ms = INT64_MAX, source.written_wall_ms = 0);
  REFUSED(source.lease.process_space = INT64_MAX, source.lease.process_space = 0);
  REFUSED(source.caused_count = IDENTITY__MAX_CAUSED + 1, source.caused_count = 0);
  REFUSED(source.pending_count = IDENTITY__MAX_PENDING_CONSENTS + 1, source.pending_count = 2);
  REFUSED(add_pending(&source, NULL, NULL, 0), source.pending_count = 2); /* the third has no texts */
  REFUSED(memset(source.lease.owner, 'x', sizeof source.lease.owner), source.lease.owner[23] = '\0');
  REFUSED(replace(&source.grant.email, text("\xFF")), replace(&source.grant.email, NULL));
#undef REFUSED
}

static void a_binding_is_taken_up_to_its_limit(void **state) {
  (void)state;
  char *binding = long_text(IDENTITY__MAX_URL + 1);
  assert_false(identity__record_encode(&source, binding, &bytes));
  assert_true(identity__record_encode(&source, binding + 1, &bytes));
  assert_int_equal(identity__record_decode(bytes.bytes, bytes.length, binding + 1, &target),
                   IDENTITY__RECORD_OK);
  assert_int_equal(identity__record_decode(bytes.bytes, bytes.length, binding, &target),
                   IDENTITY__RECORD_CORRUPT);
  free(binding);
}

/* Tokens of full length, and consents until the last byte. */
static void fill_to_the_bound(void) {
  fill(&source);
  replace(&source.grant.jwt, long_text(IDENTITY__MAX_TOKEN));
  replace(&source.grant.refresh_token, long_text(IDENTITY__MAX_TOKEN));
  replace(&source.grant.customer_token, long_text(IDENTITY__MAX_TOKEN));
  replace(&source.grant.email, text(""));
  encode_source();
  while (IDENTITY__MAX_RECORD - bytes.length > 2 * IDENTITY__MAX_CONSENT_TEXT + 24) {
    add_pending(&source, long_text(IDENTITY__MAX_CONSENT_TEXT), long_text(IDENTITY__MAX_CONSENT_TEXT), 0);
    encode_source();
  }
  size_t left = IDENTITY__MAX_RECORD - bytes.length;
  for (uint32_t i = 0; left > 0 && i < 2; i++) { /* the two consents with short texts */
    size_t length = strlen(source.pending[i].version);
    size_t more = left < IDENTITY__MAX_CONSENT_TEXT - length ? left : IDENTITY__MAX_CONSENT_TEXT - length;
    replace((char **)&source.pending[i].version, long_text(length + more));
    left -= more;
  }
  assert_int_equal(left, 0);
}

static void a_record_is_taken_up_to_its_limit(void **state) {
  (void)state;
  fill_to_the_bound();
  encode_source();
  assert_int_equal(bytes.length, IDENTITY__MAX_RECORD);
  assert_int_equal(decode_part(bytes.bytes, bytes.length), IDENTITY__RECORD_OK);
  assert_same(&source, &target);
  replace(&source.grant.email, text("x"));
  identity__buffer_reset(&bytes);
  assert_false(identity__record_encode(&source, BINDING, &bytes));
  assert_int_equal(bytes.length, 0);
}

static void a_buffer_too_small_is_left_empty(void **state) {
  (void)state;
  fill(&source);
  encode_source();
  for (size_t maximum = 0; maximum < bytes.length; maximum++) {
    identity__buffer small;
    identity__buffer_init(&small, maximum);
    assert_false(identity__record_encode(&source, BINDING, &small));
    assert_int_equal(small.length, 0);
    identity__buffer_free(&small);
  }
}

static void a_copy_shares_nothing(void **state) {
  (void)state;
  fill(&source);
  fill(&target);
  assert_true(identity__record_copy(&target, &source));
  assert_same(&source, &target);
  assert_true(identity__record_copy(&target, &target));
  assert_same(&source, &target);
  identity__grant grant = {0};
  assert_true(identity__grant_copy(&grant, &source.grant));
  assert_string_equal(grant.refresh_token, source.grant.refresh_token);
  assert_ptr_not_equal(grant.refresh_token, source.grant.refresh_token);
  assert_int_equal(grant.age, source.grant.age);
  assert_true(identity__grant_copy(&grant, &grant));
  identity__grant_clear(&grant);
  assert_null(grant.jwt);
  assert_int_equal(grant.life_ms, 0);
}

static void clear_survives_a_count_that_is_too_high(void **state) {
  (void)state;
  fill(&source);
  source.caused_count = UINT32_MAX;
  identity__record_clear(&source);
  assert_empty(&source);
}

static void without_memory_the_target_is_empty(void **state) {
  (void)state;
  fill(&source);
  encode_source();
  int32_t status = IDENTITY__RECORD_MEMORY;
  int allowed = 0;
  for (; status == IDENTITY__RECORD_MEMORY; allowed++) {
    fill(&target);
    allocations_left = allowed;
    status = identity__record_decode(bytes.bytes, bytes.length, BINDING, &target);
    allocations_left = -1;
    if (status == IDENTITY__RECORD_MEMORY)
      assert_empty(&target);
  }
  assert_int_equal(status, IDENTITY__RECORD_OK);
  assert_int_equal(allowed, 13); /* ten texts, and room for each consent */
  identity__record_clear(&target);
  for (int copied = allowed = 0; !copied; allowed++) {
    fill(&target);
    allocations_left = allowed;
    copied = identity__record_copy(&target, &source);
    allocations_left = -1;
    if (!copied)
      assert_empty(&target);
  }
  assert_int_equal(allowed, 12); /* ten texts and the list */
  identity__buffer_free(&bytes);
  allocations_left = 0;
  int encoded = identity__record_encode(&source, BINDING, &bytes);
  allocations_left = -1;
  assert_false(encoded);
  assert_int_equal(bytes.length, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

static const struct CMUnitTest tests[] = {
    TEST(a_new_record_says_that_nobody_ever_signed_in),
    TEST(every_member_comes_back),
    TEST(an_empty_record_comes_back),
    TEST(an_empty_text_is_not_an_absent_one),
    TEST(what_the_target_held_is_replaced),
    TEST(texts_are_taken_up_to_their_limit),
    TEST(what_could_not_be_read_back_is_not_written),
    TEST(a_binding_is_taken_up_to_its_limit),
    TEST(a_record_is_taken_up_to_its_limit),
    TEST(a_buffer_too_small_is_left_empty),
    TEST(a_copy_shares_nothing),
    TEST(clear_survives_a_count_that_is_too_high),
    TEST(without_memory_the_target_is_empty),
};

SUITE("record", tests)
