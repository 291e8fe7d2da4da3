/* The other side of worker.h: what runs in the child. */
#include "support/worker.h"

#include "wire/jwt.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#if defined(__linux__)
#include <sys/prctl.h>
#endif

enum { MOST_SESSIONS = 8 };

static identity_session *sessions[MOST_SESSIONS];
static char opened_with[MOST_SESSIONS][WORKER_LINE]; /* the arguments of open, for look */
static int current;
static int64_t newest_jwt_s;

/* ---- the words ---- */

static identity_status do_open(char *arguments, worker_answer *answer) {
  char url[128], store[256], account[64];
  unsigned timeout_ms = 0;
  identity_error error = {0};
  (void)answer;
  if (sscanf(arguments, "%127s %255s %63s %u", url, store, account, &timeout_ms) != 4)
    return IDENTITY_BAD_ARGUMENT;
  if (arguments != opened_with[current])
    snprintf(opened_with[current], WORKER_LINE, "%s", arguments);
  identity_config *config = identity_config_new(TEST_PUBLISHER);
  (void)identity_config_set_base_url(config, url);
  (void)identity_config_set_loopback_http(config, 1);
  (void)identity_config_set_timeout_ms(config, timeout_ms);
  (void)identity_config_set_volatile_tokens(config, store[0] == '+');
  if (strcmp(store, "-") != 0)
    (void)identity_config_set_file_store(config, store + (store[0] == '+'));
  identity_status status = identity_session_open(config, account, &sessions[current], &error);
  identity_config_free(config);
  if (status != IDENTITY_OK)
    fprintf(stderr, "worker: open: %s\n", error.message);
  return status;
}

static identity_status do_close(char *arguments, worker_answer *answer) {
  (void)arguments, (void)answer;
  identity_session_close(sessions[current]);
  sessions[current] = NULL;
  return IDENTITY_OK;
}

static identity_status told(identity_status status, const identity_error *error, worker_answer *answer) {
  answer->retry_after_ms = error->retry_after_ms;
  return status;
}

static identity_status do_login(char *arguments, worker_answer *answer) {
  identity_error error = {0};
  return told(service_login(sessions[current], arguments, TEST_PASSWORD, &error), &error, answer);
}

static identity_status do_refresh(char *arguments, worker_answer *answer) {
  identity_error error = {0};
  (void)arguments;
  return told(identity_session_refresh(sessions[current], &error), &error, answer);
}

static identity_status do_fetch(char *arguments, worker_answer *answer) {
  identity_error error = {0};
  (void)arguments;
  return told(service_fetch(sessions[current], &error), &error, answer);
}

static identity_status do_logout(char *arguments, worker_answer *answer) {
  identity_error error = {0};
  (void)arguments;
  return told(identity_logout(sessions[current], &error), &error, answer);
}

static void note_jwt(const char *jwt, worker_answer *answer) {
  identity__claims claims;
  if (identity__jwt_claims(jwt, &claims) != IDENTITY__JWT_OK || claims.expires_s < newest_jwt_s)
    answer->went_back++;
  else
    newest_jwt_s = claims.expires_s;
}

static identity_status do_tokens(char *arguments, worker_answer *answer) {
  identity_error error = {0};
  const identity_tokens *tokens = NULL;
  (void)arguments;
  identity_status status = identity_session_tokens(sessions[current], 0, &tokens, &error);
  if (tokens != NULL)
    note_jwt(tokens->jwt, answer);
  identity_tokens_free(tokens);
  return told(status, &error, answer);
}

static identity_status do_state(char *arguments, worker_answer *answer) {
  (void)arguments, (void)answer;
  return IDENTITY_OK;
}

static identity_status do_use(char *arguments, worker_answer *answer) {
  int number = atoi(arguments);
  (void)answer;
  if (number < 0 || number >= MOST_SESSIONS)
    return IDENTITY_BAD_ARGUMENT;
  current = number;
  return IDENTITY_OK;
}

static void count(identity_status status, worker_answer *answer) {
  int32_t class = identity_status_class(status);
  answer->counts[class >= 0 && class < WORKER_CLASSES ? class : IDENTITY_CLASS_BUG]++;
}

static identity_status do_look(char *arguments, worker_answer *answer) {
  int64_t ends = service_now_ms() + atoll(arguments);
  identity_status worst = IDENTITY_OK;
  while (service_now_ms() < ends) {
    (void)do_close(NULL, answer);
    identity_status status = do_open(opened_with[current], answer);
    if (status == IDENTITY_OK)
      status = do_tokens(NULL, answer);
    count(status, answer);
    if (identity_status_class(status) > identity_status_class(worst))
      worst = status;
  }
  return worst;
}

static identity_status do_repeat(char *arguments, worker_answer *answer);

typedef struct word {
  const char *name;
  identity_status (*act)(char *arguments, worker_answer *answer);
} word;

static const word words[] = {
    {"use", do_use},         {"open", do_open},   {"close", do_close},   {"login", do_login},
    {"refresh", do_refresh}, {"fetch", do_fetch}, {"tokens", do_tokens}, {"logout", do_logout},
    {"state", do_state},     {"look", do_look},   {"repeat", do_repeat},
};

static identity_status perform(char *line, worker_answer *answer) {
  char *arguments = line + strcspn(line, " ");
  if (*arguments != '\0')
    *arguments++ = '\0';
  for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
    if (strcmp(words[i].name, line) == 0)
      return words[i].act(arguments, answer);
  return IDENTITY_BAD_ARGUMENT;
}

/* The status is that of the worst class. */
static identity_status do_repeat(char *arguments, worker_answer *answer) {
  char name[WORKER_LINE];
  identity_status worst = IDENTITY_OK;
  int times = atoi(arguments);
  const char *rest = strchr(arguments, ' ');
  for (int i = 0; i < times && rest != NULL; i++) {
    snprintf(name, sizeof name, "%s", rest + 1);
    identity_status status = perform(name, answer);
    count(status, answer);
    if (identity_status_class(status) > identity_status_class(worst))
      worst = status;
  }
  return worst;
}

/* ---- the loop ---- */

static void say(const worker_answer *answer) {
  char line[WORKER_LINE];
  int length = snprintf(line, sizeof line,
                        "%" PRId32 " %" PRId32 " %" PRId32 " %" PRId32 " %" PRId64 " %" PRId64 " %d",
                        answer->status, answer->state, answer->reason, answer->not_persisted,
                        answer->retry_after_ms, answer->took_ms, answer->went_back);
  for (int i = 0; i < WORKER_CLASSES; i++)
    length += snprintf(line + length, sizeof line - (size_t)length, " %d", answer->counts[i]);
  line[length++] = '\n';
  if (write(STDOUT_FILENO, line, (size_t)length) != length)
    _exit(1);
}

static void note_state(worker_answer *answer) {
  const identity_state *state = NULL;
  answer->state = -1;
  if (sessions[current] == NULL || identity_session_state(sessions[current], &state, NULL) != IDENTITY_OK)
    return;
  answer->state = state->state;
  answer->reason = state->reason;
  answer->not_persisted = state->not_persisted;
  identity_state_free(state);
}

static void obey(char *line) {
  worker_answer answer = {0};
  int64_t begun = service_now_ms();
  answer.status = perform(line, &answer);
  answer.took_ms = service_now_ms() - begun;
  note_state(&answer);
  say(&answer);
}

int worker_main(void) {
  char line[WORKER_LINE];
#if defined(PR_SET_PTRACER)
  (void)prctl(PR_SET_PTRACER, PR_SET_PTRACER_ANY, 0, 0, 0); /* a tool may be put on it later */
#endif
  printf("here %d\n", (int)getpid());
  fflush(stdout);
  while (fgets(line, sizeof line, stdin) != NULL) {
    line[strcspn(line, "\n")] = '\0';
    if (strcmp(line, "quit") == 0)
      break;
    obey(line);
  }
  for (int i = 0; i < MOST_SESSIONS; i++)
    identity_session_close(sessions[i]);
  return 0;
}
