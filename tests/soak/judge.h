/* What happened, and whether it was right: the service's journal, what the workers wrote down, and what the
 * service took as good when a session ended. */
#ifndef SOAK_JUDGE_H
#define SOAK_JUDGE_H

#include "soak/journal.h"

typedef struct soak_sign_out {
  uint32_t event; /* its place among the events */
  soak_marks good;
  soak_marks stored;
} soak_sign_out;

typedef struct soak_case {
  soak_page *page;
  soak_journal journal;
  soak_sign_out *sign_outs;
  size_t sign_out_count, sign_out_capacity;
} soak_case;

typedef struct soak_verdict {
  int32_t calls, calls_ok, refreshes, rotations, replays, overlaps, adoptions, logins;
  int32_t lost_rotations; /* sessions that ended so, by right */
  int32_t refused;
  int32_t spurious;        /* sessions that must not have ended, and older tokens that were sent */
  int32_t came_back;       /* ends that a handle told of when another one had read a lost pair after all */
  int32_t still_in;        /* SIGN_IN from a call on a session that is none the less there */
  int32_t without_success; /* workers that had none in the calm at the end */
} soak_verdict;

/* A worker asks: looks at the service and the store as they are now. */
void judge_look(soak_case *run, int32_t worker);
/* After the run. Prints each sign-out that was wrong. calm_ms: when troubles and faults ended. */
void judge_decide(soak_case *run, int64_t calm_ms, soak_verdict *verdict);

/* Writes all that happened to a file. */
void judge_trace(const soak_case *run, const char *path);

#endif
