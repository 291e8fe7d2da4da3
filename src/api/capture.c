#include "api/begin.h"
#include "base/block.h"
#include "base/error.h"
#include "base/limits.h"
#include "wire/capture_plan.h"
#include "wire/results.h"

#include <stdlib.h>

/* ---- the form ---- */

static void status_flow(identity__call *call) {
  if (call->leg == 0) {
    identity__call_send(call, IDENTITY__CAPTURE_STATUS);
    return;
  }
  identity_capture_status *capture;
  identity_status status = identity__read_capture(call->answer.data, 0, &capture, &call->error);
  call->result = capture;
  identity__call_finish(call, status);
}

identity_status identity_fetch_capture_status(identity_session *session,
                                              const identity_capture_status **status, identity_error *error) {
  return identity__conclude_with(session, identity__begin(session, "fetch_capture_status", status_flow, 0),
                                 status, "status", error);
}

identity_status identity_fetch_capture_status_start(identity_session *session, identity_done_fn done,
                                                    void *user_data, identity_call **call) {
  return identity__start(session, identity__begin(session, "fetch_capture_status", status_flow, 0), done,
                         user_data, call);
}

void identity_capture_status_free(const identity_capture_status *status) {
  identity__block_free(status);
}

/* ---- the answers ---- */

typedef struct answer_inputs {
  identity_capture_answer *answers;
  identity__capture_change *changes;
  uint32_t count;
} answer_inputs;

/* Built while the form is at hand: the changes point into it. */
static void send_changes(identity__call *call, const answer_inputs *inputs) {
  identity_capture_status *form;
  uint32_t change_count = 0;
  identity_status status = identity__read_capture(call->answer.data, 0, &form, &call->error);
  if (status == IDENTITY_OK)
    status = identity__capture_plan(form, inputs->answers, inputs->count, inputs->changes, &change_count,
                                    &call->error);
  if (status != IDENTITY_OK || change_count == 0) {
    identity__call_finish(call, status);
  } else {
    identity__call_send(call, IDENTITY__UPDATE_CAPTURE);
    (void)identity__call_built(call, identity__body_capture(inputs->changes, change_count, &call->body));
  }
  free(form);
}

static void answer_flow(identity__call *call) {
  switch (call->leg) {
  case 0:
    identity__call_send(call, IDENTITY__CAPTURE_STATUS);
    break;
  case 1:
    send_changes(call, call->inputs);
    break;
  default:
    identity__call_finish(call, IDENTITY_OK);
  }
}

static identity_status check_answers(const identity_capture_answer *answers, uint32_t count,
                                     identity_error *error) {
  if (answers == NULL || count == 0)
    return identity__fail(error, IDENTITY_BAD_ARGUMENT, "answers", "there are no answers");
  if (count > IDENTITY__MAX_LIST)
    return identity__fail(error, IDENTITY_BAD_ARGUMENT, "answers", "more than %d answers",
                          IDENTITY__MAX_LIST);
  for (uint32_t i = 0; i < count; i++) {
    if (answers[i].key == NULL || answers[i].key[0] == '\0')
      return identity__fail(error, IDENTITY_BAD_ARGUMENT, "answers", "an answer has no key");
  }
  return IDENTITY_OK;
}

static bool keep_answers(identity__call *call, const identity_capture_answer *answers, uint32_t count) {
  answer_inputs *inputs = call->inputs;
  inputs->count = count;
  inputs->answers = identity__arena_take(&call->arena, count * sizeof *inputs->answers);
  inputs->changes = identity__arena_take(&call->arena, count * sizeof *inputs->changes);
  if (inputs->answers == NULL || inputs->changes == NULL)
    return false;
  for (uint32_t i = 0; i < count; i++) {
    inputs->answers[i].key = identity__arena_text(&call->arena, answers[i].key);
    inputs->answers[i].value = identity__arena_text(&call->arena, answers[i].value);
    if (inputs->answers[i].key == NULL || (inputs->answers[i].value == NULL && answers[i].value != NULL))
      return false;
  }
  return true;
}

static identity__call *prepare_answers(identity_session *session, const identity_capture_answer *answers,
                                       uint32_t answer_count) {
  identity__call *call =
      identity__begin(session, "update_capture_answers", answer_flow, sizeof(answer_inputs));
  if (call != NULL && check_answers(answers, answer_count, &call->error) == IDENTITY_OK &&
      !keep_answers(call, answers, answer_count))
    identity__fail_prepared(call);
  return call;
}

identity_status identity_update_capture_answers(identity_session *session,
                                                const identity_capture_answer *answers, uint32_t answer_count,
                                                identity_error *error) {
  return identity__conclude(session, prepare_answers(session, answers, answer_count), error);
}

identity_status identity_update_capture_answers_start(identity_session *session,
                                                      const identity_capture_answer *answers,
                                                      uint32_t answer_count, identity_done_fn done,
                                                      void *user_data, identity_call **call) {
  return identity__start(session, prepare_answers(session, answers, answer_count), done, user_data, call);
}
