/* Which answers of a viewer are sent: checked against the form as the service describes it, unchanged ones
 * left out. */
#ifndef IDENTITY__CAPTURE_PLAN_H
#define IDENTITY__CAPTURE_PLAN_H

#include "wire/body.h"

/* Fills changes (room for answer_count) and their count. INVALID_INPUT names the key of the first wrong
 * answer. The changes point into answers and status. */
identity_status identity__capture_plan(const identity_capture_status *status,
                                       const identity_capture_answer *answers, uint32_t answer_count,
                                       identity__capture_change *changes, uint32_t *change_count,
                                       identity_error *error);

#endif
