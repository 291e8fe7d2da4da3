/* The five kinds of call that judge an answer differently, each behind one function, and what each should
 * make of one. */
#ifndef SUPPORT_KINDS_H
#define SUPPORT_KINDS_H

#include "support/probe.h"

enum { KIND_PUBLIC, KIND_AUTHORISED, KIND_LOGIN, KIND_REGISTER, KIND_PASSWORD, KINDS };

typedef struct call_kind {
  const char *name, *method, *path;
  identity_status (*run)(identity_session *session, identity_error *error);
} call_kind;

/* GET publisher consents; GET customer; login; register; update password. */
extern const call_kind kinds[KINDS];

/* What a call makes of an answer; not_tried: the row does not speak of this kind. */
enum { NOT_TRIED = -1 };
typedef struct verdict {
  identity_status status;
  const char *field;
} verdict;

/* Every kind alike. */
#define ALIKE(status, field)                                                                                 \
  {                                                                                                          \
    {status, field}, {status, field}, {status, field}, {status, field}, {                                    \
      status, field                                                                                          \
    }                                                                                                        \
  }
/* The calls without input, and those with it. */
#define BY_INPUT(without, with)                                                                              \
  {                                                                                                          \
    {without, NULL}, {without, NULL}, {with, NULL}, {with, NULL}, {                                          \
      with, NULL                                                                                             \
    }                                                                                                        \
  }
/* The calls that can be asked again, and those whose outcome matters. */
#define BY_OUTCOME(others, matters)                                                                          \
  {                                                                                                          \
    {others, NULL}, {others, NULL}, {others, NULL}, {matters, NULL}, {                                       \
      matters, NULL                                                                                          \
    }                                                                                                        \
  }

/* Two sessions: customer is signed in as jo@example.com, visitor is nobody. */
typedef struct players {
  service *server;
  identity_session *customer, *visitor;
} players;

void players_enter(players *who, service *server);
void players_leave(players *who);

/* The answer as a JSON text, empty or HTML; headers: JSON or NULL. */
typedef struct answer_row {
  int http;
  const char *body, *headers;
  const char *code; /* to be seen in the error */
  verdict wanted[KINDS];
} answer_row;

/* Writes a shape with its '@' as the text and its '#' as the code. */
void kinds_fill(char *body, size_t size, const char *shape, const char *text, const char *code);

/* Runs each kind against this answer: its error must be as wanted, it was sent just once, the customer is
 * still signed in and the visitor is still nobody. */
void players_play(const players *who, const answer_row *row);

#endif
