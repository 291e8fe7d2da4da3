/* SPDX-License-Identifier: MIT
 *
 * locale, register, login.
 */
#include "cli.h"

#include <stdlib.h>
#include <string.h>

identity_status locale_perform(struct run *run) {
  const identity_locale *locale = NULL;
  identity_status status =
      CALL(run, identity_fetch_locale(run->session, run->arguments.value[OPTION_CUSTOMER_IP], &locale,
                                      &run->error));
  if (status != IDENTITY_OK)
    return status;
  status = run->json ? give_json(run, json_locale(locale)) : shown(run, show_locale(locale));
  identity_locale_free(locale);
  return status;
}

identity_status login_perform(struct run *run) {
  identity_login_params params;
  identity_status status = secret_read_line(run, "password", &run->password);
  if (status != IDENTITY_OK)
    return status;
  identity_login_params_init(&params, sizeof params);
  params.email = run->arguments.value[OPTION_EMAIL];
  params.password = run->password.text;
  params.offer_id = run->arguments.value[OPTION_OFFER];
  params.customer_ip = run->arguments.value[OPTION_CUSTOMER_IP];
  status = CALL(run, identity_login(run->session, &params, &run->error));
  return status != IDENTITY_OK ? status : give_state(run, "Logged in.");
}

identity_status register_check(struct run *run) {
  const struct choice *choices = run->arguments.choices;
  for (size_t i = 0; i < run->arguments.choice_count; i++)
    for (size_t j = 0; j < i; j++)
      if (strcmp(choices[i].name, choices[j].name) == 0)
        return usage_error(run, "%.60s is named twice by --accept and --decline", choices[i].name);
  return IDENTITY_OK;
}

/* What the viewer answers. The texts belong to the consents. */
struct answer_list {
  identity_consent_answer *answers;
  const char **labels;
  uint32_t count;
};

static void add_answer(struct answer_list *list, const identity_consent *consent, bool accepted) {
  list->answers[list->count] = (identity_consent_answer){
      .name = consent->name, .version = consent->version, .accepted = accepted ? 1 : 0};
  list->labels[list->count++] = consent->label;
}

static const struct choice *find_choice(const struct arguments *arguments, const char *name) {
  for (size_t i = 0; i < arguments->choice_count; i++)
    if (strcmp(arguments->choices[i].name, name) == 0)
      return &arguments->choices[i];
  return NULL;
}

static bool publisher_has(const identity_consents *consents, const char *name) {
  for (uint32_t i = 0; i < consents->count; i++)
    if (strcmp(consents->items[i]->name, name) == 0)
      return true;
  return false;
}

/* An explicit --decline is stronger than --accept-required; the library then says which consent is missing.
 */
static identity_status choose_answers(struct run *run, const identity_consents *consents,
                                      struct answer_list *list) {
  const struct arguments *arguments = &run->arguments;
  for (size_t i = 0; i < arguments->choice_count; i++)
    if (!publisher_has(consents, arguments->choices[i].name))
      return client_error(run, IDENTITY_INVALID_INPUT, arguments->choices[i].name,
                          "the publisher has no consent of this name: see consents");
  if (consents->count == 0)
    return IDENTITY_OK;
  list->answers = calloc(consents->count, sizeof *list->answers);
  list->labels = calloc(consents->count, sizeof *list->labels);
  if (list->answers == NULL || list->labels == NULL)
    return out_of_memory(run);
  for (uint32_t i = 0; i < consents->count; i++) {
    const identity_consent *consent = consents->items[i];
    const struct choice *choice = find_choice(arguments, consent->name);
    if (choice != NULL)
      add_answer(list, consent, choice->accepted);
    else if (option_given(run, OPTION_ACCEPT_REQUIRED) && consent->required != 0)
      add_answer(list, consent, true);
  }
  return IDENTITY_OK;
}

static identity_status send_registration(struct run *run, const struct answer_list *list) {
  const char *const *value = run->arguments.value;
  identity_register_params params;
  identity_register_params_init(&params, sizeof params);
  params.consents = list->answers;
  params.consent_count = list->count;
  params.email = value[OPTION_EMAIL];
  params.password = run->password.text;
  params.offer_id = value[OPTION_OFFER];
  params.locale = value[OPTION_LOCALE];
  params.country = value[OPTION_COUNTRY];
  params.currency = value[OPTION_CURRENCY];
  params.first_name = value[OPTION_FIRST_NAME];
  params.last_name = value[OPTION_LAST_NAME];
  params.external_id = value[OPTION_EXTERNAL_ID];
  params.external_data = value[OPTION_EXTERNAL_DATA];
  params.customer_ip = value[OPTION_CUSTOMER_IP];
  params.captcha_value = run->captcha.text;
  identity_status status = CALL(run, identity_register(run->session, &params, &run->error));
  /* Not before: what the library finds wrong with the input comes first, and then nothing was answered. */
  if (status == IDENTITY_OK && !run->json && list->count > 0)
    status = shown(run, show_answers(list->answers, list->labels, list->count));
  return status != IDENTITY_OK ? status : give_state(run, "Registered and logged in.");
}

identity_status register_perform(struct run *run) {
  const identity_consents *consents = NULL;
  struct answer_list list = {0};
  identity_status status = secret_read_line(run, "password", &run->password);
  if (status == IDENTITY_OK && option_given(run, OPTION_CAPTCHA_STDIN))
    status = secret_read_line(run, "captcha value", &run->captcha);
  if (status != IDENTITY_OK)
    return status;
  if (run->arguments.choice_count > 0 || option_given(run, OPTION_ACCEPT_REQUIRED)) {
    status = CALL(run, identity_fetch_publisher_consents(run->session, &consents, &run->error));
    if (status == IDENTITY_OK)
      status = choose_answers(run, consents, &list);
  }
  if (status == IDENTITY_OK)
    status = send_registration(run, &list);
  free(list.labels);
  free(list.answers);
  identity_consents_free(consents);
  return status;
}
