/* What an app can do with a call that it has started. */
#include "base/limits.h"
#include "drive/loop.h"

#include <stdlib.h>

void identity_call_cancel(identity_call *handle) {
  if (handle == NULL || identity__loop_is_forked(handle->loop))
    return;
  pthread_mutex_lock(&handle->loop->lock);
  if (handle->call != NULL) {
    handle->call->cancelled = true;
    identity__loop_signal(handle->loop, handle->call);
  }
  pthread_mutex_unlock(&handle->loop->lock);
}

identity_status identity_call_set_timeout_ms(identity_call *handle, uint32_t timeout_ms) {
  if (handle == NULL || timeout_ms < IDENTITY__MIN_TIMEOUT_MS || timeout_ms > IDENTITY__MAX_TIMEOUT_MS)
    return IDENTITY_BAD_ARGUMENT;
  if (identity__loop_is_forked(handle->loop))
    return IDENTITY_FORKED;
  int64_t deadline_ms = identity__loop_boot_ms(handle->loop) + timeout_ms;
  pthread_mutex_lock(&handle->loop->lock);
  if (handle->call != NULL) {
    handle->call->wanted_deadline_ms = deadline_ms;
    identity__loop_signal(handle->loop, handle->call);
  }
  pthread_mutex_unlock(&handle->loop->lock);
  return IDENTITY_OK;
}

void identity_call_free(identity_call *handle) {
  if (handle == NULL || identity__loop_is_forked(handle->loop)) /* the parent's */
    return;
  identity__loop *loop = handle->loop;
  pthread_mutex_lock(&loop->lock);
  if (handle->call != NULL)
    handle->call->handle = NULL;
  pthread_mutex_unlock(&loop->lock);
  identity__loop_let_go(loop);
  free(handle);
}
