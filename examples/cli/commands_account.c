/* SPDX-License-Identifier: MIT
 *
 * customer, update-customer, reset-password, set-password.
 */
#include "cli.h"

identity_status customer_perform(struct run *run) {
  const identity_customer *customer = NULL;
  identity_status status = CALL(run, identity_fetch_customer(run->session, &customer, &run->error));
  if (status != IDENTITY_OK)
    return status;
  status = run->json ? give_json(run, json_customer(customer)) : shown(run, show_customer(customer));
  identity_customer_free(customer);
  return status;
}

identity_status update_customer_check(struct run *run) {
  bool any = false;
  for (int id = GLOBAL_OPTION_COUNT; id < OPTION_COUNT; id++)
    any = any || option_given(run, (enum option_id)id);
  if (!any)
    return usage_error(run, "update-customer needs at least one option, e.g. --first-name N");
  return IDENTITY_OK;
}

identity_status update_customer_perform(struct run *run) {
  const char *const *value = run->arguments.value;
  identity_update_customer_params params;
  identity_status status = IDENTITY_OK;
  if (option_given(run, OPTION_EMAIL))
    status = secret_read_line(run, "current password", &run->password);
  if (status != IDENTITY_OK)
    return status;
  identity_update_customer_params_init(&params, sizeof params);
  params.first_name = value[OPTION_FIRST_NAME];
  params.last_name = value[OPTION_LAST_NAME];
  params.country = value[OPTION_COUNTRY];
  params.locale = value[OPTION_LOCALE];
  params.external_data = value[OPTION_EXTERNAL_DATA];
  params.email = value[OPTION_EMAIL];
  params.confirmation_password = run->password.text;
  status = CALL(run, identity_update_customer(run->session, &params, &run->error));
  return status != IDENTITY_OK ? status : give_state(run, "Saved.");
}

identity_status reset_password_perform(struct run *run) {
  identity_status status =
      CALL(run, identity_request_password_reset(run->session, run->arguments.value[OPTION_EMAIL],
                                                run->arguments.value[OPTION_RESET_URL], &run->error));
  if (status == IDENTITY_OK && !run->json)
    puts("The service mails a link for a new password. Use it with: " PROGRAM " set-password --link-stdin");
  return status;
}

identity_status set_password_check(struct run *run) {
  const bool by_link = option_given(run, OPTION_LINK_STDIN);
  if (by_link == option_given(run, OPTION_TOKEN_STDIN))
    return usage_error(run, "set-password needs either --link-stdin or --token-stdin");
  if (by_link && option_given(run, OPTION_EMAIL))
    return usage_error(run, "--email goes with --token-stdin only: the link names the e-mail address");
  if (!by_link && !option_given(run, OPTION_EMAIL))
    return usage_error(run, "--token-stdin needs --email E");
  return IDENTITY_OK;
}

/* Where the new password goes: from the link, or from the token and --email. */
static identity_status read_proof(struct run *run, const identity_reset_link **link,
                                  identity_update_password_params *params) {
  const bool by_link = option_given(run, OPTION_LINK_STDIN);
  identity_status status = secret_read_line(run, by_link ? "reset link" : "reset token", &run->proof);
  if (status == IDENTITY_OK)
    status = secret_read_line(run, "new password", &run->password);
  if (status != IDENTITY_OK)
    return status;
  params->new_password = run->password.text;
  params->reset_token = run->proof.text;
  params->email = run->arguments.value[OPTION_EMAIL];
  if (!by_link)
    return IDENTITY_OK;
  status = identity_parse_reset_link(run->proof.text, link, &run->error);
  if (status != IDENTITY_OK)
    return status;
  params->reset_token = (*link)->reset_token;
  params->email = (*link)->email;
  params->publisher_id = (*link)->publisher_id;
  return IDENTITY_OK;
}

identity_status set_password_perform(struct run *run) {
  const identity_reset_link *link = NULL;
  identity_update_password_params params;
  identity_update_password_params_init(&params, sizeof params);
  identity_status status = read_proof(run, &link, &params);
  if (status == IDENTITY_OK)
    status = CALL(run, identity_update_password(run->session, &params, &run->error));
  identity_reset_link_free(link);
  return status != IDENTITY_OK ? status : give_state(run, "The new password is set. Log in with it.");
}
