#include "soak/evidence.h"

#include <string.h>

uint32_t evidence_count(const soak_case *run) {
  uint32_t count = run->page->event_count;
  return count < SOAK_MOST_EVENTS ? count : SOAK_MOST_EVENTS;
}

/* ---- tokens ---- */

const soak_entry *evidence_issued(const soak_case *run, int32_t device, const char *refresh_token) {
  for (size_t i = 0; i < run->journal.count; i++) {
    const soak_entry *entry = &run->journal.entries[i];
    if (entry->device == device && strcmp(entry->refresh_token_issued, refresh_token) == 0)
      return entry;
  }
  return NULL;
}

const soak_entry *evidence_issued_jwt(const soak_case *run, int32_t device, const char *jwt) {
  const soak_entry *found = NULL;
  for (size_t i = 0; i < run->journal.count; i++) {
    const soak_entry *entry = &run->journal.entries[i];
    if (entry->device != device || strcmp(entry->jwt_issued, jwt) != 0)
      continue;
    if (found != NULL)
      return NULL;
    found = entry;
  }
  return found;
}

/* handle: its number; 0: any of the device. */
static bool was_seen(const soak_case *run, const soak_entry *issued, int32_t handle, uint32_t before) {
  if (evidence_issued_jwt(run, issued->device, issued->jwt_issued) != issued)
    return false;
  for (uint32_t i = 0; i < before; i++) {
    const soak_event *event = &run->page->events[i];
    if (event->kind == SOAK_HOLDS && event->device == issued->device &&
        (handle == 0 || handle == event->handle) && strcmp(event->mark, issued->jwt_issued) == 0)
      return true;
  }
  return false;
}

bool evidence_held(const soak_case *run, const soak_entry *issued, int32_t handle, uint32_t before) {
  int64_t until_us = run->page->events[before].real_us;
  for (size_t i = 0; i < run->journal.count; i++) {
    const soak_entry *entry = &run->journal.entries[i];
    if (entry->real_us <= until_us && handle == entry->handle &&
        strcmp(entry->refresh_token, issued->refresh_token_issued) == 0)
      return true;
  }
  return was_seen(run, issued, handle, before);
}

/* ---- troubles ---- */

bool evidence_killed(const soak_case *run, int32_t worker, int64_t from_us, int64_t to_us) {
  for (uint32_t i = 0; i < evidence_count(run); i++) {
    const soak_event *event = &run->page->events[i];
    if (event->kind == SOAK_KILLED && event->worker == worker && event->real_us >= from_us &&
        event->real_us <= to_us)
      return true;
  }
  return false;
}

/* Whether what one kind of event begins and another ends lasted at some moment of a time. */
static bool lasted(const soak_case *run, const int32_t kinds[2], int32_t device, int32_t worker,
                   int64_t from_us, int64_t to_us) {
  bool lasts = false;
  for (uint32_t i = 0; i < evidence_count(run) && run->page->events[i].real_us <= to_us; i++) {
    const soak_event *event = &run->page->events[i];
    if (event->device != device || (worker >= 0 && event->worker != worker))
      continue;
    bool ends = lasts && (event->kind == kinds[1] || (worker >= 0 && event->kind == SOAK_KILLED));
    if ((lasts || event->kind == kinds[0]) && event->real_us >= from_us)
      return true;
    lasts = event->kind == kinds[0] || (lasts && !ends);
  }
  return lasts;
}

bool evidence_stopped(const soak_case *run, int32_t device, int32_t worker, int64_t from_us, int64_t to_us) {
  static const int32_t kinds[2] = {SOAK_STOPPED, SOAK_GOES_ON};
  bool any = false;
  for (int32_t i = device * SOAK_WORKERS; i < (device + 1) * SOAK_WORKERS; i++)
    if (worker < 0 || worker == i)
      any = any || lasted(run, kinds, device, i, from_us, to_us);
  return any;
}

static bool store_held(const soak_case *run, int32_t device, int64_t from_us, int64_t to_us) {
  static const int32_t kinds[2] = {SOAK_STORE_HELD, SOAK_STORE_FREE};
  return lasted(run, kinds, device, -1, from_us, to_us);
}

/* ---- calls ---- */

static bool is_of(const soak_event *event, const soak_entry *entry) {
  return event->device == entry->device && event->handle == entry->handle;
}

static bool uses_network(const soak_event *begun, const soak_entry *entry, const soak_event *over) {
  if (begun->real_us <= entry->real_us + EVIDENCE_BLUR_US && over->real_us >= entry->real_us)
    return true;
  return begun->kind == SOAK_CLOSING || (begun->value != SOAK_TAKE_TOKENS && begun->value != SOAK_READ_STATE);
}

/* A stopped process may have the store's lock. */
static bool was_disturbed(const soak_case *run, int32_t device, int64_t from_us, int64_t to_us) {
  return evidence_stopped(run, device, -1, from_us - EVIDENCE_SIGNAL_US, to_us) ||
         store_held(run, device, from_us, to_us);
}

bool evidence_could_store(const soak_case *run, const soak_entry *entry, int64_t before_us) {
  const soak_event *begun = NULL;
  /* What is let go on takes a moment to leave. */
  int64_t read_us = entry->answered_us + (entry->fault >= 0 ? EVIDENCE_SIGNAL_US : 0);
  for (uint32_t i = 0; i < evidence_count(run) && run->page->events[i].real_us < before_us; i++) {
    const soak_event *event = &run->page->events[i];
    if (!is_of(event, entry))
      continue;
    if (event->kind == SOAK_CALL || event->kind == SOAK_CLOSING)
      begun = event;
    if ((event->kind != SOAK_CALL_END && event->kind != SOAK_CLOSED) || begun == NULL)
      continue;
    if (event->real_us > read_us && uses_network(begun, entry, event) &&
        !was_disturbed(run, entry->device, begun->real_us, event->real_us))
      return true;
    begun = NULL;
  }
  return false;
}

/* ---- sessions ---- */

static soak_entry *login_of(const soak_case *run, int64_t session) {
  for (size_t i = 0; i < run->journal.count && session > 0; i++)
    if (run->journal.entries[i].seq == session)
      return &run->journal.entries[i];
  return NULL;
}

const soak_entry *evidence_login(const soak_case *run, int64_t session) {
  return login_of(run, session);
}

static void begins(const soak_case *run, int64_t session, int64_t at_us) {
  soak_entry *login = login_of(run, session);
  if (login != NULL && at_us < login->began_us)
    login->began_us = at_us;
}

/* The last login of a handle before an event. */
static int64_t login_before(const soak_case *run, const soak_event *event) {
  int64_t session = 0;
  for (size_t i = 0; i < run->journal.count && run->journal.entries[i].real_us <= event->real_us; i++) {
    const soak_entry *entry = &run->journal.entries[i];
    if (entry->login && is_of(event, entry) && entry->refresh_token_issued[0] != '\0')
      session = entry->seq;
  }
  return session;
}

/* A login counts from when somebody is known to have it: its answer may be long under way, or lost. */
void evidence_sort(soak_case *run) {
  for (size_t i = 0; i < run->journal.count; i++) {
    soak_entry *entry = &run->journal.entries[i];
    const soak_entry *issued =
        entry->login ? NULL : evidence_issued(run, entry->device, entry->refresh_token);
    entry->began_us = INT64_MAX;
    entry->session = entry->login ? entry->seq : issued != NULL ? issued->session : 0;
    if (!entry->login)
      begins(run, entry->session, entry->real_us);
  }
  for (uint32_t i = 0; i < evidence_count(run); i++) {
    const soak_event *event = &run->page->events[i];
    const soak_entry *held =
        event->kind == SOAK_HOLDS ? evidence_issued_jwt(run, event->device, event->mark) : NULL;
    if (held != NULL)
      begins(run, held->session, event->real_us);
    if (event->kind == SOAK_LOGGED_IN)
      begins(run, login_before(run, event), event->real_us);
  }
}

/* What anybody who opens the slot finds. */
static int64_t current_session(const soak_case *run, const soak_event *event) {
  const soak_entry *current = NULL;
  for (size_t i = 0; i < run->journal.count; i++) {
    const soak_entry *entry = &run->journal.entries[i];
    if (entry->login && entry->device == event->device && entry->began_us <= event->real_us &&
        (current == NULL || entry->began_us > current->began_us))
      current = entry;
  }
  return current != NULL ? current->seq : 0;
}

static int64_t told_by(const soak_case *run, const soak_event *event) {
  const soak_entry *held = NULL;
  switch (event->kind) {
  case SOAK_HOLDS:
    held = evidence_issued_jwt(run, event->device, event->mark);
    return held != NULL ? held->session : 0;
  case SOAK_LOGGED_IN:
    return login_before(run, event);
  case SOAK_OPENED:
  case SOAK_JOINED:
    return current_session(run, event);
  default:
    return 0;
  }
}

int64_t evidence_session_of(const soak_case *run, uint32_t ended) {
  const soak_event *end = &run->page->events[ended];
  int64_t session = 0;
  int64_t told_us = 0;
  for (uint32_t i = ended; i > 0 && session == 0; i--) {
    const soak_event *event = &run->page->events[i - 1];
    if (event->device == end->device && event->handle == end->handle)
      session = told_by(run, event);
    told_us = event->real_us;
  }
  for (size_t i = 0; i < run->journal.count && run->journal.entries[i].real_us <= end->real_us; i++) {
    const soak_entry *entry = &run->journal.entries[i];
    if (!entry->login && is_of(end, entry) && entry->session > 0 && entry->real_us >= told_us)
      session = entry->session;
  }
  return session;
}

bool evidence_is_newer(const soak_case *run, const soak_entry *pair, const soak_entry *other) {
  const soak_entry *ours = evidence_login(run, pair->session);
  const soak_entry *theirs = evidence_login(run, other->session);
  if (ours == NULL || theirs == NULL || ours == theirs)
    return pair->seq > other->seq;
  return ours->began_us > theirs->began_us;
}
