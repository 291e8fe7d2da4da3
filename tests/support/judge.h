/* The service's journal as the judge of refreshes. Every function fails the running test when something does
 * not work. */
#ifndef SUPPORT_JUDGE_H
#define SUPPORT_JUDGE_H

#include "support/service.h"

typedef struct judged {
  int sent;      /* refreshes that arrived */
  int rotated;   /* processed, and a pair issued */
  int refused;   /* answered with a refusal */
  int repeated;  /* sent with a token that an earlier request had already carried */
  int twice;     /* processed with a token that had been processed before */
  int customers; /* different ones among the rotated */
} judged;

/* All refreshes in the journal. It must not have dropped any request. */
judged judge_refreshes(service *server);
/* Waits until so many requests of this kind have arrived; fails after 20 s. */
void judge_await(service *server, const char *method, const char *path, int count);
/* Milliseconds that a promise may take longer here: under valgrind or a sanitizer everything is slow. */
int judge_slack_ms(void);
bool judge_runs_slowly(void);

#endif
