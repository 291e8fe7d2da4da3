/* The requests under /_sandbox/: how a test or an app team watches and steers the service. */
#ifndef SBX_CONTROL_H
#define SBX_CONTROL_H

#include "call.h"

void sbx_control_process(struct sbx_call *call);

/* The lists that GET outbox and GET customers answer. */
cJSON *sbx_outbox_to_json(const struct sbx_model *model);
cJSON *sbx_customers_to_json(const struct sbx_service *service);

#endif
