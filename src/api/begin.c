#include "api/begin.h"
#include "base/error.h"
#include "drive/blocking.h"
#include "drive/deliver.h"

#include <string.h>

identity_status identity__check_result(void *result, const char *name, identity_error *error) {
  identity__error_clear(error);
  if (result == NULL)
    return identity__fail(error, IDENTITY_BAD_ARGUMENT, name, "%s is NULL", name);
  memset(result, 0, sizeof(void *));
  return IDENTITY_OK;
}

identity_status identity__check_ask(identity_session *session, void *result, const char *name,
                                    identity_error *error) {
  identity_status status = identity__check_result(result, name, error);
  return status == IDENTITY_OK ? identity__session_usable(session, error) : status;
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
                                size_t inputs_size) {
  if (identity__session_usable(session, NULL) != IDENTITY_OK)
    return NULL;
  identity__call *call = identity__call_new(name, flow);
  if (call == NULL)
    return NULL;
  call->inputs = identity__arena_take(&call->arena, inputs_size);
  if (call->inputs == NULL) {
    identity__call_free(call);
    return NULL;
  }
  call->base_url = session->base_url;
  call->publisher_id = session->publisher_id;
  call->deadline_ms = identity__loop_boot_ms(session->loop) + session->timeout_ms;
  return call;
}

bool identity__take_params(identity__call *call, const void *params, size_t first_size, size_t size) {
  return call != NULL &&
         identity__check_params(params, first_size, call->inputs, size, &call->error) == IDENTITY_OK;
}

static void keep_secret(identity__call *call, const char *text) {
  for (int i = 0; i < IDENTITY__CALL_SECRETS; i++)
    if (call->secrets[i] == NULL) {
      call->secrets[i] = text;
      return;
    }
}

bool identity__take_texts(identity__call *call, const identity__input *inputs, size_t count) {
  if (call == NULL || identity__check_inputs(inputs, count, call->inputs, &call->error) != IDENTITY_OK)
    return false;
  for (size_t i = 0; i < count; i++) {
    const char **text = (const char **)(void *)((char *)call->inputs + inputs[i].offset);
    if (*text == NULL)
      continue;
    *text = identity__arena_text(&call->arena, *text);
    if (*text == NULL) {
      identity__fail_prepared(call);
      return false;
    }
    if ((inputs[i].traits & IDENTITY__SECRET) != 0)
      keep_secret(call, *text);
  }
  return true;
}

void identity__fail_prepared(identity__call *call) {
  (void)identity__fail_plain(&call->error, IDENTITY_OUT_OF_MEMORY);
}

static identity_status conclude(identity_session *session, identity__call *call, void *result,
                                identity_error *error) {
  identity_status status = call != NULL ? call->error.status : identity__session_usable(session, error);
  if (call == NULL)
    return status != IDENTITY_OK ? status : identity__fail_plain(error, IDENTITY_OUT_OF_MEMORY);
  if (status == IDENTITY_OK)
    status = identity__run(session, call, error);
  else if (error != NULL)
    *error = call->error;
  if (status == IDENTITY_OK && result != NULL) {
    memcpy(result, &call->result, sizeof call->result);
    call->result = NULL;
  }
  identity__call_free(call);
  return status;
}

identity_status identity__conclude(identity_session *session, identity__call *call, identity_error *error) {
  return conclude(session, call, NULL, error);
}

identity_status identity__conclude_with(identity_session *session, identity__call *call, void *result,
                                        const char *result_name, identity_error *error) {
  identity_status status = identity__check_result(result, result_name, error);
  if (status == IDENTITY_OK)
    return conclude(session, call, result, error);
  identity__call_free(call);
  return status;
}

/* What the app did wrong is told where everything else is: in the completion. */
static void failed_flow(identity__call *call) {
  identity__call_finish(call, call->error.status);
}

identity_status identity__start(identity_session *session, identity__call *call, identity_done_fn done,
                                void *user_data, identity_call **handle) {
  identity_status status = done != NULL ? identity__startable(session) : IDENTITY_BAD_ARGUMENT;
  if (handle != NULL)
    *handle = NULL;
  if (status == IDENTITY_OK && call == NULL)
    status = IDENTITY_OUT_OF_MEMORY;
  if (status == IDENTITY_OK) {
    if (call->error.status != IDENTITY_OK)
      call->flow = failed_flow;
    call->complete = done;
    call->user_data = user_data;
    status = identity__start_call(session, call, handle);
  }
  if (status != IDENTITY_OK)
    identity__call_free(call);
  return status;
}
