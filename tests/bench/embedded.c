/* What a box does with this library, and no more: library_size.sh links it with the archive, and looks at
 * what of the library has come along. */
#include <identity/identity.h>

#include <stdio.h>

static identity_status sign_in(identity_session *session, const char *email, const char *password,
                               identity_error *error) {
  identity_login_params params;
  identity_login_params_init(&params, sizeof params);
  params.email = email;
  params.password = password;
  return identity_login(session, &params, error);
}

static identity_status show(identity_session *session, identity_error *error) {
  const identity_tokens *tokens = NULL;
  const identity_customer *customer = NULL;
  identity_status status = identity_session_tokens(session, 60000, &tokens, error);
  if (status == IDENTITY_OK)
    status = identity_fetch_customer(session, &customer, error);
  if (status == IDENTITY_OK)
    (void)printf("%s: %s\n", tokens->customer_id, customer->email);
  identity_tokens_free(tokens);
  identity_customer_free(customer);
  return status;
}

int main(int argc, char **argv) {
  identity_session *session = NULL;
  identity_error error;
  if (argc != 5)
    return 2;
  identity_config *config = identity_config_new(argv[1]);
  (void)identity_config_set_environment(config, IDENTITY_SANDBOX);
  (void)identity_config_set_file_store(config, argv[2]);
  identity_status status = identity_session_open(config, "viewer", &session, &error);
  identity_config_free(config);
  if (status == IDENTITY_OK)
    status = sign_in(session, argv[3], argv[4], &error);
  if (status == IDENTITY_OK)
    status = show(session, &error);
  if (status != IDENTITY_OK)
    (void)fprintf(stderr, "%s\n", error.message);
  identity_session_close(session);
  return status != IDENTITY_OK;
}
