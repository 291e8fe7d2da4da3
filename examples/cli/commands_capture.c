/* SPDX-License-Identifier: MIT
 *
 * capture, answer.
 */
#include "cli.h"

#include <stdlib.h>
#include <string.h>

identity_status capture_perform(struct run *run) {
  const identity_capture_status *capture = NULL;
  identity_status status = CALL(run, identity_fetch_capture_status(run->session, &capture, &run->error));
  if (status != IDENTITY_OK)
    return status;
  status = run->json ? give_json(run, json_capture(capture)) : shown(run, show_capture(capture));
  identity_capture_status_free(capture);
  return status;
}

identity_status answer_check(struct run *run) {
  for (size_t i = 0; i < run->arguments.word_count; i++) {
    const char *word = run->arguments.words[i];
    if (word[0] == '=' || strchr(word, '=') == NULL)
      return usage_error(run, "argument %zu of answer is not KEY=VALUE", i + 1);
  }
  return IDENTITY_OK;
}

/* Splits "KEY=VALUE"; the key is a copy that the caller frees. */
static bool split_answer(const char *word, identity_capture_answer *answer) {
  const char *equals = strchr(word, '=');
  answer->key = strndup(word, (size_t)(equals - word));
  answer->value = equals + 1;
  return answer->key != NULL;
}

identity_status answer_perform(struct run *run) {
  const size_t count = run->arguments.word_count;
  identity_capture_answer *answers = calloc(count, sizeof *answers);
  identity_status status = answers != NULL ? IDENTITY_OK : out_of_memory(run);
  for (size_t i = 0; status == IDENTITY_OK && i < count; i++)
    if (!split_answer(run->arguments.words[i], &answers[i]))
      status = out_of_memory(run);
  if (status == IDENTITY_OK)
    status = CALL(run, identity_update_capture_answers(run->session, answers, (uint32_t)count, &run->error));
  if (status == IDENTITY_OK && !run->json)
    printf("Saved %zu %s.\n", count, count == 1 ? "answer" : "answers");
  for (size_t i = 0; answers != NULL && i < count; i++)
    free((char *)answers[i].key);
  free(answers);
  return status;
}
