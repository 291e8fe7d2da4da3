/* The contract's rules for single values (4.3, 4.14, 4.16). Each gives NULL when the value is fine, else the
   text that the service answers. */
#ifndef SBX_RULES_H
#define SBX_RULES_H

#include <cjson/cJSON.h>
#include <stdbool.h>

typedef const char *sbx_rule(const char *value);

const char *sbx_rule_email(const char *value);
const char *sbx_rule_new_email(const char *value); /* the same, and the domain must be one that can exist */
const char *sbx_rule_password(const char *value);
const char *sbx_rule_country(const char *value);
const char *sbx_rule_currency(const char *value);
const char *sbx_rule_locale(const char *value);
const char *sbx_rule_first_name(const char *value);
const char *sbx_rule_last_name(const char *value);
const char *sbx_rule_customer_ip(const char *value);
const char *sbx_rule_birth_date(const char *value);

bool sbx_is_short_text(const char *value); /* at most 255 characters */
bool sbx_is_ip_address(const char *value);
bool sbx_is_publisher_id(const char *value);
bool sbx_is_absolute_url(const char *value);

/* 4.3, 4.16: JSON text of an object, at most 4000 characters, or (only when `objects_too`) the object itself.
   True with *data NULL for an empty text. The caller owns *data. */
bool sbx_external_data_read(const cJSON *item, bool objects_too, cJSON **data);

#endif
