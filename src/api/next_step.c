/* What to show next: consents to ask, else the capture form, else nothing. */
#include "api/begin.h"
#include "base/block.h"
#include "wire/results.h"

#include <stdlib.h>

enum { LEAD = sizeof(identity_next_step) };

/* The step stands in front of its list, in one block. */
static identity_next_step *step_before(void *list) {
  return (identity_next_step *)(void *)((char *)list - identity__block_cost(LEAD));
}

static void finish_with_consents(identity__call *call, identity_customer_consents *consents) {
  identity_next_step *next = step_before(consents);
  next->step = IDENTITY_STEP_CONSENTS;
  next->consents = consents;
  identity__call_finish_with(call, next);
}

static void finish_with_capture(identity__call *call, identity_capture_status *capture) {
  identity_next_step *next = step_before(capture);
  next->step = IDENTITY_STEP_CAPTURE;
  next->capture = capture;
  identity__call_finish_with(call, next);
}

static void finish_without_step(identity__call *call) {
  identity_next_step *next = calloc(1, sizeof *next);
  if (next == NULL)
    (void)identity__call_built(call, false);
  else
    identity__call_finish_with(call, next);
}

/* True: there are consents to ask, or this failed; the flow is over. */
static bool ask_consents(identity__call *call) {
  identity_customer_consents *consents;
  identity_status status = identity__read_customer_consents(call->answer.data, IDENTITY__CONSENTS_TO_ASK,
                                                            LEAD, &consents, &call->error);
  if (status != IDENTITY_OK) {
    identity__call_finish(call, status);
    return true;
  }
  if (consents->count > 0) {
    finish_with_consents(call, consents);
    return true;
  }
  free(step_before(consents));
  return false;
}

static void show_capture(identity__call *call, identity_capture_status *capture) {
  if (capture->enabled && capture->should_be_displayed) {
    finish_with_capture(call, capture);
    return;
  }
  free(step_before(capture));
  finish_without_step(call);
}

static identity_capture_status *read_capture(identity__call *call) {
  identity_capture_status *capture = NULL;
  identity_status status = identity__read_capture(call->answer.data, LEAD, &capture, &call->error);
  if (status != IDENTITY_OK)
    identity__call_finish(call, status);
  return capture;
}

/* The form alone, asked for at the same time: what it found is for the call beside. */
static void capture_flow(identity__call *call) {
  if (call->leg == 0) {
    identity__call_send(call, IDENTITY__CAPTURE_STATUS);
    return;
  }
  identity_capture_status *capture = read_capture(call);
  if (capture != NULL)
    identity__call_finish_with(call, step_before(capture));
}

static identity_capture_status *take_beside(identity__call *call) {
  void *lead = call->beside->result;
  call->beside->result = NULL;
  return (identity_capture_status *)(void *)((char *)lead + identity__block_cost(LEAD));
}

static void flow(identity__call *call) {
  identity_capture_status *capture;
  switch (call->leg) {
  case 0:
    identity__call_send(call, IDENTITY__CUSTOMER_CONSENTS);
    break;
  case 1:
    if (ask_consents(call))
      break;
    if (call->beside != NULL)
      identity__call_order(call, IDENTITY__ORDER_BESIDE);
    else
      identity__call_send(call, IDENTITY__CAPTURE_STATUS);
    break;
  default:
    capture = call->beside != NULL ? take_beside(call) : read_capture(call);
    if (capture != NULL)
      show_capture(call, capture);
  }
}

static identity__call *prepare(identity_session *session) {
  identity__call *call = identity__begin(session, "fetch_next_step", flow, 0);
  if (call != NULL)
    call->beside_flow = capture_flow;
  return call;
}

identity_status identity_fetch_next_step(identity_session *session, const identity_next_step **next_step,
                                         identity_error *error) {
  return identity__conclude_with(session, prepare(session), next_step, "next_step", error);
}

identity_status identity_fetch_next_step_start(identity_session *session, identity_done_fn done,
                                               void *user_data, identity_call **call) {
  return identity__start(session, prepare(session), done, user_data, call);
}

void identity_next_step_free(const identity_next_step *next_step) {
  identity__block_free(next_step);
}
