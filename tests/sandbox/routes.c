#include "routes.h"

#include "handlers.h"
#include "rules.h"
#include "sessions.h"
#include "text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum need { NOTHING = 0, JWT = 1, BODY = 2 };

struct route {
  const char *method;
  const char *pattern;
  unsigned needs;
  enum sbx_refusal bad_body;
  void (*handle)(struct sbx_call *call);
};

/* The first pattern that fits a path decides, so fixed paths stand above those with a parameter. */
static const struct route routes[] = {
    {"GET", "/locales", NOTHING, SBX_INVALID_BODY, sbx_handle_locales},
    {"GET", "/publishers/{publisher}/consents", NOTHING, SBX_INVALID_BODY, sbx_handle_publisher_consents},
    {"POST", "/customers", BODY, SBX_INVALID_BODY, sbx_handle_register},
    {"POST", "/auths", BODY, SBX_INVALID_BODY, sbx_handle_login},
    {"POST", "/auths/refresh_token", BODY, SBX_BAD_REFRESH_BODY, sbx_handle_refresh},
    {"DELETE", "/refresh_tokens", JWT, SBX_INVALID_BODY, sbx_handle_revoke},
    {"POST", "/sso/auths", BODY, SBX_INVALID_BODY, sbx_handle_sso_login},
    {"GET", "/.well-known/jwks.json", NOTHING, SBX_INVALID_BODY, sbx_handle_key_set},
    {"PUT", "/customers/passwords", BODY, SBX_INVALID_BODY, sbx_handle_reset_password},
    {"PATCH", "/customers/passwords", BODY, SBX_INVALID_BODY, sbx_handle_update_password},
    {"GET", "/customers/{customer}", JWT, SBX_INVALID_BODY, sbx_handle_customer},
    {"PATCH", "/customers/{customer}", JWT | BODY, SBX_INVALID_BODY, sbx_handle_update_customer},
    {"GET", "/customers/{customer}/consents", JWT, SBX_INVALID_BODY, sbx_handle_customer_consents},
    {"PUT", "/customers/{customer}/consents", JWT | BODY, SBX_INVALID_BODY, sbx_handle_update_consents},
    {"GET", "/customers/{customer}/capture/status", JWT, SBX_INVALID_BODY, sbx_handle_capture_status},
    {"PUT", "/customers/{customer}/capture", JWT | BODY, SBX_INVALID_BODY, sbx_handle_capture_answers},
};

#define ROUTE_COUNT (sizeof routes / sizeof routes[0])

static bool is_wild(const char *segment, size_t length) {
  return (length == 1 && *segment == '*') || (length > 2 && *segment == '{');
}

bool sbx_path_fits(const char *pattern, const char *path, char *captured, size_t capacity) {
  while (*pattern == '/' && *path == '/') {
    pattern++;
    path++;
    size_t pattern_length = strcspn(pattern, "/"), path_length = strcspn(path, "/");
    if (is_wild(pattern, pattern_length)) {
      if (path_length == 0 || path_length >= capacity)
        return false;
      memcpy(captured, path, path_length);
      captured[path_length] = '\0';
    } else if (pattern_length != path_length || memcmp(pattern, path, path_length) != 0) {
      return false;
    }
    pattern += pattern_length;
    path += path_length;
  }
  return *pattern == '\0' && *path == '\0';
}

static void list_methods(struct sbx_call *call, const char *pattern) {
  size_t used = 0;
  for (size_t i = 0; i < ROUTE_COUNT; i++) {
    if (strcmp(routes[i].pattern, pattern) != 0)
      continue;
    int length = snprintf(call->allow + used, sizeof call->allow - used, "%s%s", used == 0 ? "" : ", ",
                          routes[i].method);
    used += (size_t)length;
  }
}

/* Unknown path: what a gateway in front of the service would say (contract 1.2). */
static const struct route *find_route(struct sbx_call *call) {
  const char *pattern = NULL;
  for (size_t i = 0; i < ROUTE_COUNT; i++) {
    const struct route *route = &routes[i];
    if (pattern == NULL && sbx_path_fits(route->pattern, call->path, call->parameter, sizeof call->parameter))
      pattern = route->pattern;
    if (pattern != NULL && strcmp(pattern, route->pattern) == 0 && strcmp(route->method, call->method) == 0)
      return route;
  }
  if (pattern == NULL) {
    sbx_answer_message(call, 404, "Not Found");
    return NULL;
  }
  list_methods(call, pattern);
  sbx_answer_message(call, 405, "Method Not Allowed");
  return NULL;
}

/* The path must be the JWT's own customer (openapi.yaml, CustomerIdPath). */
static bool authorise(struct sbx_call *call, const struct route *route) {
  bool has_customer = strstr(route->pattern, "{customer}") != NULL;
  if (has_customer && !sbx_text_is_digits(call->parameter)) {
    sbx_refuse(call, SBX_BAD_PATH);
    return false;
  }
  if (!sbx_session_authorise(call))
    return false;
  if (has_customer && strtoll(call->parameter, NULL, 10) != call->customer->id) {
    sbx_refuse(call, SBX_FOREIGN_CUSTOMER);
    return false;
  }
  if (call->as_customer != 0 && strcmp(call->method, "GET") == 0) {
    struct sbx_customer *other = sbx_customer_by_id(&call->service->model, call->as_customer);
    call->customer = other == NULL ? call->customer : other;
  }
  return true;
}

void sbx_routes_process(struct sbx_call *call) {
  const struct route *route = find_route(call);
  if (route == NULL)
    return;
  if ((route->needs & JWT) != 0 && !authorise(call, route))
    return;
  if ((route->needs & BODY) != 0 && !cJSON_IsObject(call->body)) {
    sbx_refuse(call, route->bad_body);
    return;
  }
  route->handle(call);
  call->customer = NULL;
}
