/* The persisted record of one slot: what a process must know that opens it next. Pure: bytes in, struct
 * out. */
#ifndef IDENTITY__RECORD_H
#define IDENTITY__RECORD_H

#include "base/buffer.h"
#include "base/clock.h"
#include "base/limits.h"
#include "token/consents.h"

#include <stdint.h>

enum { IDENTITY__RECORD_SIGNED_OUT = 0, IDENTITY__RECORD_SIGNED_IN = 1, IDENTITY__RECORD_REAUTH = 2 };

/* A token pair and whose it is. NULL: not known. All secrets of it live in memory that is wiped. */
typedef struct identity__grant {
  char *jwt;
  char *refresh_token; /* NULL: an adopted JWT without one */
  char *customer_token;
  char *customer_id;
  char *publisher_id;
  char *email;
  int64_t life_ms;      /* of the JWT, learned when it came */
  int64_t sent_boot_ms; /* when the request that brought it was sent: its age counts from here */
  int32_t age;          /* IDENTITY__AGE_x */
} identity__grant;

enum {
  IDENTITY__AGE_ADOPTED = 0, /* nobody knows how old it is: used until a 401 */
  IDENTITY__AGE_KNOWN = 1,
  IDENTITY__AGE_LOST = 2 /* a reboot without a usable clock: refreshed before use */
};

/* The durable mark of a refresh in flight. */
typedef struct identity__lease {
  char fingerprint[24]; /* of the refresh token it sends; empty: no lease */
  char owner[24];       /* the handle, not the process */
  int64_t process;
  int64_t process_start;
  int64_t process_space; /* the namespace that process ids count in; 0: not known */
  int64_t begun_boot_ms;
  int64_t ends_boot_ms;
} identity__lease;

enum { IDENTITY__MAX_CAUSED = 4 }; /* refreshes after a 401 that are remembered */

/* All moments of a record count on one boot clock, that of boot_id; the stamp (both clocks as it was written)
 * tells how to go on counting after a reboot. */
typedef struct identity__record {
  uint64_t epoch;      /* rises when the who changes */
  uint64_t generation; /* rises at each committed pair */
  char
      maker[24]; /* the handle that made the epoch: two may do so at the same time, and one not be heard of */
  int32_t standing; /* IDENTITY__RECORD_x */
  int32_t reason;   /* IDENTITY_REASON_x */
  identity__grant grant;
  identity__lease lease;
  char boot_id[IDENTITY__BOOT_ID_SIZE];
  int64_t written_boot_ms;
  int64_t written_wall_ms;
  int64_t cooldown_boot_ms; /* no refresh before; 0: none */
  int32_t failures;         /* in a row, for the backoff */
  int32_t refusals;         /* unknown refusals in a row */
  int64_t first_refusal_boot_ms;
  int32_t ambiguous; /* 1: an attempt with this refresh token got no usable answer */
  uint32_t caused_count;
  int64_t caused_boot_ms[IDENTITY__MAX_CAUSED]; /* when a 401 caused a refresh */
  uint32_t pending_count;
  identity_consent_answer *pending; /* NULL: none, as nearly always */
} identity__record;

enum {
  IDENTITY__RECORD_OK = 0,
  IDENTITY__RECORD_CORRUPT = 1,
  IDENTITY__RECORD_NEWER = 2,
  IDENTITY__RECORD_MEMORY = 3
};

/* Empties a record to "nobody was ever signed in". */
void identity__record_init(identity__record *record);
/* Wipes and frees every text of it and empties it. */
void identity__record_clear(identity__record *record);
/* Deep copy over an initialised record; false: memory is out, target is empty then. */
int identity__record_copy(identity__record *target, const identity__record *source);
/* What the source holds; it is emptied. */
void identity__record_move(identity__record *target, identity__record *source);
/* A copy of these becomes its pending consents; false: memory is out or they are too many, and those it had
 * stay. */
int identity__record_set_pending(identity__record *record, const identity_consent_answer *pending,
                                 uint32_t count);
/* The pending consents of source become target's; source has none then. */
void identity__record_move_pending(identity__record *target, identity__record *source);
void identity__grant_clear(identity__grant *grant);
int identity__grant_copy(identity__grant *target, const identity__grant *source);

/* Notes when it is written. */
void identity__record_stamp(identity__record *record, const char *boot_id, identity__now now);
/* Moves the moments of a stored record onto the boot clock that runs now. After a reboot the wall clock tells
 * how much time has passed; where that makes no sense, what is not known is lost: the age of the JWT, a
 * cooldown. A lease does not outlive its boot: it becomes an attempt without an answer. */
void identity__record_rebase(identity__record *record, const char *boot_id, identity__now now);

/* Appends the record's bytes to an empty buffer; false: a member is out of its limits (what decode would call
 * CORRUPT), the whole is too large, or memory is out; the buffer is empty then. The binding (environment,
 * publisher, account; at most IDENTITY__MAX_URL bytes) becomes part of it. */
int identity__record_encode(const identity__record *record, const char *binding, identity__buffer *bytes);
/* Fills an initialised record; a RECORD_x status. Bytes of another binding are CORRUPT. */
int32_t identity__record_decode(const void *bytes, size_t length, const char *binding,
                                identity__record *record);

#endif
