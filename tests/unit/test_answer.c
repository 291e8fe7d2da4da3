/* Status x body -> what the caller is told. The order: known code, known text, HTML or no JSON, 404/405/410,
 * 401/403 on an authorised call, other 4xx. */
#include "support/rows.h"

#include "call/endpoint.h"
#include "wire/answer.h"

#define HTML "<html><body>Welcome to the hotel</body></html>"

typedef struct row {
  const char *name;
  identity__endpoint_id endpoint;
  int32_t http;
  const char *body;
  identity_status status;
  const char *field;
  const char *code;
  bool auth_refused;
} answer_row;

static void check_row(const answer_row *row) {
  identity__answer answer;
  identity_error error = {0};
  size_t length = strlen(row->body);
  char *body = exact_text(row->body, length);
  const identity__http http = {row->http, body, length, 1700000000, 7000};
  const identity__expect *expect = &identity__endpoint_of(row->endpoint)->expect;
  identity_status status = identity__answer_read(&answer, expect, &http, &error);
  CHECK_TEXT(row->name, identity_status_name(status), identity_status_name(row->status));
  CHECK_INT(row->name, answer.auth_refused, row->auth_refused);
  CHECK_INT(row->name, answer.date_s, 1700000000);
  if (status != IDENTITY_OK) {
    CHECK_INT(row->name, error.status, status);
    CHECK_TEXT(row->name, error.field, row->field != NULL ? row->field : "");
    CHECK_TEXT(row->name, error.code, row->code != NULL ? row->code : "");
    CHECK_INT(row->name, error.http_status, row->http);
    CHECK_INT(row->name, error.retry_after_ms, 7000);
    CHECK(row->name, error.message[0] != '\0');
  }
  identity__answer_clear(&answer);
  free(body);
}

static void check_rows(const answer_row *rows, size_t count) {
  for (size_t i = 0; i < count; i++)
    check_row(&rows[i]);
}

#define ERR(text) "{\"errors\":[\"" text "\"]}"
#define CODED(code, text) "{\"errors\":[\"" text "\"],\"code\":\"" code "\"}"
#define MESSAGE(text) "{\"message\":\"" text "\"}"

static const answer_row code_rows[] = {
    {"wrong password", IDENTITY__LOGIN, 401, CODED("USER0001", "Wrong email or password"),
     IDENTITY_WRONG_CREDENTIALS, NULL, "USER0001", false},
    {"code without text", IDENTITY__LOGIN, 401, "{\"code\":\"USER0001\"}", IDENTITY_WRONG_CREDENTIALS, NULL,
     "USER0001", false},
    {"code wins over status", IDENTITY__REGISTER, 400, CODED("USER0002", "?"), IDENTITY_ALREADY_REGISTERED,
     "email", "USER0002", false},
    {"code wins over text", IDENTITY__LOGIN, 422, CODED("USER0003", "Wrong email or password"),
     IDENTITY_NOT_WITH_PUBLISHER, "email", "USER0003", false},
    {"code wins over 404", IDENTITY__REQUEST_RESET, 404, CODED("USER0004", "Customer a@b.c does not exist."),
     IDENTITY_UNKNOWN_CUSTOMER, "email", "USER0004", false},
    {"captcha wanted comes as 429", IDENTITY__REGISTER, 429,
     CODED("CPT0001", "Google reCAPTCHA verification required!"), IDENTITY_CAPTCHA_REQUIRED, "captcha_value",
     "CPT0001", false},
    {"captcha failed comes as 429", IDENTITY__REGISTER, 429,
     CODED("CPT0002", "Google reCAPTCHA verification failed!"), IDENTITY_CAPTCHA_FAILED, "captcha_value",
     "CPT0002", false},
    {"wrong publisher in the config", IDENTITY__REQUEST_RESET, 422,
     CODED("REQ0100", "Offer or publisher not found"), IDENTITY_BAD_CONFIGURATION, NULL, "REQ0100", false},
    {"wrong password for a change is no matter of the JWT", IDENTITY__UPDATE_CUSTOMER, 401,
     CODED("USER0001", "Wrong email or password"), IDENTITY_WRONG_CREDENTIALS, NULL, "USER0001", false},
    {"parameter code, text tells which", IDENTITY__REGISTER, 400,
     CODED("REQ0001", "Email verification failed."), IDENTITY_INVALID_INPUT, "email", "REQ0001", false},
    {"parameter code, text tells nothing", IDENTITY__REGISTER, 400, CODED("REQ0001", "Invalid request body"),
     IDENTITY_INVALID_INPUT, NULL, "REQ0001", false},
    {"query parameter", IDENTITY__LOCALE, 400, CODED("REQ0002", "invalid query parameter"),
     IDENTITY_INVALID_INPUT, NULL, "REQ0002", false},
    {"path parameter of a call without input", IDENTITY__CUSTOMER, 400,
     CODED("REQ0003", "invalid path parameter"), IDENTITY_NOT_ALLOWED, NULL, "REQ0003", false},
    {"a code is compared with case", IDENTITY__LOGIN, 422, CODED("user0001", "?"), IDENTITY_REFUSED, NULL,
     "user0001", false},
    {"a code that only begins like one", IDENTITY__LOGIN, 422, CODED("USER00011", "?"), IDENTITY_REFUSED,
     NULL, "USER00011", false},
    {"a code that is no text", IDENTITY__LOGIN, 422, "{\"errors\":[\"?\"],\"code\":7}", IDENTITY_REFUSED,
     NULL, NULL, false},
};

static void a_known_code_settles_the_matter(void **state) {
  (void)state;
  check_rows(code_rows, COUNT(code_rows));
}

static const answer_row text_rows[] = {
    {"wrong password", IDENTITY__LOGIN, 401, ERR("Wrong email or password"), IDENTITY_WRONG_CREDENTIALS, NULL,
     NULL, false},
    {"without case", IDENTITY__LOGIN, 401, ERR("WRONG EMAIL OR PASSWORD"), IDENTITY_WRONG_CREDENTIALS, NULL,
     NULL, false},
    {"registered", IDENTITY__REGISTER, 422, ERR("Customer already exists"), IDENTITY_ALREADY_REGISTERED,
     "email", NULL, false},
    {"address taken", IDENTITY__UPDATE_CUSTOMER, 422, ERR("Customer email already exists"),
     IDENTITY_ALREADY_REGISTERED, "email", NULL, false},
    {"other publisher", IDENTITY__LOGIN, 422, ERR("Customer is not associated with this publisher"),
     IDENTITY_NOT_WITH_PUBLISHER, "email", NULL, false},
    {"other publisher, other words", IDENTITY__REQUEST_RESET, 422,
     ERR("Customer is not associated with your account or doesn't exist."), IDENTITY_NOT_WITH_PUBLISHER,
     "email", NULL, false},
    {"unknown customer without a code wins over 404", IDENTITY__REQUEST_RESET, 404,
     ERR("Customer jo@example.com does not exist."), IDENTITY_UNKNOWN_CUSTOMER, "email", NULL, false},
    {"captcha without a code", IDENTITY__REGISTER, 429, ERR("Google reCAPTCHA verification required!"),
     IDENTITY_CAPTCHA_REQUIRED, "captcha_value", NULL, false},
    {"captcha failed without a code", IDENTITY__REGISTER, 429, ERR("Google reCAPTCHA verification failed!"),
     IDENTITY_CAPTCHA_FAILED, "captcha_value", NULL, false},
    {"no such offer", IDENTITY__LOGIN, 422, ERR("Offer or publisher not found"), IDENTITY_BAD_CONFIGURATION,
     NULL, NULL, false},
    {"bad reset token", IDENTITY__UPDATE_PASSWORD, 422, ERR("resetPasswordToken is not valid"),
     IDENTITY_RESET_TOKEN_INVALID, "reset_token", NULL, false},
    {"used reset token", IDENTITY__UPDATE_PASSWORD, 404, ERR("The token is not valid or has expired."),
     IDENTITY_RESET_TOKEN_INVALID, "reset_token", NULL, false},
    {"current password wrong", IDENTITY__UPDATE_CUSTOMER, 422, ERR("Invalid confirmationPassword"),
     IDENTITY_WRONG_CREDENTIALS, "confirmation_password", NULL, false},
    {"address", IDENTITY__REGISTER, 400, ERR("Please enter a valid e-mail address."), IDENTITY_INVALID_INPUT,
     "email", NULL, false},
    {"param email", IDENTITY__LOGIN, 400, ERR("Invalid param email"), IDENTITY_INVALID_INPUT, "email", NULL,
     false},
    {"the password's name at register", IDENTITY__REGISTER, 400, ERR("Invalid param password"),
     IDENTITY_INVALID_INPUT, "password", NULL, false},
    {"the password's name at the new password", IDENTITY__UPDATE_PASSWORD, 400, ERR("Invalid param password"),
     IDENTITY_INVALID_INPUT, "new_password", NULL, false},
    {"a password where none was sent", IDENTITY__LOCALE, 400, ERR("Invalid param password"),
     IDENTITY_INVALID_INPUT, NULL, NULL, false},
    {"first name", IDENTITY__UPDATE_CAPTURE, 400, ERR("firstName can have max 50 characters."),
     IDENTITY_INVALID_INPUT, "first_name", NULL, false},
    {"last name", IDENTITY__UPDATE_CAPTURE, 400, ERR("lastName can have max 50 characters."),
     IDENTITY_INVALID_INPUT, "last_name", NULL, false},
    {"reset URL", IDENTITY__REQUEST_RESET, 400, CODED("REQ0001", "resetUrl is not valid URL."),
     IDENTITY_INVALID_INPUT, "reset_url", "REQ0001", false},
    {"neither offer nor publisher", IDENTITY__REQUEST_RESET, 400,
     CODED("REQ0001", "Empty param offerId or publisherId"), IDENTITY_INVALID_INPUT, "offer_id", "REQ0001",
     false},
    {"publisher", IDENTITY__PUBLISHER_CONSENTS, 400, ERR("Invalid param publisherId"), IDENTITY_BAD_CONFIGURATION,
     "publisher_id", NULL, false},
    {"text as message", IDENTITY__LOGIN, 401, MESSAGE("Wrong email or password"), IDENTITY_WRONG_CREDENTIALS,
     NULL, NULL, false},
    {"errors as one text", IDENTITY__LOGIN, 401, "{\"errors\":\"Wrong email or password\"}",
     IDENTITY_WRONG_CREDENTIALS, NULL, NULL, false},
    {"errors as objects", IDENTITY__LOGIN, 401, "{\"errors\":[{\"message\":\"Wrong email or password\"}]}",
     IDENTITY_WRONG_CREDENTIALS, NULL, NULL, false},
    {"errors win over message", IDENTITY__REGISTER, 422,
     "{\"errors\":[\"Customer already exists\"],\"message\":\"Wrong email or password\"}",
     IDENTITY_ALREADY_REGISTERED, "email", NULL, false},
    {"joined by a comma: the first counts", IDENTITY__UPDATE_CUSTOMER, 400,
     ERR("lastName can have max 50 characters.,firstName can have max 50 characters."),
     IDENTITY_INVALID_INPUT, "last_name", NULL, false},
    {"a list of two: the first counts", IDENTITY__UPDATE_CUSTOMER, 400,
     "{\"errors\":[\"Invalid param country\",\"Invalid param email\"]}", IDENTITY_INVALID_INPUT, "country",
     NULL, false},
    {"a list with strangers in it", IDENTITY__UPDATE_CUSTOMER, 400,
     "{\"errors\":[null,7,{},[],\"Invalid param email\"]}", IDENTITY_INVALID_INPUT, "email", NULL, false},
    {"known text on an authorised 401", IDENTITY__UPDATE_CUSTOMER, 401, ERR("Invalid confirmationPassword"),
     IDENTITY_WRONG_CREDENTIALS, "confirmation_password", NULL, false},
    {"a failure of the service that quotes a known text", IDENTITY__LOGIN, 500,
     ERR("Wrong email or password"), IDENTITY_SERVICE_FAILED, NULL, NULL, false},
};

static void without_a_code_the_text_decides(void **state) {
  (void)state;
  check_rows(text_rows, COUNT(text_rows));
}

static const answer_row status_rows[] = {
    {"HTML 404", IDENTITY__CUSTOMER, 404, HTML, IDENTITY_NOT_THE_SERVICE, NULL, NULL, false},
    {"HTML 403", IDENTITY__CUSTOMER, 403, HTML, IDENTITY_NOT_THE_SERVICE, NULL, NULL, false},
    {"HTML 401 says nothing about the JWT", IDENTITY__CUSTOMER, 401, HTML, IDENTITY_NOT_THE_SERVICE, NULL,
     NULL, false},
    {"HTML 400 of a call with input", IDENTITY__LOGIN, 400, HTML, IDENTITY_NOT_THE_SERVICE, NULL, NULL,
     false},
    {"empty 400", IDENTITY__LOGIN, 400, "", IDENTITY_NOT_THE_SERVICE, NULL, NULL, false},
    {"HTML 200", IDENTITY__CUSTOMER, 200, HTML, IDENTITY_NOT_THE_SERVICE, NULL, NULL, false},
    {"cut off JSON", IDENTITY__CUSTOMER, 200, "{\"responseData\":{\"id\":1", IDENTITY_NOT_THE_SERVICE, NULL,
     NULL, false},
    {"redirect", IDENTITY__CUSTOMER, 302, "", IDENTITY_NOT_THE_SERVICE, NULL, NULL, false},
    {"redirect with JSON", IDENTITY__CUSTOMER, 302, "{}", IDENTITY_NOT_THE_SERVICE, NULL, NULL, false},
    {"captive portal", IDENTITY__CUSTOMER, 511, HTML, IDENTITY_NOT_THE_SERVICE, NULL, NULL, false},
    {"404 without a code", IDENTITY__CUSTOMER, 404, ERR("Not found"), IDENTITY_ENDPOINT_GONE, NULL, NULL,
     false},
    {"405 without a code", IDENTITY__UPDATE_CAPTURE, 405, MESSAGE("No"), IDENTITY_ENDPOINT_GONE, NULL, NULL,
     false},
    {"410 without a code", IDENTITY__LOGIN, 410, "{}", IDENTITY_ENDPOINT_GONE, NULL, NULL, false},
    {"404 with an unknown code is a refusal", IDENTITY__LOGIN, 404, CODED("NEW0001", "?"), IDENTITY_REFUSED,
     NULL, "NEW0001", false},
    {"404 with an unknown code, no input", IDENTITY__CUSTOMER, 404, CODED("NEW0001", "?"),
     IDENTITY_NOT_ALLOWED, NULL, "NEW0001", false},
    {"JWT not accepted", IDENTITY__CUSTOMER, 401, CODED("AUTH0002", "Invalid JWT token"),
     IDENTITY_NOT_ALLOWED, NULL, "AUTH0002", true},
    {"JWT expired", IDENTITY__CUSTOMER, 401, CODED("AUTH0003", "token expired"), IDENTITY_NOT_ALLOWED, NULL,
     "AUTH0003", true},
    {"401 of a gateway", IDENTITY__CUSTOMER, 401, MESSAGE("Unauthorized"), IDENTITY_NOT_ALLOWED, NULL, NULL,
     true},
    {"403 of a gateway", IDENTITY__CUSTOMER, 403, MESSAGE("Forbidden"), IDENTITY_NOT_ALLOWED, NULL, NULL,
     true},
    {"401 with input", IDENTITY__UPDATE_CONSENTS, 401, CODED("AUTH0002", "Invalid JWT token"),
     IDENTITY_NOT_ALLOWED, NULL, "AUTH0002", true},
    {"JWT refused with 400", IDENTITY__CUSTOMER, 400, ERR("invalid jwt TOKEN"), IDENTITY_NOT_ALLOWED, NULL,
     NULL, true},
    {"no JWT was sent: 401 is a refusal", IDENTITY__LOGIN, 401, MESSAGE("Unauthorized"), IDENTITY_REFUSED,
     NULL, NULL, false},
    {"no JWT was sent: 403", IDENTITY__REGISTER, 403, ERR("Forbidden"), IDENTITY_REFUSED, NULL, NULL, false},
    {"no JWT was sent and no input: 403", IDENTITY__PUBLISHER_CONSENTS, 403, ERR("Forbidden"),
     IDENTITY_NOT_ALLOWED, NULL, NULL, false},
    {"other 4xx with input", IDENTITY__LOGIN, 418, ERR("?"), IDENTITY_REFUSED, NULL, NULL, false},
    {"other 4xx without input", IDENTITY__CUSTOMER, 418, ERR("?"), IDENTITY_NOT_ALLOWED, NULL, NULL, false},
    {"other 4xx, message alone", IDENTITY__LOGIN, 418, MESSAGE("?"), IDENTITY_REFUSED, NULL, NULL, false},
    {"throttled", IDENTITY__LOGIN, 429, "", IDENTITY_THROTTLED, NULL, NULL, false},
    {"throttled with HTML", IDENTITY__CUSTOMER, 429, HTML, IDENTITY_THROTTLED, NULL, NULL, false},
    {"throttled with JSON", IDENTITY__CUSTOMER, 429, MESSAGE("Too Many Requests"), IDENTITY_THROTTLED, NULL,
     NULL, false},
    {"too early", IDENTITY__CUSTOMER, 425, "", IDENTITY_THROTTLED, NULL, NULL, false},
    {"408", IDENTITY__LOGIN, 408, "", IDENTITY_SERVICE_FAILED, NULL, NULL, false},
    {"500 with HTML", IDENTITY__LOGIN, 500, HTML, IDENTITY_SERVICE_FAILED, NULL, NULL, false},
    {"500 with its code", IDENTITY__LOGIN, 500, CODED("S0001", "Internal Server Error"),
     IDENTITY_SERVICE_FAILED, NULL, "S0001", false},
    {"the code of a failure with a 4xx", IDENTITY__LOGIN, 400, CODED("S42", "Internal Server Error"),
     IDENTITY_SERVICE_FAILED, NULL, "S42", false},
    {"the code of a failure with a 401", IDENTITY__CUSTOMER, 401, CODED("S0001", "Internal Server Error"),
     IDENTITY_SERVICE_FAILED, NULL, "S0001", false},
    {"502", IDENTITY__CUSTOMER, 502, HTML, IDENTITY_SERVICE_FAILED, NULL, NULL, false},
    {"503", IDENTITY__CUSTOMER, 503, "", IDENTITY_SERVICE_FAILED, NULL, NULL, false},
    {"530", IDENTITY__CUSTOMER, 530, HTML, IDENTITY_SERVICE_FAILED, NULL, NULL, false},
    {"proxy wants a login", IDENTITY__LOGIN, 407, HTML, IDENTITY_PROXY_AUTH, NULL, NULL, false},
};

static void else_the_http_status_decides(void **state) {
  (void)state;
  check_rows(status_rows, COUNT(status_rows));
}

static const answer_row outcome_rows[] = {
    {"register 500", IDENTITY__REGISTER, 500, ERR("Internal Server Error"), IDENTITY_OUTCOME_UNKNOWN, NULL,
     NULL, false},
    {"register 500 with its code", IDENTITY__REGISTER, 500, CODED("S0001", "?"), IDENTITY_OUTCOME_UNKNOWN,
     NULL, "S0001", false},
    {"register 502 HTML", IDENTITY__REGISTER, 502, HTML, IDENTITY_OUTCOME_UNKNOWN, NULL, NULL, false},
    {"register 503", IDENTITY__REGISTER, 503, "", IDENTITY_SERVICE_FAILED, NULL, NULL, false},
    {"register 408", IDENTITY__REGISTER, 408, "", IDENTITY_OUTCOME_UNKNOWN, NULL, NULL, false},
    {"register 408 JSON", IDENTITY__REGISTER, 408, ERR("?"), IDENTITY_OUTCOME_UNKNOWN, NULL, NULL, false},
    {"register 200 HTML", IDENTITY__REGISTER, 200, HTML, IDENTITY_OUTCOME_UNKNOWN, NULL, NULL, false},
    {"register 200 cut off", IDENTITY__REGISTER, 200, "{\"responseData\":", IDENTITY_OUTCOME_UNKNOWN, NULL,
     NULL, false},
    {"register 200 empty", IDENTITY__REGISTER, 200, "", IDENTITY_OUTCOME_UNKNOWN, NULL, NULL, false},
    {"register 403 HTML", IDENTITY__REGISTER, 403, HTML, IDENTITY_OUTCOME_UNKNOWN, NULL, NULL, false},
    {"register 429", IDENTITY__REGISTER, 429, "", IDENTITY_THROTTLED, NULL, NULL, false},
    {"register 511", IDENTITY__REGISTER, 511, HTML, IDENTITY_NOT_THE_SERVICE, NULL, NULL, false},
    {"register 400", IDENTITY__REGISTER, 400, ERR("?"), IDENTITY_REFUSED, NULL, NULL, false},
    {"password 504", IDENTITY__UPDATE_PASSWORD, 504, HTML, IDENTITY_OUTCOME_UNKNOWN, NULL, NULL, false},
    {"password 200 HTML", IDENTITY__UPDATE_PASSWORD, 200, HTML, IDENTITY_OUTCOME_UNKNOWN, NULL, NULL, false},
    {"password 204", IDENTITY__UPDATE_PASSWORD, 204, "", IDENTITY_OK, NULL, NULL, false},
    {"password 503", IDENTITY__UPDATE_PASSWORD, 503, "", IDENTITY_SERVICE_FAILED, NULL, NULL, false},
    {"revoke 500", IDENTITY__REVOKE, 500, "", IDENTITY_OUTCOME_UNKNOWN, NULL, NULL, false},
    {"revoke 401", IDENTITY__REVOKE, 401, CODED("AUTH0002", "?"), IDENTITY_NOT_ALLOWED, NULL, "AUTH0002",
     true},
    {"login 500 may be tried again", IDENTITY__LOGIN, 500, "", IDENTITY_SERVICE_FAILED, NULL, NULL, false},
    {"login 200 HTML may be tried again", IDENTITY__LOGIN, 200, HTML, IDENTITY_NOT_THE_SERVICE, NULL, NULL,
     false},
    {"reset mail 502", IDENTITY__REQUEST_RESET, 502, "", IDENTITY_SERVICE_FAILED, NULL, NULL, false},
};

static void where_repeating_does_harm_the_outcome_is_unknown(void **state) {
  (void)state;
  check_rows(outcome_rows, COUNT(outcome_rows));
}

static const answer_row success_rows[] = {
    {"envelope", IDENTITY__CUSTOMER, 200, "{\"responseData\":{\"id\":1},\"errors\":[]}", IDENTITY_OK, NULL,
     NULL, false},
    {"201", IDENTITY__REGISTER, 201, "{\"responseData\":{\"jwt\":\"x\"}}", IDENTITY_OK, NULL, NULL, false},
    {"299", IDENTITY__CUSTOMER, 299, "{}", IDENTITY_OK, NULL, NULL, false},
    {"no envelope", IDENTITY__SSO, 200, "{\"jwt\":\"x\"}", IDENTITY_OK, NULL, NULL, false},
    {"errors is null", IDENTITY__CUSTOMER, 200, "{\"responseData\":{\"id\":1},\"errors\":null}", IDENTITY_OK,
     NULL, NULL, false},
    {"an empty code", IDENTITY__CUSTOMER, 200, "{\"responseData\":{\"id\":1},\"code\":\"\"}", IDENTITY_OK,
     NULL, NULL, false},
    {"empty 204 of a write", IDENTITY__UPDATE_CONSENTS, 204, "", IDENTITY_OK, NULL, NULL, false},
    {"empty 200 of a write", IDENTITY__REQUEST_RESET, 200, "", IDENTITY_OK, NULL, NULL, false},
    {"empty 200 of a read", IDENTITY__CUSTOMER, 200, "", IDENTITY_NOT_THE_SERVICE, NULL, NULL, false},
    {"a list", IDENTITY__CUSTOMER, 200, "[1]", IDENTITY_UNEXPECTED_ANSWER, NULL, NULL, false},
    {"a text", IDENTITY__LOGIN, 200, "\"ok\"", IDENTITY_UNEXPECTED_ANSWER, NULL, NULL, false},
    {"warnings beside data", IDENTITY__CUSTOMER, 200, "{\"responseData\":{\"id\":1},\"errors\":[\"slow\"]}",
     IDENTITY_OK, NULL, NULL, false},
    {"200 with a code is a refusal", IDENTITY__LOGIN, 200, CODED("USER0001", "?"), IDENTITY_WRONG_CREDENTIALS,
     NULL, "USER0001", false},
    {"200 with errors and no data", IDENTITY__REGISTER, 200, ERR("Customer already exists"),
     IDENTITY_ALREADY_REGISTERED, "email", NULL, false},
    {"200 with errors and null", IDENTITY__UPDATE_CONSENTS, 200, "{\"responseData\":null,\"errors\":[\"?\"]}",
     IDENTITY_REFUSED, NULL, NULL, false},
    {"200 with errors and an empty object", IDENTITY__UPDATE_CONSENTS, 200,
     "{\"responseData\":{},\"errors\":[\"?\"]}", IDENTITY_REFUSED, NULL, NULL, false},
    {"200 with errors and an empty list", IDENTITY__UPDATE_CAPTURE, 200,
     "{\"responseData\":[],\"errors\":[\"?\"]}", IDENTITY_REFUSED, NULL, NULL, false},
};

static void a_success_is_2xx_json_without_a_complaint(void **state) {
  (void)state;
  check_rows(success_rows, COUNT(success_rows));
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(a_known_code_settles_the_matter),
    cmocka_unit_test(without_a_code_the_text_decides),
    cmocka_unit_test(else_the_http_status_decides),
    cmocka_unit_test(where_repeating_does_harm_the_outcome_is_unknown),
    cmocka_unit_test(a_success_is_2xx_json_without_a_complaint),
};

SUITE("answer", tests)
