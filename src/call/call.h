/* One public call as a state machine without I/O. A flow (one function a call, in api/) names the next order;
 * the machine carries it out by steps: it is told an event, and answers with the action that the driver
 * performs.
 *
 *   flow: "send LOGIN" -> SEND -> (RESPONSE) -> flow: "sign in with this pair" -> ORDER -> (ORDERED) -> flow:
 * "finish"
 *
 * Getting a token, sending again after a 401, repeating after a passing failure, deadlines, cancelling and
 * the consents that still have to reach the service are the machine's; flows never see them. */
#ifndef IDENTITY__CALL_H
#define IDENTITY__CALL_H

#include "base/arena.h"
#include "base/buffer.h"
#include "base/clock.h"
#include "base/list.h"
#include "base/timers.h"
#include "call/endpoint.h"
#include "token/record.h"
#include "wire/body.h"

#include <identity/async.h>

typedef struct identity__call identity__call;

/* Called with the outcome of the last order in call->status; names the next by one of identity__call_order_x,
 * or finishes. The answer of a SEND can be read until it returns. */
typedef void (*identity__flow)(identity__call *call);

enum {
  IDENTITY__ORDER_FINISH,
  IDENTITY__ORDER_SEND,
  IDENTITY__ORDER_HOLD,        /* memory was out for reading this answer: tell it again in a while */
  IDENTITY__ORDER_PROBE,       /* can the store be written? */
  IDENTITY__ORDER_SIGN_IN,     /* store and use call->grant, with call->kept as pending consents */
  IDENTITY__ORDER_SIGN_OUT,    /* call->reason */
  IDENTITY__ORDER_NAME_END,    /* gives REAUTH_REQUIRED, where that has come, the reason call->reason */
  IDENTITY__ORDER_END_IF_SAME, /* REAUTH_REQUIRED with call->reason, if call->grant names who is signed in */
  IDENTITY__ORDER_DROP_CONSENTS, /* the consents of call->kept are answered: they are no longer pending */
  IDENTITY__ORDER_TOKEN,         /* a JWT with call->min_life_ms */
  IDENTITY__ORDER_ROTATE,        /* a new pair */
  IDENTITY__ORDER_BESIDE,        /* the end of call->beside */
  IDENTITY__ORDER_REFRESH        /* of a refresh: its next steps */
};

/* A token as a call uses it. Pointers live until the step returns. */
typedef struct identity__token_use {
  const char *jwt;
  const char *customer_id;
  uint64_t epoch;
  uint64_t generation;
  const identity_consent_answer *pending; /* this call should try them first */
  uint32_t pending_count;
} identity__token_use;

enum {
  IDENTITY__EVENT_START,
  IDENTITY__EVENT_TOKEN,    /* token */
  IDENTITY__EVENT_FAILED,   /* no token: error */
  IDENTITY__EVENT_RESPONSE, /* response: a whole answer or a failure */
  IDENTITY__EVENT_ORDERED,  /* an order is done: error.status */
  IDENTITY__EVENT_TIMER,
  IDENTITY__EVENT_CANCEL
};

typedef struct identity__outcome {
  identity_status failure; /* OK: http holds a whole answer */
  int32_t progress;        /* how far the request got: 0 unsent, 1 sent, 2 answered */
  bool late;               /* it was held back: its time to leave had passed */
  const char *detail;
  identity__http http;
} identity__outcome;

typedef struct identity__event {
  int32_t kind;
  const identity__token_use *token;
  const identity__outcome *outcome;
  const identity_error *error; /* FAILED, ORDERED; CANCEL: with what status it ends, NULL: CANCELLED */
  int32_t progress;            /* TIMER, CANCEL: how far the running request got */
} identity__event;

enum {
  IDENTITY__ACTION_WAIT,     /* for a response or the timer */
  IDENTITY__ACTION_TOKEN,    /* get a token */
  IDENTITY__ACTION_REJECTED, /* the token of call->used was refused: get another */
  IDENTITY__ACTION_SEND,     /* call->send */
  IDENTITY__ACTION_ORDER,    /* call->order */
  IDENTITY__ACTION_PENDING,  /* what became of the pending consents: call->pending_end */
  IDENTITY__ACTION_HOLD,     /* keep the answer, and wait for the timer */
  IDENTITY__ACTION_RETELL,   /* the answer that was kept, once more */
  IDENTITY__ACTION_DONE
};

/* What is sent; texts live until the response was told. */
typedef struct identity__send {
  const identity__endpoint *endpoint;
  const char *url;
  const char *bearer; /* NULL: none */
  const char *header_name;
  const char *header_value;
  const char *body; /* NULL: none */
  size_t body_length;
} identity__send;

enum { IDENTITY__PENDING_KEPT, IDENTITY__PENDING_DROPPED, IDENTITY__PENDING_SENT };
enum { IDENTITY__CALL_SECRETS = 4, IDENTITY__CALL_STORAGE = 2048 };

struct identity__call {
  /* ---- set by who makes the call ---- */
  const char *name; /* for logs */
  identity__flow flow;
  void *inputs; /* the flow's own, in the arena */
  const char *base_url;
  const char *publisher_id;
  const char *secrets[IDENTITY__CALL_SECRETS]; /* must not show in an error */
  int64_t deadline_ms;                         /* on the boot clock */
  identity__flow
      beside_flow; /* what can be asked at the same time, where the network carries both; NULL: nothing */

  /* ---- between flow and machine ---- */
  uint32_t leg; /* orders that are over */
  int32_t order;
  bool plain_answer; /* the last answer holds no secret */
  bool tolerate;     /* the flow handles a failure of this order */
  bool settled;      /* what the call is for is done: cut short from now on, it ends with settled_as */
  identity_status settled_as;
  bool holds_token; /* authorised requests use the token of the last TOKEN order */
  identity_status status;
  identity_error error;
  const identity__endpoint *endpoint;
  const char *path; /* NULL: the endpoint's own */
  const char *query_name;
  const char *query_value;
  const char *header_name;
  const char *header_value;
  identity__buffer body;
  identity__answer answer;
  const identity__outcome *outcome; /* of the last SEND, until the flow returns */
  identity__grant grant;            /* texts in the arena */
  identity_consent_answer *kept;
  uint32_t kept_count;
  int32_t reason;
  int32_t how; /* of a SIGN_IN, IDENTITY_HOW_x */
  int64_t min_life_ms;
  int64_t sent_boot_ms; /* when the last request was sent */
  void *result;         /* free() releases it */
  /* Of a call whose result is what the session then is; NULL fills error. */
  void *(*shape)(void *session, identity_error *error);

  /* ---- the machine's own ---- */
  int32_t state;
  int32_t tries;
  bool replayed;
  bool prelude; /* the request that runs carries pending consents */
  bool prelude_done;
  int32_t pending_end;
  int64_t
      again_ms; /* what was asked of the driver is to be asked again then; 0: it is done, or will be told */
  int64_t pause_until_ms;
  int64_t limits_ms[IDENTITY__LIMITS]; /* of the running request, by how far it got */
  int64_t prelude_deadline_ms;
  struct {
    uint64_t epoch;
    uint64_t generation;
    bool set;
    bool expired; /* the refusal's own date is past the JWT's end */
  } used;
  identity_consent_answer *pending;
  uint32_t pending_count;
  char customer_id[IDENTITY__MAX_ID + 1];
  identity__outcome timed_out; /* what a flow sees of a request that the timer ended */
  identity__buffer bearer;
  identity__buffer url;
  identity__buffer prelude_body;
  identity__send send;

  /* ---- the driver's own ---- */
  void *session;
  void *exchange;
  identity__call *beside;    /* runs at the same time, for this call; NULL: none */
  identity__call *beside_of; /* the call that this one runs for */
  identity__node *calls;     /* those of its session */
  identity__node listed;     /* among them */
  identity__node begun;      /* among those that have begun */
  identity__node queued;     /* in the line, or among those whose completion is due */
  identity__node signalled;  /* it was cancelled, or has another deadline */
  identity__node parked;     /* waits for a place to send, or is to give up its own */
  identity__timer timer;
  identity_done_fn complete; /* NULL: a thread waits for it, or nobody */
  void *user_data;
  struct identity_call *handle; /* the app's; NULL: it has none */
  bool cancelled;               /* these two with the loop's lock */
  bool done;
  int64_t locked_since_ms; /* its store is held by somebody else; 0: it is not */
  int64_t wanted_deadline_ms;
  uint64_t flight_number; /* of the flight that had ended when it began to wait for the next */
  uint64_t sign_outs;     /* of the session when it began */
  int32_t parked_action;
  int32_t asks;         /* for which kind of token it asked last */
  bool waits_for_token; /* for the end of a flight */
  bool waits_for_beside;
  bool owned_by_session; /* a flight: nobody waits for the call itself */
  bool orphaned;         /* ran for a call that did not need it: nobody waits for its answer */
  bool placed;           /* has a place to send */
  bool in_line;          /* waited behind the calls of its session that run */

  identity__arena arena;
  _Alignas(max_align_t) char storage[IDENTITY__CALL_STORAGE];
};

/* NULL: memory is out. */
identity__call *identity__call_new(const char *name, identity__flow flow);
void identity__call_free(identity__call *call);

/* ---- for flows ---- */
void identity__call_finish(identity__call *call,
                           identity_status status); /* call->error tells more when not OK */
void identity__call_finish_with(identity__call *call, void *result);
void identity__call_order(identity__call *call, int32_t order);
/* A SIGN_IN with call->grant; how: IDENTITY_HOW_x, for who asks later. */
void identity__call_sign_in(identity__call *call, int32_t how);
/* The answer of a SEND holds tokens that exist nowhere else, and memory is out: the flow is asked again with
 * the same answer until the deadline; call->error says what the call ends with then. */
void identity__call_hold(identity__call *call);
/* Begins a SEND; the body may be written into call->body after it. */
void identity__call_send(identity__call *call, identity__endpoint_id endpoint);
/* Ends the flow with OUT_OF_MEMORY unless the body or what else was built is whole. */
bool identity__call_built(identity__call *call, bool whole);

/* Whether the answer of the last SEND, a PUT of consents, says that the service will never take them as they
 * are. */
bool identity__call_consents_refused(const identity__call *call, const identity__outcome *outcome);

/* Takes the words of the service out of call->error where they repeat a secret of the call. */
void identity__call_hide_secrets(identity__call *call);

/* ---- for the driver ---- */
int32_t identity__call_step(identity__call *call, const identity__event *event,
                            const identity__moment *moment);
/* When TIMER should be told at the latest, on the boot clock. */
int64_t identity__call_timer_ms(const identity__call *call);

#endif
