/* libcurl's options refused one by one, as an older one would: newer options are done without, and what keeps
 * a request safe is not. The program is linked with --wrap=curl_easy_setopt. */
#include "support/rows.h"

#include "base/clock.h"
#include "transport/transport.h"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <sys/socket.h>
#include <unistd.h>

static CURLoption refused;
static int refusals;
static long fresh_connection; /* what was last set of CURLOPT_FRESH_CONNECT */

#undef curl_easy_setopt
CURLcode __real_curl_easy_setopt(CURL *easy, CURLoption option, ...);
CURLcode __wrap_curl_easy_setopt(CURL *easy, CURLoption option, ...);

/* The kind of an option is in its number; a function pointer is passed like any other here. */
CURLcode __wrap_curl_easy_setopt(CURL *easy, CURLoption option, ...) {
  va_list arguments;
  CURLcode result;
  if (option == refused) {
    refusals++;
    return CURLE_UNKNOWN_OPTION;
  }
  va_start(arguments, option);
  if (option < CURLOPTTYPE_OBJECTPOINT) {
    long value = va_arg(arguments, long);
    fresh_connection = option == CURLOPT_FRESH_CONNECT ? value : fresh_connection;
    result = __real_curl_easy_setopt(easy, option, value);
  } else if (option >= CURLOPTTYPE_OFF_T && option < CURLOPTTYPE_BLOB)
    result = __real_curl_easy_setopt(easy, option, va_arg(arguments, curl_off_t));
  else
    result = __real_curl_easy_setopt(easy, option, va_arg(arguments, void *));
  va_end(arguments);
  return result;
}

static identity__transport *transport;
static char url[64];

/* A port of the loopback that nobody listens on: bound, so that nobody else takes it. */
static int closed_port = -1;

static int group_setup(void **state) {
  (void)state;
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t length = sizeof address;
  closed_port = socket(AF_INET, SOCK_STREAM, 0);
  if (closed_port < 0 || bind(closed_port, (struct sockaddr *)&address, length) != 0 ||
      getsockname(closed_port, (struct sockaddr *)&address, &length) != 0)
    return -1;
  (void)snprintf(url, sizeof url, "https://127.0.0.1:%d/locales", ntohs(address.sin_port));
  return 0;
}

static int group_teardown(void **state) {
  (void)state;
  return close(closed_port);
}

static void open_with(const identity__transport_settings *settings) {
  identity_error error;
  refusals = 0;
  transport = identity__transport_new(settings, &error);
  assert_non_null(transport);
}

static void open_transport(CURLoption option) {
  const identity__transport_settings settings = {.user_agent = "test"};
  refused = option;
  open_with(&settings);
}

static int end(void **state) {
  (void)state;
  refused = 0;
  identity__transport_free(transport);
  transport = NULL;
  return 0;
}

static const identity__request get_request = {.method = "GET", .url = url, .max_body = 1000};
static const identity__request post_request = {.method = "POST",
                                               .url = url,
                                               .bearer = "a.b.c",
                                               .body = "{}",
                                               .body_length = 2,
                                               .max_body = 1000,
                                               .once = 1};

/* Nobody listens: the request never leaves. */
static void check_offline(const char *name, const identity__request *request) {
  int owner;
  identity__exchange *exchange = identity__transport_start(transport, request, &owner);
  CHECK(name, exchange != NULL);
  int64_t end_ms = identity__clock_boot_ms() + 5000;
  identity__exchange *over = NULL;
  while (over == NULL && identity__clock_boot_ms() < end_ms) {
    identity__transport_wait(transport, 100);
    over = identity__transport_next(transport);
  }
  CHECK(name, over == exchange);
  CHECK(name, identity__exchange_owner(over) == &owner);
  const identity__response *response = identity__exchange_response(over);
  CHECK_TEXT(name, identity_status_name(response->failure), "OFFLINE");
  CHECK_INT(name, response->progress, IDENTITY__UNSENT);
  CHECK_INT(name, response->http_status, 0);
  CHECK(name, response->detail[0] != '\0');
  identity__exchange_release(transport, over);
}

#define OPTION(name)                                                                                         \
  { #name, CURLOPT_##name }

static const struct {
  const char *name;
  CURLoption option;
} newer[] = {
    {"none", (CURLoption)0}, OPTION(HTTP_VERSION),     OPTION(PIPEWAIT), OPTION(CAPATH),
#if LIBCURL_VERSION_NUM >= 0x075000
    OPTION(PREREQFUNCTION),  OPTION(PREREQDATA),
#endif
#if LIBCURL_VERSION_NUM >= 0x075500
    OPTION(PROTOCOLS_STR),
#endif
#if LIBCURL_VERSION_NUM >= 0x075700
    OPTION(QUICK_EXIT),      OPTION(CA_CACHE_TIMEOUT),
#endif
};

static void newer_options_are_done_without(void **state) {
  for (size_t i = 0; i < COUNT(newer); i++) {
    open_transport(newer[i].option);
    check_offline(newer[i].name, &get_request);
    check_offline(newer[i].name, &post_request); /* on the handle that is there already */
    CHECK_INT(newer[i].name, refusals, newer[i].option != 0);
    (void)end(state);
  }
}

static const struct {
  const char *name;
  CURLoption option;
} mandatory[] = {
    OPTION(SSL_VERIFYPEER),
    OPTION(SSL_VERIFYHOST),
    OPTION(SSLVERSION),
    OPTION(NOSIGNAL),
    OPTION(FOLLOWLOCATION),
    OPTION(NETRC),
    OPTION(CONNECTTIMEOUT_MS),
    OPTION(PROXY),
    OPTION(PRIVATE),
    OPTION(ERRORBUFFER),
    OPTION(WRITEFUNCTION),
    OPTION(WRITEDATA),
    OPTION(HEADERFUNCTION),
    OPTION(HEADERDATA),
    OPTION(READFUNCTION),
    OPTION(READDATA),
    OPTION(URL),
    OPTION(HTTPHEADER),
    OPTION(POST),
    OPTION(CUSTOMREQUEST),
    OPTION(POSTFIELDSIZE_LARGE),
    OPTION(SUPPRESS_CONNECT_HEADERS),
};

static bool starts(const identity__request *request) {
  identity__exchange *begun = identity__transport_start(transport, request, NULL);
  assert_non_null(begun);
  bool ended = identity__transport_next(transport) == begun;
  if (ended)
    assert_int_equal(identity__exchange_response(begun)->failure, IDENTITY_OUT_OF_MEMORY);
  if (ended)
    assert_int_equal(identity__exchange_response(begun)->progress, IDENTITY__UNSENT);
  identity__exchange_release(transport, begun);
  return !ended;
}

static void without_a_mandatory_option_nothing_starts(void **state) {
  for (size_t i = 0; i < COUNT(mandatory); i++) {
    open_transport(mandatory[i].option);
    CHECK(mandatory[i].name, !starts(&post_request));
    CHECK(mandatory[i].name, refusals > 0);
    refused = 0;
    check_offline(mandatory[i].name, &post_request); /* nothing of the failed start is left */
    (void)end(state);
  }
}

static const struct {
  const char *name;
  identity__transport_settings settings;
  CURLoption option;
} asked_for[] = {
    {"CA file", {.user_agent = "t", .ca_file = "/dev/null"}, CURLOPT_CAINFO},
#if LIBCURL_VERSION_NUM >= 0x074D00
    {"CA bytes", {.user_agent = "t", .ca_pem = "pem"}, CURLOPT_CAINFO_BLOB},
#endif
    {"proxy", {.user_agent = "t", .proxy = "http://127.0.0.1:1"}, CURLOPT_PROXY},
    {"proxy for all", {.user_agent = "t", .proxy = "http://127.0.0.1:1"}, CURLOPT_NOPROXY},
};

static void what_the_app_asked_for_is_not_done_without(void **state) {
  for (size_t i = 0; i < COUNT(asked_for); i++) {
    refused = asked_for[i].option;
    open_with(&asked_for[i].settings);
    CHECK(asked_for[i].name, !starts(&get_request));
    CHECK_INT(asked_for[i].name, refusals, 1);
    (void)end(state);
  }
}

static void an_address_for_a_host_is_not_done_without(void **state) {
  (void)state;
  const char *resolve[] = {"identity.example.com:443:127.0.0.1"};
  const identity__transport_settings settings = {.user_agent = "t", .resolve = resolve, .resolve_count = 1};
  refused = CURLOPT_RESOLVE;
  open_with(&settings);
  assert_false(starts(&get_request));
}

static void a_ca_file_that_cannot_be_read_is_named(void **state) {
  (void)state;
  identity_error error;
  const identity__transport_settings settings = {.user_agent = "t", .ca_file = "/no/such/file.pem"};
  assert_null(identity__transport_new(&settings, &error));
  assert_int_equal(error.status, IDENTITY_CA_FILE);
  assert_string_equal(error.field, "ca_file");
  assert_non_null(strstr(error.message, "/no/such/file.pem"));
}

static void plain_http_needs_the_permission(void **state) {
  (void)state;
  const identity__transport_settings settings = {.user_agent = "t"};
  const identity__request plain_request = {
      .method = "GET", .url = "http://127.0.0.1:1/locales", .max_body = 1000};
  for (int old = 0; old < 2; old++) {
#if LIBCURL_VERSION_NUM >= 0x075500
    refused = old ? CURLOPT_PROTOCOLS_STR : (CURLoption)0;
#endif
    open_with(&settings);
    identity__exchange *exchange = identity__transport_start(transport, &plain_request, NULL);
    assert_non_null(exchange);
    identity__exchange *over = NULL;
    for (int i = 0; over == NULL && i < 50; i++) {
      identity__transport_wait(transport, 100);
      over = identity__transport_next(transport);
    }
    assert_non_null(over);
    assert_int_equal(identity__exchange_response(over)->failure, IDENTITY_NOT_THE_SERVICE);
    assert_int_equal(identity__exchange_progress(over), IDENTITY__UNSENT);
    identity__exchange_release(transport, over);
    (void)end(state);
  }
}

/* libcurl repeats a request without a body when a reused connection closes under it. Where it does not tell
 * that it is about to (before 7.80), such a request gets a connection of its own, which cannot be stale. */
static void a_request_that_must_go_once_is_guarded_by_an_old_libcurl_too(void **state) {
  static const identity__request revoke = {.method = "DELETE", .url = url, .max_body = 1000, .once = 1};
#if LIBCURL_VERSION_NUM >= 0x075000
  for (int old = 0; old < 2; old++) {
    open_transport(old ? CURLOPT_PREREQFUNCTION : (CURLoption)0);
    check_offline("DELETE", &revoke);
    assert_int_equal(fresh_connection, old);
    check_offline("GET", &get_request);
    assert_int_equal(fresh_connection, 0);
    (void)end(state);
  }
#else
  open_transport((CURLoption)0);
  check_offline("DELETE", &revoke);
  assert_int_equal(fresh_connection, 1);
  (void)end(state);
#endif
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test_teardown(a_request_that_must_go_once_is_guarded_by_an_old_libcurl_too, end),
    cmocka_unit_test_teardown(newer_options_are_done_without, end),
    cmocka_unit_test_teardown(without_a_mandatory_option_nothing_starts, end),
    cmocka_unit_test_teardown(what_the_app_asked_for_is_not_done_without, end),
    cmocka_unit_test_teardown(an_address_for_a_host_is_not_done_without, end),
    cmocka_unit_test_teardown(a_ca_file_that_cannot_be_read_is_named, end),
    cmocka_unit_test_teardown(plain_http_needs_the_permission, end),
};

SUITE_WITH("curl options", tests, group_setup, group_teardown)
