#include "wire/answer.h"
#include "base/error.h"
#include "base/text.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

typedef struct code_row {
  char code[12];
  char field[16]; /* empty: none */
  identity_status status;
} code_row;

/* Codes that settle the matter whatever the HTTP status is (contract, error code table). */
static const code_row code_rows[] = {
    {"USER0001", "", IDENTITY_WRONG_CREDENTIALS},
    {"USER0002", "email", IDENTITY_ALREADY_REGISTERED},
    {"USER0003", "email", IDENTITY_NOT_WITH_PUBLISHER},
    {"USER0004", "email", IDENTITY_UNKNOWN_CUSTOMER},
    {"CPT0001", "captcha_value", IDENTITY_CAPTCHA_REQUIRED},
    {"CPT0002", "captcha_value", IDENTITY_CAPTCHA_FAILED},
    {"REQ0100", "", IDENTITY_BAD_CONFIGURATION},
};

/* Codes that say "a parameter is wrong" and leave it to the text which one. */
static const char parameter_codes[][8] = {"REQ0001", "REQ0002", "REQ0003"};

typedef struct text_row {
  char text[36];
  char field[24]; /* "password" stands for what the call names its password; empty: none */
  identity_status status;
} text_row;

/* Texts, compared without case: a service that sends no code sends these (contract, error code table). */
static const text_row text_rows[] = {
    {"Wrong email or password", "", IDENTITY_WRONG_CREDENTIALS},
    {"Customer already exists", "email", IDENTITY_ALREADY_REGISTERED},
    {"Customer email already exists", "email", IDENTITY_ALREADY_REGISTERED},
    {"Customer is not associated with", "email", IDENTITY_NOT_WITH_PUBLISHER},
    {"reCAPTCHA verification required", "captcha_value", IDENTITY_CAPTCHA_REQUIRED},
    {"reCAPTCHA verification failed", "captcha_value", IDENTITY_CAPTCHA_FAILED},
    {"Offer or publisher not found", "", IDENTITY_BAD_CONFIGURATION},
    {"resetPasswordToken", "reset_token", IDENTITY_RESET_TOKEN_INVALID},
    {"is not valid or has expired", "reset_token", IDENTITY_RESET_TOKEN_INVALID},
    {"Invalid confirmationPassword", "confirmation_password", IDENTITY_WRONG_CREDENTIALS},
    {"Email verification failed", "email", IDENTITY_INVALID_INPUT},
    {"valid e-mail address", "email", IDENTITY_INVALID_INPUT},
    {"Invalid param email", "email", IDENTITY_INVALID_INPUT},
    {"Invalid param password", "password", IDENTITY_INVALID_INPUT},
    {"Invalid param newPassword", "password", IDENTITY_INVALID_INPUT},
    {"Invalid param publisherId", "publisher_id", IDENTITY_INVALID_INPUT},
    {"Invalid param offerId", "offer_id", IDENTITY_INVALID_INPUT},
    {"Invalid param country", "country", IDENTITY_INVALID_INPUT},
    {"Invalid param currency", "currency", IDENTITY_INVALID_INPUT},
    {"Invalid param locale", "locale", IDENTITY_INVALID_INPUT},
    {"Invalid param customerIP", "customer_ip", IDENTITY_INVALID_INPUT},
    {"Invalid param externalData", "external_data", IDENTITY_INVALID_INPUT},
    {"Invalid param externalId", "external_id", IDENTITY_INVALID_INPUT},
    {"firstName can have", "first_name", IDENTITY_INVALID_INPUT},
    {"Invalid param firstName", "first_name", IDENTITY_INVALID_INPUT},
    {"lastName can have", "last_name", IDENTITY_INVALID_INPUT},
    {"Invalid param lastName", "last_name", IDENTITY_INVALID_INPUT},
    {"resetUrl is not valid", "reset_url", IDENTITY_INVALID_INPUT},
    {"Empty param offerId or publisherId", "offer_id", IDENTITY_INVALID_INPUT},
    {"Missing or invalid parameter", "", IDENTITY_INVALID_INPUT},
};

#define ROWS(table) (sizeof(table) / sizeof((table)[0]))

static const code_row *find_code(const char *code) {
  for (size_t i = 0; i < ROWS(code_rows); i++)
    if (strcmp(code_rows[i].code, code) == 0)
      return &code_rows[i];
  return NULL;
}

static bool is_parameter_code(const char *code) {
  for (size_t i = 0; i < ROWS(parameter_codes); i++)
    if (strcmp(parameter_codes[i], code) == 0)
      return true;
  return false;
}

/* "Customer jo@example.com does not exist." has the address in its middle. */
static bool names_unknown_customer(const char *text) {
  const char *customer = identity__find_text(text, "Customer ");
  return customer != NULL && identity__find_text(customer, " does not exist") != NULL;
}

/* Several errors may be joined in one string; the one that comes first counts. */
static const text_row *find_text_row(const char *text) {
  static const text_row unknown_customer = {"", "email", IDENTITY_UNKNOWN_CUSTOMER};
  const text_row *found = NULL;
  const char *first = NULL;
  for (size_t i = 0; i < ROWS(text_rows); i++) {
    const char *place = identity__find_text(text, text_rows[i].text);
    if (place == NULL || (first != NULL && place >= first))
      continue;
    first = place;
    found = &text_rows[i];
  }
  if (found == NULL && names_unknown_customer(text))
    return &unknown_customer;
  return found;
}

static bool speaks_of_jwt(const identity__answer *answer) {
  return strncmp(answer->code, "AUTH", 4) == 0 ||
         identity__find_text(answer->text, "Invalid JWT token") != NULL ||
         identity__find_text(answer->text, "Missing required JWT") != NULL;
}

/* S followed by digits: an internal failure of the service. */
static bool is_service_code(const char *code) {
  return code[0] == 'S' && identity__all_digits(code + 1);
}

/* A secret that the service repeats can only be recognised whole: a word that was cut goes. */
static void drop_last_word(char *text) {
  char *space = strrchr(text, ' ');
  *(space != NULL ? space : text) = '\0';
}

static void add_text(identity__answer *answer, const char *text) {
  size_t used = strlen(answer->text);
  if (text == NULL || text[0] == '\0' || used + 4 >= sizeof answer->text)
    return;
  if (used > 0) {
    memcpy(answer->text + used, ", ", 3);
    used += 2;
  }
  identity__copy_line(answer->text + used, sizeof answer->text - used, text);
  if (strlen(answer->text + used) < strlen(text))
    drop_last_word(answer->text);
}

static void read_complaints(identity__answer *answer) {
  const identity__json *errors = identity__json_member(answer->root, "errors");
  const identity__json *item = identity__json_is_list(errors) ? identity__json_first(errors) : NULL;
  answer->listed = item != NULL;
  for (; item != NULL; item = identity__json_next(item)) {
    add_text(answer, identity__json_text(item));
    add_text(answer, identity__json_text(identity__json_member(item, "message")));
  }
  add_text(answer, identity__json_text(errors));
  if (answer->text[0] == '\0')
    add_text(answer, identity__json_text(identity__json_member(answer->root, "message")));
  const char *code = identity__json_text(identity__json_member(answer->root, "code"));
  if (code != NULL)
    identity__copy_line(answer->code, sizeof answer->code, code);
}

static identity_status parse(identity__answer *answer, const identity__expect *expect,
                             const identity__http *http, identity_error *error) {
  identity__json_raw raws[] = {{.path = {"responseData", expect->raw_member}},
                               {.path = {expect->raw_member}}};
  uint32_t wanted = expect->raw_member[0] != '\0' ? 2 : 0;
  memset(answer, 0, sizeof *answer);
  answer->date_s = http->date_s;
  if (http->length == 0)
    return IDENTITY_OK;
  if (identity__json_parse(http->body, http->length, raws, wanted, &answer->root) == IDENTITY__JSON_MEMORY)
    return identity__fail_plain(error, IDENTITY_OUT_OF_MEMORY);
  if (answer->root == NULL)
    return IDENTITY_OK;
  const identity__json *data = identity__json_member(answer->root, "responseData");
  answer->data = data != NULL ? data : answer->root;
  answer->raw = raws[data != NULL ? 0 : 1].text;
  read_complaints(answer);
  return IDENTITY_OK;
}

/* What an HTTP status means when neither a code nor a text is known. */
static identity_status judge_status(const identity__answer *answer, const identity__expect *expect,
                                    int32_t status) {
  bool refused = status >= 400 && status < 500 && status != 408;
  if (status == 407)
    return IDENTITY_PROXY_AUTH;
  if (status == 429 || status == 425)
    return IDENTITY_THROTTLED;
  if (status == 503 || status == 511)
    return status == 503 ? IDENTITY_SERVICE_FAILED : IDENTITY_NOT_THE_SERVICE;
  if (expect->outcome_matters && (!refused || answer->root == NULL))
    return IDENTITY_OUTCOME_UNKNOWN;
  if (status == 408 || status >= 500)
    return IDENTITY_SERVICE_FAILED;
  if (answer->auth_refused)
    return IDENTITY_NOT_ALLOWED;
  if (answer->root == NULL)
    return IDENTITY_NOT_THE_SERVICE;
  if (expect->keyed && (status == 401 || status == 403))
    return IDENTITY_NOT_ALLOWED;
  if ((status == 404 || status == 405 || status == 410) && answer->code[0] == '\0')
    return IDENTITY_ENDPOINT_GONE;
  if (status < 400 && !answer->listed)
    return IDENTITY_NOT_THE_SERVICE; /* a redirect: nobody follows it */
  return expect->has_input ? IDENTITY_REFUSED : IDENTITY_NOT_ALLOWED;
}

static identity_status complain(const identity__answer *answer, const identity__http *http,
                                identity_status status, const char *field, identity_error *error) {
  /* The service's own words, but where the app has to be told what to do. */
  bool words = answer->text[0] != '\0' && status != IDENTITY_OUTCOME_UNKNOWN;
  const char *text = words ? answer->text : identity_status_text(status);
  const char *comma = answer->code[0] != '\0' ? ", " : "";
  (void)identity__fail(error, status, field, "%s (HTTP %" PRId32 "%s%s)", text, http->status, comma,
                       answer->code);
  identity__copy_line(error->code, sizeof error->code, answer->code);
  error->http_status = http->status;
  error->retry_after_ms = http->retry_after_ms;
  return status;
}

/* In the order of IDENTITY__x_PASSWORD. */
static const char password_fields[][24] = {"", "password", "new_password", "confirmation_password"};

static const char *field_of(const text_row *row, const identity__expect *expect) {
  if (row == NULL)
    return "";
  return strcmp(row->field, "password") == 0 ? password_fields[expect->password] : row->field;
}

/* The order is the contract's: known code, known text, then the HTTP status. */
static identity_status judge_refusal(identity__answer *answer, const identity__expect *expect,
                                     const identity__http *http, identity_error *error) {
  const code_row *code = find_code(answer->code);
  const text_row *text = find_text_row(answer->text);
  if (code != NULL)
    return complain(answer, http, code->status, code->field[0] != '\0' ? code->field : field_of(text, expect),
                    error);
  bool broken = http->status == 408 || http->status >= 500 || is_service_code(answer->code);
  if (text != NULL && !broken)
    return complain(answer, http, text->status, field_of(text, expect), error);
  if (is_parameter_code(answer->code) && !broken)
    return complain(answer, http, expect->has_input ? IDENTITY_INVALID_INPUT : IDENTITY_NOT_ALLOWED, NULL,
                    error);
  /* An empty 401 is the gateway's; HTML is somebody else's and says nothing about the JWT. */
  bool ours = answer->root != NULL || http->length == 0;
  answer->auth_refused = expect->authorised && ours && !broken &&
                         (http->status == 401 || http->status == 403 || speaks_of_jwt(answer));
  int32_t status = is_service_code(answer->code) && http->status < 500 ? 500 : http->status;
  return complain(answer, http, judge_status(answer, expect, status), NULL, error);
}

static identity_status judge_success(identity__answer *answer, const identity__expect *expect,
                                     const identity__http *http, identity_error *error) {
  bool empty = http->length == 0;
  if (empty && expect->may_be_empty)
    return IDENTITY_OK;
  if (answer->root == NULL && expect->outcome_matters)
    return complain(answer, http, IDENTITY_OUTCOME_UNKNOWN, NULL, error);
  if (answer->root == NULL)
    return complain(answer, http, IDENTITY_NOT_THE_SERVICE, NULL, error);
  if (!identity__json_is_object(answer->root))
    return complain(answer, http, IDENTITY_UNEXPECTED_ANSWER, NULL, error);
  /* Words may repeat what was sent. */
  answer->plain = expect->plain_data && !answer->listed && answer->text[0] == '\0';
  return IDENTITY_OK;
}

identity_status identity__answer_read(identity__answer *answer, const identity__expect *expect,
                                      const identity__http *http, identity_error *error) {
  identity_status status = parse(answer, expect, http, error);
  if (status != IDENTITY_OK)
    return status;
  bool success = http->status >= 200 && http->status < 300;
  /* A refusal with a friendly HTTP status is still a refusal; its data may be absent, null, {} or []. */
  bool complaint =
      answer->code[0] != '\0' ||
      (answer->listed && identity__json_first(identity__json_member(answer->root, "responseData")) == NULL);
  if (success && !complaint)
    return judge_success(answer, expect, http, error);
  return judge_refusal(answer, expect, http, error);
}

void identity__answer_clear(identity__answer *answer) {
  if (answer->plain)
    identity__json_free_plain(answer->root);
  else
    identity__json_free(answer->root);
  memset(answer, 0, sizeof *answer);
}

identity_status identity__answer_lacks(const char *what, identity_error *error) {
  return identity__fail(error, IDENTITY_UNEXPECTED_ANSWER, NULL,
                        "The answer of the service has no usable \"%s\".", what);
}
