/* Data of a 2xx answer as the public structs, each in one block that free() releases. A result pointer is
 * NULL on failure: UNEXPECTED_ANSWER when something needed is missing, OUT_OF_MEMORY. */
#ifndef IDENTITY__RESULTS_H
#define IDENTITY__RESULTS_H

#include "base/block.h"
#include "wire/answer.h"

identity_status identity__read_locale(const identity__json *data, identity_locale **locale,
                                      identity_error *error);
identity_status identity__read_consents(const identity__json *data, identity_consents **consents,
                                        identity_error *error);

/* Which of the customer's consents to take. lead: bytes that the caller wants in front of the result in the
 * same block, which then begins at result - identity__block_cost(lead). */
enum { IDENTITY__ALL_CONSENTS = 0, IDENTITY__CONSENTS_TO_ASK = 1 };
identity_status identity__read_customer_consents(const identity__json *data, int which, size_t lead,
                                                 identity_customer_consents **consents,
                                                 identity_error *error);
identity_status identity__read_capture(const identity__json *data, size_t lead,
                                       identity_capture_status **status, identity_error *error);
/* external_data: the raw member of the answer, because it must keep every digit. */
identity_status identity__read_customer(const identity__json *data, identity__json_span external_data,
                                        identity_customer **customer, identity_error *error);

#endif
