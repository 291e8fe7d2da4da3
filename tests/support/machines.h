/* A token machine under test: a signed-in one to begin with, at a moment of its own. */
#ifndef SUPPORT_MACHINES_H
#define SUPPORT_MACHINES_H

#include "support/rows.h"

#include "token/machine.h"
#include "token/verdict.h"

#define SECOND INT64_C(1000)
#define MINUTE (60 * SECOND)
#define HOUR (60 * MINUTE)
#define DAY (24 * HOUR)
#define LIFE (15 * MINUTE)

#define BOOT "0a1b2c3d-0000-4000-8000-0123456789ab"
#define OTHER_BOOT "ffffffff-0000-4000-8000-0123456789ab"

static const identity__now start = {1000 * SECOND, INT64_C(1790000000) * SECOND}; /* in 2026 */

/* What leases of the handle under test carry. */
static const identity__lease self = {.owner = "handle", .process = 4711, .process_start = 7};

static identity__machine machine;
static identity__record next;

static inline identity__now after(int64_t ms) {
  identity__now now = {start.boot_ms + ms, start.wall_ms + ms};
  return now;
}

/* A grant of texts that are not its own: never cleared. */
static inline identity__grant lent_grant(const char *jwt, const char *refresh_token, int64_t life_ms) {
  static char customer[] = "533354305", publisher[] = "123456789", email[] = "jo@example.com";
  static char jwt_text[32], refresh_text[32];
  identity__grant grant = {0};
  strcpy(jwt_text, jwt);
  grant.jwt = jwt_text;
  if (refresh_token != NULL)
    grant.refresh_token = strcpy(refresh_text, refresh_token);
  grant.customer_id = customer;
  grant.publisher_id = publisher;
  grant.email = email;
  grant.life_ms = life_ms;
  grant.sent_boot_ms = start.boot_ms;
  grant.age = IDENTITY__AGE_KNOWN;
  return grant;
}

static inline void init_machine(identity__machine *target, const identity__lease *lease) {
  char boot_id[IDENTITY__BOOT_ID_SIZE] = BOOT;
  identity__machine_init(target, boot_id, lease);
}

/* What was made is stored and holds. */
static inline void commit_at(int64_t ms) {
  identity__record_stamp(&next, machine.boot_id, after(ms));
  identity__machine_commit(&machine, &next, machine.revision + 1, true);
}

static inline void sign_in_with(const char *refresh_token, int64_t life_ms) {
  identity__grant grant = lent_grant("a.b.c", refresh_token, life_ms);
  assert_true(identity__machine_sign_in(&machine, &grant, NULL, 0, &next));
  commit_at(0);
}

static inline void rotate_at(int64_t ms, int64_t life_ms) {
  identity__grant grant = lent_grant("d.e.f", "newer", life_ms);
  grant.sent_boot_ms += ms;
  assert_true(identity__machine_rotate(&machine, &grant, &next));
  commit_at(ms);
}

static inline void fail_with(const identity__failure *failure) {
  assert_true(identity__machine_fail_refresh(&machine, failure, &next));
  commit_at(failure->now.boot_ms - start.boot_ms);
}

static inline void fail_at(int64_t ms, int32_t verdict, int64_t retry_after_ms, uint64_t random) {
  const identity__failure failure = {
      .verdict = verdict, .retry_after_ms = retry_after_ms, .random = random, .now = after(ms)};
  fail_with(&failure);
}

/* A load brought this record; it is emptied. */
static inline identity_status hear_at(int64_t ms, identity__record *loaded, uint64_t revision) {
  identity__look look = {.said = IDENTITY__SAID_OK, .revision = revision, .record = *loaded};
  identity_status status = identity__machine_hear(&machine, &look, after(ms));
  *loaded = look.record;
  return status;
}

/* A load brought none. */
static inline identity_status hear_said(int32_t said, uint64_t revision) {
  identity__look look = {.said = said, .revision = revision};
  identity__record_init(&look.record);
  return identity__machine_hear(&machine, &look, start);
}

static inline int begin_machine(void **state) {
  (void)state;
  identity__record_init(&next);
  init_machine(&machine, &self);
  sign_in_with("refresh", LIFE);
  return 0;
}

static inline int end_machine(void **state) {
  (void)state;
  identity__record_clear(&next);
  identity__machine_clear(&machine);
  return 0;
}

/* ---- the store of the slot, and another handle at it ---- */

static identity__machine other;
static int64_t clock_ms; /* since start */
static struct {
  identity__record record;
  uint64_t revision; /* 0: absent */
  bool owner_gone;   /* the owner of the lease in it is dead */
} slot;

/* said: OK: what there is. */
static inline identity__look look_at_slot(int32_t said) {
  identity__look look = {.said = said, .owner_gone = slot.owner_gone, .revision = slot.revision};
  identity__record_init(&look.record);
  if (said == IDENTITY__SAID_OK && slot.revision == 0)
    look.said = IDENTITY__SAID_ABSENT;
  if (look.said == IDENTITY__SAID_OK)
    assert_true(identity__record_copy(&look.record, &slot.record));
  return look;
}

/* said: OK: as the revision has it. */
static inline int32_t swap_into_slot(const identity__record *record, uint64_t expected, int32_t said,
                                     uint64_t *revision) {
  if (said != IDENTITY__SAID_OK)
    return said;
  if (expected != slot.revision)
    return IDENTITY__SAID_CONFLICT;
  assert_true(identity__record_copy(&slot.record, record));
  slot.revision = slot.revision > 0 ? slot.revision + 1 : 100;
  *revision = slot.revision;
  return IDENTITY__SAID_OK;
}

static inline void other_hears(void) {
  identity__look look = look_at_slot(IDENTITY__SAID_OK);
  assert_int_equal(identity__machine_hear(&other, &look, after(clock_ms)), IDENTITY_OK);
}

static inline void other_stores(bool made) {
  uint64_t revision = 0;
  assert_true(made);
  identity__record_stamp(&next, machine.boot_id, after(clock_ms));
  assert_int_equal(swap_into_slot(&next, other.revision, IDENTITY__SAID_OK, &revision), IDENTITY__SAID_OK);
  identity__machine_commit(&other, &next, revision, true);
}

static inline void other_notes(void) {
  static char name[] = "terms", version[] = "1";
  const identity_consent_answer kept = {name, version, 1, 0};
  other_hears();
  other_stores(identity__machine_set_pending(&other, &kept, 1, &next));
}

static inline void other_leases(void) {
  other_hears();
  other_stores(identity__machine_lease(&other, after(clock_ms).boot_ms, &next));
}

static inline void other_rotates(void) {
  identity__grant grant = lent_grant("t.h.e", "theirs", LIFE);
  grant.sent_boot_ms += clock_ms;
  other_hears();
  other_stores(identity__machine_rotate(&other, &grant, &next));
}

/* Its store had lost what we rotated to: it has rotated what that came from, to the same generation. */
static inline void other_rivals(void) {
  identity__grant grant = lent_grant("t.h.e", "theirs", LIFE);
  grant.sent_boot_ms += clock_ms;
  other_hears();
  other.record.generation--;
  other_stores(identity__machine_rotate(&other, &grant, &next));
}

static inline void other_signs_in(void) {
  identity__grant grant = lent_grant("t.h.e", "another", LIFE);
  grant.sent_boot_ms += clock_ms;
  other_hears();
  other_stores(identity__machine_sign_in(&other, &grant, NULL, 0, &next));
}

static inline void other_signs_out(void) {
  other_hears();
  other_stores(identity__machine_sign_out(&other, IDENTITY_REASON_LOGOUT, &next));
}

static inline void other_ends(int32_t reason) {
  other_hears();
  other_stores(identity__machine_end(&other, reason, &next));
}

static inline void other_loses(void) {
  other_ends(IDENTITY_REASON_LOST_ROTATION);
}

static inline void other_is_refused(void) {
  other_ends(IDENTITY_REASON_REFUSED);
}

static inline void other_has_a_new_password(void) {
  other_ends(IDENTITY_REASON_CREDENTIALS_CHANGED);
}

static inline void other_cools_down(void) {
  const identity__failure failure = {
      .verdict = IDENTITY__VERDICT_THROTTLED, .retry_after_ms = MINUTE, .now = after(clock_ms)};
  other_hears();
  other_stores(identity__machine_fail_refresh(&other, &failure, &next));
}

static inline void slot_vanishes(void) {
  identity__record_clear(&slot.record);
  slot.revision = 0;
}

/* Ours is signed in, and has stored it. */
static inline int begin_slot(void **state) {
  static const identity__lease theirs = {.owner = "other", .process = 4712};
  (void)begin_machine(state);
  init_machine(&other, &theirs);
  clock_ms = 0;
  slot.owner_gone = false;
  slot.revision = machine.revision;
  identity__record_init(&slot.record);
  return identity__record_copy(&slot.record, &machine.record) ? 0 : -1;
}

static inline int end_slot(void **state) {
  identity__record_clear(&slot.record);
  identity__machine_clear(&other);
  return end_machine(state);
}

#define SLOT_TEST(name) cmocka_unit_test_setup_teardown(name, begin_slot, end_slot)
#define MACHINE_TEST(name) cmocka_unit_test_setup_teardown(name, begin_machine, end_machine)

#define CHECK_ASK(row, ask, wanted_verdict, wanted_status)                                                   \
  do {                                                                                                       \
    identity__ask check_ask = (ask);                                                                         \
    CHECK_INT(row, check_ask.verdict, wanted_verdict);                                                       \
    CHECK_TEXT(row, identity_status_name(check_ask.status), identity_status_name(wanted_status));            \
  } while (0)

#endif
