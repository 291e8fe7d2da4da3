/* What each status is called and means: one row a status, in the order of identity.h. */
#include <identity/identity.h>

#include <stddef.h>

#define IDENTITY__VERSION "0.1.0"

typedef struct status_row {
  identity_status status;
  const char *name;
  const char *text;
} status_row;

static const status_row rows[] = {
    {IDENTITY_OK, "OK", "Done."},
    {IDENTITY_INVALID_INPUT, "INVALID_INPUT", "One of the values is not valid."},
    {IDENTITY_WRONG_CREDENTIALS, "WRONG_CREDENTIALS", "The e-mail address or the password is wrong."},
    {IDENTITY_ALREADY_REGISTERED, "ALREADY_REGISTERED",
     "There is already an account with this e-mail address."},
    {IDENTITY_NOT_WITH_PUBLISHER, "NOT_WITH_PUBLISHER", "This account belongs to another publisher."},
    {IDENTITY_UNKNOWN_CUSTOMER, "UNKNOWN_CUSTOMER", "There is no account with this e-mail address."},
    {IDENTITY_RESET_TOKEN_INVALID, "RESET_TOKEN_INVALID",
     "The link for the new password was used or is too old; request a new one."},
    {IDENTITY_CONSENT_REQUIRED, "CONSENT_REQUIRED", "A required consent is not accepted."},
    {IDENTITY_REFUSED, "REFUSED", "The service refused the values."},
    {IDENTITY_OFFLINE, "OFFLINE", "The service cannot be reached; check the network."},
    {IDENTITY_CONNECTION_LOST, "CONNECTION_LOST", "The connection broke; try again."},
    {IDENTITY_TIMED_OUT, "TIMED_OUT", "The service did not answer in time; try again."},
    {IDENTITY_THROTTLED, "THROTTLED", "Too many requests; try again later."},
    {IDENTITY_SERVICE_FAILED, "SERVICE_FAILED", "The service has a problem; try again later."},
    {IDENTITY_NOT_THE_SERVICE, "NOT_THE_SERVICE",
     "Something on the network answered instead of the service; check for a login page of the network."},
    {IDENTITY_REFRESH_DEFERRED, "REFRESH_DEFERRED",
     "The session cannot be renewed right now; try again later."},
    {IDENTITY_STORE_LOCKED, "STORE_LOCKED", "The store is in use; try again."},
    {IDENTITY_OUT_OF_MEMORY, "OUT_OF_MEMORY", "There is not enough memory."},
    {IDENTITY_SIGNED_OUT, "SIGNED_OUT", "Nobody is signed in."},
    {IDENTITY_SESSION_ENDED, "SESSION_ENDED", "The session has ended; sign in again."},
    {IDENTITY_CAPTCHA_REQUIRED, "CAPTCHA_REQUIRED", "A captcha has to be solved first."},
    {IDENTITY_CAPTCHA_FAILED, "CAPTCHA_FAILED", "The captcha was not accepted; solve it again."},
    {IDENTITY_CONSENT_CHANGED, "CONSENT_CHANGED", "A consent has changed since it was shown; show it again."},
    {IDENTITY_UNEXPECTED_ANSWER, "UNEXPECTED_ANSWER",
     "The service answered in a way this version does not know."},
    {IDENTITY_ENDPOINT_GONE, "ENDPOINT_GONE", "The service no longer knows this call."},
    {IDENTITY_STORE_NEWER, "STORE_NEWER", "The stored session was written by a newer version."},
    {IDENTITY_TLS_UNTRUSTED, "TLS_UNTRUSTED", "The certificate of the service is not trusted."},
    {IDENTITY_CLOCK_WRONG, "CLOCK_WRONG", "The clock of this device is wrong."},
    {IDENTITY_CA_FILE, "CA_FILE", "The file with trusted certificates cannot be read."},
    {IDENTITY_PROXY_AUTH, "PROXY_AUTH", "The proxy wants a login."},
    {IDENTITY_STORE_FAILED, "STORE_FAILED", "The store cannot be written."},
    {IDENTITY_NOT_ALLOWED, "NOT_ALLOWED", "The service does not allow this."},
    {IDENTITY_OUTCOME_UNKNOWN, "OUTCOME_UNKNOWN",
     "It is not known whether this was done; try to log in before doing it again."},
    {IDENTITY_CANCELLED, "CANCELLED", "Cancelled."},
    {IDENTITY_BAD_ARGUMENT, "BAD_ARGUMENT", "The library was called with an unusable argument."},
    {IDENTITY_PARAMS_TOO_NEW, "PARAMS_TOO_NEW", "The app was built for a newer version of the library."},
    {IDENTITY_BAD_CONFIGURATION, "BAD_CONFIGURATION", "The configuration does not fit the service."},
    {IDENTITY_FORKED, "FORKED", "A session cannot be used in a child process; open a new one there."},
    {IDENTITY_REENTERED, "REENTERED", "A blocking call inside a callback of the same session or loop."},
    {IDENTITY_WRONG_THREAD, "WRONG_THREAD", "Another thread drives the loop of this session."},
    {IDENTITY_NOT_ON_A_LOOP, "NOT_ON_A_LOOP",
     "The session has no loop of the app; open it with identity_session_open_on."},
    {IDENTITY_LOOP_GONE, "LOOP_GONE", "The loop of this session has been freed."},
};

static const char *const class_names[] = {
    "OK",         "FIX_INPUT",   "RETRY_LATER",     "SIGN_IN",   "USER_ACTION", "UPDATE_APP",
    "FIX_DEVICE", "NOT_ALLOWED", "OUTCOME_UNKNOWN", "CANCELLED", "BUG",
};

static const status_row *find_row(identity_status status) {
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
    if (rows[i].status == status)
      return &rows[i];
  return NULL;
}

int32_t identity_status_class(identity_status status) {
  int32_t status_class = status >> 24;
  if (status == IDENTITY_OK)
    return IDENTITY_CLASS_OK;
  return status_class > IDENTITY_CLASS_OK && status_class <= IDENTITY_CLASS_BUG ? status_class
                                                                                : IDENTITY_CLASS_BUG;
}

const char *identity_status_name(identity_status status) {
  const status_row *row = find_row(status);
  return row != NULL ? row->name : identity_class_name(identity_status_class(status));
}

const char *identity_status_text(identity_status status) {
  const status_row *row = find_row(status);
  return row != NULL ? row->text : "A status that this version of the library does not know.";
}

const char *identity_class_name(int32_t status_class) {
  if (status_class < IDENTITY_CLASS_OK || status_class > IDENTITY_CLASS_BUG)
    return "BUG";
  return class_names[status_class];
}

const char *identity_version(void) {
  return IDENTITY__VERSION;
}
