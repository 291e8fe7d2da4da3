/* A scenario that is played in every way that a loop can be driven: what it comes to must not depend on it.
 */
#ifndef SUPPORT_WAYS_H
#define SUPPORT_WAYS_H

#include "support/host_clock.h"
#include "support/stage.h"
#include "support/twins.h"

static aloop shared;
static host_clock device;
static const char *what; /* is being played, for a failure */

static identity_config *config_of_the_device(void) {
  identity_config *config = service_config(&server);
  assert_int_equal(identity_config_set_clock(config, &device.clock), IDENTITY_OK);
  return config;
}

static inline identity_session *open_viewer(const char *account) {
  identity_session *session = aloop_open_with(&shared, config_of_the_device(), account);
  assert_int_equal(twin_run(&shared, TWIN_LOGIN, session, NULL), IDENTITY_OK);
  return session;
}

static void runs(int which, identity_session *session, identity_status status, identity_error *error) {
  identity_error local;
  error = error != NULL ? error : &local;
  (void)twin_run(&shared, which, session, error);
  probe_status(what, error, status, NULL);
}

static void play(void (*scenario)(void), const char *name) {
  for (int drive = 0; drive < DRIVES; drive++) {
    char text[200];
    service_reset(&server);
    twins_register(&server);
    snprintf(text, sizeof text, "%s, by %s", name, aloop_drive_names[drive]);
    what = text;
    host_clock_start(&device, NULL, 3600000);
    aloop_start(&shared, config_of_the_device(), drive);
    aloop_settle(&shared);
    scenario();
    aloop_stop(&shared);
    if (shared.outside > 0)
      fail_msg("%s: %d host callbacks outside of functions of the loop", text, shared.outside);
    if ((shared.told > 0) != (drive == DRIVE_HOST))
      fail_msg("%s: %d host callbacks", text, shared.told);
  }
}

#define SCENARIO(name)                                                                                       \
  static void every_driver_##name(void **state) {                                                            \
    (void)state;                                                                                             \
    play(name, #name);                                                                                       \
  }

#endif
