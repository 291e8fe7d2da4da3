/* Many calls at once on one loop: fetches BASE_URL CA_FILE EMAIL PASSWORD. Says each stage before it begins;
 * the script beside this file holds the answers back until all requests of a stage are there. */
#include <identity/async.h>
#include <stdio.h>
#include <stdlib.h>

enum { SESSIONS = 5, FETCHES_EACH = 10, DEADLINE_TURNS = 600 };

static identity_loop *loop;
static identity_session *sessions[SESSIONS];
static int done_well, done_badly;

static void fail(const char *what, identity_status status, const identity_error *error) {
  fprintf(stderr, "%s: %s: %s\n", what, identity_status_name(status), error != NULL ? error->message : "");
  done_badly++;
}

static void on_done(identity_status status, const void *result, const identity_error *error,
                    void *user_data) {
  (void)result;
  if (status != IDENTITY_OK)
    fail(user_data, status, error);
  else
    done_well++;
}

static void on_customer(identity_status status, const void *result, const identity_error *error,
                        void *user_data) {
  identity_customer_free(result);
  on_done(status, NULL, error, user_data);
}

static void on_next_step(identity_status status, const void *result, const identity_error *error,
                         void *user_data) {
  identity_next_step_free(result);
  on_done(status, NULL, error, user_data);
}

/* Drives until all calls of the stage have ended. */
static void settle(const char *stage, int wanted) {
  for (int turn = 0; identity_loop_pending(loop) > 0 && turn < DEADLINE_TURNS; turn++)
    if (identity_loop_run(loop, 100) != IDENTITY_OK)
      break;
  printf("%s: %d of %d\n", stage, done_well, wanted);
  if (done_well != wanted || done_badly > 0)
    exit(1);
  done_well = 0;
}

static void begin(const char *stage, identity_status status) {
  if (status != IDENTITY_OK)
    fail(stage, status, NULL);
}

static void log_in(const char *email, const char *password) {
  static char stage[] = "logins";
  identity_login_params params;
  identity_login_params_init(&params, sizeof params);
  params.email = email;
  params.password = password;
  for (int i = 0; i < SESSIONS; i++)
    begin(stage, identity_login_start(sessions[i], &params, on_done, stage, NULL));
  settle(stage, SESSIONS);
}

static void fetch(void) {
  static char stage[] = "fetches";
  for (int i = 0; i < SESSIONS * FETCHES_EACH; i++)
    begin(stage, identity_fetch_customer_start(sessions[i % SESSIONS], on_customer, stage, NULL));
  settle(stage, SESSIONS * FETCHES_EACH);
}

static void ask_next_step(void) {
  static char stage[] = "next step";
  begin(stage, identity_fetch_next_step_start(sessions[0], on_next_step, stage, NULL));
  settle(stage, 1);
}

static void open_all(const char *base_url, const char *ca_file) {
  identity_error error = {0};
  identity_config *config = identity_config_new("123456789");
  identity_config_set_base_url(config, base_url);
  identity_config_set_ca_file(config, ca_file);
  identity_status status = identity_loop_new(config, &loop, &error);
  for (int i = 0; i < SESSIONS && status == IDENTITY_OK; i++) {
    char account[16];
    snprintf(account, sizeof account, "viewer-%d", i);
    status = identity_session_open_on(loop, config, account, &sessions[i], &error);
  }
  identity_config_free(config);
  if (status != IDENTITY_OK) {
    fail("open", status, &error);
    exit(1);
  }
}

int main(int argc, char **argv) {
  if (argc != 5) {
    fprintf(stderr, "usage: %s BASE_URL CA_FILE EMAIL PASSWORD\n", argv[0]);
    return 2;
  }
  setvbuf(stdout, NULL, _IOLBF, BUFSIZ);
  open_all(argv[1], argv[2]);
  log_in(argv[3], argv[4]);
  fetch();
  ask_next_step();
  for (int i = 0; i < SESSIONS; i++)
    identity_session_close(sessions[i]);
  identity_loop_free(loop);
  return 0;
}
