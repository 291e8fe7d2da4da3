/* How a config reaches the network. */
#ifndef IDENTITY__NETWORK_H
#define IDENTITY__NETWORK_H

#include "drive/loop.h"
#include "drive/settings.h"

/* A config that says which service, and whose setters all worked. */
identity_status identity__check_config(const identity_config *config, identity_error *error);
/* Its base URL in the form that paths are put behind; NULL fills error. */
char *identity__network_base_url(const identity_config *config, identity_error *error);
/* A loop with its network settings; NULL fills error. */
identity__loop *identity__network_loop(const identity_config *config, const char *base_url,
                                       identity_error *error);
/* Those settings as one text, to compare; it may hold a secret. NULL: memory is out. */
char *identity__network_text(const identity_config *config, const char *base_url);
/* Whether they are those of a shared loop. */
identity_status identity__network_fits(const identity_config *config, const char *base_url,
                                       const identity__loop *loop, identity_error *error);

#endif
