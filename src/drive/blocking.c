#include "drive/blocking.h"
#include "base/error.h"
#include "drive/ending.h"
#include "drive/round.h"

identity_status identity__session_usable(identity_session *session, identity_error *error) {
  if (session == NULL)
    return identity__fail(error, IDENTITY_BAD_ARGUMENT, "session", "session is NULL");
  if (identity__loop_is_forked(session->loop))
    return identity__fail_plain(error, IDENTITY_FORKED);
  return identity__loop_is_gone(session->loop) ? identity__fail_plain(error, IDENTITY_LOOP_GONE)
                                               : IDENTITY_OK;
}

/* With the turn, or its call is over. What is closed meanwhile is freed by who drives next. */
static void leave(identity_session *session) {
  identity__loop *loop = session->loop;
  pthread_mutex_lock(&loop->lock);
  session->inside--;
  if (loop->shared && !loop->ended) { /* who waits in its place has to be told what has changed */
    loop->news = true;
    identity__loop_wake(loop);
  }
  pthread_cond_broadcast(&loop->changed);
  pthread_mutex_unlock(&loop->lock);
}

static identity_status enter(identity_session *session, const char *name, identity_error *error) {
  identity__loop *loop = session->loop;
  pthread_mutex_lock(&loop->lock);
  bool last = loop->known_driver && pthread_equal(loop->driver, pthread_self());
  bool inside = loop->driven && last;
  /* A shared loop has one driver; who else would wait for it has a twin that does not wait. */
  bool foreign = loop->shared && loop->known_driver && !last;
  bool closing = session->closing;
  bool enters = !inside && !foreign && !closing;
  session->inside += enters;
  pthread_mutex_unlock(&loop->lock);
  if (inside)
    return identity__fail(error, IDENTITY_REENTERED, NULL, "%s%s%s%s",
                          identity_status_text(IDENTITY_REENTERED), loop->shared ? " Use identity_" : "",
                          loop->shared ? name : "", loop->shared ? "_start." : "");
  if (foreign)
    return identity__fail(error, IDENTITY_WRONG_THREAD, NULL, "%s Use identity_%s_start.",
                          identity_status_text(IDENTITY_WRONG_THREAD), name);
  return closing ? identity__fail_plain(error, IDENTITY_CANCELLED) : IDENTITY_OK;
}

/* From leave on, session and loop belong to who closes them: but for the loop while this thread has the turn.
 */
static void drive(identity_session *session, identity__call *call) {
  identity__loop *loop = session->loop;
  if (!identity__loop_take_turn(loop, call)) {
    leave(session);
    return;
  }
  while (!call->done)
    identity__round(loop, INT64_MAX, call);
  leave(session);
  if (loop->free_wanted) /* the app's log function has freed it */
    identity__loop_close(loop);
  else
    identity__loop_pass_turn(loop);
}

identity_status identity__run(identity_session *session, identity__call *call, identity_error *error) {
  identity_status status = enter(session, call->name, &call->error);
  if (status == IDENTITY_OK) {
    call->session = session;
    call->calls = &session->calls;
    status = identity__loop_submit(session->loop, call, &session->closing);
    if (status != IDENTITY_OK) {
      leave(session);
      return identity__fail_plain(error, status);
    }
    drive(session, call);
    status = call->status;
  }
  if (error != NULL)
    *error = call->error;
  return status;
}
