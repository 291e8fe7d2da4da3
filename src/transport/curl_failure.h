/* What a libcurl result means to a caller. */
#ifndef IDENTITY__CURL_FAILURE_H
#define IDENTITY__CURL_FAILURE_H

#include <curl/curl.h>
#include <identity/identity.h>

typedef struct identity__curl_trouble {
  identity_status status;
  char detail[CURL_ERROR_SIZE + 256];
} identity__curl_trouble;

/* ca_file: for the message, may be NULL. */
void identity__curl_failure(identity__curl_trouble *failure, CURL *easy, CURLcode result,
                            const char *error_text, const char *ca_file);

#endif
