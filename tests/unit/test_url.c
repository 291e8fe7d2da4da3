#include "support/rows.h"

#include "base/limits.h"
#include "wire/url.h"

static identity__buffer url;

static int begin(void **state) {
  (void)state;
  identity__buffer_init(&url, 4 * IDENTITY__MAX_URL);
  return 0;
}

static int end(void **state) {
  (void)state;
  identity__buffer_free(&url);
  return 0;
}

static const struct {
  const char *text;
  bool loopback_http;
  const char *spelled; /* NULL: refused */
} bases[] = {
    {"https://identity.example.com", false, "https://identity.example.com"},
    {"https://identity.example.com", true, "https://identity.example.com"},
    {"https://identity.example.com/", false, "https://identity.example.com"},
    {"https://identity.example.com//", false, "https://identity.example.com"},
    {"HTTPS://Identity.Example.COM", false, "https://identity.example.com"},
    {"https://example.com/API/v2", false, "https://example.com/API/v2"},
    {"https://example.com/API/v2///", false, "https://example.com/API/v2"},
    {"https://example.com:8443", false, "https://example.com:8443"},
    {"https://example.com:1/x", false, "https://example.com:1/x"},
    {"https://example.com:65535", false, "https://example.com:65535"},
    {"https://192.0.2.7:443", false, "https://192.0.2.7:443"},
    {"https://[2001:DB8::1]", false, "https://[2001:db8::1]"},
    {"https://[2001:db8::1]:8443/a", false, "https://[2001:db8::1]:8443/a"},
    {"https://localhost", false, "https://localhost"},
    {"http://localhost:8080", true, "http://localhost:8080"},
    {"http://LOCALHOST", true, "http://localhost"},
    {"http://127.0.0.1:8080/x", true, "http://127.0.0.1:8080/x"},
    {"http://127.255.255.254", true, "http://127.255.255.254"},
    {"http://[::1]:8080", true, "http://[::1]:8080"},
    {"http://localhost:8080", false, NULL},
    {"http://127.0.0.1", false, NULL},
    {"http://example.com", true, NULL},
    {"http://192.0.2.7", true, NULL},
    {"http://localhost.example.com", true, NULL},
    {"http://localhost.", true, NULL},
    {"http://notlocalhost", true, NULL},
    {"http://127.0.0.1.example.com", true, NULL},
    {"http://127.example.com", true, NULL},
    {"http://127.1", true, NULL},
    {"http://127.0.0.1.", true, NULL},
    {"http://127...0.1", true, NULL},
    {"http://127.0.0.256", true, NULL},
    {"http://127.0.0.9999", true, NULL},
    {"http://127..0.11", true, NULL},
    {"http://127.0.0.1a", true, NULL},
    {"http://2130706433", true, NULL},
    {"http://0x7f000001", true, NULL},
    {"http://[::1", true, NULL},
    {"http://[::2]", true, NULL},
    {"http://[::1]x", true, NULL},
    {"http://localhost@example.com", true, NULL},
    {"http://example.com#@localhost", true, NULL},
    {"http://localhost\\@example.com", true, NULL},
    {"", false, NULL},
    {"https", false, NULL},
    {"https:", false, NULL},
    {"https://", false, NULL},
    {"https:///x", false, NULL},
    {"https://?x", false, NULL},
    {"https://#x", false, NULL},
    {"//example.com", false, NULL},
    {"example.com", false, NULL},
    {"ftp://example.com", false, NULL},
    {"file:///etc/passwd", false, NULL},
    {"httpsx://example.com", false, NULL},
    {" https://example.com", false, NULL},
    {"https://example.com ", false, NULL},
    {"https://exa mple.com", false, NULL},
    {"https://example.com/a b", false, NULL},
    {"https://example.com/\n", false, NULL},
    {"https://ex\xC3\xA4mple.com", false, NULL},
    {"https://user@example.com", false, NULL},
    {"https://user:secret@example.com", false, NULL},
    {"https://example.com?x=1", false, NULL},
    {"https://example.com/#x", false, NULL},
    {"https://example.com\\x", false, NULL},
    {"https://example.com:", false, NULL},
    {"https://example.com:0", false, NULL},
    {"https://example.com:65536", false, NULL},
    {"https://example.com:443443", false, NULL},
    {"https://example.com:-1", false, NULL},
    {"https://example.com:80:80", false, NULL},
    {"https://example.com:http", false, NULL},
    {"https://:443", false, NULL},
    {"https://exa_mple.com", false, NULL},
    {"https://example%2ecom", false, NULL},
    {"https://[]", false, NULL},
    {"https://[::1", false, NULL},
    {"https://::1", false, NULL},
    {"https://[::g]", false, NULL},
    {"https://[::1]443", false, NULL},
    {"https://a[::1]", false, NULL},
};

static void a_base_url_gets_one_spelling_or_is_refused(void **state) {
  (void)state;
  for (size_t i = 0; i < COUNT(bases); i++) {
    char *text = exact_copy(bases[i].text, strlen(bases[i].text) + 1);
    identity__buffer_reset(&url);
    const char *wrong = identity__base_url(text, bases[i].loopback_http, &url);
    CHECK_INT(bases[i].text, wrong == NULL, bases[i].spelled != NULL);
    if (wrong == NULL)
      CHECK_TEXT(bases[i].text, url.bytes, bases[i].spelled);
    free(text);
  }
}

static void a_base_url_is_bounded(void **state) {
  (void)state;
  static const char head[] = "https://example.com/";
  const size_t most = IDENTITY__MAX_URL / 4;
  char *text = repeated('a', most + 1);
  memcpy(text, head, sizeof head - 1);
  assert_string_equal(identity__base_url(text, false, &url), "is too long");
  text[most] = '\0';
  identity__buffer_reset(&url);
  assert_null(identity__base_url(text, false, &url));
  assert_int_equal(url.length, most);
  free(text);
}

static const struct {
  const char *text;
  bool absolute;
} absolutes[] = {
    {"https://app.example.com/reset", true},
    {"https://app.example.com/reset?x=1&y=2#z", true},
    {"https://app.example.com/?u=edit-password", true},
    {"https://user@example.com", true},
    {"my-app+x.1://reset", true},
    {"a://b", true},
    {"https://[::1]:80/x", true},
    {"https://example.com/%20", true},
    {"", false},
    {"/reset", false},
    {"app.example.com/reset", false},
    {"https:/app.example.com", false},
    {"https:app", false},
    {"mailto:jo@example.com", false},
    {"javascript:alert(1)", false},
    {"://x", false},
    {"1a://b", false},
    {"-a://b", false},
    {"a b://c", false},
    {"a_b://c", false},
    {"https://", false},
    {"https:///x", false},
    {"https://?x", false},
    {"https://#x", false},
    {"https://a b", false},
    {"https://a\tb", false},
    {"https://a\x7F", false},
    {"https://\xC3\xA4.example", false},
    {"https://a/\"x\"", false},
    {"https://a/<x>", false},
    {"https://a/{x}", false},
    {"https://a/x|y", false},
    {"https://a/x^y", false},
    {"https://a/`x`", false},
    {"https://a\\b", false},
};

static void an_absolute_url_is_told_from_other_text(void **state) {
  (void)state;
  for (size_t i = 0; i < COUNT(absolutes); i++)
    CHECK_INT(absolutes[i].text, identity__is_absolute_url(absolutes[i].text), absolutes[i].absolute);
}

static void an_absolute_url_is_bounded(void **state) {
  (void)state;
  char *text = repeated('a', IDENTITY__MAX_URL + 1);
  memcpy(text, "https://", 8);
  assert_false(identity__is_absolute_url(text));
  text[IDENTITY__MAX_URL] = '\0';
  assert_true(identity__is_absolute_url(text));
  free(text);
}

static void everything_but_unreserved_characters_is_encoded(void **state) {
  (void)state;
  static const char unreserved[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";
  for (int c = 1; c < 256; c++) {
    char wanted[4];
    char text[2] = {(char)c, '\0'};
    (void)snprintf(wanted, sizeof wanted, strchr(unreserved, c) != NULL ? "%c" : "%%%02X", c);
    identity__buffer_reset(&url);
    assert_true(identity__url_encode(&url, text));
    assert_string_equal(url.bytes, wanted);
  }
}

static const struct {
  const char *name;
  const char *path;
  const char *id;
  const char *query_name;
  const char *query_value;
  const char *built;
} builds[] = {
    {"plain", "/locales", NULL, NULL, NULL, "https://h/locales"},
    {"id", "/customers/{}", "533354305", NULL, NULL, "https://h/customers/533354305"},
    {"id in the middle", "/customers/{}/capture/status", "7", NULL, NULL,
     "https://h/customers/7/capture/status"},
    {"named id", "/customers/{id}/consents", "7", NULL, NULL, "https://h/customers/7/consents"},
    {"an id cannot leave its place", "/customers/{}", "../a?b#c", NULL, NULL,
     "https://h/customers/..%2Fa%3Fb%23c"},
    {"IPv4", "/locales", NULL, "customerIP", "203.0.113.7", "https://h/locales?customerIP=203.0.113.7"},
    {"IPv6", "/locales", NULL, "customerIP", "2001:db8::1", "https://h/locales?customerIP=2001%3Adb8%3A%3A1"},
    {"a value cannot add a parameter", "/locales", NULL, "customerIP", "1&a=b c+d",
     "https://h/locales?customerIP=1%26a%3Db%20c%2Bd"},
    {"empty value", "/locales", NULL, "customerIP", "", "https://h/locales?customerIP="},
};

static void requests_are_built_from_base_path_id_and_query(void **state) {
  (void)state;
  for (size_t i = 0; i < COUNT(builds); i++) {
    identity__buffer_reset(&url);
    CHECK(builds[i].name, identity__url_build(&url, "https://h", builds[i].path, builds[i].id,
                                              builds[i].query_name, builds[i].query_value));
    CHECK_TEXT(builds[i].name, url.bytes, builds[i].built);
  }
}

static void a_url_over_the_bound_is_not_built(void **state) {
  (void)state;
  identity__buffer small;
  identity__buffer_init(&small, 20);
  assert_true(identity__url_build(&small, "https://h", "/customers/", NULL, NULL, NULL));
  identity__buffer_reset(&small);
  assert_false(identity__url_build(&small, "https://h", "/customers/{}", "1", NULL, NULL));
  identity__buffer_free(&small);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test_setup_teardown(a_base_url_gets_one_spelling_or_is_refused, begin, end),
    cmocka_unit_test_setup_teardown(a_base_url_is_bounded, begin, end),
    cmocka_unit_test(an_absolute_url_is_told_from_other_text),
    cmocka_unit_test(an_absolute_url_is_bounded),
    cmocka_unit_test_setup_teardown(everything_but_unreserved_characters_is_encoded, begin, end),
    cmocka_unit_test_setup_teardown(requests_are_built_from_base_path_id_and_query, begin, end),
    cmocka_unit_test(a_url_over_the_bound_is_not_built),
};

SUITE("url", tests)
