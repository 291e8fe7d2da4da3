/* SPDX-License-Identifier: MIT
 *
 * An error for people: what went wrong, the details for support, and what to do about it.
 */
#include "cli.h"

#include <stdlib.h>
#include <string.h>

/* What this status in particular wants; NULL: what its class wants. */
static const char *advice_for_status(identity_status status) {
  switch (status) {
  case IDENTITY_WRONG_CREDENTIALS:
    return "check e-mail and password, or use reset-password for a new one.";
  case IDENTITY_ALREADY_REGISTERED:
    return "this e-mail has an account: use login.";
  case IDENTITY_CONSENT_REQUIRED:
    return "read it (consents) and accept it with --accept NAME or --accept-required.";
  case IDENTITY_RESET_TOKEN_INVALID:
    return "links work once and for a short time: ask for a new one with reset-password.";
  case IDENTITY_CAPTCHA_REQUIRED:
  case IDENTITY_CAPTCHA_FAILED:
    return "run the publisher's captcha and pass its value with --captcha-stdin.";
  case IDENTITY_CONSENT_CHANGED:
    return "the text changed meanwhile: read the new version and answer again.";
  case IDENTITY_CA_FILE:
    return "give a readable PEM file with --ca-file.";
  case IDENTITY_PROXY_AUTH:
    return "put user and password of the proxy into the variable IDENTITY_PROXY.";
  case IDENTITY_STORE_FAILED:
    return "check that the directory of --store can be written.";
  case IDENTITY_BAD_CONFIGURATION:
    return "check --publisher, --offer and the address of the service.";
  default:
    return NULL;
  }
}

static const char *advice_for_class(int32_t status_class) {
  switch (status_class) {
  case IDENTITY_CLASS_FIX_INPUT:
    return "correct the input and try again.";
  case IDENTITY_CLASS_RETRY_LATER:
    return "nothing is lost: try again later.";
  case IDENTITY_CLASS_SIGN_IN:
    return "log in first: identity-cli login --email E";
  case IDENTITY_CLASS_USER_ACTION:
    return "the customer has to act first.";
  case IDENTITY_CLASS_UPDATE_APP:
    return "check the address of the service, or get a newer version of this program.";
  case IDENTITY_CLASS_FIX_DEVICE:
    return "check clock, certificates (--ca-file), proxy and storage of this machine.";
  case IDENTITY_CLASS_NOT_ALLOWED:
    return "the service refuses this customer: signing in again will not help, ask the publisher.";
  case IDENTITY_CLASS_OUTCOME_UNKNOWN:
    return "it may have been done: look (for example by login) before you repeat it.";
  case IDENTITY_CLASS_CANCELLED:
    return "you stopped it: run it again when you like.";
  default:
    return "report this as a bug, with the output of --verbose.";
  }
}

static void print_details(const identity_error *error) {
  fprintf(stderr, "  Details: %s, %s", identity_class_name(identity_status_class(error->status)),
          identity_status_name(error->status));
  char *field = text_clean(error->field);
  char *code = text_clean(error->code);
  if (field != NULL && field[0] != '\0')
    fprintf(stderr, ", field %s", field);
  if (code != NULL && code[0] != '\0')
    fprintf(stderr, ", code %s", code);
  if (error->http_status != 0)
    fprintf(stderr, ", HTTP status %d", (int)error->http_status);
  if (error->retry_after_ms > 0)
    fprintf(stderr, ", retry after %lld s", (long long)((error->retry_after_ms + 999) / 1000));
  fputc('\n', stderr);
  free(field);
  free(code);
}

void show_error(const struct run *run) {
  const identity_error *error = &run->error;
  const bool colour = use_colour(stderr);
  const char *message = error->message[0] != '\0' ? error->message : identity_status_text(error->status);
  char *clean = text_clean(message);
  fprintf(stderr, "%s" PROGRAM ":%s %s", colour ? "\033[1;31m" : "", colour ? "\033[0m" : "",
          clean != NULL ? clean : "out of memory");
  free(clean);
  if (run->is_usage) {
    fprintf(stderr, " (see " PROGRAM " %s%s--help)\n", run->command != NULL ? run->command->name : "",
            run->command != NULL ? " " : "");
    return;
  }
  fputc('\n', stderr);
  const char *advice = advice_for_status(error->status);
  fprintf(stderr, "  What to do: %s\n",
          advice != NULL ? advice : advice_for_class(identity_status_class(error->status)));
  print_details(error);
}
