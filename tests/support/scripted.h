/* A session on a loop whose transport does what the test says, exchange by exchange. */
#ifndef SUPPORT_SCRIPTED_H
#define SUPPORT_SCRIPTED_H

#include "support/host_clock.h"
#include "support/recorder.h"
#include "support/stage.h"
#include "support/twins.h"

static aloop shared;
static recorder transport;
static host_clock device;
static identity_session *session;

static identity_config *scripted_config(void) {
  identity_config *config = recorder_config(&transport);
  assert_int_equal(identity_config_set_clock(config, &device.clock), IDENTITY_OK);
  return config;
}

static int begin(void **state) {
  (void)reset(state);
  host_clock_start(&device, NULL, 3600000);
  recorder_start(&transport, &server, recorder_stay_silent);
  aloop_start(&shared, scripted_config(), DRIVE_WAIT);
  session = aloop_open_with(&shared, scripted_config(), "viewer");
  return 0;
}

static int end(void **state) {
  (void)state;
  identity_session_close(session);
  aloop_stop(&shared);
  recorder_stop(&transport);
  return 0;
}

static inline void ends_once(note *ended, identity_status status) {
  aloop_until(&shared, ended, 1);
  note_is(ended, status);
  aloop_settle(&shared);
  note_is(ended, status);
}

static inline void runs(int which, identity_status status) {
  note ended = {0};
  twin_start(which, session, &ended);
  ends_once(&ended, status);
  note_clear(&ended);
}

/* Starts one that the transport keeps to itself. */
static inline taken *begin_silent(int which, note *ended) {
  int before = transport.count;
  transport.act = recorder_stay_silent;
  twin_start(which, session, ended);
  while (transport.count == before)
    assert_int_equal(identity_loop_run(shared.loop, 0), IDENTITY_OK);
  return recorder_last(&transport);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

#endif
