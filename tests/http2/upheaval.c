/* A hundred calls of every kind on one loop while something happens to the front: upheaval BASE_URL CA_FILE
 * PASSWORD. jo0 to jo4@example.com are registered. Says how many ended in which way; the script beside this
 * file knows what may be. */
#include <identity/async.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CUSTOMER, UPDATE, REGISTER, RESET, REFRESH, KINDS };
enum { SESSIONS = 5, CALLS = 100, ROUND = 10, MOST_TURNS = 600, MOST_ENDS = 100 };

/* Of ten calls each: 4, 2, 2, 1 and 1. */
static const int kinds[ROUND] = {CUSTOMER, UPDATE,   CUSTOMER, REGISTER, RESET,
                                 CUSTOMER, REGISTER, UPDATE,   CUSTOMER, REFRESH};
static const char *const names[KINDS] = {"customer", "update", "register", "reset", "refresh"};

typedef struct one_call {
  int kind;
  int count; /* completions */
  identity_status status;
} one_call;

static const char *password;
static identity_loop *loop;
static identity_session *sessions[SESSIONS], *newcomers[CALLS];
static one_call calls[CALLS];

static void give_up(const char *what, const char *why) {
  fprintf(stderr, "%s: %s\n", what, why);
  exit(1);
}

static void on_done(identity_status status, const void *result, const identity_error *error,
                    void *user_data) {
  one_call *call = user_data;
  if (call->kind == CUSTOMER)
    identity_customer_free(result);
  (void)error;
  call->status = status;
  call->count++;
}

static void drive(void) {
  for (int turn = 0; identity_loop_pending(loop) > 0 && turn < MOST_TURNS; turn++)
    if (identity_loop_run(loop, 100) != IDENTITY_OK)
      give_up("run", "is refused");
}

static void open_all(const identity_config *config) {
  identity_error error = {0};
  if (identity_loop_new(config, &loop, &error) != IDENTITY_OK)
    give_up("loop", error.message);
  for (int i = 0; i < CALLS + SESSIONS; i++) {
    char account[16];
    snprintf(account, sizeof account, "viewer-%d", i);
    identity_session **session = i < CALLS ? &newcomers[i] : &sessions[i - CALLS];
    if (identity_session_open_on(loop, config, account, session, &error) != IDENTITY_OK)
      give_up("open", error.message);
  }
}

static void close_all(void) {
  for (int i = 0; i < CALLS; i++)
    identity_session_close(newcomers[i]);
  for (int i = 0; i < SESSIONS; i++)
    identity_session_close(sessions[i]);
  identity_loop_free(loop);
}

/* One after the other: a front that takes few requests at a time must not refuse these. */
static void log_in(void) {
  identity_login_params params;
  identity_login_params_init(&params, sizeof params);
  params.password = password;
  for (int i = 0; i < SESSIONS; i++) {
    char email[32];
    identity_error error = {0};
    snprintf(email, sizeof email, "jo%d@example.com", i);
    params.email = email;
    if (identity_login(sessions[i], &params, &error) != IDENTITY_OK)
      give_up("login", error.message);
  }
}

static identity_status start_registration(int number, one_call *call) {
  static const identity_consent_answer consents[] = {{"terms", "1", 1, 0},
                                                     {"broadcaster_terms", "1.7", 1, 0}};
  char email[32];
  identity_register_params params;
  identity_register_params_init(&params, sizeof params);
  snprintf(email, sizeof email, "new%d@example.com", number);
  params.email = email;
  params.password = password;
  params.locale = "en_US";
  params.country = "US";
  params.currency = "USD";
  params.consents = consents;
  params.consent_count = 2;
  return identity_register_start(newcomers[number], &params, on_done, call, NULL);
}

static identity_status start_update(identity_session *session, one_call *call) {
  identity_update_customer_params params;
  identity_update_customer_params_init(&params, sizeof params);
  params.first_name = "Jo";
  return identity_update_customer_start(session, &params, on_done, call, NULL);
}

static identity_status start_one(int number) {
  one_call *call = &calls[number];
  identity_session *session = sessions[number % SESSIONS];
  call->kind = kinds[number % ROUND];
  switch (call->kind) {
  case UPDATE:
    return start_update(session, call);
  case REGISTER:
    return start_registration(number, call);
  case RESET:
    return identity_request_password_reset_start(session, "jo0@example.com", NULL, on_done, call, NULL);
  case REFRESH:
    return identity_session_refresh_start(sessions[number / ROUND % SESSIONS], on_done, call, NULL);
  default:
    return identity_fetch_customer_start(session, on_done, call, NULL);
  }
}

/* One line for each kind and end: "customer OK 40". */
static void tell_ends(void) {
  for (int kind = 0; kind < KINDS; kind++)
    for (int i = 0; i < CALLS; i++) {
      int count = 0;
      if (calls[i].kind != kind || calls[i].count == 0)
        continue;
      for (int other = CALLS - 1; other >= i; other--)
        if (calls[other].kind == kind && calls[other].count > 0 && calls[other].status == calls[i].status) {
          count++;
          calls[other].count = 0;
        }
      printf("%s %s %d\n", names[kind], identity_status_name(calls[i].status), count);
    }
}

static int signed_in(void) {
  int count = 0;
  for (int i = 0; i < SESSIONS; i++) {
    const identity_state *state = NULL;
    if (identity_session_state(sessions[i], &state, NULL) == IDENTITY_OK)
      count += state->state != IDENTITY_STATE_SIGNED_OUT;
    identity_state_free(state);
  }
  return count;
}

int main(int argc, char **argv) {
  if (argc != 4) {
    fprintf(stderr, "usage: %s BASE_URL CA_FILE PASSWORD\n", argv[0]);
    return 2;
  }
  password = argv[3];
  identity_config *config = identity_config_new("123456789");
  identity_config_set_base_url(config, argv[1]);
  identity_config_set_ca_file(config, argv[2]);
  open_all(config);
  log_in();
  for (int i = 0; i < CALLS; i++)
    if (start_one(i) != IDENTITY_OK)
      give_up("start", "is refused");
  drive();
  int once = 0;
  for (int i = 0; i < CALLS; i++)
    once += calls[i].count == 1;
  printf("completed once: %d, signed in: %d\n", once, signed_in());
  tell_ends();
  close_all();
  identity_config_free(config);
  return 0;
}
