#include "soak/faults.h"

#include <stdio.h>
#include <string.h>

#define HTML "\"headers\":{\"Content-Type\":\"text/html\"},\"body\":\"<html><p>Please wait</p></html>\""
#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

/* No JSON with a list of errors on a refresh: after an hour of such refusals the session is over by right. */
static const struct {
  const char *name;
  const char *json; /* without percent and times */
  bool delay;
} rows[] = {
    {"503", "\"status\":503", false},
    {"503 Retry-After", "\"status\":503,\"headers\":{\"Retry-After\":\"120\"}", false},
    {"429", "\"status\":429", false},
    {"429 Retry-After", "\"status\":429,\"headers\":{\"Retry-After\":\"30\"}", false},
    {"500 HTML", "\"status\":500," HTML, false},
    {"502 HTML after", "\"status\":502,\"after\":true," HTML, false},
    {"504 JSON", "\"status\":504,\"body\":{\"message\":\"no answer\"}", false},
    {"408", "\"status\":408", false},
    {"drop before", "\"drop\":\"before\"", false},
    {"reset before", "\"drop\":\"before\",\"abort\":true", false},
    {"drop after", "\"drop\":\"after\"", false},
    {"reset after", "\"drop\":\"after\",\"abort\":true", false},
    {"cut body", "\"cut_body_at\":30", false},
    {"held before", "\"hang\":true", true},
    {"held after", "\"hang\":true,\"after\":true", true},
    {"portal 200 HTML", "\"status\":200," HTML, false},
    {"portal 302", "\"status\":302,\"headers\":{\"Location\":\"http://portal.example/\"}," HTML, false},
    {"portal 511", "\"status\":511," HTML, false},
    {"200 {}", "\"status\":200,\"body\":{}", false},
    {"200 {} after", "\"status\":200,\"after\":true,\"body\":{}", false},
    {"401 HTML", "\"status\":401," HTML, false},
    {"403 HTML", "\"status\":403," HTML, false},
    {"403 message", "\"status\":403,\"body\":{\"message\":\"blocked\"}", false},
    {"401 JSON",
     "\"path\":\"/customers/*\",\"status\":401,\"body\":{\"errors\":[\"Invalid JWT "
     "token\"],\"code\":\"AUTH0002\"}",
     false},
    {"idle closed", "\"reused_only\":true,\"drop\":\"before\"", false},
};

static size_t row_of_id[COUNT(rows) + 1]; /* the service numbers them from 1 in the order of their arrival */

void faults_set(uint64_t seed, int32_t percent) {
  char json[400];
  size_t order[COUNT(rows)];
  soak_dice dice = {seed};
  for (size_t i = 0; i < COUNT(rows); i++)
    order[i] = i;
  for (size_t i = COUNT(rows) - 1; i > 0; i--) {
    size_t other = (size_t)soak_pick(&dice, (int64_t)i + 1);
    size_t kept = order[i];
    order[i] = order[other];
    order[other] = kept;
  }
  for (size_t i = 0; i < COUNT(rows); i++) {
    row_of_id[i + 1] = order[i];
    snprintf(json, sizeof json, "{\"times\":-1,\"percent\":%d,%s}", (int)percent, rows[order[i]].json);
    (void)link_control("POST", "faults", json);
  }
}

void faults_clear(void) {
  (void)link_control("DELETE", "faults", NULL);
}

size_t faults_count(void) {
  return COUNT(rows);
}

const char *fault_name(size_t fault) {
  return rows[fault].name;
}

bool fault_is_delay(size_t fault) {
  return rows[fault].delay;
}

int32_t fault_of_id(int64_t id) {
  return id >= 1 && (size_t)id <= COUNT(rows) ? (int32_t)row_of_id[id] : -1;
}

void faults_applied(int64_t applied[]) {
  cJSON *list = link_read("faults");
  const cJSON *one;
  cJSON_ArrayForEach(one, cJSON_GetObjectItemCaseSensitive(list, "faults")) {
    const cJSON *id = cJSON_GetObjectItemCaseSensitive(one, "id");
    const cJSON *count = cJSON_GetObjectItemCaseSensitive(one, "applied");
    int32_t row = cJSON_IsNumber(id) ? fault_of_id(id->valueint) : -1;
    if (row >= 0 && cJSON_IsNumber(count))
      applied[row] = count->valueint;
  }
  cJSON_Delete(list);
}
