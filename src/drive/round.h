/* One turn of a loop: begin what is new, wait, read what came, and only then judge the clock. All of it is
 * the driver's. */
#ifndef IDENTITY__ROUND_H
#define IDENTITY__ROUND_H

#include "drive/loop.h"

/* Begins, cancels and goes on with everything that needs no waiting, until nothing is left. */
void identity__round_settle(identity__loop *loop);
/* Reads what has come, then tells the time to who is due by read_ms: a clock read before the sockets, so that
 * an answer that is already there is never taken for a time-out. */
void identity__round_collect(identity__loop *loop, int64_t read_ms);
/* How long there is nothing to do; INT64_MAX: until something comes. */
int64_t identity__round_wait_ms(const identity__loop *loop, int64_t now_ms);
/* All of it, waiting up to longest_ms. awaited: does not wait once this call is over; NULL: none. */
void identity__round(identity__loop *loop, int64_t longest_ms, const identity__call *awaited);

#endif
