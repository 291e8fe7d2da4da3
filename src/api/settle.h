/* What becomes of a setter that fails. */
#ifndef IDENTITY__SETTLE_H
#define IDENTITY__SETTLE_H

#include "drive/settings.h"

/* Remembers the first setter that failed, for open to report; returns the status. config may be NULL. */
identity_status identity__settle(identity_config *config, const char *setter, identity_status status);

#endif
