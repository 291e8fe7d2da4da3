#include "control.h"

#include "config.h"
#include "consents.h"
#include "routes.h"
#include "server.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

static void refuse(struct sbx_call *call, const struct sbx_problem *problem) {
  sbx_answer_message(call, 400, problem->text);
}

static void answer_done(struct sbx_call *call) {
  cJSON *json = cJSON_CreateObject();
  sbx_answer_plain(call, sbx_json_finish(json, sbx_json_put_flag(json, "ok", true)));
}

static bool read_number(struct sbx_call *call, const char *name, uint64_t *value) {
  const char *text = call->query(call, name);
  if (text == NULL)
    return true;
  if (*text == '\0' || strlen(text) > 18 || text[strspn(text, "0123456789")] != '\0') {
    struct sbx_problem problem = {{0}};
    sbx_problem_say(&problem, name, "must be a whole number");
    refuse(call, &problem);
    return false;
  }
  *value = strtoull(text, NULL, 10);
  return true;
}

static void get_journal(struct sbx_call *call) {
  uint64_t since = 0, limit = SBX_JOURNAL_SIZE;
  if (read_number(call, "since", &since) && read_number(call, "limit", &limit))
    sbx_answer_plain(call, sbx_journal_to_json(&call->service->journal, since, limit));
}

static void get_outbox(struct sbx_call *call) {
  sbx_answer_plain(call, sbx_outbox_to_json(&call->service->model));
}

static void get_customers(struct sbx_call *call) {
  sbx_answer_plain(call, sbx_customers_to_json(call->service));
}

static void get_clock(struct sbx_call *call) {
  const struct sbx_clock *clock = &call->service->clock;
  cJSON *json = cJSON_CreateObject();
  bool ok = sbx_json_put_integer(json, "offset_seconds", clock->offset_seconds) &&
            sbx_json_put_integer(json, "now", sbx_clock_now(clock));
  sbx_answer_plain(call, sbx_json_finish(json, ok));
}

static void put_clock(struct sbx_call *call) {
  static const struct sbx_field fields[] = {
      {"offset_seconds", SBX_INTEGER, true, -253402300799, 253402300799}};
  struct sbx_problem problem = {{0}};
  if (!sbx_shape_check(call->body, "clock", fields, COUNT(fields), &problem)) {
    refuse(call, &problem);
    return;
  }
  if (!sbx_clock_shift(&call->service->clock, sbx_json_integer(call->body, "offset_seconds", 0))) {
    sbx_answer_message(call, 400, "clock: the shifted clock must stay in the years 1970 to 9999");
    return;
  }
  get_clock(call);
}

static void get_settings(struct sbx_call *call) {
  sbx_answer_plain(call, sbx_settings_to_json(&call->service->settings));
}

static void put_settings(struct sbx_call *call) {
  struct sbx_problem problem = {{0}};
  if (sbx_settings_apply(&call->service->settings, call->body, "settings", &problem))
    get_settings(call);
  else
    refuse(call, &problem);
}

static struct sbx_publisher *find_publisher(struct sbx_call *call) {
  struct sbx_publisher *publisher = sbx_publisher_by_id(&call->service->model, call->parameter);
  if (publisher == NULL)
    sbx_answer_message(call, 404, "no such publisher");
  return publisher;
}

/* {"consents": [...]} replaces the definitions, {"versions": {name: version}} raises some of them. */
static void put_consents(struct sbx_call *call) {
  static const struct sbx_field fields[] = {{"consents", SBX_ARRAY, false, 0, 100},
                                            {"versions", SBX_OBJECT, false, 0, 0}};
  struct sbx_problem problem = {{0}};
  struct sbx_publisher *publisher = find_publisher(call);
  if (publisher == NULL)
    return;
  const cJSON *consents = sbx_json_member(call->body, "consents");
  const cJSON *versions = sbx_json_member(call->body, "versions");
  bool ok = sbx_shape_check(call->body, "body", fields, COUNT(fields), &problem);
  if (ok && consents == NULL && versions == NULL)
    ok = sbx_problem_say(&problem, "body", "give \"consents\", \"versions\" or both");
  ok = ok && (consents == NULL || sbx_consents_replace(publisher, consents, "consents", &problem)) &&
       (versions == NULL || sbx_consents_set_versions(publisher, versions, "versions", &problem));
  if (ok)
    answer_done(call);
  else
    refuse(call, &problem);
}

static void put_capture(struct sbx_call *call) {
  struct sbx_problem problem = {{0}};
  struct sbx_publisher *publisher = find_publisher(call);
  if (publisher == NULL)
    return;
  if (sbx_config_capture(publisher, call->body, "capture", &problem))
    answer_done(call);
  else
    refuse(call, &problem);
}

static void put_captcha(struct sbx_call *call) {
  struct sbx_problem problem = {{0}};
  struct sbx_publisher *publisher = find_publisher(call);
  if (publisher == NULL)
    return;
  if (sbx_config_captcha(publisher, call->body, "captcha", &problem))
    answer_done(call);
  else
    refuse(call, &problem);
}

static void get_faults(struct sbx_call *call) {
  sbx_answer_plain(call, sbx_faults_to_json(&call->service->faults));
}

static void post_faults(struct sbx_call *call) {
  struct sbx_problem problem = {{0}};
  if (sbx_faults_add(&call->service->faults, call->body, &problem))
    get_faults(call);
  else
    refuse(call, &problem);
}

static void delete_faults(struct sbx_call *call) {
  sbx_faults_clear(&call->service->faults);
  answer_done(call);
}

static void post_reset(struct sbx_call *call) {
  struct sbx_problem problem = {{0}};
  sbx_server_drop_waiting(call->service->server);
  if (sbx_service_reset(call->service, &problem))
    answer_done(call);
  else
    sbx_answer_message(call, 500, problem.text);
}

static void get_status(struct sbx_call *call) {
  sbx_answer_plain(call, sbx_server_status(call->service->server));
}

static void post_release(struct sbx_call *call) {
  cJSON *json = cJSON_CreateObject();
  unsigned released = sbx_server_release_waiting(call->service->server);
  sbx_answer_plain(call, sbx_json_finish(json, sbx_json_put_integer(json, "released", released)));
}

static void post_close_idle(struct sbx_call *call) {
  cJSON *json = cJSON_CreateObject();
  unsigned closed = sbx_server_close_idle(call->service->server);
  sbx_answer_plain(call, sbx_json_finish(json, sbx_json_put_integer(json, "closed", closed)));
}

struct control {
  const char *method;
  const char *pattern;
  bool needs_body;
  void (*handle)(struct sbx_call *call);
};

static void get_controls(struct sbx_call *call);

static const struct control controls[] = {
    {"GET", "/_sandbox", false, get_controls},
    {"GET", "/_sandbox/status", false, get_status},
    {"GET", "/_sandbox/journal", false, get_journal},
    {"GET", "/_sandbox/outbox", false, get_outbox},
    {"GET", "/_sandbox/customers", false, get_customers},
    {"GET", "/_sandbox/clock", false, get_clock},
    {"PUT", "/_sandbox/clock", true, put_clock},
    {"GET", "/_sandbox/settings", false, get_settings},
    {"PUT", "/_sandbox/settings", true, put_settings},
    {"PUT", "/_sandbox/publishers/{id}/consents", true, put_consents},
    {"PUT", "/_sandbox/publishers/{id}/capture", true, put_capture},
    {"PUT", "/_sandbox/publishers/{id}/captcha", true, put_captcha},
    {"GET", "/_sandbox/faults", false, get_faults},
    {"POST", "/_sandbox/faults", true, post_faults},
    {"DELETE", "/_sandbox/faults", false, delete_faults},
    {"POST", "/_sandbox/release", false, post_release},
    {"POST", "/_sandbox/close-idle", false, post_close_idle},
    {"POST", "/_sandbox/reset", false, post_reset},
};

/* What there is, for someone who looks around with curl. */
static void get_controls(struct sbx_call *call) {
  cJSON *list = cJSON_CreateArray();
  bool ok = list != NULL;
  for (size_t i = 0; ok && i < COUNT(controls); i++) {
    char line[80];
    snprintf(line, sizeof line, "%s %s", controls[i].method, controls[i].pattern);
    ok = sbx_json_append(list, cJSON_CreateString(line));
  }
  cJSON *json = cJSON_CreateObject();
  sbx_answer_plain(call, sbx_json_finish(json, sbx_json_put(json, "controls", sbx_json_finish(list, ok))));
}

void sbx_control_process(struct sbx_call *call) {
  bool known = false;
  for (size_t i = 0; i < COUNT(controls); i++) {
    const struct control *control = &controls[i];
    if (!sbx_path_fits(control->pattern, call->path, call->parameter, sizeof call->parameter))
      continue;
    known = true;
    if (strcmp(control->method, call->method) != 0)
      continue;
    if (control->needs_body && call->body == NULL)
      sbx_answer_message(call, 400, call->has_body ? "the body is not valid JSON" : "a JSON body is needed");
    else
      control->handle(call);
    return;
  }
  sbx_answer_message(call, known ? 405 : 404,
                     known ? "no such method here"
                           : "no such control request: see the README of the service");
}
