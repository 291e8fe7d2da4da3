/* Fault 4: the service answers when nobody waits any more. The answer lies in the socket, and the next call
 * must read it before it judges any time-out: the old token is dead by then. */
#include "support/rotation.h"
#include "support/slot.h"
#include "support/stage.h"

enum { SECOND = 1000, SLACK = 2 * SECOND };

typedef struct late {
  const char *account;
  const char *store; /* NULL: memory */
  int answer_s;      /* of the refresh */
  int timeout_s;     /* of each call */
  int next_s;        /* when the next call begins */
  identity_session *session;
  int64_t begun_ms;
} late;

static identity_session *opened(const late *who) {
  char directory[128];
  identity_config *config = service_config(&server);
  snprintf(directory, sizeof directory, "%s/%s", server.directory, who->store != NULL ? who->store : "");
  if (who->store != NULL)
    assert_int_equal(identity_config_set_file_store(config, directory), IDENTITY_OK);
  assert_int_equal(identity_config_set_timeout_ms(config, (uint32_t)(who->timeout_s * SECOND)), IDENTITY_OK);
  return service_open_with(config, who->account);
}

static void sign_in(late *who) {
  char email[64];
  snprintf(email, sizeof email, "%s@example.com", who->account);
  who->session = opened(who);
  service_register(who->session, email);
}

static void gives_up(const late *who) {
  int64_t begun = service_now_ms();
  assert_int_equal(service_fetch(who->session, NULL), IDENTITY_TIMED_OUT);
  assert_in_range(service_now_ms() - begun, who->timeout_s * SECOND - 1, who->timeout_s * SECOND + SLACK);
  assert_int_equal(service_state_of(who->session), IDENTITY_STATE_REFRESHING);
}

/* The JWT is over; the refresh is processed at once and answered late. */
static void first_call(late *who) {
  char fault[64];
  int before = rotation_count(&server, -1);
  snprintf(fault, sizeof fault, "\"delay_ms\":%d,\"after\":true", who->answer_s * SECOND);
  rotation_fault(&server, fault);
  who->begun_ms = service_now_ms();
  gives_up(who);
  assert_int_equal(rotation_count(&server, -1), before + 1);
}

static void next_call(const late *who) {
  identity_error error;
  char email[64];
  int before = rotation_count(&server, -1);
  int64_t left = who->begun_ms + who->next_s * SECOND - service_now_ms();
  assert_true(left > 0);
  service_pause_ms((int)left);
  if (service_fetch(who->session, &error) != IDENTITY_OK)
    fail_msg("%s: %s: %s", who->account, identity_status_name(error.status), error.message);
  assert_int_equal(rotation_count(&server, -1), before);
  assert_int_equal(service_state_of(who->session), IDENTITY_STATE_ACTIVE);
  snprintf(email, sizeof email, "%s@example.com", who->account);
  assert_int_equal(service_valid_refresh_tokens(&server, email), 1);
  assert_int_equal(identity_session_refresh(who->session, NULL),
                   IDENTITY_OK); /* with the token of that answer */
  assert_int_equal(rotation_count(&server, -1), before + 1);
}

/* Two viewers side by side: the second has the longest way that a refresh can take. */
static void fault_04_an_answer_that_comes_when_the_caller_is_gone_is_read_by_the_next_call(void **state) {
  (void)state;
  late soon = {"soon", "store", 12, 2, 15, NULL, 0};
  late later = {"later", NULL, 40, 8, 70, NULL, 0};
  sign_in(&soon);
  sign_in(&later);
  service_shift_clock(&server, 901);
  first_call(&soon);
  gives_up(&soon); /* joins the same refresh */
  assert_int_equal(rotation_count(&server, -1), 1);
  first_call(&later);
  assert_int_equal(rotation_count(&server, -1), 2);
  next_call(&soon);
  identity_session_close(soon.session);
  soon.session = opened(&soon);
  assert_int_equal(service_state_of(soon.session), IDENTITY_STATE_ACTIVE);
  assert_int_equal(service_fetch(soon.session, NULL), IDENTITY_OK);
  next_call(&later);
  assert_int_equal(rotation_count(&server, 200), 4);
  assert_int_equal(rotation_count(&server, -1), 4);
  identity_session_close(later.session);
  identity_session_close(soon.session);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test_setup(fault_04_an_answer_that_comes_when_the_caller_is_gone_is_read_by_the_next_call,
                           reset),
};

SUITE_WITH("faults: late answer", tests, start, stop)
