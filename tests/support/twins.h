/* The _start twin of every call, each behind the same function with arguments that the stand-in service
 * takes: those of the blocking call of that name in every_call.h. */
#ifndef SUPPORT_TWINS_H
#define SUPPORT_TWINS_H

#include "support/aloop.h"

#define TWIN_MAIL "jo@example.com"

enum {
  TWIN_LOCALE,
  TWIN_PUBLISHER_CONSENTS,
  TWIN_REGISTER,
  TWIN_LOGIN,
  TWIN_CUSTOMER_CONSENTS,
  TWIN_UPDATE_CONSENTS,
  TWIN_CAPTURE_STATUS,
  TWIN_UPDATE_CAPTURE,
  TWIN_NEXT_STEP,
  TWIN_CUSTOMER,
  TWIN_UPDATE_CUSTOMER,
  TWIN_RESET_MAIL,
  TWIN_UPDATE_PASSWORD,
  TWIN_TOKENS,
  TWIN_REFRESH,
  TWIN_ADOPT,
  TWIN_LOGOUT,
  TWIN_LOGOUT_EVERYWHERE,
  TWINS
};

typedef struct twin {
  const char *name; /* as in every_call.h */
  identity_status (*start)(identity_session *session, identity_done_fn done, void *user_data,
                           identity_call **call);
  void (*free_result)(const void *result);    /* NULL: it has none */
  bool (*is_as_expected)(const void *result); /* NULL: it has none */
  bool signed_in;                             /* works for TWIN_MAIL, who is signed in, only */
} twin;

extern const twin twins[TWINS];
/* What the last mail brought; for TWIN_UPDATE_PASSWORD. */
extern char twins_reset_token[256];

/* Starts it; its completion goes into the note, which may have then and context set. The note must not be
 * in use. */
void twin_start(int which, identity_session *session, note *into);
/* The same with another answer than OK of the _start function: nothing was started, and there is no handle.
 */
void twin_is_refused(int which, identity_session *session, identity_status status);
/* Registers TWIN_MAIL, past the loop. */
void twins_register(service *server);
/* Logs in by a _start call. */
void twins_log_in(aloop *loop, identity_session *session);
/* A session of TWIN_MAIL, signed in. */
identity_session *twins_viewer(aloop *loop, service *server, const char *account);
/* Runs one to its end in the way that the loop is driven: DRIVE_BLOCKING makes the blocking call. error may
 * be NULL. */
identity_status twin_run(aloop *loop, int which, identity_session *session, identity_error *error);

#endif
