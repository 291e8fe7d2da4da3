#include "support/service.h"
#include "support/reaper.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <curl/curl.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* ---- the process ---- */

enum { MAX_OPTIONS = 24, START_PATIENCE_MS = 20000, STOP_PATIENCE_MS = 10000 };

void service_pause_ms(int ms) {
  struct timespec time = {ms / 1000, (long)(ms % 1000) * 1000000};
  while (nanosleep(&time, &time) != 0 && errno == EINTR)
    continue;
}

int64_t service_now_ms(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* The program lies in the build folder, two above the test. */
static void find_sandbox(char path[PATH_MAX + 64]) {
  char self[PATH_MAX] = "";
  const char *given = getenv("IDENTITY_TEST_SANDBOX");
  if (given != NULL) {
    snprintf(path, PATH_MAX + 64, "%s", given);
    return;
  }
  assert_true(readlink("/proc/self/exe", self, sizeof self - 1) > 0);
  snprintf(path, PATH_MAX + 64, "%s/../../identity-sandbox", dirname(self));
}

static void run_sandbox(char *const arguments[], const char *directory) {
  char log[96];
  snprintf(log, sizeof log, "%s/log", directory);
  int file = open(log, O_CREAT | O_WRONLY | O_TRUNC, 0600);
  if (file >= 0) {
    dup2(file, STDOUT_FILENO);
    dup2(file, STDERR_FILENO);
  }
  execv(arguments[0], arguments);
  _exit(127);
}

static int read_port(const char *port_file) {
  int port = 0;
  FILE *file = fopen(port_file, "r");
  if (file == NULL)
    return 0;
  if (fscanf(file, "%d", &port) != 1)
    port = 0;
  fclose(file);
  return port;
}

static void await_port(service *server, const char *port_file) {
  for (int waited = 0; waited < START_PATIENCE_MS; waited += 10) {
    server->port = read_port(port_file);
    if (server->port > 0)
      return;
    if (waitpid(server->process, NULL, WNOHANG) != 0)
      fail_msg("the stand-in service did not start; is it built? (%s)", port_file);
    service_pause_ms(10);
  }
  fail_msg("the stand-in service was not ready within %d ms", START_PATIENCE_MS);
}

void service_start(service *server, int kind, const char *const options[]) {
  char path[PATH_MAX + 64];
  char port_file[96];
  char state[128];
  const char *arguments[MAX_OPTIONS + 12];
  size_t count = 0;
  memset(server, 0, sizeof *server);
  snprintf(server->directory, sizeof server->directory, "/tmp/identity-test-XXXXXX");
  assert_non_null(mkdtemp(server->directory));
  snprintf(port_file, sizeof port_file, "%s/port", server->directory);
  snprintf(state, sizeof state, "%s/state", server->directory);
  server->tls = kind == SERVICE_TLS;
  find_sandbox(path);
  const char *common[] = {path, "--port", "0", "--port-file", port_file, "--state", state, "--quiet"};
  for (size_t i = 0; i < sizeof common / sizeof common[0]; i++)
    arguments[count++] = common[i];
  if (server->tls)
    arguments[count++] = "--tls";
  for (size_t i = 0; options != NULL && options[i] != NULL && i < MAX_OPTIONS; i++) {
    arguments[count++] = options[i];
    server->flawed = server->flawed || strcmp(options[i], "--certificate") == 0;
  }
  arguments[count] = NULL;
  pid_t parent = getpid();
  server->process = fork();
  assert_true(server->process >= 0);
  if (server->process == 0) {
    reaper_end_with(parent);
    run_sandbox((char *const *)(uintptr_t)arguments, server->directory);
  }
  reaper_watch(server->process, server->directory);
  await_port(server, port_file);
  snprintf(server->base_url, sizeof server->base_url, "%s://127.0.0.1:%d", server->tls ? "https" : "http",
           server->port);
  if (server->tls)
    snprintf(server->ca_file, sizeof server->ca_file, "%s/ca.pem", state);
}

void service_stop(service *server) {
  int status = 0;
  if (server->process <= 0)
    return;
  kill(server->process, SIGTERM);
  for (int waited = 0; waited < STOP_PATIENCE_MS; waited += 10) {
    if (waitpid(server->process, &status, WNOHANG) == server->process) {
      reaper_forget(server->process);
      server->process = 0;
      reaper_remove(server->directory);
      assert_true(WIFEXITED(status));
      assert_int_equal(WEXITSTATUS(status), 0);
      return;
    }
    service_pause_ms(10);
  }
  kill(server->process, SIGKILL);
  waitpid(server->process, NULL, 0);
  reaper_forget(server->process);
  server->process = 0;
  fail_msg("the stand-in service did not stop within %d ms", STOP_PATIENCE_MS);
}

/* ---- control ---- */

typedef struct collected {
  char *bytes;
  size_t length;
} collected;

static size_t collect(char *bytes, size_t size, size_t count, void *user_data) {
  collected *answer = user_data;
  char *grown = realloc(answer->bytes, answer->length + size * count + 1);
  if (grown == NULL)
    return 0;
  answer->bytes = grown;
  memcpy(answer->bytes + answer->length, bytes, size * count);
  answer->length += size * count;
  answer->bytes[answer->length] = '\0';
  return size * count;
}

static char *exchange(service *server, const char *method, const char *url, const char *json, long *status) {
  collected answer = {NULL, 0};
  struct curl_slist *headers = curl_slist_append(NULL, "Content-Type: application/json");
  CURL *easy = curl_easy_init();
  assert_non_null(easy);
  curl_easy_setopt(easy, CURLOPT_URL, url);
  curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, method);
  curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers);
  curl_easy_setopt(easy, CURLOPT_PROXY, "");
  curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(easy, CURLOPT_TIMEOUT, 20L);
  if (json != NULL)
    curl_easy_setopt(easy, CURLOPT_POSTFIELDS, json);
  if (server->tls)
    curl_easy_setopt(easy, CURLOPT_CAINFO, server->ca_file);
  curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, server->flawed ? 0L : 1L);
  curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, server->flawed ? 0L : 2L);
  curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, collect);
  curl_easy_setopt(easy, CURLOPT_WRITEDATA, &answer);
  CURLcode result = curl_easy_perform(easy);
  curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, status);
  curl_easy_cleanup(easy);
  curl_slist_free_all(headers);
  if (result != CURLE_OK)
    fail_msg("%s %s: %s", method, url, curl_easy_strerror(result));
  return answer.bytes;
}

static char *control(service *server, const char *method, const char *path, const char *json) {
  char url[256];
  long status = 0;
  snprintf(url, sizeof url, "%s/_sandbox/%s", server->base_url, path);
  char *answer = exchange(server, method, url, json, &status);
  if (status != 200)
    fail_msg("%s /_sandbox/%s: HTTP %ld: %s", method, path, status, answer != NULL ? answer : "");
  return answer;
}

char *service_request(service *server, const char *method, const char *path, const char *json) {
  char url[256];
  long status = 0;
  snprintf(url, sizeof url, "%s%s", server->base_url, path);
  return exchange(server, method, url, json, &status);
}

cJSON *service_get(service *server, const char *path) {
  char *answer = control(server, "GET", path, NULL);
  cJSON *json = cJSON_Parse(answer);
  free(answer);
  assert_non_null(json);
  return json;
}

void service_send(service *server, const char *method, const char *path, const char *json) {
  free(control(server, method, path, json));
}

void service_reset(service *server) {
  service_send(server, "POST", "reset", "{}");
}

void service_fault(service *server, const char *json) {
  service_send(server, "POST", "faults", json);
}

void service_clear_faults(service *server) {
  service_send(server, "DELETE", "faults", NULL);
}

void service_shift_clock(service *server, int seconds) {
  char json[64];
  snprintf(json, sizeof json, "{\"offset_seconds\":%d}", seconds);
  service_send(server, "PUT", "clock", json);
}

void service_issue_short_jwt(service *server, const char *path) {
  char json[160];
  long long now = (long long)time(NULL);
  snprintf(json, sizeof json, "{\"path\":\"%s\",\"claims\":{\"iat\":%lld,\"exp\":%lld}}", path, now + 899,
           now + 900);
  service_fault(server, json);
}

/* ---- the journal ---- */

static bool path_matches(const char *pattern, const char *path) {
  while (*pattern != '\0') {
    if (*pattern == '*') {
      path += strcspn(path, "/");
      pattern++;
      continue;
    }
    if (*pattern++ != *path++)
      return false;
  }
  return *path == '\0';
}

static const char *text_of(const cJSON *object, const char *name) {
  const char *text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(object, name));
  return text != NULL ? text : "";
}

static int number_of(const cJSON *object, const char *name) {
  const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, name);
  return cJSON_IsNumber(item) ? item->valueint : 0;
}

int service_count(service *server, const char *method, const char *path, int status) {
  int count = 0;
  const cJSON *entry;
  cJSON *journal = service_get(server, "journal");
  cJSON_ArrayForEach(entry, cJSON_GetObjectItemCaseSensitive(journal, "requests")) {
    if (strcmp(text_of(entry, "method"), method) == 0 && path_matches(path, text_of(entry, "path")) &&
        (status < 0 || number_of(entry, "status") == status))
      count++;
  }
  cJSON_Delete(journal);
  return count;
}

int service_connections(service *server) {
  int highest = 0;
  int seen[1024] = {0};
  int count = 0;
  const cJSON *entry;
  cJSON *journal = service_get(server, "journal");
  cJSON_ArrayForEach(entry, cJSON_GetObjectItemCaseSensitive(journal, "requests")) {
    int number = number_of(entry, "connection");
    if (number > highest)
      highest = number;
    if (number > 0 && number < 1024 && !seen[number]) {
      seen[number] = 1;
      count++;
    }
  }
  cJSON_Delete(journal);
  assert_true(highest < 1024);
  return count;
}

char *service_last_link(service *server) {
  char *link = NULL;
  cJSON *outbox = service_get(server, "outbox");
  const cJSON *mails = cJSON_GetObjectItemCaseSensitive(outbox, "mails");
  const cJSON *last = cJSON_GetArrayItem(mails, cJSON_GetArraySize(mails) - 1);
  assert_non_null(last);
  link = strdup(text_of(last, "link"));
  cJSON_Delete(outbox);
  assert_non_null(link);
  assert_true(link[0] != '\0');
  return link;
}

int service_valid_refresh_tokens(service *server, const char *email) {
  int count = -1;
  const cJSON *customer;
  cJSON *customers = service_get(server, "customers");
  cJSON_ArrayForEach(customer, cJSON_GetObjectItemCaseSensitive(customers, "customers")) {
    if (strcmp(text_of(customer, "email"), email) == 0)
      count = cJSON_GetArraySize(cJSON_GetObjectItemCaseSensitive(customer, "refresh_tokens"));
  }
  cJSON_Delete(customers);
  assert_true(count >= 0);
  return count;
}

/* ---- sessions ---- */

static struct {
  pthread_mutex_t lock;
  char *lines;
  size_t length;
  const char *secrets[64];
  int secret_count;
} watch = {.lock = PTHREAD_MUTEX_INITIALIZER};

static void keep_line(int32_t level, const char *line, void *user_data) {
  (void)level, (void)user_data;
  pthread_mutex_lock(&watch.lock);
  size_t size = strlen(line) + 1;
  char *grown = realloc(watch.lines, watch.length + size + 1);
  if (grown != NULL) {
    memcpy(grown + watch.length, line, size);
    grown[watch.length + size - 1] = '\n';
    watch.length += size;
    grown[watch.length] = '\0';
    watch.lines = grown;
  }
  pthread_mutex_unlock(&watch.lock);
  if (getenv("IDENTITY_TEST_VERBOSE") != NULL)
    fprintf(stderr, "    %s\n", line);
}

void service_watch_secret(const char *secret) {
  assert_true(watch.secret_count < 64);
  char *copy = strdup(secret);
  assert_non_null(copy);
  watch.secrets[watch.secret_count++] = copy;
}

static void assert_clean(const char *text, const char *secret) {
  if (text != NULL && secret != NULL && strstr(text, secret) != NULL)
    fail_msg("a secret shows in: %s", text);
}

void service_assert_no_secret(const char *const texts[]) {
  assert_clean(watch.lines, TEST_PASSWORD);
  assert_clean(watch.lines, "Bearer ");
  assert_clean(watch.lines, "eyJ");
  for (int i = 0; i < watch.secret_count; i++) {
    assert_clean(watch.lines, watch.secrets[i]);
    for (size_t t = 0; texts != NULL && texts[t] != NULL; t++)
      assert_clean(texts[t], watch.secrets[i]);
  }
  for (size_t t = 0; texts != NULL && texts[t] != NULL; t++)
    assert_clean(texts[t], TEST_PASSWORD);
}

void service_assert_logged(const char *text) {
  if (watch.lines == NULL || strstr(watch.lines, text) == NULL)
    fail_msg("no log line has \"%s\"", text);
}

identity_config *service_config(service *server) {
  identity_config *config = identity_config_new(TEST_PUBLISHER);
  assert_non_null(config);
  assert_int_equal(identity_config_set_base_url(config, server->base_url), IDENTITY_OK);
  assert_int_equal(identity_config_set_loopback_http(config, 1), IDENTITY_OK);
  assert_int_equal(identity_config_set_log(config, IDENTITY_LOG_DEBUG, keep_line, NULL), IDENTITY_OK);
  if (server->tls)
    assert_int_equal(identity_config_set_ca_file(config, server->ca_file), IDENTITY_OK);
  return config;
}

identity_session *service_open_with(identity_config *config, const char *account) {
  identity_session *session = NULL;
  identity_error error;
  if (identity_session_open(config, account, &session, &error) != IDENTITY_OK)
    fail_msg("open: %s", error.message);
  identity_config_free(config);
  return session;
}

identity_session *service_open(service *server, const char *account) {
  return service_open_with(service_config(server), account);
}

identity_session *service_open_stored(service *server, const char *account, const char *store) {
  char directory[128];
  identity_config *config = service_config(server);
  snprintf(directory, sizeof directory, "%s/%s", server->directory, store);
  assert_int_equal(identity_config_set_file_store(config, directory), IDENTITY_OK);
  return service_open_with(config, account);
}

void service_login_raw(service *server, const char *email, char **jwt, char **refresh_token) {
  char json[256];
  snprintf(json, sizeof json, "{\"email\":\"%s\",\"password\":\"%s\",\"publisherId\":\"%s\"}", email,
           TEST_PASSWORD, TEST_PUBLISHER);
  char *answer = service_request(server, "POST", "/auths", json);
  cJSON *root = cJSON_Parse(answer);
  const cJSON *data = cJSON_GetObjectItemCaseSensitive(root, "responseData");
  *jwt = strdup(text_of(data, "jwt"));
  *refresh_token = strdup(text_of(data, "refreshToken"));
  cJSON_Delete(root);
  free(answer);
  assert_true(*jwt != NULL && *refresh_token != NULL);
  assert_true((*jwt)[0] != '\0' && (*refresh_token)[0] != '\0');
}

void service_register(identity_session *session, const char *email) {
  identity_error error;
  identity_consent_answer answers[16];
  const identity_consents *consents = NULL;
  memset(answers, 0, sizeof answers);
  if (identity_fetch_publisher_consents(session, &consents, &error) != IDENTITY_OK)
    fail_msg("consents: %s", error.message);
  assert_true(consents->count <= 16);
  for (uint32_t i = 0; i < consents->count; i++) {
    answers[i].name = consents->items[i]->name;
    answers[i].version = consents->items[i]->version;
    answers[i].accepted = 1;
  }
  identity_register_params params;
  identity_register_params_init(&params, sizeof params);
  params.email = email;
  params.password = TEST_PASSWORD;
  params.consents = answers;
  params.consent_count = consents->count;
  if (identity_register(session, &params, &error) != IDENTITY_OK)
    fail_msg("register: %s", error.message);
  identity_consents_free(consents);
}

identity_status service_login(identity_session *session, const char *email, const char *password,
                              identity_error *error) {
  identity_login_params params;
  identity_login_params_init(&params, sizeof params);
  params.email = email;
  params.password = password;
  return identity_login(session, &params, error);
}

static const identity_state *state_of(identity_session *session) {
  const identity_state *state = NULL;
  assert_int_equal(identity_session_state(session, &state, NULL), IDENTITY_OK);
  return state;
}

int32_t service_state_of(identity_session *session) {
  const identity_state *state = state_of(session);
  int32_t value = state->state;
  identity_state_free(state);
  return value;
}

int32_t service_pending_of(identity_session *session) {
  const identity_state *state = state_of(session);
  int32_t value = state->consents_pending;
  identity_state_free(state);
  return value;
}

int32_t service_reason_of(identity_session *session) {
  const identity_state *state = state_of(session);
  int32_t value = state->reason;
  identity_state_free(state);
  return value;
}

int64_t service_wait_of(identity_session *session) {
  const identity_state *state = state_of(session);
  int64_t value = state->retry_after_ms;
  identity_state_free(state);
  return value;
}

identity_status service_fetch(identity_session *session, identity_error *error) {
  const identity_customer *customer = NULL;
  identity_status status = identity_fetch_customer(session, &customer, error);
  identity_customer_free(customer);
  return status;
}
