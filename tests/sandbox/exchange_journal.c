#include "exchange_journal.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

struct name_list {
  char *out;
  size_t capacity, used;
};

static enum MHD_Result add_header_name(void *state, enum MHD_ValueKind kind, const char *key,
                                       const char *value) {
  (void)kind;
  (void)value;
  struct name_list *list = state;
  char name[64];
  sbx_text_copy_printable(name, sizeof name, key);
  if (list->used + strlen(name) + 2 > list->capacity)
    return MHD_NO;
  int length =
      snprintf(list->out + list->used, list->capacity - list->used, "%s%s", list->used == 0 ? "" : ",", name);
  list->used += (size_t)length;
  return MHD_YES;
}

static struct sbx_journal_entry *entry_of(const struct sbx_exchange *exchange) {
  return exchange->seq == 0 ? NULL : sbx_journal_find(&exchange->server->service->journal, exchange->seq);
}

static void note_credentials(struct sbx_exchange *exchange, struct sbx_journal_entry *entry) {
  const char *authorization = exchange->call.header(&exchange->call, "Authorization");
  entry->bearer =
      authorization != NULL && strncasecmp(authorization, "Bearer ", 7) == 0 && authorization[7] != '\0';
  if (entry->bearer)
    sbx_fingerprint_of(authorization + 7, entry->jwt_sent);
  const char *refresh = sbx_json_text(exchange->call.body, "refreshToken");
  if (refresh != NULL && strcmp(exchange->path, "/auths/refresh_token") == 0)
    sbx_fingerprint_of(refresh, entry->refresh_sent);
}

void sbx_exchange_note_arrival(struct sbx_exchange *exchange) {
  struct sbx_service *service = exchange->server->service;
  struct sbx_journal_entry *entry = sbx_journal_add(&service->journal);
  exchange->seq = entry->seq;
  exchange->server->request_count++;
  entry->time = sbx_clock_now_exact(&service->clock);
  sbx_text_copy_printable(entry->method, sizeof entry->method, exchange->method);
  sbx_text_copy_printable(entry->path, sizeof entry->path, exchange->path);
  entry->connection = exchange->link->number;
  entry->reused = exchange->link->requests > 1;
  entry->fault = exchange->fault == NULL ? 0 : exchange->fault->id;
  entry->body_bytes = exchange->body.length;
  note_credentials(exchange, entry);
  const char *agent = exchange->call.header(&exchange->call, "User-Agent");
  sbx_text_copy_printable(entry->agent, sizeof entry->agent, agent == NULL ? "" : agent);
  struct name_list names = {.out = entry->header_names, .capacity = sizeof entry->header_names};
  MHD_get_connection_values(exchange->connection, MHD_HEADER_KIND, add_header_name, &names);
}

void sbx_exchange_note_progress(struct sbx_exchange *exchange) {
  struct sbx_journal_entry *entry = entry_of(exchange);
  const struct sbx_call *call = &exchange->call;
  if (entry == NULL)
    return;
  entry->processed = exchange->processed;
  entry->customer_id = call->customer_id;
  memcpy(entry->jwt_issued, call->jwt_issued, sizeof entry->jwt_issued);
  memcpy(entry->refresh_issued, call->refresh_issued, sizeof entry->refresh_issued);
  const char *code = sbx_json_text(call->answer, "code");
  if (code != NULL)
    snprintf(entry->code, sizeof entry->code, "%s", code);
}

static void log_line(const struct sbx_exchange *exchange, const struct sbx_journal_entry *entry) {
  char fault[40] = "";
  char status[12] = "dropped";
  if (entry->fault != 0)
    snprintf(fault, sizeof fault, "  (fault %llu)", (unsigned long long)entry->fault);
  if (entry->status != 0)
    snprintf(status, sizeof status, "%d", entry->status);
  printf("#%llu connection %llu  %s %s  %s%s%s%s\n", (unsigned long long)exchange->seq,
         (unsigned long long)entry->connection, entry->method, entry->path, status,
         entry->code[0] == '\0' ? "" : " ", entry->code, fault);
}

void sbx_exchange_note_end(struct sbx_exchange *exchange, int status) {
  struct sbx_journal_entry *entry = entry_of(exchange);
  if (entry == NULL)
    return;
  entry->status = status;
  if (status != 0)
    entry->answered_us = sbx_journal_elapsed_us(&exchange->server->service->journal);
  if (!exchange->server->quiet)
    log_line(exchange, entry);
}

void sbx_exchange_note_sent(struct sbx_exchange *exchange, bool sent) {
  struct sbx_journal_entry *entry = entry_of(exchange);
  if (entry != NULL)
    entry->sent = sent && !exchange->drop;
  else if (exchange->stage == SBX_RECEIVING && !exchange->is_control)
    exchange->server->service->journal.incomplete++;
}
