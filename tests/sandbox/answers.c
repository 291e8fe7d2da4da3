#include "call.h"

#include "text.h"

#include <stdio.h>
#include <string.h>

struct row {
  int status;
  const char *code;
  const char *text;
};

/* Contract 1.3. Where the contract gives no status or code the choice is marked. */
static const struct row rows[SBX_REFUSAL_COUNT] = {
    [SBX_INVALID_BODY] = {400, "REQ0001", "Invalid request body"},
    [SBX_EMPTY_OWNER] = {400, "REQ0001", "Empty param offerId or publisherId"},
    [SBX_BAD_RESET_URL] = {400, "REQ0001", "resetUrl is not valid URL."},
    [SBX_BAD_PUBLISHER_PATH] = {400, "REQ0003",
                                "Invalid param publisherId"}, /* 4.2: status and code inferred */
    [SBX_BAD_PUBLISHER_BODY] = {400, "REQ0001", "Invalid param publisherId"},
    [SBX_BAD_QUERY] = {400, "REQ0002", "invalid query parameter"}, /* status a choice */
    [SBX_BAD_PATH] = {400, "REQ0003", "invalid path parameter"},   /* status a choice */
    [SBX_UNKNOWN_OWNER] = {422, "REQ0100", "Offer or publisher not found"},
    [SBX_NO_JWT] = {401, "AUTH0001", "Missing required JWT"},
    [SBX_BAD_JWT] = {401, "AUTH0002", "Invalid JWT token"},
    [SBX_EXPIRED_JWT] = {401, "AUTH0003", "token expired"},          /* only when the settings ask for it */
    [SBX_FOREIGN_CUSTOMER] = {403, "AUTH0002", "Invalid JWT token"}, /* 4.9: "403? 401?", a choice */
    [SBX_WRONG_LOGIN] = {401, "USER0001", "Wrong email or password"},
    [SBX_CUSTOMER_EXISTS] = {422, "USER0002", "Customer already exists"},
    [SBX_OTHER_PUBLISHER] = {422, "USER0003", "Customer is not associated with this publisher"},
    [SBX_CAPTCHA_WANTED] = {429, "CPT0001", "Google reCAPTCHA verification required!"},
    [SBX_CAPTCHA_FAILED] = {429, "CPT0002", "Google reCAPTCHA verification failed!"},
    [SBX_BAD_REFRESH_BODY] = {400, NULL, "Missing or invalid parameter"}, /* status a choice */
    [SBX_BAD_RESET_TOKEN] = {422, NULL,
                             "resetPasswordToken is not valid or has expired"}, /* status a choice */
    [SBX_BAD_PUBLISHER_TOKEN] = {401, NULL, "Invalid publisher token"},         /* 4.7: nothing documented */
    [SBX_INTERNAL] = {500, "S0001", "Internal Server Error"},
};

static void set_answer(struct sbx_call *call, int status, cJSON *answer) {
  cJSON_Delete(call->answer);
  call->status = status;
  call->answer = answer;
}

/* Without memory for a body the status still goes out. */
void sbx_refuse_text(struct sbx_call *call, int status, const char *code, const char *text) {
  cJSON *answer = cJSON_CreateObject();
  cJSON *errors = cJSON_CreateArray();
  bool ok = sbx_json_append(errors, cJSON_CreateString(text)) && sbx_json_put(answer, "errors", errors);
  ok = ok && (code == NULL || sbx_json_put_text(answer, "code", code));
  set_answer(call, status, sbx_json_finish(answer, ok));
}

void sbx_refuse(struct sbx_call *call, enum sbx_refusal refusal) {
  const struct row *row = &rows[refusal];
  sbx_refuse_text(call, row->status, row->code, row->text);
}

void sbx_refuse_unknown_email(struct sbx_call *call, const char *email) {
  char text[320];
  snprintf(text, sizeof text, "Customer %.254s does not exist.", email);
  bool whole = sbx_utf8_valid(text, strlen(text)); /* a long address may have been cut inside a character */
  sbx_refuse_text(call, 404, "USER0004", whole ? text : "Customer does not exist.");
}

void sbx_answer_message(struct sbx_call *call, int status, const char *message) {
  cJSON *answer = cJSON_CreateObject();
  set_answer(call, status, sbx_json_finish(answer, sbx_json_put_text(answer, "message", message)));
}

void sbx_answer_data(struct sbx_call *call, cJSON *data) {
  cJSON *answer = cJSON_CreateObject();
  bool ok = sbx_json_put(answer, "responseData", data) && sbx_json_put(answer, "errors", cJSON_CreateArray());
  answer = sbx_json_finish(answer, ok);
  if (answer == NULL) {
    sbx_refuse(call, SBX_INTERNAL);
    return;
  }
  set_answer(call, 200, answer);
}

void sbx_answer_success(struct sbx_call *call) {
  cJSON *data = cJSON_CreateObject();
  sbx_answer_data(call, sbx_json_finish(data, sbx_json_put_flag(data, "success", true)));
}

void sbx_answer_plain(struct sbx_call *call, cJSON *document) {
  if (document == NULL) {
    sbx_refuse(call, SBX_INTERNAL);
    return;
  }
  set_answer(call, 200, document);
}
