/* How sessions and loops end. */
#ifndef IDENTITY__ENDING_H
#define IDENTITY__ENDING_H

#include "drive/session.h"

/* Frees a session that nothing is out of. */
void identity__session_free(identity_session *session);

/* A session with a loop of its own: ends what runs, gives a refresh that was sent its last second, stores
 * what is not stored yet. */
void identity__wind_up(identity_session *session);

/* A session of a shared loop is closed by the app: from any thread; the driver does the rest. */
void identity__session_leave(identity_session *session);
/* The driver's: the rest, for those that have nothing out any more. True: a session is gone. */
bool identity__end_closed(identity__loop *loop);
/* The driver's, whose turn it passes on: the app has freed a shared loop. Everything in flight ends, its
 * completions run, and then nothing is left of it but what sessions and handles still hold. */
void identity__loop_close(identity__loop *loop);

#endif
