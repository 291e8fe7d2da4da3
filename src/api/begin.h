/* What every public call begins with: checks of its arguments, and a call with a deadline. */
#ifndef IDENTITY__BEGIN_H
#define IDENTITY__BEGIN_H

#include "call/call.h"
#include "drive/session.h"
#include "wire/check.h"

#include <stddef.h>

/* Clears the app's error and the result that a function is about to give; BAD_ARGUMENT where there is no
 * place for a result, which has this name. */
identity_status identity__check_result(void *result, const char *name, identity_error *error);
/* The same, for what a session can tell by itself: it has to be usable, too. */
identity_status identity__check_ask(identity_session *session, void *result, const char *name,
                                    identity_error *error);

/* Size of a params struct up to its last member of the first release. */
#define IDENTITY__FIRST_SIZE(type, last) (offsetof(type, last) + sizeof(((type *)0)->last))

/* Zeroes a params struct of the app's size and notes that size. */
void identity__init_params(void *params, uint32_t size);
/* Copies an app's params struct of any release into this one's: a shorter struct has absent members, a longer
 * one must be zero beyond what is known. first_size: what the first release had. */
identity_status identity__check_params(const void *params, size_t first_size, void *copy, size_t size,
                                       identity_error *error);

/* ---- Preparing a call. What is wrong with it is noted in call->error: it will end with that, and send
 * nothing. ---- */

/* A call of a usable session, with zeroed memory of its own in call->inputs. NULL: the session is not usable,
 * or memory is out; the functions below take that, and it shows at the end. */
identity__call *identity__begin(identity_session *session, const char *name, identity__flow flow,
                                size_t inputs_size);
/* Copies an app's params struct to the front of call->inputs. False: there is nothing more to prepare. */
bool identity__take_params(identity__call *call, const void *params, size_t first_size, size_t size);
/* Checks the texts of call->inputs and makes them the call's own, in place. False as above. */
bool identity__take_texts(identity__call *call, const identity__input *inputs, size_t count);
/* Memory was out. */
void identity__fail_prepared(identity__call *call);

/* ---- A prepared call ---- */

/* Runs a call, and frees it. */
identity_status identity__conclude(identity_session *session, identity__call *call, identity_error *error);
/* The same for a call that has a result. */
identity_status identity__conclude_with(identity_session *session, identity__call *call, void *result,
                                        const char *result_name, identity_error *error);
/* Starts a call on the app's loop. */
identity_status identity__start(identity_session *session, identity__call *call, identity_done_fn done,
                                void *user_data, identity_call **handle);

#endif
