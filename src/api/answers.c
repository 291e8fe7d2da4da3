#include "api/answers.h"
#include "base/error.h"
#include "base/limits.h"
#include "base/text.h"
#include "token/record.h"

#include <string.h>

/* Longer ones could not be kept for later. */
static bool is_usable(const char *text) {
  return text != NULL && text[0] != '\0' &&
         strnlen(text, IDENTITY__MAX_CONSENT_TEXT + 1) <= IDENTITY__MAX_CONSENT_TEXT &&
         identity__utf8_characters(text) > 0;
}

static identity_status check_answers(const identity_consent_answer *answers, uint32_t count,
                                     identity_error *error) {
  if (count > 0 && answers == NULL)
    return identity__fail(error, IDENTITY_BAD_ARGUMENT, "consents", "consent answers are NULL");
  if (count > IDENTITY__MAX_PENDING_CONSENTS)
    return identity__fail(error, IDENTITY_BAD_ARGUMENT, "consents", "more than %d consent answers",
                          IDENTITY__MAX_PENDING_CONSENTS);
  for (uint32_t i = 0; i < count; i++) {
    if (!is_usable(answers[i].name))
      return identity__fail(error, IDENTITY_BAD_ARGUMENT, "consents", "a consent answer has no name");
    if (!is_usable(answers[i].version))
      return identity__fail(error, IDENTITY_BAD_ARGUMENT, answers[i].name,
                            "the answer has no version: pass the one that the viewer saw");
    if (identity__find_answer(answers, i, answers[i].name) != NULL)
      return identity__fail(error, IDENTITY_BAD_ARGUMENT, answers[i].name, "the consent is answered twice");
  }
  return IDENTITY_OK;
}

bool identity__take_answers(identity__call *call, const identity_consent_answer *answers, uint32_t count) {
  if (check_answers(answers, count, &call->error) != IDENTITY_OK)
    return false;
  call->kept = identity__consents_keep(&call->arena, answers, count);
  if (call->kept == NULL)
    identity__fail_prepared(call);
  call->kept_count = count;
  return call->kept != NULL;
}

const identity_consent_answer *identity__find_answer(const identity_consent_answer *answers, uint32_t count,
                                                     const char *name) {
  for (uint32_t i = 0; i < count; i++)
    if (strcmp(answers[i].name, name) == 0)
      return &answers[i];
  return NULL;
}

identity_status identity__check_version(const identity_consent_answer *answer, const char *current,
                                        identity_error *error) {
  if (strcmp(answer->version, current) == 0)
    return IDENTITY_OK;
  return identity__fail(error, IDENTITY_CONSENT_CHANGED, answer->name,
                        "The consent %s has changed since it was shown; show it again.", answer->name);
}
