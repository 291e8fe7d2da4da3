/* One process of a viewer's device: uses the library as an app does, at random, until it is killed, and
 * writes down what it was told. worker PAGE NUMBER RUN */
#include "soak/virtual.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

typedef struct handle {
  identity_session *session;
  int32_t number;
  int32_t logins; /* of the device, when it was opened or logged in itself */
} handle;

static soak_page *page;
static soak_device *device;
static soak_worker *self;
static int32_t device_number;
static int32_t worker_number;
static soak_dice dice;
static FILE *log_file;

static _Noreturn void give_up(const char *what, const identity_error *error) {
  fprintf(stderr, "worker %d: %s: %s\n", (int)worker_number, what, error != NULL ? error->message : "");
  exit(3);
}

static void note(const handle *of, int32_t kind, int32_t value, int32_t more) {
  const soak_event event = {.kind = kind,
                            .device = device_number,
                            .worker = worker_number,
                            .handle = of->number,
                            .value = value,
                            .more = more};
  soak_note(page, &event);
}

/* ---- a handle ---- */

static void keep_line(int32_t level, const char *line, void *user_data) {
  (void)level;
  const handle *of = user_data;
  fprintf(log_file, "%lld %d.%d.%d %s\n", (long long)page->now_ms, (int)device_number, (int)worker_number,
          (int)of->number, line);
  fflush(log_file);
}

/* The journal tells handles apart by what they call themselves. */
static void open_handle(handle *of) {
  static const uint32_t timeouts_ms[] = {8000, 15000, 30000};
  char store[192];
  char agent[40];
  identity_error error;
  of->number = atomic_fetch_add(&device->opens, 1) + 1;
  of->logins = device->logins;
  snprintf(agent, sizeof agent, "soak/%d.%d.%d", (int)device_number, (int)worker_number, (int)of->number);
  soak_store_path(page, device_number, store);
  identity_config *config = identity_config_new(SOAK_PUBLISHER);
  (void)identity_config_set_base_url(config, page->base_url);
  (void)identity_config_set_loopback_http(config, 1);
  (void)identity_config_set_file_store(config, store);
  (void)identity_config_set_user_agent(config, agent);
  (void)identity_config_set_timeout_ms(config, timeouts_ms[soak_pick(&dice, 3)]);
  if (log_file != NULL)
    (void)identity_config_set_log(config, IDENTITY_LOG_DEBUG, keep_line, of);
  (void)virtual_clock(config);
  if (identity_session_open(config, SOAK_ACCOUNT, &of->session, &error) != IDENTITY_OK)
    give_up("open", &error);
  identity_config_free(config);
  note(of, SOAK_OPENED, 0, 0);
}

static void close_handle(handle *of) {
  self->handle = of->number;
  note(of, SOAK_CLOSING, 0, 0);
  identity_session_close(of->session);
  note(of, SOAK_CLOSED, 0, 0);
  self->handle = 0;
}

static void reopen(handle *of) {
  close_handle(of);
  if (soak_chance(&dice, 50))
    virtual_pause(soak_span(&dice, 100, 100000));
  open_handle(of);
}

/* IDENTITY_STATE_x, and why. */
static int32_t look(const handle *of, int32_t *reason) {
  const identity_state *state = NULL;
  identity_error error;
  if (identity_session_state(of->session, &state, &error) != IDENTITY_OK)
    give_up("state", &error);
  int32_t seen = state->state;
  *reason = state->reason;
  identity_state_free(state);
  return seen;
}

static bool is_over(int32_t state) {
  return state == IDENTITY_STATE_SIGNED_OUT || state == IDENTITY_STATE_REAUTH_REQUIRED;
}

/* ---- calls ---- */

static void begin(const handle *of, int32_t call) {
  self->handle = of->number;
  note(of, SOAK_CALL, call, 0);
}

static void end(const handle *of, int32_t call, identity_status status) {
  note(of, SOAK_CALL_END, status, call);
  self->handle = 0;
}

static identity_status take_tokens(handle *of, int64_t min_life_ms, identity_error *error) {
  const identity_tokens *tokens = NULL;
  identity_status status = identity_session_tokens(of->session, min_life_ms, &tokens, error);
  if (status != IDENTITY_OK)
    return status;
  soak_event event = {
      .kind = SOAK_HOLDS, .device = device_number, .worker = worker_number, .handle = of->number};
  soak_mark(tokens->jwt, strlen(tokens->jwt), event.mark);
  soak_note(page, &event);
  identity_tokens_free(tokens);
  return status;
}

static identity_status call_tokens(handle *of, identity_error *error) {
  static const int64_t lives_ms[] = {0, 30000, 120000, 300000, 600000, 890000};
  return take_tokens(of, lives_ms[soak_pick(&dice, 6)], error);
}

static identity_status call_customer(handle *of, identity_error *error) {
  const identity_customer *customer = NULL;
  identity_status status = identity_fetch_customer(of->session, &customer, error);
  identity_customer_free(customer);
  return status;
}

static identity_status call_next_step(handle *of, identity_error *error) {
  const identity_next_step *step = NULL;
  identity_status status = identity_fetch_next_step(of->session, &step, error);
  identity_next_step_free(step);
  return status;
}

static identity_status call_refresh(handle *of, identity_error *error) {
  return identity_session_refresh(of->session, error);
}

static identity_status call_state(handle *of, identity_error *error) {
  int32_t reason = 0;
  (void)error;
  return is_over(look(of, &reason)) ? IDENTITY_SIGNED_OUT : IDENTITY_OK;
}

static identity_status call_reopen(handle *of, identity_error *error) {
  reopen(of);
  return call_state(of, error);
}

static const struct {
  identity_status (*make)(handle *of, identity_error *error);
  int32_t percent;
} calls[] = {
    [SOAK_FETCH_CUSTOMER] = {call_customer, 40},
    [SOAK_TAKE_TOKENS] = {call_tokens, 30},
    [SOAK_FETCH_NEXT_STEP] = {call_next_step, 10},
    [SOAK_READ_STATE] = {call_state, 10},
    [SOAK_REFRESH] = {call_refresh, 5},
    [SOAK_REOPEN] = {call_reopen, 5},
};

/* ---- what the library tells by itself ---- */

static void take_events(const handle *of) {
  const identity_event *event = NULL;
  while (identity_session_next_event(of->session, &event, NULL) == IDENTITY_OK && event != NULL) {
    if (event->kind == IDENTITY_EVENT_SIGNED_IN && event->how == IDENTITY_HOW_OTHER_PROCESS)
      note(of, SOAK_JOINED, 0, 0);
    identity_event_free(event);
  }
}

/* For who reads the log. */
static void explain(const handle *of) {
  const char *json = NULL;
  identity_error error;
  if (identity_session_explain(of->session, &json, &error) != IDENTITY_OK)
    give_up("explain", &error);
  if (log_file != NULL)
    fprintf(log_file, "%lld %d.%d.%d %s\n", (long long)page->now_ms, (int)device_number, (int)worker_number,
            (int)of->number, json);
  identity_explanation_free(json);
}

/* ---- signing in ---- */

static bool log_in(handle *of) {
  identity_error error;
  identity_login_params params;
  char email[40];
  snprintf(email, sizeof email, "viewer-%d@example.com", (int)device_number);
  identity_login_params_init(&params, sizeof params);
  params.email = email;
  params.password = SOAK_PASSWORD;
  begin(of, SOAK_LOG_IN);
  identity_status status = identity_login(of->session, &params, &error);
  end(of, SOAK_LOG_IN, status);
  if (status != IDENTITY_OK)
    return false;
  note(of, SOAK_LOGGED_IN, 0, 0);
  of->logins = ++device->logins;
  return true;
}

/* One process at a time; the others find the new session when they open the slot again. */
static void sign_in(handle *of) {
  for (;;) {
    int32_t reason = 0;
    int32_t nobody = 0;
    if (device->logins != of->logins) {
      reopen(of);
      if (!is_over(look(of, &reason)))
        return;
    }
    if (atomic_compare_exchange_strong(&device->login_turn, &nobody, worker_number + 1)) {
      bool done = log_in(of);
      int32_t mine = worker_number + 1;
      (void)atomic_compare_exchange_strong(&device->login_turn, &mine, 0);
      if (done)
        return;
    }
    virtual_pause(soak_span(&dice, 1000, 60000));
  }
}

static void was_ended(handle *of) {
  int32_t reason = 0;
  int32_t state = look(of, &reason);
  bool new_device = reason == IDENTITY_REASON_NEVER_SIGNED_IN && of->logins == 0;
  if (state != IDENTITY_STATE_SIGNED_OUT || !new_device) {
    note(of, SOAK_ENDED, reason, state);
    explain(of);
    virtual_ask();
  }
  if (is_over(state))
    sign_in(of);
}

/* ---- a life ---- */

static identity_status make_call(handle *of, int32_t call, identity_error *error) {
  begin(of, call);
  identity_status status = calls[call].make(of, error);
  end(of, call, status);
  take_events(of);
  return status;
}

static void make_some_call(handle *of) {
  int32_t call = 0;
  identity_error error = {0};
  for (int64_t roll = soak_pick(&dice, 100); roll >= calls[call].percent; call++)
    roll -= calls[call].percent;
  identity_status status = make_call(of, call, &error);
  if (status == IDENTITY_OK)
    status = make_call(of, SOAK_TAKE_TOKENS, &error);
  if (identity_status_class(status) == IDENTITY_CLASS_SIGN_IN)
    was_ended(of);
  else if (identity_status_class(status) == IDENTITY_CLASS_BUG)
    give_up(identity_status_name(status), &error);
}

static _Noreturn void live(void) {
  handle handles[SOAK_HANDLES] = {{NULL, 0, 0}};
  int32_t count = worker_number % SOAK_WORKERS == 0 ? SOAK_HANDLES : 1;
  for (int32_t i = 0; i < count; i++)
    open_handle(&handles[i]);
  for (;;) {
    make_some_call(&handles[count > 1 && soak_chance(&dice, 25) ? 1 : 0]);
    virtual_pause(soak_chance(&dice, 40) ? soak_span(&dice, 10, 5000) : soak_span(&dice, 5000, 1200000));
  }
}

int main(int count, char **arguments) {
  if (count != 4)
    return 2;
  (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
  page = soak_page_open(arguments[1], false);
  if (page == NULL)
    give_up("the page cannot be had", NULL);
  worker_number = (int32_t)strtol(arguments[2], NULL, 10);
  device_number = worker_number / SOAK_WORKERS;
  self = &page->workers[worker_number];
  device = &page->devices[device_number];
  dice.state = page->seed * 1000003 + (uint64_t)worker_number * 10007 + strtoull(arguments[3], NULL, 10);
  if (getenv("SOAK_LOG") != NULL) {
    char path[192];
    snprintf(path, sizeof path, "%s/log-%d", page->directory, (int)worker_number);
    log_file = fopen(path, "ae");
  }
  virtual_begin(page, worker_number);
  live();
}
