#include "api/answers.h"
#include "base/block.h"
#include "base/error.h"
#include "wire/results.h"

#include <stdlib.h>
#include <string.h>

/* ---- the publisher's ---- */

static void definitions_flow(identity__call *call) {
  if (call->leg == 0) {
    identity__call_send(call, IDENTITY__PUBLISHER_CONSENTS);
    return;
  }
  identity_consents *consents;
  identity_status status = identity__read_consents(call->answer.data, &consents, &call->error);
  call->result = consents;
  identity__call_finish(call, status);
}

identity_status identity_fetch_publisher_consents(identity_session *session,
                                                  const identity_consents **consents, identity_error *error) {
  return identity__conclude_with(session,
                                 identity__begin(session, "fetch_publisher_consents", definitions_flow, 0),
                                 consents, "consents", error);
}

identity_status identity_fetch_publisher_consents_start(identity_session *session, identity_done_fn done,
                                                        void *user_data, identity_call **call) {
  return identity__start(session, identity__begin(session, "fetch_publisher_consents", definitions_flow, 0),
                         done, user_data, call);
}

void identity_consents_free(const identity_consents *consents) {
  identity__block_free(consents);
}

/* ---- the customer's ---- */

static void customer_flow(identity__call *call) {
  if (call->leg == 0) {
    identity__call_send(call, IDENTITY__CUSTOMER_CONSENTS);
    return;
  }
  identity_customer_consents *consents;
  identity_status status =
      identity__read_customer_consents(call->answer.data, IDENTITY__ALL_CONSENTS, 0, &consents, &call->error);
  call->result = consents;
  identity__call_finish(call, status);
}

identity_status identity_fetch_customer_consents(identity_session *session,
                                                 const identity_customer_consents **consents,
                                                 identity_error *error) {
  return identity__conclude_with(session,
                                 identity__begin(session, "fetch_customer_consents", customer_flow, 0),
                                 consents, "consents", error);
}

identity_status identity_fetch_customer_consents_start(identity_session *session, identity_done_fn done,
                                                       void *user_data, identity_call **call) {
  return identity__start(session, identity__begin(session, "fetch_customer_consents", customer_flow, 0), done,
                         user_data, call);
}

void identity_customer_consents_free(const identity_customer_consents *consents) {
  identity__block_free(consents);
}

/* ---- answering ---- */

static const identity_customer_consent *find_consent(const identity_customer_consents *consents,
                                                     const char *name) {
  for (uint32_t i = 0; i < consents->count; i++)
    if (strcmp(consents->items[i]->name, name) == 0)
      return consents->items[i];
  return NULL;
}

static identity_status check_current(const identity__call *call, const identity_customer_consents *current,
                                     identity_error *error) {
  for (uint32_t i = 0; i < call->kept_count; i++) {
    const identity_consent_answer *answer = &call->kept[i];
    const identity_customer_consent *consent = find_consent(current, answer->name);
    if (consent == NULL)
      return identity__fail(error, IDENTITY_INVALID_INPUT, answer->name, "The publisher has no consent %s.",
                            answer->name);
    identity_status status = identity__check_version(answer, consent->newest_version, error);
    if (status != IDENTITY_OK)
      return status;
  }
  return IDENTITY_OK;
}

static void send_answers(identity__call *call) {
  identity_customer_consents *current;
  identity_status status =
      identity__read_customer_consents(call->answer.data, IDENTITY__ALL_CONSENTS, 0, &current, &call->error);
  if (status == IDENTITY_OK)
    status = check_current(call, current, &call->error);
  free(current);
  if (status != IDENTITY_OK) {
    identity__call_finish(call, status);
    return;
  }
  identity__call_send(call, IDENTITY__UPDATE_CONSENTS);
  (void)identity__call_built(call, identity__body_consents(call->kept, call->kept_count, &call->body));
}

static void update_flow(identity__call *call) {
  switch (call->leg) {
  case 0:
    /* What the viewer says now replaces what still waits from the registration. */
    call->prelude_done = true;
    identity__call_send(call, IDENTITY__CUSTOMER_CONSENTS);
    break;
  case 1:
    send_answers(call);
    break;
  case 2:
    call->settled = true;
    identity__call_order(call, IDENTITY__ORDER_DROP_CONSENTS);
    call->tolerate = true;
    break;
  default:
    identity__call_finish(call, IDENTITY_OK);
  }
}

static identity__call *prepare_update(identity_session *session, const identity_consent_answer *answers,
                                      uint32_t answer_count) {
  identity__call *call = identity__begin(session, "update_customer_consents", update_flow, 0);
  if (call != NULL && identity__take_answers(call, answers, answer_count) && answer_count == 0)
    (void)identity__fail(&call->error, IDENTITY_BAD_ARGUMENT, "answers", "there are no consent answers");
  return call;
}

identity_status identity_update_customer_consents(identity_session *session,
                                                  const identity_consent_answer *answers,
                                                  uint32_t answer_count, identity_error *error) {
  return identity__conclude(session, prepare_update(session, answers, answer_count), error);
}

identity_status identity_update_customer_consents_start(identity_session *session,
                                                        const identity_consent_answer *answers,
                                                        uint32_t answer_count, identity_done_fn done,
                                                        void *user_data, identity_call **call) {
  return identity__start(session, prepare_update(session, answers, answer_count), done, user_data, call);
}
