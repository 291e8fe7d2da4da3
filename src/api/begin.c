#include "api/begin.h"
#include "base/error.h"
#include "drive/blocking.h"
#include "drive/deliver.h"

#include <string.h>

identity_status identity__check_result(const void *result, const char *name, identity_error *error) {
  if (result == NULL)
    return identity__fail(error, IDENTITY_BAD_ARGUMENT, name, "%s is NULL", name);
  return IDENTITY_OK;
}

void identity__init_params(void *params, uint32_t size) {
  if (params == NULL || size < sizeof size)
    return;
  memset(params, 0, size);
  memcpy(params, &size, sizeof size);
}

static bool is_zero(const char *bytes, size_t size) {
  for (size_t i = 0; i < size; i++)
    if (bytes[i] != 0)
      return false;
  return true;
}

enum { MOST_PARAMS = 4096 }; /* no release will have a larger struct; a larger number is garbage */

identity_status identity__check_params(const void *params, size_t first_size, void *copy, size_t size,
                                       identity_error *error) {
  uint32_t given = 0;
  memset(copy, 0, size);
  if (params == NULL)
    return identity__fail(error, IDENTITY_BAD_ARGUMENT, "params", "params is NULL");
  memcpy(&given, params, sizeof given);
  if (given < first_size || given > MOST_PARAMS)
    return identity__fail(error, IDENTITY_BAD_ARGUMENT, "struct_size",
                          "params.struct_size is no size: fill the struct with its _params_init function");
  if (given > size && !is_zero((const char *)params + size, given - size))
    return identity__fail_plain(error, IDENTITY_PARAMS_TOO_NEW);
  memcpy(copy, params, given < size ? given : size);
  return IDENTITY_OK;
}

identity__call *identity__begin(identity_session *session, const char *name, identity__flow flow,
                                size_t input_size, identity_error *error) {
  if (identity__session_usable(session, error) != IDENTITY_OK)
    return NULL;
  identity__call *call = identity__call_new(name, flow);
  if (call != NULL && input_size > 0) {
    call->inputs = identity__arena_take(&call->arena, input_size);
    if (call->inputs == NULL) {
      identity__call_free(call);
      call = NULL;
    }
  }
  if (call == NULL) {
    (void)identity__fail_plain(error, IDENTITY_OUT_OF_MEMORY);
    return NULL;
  }
  call->base_url = session->base_url;
  call->publisher_id = session->publisher_id;
  call->deadline_ms = identity__loop_now(session->loop).boot_ms + session->timeout_ms;
  return call;
}

bool identity__keep_texts(identity__call *call, const char **texts[], size_t count) {
  for (size_t i = 0; i < count; i++) {
    if (*texts[i] == NULL)
      continue;
    *texts[i] = identity__arena_text(&call->arena, *texts[i]);
    if (*texts[i] == NULL)
      return false;
  }
  return true;
}

identity_status identity__conclude(identity_session *session, identity__call *call, void *result,
                                   identity_error *error) {
  if (call == NULL)
    return error->status;
  identity_status status = identity__run(session, call, error);
  if (status == IDENTITY_OK && result != NULL) {
    memcpy(result, &call->result, sizeof call->result);
    call->result = NULL;
  }
  identity__call_free(call);
  return status;
}

static void failed_flow(identity__call *call) {
  identity__call_finish(call, call->error.status);
}

/* What the app did wrong is told where everything else is: in the completion. */
static identity__call *failed_call(const identity_session *session, const identity_error *error) {
  identity__call *call = identity__call_new("bad input", failed_flow);
  if (call == NULL)
    return NULL;
  call->error = *error;
  call->deadline_ms = identity__loop_now(session->loop).boot_ms + session->timeout_ms;
  return call;
}

identity_status identity__start(identity_session *session, identity__call *call, const identity_error *error,
                                identity_done_fn done, void *user_data, identity_call **handle) {
  identity_status status = done != NULL ? identity__startable(session) : IDENTITY_BAD_ARGUMENT;
  if (handle != NULL)
    *handle = NULL;
  if (status == IDENTITY_OK && call == NULL)
    call = failed_call(session, error);
  if (status == IDENTITY_OK && call == NULL)
    status = IDENTITY_OUT_OF_MEMORY;
  if (status == IDENTITY_OK) {
    call->complete = done;
    call->user_data = user_data;
    status = identity__start_call(session, call, handle);
  }
  if (status != IDENTITY_OK)
    identity__call_free(call);
  return status;
}

identity__call *identity__abandon(identity__call *call, identity_error *error) {
  identity__call_free(call);
  (void)identity__fail_plain(error, IDENTITY_OUT_OF_MEMORY);
  return NULL;
}
