/* The seam between the session engine and whatever keeps its record: two operations on one blob per slot,
 * both synchronous and short. Unreadable is not empty: a store that cannot tell says so and never answers
 * ABSENT. Several threads may call the stores made here at the same time. */
#ifndef IDENTITY__STORE_H
#define IDENTITY__STORE_H

#include <identity/platform.h>
#include <stddef.h>
#include <stdint.h>

enum {
  IDENTITY__STORE_OK = 0,
  IDENTITY__STORE_ABSENT = 1,   /* load: there is no blob; revision 0 */
  IDENTITY__STORE_CONFLICT = 2, /* swap: another revision is stored; nothing was written */
  IDENTITY__STORE_LOCKED = 3,   /* somebody else holds it right now; ask again in 10 to 50 ms */
  IDENTITY__STORE_IO = 4,       /* cannot be read or written; after a swap a load tells which blob is there */
  IDENTITY__STORE_KEY_LOST = 5, /* there is a blob and it can no longer be read */
  IDENTITY__STORE_MEMORY = 6
};

enum { IDENTITY__MAX_STORE_KEY = 120 }; /* bytes; its hex form has to fit a file name */

/* What a load that answers KEY_LOST gives as revision here. It is neither 0 nor that of any blob: a swap that
 * expects it overwrites what is unreadable, and CONFLICTs once somebody else did. */
#define IDENTITY__LOST_REVISION UINT64_MAX

typedef struct identity__store {
  /* Copies the blob of a key (at most IDENTITY__MAX_RECORD bytes; a capacity too small is IO) and tells its
   * revision. length and revision are 0 where the status says nothing else. */
  int32_t (*load)(void *user_data, const char *key, void *buffer, size_t capacity, size_t *length,
                  uint64_t *revision);
  /* Writes the blob if the stored revision is the expected one (0: there is none), durably, and tells the new
   * one, which is untouched unless the answer is OK. both_copies: 1: no earlier copy may come back after this
   * (sign-out, a new customer). */
  int32_t (*swap)(void *user_data, const char *key, uint64_t expected_revision, int32_t both_copies,
                  const void *bytes, size_t length, uint64_t *new_revision);
  void (*destroy)(void *user_data);
  void *user_data;
} identity__store;

/* A store of the host, whose struct is copied. */
int32_t identity__host_store(identity__store *store, const identity_store *host);
/* Each makes a store that its destroy function frees; a STORE_x status. */
int32_t identity__memory_store(identity__store *store);
/* Makes the directory (0700; its parent must exist); STORE_IO: that cannot be done or it is not safe to use.
 */
int32_t identity__file_store(identity__store *store, const char *directory);

#endif
