#include "support/vault.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

static bool compares(const vault *self) {
  return (self->store.flags & IDENTITY_STORE_ONE_PROCESS) == 0;
}

static vault_blob *find(vault *self, const char *key) {
  for (int i = 0; i < VAULT_BLOBS; i++)
    if (strcmp(self->blobs[i].key, key) == 0)
      return &self->blobs[i];
  return NULL;
}

/* True: this use is answered with a lie. */
static bool begin_use(vault *self, int door, int32_t *says) {
  pthread_mutex_lock(&self->lock);
  vault_lie *lie = &self->lies[door];
  self->inside++;
  if (self->inside > self->together)
    self->together = self->inside;
  self->used[door]++;
  bool lies = lie->times != 0 && lie->skip-- <= 0;
  if (lies && lie->times > 0)
    lie->times--;
  *says = lie->says;
  void (*meanwhile)(void *user_data) = self->meanwhile;
  pthread_mutex_unlock(&self->lock);
  if (self->linger_ms > 0)
    service_pause_ms(self->linger_ms);
  if (meanwhile != NULL)
    meanwhile(self->meanwhile_data);
  return lies;
}

static int32_t end_use(vault *self, int32_t answer) {
  pthread_mutex_lock(&self->lock);
  self->inside--;
  pthread_mutex_unlock(&self->lock);
  return answer;
}

static int32_t read_blob(vault *self, const char *key, void *buffer, uint64_t capacity, uint64_t *length,
                         uint64_t *revision) {
  const vault_blob *blob = find(self, key);
  if (blob == NULL)
    return IDENTITY_STORE_ABSENT;
  if (blob->length > capacity)
    return IDENTITY_STORE_IO;
  memcpy(buffer, blob->bytes, blob->length);
  *length = blob->length;
  if (compares(self))
    *revision = blob->revision;
  return IDENTITY_STORE_OK;
}

static int32_t load(void *user_data, const char *key, void *buffer, uint64_t capacity, uint64_t *length,
                    uint64_t *revision) {
  vault *self = user_data;
  int32_t answer;
  bool lies = begin_use(self, VAULT_LOAD, &answer);
  pthread_mutex_lock(&self->lock);
  const vault_blob *blob = find(self, key);
  if (!lies)
    answer = read_blob(self, key, buffer, capacity, length, revision);
  else if (self->lies[VAULT_LOAD].tells_revision && blob != NULL)
    *revision = blob->revision;
  pthread_mutex_unlock(&self->lock);
  return end_use(self, answer);
}

static int32_t write_blob(vault *self, const char *key, const void *bytes, uint64_t length) {
  vault_blob *blob = find(self, key);
  if (blob == NULL)
    blob = find(self, "");
  char *copy = malloc(length > 0 ? length : 1);
  if (blob == NULL || copy == NULL || strlen(key) >= sizeof blob->key || length > VAULT_BLOB_SIZE) {
    free(copy);
    return IDENTITY_STORE_IO;
  }
  memcpy(blob->key, key, strlen(key) + 1);
  memcpy(copy, bytes, length);
  free(blob->bytes);
  blob->bytes = copy;
  blob->length = length;
  blob->revision = ++self->revisions;
  self->written++;
  return IDENTITY_STORE_OK;
}

static int32_t swap(void *user_data, const char *key, uint64_t expected, const void *bytes, uint64_t length,
                    uint64_t *new_revision) {
  vault *self = user_data;
  int32_t answer;
  bool lies = begin_use(self, VAULT_SWAP, &answer);
  pthread_mutex_lock(&self->lock);
  const vault_blob *blob = find(self, key);
  uint64_t stored = blob != NULL ? blob->revision : 0;
  if (!lies && compares(self) && stored != expected)
    answer = IDENTITY_STORE_CONFLICT;
  else if (!lies)
    answer = write_blob(self, key, bytes, length);
  if (answer == IDENTITY_STORE_OK && compares(self))
    *new_revision = self->revisions;
  pthread_mutex_unlock(&self->lock);
  return end_use(self, answer);
}

void vault_start(vault *self, int32_t flags) {
  memset(self, 0, sizeof *self);
  assert_int_equal(pthread_mutex_init(&self->lock, NULL), 0);
  identity_store_init(&self->store, sizeof self->store);
  self->store.flags = flags;
  self->store.user_data = self;
  self->store.load = load;
  self->store.swap = swap;
}

void vault_stop(vault *self) {
  assert_int_equal(self->inside, 0);
  for (int i = 0; i < VAULT_BLOBS; i++)
    free(self->blobs[i].bytes);
  pthread_mutex_destroy(&self->lock);
}

identity_config *vault_config(vault *self, service *server) {
  identity_config *config = service_config(server);
  assert_int_equal(identity_config_set_store(config, &self->store), IDENTITY_OK);
  return config;
}

identity_session *vault_open(vault *self, service *server, const char *account) {
  return service_open_with(vault_config(self, server), account);
}

void vault_lies(vault *self, int door, vault_lie lie) {
  pthread_mutex_lock(&self->lock);
  self->lies[door] = lie;
  pthread_mutex_unlock(&self->lock);
}

void vault_tells_the_truth(vault *self) {
  vault_lies(self, VAULT_LOAD, (vault_lie){0});
  vault_lies(self, VAULT_SWAP, (vault_lie){0});
}

void vault_recount(vault *self) {
  pthread_mutex_lock(&self->lock);
  memset(self->used, 0, sizeof self->used);
  self->written = 0;
  self->together = 0;
  pthread_mutex_unlock(&self->lock);
}

int vault_written(vault *self) {
  pthread_mutex_lock(&self->lock);
  int written = self->written;
  pthread_mutex_unlock(&self->lock);
  return written;
}

int vault_used(vault *self, int door) {
  pthread_mutex_lock(&self->lock);
  int used = self->used[door];
  pthread_mutex_unlock(&self->lock);
  return used;
}

bool vault_has(vault *self, const char *text) {
  bool found = false;
  pthread_mutex_lock(&self->lock);
  for (int i = 0; i < VAULT_BLOBS; i++)
    found = found || (self->blobs[i].bytes != NULL &&
                      memmem(self->blobs[i].bytes, self->blobs[i].length, text, strlen(text)) != NULL);
  pthread_mutex_unlock(&self->lock);
  return found;
}

int vault_count(vault *self) {
  int count = 0;
  pthread_mutex_lock(&self->lock);
  for (int i = 0; i < VAULT_BLOBS; i++)
    count += self->blobs[i].bytes != NULL;
  pthread_mutex_unlock(&self->lock);
  return count;
}
