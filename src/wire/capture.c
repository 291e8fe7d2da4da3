#include "base/error.h"
#include "base/limits.h"
#include "wire/fields.h"
#include "wire/results.h"

#include <stdlib.h>
#include <string.h>

enum { MAX_MEMBERS = 6 };

/* Keys whose answer is not a plain text: nested when read, flat when written (contract, capture). */
static const struct capture_shape {
  char key[20];
  uint8_t kind;
  uint8_t member_count;
  char members[MAX_MEMBERS][10];
} shapes[] = {
    {"firstNameLastName", IDENTITY_CAPTURE_NAME, 2, {"firstName", "lastName"}},
    {"address", IDENTITY_CAPTURE_ADDRESS, 6, {"address", "address2", "city", "state", "postCode", "country"}},
    {"birthDate", IDENTITY_CAPTURE_DATE, 0, {""}},
};

static const struct capture_shape plain = {"", IDENTITY_CAPTURE_TEXT, 0, {""}};

/* One option between separators, trimmed; where the next one begins, NULL after the last. */
typedef struct option {
  const char *start;
  size_t length;
} option;

static const char *next_option(const char *at, option *found) {
  size_t length = strcspn(at, ";");
  const char *next = at[length] == ';' ? at + length + 1 : NULL;
  while (length > 0 && (*at == ' ' || *at == '\t')) {
    at++;
    length--;
  }
  while (length > 0 && (at[length - 1] == ' ' || at[length - 1] == '\t'))
    length--;
  found->start = at;
  found->length = length;
  return next;
}

static const struct capture_shape *shape_of(const char *key) {
  for (size_t i = 0; i < sizeof shapes / sizeof shapes[0]; i++)
    if (strcmp(shapes[i].key, key) == 0)
      return &shapes[i];
  return &plain;
}

/* Options stand in `value`, separated by ';'; empty ones do not count. */
static uint32_t count_options(const identity__json *item, size_t *text_size) {
  const char *at = identity__json_text(identity__json_member(item, "value"));
  uint32_t count = 0;
  while (at != NULL) {
    option found;
    at = next_option(at, &found);
    if (found.length == 0)
      continue;
    count++;
    *text_size += found.length + 1;
  }
  return count;
}

static uint32_t answers_of(const struct capture_shape *shape) {
  return shape->member_count > 0 ? shape->member_count : 1;
}

static const identity__json *answer_node(const struct capture_shape *shape, const identity__json *item,
                                         uint32_t i) {
  const identity__json *answer = identity__json_member(item, "answer");
  return shape->member_count > 0 ? identity__json_member(answer, shape->members[i]) : answer;
}

static size_t measure_setting(const identity__json *item) {
  char scratch[IDENTITY__ID_SCRATCH];
  const char *key = identity__json_text(identity__json_member(item, "key"));
  if (key == NULL)
    return 0;
  const struct capture_shape *shape = shape_of(key);
  size_t texts = identity__block_text_cost(key) * 2 +
                 identity__block_text_cost(identity__json_text(identity__json_member(item, "question")));
  uint32_t options = count_options(item, &texts);
  uint32_t answers = answers_of(shape);
  for (uint32_t i = 0; i < answers; i++) {
    texts += identity__block_text_cost(identity__json_id(answer_node(shape, item, i), scratch));
    texts += shape->member_count > 0 ? identity__block_text_cost(shape->members[i]) : 0;
  }
  return texts + identity__block_cost(sizeof(identity_capture_setting)) +
         identity__block_cost(options * sizeof(char *)) + identity__block_cost(answers * sizeof(void *)) +
         answers * identity__block_cost(sizeof(identity_capture_answer));
}

static void fill_options(identity_capture_setting *setting, const identity__json *item,
                         identity__block *block) {
  size_t unused = 0;
  uint32_t count = count_options(item, &unused);
  const char **options = identity__block_take(block, count * sizeof(char *));
  const char *at = identity__json_text(identity__json_member(item, "value"));
  while (at != NULL) {
    option found;
    at = next_option(at, &found);
    if (found.length > 0)
      options[setting->option_count++] = identity__block_text_part(block, found.start, found.length);
  }
  setting->options = options;
}

static void fill_answers(identity_capture_setting *setting, const struct capture_shape *shape,
                         const identity__json *item, identity__block *block) {
  uint32_t count = answers_of(shape);
  const identity_capture_answer **answers = identity__block_take(block, count * sizeof(void *));
  for (uint32_t i = 0; i < count; i++) {
    char scratch[IDENTITY__ID_SCRATCH];
    identity_capture_answer *answer = identity__block_take(block, sizeof *answer);
    answer->key = identity__block_text(block, shape->member_count > 0 ? shape->members[i] : setting->key);
    answer->value = identity__block_text(block, identity__json_id(answer_node(shape, item, i), scratch));
    answers[i] = answer;
  }
  setting->answers = answers;
  setting->answer_count = count;
}

static int32_t kind_of(const struct capture_shape *shape, uint32_t option_count) {
  if (shape->kind != IDENTITY_CAPTURE_TEXT || option_count == 0)
    return shape->kind;
  return option_count == 1 ? IDENTITY_CAPTURE_CHECKBOX : IDENTITY_CAPTURE_CHOICE;
}

static bool fill_setting(identity_capture_setting *setting, const identity__json *item,
                         identity__block *block) {
  const char *key = identity__json_text(identity__json_member(item, "key"));
  if (key == NULL || !identity__json_flag(identity__json_member(item, "enabled"), &setting->enabled))
    return false;
  const struct capture_shape *shape = shape_of(key);
  (void)identity__json_flag(identity__json_member(item, "required"), &setting->required);
  setting->key = identity__block_text(block, key);
  setting->question =
      identity__block_text(block, identity__json_text(identity__json_member(item, "question")));
  fill_options(setting, item, block);
  fill_answers(setting, shape, item, block);
  setting->kind = kind_of(shape, setting->option_count);
  return true;
}

static size_t measure(const identity__json *settings) {
  size_t size = identity__block_cost(sizeof(identity_capture_status)) +
                identity__block_cost(identity__json_count(settings) * sizeof(void *));
  for (const identity__json *item = identity__json_first(settings); item != NULL;
       item = identity__json_next(item))
    size += measure_setting(item);
  return size;
}

static bool fill(const identity__json *data, const identity__json *settings, identity__block *block) {
  identity_capture_status *status = identity__block_take(block, sizeof *status);
  const identity_capture_setting **list =
      identity__block_take(block, identity__json_count(settings) * sizeof(void *));
  (void)identity__json_flag(identity__json_member(data, "shouldCaptureBeDisplayed"),
                            &status->should_be_displayed);
  (void)identity__json_flag(identity__json_member(data, "isCaptureEnabled"), &status->enabled);
  for (const identity__json *item = identity__json_first(settings); item != NULL;
       item = identity__json_next(item)) {
    identity_capture_setting *setting = identity__block_take(block, sizeof *setting);
    if (setting == NULL || !fill_setting(setting, item, block))
      return false;
    list[status->setting_count++] = setting;
  }
  status->settings = list;
  return true;
}

identity_status identity__read_capture(const identity__json *data, size_t lead,
                                       identity_capture_status **status, identity_error *error) {
  const identity__json *settings = identity__json_member(data, "settings");
  int32_t enabled;
  identity__block block;
  *status = NULL;
  if (!identity__json_flag(identity__json_member(data, "isCaptureEnabled"), &enabled))
    return identity__answer_lacks("isCaptureEnabled", error);
  if (!identity__json_is_list(settings) || identity__json_count(settings) > IDENTITY__MAX_LIST)
    return identity__answer_lacks("settings", error);
  for (const identity__json *item = identity__json_first(settings); item != NULL;
       item = identity__json_next(item))
    if (identity__json_text(identity__json_member(item, "key")) == NULL)
      return identity__answer_lacks("settings.key", error);
  if (!identity__block_init(&block, identity__block_cost(lead) + measure(settings)))
    return identity__fail_plain(error, IDENTITY_OUT_OF_MEMORY);
  (void)identity__block_take(&block, lead);
  if (!fill(data, settings, &block)) {
    free(block.base);
    return identity__answer_lacks("settings.enabled", error);
  }
  *status = (identity_capture_status *)(void *)(block.base + identity__block_cost(lead));
  return IDENTITY_OK;
}
