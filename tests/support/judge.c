#include "support/judge.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define REFRESH "/auths/refresh_token"

enum { FINGERPRINT = 13, PAGE = 1024, AWAIT_MS = 20000 };

/* One refresh of the journal. */
typedef struct refresh {
  char token[FINGERPRINT];
  bool rotated;
  bool processed;
  int64_t customer;
} refresh;

typedef struct list {
  refresh *items;
  size_t count;
  size_t capacity;
} list;

static const char *text_of(const cJSON *object, const char *name) {
  const char *text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(object, name));
  return text != NULL ? text : "";
}

static double number_of(const cJSON *object, const char *name) {
  const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, name);
  return cJSON_IsNumber(item) ? item->valuedouble : 0;
}

static void keep(list *all, const cJSON *entry, judged *found) {
  if (strcmp(text_of(entry, "path"), REFRESH) != 0)
    return;
  if (all->count == all->capacity) {
    all->capacity = all->capacity * 2 + 64;
    all->items = realloc(all->items, all->capacity * sizeof *all->items);
    assert_non_null(all->items);
  }
  refresh *one = &all->items[all->count++];
  memset(one, 0, sizeof *one);
  snprintf(one->token, sizeof one->token, "%s", text_of(entry, "refresh_token"));
  one->processed = cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(entry, "processed"));
  one->rotated = text_of(entry, "refresh_token_issued")[0] != '\0';
  one->customer = (int64_t)number_of(entry, "customer_id");
  found->sent++;
  found->rotated += one->rotated;
  found->refused += number_of(entry, "status") >= 400 && one->processed && !one->rotated;
}

/* The journal is read in pages: thousands of entries at once would hold the service up. */
static void read_all(service *server, list *all, judged *found) {
  char path[64];
  double since = 0;
  double last = 1;
  while (since < last) {
    const cJSON *entry;
    snprintf(path, sizeof path, "journal?since=%.0f&limit=%d", since, PAGE);
    cJSON *journal = service_get(server, path);
    assert_int_equal((int)number_of(journal, "dropped"), 0);
    last = number_of(journal, "last_seq");
    double before = since;
    cJSON_ArrayForEach(entry, cJSON_GetObjectItemCaseSensitive(journal, "requests")) {
      keep(all, entry, found);
      since = number_of(entry, "seq");
    }
    cJSON_Delete(journal);
    if (since <= before)
      break;
  }
}

static int by_customer(const void *left, const void *right) {
  const refresh *a = left;
  const refresh *b = right;
  return (a->customer > b->customer) - (a->customer < b->customer);
}

static void count_customers(list *all, judged *found) {
  int64_t last = 0;
  qsort(all->items, all->count, sizeof *all->items, by_customer);
  for (size_t i = 0; i < all->count; i++) {
    if (!all->items[i].rotated || all->items[i].customer == last)
      continue;
    last = all->items[i].customer;
    found->customers++;
  }
}

judged judge_refreshes(service *server) {
  judged found = {0};
  list all = {0};
  read_all(server, &all, &found);
  for (size_t i = 0; i < all.count; i++) {
    bool repeated = false;
    bool twice = false;
    for (size_t j = 0; j < i; j++) {
      bool same = strcmp(all.items[i].token, all.items[j].token) == 0;
      repeated = repeated || same;
      twice = twice || (same && all.items[i].processed && all.items[j].processed);
    }
    found.repeated += repeated;
    found.twice += twice;
  }
  if (all.count > 0)
    count_customers(&all, &found);
  free(all.items);
  return found;
}

void judge_await(service *server, const char *method, const char *path, int count) {
  for (int waited = 0; waited < AWAIT_MS; waited += 5) {
    if (service_count(server, method, path, -1) >= count)
      break;
    service_pause_ms(5);
  }
  int found = service_count(server, method, path, -1);
  if (found < count)
    fail_msg("%s %s arrived %d times, expected %d", method, path, found, count);
}

bool judge_runs_slowly(void) {
  const char *preload = getenv("LD_PRELOAD");
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  return true;
#endif
  return preload != NULL && strstr(preload, "vgpreload") != NULL;
}

int judge_slack_ms(void) {
  return judge_runs_slowly() ? 20000 : 1500;
}
