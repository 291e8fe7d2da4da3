#include "drive/notice.h"

#include <stdlib.h>

enum { SUSPECT_MS = 5 * 60 * 1000 }; /* further off than that, certificates and dates begin to suffer */

identity__now identity__notice_begin(identity_session *session) {
  identity__now now = identity__loop_now(session->loop);
  session->changes_at_ms = now.wall_ms;
  pthread_mutex_lock(&session->lock);
  return now;
}

void identity__notice_end(identity_session *session) {
  identity__events_notice(&session->events, &session->tokens, session->changes_at_ms);
  pthread_mutex_unlock(&session->lock);
}

static void add(identity_session *session, int32_t kind, identity_status cause, int64_t amount_ms) {
  const identity__event_note note = {.kind = kind,
                                     .at_ms = identity__loop_now(session->loop).wall_ms,
                                     .old_state = session->events.seen.state,
                                     .new_state = session->events.seen.state,
                                     .cause = cause,
                                     .amount_ms = amount_ms};
  pthread_mutex_lock(&session->lock);
  identity__events_add(&session->events, &note);
  pthread_mutex_unlock(&session->lock);
}

void identity__notice_deferred(identity_session *session, identity_status cause, int64_t wait_ms) {
  add(session, IDENTITY_EVENT_REFRESH_DEFERRED, cause, wait_ms);
}

static bool is_far_off(int64_t offset_ms) {
  return llabs(offset_ms) > SUSPECT_MS;
}

/* Told once when the clock is found wrong, and again when it is found wrong by another amount. */
static void compare_clocks(identity_session *session, int64_t date_s) {
  int64_t offset_ms = date_s * 1000 - identity__loop_now(session->loop).wall_ms;
  bool news = is_far_off(offset_ms) && is_far_off(offset_ms - session->told_offset_ms);
  pthread_mutex_lock(&session->lock);
  session->clock_offset_ms = offset_ms;
  pthread_mutex_unlock(&session->lock);
  if (!is_far_off(offset_ms))
    session->told_offset_ms = 0;
  if (!news)
    return;
  session->told_offset_ms = offset_ms;
  add(session, IDENTITY_EVENT_CLOCK_SUSPECT, IDENTITY_OK, offset_ms);
}

void identity__notice_answer(identity_session *session, int64_t date_s, int64_t quiet_ms) {
  if (date_s > 0)
    compare_clocks(session, date_s);
  if (quiet_ms > 0)
    add(session, IDENTITY_EVENT_THROTTLED, IDENTITY_THROTTLED, quiet_ms);
}
