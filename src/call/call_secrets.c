/* No secret of a call shows in its error. */
#include "base/secret.h"
#include "base/text.h"
#include "call/call.h"

#include <string.h>

enum { SHORTEST_SECRET = 4, TELLING_PIECE = 12 };

/* The beginning of a secret is enough: the texts of a service are cut. */
static bool shows(const char *message, const char *secret) {
  char piece[TELLING_PIECE + 1] = {0};
  size_t length = secret != NULL ? strnlen(secret, TELLING_PIECE) : 0;
  if (length < SHORTEST_SECRET)
    return false;
  memcpy(piece, secret, length);
  bool found = strstr(message, piece) != NULL;
  identity__wipe(piece, sizeof piece);
  return found;
}

static bool shows_a_secret(const identity__call *call, const char *text) {
  bool found = shows(text, call->bearer.length > 0 ? call->bearer.bytes : NULL);
  for (int i = 0; i < IDENTITY__CALL_SECRETS; i++)
    found = found || shows(text, call->secrets[i]);
  return found;
}

/* A service that repeats a password in its complaint must not carry it into an error of ours. */
void identity__call_hide_secrets(identity__call *call) {
  identity_error *error = &call->error;
  if (shows_a_secret(call, error->message)) {
    identity__wipe(error->message, sizeof error->message); /* all of it: the error is copied as a whole */
    identity__copy_line(error->message, sizeof error->message, identity_status_text(error->status));
  }
  if (shows_a_secret(call, error->code))
    memset(error->code, 0, sizeof error->code);
}
