#include "support/rows.h"

#include "wire/jwt.h"

#define HEAD "eyJhbGciOiJSUzI1NiIsInR5cCI6IkpXVCJ9"

/* base64url (RFC 4648 section 5) without padding, written a second time here. */
static void encode(const char *bytes, size_t length, char *text) {
  static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  for (size_t i = 0; i < length; i += 3) {
    uint32_t group = 0;
    size_t some = length - i < 3 ? length - i : 3;
    for (size_t j = 0; j < 3; j++)
      group = group << 8 | (j < some ? (uint8_t)bytes[i + j] : 0);
    for (size_t j = 0; j <= some; j++)
      *text++ = digits[group >> (18 - 6 * j) & 63];
  }
  *text = '\0';
}

static bool read_payload(const char *payload, identity__claims *claims) {
  char token[2048];
  strcpy(token, HEAD ".");
  encode(payload, strlen(payload), token + strlen(token));
  strcat(token, ".c2ln");
  char *copy = exact_copy(token, strlen(token) + 1);
  bool readable = identity__jwt_claims(copy, claims) == IDENTITY__JWT_OK;
  free(copy);
  return readable;
}

static const struct {
  const char *text;
  bool good;
} parts[] = {
    {"a.b.c", true},
    {HEAD ".e30.c2ln", true},
    {"a-_.A0.z9", true},
    {"", false},
    {"a", false},
    {"a.b", false},
    {"a.b.c.d", false},
    {"a.b.c.", false},
    {".b.c", false},
    {"a..c", false},
    {"a.b.", false},
    {"..", false},
    {"...", false},
    {"a.b.c ", false},
    {" a.b.c", false},
    {"a.b.c=", false},
    {"a.b=.c", false},
    {"a.b+.c", false},
    {"a.b/.c", false},
    {"a.b.c\n", false},
    {"a.\xC3\xA4.c", false},
    {"Bearer a.b.c", false},
};

static void a_jwt_has_three_parts_of_base64url(void **state) {
  (void)state;
  for (size_t i = 0; i < COUNT(parts); i++)
    CHECK_INT(parts[i].text, identity__jwt_has_three_parts(parts[i].text), parts[i].good);
}

static void a_jwt_is_bounded(void **state) {
  (void)state;
  identity__claims claims;
  char *token = repeated('a', IDENTITY__MAX_TOKEN + 1);
  memcpy(token, "a.e30.", 6);
  assert_false(identity__jwt_has_three_parts(token));
  assert_int_equal(identity__jwt_claims(token, &claims), IDENTITY__JWT_UNREADABLE);
  token[IDENTITY__MAX_TOKEN] = '\0';
  assert_true(identity__jwt_has_three_parts(token));
  assert_int_equal(identity__jwt_claims(token, &claims), IDENTITY__JWT_OK);
  free(token);
}

static void the_claims_are_read(void **state) {
  (void)state;
  identity__claims claims;
  assert_true(read_payload("{\"customerId\":533354305,\"publisherId\":123456789,\"email\":\"jo@example.com\","
                           "\"exp\":1700000900,\"iat\":1700000000,\"other\":{\"exp\":1}}",
                           &claims));
  assert_string_equal(claims.customer_id, "533354305");
  assert_string_equal(claims.publisher_id, "123456789");
  assert_string_equal(claims.email, "jo@example.com");
  assert_int_equal(claims.expires_s, 1700000900);
  assert_int_equal(claims.issued_s, 1700000000);
}

#define ID32 "12345678901234567890123456789012"

static const struct {
  const char *name;
  const char *payload;
  const char *customer_id;
  int64_t expires_s;
} claim_rows[] = {
    {"id as text", "{\"customerId\":\"953800019\"}", "953800019", 0},
    {"id as number", "{\"customerId\":953800019}", "953800019", 0},
    {"id of zero", "{\"customerId\":0}", "0", 0},
    {"as long as fits", "{\"customerId\":\"" ID32 "\"}", ID32, 0},
    {"one digit more", "{\"customerId\":\"" ID32 "3\"}", "", 0},
    {"no digits", "{\"customerId\":\"../x\"}", "", 0},
    {"negative", "{\"customerId\":-5}", "", 0},
    {"a fraction", "{\"customerId\":1.5}", "", 0},
    {"beyond exact numbers", "{\"customerId\":9007199254740993}", "", 0},
    {"empty", "{\"customerId\":\"\"}", "", 0},
    {"null", "{\"customerId\":null}", "", 0},
    {"a list", "{\"customerId\":[1]}", "", 0},
    {"nothing", "{}", "", 0},
    {"exp", "{\"exp\":1}", "", 1},
    {"exp as text", "{\"exp\":\"1700000900\"}", "", 0},
    {"exp of zero", "{\"exp\":0}", "", 0},
    {"exp negative", "{\"exp\":-1}", "", 0},
    {"exp beyond numbers", "{\"exp\":1e300}", "", 0},
    {"exp of other case", "{\"Exp\":5}", "", 0},
};

static void what_cannot_be_read_stays_empty(void **state) {
  (void)state;
  for (size_t i = 0; i < COUNT(claim_rows); i++) {
    identity__claims claims;
    CHECK(claim_rows[i].name, read_payload(claim_rows[i].payload, &claims));
    CHECK_TEXT(claim_rows[i].name, claims.customer_id, claim_rows[i].customer_id);
    CHECK_INT(claim_rows[i].name, claims.expires_s, claim_rows[i].expires_s);
    CHECK_TEXT(claim_rows[i].name, claims.publisher_id, "");
  }
}

static void an_address_is_taken_up_to_its_limit(void **state) {
  (void)state;
  for (size_t more = 0; more < 2; more++) {
    char payload[400];
    identity__claims claims;
    char *email = repeated('x', IDENTITY__MAX_EMAIL + more);
    (void)snprintf(payload, sizeof payload, "{\"email\":\"%s\"}", email);
    assert_true(read_payload(payload, &claims));
    assert_int_equal(strlen(claims.email), more ? 0 : IDENTITY__MAX_EMAIL);
    free(email);
  }
}

static const struct {
  const char *name;
  const char *payload; /* as it stands in the token */
  bool readable;
} payloads[] = {
    {"{}", "e30", true},
    {"{ }", "eyB9", true},
    {"{} and a line", "e30K", true},
    {"one digit left over", "e30Ke", false},
    {"one digit left over, of no bits", "e30KA", false},
    {"bits left over that are not zero", "e31", false},
    {"bits left over, two digits", "eyB9fx", false},
    {"a list", "W10", false},
    {"null", "bnVsbA", false},
    {"a text", "Int9Ig", false},
    {"no JSON", "aGVsbG8", false},
    {"cut off", "ey", false},
    {"one digit", "e", false},
    {"UTF-8 of no kind", "eyJhIjoi_yJ9", false},
    {"twice the same name", "eyJhIjoxLCJhIjoyfQ", false},
};

static void a_payload_is_strict_base64url_of_an_object(void **state) {
  (void)state;
  for (size_t i = 0; i < COUNT(payloads); i++) {
    char token[100];
    identity__claims claims;
    memset(&claims, 'x', sizeof claims);
    (void)snprintf(token, sizeof token, "a.%s.c", payloads[i].payload);
    CHECK_INT(payloads[i].name, identity__jwt_claims(token, &claims) == IDENTITY__JWT_OK,
              payloads[i].readable);
    CHECK(payloads[i].name,
          claims.expires_s == 0 && claims.customer_id[0] == '\0' && claims.email[0] == '\0');
  }
}

#define QUARTER (15 * 60 * INT64_C(1000))
#define WEEK_S (7 * 24 * 3600)

static const struct {
  const char *name;
  int64_t expires_s;
  int64_t issued_s;
  int64_t date_s;
  int64_t life_ms;
} lives[] = {
    {"exp - iat", 1700000600, 1700000000, 0, 600000},
    {"iat wins over the date", 1700000600, 1700000000, 1700000300, 600000},
    {"exp - date", 1700000600, 0, 1700000000, 600000},
    {"neither", 1700000600, 0, 0, QUARTER},
    {"no exp", 0, 1700000000, 1700000000, QUARTER},
    {"a second", 1700000001, 1700000000, 0, 1000},
    {"no time", 1700000000, 1700000000, 0, QUARTER},
    {"negative", 1700000000, 1700000900, 0, QUARTER},
    {"seven days", 1700000000 + WEEK_S, 1700000000, 0, WEEK_S *INT64_C(1000)},
    {"a second more", 1700000001 + WEEK_S, 1700000000, 0, QUARTER},
    {"a date of another day", 1700000600, 0, 1800000000, QUARTER},
    {"an absurd date", 1700000600, 0, 5, QUARTER},
    {"an absurd end", INT64_C(9007199254740991), 1700000000, 0, QUARTER},
    {"an absurd iat does not fall back to the date", 1700000600, 5, 1700000000, QUARTER},
};

static void life_is_reckoned_in_the_service_s_time(void **state) {
  (void)state;
  for (size_t i = 0; i < COUNT(lives); i++) {
    identity__claims claims = {0};
    claims.expires_s = lives[i].expires_s;
    claims.issued_s = lives[i].issued_s;
    CHECK_INT(lives[i].name, identity__jwt_life_ms(&claims, lives[i].date_s), lives[i].life_ms);
  }
}

static void every_truncation_and_flip_is_survived(void **state) {
  (void)state;
  static const char token[] = HEAD ".eyJleHAiOjE3MDAwMDA5MDAsImN1c3RvbWVySWQiOiI1MzMzNTQzMDUifQ.c2ln";
  identity__claims claims;
  for (size_t length = 0; length < sizeof token; length++) {
    char *copy = exact_copy(token, length + 1);
    copy[length] = '\0';
    if (identity__jwt_claims(copy, &claims) == IDENTITY__JWT_OK)
      assert_string_equal(claims.customer_id, "533354305");
    free(copy);
  }
  for (size_t at = 0; at < sizeof token - 1; at++)
    for (int c = 1; c < 256; c += 7) {
      char *copy = exact_copy(token, sizeof token);
      copy[at] = (char)c;
      (void)identity__jwt_claims(copy, &claims);
      free(copy);
    }
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(a_jwt_has_three_parts_of_base64url),
    cmocka_unit_test(a_jwt_is_bounded),
    cmocka_unit_test(the_claims_are_read),
    cmocka_unit_test(what_cannot_be_read_stays_empty),
    cmocka_unit_test(an_address_is_taken_up_to_its_limit),
    cmocka_unit_test(a_payload_is_strict_base64url_of_an_object),
    cmocka_unit_test(life_is_reckoned_in_the_service_s_time),
    cmocka_unit_test(every_truncation_and_flip_is_survived),
};

SUITE("jwt", tests)
