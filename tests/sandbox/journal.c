#include "journal.h"

#include "clock.h"
#include "json.h"

#include <stdlib.h>

bool sbx_journal_init(struct sbx_journal *journal) {
  *journal = (struct sbx_journal){.first = 1, .started_us = sbx_monotonic_us()};
  journal->entries = calloc(SBX_JOURNAL_SIZE, sizeof *journal->entries);
  return journal->entries != NULL;
}

void sbx_journal_free(struct sbx_journal *journal) {
  free(journal->entries);
  journal->entries = NULL;
}

void sbx_journal_clear(struct sbx_journal *journal) {
  journal->first = journal->last + 1;
  journal->dropped = 0;
  journal->incomplete = 0;
}

int64_t sbx_journal_elapsed_us(const struct sbx_journal *journal) {
  return sbx_monotonic_us() - journal->started_us;
}

struct sbx_journal_entry *sbx_journal_add(struct sbx_journal *journal) {
  uint64_t seq = ++journal->last;
  if (seq - journal->first >= SBX_JOURNAL_SIZE) {
    journal->first++;
    journal->dropped++;
  }
  struct sbx_journal_entry *entry = &journal->entries[seq % SBX_JOURNAL_SIZE];
  *entry = (struct sbx_journal_entry){.seq = seq, .elapsed_us = sbx_journal_elapsed_us(journal)};
  return entry;
}

struct sbx_journal_entry *sbx_journal_find(struct sbx_journal *journal, uint64_t seq) {
  if (seq < journal->first || seq > journal->last)
    return NULL;
  return &journal->entries[seq % SBX_JOURNAL_SIZE];
}

static bool put_fingerprint(cJSON *json, const char *name, const char *fingerprint) {
  return sbx_json_put_text(json, name, fingerprint[0] == '\0' ? NULL : fingerprint);
}

static bool put_number_or_null(cJSON *json, const char *name, double number) {
  return number <= 0 ? sbx_json_put_text(json, name, NULL) : sbx_json_put_number(json, name, number);
}

static cJSON *entry_to_json(const struct sbx_journal_entry *entry) {
  cJSON *json = cJSON_CreateObject();
  bool ok =
      sbx_json_put_integer(json, "seq", (int64_t)entry->seq) &&
      sbx_json_put_number(json, "time", entry->time) &&
      sbx_json_put_number(json, "elapsed_ms", (double)entry->elapsed_us / 1000) &&
      put_number_or_null(json, "answered_ms", (double)entry->answered_us / 1000) &&
      sbx_json_put_text(json, "method", entry->method) && sbx_json_put_text(json, "path", entry->path) &&
      sbx_json_put_integer(json, "status", entry->status) && put_fingerprint(json, "code", entry->code) &&
      sbx_json_put_integer(json, "connection", (int64_t)entry->connection) &&
      sbx_json_put_flag(json, "reused", entry->reused) &&
      sbx_json_put_flag(json, "processed", entry->processed) &&
      sbx_json_put_flag(json, "sent", entry->sent) &&
      put_number_or_null(json, "fault", (double)entry->fault) &&
      put_number_or_null(json, "customer_id", (double)entry->customer_id) &&
      sbx_json_put_flag(json, "bearer", entry->bearer) && put_fingerprint(json, "jwt", entry->jwt_sent) &&
      put_fingerprint(json, "jwt_issued", entry->jwt_issued) &&
      put_fingerprint(json, "refresh_token", entry->refresh_sent) &&
      put_fingerprint(json, "refresh_token_issued", entry->refresh_issued) &&
      sbx_json_put_integer(json, "body_bytes", (int64_t)entry->body_bytes) &&
      sbx_json_put_text(json, "headers", entry->header_names) &&
      sbx_json_put_text(json, "agent", entry->agent);
  return sbx_json_finish(json, ok);
}

cJSON *sbx_journal_to_json(const struct sbx_journal *journal, uint64_t since, uint64_t limit) {
  cJSON *list = cJSON_CreateArray();
  bool ok = list != NULL;
  uint64_t from = since >= journal->first ? since + 1 : journal->first;
  for (uint64_t seq = from; ok && seq <= journal->last && limit > 0; seq++, limit--)
    ok = sbx_json_append(list, entry_to_json(&journal->entries[seq % SBX_JOURNAL_SIZE]));
  cJSON *json = cJSON_CreateObject();
  ok = sbx_json_put(json, "requests", sbx_json_finish(list, ok)) &&
       sbx_json_put_integer(json, "last_seq", (int64_t)journal->last) &&
       sbx_json_put_integer(json, "dropped", (int64_t)journal->dropped) &&
       sbx_json_put_integer(json, "incomplete", (int64_t)journal->incomplete);
  return sbx_json_finish(json, ok);
}
