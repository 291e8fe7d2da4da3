/* What is sent again, and how a call ends: time, cancelling, secrets in the words of a service. */
#include "support/calls.h"

/* How often a request is sent that always fails the same way. http 0: it broke off. */
static const struct {
  const char *name;
  identity__endpoint_id endpoint;
  int32_t http;
  identity_status failure;
  int32_t progress;
  int32_t times;
  identity_status status;
} repeats[] = {
    {"GET unsent", IDENTITY__LOCALE, 0, IDENTITY_OFFLINE, UNSENT, 3, IDENTITY_OFFLINE},
    {"GET lost", IDENTITY__CUSTOMER, 0, IDENTITY_CONNECTION_LOST, SENT, 3, IDENTITY_CONNECTION_LOST},
    {"GET timed out", IDENTITY__LOCALE, 0, IDENTITY_TIMED_OUT, SENT, 3, IDENTITY_TIMED_OUT},
    {"GET cut off", IDENTITY__LOCALE, 0, IDENTITY_CONNECTION_LOST, ANSWERED, 3, IDENTITY_CONNECTION_LOST},
    {"GET 500", IDENTITY__PUBLISHER_CONSENTS, 500, IDENTITY_OK, ANSWERED, 3, IDENTITY_SERVICE_FAILED},
    {"GET 408", IDENTITY__CUSTOMER_CONSENTS, 408, IDENTITY_OK, ANSWERED, 3, IDENTITY_SERVICE_FAILED},
    {"GET 503", IDENTITY__CAPTURE_STATUS, 503, IDENTITY_OK, ANSWERED, 3, IDENTITY_SERVICE_FAILED},
    {"GET 429", IDENTITY__LOCALE, 429, IDENTITY_OK, ANSWERED, 1, IDENTITY_THROTTLED},
    {"GET 511", IDENTITY__LOCALE, 511, IDENTITY_OK, ANSWERED, 1, IDENTITY_NOT_THE_SERVICE},
    {"GET 200 without JSON", IDENTITY__CUSTOMER, 200, IDENTITY_OK, ANSWERED, 1, IDENTITY_NOT_THE_SERVICE},
    {"GET untrusted", IDENTITY__LOCALE, 0, IDENTITY_TLS_UNTRUSTED, UNSENT, 1, IDENTITY_TLS_UNTRUSTED},
    {"GET wrong clock", IDENTITY__LOCALE, 0, IDENTITY_CLOCK_WRONG, UNSENT, 1, IDENTITY_CLOCK_WRONG},
    {"PUT consents unsent", IDENTITY__UPDATE_CONSENTS, 0, IDENTITY_OFFLINE, UNSENT, 2, IDENTITY_OFFLINE},
    {"PUT consents lost", IDENTITY__UPDATE_CONSENTS, 0, IDENTITY_CONNECTION_LOST, SENT, 2,
     IDENTITY_CONNECTION_LOST},
    {"PUT capture 502", IDENTITY__UPDATE_CAPTURE, 502, IDENTITY_OK, ANSWERED, 2, IDENTITY_SERVICE_FAILED},
    {"PATCH customer 500", IDENTITY__UPDATE_CUSTOMER, 500, IDENTITY_OK, ANSWERED, 2, IDENTITY_SERVICE_FAILED},
    {"register unsent", IDENTITY__REGISTER, 0, IDENTITY_OFFLINE, UNSENT, 2, IDENTITY_OFFLINE},
    {"register timed out unsent", IDENTITY__REGISTER, 0, IDENTITY_TIMED_OUT, UNSENT, 2, IDENTITY_TIMED_OUT},
    {"register lost", IDENTITY__REGISTER, 0, IDENTITY_CONNECTION_LOST, SENT, 1, IDENTITY_OUTCOME_UNKNOWN},
    {"register cut off", IDENTITY__REGISTER, 0, IDENTITY_CONNECTION_LOST, ANSWERED, 1,
     IDENTITY_OUTCOME_UNKNOWN},
    {"register 500", IDENTITY__REGISTER, 500, IDENTITY_OK, ANSWERED, 1, IDENTITY_OUTCOME_UNKNOWN},
    {"register 503", IDENTITY__REGISTER, 503, IDENTITY_OK, ANSWERED, 1, IDENTITY_SERVICE_FAILED},
    {"login unsent", IDENTITY__LOGIN, 0, IDENTITY_OFFLINE, UNSENT, 2, IDENTITY_OFFLINE},
    {"login lost", IDENTITY__LOGIN, 0, IDENTITY_CONNECTION_LOST, SENT, 1, IDENTITY_CONNECTION_LOST},
    {"login 500", IDENTITY__LOGIN, 500, IDENTITY_OK, ANSWERED, 1, IDENTITY_SERVICE_FAILED},
    {"single sign-on unsent", IDENTITY__SSO, 0, IDENTITY_OFFLINE, UNSENT, 2, IDENTITY_OFFLINE},
    {"single sign-on lost", IDENTITY__SSO, 0, IDENTITY_CONNECTION_LOST, SENT, 1, IDENTITY_CONNECTION_LOST},
    {"refresh unsent", IDENTITY__REFRESH, 0, IDENTITY_OFFLINE, UNSENT, 1, IDENTITY_OFFLINE},
    {"refresh 500", IDENTITY__REFRESH, 500, IDENTITY_OK, ANSWERED, 1, IDENTITY_SERVICE_FAILED},
    {"reset mail unsent", IDENTITY__REQUEST_RESET, 0, IDENTITY_OFFLINE, UNSENT, 1, IDENTITY_OFFLINE},
    {"reset mail 500", IDENTITY__REQUEST_RESET, 500, IDENTITY_OK, ANSWERED, 1, IDENTITY_SERVICE_FAILED},
    {"password unsent", IDENTITY__UPDATE_PASSWORD, 0, IDENTITY_OFFLINE, UNSENT, 2, IDENTITY_OFFLINE},
    {"password lost", IDENTITY__UPDATE_PASSWORD, 0, IDENTITY_CONNECTION_LOST, SENT, 1,
     IDENTITY_OUTCOME_UNKNOWN},
    {"revoke unsent", IDENTITY__REVOKE, 0, IDENTITY_OFFLINE, UNSENT, 2, IDENTITY_OFFLINE},
    {"revoke lost", IDENTITY__REVOKE, 0, IDENTITY_CONNECTION_LOST, SENT, 1, IDENTITY_OUTCOME_UNKNOWN},
};

static void requests_are_repeated_as_the_table_allows(void **state) {
  (void)state;
  for (size_t i = 0; i < COUNT(repeats); i++) {
    int32_t times = 0;
    new_call_to(repeats[i].endpoint);
    int32_t action = begin_call();
    while (action != IDENTITY__ACTION_DONE && times < 10) {
      if (action == IDENTITY__ACTION_WAIT)
        action = timer_at(identity__call_timer_ms(call) - BEGIN_MS, UNSENT);
      if (action == IDENTITY__ACTION_TOKEN)
        action = give_some_token();
      times++;
      CHECK_INT(repeats[i].name, action, IDENTITY__ACTION_SEND);
      action = repeats[i].http != 0 ? respond(repeats[i].http, "")
                                    : break_off(repeats[i].failure, repeats[i].progress);
    }
    CHECK_INT(repeats[i].name, times, repeats[i].times);
    CHECK_DONE(repeats[i].name, action, repeats[i].status);
    CHECK_INT(repeats[i].name, call->error.http_status, repeats[i].http);
    CHECK_INT(repeats[i].name, moment.now.boot_ms < call->deadline_ms, true);
  }
}

static void a_failure_tells_its_detail(void **state) {
  (void)state;
  new_call_to(IDENTITY__REFRESH);
  assert_int_equal(begin_call(), IDENTITY__ACTION_SEND);
  CHECK_DONE("CA file", break_off(IDENTITY_CA_FILE, UNSENT), IDENTITY_CA_FILE);
  assert_non_null(strstr(call->error.message, "(as tested)"));
  assert_string_equal(call->error.field, "ca_file");
}

/* first pause 100 to 300 ms, second 200 to 600 */
static void pauses_are_jittered_and_grow(void **state) {
  (void)state;
  static const struct {
    uint64_t random;
    int64_t first_ms;
    int64_t second_ms;
  } rows[] = {{0, 100, 200}, {200, 300, 400}, {400, 299, 600}, {UINT64_MAX, -1, -1}};
  for (size_t i = 0; i < COUNT(rows); i++) {
    new_call_to(IDENTITY__LOCALE);
    moment.random = rows[i].random;
    assert_int_equal(begin_call(), IDENTITY__ACTION_SEND);
    for (int pause = 0; pause < 2; pause++) {
      int64_t wanted = pause == 0 ? rows[i].first_ms : rows[i].second_ms;
      assert_int_equal(break_off(IDENTITY_OFFLINE, UNSENT), IDENTITY__ACTION_WAIT);
      int64_t wait = identity__call_timer_ms(call) - moment.now.boot_ms;
      assert_in_range(wait, pause == 0 ? 100 : 200, pause == 0 ? 300 : 600);
      if (wanted >= 0)
        assert_int_equal(wait, wanted);
      int64_t due = identity__call_timer_ms(call) - BEGIN_MS;
      assert_int_equal(timer_at(due - 1, UNSENT), IDENTITY__ACTION_WAIT);
      assert_int_equal(timer_at(due, UNSENT), IDENTITY__ACTION_SEND);
    }
  }
}

static void retry_after_lengthens_the_pause_or_ends_the_call(void **state) {
  (void)state;
  static const struct {
    const char *name;
    int64_t retry_after_ms;
    bool waits;
  } rows[] = {{"5 s", 5000, true},
              {"a moment before the deadline", TIMEOUT_MS - 1, true},
              {"at the deadline", TIMEOUT_MS, false},
              {"an hour", 3600000, false}};
  for (size_t i = 0; i < COUNT(rows); i++) {
    const identity__http http = {503, "", 0, 0, rows[i].retry_after_ms};
    new_call_to(IDENTITY__LOCALE);
    assert_int_equal(begin_call(), IDENTITY__ACTION_SEND);
    int32_t action = respond_with(&http);
    if (rows[i].waits) {
      CHECK_INT(rows[i].name, action, IDENTITY__ACTION_WAIT);
      CHECK_INT(rows[i].name, identity__call_timer_ms(call), BEGIN_MS + rows[i].retry_after_ms);
    } else {
      CHECK_DONE(rows[i].name, action, IDENTITY_SERVICE_FAILED);
      CHECK_INT(rows[i].name, call->error.retry_after_ms, rows[i].retry_after_ms);
    }
  }
}

/* ---- cut short ---- */

enum { IN_TOKEN, IN_SENDING, IN_PAUSE, IN_REPLAY };

static void bring_to(int32_t place) {
  int32_t action = begin_call();
  if (place == IN_TOKEN)
    return;
  if (action == IDENTITY__ACTION_TOKEN)
    assert_int_equal(give_some_token(), IDENTITY__ACTION_SEND);
  if (place == IN_PAUSE)
    assert_int_equal(break_off(IDENTITY_OFFLINE, UNSENT), IDENTITY__ACTION_WAIT);
  if (place == IN_REPLAY)
    assert_int_equal(respond(401, REFUSED_JWT), IDENTITY__ACTION_REJECTED);
}

static const struct {
  const char *name;
  identity__endpoint_id endpoint;
  int32_t place;
  int32_t progress;
  identity_status timed_out;
  identity_status cancelled;
} cuts[] = {
    {"waiting for a token", IDENTITY__CUSTOMER, IN_TOKEN, UNSENT, IDENTITY_TIMED_OUT, IDENTITY_CANCELLED},
    {"sending", IDENTITY__CUSTOMER, IN_SENDING, SENT, IDENTITY_TIMED_OUT, IDENTITY_CANCELLED},
    {"answered in part", IDENTITY__CUSTOMER, IN_SENDING, ANSWERED, IDENTITY_TIMED_OUT, IDENTITY_CANCELLED},
    {"pausing", IDENTITY__CUSTOMER, IN_PAUSE, UNSENT, IDENTITY_OFFLINE, IDENTITY_CANCELLED},
    {"waiting for another token", IDENTITY__CUSTOMER, IN_REPLAY, UNSENT, IDENTITY_TIMED_OUT,
     IDENTITY_CANCELLED},
    {"login sent", IDENTITY__LOGIN, IN_SENDING, SENT, IDENTITY_TIMED_OUT, IDENTITY_CANCELLED},
    {"register unsent", IDENTITY__REGISTER, IN_SENDING, UNSENT, IDENTITY_TIMED_OUT, IDENTITY_CANCELLED},
    {"register sent", IDENTITY__REGISTER, IN_SENDING, SENT, IDENTITY_OUTCOME_UNKNOWN,
     IDENTITY_OUTCOME_UNKNOWN},
    {"register pausing", IDENTITY__REGISTER, IN_PAUSE, SENT, IDENTITY_OFFLINE, IDENTITY_CANCELLED},
    {"password unsent", IDENTITY__UPDATE_PASSWORD, IN_SENDING, UNSENT, IDENTITY_TIMED_OUT,
     IDENTITY_CANCELLED},
    {"password sent", IDENTITY__UPDATE_PASSWORD, IN_SENDING, SENT, IDENTITY_OUTCOME_UNKNOWN,
     IDENTITY_OUTCOME_UNKNOWN},
    {"revoke sent", IDENTITY__REVOKE, IN_SENDING, SENT, IDENTITY_OUTCOME_UNKNOWN, IDENTITY_OUTCOME_UNKNOWN},
    {"revoke refused, waiting for another token", IDENTITY__REVOKE, IN_REPLAY, SENT, IDENTITY_TIMED_OUT,
     IDENTITY_CANCELLED},
};

static void a_deadline_ends_the_call_wherever_it_is(void **state) {
  (void)state;
  for (size_t i = 0; i < COUNT(cuts); i++) {
    new_call_to(cuts[i].endpoint);
    bring_to(cuts[i].place);
    call->pause_until_ms = cuts[i].place == IN_PAUSE ? INT64_MAX : 0;
    CHECK_INT(cuts[i].name, identity__call_timer_ms(call), BEGIN_MS + TIMEOUT_MS);
    CHECK_INT(cuts[i].name, timer_at(TIMEOUT_MS - 1, cuts[i].progress), IDENTITY__ACTION_WAIT);
    CHECK_DONE(cuts[i].name, timer_at(TIMEOUT_MS, cuts[i].progress), cuts[i].timed_out);
  }
}

static void cancelling_ends_the_call_wherever_it_is(void **state) {
  (void)state;
  for (size_t i = 0; i < COUNT(cuts); i++) {
    new_call_to(cuts[i].endpoint);
    bring_to(cuts[i].place);
    CHECK_DONE(cuts[i].name, cancel_with(IDENTITY_OK, cuts[i].progress), cuts[i].cancelled);
    new_call_to(cuts[i].endpoint);
    bring_to(cuts[i].place);
    bool unknown = cuts[i].cancelled == IDENTITY_OUTCOME_UNKNOWN;
    CHECK_DONE(cuts[i].name, cancel_with(IDENTITY_SIGNED_OUT, cuts[i].progress),
               unknown ? IDENTITY_OUTCOME_UNKNOWN : IDENTITY_SIGNED_OUT);
  }
}

static void a_flow_that_tolerates_sees_its_request_time_out(void **state) {
  (void)state;
  static const leg script[] = {
      {.order = IDENTITY__ORDER_SEND, .endpoint = IDENTITY__REFRESH, .tolerate = true},
      {.order = IDENTITY__ORDER_REFRESH}};
  new_call(script, 2);
  assert_int_equal(begin_call(), IDENTITY__ACTION_SEND);
  assert_int_equal(timer_at(TIMEOUT_MS, SENT), IDENTITY__ACTION_ORDER);
  assert_int_equal(last_seen, IDENTITY_TIMED_OUT);
}

/* ---- what a request may take at most ---- */

static const leg limited[] = {
    {.order = IDENTITY__ORDER_SEND, .endpoint = IDENTITY__REFRESH, .tolerate = true},
    {.order = IDENTITY__ORDER_REFRESH},
    {.order = IDENTITY__ORDER_SEND, .endpoint = IDENTITY__REFRESH}};

static const struct {
  const char *name;
  int32_t progress;
  int64_t limit_ms;
  identity_status status;
  const char *detail;
} limits[] = {
    {"it does not get away", UNSENT, 5000, IDENTITY_OFFLINE, "no connection in time"},
    {"no answer begins", SENT, 30000, IDENTITY_TIMED_OUT, "no answer in time"},
    {"the answer does not end", ANSWERED, 60000, IDENTITY_TIMED_OUT, "no answer in time"},
};

static void a_refresh_ends_by_how_far_it_got(void **state) {
  (void)state;
  for (size_t i = 0; i < COUNT(limits); i++) {
    new_call(limited, COUNT(limited));
    call->deadline_ms = INT64_MAX; /* it belongs to no caller */
    CHECK_INT(limits[i].name, begin_call(), IDENTITY__ACTION_SEND);
    CHECK_INT(limits[i].name, identity__call_timer_ms(call), BEGIN_MS + 5000);
    CHECK_INT(limits[i].name, timer_at(4999, UNSENT), IDENTITY__ACTION_WAIT);
    CHECK_INT(limits[i].name, timer_at(limits[i].limit_ms - 1, limits[i].progress), IDENTITY__ACTION_WAIT);
    CHECK_INT(limits[i].name, identity__call_timer_ms(call), BEGIN_MS + limits[i].limit_ms);
    CHECK_INT(limits[i].name, timer_at(limits[i].limit_ms, limits[i].progress), IDENTITY__ACTION_ORDER);
    CHECK_INT(limits[i].name, last_seen, limits[i].status);
    CHECK_INT(limits[i].name, last_outcome.failure, limits[i].status);
    CHECK_INT(limits[i].name, last_outcome.progress, limits[i].progress);
    CHECK(limits[i].name, strstr(call->error.message, limits[i].detail) != NULL);
    /* The next one has all its time again. */
    CHECK_INT(limits[i].name, tell_failed(IDENTITY__EVENT_ORDERED, IDENTITY_OK), IDENTITY__ACTION_SEND);
    CHECK_INT(limits[i].name, identity__call_timer_ms(call), moment.now.boot_ms + 5000);
  }
}

static void a_deadline_before_the_limit_ends_it_first(void **state) {
  (void)state;
  for (int64_t earlier = 0; earlier < 2; earlier++) {
    new_call_to(IDENTITY__REFRESH);
    call->deadline_ms = BEGIN_MS + 5000 - earlier;
    assert_int_equal(begin_call(), IDENTITY__ACTION_SEND);
    assert_int_equal(identity__call_timer_ms(call), call->deadline_ms);
    CHECK_DONE("deadline", timer_at(5000 - earlier, UNSENT), IDENTITY_TIMED_OUT);
  }
}

static void only_a_refresh_has_limits_of_its_own(void **state) {
  (void)state;
  for (identity__endpoint_id id = IDENTITY__LOCALE; id <= IDENTITY__UPDATE_CAPTURE; id++) {
    const char *name = identity__endpoint_of(id)->name;
    new_call_to(id);
    if (begin_call() == IDENTITY__ACTION_TOKEN)
      assert_int_equal(give_some_token(), IDENTITY__ACTION_SEND);
    int64_t ends_ms = id == IDENTITY__REFRESH ? 5000 : TIMEOUT_MS;
    CHECK_INT(name, identity__call_timer_ms(call), BEGIN_MS + ends_ms);
    CHECK_INT(name, timer_at(ends_ms - 1, UNSENT), IDENTITY__ACTION_WAIT);
  }
}

static void a_request_that_was_held_back_is_told_so(void **state) {
  (void)state;
  const identity__outcome held = {.failure = IDENTITY_OFFLINE, .late = true};
  const identity__event event = {.kind = IDENTITY__EVENT_RESPONSE, .outcome = &held};
  new_call(limited, COUNT(limited));
  assert_int_equal(begin_call(), IDENTITY__ACTION_SEND);
  assert_int_equal(step(&event), IDENTITY__ACTION_ORDER);
  assert_true(last_outcome.late);
}

/* What the call is for is done: nothing that cuts it short is told as a failure. */
static void a_settled_call_ends_well_however_it_is_cut_short(void **state) {
  (void)state;
  static const leg script[] = {{.order = IDENTITY__ORDER_SEND,
                                .endpoint = IDENTITY__UPDATE_CONSENTS,
                                .tolerate = true,
                                .settles = true}};
  for (int32_t place = IN_TOKEN; place <= IN_REPLAY; place++) {
    static const char *const names[] = {"token", "sending", "pause", "replay"};
    new_call(script, 1);
    bring_to(place);
    CHECK_DONE(names[place], cancel_with(IDENTITY_OK, SENT), IDENTITY_OK);
    new_call(script, 1);
    bring_to(place);
    if (place != IN_SENDING) /* there its flow decides */
      CHECK_DONE(names[place], timer_at(TIMEOUT_MS, SENT), IDENTITY_OK);
    CHECK_TEXT(names[place], call->error.message, "");
  }
  new_call(script, 1);
  bring_to(IN_REPLAY);
  identity__token_use other = some_token();
  other.customer_id = "777";
  other.epoch = 2;
  CHECK_DONE("somebody else signed in", give_token(&other), IDENTITY_OK);
  new_call(script, 1);
  bring_to(IN_TOKEN);
  call->settled_as = IDENTITY_OUTCOME_UNKNOWN;
  CHECK_DONE("settled as something else", cancel_with(IDENTITY_OK, UNSENT), IDENTITY_OUTCOME_UNKNOWN);
}

/* ---- secrets ---- */

#define LONG_SECRET                                                                                          \
  "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"         \
  "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"         \
  "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"         \
  "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static const struct {
  const char *name;
  const char *secret;
  const char *body;
  bool hidden;
} echoes[] = {
    {"password", "s3cretpass", "{\"errors\":[\"The password s3cretpass is weak\"]}", true},
    {"as message", "s3cretpass", "{\"message\":\"s3cretpass\"}", true},
    {"in the second text", "s3cretpass", "{\"errors\":[\"a\",\"b s3cretpass\"]}", true},
    {"inside a word", "s3cretpass", "{\"errors\":[\"xs3cretpassx\"]}", true},
    {"four characters", "a1b2", "{\"errors\":[\"is a1b2\"]}", true},
    {"cut away with its word", LONG_SECRET, "{\"errors\":[\"Bad value " LONG_SECRET "\"]}", false},
    {"the JWT", "unused", "{\"errors\":[\"Bad value " JWT "\"]}", true},
    {"not shown", "s3cretpass", "{\"errors\":[\"The password is weak\"]}", false},
    {"three characters could be anything", "the", "{\"errors\":[\"the\"]}", false},
    {"none", NULL, "{\"errors\":[\"The password is weak\"]}", false},
};

static void secrets_that_a_service_repeats_are_hidden(void **state) {
  (void)state;
  for (size_t i = 0; i < COUNT(echoes); i++)
    for (int place = 0; place < IDENTITY__CALL_SECRETS; place++) {
      new_call_to(IDENTITY__UPDATE_CUSTOMER);
      call->secrets[place] = echoes[i].secret;
      assert_int_equal(begin_call(), IDENTITY__ACTION_TOKEN);
      assert_int_equal(give_some_token(), IDENTITY__ACTION_SEND);
      CHECK_DONE(echoes[i].name, respond(422, echoes[i].body), IDENTITY_REFUSED);
      const char *plain = identity_status_text(IDENTITY_REFUSED);
      CHECK_INT(echoes[i].name, strcmp(call->error.message, plain) == 0, echoes[i].hidden);
      CHECK_INT(echoes[i].name, call->error.http_status, 422);
      assert_null(strstr(call->error.message, "0123456789"));
    }
}

static const struct CMUnitTest tests[] = {
    CALL_TEST(requests_are_repeated_as_the_table_allows),
    CALL_TEST(a_failure_tells_its_detail),
    CALL_TEST(pauses_are_jittered_and_grow),
    CALL_TEST(retry_after_lengthens_the_pause_or_ends_the_call),
    CALL_TEST(a_deadline_ends_the_call_wherever_it_is),
    CALL_TEST(cancelling_ends_the_call_wherever_it_is),
    CALL_TEST(a_flow_that_tolerates_sees_its_request_time_out),
    CALL_TEST(a_refresh_ends_by_how_far_it_got),
    CALL_TEST(a_deadline_before_the_limit_ends_it_first),
    CALL_TEST(only_a_refresh_has_limits_of_its_own),
    CALL_TEST(a_request_that_was_held_back_is_told_so),
    CALL_TEST(a_settled_call_ends_well_however_it_is_cut_short),
    CALL_TEST(secrets_that_a_service_repeats_are_hidden),
};

SUITE("call ends", tests)
