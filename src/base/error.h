/* Filling an identity_error. Detail travels with the call; nothing here allocates. */
#ifndef IDENTITY__ERROR_H
#define IDENTITY__ERROR_H

#include <identity/identity.h>

/* The error of an app may be NULL everywhere here. */
void identity__error_clear(identity_error *error);

/* Fills status, field (may be NULL) and a one-line message; returns the status. */
__attribute__((format(printf, 4, 5))) identity_status
identity__fail(identity_error *error, identity_status status, const char *field, const char *format, ...);

/* The same for a status whose text says it all. */
identity_status identity__fail_plain(identity_error *error, identity_status status);

#endif
