/* The setters for a device's own store and clock. */
#include "support/host_clock.h"
#include "support/stage.h"
#include "support/vault.h"

#include <unistd.h>

static vault one;
static vault other;
static host_clock hands;

static int begin(void **state) {
  vault_start(&one, 0);
  vault_start(&other, 0);
  host_clock_start(&hands, "boot-1", 60000);
  return reset(state);
}

static int end(void **state) {
  (void)state;
  vault_stop(&one);
  vault_stop(&other);
  return 0;
}

/* ---- what is refused ---- */

enum { WIDE = 200 };

/* A struct of a newer header: members behind those that are known. */
typedef struct wide_store {
  identity_store known;
  char more[WIDE];
} wide_store;

typedef struct wide_clock {
  identity_clock known;
  char more[WIDE];
} wide_clock;

static wide_store good_store(void) {
  wide_store made;
  identity_store_init(&made.known, sizeof made);
  made.known.load = one.store.load;
  made.known.swap = one.store.swap;
  made.known.user_data = &one;
  return made;
}

static wide_clock good_clock(void) {
  wide_clock made;
  identity_clock_init(&made.known, sizeof made);
  made.known.now = hands.clock.now;
  made.known.user_data = &hands;
  return made;
}

/* The setter says so, and open repeats the first that failed, whatever is set afterwards. */
static void is_refused(const char *what, identity_config *config, identity_status said,
                       identity_status status, const char *setter) {
  identity_session *session = (identity_session *)(void *)&server;
  identity_error error;
  if (said != status)
    fail_msg("%s: %s, not %s", what, identity_status_name(said), identity_status_name(status));
  assert_int_equal(identity_config_set_store(config, &one.store), IDENTITY_OK);
  assert_int_equal(identity_config_set_clock(config, NULL), IDENTITY_OK);
  (void)identity_config_set_timeout_ms(config, 1); /* a later failure does not count */
  assert_int_equal(identity_session_open(config, "viewer", &session, &error), status);
  assert_null(session);
  probe_status(what, &error, status, setter);
  identity_config_free(config);
}

static void a_store_that_cannot_be_used_is_refused(void **state) {
  static const struct {
    const char *name;
    uint32_t size;
    int32_t flags;
    bool no_load, no_swap;
    int set; /* which byte beyond what is known; -1: none */
    identity_status status;
  } rows[] = {
      {"no load", sizeof(identity_store), 0, true, false, -1, IDENTITY_BAD_ARGUMENT},
      {"no swap", sizeof(identity_store), 0, false, true, -1, IDENTITY_BAD_ARGUMENT},
      {"an unknown flag", sizeof(identity_store), 2, false, false, -1, IDENTITY_BAD_ARGUMENT},
      {"a known and an unknown flag", sizeof(identity_store), 3, false, false, -1, IDENTITY_BAD_ARGUMENT},
      {"negative flags", sizeof(identity_store), INT32_MIN, false, false, -1, IDENTITY_BAD_ARGUMENT},
      {"no size", 0, 0, false, false, -1, IDENTITY_BAD_ARGUMENT},
      {"one byte short", sizeof(identity_store) - 1, 0, false, false, -1, IDENTITY_BAD_ARGUMENT},
      {"a size that no struct has", UINT32_MAX, 0, false, false, -1, IDENTITY_BAD_ARGUMENT},
      {"newer and in use", sizeof(wide_store), 0, false, false, 0, IDENTITY_PARAMS_TOO_NEW},
      {"newer and in use at its end", sizeof(wide_store), 0, false, false, WIDE - 1, IDENTITY_PARAMS_TOO_NEW},
  };
  (void)state;
  for (size_t i = 0; i < ROWS(rows); i++) {
    wide_store given = good_store();
    identity_config *config = service_config(&server);
    given.known.struct_size = rows[i].size;
    given.known.flags = rows[i].flags;
    given.known.load = rows[i].no_load ? NULL : given.known.load;
    given.known.swap = rows[i].no_swap ? NULL : given.known.swap;
    if (rows[i].set >= 0)
      given.more[rows[i].set] = 1;
    is_refused(rows[i].name, config, identity_config_set_store(config, &given.known), rows[i].status,
               "store");
  }
  assert_int_equal(identity_config_set_store(NULL, &one.store), IDENTITY_BAD_ARGUMENT);
  assert_int_equal(identity_config_set_store(NULL, NULL), IDENTITY_BAD_ARGUMENT);
}

#define CHARACTERS_39 "abcdefghijklmnopqrstuvwxyz0123456789abc"

static void a_clock_that_cannot_be_used_is_refused(void **state) {
  static const struct {
    const char *name;
    uint32_t size;
    bool no_now;
    const char *boot_id;
    int set;
    identity_status status;
  } rows[] = {
      {"no function", sizeof(identity_clock), true, NULL, -1, IDENTITY_BAD_ARGUMENT},
      {"an empty boot id", sizeof(identity_clock), false, "", -1, IDENTITY_BAD_ARGUMENT},
      {"40 characters", sizeof(identity_clock), false, CHARACTERS_39 "d", -1, IDENTITY_BAD_ARGUMENT},
      {"no size", 0, false, NULL, -1, IDENTITY_BAD_ARGUMENT},
      {"one byte short", sizeof(identity_clock) - 1, false, NULL, -1, IDENTITY_BAD_ARGUMENT},
      {"newer and in use", sizeof(wide_clock), false, NULL, 0, IDENTITY_PARAMS_TOO_NEW},
  };
  (void)state;
  for (size_t i = 0; i < ROWS(rows); i++) {
    wide_clock given = good_clock();
    identity_config *config = service_config(&server);
    given.known.struct_size = rows[i].size;
    given.known.now = rows[i].no_now ? NULL : given.known.now;
    given.known.boot_id = rows[i].boot_id;
    if (rows[i].set >= 0)
      given.more[rows[i].set] = 1;
    is_refused(rows[i].name, config, identity_config_set_clock(config, &given.known), rows[i].status,
               "clock");
  }
  assert_int_equal(identity_config_set_clock(NULL, &hands.clock), IDENTITY_BAD_ARGUMENT);
  assert_int_equal(identity_config_set_clock(NULL, NULL), IDENTITY_BAD_ARGUMENT);
}

/* ---- what is taken ---- */

static void a_newer_struct_that_sets_nothing_new_is_taken_and_copied(void **state) {
  (void)state;
  static char boot_id[] = CHARACTERS_39;
  wide_store store = good_store();
  wide_clock clock = good_clock();
  clock.known.boot_id = boot_id;
  identity_config *config = service_config(&server);
  assert_int_equal(identity_config_set_store(config, &store.known), IDENTITY_OK);
  assert_int_equal(identity_config_set_clock(config, &clock.known), IDENTITY_OK);
  memset(&store, 0xEE, sizeof store);
  memset(&clock, 0xEE, sizeof clock);
  memset(boot_id, 'x', sizeof boot_id - 1);
  identity_session *session = service_open_with(config, "viewer");
  service_register(session, "jo@example.com");
  assert_true(vault_has(&one, "eyJ"));
  assert_true(vault_has(&one, CHARACTERS_39));
  identity_session_close(session);
}

static void init_zeroes_what_it_is_given_and_notes_the_size(void **state) {
  (void)state;
  static const char zero[WIDE];
  wide_store store;
  wide_clock clock;
  memset(&store, 0xEE, sizeof store);
  memset(&clock, 0xEE, sizeof clock);
  identity_store_init(&store.known, sizeof store.known);
  identity_clock_init(&clock.known, sizeof clock.known);
  assert_int_equal(store.known.struct_size, sizeof store.known);
  assert_int_equal(store.known.flags, 0);
  assert_true(store.known.load == NULL && store.known.swap == NULL && store.known.user_data == NULL);
  assert_int_equal(clock.known.struct_size, sizeof clock.known);
  assert_true(clock.known.now == NULL && clock.known.boot_id == NULL && clock.known.user_data == NULL);
  assert_int_equal((unsigned char)store.more[0], 0xEE);
  assert_int_equal((unsigned char)clock.more[0], 0xEE);
  identity_store_init(&store.known, sizeof store);
  assert_memory_equal(store.more, zero, WIDE);
}

enum { SETS_ONE, SETS_OTHER, SETS_FILE, SETS_MEMORY, SETS_NULL, SETTERS };
enum { IN_ONE, IN_OTHER, IN_FILE, IN_MEMORY };

static void set(identity_config *config, int setter, const char *directory) {
  identity_status status = IDENTITY_BAD_ARGUMENT;
  if (setter == SETS_ONE)
    status = identity_config_set_store(config, &one.store);
  else if (setter == SETS_OTHER)
    status = identity_config_set_store(config, &other.store);
  else if (setter == SETS_FILE)
    status = identity_config_set_file_store(config, directory);
  else if (setter == SETS_MEMORY)
    status = identity_config_set_memory_store(config);
  else
    status = identity_config_set_store(config, NULL);
  assert_int_equal(status, IDENTITY_OK);
}

static void the_last_of_the_store_setters_counts(void **state) {
  static const int ends_in[SETTERS] = {IN_ONE, IN_OTHER, IN_FILE, IN_MEMORY, IN_MEMORY};
  (void)state;
  for (int first = 0; first < SETTERS; first++)
    for (int last = 0; last < SETTERS; last++) {
      char directory[160];
      snprintf(directory, sizeof directory, "%s/store-%d-%d", server.directory, first, last);
      identity_config *config = service_config(&server);
      vault_recount(&one);
      vault_recount(&other);
      set(config, first, directory);
      set(config, last, directory);
      identity_session *session = service_open_with(config, "viewer");
      assert_int_equal(vault_used(&one, VAULT_LOAD), ends_in[last] == IN_ONE);
      assert_int_equal(vault_used(&other, VAULT_LOAD), ends_in[last] == IN_OTHER);
      assert_int_equal(access(directory, F_OK) == 0, ends_in[last] == IN_FILE);
      identity_session_close(session);
    }
}

static void null_takes_a_clock_back(void **state) {
  (void)state;
  const identity_event *event = NULL;
  host_clock_set_date(&hands, 0);
  identity_config *config = service_config(&server);
  assert_int_equal(identity_config_set_clock(config, &hands.clock), IDENTITY_OK);
  assert_int_equal(identity_config_set_clock(config, NULL), IDENTITY_OK);
  identity_session *session = service_open_with(config, "viewer");
  service_register(session, "jo@example.com");
  while (identity_session_next_event(session, &event, NULL) == IDENTITY_OK && event != NULL) {
    assert_int_not_equal(event->kind, IDENTITY_EVENT_CLOCK_SUSPECT);
    assert_true(event->at_ms > INT64_C(1700000000000));
    identity_event_free(event);
  }
  identity_session_close(session);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

static const struct CMUnitTest tests[] = {
    TEST(a_store_that_cannot_be_used_is_refused),
    TEST(a_clock_that_cannot_be_used_is_refused),
    TEST(a_newer_struct_that_sets_nothing_new_is_taken_and_copied),
    TEST(init_zeroes_what_it_is_given_and_notes_the_size),
    TEST(the_last_of_the_store_setters_counts),
    TEST(null_takes_a_clock_back),
};

SUITE_WITH("device configuration", tests, start, stop)
