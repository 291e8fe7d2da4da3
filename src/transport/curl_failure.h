/* What a libcurl result means to a caller, and how far the request got. */
#ifndef IDENTITY__CURL_FAILURE_H
#define IDENTITY__CURL_FAILURE_H

#include "transport/transport.h"

#include <curl/curl.h>

/* Fills failure and detail of a response from the result of a transfer. ca_file: for the message, may be
 * NULL. */
void identity__curl_failure(identity__response *response, CURL *easy, CURLcode result, const char *error_text,
                            const char *ca_file);

#endif
