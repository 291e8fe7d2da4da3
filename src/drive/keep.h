/* The record between a session's machine and its store. All of it is the driver's. */
#ifndef IDENTITY__KEEP_H
#define IDENTITY__KEEP_H

#include "drive/session.h"
#include "token/change.h"

/* The two things a machine asks of its store. */
void identity__keep_look(identity_session *session, identity__look *look);
int32_t identity__keep_swap(identity_session *session, const identity__record *record, bool both_copies,
                            uint64_t *revision);

/* The first look at the slot, and again while it could not be read. */
void identity__keep_load(identity_session *session);
/* Carries a change out. OK also when another handle's newer record was taken instead; STORE_LOCKED,
 * STORE_FAILED, STORE_NEWER, OUT_OF_MEMORY. */
identity_status identity__keep_change(identity_session *session, identity__change *change);
/* Whether the store can be written; tries again what it did not take before. */
identity_status identity__keep_probe(identity_session *session);
/* Stores what is in memory only, if anything is. in_passing: a call that has other things to do does not wait
 * for a store that is held by somebody else. */
void identity__keep_retry(identity_session *session, bool in_passing);

#endif
