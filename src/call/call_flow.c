/* A call from the side of who makes it: made, ordered, finished. */
#include "base/error.h"
#include "base/secret.h"
#include "call/call.h"

#include <stdlib.h>
#include <string.h>

identity__call *identity__call_new(const char *name, identity__flow flow) {
  identity__call *call = malloc(sizeof *call);
  if (call == NULL)
    return NULL;
  memset(call, 0, offsetof(identity__call, storage));
  call->name = name;
  call->flow = flow;
  identity__arena_init(&call->arena, call->storage, sizeof call->storage);
  identity__buffer_init(&call->body, (size_t)2 * IDENTITY__MAX_BODY);
  identity__buffer_init(&call->bearer, IDENTITY__MAX_TOKEN);
  identity__buffer_init(&call->url, (size_t)4 * IDENTITY__MAX_URL);
  identity__buffer_init(&call->prelude_body, IDENTITY__MAX_BODY);
  return call;
}

void identity__call_free(identity__call *call) {
  if (call == NULL)
    return;
  identity__call_free(call->beside);
  identity__answer_clear(&call->answer);
  identity__buffer_free(&call->body);
  identity__buffer_free(&call->bearer);
  identity__buffer_free(&call->url);
  identity__buffer_free(&call->prelude_body);
  identity__arena_clear(&call->arena);
  free(call->result);
  identity__wipe(call, offsetof(identity__call, storage));
  free(call);
}

/* ---- for flows ---- */

void identity__call_finish(identity__call *call, identity_status status) {
  call->status = status;
  call->order = IDENTITY__ORDER_FINISH;
  if (status == IDENTITY_UNEXPECTED_ANSWER && call->outcome != NULL) /* who read it does not know */
    call->error.http_status = call->outcome->http.status;
}

void identity__call_finish_with(identity__call *call, void *result) {
  call->result = result;
  identity__call_finish(call, IDENTITY_OK);
}

void identity__call_order(identity__call *call, int32_t order) {
  call->order = order;
  call->tolerate = false;
}

void identity__call_sign_in(identity__call *call, int32_t how) {
  call->how = how;
  identity__call_order(call, IDENTITY__ORDER_SIGN_IN);
}

void identity__call_hold(identity__call *call) {
  call->order = IDENTITY__ORDER_HOLD;
}

void identity__call_send(identity__call *call, identity__endpoint_id endpoint) {
  identity__call_order(call, IDENTITY__ORDER_SEND);
  call->endpoint = identity__endpoint_of(endpoint);
  call->path = NULL;
  call->query_name = NULL;
  call->query_value = NULL;
  call->header_name = NULL;
  call->header_value = NULL;
  identity__buffer_reset(&call->body);
}

bool identity__call_built(identity__call *call, bool whole) {
  if (!whole)
    identity__call_finish(call, identity__fail_plain(&call->error, IDENTITY_OUT_OF_MEMORY));
  return whole;
}
