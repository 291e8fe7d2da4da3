/* Forgotten passwords: the mail, the link in it, the new password. */
#include "api/begin.h"
#include "base/block.h"
#include "base/error.h"
#include "base/secret.h"
#include "base/text.h"
#include "wire/check.h"
#include "wire/url.h"

#include <stdlib.h>
#include <string.h>

#define ROWS(table) (sizeof(table) / sizeof((table)[0]))

/* ---- the mail ---- */

typedef struct mail_inputs {
  const char *email;
  const char *reset_url;
} mail_inputs;

static void mail_flow(identity__call *call) {
  const mail_inputs *inputs = call->inputs;
  if (call->leg > 0) {
    identity__call_finish(call, IDENTITY_OK);
    return;
  }
  const identity__pair pairs[] = {
      {"customerEmail", inputs->email},
      {"publisherId", call->publisher_id},
      {"resetUrl", inputs->reset_url},
  };
  identity__call_send(call, IDENTITY__REQUEST_RESET);
  (void)identity__call_built(call, identity__body_flat(pairs, ROWS(pairs), &call->body));
}

static identity__call *prepare_mail(identity_session *session, const char *email, const char *reset_url) {
  static const identity__input texts[] = {
      {"email", offsetof(mail_inputs, email), IDENTITY__INPUT_EMAIL, IDENTITY__NEEDED},
      {"reset_url", offsetof(mail_inputs, reset_url), IDENTITY__INPUT_URL, IDENTITY__OPTIONAL},
  };
  identity__call *call = identity__begin(session, "request_password_reset", mail_flow, sizeof(mail_inputs));
  if (call == NULL)
    return NULL;
  mail_inputs *inputs = call->inputs;
  inputs->email = email;
  inputs->reset_url = reset_url;
  (void)identity__take_texts(call, texts, ROWS(texts));
  return call;
}

identity_status identity_request_password_reset(identity_session *session, const char *email,
                                                const char *reset_url, identity_error *error) {
  return identity__conclude(session, prepare_mail(session, email, reset_url), error);
}

identity_status identity_request_password_reset_start(identity_session *session, const char *email,
                                                      const char *reset_url, identity_done_fn done,
                                                      void *user_data, identity_call **call) {
  return identity__start(session, prepare_mail(session, email, reset_url), done, user_data, call);
}

/* ---- the link ---- */

typedef struct link_texts {
  char reset_token[IDENTITY__MAX_URL];
  char email[IDENTITY__MAX_EMAIL + 1];
  char publisher_id[IDENTITY__MAX_ID + 1];
} link_texts;

/* NULL: the link is one of ours; else what is wrong with it. */
static const char *read_link(const char *url, link_texts *texts, bool *has_publisher) {
  if (!identity__is_absolute_url(url))
    return "is no absolute URL";
  if (identity__url_parameter(url, "resetPasswordToken", texts->reset_token, sizeof texts->reset_token) !=
          1 ||
      texts->reset_token[0] == '\0')
    return "has no usable resetPasswordToken";
  if (identity__url_parameter(url, "email", texts->email, sizeof texts->email) != 1 ||
      !identity__is_email(texts->email))
    return "has no usable email";
  int publisher =
      identity__url_parameter(url, "publisherId", texts->publisher_id, sizeof texts->publisher_id);
  *has_publisher = publisher == 1;
  if (publisher < 0 || (publisher == 1 && !identity__is_publisher_id(texts->publisher_id)))
    return "has no usable publisherId";
  return NULL;
}

static identity_reset_link *make_link(const link_texts *link, bool has_publisher) {
  const identity__block_member texts[] = {
      {offsetof(identity_reset_link, reset_token), link->reset_token},
      {offsetof(identity_reset_link, email), link->email},
      {offsetof(identity_reset_link, publisher_id), has_publisher ? link->publisher_id : NULL},
  };
  return identity__block_of(sizeof(identity_reset_link), texts, ROWS(texts));
}

identity_status identity_parse_reset_link(const char *url, const identity_reset_link **link,
                                          identity_error *error) {
  identity_status status = identity__check_result(link, "link", error);
  if (status != IDENTITY_OK)
    return status;
  if (url == NULL)
    return identity__fail(error, IDENTITY_BAD_ARGUMENT, "url", "url is NULL");
  if (strnlen(url, IDENTITY__MAX_URL + 1) > IDENTITY__MAX_URL)
    return identity__fail(error, IDENTITY_INVALID_INPUT, "url", "The link is too long.");
  link_texts *texts = calloc(1, sizeof *texts);
  if (texts == NULL)
    return identity__fail_plain(error, IDENTITY_OUT_OF_MEMORY);
  bool has_publisher = false;
  const char *wrong = read_link(url, texts, &has_publisher);
  if (wrong != NULL)
    status = identity__fail(error, IDENTITY_INVALID_INPUT, "url", "The link %s.", wrong);
  else if ((*link = make_link(texts, has_publisher)) == NULL)
    status = identity__fail_plain(error, IDENTITY_OUT_OF_MEMORY);
  identity__wipe(texts, sizeof *texts);
  free(texts);
  return status;
}

void identity_reset_link_free(const identity_reset_link *link) {
  if (link == NULL)
    return;
  identity__wipe_text(link->reset_token);
  identity__block_free(link);
}

/* ---- the new password ---- */

static void update_flow(identity__call *call) {
  const identity_update_password_params *params = call->inputs;
  switch (call->leg) {
  case 0: {
    const identity__pair pairs[] = {
        {"publisherId", call->publisher_id},
        {"#customerId", params->customer_id},
        {"customerEmail", params->customer_id == NULL ? params->email : NULL},
        {"resetPasswordToken", params->reset_token},
        {"newPassword", params->new_password},
    };
    identity__call_send(call, IDENTITY__UPDATE_PASSWORD);
    (void)identity__call_built(call, identity__body_flat(pairs, ROWS(pairs), &call->body));
    break;
  }
  case 1:
    /* The tokens of who is signed in here go only if the new password is theirs. */
    call->settled = true;
    call->reason = IDENTITY_REASON_CREDENTIALS_CHANGED;
    call->grant.customer_id = identity__arena_text(&call->arena, params->customer_id);
    call->grant.email = identity__arena_text(&call->arena, params->email);
    identity__call_order(call, IDENTITY__ORDER_END_IF_SAME);
    call->tolerate = true;
    break;
  default:
    identity__call_finish(call, IDENTITY_OK);
  }
}

void identity_update_password_params_init(identity_update_password_params *params, uint32_t size) {
  identity__init_params(params, size);
}

#define AT(member) offsetof(identity_update_password_params, member)

static const identity__input update_texts[] = {
    {"reset_token", AT(reset_token), IDENTITY__INPUT_TOKEN, IDENTITY__NEEDED | IDENTITY__SECRET},
    {"new_password", AT(new_password), IDENTITY__INPUT_NEW_PASSWORD, IDENTITY__NEEDED | IDENTITY__SECRET},
    {"email", AT(email), IDENTITY__INPUT_EMAIL, IDENTITY__OPTIONAL},
    {"customer_id", AT(customer_id), IDENTITY__INPUT_ID, IDENTITY__OPTIONAL},
};

static identity__call *prepare_update(identity_session *session,
                                      const identity_update_password_params *params) {
  identity__call *call = identity__begin(session, "update_password", update_flow, sizeof *params);
  if (!identity__take_params(
          call, params, IDENTITY__FIRST_SIZE(identity_update_password_params, publisher_id), sizeof *params))
    return call;
  identity_update_password_params *inputs = call->inputs;
  if (inputs->publisher_id != NULL && strcmp(inputs->publisher_id, session->publisher_id) != 0)
    (void)identity__fail(&call->error, IDENTITY_INVALID_INPUT, "publisher_id",
                         "The link belongs to another publisher.");
  else if (identity__take_texts(call, update_texts, ROWS(update_texts)) && inputs->email == NULL &&
           inputs->customer_id == NULL)
    (void)identity__input_missing("email", &call->error);
  inputs->publisher_id = NULL; /* the app's */
  return call;
}

identity_status identity_update_password(identity_session *session,
                                         const identity_update_password_params *params,
                                         identity_error *error) {
  return identity__conclude(session, prepare_update(session, params), error);
}

identity_status identity_update_password_start(identity_session *session,
                                               const identity_update_password_params *params,
                                               identity_done_fn done, void *user_data, identity_call **call) {
  return identity__start(session, prepare_update(session, params), done, user_data, call);
}
