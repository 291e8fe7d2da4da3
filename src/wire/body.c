#include "wire/body.h"
#include "wire/json.h"

static bool put_pair(identity__json *object, const identity__pair *pair) {
  if (pair->name[0] == '#')
    return identity__json_put_digits(object, pair->name + 1, pair->value);
  return identity__json_put_text(object, pair->name, pair->value);
}

bool identity__body_flat(const identity__pair *pairs, size_t count, identity__buffer *body) {
  identity__json *object = identity__json_new_object();
  bool complete = object != NULL;
  for (size_t i = 0; complete && i < count; i++)
    complete = put_pair(object, &pairs[i]);
  return identity__json_print(object, complete, body);
}

static bool put_consent(identity__json *list, const identity_consent_answer *answer) {
  identity__json *item = identity__json_add_object(list);
  return item != NULL && identity__json_put_text(item, "name", answer->name) &&
         identity__json_put_text(item, "version", answer->version) &&
         identity__json_put_text(item, "state", answer->accepted ? "accepted" : "declined");
}

bool identity__body_consents(const identity_consent_answer *answers, uint32_t count, identity__buffer *body) {
  identity__json *object = identity__json_new_object();
  identity__json *list = identity__json_put_list(object, "consents");
  bool complete = list != NULL;
  for (uint32_t i = 0; complete && i < count; i++)
    complete = put_consent(list, &answers[i]);
  return identity__json_print(object, complete, body);
}

static bool put_custom(identity__json *list, const identity__capture_change *change) {
  identity__json *item = identity__json_add_object(list);
  return item != NULL && identity__json_put_text(item, "questionId", change->key) &&
         identity__json_put_text(item, "question", change->question) &&
         identity__json_put_text(item, "value", change->value);
}

bool identity__body_capture(const identity__capture_change *changes, uint32_t count, identity__buffer *body) {
  identity__json *object = identity__json_new_object();
  identity__json *custom = NULL;
  bool complete = object != NULL;
  for (uint32_t i = 0; complete && i < count; i++) {
    if (!changes[i].custom) {
      complete = identity__json_put_text(object, changes[i].key, changes[i].value);
      continue;
    }
    if (custom == NULL)
      custom = identity__json_put_list(object, "customAnswers");
    complete = put_custom(custom, &changes[i]);
  }
  return identity__json_print(object, complete, body);
}
