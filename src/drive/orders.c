#include "drive/orders.h"
#include "base/error.h"
#include "base/text.h"
#include "drive/keep.h"
#include "drive/refresh.h"

#include <string.h>

enum { PENDING_FIRST_MS = 1000, PENDING_MOST_MS = 5 * 60 * 1000, STARVED_MS = 50 };

static bool make_sign_in(const identity__machine *machine, const void *input, identity__record *next) {
  const identity__call *call = input;
  return identity__machine_sign_in(machine, &call->grant, call->kept, call->kept_count, next);
}

static bool make_sign_out(const identity__machine *machine, const void *input, identity__record *next) {
  const identity__call *call = input;
  return identity__machine_sign_out(machine, call->reason, next);
}

static bool make_end(const identity__machine *machine, const void *input, identity__record *next) {
  const identity__call *call = input;
  return identity__machine_end(machine, call->reason, next);
}

static identity_status run_change(identity_session *session, identity__call *call, identity__maker make,
                                  int32_t over) {
  identity__change change = {
      .make = make, .input = call, .over = over, .both_copies = true, .in_memory_too = true};
  return identity__keep_change(session, call, &change);
}

static identity_status change_answers(identity_session *session, const identity__call *call,
                                      identity__maker make) {
  identity__change change = {
      .make = make, .input = call, .over = IDENTITY__OVER_EPOCH, .in_memory_too = true, .answers = true};
  return identity__keep_change(session, NULL, &change);
}

/* A failing store after the service has answered must not cost the session: it lives in memory then, and the
 * state says not_persisted. */
static identity_status sign_in(identity_session *session, identity__call *call) {
  if (call->sign_outs != session->sign_outs)
    return call->endpoint != NULL && call->endpoint->expect.outcome_matters ? IDENTITY_OUTCOME_UNKNOWN
                                                                            : IDENTITY_CANCELLED;
  session->tokens.how = call->how;
  session->delivers = call->kept_count > 0 ? call : NULL;
  session->tokens.delivering = call->kept_count > 0;
  identity_status status = run_change(session, call, make_sign_in, IDENTITY__OVER_ALL);
  if (status == IDENTITY__KEEP_AGAIN)
    return status;
  if (status != IDENTITY_OUT_OF_MEMORY)
    return IDENTITY_OK;
  /* The tokens are here: only memory is missing, and may be there in a moment. Until then, what is said at
   * the deadline: the account may exist by now, and "try later" would invite a second registration. */
  bool outcome = call->endpoint != NULL && call->endpoint->expect.outcome_matters;
  (void)identity__fail_plain(&call->error, outcome ? IDENTITY_OUTCOME_UNKNOWN : status);
  call->again_ms = identity__loop_boot_ms(session->loop) + STARVED_MS;
  return IDENTITY_OK;
}

/* A refresh of who has signed in since keeps it from being tried now: then it is not stored yet. */
static identity_status store_sign_out(identity_session *session, identity__call *call) {
  identity_status status = identity__keep_retry(session, call);
  return status == IDENTITY_OK && session->tokens.not_persisted ? IDENTITY_STORE_LOCKED : status;
}

/* In memory at once, whoever holds the store; the call goes on until the store has it, too. */
static identity_status sign_out(identity_session *session, identity__call *call) {
  if (call->locked_since_ms != 0)
    return store_sign_out(session, call);
  if (session->tokens.blocked != IDENTITY_OK)
    (void)identity__keep_load(session, NULL);
  session->sign_outs++;
  session->pending_failures = 0;
  session->pending_next_ms = 0;
  identity__change change = {.make = make_sign_out,
                             .input = call,
                             .over = IDENTITY__OVER_ALL,
                             .both_copies = true,
                             .in_memory_too = true};
  identity_status status = identity__keep_change(session, NULL, &change);
  return status == IDENTITY_STORE_LOCKED ? store_sign_out(session, call) : status;
}

/* The session has ended by a refusal; the flow knows better why. */
static identity_status name_end(identity_session *session, identity__call *call) {
  if (session->tokens.record.standing != IDENTITY__RECORD_REAUTH)
    return IDENTITY_OK;
  return run_change(session, call, make_end, IDENTITY__OVER_EPOCH);
}

static bool names_customer(const identity__grant *given, const identity__grant *ours) {
  if (given->customer_id != NULL && ours->customer_id != NULL)
    return strcmp(given->customer_id, ours->customer_id) == 0;
  return given->email != NULL && ours->email != NULL && identity__same_text(given->email, ours->email);
}

static identity_status end_if_same(identity_session *session, identity__call *call) {
  bool same = names_customer(&call->grant, &session->tokens.record.grant);
  if (!same || session->tokens.record.standing == IDENTITY__RECORD_SIGNED_OUT)
    return IDENTITY_OK;
  return run_change(session, call, make_end, IDENTITY__OVER_EPOCH);
}

static bool has_name(const identity__call *call, const char *name) {
  for (uint32_t i = 0; i < call->kept_count; i++)
    if (strcmp(call->kept[i].name, name) == 0)
      return true;
  return false;
}

/* An explicit answer replaces the pending one of the same name; others go on waiting. */
static bool make_without_answered(const identity__machine *machine, const void *input,
                                  identity__record *next) {
  const identity__call *call = input;
  identity_consent_answer left[IDENTITY__MAX_PENDING_CONSENTS];
  uint32_t count = 0;
  for (uint32_t i = 0; i < machine->record.pending_count; i++)
    if (!has_name(call, machine->record.pending[i].name))
      left[count++] = machine->record.pending[i];
  return identity__machine_set_pending(machine, left, count, next);
}

static identity_status drop_consents(identity_session *session, identity__call *call) {
  bool theirs = call->used.set && call->used.epoch != session->tokens.record.epoch;
  if (theirs || session->tokens.record.pending_count == 0)
    return IDENTITY_OK; /* somebody else is signed in by now: their consents are not this call's */
  return change_answers(session, call, make_without_answered);
}

static identity_status run_order(identity_session *session, identity__call *call) {
  switch (call->order) {
  case IDENTITY__ORDER_PROBE:
    return identity__keep_probe(session, call);
  case IDENTITY__ORDER_SIGN_IN:
    return sign_in(session, call);
  case IDENTITY__ORDER_SIGN_OUT:
    return sign_out(session, call);
  case IDENTITY__ORDER_NAME_END:
    return name_end(session, call);
  case IDENTITY__ORDER_END_IF_SAME:
    return end_if_same(session, call);
  case IDENTITY__ORDER_DROP_CONSENTS:
    return drop_consents(session, call);
  case IDENTITY__ORDER_REFRESH:
    return identity__refresh_step(session, call);
  default:
    return IDENTITY_BAD_ARGUMENT;
  }
}

void identity__order_run(identity_session *session, identity__call *call, identity_error *error) {
  call->again_ms = 0;
  identity_status status = run_order(session, call);
  if (call->again_ms == 0) /* the next order has a patience of its own */
    call->locked_since_ms = 0;
  if (status == IDENTITY_OK || status == IDENTITY__KEEP_AGAIN)
    identity__error_clear(error);
  else if (call->error.status == status)
    *error = call->error;
  else
    (void)identity__fail_plain(error, status);
}

static bool same_answer(const identity_consent_answer *a, const identity_consent_answer *b) {
  return strcmp(a->name, b->name) == 0 && strcmp(a->version, b->version) == 0 && a->accepted == b->accepted;
}

static bool was_sent(const identity__call *call, const identity_consent_answer *kept) {
  for (uint32_t i = 0; i < call->pending_count; i++)
    if (same_answer(&call->pending[i], kept))
      return true;
  return false;
}

/* Takes off only what this call has sent: somebody may have answered anew meanwhile. */
static bool make_without_sent(const identity__machine *machine, const void *input, identity__record *next) {
  const identity__call *call = input;
  identity_consent_answer left[IDENTITY__MAX_PENDING_CONSENTS];
  uint32_t count = 0;
  for (uint32_t i = 0; i < machine->record.pending_count; i++)
    if (!was_sent(call, &machine->record.pending[i]))
      left[count++] = machine->record.pending[i];
  return identity__machine_set_pending(machine, left, count, next);
}

static int64_t pending_wait_ms(const identity_session *session, uint64_t random) {
  int64_t bound = PENDING_FIRST_MS;
  for (int32_t i = 0; i < session->pending_failures && bound < PENDING_MOST_MS; i++)
    bound *= 2;
  if (bound > PENDING_MOST_MS)
    bound = PENDING_MOST_MS;
  return bound / 2 + (int64_t)(random % (uint64_t)(bound / 2 + 1));
}

void identity__order_pending(identity_session *session, identity__call *call) {
  session->pending_call = NULL;
  if (call->used.epoch != session->tokens.record.epoch)
    return;
  if (call->pending_end != IDENTITY__PENDING_KEPT) {
    session->pending_failures = 0;
    (void)change_answers(session, call, make_without_sent);
    return;
  }
  identity__moment moment = identity__loop_moment(session->loop);
  session->pending_next_ms = moment.now.boot_ms + pending_wait_ms(session, moment.random);
  session->pending_failures++;
}
