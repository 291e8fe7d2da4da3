#include "support/probe.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const identity_consent_answer probe_consents[PROBE_CONSENTS] = {
    [PROBE_TERMS] = {"terms", "1", 1, 0},
    [PROBE_BROADCASTER_TERMS] = {"broadcaster_terms", "1.7", 1, 0},
    [PROBE_MARKETING] = {"broadcaster_marketing", "1.7", 0, 0},
};

identity_register_params probe_register_params(const char *email) {
  identity_register_params params;
  identity_register_params_init(&params, sizeof params);
  params.email = email;
  params.password = TEST_PASSWORD;
  params.consents = probe_consents;
  params.consent_count = PROBE_CONSENTS;
  return params;
}

/* ---- errors ---- */

static bool is_line(const char *text, size_t size) {
  if (memchr(text, '\0', size) == NULL || text[0] == '\0')
    return false;
  return strpbrk(text, "\r\n\t") == NULL;
}

void probe_error(const char *what, const identity_error *error, const expected *wanted) {
  const char *field = wanted->field != NULL ? wanted->field : "";
  const char *code = wanted->code != NULL ? wanted->code : "";
  bool ok = error->status == wanted->status && strcmp(error->field, field) == 0 &&
            strcmp(error->code, code) == 0 &&
            (wanted->http_status < 0 || error->http_status == wanted->http_status);
  if (wanted->status != IDENTITY_OK)
    ok = ok && is_line(error->message, sizeof error->message);
  if (!ok)
    fail_msg("%s: expected %s field \"%s\" code \"%s\" HTTP %d, got %s field \"%s\" code \"%s\" HTTP %d: %s",
             what, identity_status_name(wanted->status), field, code, (int)wanted->http_status,
             identity_status_name(error->status), error->field, error->code, (int)error->http_status,
             error->message);
}

void probe_status(const char *what, const identity_error *error, identity_status status, const char *field) {
  const expected wanted = {status, -1, field, error->code};
  probe_error(what, error, &wanted);
}

/* ---- the journal ---- */

static const char *text_of(const cJSON *object, const char *name) {
  const char *text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(object, name));
  return text != NULL ? text : "";
}

int probe_requests(service *server) {
  cJSON *journal = service_get(server, "journal");
  int count = cJSON_GetArraySize(cJSON_GetObjectItemCaseSensitive(journal, "requests"));
  cJSON_Delete(journal);
  return count;
}

void probe_sent(service *server, const char *method, const char *path, int count) {
  int found = service_count(server, method, path, -1);
  if (found != count)
    fail_msg("%s %s was sent %d times, expected %d", method, path, found, count);
}

cJSON *probe_request(service *server, const char *method, const char *path) {
  cJSON *last = NULL;
  const cJSON *entry;
  cJSON *journal = service_get(server, "journal");
  cJSON_ArrayForEach(entry, cJSON_GetObjectItemCaseSensitive(journal, "requests")) {
    if (strcmp(text_of(entry, "method"), method) != 0 ||
        fnmatch(path, text_of(entry, "path"), FNM_PATHNAME) != 0)
      continue;
    cJSON_Delete(last);
    last = cJSON_Duplicate(entry, true);
  }
  cJSON_Delete(journal);
  if (last == NULL)
    fail_msg("%s %s was not sent", method, path);
  return last;
}

static int number_of_request(service *server, const char *method, const char *path, const char *name) {
  cJSON *request = probe_request(server, method, path);
  const cJSON *item = cJSON_GetObjectItemCaseSensitive(request, name);
  int number = cJSON_IsNumber(item) ? item->valueint : -1;
  cJSON_Delete(request);
  return number;
}

int probe_place(service *server, const char *method, const char *path) {
  return number_of_request(server, method, path, "seq");
}

int probe_body_bytes(service *server, const char *method, const char *path) {
  return number_of_request(server, method, path, "body_bytes");
}

bool probe_has_header(service *server, const char *method, const char *path, const char *header) {
  char list[256];
  char named[80];
  cJSON *request = probe_request(server, method, path);
  snprintf(list, sizeof list, ",%s,", text_of(request, "headers"));
  snprintf(named, sizeof named, ",%s,", header);
  cJSON_Delete(request);
  return strstr(list, named) != NULL;
}

/* ---- customers ---- */

cJSON *probe_customer(service *server, const char *email) {
  cJSON *found = NULL;
  const cJSON *customer;
  cJSON *customers = service_get(server, "customers");
  cJSON_ArrayForEach(customer, cJSON_GetObjectItemCaseSensitive(customers, "customers")) {
    if (found == NULL && strcmp(text_of(customer, "email"), email) == 0)
      found = cJSON_Duplicate(customer, true);
  }
  cJSON_Delete(customers);
  return found;
}

char *probe_customer_text(service *server, const char *email, const char *path) {
  char step[64];
  cJSON *customer = probe_customer(server, email);
  const cJSON *item = customer;
  assert_non_null(customer);
  while (item != NULL && *path != '\0') {
    size_t length = strcspn(path, "/");
    snprintf(step, sizeof step, "%.*s", (int)length, path);
    item = cJSON_GetObjectItemCaseSensitive(item, step);
    path += length + (path[length] == '/');
  }
  char *text = NULL;
  if (item == NULL || cJSON_IsNull(item))
    text = strdup("");
  else
    text = cJSON_IsString(item) ? strdup(item->valuestring) : cJSON_PrintUnformatted(item);
  cJSON_Delete(customer);
  assert_non_null(text);
  return text;
}

void probe_customer_is(service *server, const char *email, const char *path, const char *text) {
  char *found = probe_customer_text(server, email, path);
  if (strcmp(found, text) != 0)
    fail_msg("%s of %s is \"%s\", expected \"%s\"", path, email, found, text);
  free(found);
}

/* ---- faults ---- */

void probe_answer(service *server, const char *method, const char *path, int status, const char *body,
                  const char *headers) {
  cJSON *fault = cJSON_CreateObject();
  cJSON_AddStringToObject(fault, "method", method);
  cJSON_AddStringToObject(fault, "path", path);
  cJSON_AddNumberToObject(fault, "times", -1);
  cJSON_AddNumberToObject(fault, "status", status);
  if (body != NULL)
    cJSON_AddStringToObject(fault, "body", body);
  if (headers != NULL)
    cJSON_AddItemToObject(fault, "headers", cJSON_Parse(headers));
  char *json = cJSON_PrintUnformatted(fault);
  cJSON_Delete(fault);
  assert_non_null(json);
  service_clear_faults(server);
  service_fault(server, json);
  free(json);
}

/* ---- sessions ---- */

identity_session *probe_open(identity_config *config) {
  identity_session *session = NULL;
  identity_error error;
  if (identity_session_open(config, "viewer", &session, &error) != IDENTITY_OK)
    fail_msg("open: %s", error.message);
  identity_config_free(config);
  return session;
}

void probe_reason(identity_session *session, int32_t state, int32_t reason) {
  const identity_state *seen = NULL;
  assert_int_equal(identity_session_state(session, &seen, NULL), IDENTITY_OK);
  if (seen->state != state || seen->reason != reason)
    fail_msg("the state is %s (%s), expected %d (%d)", seen->state_name, seen->reason_name, (int)state,
             (int)reason);
  identity_state_free(seen);
}
