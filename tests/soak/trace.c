/* What happened on each device, one line each in the order of time: for who has to find out why. */
#include "soak/faults.h"
#include "soak/judge.h"

#include <identity/identity.h>
#include <stdio.h>

static const char *const kinds[] = {"nothing", "opened",  "closing",    "closed",     "call",    "call over",
                                    "holds",   "ENDED",   "logged in",  "joined",     "started", "KILLED",
                                    "STOPPED", "goes on", "STORE HELD", "store free", "released"};

static const char *explain(const soak_event *event) {
  if (event->kind == SOAK_CALL_END)
    return identity_status_name(event->value);
  return event->mark;
}

static void print_event(FILE *file, const soak_event *event) {
  fprintf(file, "%d %12lld %12.3f  %d.%d.%d %s %d %d %s\n", (int)event->device, (long long)event->real_us,
          (double)event->now_ms / 1000.0, (int)event->device, (int)event->worker, (int)event->handle,
          kinds[event->kind], (int)event->value, (int)event->more, explain(event));
}

static void print_entry(FILE *file, const soak_entry *entry) {
  fprintf(file, "%d %12lld %12.3f  %d.%d.%d     #%lld %s %s -> %s jwt %s: %d%s%s, fault %s\n",
          (int)entry->device, (long long)entry->real_us, (double)entry->now_ms / 1000.0, (int)entry->device,
          (int)entry->worker, (int)entry->handle, (long long)entry->seq, entry->login ? "LOGIN" : "REFRESH",
          entry->refresh_token, entry->refresh_token_issued, entry->jwt_issued, (int)entry->status,
          entry->processed ? ", processed" : "", entry->sent ? ", sent" : "",
          entry->fault >= 0 ? fault_name((size_t)entry->fault) : "none");
}

static void print_device(FILE *file, const soak_case *run, int32_t device) {
  const soak_journal *journal = &run->journal;
  uint32_t event = 0;
  uint32_t events = run->page->event_count < SOAK_MOST_EVENTS ? run->page->event_count : SOAK_MOST_EVENTS;
  for (size_t entry = 0; entry < journal->count || event < events;) {
    bool first = event < events && (entry == journal->count ||
                                    run->page->events[event].real_us < journal->entries[entry].real_us);
    int32_t whose = first ? run->page->events[event].device : journal->entries[entry].device;
    if (first && (whose == device || whose < 0))
      print_event(file, &run->page->events[event]);
    if (!first && whose == device)
      print_entry(file, &journal->entries[entry]);
    event += first;
    entry += !first;
  }
}

void judge_trace(const soak_case *run, const char *path) {
  FILE *file = fopen(path, "we");
  if (file == NULL)
    return;
  for (int32_t device = 0; device < SOAK_DEVICES; device++)
    print_device(file, run, device);
  fclose(file);
  printf("  all that happened: %s\n", path);
}
