/* What a transport may say of an exchange: why it failed, and heads of answers as they come. */
#include "support/own_memory.h"
#include "support/scripted.h"

static identity_status next_failure;
static const char *next_detail;

static identity_status fail_start(taken *one) {
  (void)one;
  return next_failure;
}

static identity_status fail_after_sending(taken *one) {
  identity_link_sent(one->link, one->number);
  identity_link_complete(one->link, one->number, next_failure, next_detail);
  return IDENTITY_OK;
}

static identity_status fail_unsent(taken *one) {
  identity_link_complete(one->link, one->number, next_failure, next_detail);
  return IDENTITY_OK;
}

static const struct {
  identity_status says, becomes;
} failures[] = {
    {IDENTITY_OFFLINE, IDENTITY_OFFLINE},
    {IDENTITY_CONNECTION_LOST, IDENTITY_CONNECTION_LOST},
    {IDENTITY_TIMED_OUT, IDENTITY_TIMED_OUT},
    {IDENTITY_NOT_THE_SERVICE, IDENTITY_NOT_THE_SERVICE},
    {IDENTITY_OUT_OF_MEMORY, IDENTITY_OUT_OF_MEMORY},
    {IDENTITY_TLS_UNTRUSTED, IDENTITY_TLS_UNTRUSTED},
    {IDENTITY_CLOCK_WRONG, IDENTITY_CLOCK_WRONG},
    {IDENTITY_PROXY_AUTH, IDENTITY_PROXY_AUTH},
    {IDENTITY_CANCELLED, IDENTITY_CONNECTION_LOST},
    {IDENTITY_SIGNED_OUT, IDENTITY_CONNECTION_LOST},
    {IDENTITY_WRONG_CREDENTIALS, IDENTITY_CONNECTION_LOST},
    {IDENTITY_NOT_ALLOWED, IDENTITY_CONNECTION_LOST},
    {-1, IDENTITY_CONNECTION_LOST},
    {12345, IDENTITY_CONNECTION_LOST},
};

static void a_failure_is_handed_on_if_it_is_one_of_the_network_or_the_device(void **state) {
  (void)state;
  for (size_t i = 0; i < ROWS(failures); i++) {
    next_failure = failures[i].says;
    next_detail = "as the transport says";
    transport.act = fail_after_sending;
    runs(TWIN_LOGIN, failures[i].becomes);
    transport.act = fail_unsent;
    runs(TWIN_RESET_MAIL, failures[i].becomes); /* which is never repeated */
  }
  next_failure = IDENTITY_CONNECTION_LOST;
  runs(TWIN_UPDATE_PASSWORD, IDENTITY_CONNECTION_LOST); /* it was never sent: nothing is unknown */
  transport.act = fail_after_sending;
  runs(TWIN_UPDATE_PASSWORD, IDENTITY_OUTCOME_UNKNOWN);
  assert_int_equal(recorder_cancels(&transport), 0);
}

static void a_start_that_fails_is_a_failure_of_the_network_and_nothing_was_sent(void **state) {
  (void)state;
  transport.act = fail_start;
  for (size_t i = 0; i < ROWS(failures); i++) {
    next_failure = failures[i].says;
    runs(TWIN_RESET_MAIL, failures[i].becomes);
  }
  next_failure = IDENTITY_OFFLINE;
  runs(TWIN_UPDATE_PASSWORD, IDENTITY_OFFLINE);
  assert_int_equal(recorder_cancels(&transport), 0); /* there is nothing to cancel */
  transport.act = recorder_answer_at_once;
  runs(TWIN_LOCALE, IDENTITY_OK);
}

static void a_detail_becomes_one_line_of_the_message(void **state) {
  static const char *const details[] = {NULL, "", "one line", "two\nlines\r\nand\ttabs",
                                        "\xFF\xFE not UTF-8"};
  (void)state;
  char longest[5000];
  memset(longest, 'd', sizeof longest);
  longest[sizeof longest - 1] = '\0';
  transport.act = fail_after_sending;
  next_failure = IDENTITY_OFFLINE;
  for (size_t i = 0; i <= ROWS(details); i++) {
    note ended = {0};
    next_detail = i < ROWS(details) ? details[i] : longest;
    twin_start(TWIN_LOGIN, session, &ended);
    ends_once(&ended, IDENTITY_OFFLINE);
    probe_status("detail", &ended.error, IDENTITY_OFFLINE, NULL);
    if (i == 2)
      assert_non_null(strstr(ended.error.message, "one line"));
    note_clear(&ended);
  }
}

/* ---- answers that are none ---- */

static identity_status answer_without_a_status_line(taken *one) {
  identity_link_sent(one->link, one->number);
  (void)recorder_header(one, "Content-Type: application/json");
  (void)identity_link_body(one->link, one->number, RECORDER_LOCALE, strlen(RECORDER_LOCALE));
  identity_link_complete(one->link, one->number, IDENTITY_OK, NULL);
  return IDENTITY_OK;
}

static identity_status answer_with_nothing(taken *one) {
  identity_link_sent(one->link, one->number);
  identity_link_complete(one->link, one->number, IDENTITY_OK, NULL);
  return IDENTITY_OK;
}

static identity_status answer_with_a_body_alone(taken *one) {
  (void)identity_link_body(one->link, one->number, RECORDER_LOCALE, strlen(RECORDER_LOCALE));
  return answer_with_nothing(one);
}

static identity_status answer_nonsense(taken *one) {
  identity_link_sent(one->link, one->number);
  (void)recorder_header(one, "HTTP/1.1 banana");
  (void)recorder_header(one, "");
  (void)identity_link_header(one->link, one->number, NULL, 0);
  (void)identity_link_header(one->link, one->number, "\0\0\0", 3);
  (void)identity_link_body(one->link, one->number, NULL, 0);
  identity_link_complete(one->link, one->number, IDENTITY_OK, NULL);
  return IDENTITY_OK;
}

static void an_answer_without_a_status_line_is_no_answer(void **state) {
  static const recorder_act acts[] = {answer_without_a_status_line, answer_with_nothing,
                                      answer_with_a_body_alone, answer_nonsense};
  (void)state;
  for (size_t i = 0; i < ROWS(acts); i++) {
    note ended = {0};
    transport.act = acts[i];
    twin_start(TWIN_LOGIN, session, &ended);
    aloop_until(&shared, &ended, 1);
    ends_once(&ended, ended.status);
    assert_int_equal(identity_status_class(ended.status), IDENTITY_CLASS_RETRY_LATER);
    assert_int_equal(ended.error.http_status, 0);
    note_clear(&ended);
    runs(TWIN_UPDATE_PASSWORD, IDENTITY_OUTCOME_UNKNOWN);
  }
}

/* The heads of interim answers come before that of the answer. */
static identity_status answer_after_an_interim_one(taken *one) {
  identity_link_sent(one->link, one->number);
  (void)recorder_header(one, "HTTP/1.1 103 Early Hints");
  (void)recorder_header(one, "Content-Encoding: gzip");
  (void)recorder_header(one, "");
  recorder_answer(one, 200, RECORDER_LOCALE);
  return IDENTITY_OK;
}

static void interim_heads_are_passed_over(void **state) {
  (void)state;
  transport.act = answer_after_an_interim_one;
  runs(TWIN_LOCALE, IDENTITY_OK);
}

static void lines_come_with_or_without_their_end(void **state) {
  static const char *const ends[] = {"", "\n", "\r\n"};
  (void)state;
  for (size_t i = 0; i < ROWS(ends); i++) {
    char line[60];
    note ended = {0};
    taken *one = begin_silent(TWIN_LOCALE, &ended);
    identity_link_sent(one->link, one->number);
    snprintf(line, sizeof line, "HTTP/1.1 429 Slow down%s", ends[i]);
    assert_int_equal(recorder_header(one, line), 1);
    snprintf(line, sizeof line, "RETRY-after: 9%s", ends[i]);
    assert_int_equal(recorder_header(one, line), 1);
    identity_link_complete(one->link, one->number, IDENTITY_OK, NULL);
    ends_once(&ended, IDENTITY_THROTTLED);
    assert_int_equal(ended.error.retry_after_ms, 9000);
    note_clear(&ended);
  }
}

/* ---- broken off ---- */

static taken *kept;

static identity_status keep_register(taken *one) {
  if (strcmp(one->method, "POST") != 0)
    return recorder_forward(one);
  kept = one;
  return IDENTITY_OK;
}

static void say(const char *piece) {
  assert_int_equal(identity_link_body(kept->link, kept->number, piece, strlen(piece)), 1);
}

/* Byte by byte: no copy but the library's. */
static void say_half_a_pair(const masked *refresh_token) {
  identity_link_sent(kept->link, kept->number);
  (void)recorder_header(kept, "HTTP/1.1 200 OK");
  say("{\"responseData\":{\"refreshToken\":\"");
  for (size_t i = 0; i < refresh_token->length; i++) {
    const char byte = own_memory_byte(refresh_token, i);
    assert_int_equal(identity_link_body(kept->link, kept->number, &byte, 1), 1);
  }
  say("\",\"jwt\":\"e30.");
}

/* Whatever the call has asked before: the definitions of the consents are no secret. */
static void what_came_of_a_pair_is_wiped_when_it_is_broken_off(void **state) {
  (void)state;
  for (int by_time = 0; by_time < 2; by_time++) {
    static masked refresh_token;
    note ended = {0};
    own_memory_invent(&refresh_token);
    transport.act = keep_register;
    kept = NULL;
    twin_start(TWIN_REGISTER, session, &ended);
    while (kept == NULL)
      assert_int_equal(identity_loop_run(shared.loop, 100), IDENTITY_OK);
    assert_int_equal(recorder_count(&transport, "GET", "/publishers/*/consents"), by_time + 1);
    say_half_a_pair(&refresh_token);
    assert_true(own_memory_count(&refresh_token) > 0);
    if (by_time)
      host_clock_sleep(&device, 31000);
    else
      identity_call_cancel(ended.call);
    ends_once(&ended, IDENTITY_OUTCOME_UNKNOWN);
    note_clear(&ended);
    assert_int_equal(own_memory_count(&refresh_token), 0);
  }
}

static const struct CMUnitTest tests[] = {
    TEST(a_failure_is_handed_on_if_it_is_one_of_the_network_or_the_device),
    TEST(a_start_that_fails_is_a_failure_of_the_network_and_nothing_was_sent),
    TEST(a_detail_becomes_one_line_of_the_message),
    TEST(an_answer_without_a_status_line_is_no_answer),
    TEST(interim_heads_are_passed_over),
    TEST(lines_come_with_or_without_their_end),
    TEST(what_came_of_a_pair_is_wiped_when_it_is_broken_off),
};

SUITE_WITH("transport_answers", tests, start, stop)
