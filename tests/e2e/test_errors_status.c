/* Answers nobody has documented: the HTTP status and the shape of the body decide. */
#include "support/kinds.h"
#include "support/stage.h"

#define HTML "<!DOCTYPE html><html><body>Welcome to the hotel</body></html>"
#define NEW "{\"errors\":[\"Something new\"]}"
#define MESSAGE "{\"message\":\"Something new\"}"
/* A wait that outlasts the call: a GET is then not asked again. */
#define LATER "{\"Retry-After\":\"3600\"}"

static void play_all(const answer_row *rows, size_t count) {
  players who;
  players_enter(&who, &server);
  for (size_t i = 0; i < count; i++)
    players_play(&who, &rows[i]);
  players_leave(&who);
}

/* The same answer with each of several statuses. */
static void play_statuses(const answer_row *row, const int *statuses, size_t count) {
  players who;
  players_enter(&who, &server);
  for (size_t i = 0; i < count; i++) {
    answer_row one = *row;
    one.http = statuses[i];
    players_play(&who, &one);
  }
  players_leave(&who);
}

static void other_refusals_are_for_the_input_if_there_is_any(void **state) {
  static const int statuses[] = {400, 401, 402, 403, 406, 409, 411, 412, 413, 414,
                                 415, 416, 417, 418, 421, 422, 423, 424, 426, 428};
  static const answer_row list = {0, NEW, NULL, NULL, BY_INPUT(IDENTITY_NOT_ALLOWED, IDENTITY_REFUSED)};
  static const answer_row rows[] = {
      {400, MESSAGE, NULL, NULL, BY_INPUT(IDENTITY_NOT_ALLOWED, IDENTITY_REFUSED)},
      {403, MESSAGE, NULL, NULL, BY_INPUT(IDENTITY_NOT_ALLOWED, IDENTITY_REFUSED)},
      {422, "{}", NULL, NULL, BY_INPUT(IDENTITY_NOT_ALLOWED, IDENTITY_REFUSED)},
      {422, "[]", NULL, NULL, BY_INPUT(IDENTITY_NOT_ALLOWED, IDENTITY_REFUSED)},
      {422, "{\"errors\":null,\"responseData\":[],\"code\":7}", NULL, NULL,
       BY_INPUT(IDENTITY_NOT_ALLOWED, IDENTITY_REFUSED)},
      {418, "{\"errors\":[\"x\"],\"code\":\"NEW0001\"}", NULL, "NEW0001",
       BY_INPUT(IDENTITY_NOT_ALLOWED, IDENTITY_REFUSED)},
      {404, "{\"errors\":[\"x\"],\"code\":\"NEW0001\"}", NULL, "NEW0001",
       BY_INPUT(IDENTITY_NOT_ALLOWED, IDENTITY_REFUSED)},
  };
  (void)state;
  play_statuses(&list, statuses, ROWS(statuses));
  service_reset(&server);
  play_all(rows, ROWS(rows));
}

static void a_place_that_is_gone_wants_another_version_of_the_app(void **state) {
  static const answer_row rows[] = {
      {404, NEW, NULL, NULL, ALIKE(IDENTITY_ENDPOINT_GONE, NULL)},
      {404, MESSAGE, NULL, NULL, ALIKE(IDENTITY_ENDPOINT_GONE, NULL)},
      {404, "{}", NULL, NULL, ALIKE(IDENTITY_ENDPOINT_GONE, NULL)},
      {405, MESSAGE, NULL, NULL, ALIKE(IDENTITY_ENDPOINT_GONE, NULL)},
      {410, NEW, NULL, NULL, ALIKE(IDENTITY_ENDPOINT_GONE, NULL)},
  };
  (void)state;
  play_all(rows, ROWS(rows));
}

static void html_instead_of_json_is_not_the_service(void **state) {
  static const int statuses[] = {200, 201, 203, 400, 401, 403, 404, 405, 410, 418, 422};
  static const answer_row html = {0, HTML, NULL, NULL,
                                  BY_OUTCOME(IDENTITY_NOT_THE_SERVICE, IDENTITY_OUTCOME_UNKNOWN)};
  static const answer_row rows[] = {
      {200, "{\"responseData\":{", NULL, NULL,
       BY_OUTCOME(IDENTITY_NOT_THE_SERVICE, IDENTITY_OUTCOME_UNKNOWN)},
      {200, "OK", NULL, NULL, BY_OUTCOME(IDENTITY_NOT_THE_SERVICE, IDENTITY_OUTCOME_UNKNOWN)},
      {200, "{\"a\":1} trailing", NULL, NULL, BY_OUTCOME(IDENTITY_NOT_THE_SERVICE, IDENTITY_OUTCOME_UNKNOWN)},
      {200, "{\"jwt\":\"a\",\"jwt\":\"b\"}", NULL, NULL,
       BY_OUTCOME(IDENTITY_NOT_THE_SERVICE, IDENTITY_OUTCOME_UNKNOWN)},
      {200, " ", NULL, NULL, BY_OUTCOME(IDENTITY_NOT_THE_SERVICE, IDENTITY_OUTCOME_UNKNOWN)},
      {511, HTML, NULL, NULL, ALIKE(IDENTITY_NOT_THE_SERVICE, NULL)}, /* a portal: certainly not processed */
      {511, MESSAGE, NULL, NULL, ALIKE(IDENTITY_NOT_THE_SERVICE, NULL)},
  };
  (void)state;
  play_statuses(&html, statuses, ROWS(statuses));
  service_reset(&server);
  play_all(rows, ROWS(rows));
}

static void an_empty_body_is_no_json_either(void **state) {
  static const verdict empty_401[KINDS] = {{IDENTITY_NOT_THE_SERVICE, NULL},
                                           {IDENTITY_NOT_ALLOWED, NULL},
                                           {IDENTITY_NOT_THE_SERVICE, NULL},
                                           {IDENTITY_OUTCOME_UNKNOWN, NULL},
                                           {IDENTITY_OUTCOME_UNKNOWN, NULL}};
  static const int statuses[] = {400, 404, 405, 409, 410, 422};
  static const answer_row empty = {0, NULL, NULL, NULL,
                                   BY_OUTCOME(IDENTITY_NOT_THE_SERVICE, IDENTITY_OUTCOME_UNKNOWN)};
  static const answer_row good = {200,
                                  NULL,
                                  NULL,
                                  NULL,
                                  {{NOT_TRIED, NULL},
                                   {NOT_TRIED, NULL},
                                   {NOT_TRIED, NULL},
                                   {IDENTITY_OUTCOME_UNKNOWN, NULL},
                                   {IDENTITY_OK, NULL}}}; /* a new password needs no answer */
  (void)state;
  play_statuses(&empty, statuses, ROWS(statuses));
  service_reset(&server);
  answer_row refused = {401, NULL, NULL, NULL, {{0, NULL}}}; /* a gateway's word on the JWT */
  memcpy(refused.wanted, empty_401, sizeof refused.wanted);
  play_all(&refused, 1);
  service_reset(&server);
  play_all(&good, 1);
}

static void a_redirect_is_not_followed(void **state) {
  static const int statuses[] = {300, 301, 302, 303, 307, 308};
  char headers[120];
  (void)state;
  snprintf(headers, sizeof headers, "{\"Location\":\"%s/locales\"}", server.base_url);
  const answer_row html = {0, HTML, headers, NULL,
                           BY_OUTCOME(IDENTITY_NOT_THE_SERVICE, IDENTITY_OUTCOME_UNKNOWN)};
  const answer_row empty = {0, NULL, headers, NULL,
                            BY_OUTCOME(IDENTITY_NOT_THE_SERVICE, IDENTITY_OUTCOME_UNKNOWN)};
  const answer_row json = {0, "{}", headers, NULL,
                           BY_OUTCOME(IDENTITY_NOT_THE_SERVICE, IDENTITY_OUTCOME_UNKNOWN)};
  play_statuses(&html, statuses, ROWS(statuses));
  service_reset(&server);
  play_statuses(&empty, statuses, ROWS(statuses));
  service_reset(&server);
  play_statuses(&json, statuses, ROWS(statuses));
  probe_sent(&server, "GET", "/locales", 1); /* the one of the registration */
}

static void a_failing_service_is_tried_later_unless_the_outcome_matters(void **state) {
  static const int statuses[] = {408, 500, 501, 502, 504, 505, 507, 520, 522, 524, 529, 530, 599};
  static const char *const bodies[] = {HTML, NULL, MESSAGE, NEW,
                                       "{\"errors\":[\"Wrong email or password\"]}"};
  (void)state;
  for (size_t i = 0; i < ROWS(bodies); i++) {
    const answer_row row = {0, bodies[i], LATER, NULL,
                            BY_OUTCOME(IDENTITY_SERVICE_FAILED, IDENTITY_OUTCOME_UNKNOWN)};
    service_reset(&server);
    play_statuses(&row, statuses + (i == 0 ? 0 : 1 + i), i == 0 ? ROWS(statuses) : 2);
  }
}

static void a_service_that_is_away_or_busy_has_done_nothing(void **state) {
  static const answer_row rows[] = {
      {503, HTML, LATER, NULL, ALIKE(IDENTITY_SERVICE_FAILED, NULL)},
      {503, NULL, LATER, NULL, ALIKE(IDENTITY_SERVICE_FAILED, NULL)},
      {503, NEW, LATER, NULL, ALIKE(IDENTITY_SERVICE_FAILED, NULL)},
      {429, NULL, NULL, NULL, ALIKE(IDENTITY_THROTTLED, NULL)},
      {429, HTML, NULL, NULL, ALIKE(IDENTITY_THROTTLED, NULL)},
      {429, MESSAGE, NULL, NULL, ALIKE(IDENTITY_THROTTLED, NULL)},
      {429, NEW, NULL, NULL, ALIKE(IDENTITY_THROTTLED, NULL)},
      {425, MESSAGE, NULL, NULL, ALIKE(IDENTITY_THROTTLED, NULL)},
      {407, HTML, NULL, NULL, ALIKE(IDENTITY_PROXY_AUTH, NULL)},
      {407, NULL, NULL, NULL, ALIKE(IDENTITY_PROXY_AUTH, NULL)},
  };
  (void)state;
  play_all(rows, ROWS(rows));
}

static void a_code_of_the_services_own_failures_is_one_whatever_the_status(void **state) {
  static const answer_row rows[] = {
      {500, "{\"errors\":[\"Internal Server Error\"],\"code\":\"S0001\"}", LATER, "S0001",
       BY_OUTCOME(IDENTITY_SERVICE_FAILED, IDENTITY_OUTCOME_UNKNOWN)},
      {500, "{\"errors\":[\"Internal Server Error\"],\"code\":\"S123456\"}", LATER, "S123456",
       BY_OUTCOME(IDENTITY_SERVICE_FAILED, IDENTITY_OUTCOME_UNKNOWN)},
      {400, "{\"errors\":[\"Internal Server Error\"],\"code\":\"S0001\"}", LATER, "S0001",
       BY_OUTCOME(IDENTITY_SERVICE_FAILED, IDENTITY_OUTCOME_UNKNOWN)},
  };
  (void)state;
  play_all(rows, ROWS(rows));
}

static void a_success_without_what_the_call_needs_wants_another_version_of_the_app(void **state) {
  static const char *const bodies[] = {"{}",
                                       "{\"responseData\":null,\"errors\":[]}",
                                       "{\"responseData\":{},\"errors\":[]}",
                                       "{\"responseData\":[]}",
                                       "{\"responseData\":\"x\"}",
                                       "{\"success\":true}"};
  (void)state;
  for (size_t i = 0; i < ROWS(bodies); i++) {
    const answer_row row = {200,
                            bodies[i],
                            NULL,
                            NULL,
                            {{NOT_TRIED, NULL},
                             {NOT_TRIED, NULL},
                             {NOT_TRIED, NULL},
                             {NOT_TRIED, NULL},
                             {IDENTITY_OK, NULL}}}; /* a new password needs nothing */
    service_reset(&server);
    play_all(&row, 1);
    service_reset(&server);
    players who;
    players_enter(&who, &server);
    for (int which = 0; which < KIND_PASSWORD; which++) {
      identity_error error;
      probe_answer(&server, kinds[which].method, kinds[which].path, 200, bodies[i], NULL);
      (void)kinds[which].run(which == KIND_AUTHORISED ? who.customer : who.visitor, &error);
      probe_status(bodies[i], &error, IDENTITY_UNEXPECTED_ANSWER, NULL);
    }
    players_leave(&who);
  }
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test_setup(other_refusals_are_for_the_input_if_there_is_any, reset),
    cmocka_unit_test_setup(a_place_that_is_gone_wants_another_version_of_the_app, reset),
    cmocka_unit_test_setup(html_instead_of_json_is_not_the_service, reset),
    cmocka_unit_test_setup(an_empty_body_is_no_json_either, reset),
    cmocka_unit_test_setup(a_redirect_is_not_followed, reset),
    cmocka_unit_test_setup(a_failing_service_is_tried_later_unless_the_outcome_matters, reset),
    cmocka_unit_test_setup(a_service_that_is_away_or_busy_has_done_nothing, reset),
    cmocka_unit_test_setup(a_code_of_the_services_own_failures_is_one_whatever_the_status, reset),
    cmocka_unit_test_setup(a_success_without_what_the_call_needs_wants_another_version_of_the_app, reset),
};

SUITE_WITH("errors_status", tests, start, stop)
