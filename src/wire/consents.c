#include "base/error.h"
#include "base/limits.h"
#include "wire/fields.h"
#include "wire/results.h"

#include <stdlib.h>
#include <string.h>

static const identity__field definition_fields[] = {
    {"required", offsetof(identity_consent, required), IDENTITY__FIELD_FLAG, 1},
    {"enabledByDefault", offsetof(identity_consent, enabled_by_default), IDENTITY__FIELD_FLAG, 0},
    {"name", offsetof(identity_consent, name), IDENTITY__FIELD_TEXT, 1},
    {"version", offsetof(identity_consent, version), IDENTITY__FIELD_ID, 1},
    {"label", offsetof(identity_consent, label), IDENTITY__FIELD_TEXT, 0},
    {"value", offsetof(identity_consent, value), IDENTITY__FIELD_TEXT, 0},
    {"broadcasterId", offsetof(identity_consent, broadcaster_id), IDENTITY__FIELD_ID, 0},
};

static const identity__field customer_fields[] = {
    {"date", offsetof(identity_customer_consent, date), IDENTITY__FIELD_INTEGER, 0},
    {"required", offsetof(identity_customer_consent, required), IDENTITY__FIELD_FLAG, 0},
    {"needsUpdate", offsetof(identity_customer_consent, needs_update), IDENTITY__FIELD_FLAG, 0},
    {"name", offsetof(identity_customer_consent, name), IDENTITY__FIELD_TEXT, 1},
    {"version", offsetof(identity_customer_consent, version), IDENTITY__FIELD_ID, 0},
    {"newestVersion", offsetof(identity_customer_consent, newest_version), IDENTITY__FIELD_ID, 1},
    {"label", offsetof(identity_customer_consent, label), IDENTITY__FIELD_TEXT, 0},
    {"value", offsetof(identity_customer_consent, value), IDENTITY__FIELD_TEXT, 0},
};

#define ROWS(table) (sizeof(table) / sizeof((table)[0]))

enum { MOST_FIELDS = 8 };
_Static_assert(ROWS(definition_fields) <= MOST_FIELDS && ROWS(customer_fields) <= MOST_FIELDS,
               "the values of an item have a place each");

/* Both lists have the same shape: count, then pointers to items of one size that a table fills. */
typedef struct list_kind {
  const identity__field *fields;
  size_t field_count;
  size_t item_size;
  bool (*wanted)(const identity__json *item);
  void (*finish)(void *item, const identity__json *json);
} list_kind;

typedef struct consent_list {
  uint32_t count;
  uint32_t reserved;
  const void *const *items;
} consent_list;

_Static_assert(sizeof(consent_list) == sizeof(identity_consents) &&
                   offsetof(consent_list, items) == offsetof(identity_consents, items) &&
                   sizeof(consent_list) == sizeof(identity_customer_consents) &&
                   offsetof(consent_list, items) == offsetof(identity_customer_consents, items),
               "the consent lists share one shape");

static bool text_is(const identity__json *node, const char *expected) {
  const char *text = identity__json_text(node);
  return text != NULL && strcmp(text, expected) == 0;
}

/* Versions are opaque: only equality has a meaning (contract, fetch customer consents). */
static bool is_outdated(const identity__json *item) {
  char answered_scratch[IDENTITY__ID_SCRATCH];
  char newest_scratch[IDENTITY__ID_SCRATCH];
  int32_t flag = 0;
  if (identity__json_flag(identity__json_member(item, "needsUpdate"), &flag) && flag)
    return true;
  const char *answered = identity__json_id(identity__json_member(item, "version"), answered_scratch);
  const char *newest = identity__json_id(identity__json_member(item, "newestVersion"), newest_scratch);
  if (answered == NULL || answered[0] == '\0' || newest == NULL)
    return false; /* never answered: only what is required has to be asked again */
  return strcmp(answered, newest) != 0;
}

static bool must_be_asked(const identity__json *item) {
  int32_t required = 0;
  (void)identity__json_flag(identity__json_member(item, "required"), &required);
  return is_outdated(item) || (required && !text_is(identity__json_member(item, "state"), "accepted"));
}

static void finish_customer_consent(void *item, const identity__json *json) {
  identity_customer_consent *consent = item;
  consent->accepted = text_is(identity__json_member(json, "state"), "accepted") ? 1 : 0;
  consent->needs_update = must_be_asked(json) ? 1 : 0;
  if (consent->version != NULL && consent->version[0] == '\0')
    consent->version = NULL;
}

static bool is_wanted(const list_kind *kind, const identity__json *item) {
  return kind->wanted == NULL || kind->wanted(item);
}

static size_t measure(const list_kind *kind, const identity__json *list) {
  const identity__json *values[MOST_FIELDS];
  size_t size = identity__block_cost(sizeof(consent_list));
  size_t count = 0;
  for (const identity__json *item = identity__json_first(list); item != NULL;
       item = identity__json_next(item)) {
    if (!is_wanted(kind, item))
      continue;
    count++;
    identity__fields_find(kind->fields, kind->field_count, item, values);
    size += identity__block_cost(kind->item_size) +
            identity__fields_measure(kind->fields, kind->field_count, values);
  }
  return size + identity__block_cost(count * sizeof(void *));
}

static bool fill(const list_kind *kind, const identity__json *list, uint32_t most, identity__block *block,
                 const char **missing) {
  const identity__json *values[MOST_FIELDS];
  consent_list *result = identity__block_take(block, sizeof *result);
  const void **items = identity__block_take(block, most * sizeof(void *));
  for (const identity__json *item = identity__json_first(list); item != NULL;
       item = identity__json_next(item)) {
    if (!is_wanted(kind, item))
      continue;
    void *target = identity__block_take(block, kind->item_size);
    identity__fields_find(kind->fields, kind->field_count, item, values);
    if (!identity__fields_fill(kind->fields, kind->field_count, values, target, block, missing))
      return false;
    if (kind->finish != NULL)
      kind->finish(target, item);
    items[result->count++] = target;
  }
  result->items = items;
  return true;
}

static uint32_t count_wanted(const list_kind *kind, const identity__json *list) {
  uint32_t count = 0;
  for (const identity__json *item = identity__json_first(list); item != NULL;
       item = identity__json_next(item))
    count += is_wanted(kind, item) ? 1 : 0;
  return count;
}

static identity_status read_list(const list_kind *kind, const identity__json *data, size_t lead,
                                 void **result, identity_error *error) {
  const identity__json *list = identity__json_member(data, "consents");
  const char *missing = NULL;
  identity__block block;
  *result = NULL;
  if (!identity__json_is_list(list) || identity__json_count(list) > IDENTITY__MAX_LIST)
    return identity__answer_lacks("consents", error);
  if (!identity__block_init(&block, identity__block_cost(lead) + measure(kind, list)))
    return identity__fail_plain(error, IDENTITY_OUT_OF_MEMORY);
  (void)identity__block_take(&block, lead);
  if (!fill(kind, list, count_wanted(kind, list), &block, &missing)) {
    free(block.base);
    return identity__answer_lacks(missing, error);
  }
  *result = block.base + identity__block_cost(lead);
  return IDENTITY_OK;
}

identity_status identity__read_consents(const identity__json *data, identity_consents **consents,
                                        identity_error *error) {
  const list_kind kind = {definition_fields, ROWS(definition_fields), sizeof(identity_consent), NULL, NULL};
  void *result;
  identity_status status = read_list(&kind, data, 0, &result, error);
  *consents = result;
  return status;
}

identity_status identity__read_customer_consents(const identity__json *data, int which, size_t lead,
                                                 identity_customer_consents **consents,
                                                 identity_error *error) {
  const list_kind kind = {customer_fields, ROWS(customer_fields), sizeof(identity_customer_consent),
                          which == IDENTITY__CONSENTS_TO_ASK ? must_be_asked : NULL, finish_customer_consent};
  void *result;
  identity_status status = read_list(&kind, data, lead, &result, error);
  *consents = result;
  return status;
}
