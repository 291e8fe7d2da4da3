/* A transport that behaves oddly: each has a defined end, and no call completes twice or never. */
#include "support/rotation.h"
#include "support/scripted.h"

#include <poll.h>

static void it_completes_inside_start(void **state) {
  (void)state;
  transport.act = recorder_answer_at_once;
  for (int i = 0; i < 100; i++)
    runs(TWIN_LOCALE, IDENTITY_OK);
  assert_int_equal(transport.count, 100);
  assert_int_equal(recorder_cancels(&transport), 0);
}

static void starts_another(note *self) {
  note *next = self->context;
  twin_start(TWIN_LOCALE, session, next);
}

/* The answer is there before anybody has told the host how long to wait. */
static void what_completes_inside_start_is_not_left_to_a_host_that_waits(void **state) {
  static const int drives[] = {DRIVE_FD, DRIVE_HOST};
  (void)state;
  identity_session_close(session);
  aloop_stop(&shared);
  for (size_t i = 0; i < ROWS(drives); i++) {
    static note first, second;
    first = (note){.then = starts_another, .context = &second};
    second = (note){0};
    transport.act = recorder_answer_at_once;
    aloop_start(&shared, scripted_config(), drives[i]);
    session = aloop_open_with(&shared, scripted_config(), "viewer");
    twin_start(TWIN_LOCALE, session, &first);
    aloop_until(&shared, &first, 1);
    aloop_until(&shared, &second, 1);
    note_is(&second, IDENTITY_OK);
    note_clear(&first);
    note_clear(&second);
    if (i + 1 == ROWS(drives))
      continue;
    identity_session_close(session);
    aloop_stop(&shared);
  }
}

static note begun_by_host;
static int64_t host_waits_ms;
static int64_t host_wakes_by;

/* The first socket of all is the loop's own. */
static void watch_and_start(int64_t socket, int32_t events, void *user_data) {
  (void)events;
  if (user_data != NULL && host_wakes_by < 0)
    twin_start(TWIN_LOCALE, session, user_data);
  host_wakes_by = socket;
}

static void wait_for(int64_t timeout_ms, void *user_data) {
  (void)user_data;
  host_waits_ms = timeout_ms;
}

/* The host sleeps until the loop's socket is readable: nothing else would begin the call. */
static void a_call_that_a_function_of_the_host_has_started_is_begun(void **state) {
  (void)state;
  begun_by_host = (note){0};
  host_waits_ms = host_wakes_by = -1;
  transport.act = recorder_answer_at_once;
  assert_int_equal(identity_loop_set_host(shared.loop, watch_and_start, wait_for, &begun_by_host),
                   IDENTITY_OK);
  struct pollfd own = {.fd = (int)host_wakes_by, .events = POLLIN};
  assert_true(host_waits_ms == 0 || poll(&own, 1, 0) == 1);
  assert_int_equal(identity_loop_set_host(shared.loop, NULL, NULL, NULL), IDENTITY_OK);
  ends_once(&begun_by_host, IDENTITY_OK);
  note_clear(&begun_by_host);
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
  aloop_start(&shared, scripted_config(), DRIVE_WAIT);
  session = aloop_open_with(&shared, scripted_config(), "viewer");
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
    assert_int_equal(identity_loop_run(shared.loop, 0), IDENTITY_OK);
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

static const struct CMUnitTest tests[] = {
    TEST(it_completes_inside_start),
    TEST(what_completes_inside_start_is_not_left_to_a_host_that_waits),
    TEST(a_call_that_a_function_of_the_host_has_started_is_begun),
    TEST(what_it_says_after_it_has_completed_is_not_heard),
    TEST(what_it_says_after_a_cancel_is_not_heard),
    TEST(numbers_that_were_never_given_out_are_not_heard),
    TEST(what_never_completes_is_cancelled_once_when_the_call_has_run_out_of_time),
    TEST(what_is_out_when_the_loop_is_freed_is_cancelled_before_the_transport_is_closed),
    TEST(a_refresh_that_stood_too_long_must_not_leave_and_is_begun_anew),
    TEST(no_more_exchanges_run_at_a_time_than_the_transport_takes),
    TEST(answers_from_threads_meet_cancels_and_each_call_completes_once),
};

SUITE_WITH("transport_odd", tests, start, stop)
