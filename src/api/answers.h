/* Consent answers as an app passes them: checked, copied, compared with what is current. */
#ifndef IDENTITY__ANSWERS_H
#define IDENTITY__ANSWERS_H

#include "api/begin.h"

/* Copies what an app answers into call->kept. False: there is nothing more to prepare: an answer has no name
 * or version, is given twice, there are too many, or memory is out. */
bool identity__take_answers(identity__call *call, const identity_consent_answer *answers, uint32_t count);
const identity_consent_answer *identity__find_answer(const identity_consent_answer *answers, uint32_t count,
                                                     const char *name);
/* Never a consent the viewer did not see: the version of an answer must be the current one. */
identity_status identity__check_version(const identity_consent_answer *answer, const char *current,
                                        identity_error *error);

#endif
