/* Turns changes of a session's machine into events. */
#ifndef IDENTITY__NOTICE_H
#define IDENTITY__NOTICE_H

#include "drive/session.h"

/* Takes and gives back the lock around a change of the machine; what has changed is noted before it is given
 * back. The time is of just before: a host's clock is not asked under the lock (I5). */
identity__now identity__notice_begin(identity_session *session);
void identity__notice_end(identity_session *session);
/* A refresh cannot be had before a time. */
void identity__notice_deferred(identity_session *session, identity_status cause, int64_t wait_ms);
/* What an answer of the service says beside its content: its date (0: none), and that it wants to be left
 * alone. */
void identity__notice_answer(identity_session *session, int64_t date_s, int64_t quiet_ms);

#endif
