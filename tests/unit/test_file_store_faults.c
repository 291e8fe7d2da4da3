/* The file store on a device that fails, and under a process that dies, at each call of an operation. */
#include "support/device.h"

#include <signal.h>
#include <sys/wait.h>

enum { HALF = DEVICE_SIZE / 2, HEADER = 20, LONGEST = 9000 };

static identity__store store;
static uint32_t confirmed,
    attempted; /* the last value that a swap answered OK for; the last one it was given */
static char buffer[IDENTITY__MAX_RECORD];
static char blob[LONGEST];

static int begin(void **state) {
  device_begin(1);
  confirmed = attempted = 0;
  return scratch_make(state) != 0 || identity__file_store(&store, scratch_store) != IDENTITY__STORE_OK;
}

static int end(void **state) {
  device_begin(1);
  store.destroy(store.user_data);
  return scratch_remove(state);
}

/* A blob is its value again and again, and the value tells its length. */
static size_t make_blob(uint32_t value, char *target) {
  size_t length = 4 + (value * 2654435761u >> 8) % (LONGEST - 4);
  for (size_t i = 0; i < length; i++)
    target[i] = (char)(value >> (8 * (i % 4)) | 0x80);
  memcpy(target, &value, sizeof value);
  return length;
}

/* Checks that what is stored is whole and no older than what was confirmed; gives the revision. */
static uint64_t check_stored(void) {
  size_t length = 0;
  uint64_t revision = 0;
  uint32_t value = 0;
  int32_t status = store.load(store.user_data, "a", buffer, sizeof buffer, &length, &revision);
  if (status == IDENTITY__STORE_ABSENT) {
    assert_int_equal(confirmed, 0);
    return 0;
  }
  assert_int_equal(status, IDENTITY__STORE_OK);
  memcpy(&value, buffer, sizeof value);
  assert_in_range(value, confirmed > 0 ? confirmed : 1, attempted);
  assert_int_equal(length, make_blob(value, blob));
  assert_memory_equal(buffer, blob, length);
  return revision;
}

static void check_halves(uint32_t value) {
  static char image[DEVICE_SIZE];
  size_t length = make_blob(value, blob);
  int file = open(scratch_file, O_RDONLY | O_CLOEXEC);
  assert_int_equal(read(file, image, sizeof image), sizeof image);
  (void)close(file);
  for (size_t half = 0; half < 2; half++) {
    assert_memory_equal(image + half * HALF + HEADER, blob, length);
    for (size_t at = HEADER + length; at < HALF; at++)
      assert_int_equal(image[half * HALF + at], 0);
  }
  if (!device.dropped)
    assert_memory_equal(image, device.image, sizeof image);
}

/* One operation as the engine does it, with a fault in it, and a look at what is left. */
static int32_t swap_with_fault(int32_t both, int fault, int fault_at) {
  uint64_t before = check_stored();
  uint64_t revision = 0;
  size_t length = make_blob(++attempted, blob);
  device_fault(fault, fault_at);
  int32_t status = store.swap(store.user_data, "a", before, both, blob, length, &revision);
  assert_true(status == IDENTITY__STORE_OK || status == IDENTITY__STORE_IO);
  if (status == IDENTITY__STORE_OK)
    confirmed = attempted;
  int reached = device.calls > fault_at;
  device_restart();
  uint64_t after = check_stored();
  if (status == IDENTITY__STORE_OK) {
    assert_int_equal(after, revision);
    assert_true(revision > before);
    if (both)
      check_halves(attempted);
  }
  if (status != IDENTITY__STORE_OK && fault == FAULT_ERROR && !both)
    assert_int_equal(after, before); /* a sync that failed too: what is only in memory does not count */
  assert_int_equal(status == IDENTITY__STORE_OK, !reached || fault == FAULT_NONE);
  return status;
}

/* Each fault at each call of the first, of an ordinary and of a double write, several times with other
 * sectors lost. */
static void every_call_may_fail_or_be_the_last(void **state) {
  for (int kind = 0; kind < 4; kind++)
    for (int fault = FAULT_ERROR; fault <= FAULT_POWER; fault++)
      for (uint32_t seed = 1; seed <= 6; seed++) {
        int32_t status = IDENTITY__STORE_IO;
        int fault_at = 0;
        for (; status == IDENTITY__STORE_IO; fault_at++) {
          assert_int_equal(end(state) | begin(state), 0);
          device_begin(seed);
          for (int i = 0; i < 3 * (kind / 2); i++)
            assert_int_equal(swap_with_fault(0, FAULT_NONE, 0), IDENTITY__STORE_OK);
          status = swap_with_fault(kind % 2, fault, fault_at);
          assert_int_equal(swap_with_fault(0, FAULT_NONE, 0), IDENTITY__STORE_OK);
          assert_int_equal(swap_with_fault(1, FAULT_NONE, 0), IDENTITY__STORE_OK);
        }
        assert_true(fault_at > 4);
      }
}

/* What was confirmed is never lost, over thousands of writes one after the other, each second one with a
 * fault. */
static void a_long_random_walk_loses_nothing(void **state) {
  (void)state;
  for (uint32_t seed = 1; seed <= 3; seed++) {
    assert_int_equal(end(state) | begin(state), 0);
    device_begin(seed);
    int left_by_the_dead = 0;
    for (int i = 0; i < 700; i++) {
      int fault = device_coin() ? FAULT_NONE : FAULT_ERROR + (int)(device.seed >> 20) % 3;
      /* A writer killed before its sync, whose bytes the device then refuses without the next one ever
       * knowing, and a power cut after that: nothing can help there. */
      if (left_by_the_dead && fault == FAULT_ERROR)
        fault = FAULT_NONE;
      int32_t status = swap_with_fault(device_coin(), fault, (int)(device.seed >> 18) % 12);
      if (status == IDENTITY__STORE_OK)
        left_by_the_dead = 0;
      else if (fault == FAULT_KILL)
        left_by_the_dead = 1;
    }
    assert_true(confirmed > 0);
  }
}

static void what_is_lost_is_replaced_or_stays_lost(void **state) {
  for (int fault = FAULT_ERROR; fault <= FAULT_POWER; fault++) {
    int32_t status = IDENTITY__STORE_IO;
    for (int fault_at = 0; status == IDENTITY__STORE_IO; fault_at++) {
      size_t length = 0;
      uint64_t revision = 0;
      assert_int_equal(end(state) | begin(state), 0);
      assert_int_equal(swap_with_fault(0, FAULT_NONE, 0), IDENTITY__STORE_OK);
      int file = open(scratch_file, O_WRONLY | O_CLOEXEC);
      assert_int_equal(write(file, "broken", 6), 6);
      (void)close(file);
      memcpy(device.image, "broken", 6);
      device_fault(fault, fault_at);
      status = store.swap(store.user_data, "a", IDENTITY__LOST_REVISION, 0, "new", 3, &revision);
      device_restart();
      int32_t loaded = store.load(store.user_data, "a", buffer, sizeof buffer, &length, &revision);
      if (loaded == IDENTITY__STORE_OK)
        assert_memory_equal(buffer, "new", 3);
      else
        assert_int_equal(loaded, IDENTITY__STORE_KEY_LOST);
      if (status == IDENTITY__STORE_OK)
        assert_int_equal(loaded, IDENTITY__STORE_OK);
    }
  }
}

static void short_and_interrupted_calls_are_repeated(void **state) {
  (void)state;
  for (int unsupported = 0; unsupported < 2; unsupported++) {
    assert_int_equal(end(state) | begin(state), 0);
    device.choppy = 1;
    device.unsupported = unsupported;
    for (int i = 0; i < 20; i++)
      assert_int_equal(swap_with_fault(i % 2, FAULT_NONE, 0), IDENTITY__STORE_OK);
  }
}

static void without_preallocation_zeroes_are_written(void **state) {
  (void)state;
  struct stat facts;
  device.unsupported = 1;
  assert_int_equal(swap_with_fault(0, FAULT_NONE, 0), IDENTITY__STORE_OK);
  assert_int_equal(stat(scratch_file, &facts), 0);
  assert_int_equal(facts.st_size, DEVICE_SIZE);
}

static void a_full_disk_stops_only_the_first_write(void **state) {
  (void)state;
  for (int unsupported = 0; unsupported < 2; unsupported++) {
    assert_int_equal(end(state) | begin(state), 0);
    uint64_t revision = 0;
    device.unsupported = unsupported;
    device.full = 1;
    assert_int_equal(store.swap(store.user_data, "a", 0, 1, "x", 1, &revision), IDENTITY__STORE_IO);
    assert_int_equal(check_stored(), 0);
    device.full = 0;
    assert_int_equal(swap_with_fault(0, FAULT_NONE, 0), IDENTITY__STORE_OK);
    device.full = 1;
    for (int i = 0; i < 4; i++)
      assert_int_equal(swap_with_fault(i % 2, FAULT_NONE, 0), IDENTITY__STORE_OK);
  }
}

static void a_file_that_cannot_be_read_is_neither_absent_nor_lost(void **state) {
  (void)state;
  size_t length = 99;
  uint64_t revision = 99;
  assert_int_equal(swap_with_fault(0, FAULT_NONE, 0), IDENTITY__STORE_OK);
  uint64_t before = check_stored();
  device.fail_reads = 1;
  assert_int_equal(store.load(store.user_data, "a", buffer, sizeof buffer, &length, &revision),
                   IDENTITY__STORE_IO);
  assert_int_equal(length, 0);
  assert_int_equal(revision, 0);
  assert_int_equal(store.swap(store.user_data, "a", before, 0, "x", 1, &revision), IDENTITY__STORE_IO);
  device.fail_reads = 0;
  assert_int_equal(check_stored(), before);
}

static void a_child_forked_in_the_middle_keeps_no_lock(void **state) {
  (void)state;
  device.fork_at_sync = 1;
  assert_int_equal(swap_with_fault(0, FAULT_NONE, 0), IDENTITY__STORE_OK);
  assert_true(device.child > 0);
  assert_int_equal(swap_with_fault(1, FAULT_NONE, 0), IDENTITY__STORE_OK);
  assert_int_equal(kill(device.child, SIGKILL), 0);
  assert_int_equal(waitpid(device.child, NULL, 0), device.child);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

static const struct CMUnitTest tests[] = {
    TEST(every_call_may_fail_or_be_the_last),
    TEST(a_long_random_walk_loses_nothing),
    TEST(what_is_lost_is_replaced_or_stays_lost),
    TEST(short_and_interrupted_calls_are_repeated),
    TEST(without_preallocation_zeroes_are_written),
    TEST(a_full_disk_stops_only_the_first_write),
    TEST(a_file_that_cannot_be_read_is_neither_absent_nor_lost),
    TEST(a_child_forked_in_the_middle_keeps_no_lock),
};

SUITE("file store faults", tests)
