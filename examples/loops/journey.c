/* SPDX-License-Identifier: MIT
 *
 * Each step starts one call; its completion prints a line and starts the next step.
 */
#include "journey.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define PUBLISHER "123456789"
#define PASSWORD "s3cretpass"

enum { MAX_ANSWERS = 32, MAX_ROUNDS = 4 };

enum {
  LOCALE,
  CONSENTS,
  REGISTER,
  NEXT_STEP,
  ANSWER_CONSENTS,
  ANSWER_FORM,
  CUSTOMER,
  TOKENS,
  LOGOUT,
  LOGIN,
  CUSTOMER_AGAIN,
  LOGOUT_EVERYWHERE,
  END
};

/* One for all calls: user_data is the journey, which knows where it is. */
static void on_done(identity_status status, const void *result, const identity_error *error, void *user_data);

static const char *shown(const char *text) {
  return text != NULL ? text : "-";
}

/* ---- Steps before there is a customer ------------------------------------------------------------------ */

static identity_status start_locale(journey *self) {
  return identity_fetch_locale_start(self->session, NULL, on_done, self, NULL);
}

static void take_locale(journey *self, const void *result) {
  const identity_locale *locale = result;
  (void)self;
  printf("%s, %s, %s\n", locale->country, locale->currency, locale->locale);
  identity_locale_free(locale);
}

static identity_status start_consents(journey *self) {
  return identity_fetch_publisher_consents_start(self->session, on_done, self, NULL);
}

static void take_consents(journey *self, const void *result) {
  self->consents = result;
  printf("%u\n", (unsigned)self->consents->count);
}

/* An app shows them and takes the viewer's word. This one accepts what is required, and leaves the rest for
 * later. */
static identity_status start_register(journey *self) {
  identity_consent_answer answers[MAX_ANSWERS] = {{0}};
  identity_register_params params;
  identity_register_params_init(&params, sizeof params);
  for (uint32_t i = 0; i < self->consents->count && params.consent_count < MAX_ANSWERS; i++) {
    const identity_consent *consent = self->consents->items[i];
    if (consent->required)
      answers[params.consent_count++] =
          (identity_consent_answer){.name = consent->name, .version = consent->version, .accepted = 1};
  }
  params.consents = answers;
  params.email = self->email;
  params.password = PASSWORD;
  return identity_register_start(self->session, &params, on_done, self, NULL); /* copies: the stack is fine */
}

/* ---- What the viewer is asked for after signing in ----------------------------------------------------- */

static identity_status start_next_step(journey *self) {
  return identity_fetch_next_step_start(self->session, on_done, self, NULL);
}

static void take_next_step(journey *self, const void *result) {
  const identity_next_step *asked = result;
  const char *text = "nothing";
  if (++self->rounds <= MAX_ROUNDS && asked->step == IDENTITY_STEP_CONSENTS) {
    text = "ask for consents";
    self->at = ANSWER_CONSENTS;
  } else if (self->rounds <= MAX_ROUNDS && asked->step == IDENTITY_STEP_CAPTURE) {
    text = "show the capture form";
    self->at = ANSWER_FORM;
  }
  puts(text);
  self->asked = asked; /* until it is answered */
}

static identity_status start_answer_consents(journey *self) {
  const identity_customer_consents *wanted = self->asked->consents;
  identity_consent_answer answers[MAX_ANSWERS] = {{0}};
  uint32_t count = 0;
  for (; count < wanted->count && count < MAX_ANSWERS; count++)
    answers[count] = (identity_consent_answer){
        .name = wanted->items[count]->name, .version = wanted->items[count]->newest_version, .accepted = 1};
  return identity_update_customer_consents_start(self->session, answers, count, on_done, self, NULL);
}

static const char *typed_in(const identity_capture_setting *setting) {
  if (setting->option_count > 0)
    return setting->options[0];
  return setting->kind == IDENTITY_CAPTURE_DATE ? "1990-01-31" : "Jo";
}

static identity_status start_answer_form(journey *self) {
  const identity_capture_status *form = self->asked->capture;
  identity_capture_answer answers[MAX_ANSWERS] = {{0}};
  uint32_t count = 0;
  for (uint32_t i = 0; i < form->setting_count; i++) {
    const identity_capture_setting *setting = form->settings[i];
    for (uint32_t k = 0; k < setting->answer_count && count < MAX_ANSWERS; k++)
      if (setting->enabled && setting->required && setting->answers[k]->value == NULL)
        answers[count++] = (identity_capture_answer){setting->answers[k]->key, typed_in(setting)};
  }
  return identity_update_capture_answers_start(self->session, answers, count, on_done, self, NULL);
}

/* ---- A customer, signed in, out, and in again ---------------------------------------------------------- */

static identity_status start_customer(journey *self) {
  return identity_fetch_customer_start(self->session, on_done, self, NULL);
}

static void take_customer(journey *self, const void *result) {
  const identity_customer *customer = result;
  (void)self;
  puts(shown(customer->email));
  identity_customer_free(customer);
}

static identity_status start_tokens(journey *self) {
  return identity_session_tokens_start(self->session, 60000, on_done, self, NULL);
}

static void take_tokens(journey *self, const void *result) {
  const identity_tokens *tokens = result;
  (void)self;
  printf("a JWT for customer %s\n", shown(tokens->customer_id));
  identity_tokens_free(tokens);
}

static identity_status start_logout(journey *self) {
  return identity_logout_start(self->session, on_done, self, NULL);
}

static identity_status start_login(journey *self) {
  identity_login_params params;
  identity_login_params_init(&params, sizeof params);
  params.email = self->email;
  params.password = PASSWORD;
  return identity_login_start(self->session, &params, on_done, self, NULL);
}

static identity_status start_logout_everywhere(journey *self) {
  return identity_logout_everywhere_start(self->session, on_done, self, NULL);
}

/* ---- The chain ----------------------------------------------------------------------------------------- */

static const struct {
  const char *name;
  identity_status (*start)(journey *self);
  void (*take)(journey *self, const void *result); /* NULL: the call has no result */
  int then;
} steps[] = {
    [LOCALE] = {"locale", start_locale, take_locale, CONSENTS},
    [CONSENTS] = {"publisher's consents", start_consents, take_consents, REGISTER},
    [REGISTER] = {"register", start_register, NULL, NEXT_STEP},
    [NEXT_STEP] = {"next step", start_next_step, take_next_step, CUSTOMER},
    [ANSWER_CONSENTS] = {"update consents", start_answer_consents, NULL, NEXT_STEP},
    [ANSWER_FORM] = {"update capture form", start_answer_form, NULL, NEXT_STEP},
    [CUSTOMER] = {"customer", start_customer, take_customer, TOKENS},
    [TOKENS] = {"tokens", start_tokens, take_tokens, LOGOUT},
    [LOGOUT] = {"logout", start_logout, NULL, LOGIN},
    [LOGIN] = {"login", start_login, NULL, CUSTOMER_AGAIN},
    [CUSTOMER_AGAIN] = {"customer", start_customer, take_customer, LOGOUT_EVERYWHERE},
    [LOGOUT_EVERYWHERE] = {"logout everywhere", start_logout_everywhere, NULL, END},
};

/* False: the call was not even put in line. */
static bool start(journey *self) {
  self->beats_at_start = self->beats;
  const identity_status status = steps[self->at].start(self);
  identity_next_step_free(self->asked); /* answered by now: what goes in was copied */
  self->asked = NULL;
  if (status != IDENTITY_OK)
    fprintf(stderr, "%s: %s\n", steps[self->at].name, identity_status_text(status));
  return status == IDENTITY_OK;
}

static void end(journey *self, int exit_code) {
  self->exit_code = exit_code;
  self->over = true;
  self->ended(self->app);
}

static void on_done(identity_status status, const void *result, const identity_error *error,
                    void *user_data) {
  journey *self = user_data;
  if (status != IDENTITY_OK) {
    fprintf(stderr, "%s: %s: %s\n", steps[self->at].name, identity_status_name(status), error->message);
    end(self, 1);
    return;
  }
  const int done = self->at;
  if (self->beats - self->beats_at_start > self->most_beats)
    self->most_beats = self->beats - self->beats_at_start;
  self->at = steps[done].then;
  printf("%s: ", steps[done].name);
  if (steps[done].take != NULL)
    steps[done].take(self, result);
  else
    puts("done");
  if (self->at == END)
    end(self, 0);
  else if (!start(self))
    end(self, 1);
}

/* ---- Around it ----------------------------------------------------------------------------------------- */

static bool open_session(journey *self, const char *base_url, const char *ca_file) {
  identity_error error = {0};
  identity_config *config = identity_config_new(PUBLISHER);
  identity_config_set_base_url(config, base_url);
  identity_config_set_loopback_http(config, 1); /* for tests: plain http, to this machine only */
  identity_config_set_ca_file(config, ca_file);
  if (identity_loop_new(config, &self->loop, &error) == IDENTITY_OK)
    (void)identity_session_open_on(self->loop, config, "viewer-1", &self->session, &error);
  identity_config_free(config); /* the loop and the session have copies */
  if (self->session == NULL)
    fprintf(stderr, "%s: %s\n", identity_status_name(error.status), error.message);
  return self->session != NULL;
}

bool journey_open(journey *self, int argc, char **argv, const char *about) {
  const bool help = argc > 1 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0);
  memset(self, 0, sizeof *self);
  self->exit_code = help ? 0 : 2;
  if (help || argc < 2 || argc > 3 || argv[1][0] == '-') {
    fprintf(help ? stdout : stderr,
            "usage: %s BASE_URL [CA_FILE]\n"
            "Registers a viewer there, signs in and out, never waiting in a call: %s.\n"
            "For a service: build/identity-sandbox --port 8080; its address is http://127.0.0.1:8080.\n",
            argv[0], about);
    return false;
  }
  self->exit_code = 1;
  setvbuf(stdout, NULL, _IOLBF, BUFSIZ);
  snprintf(self->email, sizeof self->email, "viewer-%ld@example.com", (long)getpid());
  if (open_session(self, argv[1], argc == 3 ? argv[2] : NULL))
    return true;
  (void)journey_close(self);
  return false;
}

bool journey_start(journey *self, void (*ended)(void *app), void *app) {
  self->ended = ended;
  self->app = app;
  return start(self);
}

void journey_beat(journey *self) {
  self->beats++;
}

int journey_close(journey *self) {
  identity_consents_free(self->consents);
  identity_next_step_free(self->asked);
  identity_session_close(self->session);
  identity_loop_free(self->loop);
  if (self->over)
    printf("meanwhile: %u beats of the app's own timer, %u while one call was out\n", self->beats,
           self->most_beats);
  return self->exit_code;
}
