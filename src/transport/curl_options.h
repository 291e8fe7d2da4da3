/* The options of a transfer that are the same for all requests of a transport. */
#ifndef IDENTITY__CURL_OPTIONS_H
#define IDENTITY__CURL_OPTIONS_H

#include <curl/curl.h>
#include <stdbool.h>
#include <stdint.h>

/* Options newer than the floor: a libcurl that does not know one works without it. */
#define IDENTITY__SET_IF_KNOWN(easy, option, value) (void)curl_easy_setopt(easy, option, value)
#define IDENTITY__SET(easy, option, value) (curl_easy_setopt(easy, option, value) == CURLE_OK)

/* What a transport copied from its settings. */
typedef struct identity__curl_settings {
  char *ca_file;
  char *ca_pem;
  char *proxy;
  struct curl_slist *resolve;
  int32_t environment_proxy;
  int32_t loopback_http;
} identity__curl_settings;

/* False: memory is out, or libcurl lacks something that cannot be done without. */
bool identity__curl_set_options(CURL *easy, const identity__curl_settings *settings);

#endif
