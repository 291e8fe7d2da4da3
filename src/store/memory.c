/* Blobs in memory, for one session: gone with it. */
#include "store/store.h"
#include "base/limits.h"
#include "base/secret.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

typedef struct entry {
  struct entry *next;
  uint64_t revision;
  char *bytes;
  size_t length;
  char key[];
} entry;

typedef struct memory_store {
  pthread_mutex_t mutex; /* the engine calls without its own lock: two threads of a session may meet here */
  entry *entries;
} memory_store;

static entry *find_entry(const memory_store *memory, const char *key) {
  entry *found = memory->entries;
  while (found != NULL && strcmp(found->key, key) != 0)
    found = found->next;
  return found;
}

/* Without a blob yet: not in the list before it has one. */
static entry *new_entry(const char *key) {
  size_t size = strlen(key) + 1;
  entry *made = calloc(1, sizeof *made + size);
  if (made != NULL)
    memcpy(made->key, key, size);
  return made;
}

static int32_t load_entry(const entry *found, void *buffer, size_t capacity, size_t *length,
                          uint64_t *revision) {
  if (found == NULL)
    return IDENTITY__STORE_ABSENT;
  if (found->length > capacity)
    return IDENTITY__STORE_IO;
  memcpy(buffer, found->bytes, found->length);
  *length = found->length;
  *revision = found->revision;
  return IDENTITY__STORE_OK;
}

static int32_t memory_load(void *user_data, const char *key, void *buffer, size_t capacity, size_t *length,
                           uint64_t *revision) {
  memory_store *memory = user_data;
  *length = 0;
  *revision = 0;
  (void)pthread_mutex_lock(&memory->mutex);
  int32_t status = load_entry(find_entry(memory, key), buffer, capacity, length, revision);
  (void)pthread_mutex_unlock(&memory->mutex);
  return status;
}

static int32_t swap_entry(memory_store *memory, const char *key, uint64_t expected_revision,
                          const void *bytes, size_t length, uint64_t *new_revision) {
  entry *found = find_entry(memory, key);
  if (expected_revision != (found != NULL ? found->revision : 0))
    return IDENTITY__STORE_CONFLICT;
  char *copy = malloc(length + 1); /* one more: an empty blob has memory too */
  entry *target = found != NULL ? found : new_entry(key);
  if (copy == NULL || target == NULL) {
    free(copy);
    if (found == NULL)
      free(target);
    return IDENTITY__STORE_MEMORY;
  }
  memcpy(copy, bytes, length);
  identity__wipe(target->bytes, target->length);
  free(target->bytes);
  target->bytes = copy;
  target->length = length;
  target->revision++;
  if (found == NULL) {
    target->next = memory->entries;
    memory->entries = target;
  }
  *new_revision = target->revision;
  return IDENTITY__STORE_OK;
}

static int32_t memory_swap(void *user_data, const char *key, uint64_t expected_revision, int32_t both_copies,
                           const void *bytes, size_t length, uint64_t *new_revision) {
  memory_store *memory = user_data;
  (void)both_copies; /* there is one, and what it held is wiped */
  if (length > IDENTITY__MAX_RECORD || strlen(key) > IDENTITY__MAX_STORE_KEY)
    return IDENTITY__STORE_IO;
  (void)pthread_mutex_lock(&memory->mutex);
  int32_t status = swap_entry(memory, key, expected_revision, bytes, length, new_revision);
  (void)pthread_mutex_unlock(&memory->mutex);
  return status;
}

static void memory_destroy(void *user_data) {
  memory_store *memory = user_data;
  while (memory->entries != NULL) {
    entry *gone = memory->entries;
    memory->entries = gone->next;
    identity__wipe(gone->bytes, gone->length);
    free(gone->bytes);
    free(gone);
  }
  (void)pthread_mutex_destroy(&memory->mutex);
  free(memory);
}

int32_t identity__memory_store(identity__store *store) {
  memory_store *memory = calloc(1, sizeof *memory);
  if (memory == NULL)
    return IDENTITY__STORE_MEMORY;
  if (pthread_mutex_init(&memory->mutex, NULL) != 0) {
    free(memory);
    return IDENTITY__STORE_MEMORY;
  }
  *store = (identity__store){memory_load, memory_swap, memory_destroy, memory};
  return IDENTITY__STORE_OK;
}
