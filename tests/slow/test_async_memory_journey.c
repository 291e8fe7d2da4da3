/* A whole journey on a shared loop over a file store, from the loop's first byte to its last, while memory is
 * out: once at each place in turn, and at every n-th again and again. Whatever fails: each call that was
 * taken completes once, and who was signed in still is, with a refresh token that works. */
#include "support/allocations.h"
#include "support/host_clock.h"
#include "support/stage.h"
#include "support/twins.h"

enum { MOST_PLACES = 6000, LONGEST_PERIOD = 150, COOLED_MS = 400000 };

static const int steps[] = {TWIN_REFRESH,        TWIN_CUSTOMER,          TWIN_LOCALE,
                            TWIN_TOKENS,         TWIN_REFRESH,           TWIN_UPDATE_CUSTOMER,
                            TWIN_UPDATE_CAPTURE, TWIN_CUSTOMER_CONSENTS, TWIN_NEXT_STEP};

static host_clock device;

static identity_config *stored_config(void) {
  char directory[128];
  identity_config *config = service_config(&server);
  (void)snprintf(directory, sizeof directory, "%s/journey", server.directory);
  assert_int_equal(identity_config_set_file_store(config, directory), IDENTITY_OK);
  assert_int_equal(identity_config_set_clock(config, &device.clock), IDENTITY_OK);
  return config;
}

static void sign_in(void) {
  aloop clean;
  host_clock_start(&device, NULL, 3600000);
  twins_register(&server);
  aloop_start(&clean, stored_config(), DRIVE_TICK);
  identity_session *session = aloop_open_with(&clean, stored_config(), "viewer");
  twins_log_in(&clean, session);
  identity_session_close(session);
  aloop_stop(&clean);
}

/* Two calls at a time; cancels one of them now and then. */
static void take_step(aloop *shared, identity_session *session, size_t step, bool cancels) {
  note calls[2] = {0};
  for (size_t i = 0; i < 2; i++) {
    const twin *one = &twins[steps[(step + i) % ROWS(steps)]];
    note_begin(&calls[i], one->free_result);
    identity_status status = one->start(session, note_done, &calls[i], &calls[i].call);
    note_begun(&calls[i]);
    if (status == IDENTITY_OK)
      continue;
    assert_int_equal(status, IDENTITY_OUT_OF_MEMORY);
    assert_null(calls[i].call);
    note_is_open(&calls[i]);
    atomic_store(&calls[i].count, 1); /* there is nothing to wait for */
  }
  if (cancels)
    identity_call_cancel(calls[1].call);
  aloop_until(shared, calls, 2);
  for (size_t i = 0; i < 2; i++) {
    note_is(&calls[i], calls[i].status);
    note_clear(&calls[i]);
  }
}

static void tell_journey(identity_config *config) {
  aloop shared = {.drive = DRIVE_TICK, .timer_at_ms = -1};
  identity_session *session = NULL;
  identity_status status = identity_loop_new(config, &shared.loop, NULL);
  assert_true(status == IDENTITY_OK || status == IDENTITY_OUT_OF_MEMORY);
  if (status != IDENTITY_OK)
    return;
  status = identity_session_open_on(shared.loop, config, "viewer", &session, NULL);
  assert_true((status == IDENTITY_OK) == (session != NULL));
  for (size_t step = 0; session != NULL && step < ROWS(steps); step += 2)
    take_step(&shared, session, step, step == 4);
  identity_session_close(session);
  assert_int_equal(identity_loop_pending(shared.loop), 0);
  identity_loop_free(shared.loop);
}

/* What a refresh without memory has left cools down first. */
static void still_signed_in(const char *how, int n) {
  identity_error error;
  identity_session *session = service_open_with(stored_config(), "viewer");
  identity_status fetched = service_fetch(session, &error);
  if (fetched != IDENTITY_OK)
    fail_msg("memory is out %s %d: %s: %s", how, n, identity_status_name(fetched), error.message);
  host_clock_sleep(&device, COOLED_MS);
  if (identity_session_refresh(session, &error) != IDENTITY_OK)
    fail_msg("memory is out %s %d, refresh: %s: %s", how, n, identity_status_name(error.status),
             error.message);
  identity_session_close(session);
}

/* True: some did fail. */
static bool run_without_memory(int place, int period) {
  identity_config *config = stored_config();
  allocations_failed = 0;
  allocations_pause_ms = -1;
  allocations_period = period;
  allocations_left = place;
  tell_journey(config);
  allocations_left = -1;
  identity_config_free(config);
  return allocations_failed > 0;
}

static void once_at_each_place(void **state) {
  int place = 0;
  (void)state;
  sign_in();
  for (bool failed = true; failed && place < MOST_PLACES; place++) {
    failed = run_without_memory(place, 0);
    still_signed_in("at", place);
  }
  print_message("%d places\n", place);
  assert_in_range(place, 100, MOST_PLACES - 1);
}

static void at_every_nth_place(void **state) {
  (void)state;
  sign_in();
  for (int period = 1; period < LONGEST_PERIOD; period++) {
    assert_true(run_without_memory(period - 1, period));
    still_signed_in("at every", period);
  }
}

#define TEST(name) cmocka_unit_test_setup(name, reset)

static const struct CMUnitTest tests[] = {
    TEST(once_at_each_place),
    TEST(at_every_nth_place),
};

SUITE_WITH("async_memory_journey", tests, start, stop)
