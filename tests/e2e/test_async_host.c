/* A host that waits for sockets and timer itself: it may sleep when there is nothing to do, and what it says
 * of sockets does no harm. */
#include "support/stage.h"
#include "support/twins.h"

#include <poll.h>

static aloop shared;

enum { QUIET_MS = 300, MOST_TURNS = 30 };

/* What has nothing to do lets the host sleep: neither the descriptor nor a socket nor the timer wakes it all
 * the time while a call waits for its answer. */
static void a_waiting_call_lets_the_host_sleep(void **state) {
  (void)state;
  for (int drive = DRIVE_WAIT; drive <= DRIVE_HOST; drive++) {
    note ended = {0};
    aloop_start(&shared, service_config(&server), drive);
    identity_session *session = aloop_open(&shared, &server, "viewer");
    service_reset(&server);
    service_fault(&server, "{\"path\":\"/locales\",\"delay_ms\":300}");
    twin_start(TWIN_LOCALE, session, &ended);
    aloop_until(&shared, &ended, 1);
    note_is(&ended, IDENTITY_OK);
    if (shared.turns > MOST_TURNS)
      fail_msg("%d turns for one call of %d ms, driven by %s", shared.turns, QUIET_MS,
               aloop_drive_names[drive]);
    note_clear(&ended);
    identity_session_close(session);
    aloop_stop(&shared);
  }
}

static void a_host_hears_of_what_was_watched_before_it_came_and_gives_it_back(void **state) {
  (void)state;
  note first = {0}, second = {0};
  service_fault(&server, "{\"path\":\"/locales\",\"times\":2,\"hang\":true}");
  aloop_start(&shared, service_config(&server), DRIVE_TICK);
  identity_session *session = aloop_open(&shared, &server, "viewer");
  twin_start(TWIN_LOCALE, session, &first);
  aloop_until_sent(&shared, &server, "GET", "/locales", 1);
  aloop_adopt_host(&shared); /* in mid-flight */
  assert_true(shared.watched_count >= 1);
  service_send(&server, "POST", "release", "{}");
  aloop_until(&shared, &first, 1);
  note_is(&first, IDENTITY_OK);
  twin_start(TWIN_LOCALE, session, &second);
  aloop_until_sent(&shared, &server, "GET", "/locales", 2);
  assert_int_equal(identity_loop_set_host(shared.loop, NULL, NULL, NULL), IDENTITY_OK);
  shared.drive = DRIVE_WAIT;
  int told = shared.told;
  service_send(&server, "POST", "release", "{}");
  aloop_until(&shared, &second, 1);
  note_is(&second, IDENTITY_OK);
  assert_int_equal(shared.told, told);
  note_clear(&first);
  note_clear(&second);
  identity_session_close(session);
  aloop_stop(&shared);
  assert_int_equal(shared.told, told);
}

/* A host's clock is not quite the loop's: its timer may come a moment before its time, and is used up then.
 */
static void a_timer_that_comes_too_early_is_told_again(void **state) {
  (void)state;
  note ended = {0};
  service_fault(&server, "{\"path\":\"/locales\",\"hang\":true}");
  aloop_start(&shared, service_config(&server), DRIVE_HOST);
  identity_session *session = aloop_open(&shared, &server, "viewer");
  twin_start(TWIN_LOCALE, session, &ended);
  aloop_until_sent(&shared, &server, "GET", "/locales", 1);
  for (int i = 0; i < 20; i++) {
    shared.timer_at_ms = -1;
    assert_int_equal(aloop_tell_timer(&shared), IDENTITY_OK);
    assert_true(shared.timer_at_ms >= 0); /* else the deadline of the call passes unseen */
  }
  identity_call_cancel(ended.call);
  aloop_until(&shared, &ended, 1);
  note_is(&ended, IDENTITY_CANCELLED);
  note_clear(&ended);
  identity_session_close(session);
  aloop_stop(&shared);
}

static void a_socket_or_timer_callback_alone_is_a_bad_argument(void **state) {
  (void)state;
  aloop_start(&shared, service_config(&server), DRIVE_TICK);
  assert_int_equal(aloop_adopt_half_a_host(&shared, true), IDENTITY_BAD_ARGUMENT);
  assert_int_equal(aloop_adopt_half_a_host(&shared, false), IDENTITY_BAD_ARGUMENT);
  aloop_settle(&shared);
  assert_int_equal(shared.told, 0);
  aloop_stop(&shared);
}

/* Sockets that the loop never watched, or does not watch any more, and events out of nowhere. */
static void news_of_foreign_sockets_do_no_harm(void **state) {
  (void)state;
  static const int64_t sockets[] = {-1, 0, 1, 5, 999, INT64_MAX, INT64_MIN};
  note ended = {0};
  aloop_start(&shared, service_config(&server), DRIVE_HOST);
  identity_session *session = aloop_open(&shared, &server, "viewer");
  twin_start(TWIN_LOCALE, session, &ended);
  for (int events = 0; events < 8; events++)
    for (size_t i = 0; i < ROWS(sockets); i++)
      assert_int_equal(aloop_tell_socket(&shared, sockets[i], events), IDENTITY_OK);
  aloop_until(&shared, &ended, 1);
  note_is(&ended, IDENTITY_OK);
  note_clear(&ended);
  identity_session_close(session);
  aloop_stop(&shared);
}

/* ---- inside the host's own callbacks ---- */

static struct {
  identity_loop *loop;
  identity_session *session;
  note started;
  identity_status run, on_socket, on_timer, set_host, blocking, start;
  int calls;
  bool in_timer; /* they are made in the timer's callback, else in that of the sockets */
  struct pollfd sockets[ALOOP_WATCHED];
  nfds_t count;
  int64_t timer_ms; /* -1: the host need not come back */
} within;

static void try_all(void) {
  const identity_locale *locale = NULL;
  if (within.calls++ > 0)
    return;
  within.run = identity_loop_run(within.loop, 0);
  within.on_socket = identity_loop_on_socket(within.loop, 0, IDENTITY_READABLE);
  within.on_timer = identity_loop_on_timer(within.loop);
  within.set_host = identity_loop_set_host(within.loop, NULL, NULL, NULL);
  within.blocking = identity_fetch_locale(within.session, NULL, &locale, NULL);
  within.start = identity_fetch_locale_start(within.session, NULL, note_done, &within.started, NULL);
}

static void watch_and_try(int64_t socket, int32_t events, void *user_data) {
  (void)user_data;
  if (within.count < ALOOP_WATCHED && (events & IDENTITY_READABLE) != 0)
    within.sockets[within.count++] = (struct pollfd){(int)socket, POLLIN, 0};
  if (!within.in_timer)
    try_all();
}

static void time_and_try(int64_t timeout_ms, void *user_data) {
  (void)user_data;
  within.timer_ms = timeout_ms;
  if (within.in_timer)
    try_all();
}

static void a_callback_of_the_host_may_start_calls_and_must_not_drive(void **state) {
  (void)state;
  for (int in_timer = 0; in_timer < 2; in_timer++) {
    note hanging = {0};
    service_reset(&server);
    memset(&within, 0, sizeof within);
    within.in_timer = in_timer == 1;
    within.timer_ms = -1;
    within.started.free_result = twins[TWIN_LOCALE].free_result;
    aloop_start(&shared, service_config(&server), DRIVE_TICK);
    struct pollfd all = {identity_loop_fd(shared.loop), POLLIN, 0};
    within.loop = shared.loop;
    within.session = aloop_open(&shared, &server, "viewer");
    service_fault(&server, "{\"path\":\"/publishers/*/consents\",\"hang\":true}");
    twin_start(TWIN_PUBLISHER_CONSENTS, within.session, &hanging); /* there is a time to come back at */
    aloop_until_sent(&shared, &server, "GET", "/publishers/*/consents", 1);
    aloop_settle(&shared);
    assert_int_equal(poll(&all, 1, 0), 0);
    assert_int_equal(identity_loop_set_host(shared.loop, watch_and_try, time_and_try, NULL), IDENTITY_OK);
    assert_true(within.calls > 0);
    assert_int_equal(within.run, IDENTITY_REENTERED);
    assert_int_equal(within.on_socket, IDENTITY_REENTERED);
    assert_int_equal(within.on_timer, IDENTITY_REENTERED);
    assert_int_equal(within.set_host, IDENTITY_REENTERED);
    assert_int_equal(within.blocking, IDENTITY_REENTERED);
    assert_int_equal(within.start, IDENTITY_OK);
    /* Whoever waits now, in either way, comes back for what was started. */
    assert_int_equal(poll(&all, 1, 0), 1);
    assert_true(poll(within.sockets, within.count, 0) > 0 || within.timer_ms == 0);
    aloop_until(&shared, &within.started, 1);
    note_is(&within.started, IDENTITY_OK);
    identity_call_cancel(hanging.call);
    aloop_until(&shared, &hanging, 1);
    note_clear(&within.started);
    note_clear(&hanging);
    identity_session_close(within.session);
    aloop_stop(&shared);
  }
}

#define TEST(name) cmocka_unit_test_setup(name, reset)

static const struct CMUnitTest tests[] = {
    TEST(a_waiting_call_lets_the_host_sleep),
    TEST(a_host_hears_of_what_was_watched_before_it_came_and_gives_it_back),
    TEST(a_timer_that_comes_too_early_is_told_again),
    TEST(a_socket_or_timer_callback_alone_is_a_bad_argument),
    TEST(news_of_foreign_sockets_do_no_harm),
    TEST(a_callback_of_the_host_may_start_calls_and_must_not_drive),
};

SUITE_WITH("async_host", tests, start, stop)
