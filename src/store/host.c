/* A store of the host behind the library's own seam: its answers translated, its lengths and revisions not
 * trusted. */
#include "base/limits.h"
#include "base/secret.h"
#include "store/store.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

typedef struct host_store {
  identity_store host;
  char *scratch; /* IDENTITY__MAX_RECORD bytes, where the host cannot compare and swap */
} host_store;

static const struct {
  int32_t host;
  int32_t ours;
} rows[] = {
    {IDENTITY_STORE_OK, IDENTITY__STORE_OK},
    {IDENTITY_STORE_ABSENT, IDENTITY__STORE_ABSENT},
    {IDENTITY_STORE_CONFLICT, IDENTITY__STORE_CONFLICT},
    {IDENTITY_STORE_BUSY, IDENTITY__STORE_LOCKED},
    {IDENTITY_STORE_IO, IDENTITY__STORE_IO},
    {IDENTITY_STORE_KEY_LOST, IDENTITY__STORE_KEY_LOST},
    {IDENTITY_STORE_NO_MEMORY, IDENTITY__STORE_MEMORY},
};

static int32_t status_of(int32_t answer) {
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
    if (rows[i].host == answer)
      return rows[i].ours;
  return IDENTITY__STORE_IO;
}

static bool is_alone(const host_store *store) {
  return (store->host.flags & IDENTITY_STORE_ONE_PROCESS) != 0;
}

static bool is_of_a_blob(uint64_t revision) {
  return revision != 0 && revision != IDENTITY__LOST_REVISION;
}

/* FNV-1a: a revision for a host that has none. */
static uint64_t revision_of(const void *bytes, size_t length) {
  const unsigned char *at = bytes;
  uint64_t hash = UINT64_C(0xCBF29CE484222325);
  for (size_t i = 0; i < length; i++)
    hash = (hash ^ at[i]) * UINT64_C(0x100000001B3);
  return is_of_a_blob(hash) ? hash : 1;
}

static int32_t host_load(void *user_data, const char *key, void *buffer, size_t capacity, size_t *length,
                         uint64_t *revision) {
  const host_store *store = user_data;
  uint64_t loaded = 0;
  uint64_t told = 0;
  *length = 0;
  *revision = 0;
  int32_t status = status_of(store->host.load(store->host.user_data, key, buffer, capacity, &loaded, &told));
  if (status == IDENTITY__STORE_KEY_LOST)
    *revision = told != 0 && !is_alone(store) ? told : IDENTITY__LOST_REVISION;
  if (status != IDENTITY__STORE_OK)
    return status == IDENTITY__STORE_CONFLICT ? IDENTITY__STORE_IO : status;
  if (loaded > capacity || loaded > IDENTITY__MAX_RECORD)
    return IDENTITY__STORE_IO;
  told = is_alone(store) ? revision_of(buffer, (size_t)loaded) : told;
  if (!is_of_a_blob(told))
    return IDENTITY__STORE_IO;
  *revision = told;
  *length = (size_t)loaded;
  return IDENTITY__STORE_OK;
}

/* Compares for a host that cannot. */
static int32_t compare(host_store *store, const char *key, uint64_t expected_revision) {
  size_t length = 0;
  uint64_t revision = 0;
  int32_t status = host_load(store, key, store->scratch, IDENTITY__MAX_RECORD, &length, &revision);
  identity__wipe(store->scratch, IDENTITY__MAX_RECORD);
  bool tells =
      status == IDENTITY__STORE_OK || status == IDENTITY__STORE_ABSENT || status == IDENTITY__STORE_KEY_LOST;
  if (!tells)
    return status;
  return revision == expected_revision ? IDENTITY__STORE_OK : IDENTITY__STORE_CONFLICT;
}

static int32_t host_swap(void *user_data, const char *key, uint64_t expected_revision, int32_t both_copies,
                         const void *bytes, size_t length, uint64_t *new_revision) {
  host_store *store = user_data;
  uint64_t told = 0;
  (void)both_copies; /* a host leaves no earlier copy at all (identity/platform.h) */
  int32_t compared = is_alone(store) ? compare(store, key, expected_revision) : IDENTITY__STORE_OK;
  if (compared != IDENTITY__STORE_OK)
    return compared;
  uint64_t expected = expected_revision != IDENTITY__LOST_REVISION ? expected_revision : 0;
  int32_t status = status_of(store->host.swap(store->host.user_data, key, expected, bytes, length, &told));
  if (status == IDENTITY__STORE_ABSENT || status == IDENTITY__STORE_KEY_LOST)
    return IDENTITY__STORE_IO; /* no answers to a swap */
  if (status != IDENTITY__STORE_OK)
    return status;
  told = is_alone(store) ? revision_of(bytes, length) : told;
  if (!is_of_a_blob(told))
    return IDENTITY__STORE_IO;
  *new_revision = told;
  return IDENTITY__STORE_OK;
}

static void host_destroy(void *user_data) {
  host_store *store = user_data;
  free(store->scratch);
  free(store);
}

int32_t identity__host_store(identity__store *store, const identity_store *host) {
  host_store *made = calloc(1, sizeof *made);
  if (made == NULL)
    return IDENTITY__STORE_MEMORY;
  made->host = *host;
  if (is_alone(made))
    made->scratch = malloc(IDENTITY__MAX_RECORD);
  if (is_alone(made) && made->scratch == NULL) {
    free(made);
    return IDENTITY__STORE_MEMORY;
  }
  *store = (identity__store){host_load, host_swap, host_destroy, made};
  return IDENTITY__STORE_OK;
}
