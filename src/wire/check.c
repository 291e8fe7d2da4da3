#include "wire/check.h"
#include "base/error.h"
#include "base/limits.h"
#include "base/text.h"
#include "wire/json_scan.h"
#include "wire/url.h"

#include <string.h>

static bool is_graphic(char c) {
  return (unsigned char)c > 0x20 && c != 0x7F;
}

static bool all_graphic(const char *text) {
  while (is_graphic(*text))
    text++;
  return *text == '\0';
}

/* Domain of an address: labels between dots, at least two; non-ASCII is left to the service. */
static bool is_domain(const char *domain) {
  const char *dot = strchr(domain, '.');
  if (dot == NULL || strstr(domain, "..") != NULL || strpbrk(domain, "@()<>,;:\\\"[]") != NULL)
    return false;
  return domain[0] != '.' && domain[strlen(domain) - 1] != '.';
}

bool identity__is_email(const char *text) {
  const char *at = strchr(text, '@');
  if (at == NULL || at == text || at - text > 64 || strlen(text) > IDENTITY__MAX_EMAIL)
    return false;
  return all_graphic(text) && is_domain(at + 1);
}

bool identity__is_publisher_id(const char *text) {
  return strlen(text) == 9 && identity__all_digits(text);
}

bool identity__is_offer_id(const char *text) {
  if (strlen(text) != strlen("S565568989_US") || !identity__is_letter(text[0]) || text[10] != '_')
    return false;
  for (int i = 1; i <= 9; i++)
    if (!identity__is_digit(text[i]))
      return false;
  return identity__is_letter(text[11]) && identity__is_letter(text[12]);
}

static bool is_letters(const char *text, size_t length) {
  if (strlen(text) != length)
    return false;
  while (identity__is_letter(*text))
    text++;
  return *text == '\0';
}

bool identity__is_country(const char *text) {
  return is_letters(text, 2) && !identity__same_text(text, "UK");
}

static bool is_currency(const char *text) {
  return is_letters(text, 3);
}

static bool is_locale(const char *text) {
  size_t length = strlen(text);
  for (size_t i = 0; i < length; i++)
    if (!identity__is_letter(text[i]) && !identity__is_digit(text[i]) && text[i] != '_' && text[i] != '-')
      return false;
  return length >= 2 && length <= 35;
}

static int number_at(const char *digits, int count) {
  int number = 0;
  for (int i = 0; i < count; i++)
    number = number * 10 + (digits[i] - '0');
  return number;
}

bool identity__is_date(const char *text) {
  static const char shape[] = "0000-00-00";
  static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  if (strlen(text) != sizeof shape - 1)
    return false;
  for (size_t i = 0; i < sizeof shape - 1; i++)
    if (shape[i] == '-' ? text[i] != '-' : !identity__is_digit(text[i]))
      return false;
  int century = number_at(text, 2);
  int year = number_at(text + 2, 2); /* of the century */
  int month = number_at(text + 5, 2);
  int day = number_at(text + 8, 2);
  if ((century == 0 && year == 0) || month < 1 || month > 12 || day < 1)
    return false;
  bool leap = month == 2 && (year != 0 ? year : century) % 4 == 0;
  return day <= days[month - 1] + (leap ? 1 : 0);
}

bool identity__is_name(const char *text) {
  int64_t characters = identity__utf8_characters(text);
  return characters >= 1 && characters <= IDENTITY__MAX_NAME_CHARACTERS;
}

static bool is_new_password(const char *text) {
  int64_t characters = identity__utf8_characters(text);
  if (characters < IDENTITY__MIN_PASSWORD_CHARACTERS || characters > IDENTITY__MAX_PASSWORD_CHARACTERS)
    return false;
  bool letter = false;
  bool other = false;
  for (; *text != '\0'; text++) {
    /* Whether a letter beyond ASCII counts is the service's to say. */
    letter = letter || identity__is_letter(*text) || (unsigned char)*text >= 0x80;
    other = other || identity__is_digit(*text) || strchr("!@#$%^&", *text) != NULL;
  }
  return letter && other;
}

static bool is_ip(const char *text) {
  size_t length = strlen(text);
  bool separator = false;
  for (size_t i = 0; i < length; i++) {
    char lower = identity__lower(text[i]);
    bool hex = identity__is_digit(lower) || (lower >= 'a' && lower <= 'f');
    if (!hex && lower != '.' && lower != ':')
      return false;
    separator = separator || lower == '.' || lower == ':';
  }
  return separator && length >= 2 && length <= 45;
}

static bool is_external_data(const char *text) {
  int64_t characters = identity__utf8_characters(text);
  return characters > 0 && characters <= IDENTITY__MAX_EXTERNAL_DATA_CHARACTERS &&
         identity__json_scan(text, strlen(text), NULL, 0);
}

static bool is_token(const char *text) {
  size_t length = strlen(text);
  return length > 0 && length <= IDENTITY__MAX_TOKEN && all_graphic(text);
}

static bool is_id(const char *text) {
  return strlen(text) <= IDENTITY__MAX_ID && identity__all_digits(text);
}

static bool fits(int kind, const char *text) {
  switch (kind) {
  case IDENTITY__INPUT_EMAIL:
    return identity__is_email(text);
  case IDENTITY__INPUT_NEW_PASSWORD:
    return is_new_password(text);
  case IDENTITY__INPUT_OFFER:
    return identity__is_offer_id(text);
  case IDENTITY__INPUT_COUNTRY:
    return identity__is_country(text);
  case IDENTITY__INPUT_CURRENCY:
    return is_currency(text);
  case IDENTITY__INPUT_LOCALE:
    return is_locale(text);
  case IDENTITY__INPUT_NAME:
    return identity__is_name(text);
  case IDENTITY__INPUT_DATE:
    return identity__is_date(text);
  case IDENTITY__INPUT_IP:
    return is_ip(text);
  case IDENTITY__INPUT_JSON:
    return is_external_data(text);
  case IDENTITY__INPUT_URL:
    return identity__is_absolute_url(text);
  case IDENTITY__INPUT_TOKEN:
    return is_token(text);
  case IDENTITY__INPUT_ID:
    return is_id(text);
  default: /* IDENTITY__INPUT_TEXT, IDENTITY__INPUT_PASSWORD */
    return text[0] != '\0';
  }
}

/* One for each kind, in their order; joined, as they differ much in length. */
static const char rules[] =
    "must not be empty\0"
    "must be an e-mail address\0"
    "must not be empty\0"
    "must have 8 to 80 characters, at least one letter, and at least one digit or one of !@#$%^&\0"
    "must look like S565568989_US\0"
    "must be an ISO 3166 country of two letters (GB, not UK)\0"
    "must be a currency of three letters\0"
    "must be a locale such as en_US\0"
    "must have 1 to 50 characters\0"
    "must be a date YYYY-MM-DD\0"
    "must be an IPv4 or IPv6 address\0"
    "must be JSON text of at most 4000 characters\0"
    "must be an absolute URL\0"
    "must be a token without spaces\0"
    "must be digits\0";

const char *identity__input_rule(int kind) {
  return identity__joined_text(rules, (size_t)kind);
}

identity_status identity__input_missing(const char *field, identity_error *error) {
  return identity__fail(error, IDENTITY_INVALID_INPUT, field, "%s is missing", field);
}

static identity_status check_one(const identity__input *input, const char *value, identity_error *error) {
  const char *rule = NULL;
  if (value == NULL)
    return (input->traits & IDENTITY__NEEDED) != 0 ? identity__input_missing(input->field, error)
                                                   : IDENTITY_OK;
  if (strnlen(value, IDENTITY__MAX_TEXT + 1) > IDENTITY__MAX_TEXT)
    rule = "is too long";
  else if (identity__utf8_characters(value) < 0)
    rule = "must be UTF-8";
  else if (!fits(input->kind, value))
    rule = identity__input_rule(input->kind);
  if (rule != NULL)
    return identity__fail(error, IDENTITY_INVALID_INPUT, input->field, "%s %s", input->field, rule);
  return IDENTITY_OK;
}

identity_status identity__check_inputs(const identity__input *inputs, size_t count, const void *texts,
                                       identity_error *error) {
  for (size_t i = 0; i < count; i++) {
    const char *value;
    memcpy(&value, (const char *)texts + inputs[i].offset, sizeof value);
    identity_status status = check_one(&inputs[i], value, error);
    if (status != IDENTITY_OK)
      return status;
  }
  return IDENTITY_OK;
}
