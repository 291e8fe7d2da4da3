/* Consent definitions of a publisher, shared by the API, the config file and the control interface. */
#ifndef SBX_CONSENTS_H
#define SBX_CONSENTS_H

#include "model.h"
#include "shape.h"

/* Checks an array of definitions and gives the publisher a copy with every member filled in. */
bool sbx_consents_replace(struct sbx_publisher *publisher, const cJSON *definitions, const char *where,
                          struct sbx_problem *problem);
/* {"name": "new version", ...} for definitions that exist; all or nothing. */
bool sbx_consents_set_versions(struct sbx_publisher *publisher, const cJSON *versions, const char *where,
                               struct sbx_problem *problem);

#endif
