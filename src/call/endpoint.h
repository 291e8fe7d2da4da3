/* The endpoints of the identity API, one row each. A new endpoint begins here. */
#ifndef IDENTITY__ENDPOINT_H
#define IDENTITY__ENDPOINT_H

#include "wire/answer.h"

#include <stddef.h>

typedef enum identity__endpoint_id {
  IDENTITY__LOCALE,
  IDENTITY__PUBLISHER_CONSENTS,
  IDENTITY__REGISTER,
  IDENTITY__LOGIN,
  IDENTITY__REFRESH,
  IDENTITY__REVOKE,
  IDENTITY__SSO,
  IDENTITY__REQUEST_RESET,
  IDENTITY__UPDATE_PASSWORD,
  IDENTITY__CUSTOMER,
  IDENTITY__UPDATE_CUSTOMER,
  IDENTITY__CUSTOMER_CONSENTS,
  IDENTITY__UPDATE_CONSENTS,
  IDENTITY__CAPTURE_STATUS,
  IDENTITY__UPDATE_CAPTURE
} identity__endpoint_id;

enum { IDENTITY__PATH_PLAIN, IDENTITY__PATH_CUSTOMER, IDENTITY__PATH_PUBLISHER };
enum { IDENTITY__LIMITS = 3 };
enum { IDENTITY__REPEAT_NEVER = -1 }; /* not even when nothing was sent */

typedef struct identity__endpoint {
  /* Arrays, not pointers: the loader has nothing to relocate. */
  char name[20]; /* for logs */
  char method[8];
  char path[32];     /* {} is the id */
  uint8_t path_id;   /* whose id: IDENTITY__PATH_x */
  int16_t repeats;   /* how often it is sent again after a passing failure; unsent requests once at least */
  uint32_t max_body; /* of the answer */
  identity__expect expect;
  bool once; /* libcurl must not send it twice by itself */
  /* Seconds that a request may take until it has left, until its answer begins, and in all; 0: as the call
   * has. */
  uint8_t limits_s[IDENTITY__LIMITS];
} identity__endpoint;

const identity__endpoint *identity__endpoint_of(identity__endpoint_id id);

#endif
