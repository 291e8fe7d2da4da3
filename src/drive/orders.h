/* What flows order beside requests: changes of who is signed in. All of it is the driver's. */
#ifndef IDENTITY__ORDERS_H
#define IDENTITY__ORDERS_H

#include "drive/session.h"

/* Carries out call->order; fills error, OK or not. Orders about tokens (TOKEN, ROTATE) are the flight's. */
void identity__order_run(identity_session *session, identity__call *call, identity_error *error);
/* What became of the pending consents that a call tried (call->pending_end). */
void identity__order_pending(identity_session *session, identity__call *call);

#endif
