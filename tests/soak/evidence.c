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

static bool was_seen(const soak_case *run, const soak_entry *issued, uint32_t before) {
  if (evidence_issued_jwt(run, issued->device, issued->jwt_issued) != issued)
    return false;
  for (uint32_t i = 0; i < before; i++) {
    const soak_event *event = &run->page->events[i];
    if (event->kind == SOAK_HOLDS && event->device == issued->device &&
        strcmp(event->mark, issued->jwt_issued) == 0)
      return true;
  }
  return false;
}

bool evidence_held(const soak_case *run, const soak_entry *issued, uint32_t before) {
  int64_t until_us = run->page->events[before].real_us;
  for (size_t i = 0; i < run->journal.count; i++) {
    const soak_entry *entry = &run->journal.entries[i];
    if (entry->real_us <= until_us && strcmp(entry->refresh_token, issued->refresh_token_issued) == 0)
      return true;
  }
  return was_seen(run, issued, before);
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

bool evidence_store_held(const soak_case *run, int32_t device, int64_t from_us, int64_t to_us) {
  static const int32_t kinds[2] = {SOAK_STORE_HELD, SOAK_STORE_FREE};
  return lasted(run, kinds, device, -1, from_us, to_us);
}

/* ---- calls ---- */

static bool is_of(const soak_event *event, const soak_entry *entry) {
  return event->device == entry->device && event->handle == entry->handle;
}

int64_t evidence_call_over_us(const soak_case *run, const soak_entry *entry) {
  int64_t over_us = INT64_MAX;
  bool begun = false;
  for (uint32_t i = 0; i < evidence_count(run); i++) {
    const soak_event *event = &run->page->events[i];
    if (!is_of(event, entry))
      continue;
    if (event->kind == SOAK_CALL || event->kind == SOAK_CLOSING) {
      if (begun && event->real_us > entry->real_us)
        return over_us;
      begun = true;
      over_us = INT64_MAX;
    }
    if ((event->kind == SOAK_CALL_END || event->kind == SOAK_CLOSED) && over_us == INT64_MAX)
      over_us = event->real_us;
  }
  return over_us;
}

static bool uses_network(const soak_event *event) {
  return event->kind == SOAK_CLOSING ||
         (event->kind == SOAK_CALL && event->value != SOAK_TAKE_TOKENS && event->value != SOAK_READ_STATE);
}

bool evidence_driven(const soak_case *run, const soak_entry *entry, int64_t from_us, int64_t to_us) {
  for (uint32_t i = 0; i < evidence_count(run); i++) {
    const soak_event *event = &run->page->events[i];
    if (is_of(event, entry) && uses_network(event) && event->real_us > from_us && event->real_us < to_us)
      return true;
  }
  return false;
}

/* ---- sessions ---- */

/* A login that its own handle knows of, or that somebody goes on with. */
static bool was_used(const soak_case *run, size_t login) {
  const soak_entry *entry = &run->journal.entries[login];
  int64_t next_us = INT64_MAX;
  for (size_t i = login + 1; i < run->journal.count && next_us == INT64_MAX; i++) {
    const soak_entry *later = &run->journal.entries[i];
    if (later->login && later->device == entry->device && later->handle == entry->handle)
      next_us = later->real_us;
  }
  for (uint32_t i = 0; i < evidence_count(run); i++) {
    const soak_event *event = &run->page->events[i];
    if (event->kind == SOAK_LOGGED_IN && is_of(event, entry) && event->real_us >= entry->real_us &&
        event->real_us < next_us)
      return true;
  }
  return was_seen(run, entry, evidence_count(run));
}

/* What the handle knew last before it ended, as a place in the journal. */
static int64_t last_known(const soak_case *run, uint32_t ended) {
  const soak_event *end = &run->page->events[ended];
  for (uint32_t i = ended; i > 0; i--) {
    const soak_event *event = &run->page->events[i - 1];
    if (event->device != end->device || event->handle != end->handle)
      continue;
    const soak_entry *held =
        event->kind == SOAK_HOLDS ? evidence_issued_jwt(run, event->device, event->mark) : NULL;
    if (held != NULL)
      return held->seq;
    if (event->kind != SOAK_OPENED && event->kind != SOAK_LOGGED_IN && event->kind != SOAK_JOINED)
      continue;
    for (size_t e = run->journal.count; e > 0; e--)
      if (run->journal.entries[e - 1].real_us <= event->real_us)
        return run->journal.entries[e - 1].seq;
  }
  return 0;
}

evidence_session evidence_session_of(const soak_case *run, uint32_t ended) {
  evidence_session session = {0, INT64_MAX};
  int64_t known = last_known(run, ended);
  for (size_t i = 0; i < run->journal.count; i++) {
    const soak_entry *entry = &run->journal.entries[i];
    if (!entry->login || entry->device != run->page->events[ended].device ||
        entry->refresh_token_issued[0] == '\0' || !was_used(run, i))
      continue;
    if (entry->seq > known) {
      session.until = entry->seq;
      return session;
    }
    session.since = entry->seq;
  }
  return session;
}
