/* The events of a session, one after the other, as one line of text that a test can name. Every function
 * fails the running test when something does not work. */
#ifndef SUPPORT_NEWS_H
#define SUPPORT_NEWS_H

#include "support/service.h"

/* What was read of a session so far; begins as {session}. */
typedef struct news {
  identity_session *session;
  uint64_t number;    /* of the last event; 0: none yet */
  int64_t at_ms;      /* of the last event */
  int64_t amounts[8]; /* of those of the last reading that have one, in order */
  int amount_count;
  char customer[40]; /* of the last REAUTH_REQUIRED; "" when it has none */
} news;

/* Takes every event there is, and expects them to be these, in this order, each numbered by one more than the
 * one before it: "signed_in login, state signed_out>active". A STATE names what it was and is, and a reason
 * when there is one; SIGNED_IN names how, SIGNED_OUT and REAUTH_REQUIRED a reason, REFRESH_DEFERRED and
 * STORE_BLOCKED a status. */
void news_are(news *paper, const char *wanted);
/* Takes them unseen. */
void news_skip(news *paper);

#endif
