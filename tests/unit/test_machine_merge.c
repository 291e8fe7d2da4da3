/* What another handle noted about the pair that we hold, and what we have noted ourselves. */
#include "support/machines.h"

#include "base/secret.h"

#include "base/secret.h"

static char terms[] = "terms", one[] = "1", news[] = "broadcaster_marketing", two[] = "1.7";
static const identity_consent_answer kept[] = {{terms, one, 1, 0}, {news, two, 0, 0}};
static const identity__lease their_self = {.owner = "other"};

static identity__record loaded;

/* The same pair as ours, with notes of each kind in it. */
static int begin(void **state) {
  (void)begin_machine(state);
  identity__record_init(&loaded);
  assert_true(identity__machine_set_pending(&machine, kept, 2, &next));
  commit_at(0);
  assert_true(identity__record_copy(&loaded, &machine.record));
  loaded.failures = 3;
  loaded.refusals = 1;
  loaded.ambiguous = 1;
  loaded.cooldown_boot_ms = after(MINUTE).boot_ms;
  identity__lease_take(&loaded.lease, &their_self, "refresh", start.boot_ms);
  return 0;
}

static int end(void **state) {
  identity__record_clear(&loaded);
  return end_machine(state);
}

static void hear(void) {
  assert_int_equal(hear_at(0, &loaded, 7), IDENTITY_OK);
  assert_int_equal(machine.revision, 7);
  assert_int_equal(machine.counters.adoptions, 0);
  assert_null(loaded.grant.jwt);
  assert_string_equal(machine.record.grant.refresh_token, "refresh");
}

static void notes_about_the_same_pair_are_taken(void **state) {
  (void)state;
  machine.dead = true;
  loaded.pending[0].accepted = 0;
  hear();
  assert_int_equal(machine.record.failures, 3);
  assert_int_equal(machine.record.refusals, 1);
  assert_int_equal(machine.record.ambiguous, 1);
  assert_int_equal(identity__machine_cooldown_ms(&machine, start.boot_ms), MINUTE);
  assert_string_equal(machine.record.lease.owner, "other");
  assert_int_equal(machine.record.pending[0].accepted, 0);
  assert_true(machine.dead); /* the same JWT */
}

static void notes_about_another_standing_are_not(void **state) {
  (void)state;
  assert_true(identity__machine_end(&machine, IDENTITY_REASON_REFUSED, &next));
  commit_at(0);
  assert_int_equal(hear_at(0, &loaded, 7), IDENTITY_OK);
  assert_int_equal(machine.record.standing, IDENTITY__RECORD_REAUTH); /* an end is an end */
  assert_int_equal(machine.record.failures, 0);
}

/* ---- ours is not stored yet ---- */

/* What both have met adds up. */
static void what_is_not_stored_holds(void **state) {
  (void)state;
  machine.not_persisted = true;
  machine.record.failures = 5;
  machine.record.cooldown_boot_ms = after(HOUR).boot_ms;
  hear();
  assert_true(machine.not_persisted);
  assert_int_equal(machine.record.failures, 5);
  assert_int_equal(machine.record.refusals, 1);
  assert_int_equal(identity__machine_cooldown_ms(&machine, start.boot_ms), HOUR);
}

/* I1: nothing is sent under the lease of another handle; and of ours the store does not know whether it is
 * over. */
static void of_the_leases_in_the_store_only_a_foreign_one_is_taken(void **state) {
  (void)state;
  machine.not_persisted = true;
  hear();
  assert_string_equal(machine.record.lease.owner, "other");
}

static void a_lease_of_ours_in_the_store_is_no_news(void **state) {
  (void)state;
  machine.not_persisted = true;
  identity__lease_take(&loaded.lease, &self, "refresh", start.boot_ms);
  hear();
  assert_string_equal(machine.record.lease.fingerprint, "");
}

/* A pair may have come without a refresh token: what counts is the one that is sent. */
static void a_foreign_lease_counts_by_its_refresh_token(void **state) {
  (void)state;
  machine.not_persisted = true;
  machine.record.generation++;
  hear();
  assert_string_equal(machine.record.lease.owner, "other");
  identity__lease_take(&loaded.lease, &their_self, "older", start.boot_ms);
  loaded.epoch = machine.record.epoch;
  hear();
  assert_string_equal(machine.record.lease.fingerprint, "");
}

/* Both have rotated one token, in a grace period: one of the pairs is stored, and that is the one. */
static void a_stored_pair_of_the_same_numbers_wins(void **state) {
  (void)state;
  machine.not_persisted = true;
  identity__secret_free(loaded.grant.refresh_token);
  loaded.grant.refresh_token = identity__secret_copy("theirs");
  assert_int_equal(hear_at(0, &loaded, 7), IDENTITY_OK);
  assert_string_equal(machine.record.grant.refresh_token, "theirs");
  assert_false(machine.not_persisted);
}

/* A definite refusal after a lost answer is a lost rotation, whoever has lost it. */
static void a_lost_answer_of_another_handle_is_not_forgotten(void **state) {
  (void)state;
  machine.not_persisted = true;
  hear();
  assert_int_equal(machine.record.ambiguous, 1);
}

static void a_lost_answer_for_an_older_pair_is_over(void **state) {
  (void)state;
  machine.not_persisted = true;
  machine.record.generation++;
  hear();
  assert_int_equal(machine.record.ambiguous, 0);
}

/* ---- consents ---- */

static const struct {
  const char *name;
  bool not_persisted;
  bool answers_unsaved;
  uint64_t generations_behind; /* what is stored */
  uint64_t epochs_behind;
  uint32_t count; /* pending then: 1 as stored, 2 as held */
} consents[] = {
    {"stored", false, false, 0, 0, 1},
    {"not stored, but no answers in it", true, false, 0, 0, 1},
    {"a pair is not stored", true, false, 1, 0, 1},
    {"answers are not stored", true, true, 0, 0, 2},
    {"answers and a pair are not stored", true, true, 1, 0, 2},
    {"of somebody else", true, false, 1, 1, 2},
};

static void consents_of_another_handle_are_taken_unless_ours_are_newer(void **state) {
  for (size_t i = 0; i < COUNT(consents); i++) {
    (void)end(state);
    (void)begin(state);
    machine.not_persisted = consents[i].not_persisted;
    machine.answers_unsaved = consents[i].answers_unsaved;
    machine.record.generation += consents[i].generations_behind;
    machine.record.epoch += consents[i].epochs_behind;
    machine.record.pending[0].accepted = 1;
    identity__secret_free((char *)loaded.pending[1].name); /* one has been delivered */
    identity__secret_free((char *)loaded.pending[1].version);
    loaded.pending[1] = (identity_consent_answer){0};
    loaded.pending_count = 1;
    hear();
    CHECK_INT(consents[i].name, machine.record.pending_count, consents[i].count);
    CHECK_TEXT(consents[i].name, machine.record.pending[0].name, "terms");
  }
}

/* ---- refreshes after a 401 (I9) ---- */

static const struct {
  const char *name;
  int64_t ours[IDENTITY__MAX_CAUSED + 1]; /* up to a 0 */
  int64_t theirs[IDENTITY__MAX_CAUSED + 1];
  int64_t both[IDENTITY__MAX_CAUSED + 1];
} budgets[] = {
    {"none", {0}, {0}, {0}},
    {"ours", {5}, {0}, {5}},
    {"theirs", {0}, {5}, {5}},
    {"the same", {5, 6}, {5, 6}, {5, 6}},
    {"one more of ours", {5, 6}, {5}, {5, 6}},
    {"different ones, in order", {5, 8}, {3, 6}, {3, 5, 6, 8}},
    {"the oldest goes", {5, 8, 9}, {3, 6}, {5, 6, 8, 9}},
    {"two go", {5, 7, 9}, {4, 6, 8}, {6, 7, 8, 9}},
    {"ours are older than all", {1, 2}, {3, 4, 5, 6}, {3, 4, 5, 6}},
    {"ours are newer than all", {7, 8, 9, 10}, {3, 4, 5, 6}, {7, 8, 9, 10}},
};

static uint32_t fill_caused(identity__record *record, const int64_t *times) {
  record->caused_count = 0;
  while (times[record->caused_count] != 0) {
    record->caused_boot_ms[record->caused_count] = times[record->caused_count];
    record->caused_count++;
  }
  return record->caused_count;
}

/* Whether what is stored is the same pair, a newer one, or still has to make room for ours. */
static void refreshes_of_all_handles_count(void **state) {
  enum { SAME, NEWER, UNSAVED, PLACES };
  static const char *const places[] = {"same pair", "newer pair", "not stored"};
  for (size_t i = 0; i < COUNT(budgets); i++)
    for (int place = SAME; place < PLACES; place++) {
      identity__record wanted;
      char name[64];
      (void)snprintf(name, sizeof name, "%s, %s", budgets[i].name, places[place]);
      (void)end(state);
      (void)begin(state);
      identity__record_init(&wanted);
      (void)fill_caused(&machine.record, budgets[i].ours);
      (void)fill_caused(&loaded, budgets[i].theirs);
      loaded.generation += place == NEWER;
      machine.not_persisted = place == UNSAVED;
      assert_int_equal(hear_at(0, &loaded, 7), IDENTITY_OK);
      CHECK_INT(name, machine.record.caused_count, fill_caused(&wanted, budgets[i].both));
      for (uint32_t k = 0; k < wanted.caused_count; k++)
        CHECK_INT(name, machine.record.caused_boot_ms[k], wanted.caused_boot_ms[k]);
    }
}

/* Two at the same moment are two. */
static void refreshes_at_the_same_moment_are_told_apart(void **state) {
  (void)state;
  for (int64_t i = 0; i < 2; i++) {
    CHECK_ASK("refused",
              identity__machine_rejected(&machine, machine.record.epoch, machine.record.generation, true,
                                         start.boot_ms),
              IDENTITY__ASK_REFRESH, IDENTITY_OK);
    rotate_at(0, LIFE);
  }
  assert_int_equal(machine.record.caused_count, 2);
  assert_true(machine.record.caused_boot_ms[0] < machine.record.caused_boot_ms[1]);
}

/* ---- a lease of another handle, and a pair of ours ---- */

static const struct {
  const char *name;
  const char *refresh_token; /* of the answer; NULL: it does not say */
  bool foreign;
  bool kept;
} rotations[] = {
    {"another refresh token", "newer", true, false},
    {"the same refresh token", "refresh", true, true},
    {"it does not say", NULL, true, true},
    {"our own lease is over", "refresh", false, false},
};

/* The refresh token stays: what another handle does with it is not over because we have an answer. */
static void a_foreign_lease_is_kept_as_long_as_its_token(void **state) {
  for (size_t i = 0; i < COUNT(rotations); i++) {
    (void)end(state);
    (void)begin(state);
    const identity__grant grant = lent_grant("d.e.f", rotations[i].refresh_token, LIFE);
    identity__lease_take(&machine.record.lease, rotations[i].foreign ? &their_self : &self, "refresh",
                         start.boot_ms);
    assert_true(identity__machine_rotate(&machine, &grant, &next));
    CHECK_TEXT(rotations[i].name, next.lease.owner, rotations[i].kept ? "other" : "");
    identity__record_clear(&next);
  }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

static const struct CMUnitTest tests[] = {
    TEST(notes_about_the_same_pair_are_taken),
    TEST(notes_about_another_standing_are_not),
    TEST(what_is_not_stored_holds),
    TEST(of_the_leases_in_the_store_only_a_foreign_one_is_taken),
    TEST(a_lease_of_ours_in_the_store_is_no_news),
    TEST(a_foreign_lease_counts_by_its_refresh_token),
    TEST(a_stored_pair_of_the_same_numbers_wins),
    TEST(a_lost_answer_of_another_handle_is_not_forgotten),
    TEST(a_lost_answer_for_an_older_pair_is_over),
    TEST(consents_of_another_handle_are_taken_unless_ours_are_newer),
    TEST(refreshes_of_all_handles_count),
    TEST(refreshes_at_the_same_moment_are_told_apart),
    TEST(a_foreign_lease_is_kept_as_long_as_its_token),
};

SUITE("machine merge", tests)
