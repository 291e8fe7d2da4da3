#include "rules.h"

#include "json.h"
#include "text.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <string.h>

#define UPPER "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define LOWER "abcdefghijklmnopqrstuvwxyz"
#define DIGITS "0123456789"

static bool is_domain(const char *domain) {
  size_t length = strlen(domain);
  if (length < 3 || length > 253 || domain[0] == '.' || domain[length - 1] == '.' ||
      strchr(domain, '.') == NULL)
    return false;
  if (strstr(domain, "..") != NULL || domain[0] == '-' || domain[length - 1] == '-')
    return false;
  return domain[strspn(domain, UPPER LOWER DIGITS ".-")] == '\0';
}

const char *sbx_rule_email(const char *value) {
  static const char shape[] = "Please enter a valid e-mail address.";
  if (*value == '\0')
    return "Invalid param email";
  const char *at = strrchr(value, '@');
  size_t local = at == NULL ? 0 : (size_t)(at - value);
  if (local == 0 || local > 64 || strlen(value) > 254 || !is_domain(at + 1))
    return shape;
  if (strspn(value, UPPER LOWER DIGITS "!#$%&'*+-/=?^_`{|}~.") != local)
    return shape;
  if (value[0] == '.' || value[local - 1] == '.' || strstr(value, "..") != NULL)
    return shape;
  return NULL;
}

/* The service verifies new addresses in a way that is not documented; here the domain that can't exist (RFC
   2606) stands for one that fails. */
const char *sbx_rule_new_email(const char *value) {
  const char *text = sbx_rule_email(value);
  if (text == NULL && sbx_text_ends_with(value, ".invalid"))
    return "Email verification failed.";
  return text;
}

const char *sbx_rule_password(const char *value) {
  size_t characters = sbx_utf8_count(value);
  bool letter = strpbrk(value, UPPER LOWER) != NULL;
  bool other = strpbrk(value, DIGITS "!@#$%^&") != NULL;
  return characters >= 8 && characters <= 80 && letter && other ? NULL : "Invalid param password";
}

const char *sbx_rule_country(const char *value) {
  bool ok = strlen(value) == 2 && strspn(value, UPPER) == 2 && strcmp(value, "UK") != 0;
  return ok ? NULL : "Invalid param country";
}

const char *sbx_rule_currency(const char *value) {
  return strlen(value) == 3 && strspn(value, UPPER) == 3 ? NULL : "Invalid param currency";
}

/* Not documented beyond "from /locales"; language, then perhaps country. */
const char *sbx_rule_locale(const char *value) {
  size_t language = strspn(value, LOWER);
  bool ok = language == 2 || language == 3;
  if (ok && value[language] != '\0') {
    const char *country = value + language + 1;
    ok = (value[language] == '_' || value[language] == '-') && strlen(country) == 2 &&
         strspn(country, UPPER) == 2;
  }
  return ok ? NULL : "Invalid param locale";
}

const char *sbx_rule_first_name(const char *value) {
  if (*value == '\0')
    return "Invalid param firstName";
  return sbx_utf8_count(value) <= 50 ? NULL : "firstName can have max 50 characters.";
}

const char *sbx_rule_last_name(const char *value) {
  if (*value == '\0')
    return "Invalid param lastName";
  return sbx_utf8_count(value) <= 50 ? NULL : "lastName can have max 50 characters.";
}

bool sbx_is_ip_address(const char *value) {
  unsigned char address[16];
  return inet_pton(AF_INET, value, address) == 1 || inet_pton(AF_INET6, value, address) == 1;
}

const char *sbx_rule_customer_ip(const char *value) {
  return sbx_is_ip_address(value) ? NULL : "Invalid param customerIP";
}

static bool is_leap_year(int year) {
  return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

const char *sbx_rule_birth_date(const char *value) {
  static const char text[] = "Invalid param birthDate";
  static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  static const char form[] = "dddd-dd-dd";
  if (strlen(value) != sizeof form - 1)
    return text;
  for (size_t i = 0; form[i] != '\0'; i++) {
    bool digit = isdigit((unsigned char)value[i]) != 0;
    if (form[i] == 'd' ? !digit : value[i] != '-')
      return text;
  }
  int year = (value[0] - '0') * 1000 + (value[1] - '0') * 100 + (value[2] - '0') * 10 + (value[3] - '0');
  int month = (value[5] - '0') * 10 + (value[6] - '0');
  int day = (value[8] - '0') * 10 + (value[9] - '0');
  if (year < 1900 || month < 1 || month > 12)
    return text;
  int last = days[month - 1] + (month == 2 && is_leap_year(year));
  return day >= 1 && day <= last ? NULL : text;
}

bool sbx_is_short_text(const char *value) {
  return sbx_utf8_count(value) <= 255;
}

bool sbx_is_publisher_id(const char *value) {
  return strlen(value) == 9 && sbx_text_is_digits(value);
}

/* Any scheme with a host: an app's own link (app://host/path) is as good as a web page. */
bool sbx_is_absolute_url(const char *value) {
  size_t scheme = strspn(value, UPPER LOWER DIGITS "+-.");
  if (scheme == 0 || strchr(UPPER LOWER, value[0]) == NULL || strncmp(value + scheme, "://", 3) != 0)
    return false;
  const char *host = value + scheme + 3;
  size_t host_length = strcspn(host, "/?#");
  if (host_length == 0 || strlen(value) > 2000)
    return false;
  for (const char *at = value; *at != '\0'; at++) {
    if (*at <= ' ' || *at >= 0x7f || strchr("\"<>\\^`{|}", *at) != NULL)
      return false;
  }
  return strspn(host, UPPER LOWER DIGITS ".-:[]_") >= host_length;
}

bool sbx_external_data_read(const cJSON *item, bool objects_too, cJSON **data) {
  *data = NULL;
  if (cJSON_IsString(item)) {
    if (item->valuestring[0] == '\0')
      return true;
    if (sbx_utf8_count(item->valuestring) > 4000)
      return false;
    *data = sbx_json_parse(item->valuestring, strlen(item->valuestring));
    if (cJSON_IsObject(*data))
      return true;
    cJSON_Delete(*data);
    *data = NULL;
    return false;
  }
  if (!objects_too || !cJSON_IsObject(item))
    return false;
  char *text = cJSON_PrintUnformatted(item);
  bool fits = text != NULL && sbx_utf8_count(text) <= 4000;
  cJSON_free(text);
  *data = fits ? cJSON_Duplicate(item, true) : NULL;
  return *data != NULL;
}
