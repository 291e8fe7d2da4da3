/* What the answer to a refresh means. One table; nothing else in the library ends a session. */
#ifndef IDENTITY__VERDICT_H
#define IDENTITY__VERDICT_H

#include <stdbool.h>
#include <stdint.h>

enum {
  IDENTITY__VERDICT_UNSENT,    /* certainly not processed: nothing changed */
  IDENTITY__VERDICT_AMBIGUOUS, /* it may have been processed and the answer is lost */
  IDENTITY__VERDICT_THROTTLED,
  IDENTITY__VERDICT_COMMITTED, /* a new pair */
  IDENTITY__VERDICT_MISMATCH,  /* a pair of somebody else: dropped */
  IDENTITY__VERDICT_REJECTED,  /* definite: the refresh token is dead */
  IDENTITY__VERDICT_REFUSED,   /* a refusal nobody has documented */
  IDENTITY__VERDICT_BACKOFF    /* a refusal that is not the service's: a firewall, a gateway */
};

/* Facts about an answer, gathered by who can read it. */
typedef struct identity__refresh_facts {
  int32_t progress; /* how far the request got: 0 unsent, 1 sent, 2 answered */
  bool whole;       /* a whole answer came */
  int32_t http_status;
  bool json;          /* a JSON object */
  bool listed;        /* with a non-empty `errors` list */
  bool definite;      /* with a text of the definite set */
  bool usable_pair;   /* a JWT of three parts, a refresh token that is absent or non-empty */
  bool same_customer; /* and publisher */
} identity__refresh_facts;

int32_t identity__refresh_verdict(const identity__refresh_facts *facts);
/* Whether a text of the service means that a refresh token is dead for good. */
bool identity__refresh_text_is_definite(const char *text);

#endif
