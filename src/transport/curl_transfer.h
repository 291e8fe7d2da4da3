/* One request on its way through libcurl: an easy handle that is kept for the next one. */
#ifndef IDENTITY__CURL_TRANSFER_H
#define IDENTITY__CURL_TRANSFER_H

#include "base/buffer.h"
#include "transport/curl_options.h"

#include <curl/curl.h>
#include <identity/platform.h>

enum { IDENTITY__CURL_LINES = 8 };

typedef struct identity__transfer identity__transfer;

/* What all transfers of a loop share. */
typedef struct identity__transfers {
  identity_link *link;
  identity__transfer *idle;
  uint32_t idle_count;
  identity__curl_settings settings;
  int64_t used_ms; /* when one ran last */
} identity__transfers;

/* One easy handle: idle, or with an exchange. */
struct identity__transfer {
  identity__transfer *next;
  identity__transfers *all;
  CURL *easy;
  uint64_t exchange;
  const char *body;
  size_t body_length;
  size_t body_sent;
  int32_t once;
  uint32_t attempts; /* how often libcurl was about to send */
  bool counted;      /* it tells (7.80) */
  struct curl_slist lines[IDENTITY__CURL_LINES];
  identity__buffer head; /* their texts; the JWT is in it */
  char error_text[CURL_ERROR_SIZE];
};

/* Idle, or new; with a request. NULL: memory is out, or libcurl lacks something that cannot be done without.
 */
identity__transfer *identity__transfer_take(identity__transfers *all, uint64_t exchange,
                                            const identity_http_request *request);
/* Wiped, and kept for the next request; few are. */
void identity__transfer_put_back(identity__transfer *one);
void identity__transfer_free(identity__transfer *one);
/* Where nothing told when the request left: tells it now. */
void identity__transfer_tell_sent(identity__transfer *one);

#endif
