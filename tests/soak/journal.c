#include "soak/journal.h"
#include "soak/faults.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
  SETTLES_US = 10000000, /* nothing is held back for so long */
  TOKEN_LENGTH = 64,     /* the service's refresh tokens: hex digits */
  MOST_STORED = 1 << 20, /* bytes of a slot's file */
  FIRST_CUSTOMER = 1000
};

/* Room for one more. */
static void *grown(void *list, size_t count, size_t *capacity, size_t size) {
  if (count < *capacity)
    return list;
  *capacity = *capacity * 2 + 64;
  list = realloc(list, *capacity * size);
  if (list == NULL)
    soak_give_up("no memory");
  return list;
}

/* ---- the journal ---- */

static const cJSON *member(const cJSON *object, const char *name) {
  return cJSON_GetObjectItemCaseSensitive(object, name);
}

static int64_t number_of(const cJSON *object, const char *name) {
  const cJSON *item = member(object, name);
  return cJSON_IsNumber(item) ? (int64_t)item->valuedouble : 0;
}

static int64_t time_of(const cJSON *object, const char *name) {
  const cJSON *item = member(object, name);
  return cJSON_IsNumber(item) ? link_started_us() + (int64_t)(item->valuedouble * 1000) : INT64_MAX;
}

static void copy_mark(char mark[SOAK_MARK_SIZE], const cJSON *object, const char *name) {
  const char *text = cJSON_GetStringValue(member(object, name));
  snprintf(mark, SOAK_MARK_SIZE, "%s", text != NULL ? text : "");
}

static bool read_entry(const cJSON *json, soak_entry *entry) {
  int device = 0, worker = 0, handle = 0;
  const char *path = cJSON_GetStringValue(member(json, "path"));
  const char *agent = cJSON_GetStringValue(member(json, "agent"));
  memset(entry, 0, sizeof *entry);
  if (path == NULL || agent == NULL || sscanf(agent, "soak/%d.%d.%d", &device, &worker, &handle) != 3)
    return false;
  entry->login = strcmp(path, "/auths") == 0;
  if (!entry->login && strcmp(path, "/auths/refresh_token") != 0)
    return false;
  entry->seq = number_of(json, "seq");
  entry->real_us = time_of(json, "elapsed_ms");
  entry->answered_us = time_of(json, "answered_ms");
  entry->now_ms = number_of(json, "time") * 1000 - SOAK_EPOCH_MS;
  entry->status = (int32_t)number_of(json, "status");
  entry->fault = fault_of_id(number_of(json, "fault"));
  entry->device = device;
  entry->worker = worker;
  entry->handle = handle;
  entry->processed = cJSON_IsTrue(member(json, "processed"));
  entry->sent = cJSON_IsTrue(member(json, "sent"));
  copy_mark(entry->refresh_token, json, "refresh_token");
  copy_mark(entry->refresh_token_issued, json, "refresh_token_issued");
  copy_mark(entry->jwt_issued, json, "jwt_issued");
  return true;
}

void journal_read(soak_journal *journal) {
  char path[64];
  int64_t expected = journal->settled + 1;
  int64_t settled_us = soak_real_us() - SETTLES_US;
  snprintf(path, sizeof path, "journal?since=%lld&limit=20000", (long long)journal->settled);
  cJSON *json = link_read(path);
  const cJSON *one;
  while (journal->count > 0 && journal->entries[journal->count - 1].seq > journal->settled)
    journal->count--;
  cJSON_ArrayForEach(one, member(json, "requests")) {
    soak_entry entry;
    if (number_of(one, "seq") != expected++)
      soak_give_up("the journal has forgotten what was not read yet");
    if (time_of(one, "elapsed_ms") < settled_us)
      journal->settled = number_of(one, "seq");
    if (!read_entry(one, &entry))
      continue;
    journal->entries = grown(journal->entries, journal->count, &journal->capacity, sizeof entry);
    journal->entries[journal->count++] = entry;
  }
  journal->last = number_of(json, "last_seq");
  cJSON_Delete(json);
}

/* ---- tokens ---- */

static void add_mark(soak_marks *marks, const char *mark) {
  marks->list = grown(marks->list, marks->count, &marks->capacity, sizeof marks->list[0]);
  snprintf(marks->list[marks->count++], SOAK_MARK_SIZE, "%s", mark);
}

bool marks_have(const soak_marks *marks, const char *mark) {
  for (size_t i = 0; i < marks->count; i++)
    if (strcmp(marks->list[i], mark) == 0)
      return true;
  return false;
}

void journal_good_tokens(int32_t device, soak_marks *marks) {
  static const char *const lists[] = {"refresh_tokens", "refresh_tokens_in_grace"};
  const cJSON *customer;
  const cJSON *mark;
  cJSON *json = link_read("customers");
  cJSON_ArrayForEach(customer, member(json, "customers")) {
    if (number_of(customer, "id") != FIRST_CUSTOMER + device)
      continue;
    for (size_t i = 0; i < 2; i++)
      cJSON_ArrayForEach(mark, member(customer, lists[i])) add_mark(marks, mark->valuestring);
  }
  cJSON_Delete(json);
}

static size_t read_slot(const soak_page *page, int32_t device, char *bytes) {
  char path[512];
  char directory[192];
  size_t length = 0;
  soak_store_path(page, device, directory);
  DIR *list = opendir(directory);
  for (const struct dirent *entry; list != NULL && (entry = readdir(list)) != NULL;) {
    snprintf(path, sizeof path, "%s/%s", directory, entry->d_name);
    FILE *file = entry->d_name[0] == '.' ? NULL : fopen(path, "re");
    if (file == NULL)
      continue;
    length += fread(bytes + length, 1, MOST_STORED - length, file);
    fclose(file);
  }
  if (list != NULL)
    closedir(list);
  return length;
}

void journal_stored_tokens(const soak_page *page, int32_t device, soak_marks *marks) {
  char *bytes = malloc(MOST_STORED);
  size_t length = bytes != NULL ? read_slot(page, device, bytes) : 0;
  size_t run = 0;
  for (size_t i = 0; i <= length; i++) {
    if (i < length && bytes[i] != '\0' && strchr("0123456789abcdef", bytes[i]) != NULL) {
      run++;
      continue;
    }
    char mark[SOAK_MARK_SIZE] = "";
    if (run == TOKEN_LENGTH) {
      soak_mark(bytes + i - run, run, mark);
      add_mark(marks, mark);
    }
    run = 0;
  }
  free(bytes);
}
