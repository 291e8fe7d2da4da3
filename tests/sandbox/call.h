/* One API or control request on its way through the service: what came in, what goes out. No socket in sight.
 */
#ifndef SBX_CALL_H
#define SBX_CALL_H

#include "json.h"
#include "secrets.h"
#include "service.h"

#include <stdbool.h>
#include <stdint.h>

struct sbx_call {
  struct sbx_service *service;
  const char *method;
  const char *path;
  const char *source_ip;
  cJSON *body; /* NULL: none, or not JSON */
  bool has_body;
  void *transport;
  const char *(*header)(const struct sbx_call *call, const char *name);
  const char *(*query)(const struct sbx_call *call, const char *name);
  int64_t as_customer; /* a fault wants the answer for this one; 0: no */

  char parameter[24]; /* the {...} segment of the path */
  struct sbx_customer
      *customer; /* of the JWT, on routes that need one; valid only while the call is processed */

  int status;
  cJSON *answer;  /* the whole body; NULL: none */
  char allow[40]; /* for 405 */

  int64_t customer_id; /* whom it was about, for the journal; 0: unknown */
  char jwt_sent[SBX_FINGERPRINT_SIZE];
  char jwt_issued[SBX_FINGERPRINT_SIZE];
  char refresh_sent[SBX_FINGERPRINT_SIZE];
  char refresh_issued[SBX_FINGERPRINT_SIZE];
};

/* The rows of the contract's error table (1.3) that have a fixed text. */
enum sbx_refusal {
  SBX_INVALID_BODY,
  SBX_EMPTY_OWNER,
  SBX_BAD_RESET_URL,
  SBX_BAD_PUBLISHER_PATH,
  SBX_BAD_PUBLISHER_BODY,
  SBX_BAD_QUERY,
  SBX_BAD_PATH,
  SBX_UNKNOWN_OWNER,
  SBX_NO_JWT,
  SBX_BAD_JWT,
  SBX_EXPIRED_JWT,
  SBX_FOREIGN_CUSTOMER,
  SBX_WRONG_LOGIN,
  SBX_CUSTOMER_EXISTS,
  SBX_OTHER_PUBLISHER,
  SBX_CAPTCHA_WANTED,
  SBX_CAPTCHA_FAILED,
  SBX_BAD_REFRESH_BODY,
  SBX_BAD_RESET_TOKEN,
  SBX_BAD_PUBLISHER_TOKEN,
  SBX_INTERNAL,
  SBX_REFUSAL_COUNT
};

void sbx_refuse(struct sbx_call *call, enum sbx_refusal refusal);
/* code NULL: the contract documents none for this text. */
void sbx_refuse_text(struct sbx_call *call, int status, const char *code, const char *text);
/* 404 USER0004, with the address in its text. */
void sbx_refuse_unknown_email(struct sbx_call *call, const char *email);
/* {"message": ...} alone, as a gateway or the control interface answers. */
void sbx_answer_message(struct sbx_call *call, int status, const char *message);
/* 200 in the envelope; takes the data over; NULL (no memory) answers S0001. */
void sbx_answer_data(struct sbx_call *call, cJSON *data);
void sbx_answer_success(struct sbx_call *call);
/* 200 without an envelope. */
void sbx_answer_plain(struct sbx_call *call, cJSON *document);

#endif
