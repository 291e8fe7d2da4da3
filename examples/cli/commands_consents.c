/* SPDX-License-Identifier: MIT
 *
 * consents, my-consents, accept, decline, next.
 */
#include "cli.h"

#include <stdlib.h>
#include <string.h>

identity_status consents_perform(struct run *run) {
  const identity_consents *consents = NULL;
  identity_status status = CALL(run, identity_fetch_publisher_consents(run->session, &consents, &run->error));
  if (status != IDENTITY_OK)
    return status;
  status = run->json ? give_json(run, json_consents(consents)) : shown(run, show_consents(consents));
  identity_consents_free(consents);
  return status;
}

identity_status my_consents_perform(struct run *run) {
  const identity_customer_consents *consents = NULL;
  identity_status status = CALL(run, identity_fetch_customer_consents(run->session, &consents, &run->error));
  if (status != IDENTITY_OK)
    return status;
  status = run->json ? give_json(run, json_customer_consents(consents))
                     : shown(run, show_customer_consents(consents));
  identity_customer_consents_free(consents);
  return status;
}

identity_status next_perform(struct run *run) {
  const identity_next_step *next_step = NULL;
  identity_status status = CALL(run, identity_fetch_next_step(run->session, &next_step, &run->error));
  if (status != IDENTITY_OK)
    return status;
  status = run->json ? give_json(run, json_next_step(next_step)) : shown(run, show_next_step(next_step));
  identity_next_step_free(next_step);
  return status;
}

identity_status answer_consents_check(struct run *run) {
  const struct arguments *arguments = &run->arguments;
  for (size_t i = 0; i < arguments->word_count; i++)
    for (size_t j = 0; j < i; j++)
      if (strcmp(arguments->words[i], arguments->words[j]) == 0)
        return usage_error(run, "%.60s is named twice", arguments->words[i]);
  return IDENTITY_OK;
}

static const identity_customer_consent *find_consent(const identity_customer_consents *consents,
                                                     const char *name) {
  for (uint32_t i = 0; i < consents->count; i++)
    if (strcmp(consents->items[i]->name, name) == 0)
      return consents->items[i];
  return NULL;
}

/* The answer goes to the newest version, and that is the one whose text is shown. */
static identity_status choose_answers(struct run *run, const identity_customer_consents *consents,
                                      identity_consent_answer *answers, const char **labels) {
  const struct arguments *arguments = &run->arguments;
  for (size_t i = 0; i < arguments->word_count; i++) {
    const identity_customer_consent *consent = find_consent(consents, arguments->words[i]);
    if (consent == NULL)
      return client_error(run, IDENTITY_INVALID_INPUT, arguments->words[i],
                          "the publisher has no consent of this name: see my-consents");
    answers[i].name = consent->name;
    answers[i].version = consent->newest_version;
    answers[i].accepted = strcmp(run->command->name, "accept") == 0;
    labels[i] = consent->label;
  }
  return IDENTITY_OK;
}

static identity_status send_answers(struct run *run, const identity_customer_consents *consents,
                                    identity_consent_answer *answers, const char **labels) {
  const size_t count = run->arguments.word_count;
  identity_status status = choose_answers(run, consents, answers, labels);
  if (status == IDENTITY_OK && !run->json)
    status = shown(run, show_answers(answers, labels, count));
  if (status == IDENTITY_OK)
    status =
        CALL(run, identity_update_customer_consents(run->session, answers, (uint32_t)count, &run->error));
  if (status != IDENTITY_OK)
    return status;
  if (run->json)
    return give_json(run, json_answers(answers, count));
  puts("Saved.");
  return IDENTITY_OK;
}

identity_status answer_consents_perform(struct run *run) {
  const identity_customer_consents *consents = NULL;
  const size_t count = run->arguments.word_count;
  identity_consent_answer *answers = calloc(count, sizeof *answers);
  const char **labels = calloc(count, sizeof *labels);
  identity_status status = IDENTITY_OK;
  if (answers == NULL || labels == NULL)
    status = out_of_memory(run);
  else
    status = CALL(run, identity_fetch_customer_consents(run->session, &consents, &run->error));
  if (status == IDENTITY_OK)
    status = send_answers(run, consents, answers, labels);
  identity_customer_consents_free(consents);
  free(labels);
  free(answers);
  return status;
}
