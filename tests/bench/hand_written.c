/* What a good user writes with libcurl and cJSON and nothing else: one handle that is reused, a time-out, the
 * status checked, the answer parsed and copied out. No refresh, no store, no retries: that is the
 * comparison's point. */
#include "measure.h"

#include <cjson/cJSON.h>
#include <curl/curl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct bench_body {
  char *bytes;
  size_t length;
  size_t capacity;
} bench_body;

typedef struct bench_client {
  CURL *easy;
  const char *base_url;
  bench_body body;
  struct curl_slist *json_headers;
  struct curl_slist *bearer_headers;
  char customer_id[24];
} bench_client;

typedef struct bench_customer {
  char *id;
  char *email;
  char *first_name;
  char *last_name;
  char *country;
  char *registration_date;
  char *last_login_date;
  char *last_user_ip;
  char *external_id;
  cJSON *external_data; /* JSON of the app's own: kept as it was parsed */
} bench_customer;

static size_t on_body(char *bytes, size_t size, size_t count, void *user_data) {
  bench_body *body = user_data;
  size_t needed = body->length + size * count + 1;
  if (needed > body->capacity) {
    size_t capacity = needed < 4096 ? 4096 : needed * 2;
    char *grown = realloc(body->bytes, capacity);
    if (grown == NULL)
      return 0;
    body->bytes = grown;
    body->capacity = capacity;
  }
  memcpy(body->bytes + body->length, bytes, size * count);
  body->length += size * count;
  body->bytes[body->length] = '\0';
  return size * count;
}

static struct curl_slist *append(struct curl_slist *list, const char *line) {
  struct curl_slist *grown = curl_slist_append(list, line);
  if (grown == NULL)
    give_up("out of memory");
  return grown;
}

static void open_client(bench_client *client, const bench_options *options) {
  memset(client, 0, sizeof *client);
  client->base_url = options->base_url;
  client->easy = curl_easy_init();
  if (client->easy == NULL)
    give_up("out of memory");
  client->json_headers = append(append(NULL, "Accept: application/json"), "Content-Type: application/json");
  curl_easy_setopt(client->easy, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(client->easy, CURLOPT_PROXY, "");
  curl_easy_setopt(client->easy, CURLOPT_TIMEOUT_MS, 30000L);
  curl_easy_setopt(client->easy, CURLOPT_CONNECTTIMEOUT_MS, 5000L);
  curl_easy_setopt(client->easy, CURLOPT_USERAGENT, "player/1.0");
  curl_easy_setopt(client->easy, CURLOPT_WRITEFUNCTION, on_body);
  curl_easy_setopt(client->easy, CURLOPT_WRITEDATA, &client->body);
  if (options->ca_file != NULL)
    curl_easy_setopt(client->easy, CURLOPT_CAINFO, options->ca_file);
}

static void close_client(bench_client *client) {
  curl_easy_cleanup(client->easy);
  curl_slist_free_all(client->json_headers);
  curl_slist_free_all(client->bearer_headers);
  free(client->body.bytes);
}

/* The answer's responseData; the caller deletes root. */
static cJSON *perform(bench_client *client, const char *path, cJSON **root) {
  char url[256];
  long status = 0;
  snprintf(url, sizeof url, "%s%s", client->base_url, path);
  client->body.length = 0;
  curl_easy_setopt(client->easy, CURLOPT_URL, url);
  CURLcode result = curl_easy_perform(client->easy);
  if (result != CURLE_OK)
    give_up("%s: %s", url, curl_easy_strerror(result));
  curl_easy_getinfo(client->easy, CURLINFO_RESPONSE_CODE, &status);
  *root = cJSON_ParseWithLength(client->body.bytes, client->body.length);
  cJSON *data = cJSON_GetObjectItemCaseSensitive(*root, "responseData");
  if (status != 200 || !cJSON_IsObject(data))
    give_up("%s: HTTP %ld, %s", url, status, client->body.bytes);
  return data;
}

static const char *text_of(const cJSON *object, const char *name) {
  return cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(object, name));
}

static void login(bench_client *client, const bench_options *options) {
  char line[4096];
  cJSON *root;
  cJSON *request = cJSON_CreateObject();
  cJSON_AddStringToObject(request, "email", options->email);
  cJSON_AddStringToObject(request, "password", BENCH_PASSWORD);
  cJSON_AddStringToObject(request, "publisherId", BENCH_PUBLISHER);
  char *text = cJSON_PrintUnformatted(request);
  if (text == NULL)
    give_up("out of memory");
  cJSON_Delete(request);
  curl_easy_setopt(client->easy, CURLOPT_HTTPHEADER, client->json_headers);
  curl_easy_setopt(client->easy, CURLOPT_POSTFIELDS, text);
  const cJSON *data = perform(client, "/auths", &root);
  const char *jwt = text_of(data, "jwt");
  const cJSON *id = cJSON_GetObjectItemCaseSensitive(data, "customerId");
  if (jwt == NULL || !cJSON_IsNumber(id))
    give_up("the login brought no JWT");
  snprintf(client->customer_id, sizeof client->customer_id, "%.0f", id->valuedouble);
  snprintf(line, sizeof line, "Authorization: Bearer %s", jwt);
  client->bearer_headers = append(append(NULL, "Accept: application/json"), line);
  curl_easy_setopt(client->easy, CURLOPT_HTTPGET, 1L);
  cJSON_Delete(root);
  free(text);
}

/* A copy of a text or of a number's digits; NULL when there is none. */
static char *copy_of(const cJSON *object, const char *name) {
  char digits[32];
  const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, name);
  if (cJSON_IsString(item))
    return strdup(item->valuestring);
  if (!cJSON_IsNumber(item))
    return NULL;
  snprintf(digits, sizeof digits, "%.0f", item->valuedouble);
  return strdup(digits);
}

static void fetch_customer(bench_client *client, bench_customer *customer) {
  char path[64];
  cJSON *root;
  snprintf(path, sizeof path, "/customers/%s", client->customer_id);
  curl_easy_setopt(client->easy, CURLOPT_HTTPGET, 1L);
  curl_easy_setopt(client->easy, CURLOPT_HTTPHEADER, client->bearer_headers);
  cJSON *data = perform(client, path, &root);
  customer->id = copy_of(data, "id");
  customer->email = copy_of(data, "email");
  customer->first_name = copy_of(data, "firstName");
  customer->last_name = copy_of(data, "lastName");
  customer->country = copy_of(data, "country");
  customer->registration_date = copy_of(data, "regDate");
  customer->last_login_date = copy_of(data, "lastLoginDate");
  customer->last_user_ip = copy_of(data, "lastUserIp");
  customer->external_id = copy_of(data, "externalId");
  customer->external_data = cJSON_DetachItemFromObjectCaseSensitive(data, "externalData");
  cJSON_Delete(root);
  if (customer->id == NULL || customer->email == NULL)
    give_up("the customer has no id or no e-mail address");
}

static void free_customer(bench_customer *customer) {
  free(customer->id);
  free(customer->email);
  free(customer->first_name);
  free(customer->last_name);
  free(customer->country);
  free(customer->registration_date);
  free(customer->last_login_date);
  free(customer->last_user_ip);
  free(customer->external_id);
  cJSON_Delete(customer->external_data);
}

static void get(bench_client *client, const bench_options *options) {
  bench_customer customer;
  fetch_customer(client, &customer);
  if (strcmp(customer.email, options->email) != 0)
    give_up("this is another customer: %s", customer.email);
  free_customer(&customer);
}

int main(int count, char *arguments[]) {
  bench_options options;
  bench_client client;
  read_options(&options, count, arguments);
  double begun = now_s();
  instructions_begin();
  if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
    give_up("libcurl does not start");
  open_client(&client, &options);
  login(&client, &options);
  instructions_end("first");
  double first = now_s();
  for (uint32_t i = 0; i < BENCH_WARM_UP; i++)
    get(&client, &options);
  double warm = now_s();
  double used = processor_s();
  instructions_begin();
  for (uint32_t i = 0; i < options.gets; i++)
    get(&client, &options);
  instructions_end("gets");
  used = processor_s() - used;
  double ended = now_s();
  report_begin();
  report("gets", options.gets);
  report("seconds", ended - warm);
  report("processor_seconds", used);
  report("open_to_first_ms", (first - begun) * 1000);
  report_end();
  close_client(&client);
  curl_global_cleanup();
  return 0;
}
