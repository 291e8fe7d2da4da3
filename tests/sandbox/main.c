/* identity-sandbox: the stand-in for the identity API. One thread, one loop. */
#include "config.h"
#include "key_files.h"
#include "options.h"
#include "server.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

static bool load_settings(struct sbx_service *service, const struct sbx_options *options,
                          struct sbx_problem *problem) {
  struct sbx_settings *settings = &service->start_settings;
  sbx_settings_default(settings);
  service->start_config = sbx_config_read(options->config, problem);
  if (service->start_config == NULL || !sbx_config_settings(service->start_config, settings, problem))
    return false;
  if (options->jwt_life >= 0)
    settings->jwt_life = options->jwt_life;
  if (options->refresh_life >= 0)
    settings->refresh_life = options->refresh_life;
  if (options->grace >= 0)
    settings->grace = options->grace;
  return true;
}

/* The directory stays locked only while its files are made. */
static bool load_keys(struct sbx_service *service, const struct sbx_options *options, struct sbx_tls *tls,
                      struct sbx_problem *problem) {
  int lock = -1;
  if (options->state != NULL) {
    lock = sbx_state_lock(options->state, problem);
    if (lock < 0)
      return false;
  }
  service->jwt_key = sbx_jwt_key_load(options->state, problem);
  bool ok = service->jwt_key != NULL &&
            (!options->tls || sbx_tls_prepare(options->state, options->certificate, tls, problem));
  sbx_state_unlock(lock);
  return ok;
}

/* Written under another name first: whoever waits for the file never reads half a number. */
static bool write_port_file(const char *path, int port, struct sbx_problem *problem) {
  char fresh[SBX_PATH_SIZE];
  int length = snprintf(fresh, sizeof fresh, "%s.new", path);
  FILE *file = length > 0 && length < (int)sizeof fresh ? fopen(fresh, "we") : NULL;
  bool ok = file != NULL && fprintf(file, "%d\n", port) > 0;
  ok = file != NULL && fclose(file) == 0 && ok;
  if (ok && rename(fresh, path) == 0)
    return true;
  sbx_problem_say(problem, path, "cannot be written: %s", strerror(errno));
  return false;
}

static int block_signals(void) {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  signal(SIGPIPE, SIG_IGN);
  if (sigprocmask(SIG_BLOCK, &signals, NULL) != 0)
    return -1;
  return signalfd(-1, &signals, SFD_NONBLOCK | SFD_CLOEXEC);
}

static void announce(const struct sbx_options *options, const struct sbx_service *service,
                     const struct sbx_server *server) {
  if (options->quiet)
    return;
  printf("identity-sandbox " SBX_VERSION
         ": a stand-in for the identity API, in memory, for this machine only\n");
  printf("listening on %s://%s:%d\n", options->tls ? "https" : "http",
         options->tls ? "localhost" : "127.0.0.1", sbx_server_port(server));
  if (options->tls)
    printf("trust this authority: %s/ca.pem\n", options->state);
  for (size_t i = 0; i < service->model.publisher_count; i++) {
    const struct sbx_publisher *publisher = &service->model.publishers[i];
    const cJSON *offer = cJSON_GetArrayItem(publisher->offers, 0);
    printf("publisher %s, %s%s, %d consents, capture %s\n", publisher->id,
           offer == NULL ? "no offer" : "offer ", offer == NULL ? "" : offer->valuestring,
           cJSON_GetArraySize(publisher->consents), publisher->capture_enabled ? "on" : "off");
  }
  printf("watch and steer it under /_sandbox/; stop it with SIGTERM or Ctrl-C\n");
}

static void serve(struct sbx_server *server, int signals) {
  struct pollfd descriptors[2] = {{.fd = sbx_server_descriptor(server), .events = POLLIN},
                                  {.fd = signals, .events = POLLIN}};
  for (;;) {
    int timeout = sbx_server_turn(server);
    if (poll(descriptors, 2, timeout) < 0 && errno != EINTR)
      return;
    if ((descriptors[1].revents & POLLIN) != 0)
      return;
  }
}

static bool run(const struct sbx_options *options, struct sbx_service *service, struct sbx_tls *tls,
                struct sbx_problem *problem) {
  if (!sbx_journal_init(&service->journal))
    return sbx_problem_say(problem, "journal", "out of memory");
  if (!load_settings(service, options, problem) || !sbx_service_reset(service, problem) ||
      !load_keys(service, options, tls, problem))
    return false;
  int signals = block_signals();
  if (signals < 0)
    return sbx_problem_say(problem, "signals", "%s", strerror(errno));
  struct sbx_server *server =
      sbx_server_start(service, options->port, options->tls ? tls : NULL, options->quiet, problem);
  bool ok = server != NULL;
  if (ok) {
    announce(options, service, server);
    ok = options->port_file == NULL || write_port_file(options->port_file, sbx_server_port(server), problem);
  }
  if (ok)
    serve(server, signals);
  if (ok && options->port_file != NULL)
    unlink(options->port_file);
  sbx_server_stop(server);
  close(signals);
  if (ok && !options->quiet)
    printf("stopped\n");
  return ok;
}

int main(int count, char **arguments) {
  struct sbx_options options;
  switch (sbx_options_read(count, arguments, &options)) {
  case SBX_OPTIONS_DONE:
    return 0;
  case SBX_OPTIONS_BAD:
    return 2;
  case SBX_OPTIONS_RUN:
    break;
  }
  setvbuf(stdout, NULL, _IOLBF, 0);
  struct sbx_service service = {0};
  struct sbx_tls tls = {0};
  struct sbx_problem problem = {{0}};
  bool ok = run(&options, &service, &tls, &problem);
  if (!ok)
    fprintf(stderr, "identity-sandbox: %s\n", problem.text);
  sbx_tls_free(&tls);
  sbx_service_free(&service);
  return ok ? 0 : 1;
}
