/* Sessions of one loop over HTTPS: they share connections, and a certificate that is not trusted is told. */
#define STAGE_KIND SERVICE_TLS
#include "support/stage.h"
#include "support/twins.h"

enum { SESSIONS = 40, MOST_CONNECTIONS = 8 };

static void sessions_share_a_few_connections_in_every_way_to_drive(void **state) {
  (void)state;
  for (int drive = DRIVE_TICK; drive <= DRIVE_HOST; drive++) {
    aloop shared;
    note calls[SESSIONS] = {0};
    identity_session *sessions[SESSIONS];
    (void)reset(state);
    twins_register(&server);
    int before = service_connections(&server);
    aloop_start(&shared, service_config(&server), drive);
    for (int i = 0; i < SESSIONS; i++) {
      sessions[i] = aloop_open(&shared, &server, "viewer");
      twin_start(TWIN_LOGIN, sessions[i], &calls[i]);
    }
    aloop_until(&shared, calls, SESSIONS);
    assert_int_equal(notes_with(calls, SESSIONS, IDENTITY_OK), SESSIONS);
    assert_in_range(service_connections(&server) - before, 1, MOST_CONNECTIONS);
    notes_clear(calls, SESSIONS);
    for (int i = 0; i < SESSIONS; i++)
      identity_session_close(sessions[i]);
    aloop_stop(&shared);
  }
}

/* The system's certificates know nothing of the stand-in's. */
static void a_certificate_that_is_not_trusted_sends_nothing(void **state) {
  (void)state;
  for (int drive = DRIVE_TICK; drive <= DRIVE_HOST; drive++) {
    aloop shared;
    note ended = {0};
    identity_config *config = service_config(&server);
    assert_int_equal(identity_config_set_ca_file(config, NULL), IDENTITY_OK);
    aloop_start(&shared, config, drive);
    config = service_config(&server);
    assert_int_equal(identity_config_set_ca_file(config, NULL), IDENTITY_OK);
    identity_session *session = aloop_open_with(&shared, config, "viewer");
    twin_start(TWIN_RESET_MAIL, session, &ended); /* which is never repeated */
    aloop_until(&shared, &ended, 1);
    note_is(&ended, IDENTITY_TLS_UNTRUSTED);
    note_clear(&ended);
    identity_session_close(session);
    aloop_stop(&shared);
  }
  probe_sent(&server, "PUT", "/customers/passwords", 0);
}

#define TEST(name) cmocka_unit_test_setup(name, reset)

static const struct CMUnitTest tests[] = {
    TEST(sessions_share_a_few_connections_in_every_way_to_drive),
    TEST(a_certificate_that_is_not_trusted_sends_nothing),
};

SUITE_WITH("async_tls", tests, start, stop)
