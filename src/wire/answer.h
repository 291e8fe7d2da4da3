/* An HTTP answer of the service, judged: either the data a call needs, or what went wrong. The service and
 * what stands in front of it answer in many shapes (contract, envelope): enveloped or flat, {message} only,
 * empty, HTML. */
#ifndef IDENTITY__ANSWER_H
#define IDENTITY__ANSWER_H

#include "wire/json.h"

#include <identity/identity.h>

typedef struct identity__http {
  int32_t status;
  const char *body; /* with a zero byte behind it */
  size_t length;
  int64_t date_s;         /* the Date header in seconds since 1970; 0: none */
  int64_t retry_after_ms; /* 0: none */
} identity__http;

/* What a call names its password in the public structs. */
enum { IDENTITY__NO_PASSWORD, IDENTITY__PASSWORD, IDENTITY__NEW_PASSWORD, IDENTITY__CONFIRMATION_PASSWORD };

/* A member of the data that is needed as it was written. */
enum { IDENTITY__NO_RAW, IDENTITY__RAW_EXTERNAL_DATA };

/* What kind of call an answer belongs to. */
typedef struct identity__expect {
  bool authorised;      /* it carried a JWT: 401 and 403 speak of that */
  bool keyed;           /* it carried the publisher's secret: 401 and 403 speak of that */
  bool has_input;       /* it carried input of the viewer: a refusal is for the viewer to correct */
  bool outcome_matters; /* repeating it blindly does harm: no usable answer is OUTCOME_UNKNOWN */
  bool may_be_empty;    /* a 2xx without a body is fine */
  bool plain_data;      /* what a 2xx brings holds no secret: it need not be wiped */
  uint8_t password;     /* IDENTITY__x_PASSWORD */
  uint8_t raw;          /* IDENTITY__RAW_x */
} identity__expect;

enum { IDENTITY__ANSWER_TEXT = 320 };

typedef struct identity__answer {
  identity__json *root;       /* NULL: empty or no JSON */
  const identity__json *data; /* responseData, or root where there is no envelope */
  identity__json_span raw;    /* the expected raw member in the body */
  bool plain;                 /* it holds no secret */
  bool listed;                /* a non-empty `errors` list */
  bool auth_refused;          /* the JWT was not accepted */
  int64_t date_s;
  char code[32];
  char text[IDENTITY__ANSWER_TEXT]; /* the service's own words, several joined by ", " */
} identity__answer;

/* Parses and judges. OK: data can be read (data is NULL for an empty answer). The answer must be cleared in
 * any case. */
identity_status identity__answer_read(identity__answer *answer, const identity__expect *expect,
                                      const identity__http *http, identity_error *error);
void identity__answer_clear(identity__answer *answer);
/* Whether the service wants to be left alone, by whoever calls. */
bool identity__answer_throttles(const identity__http *http);
/* A 2xx answer that lacks what the call needs. */
identity_status identity__answer_lacks(const char *what, identity_error *error);

#endif
