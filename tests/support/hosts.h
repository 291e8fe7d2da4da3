/* A host's store under a unit test: one blob, and what the host says instead of the truth. */
#ifndef SUPPORT_HOSTS_H
#define SUPPORT_HOSTS_H

#include "support/rows.h"

#include "base/limits.h"
#include "store/store.h"

#include <stdbool.h>

enum { HONEST = -1000, MAX = IDENTITY__MAX_RECORD };

/* One blob, and what the host says instead of the truth. */
static struct {
  char blob[MAX + 2];
  uint64_t length;
  uint64_t revision; /* 0: absent */
  int32_t loads_as;  /* HONEST, or any answer */
  int32_t swaps_as;
  uint64_t tells_length;   /* with loads_as */
  uint64_t tells_revision; /* with either; 0: none is set */
  uint64_t capacity;       /* what load was given */
  uint64_t expected;       /* what swap was given */
  char key[IDENTITY__MAX_STORE_KEY + 2];
  int loads;
  int swaps;
} host;

static identity__store store;
static char buffer[MAX + 2];
static char bytes[MAX + 2];

static int32_t host_load(void *user_data, const char *key, void *into, uint64_t capacity, uint64_t *length,
                         uint64_t *revision) {
  assert_ptr_equal(user_data, &host);
  (void)snprintf(host.key, sizeof host.key, "%s", key);
  host.capacity = capacity;
  host.loads++;
  if (host.loads_as != HONEST) {
    *length = host.tells_length;
    if (host.tells_revision != 0)
      *revision = host.tells_revision;
    return host.loads_as;
  }
  if (host.revision == 0)
    return IDENTITY_STORE_ABSENT;
  assert_true(host.length <= capacity);
  memcpy(into, host.blob, host.length);
  *length = host.length;
  *revision = host.revision;
  return IDENTITY_STORE_OK;
}

static int32_t host_swap(void *user_data, const char *key, uint64_t expected, const void *from,
                         uint64_t length, uint64_t *new_revision) {
  assert_ptr_equal(user_data, &host);
  (void)snprintf(host.key, sizeof host.key, "%s", key);
  host.expected = expected;
  host.swaps++;
  if (host.swaps_as != HONEST) {
    if (host.tells_revision != 0)
      *new_revision = host.tells_revision;
    return host.swaps_as;
  }
  if (expected != host.revision)
    return IDENTITY_STORE_CONFLICT;
  memcpy(host.blob, from, length);
  host.length = length;
  *new_revision = ++host.revision;
  return IDENTITY_STORE_OK;
}

static int begin_with(int32_t flags, identity_store_load_fn load, identity_store_swap_fn swap) {
  memset(&host, 0, sizeof host);
  memset(bytes, 'b', sizeof bytes);
  host.loads_as = host.swaps_as = HONEST;
  identity_store given;
  identity_store_init(&given, sizeof given);
  given.flags = flags;
  given.user_data = &host;
  given.load = load;
  given.swap = swap;
  int32_t status = identity__host_store(&store, &given);
  memset(&given, 0xEE, sizeof given); /* it was copied */
  return status;
}

static int end(void **state) {
  (void)state;
  store.destroy(store.user_data);
  return 0;
}

static int32_t load(size_t *length, uint64_t *revision) {
  *length = 99;
  *revision = 99;
  return store.load(store.user_data, "a", buffer, MAX, length, revision);
}

static int32_t put(uint64_t expected, const char *text, uint64_t *revision) {
  return store.swap(store.user_data, "a", expected, 1, text, strlen(text), revision);
}

static void assert_stored(const char *text, uint64_t expected_revision) {
  size_t length;
  uint64_t revision;
  assert_int_equal(load(&length, &revision), IDENTITY__STORE_OK);
  assert_int_equal(length, strlen(text));
  assert_memory_equal(buffer, text, length);
  assert_true(revision == expected_revision);
}

#endif
