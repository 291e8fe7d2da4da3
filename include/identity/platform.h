/* SPDX-License-Identifier: MIT
 *
 * libidentity for those who port it: what a device can put in the place of the library's own store and clock.
 * An application does not need this header. Since: 0.1.0 for everything in it.
 *
 * The functions given here run on whatever thread makes a call, one at a time for each session, never under a lock
 * of the library. They must not call functions of the library, and should be short: nothing interrupts them.
 */
#ifndef IDENTITY_PLATFORM_H
#define IDENTITY_PLATFORM_H

#include <identity/identity.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- Store. Thread class: builder. Does not block. -------------------------------------------------------------
 * One blob for each key (at most 120 bytes; it ends with the account key as the app gave it), at most 65,536 bytes, with
 * secrets in it: it must lie where nobody else can read it. Unreadable is not empty: a store that cannot tell whether there is a blob says BUSY or
 * IO, never ABSENT; ABSENT means that nobody is signed in. */

enum {
  IDENTITY_STORE_OK = 0,
  IDENTITY_STORE_ABSENT = 1,   /* load: there is no blob */
  IDENTITY_STORE_CONFLICT = 2, /* swap: the stored revision is another than expected; nothing was written */
  IDENTITY_STORE_BUSY = 3,     /* held by somebody else, or locked until the viewer unlocks the device: asked again */
  IDENTITY_STORE_IO = 4,       /* cannot be read or written */
  IDENTITY_STORE_KEY_LOST = 5, /* load: there is a blob and it can never be read again */
  IDENTITY_STORE_NO_MEMORY = 6
};

/** The store cannot compare and swap (a keychain): only one session at a time may use a key. Revisions are then
 *  the library's business: load need not set one, swap need not look at the expected one. */
enum { IDENTITY_STORE_ONE_PROCESS = 1 };

/** Copies the blob of a key into buffer (capacity bytes, at least 65,536), and tells its length and its revision:
 *  a number from 1 to 2^64 - 2 that is another one after each swap.
 *  @return IDENTITY_STORE_OK, ABSENT, BUSY, IO, KEY_LOST, NO_MEMORY. KEY_LOST may set a revision, too. */
typedef int32_t (*identity_store_load_fn)(void *user_data, const char *key, void *buffer, uint64_t capacity,
                                          uint64_t *length, uint64_t *revision);
/** Writes the blob if the stored revision is the expected one (0: there is none, or KEY_LOST told no revision;
 *  that of KEY_LOST: overwrite what is unreadable), and tells the new revision. It must be atomic against other processes and threads, durable when it
 *  returns OK, and leave no earlier blob that could come back or be read.
 *  @return IDENTITY_STORE_OK, CONFLICT, BUSY, IO, NO_MEMORY. */
typedef int32_t (*identity_store_swap_fn)(void *user_data, const char *key, uint64_t expected_revision,
                                          const void *bytes, uint64_t length, uint64_t *new_revision);

/** A host's own store; filled after identity_store_init. */
typedef struct identity_store {
  uint32_t struct_size;
  int32_t flags; /* 0 or IDENTITY_STORE_ONE_PROCESS */
  void *user_data;
  identity_store_load_fn load;
  identity_store_swap_fn swap;
} identity_store;

/** Zeroes a struct of size bytes and notes the size. */
IDENTITY_API void identity_store_init(identity_store *store, uint32_t size);
/** Keeps tokens in a store of the host; the struct is copied, what user_data points to outlives every session of the
 *  config. NULL: back to memory. The last of the store setters counts.
 *  @return OK; BAD_ARGUMENT (no load or swap, unknown flags); PARAMS_TOO_NEW. */
IDENTITY_API identity_status identity_config_set_store(identity_config *config, const identity_store *store);

/* ---- Clock. Thread class: builder. Does not block. ------------------------------------------------------------- */

/** Tells the time in milliseconds on two clocks. boot: since the device started, also running while it sleeps, never
 *  set back, at least 0. wall: since 1970, as the device believes; 0 where it has none. Time-outs run on boot: it must go
 *  on. Called from any thread. */
typedef void (*identity_clock_fn)(void *user_data, int64_t *boot_ms, int64_t *wall_ms);

/** A host's own clock; filled after identity_clock_init. */
typedef struct identity_clock {
  uint32_t struct_size;
  int32_t reserved;
  void *user_data;
  identity_clock_fn now;
  const char *boot_id; /* names this start of the device, 1 to 39 characters; NULL: as the system says */
} identity_clock;

/** Zeroes a struct of size bytes and notes the size. */
IDENTITY_API void identity_clock_init(identity_clock *clock, uint32_t size);
/** Takes the time from the host; the struct and its boot_id are copied, what user_data points to outlives every session
 *  of the config. NULL: the system's clocks.
 *  @return OK; BAD_ARGUMENT (no function, a boot_id of another length); PARAMS_TOO_NEW; OUT_OF_MEMORY. */
IDENTITY_API identity_status identity_config_set_clock(identity_config *config, const identity_clock *clock);

#ifdef __cplusplus
}
#endif

#endif
