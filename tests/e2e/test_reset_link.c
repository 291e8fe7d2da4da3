/* The mailed link that came back to the app: no session, no network. */
#include "support/probe.h"
#include "support/suite.h"

#include <stdlib.h>

#define ROWS(table) (sizeof(table) / sizeof((table)[0]))

#define TOKEN "resetPasswordToken=abc"
#define EMAIL "email=jo%40example.com"

static void good_links_are_read(void **state) {
  static const struct {
    const char *url, *token, *email, *publisher;
  } rows[] = {
      {"https://a.example/r?" TOKEN "&" EMAIL "&publisherId=123456789", "abc", "jo@example.com", "123456789"},
      {"https://a.example/r?" EMAIL "&" TOKEN, "abc", "jo@example.com", NULL},
      {"tv.app://reset?u=1&" TOKEN "&" EMAIL "#email=x", "abc", "jo@example.com", NULL},
      {"https://a.example?" TOKEN "&email=jo@example.com&&x&y=", "abc", "jo@example.com", NULL},
      {"https://a.example/?" TOKEN "&email=jo%2Btv%40example.com", "abc", "jo+tv@example.com", NULL},
      {"https://a.example/?" TOKEN "&email=jo+tv@example.com", "abc", "jo+tv@example.com", NULL},
      {"https://a.example/?resetPasswordToken=a%2fb%3D%3d&email=j%C3%B6@example.com",
       "a/b==", "j\xC3\xB6@example.com", NULL},
      {"https://a.example/?xemail=1&emailx=2&" TOKEN "&" EMAIL, "abc", "jo@example.com", NULL},
  };
  (void)state;
  for (size_t i = 0; i < ROWS(rows); i++) {
    identity_error error;
    const identity_reset_link *link = NULL;
    (void)identity_parse_reset_link(rows[i].url, &link, &error);
    probe_status(rows[i].url, &error, IDENTITY_OK, NULL);
    assert_string_equal(link->reset_token, rows[i].token);
    assert_string_equal(link->email, rows[i].email);
    if (rows[i].publisher != NULL)
      assert_string_equal(link->publisher_id, rows[i].publisher);
    else
      assert_null(link->publisher_id);
    identity_reset_link_free(link);
  }
}

static const char *const bad_links[] = {
    "",
    " ",
    "reset",
    "/reset?" TOKEN "&" EMAIL,
    "//a.example/r?" TOKEN "&" EMAIL,
    "https:?" TOKEN "&" EMAIL,
    "https://?" TOKEN "&" EMAIL,
    "https:///r?" TOKEN "&" EMAIL,
    "1https://a.example/?" TOKEN "&" EMAIL,
    "://a.example/?" TOKEN "&" EMAIL,
    " https://a.example/?" TOKEN "&" EMAIL,
    "https://a.example/?" TOKEN "&" EMAIL "\n",
    "https://a.example/ r?" TOKEN "&" EMAIL,
    "https://a.example/?" TOKEN "&email=j\xC3\xB6@example.com",
    "https://a.example/",
    "https://a.example/?",
    "https://a.example/?" TOKEN,
    "https://a.example/?" EMAIL,
    "https://a.example/#?" TOKEN "&" EMAIL,
    "https://a.example/?" TOKEN "#&" EMAIL,
    "https://a.example/?resetPasswordToken&" EMAIL,
    "https://a.example/?resetPasswordToken=&" EMAIL,
    "https://a.example/?resetpasswordtoken=abc&" EMAIL,
    "https://a.example/?" TOKEN "&" TOKEN "&" EMAIL,
    "https://a.example/?" TOKEN "&resetPasswordToken=other&" EMAIL,
    "https://a.example/?" TOKEN "&" EMAIL "&" EMAIL,
    "https://a.example/?resetPasswordToken=a%0Ab&" EMAIL,
    "https://a.example/?resetPasswordToken=a%20b&" EMAIL,
    "https://a.example/?resetPasswordToken=a%00b&" EMAIL,
    "https://a.example/?resetPasswordToken=a%7Fb&" EMAIL,
    "https://a.example/?resetPasswordToken=a%&" EMAIL,
    "https://a.example/?resetPasswordToken=a%2&" EMAIL,
    "https://a.example/?resetPasswordToken=a%2g&" EMAIL,
    "https://a.example/?resetPasswordToken=%ff%fe&" EMAIL,
    "https://a.example/?" TOKEN "&email=",
    "https://a.example/?" TOKEN "&email=jo",
    "https://a.example/?" TOKEN "&email=jo@",
    "https://a.example/?" TOKEN "&email=@example.com",
    "https://a.example/?" TOKEN "&email=jo@example",
    "https://a.example/?" TOKEN "&email=jo@example..com",
    "https://a.example/?" TOKEN "&email=jo@a@example.com",
    "https://a.example/?" TOKEN "&email=jo%0d%0aX:@example.com",
    "https://a.example/?" TOKEN "&" EMAIL "&publisherId=",
    "https://a.example/?" TOKEN "&" EMAIL "&publisherId",
    "https://a.example/?" TOKEN "&" EMAIL "&publisherId=12345678",
    "https://a.example/?" TOKEN "&" EMAIL "&publisherId=1234567890",
    "https://a.example/?" TOKEN "&" EMAIL "&publisherId=12345678x",
    "https://a.example/?" TOKEN "&" EMAIL "&publisherId=123456789&publisherId=123456789",
};

static void bad_links_are_refused_whole(void **state) {
  (void)state;
  for (size_t i = 0; i < ROWS(bad_links); i++) {
    identity_error error;
    const identity_reset_link *link = (const identity_reset_link *)(const void *)bad_links;
    (void)identity_parse_reset_link(bad_links[i], &link, &error);
    probe_status(bad_links[i], &error, IDENTITY_INVALID_INPUT, "url");
    assert_null(link);
    assert_null(strstr(error.message, "abc")); /* nor does the message repeat the token */
  }
}

/* 8 KiB is the bound of a URL. */
static void a_link_is_bounded(void **state) {
  (void)state;
  static const char head[] = "https://a.example/?" EMAIL "&resetPasswordToken=";
  enum { LONGEST = 8192 };
  char *url = malloc(LONGEST + 2);
  const identity_reset_link *link = NULL;
  assert_non_null(url);
  memset(url, 'a', LONGEST + 1);
  memcpy(url, head, sizeof head - 1);
  url[LONGEST] = '\0';
  assert_int_equal(identity_parse_reset_link(url, &link, NULL), IDENTITY_OK);
  assert_int_equal(strlen(link->reset_token), LONGEST - sizeof head + 1);
  identity_reset_link_free(link);
  url[LONGEST] = 'a';
  url[LONGEST + 1] = '\0';
  assert_int_equal(identity_parse_reset_link(url, &link, NULL), IDENTITY_INVALID_INPUT);
  assert_null(link);
  free(url);
}

static void null_is_a_bug_of_the_caller(void **state) {
  (void)state;
  identity_error error;
  const identity_reset_link *link = (const identity_reset_link *)(const void *)&error;
  (void)identity_parse_reset_link(NULL, &link, &error);
  probe_status("url NULL", &error, IDENTITY_BAD_ARGUMENT, "url");
  assert_null(link);
  (void)identity_parse_reset_link("https://a.example/?" TOKEN "&" EMAIL, NULL, &error);
  probe_status("link NULL", &error, IDENTITY_BAD_ARGUMENT, "link");
  assert_int_equal(identity_parse_reset_link(NULL, NULL, NULL), IDENTITY_BAD_ARGUMENT);
  identity_reset_link_free(NULL);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(good_links_are_read),
    cmocka_unit_test(bad_links_are_refused_whole),
    cmocka_unit_test(a_link_is_bounded),
    cmocka_unit_test(null_is_a_bug_of_the_caller),
};

SUITE("reset_link", tests)
