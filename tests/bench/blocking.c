/* The same journey as hand_written.c with the library's blocking calls. */
#include "measure.h"

#include <identity/identity.h>
#include <string.h>

static identity_session *open_session(const bench_options *options) {
  identity_error error;
  identity_session *session = NULL;
  identity_config *config = identity_config_new(BENCH_PUBLISHER);
  identity_config_set_base_url(config, options->base_url);
  identity_config_set_loopback_http(config, options->ca_file == NULL);
  identity_config_set_user_agent(config, "player/1.0");
  if (options->ca_file != NULL)
    identity_config_set_ca_file(config, options->ca_file);
  if (identity_session_open(config, "viewer-1", &session, &error) != IDENTITY_OK)
    give_up("open: %s", error.message);
  identity_config_free(config);
  return session;
}

static void login(identity_session *session, const bench_options *options) {
  identity_error error;
  identity_login_params params;
  identity_login_params_init(&params, sizeof params);
  params.email = options->email;
  params.password = BENCH_PASSWORD;
  if (identity_login(session, &params, &error) != IDENTITY_OK)
    give_up("login: %s", error.message);
}

static void get(identity_session *session, const bench_options *options) {
  identity_error error;
  const identity_customer *customer = NULL;
  if (identity_fetch_customer(session, &customer, &error) != IDENTITY_OK)
    give_up("fetch: %s", error.message);
  if (strcmp(customer->email, options->email) != 0)
    give_up("this is another customer: %s", customer->email);
  identity_customer_free(customer);
}

int main(int count, char *arguments[]) {
  bench_options options;
  read_options(&options, count, arguments);
  double begun = now_s();
  instructions_begin();
  identity_session *session = open_session(&options);
  login(session, &options);
  instructions_end("first");
  double first = now_s();
  for (uint32_t i = 0; i < BENCH_WARM_UP; i++)
    get(session, &options);
  double warm = now_s();
  double used = processor_s();
  instructions_begin();
  for (uint32_t i = 0; i < options.gets; i++)
    get(session, &options);
  instructions_end("gets");
  used = processor_s() - used;
  double ended = now_s();
  report_begin();
  report("gets", options.gets);
  report("seconds", ended - warm);
  report("processor_seconds", used);
  report("open_to_first_ms", (first - begun) * 1000);
  report_end();
  identity_session_close(session);
  return 0;
}
