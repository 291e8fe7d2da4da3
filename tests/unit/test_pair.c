/* The token pair in an answer of register, login, single sign-on or refresh. */
#include "support/calls.h"

#include "call/pair.h"

static void answer_with(const char *text) {
  identity_error error;
  new_call_to(IDENTITY__LOGIN);
  const identity__http http = {200, text, strlen(text), 1700000000, 0};
  const identity__expect *expect = &identity__endpoint_of(IDENTITY__LOGIN)->expect;
  assert_int_equal(identity__answer_read(&call->answer, expect, &http, &error), IDENTITY_OK);
}

static const struct {
  const char *name;
  const char *text;
  bool usable;
  const char *refresh_token;
  const char *customer_id;
} pairs[] = {
    {"whole", "{\"responseData\":{\"jwt\":\"" JWT "\",\"refreshToken\":\"r\",\"customerId\":7}}", true, "r",
     "7"},
    {"flat", "{\"jwt\":\"" JWT "\",\"refreshToken\":\"r\"}", true, "r", "533354305"},
    {"id as text", "{\"jwt\":\"" JWT "\",\"refreshToken\":\"r\",\"customerId\":\"7\"}", true, "r", "7"},
    {"id of no kind", "{\"jwt\":\"" JWT "\",\"refreshToken\":\"r\",\"customerId\":\"../7\"}", true, "r",
     "533354305"},
    {"JWT that cannot be read", "{\"jwt\":\"a.b.c\",\"refreshToken\":\"r\"}", true, "r", NULL},
    {"no refresh token", "{\"jwt\":\"" JWT "\"}", true, NULL, "533354305"},
    {"null refresh token", "{\"jwt\":\"" JWT "\",\"refreshToken\":null}", true, NULL, "533354305"},
    {"empty refresh token", "{\"jwt\":\"" JWT "\",\"refreshToken\":\"\"}", false, NULL, NULL},
    {"refresh token as number", "{\"jwt\":\"" JWT "\",\"refreshToken\":7}", false, NULL, NULL},
    {"refresh token as flag", "{\"jwt\":\"" JWT "\",\"refreshToken\":false}", false, NULL, NULL},
    {"no JWT", "{\"refreshToken\":\"r\"}", false, NULL, NULL},
    {"null JWT", "{\"jwt\":null,\"refreshToken\":\"r\"}", false, NULL, NULL},
    {"empty JWT", "{\"jwt\":\"\",\"refreshToken\":\"r\"}", false, NULL, NULL},
    {"two parts", "{\"jwt\":\"a.b\",\"refreshToken\":\"r\"}", false, NULL, NULL},
    {"four parts", "{\"jwt\":\"a.b.c.d\",\"refreshToken\":\"r\"}", false, NULL, NULL},
    {"empty data", "{\"responseData\":{}}", false, NULL, NULL},
    {"list as data", "{\"responseData\":[]}", false, NULL, NULL},
    {"null as data", "{\"responseData\":null,\"jwt\":\"" JWT "\",\"refreshToken\":\"r\"}", false, NULL, NULL},
};

static void a_pair_is_usable_or_not(void **state) {
  (void)state;
  for (size_t i = 0; i < COUNT(pairs); i++) {
    answer_with(pairs[i].text);
    CHECK_INT(pairs[i].name, identity__call_read_pair(call) == IDENTITY_OK, pairs[i].usable);
    if (!pairs[i].usable)
      continue;
    CHECK_TEXT(pairs[i].name, call->grant.refresh_token, pairs[i].refresh_token);
    CHECK_TEXT(pairs[i].name, call->grant.customer_id, pairs[i].customer_id);
    CHECK_INT(pairs[i].name, call->grant.age, IDENTITY__AGE_KNOWN);
  }
}

static void the_life_counts_from_when_it_was_sent(void **state) {
  (void)state;
  answer_with("{\"jwt\":\"" JWT "\",\"refreshToken\":\"r\",\"customerToken\":\"c\"}");
  call->sent_boot_ms = 11;
  assert_int_equal(identity__call_read_pair(call), IDENTITY_OK);
  assert_int_equal(call->grant.life_ms, 900000); /* exp less the answer's own date */
  assert_int_equal(call->grant.sent_boot_ms, 11);
  assert_string_equal(call->grant.customer_token, "c");
  assert_string_equal(call->grant.publisher_id, "123456789");
}

static void tokens_are_bounded(void **state) {
  (void)state;
  for (size_t more = 0; more < 2; more++) {
    char *token = repeated('r', IDENTITY__MAX_TOKEN + more);
    char *body = malloc(3 * IDENTITY__MAX_TOKEN);
    assert_non_null(body);
    (void)sprintf(body, "{\"jwt\":\"" JWT "\",\"refreshToken\":\"%s\"}", token);
    answer_with(body);
    assert_int_equal(identity__call_read_pair(call), more ? IDENTITY_UNEXPECTED_ANSWER : IDENTITY_OK);
    (void)sprintf(body, "{\"jwt\":\"" JWT "\",\"refreshToken\":\"r\",\"customerToken\":\"%s\"}", token);
    answer_with(body);
    assert_int_equal(identity__call_read_pair(call), IDENTITY_OK);
    assert_int_equal(call->grant.customer_token != NULL, !more);
    memcpy(token, "a.b.", 4);
    (void)sprintf(body, "{\"jwt\":\"%s\",\"refreshToken\":\"r\"}", token);
    answer_with(body);
    assert_int_equal(identity__call_read_pair(call), more ? IDENTITY_UNEXPECTED_ANSWER : IDENTITY_OK);
    free(body);
    free(token);
  }
}

static const struct {
  const char *name;
  const char *text;
  const char *publisher;
  identity_status status;
  const char *says;
} sign_ins[] = {
    {"whole", "{\"jwt\":\"" JWT "\",\"refreshToken\":\"r\"}", "123456789", IDENTITY_OK, NULL},
    {"no JWT", "{\"refreshToken\":\"r\"}", "123456789", IDENTITY_UNEXPECTED_ANSWER, "\"jwt\""},
    {"no refresh token", "{\"jwt\":\"" JWT "\"}", "123456789", IDENTITY_UNEXPECTED_ANSWER,
     "\"refreshToken\""},
    {"nobody", "{\"jwt\":\"a.b.c\",\"refreshToken\":\"r\"}", "123456789", IDENTITY_UNEXPECTED_ANSWER,
     "\"customerId\""},
    {"customer of the answer", "{\"jwt\":\"a.b.c\",\"refreshToken\":\"r\",\"customerId\":7}", "123456789",
     IDENTITY_OK, NULL},
    {"another publisher", "{\"jwt\":\"" JWT "\",\"refreshToken\":\"r\"}", "987654321",
     IDENTITY_NOT_WITH_PUBLISHER, "publisher"},
};

static void signing_in_needs_all_of_it(void **state) {
  (void)state;
  for (size_t i = 0; i < COUNT(sign_ins); i++) {
    answer_with(sign_ins[i].text);
    call->publisher_id = sign_ins[i].publisher;
    identity_status status = identity__call_read_sign_in(call, "typed@example.com");
    CHECK_TEXT(sign_ins[i].name, identity_status_name(status), identity_status_name(sign_ins[i].status));
    if (status != IDENTITY_OK)
      CHECK(sign_ins[i].name, strstr(call->error.message, sign_ins[i].says) != NULL);
    else
      CHECK_TEXT(sign_ins[i].name, call->grant.email, "typed@example.com");
  }
}

static const struct CMUnitTest tests[] = {
    CALL_TEST(a_pair_is_usable_or_not),
    CALL_TEST(the_life_counts_from_when_it_was_sent),
    CALL_TEST(tokens_are_bounded),
    CALL_TEST(signing_in_needs_all_of_it),
};

SUITE("pair", tests)
