#include "token/verdict.h"
#include "base/text.h"

#include <stddef.h>

/* Nothing else until the service documents it: "Missing or invalid parameter" also fits a request that
 * something on the way mangled. */
static const char definite_texts[][48] = {"Refresh token is expired or does not exist"};

bool identity__refresh_text_is_definite(const char *text) {
  for (size_t i = 0; i < sizeof definite_texts / sizeof definite_texts[0]; i++)
    if (identity__find_text(text, definite_texts[i]) != NULL)
      return true;
  return false;
}

static bool is_unsent(const identity__refresh_facts *f) {
  return (!f->whole && f->progress == 0) || (f->whole && f->http_status == 511);
}

static bool is_lost(const identity__refresh_facts *f) {
  return !f->whole;
}

static bool is_throttled(const identity__refresh_facts *f) {
  return f->http_status == 425 || f->http_status == 429 || f->http_status == 503;
}

static bool is_success(const identity__refresh_facts *f) {
  return f->http_status >= 200 && f->http_status < 300;
}

static bool is_pair(const identity__refresh_facts *f) {
  return is_success(f) && f->json && f->usable_pair && f->same_customer;
}

static bool is_foreign_pair(const identity__refresh_facts *f) {
  return is_success(f) && f->json && f->usable_pair && !f->same_customer;
}

static bool is_definite(const identity__refresh_facts *f) {
  return f->json && !f->usable_pair && f->definite;
}

static bool is_unclear(const identity__refresh_facts *f) {
  return f->http_status < 400 || f->http_status == 408 || f->http_status >= 500;
}

static bool is_listed_refusal(const identity__refresh_facts *f) {
  return f->json && f->listed;
}

/* The first that fits. */
int32_t identity__refresh_verdict(const identity__refresh_facts *facts) {
  if (is_unsent(facts))
    return IDENTITY__VERDICT_UNSENT;
  if (is_lost(facts))
    return IDENTITY__VERDICT_AMBIGUOUS;
  if (is_pair(facts))
    return IDENTITY__VERDICT_COMMITTED;
  if (is_foreign_pair(facts))
    return IDENTITY__VERDICT_MISMATCH;
  if (is_definite(facts))
    return IDENTITY__VERDICT_REJECTED;
  if (is_throttled(facts))
    return IDENTITY__VERDICT_THROTTLED;
  if (is_unclear(facts))
    return IDENTITY__VERDICT_AMBIGUOUS;
  return is_listed_refusal(facts) ? IDENTITY__VERDICT_REFUSED : IDENTITY__VERDICT_BACKOFF;
}
