/* Fault 3: a process is killed after its refresh was sent, and started again. */
#include "support/child.h"
#include "support/rotation.h"
#include "support/stage.h"

#define SENT_AND_NEVER_DONE "\"hang\":true"
#define DONE_AND_NEVER_TOLD "\"delay_ms\":120000,\"after\":true"

/* The lease of an owner that is gone is over ten seconds after it began: some time before its request came
 * in.
 */
enum { LEASE_LEAST_MS = 9000, LEASE_MOST_MS = 20000, PATIENCE_MS = 40000 };

typedef struct viewer {
  const char *account;
  const char *fault;
  const char *settings;   /* of the service, when the token is sent again */
  identity_status status; /* of that */
  int32_t state;
  int32_t reason;
  identity_session *session;
} viewer;

static viewer viewers[] = {
    {"spared", SENT_AND_NEVER_DONE, "{\"grace\":0}", IDENTITY_OK, IDENTITY_STATE_ACTIVE, IDENTITY_REASON_NONE,
     NULL},
    {"lost", DONE_AND_NEVER_TOLD, "{\"grace\":0}", IDENTITY_SESSION_ENDED, IDENTITY_STATE_REAUTH_REQUIRED,
     IDENTITY_REASON_LOST_ROTATION, NULL},
    {"healed", DONE_AND_NEVER_TOLD, "{\"grace\":120}", IDENTITY_OK, IDENTITY_STATE_ACTIVE,
     IDENTITY_REASON_NONE, NULL},
};

enum { VIEWERS = sizeof viewers / sizeof viewers[0] };

typedef struct errand {
  identity_config *config;
  const char *account;
} errand;

static int refresh_for_ever(void *user_data) {
  const errand *at = user_data;
  identity_session *session = NULL;
  if (identity_session_open(at->config, at->account, &session, NULL) != IDENTITY_OK)
    return 1;
  while (identity_status_class(identity_session_refresh(session, NULL)) == IDENTITY_CLASS_RETRY_LATER)
    service_pause_ms(50);
  identity_session_close(session);
  return 2;
}

static identity_config *config_with_store(void) {
  char directory[128];
  identity_config *config = service_config(&server);
  snprintf(directory, sizeof directory, "%s/store", server.directory);
  assert_int_equal(identity_config_set_file_store(config, directory), IDENTITY_OK);
  return config;
}

/* A start of the app, which refreshes. */
static pid_t start_child(const viewer *who) {
  errand at = {config_with_store(), who->account};
  pid_t child = child_start(refresh_for_ever, &at);
  identity_config_free(at.config);
  return child;
}

static identity_session *opened(const viewer *who) {
  return service_open_stored(&server, who->account, "store");
}

/* Signed in; then a second start of the app refreshes, and is killed before the answer. */
static void kill_in_refresh(const viewer *who, int number) {
  char email[64];
  snprintf(email, sizeof email, "%s@example.com", who->account);
  identity_session *session = opened(who);
  service_register(session, email);
  identity_session_close(session);
  rotation_fault(&server, who->fault);
  pid_t child = start_child(who);
  rotation_await(&server, number);
  child_kill(child);
}

/* The JWT lives, and that is all: whether it waits or answers, a refresh brings no request before the lease
 * is over.
 */
static void restart(viewer *who, int number) {
  identity_error error;
  who->session = opened(who);
  assert_int_equal(service_fetch(who->session, NULL), IDENTITY_OK);
  identity_config *config = config_with_store();
  assert_int_equal(identity_config_set_timeout_ms(config, 500), IDENTITY_OK);
  identity_session *hasty = service_open_with(config, who->account);
  (void)identity_session_refresh(hasty, &error);
  if (identity_status_class(error.status) != IDENTITY_CLASS_RETRY_LATER)
    fail_msg("%s, at once: %s", who->account, identity_status_name(error.status));
  assert_int_equal(service_fetch(hasty, NULL), IDENTITY_OK);
  identity_session_close(hasty);
  assert_int_equal(rotation_count(&server, -1), number);
}

static void ask_until_it_is_settled(const viewer *who) {
  identity_error error;
  int64_t begun = service_now_ms();
  service_send(&server, "PUT", "settings", who->settings);
  do {
    (void)identity_session_refresh(who->session, &error);
    service_pause_ms(50);
  } while (identity_status_class(error.status) == IDENTITY_CLASS_RETRY_LATER &&
           service_now_ms() - begun < PATIENCE_MS);
  if (error.status != who->status)
    fail_msg("%s: %s: %s", who->account, identity_status_name(error.status), error.message);
  probe_reason(who->session, who->state, who->reason);
}

static const char *text_of(const cJSON *entry, const char *name) {
  const char *text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(entry, name));
  return text != NULL ? text : "";
}

/* The token of the killed refresh is sent just once more, and not before its lease is over. */
static void assert_sent_once_more(const viewer *who, int number) {
  int64_t arrivals[2] = {0, 0};
  int refreshes = 0;
  int sent = 0;
  char token[32] = "";
  const cJSON *entry;
  cJSON *journal = service_get(&server, "journal");
  cJSON_ArrayForEach(entry, cJSON_GetObjectItemCaseSensitive(journal, "requests")) {
    if (strcmp(text_of(entry, "path"), ROTATION_PATH) != 0)
      continue;
    if (++refreshes == number)
      snprintf(token, sizeof token, "%s", text_of(entry, "refresh_token"));
    if (refreshes >= number && strcmp(token, text_of(entry, "refresh_token")) == 0 && ++sent <= 2)
      arrivals[sent - 1] =
          (int64_t)cJSON_GetNumberValue(cJSON_GetObjectItemCaseSensitive(entry, "elapsed_ms"));
  }
  cJSON_Delete(journal);
  if (sent != 2 || arrivals[1] - arrivals[0] < LEASE_LEAST_MS || arrivals[1] - arrivals[0] > LEASE_MOST_MS)
    fail_msg("%s: sent %d times, the second %lld ms after the first", who->account, sent,
             (long long)(arrivals[1] - arrivals[0]));
}

static void fault_03_killed_after_the_refresh_was_sent_and_restarted(void **state) {
  (void)state;
  service_send(&server, "PUT", "settings", "{\"grace\":120}"); /* so that it remembers what was exchanged */
  for (int i = 0; i < VIEWERS; i++)
    kill_in_refresh(&viewers[i], i + 1);
  for (int i = 0; i < VIEWERS; i++)
    restart(&viewers[i], VIEWERS);
  for (int i = 0; i < VIEWERS; i++)
    ask_until_it_is_settled(&viewers[i]);
  assert_int_equal(rotation_count(&server, -1), 2 * VIEWERS);
  for (int i = 0; i < VIEWERS; i++) {
    assert_sent_once_more(&viewers[i], i + 1);
    identity_session_close(viewers[i].session);
    identity_session *session = opened(&viewers[i]);
    probe_reason(session, viewers[i].state, viewers[i].reason);
    identity_session_close(session);
  }
}

/* Killed again and again: each start finds what the last one left, and none asks for a login. */
static void fault_03_killed_three_times_in_a_row_with_a_grace_period(void **state) {
  (void)state;
  enum { KILLS = 3 };
  viewer unlucky = viewers[VIEWERS - 1];
  service_send(&server, "PUT", "settings", "{\"grace\":120}");
  kill_in_refresh(&unlucky, 1);
  for (int i = 1; i < KILLS; i++) {
    pid_t child = start_child(&unlucky);
    service_pause_ms(300); /* it waits for the lease */
    child_kill(child);
  }
  unlucky.session = opened(&unlucky);
  ask_until_it_is_settled(&unlucky);
  assert_sent_once_more(&unlucky, 1);
  assert_int_equal(rotation_count(&server, -1), 2);
  identity_session_close(unlucky.session);
}

/* Each test has a store of its own. */
static int reset_with_store(void **state) {
  char command[128];
  snprintf(command, sizeof command, "rm -rf '%s/store'", server.directory);
  assert_int_equal(system(command), 0);
  return reset(state);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test_setup(fault_03_killed_after_the_refresh_was_sent_and_restarted, reset_with_store),
    cmocka_unit_test_setup(fault_03_killed_three_times_in_a_row_with_a_grace_period, reset_with_store),
};

SUITE_WITH("faults: killed", tests, start, stop)
