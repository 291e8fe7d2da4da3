/* A call under test, driven by hand: what it is told, and what it wants. */
#ifndef SUPPORT_CALLS_H
#define SUPPORT_CALLS_H

#include "support/rows.h"

#include "call/call.h"

#include <identity/identity.h>

enum { BEGIN_MS = 1000000, TIMEOUT_MS = 30000 };
enum { UNSENT = 0, SENT = 1, ANSWERED = 2 };

#define BASE "https://identity.example.com"
/* Ends at 1700000900. */
#define JWT                                                                                                  \
  "eyJhbGciOiJSUzI1NiIsInR5cCI6IkpXVCJ9."                                                                    \
  "eyJjdXN0b21lcklkIjo1MzMzNTQzMDUsInB1Ymxpc2hlcklkIjoxMjM0NTY3ODksImV4cCI6MTcwMDAwMDkwMH0.c2ln"
#define REFUSED_JWT "{\"errors\":[\"Invalid JWT token\"],\"code\":\"AUTH0002\"}"

static identity__call *call;
static identity__moment moment;

/* What the flow of the call under test does: these legs, then it finishes with the status of the last. */
typedef struct leg {
  int32_t order;
  identity__endpoint_id endpoint; /* of a SEND */
  const char *body;               /* of a SEND; NULL: none */
  bool tolerate;
  bool settles;
  bool holds; /* the token of the last TOKEN order is used from here */
} leg;

static const leg *legs;
static size_t leg_count;
static int32_t flow_calls;
static identity_status last_seen; /* what the flow saw of the last leg */
static identity__outcome last_outcome;

static inline void scripted_flow(identity__call *self) {
  const leg *now = &legs[self->leg];
  flow_calls++;
  last_seen = self->status;
  if (self->outcome != NULL)
    last_outcome = *self->outcome;
  if ((size_t)self->leg >= leg_count) {
    identity__call_finish(self, self->status);
    return;
  }
  if (now->order == IDENTITY__ORDER_SEND)
    identity__call_send(self, now->endpoint);
  else
    identity__call_order(self, now->order);
  if (now->body != NULL)
    (void)identity__buffer_add_text(&self->body, now->body);
  self->tolerate = now->tolerate;
  self->settled = now->settles;
  self->settled_as = IDENTITY_OK;
  self->holds_token = now->holds;
}

static inline void drop_call(void) {
  identity__call_free(call);
  call = NULL;
}

static inline void new_call(const leg *script, size_t count) {
  drop_call();
  legs = script;
  leg_count = count;
  flow_calls = 0;
  last_seen = -1;
  memset(&last_outcome, 0, sizeof last_outcome);
  call = identity__call_new("test", scripted_flow);
  assert_non_null(call);
  call->base_url = BASE;
  call->publisher_id = "123456789";
  call->deadline_ms = BEGIN_MS + TIMEOUT_MS;
  moment.now.boot_ms = BEGIN_MS;
  moment.now.wall_ms = INT64_C(1700000000000);
  moment.random = 0;
}

/* A call of one request. */
static inline void new_call_to(identity__endpoint_id endpoint) {
  static leg single;
  single = (leg){.order = IDENTITY__ORDER_SEND, .endpoint = endpoint};
  new_call(&single, 1);
}

static inline int32_t step(const identity__event *event) {
  return identity__call_step(call, event, &moment);
}

static inline int32_t begin_call(void) {
  const identity__event event = {.kind = IDENTITY__EVENT_START};
  return step(&event);
}

static inline identity__token_use some_token(void) {
  identity__token_use token = {JWT, "533354305", 1, 1, NULL, 0};
  return token;
}

static inline int32_t give_token(const identity__token_use *token) {
  const identity__event event = {.kind = IDENTITY__EVENT_TOKEN, .token = token};
  return step(&event);
}

static inline int32_t give_some_token(void) {
  const identity__token_use token = some_token();
  return give_token(&token);
}

static inline int32_t tell_failed(int32_t kind, identity_status status) {
  identity_error error = {.status = status, .retry_after_ms = 4321};
  strcpy(error.message, "as told");
  const identity__event event = {.kind = kind, .error = &error};
  return step(&event);
}

static inline int32_t respond_with(const identity__http *http) {
  const identity__outcome outcome = {.progress = ANSWERED, .http = *http};
  const identity__event event = {.kind = IDENTITY__EVENT_RESPONSE, .outcome = &outcome};
  return step(&event);
}

static inline int32_t respond(int32_t status, const char *body) {
  const identity__http http = {status, body, strlen(body), 1700000000, 0};
  return respond_with(&http);
}

static inline int32_t break_off(identity_status failure, int32_t progress) {
  const identity__outcome outcome = {.failure = failure, .progress = progress, .detail = "as tested"};
  const identity__event event = {.kind = IDENTITY__EVENT_RESPONSE, .outcome = &outcome};
  return step(&event);
}

/* At so many ms since the call began. */
static inline int32_t timer_at(int64_t ms, int32_t progress) {
  const identity__event event = {.kind = IDENTITY__EVENT_TIMER, .progress = progress};
  moment.now.boot_ms = BEGIN_MS + ms;
  return step(&event);
}

static inline int32_t cancel_with(identity_status status, int32_t progress) {
  const identity_error error = {.status = status};
  const identity__event event = {
      .kind = IDENTITY__EVENT_CANCEL, .error = status != IDENTITY_OK ? &error : NULL, .progress = progress};
  return step(&event);
}

static inline int end_call(void **state) {
  (void)state;
  drop_call();
  return 0;
}

#define CALL_TEST(name) cmocka_unit_test_teardown(name, end_call)

#define CHECK_DONE(row, action, wanted)                                                                      \
  do {                                                                                                       \
    CHECK_INT(row, action, IDENTITY__ACTION_DONE);                                                           \
    CHECK_TEXT(row, identity_status_name(call->status), identity_status_name(wanted));                       \
    CHECK_INT(row, call->error.status, call->status);                                                        \
  } while (0)

#endif
