#include "soak/evidence.h"
#include "soak/faults.h"

#include <identity/identity.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { REFUSED = 401, LEASE_MS = 73000 /* less a blur of 2 s */, MOST_SPURIOUS_SHOWN = 20 };

/* ---- at a sign-out ---- */

void judge_look(soak_case *run, int32_t worker) {
  soak_page *page = run->page;
  uint32_t event = evidence_count(run);
  while (event > 0 &&
         (page->events[event - 1].kind != SOAK_ENDED || page->events[event - 1].worker != worker))
    event--;
  if (event == 0)
    soak_give_up("worker %d asks about nothing", (int)worker);
  if (run->sign_out_count == run->sign_out_capacity) {
    run->sign_out_capacity = run->sign_out_capacity * 2 + 64;
    run->sign_outs = realloc(run->sign_outs, run->sign_out_capacity * sizeof *run->sign_outs);
    if (run->sign_outs == NULL)
      soak_give_up("no memory");
  }
  soak_sign_out *seen = &run->sign_outs[run->sign_out_count++];
  memset(seen, 0, sizeof *seen);
  seen->event = event - 1;
  journal_good_tokens(worker / SOAK_WORKERS, &seen->good);
  journal_stored_tokens(page, worker / SOAK_WORKERS, &seen->stored);
}

/* ---- afterwards ---- */

static const char *describe(const soak_entry *entry, char text[160]) {
  snprintf(text, 160, "request %lld of handle %d.%d.%d, token %s -> %s, fault %s, %s", (long long)entry->seq,
           (int)entry->device, (int)entry->worker, (int)entry->handle, entry->refresh_token,
           entry->refresh_token_issued, entry->fault >= 0 ? fault_name((size_t)entry->fault) : "none",
           entry->sent ? "sent" : "not sent");
  return text;
}

/* The refusal that a session may end for. */
static const soak_entry *find_refusal(const soak_case *run, const soak_event *ended, int64_t session) {
  const soak_entry *refusal = NULL;
  for (size_t i = 0; i < run->journal.count && run->journal.entries[i].real_us <= ended->real_us; i++) {
    const soak_entry *entry = &run->journal.entries[i];
    if (entry->device == ended->device && !entry->login && entry->status == REFUSED && entry->processed &&
        entry->refresh_token_issued[0] == '\0' && entry->session == session)
      refusal = entry;
  }
  return refusal;
}

/* Whether the answer with a pair may have been lost: by the service, or because its owner was killed,
 * stopped, not driven, or could not store it before the old token was refused. Who sends it must have looked
 * for the answer. */
static bool may_be_lost(const soak_case *run, const soak_entry *entry, const soak_entry *refusal) {
  bool late = entry->fault >= 0 && fault_is_delay((size_t)entry->fault);
  if (!entry->sent || (entry->fault >= 0 && !late))
    return true;
  return entry->handle != refusal->handle && !evidence_could_store(run, entry, refusal->answered_us);
}

/* Why this good pair should have kept the session; NULL: it could not. */
static const char *objection_of(const soak_case *run, const soak_entry *entry, const soak_entry *refusal,
                                uint32_t ended) {
  if (evidence_held(run, entry, run->page->events[ended].handle, ended))
    return "it had a good token itself";
  return may_be_lost(run, entry, refusal) ? NULL : "a good pair had arrived";
}

/* Why a session must not have ended; NULL: it was right. */
static const char *objection(const soak_case *run, const soak_sign_out *seen, soak_verdict *verdict,
                             char text[160]) {
  const soak_event *ended = &run->page->events[seen->event];
  int64_t session = evidence_session_of(run, seen->event);
  bool back = false;
  text[0] = '\0';
  if (ended->value != IDENTITY_REASON_LOST_ROTATION && ended->value != IDENTITY_REASON_REFUSED)
    return "a reason that nobody gave";
  const soak_entry *refusal = find_refusal(run, ended, session);
  if (refusal == NULL)
    return "the service refused nothing";
  for (size_t i = 0; i < seen->good.count; i++) {
    const soak_entry *entry = evidence_issued(run, ended->device, seen->good.list[i]);
    if (entry == NULL || entry->session != session || entry->real_us > ended->real_us)
      continue;
    (void)describe(entry, text);
    const char *wrong = objection_of(run, entry, refusal, seen->event);
    if (wrong != NULL)
      return wrong;
    /* Its owner read it after all, later: that is no sign-out any more. */
    back = back || marks_have(&seen->stored, seen->good.list[i]);
  }
  verdict->came_back += back;
  return NULL;
}

/* The same session ends for several handles. */
static bool is_known(const soak_case *run, size_t which, const int64_t sessions[]) {
  int32_t device = run->page->events[run->sign_outs[which].event].device;
  for (size_t i = 0; i < which; i++)
    if (sessions[i] == sessions[which] && run->page->events[run->sign_outs[i].event].device == device)
      return true;
  return false;
}

static void count_end(const soak_case *run, const soak_sign_out *seen, soak_verdict *verdict) {
  const soak_event *ended = &run->page->events[seen->event];
  char text[160];
  const char *wrong = objection(run, seen, verdict, text);
  if (wrong == NULL) {
    verdict->lost_rotations += ended->value == IDENTITY_REASON_LOST_ROTATION;
    verdict->refused += ended->value == IDENTITY_REASON_REFUSED;
    return;
  }
  if (++verdict->spurious > MOST_SPURIOUS_SHOWN)
    return;
  printf("  SPURIOUS at %.1f h: handle %d.%d.%d, state %d, reason %d: %s\n",
         (double)ended->now_ms / 3600000.0, (int)ended->device, (int)ended->worker, (int)ended->handle,
         (int)ended->more, (int)ended->value, wrong);
  if (text[0] != '\0')
    printf("    %s\n", text);
}

static void judge_sign_outs(const soak_case *run, soak_verdict *verdict) {
  int64_t *sessions = calloc(run->sign_out_count + 1, sizeof *sessions);
  if (sessions == NULL)
    soak_give_up("no memory");
  for (size_t i = 0; i < run->sign_out_count; i++) {
    const soak_sign_out *seen = &run->sign_outs[i];
    int32_t state = run->page->events[seen->event].more;
    bool over = state == IDENTITY_STATE_SIGNED_OUT || state == IDENTITY_STATE_REAUTH_REQUIRED;
    verdict->still_in += !over;
    sessions[i] = over ? evidence_session_of(run, seen->event) : -1;
    if (over && !is_known(run, i, sessions))
      count_end(run, seen, verdict);
  }
  free(sessions);
}

/* The newest pair that a handle was seen with before a moment. */
static const soak_entry *newest_of(const soak_case *run, const soak_entry *by) {
  const soak_entry *newest = NULL;
  for (uint32_t i = 0; i < evidence_count(run); i++) {
    const soak_event *event = &run->page->events[i];
    if (event->kind != SOAK_HOLDS || event->device != by->device || event->handle != by->handle ||
        event->real_us >= by->real_us)
      continue;
    const soak_entry *entry = evidence_issued_jwt(run, by->device, event->mark);
    if (entry != NULL && (newest == NULL || evidence_is_newer(run, entry, newest)))
      newest = entry;
  }
  return newest;
}

/* Its owner still waited for an answer to the same token, and could have gone on. */
static bool is_open(const soak_case *run, const soak_entry *earlier, const soak_entry *entry) {
  return earlier->answered_us > entry->real_us + EVIDENCE_BLUR_US &&
         entry->now_ms - earlier->now_ms < LEASE_MS && earlier->fault >= 0 &&
         fault_is_delay((size_t)earlier->fault) &&
         !evidence_killed(run, earlier->worker, earlier->real_us - EVIDENCE_SIGNAL_US, entry->real_us) &&
         !evidence_stopped(run, earlier->device, earlier->worker, earlier->real_us - EVIDENCE_SIGNAL_US,
                           entry->real_us);
}

static void judge_request(const soak_case *run, size_t which, soak_verdict *verdict) {
  const soak_entry *entry = &run->journal.entries[which];
  const soak_entry *issued = evidence_issued(run, entry->device, entry->refresh_token);
  const soak_entry *newest = newest_of(run, entry);
  char text[160];
  bool replay = false;
  bool overlap = false;
  for (size_t i = 0; i < which; i++) {
    const soak_entry *earlier = &run->journal.entries[i];
    if (earlier->login || strcmp(earlier->refresh_token, entry->refresh_token) != 0)
      continue;
    replay = replay || earlier->refresh_token_issued[0] != '\0';
    overlap = overlap || is_open(run, earlier, entry);
  }
  verdict->refreshes++;
  verdict->rotations += entry->refresh_token_issued[0] != '\0';
  verdict->replays += replay;
  verdict->overlaps += overlap;
  if (overlap && verdict->overlaps <= MOST_SPURIOUS_SHOWN)
    printf("  OVERLAP: %s\n", describe(entry, text));
  if (issued == NULL || newest == NULL || !evidence_is_newer(run, newest, issued))
    return;
  if (++verdict->spurious <= MOST_SPURIOUS_SHOWN)
    printf("  OLDER TOKEN: the handle had the pair of request %lld, and then: %s\n", (long long)newest->seq,
           describe(entry, text));
}

static void count_adoption(const soak_case *run, uint32_t which, soak_verdict *verdict) {
  const soak_event *event = &run->page->events[which];
  const soak_entry *entry = evidence_issued_jwt(run, event->device, event->mark);
  if (entry == NULL || entry->handle == event->handle)
    return;
  for (uint32_t i = which; i > 0; i--) {
    const soak_event *before = &run->page->events[i - 1];
    if (before->kind == SOAK_HOLDS && before->device == event->device && before->handle == event->handle) {
      verdict->adoptions += strcmp(before->mark, event->mark) != 0;
      return;
    }
  }
  verdict->adoptions++;
}

void judge_decide(soak_case *run, int64_t calm_ms, soak_verdict *verdict) {
  bool succeeded[SOAK_ALL_WORKERS] = {false};
  memset(verdict, 0, sizeof *verdict);
  evidence_sort(run);
  judge_sign_outs(run, verdict);
  for (size_t i = 0; i < run->journal.count; i++)
    if (!run->journal.entries[i].login)
      judge_request(run, i, verdict);
  for (uint32_t i = 0; i < evidence_count(run); i++) {
    const soak_event *event = &run->page->events[i];
    bool ok = event->kind == SOAK_CALL_END && event->value == IDENTITY_OK;
    verdict->calls += event->kind == SOAK_CALL_END;
    verdict->calls_ok += ok;
    verdict->logins += event->kind == SOAK_LOGGED_IN;
    if (ok && event->now_ms >= calm_ms)
      succeeded[event->worker] = true;
    if (event->kind == SOAK_HOLDS)
      count_adoption(run, i, verdict);
  }
  for (int32_t i = 0; i < SOAK_ALL_WORKERS; i++)
    verdict->without_success += !succeeded[i];
}
