/* The record between a session's machine and its store. All of it is the driver's. A store that is held by
 * somebody else is not waited for here: the call that needs it is to ask again at call->again_ms, for up to a
 * second; call NULL: there is nobody who could. */
#ifndef IDENTITY__KEEP_H
#define IDENTITY__KEEP_H

#include "drive/session.h"
#include "token/change.h"

enum { IDENTITY__KEEP_AGAIN = -1 }; /* in place of a status: the call is to ask again */

/* The two things a machine asks of its store. False: ask again; look and change are as before. */
bool identity__keep_look(identity_session *session, identity__call *call, identity__look *look);
bool identity__keep_swap(identity_session *session, identity__call *call, const identity__change *change,
                         int32_t *said, uint64_t *revision);

/* Looks at the slot. False: ask again. */
bool identity__keep_load(identity_session *session, identity__call *call);
/* The first look; waits: also for up to a second, if the store is held. */
void identity__keep_open(identity_session *session, bool waits);
/* Carries a change out. OK also when another handle's newer record was taken instead; STORE_LOCKED,
 * STORE_FAILED, STORE_NEWER, OUT_OF_MEMORY; KEEP_AGAIN. */
identity_status identity__keep_change(identity_session *session, identity__call *call,
                                      identity__change *change);
/* Whether the store can be written; tries again what it did not take before. */
identity_status identity__keep_probe(identity_session *session, identity__call *call);
/* Stores what is in memory only, if anything is. */
identity_status identity__keep_retry(identity_session *session, identity__call *call);

#endif
