/* Carries a call from event to event: every action of its machine is performed here. All of it is the
 * driver's. */
#ifndef IDENTITY__PUMP_H
#define IDENTITY__PUMP_H

#include "drive/session.h"

/* Tells a call an event and performs what follows, until it waits or is over (then it is retired, and must
 * not be touched any more). */
void identity__pump(identity__call *call, const identity__event *event);
/* Ends a call with this error; NULL: CANCELLED. What it has sent is broken off. */
void identity__pump_cancel(identity__call *call, const identity_error *error);
/* Whether a call is one of the 64 of its session that run. */
bool identity__pump_is_counted(const identity__call *call);
/* A call that was parked has a place now, and goes on. */
void identity__pump_resume(identity__call *call);
/* Tells the call of an exchange that is over. */
void identity__pump_response(identity__exchange *exchange);
/* Answers every call that waits for a flight which is over. True: there were some. */
bool identity__pump_waiters(identity__loop *loop);
/* How far the running request of a call got. */
int32_t identity__pump_progress(const identity__call *call);

#endif
