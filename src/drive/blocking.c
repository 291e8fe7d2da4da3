#include "drive/blocking.h"
#include "base/error.h"
#include "drive/round.h"

identity_status identity__session_usable(identity_session *session, identity_error *error) {
  if (session == NULL)
    return identity__fail(error, IDENTITY_BAD_ARGUMENT, "session", "session is NULL");
  if (identity__loop_is_forked(session->loop))
    return identity__fail_plain(error, IDENTITY_FORKED);
  return identity__loop_is_gone(session->loop) ? identity__fail_plain(error, IDENTITY_LOOP_GONE)
                                               : IDENTITY_OK;
}

static void leave(identity_session *session) {
  identity__loop *loop = session->loop;
  pthread_mutex_lock(&loop->lock);
  session->inside--;
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

static bool is_closing(identity_session *session) {
  pthread_mutex_lock(&session->loop->lock);
  bool closing = session->closing;
  pthread_mutex_unlock(&session->loop->lock);
  return closing;
}

identity_status identity__run(identity_session *session, identity__call *call, identity_error *error) {
  identity__loop *loop = session->loop;
  identity_status status = enter(session, call->name, &call->error);
  if (status == IDENTITY_OK) {
    call->session = session;
    call->calls = &session->calls;
    if (!identity__loop_submit(loop, call)) {
      leave(session);
      return identity__fail_plain(error, IDENTITY_LOOP_GONE);
    }
    if (is_closing(session)) /* since it entered: close has not seen this call */
      identity__loop_cancel(loop, &session->calls);
    if (identity__loop_take_turn(loop, call)) {
      while (!call->done)
        identity__round(loop, INT64_MAX, call);
      identity__loop_pass_turn(loop);
    }
    if (loop->shared)
      identity__loop_wake_driver(loop); /* who waits in its place has to be told what has changed */
    status = call->status;
    leave(session);
  }
  if (error != NULL)
    *error = call->error;
  return status;
}
