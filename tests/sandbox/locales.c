#include "handlers.h"

#include "rules.h"

#include <string.h>
#include <strings.h>

struct range {
  const char *prefix;
  const char *country;
  const char *currency;
  const char *locale;
};

/* The address blocks reserved for documentation (RFC 5737, RFC 3849), so that a test can choose its country.
 */
static const struct range ranges[] = {
    {"203.0.113.", "NL", "EUR", "nl_NL"},
    {"198.51.100.", "US", "USD", "en_US"},
    {"192.0.2.", "GB", "GBP", "en_GB"},
    {"2001:db8:", "DE", "EUR", "de_DE"},
};

static const struct range elsewhere = {"", "US", "USD", "en_US"};

static const struct range *find_range(const char *address) {
  for (size_t i = 0; i < sizeof ranges / sizeof ranges[0]; i++) {
    if (strncasecmp(ranges[i].prefix, address, strlen(ranges[i].prefix)) == 0)
      return &ranges[i];
  }
  return &elsewhere;
}

/* 4.1 */
void sbx_handle_locales(struct sbx_call *call) {
  const char *address = call->query(call, "customerIP");
  if (address == NULL)
    address = call->source_ip;
  if (!sbx_is_ip_address(address)) {
    sbx_refuse(call, SBX_BAD_QUERY);
    return;
  }
  const struct range *range = find_range(address);
  cJSON *data = cJSON_CreateObject();
  bool ok = sbx_json_put_text(data, "country", range->country) &&
            sbx_json_put_text(data, "currency", range->currency) &&
            sbx_json_put_text(data, "locale", range->locale) && sbx_json_put_text(data, "ipAddress", address);
  sbx_answer_data(call, sbx_json_finish(data, ok));
}
