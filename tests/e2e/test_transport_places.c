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

static const struct CMUnitTest tests[] = {
    TEST(with_more_places_more_are_begun),
    TEST(what_is_said_inside_start_counts),
    TEST(another_thread_that_says_so_wakes_the_loop),
};

SUITE_WITH("transport_places", tests, start, stop)
