/* The record between a session's machine and its store. All of it is the driver's. */
#ifndef IDENTITY__KEEP_H
#define IDENTITY__KEEP_H

#include "drive/session.h"

/* Makes the record to store next from the machine as it stands; false: memory is out. */
typedef bool (*identity__maker)(const identity__machine *machine, const void *input, identity__record *next);

/* When somebody else has changed the slot meanwhile. */
enum {
  IDENTITY__KEEP_ALWAYS,    /* make it again over theirs: sign-in and sign-out win */
  IDENTITY__KEEP_SAME_PAIR, /* only over the epoch and generation we began with */
  IDENTITY__KEEP_SAME_EPOCH
};

typedef struct identity__change {
  identity__maker make;
  const void *input;
  int32_t rule;       /* IDENTITY__KEEP_x */
  bool both_copies;   /* no earlier copy may come back: a new epoch */
  bool in_memory_too; /* when the store fails, hold it in memory and try the store again later */
} identity__change;

/* The first look at the slot, and again while it could not be read. */
void identity__keep_load(identity_session *session);
/* Looks whether the store has something newer, and takes it. OK; else why it could not be read: STORE_LOCKED,
 * STORE_NEWER, OUT_OF_MEMORY. */
identity_status identity__keep_look(identity_session *session);
/* Stores and then uses a change: durable first. OK also when another handle's newer record was taken instead;
 * STORE_LOCKED, STORE_FAILED, OUT_OF_MEMORY. */
identity_status identity__keep_change(identity_session *session, const identity__change *change);
/* Whether the store can be written; tries again what it did not take before. */
identity_status identity__keep_probe(identity_session *session);
/* Stores what is in memory only, if anything is. */
void identity__keep_retry(identity_session *session);

#endif
