/* The journey on one shared loop, for any number of sessions. --what names what happens once everybody is
 * signed in: idle     nothing: what a session costs get      --gets authorised GETs, spread over the
 * sessions, as many at a time as there are sessions refresh  every JWT is over by the clock, every session
 * asks for its tokens at once in this order, separated by commas; or open     sessions that sign in one after
 * the other, and then two at once, which takes a second connection. */
#include "measure.h"

#include <identity/async.h>
#include <identity/platform.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

typedef struct bench_fleet {
  const bench_options *options;
  identity_config *config;
  identity_loop *loop;
  identity_session **sessions;
  uint32_t opened;
  uint32_t out;      /* calls that have not completed */
  uint32_t to_start; /* GETs that nobody has begun yet */
  int64_t clock_offset_ms;
  double first_answer_s; /* 0: none yet */
} bench_fleet;

static int64_t clock_ms(clockid_t clock) {
  struct timespec now;
  clock_gettime(clock, &now);
  return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void tell_time(void *user_data, int64_t *boot_ms, int64_t *wall_ms) {
  const bench_fleet *fleet = user_data;
  *boot_ms = clock_ms(CLOCK_BOOTTIME) + fleet->clock_offset_ms;
  *wall_ms = clock_ms(CLOCK_REALTIME) + fleet->clock_offset_ms;
}

static void open_loop(bench_fleet *fleet, const bench_options *options) {
  identity_error error;
  identity_clock clock;
  *fleet = (bench_fleet){.options = options};
  identity_clock_init(&clock, sizeof clock);
  clock.user_data = fleet;
  clock.now = tell_time;
  fleet->config = identity_config_new(BENCH_PUBLISHER);
  identity_config_set_base_url(fleet->config, options->base_url);
  identity_config_set_loopback_http(fleet->config, options->ca_file == NULL);
  identity_config_set_user_agent(fleet->config, "player/1.0");
  identity_config_set_timeout_ms(fleet->config, 600000);
  identity_config_set_clock(fleet->config, &clock);
  if (options->ca_file != NULL)
    identity_config_set_ca_file(fleet->config, options->ca_file);
  if (identity_loop_new(fleet->config, &fleet->loop, &error) != IDENTITY_OK)
    give_up("loop: %s", error.message);
  fleet->sessions = calloc(options->sessions, sizeof(identity_session *));
  if (fleet->sessions == NULL)
    give_up("out of memory");
}

static void close_loop(bench_fleet *fleet) {
  for (uint32_t i = 0; i < fleet->opened; i++)
    identity_session_close(fleet->sessions[i]);
  identity_loop_free(fleet->loop);
  identity_config_free(fleet->config);
  free(fleet->sessions);
}

static identity_session *open_session(bench_fleet *fleet) {
  identity_error error;
  char account[32];
  identity_session **session = &fleet->sessions[fleet->opened];
  snprintf(account, sizeof account, "viewer-%u", fleet->opened);
  if (identity_session_open_on(fleet->loop, fleet->config, account, session, &error) != IDENTITY_OK)
    give_up("open %s: %s", account, error.message);
  fleet->opened++;
  return *session;
}

/* Until every call that was begun has completed. */
static void drive(bench_fleet *fleet) {
  while (fleet->out > 0)
    if (identity_loop_run(fleet->loop, 60000) != IDENTITY_OK)
      give_up("the loop does not run");
}

static void begun(bench_fleet *fleet, const char *what, identity_status status) {
  if (status != IDENTITY_OK)
    give_up("%s: %s", what, identity_status_text(status));
  fleet->out++;
}

static void on_done(identity_status status, const void *result, const identity_error *error,
                    void *user_data) {
  bench_fleet *fleet = user_data;
  (void)result;
  if (status != IDENTITY_OK)
    give_up("%s", error->message);
  if (fleet->first_answer_s <= 0)
    fleet->first_answer_s = now_s();
  fleet->out--;
}

static void start_login(bench_fleet *fleet, identity_session *session) {
  identity_login_params params;
  identity_login_params_init(&params, sizeof params);
  params.email = fleet->options->email;
  params.password = BENCH_PASSWORD;
  begun(fleet, "login", identity_login_start(session, &params, on_done, fleet, NULL));
}

/* ---- GETs ---- */

typedef struct bench_viewer {
  bench_fleet *fleet;
  identity_session *session;
} bench_viewer;

static void start_get(bench_viewer *viewer);

static void on_customer(identity_status status, const void *result, const identity_error *error,
                        void *user_data) {
  bench_viewer *viewer = user_data;
  const identity_customer *customer = result;
  if (status != IDENTITY_OK)
    give_up("fetch: %s", error->message);
  if (strcmp(customer->email, viewer->fleet->options->email) != 0)
    give_up("this is another customer: %s", customer->email);
  identity_customer_free(customer);
  viewer->fleet->out--;
  if (viewer->fleet->to_start > 0)
    start_get(viewer);
}

static void start_get(bench_viewer *viewer) {
  viewer->fleet->to_start--;
  begun(viewer->fleet, "fetch", identity_fetch_customer_start(viewer->session, on_customer, viewer, NULL));
}

static void run_gets(bench_fleet *fleet, bench_viewer *viewers, uint32_t gets) {
  fleet->to_start = gets;
  for (uint32_t i = 0; i < fleet->opened && fleet->to_start > 0; i++)
    start_get(&viewers[i]);
  drive(fleet);
}

static void measure_gets(bench_fleet *fleet) {
  bench_viewer *viewers = calloc(fleet->opened, sizeof *viewers);
  if (viewers == NULL)
    give_up("out of memory");
  for (uint32_t i = 0; i < fleet->opened; i++)
    viewers[i] = (bench_viewer){fleet, fleet->sessions[i]};
  run_gets(fleet, viewers, BENCH_WARM_UP);
  double begun_s = now_s();
  double used_s = processor_s();
  instructions_begin();
  run_gets(fleet, viewers, fleet->options->gets);
  instructions_end("gets");
  report("gets", fleet->options->gets);
  report("seconds", now_s() - begun_s);
  report("processor_seconds", processor_s() - used_s);
  free(viewers);
}

/* ---- refreshes ---- */

static void on_tokens(identity_status status, const void *result, const identity_error *error,
                      void *user_data) {
  bench_fleet *fleet = user_data;
  const identity_tokens *tokens = result;
  if (status != IDENTITY_OK)
    give_up("refresh: %s", error->message);
  if (tokens->remaining_ms < 60000)
    give_up("this JWT is not new: %lld ms are left", (long long)tokens->remaining_ms);
  identity_tokens_free(tokens);
  fleet->out--;
}

static void measure_refreshes(bench_fleet *fleet) {
  fleet->clock_offset_ms += 3600 * 1000;
  double begun_s = now_s();
  instructions_begin();
  for (uint32_t i = 0; i < fleet->opened; i++)
    begun(fleet, "refresh", identity_session_tokens_start(fleet->sessions[i], 0, on_tokens, fleet, NULL));
  drive(fleet);
  instructions_end("refresh");
  report("refresh_seconds", now_s() - begun_s);
}

/* ---- opening ---- */

static void sign_in_one(bench_fleet *fleet, const char *phase) {
  instructions_begin();
  start_login(fleet, open_session(fleet));
  drive(fleet);
  instructions_end(phase);
}

static void measure_opening(bench_fleet *fleet) {
  sign_in_one(fleet, "second");
  sign_in_one(fleet, "third");
  instructions_begin();
  start_login(fleet, open_session(fleet));
  start_login(fleet, open_session(fleet));
  drive(fleet);
  instructions_end("two_at_once");
}

enum { AT_ONCE = 64 /* the memory of more logins would be taken for that of sessions */ };

/* The first session is there: what it made for all is not the price of one more. */
static void measure_sessions(bench_fleet *fleet) {
  int64_t before = heap_in_use();
  uint32_t more = fleet->options->sessions - 1;
  while (fleet->opened < fleet->options->sessions) {
    start_login(fleet, open_session(fleet));
    if (fleet->out == AT_ONCE)
      drive(fleet);
  }
  drive(fleet);
  if (more > 0)
    report("heap_per_session", (double)(heap_in_use() - before) / more);
  report("idle_resident_kb", resident_kb("Rss:"));
}

static bool wanted(const bench_options *options, const char *what) {
  return strstr(options->what, what) != NULL;
}

int main(int count, char *arguments[]) {
  bench_options options;
  bench_fleet fleet;
  read_options(&options, count, arguments);
  if (options.sessions < (wanted(&options, "open") ? 5 : 1))
    give_up("--sessions is too small");
  report_begin();
  report("sessions", options.sessions);
  double begun_s = now_s();
  instructions_begin();
  open_loop(&fleet, &options);
  start_login(&fleet, open_session(&fleet));
  drive(&fleet);
  instructions_end("first");
  report("open_to_first_ms", (fleet.first_answer_s - begun_s) * 1000);
  if (wanted(&options, "open"))
    measure_opening(&fleet);
  else
    measure_sessions(&fleet);
  if (wanted(&options, "get"))
    measure_gets(&fleet);
  if (wanted(&options, "refresh"))
    measure_refreshes(&fleet);
  report_end();
  close_loop(&fleet);
  return 0;
}
