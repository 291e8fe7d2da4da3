/* The refresh that a session has in flight: a call of its own, which performs what token/flight.h asks for.
 * All of it is the driver's. */
#ifndef IDENTITY__REFRESH_H
#define IDENTITY__REFRESH_H

#include "drive/session.h"

/* Starts one unless there is one; rotation: a new pair is wanted whatever the JWT is worth. False: memory is
 * out. */
bool identity__refresh_start(identity_session *session, bool rotation);
/* The order of its flow: the next steps of the flight, until something has to be sent or waited for, or it is
 * over. OK also when call->again_ms says when to go on. */
identity_status identity__refresh_step(identity_session *session, identity__call *call);
/* Its request is over; what came of it waits for the store, or for memory. */
bool identity__refresh_has_landed(const identity__call *call);
/* Whether the request of a refresh may still leave; for the transport. */
bool identity__refresh_may_leave(const void *call, identity__now now);
/* It is over: who waited for it may be answered. */
void identity__refresh_over(identity_session *session, identity__call *call);

#endif
