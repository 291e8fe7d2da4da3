/* SPDX-License-Identifier: MIT
 *
 * Results for people who have never seen the API.
 */
#include "cli.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static const char *yes_no(int32_t flag) {
  return flag != 0 ? "yes" : "no";
}

bool use_colour(FILE *stream) {
  const char *no_colour = getenv("NO_COLOR");
  const char *terminal = getenv("TERM");
  if (no_colour != NULL && no_colour[0] != '\0')
    return false;
  if (terminal == NULL || strcmp(terminal, "dumb") == 0)
    return false;
  return isatty(fileno(stream)) == 1;
}

bool show_locale(const identity_locale *locale) {
  struct table table;
  table_init(&table, 2);
  table_line(&table, "Country", locale->country);
  table_line(&table, "Currency", locale->currency);
  table_line(&table, "Locale", locale->locale);
  table_line(&table, "IP address", locale->ip_address);
  return table_print(&table, false);
}

/* A label is HTML from outside; NULL stays NULL. */
static char *plain_label(struct table *table, const char *label) {
  char *plain = label != NULL ? text_clean_html(label) : NULL;
  if (label != NULL && plain == NULL)
    table->failed = true;
  return plain;
}

bool show_consents(const identity_consents *consents) {
  struct table table;
  if (consents->count == 0) {
    puts("The publisher asks for no consent.");
    return true;
  }
  table_init(&table, 5);
  table_row(&table, (const char *const[]){"NAME", "VERSION", "REQUIRED", "TEXT", "DETAILS"});
  for (uint32_t i = 0; i < consents->count; i++) {
    const identity_consent *consent = consents->items[i];
    char *label = plain_label(&table, consent->label);
    table_row(&table, (const char *const[]){consent->name, consent->version, yes_no(consent->required), label,
                                            consent->value});
    free(label);
  }
  return table_print(&table, true);
}

static const char *answer_word(const identity_customer_consent *consent) {
  if (consent->accepted != 0)
    return "accepted";
  return consent->version == NULL ? "not answered" : "declined";
}

static void format_date(int64_t seconds, char *text, size_t size) {
  const time_t moment = (time_t)seconds;
  struct tm parts;
  text[0] = '\0';
  if (seconds > 0 && (int64_t)moment == seconds && gmtime_r(&moment, &parts) != NULL)
    strftime(text, size, "%Y-%m-%d", &parts);
}

bool show_customer_consents(const identity_customer_consents *consents) {
  struct table table;
  if (consents->count == 0) {
    puts("There is no consent to answer.");
    return true;
  }
  table_init(&table, 8);
  table_row(&table, (const char *const[]){"NAME", "ANSWER", "ON", "VERSION", "NEWEST", "REQUIRED",
                                          "ASK AGAIN", "TEXT"});
  for (uint32_t i = 0; i < consents->count; i++) {
    const identity_customer_consent *consent = consents->items[i];
    char date[32];
    char *label = plain_label(&table, consent->label);
    format_date(consent->date, date, sizeof date);
    table_row(&table,
              (const char *const[]){consent->name, answer_word(consent), date[0] != '\0' ? date : NULL,
                                    consent->version, consent->newest_version, yes_no(consent->required),
                                    yes_no(consent->needs_update), label});
    free(label);
  }
  return table_print(&table, true);
}

/* "One | Two | Three", cut when it does not fit. */
static void join_options(const identity_capture_setting *setting, char *text, size_t size) {
  size_t used = 0;
  text[0] = '\0';
  for (uint32_t i = 0; i < setting->option_count && used < size; i++) {
    const int length = snprintf(text + used, size - used, "%s%s", i == 0 ? "" : " | ", setting->options[i]);
    used += length > 0 ? (size_t)length : size;
  }
}

static const char *kind_hint(const identity_capture_setting *setting, const char *options_text) {
  if (options_text[0] != '\0')
    return options_text;
  return setting->kind == IDENTITY_CAPTURE_DATE ? "YYYY-MM-DD" : "text";
}

static void add_capture_setting(struct table *table, const identity_capture_setting *setting) {
  char options_text[400];
  join_options(setting, options_text, sizeof options_text);
  char *question = plain_label(table, setting->question);
  for (uint32_t i = 0; i < setting->answer_count; i++) {
    const identity_capture_answer *answer = setting->answers[i];
    const char *value = answer->value != NULL && answer->value[0] != '\0' ? answer->value : NULL;
    table_row(table, (const char *const[]){answer->key, yes_no(setting->required), value,
                                           kind_hint(setting, options_text), question});
  }
  free(question);
}

bool show_capture(const identity_capture_status *status) {
  struct table table;
  printf("The publisher uses the form: %s. This customer should see it now: %s.\n", yes_no(status->enabled),
         yes_no(status->should_be_displayed));
  table_init(&table, 5);
  table_row(&table, (const char *const[]){"KEY", "REQUIRED", "ANSWER", "POSSIBLE ANSWERS", "QUESTION"});
  for (uint32_t i = 0; i < status->setting_count; i++)
    if (status->settings[i]->enabled != 0)
      add_capture_setting(&table, status->settings[i]);
  return table_print(&table, true);
}

bool show_next_step(const identity_next_step *next_step) {
  if (next_step->step == IDENTITY_STEP_CONSENTS && next_step->consents != NULL) {
    puts("Next: show these consents, then use the accept and decline commands.");
    return show_customer_consents(next_step->consents);
  }
  if (next_step->step == IDENTITY_STEP_CAPTURE && next_step->capture != NULL) {
    puts("Next: show the capture form, then use the answer command.");
    return show_capture(next_step->capture);
  }
  puts("Next: nothing. The customer can go on.");
  return true;
}

bool show_customer(const identity_customer *customer) {
  struct table table;
  table_init(&table, 2);
  table_line(&table, "Customer", customer->id);
  table_line(&table, "E-mail", customer->email);
  table_line(&table, "First name", customer->first_name);
  table_line(&table, "Last name", customer->last_name);
  table_line(&table, "Country", customer->country);
  table_line(&table, "Registered", customer->registration_date);
  table_line(&table, "Last login", customer->last_login_date);
  table_line(&table, "Last IP address", customer->last_user_ip);
  table_line(&table, "External id", customer->external_id);
  table_line(&table, "External data", customer->external_data);
  return table_print(&table, false);
}

static const char *state_sentence(int32_t state) {
  switch (state) {
  case IDENTITY_STATE_ACTIVE:
    return "active: signed in";
  case IDENTITY_STATE_REFRESHING:
    return "refreshing: signed in, the token is being replaced";
  case IDENTITY_STATE_STALE:
    return "stale: signed in, the last refresh failed and will be tried again";
  case IDENTITY_STATE_STORE_BLOCKED:
    return "store_blocked: the session cannot be read now";
  case IDENTITY_STATE_REAUTH_REQUIRED:
    return "reauth_required: the session ended, log in again";
  default:
    return "signed_out: nobody is signed in";
  }
}

bool show_state(const identity_state *state) {
  struct table table;
  char wait[32];
  snprintf(wait, sizeof wait, "in %lld s", (long long)((state->retry_after_ms + 999) / 1000));
  table_init(&table, 2);
  table_line(&table, "State", state_sentence(state->state));
  table_line(&table, "Reason", state->reason != IDENTITY_REASON_NONE ? state->reason_name : NULL);
  table_line(&table, "Customer", state->customer_id);
  table_line(&table, "E-mail", state->email);
  table_line(&table, "Publisher", state->publisher_id);
  table_line(&table, "Account", state->account);
  table_line(&table, "Consents", state->consents_pending != 0 ? "still have to reach the service" : NULL);
  table_line(&table, "Store",
             state->not_persisted != 0 ? "could not be written: the session ends with this run" : NULL);
  table_line(&table, "Next refresh", state->retry_after_ms > 0 ? wait : NULL);
  return table_print(&table, false);
}

/* "14:05:09  refresh_deferred  TIMED_OUT, in 12 s" */
bool show_event(const identity_event *event) {
  const time_t seconds = (time_t)(event->at_ms / 1000);
  struct tm local = {0};
  char when[16] = "";
  (void)localtime_r(&seconds, &local);
  (void)strftime(when, sizeof when, "%H:%M:%S", &local);
  printf("%s  %-17s", when, event->kind_name);
  if (event->kind == IDENTITY_EVENT_STATE)
    printf("  %s -> %s", state_sentence(event->old_state), state_sentence(event->new_state));
  if (event->cause != IDENTITY_OK)
    printf("  %s", identity_status_name(event->cause));
  if (event->amount_ms != 0)
    printf("  %lld s", (long long)(event->amount_ms / 1000));
  return putchar('\n') != EOF;
}

bool show_answers(const identity_consent_answer *answers, const char *const *labels, size_t count) {
  struct table table;
  table_init(&table, 4);
  table_row(&table, (const char *const[]){"ANSWER", "NAME", "VERSION", "TEXT"});
  for (size_t i = 0; i < count; i++) {
    char *label = plain_label(&table, labels[i]);
    table_row(&table, (const char *const[]){answers[i].accepted != 0 ? "accept" : "decline", answers[i].name,
                                            answers[i].version, label});
    free(label);
  }
  return table_print(&table, true);
}
