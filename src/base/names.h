/* The names of enumerated values, as they show in results, logs and explanations. */
#ifndef IDENTITY__NAMES_H
#define IDENTITY__NAMES_H

#include <stdint.h>

/* Static texts, never NULL; "unknown" for a value of a newer library. */
const char *identity__state_name(int32_t state);
const char *identity__reason_name(int32_t reason);
const char *identity__event_name(int32_t kind);
const char *identity__how_name(int32_t how);

#endif
