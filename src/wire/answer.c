#include "wire/answer.h"
#include "base/error.h"
#include "base/secret.h"
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

/* Texts, compared without case: a service that sends no code sends these (contract, error code table). With
 * the field that each speaks of; "password" stands for what the call names its password, "" for none. */
#define TEXTS(ROW)                                                                                           \
  ROW("Wrong email or password", WRONG_CREDENTIALS, "")                                                      \
  ROW("Customer already exists", ALREADY_REGISTERED, "email")                                                \
  ROW("Customer email already exists", ALREADY_REGISTERED, "email")                                          \
  ROW("Customer is not associated with", NOT_WITH_PUBLISHER, "email")                                        \
  ROW("reCAPTCHA verification required", CAPTCHA_REQUIRED, "captcha_value")                                  \
  ROW("reCAPTCHA verification failed", CAPTCHA_FAILED, "captcha_value")                                      \
  ROW("Offer or publisher not found", BAD_CONFIGURATION, "")                                                 \
  ROW("resetPasswordToken", RESET_TOKEN_INVALID, "reset_token")                                              \
  ROW("is not valid or has expired", RESET_TOKEN_INVALID, "reset_token")                                     \
  ROW("Invalid confirmationPassword", WRONG_CREDENTIALS, "confirmation_password")                            \
  ROW("Email verification failed", INVALID_INPUT, "email")                                                   \
  ROW("valid e-mail address", INVALID_INPUT, "email")                                                        \
  ROW("Invalid param email", INVALID_INPUT, "email")                                                         \
  ROW("Invalid param password", INVALID_INPUT, "password")                                                   \
  ROW("Invalid param newPassword", INVALID_INPUT, "password")                                                \
  ROW("Invalid param publisherId", BAD_CONFIGURATION, "publisher_id")                                        \
  ROW("Invalid param offerId", INVALID_INPUT, "offer_id")                                                    \
  ROW("Invalid param country", INVALID_INPUT, "country")                                                     \
  ROW("Invalid param currency", INVALID_INPUT, "currency")                                                   \
  ROW("Invalid param locale", INVALID_INPUT, "locale")                                                       \
  ROW("Invalid param customerIP", INVALID_INPUT, "customer_ip")                                              \
  ROW("Invalid param externalData", INVALID_INPUT, "external_data")                                          \
  ROW("Invalid param externalId", INVALID_INPUT, "external_id")                                              \
  ROW("firstName can have", INVALID_INPUT, "first_name")                                                     \
  ROW("Invalid param firstName", INVALID_INPUT, "first_name")                                                \
  ROW("lastName can have", INVALID_INPUT, "last_name")                                                       \
  ROW("Invalid param lastName", INVALID_INPUT, "last_name")                                                  \
  ROW("resetUrl is not valid", INVALID_INPUT, "reset_url")                                                   \
  ROW("Empty param offerId or publisherId", INVALID_INPUT, "offer_id")                                       \
  ROW("Missing or invalid parameter", INVALID_INPUT, "")

/* Joined, as they differ much in length: text, field, text, field... */
#define STATUS_OF(text, status, field) IDENTITY_##status,
#define TEXT_AND_FIELD_OF(text, status, field) text "\0" field "\0"
static const identity_status text_statuses[] = {TEXTS(STATUS_OF)};
static const char texts_and_fields[] = TEXTS(TEXT_AND_FIELD_OF);

/* What a text of the service says. */
typedef struct meaning {
  identity_status status; /* OK: nothing that is known */
  const char *field;
} meaning;

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
static meaning meaning_of(const char *text) {
  meaning found = {IDENTITY_OK, ""};
  const char *first = NULL;
  const char *known = texts_and_fields;
  for (size_t i = 0; i < ROWS(text_statuses); i++) {
    const char *field = known + strlen(known) + 1;
    const char *place = identity__find_text(text, known);
    known = field + strlen(field) + 1;
    if (place == NULL || (first != NULL && place >= first))
      continue;
    first = place;
    found.status = text_statuses[i];
    found.field = field;
  }
  if (first == NULL && names_unknown_customer(text)) {
    found.status = IDENTITY_UNKNOWN_CUSTOMER;
    found.field = "email";
  }
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

/* In the order of IDENTITY__RAW_x. */
static const char raw_members[][16] = {"", "externalData"};

static identity_status parse(identity__answer *answer, const identity__expect *expect,
                             const identity__http *http, identity_error *error) {
  const char *member = raw_members[expect->raw];
  identity__json_raw raws[] = {{.path = {"responseData", member}}, {.path = {member}}};
  uint32_t wanted = expect->raw != IDENTITY__NO_RAW ? 2 : 0;
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

static const char *field_of(const meaning *text, const identity__expect *expect) {
  return strcmp(text->field, "password") == 0 ? password_fields[expect->password] : text->field;
}

/* The order is the contract's: known code, known text, then the HTTP status. */
static identity_status judge_refusal(identity__answer *answer, const identity__expect *expect,
                                     const identity__http *http, identity_error *error) {
  const code_row *code = find_code(answer->code);
  const meaning text = meaning_of(answer->text);
  if (code != NULL)
    return complain(answer, http, code->status,
                    code->field[0] != '\0' ? code->field : field_of(&text, expect), error);
  bool broken = http->status == 408 || http->status >= 500 || is_service_code(answer->code);
  if (text.status != IDENTITY_OK && !broken)
    return complain(answer, http, text.status, field_of(&text, expect), error);
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

/* A 429 is also how it asks one viewer for a captcha (contract, rate limits). */
bool identity__answer_throttles(const identity__http *http) {
  const identity__expect nothing = {0};
  identity__answer answer;
  identity_error error;
  if (http->status != 429)
    return http->status == 503;
  identity_status status = identity__answer_read(&answer, &nothing, http, &error);
  identity__answer_clear(&answer);
  identity__wipe(&error, sizeof error); /* words may repeat what was sent */
  return status != IDENTITY_CAPTCHA_REQUIRED && status != IDENTITY_CAPTCHA_FAILED;
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
