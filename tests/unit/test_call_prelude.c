/* Consents of a registration that did not reach the service go before the next authorised request. */
#include "support/calls.h"

#define HTML "<html></html>"

static char terms[] = "terms", one[] = "1", news[] = "broadcaster_marketing", two[] = "1.7";
static const identity_consent_answer kept[] = {{terms, one, 1, 0}, {news, two, 0, 0}};

static identity__token_use token_with_pending(void) {
  identity__token_use token = some_token();
  token.pending = kept;
  token.pending_count = 2;
  return token;
}

static int32_t begin_prelude(void) {
  const identity__token_use token = token_with_pending();
  new_call_to(IDENTITY__CUSTOMER);
  assert_int_equal(begin_call(), IDENTITY__ACTION_TOKEN);
  return give_token(&token);
}

static int32_t go_on(void) {
  return tell_failed(IDENTITY__EVENT_ORDERED, IDENTITY_OK);
}

static void pending_consents_are_sent_first(void **state) {
  (void)state;
  assert_int_equal(begin_prelude(), IDENTITY__ACTION_SEND);
  assert_string_equal(call->send.url, BASE "/customers/533354305/consents");
  assert_string_equal(call->send.endpoint->method, "PUT");
  assert_string_equal(call->send.bearer, JWT);
  assert_string_equal(call->send.body,
                      "{\"consents\":[{\"name\":\"terms\",\"version\":\"1\",\"state\":\"accepted\"},"
                      "{\"name\":\"broadcaster_marketing\",\"version\":\"1.7\",\"state\":\"declined\"}]}");
  assert_int_equal(respond(200, "{}"), IDENTITY__ACTION_PENDING);
  assert_int_equal(call->pending_end, IDENTITY__PENDING_SENT);
  assert_int_equal(call->pending_count, 2);
  assert_string_equal(call->pending[1].version, "1.7");
  assert_int_equal(go_on(), IDENTITY__ACTION_SEND);
  assert_string_equal(call->send.url, BASE "/customers/533354305");
  assert_null(call->send.body);
  CHECK_DONE("main", respond(200, "{}"), IDENTITY_OK);
}

#define ERR "{\"errors\":[\"?\"]}"

/* http 0: it broke off */
static const struct {
  const char *name;
  int32_t http;
  const char *body;
  int32_t end;
} verdicts[] = {
    {"200", 200, "{\"responseData\":{\"success\":true}}", IDENTITY__PENDING_SENT},
    {"204", 204, "", IDENTITY__PENDING_SENT},
    {"400", 400, ERR, IDENTITY__PENDING_DROPPED},
    {"403", 403, ERR, IDENTITY__PENDING_DROPPED},
    {"404", 404, ERR, IDENTITY__PENDING_DROPPED},
    {"409", 409, ERR, IDENTITY__PENDING_DROPPED},
    {"422", 422, ERR, IDENTITY__PENDING_DROPPED},
    {"401", 401, REFUSED_JWT, IDENTITY__PENDING_KEPT},
    {"408", 408, ERR, IDENTITY__PENDING_KEPT},
    {"425", 425, ERR, IDENTITY__PENDING_KEPT},
    {"429", 429, ERR, IDENTITY__PENDING_KEPT},
    {"500", 500, ERR, IDENTITY__PENDING_KEPT},
    {"503", 503, "", IDENTITY__PENDING_KEPT},
    {"511", 511, HTML, IDENTITY__PENDING_KEPT},
    {"403 of a firewall", 403, HTML, IDENTITY__PENDING_KEPT},
    {"302", 302, "", IDENTITY__PENDING_KEPT},
    {"200 of a portal", 200, HTML, IDENTITY__PENDING_KEPT},
    {"200 with a complaint", 200, ERR, IDENTITY__PENDING_KEPT},
    {"broke off", 0, NULL, IDENTITY__PENDING_KEPT},
};

static void its_answer_decides_about_the_consents_only(void **state) {
  (void)state;
  for (size_t i = 0; i < COUNT(verdicts); i++) {
    CHECK_INT(verdicts[i].name, begin_prelude(), IDENTITY__ACTION_SEND);
    int32_t action = verdicts[i].http != 0 ? respond(verdicts[i].http, verdicts[i].body)
                                           : break_off(IDENTITY_CONNECTION_LOST, SENT);
    CHECK_INT(verdicts[i].name, action, IDENTITY__ACTION_PENDING);
    CHECK_INT(verdicts[i].name, call->pending_end, verdicts[i].end);
    CHECK_INT(verdicts[i].name, go_on(), IDENTITY__ACTION_SEND);
    CHECK_TEXT(verdicts[i].name, call->send.url, BASE "/customers/533354305");
    CHECK_DONE(verdicts[i].name, respond(200, "{}"), IDENTITY_OK);
  }
}

static void it_gets_a_quarter_of_the_time_left(void **state) {
  (void)state;
  const identity__token_use token = token_with_pending();
  new_call_to(IDENTITY__CUSTOMER);
  assert_int_equal(begin_call(), IDENTITY__ACTION_TOKEN);
  moment.now.boot_ms += 10000; /* 20 s are left */
  assert_int_equal(give_token(&token), IDENTITY__ACTION_SEND);
  assert_int_equal(identity__call_timer_ms(call), BEGIN_MS + 15000);
  assert_int_equal(timer_at(14999, SENT), IDENTITY__ACTION_WAIT);
  assert_int_equal(timer_at(15000, SENT), IDENTITY__ACTION_PENDING);
  assert_int_equal(call->pending_end, IDENTITY__PENDING_KEPT);
  assert_int_equal(go_on(), IDENTITY__ACTION_SEND);
  assert_int_equal(identity__call_timer_ms(call), BEGIN_MS + TIMEOUT_MS);
}

static void it_is_tried_once_a_call(void **state) {
  (void)state;
  const identity__token_use token = token_with_pending();
  assert_int_equal(begin_prelude(), IDENTITY__ACTION_SEND);
  assert_int_equal(respond(401, REFUSED_JWT), IDENTITY__ACTION_PENDING);
  assert_int_equal(go_on(), IDENTITY__ACTION_SEND);
  assert_int_equal(respond(401, REFUSED_JWT), IDENTITY__ACTION_REJECTED);
  assert_int_equal(give_token(&token), IDENTITY__ACTION_SEND);
  assert_string_equal(call->send.url, BASE "/customers/533354305");
  assert_int_equal(break_off(IDENTITY_OFFLINE, UNSENT), IDENTITY__ACTION_WAIT);
  assert_int_equal(timer_at(1000, UNSENT), IDENTITY__ACTION_TOKEN);
  assert_int_equal(give_token(&token), IDENTITY__ACTION_SEND);
  assert_string_equal(call->send.url, BASE "/customers/533354305");
}

static void the_deadline_ends_the_whole_call_in_it(void **state) {
  (void)state;
  assert_int_equal(begin_prelude(), IDENTITY__ACTION_SEND);
  CHECK_DONE("deadline", timer_at(TIMEOUT_MS, SENT), IDENTITY_TIMED_OUT);
}

static void cancelling_in_it_knows_that_the_call_itself_was_not_sent(void **state) {
  (void)state;
  const identity__token_use token = token_with_pending();
  new_call_to(IDENTITY__REVOKE); /* its own outcome would be unknown */
  assert_int_equal(begin_call(), IDENTITY__ACTION_TOKEN);
  assert_int_equal(give_token(&token), IDENTITY__ACTION_SEND);
  CHECK_DONE("cancelled", cancel_with(IDENTITY_OK, SENT), IDENTITY_CANCELLED);
}

static void a_token_alone_brings_no_consents(void **state) {
  (void)state;
  static const leg script[] = {{.order = IDENTITY__ORDER_TOKEN}};
  const identity__token_use token = token_with_pending();
  new_call(script, 1);
  assert_int_equal(begin_call(), IDENTITY__ACTION_ORDER);
  CHECK_DONE("token", give_token(&token), IDENTITY_OK);
}

static void query_and_header_of_the_call_are_not_its(void **state) {
  (void)state;
  const identity__token_use token = token_with_pending();
  new_call_to(IDENTITY__CUSTOMER);
  assert_int_equal(begin_call(), IDENTITY__ACTION_TOKEN);
  call->query_name = "a";
  call->query_value = "b";
  call->path = "/elsewhere";
  call->header_name = "X-Name";
  call->header_value = "value";
  assert_int_equal(give_token(&token), IDENTITY__ACTION_SEND);
  assert_string_equal(call->send.url, BASE "/customers/533354305/consents");
  assert_null(call->send.header_value);
  assert_int_equal(respond(200, "{}"), IDENTITY__ACTION_PENDING);
  assert_int_equal(go_on(), IDENTITY__ACTION_SEND);
  assert_string_equal(call->send.url, BASE "/elsewhere?a=b");
  assert_string_equal(call->send.header_value, "value");
}

static void as_many_are_sent_as_a_record_keeps(void **state) {
  (void)state;
  identity_consent_answer many[IDENTITY__MAX_PENDING_CONSENTS + 1];
  for (size_t i = 0; i < COUNT(many); i++)
    many[i] = kept[0];
  for (uint32_t more = 0; more < 2; more++) {
    identity__token_use token = some_token();
    token.pending = many;
    token.pending_count = IDENTITY__MAX_PENDING_CONSENTS + more;
    new_call_to(IDENTITY__CUSTOMER);
    assert_int_equal(begin_call(), IDENTITY__ACTION_TOKEN);
    assert_int_equal(give_token(&token), more ? IDENTITY__ACTION_PENDING : IDENTITY__ACTION_SEND);
    if (more) {
      assert_int_equal(call->pending_end, IDENTITY__PENDING_KEPT);
      assert_int_equal(go_on(), IDENTITY__ACTION_SEND);
      assert_string_equal(call->send.url, BASE "/customers/533354305");
    }
  }
}

static const struct CMUnitTest tests[] = {
    CALL_TEST(pending_consents_are_sent_first),
    CALL_TEST(its_answer_decides_about_the_consents_only),
    CALL_TEST(it_gets_a_quarter_of_the_time_left),
    CALL_TEST(it_is_tried_once_a_call),
    CALL_TEST(the_deadline_ends_the_whole_call_in_it),
    CALL_TEST(cancelling_in_it_knows_that_the_call_itself_was_not_sent),
    CALL_TEST(a_token_alone_brings_no_consents),
    CALL_TEST(query_and_header_of_the_call_are_not_its),
    CALL_TEST(as_many_are_sent_as_a_record_keeps),
};

SUITE("call prelude", tests)
