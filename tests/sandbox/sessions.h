/* Token pairs: issuing, exchanging, revoking (contract section 2). */
#ifndef SBX_SESSIONS_H
#define SBX_SESSIONS_H

#include "call.h"

/* A token pair for the customer, as responseData; with customerId and customerToken after register and login.
   NULL when memory or the key fails. Notes the fingerprints in the call. */
cJSON *sbx_session_issue(struct sbx_call *call, const struct sbx_customer *customer, bool with_customer);
/* Sets call->customer from the Authorization header, or refuses. */
bool sbx_session_authorise(struct sbx_call *call);
/* Forgets all refresh tokens of a customer. */
void sbx_sessions_revoke(struct sbx_model *model, int64_t customer_id);
/* Whether the token would be exchanged now; *in_grace tells that it was used before. */
bool sbx_refresh_token_valid(const struct sbx_service *service, const struct sbx_refresh_token *token,
                             bool *in_grace);

#endif
