/* One call as a state machine: requests, tokens, replays, secrets, settled calls. */
#include "support/calls.h"

static void a_call_without_a_token_is_sent_at_once(void **state) {
  (void)state;
  static const leg script[] = {{.order = IDENTITY__ORDER_SEND, .endpoint = IDENTITY__LOGIN, .body = "{}"}};
  new_call(script, 1);
  assert_int_equal(begin_call(), IDENTITY__ACTION_SEND);
  assert_string_equal(call->send.url, BASE "/auths");
  assert_string_equal(call->send.endpoint->method, "POST");
  assert_null(call->send.bearer);
  assert_string_equal(call->send.body, "{}");
  assert_int_equal(call->send.body_length, 2);
  assert_int_equal(call->sent_boot_ms, BEGIN_MS);
  CHECK_DONE("login", respond(200, "{\"responseData\":{}}"), IDENTITY_OK);
  assert_int_equal(call->error.status, IDENTITY_OK);
}

static void a_call_with_a_token_gets_it_first(void **state) {
  (void)state;
  new_call_to(IDENTITY__CUSTOMER);
  assert_int_equal(begin_call(), IDENTITY__ACTION_TOKEN);
  assert_int_equal(give_some_token(), IDENTITY__ACTION_SEND);
  assert_string_equal(call->send.url, BASE "/customers/533354305");
  assert_string_equal(call->send.bearer, JWT);
  assert_null(call->send.body);
  CHECK_DONE("customer", respond(200, "{\"responseData\":{\"id\":1}}"), IDENTITY_OK);
}

static const struct {
  const char *name;
  identity__endpoint_id endpoint;
  const char *method;
  const char *url;
  bool bearer;
} urls[] = {
    {"locale", IDENTITY__LOCALE, "GET", BASE "/locales", false},
    {"publisher consents", IDENTITY__PUBLISHER_CONSENTS, "GET", BASE "/publishers/123456789/consents", false},
    {"register", IDENTITY__REGISTER, "POST", BASE "/customers", false},
    {"login", IDENTITY__LOGIN, "POST", BASE "/auths", false},
    {"refresh", IDENTITY__REFRESH, "POST", BASE "/auths/refresh_token", false},
    {"revoke", IDENTITY__REVOKE, "DELETE", BASE "/refresh_tokens", true},
    {"sso", IDENTITY__SSO, "POST", BASE "/sso/auths", false},
    {"reset", IDENTITY__REQUEST_RESET, "PUT", BASE "/customers/passwords", false},
    {"password", IDENTITY__UPDATE_PASSWORD, "PATCH", BASE "/customers/passwords", false},
    {"customer", IDENTITY__CUSTOMER, "GET", BASE "/customers/533354305", true},
    {"customer update", IDENTITY__UPDATE_CUSTOMER, "PATCH", BASE "/customers/533354305", true},
    {"consents", IDENTITY__CUSTOMER_CONSENTS, "GET", BASE "/customers/533354305/consents", true},
    {"consents update", IDENTITY__UPDATE_CONSENTS, "PUT", BASE "/customers/533354305/consents", true},
    {"capture", IDENTITY__CAPTURE_STATUS, "GET", BASE "/customers/533354305/capture/status", true},
    {"capture update", IDENTITY__UPDATE_CAPTURE, "PUT", BASE "/customers/533354305/capture", true},
};

static void each_endpoint_has_its_method_path_and_bearer(void **state) {
  (void)state;
  for (size_t i = 0; i < COUNT(urls); i++) {
    new_call_to(urls[i].endpoint);
    int32_t action = begin_call();
    CHECK_INT(urls[i].name, action == IDENTITY__ACTION_TOKEN, urls[i].bearer);
    if (action == IDENTITY__ACTION_TOKEN)
      action = give_some_token();
    CHECK_INT(urls[i].name, action, IDENTITY__ACTION_SEND);
    CHECK_TEXT(urls[i].name, call->send.endpoint->method, urls[i].method);
    CHECK_TEXT(urls[i].name, call->send.url, urls[i].url);
    CHECK_TEXT(urls[i].name, call->send.bearer, urls[i].bearer ? JWT : NULL);
  }
}

static void path_header_and_query_of_the_call_are_used(void **state) {
  (void)state;
  new_call_to(IDENTITY__SSO);
  const identity__event event = {.kind = IDENTITY__EVENT_START};
  assert_int_equal(step(&event), IDENTITY__ACTION_SEND);
  call->path = "/v9/sso";
  call->query_name = "ip";
  call->query_value = "::1";
  call->header_name = "X-Publisher-Token";
  call->header_value = "publisher secret";
  assert_int_equal(break_off(IDENTITY_OFFLINE, UNSENT), IDENTITY__ACTION_WAIT);
  assert_int_equal(timer_at(1000, UNSENT), IDENTITY__ACTION_SEND);
  assert_string_equal(call->send.url, BASE "/v9/sso?ip=%3A%3A1");
  assert_string_equal(call->send.header_name, "X-Publisher-Token");
  assert_string_equal(call->send.header_value, "publisher secret");
}

/* ---- tokens ---- */

static const struct {
  const char *name;
  int64_t date_s;
  bool expired;
} dates[] = {{"before its end", 1700000899, false}, {"at its end", 1700000900, true}, {"no date", 0, false}};

static void a_401_gets_another_token_and_replays_once(void **state) {
  (void)state;
  for (size_t i = 0; i < COUNT(dates); i++) {
    const identity__http refusal = {401, REFUSED_JWT, strlen(REFUSED_JWT), dates[i].date_s, 0};
    identity__token_use token = some_token();
    new_call_to(IDENTITY__CUSTOMER);
    assert_int_equal(begin_call(), IDENTITY__ACTION_TOKEN);
    assert_int_equal(give_token(&token), IDENTITY__ACTION_SEND);
    CHECK_INT(dates[i].name, respond_with(&refusal), IDENTITY__ACTION_REJECTED);
    CHECK_INT(dates[i].name, call->used.epoch, 1);
    CHECK_INT(dates[i].name, call->used.generation, 1);
    CHECK_INT(dates[i].name, call->used.expired, dates[i].expired);
    CHECK_INT(dates[i].name, call->error.status, IDENTITY_NOT_ALLOWED); /* the driver may pass it on */
    token.jwt = "n.e.w";
    token.generation = 2;
    CHECK_INT(dates[i].name, give_token(&token), IDENTITY__ACTION_SEND);
    CHECK_TEXT(dates[i].name, call->send.bearer, "n.e.w");
    CHECK_DONE(dates[i].name, respond_with(&refusal), IDENTITY_NOT_ALLOWED);
    CHECK_TEXT(dates[i].name, call->error.code, "AUTH0002");
  }
}

static void each_request_of_a_call_may_be_replayed_once(void **state) {
  (void)state;
  static const leg script[] = {{.order = IDENTITY__ORDER_SEND, .endpoint = IDENTITY__CUSTOMER_CONSENTS},
                               {.order = IDENTITY__ORDER_SEND, .endpoint = IDENTITY__UPDATE_CONSENTS}};
  new_call(script, 2);
  assert_int_equal(begin_call(), IDENTITY__ACTION_TOKEN);
  for (int i = 0; i < 2; i++) {
    assert_int_equal(give_some_token(), IDENTITY__ACTION_SEND);
    assert_int_equal(respond(401, REFUSED_JWT), IDENTITY__ACTION_REJECTED);
    assert_int_equal(give_some_token(), IDENTITY__ACTION_SEND);
    assert_int_equal(respond(200, "{}"), i == 0 ? IDENTITY__ACTION_TOKEN : IDENTITY__ACTION_DONE);
  }
  assert_int_equal(call->status, IDENTITY_OK);
}

static const struct {
  const char *name;
  identity__endpoint_id endpoint;
  int32_t http;
  const char *body;
  identity_status status;
} unreplayed[] = {
    {"403", IDENTITY__CUSTOMER, 403, REFUSED_JWT, IDENTITY_NOT_ALLOWED},
    {"401 of a firewall", IDENTITY__CUSTOMER, 401, "<html>", IDENTITY_NOT_THE_SERVICE},
    {"401 that means the password", IDENTITY__UPDATE_CUSTOMER, 401, "{\"code\":\"USER0001\"}",
     IDENTITY_WRONG_CREDENTIALS},
    {"login", IDENTITY__LOGIN, 401, REFUSED_JWT, IDENTITY_REFUSED},
    {"register", IDENTITY__REGISTER, 401, REFUSED_JWT, IDENTITY_REFUSED},
    {"refresh", IDENTITY__REFRESH, 401, REFUSED_JWT, IDENTITY_NOT_ALLOWED},
    {"password", IDENTITY__UPDATE_PASSWORD, 401, REFUSED_JWT, IDENTITY_REFUSED},
    {"reset", IDENTITY__REQUEST_RESET, 401, REFUSED_JWT, IDENTITY_REFUSED},
};

static void nothing_else_is_replayed(void **state) {
  (void)state;
  for (size_t i = 0; i < COUNT(unreplayed); i++) {
    new_call_to(unreplayed[i].endpoint);
    if (begin_call() == IDENTITY__ACTION_TOKEN)
      assert_int_equal(give_some_token(), IDENTITY__ACTION_SEND);
    CHECK_DONE(unreplayed[i].name, respond(unreplayed[i].http, unreplayed[i].body), unreplayed[i].status);
  }
}

static void a_call_that_gets_no_token_ends_with_the_reason(void **state) {
  (void)state;
  new_call_to(IDENTITY__CUSTOMER);
  assert_int_equal(begin_call(), IDENTITY__ACTION_TOKEN);
  CHECK_DONE("none", tell_failed(IDENTITY__EVENT_FAILED, IDENTITY_REFRESH_DEFERRED),
             IDENTITY_REFRESH_DEFERRED);
  assert_int_equal(call->error.retry_after_ms, 4321);
  assert_string_equal(call->error.message, "as told");
}

static void a_token_order_ends_with_a_token_that_is_held(void **state) {
  (void)state;
  static const leg script[] = {
      {.order = IDENTITY__ORDER_TOKEN},
      {.order = IDENTITY__ORDER_SEND, .endpoint = IDENTITY__REVOKE, .holds = true},
  };
  new_call(script, 2);
  assert_int_equal(begin_call(), IDENTITY__ACTION_ORDER);
  assert_int_equal(call->order, IDENTITY__ORDER_TOKEN);
  assert_int_equal(give_some_token(), IDENTITY__ACTION_SEND);
  assert_string_equal(call->send.bearer, JWT);
  CHECK_DONE("not replayed", respond(401, REFUSED_JWT), IDENTITY_NOT_ALLOWED);
}

static const struct {
  const char *name;
  uint64_t epoch;
  const char *before;
  const char *after;
  bool goes_on;
} switches[] = {
    {"rotated", 1, "533354305", "533354305", true},
    {"the same customer signed in again", 2, "533354305", "533354305", true},
    {"somebody else signed in", 2, "533354305", "777", false},
    {"somebody unknown signed in", 2, "533354305", NULL, false},
    {"somebody signed in after an unknown one", 2, NULL, "533354305", false},
    {"two unknown ones are not the same", 2, NULL, NULL, false},
    {"an unknown one, rotated", 1, NULL, NULL, true},
};

static void a_call_never_goes_on_for_another_customer(void **state) {
  (void)state;
  for (size_t i = 0; i < COUNT(switches); i++) {
    identity__token_use token = some_token();
    token.customer_id = switches[i].before;
    new_call_to(IDENTITY__REVOKE);
    assert_int_equal(begin_call(), IDENTITY__ACTION_TOKEN);
    CHECK_INT(switches[i].name, give_token(&token), IDENTITY__ACTION_SEND);
    CHECK_INT(switches[i].name, respond(401, REFUSED_JWT), IDENTITY__ACTION_REJECTED);
    token.customer_id = switches[i].after;
    token.epoch = switches[i].epoch;
    token.generation = 2;
    int32_t action = give_token(&token);
    if (switches[i].goes_on)
      CHECK_INT(switches[i].name, action, IDENTITY__ACTION_SEND);
    else
      CHECK_DONE(switches[i].name, action, IDENTITY_SIGNED_OUT);
  }
}

static void a_customer_path_needs_to_know_the_customer(void **state) {
  (void)state;
  identity__token_use token = some_token();
  token.customer_id = NULL;
  new_call_to(IDENTITY__CUSTOMER);
  assert_int_equal(begin_call(), IDENTITY__ACTION_TOKEN);
  CHECK_DONE("adopted", give_token(&token), IDENTITY_SESSION_ENDED);
}

/* ---- orders ---- */

static void orders_are_carried_out_one_after_the_other(void **state) {
  (void)state;
  static const leg script[] = {{.order = IDENTITY__ORDER_PROBE}, {.order = IDENTITY__ORDER_SIGN_IN}};
  new_call(script, 2);
  assert_int_equal(begin_call(), IDENTITY__ACTION_ORDER);
  assert_int_equal(call->order, IDENTITY__ORDER_PROBE);
  assert_int_equal(tell_failed(IDENTITY__EVENT_ORDERED, IDENTITY_OK), IDENTITY__ACTION_ORDER);
  assert_int_equal(call->order, IDENTITY__ORDER_SIGN_IN);
  CHECK_DONE("fails", tell_failed(IDENTITY__EVENT_ORDERED, IDENTITY_STORE_FAILED), IDENTITY_STORE_FAILED);
  assert_string_equal(call->error.message, "as told");
  assert_int_equal(flow_calls, 2); /* the first failure ends it */
}

static void a_tolerated_failure_is_the_flow_s(void **state) {
  (void)state;
  static const leg script[] = {{.order = IDENTITY__ORDER_PROBE, .tolerate = true},
                               {.order = IDENTITY__ORDER_SIGN_IN}};
  new_call(script, 2);
  assert_int_equal(begin_call(), IDENTITY__ACTION_ORDER);
  assert_int_equal(tell_failed(IDENTITY__EVENT_ORDERED, IDENTITY_STORE_FAILED), IDENTITY__ACTION_ORDER);
  assert_int_equal(last_seen, IDENTITY_STORE_FAILED);
  CHECK_DONE("ends well", tell_failed(IDENTITY__EVENT_ORDERED, IDENTITY_OK), IDENTITY_OK);
}

/* ---- orders that are to be carried out again ---- */

static const leg repeated_order[] = {{.order = IDENTITY__ORDER_REFRESH}, {.order = IDENTITY__ORDER_SIGN_IN}};

/* The order is not done yet: again so many ms after the call began. */
static int32_t order_again_at(int64_t ms) {
  call->again_ms = BEGIN_MS + ms;
  return tell_failed(IDENTITY__EVENT_ORDERED, IDENTITY_OK);
}

static void begin_again_at(int64_t ms) {
  new_call(repeated_order, COUNT(repeated_order));
  assert_int_equal(begin_call(), IDENTITY__ACTION_ORDER);
  assert_int_equal(order_again_at(ms), IDENTITY__ACTION_WAIT);
}

static void an_order_is_carried_out_again_when_it_is_time(void **state) {
  (void)state;
  begin_again_at(500);
  for (int64_t due = 500; due <= 1500; due += 500) {
    assert_int_equal(identity__call_timer_ms(call), BEGIN_MS + due);
    assert_int_equal(timer_at(due - 1, UNSENT), IDENTITY__ACTION_WAIT);
    assert_int_equal(timer_at(due, UNSENT), IDENTITY__ACTION_ORDER);
    assert_int_equal(call->order, IDENTITY__ORDER_REFRESH);
    assert_int_equal(flow_calls, 1);
    if (due < 1500)
      assert_int_equal(order_again_at(due + 500), IDENTITY__ACTION_WAIT);
  }
  call->again_ms = 0; /* done at last */
  assert_int_equal(tell_failed(IDENTITY__EVENT_ORDERED, IDENTITY_OK), IDENTITY__ACTION_ORDER);
  assert_int_equal(call->order, IDENTITY__ORDER_SIGN_IN);
}

static void an_order_that_fails_is_not_carried_out_again(void **state) {
  (void)state;
  begin_again_at(500);
  assert_int_equal(timer_at(500, UNSENT), IDENTITY__ACTION_ORDER);
  call->again_ms = BEGIN_MS + 1000;
  CHECK_DONE("fails", tell_failed(IDENTITY__EVENT_ORDERED, IDENTITY_STORE_FAILED), IDENTITY_STORE_FAILED);
}

/* At the deadline what kept it says more; an order that was never done is no success, whatever was said. */
static void a_deadline_ends_an_order_that_waits(void **state) {
  (void)state;
  static const struct {
    const char *name;
    identity_status told;
    bool settled;
    identity_status ends;
  } rows[] = {{"told why", IDENTITY_OUTCOME_UNKNOWN, false, IDENTITY_OUTCOME_UNKNOWN},
              {"told nothing", IDENTITY_OK, false, IDENTITY_TIMED_OUT},
              {"settled", IDENTITY_OUT_OF_MEMORY, true, IDENTITY_OK}};
  for (size_t i = 0; i < COUNT(rows); i++) {
    begin_again_at(TIMEOUT_MS + 1);
    call->error.status = rows[i].told;
    call->settled = rows[i].settled;
    CHECK_INT(rows[i].name, identity__call_timer_ms(call), BEGIN_MS + TIMEOUT_MS);
    CHECK_INT(rows[i].name, timer_at(TIMEOUT_MS - 1, UNSENT), IDENTITY__ACTION_WAIT);
    CHECK_DONE(rows[i].name, timer_at(TIMEOUT_MS, UNSENT), rows[i].ends);
  }
}

static void cancelling_ends_an_order_that_waits(void **state) {
  (void)state;
  begin_again_at(500);
  CHECK_DONE("cancelled", cancel_with(IDENTITY_OK, UNSENT), IDENTITY_CANCELLED);
  begin_again_at(500);
  CHECK_DONE("signed out", cancel_with(IDENTITY_SIGNED_OUT, UNSENT), IDENTITY_SIGNED_OUT);
}

static void a_call_that_is_over_stays_so(void **state) {
  (void)state;
  new_call_to(IDENTITY__LOCALE);
  assert_int_equal(begin_call(), IDENTITY__ACTION_SEND);
  CHECK_DONE("cancelled", cancel_with(IDENTITY_OK, SENT), IDENTITY_CANCELLED);
  CHECK_DONE("late answer", respond(200, "{}"), IDENTITY_CANCELLED);
  CHECK_DONE("late timer", timer_at(TIMEOUT_MS, SENT), IDENTITY_CANCELLED);
  assert_int_equal(flow_calls, 1);
}

static const struct CMUnitTest tests[] = {
    CALL_TEST(a_call_without_a_token_is_sent_at_once),
    CALL_TEST(a_call_with_a_token_gets_it_first),
    CALL_TEST(each_endpoint_has_its_method_path_and_bearer),
    CALL_TEST(path_header_and_query_of_the_call_are_used),
    CALL_TEST(a_401_gets_another_token_and_replays_once),
    CALL_TEST(each_request_of_a_call_may_be_replayed_once),
    CALL_TEST(nothing_else_is_replayed),
    CALL_TEST(a_call_that_gets_no_token_ends_with_the_reason),
    CALL_TEST(a_token_order_ends_with_a_token_that_is_held),
    CALL_TEST(a_call_never_goes_on_for_another_customer),
    CALL_TEST(a_customer_path_needs_to_know_the_customer),
    CALL_TEST(orders_are_carried_out_one_after_the_other),
    CALL_TEST(a_tolerated_failure_is_the_flow_s),
    CALL_TEST(an_order_is_carried_out_again_when_it_is_time),
    CALL_TEST(an_order_that_fails_is_not_carried_out_again),
    CALL_TEST(a_deadline_ends_an_order_that_waits),
    CALL_TEST(cancelling_ends_an_order_that_waits),
    CALL_TEST(a_call_that_is_over_stays_so),
};

SUITE("call", tests)
