/* What has happened to a session, one event at a time. */
#include "api/begin.h"
#include "base/block.h"
#include "base/error.h"
#include "base/names.h"

/* Whose session ended, as long as nobody else is signed in. */
static const char *customer_of(const identity_session *session, const identity__event_note *note) {
  bool same = note->kind == IDENTITY_EVENT_REAUTH_REQUIRED && note->epoch == session->tokens.record.epoch;
  return same ? session->tokens.record.grant.customer_id : NULL;
}

/* With the lock held. */
static identity_event *make_event(const identity_session *session, const identity__event_note *note) {
  const identity__block_member customer = {offsetof(identity_event, customer_id), customer_of(session, note)};
  identity_event *event = identity__block_of(sizeof *event, &customer, 1);
  if (event == NULL)
    return NULL;
  event->number = note->number;
  event->at_ms = note->at_ms;
  event->amount_ms = note->amount_ms;
  event->kind = note->kind;
  event->old_state = note->old_state;
  event->new_state = note->new_state;
  event->reason = note->reason;
  event->how = note->how;
  event->cause = note->cause;
  event->kind_name = identity__event_name(note->kind);
  return event;
}

identity_status identity_session_next_event(identity_session *session, const identity_event **event,
                                            identity_error *error) {
  identity_status status = identity__check_ask(session, event, "event", error);
  if (status != IDENTITY_OK)
    return status;
  pthread_mutex_lock(&session->lock);
  const identity__event_note *note = identity__events_peek(&session->events);
  bool any = note != NULL;
  if (any)
    *event = make_event(session, note);
  if (*event != NULL)
    identity__events_take(&session->events);
  pthread_mutex_unlock(&session->lock);
  return any && *event == NULL ? identity__fail_plain(error, IDENTITY_OUT_OF_MEMORY) : IDENTITY_OK;
}

void identity_event_free(const identity_event *event) {
  identity__block_free(event);
}
