/* What the stand-in service does wrong in a soak. */
#ifndef SOAK_FAULTS_H
#define SOAK_FAULTS_H

#include "soak/link.h"

enum { FAULTS_MOST = 40 };

/* Puts up every kind of fault, once, each for so many percent of the requests that it fits. */
void faults_set(uint64_t seed, int32_t percent);
void faults_clear(void);
size_t faults_count(void);
/* By row, 0 to faults_count() - 1. */
const char *fault_name(size_t fault);
/* Whether a client that waits long enough gets the good answer. */
bool fault_is_delay(size_t fault);
/* The row of a number in the journal; -1: none. */
int32_t fault_of_id(int64_t id);
/* How often each row hit so far, while they are up. */
void faults_applied(int64_t applied[]);

#endif
