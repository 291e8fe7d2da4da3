/* A store of the host for end-to-end tests: it keeps blobs in memory, counts how it is used, and says what a
 * test wants it to say. Several sessions may share one. */
#ifndef SUPPORT_VAULT_H
#define SUPPORT_VAULT_H

#include "support/service.h"

#include <identity/platform.h>
#include <pthread.h>

enum { VAULT_BLOBS = 8, VAULT_BLOB_SIZE = 65536, VAULT_ALWAYS = -1 };
enum { VAULT_LOAD, VAULT_SWAP, VAULT_DOORS };

/* Instead of the truth: after so many uses of a door, so many times. */
typedef struct vault_lie {
  int32_t says;
  int skip;
  int times; /* 0: the truth */
  bool tells_revision;
} vault_lie;

typedef struct vault_blob {
  char key[128];
  char *bytes;
  uint64_t length;
  uint64_t revision;
} vault_blob;

typedef struct vault {
  identity_store store; /* for identity_config_set_store */
  pthread_mutex_t lock;
  vault_blob blobs[VAULT_BLOBS];
  uint64_t revisions;
  vault_lie lies[VAULT_DOORS];
  int used[VAULT_DOORS];
  int written;                        /* swaps that changed a blob */
  int inside;                         /* threads in load or swap */
  int together;                       /* the most of them at a time */
  int linger_ms;                      /* how long each use takes */
  void (*meanwhile)(void *user_data); /* called in each use; NULL: nothing */
  void *meanwhile_data;
} vault;

/* flags: as of identity_store. With IDENTITY_STORE_ONE_PROCESS it does not compare and knows no revisions. */
void vault_start(vault *self, int32_t flags);
/* Every session on it is closed by now. */
void vault_stop(vault *self);
/* A config for the service and this store. */
identity_config *vault_config(vault *self, service *server);
identity_session *vault_open(vault *self, service *server, const char *account);

void vault_lies(vault *self, int door, vault_lie lie);
void vault_tells_the_truth(vault *self);
/* From now on nothing is counted yet. */
void vault_recount(vault *self);
int vault_written(vault *self);
int vault_used(vault *self, int door);
/* Whether a text stands in any blob. */
bool vault_has(vault *self, const char *text);
int vault_count(vault *self);

#endif
