/* Calls that nobody waits for: started from any thread, completed inside the functions that drive a shared
 * loop. */
#ifndef IDENTITY__DELIVER_H
#define IDENTITY__DELIVER_H

#include "drive/session.h"

/* Whether calls of a session can be started here and now: OK, BAD_ARGUMENT, NOT_ON_A_LOOP, LOOP_GONE,
 * CANCELLED (it is closed), FORKED. */
identity_status identity__startable(identity_session *session);
/* Puts a call in line; the driver frees it after its completion. handle: NULL, or what receives the app's. On
 * failure (LOOP_GONE, OUT_OF_MEMORY) the call is still the caller's. */
identity_status identity__start_call(identity_session *session, identity__call *call, identity_call **handle);

/* The driver's, outside of everything else: runs the completions that are due. */
void identity__deliver(identity__loop *loop);

#endif
