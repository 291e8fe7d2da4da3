/* Tokens for calls: from the machine, or after a refresh. All of it is the driver's. */
#ifndef IDENTITY__TOKENS_H
#define IDENTITY__TOKENS_H

#include "drive/session.h"

/* What a call asks for; kept in call->asks. */
enum {
  IDENTITY__ASKS_TOKEN,   /* for a request */
  IDENTITY__ASKS_LIFE,    /* with call->min_life_ms */
  IDENTITY__ASKS_ROTATION /* a new pair */
};

/* What a call is told about its token. */
typedef struct identity__token_news {
  identity__token_use token;
  identity_error error;
} identity__token_news;

/* The event for a call that asked: TOKEN, FAILED, or ORDERED after a rotation. False: the call waits for a
 * flight. */
bool identity__tokens_ask(identity_session *session, identity__call *call, int32_t asks,
                          identity__token_news *news, identity__event *event);
/* The same after the service refused the token of call->used. */
bool identity__tokens_rejected(identity_session *session, identity__call *call, identity__token_news *news,
                               identity__event *event);
/* Whether a call that waits can go on: the flight it waited for is over. */
bool identity__tokens_answer(identity_session *session, identity__call *call, identity__token_news *news,
                             identity__event *event);
/* All who waited for the last flight know. */
void identity__tokens_told(identity_session *session);

/* Of a shared loop: starts a refresh in the background, or says when to look again. */
void identity__tokens_background(identity_session *session);

#endif
