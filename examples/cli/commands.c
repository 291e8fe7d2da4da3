/* SPDX-License-Identifier: MIT
 *
 * The table of commands: what each is called, takes, says in its help, and who carries it out.
 */
#include "cli.h"

#include <string.h>

#define BIT OPTION_BIT

const struct command commands[] = {
    {.name = "locale",
     .synopsis = "[--customer-ip IP]",
     .summary = "country, currency and locale of an IP address",
     .help = "Asks the service where an address is. Without --customer-ip it is the address the request\n"
             "comes from. Nobody needs to be signed in.\n",
     .options = BIT(OPTION_CUSTOMER_IP),
     .perform = locale_perform},
    {.name = "consents",
     .synopsis = "",
     .summary = "the consents the publisher asks for, with their versions",
     .help = "Lists the terms and marketing consents of the publisher. Those that are required must be\n"
             "accepted before anybody can register. Nobody needs to be signed in.\n",
     .perform = consents_perform},
    {.name = "register",
     .synopsis = "--email E [--accept NAME]... [--decline NAME]... [--accept-required]\n"
                 "[--offer ID] [--first-name N] [--last-name N] [--country CC] [--currency CUR]\n"
                 "[--locale L] [--external-id ID] [--external-data JSON] [--customer-ip IP]\n"
                 "[--captcha-stdin]",
     .summary = "make an account and sign in",
     .help =
         "Reads the password, then with --captcha-stdin the captcha value. What is accepted is shown, and\n"
         "answered in the version that was shown. Nothing is sent unless every required consent is\n"
         "accepted. Locale, country and currency are asked from the service when they are not given.\n",
     .options = BIT(OPTION_EMAIL) | BIT(OPTION_ACCEPT) | BIT(OPTION_DECLINE) | BIT(OPTION_ACCEPT_REQUIRED) |
                BIT(OPTION_OFFER) | BIT(OPTION_FIRST_NAME) | BIT(OPTION_LAST_NAME) | BIT(OPTION_COUNTRY) |
                BIT(OPTION_CURRENCY) | BIT(OPTION_LOCALE) | BIT(OPTION_EXTERNAL_ID) |
                BIT(OPTION_EXTERNAL_DATA) | BIT(OPTION_CUSTOMER_IP) | BIT(OPTION_CAPTCHA_STDIN),
     .required = BIT(OPTION_EMAIL),
     .check = register_check,
     .perform = register_perform},
    {.name = "login",
     .synopsis = "--email E [--offer ID] [--customer-ip IP]",
     .summary = "sign in with e-mail and password",
     .help =
         "Reads the password. Whoever was signed in under this account key stays so unless this succeeds.\n",
     .options = BIT(OPTION_EMAIL) | BIT(OPTION_OFFER) | BIT(OPTION_CUSTOMER_IP),
     .required = BIT(OPTION_EMAIL),
     .perform = login_perform},
    {.name = "status",
     .synopsis = "",
     .summary = "who is signed in; asks nobody",
     .help =
         "Shows where the session stands. Uses no network, and ends with 0 also when nobody is signed in.\n",
     .perform = status_perform},
    {.name = "next",
     .synopsis = "",
     .summary = "what an app should show now: consents, the capture form, or nothing",
     .help =
         "Consents that are out of date, or required and not accepted, come first; then the capture form.\n",
     .perform = next_perform},
    {.name = "my-consents",
     .synopsis = "",
     .summary = "what the signed-in customer accepted and declined",
     .help = "Lists the customer's answers and whether a newer version wants a new one.\n",
     .perform = my_consents_perform},
    {.name = "accept",
     .synopsis = "NAME...",
     .summary = "accept consents in their newest version",
     .help = "The names are those that my-consents lists. The newest version is shown and accepted.\n",
     .words = SOME_WORDS,
     .check = answer_consents_check,
     .perform = answer_consents_perform},
    {.name = "decline",
     .synopsis = "NAME...",
     .summary = "decline consents",
     .help = "The names are those that my-consents lists.\n",
     .words = SOME_WORDS,
     .check = answer_consents_check,
     .perform = answer_consents_perform},
    {.name = "reset-password",
     .synopsis = "--email E [--reset-url URL]",
     .summary = "have the service mail a link for a new password",
     .help = "Without --reset-url the link leads to the service's own page. Each use sends a mail.\n",
     .options = BIT(OPTION_EMAIL) | BIT(OPTION_RESET_URL),
     .required = BIT(OPTION_EMAIL),
     .perform = reset_password_perform},
    {.name = "set-password",
     .synopsis = "(--link-stdin | --token-stdin --email E)",
     .summary = "set a new password with the mailed link or its token",
     .help = "Reads the link (or the token), then the new password. Signs nobody in: log in next.\n",
     .options = BIT(OPTION_LINK_STDIN) | BIT(OPTION_TOKEN_STDIN) | BIT(OPTION_EMAIL),
     .check = set_password_check,
     .perform = set_password_perform},
    {.name = "capture",
     .synopsis = "",
     .summary = "the form of questions about the customer, and the answers so far",
     .help = "KEY is what the answer command takes. Fields that are switched off show with --json only.\n",
     .perform = capture_perform},
    {.name = "answer",
     .synopsis = "KEY=VALUE...",
     .summary = "answer questions of the capture form",
     .help =
         "For example: answer firstName=Jo birthDate=1990-01-31 custom_1=Sports. All answers are checked\n"
         "against the form first: one wrong answer, and none is sent. KEY= unticks a checkbox or empties\n"
         "a text.\n",
     .words = SOME_WORDS,
     .check = answer_check,
     .perform = answer_perform},
    {.name = "customer",
     .synopsis = "",
     .summary = "the data of the signed-in customer",
     .help = "Shows name, country, registration date, last login, external id and data.\n",
     .perform = customer_perform},
    {.name = "update-customer",
     .synopsis = "[--first-name N] [--last-name N] [--country CC] [--locale L]\n"
                 "[--external-data JSON] [--email E]",
     .summary = "change the data of the signed-in customer",
     .help = "At least one option is needed. With --email it reads the current password as confirmation.\n"
             "--external-data replaces the old data as a whole.\n",
     .options = BIT(OPTION_FIRST_NAME) | BIT(OPTION_LAST_NAME) | BIT(OPTION_COUNTRY) | BIT(OPTION_LOCALE) |
                BIT(OPTION_EXTERNAL_DATA) | BIT(OPTION_EMAIL),
     .check = update_customer_check,
     .perform = update_customer_perform},
    {.name = "token",
     .synopsis = "[--min-life SECONDS]",
     .summary = "print a JWT that is good now",
     .help =
         "The JWT stands alone on standard output. It is replaced first when it is over or has less life\n"
         "left than --min-life; where that cannot be had, the freshest is printed. Keep it secret.\n",
     .options = BIT(OPTION_MIN_LIFE),
     .check = token_check,
     .perform = token_perform},
    {.name = "refresh",
     .synopsis = "",
     .summary = "replace JWT and refresh token now",
     .help = "Seldom needed: every command replaces an expired JWT by itself.\n",
     .perform = refresh_perform},
    {.name = "explain",
     .synopsis = "",
     .summary = "where the session stands and how it came there, for support",
     .help =
         "JSON without tokens, names or addresses: state, lease, clock, counters, what happened. No network\n"
         "is used. A run of identity-cli knows what is stored, and what has happened in it.\n",
     .perform = explain_perform},
    {.name = "events",
     .synopsis = "[--follow SECONDS] [--min-life SECONDS]",
     .summary = "ask for a token as a player would, and tell what happens",
     .help = "One line for each event. With --follow it goes on asking twice a second, for instance while "
             "another\n"
             "process uses the same account; --min-life makes it refresh earlier.\n",
     .options = BIT(OPTION_FOLLOW) | BIT(OPTION_MIN_LIFE),
     .check = events_check,
     .perform = events_perform},
    {.name = "adopt",
     .synopsis = "",
     .summary = "take over a session that began elsewhere",
     .help = "Reads {\"jwt\":\"...\",\"refresh_token\":\"...\"}; without refresh_token the session ends with "
             "its JWT.\n"
             "No network is used.\n",
     .perform = adopt_perform},
    {.name = "logout",
     .synopsis = "[--everywhere]",
     .summary = "sign out here, or on all devices",
     .help = "Without --everywhere no network is used.\n",
     .options = BIT(OPTION_EVERYWHERE),
     .perform = logout_perform},
};

const size_t command_count = sizeof commands / sizeof commands[0];

const struct command *command_find(const char *name) {
  for (size_t i = 0; i < command_count; i++)
    if (strcmp(commands[i].name, name) == 0)
      return &commands[i];
  return NULL;
}
