/* A transport that behaves oddly: each has a defined end, and no call completes twice or never. */
#include "support/host_clock.h"
#include "support/recorder.h"
#include "support/rotation.h"
#include "support/stage.h"
#include "support/twins.h"

static aloop shared;
static recorder transport;
static host_clock device;
static identity_session *session;

static identity_config *odd_config(void) {
  identity_config *config = recorder_config(&transport);
  assert_int_equal(identity_config_set_clock(config, &device.clock), IDENTITY_OK);
  return config;
}

static int begin(void **state) {
  (void)reset(state);
  host_clock_start(&device, NULL, 3600000);
  recorder_start(&transport, &server, recorder_stay_silent);
  aloop_start(&shared, odd_config(), DRIVE_WAIT);
  session = aloop_open_with(&shared, odd_config(), "viewer");
  return 0;
}

static int end(void **state) {
  (void)state;
  identity_session_close(session);
  aloop_stop(&shared);
  recorder_stop(&transport);
  return 0;
}

static void ends_once(note *ended, identity_status status) {
  aloop_until(&shared, ended, 1);
  note_is(ended, status);
  aloop_settle(&shared);
  note_is(ended, status);
}

static void runs(int which, identity_status status) {
  note ended = {0};
  twin_start(which, session, &ended);
  ends_once(&ended, status);
  note_clear(&ended);
}

/* Starts one that the transport keeps to itself. */
static taken *begin_silent(int which, note *ended) {
  int before = transport.count;
  transport.act = recorder_stay_silent;
  twin_start(which, session, ended);
  while (transport.count == before)
    assert_int_equal(identity_loop_run(shared.loop, 0), IDENTITY_OK);
  return recorder_last(&transport);
}

static void it_completes_inside_start(void **state) {
  (void)state;
  transport.act = recorder_answer_at_once;
  for (int i = 0; i < 100; i++)
    runs(TWIN_LOCALE, IDENTITY_OK);
  assert_int_equal(transport.count, 100);
  assert_int_equal(recorder_cancels(&transport), 0);
}

/* ---- twice, and too late ---- */

static identity_status answer_twice(taken *one) {
  recorder_answer(one, 200, RECORDER_LOCALE);
  recorder_answer(one, 500, "{}");
  identity_link_complete(one->link, one->number, IDENTITY_OFFLINE, "again");
  return IDENTITY_OK;
}

static void what_it_says_after_it_has_completed_is_not_heard(void **state) {
  (void)state;
  note ended = {0};
  transport.act = answer_twice;
  for (int i = 0; i < 10; i++)
    runs(TWIN_LOCALE, IDENTITY_OK);
  taken *one = begin_silent(TWIN_LOCALE, &ended);
  recorder_answer(one, 200, RECORDER_LOCALE);
  recorder_answer(one, 404, "{\"message\":\"no\"}");
  assert_int_equal(recorder_header(one, "HTTP/1.1 500 Late"), 0);
  assert_int_equal(identity_link_body(one->link, one->number, "x", 1), 0);
  assert_int_equal(identity_link_may_send(one->link, one->number), 0);
  ends_once(&ended, IDENTITY_OK);
  note_clear(&ended);
  recorder_answer(one, 500, "{}"); /* its call is over by now */
  transport.act = recorder_answer_at_once;
  runs(TWIN_LOCALE, IDENTITY_OK);
  assert_int_equal(recorder_cancels(&transport), 0);
}

static void what_it_says_after_a_cancel_is_not_heard(void **state) {
  (void)state;
  note ended = {0}, next = {0};
  taken *one = begin_silent(TWIN_LOCALE, &ended);
  assert_int_equal(identity_link_may_send(one->link, one->number), 1);
  identity_link_sent(one->link, one->number);
  assert_int_equal(recorder_header(one, "HTTP/1.1 200 OK"), 1);
  identity_call_cancel(ended.call);
  ends_once(&ended, IDENTITY_CANCELLED);
  assert_int_equal(atomic_load(&one->cancelled), 1);
  taken *other = begin_silent(TWIN_LOCALE, &next); /* may have the memory of the first */
  assert_true(one->number != other->number);
  assert_int_equal(identity_link_may_send(one->link, one->number), 0);
  assert_int_equal(recorder_header(one, "HTTP/1.1 500 Late"), 0);
  assert_int_equal(identity_link_body(one->link, one->number, "{}", 2), 0);
  identity_link_sent(one->link, one->number);
  identity_link_complete(one->link, one->number, IDENTITY_OFFLINE, "late");
  aloop_turn_for(&shared, 5);
  note_is_open(&next);
  recorder_answer(other, 200, RECORDER_LOCALE);
  ends_once(&next, IDENTITY_OK);
  note_clear(&ended);
  note_clear(&next);
}

static void numbers_that_were_never_given_out_are_not_heard(void **state) {
  static const uint64_t numbers[] = {0, 1, 63, 64, 12345, UINT64_MAX, UINT64_MAX - 63};
  (void)state;
  note ended = {0};
  taken *one = begin_silent(TWIN_LOCALE, &ended);
  for (size_t i = 0; i < ROWS(numbers); i++) {
    taken stranger = *one;
    stranger.number = numbers[i];
    if (stranger.number == one->number)
      continue;
    assert_int_equal(identity_link_may_send(stranger.link, stranger.number), 0);
    identity_link_sent(stranger.link, stranger.number);
    assert_int_equal(recorder_header(&stranger, "HTTP/1.1 500 No"), 0);
    assert_int_equal(identity_link_body(stranger.link, stranger.number, "x", 1), 0);
    identity_link_complete(stranger.link, stranger.number, IDENTITY_OFFLINE, NULL);
  }
  aloop_turn_for(&shared, 5);
  note_is_open(&ended);
  recorder_answer(one, 200, RECORDER_LOCALE);
  ends_once(&ended, IDENTITY_OK);
  note_clear(&ended);
}

/* ---- never ---- */

static void what_never_completes_is_cancelled_once_when_the_call_has_run_out_of_time(void **state) {
  static const struct {
    int which;
    bool sent;
    identity_status status;
  } rows[] = {{TWIN_LOCALE, false, IDENTITY_TIMED_OUT},
              {TWIN_LOCALE, true, IDENTITY_TIMED_OUT},
              {TWIN_LOGIN, true, IDENTITY_TIMED_OUT},
              {TWIN_UPDATE_PASSWORD, false, IDENTITY_TIMED_OUT},
              {TWIN_UPDATE_PASSWORD, true, IDENTITY_OUTCOME_UNKNOWN}};
  (void)state;
  for (size_t i = 0; i < ROWS(rows); i++) {
    note ended = {0};
    int before = transport.count;
    taken *one = begin_silent(rows[i].which, &ended);
    assert_int_equal(identity_call_set_timeout_ms(ended.call, 100), IDENTITY_OK);
    if (rows[i].sent)
      identity_link_sent(one->link, one->number);
    ends_once(&ended, rows[i].status);
    assert_int_equal(atomic_load(&one->cancelled), 1);
    assert_int_equal(transport.count - before, 1);
    note_clear(&ended);
  }
}

static void what_is_out_when_the_loop_is_freed_is_cancelled_before_the_transport_is_closed(void **state) {
  (void)state;
  note ended[3] = {0};
  for (int i = 0; i < 3; i++)
    (void)begin_silent(TWIN_LOCALE, &ended[i]);
  assert_int_equal(transport.closed, 0);
  aloop_stop(&shared);
  assert_int_equal(notes_with(ended, 3, IDENTITY_CANCELLED), 3);
  assert_int_equal(recorder_cancels(&transport), 3);
  assert_int_equal(transport.closed, 1);
  notes_clear(ended, 3);
  identity_session_close(session);
  aloop_start(&shared, odd_config(), DRIVE_WAIT);
  session = aloop_open_with(&shared, odd_config(), "viewer");
}

/* ---- failures ---- */

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
    runs(TWIN_LOGIN, failures[i].becomes);
    runs(TWIN_UPDATE_PASSWORD, failures[i].becomes); /* it was never sent: nothing is unknown */
  }
  assert_int_equal(recorder_cancels(&transport), 0);
}

static void a_start_that_fails_is_a_failure_of_the_network_and_nothing_was_sent(void **state) {
  (void)state;
  transport.act = fail_start;
  for (size_t i = 0; i < ROWS(failures); i++) {
    next_failure = failures[i].says;
    runs(TWIN_LOGIN, failures[i].becomes);
    runs(TWIN_UPDATE_PASSWORD, failures[i].becomes);
  }
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

/* ---- may it leave? ---- */

static taken *held;

static identity_status hold_refreshes(taken *one) {
  if (strstr(one->url, "refresh_token") == NULL || held != NULL)
    return recorder_forward(one);
  held = one;
  return IDENTITY_OK;
}

static void a_refresh_that_stood_too_long_must_not_leave_and_is_begun_anew(void **state) {
  (void)state;
  note ended = {0};
  twins_register(&server);
  held = NULL;
  transport.act = recorder_forward;
  twins_log_in(&shared, session);
  transport.act = hold_refreshes;
  twin_start(TWIN_REFRESH, session, &ended);
  while (held == NULL)
    aloop_turn(&shared);
  assert_int_equal(identity_link_may_send(held->link, held->number), 1);
  host_clock_sleep(&device, 16000);
  assert_int_equal(identity_link_may_send(held->link, held->number), 0);
  identity_link_complete(held->link, held->number, IDENTITY_CANCELLED, NULL);
  ends_once(&ended, IDENTITY_OK);
  assert_int_equal(rotation_count(&server, -1), 1);
  assert_int_equal(recorder_count(&transport, "POST", ROTATION_PATH), 2);
  note_clear(&ended);
}

/* ---- many at a time, from many threads ---- */

enum { CALLS = 40 };

static int running_most;

static identity_status count_running(taken *one) {
  recorder *self = one->recorder;
  int running = 0;
  for (int i = 0; i < self->count; i++)
    running += self->items[i]->body_length == 0 && !self->items[i]->has_thread;
  running_most = running > running_most ? running : running_most;
  return IDENTITY_OK;
}

/* has_thread marks those that are answered: this transport has none. */
static void answer_all(void) {
  for (int i = 0; i < transport.count; i++) {
    taken *one = transport.items[i];
    if (one->has_thread)
      continue;
    recorder_answer(one, 200, RECORDER_LOCALE);
    one->has_thread = true;
  }
}

static void forget_threads(void) {
  for (int i = 0; i < transport.count; i++)
    transport.items[i]->has_thread = false;
}

static uint32_t wanted_capacity;

static identity_status set_capacity(taken *one) {
  identity_link_set_capacity(one->link, wanted_capacity);
  return count_running(one);
}

static void run_many(recorder_act act, int most) {
  note calls[CALLS] = {0};
  running_most = 0;
  transport.act = act;
  for (int i = 0; i < CALLS; i++)
    twin_start(TWIN_LOCALE, session, &calls[i]);
  for (int rounds = 0; rounds < 1000 && notes_with(calls, CALLS, IDENTITY_OK) < CALLS; rounds++) {
    (void)identity_loop_run(shared.loop, 0);
    answer_all();
  }
  forget_threads();
  assert_int_equal(notes_with(calls, CALLS, IDENTITY_OK), CALLS);
  assert_int_equal(running_most, most);
  notes_clear(calls, CALLS);
}

static void no_more_exchanges_run_at_a_time_than_the_transport_takes(void **state) {
  (void)state;
  run_many(count_running, 8);
  for (int i = 0; i < transport.count; i++)
    transport.items[i]->has_thread = true;
  wanted_capacity = 3;
  note first = {0};
  transport.act = set_capacity;
  twin_start(TWIN_LOCALE, session, &first);
  while (atomic_load(&first.count) == 0) {
    (void)identity_loop_run(shared.loop, 0);
    answer_all();
  }
  note_clear(&first);
  run_many(count_running, 3);
}

static void answers_from_threads_meet_cancels_and_each_call_completes_once(void **state) {
  (void)state;
  enum { ROUNDS = 20 };
  transport.act = recorder_forward;
  for (int round = 0; round < ROUNDS; round++) {
    note calls[8] = {0};
    for (int i = 0; i < 8; i++)
      twin_start(TWIN_LOCALE, session, &calls[i]);
    aloop_turn_for(&shared, round % 4);
    for (int i = 0; i < 8; i += 2)
      identity_call_cancel(calls[i].call);
    aloop_until(&shared, calls, 8);
    aloop_settle(&shared);
    for (int i = 0; i < 8; i++)
      note_is(&calls[i], i % 2 == 0 ? calls[i].status : IDENTITY_OK);
    assert_int_equal(notes_with(calls, 8, IDENTITY_OK) + notes_with(calls, 8, IDENTITY_CANCELLED), 8);
    notes_clear(calls, 8);
  }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

static const struct CMUnitTest tests[] = {
    TEST(it_completes_inside_start),
    TEST(what_it_says_after_it_has_completed_is_not_heard),
    TEST(what_it_says_after_a_cancel_is_not_heard),
    TEST(numbers_that_were_never_given_out_are_not_heard),
    TEST(what_never_completes_is_cancelled_once_when_the_call_has_run_out_of_time),
    TEST(what_is_out_when_the_loop_is_freed_is_cancelled_before_the_transport_is_closed),
    TEST(a_failure_is_handed_on_if_it_is_one_of_the_network_or_the_device),
    TEST(a_start_that_fails_is_a_failure_of_the_network_and_nothing_was_sent),
    TEST(a_detail_becomes_one_line_of_the_message),
    TEST(an_answer_without_a_status_line_is_no_answer),
    TEST(interim_heads_are_passed_over),
    TEST(lines_come_with_or_without_their_end),
    TEST(a_refresh_that_stood_too_long_must_not_leave_and_is_begun_anew),
    TEST(no_more_exchanges_run_at_a_time_than_the_transport_takes),
    TEST(answers_from_threads_meet_cancels_and_each_call_completes_once),
};

SUITE_WITH("transport_odd", tests, start, stop)
