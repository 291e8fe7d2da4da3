/* Blocking calls: the one place that waits. */
#ifndef IDENTITY__BLOCKING_H
#define IDENTITY__BLOCKING_H

#include "drive/session.h"

/* Whether a session can be used here and now: not NULL, not after a fork, not from inside a callback of its
 * own. */
identity_status identity__session_usable(identity_session *session, identity_error *error);

/* Runs a call to its end. The call is the caller's again, with status, error and result; error (may be NULL)
 * is filled too. */
identity_status identity__run(identity_session *session, identity__call *call, identity_error *error);

#endif
