#include "support/recorder.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <curl/curl.h>
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* ---- what the library asks for ---- */

static void mind(recorder *self, bool fine, const char *flaw) {
  if (!fine && self->flaw == NULL)
    self->flaw = flaw;
}

static char *copy_bytes(const void *bytes, size_t length) {
  char *copy = malloc(length + 1);
  assert_non_null(copy);
  if (length > 0)
    memcpy(copy, bytes, length);
  copy[length] = '\0';
  return copy;
}

static void copy_headers(taken *one, const identity_http_request *request) {
  size_t size = 1;
  for (uint32_t i = 0; i < request->header_count; i++)
    size += strlen(request->headers[i].name) + strlen(request->headers[i].value) + 3;
  one->headers = calloc(1, size);
  assert_non_null(one->headers);
  for (uint32_t i = 0; i < request->header_count; i++) {
    const identity_http_header *header = &request->headers[i];
    if (strcasecmp(header->name, "Authorization") == 0) {
      one->bearer = copy_bytes(header->value, strlen(header->value));
      continue;
    }
    size_t used = strlen(one->headers);
    snprintf(one->headers + used, size - used, "%s: %s\n", header->name, header->value);
  }
}

static void check_request(recorder *self, const identity_link *link, uint64_t number,
                          const identity_http_request *request) {
  mind(self, pthread_equal(self->driver, pthread_self()), "start ran on a foreign thread");
  mind(self, request->struct_size >= sizeof *request, "the request has no size");
  mind(self, request->reserved == 0, "reserved is not 0");
  mind(self, (request->body == NULL) == (request->body_length == 0), "body and its length do not fit");
  mind(self, strncmp(request->url, "http://", 7) == 0, "the URL is none");
  mind(self, strpbrk(request->url, " \r\n") == NULL, "the URL has blanks");
  for (int i = 0; i < self->count; i++)
    mind(self, self->items[i]->link != link || self->items[i]->number != number,
         "the number of an exchange was used before");
}

static identity_status begin(void *state, identity_link *link, uint64_t exchange,
                             const identity_http_request *request) {
  recorder *self = state;
  taken *one = calloc(1, sizeof *one);
  assert_non_null(one);
  assert_true(self->count < RECORDER_MOST);
  check_request(self, link, exchange, request);
  one->recorder = self;
  one->link = link;
  one->number = exchange;
  one->once = request->once;
  one->method = copy_bytes(request->method, strlen(request->method));
  one->url = copy_bytes(request->url, strlen(request->url));
  one->body = request->body != NULL ? copy_bytes(request->body, (size_t)request->body_length) : NULL;
  one->body_length = (size_t)request->body_length;
  copy_headers(one, request);
  self->items[self->count++] = one;
  return self->act(one);
}

static void cancel(void *state, uint64_t exchange) {
  recorder *self = state;
  taken *found = NULL;
  for (int i = 0; i < self->count; i++)
    if (self->items[i]->link != NULL && self->items[i]->number == exchange)
      found = self->items[i];
  mind(self, pthread_equal(self->driver, pthread_self()), "cancel ran on a foreign thread");
  mind(self, found != NULL, "an exchange was cancelled that was never begun");
  if (found != NULL)
    mind(self, atomic_fetch_add(&found->cancelled, 1) == 0, "an exchange was cancelled twice");
}

static identity_status open_state(void *user_data, identity_link *link, void **state) {
  recorder *self = user_data;
  mind(self, link != NULL, "open got no link");
  *state = self;
  self->opened += self->opens_as == IDENTITY_OK;
  return self->opens_as;
}

static void join_all(recorder *self) {
  for (int i = 0; i < self->count; i++) {
    taken *one = self->items[i];
    if (!one->has_thread)
      continue;
    (void)pthread_join(one->thread, NULL);
    one->has_thread = false;
  }
}

/* What still asks the service is done with it before the link goes. */
static void close_state(void *state) {
  recorder *self = state;
  self->closed++;
  join_all(self);
  for (int i = 0; i < self->count; i++)
    self->items[i]->link = NULL;
}

void recorder_start(recorder *self, service *server, recorder_act act) {
  memset(self, 0, sizeof *self);
  self->server = server;
  self->act = act;
  self->driver = pthread_self();
  identity_transport_init(&self->transport, sizeof self->transport);
  self->transport.user_data = self;
  self->transport.open = open_state;
  self->transport.close = close_state;
  self->transport.start = begin;
  self->transport.cancel = cancel;
}

void recorder_stop(recorder *self) {
  join_all(self);
  for (int i = 0; i < self->count; i++) {
    taken *one = self->items[i];
    free(one->method);
    free(one->url);
    free(one->body);
    free(one->headers);
    free(one->bearer);
    free(one);
  }
  self->count = 0;
  if (self->flaw != NULL)
    fail_msg("the transport saw: %s", self->flaw);
  assert_int_equal(self->opened, self->closed);
}

identity_config *recorder_config(recorder *self) {
  identity_config *config = service_config(self->server);
  assert_int_equal(identity_config_set_transport(config, &self->transport), IDENTITY_OK);
  return config;
}

/* ---- what it has seen ---- */

int recorder_count(const recorder *self, const char *method, const char *path) {
  int count = 0;
  size_t base = strlen(self->server->base_url);
  for (int i = 0; i < self->count; i++) {
    char own[512];
    const taken *one = self->items[i];
    if (strcmp(one->method, method) != 0 || strncmp(one->url, self->server->base_url, base) != 0)
      continue;
    snprintf(own, sizeof own, "%.*s", (int)strcspn(one->url + base, "?"), one->url + base);
    count += fnmatch(path, own, FNM_PATHNAME) == 0;
  }
  return count;
}

taken *recorder_last(const recorder *self) {
  assert_true(self->count > 0);
  return self->items[self->count - 1];
}

int recorder_cancels(const recorder *self) {
  int count = 0;
  for (int i = 0; i < self->count; i++)
    count += atomic_load(&self->items[i]->cancelled);
  return count;
}

void recorder_assert_unseen(const recorder *self, const char *secret) {
  for (int i = 0; i < self->count; i++) {
    const taken *one = self->items[i];
    if (strstr(one->url, secret) != NULL || strstr(one->headers, secret) != NULL ||
        strstr(one->method, secret) != NULL)
      fail_msg("a secret shows in: %s %s\n%s", one->method, one->url, one->headers);
  }
}

/* ---- acts ---- */

int32_t recorder_header(const taken *one, const char *line) {
  return identity_link_header(one->link, one->number, line, strlen(line));
}

void recorder_answer(taken *one, int status, const char *body) {
  char line[64];
  identity_link_sent(one->link, one->number);
  snprintf(line, sizeof line, "HTTP/1.1 %d Whatever\r\n", status);
  (void)recorder_header(one, line);
  (void)recorder_header(one, "Content-Type: application/json\r\n");
  (void)recorder_header(one, "\r\n");
  (void)identity_link_body(one->link, one->number, body, strlen(body));
  identity_link_complete(one->link, one->number, IDENTITY_OK, NULL);
}

identity_status recorder_stay_silent(taken *one) {
  (void)one;
  return IDENTITY_OK;
}

identity_status recorder_answer_at_once(taken *one) {
  recorder_answer(one, 200, RECORDER_LOCALE);
  return IDENTITY_OK;
}

/* ---- forwarding ---- */

static size_t on_header(char *bytes, size_t size, size_t count, void *user_data) {
  const taken *one = user_data;
  return identity_link_header(one->link, one->number, bytes, size * count) ? size * count : 0;
}

static size_t on_body(char *bytes, size_t size, size_t count, void *user_data) {
  const taken *one = user_data;
  return identity_link_body(one->link, one->number, bytes, size * count) ? size * count : 0;
}

static int on_progress(void *user_data, curl_off_t a, curl_off_t b, curl_off_t c, curl_off_t d) {
  const taken *one = user_data;
  (void)a, (void)b, (void)c, (void)d;
  return atomic_load(&one->cancelled);
}

static identity_status meaning_of(CURLcode result) {
  switch (result) {
  case CURLE_OK:
    return IDENTITY_OK;
  case CURLE_COULDNT_CONNECT:
    return IDENTITY_OFFLINE;
  case CURLE_WRITE_ERROR:
    return IDENTITY_NOT_THE_SERVICE;
  default:
    return IDENTITY_CONNECTION_LOST;
  }
}

static struct curl_slist *header_list(const taken *one) {
  char line[8192];
  struct curl_slist *list = curl_slist_append(NULL, "Expect:");
  for (const char *at = one->headers; *at != '\0'; at += strcspn(at, "\n") + 1) {
    snprintf(line, sizeof line, "%.*s", (int)strcspn(at, "\n"), at);
    list = curl_slist_append(list, line);
  }
  if (one->bearer != NULL) {
    snprintf(line, sizeof line, "Authorization: %s", one->bearer);
    list = curl_slist_append(list, line);
  }
  return list;
}

static CURLcode ask_service(taken *one) {
  struct curl_slist *headers = header_list(one);
  CURL *easy = curl_easy_init();
  curl_easy_setopt(easy, CURLOPT_URL, one->url);
  curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, one->method);
  curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers);
  curl_easy_setopt(easy, CURLOPT_PROXY, "");
  curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(easy, CURLOPT_TIMEOUT, 60L);
  if (one->body != NULL) {
    curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE, (long)one->body_length);
    curl_easy_setopt(easy, CURLOPT_POSTFIELDS, one->body);
  }
  curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
  curl_easy_setopt(easy, CURLOPT_HEADERDATA, one);
  curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
  curl_easy_setopt(easy, CURLOPT_WRITEDATA, one);
  curl_easy_setopt(easy, CURLOPT_NOPROGRESS, 0L);
  curl_easy_setopt(easy, CURLOPT_XFERINFOFUNCTION, on_progress);
  curl_easy_setopt(easy, CURLOPT_XFERINFODATA, one);
  identity_link_sent(one->link, one->number);
  CURLcode result = curl_easy_perform(easy);
  curl_easy_cleanup(easy);
  curl_slist_free_all(headers);
  return result;
}

static void *forward(void *user_data) {
  taken *one = user_data;
  if (!identity_link_may_send(one->link, one->number)) {
    identity_link_complete(one->link, one->number, IDENTITY_CANCELLED, NULL);
    return NULL;
  }
  CURLcode result = ask_service(one);
  identity_link_complete(one->link, one->number, meaning_of(result), curl_easy_strerror(result));
  return NULL;
}

identity_status recorder_forward(taken *one) {
  if (pthread_create(&one->thread, NULL, forward, one) != 0)
    return IDENTITY_OUT_OF_MEMORY;
  one->has_thread = true;
  return IDENTITY_OK;
}
