#include "transport/curl_failure.h"
#include "base/clock.h"

#include <stdbool.h>
#include <stdio.h>
#include <time.h>

/* Everything not listed is a connection that broke. */
static const struct {
  CURLcode code;
  identity_status status;
} rows[] = {
    {CURLE_COULDNT_RESOLVE_PROXY, IDENTITY_OFFLINE},
    {CURLE_COULDNT_RESOLVE_HOST, IDENTITY_OFFLINE},
    {CURLE_COULDNT_CONNECT, IDENTITY_OFFLINE},
    {CURLE_INTERFACE_FAILED, IDENTITY_OFFLINE},
    {CURLE_OPERATION_TIMEDOUT, IDENTITY_TIMED_OUT},
    {CURLE_OUT_OF_MEMORY, IDENTITY_OUT_OF_MEMORY},
    {CURLE_PEER_FAILED_VERIFICATION, IDENTITY_TLS_UNTRUSTED},
    {CURLE_SSL_ISSUER_ERROR, IDENTITY_TLS_UNTRUSTED},
    {CURLE_SSL_INVALIDCERTSTATUS, IDENTITY_TLS_UNTRUSTED},
    {CURLE_SSL_CACERT_BADFILE, IDENTITY_CA_FILE},
    {CURLE_UNSUPPORTED_PROTOCOL, IDENTITY_NOT_THE_SERVICE},
    {CURLE_WEIRD_SERVER_REPLY, IDENTITY_NOT_THE_SERVICE},
    {CURLE_WRITE_ERROR, IDENTITY_NOT_THE_SERVICE}, /* over a bound, or an encoding nobody asked for */
    {CURLE_URL_MALFORMAT, IDENTITY_BAD_CONFIGURATION},
    {CURLE_NOT_BUILT_IN, IDENTITY_BAD_CONFIGURATION},
};

static identity_status status_of(CURLcode result) {
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
    if (rows[i].code == result)
      return rows[i].status;
  return IDENTITY_CONNECTION_LOST;
}

/* A box that boots in 1970 fails TLS for its clock, not for the certificate. 9: OpenSSL's "not yet valid". */
static bool clock_is_to_blame(CURL *easy) {
  long verify = 0;
  (void)curl_easy_getinfo(easy, CURLINFO_SSL_VERIFYRESULT, &verify);
  return verify == 9 || (int64_t)time(NULL) < IDENTITY__CLOCK_FLOOR_S;
}

static identity_status refine(CURL *easy, identity_status status) {
  long connect_code = 0;
  (void)curl_easy_getinfo(easy, CURLINFO_HTTP_CONNECTCODE, &connect_code);
  if (connect_code == 407)
    return IDENTITY_PROXY_AUTH;
  if (connect_code >= 300)
    return IDENTITY_OFFLINE; /* the proxy did not let us through */
  if (status == IDENTITY_TLS_UNTRUSTED && clock_is_to_blame(easy))
    return IDENTITY_CLOCK_WRONG;
  return status;
}

void identity__curl_failure(identity__curl_trouble *failure, CURL *easy, CURLcode result,
                            const char *error_text, const char *ca_file) {
  failure->status = refine(easy, status_of(result));
  const char *text = error_text[0] != '\0' ? error_text : curl_easy_strerror(result);
  bool name_file = failure->status == IDENTITY_CA_FILE && ca_file != NULL;
  (void)snprintf(failure->detail, sizeof failure->detail, "%s%s%s", text, name_file ? ": " : "",
                 name_file ? ca_file : "");
}
