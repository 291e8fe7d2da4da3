/* What tests of a refresh arrange and look at: faults on it, its requests in the journal, the moment while it
 * hangs. Every function fails the running test when something does not work. */
#ifndef SUPPORT_ROTATION_H
#define SUPPORT_ROTATION_H

#include "support/service.h"

#define ROTATION_PATH "/auths/refresh_token"

/* A fault on the next refresh, by its members without the braces: "\"status\":500,\"body\":\"\"". */
void rotation_fault(service *server, const char *members);
/* How many refreshes came in; status -1: any, 0: not answered (yet). */
int rotation_count(service *server, int status);
/* When the first, second, ... came in, on the service's own clock that only goes forward. */
int64_t rotation_arrival_ms(service *server, int number);
/* Waits until so many requests of this kind came in. */
void rotation_await_request(service *server, const char *method, const char *path, int count);
void rotation_await(service *server, int count);
/* Lets go on what the service holds back. */
void rotation_release(service *server);
/* Waits for the time that a stale session tells, and a little. */
void rotation_wait_for_retry(identity_session *session);

#endif
