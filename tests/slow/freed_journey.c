/* A journey with every kind of secret, run under freed_memory.c: freed_journey BASE_URL CA_FILE STORE_DIRECTORY. With a
 * fourth argument it leaks one on purpose, to show that the watch works. */
#include <identity/identity.h>
#include <identity/server.h>

#include <dirent.h>
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PASSWORD "canary-Passw0rd-1"
#define PUBLISHER_TOKEN "sandbox-publisher-token"

static void (*watch)(const char *secret);
static int failures;

static void expect(const char *what, identity_status got, identity_status wanted) {
  if (got == wanted)
    return;
  fprintf(stderr, "freed_journey: %s: %s, not %s\n", what, identity_status_name(got), identity_status_name(wanted));
  failures++;
}

static void watch_jwt(identity_session *session) {
  const identity_tokens *tokens = NULL;
  expect("tokens", identity_session_tokens(session, 0, &tokens, NULL), IDENTITY_OK);
  if (tokens == NULL)
    return;
  watch(tokens->jwt);
  if (tokens->customer_token != NULL)
    watch(tokens->customer_token);
  identity_tokens_free(tokens);
}

/* Refresh tokens are 64 hexadecimal digits; they stand in the slot's file. */
static void watch_refresh_tokens(const char *directory) {
  static char bytes[1 << 18];
  struct dirent *entry;
  DIR *list = opendir(directory);
  while (list != NULL && (entry = readdir(list)) != NULL) {
    char path[512];
    snprintf(path, sizeof path, "%s/%s", directory, entry->d_name);
    FILE *file = entry->d_name[0] == '.' ? NULL : fopen(path, "rb");
    if (file == NULL)
      continue;
    size_t size = fread(bytes, 1, sizeof bytes - 1, file);
    fclose(file);
    size_t run = 0;
    for (size_t i = 0; i <= size; i++) {
      if (i < size && bytes[i] != '\0' && strchr("0123456789abcdef", bytes[i]) != NULL) {
        run++;
        continue;
      }
      if (run == 64) {
        bytes[i] = '\0';
        watch(bytes + i - 64);
      }
      run = 0;
    }
  }
  if (list != NULL)
    closedir(list);
}

static void sign_up(identity_session *session) {
  const identity_consents *consents = NULL;
  identity_consent_answer answers[8] = {{0}};
  identity_register_params params;
  identity_register_params_init(&params, sizeof params);
  expect("consents", identity_fetch_publisher_consents(session, &consents, NULL), IDENTITY_OK);
  for (uint32_t i = 0; consents != NULL && i < consents->count && i < 8; i++) {
    answers[i].name = consents->items[i]->name;
    answers[i].version = consents->items[i]->version;
    answers[i].accepted = 1;
    params.consent_count = i + 1;
  }
  params.consents = answers;
  params.email = "jo@example.com";
  params.password = PASSWORD;
  params.captcha_value = "canary-captcha-value";
  watch(params.captcha_value);
  expect("register", identity_register(session, &params, NULL), IDENTITY_OK);
  expect("register again", identity_register(session, &params, NULL), IDENTITY_ALREADY_REGISTERED);
  identity_consents_free(consents);
}

static void sign_in(identity_session *session, const char *password, identity_status wanted) {
  identity_login_params params;
  identity_login_params_init(&params, sizeof params);
  params.email = "jo@example.com";
  params.password = password;
  expect("login", identity_login(session, &params, NULL), wanted);
}

static void other_calls(identity_session *session) {
  const identity_customer *customer = NULL;
  const identity_reset_link *link = NULL;
  identity_update_password_params params;
  expect("customer", identity_fetch_customer(session, &customer, NULL), IDENTITY_OK);
  identity_customer_free(customer);
  expect("sso", identity_sso_login(session, PUBLISHER_TOKEN, "jo@example.com", NULL, NULL), IDENTITY_OK);
  expect("parse",
         identity_parse_reset_link("https://x.example/r?resetPasswordToken=canary-reset-token&email=jo%40example.com",
                                   &link, NULL),
         IDENTITY_OK);
  watch("canary-reset-token");
  identity_update_password_params_init(&params, sizeof params);
  params.reset_token = link->reset_token;
  params.email = link->email;
  params.new_password = "canary-N3w-password";
  watch(params.new_password);
  expect("update password", identity_update_password(session, &params, NULL), IDENTITY_RESET_TOKEN_INVALID);
  identity_reset_link_free(link);
}

static identity_session *open_session(char *const arguments[]) {
  identity_session *session = NULL;
  identity_error error;
  identity_config *config = identity_config_new("123456789");
  identity_config_set_base_url(config, arguments[1]);
  identity_config_set_ca_file(config, arguments[2]);
  identity_config_set_file_store(config, arguments[3]);
  if (identity_session_open(config, "viewer", &session, &error) != IDENTITY_OK)
    fprintf(stderr, "freed_journey: open: %s\n", error.message);
  identity_config_free(config);
  return session;
}

/* NOLINT: through a pointer, so that the compiler does not see the free and warn. */
static void leak_on_purpose(void) {
  void (*result_free)(const identity_locale *) = identity_locale_free;
  char *block = malloc(64);
  if (block == NULL)
    return;
  memcpy(block, PASSWORD, sizeof PASSWORD);
  result_free((const identity_locale *)(const void *)block);
}

int main(int count, char **arguments) {
  *(void **)&watch = dlsym(RTLD_DEFAULT, "freed_memory_watch");
  long (*checked)(void);
  int (*found)(void);
  *(void **)&checked = dlsym(RTLD_DEFAULT, "freed_memory_checked");
  *(void **)&found = dlsym(RTLD_DEFAULT, "freed_memory_found");
  if (count < 4 || watch == NULL || checked == NULL || found == NULL)
    return 2;
  identity_session *session = open_session(arguments);
  if (session == NULL)
    return 1;
  watch(PASSWORD);
  watch(PUBLISHER_TOKEN);
  sign_up(session);
  for (int i = 0; i < 3; i++) {
    watch_jwt(session);
    watch_refresh_tokens(arguments[3]);
    expect("refresh", identity_session_refresh(session, NULL), IDENTITY_OK);
  }
  other_calls(session);
  identity_session_close(session);
  session = open_session(arguments); /* from the file */
  expect("refresh", identity_session_refresh(session, NULL), IDENTITY_OK);
  sign_in(session, PASSWORD, IDENTITY_OK);
  sign_in(session, "canary-wrong-Passw0rd-1", IDENTITY_WRONG_CREDENTIALS);
  expect("logout", identity_logout(session, NULL), IDENTITY_OK);
  identity_session_close(session);
  if (count > 4)
    leak_on_purpose();
  printf("freed memory: %ld blocks of ours and cJSON's checked, %d with a secret\n", checked(), found());
  return failures > 0 || found() > 0 || checked() < 100;
}
