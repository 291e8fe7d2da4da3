/* The error table of the contract: known codes and known texts, in each shape a service may give them. */
#include "support/kinds.h"
#include "support/stage.h"

/* ---- known codes ---- */

static const struct {
  int http;
  const char *code, *text;
  verdict wanted[KINDS];
} codes[] = {
    {401, "USER0001", "Wrong email or password", ALIKE(IDENTITY_WRONG_CREDENTIALS, NULL)},
    {422, "USER0002", "Customer already exists", ALIKE(IDENTITY_ALREADY_REGISTERED, "email")},
    {422, "USER0003", "Customer is not associated with this publisher",
     ALIKE(IDENTITY_NOT_WITH_PUBLISHER, "email")},
    {404, "USER0004", "Customer jo@example.com does not exist.", ALIKE(IDENTITY_UNKNOWN_CUSTOMER, "email")},
    {429, "CPT0001", "Google reCAPTCHA verification required!",
     ALIKE(IDENTITY_CAPTCHA_REQUIRED, "captcha_value")},
    {429, "CPT0002", "Google reCAPTCHA verification failed!",
     ALIKE(IDENTITY_CAPTCHA_FAILED, "captcha_value")},
    {422, "REQ0100", "Offer or publisher not found", ALIKE(IDENTITY_BAD_CONFIGURATION, NULL)},
    {400, "REQ0001", "Invalid request body", BY_INPUT(IDENTITY_NOT_ALLOWED, IDENTITY_INVALID_INPUT)},
    {400, "REQ0001", "Empty param offerId or publisherId", ALIKE(IDENTITY_INVALID_INPUT, "offer_id")},
    {400, "REQ0001", "resetUrl is not valid URL.", ALIKE(IDENTITY_INVALID_INPUT, "reset_url")},
    {400, "REQ0001", "Email verification failed.", ALIKE(IDENTITY_INVALID_INPUT, "email")},
    {400, "REQ0002", "invalid query parameter", BY_INPUT(IDENTITY_NOT_ALLOWED, IDENTITY_INVALID_INPUT)},
    {400, "REQ0003", "invalid path parameter", BY_INPUT(IDENTITY_NOT_ALLOWED, IDENTITY_INVALID_INPUT)},
    {401, "AUTH0001", "Missing required JWT", BY_INPUT(IDENTITY_NOT_ALLOWED, IDENTITY_REFUSED)},
    {401, "AUTH0002", "Invalid JWT token", BY_INPUT(IDENTITY_NOT_ALLOWED, IDENTITY_REFUSED)},
    {401, "AUTH0003", "token expired", BY_INPUT(IDENTITY_NOT_ALLOWED, IDENTITY_REFUSED)},
};

static void play_code(const players *who, size_t i, int http, const char *shape) {
  char body[400];
  answer_row row = {http, body, NULL, codes[i].code, {{0, NULL}}};
  memcpy(row.wanted, codes[i].wanted, sizeof row.wanted);
  kinds_fill(body, sizeof body, shape, codes[i].text, codes[i].code);
  players_play(who, &row);
}

static void each_row_of_the_error_table_has_its_class_and_code(void **state) {
  (void)state;
  players who;
  players_enter(&who, &server);
  for (size_t i = 0; i < ROWS(codes); i++)
    play_code(&who, i, codes[i].http, "{\"errors\":[\"@\"],\"code\":\"#\"}");
  players_leave(&who);
}

static void a_known_code_is_found_in_each_shape(void **state) {
  static const char *const shapes[] = {
      "{\"responseData\":null,\"errors\":[\"@\"],\"code\":\"#\"}",
      "{\"responseData\":[],\"errors\":[\"@\"],\"code\":\"#\"}",
      "{\"responseData\":{},\"errors\":[\"@\"],\"code\":\"#\"}",
      "{\"message\":\"@\",\"code\":\"#\"}",
      "{\"errors\":[],\"message\":\"@\",\"code\":\"#\",\"new\":{\"a\":[1]}}",
      "{\"errors\":\"@\",\"code\":\"#\"}",
      "{\"errors\":[{\"message\":\"@\"}],\"code\":\"#\"}",
  };
  (void)state;
  players who;
  players_enter(&who, &server);
  for (size_t i = 0; i < ROWS(codes); i++)
    play_code(&who, i, codes[i].http, shapes[i % ROWS(shapes)]);
  for (size_t i = 0; i < ROWS(shapes); i++)
    play_code(&who, i % 7, codes[i % 7].http, shapes[i]);
  players_leave(&who);
}

static void a_known_code_counts_more_than_status_and_text(void **state) {
  static const int statuses[] = {200, 400, 401, 403, 404, 409, 429, 500, 503};
  static const char *const bodies[] = {"{\"errors\":[\"Invalid param email\"],\"code\":\"USER0001\"}",
                                       "{\"code\":\"USER0001\"}", "{\"code\":\"USER0001\",\"errors\":null}"};
  (void)state;
  players who;
  players_enter(&who, &server);
  for (size_t i = 0; i < ROWS(statuses); i++) {
    const char *field = i % ROWS(bodies) == 0 ? "email" : NULL; /* the text still tells which input */
    const answer_row row = {statuses[i], bodies[i % ROWS(bodies)], NULL, "USER0001",
                            ALIKE(IDENTITY_WRONG_CREDENTIALS, field)};
    players_play(&who, &row);
  }
  players_leave(&who);
}

/* ---- known texts ---- */

#define PASSWORD_FIELD                                                                                       \
  {                                                                                                          \
    {NOT_TRIED, NULL}, {NOT_TRIED, NULL}, {IDENTITY_INVALID_INPUT, "password"},                              \
        {IDENTITY_INVALID_INPUT, "password"}, {                                                              \
      IDENTITY_INVALID_INPUT, "new_password"                                                                 \
    }                                                                                                        \
  }

static const struct {
  int http;
  const char *text;
  verdict wanted[KINDS];
} texts[] = {
    {401, "Wrong email or password", ALIKE(IDENTITY_WRONG_CREDENTIALS, NULL)},
    {422, "Customer already exists", ALIKE(IDENTITY_ALREADY_REGISTERED, "email")},
    {400, "Customer email already exists", ALIKE(IDENTITY_ALREADY_REGISTERED, "email")},
    {422, "Customer is not associated with this publisher", ALIKE(IDENTITY_NOT_WITH_PUBLISHER, "email")},
    {404, "Customer is not associated with your account or doesn't exist.",
     ALIKE(IDENTITY_NOT_WITH_PUBLISHER, "email")},
    {404, "Customer jo@example.com does not exist.", ALIKE(IDENTITY_UNKNOWN_CUSTOMER, "email")},
    {429, "Google reCAPTCHA verification required!", ALIKE(IDENTITY_CAPTCHA_REQUIRED, "captcha_value")},
    {429, "Google reCAPTCHA verification failed!", ALIKE(IDENTITY_CAPTCHA_FAILED, "captcha_value")},
    {422, "Offer or publisher not found", ALIKE(IDENTITY_BAD_CONFIGURATION, NULL)},
    {422, "resetPasswordToken is not valid", ALIKE(IDENTITY_RESET_TOKEN_INVALID, "reset_token")},
    {400, "The token is not valid or has expired", ALIKE(IDENTITY_RESET_TOKEN_INVALID, "reset_token")},
    {400, "Invalid confirmationPassword", ALIKE(IDENTITY_WRONG_CREDENTIALS, "confirmation_password")},
    {400, "Invalid param email", ALIKE(IDENTITY_INVALID_INPUT, "email")},
    {400, "Please enter a valid e-mail address.", ALIKE(IDENTITY_INVALID_INPUT, "email")},
    {400, "Invalid param password", PASSWORD_FIELD},
    {400, "Invalid param publisherId", ALIKE(IDENTITY_BAD_CONFIGURATION, "publisher_id")},
    {400, "firstName can have max 50 characters.", ALIKE(IDENTITY_INVALID_INPUT, "first_name")},
    {400, "lastName can have max 50 characters.", ALIKE(IDENTITY_INVALID_INPUT, "last_name")},
    {400, "Missing or invalid parameter", ALIKE(IDENTITY_INVALID_INPUT, NULL)},
};

enum { AS_IT_IS, UPPER, LOWER };

static void change_case(char *text, int how) {
  for (; *text != '\0'; text++) {
    if (how == UPPER && *text >= 'a' && *text <= 'z')
      *text = (char)(*text - 'a' + 'A');
    if (how == LOWER && *text >= 'A' && *text <= 'Z')
      *text = (char)(*text - 'A' + 'a');
  }
}

static void play_text(const players *who, size_t i, int how, const char *shape) {
  char body[400];
  char text[120];
  answer_row row = {texts[i].http, body, NULL, NULL, {{0, NULL}}};
  memcpy(row.wanted, texts[i].wanted, sizeof row.wanted);
  snprintf(text, sizeof text, "%s", texts[i].text);
  change_case(text, how);
  kinds_fill(body, sizeof body, shape, text, "");
  players_play(who, &row);
}

static void a_known_text_does_without_a_code(void **state) {
  (void)state;
  players who;
  players_enter(&who, &server);
  for (size_t i = 0; i < ROWS(texts); i++)
    play_text(&who, i, (int)(i % 3), "{\"errors\":[\"@\"]}");
  players_leave(&who);
}

static void a_known_text_is_found_in_each_shape_and_any_case(void **state) {
  static const char *const shapes[] = {
      "{\"message\":\"@\"}",
      "{\"errors\":[\"Something else,@\"]}",
      "{\"errors\":[\"@, something else\"]}",
      "{\"errors\":[\"Something else\",\"@\"]}",
      "{\"responseData\":null,\"errors\":[\"@\"]}",
      "{\"responseData\":[],\"errors\":[\"@\"]}",
      "{\"responseData\":{},\"errors\":[\"@\"]}",
      "{\"errors\":\"@\"}",
      "{\"errors\":[null,7,\"@\"],\"code\":\"XYZ0001\"}",
  };
  (void)state;
  players who;
  players_enter(&who, &server);
  for (size_t i = 0; i < 2 * ROWS(shapes); i++) {
    char body[300];
    char text[] = "Customer already exists";
    bool coded = i % ROWS(shapes) == 8;
    change_case(text, (int)(i % 3));
    kinds_fill(body, sizeof body, shapes[i % ROWS(shapes)], text, "");
    const answer_row row = {422, body, NULL, coded ? "XYZ0001" : NULL,
                            ALIKE(IDENTITY_ALREADY_REGISTERED, "email")};
    players_play(&who, &row);
  }
  play_text(&who, 0, UPPER, "{\"message\":\"@\"}");
  play_text(&who, 9, UPPER, "{\"errors\":[\"Something else,@\"]}");
  players_leave(&who);
}

static void of_several_known_texts_the_first_counts(void **state) {
  static const answer_row rows[] = {
      {400, "{\"errors\":[\"Invalid param country,Invalid param email\"]}", NULL, NULL,
       ALIKE(IDENTITY_INVALID_INPUT, "country")},
      {400, "{\"errors\":[\"lastName can have max 50 characters.\",\"Invalid param email\"]}", NULL, NULL,
       ALIKE(IDENTITY_INVALID_INPUT, "last_name")},
      {400, "{\"errors\":[\"Invalid param email, Invalid confirmationPassword\"],\"code\":\"REQ0001\"}", NULL,
       "REQ0001", ALIKE(IDENTITY_INVALID_INPUT, "email")},
  };
  (void)state;
  players who;
  players_enter(&who, &server);
  for (size_t i = 0; i < ROWS(rows); i++)
    players_play(&who, &rows[i]);
  players_leave(&who);
}

static void a_refusal_with_a_friendly_status_is_still_a_refusal(void **state) {
  static const answer_row rows[] = {
      {200, "{\"errors\":[\"Wrong email or password\"]}", NULL, NULL,
       ALIKE(IDENTITY_WRONG_CREDENTIALS, NULL)},
      {200, "{\"responseData\":null,\"errors\":[\"resetPasswordToken is not valid\"]}", NULL, NULL,
       ALIKE(IDENTITY_RESET_TOKEN_INVALID, "reset_token")},
      {200, "{\"responseData\":[],\"errors\":[\"resetPasswordToken is not valid\"]}", NULL, NULL,
       ALIKE(IDENTITY_RESET_TOKEN_INVALID, "reset_token")},
      {200, "{\"responseData\":{},\"errors\":[\"resetPasswordToken is not valid\"]}", NULL, NULL,
       ALIKE(IDENTITY_RESET_TOKEN_INVALID, "reset_token")},
      {201, "{\"responseData\":{},\"errors\":[\"Invalid request body\"],\"code\":\"REQ0001\"}", NULL,
       "REQ0001", BY_INPUT(IDENTITY_NOT_ALLOWED, IDENTITY_INVALID_INPUT)},
  };
  (void)state;
  players who;
  players_enter(&who, &server);
  for (size_t i = 0; i < ROWS(rows); i++)
    players_play(&who, &rows[i]);
  players_leave(&who);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test_setup(each_row_of_the_error_table_has_its_class_and_code, reset),
    cmocka_unit_test_setup(a_known_code_is_found_in_each_shape, reset),
    cmocka_unit_test_setup(a_known_code_counts_more_than_status_and_text, reset),
    cmocka_unit_test_setup(a_known_text_does_without_a_code, reset),
    cmocka_unit_test_setup(a_known_text_is_found_in_each_shape_and_any_case, reset),
    cmocka_unit_test_setup(of_several_known_texts_the_first_counts, reset),
    cmocka_unit_test_setup(a_refusal_with_a_friendly_status_is_still_a_refusal, reset),
};

SUITE_WITH("errors", tests, start, stop)
