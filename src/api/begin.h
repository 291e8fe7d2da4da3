/* What every public call begins with: checks of its arguments, and a call with a deadline. */
#ifndef IDENTITY__BEGIN_H
#define IDENTITY__BEGIN_H

#include "call/call.h"
#include "drive/session.h"

#include <stddef.h>

/* The error to fill when the app gave none. */
#define IDENTITY__ERROR_OR_LOCAL(error)                                                                      \
  identity_error local_error;                                                                                \
  if ((error) == NULL)                                                                                       \
    (error) = &local_error;                                                                                  \
  identity__error_clear(error)

/* BAD_ARGUMENT for a NULL out-parameter; sets it to NULL otherwise. */
identity_status identity__check_result(const void *result, const char *name, identity_error *error);

/* Size of a params struct up to its last member of the first release. */
#define IDENTITY__FIRST_SIZE(type, last) (offsetof(type, last) + sizeof(((type *)0)->last))

/* Zeroes a params struct of the app's size and notes that size. */
void identity__init_params(void *params, uint32_t size);
/* Copies an app's params struct of any release into this one's: a shorter struct has absent members, a longer
 * one must be zero beyond what is known. first_size: what the first release had. */
identity_status identity__check_params(const void *params, size_t first_size, void *copy, size_t size,
                                       identity_error *error);

/* A call of a usable session; *inputs is zeroed memory of its own. NULL fills error. */
identity__call *identity__begin(identity_session *session, const char *name, identity__flow flow,
                                size_t input_size, identity_error *error);
/* Copies texts of a params struct into the call, in place; NULL stays NULL. False: memory is out. */
bool identity__keep_texts(identity__call *call, const char **texts[], size_t count);
/* Runs a call that has a result, or none (result NULL), and frees it. call NULL: it could not be prepared,
 * and error says why. */
identity_status identity__conclude(identity_session *session, identity__call *call, void *result,
                                   identity_error *error);
/* Starts a call on the app's loop, or one that only tells why it could not be prepared (call NULL). */
identity_status identity__start(identity_session *session, identity__call *call, const identity_error *error,
                                identity_done_fn done, void *user_data, identity_call **handle);
/* Frees a call that was never run, for want of memory: NULL. */
identity__call *identity__abandon(identity__call *call, identity_error *error);

#endif
