/* Questions to what was written down: the events of the workers and the harness, and the service's journal.
 */
#ifndef SOAK_EVIDENCE_H
#define SOAK_EVIDENCE_H

#include "soak/judge.h"

/* Events and journal run on one clock, but a request is noted a little after it left. */
enum { EVIDENCE_BLUR_US = 300, EVIDENCE_SIGNAL_US = 10000 /* until a signal that was noted takes effect */ };

uint32_t evidence_count(const soak_case *run);
/* The request that issued a refresh token; NULL: none of ours. */
const soak_entry *evidence_issued(const soak_case *run, int32_t device, const char *refresh_token);
/* The one that issued a JWT. Two of one second are equal: NULL. */
const soak_entry *evidence_issued_jwt(const soak_case *run, int32_t device, const char *jwt);
/* A handle had this pair before the event: it was seen with the JWT, or sent the refresh token. */
bool evidence_held(const soak_case *run, const soak_entry *issued, int32_t handle, uint32_t before);

/* The worker was killed in this time. */
bool evidence_killed(const soak_case *run, int32_t worker, int64_t from_us, int64_t to_us);
/* It was stopped at some moment of this time; worker -1: some worker of the device. */
bool evidence_stopped(const soak_case *run, int32_t device, int32_t worker, int64_t from_us, int64_t to_us);
/* The handle that made the request could read its answer and store it before a moment: a call of it that uses
 * the network came to its end, with nobody stopped or in the way of the store. */
bool evidence_could_store(const soak_case *run, const soak_entry *entry, int64_t before_us);

/* Finds out to which session each request belongs, and when each began. */
void evidence_sort(soak_case *run);
/* The login of a session; NULL: 0. */
const soak_entry *evidence_login(const soak_case *run, int64_t session);
/* The session that ended at an event. */
int64_t evidence_session_of(const soak_case *run, uint32_t ended);
/* One pair replaces the other: a later session, or a later request of the same one. */
bool evidence_is_newer(const soak_case *run, const soak_entry *pair, const soak_entry *other);

#endif
