/* A session with a loop of its own, and calls that block: alone BASE_URL CA_FILE EMAIL PASSWORD. Says what
 * there is to show next. */
#include <identity/identity.h>
#include <stdio.h>

static int fail(const char *what, const identity_error *error) {
  fprintf(stderr, "%s: %s: %s\n", what, identity_status_name(error->status), error->message);
  return 1;
}

static int journey(identity_session *session, const char *email, const char *password) {
  identity_error error = {0};
  const identity_next_step *next = NULL;
  identity_login_params params;
  identity_login_params_init(&params, sizeof params);
  params.email = email;
  params.password = password;
  if (identity_login(session, &params, &error) != IDENTITY_OK)
    return fail("login", &error);
  if (identity_fetch_next_step(session, &next, &error) != IDENTITY_OK)
    return fail("next step", &error);
  printf("step %d\n", (int)next->step);
  identity_next_step_free(next);
  return 0;
}

int main(int argc, char **argv) {
  identity_error error = {0};
  identity_session *session = NULL;
  if (argc != 5) {
    fprintf(stderr, "usage: %s BASE_URL CA_FILE EMAIL PASSWORD\n", argv[0]);
    return 2;
  }
  identity_config *config = identity_config_new("123456789");
  identity_config_set_base_url(config, argv[1]);
  identity_config_set_ca_file(config, argv[2]);
  identity_status status = identity_session_open(config, "viewer", &session, &error);
  identity_config_free(config);
  if (status != IDENTITY_OK)
    return fail("open", &error);
  int result = journey(session, argv[3], argv[4]);
  identity_session_close(session);
  return result;
}
