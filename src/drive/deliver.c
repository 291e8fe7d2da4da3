#include "drive/deliver.h"

#include <stdlib.h>

identity_status identity__startable(identity_session *session) {
  if (session == NULL)
    return IDENTITY_BAD_ARGUMENT;
  identity__loop *loop = session->loop;
  if (!loop->shared)
    return IDENTITY_NOT_ON_A_LOOP;
  if (identity__loop_is_forked(loop))
    return IDENTITY_FORKED;
  if (identity__loop_is_gone(loop))
    return IDENTITY_LOOP_GONE;
  pthread_mutex_lock(&loop->lock);
  bool closing = session->closing;
  pthread_mutex_unlock(&loop->lock);
  return closing ? IDENTITY_CANCELLED : IDENTITY_OK;
}

static bool make_handle(identity__loop *loop, identity__call *call) {
  call->handle = calloc(1, sizeof *call->handle);
  if (call->handle == NULL)
    return false;
  call->handle->loop = loop;
  call->handle->call = call;
  identity__loop_hold(loop);
  return true;
}

identity_status identity__start_call(identity_session *session, identity__call *call,
                                     identity_call **handle) {
  identity__loop *loop = session->loop;
  if (handle != NULL && !make_handle(loop, call))
    return IDENTITY_OUT_OF_MEMORY;
  identity_call *given = call->handle;
  if (handle != NULL)
    *handle = given; /* before another thread can complete the call */
  call->session = session;
  call->calls = &session->calls;
  identity_status status = identity__loop_submit(loop, call, &session->closing);
  if (status == IDENTITY_OK)
    return IDENTITY_OK;
  if (handle != NULL)
    *handle = NULL;
  if (given != NULL)
    identity__loop_let_go(loop);
  free(given);
  return status;
}

static identity__call *next_completed(identity__loop *loop) {
  pthread_mutex_lock(&loop->lock);
  identity__node *node = identity__list_take(&loop->completed);
  loop->pending -= node != NULL;
  pthread_mutex_unlock(&loop->lock);
  return node != NULL ? IDENTITY__OWNER(node, identity__call, queued) : NULL;
}

void identity__deliver(identity__loop *loop) {
  identity__call *call;
  while ((call = next_completed(loop)) != NULL) {
    bool ok = call->status == IDENTITY_OK;
    void *result = ok ? call->result : NULL;
    if (ok)
      call->result = NULL; /* the callback's from here on */
    call->complete(call->status, result, &call->error, call->user_data);
    identity__call_free(call);
  }
}
