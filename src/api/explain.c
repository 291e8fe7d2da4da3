/* Where a session stands and how it came there, for a support desk. Numbers and names of the library only:
 * nothing that an app or the service has given goes in, so that nothing has to be escaped or hidden. */
#include "api/begin.h"
#include "base/buffer.h"
#include "base/error.h"
#include "base/names.h"
#include "base/secret.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

enum { PIECE = 512, MOST_BYTES = 64 * 1024 };

__attribute__((format(printf, 2, 3))) static void add(identity__buffer *json, const char *format, ...) {
  char piece[PIECE];
  va_list arguments;
  va_start(arguments, format);
  (void)vsnprintf(piece, sizeof piece, format, arguments);
  va_end(arguments);
  (void)identity__buffer_add_text(json, piece);
}

static const char *truth(bool value) {
  return value ? "true" : "false";
}

static const char *age_name(int32_t age) {
  static const char names[][8] = {
      [IDENTITY__AGE_ADOPTED] = "adopted", [IDENTITY__AGE_KNOWN] = "known", [IDENTITY__AGE_LOST] = "lost"};
  return age >= 0 && age <= IDENTITY__AGE_LOST ? names[age] : "unknown";
}

static void add_standing(identity__buffer *json, const identity_session *session) {
  const identity__machine *machine = &session->tokens;
  const identity__record *record = &machine->record;
  bool signed_in = record->standing == IDENTITY__RECORD_SIGNED_IN;
  add(json, "{\"library\":\"%s\",\"state\":\"%s\",\"reason\":\"%s\"", identity_version(),
      identity__state_name(identity__machine_state(machine)),
      identity__reason_name(signed_in ? IDENTITY_REASON_NONE : record->reason));
  add(json, ",\"epoch\":%" PRIu64 ",\"generation\":%" PRIu64 ",\"consents_pending\":%" PRIu32, record->epoch,
      record->generation, record->pending_count);
  add(json, ",\"store\":{\"blocked\":\"%s\",\"not_persisted\":%s,\"made_by_other_handle\":%s}",
      identity_status_name(machine->blocked), truth(machine->not_persisted), truth(machine->foreign));
}

static void add_token(identity__buffer *json, const identity__machine *machine, int64_t now_ms) {
  const identity__grant *grant = &machine->record.grant;
  bool there = grant->jwt != NULL;
  add(json, ",\"jwt\":{\"there\":%s,\"age\":\"%s\",\"life_ms\":%" PRId64 ",\"remaining_ms\":%" PRId64,
      truth(there), age_name(grant->age), grant->life_ms,
      there ? identity__machine_remaining(machine, now_ms) : 0);
  add(json, ",\"refused\":%s},\"refresh_token\":{\"there\":%s}", truth(machine->dead),
      truth(grant->refresh_token != NULL));
}

static int64_t lease_left_ms(const identity__record *record, int64_t now_ms) {
  return record->grant.refresh_token != NULL
             ? identity__lease_left_ms(&record->lease, record->grant.refresh_token, false, now_ms)
             : 0;
}

static void add_refresh(identity__buffer *json, const identity_session *session, int64_t now_ms) {
  const identity__machine *machine = &session->tokens;
  const identity__record *record = &machine->record;
  add(json, ",\"refresh\":{\"in_flight\":%s,\"last_failure\":\"%s\",\"cooldown_ms\":%" PRId64,
      truth(machine->flying), identity_status_name(machine->last_failure),
      identity__machine_cooldown_ms(machine, now_ms));
  add(json, ",\"failures\":%" PRId32 ",\"undocumented_refusals\":%" PRId32 ",\"answer_lost\":%s",
      record->failures, record->refusals, truth(record->ambiguous != 0));
  add(json, ",\"caused_by_401\":[");
  for (uint32_t i = 0; i < record->caused_count; i++)
    add(json, "%s{\"ago_ms\":%" PRId64 "}", i > 0 ? "," : "", now_ms - record->caused_boot_ms[i]);
  add(json, "]},\"lease\":{\"held\":%s,\"ours\":%s,\"left_ms\":%" PRId64 "}",
      truth(record->lease.fingerprint[0] != '\0'),
      truth(identity__lease_is_ours(&record->lease, &machine->self)), lease_left_ms(record, now_ms));
}

static void add_clock(identity__buffer *json, const identity_session *session, identity__now now) {
  const identity__counters *counters = &session->tokens.counters;
  add(json, ",\"clock\":{\"wall_ms\":%" PRId64 ",\"boot_ms\":%" PRId64 ",\"behind_service_ms\":%" PRId64 "}",
      now.wall_ms, now.boot_ms, session->clock_offset_ms);
  add(json,
      ",\"counters\":{\"refreshes\":%" PRIu64 ",\"rotations\":%" PRIu64 ",\"adoptions\":%" PRIu64
      ",\"conflicts\":%" PRIu64 ",\"refused_tokens\":%" PRIu64 ",\"events\":%" PRIu64 "}",
      counters->refreshes, counters->rotations, counters->adoptions, counters->conflicts,
      counters->refused_tokens, session->events.last);
}

static void add_transition(identity__buffer *json, const identity__event_note *note, bool first) {
  add(json, "%s{\"number\":%" PRIu64 ",\"at_ms\":%" PRId64 ",\"event\":\"%s\"", first ? "" : ",",
      note->number, note->at_ms, identity__event_name(note->kind));
  add(json,
      ",\"from\":\"%s\",\"to\":\"%s\",\"reason\":\"%s\",\"how\":\"%s\",\"cause\":\"%s\",\"amount_ms\":"
      "%" PRId64 "}",
      identity__state_name(note->old_state), identity__state_name(note->new_state),
      identity__reason_name(note->reason), identity__how_name(note->how), identity_status_name(note->cause),
      note->amount_ms);
}

static void add_transitions(identity__buffer *json, const identity__events *events) {
  uint64_t number =
      events->last > IDENTITY__MAX_TRANSITIONS ? events->last - IDENTITY__MAX_TRANSITIONS + 1 : 1;
  bool first = true;
  add(json, ",\"transitions\":[");
  for (; number <= events->last; number++) {
    const identity__event_note *note = identity__events_find(events, number);
    if (note == NULL)
      continue;
    add_transition(json, note, first);
    first = false;
  }
  add(json, "]}");
}

identity_status identity_session_explain(identity_session *session, const char **json,
                                         identity_error *error) {
  identity_status status = identity__check_ask(session, json, "json", error);
  if (status != IDENTITY_OK)
    return status;
  identity__buffer text;
  identity__now now = identity__loop_now(session->loop);
  identity__buffer_init(&text, MOST_BYTES);
  pthread_mutex_lock(&session->lock);
  add_standing(&text, session);
  add_token(&text, &session->tokens, now.boot_ms);
  add_refresh(&text, session, now.boot_ms);
  add_clock(&text, session, now);
  add_transitions(&text, &session->events);
  pthread_mutex_unlock(&session->lock);
  if (!text.failed)
    *json = identity__secret_copy(text.bytes);
  identity__buffer_free(&text);
  return *json != NULL ? IDENTITY_OK : identity__fail_plain(error, IDENTITY_OUT_OF_MEMORY);
}

void identity_explanation_free(const char *json) {
  free((char *)json);
}
