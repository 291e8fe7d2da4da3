#include "transport/curl_options.h"
#include "base/limits.h"

#include <string.h>

static bool set_protocols(CURL *easy, bool loopback_http) {
#if LIBCURL_VERSION_NUM >= 0x075500
  if (IDENTITY__SET(easy, CURLOPT_PROTOCOLS_STR, loopback_http ? "http,https" : "https"))
    return true;
#endif
#if defined(__GNUC__)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
#endif
  return IDENTITY__SET(easy, CURLOPT_PROTOCOLS,
                       loopback_http ? (long)(CURLPROTO_HTTP | CURLPROTO_HTTPS) : (long)CURLPROTO_HTTPS);
#if defined(__GNUC__)
#pragma GCC diagnostic pop
#endif
}

/* Whether libcurl comes with a CA file of its own; it tells since 7.70. */
static bool has_bundle(void) {
#if LIBCURL_VERSION_NUM >= 0x074600
  const curl_version_info_data *info = curl_version_info(CURLVERSION_NOW);
  return info->age >= CURLVERSION_SEVENTH && info->cainfo != NULL;
#else
  return false;
#endif
}

/* An https proxy gets no less than the service. */
static void set_proxy_trust(CURL *easy, const identity__curl_settings *settings) {
  IDENTITY__SET_IF_KNOWN(easy, CURLOPT_PROXY_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
  if (settings->ca_file != NULL)
    IDENTITY__SET_IF_KNOWN(easy, CURLOPT_PROXY_CAINFO, settings->ca_file);
#if LIBCURL_VERSION_NUM >= 0x074D00
  if (settings->ca_pem != NULL) {
    struct curl_blob blob = {settings->ca_pem, strlen(settings->ca_pem), CURL_BLOB_NOCOPY};
    IDENTITY__SET_IF_KNOWN(easy, CURLOPT_PROXY_CAINFO, NULL);
    IDENTITY__SET_IF_KNOWN(easy, CURLOPT_PROXY_CAINFO_BLOB, &blob);
  }
#endif
}

static bool set_trust(CURL *easy, const identity__curl_settings *settings) {
  bool set = IDENTITY__SET(easy, CURLOPT_SSL_VERIFYPEER, 1L) &&
             IDENTITY__SET(easy, CURLOPT_SSL_VERIFYHOST, 2L) &&
             IDENTITY__SET(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
  /* A CA path keeps libcurl from sharing the parsed bundle between connections (trap 8b); where there is no
   * bundle it is all the trust there is. */
  if (settings->ca_file != NULL || settings->ca_pem != NULL || has_bundle())
    IDENTITY__SET_IF_KNOWN(easy, CURLOPT_CAPATH, NULL);
  if (settings->ca_file != NULL)
    set = set && IDENTITY__SET(easy, CURLOPT_CAINFO, settings->ca_file);
#if LIBCURL_VERSION_NUM >= 0x074D00
  if (settings->ca_pem != NULL) {
    struct curl_blob blob = {settings->ca_pem, strlen(settings->ca_pem), CURL_BLOB_NOCOPY};
    set = set && IDENTITY__SET(easy, CURLOPT_CAINFO, NULL) && IDENTITY__SET(easy, CURLOPT_CAINFO_BLOB, &blob);
  }
#else
  set = set && settings->ca_pem == NULL;
#endif
#if LIBCURL_VERSION_NUM >= 0x075700
  IDENTITY__SET_IF_KNOWN(easy, CURLOPT_CA_CACHE_TIMEOUT, -1L);
#endif
  return set;
}

static bool set_network(CURL *easy, const identity__curl_settings *settings) {
  bool set = IDENTITY__SET(easy, CURLOPT_NOSIGNAL, 1L) && IDENTITY__SET(easy, CURLOPT_FOLLOWLOCATION, 0L) &&
             IDENTITY__SET(easy, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED) &&
             IDENTITY__SET(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)IDENTITY__CONNECT_TIMEOUT_MS) &&
             IDENTITY__SET(easy, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
  /* Plain http never leaves this machine: no proxy, whoever asks for one. */
  bool proxied = settings->proxy != NULL && !settings->loopback_http;
  if (proxied || !settings->environment_proxy || settings->loopback_http)
    set = set && IDENTITY__SET(easy, CURLOPT_PROXY, proxied ? settings->proxy : "");
  /* An empty list keeps no_proxy of the environment from undoing a proxy that the app has set. */
  if (proxied)
    set = set && IDENTITY__SET(easy, CURLOPT_NOPROXY, "");
  if (settings->resolve != NULL)
    set = set && IDENTITY__SET(easy, CURLOPT_RESOLVE, settings->resolve);
  IDENTITY__SET_IF_KNOWN(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_2TLS);
  /* Wait for a connection that may multiplex; over plain http that would only be known from the first answer.
   */
  if (!settings->loopback_http)
    IDENTITY__SET_IF_KNOWN(easy, CURLOPT_PIPEWAIT, 1L);
#if LIBCURL_VERSION_NUM >= 0x075700
  /* A resolver that hangs must not hold up the end of a transfer (trap 8c). */
  IDENTITY__SET_IF_KNOWN(easy, CURLOPT_QUICK_EXIT, 1L);
#endif
  return set;
}

bool identity__curl_set_options(CURL *easy, const identity__curl_settings *settings) {
  set_proxy_trust(easy, settings);
  return set_protocols(easy, settings->loopback_http) && set_trust(easy, settings) &&
         set_network(easy, settings);
}
