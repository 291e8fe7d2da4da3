#include "support/kinds.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

static identity_status run_public(identity_session *session, identity_error *error) {
  const identity_consents *consents = NULL;
  identity_status status = identity_fetch_publisher_consents(session, &consents, error);
  assert_true((consents == NULL) == (status != IDENTITY_OK));
  identity_consents_free(consents);
  return status;
}

static identity_status run_authorised(identity_session *session, identity_error *error) {
  const identity_customer *customer = NULL;
  identity_status status = identity_fetch_customer(session, &customer, error);
  assert_true((customer == NULL) == (status != IDENTITY_OK));
  identity_customer_free(customer);
  return status;
}

static identity_status run_login(identity_session *session, identity_error *error) {
  return service_login(session, "mo@example.com", TEST_PASSWORD, error);
}

static identity_status run_register(identity_session *session, identity_error *error) {
  identity_register_params params = probe_register_params("mo@example.com");
  params.locale = "en_US";
  params.country = "US";
  params.currency = "USD";
  return identity_register(session, &params, error);
}

static identity_status run_password(identity_session *session, identity_error *error) {
  identity_update_password_params params;
  identity_update_password_params_init(&params, sizeof params);
  params.reset_token = "0123456789abcdef";
  params.new_password = TEST_PASSWORD;
  params.email = "mo@example.com";
  return identity_update_password(session, &params, error);
}

const call_kind kinds[KINDS] = {
    [KIND_PUBLIC] = {"publisher consents", "GET", "/publishers/*/consents", run_public},
    [KIND_AUTHORISED] = {"customer", "GET", "/customers/*", run_authorised},
    [KIND_LOGIN] = {"login", "POST", "/auths", run_login},
    [KIND_REGISTER] = {"register", "POST", "/customers", run_register},
    [KIND_PASSWORD] = {"update password", "PATCH", "/customers/passwords", run_password},
};

void players_enter(players *who, service *server) {
  who->server = server;
  who->customer = service_open(server, "customer");
  who->visitor = service_open(server, "visitor");
  service_register(who->customer, "jo@example.com");
}

void players_leave(players *who) {
  probe_reason(who->customer, IDENTITY_STATE_ACTIVE, IDENTITY_REASON_NONE);
  probe_reason(who->visitor, IDENTITY_STATE_SIGNED_OUT, IDENTITY_REASON_NEVER_SIGNED_IN);
  probe_sent(who->server, "POST", "/auths/refresh_token", 0);
  service_clear_faults(who->server);
  identity_session_close(who->visitor);
  identity_session_close(who->customer);
}

void kinds_fill(char *body, size_t size, const char *shape, const char *text, const char *code) {
  size_t used = 0;
  for (; *shape != '\0'; shape++) {
    char one[2] = {*shape, '\0'};
    const char *piece = *shape == '@' ? text : *shape == '#' ? code : one;
    assert_true(used + strlen(piece) < size);
    memcpy(body + used, piece, strlen(piece));
    used += strlen(piece);
  }
  body[used] = '\0';
}

static void play_kind(const players *who, const answer_row *row, int which) {
  char what[600];
  identity_error error;
  const call_kind *kind = &kinds[which];
  const expected wanted = {row->wanted[which].status, row->http, row->wanted[which].field, row->code};
  identity_session *session = which == KIND_AUTHORISED ? who->customer : who->visitor;
  int before = service_count(who->server, kind->method, kind->path, -1);
  probe_answer(who->server, kind->method, kind->path, row->http, row->body, row->headers);
  identity_status status = kind->run(session, &error);
  assert_int_equal(status, error.status);
  snprintf(what, sizeof what, "%s, HTTP %d %.400s", kind->name, row->http,
           row->body != NULL ? row->body : "(empty)");
  if (wanted.status == IDENTITY_OK)
    probe_status(what, &error, IDENTITY_OK, NULL);
  else
    probe_error(what, &error, &wanted);
  assert_int_equal(service_count(who->server, kind->method, kind->path, -1) - before, 1);
}

void players_play(const players *who, const answer_row *row) {
  for (int which = 0; which < KINDS; which++)
    if (row->wanted[which].status != NOT_TRIED)
      play_kind(who, row, which);
}
