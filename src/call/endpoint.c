#include "call/endpoint.h"
#include "base/limits.h"

#define BODY IDENTITY__MAX_BODY
#define TOKENS IDENTITY__MAX_TOKEN_BODY
#define JWT .authorised = true
#define KEY .keyed = true
#define INPUT .has_input = true
#define MAY_BE_EMPTY .may_be_empty = true
#define OUTCOME .outcome_matters = true
#define PASSWORD(field) .password_field = field

/* Paths and meanings: the contract, section endpoints. Repeats: what harm a second one does. */
static const identity__endpoint rows[] = {
    [IDENTITY__LOCALE] = {"locale", "GET", "/locales", IDENTITY__PATH_PLAIN, 2, BODY, {INPUT}, 0},
    [IDENTITY__PUBLISHER_CONSENTS] =
        {"publisher consents", "GET", "/publishers/{}/consents", IDENTITY__PATH_PUBLISHER, 2, BODY, {0}, 0},
    [IDENTITY__REGISTER] = {"register",
                            "POST",
                            "/customers",
                            IDENTITY__PATH_PLAIN,
                            0,
                            TOKENS,
                            {INPUT, OUTCOME, PASSWORD("password")},
                            1},
    [IDENTITY__LOGIN] =
        {"login", "POST", "/auths", IDENTITY__PATH_PLAIN, 0, TOKENS, {INPUT, PASSWORD("password")}, 1},
    [IDENTITY__REFRESH] = {"refresh",
                           "POST",
                           "/auths/refresh_token",
                           IDENTITY__PATH_PLAIN,
                           IDENTITY__REPEAT_NEVER,
                           TOKENS,
                           {0},
                           1,
                           {5 * 1000, 30 * 1000, 60 * 1000}},
    [IDENTITY__REVOKE] = {"revoke",
                          "DELETE",
                          "/refresh_tokens",
                          IDENTITY__PATH_PLAIN,
                          0,
                          BODY,
                          {JWT, MAY_BE_EMPTY, OUTCOME},
                          1},
    [IDENTITY__SSO] =
        {"single sign-on", "POST", "/sso/auths", IDENTITY__PATH_PLAIN, 0, TOKENS, {KEY, INPUT}, 1},
    [IDENTITY__REQUEST_RESET] = {"password reset",
                                 "PUT",
                                 "/customers/passwords",
                                 IDENTITY__PATH_PLAIN,
                                 IDENTITY__REPEAT_NEVER,
                                 BODY,
                                 {INPUT, MAY_BE_EMPTY},
                                 1},
    [IDENTITY__UPDATE_PASSWORD] = {"password update",
                                   "PATCH",
                                   "/customers/passwords",
                                   IDENTITY__PATH_PLAIN,
                                   0,
                                   BODY,
                                   {INPUT, MAY_BE_EMPTY, OUTCOME, PASSWORD("new_password")},
                                   1},
    [IDENTITY__CUSTOMER] = {"customer", "GET", "/customers/{}", IDENTITY__PATH_CUSTOMER, 2, BODY, {JWT}, 0},
    [IDENTITY__UPDATE_CUSTOMER] = {"customer update",
                                   "PATCH",
                                   "/customers/{}",
                                   IDENTITY__PATH_CUSTOMER,
                                   1,
                                   BODY,
                                   {JWT, INPUT, MAY_BE_EMPTY, PASSWORD("confirmation_password")},
                                   1},
    [IDENTITY__CUSTOMER_CONSENTS] =
        {"customer consents", "GET", "/customers/{}/consents", IDENTITY__PATH_CUSTOMER, 2, BODY, {JWT}, 0},
    [IDENTITY__UPDATE_CONSENTS] = {"consents update",
                                   "PUT",
                                   "/customers/{}/consents",
                                   IDENTITY__PATH_CUSTOMER,
                                   1,
                                   BODY,
                                   {JWT, INPUT, MAY_BE_EMPTY},
                                   1},
    [IDENTITY__CAPTURE_STATUS] =
        {"capture status", "GET", "/customers/{}/capture/status", IDENTITY__PATH_CUSTOMER, 2, BODY, {JWT}, 0},
    [IDENTITY__UPDATE_CAPTURE] = {"capture update",
                                  "PUT",
                                  "/customers/{}/capture",
                                  IDENTITY__PATH_CUSTOMER,
                                  1,
                                  BODY,
                                  {JWT, INPUT, MAY_BE_EMPTY},
                                  1},
};

const identity__endpoint *identity__endpoint_of(identity__endpoint_id id) {
  return &rows[id];
}
