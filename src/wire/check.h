/* What the service is known to refuse, found before anything is sent. Everything else is left to the service.
 */
#ifndef IDENTITY__CHECK_H
#define IDENTITY__CHECK_H

#include <identity/identity.h>

#include <stdbool.h>
#include <stddef.h>

bool identity__is_email(const char *text);
bool identity__is_publisher_id(const char *text); /* nine digits */
bool identity__is_offer_id(const char *text);     /* e.g. S565568989_US */
bool identity__is_country(const char *text);      /* two letters, not UK */
bool identity__is_date(const char *text);         /* YYYY-MM-DD, a day that exists */
bool identity__is_name(const char *text);         /* 1 to 50 characters */

/* A text that an app passes: what it must look like, and where it is in the struct that holds it. */
typedef struct identity__input {
  char field[22];  /* as in the public struct */
  uint16_t offset; /* of its const char *; NULL: absent */
  uint8_t kind;    /* IDENTITY__INPUT_x */
  uint8_t traits;  /* IDENTITY__NEEDED, IDENTITY__SECRET */
} identity__input;

enum { IDENTITY__OPTIONAL = 0, IDENTITY__NEEDED = 1, IDENTITY__SECRET = 2 };

enum {
  IDENTITY__INPUT_TEXT,
  IDENTITY__INPUT_EMAIL,
  IDENTITY__INPUT_PASSWORD,     /* non-empty: an old account may have a password that breaks today's rule */
  IDENTITY__INPUT_NEW_PASSWORD, /* the rule of registration (contract, register) */
  IDENTITY__INPUT_OFFER,
  IDENTITY__INPUT_COUNTRY,
  IDENTITY__INPUT_CURRENCY,
  IDENTITY__INPUT_LOCALE,
  IDENTITY__INPUT_NAME,
  IDENTITY__INPUT_DATE,
  IDENTITY__INPUT_IP,
  IDENTITY__INPUT_JSON,
  IDENTITY__INPUT_URL,
  IDENTITY__INPUT_TOKEN,
  IDENTITY__INPUT_ID
};

/* Checks the texts of a struct in the order of a table; fills error (INVALID_INPUT, the field) at the first
 * that is wrong. Values never appear in the message. */
identity_status identity__check_inputs(const identity__input *inputs, size_t count, const void *texts,
                                       identity_error *error);
/* What a value of a kind must be. */
const char *identity__input_rule(int kind);
/* One that is needed is NULL. */
identity_status identity__input_missing(const char *field, identity_error *error);

#endif
