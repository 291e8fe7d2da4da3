/* JSON bodies of requests. Each function appends to an empty buffer; false: too large or memory is out. */
#ifndef IDENTITY__BODY_H
#define IDENTITY__BODY_H

#include "base/buffer.h"

#include <identity/identity.h>

typedef struct identity__pair {
  const char *name;
  const char *value; /* NULL: left out */
} identity__pair;

/* A flat object of texts; a name that begins with '#' (left out of it) is written as a number. */
bool identity__body_flat(const identity__pair *pairs, size_t count, identity__buffer *body);
/* PUT /customers/{id}/consents */
bool identity__body_consents(const identity_consent_answer *answers, uint32_t count, identity__buffer *body);
/* PUT /customers/{id}/capture: flat keys; custom_N as customAnswers with the question they answer. */
typedef struct identity__capture_change {
  const char *key;
  const char *value;
  const char *question; /* custom_N: the question, may be NULL */
  bool custom;
} identity__capture_change;
bool identity__body_capture(const identity__capture_change *changes, uint32_t count, identity__buffer *body);

#endif
