/* The query of the link in a password mail. */
#include "support/rows.h"

#include "wire/url.h"

enum { SIZE = 16 }; /* fifteen bytes and the end */

static const struct {
  const char *name;
  const char *url;
  int found;
  const char *value;
} parameters[] = {
    {"only one", "https://a/?x=1", 1, "1"},
    {"first", "https://a/?x=1&y=2", 1, "1"},
    {"last", "https://a/?y=2&x=1", 1, "1"},
    {"before the fragment", "https://a/?x=1#x=2", 1, "1"},
    {"behind a query of its own", "https://a/?u=edit-password&x=1", 1, "1"},
    {"no path", "https://a?x=1", 1, "1"},
    {"custom scheme", "app://reset?x=1", 1, "1"},
    {"empty", "https://a/?x=", 1, ""},
    {"empty between others", "https://a/?x=&y=1", 1, ""},
    {"equal sign in the value", "https://a/?x=1=2", 1, "1=2"},
    {"question mark in the value", "https://a/?x=1?y", 1, "1?y"},
    {"empty pairs around", "https://a/?&&x=1&&", 1, "1"},
    {"encoded", "https://a/?x=a%40b%2Ec", 1, "a@b.c"},
    {"encoded in lower case", "https://a/?x=%2f%3d", 1, "/="},
    {"encoded ampersand", "https://a/?x=a%26y=b", 1, "a&y=b"},
    {"plus stays a plus", "https://a/?x=jo+tv@b.c", 1, "jo+tv@b.c"},
    {"encoded plus", "https://a/?x=jo%2Btv@b.c", 1, "jo+tv@b.c"},
    {"UTF-8", "https://a/?x=j%C3%B6", 1, "j\xC3\xB6"},
    {"as long as fits", "https://a/?x=123456789012345", 1, "123456789012345"},
    {"encoded as long as fits", "https://a/?x=12345678901234%35", 1, "123456789012345"},
    {"decoded once", "https://a/?x=%2541", 1, "%41"},
    {"no query", "https://a/", 0, NULL},
    {"empty query", "https://a/?", 0, NULL},
    {"other name", "https://a/?xx=1", 0, NULL},
    {"prefix of the name", "https://a/?y=x&z=1", 0, NULL},
    {"other case", "https://a/?X=1", 0, NULL},
    {"only in the fragment", "https://a/#?x=1", 0, NULL},
    {"only behind the fragment", "https://a/?y=1#&x=1", 0, NULL},
    {"only in the path", "https://a/x=1", 0, NULL},
    {"twice", "https://a/?x=1&x=1", -1, NULL},
    {"twice, the second empty", "https://a/?x=1&x=", -1, NULL},
    {"twice, the second without value", "https://a/?x=1&x", -1, NULL},
    {"without value", "https://a/?x", -1, NULL},
    {"without value before others", "https://a/?x&y=1", -1, NULL},
    {"bad percent", "https://a/?x=%zz", -1, NULL},
    {"half a percent", "https://a/?x=1%4", -1, NULL},
    {"bare percent at the end", "https://a/?x=1%", -1, NULL},
    {"percent cut off by the next pair", "https://a/?x=%4&1=1", -1, NULL},
    {"percent cut off by the fragment", "https://a/?x=%4#1", -1, NULL},
    {"bad second digit", "https://a/?x=%4g", -1, NULL},
    {"signed digits", "https://a/?x=%+1", -1, NULL},
    {"zero byte", "https://a/?x=a%00b", -1, NULL},
    {"space", "https://a/?x=a%20b", -1, NULL},
    {"raw space", "https://a/?x=a b", -1, NULL},
    {"line break", "https://a/?x=a%0D%0Ab", -1, NULL},
    {"delete", "https://a/?x=%7F", -1, NULL},
    {"broken UTF-8", "https://a/?x=%C3%28", -1, NULL},
    {"overlong UTF-8", "https://a/?x=%C0%AF", -1, NULL},
    {"surrogate", "https://a/?x=%ED%A0%80", -1, NULL},
    {"one byte too long", "https://a/?x=1234567890123456", -1, NULL},
    {"far too long", "https://a/?x=12345678901234567890123456789012345678901234567890", -1, NULL},
};

static void parameters_are_decoded_strictly(void **state) {
  (void)state;
  for (size_t i = 0; i < COUNT(parameters); i++) {
    char *room = exact_copy("................", SIZE);
    char *link = exact_copy(parameters[i].url, strlen(parameters[i].url) + 1);
    CHECK_INT(parameters[i].name, identity__url_parameter(link, "x", room, SIZE), parameters[i].found);
    if (parameters[i].found == 1)
      CHECK_TEXT(parameters[i].name, room, parameters[i].value);
    free(link);
    free(room);
  }
}

static void every_truncation_of_a_link_is_survived(void **state) {
  (void)state;
  static const char link[] = "https://a.example/reset?u=1&email=jo%2Btv%40b.c&resetPasswordToken=a%2Fb#end";
  for (size_t length = 0; length < sizeof link; length++) {
    char *copy = exact_copy(link, length + 1);
    copy[length] = '\0';
    char email[64];
    int found = identity__url_parameter(copy, "email", email, sizeof email);
    if (found == 1)
      assert_memory_equal(email, "jo+tv@b.c", strlen(email));
    free(copy);
  }
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(parameters_are_decoded_strictly),
    cmocka_unit_test(every_truncation_of_a_link_is_survived),
};

SUITE("url parameter", tests)
