/* What each status is called and means: one row a status, in the order of identity.h. */
#include "base/text.h"

#include <identity/identity.h>

#include <stddef.h>

#define IDENTITY__VERSION "0.1.0"

#define STATUSES(ROW)                                                                                        \
  ROW(OK, "Done.")                                                                                           \
  ROW(INVALID_INPUT, "One of the values is not valid.")                                                      \
  ROW(WRONG_CREDENTIALS, "The e-mail address or the password is wrong.")                                     \
  ROW(ALREADY_REGISTERED, "There is already an account with this e-mail address.")                           \
  ROW(NOT_WITH_PUBLISHER, "This account belongs to another publisher.")                                      \
  ROW(UNKNOWN_CUSTOMER, "There is no account with this e-mail address.")                                     \
  ROW(RESET_TOKEN_INVALID, "The link for the new password was used or is too old; request a new one.")       \
  ROW(CONSENT_REQUIRED, "A required consent is not accepted.")                                               \
  ROW(REFUSED, "The service refused the values.")                                                            \
  ROW(OFFLINE, "The service cannot be reached; check the network.")                                          \
  ROW(CONNECTION_LOST, "The connection broke; try again.")                                                   \
  ROW(TIMED_OUT, "The service did not answer in time; try again.")                                           \
  ROW(THROTTLED, "Too many requests; try again later.")                                                      \
  ROW(SERVICE_FAILED, "The service has a problem; try again later.")                                         \
  ROW(NOT_THE_SERVICE,                                                                                       \
      "Something on the network answered instead of the service; check for a login page of the network.")    \
  ROW(REFRESH_DEFERRED, "The session cannot be renewed right now; try again later.")                         \
  ROW(STORE_LOCKED, "The store is in use; try again.")                                                       \
  ROW(OUT_OF_MEMORY, "There is not enough memory.")                                                          \
  ROW(SIGNED_OUT, "Nobody is signed in.")                                                                    \
  ROW(SESSION_ENDED, "The session has ended; sign in again.")                                                \
  ROW(CAPTCHA_REQUIRED, "A captcha has to be solved first.")                                                 \
  ROW(CAPTCHA_FAILED, "The captcha was not accepted; solve it again.")                                       \
  ROW(CONSENT_CHANGED, "A consent has changed since it was shown; show it again.")                           \
  ROW(UNEXPECTED_ANSWER, "The service answered in a way this version does not know.")                        \
  ROW(ENDPOINT_GONE, "The service no longer knows this call.")                                               \
  ROW(STORE_NEWER, "The stored session was written by a newer version.")                                     \
  ROW(TLS_UNTRUSTED, "The certificate of the service is not trusted.")                                       \
  ROW(CLOCK_WRONG, "The clock of this device is wrong.")                                                     \
  ROW(CA_FILE, "The file with trusted certificates cannot be read.")                                         \
  ROW(PROXY_AUTH, "The proxy wants a login.")                                                                \
  ROW(STORE_FAILED, "The store cannot be written.")                                                          \
  ROW(NOT_ALLOWED, "The service does not allow this.")                                                       \
  ROW(OUTCOME_UNKNOWN, "It is not known whether this was done; try to log in before doing it again.")        \
  ROW(CANCELLED, "Cancelled.")                                                                               \
  ROW(BAD_ARGUMENT, "The library was called with an unusable argument.")                                     \
  ROW(PARAMS_TOO_NEW, "The app was built for a newer version of the library.")                               \
  ROW(BAD_CONFIGURATION, "The configuration does not fit the service.")                                      \
  ROW(FORKED, "A session cannot be used in a child process; open a new one there.")                          \
  ROW(REENTERED, "A blocking call inside a callback of the same session or loop.")                           \
  ROW(WRONG_THREAD, "Another thread drives the loop of this session.")                                       \
  ROW(NOT_ON_A_LOOP, "The session has no loop of the app; open it with identity_session_open_on.")           \
  ROW(LOOP_GONE, "The loop of this session has been freed.")

/* Joined, each with its zero byte: nothing for the loader to relocate, no place lost behind a short one. */
#define STATUS_OF(name, text) IDENTITY_##name,
#define NAME_OF(name, text) #name "\0"
#define TEXT_OF(name, text) text "\0"
static const identity_status statuses[] = {STATUSES(STATUS_OF)};
static const char names[] = STATUSES(NAME_OF);
static const char texts[] = STATUSES(TEXT_OF);

static const char class_names[][16] = {
    "OK",         "FIX_INPUT",   "RETRY_LATER",     "SIGN_IN",   "USER_ACTION", "UPDATE_APP",
    "FIX_DEVICE", "NOT_ALLOWED", "OUTCOME_UNKNOWN", "CANCELLED", "BUG",
};

/* The one of the status in joined texts; NULL: not a status of this version. */
static const char *find(const char *joined, identity_status status) {
  for (size_t i = 0; i < sizeof statuses / sizeof statuses[0]; i++)
    if (statuses[i] == status)
      return identity__joined_text(joined, i);
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
  const char *name = find(names, status);
  return name != NULL ? name : identity_class_name(identity_status_class(status));
}

const char *identity_status_text(identity_status status) {
  const char *text = find(texts, status);
  return text != NULL ? text : "A status that this version of the library does not know.";
}

const char *identity_class_name(int32_t status_class) {
  if (status_class < IDENTITY_CLASS_OK || status_class > IDENTITY_CLASS_BUG)
    return "BUG";
  return class_names[status_class];
}

const char *identity_version(void) {
  return IDENTITY__VERSION;
}
