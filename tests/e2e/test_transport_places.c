/* How many exchanges run at a time is the transport's to say, and it may say otherwise while calls wait:
 * nobody has to end before the next ones begin. */
#include "support/scripted.h"

#include <poll.h>
#include <pthread.h>

enum { CALLS = 6 };

static note calls[CALLS];

static identity_status take_one_at_a_time(taken *one) {
  if (transport.count == 1)
    identity_link_set_capacity(one->link, 1);
  return IDENTITY_OK;
}

/* The first is out and stays so; the others wait. */
static identity_link *begin_crowded(void) {
  memset(calls, 0, sizeof calls);
  transport.act = take_one_at_a_time;
  for (int i = 0; i < CALLS; i++)
    twin_start(TWIN_LOCALE, session, &calls[i]);
  aloop_settle(&shared);
  assert_int_equal(transport.count, 1);
  return recorder_last(&transport)->link;
}

static void end_crowded(void) {
  identity_session_interrupt(session);
  aloop_until(&shared, calls, CALLS);
  assert_int_equal(notes_with(calls, CALLS, IDENTITY_CANCELLED), CALLS);
  notes_clear(calls, CALLS);
}

static void with_more_places_more_are_begun(void **state) {
  (void)state;
  identity_link *link = begin_crowded();
  identity_link_set_capacity(link, 1);
  aloop_settle(&shared);
  assert_int_equal(transport.count, 1);
  identity_link_set_capacity(link, 4);
  aloop_settle(&shared);
  assert_int_equal(transport.count, 4);
  identity_link_set_capacity(link, 2);
  aloop_settle(&shared);
  assert_int_equal(transport.count, 4);
  identity_link_set_capacity(link, 64);
  aloop_settle(&shared);
  assert_int_equal(transport.count, CALLS);
  end_crowded();
}

static identity_status take_one_more(taken *one) {
  identity_link_set_capacity(one->link, (uint32_t)transport.count + 1);
  return IDENTITY_OK;
}

static void what_is_said_inside_start_counts(void **state) {
  (void)state;
  identity_link *link = begin_crowded();
  transport.act = take_one_more;
  identity_link_set_capacity(link, 2);
  aloop_settle(&shared);
  assert_int_equal(transport.count, CALLS);
  end_crowded();
}

static void *set_to_three(void *link) {
  identity_link_set_capacity(link, 3);
  return NULL;
}

static bool has_something_to_do(int loop_fd) {
  struct pollfd all = {.fd = loop_fd, .events = POLLIN};
  return poll(&all, 1, 0) == 1;
}

/* The descriptor of the loop is all that the app waits for. */
static void another_thread_that_says_so_wakes_the_loop(void **state) {
  (void)state;
  pthread_t thread;
  int loop_fd = identity_loop_fd(shared.loop);
  identity_link *link = begin_crowded();
  assert_false(has_something_to_do(loop_fd));
  assert_int_equal(pthread_create(&thread, NULL, set_to_three, link), 0);
  assert_int_equal(pthread_join(thread, NULL), 0);
  assert_true(has_something_to_do(loop_fd));
  assert_int_equal(identity_loop_run(shared.loop, 0), IDENTITY_OK);
  assert_int_equal(transport.count, 3);
  end_crowded();
}

/* ---- several services on one loop ---- */

enum { HOSTS = 3, MANY = 70, MOST = 64 };

static note others[MANY * HOSTS];

static identity_session *open_at(int host) {
  char url[64];
  snprintf(url, sizeof url, "http://127.0.0.%d:8080/%d", host + 1, host);
  identity_config *config = scripted_config();
  assert_int_equal(identity_config_set_base_url(config, url), IDENTITY_OK);
  return aloop_open_with(&shared, config, "viewer");
}

static int begun_at(int host) {
  char start[32];
  int count = 0;
  snprintf(start, sizeof start, "http://127.0.0.%d:", host + 1);
  for (int i = 0; i < transport.count; i++)
    count += strncmp(transport.items[i]->url, start, strlen(start)) == 0;
  return count;
}

static void a_service_that_stays_silent_takes_no_other_its_places(void **state) {
  (void)state;
  identity_session *silent = open_at(1), *well = open_at(2);
  memset(others, 0, sizeof others);
  for (int i = 0; i < MANY; i++)
    twin_start(TWIN_LOCALE, silent, &others[i]);
  aloop_settle(&shared);
  assert_int_equal(begun_at(1), 8);
  transport.act = recorder_answer_at_once;
  for (int i = 0; i < 3; i++) {
    static note other;
    other = (note){0};
    twin_start(TWIN_LOCALE, well, &other);
    aloop_settle(&shared);
    note_is(&other, IDENTITY_OK);
    note_clear(&other);
  }
  assert_int_equal(begun_at(1), 8);
  for (int i = 0; i < 8; i++) /* in order: the next ones have their places by then, and are answered */
    recorder_answer(transport.items[i], 200, RECORDER_LOCALE);
  aloop_until(&shared, others, MANY);
  assert_int_equal(notes_with(others, MANY, IDENTITY_OK), MANY);
  notes_clear(others, MANY);
  identity_session_close(silent);
  identity_session_close(well);
}

static identity_status take_most(taken *one) {
  identity_link_set_capacity(one->link, MOST);
  return IDENTITY_OK;
}

/* Also where each takes as many as there can be: none fails for want of room. */
static void each_service_has_all_the_places_that_there_are(void **state) {
  (void)state;
  identity_session *sessions[HOSTS];
  memset(others, 0, sizeof others);
  transport.act = take_most;
  for (int host = 0; host < HOSTS; host++) {
    sessions[host] = open_at(host);
    for (int i = 0; i < MANY; i++)
      twin_start(TWIN_LOCALE, sessions[host], &others[host * MANY + i]);
  }
  aloop_settle(&shared);
  for (int host = 0; host < HOSTS; host++)
    assert_int_equal(begun_at(host), MOST);
  int out = transport.count;
  transport.act = recorder_answer_at_once;
  for (int i = 0; i < out; i++)
    recorder_answer(transport.items[i], 200, RECORDER_LOCALE);
  aloop_until(&shared, others, MANY * HOSTS);
  assert_int_equal(notes_with(others, MANY * HOSTS, IDENTITY_OK), MANY * HOSTS);
  assert_int_equal(transport.count, MANY * HOSTS);
  assert_int_equal(recorder_cancels(&transport), 0);
  notes_clear(others, MANY * HOSTS);
  for (int host = 0; host < HOSTS; host++)
    identity_session_close(sessions[host]);
}

static void sessions_of_one_service_share_its_places(void **state) {
  (void)state;
  identity_session *sessions[2] = {open_at(1), NULL};
  identity_config *config = scripted_config();
  assert_int_equal(identity_config_set_base_url(config, "http://127.0.0.2:8080/v2"), IDENTITY_OK);
  sessions[1] = aloop_open_with(&shared, config, "other");
  memset(others, 0, sizeof others);
  for (int i = 0; i < 20; i++)
    twin_start(TWIN_LOCALE, sessions[i % 2], &others[i]);
  aloop_settle(&shared);
  assert_int_equal(begun_at(1), 8);
  transport.act = recorder_answer_at_once;
  identity_session_interrupt(sessions[0]); /* hands its places on */
  aloop_settle(&shared);
  assert_int_equal(notes_with(others, 20, IDENTITY_CANCELLED), 10);
  assert_int_equal(notes_with(others, 20, IDENTITY_OK), 6);
  identity_session_interrupt(sessions[1]);
  aloop_until(&shared, others, 20);
  notes_clear(others, 20);
  identity_session_close(sessions[0]);
  identity_session_close(sessions[1]);
}

/* Pending consents go first, and have their own time. It is over in the same look that brings the place: what
 * the call is for has the place then, and is sent once. */
static void consents_whose_place_comes_too_late_are_left_out(void **state) {
  (void)state;
  note registered = {0}, crowding = {0}, changed = {0};
  transport.act = recorder_forward;
  service_fault(&server,
                "{\"method\":\"PUT\",\"path\":\"/customers/*/consents\",\"status\":429,\"body\":\"\"}");
  identity_register_params params = probe_register_params("mo@example.com");
  note_begin(&registered, NULL);
  assert_int_equal(identity_register_start(session, &params, note_done, &registered, NULL), IDENTITY_OK);
  note_begun(&registered);
  ends_once(&registered, IDENTITY_OK);
  assert_int_equal(service_pending_of(session), 1);
  host_clock_sleep(&device, 5000);
  identity_link_set_capacity(recorder_last(&transport)->link, 1);
  taken *first = begin_silent(TWIN_LOCALE, &crowding);
  int before = transport.count;
  twin_start(TWIN_UPDATE_CUSTOMER, session, &changed);
  aloop_settle(&shared);
  assert_int_equal(transport.count, before);
  host_clock_sleep(&device, 10000);
  recorder_answer(first, 200, RECORDER_LOCALE);
  aloop_settle(&shared);
  assert_int_equal(transport.count, before + 1);
  assert_string_equal(recorder_last(&transport)->method, "PATCH");
  identity_session_interrupt(session);
  ends_once(&changed, IDENTITY_CANCELLED);
  note_clear(&registered);
  note_clear(&crowding);
  note_clear(&changed);
}

static const struct CMUnitTest tests[] = {
    TEST(with_more_places_more_are_begun),
    TEST(what_is_said_inside_start_counts),
    TEST(another_thread_that_says_so_wakes_the_loop),
    TEST(a_service_that_stays_silent_takes_no_other_its_places),
    TEST(each_service_has_all_the_places_that_there_are),
    TEST(sessions_of_one_service_share_its_places),
    TEST(consents_whose_place_comes_too_late_are_left_out),
};

SUITE_WITH("transport_places", tests, start, stop)
