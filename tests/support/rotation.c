#include "support/rotation.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

enum { PATIENCE_MS = 10000, STEP_MS = 2 };

void rotation_fault(service *server, const char *members) {
  char json[600];
  int length =
      snprintf(json, sizeof json, "{\"method\":\"POST\",\"path\":\"" ROTATION_PATH "\",%s}", members);
  assert_in_range(length, 1, sizeof json - 1);
  service_fault(server, json);
}

int rotation_count(service *server, int status) {
  return service_count(server, "POST", ROTATION_PATH, status);
}

int64_t rotation_arrival_ms(service *server, int number) {
  int64_t arrival = -1;
  const cJSON *entry;
  cJSON *journal = service_get(server, "journal");
  cJSON_ArrayForEach(entry, cJSON_GetObjectItemCaseSensitive(journal, "requests")) {
    const char *path = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(entry, "path"));
    if (path != NULL && strcmp(path, ROTATION_PATH) == 0 && --number == 0)
      arrival = (int64_t)cJSON_GetNumberValue(cJSON_GetObjectItemCaseSensitive(entry, "elapsed_ms"));
  }
  cJSON_Delete(journal);
  assert_true(arrival >= 0);
  return arrival;
}

void rotation_await_request(service *server, const char *method, const char *path, int count) {
  for (int waited = 0; waited < PATIENCE_MS; waited += STEP_MS) {
    if (service_count(server, method, path, -1) >= count)
      break;
    service_pause_ms(STEP_MS);
  }
  assert_int_equal(service_count(server, method, path, -1), count);
}

void rotation_await(service *server, int count) {
  rotation_await_request(server, "POST", ROTATION_PATH, count);
}

void rotation_release(service *server) {
  service_send(server, "POST", "release", "{}");
}

void rotation_wait_for_retry(identity_session *session) {
  assert_int_equal(service_state_of(session), IDENTITY_STATE_STALE);
  service_pause_ms((int)service_wait_of(session) + 5);
}
