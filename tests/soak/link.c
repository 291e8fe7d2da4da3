#include "soak/link.h"

#include <curl/curl.h>
#include <cjson/cJSON.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { START_PATIENCE_MS = 20000, CLOCK_PROBES = 20 };

static struct {
  CURL *easy;
  pid_t process;
  char base_url[64];
  int64_t started_us; /* where the journal counts from */
  int64_t offset_s;
  char *answer;
  size_t length;
} service;

/* ---- one request ---- */

static size_t collect(char *bytes, size_t size, size_t count, void *user_data) {
  (void)user_data;
  char *grown = realloc(service.answer, service.length + size * count + 1);
  if (grown == NULL)
    return 0;
  memcpy(grown + service.length, bytes, size * count);
  service.length += size * count;
  grown[service.length] = '\0';
  service.answer = grown;
  return size * count;
}

const char *link_control(const char *method, const char *path, const char *json) {
  char url[160];
  long status = 0;
  snprintf(url, sizeof url, "%s/_sandbox/%s", service.base_url, path);
  service.length = 0;
  curl_easy_setopt(service.easy, CURLOPT_URL, url);
  curl_easy_setopt(service.easy, CURLOPT_CUSTOMREQUEST, method);
  curl_easy_setopt(service.easy, CURLOPT_POSTFIELDS, json != NULL ? json : "");
  curl_easy_setopt(service.easy, CURLOPT_HTTPGET, json == NULL ? 1L : 0L);
  curl_easy_setopt(service.easy, CURLOPT_CUSTOMREQUEST, method);
  CURLcode result = curl_easy_perform(service.easy);
  curl_easy_getinfo(service.easy, CURLINFO_RESPONSE_CODE, &status);
  if (result != CURLE_OK || status != 200)
    soak_give_up("%s /_sandbox/%s: %s, HTTP %ld: %s", method, path, curl_easy_strerror(result), status,
                 service.length > 0 ? service.answer : "");
  return service.answer;
}

cJSON *link_read(const char *path) {
  cJSON *json = cJSON_Parse(link_control("GET", path, NULL));
  if (json == NULL)
    soak_give_up("GET /_sandbox/%s: no JSON", path);
  return json;
}

/* ---- the process ---- */

static void write_config(const char *path) {
  FILE *file = fopen(path, "we");
  if (file == NULL)
    soak_give_up("%s cannot be written", path);
  fprintf(file, "{\"publishers\":[{\"id\":\"%s\"}],\"customers\":[", SOAK_PUBLISHER);
  for (int32_t i = 0; i < SOAK_DEVICES; i++)
    fprintf(file,
            "%s{\"id\":%d,\"publisherId\":\"%s\",\"email\":\"viewer-%d@example.com\",\"password\":\"%s\"}",
            i > 0 ? "," : "", 1000 + (int)i, SOAK_PUBLISHER, (int)i, SOAK_PASSWORD);
  fprintf(file, "]}\n");
  if (fclose(file) != 0)
    soak_give_up("%s cannot be written", path);
}

static void await_port(const char *port_file) {
  int port = 0;
  for (int64_t begun = soak_real_ms(); port == 0; usleep(5000)) {
    FILE *file = fopen(port_file, "re");
    if (file != NULL && fscanf(file, "%d", &port) != 1)
      port = 0;
    if (file != NULL)
      fclose(file);
    if (waitpid(service.process, NULL, WNOHANG) != 0 || soak_real_ms() - begun > START_PATIENCE_MS)
      soak_give_up("the stand-in service did not start");
  }
  snprintf(service.base_url, sizeof service.base_url, "http://127.0.0.1:%d", port);
}

/* The journal counts from the start of the service, the events on the clock of the machine. Asked several
 * times, since a request takes a while to arrive. */
static void compare_clocks(void) {
  char url[96];
  snprintf(url, sizeof url, "%s/locales", service.base_url);
  for (int i = 0; i < CLOCK_PROBES; i++) {
    curl_easy_setopt(service.easy, CURLOPT_URL, url);
    int64_t before_us = soak_real_us();
    if (curl_easy_perform(service.easy) != CURLE_OK)
      soak_give_up("the stand-in service does not answer");
    cJSON *journal = link_read("journal");
    const cJSON *list = cJSON_GetObjectItemCaseSensitive(journal, "requests");
    const cJSON *last = cJSON_GetArrayItem(list, cJSON_GetArraySize(list) - 1);
    const cJSON *elapsed = cJSON_GetObjectItemCaseSensitive(last, "elapsed_ms");
    if (!cJSON_IsNumber(elapsed))
      soak_give_up("the journal has no time");
    int64_t started_us = before_us - (int64_t)(elapsed->valuedouble * 1000);
    if (i == 0 || started_us > service.started_us)
      service.started_us = started_us;
    cJSON_Delete(journal);
  }
}

void link_start(soak_page *page, const char *sandbox, int64_t grace_s) {
  char config[192];
  char port_file[192];
  char grace[24];
  snprintf(config, sizeof config, "%s/config.json", page->directory);
  snprintf(port_file, sizeof port_file, "%s/port", page->directory);
  snprintf(grace, sizeof grace, "%lld", (long long)grace_s);
  write_config(config);
  service.process = fork();
  if (service.process == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    execl(sandbox, sandbox, "--port", "0", "--port-file", port_file, "--config", config, "--grace", grace,
          "--quiet", (char *)NULL);
    _exit(127);
  }
  await_port(port_file);
  service.easy = curl_easy_init();
  if (service.easy == NULL)
    soak_give_up("libcurl cannot be had");
  curl_easy_setopt(service.easy, CURLOPT_PROXY, "");
  curl_easy_setopt(service.easy, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(service.easy, CURLOPT_TIMEOUT, 20L);
  curl_easy_setopt(service.easy, CURLOPT_WRITEFUNCTION, collect);
  compare_clocks();
  memcpy(page->base_url, service.base_url, sizeof page->base_url);
}

int64_t link_started_us(void) {
  return service.started_us;
}

void link_stop(void) {
  if (service.process > 0) {
    kill(service.process, SIGKILL);
    waitpid(service.process, NULL, 0);
  }
  curl_easy_cleanup(service.easy);
  free(service.answer);
  memset(&service, 0, sizeof service);
}

void link_set_clock(int64_t now_ms) {
  char json[64];
  int64_t offset_s = (SOAK_EPOCH_MS + now_ms) / 1000 - (int64_t)time(NULL);
  if (offset_s == service.offset_s)
    return;
  snprintf(json, sizeof json, "{\"offset_seconds\":%lld}", (long long)offset_s);
  (void)link_control("PUT", "clock", json);
  service.offset_s = offset_s;
}

void link_release(void) {
  (void)link_control("POST", "release", "{}");
}

void link_close_idle(void) {
  (void)link_control("POST", "close-idle", "{}");
}
