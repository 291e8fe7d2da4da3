/* From the JSON of a fault to the fault. */
#include "faults.h"

#include "json.h"

#include <microhttpd.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define DAY_MS 86400000
/* 64 KiB is what clients should bear; the pool that an answer's headers live in has room for this much. */
#define BIG_HEADER_LIMIT 200000
#define ANY_SIZE 9007199254740991

static const struct sbx_field fields[] = {
    {"method", SBX_TEXT, false, 1, 16},
    {"path", SBX_TEXT, false, 1, 200},
    {"times", SBX_INTEGER, false, -1, 1000000000},
    {"skip", SBX_INTEGER, false, 0, 1000000000},
    {"percent", SBX_INTEGER, false, 0, 100},
    {"reused_only", SBX_FLAG, false, 0, 0},
    {"after", SBX_FLAG, false, 0, 0},
    {"delay_ms", SBX_INTEGER, false, 0, DAY_MS},
    {"hang", SBX_FLAG, false, 0, 0},
    {"drop", SBX_TEXT, false, 1, 8},
    {"abort", SBX_FLAG, false, 0, 0},
    {"as_customer", SBX_INTEGER, false, 1, ANY_SIZE},
    {"status", SBX_INTEGER, false, 200, 599},
    {"headers", SBX_OBJECT, false, 0, 0},
    {"body", SBX_ANY, false, 0, 0},
    {"omit", SBX_ARRAY, false, 1, 50},
    {"set", SBX_OBJECT, false, 0, 0},
    {"claims", SBX_OBJECT, false, 0, 0},
    {"content_encoding", SBX_TEXT, false, 1, 40},
    {"big_header", SBX_INTEGER, false, 1, BIG_HEADER_LIMIT},
    {"big_body", SBX_INTEGER, false, 1, ANY_SIZE},
    {"cut_body_at", SBX_INTEGER, false, 0, ANY_SIZE},
    {"bytes_per_second", SBX_INTEGER, false, 1, 1000000000},
    {"chunked", SBX_FLAG, false, 0, 0},
};

/* libmicrohttpd itself judges what is a header, on a trial answer. Content-Length and Transfer-Encoding
 * belong to it. */
static bool check_headers(const cJSON *headers, const char *where, struct sbx_problem *problem) {
  struct MHD_Response *trial = MHD_create_response_from_buffer(0, NULL, MHD_RESPMEM_PERSISTENT);
  const cJSON *header = NULL;
  bool ok = trial != NULL;
  cJSON_ArrayForEach(header, headers) {
    bool ours = strcasecmp(header->string, "Content-Length") == 0 ||
                strcasecmp(header->string, "Transfer-Encoding") == 0;
    bool good = cJSON_IsNull(header) || (cJSON_IsString(header) &&
                                         MHD_add_response_header(trial, header->string, header->valuestring));
    ok = ok && good && !ours;
  }
  if (trial != NULL)
    MHD_destroy_response(trial);
  return ok ||
         sbx_problem_say(problem, where,
                         "\"headers\" must map header names to a string, or to null to leave one out; not "
                         "Content-Length or Transfer-Encoding");
}

static bool read_drop(struct sbx_fault *fault, const char *where, struct sbx_problem *problem) {
  const char *drop = sbx_json_text(fault->definition, "drop");
  if (drop == NULL)
    return !fault->abort || sbx_problem_say(problem, where, "\"abort\" goes with \"drop\"");
  if (strcmp(drop, "before") == 0)
    fault->drop = SBX_DROP_BEFORE;
  else if (strcmp(drop, "after") == 0)
    fault->drop = SBX_DROP_AFTER;
  else
    return sbx_problem_say(problem, where, "\"drop\" must be before or after");
  return true;
}

static bool read_body(struct sbx_fault *fault, const char *where, struct sbx_problem *problem) {
  const cJSON *body = sbx_json_member(fault->definition, "body");
  if (body == NULL)
    return true;
  if (fault->status == 0)
    return sbx_problem_say(problem, where, "\"body\" goes with \"status\"");
  if (cJSON_IsString(body)) {
    fault->body = body->valuestring;
    return true;
  }
  fault->printed_body = cJSON_PrintUnformatted(body);
  fault->body = fault->printed_body;
  return fault->body != NULL || sbx_problem_say(problem, where, "out of memory");
}

/* Refuses what could only be a mistake: a fault that does nothing, or one whose parts exclude each other. */
static bool check_combination(const struct sbx_fault *fault, const char *where, struct sbx_problem *problem) {
  bool edits = fault->as_customer != 0 || fault->omit != NULL || fault->set != NULL || fault->claims != NULL;
  bool shapes = fault->headers != NULL || fault->content_encoding != NULL || fault->big_header != 0 ||
                fault->big_body != 0 || fault->cut_body_at >= 0 || fault->bytes_per_second != 0 ||
                fault->chunked;
  bool silent = fault->hang || fault->drop != SBX_DROP_NOT;
  if (!edits && !shapes && !silent && fault->status == 0 && fault->delay_ms == 0)
    return sbx_problem_say(problem, where, "the fault does nothing: give it an action");
  if (fault->hang && fault->drop != SBX_DROP_NOT)
    return sbx_problem_say(problem, where, "\"hang\" and \"drop\" exclude each other");
  if (silent && (shapes || fault->status != 0))
    return sbx_problem_say(problem, where, "\"hang\" and \"drop\" give no answer that could be changed");
  if (fault->after && fault->drop == SBX_DROP_BEFORE)
    return sbx_problem_say(problem, where, "\"after\" and \"drop\":\"before\" exclude each other");
  if (fault->status != 0 && (fault->omit != NULL || fault->set != NULL || fault->claims != NULL))
    return sbx_problem_say(problem, where,
                           "\"status\" replaces the answer: \"omit\", \"set\" and \"claims\" edit it");
  return true;
}

static void read_members(struct sbx_fault *fault) {
  const cJSON *given = fault->definition;
  const char *method = sbx_json_text(given, "method"), *path = sbx_json_text(given, "path");
  fault->method = method == NULL || strcmp(method, "*") == 0 ? NULL : method;
  fault->path = path == NULL || strcmp(path, "*") == 0 ? NULL : path;
  fault->times = sbx_json_integer(given, "times", 1);
  fault->skip = sbx_json_integer(given, "skip", 0);
  fault->percent = sbx_json_integer(given, "percent", 100);
  fault->reused_only = sbx_json_flag(given, "reused_only", false);
  fault->after = sbx_json_flag(given, "after", false);
  fault->delay_ms = sbx_json_integer(given, "delay_ms", 0);
  fault->hang = sbx_json_flag(given, "hang", false);
  fault->abort = sbx_json_flag(given, "abort", false);
  fault->as_customer = sbx_json_integer(given, "as_customer", 0);
  fault->status = sbx_json_integer(given, "status", 0);
  fault->headers = sbx_json_member(given, "headers");
  fault->omit = sbx_json_member(given, "omit");
  fault->set = sbx_json_member(given, "set");
  fault->claims = sbx_json_member(given, "claims");
  fault->content_encoding = sbx_json_text(given, "content_encoding");
  fault->big_header = sbx_json_integer(given, "big_header", 0);
  fault->big_body = sbx_json_integer(given, "big_body", 0);
  fault->cut_body_at = sbx_json_integer(given, "cut_body_at", -1);
  fault->bytes_per_second = sbx_json_integer(given, "bytes_per_second", 0);
  fault->chunked = sbx_json_flag(given, "chunked", false);
}

struct sbx_fault *sbx_fault_read(const cJSON *given, const char *where, struct sbx_problem *problem) {
  if (!sbx_shape_check(given, where, fields, sizeof fields / sizeof fields[0], problem))
    return NULL;
  struct sbx_fault *fault = calloc(1, sizeof *fault);
  if (fault == NULL) {
    sbx_problem_say(problem, where, "out of memory");
    return NULL;
  }
  fault->references = 1;
  fault->definition = cJSON_Duplicate(given, true);
  if (fault->definition == NULL) {
    sbx_problem_say(problem, where, "out of memory");
    goto refuse;
  }
  read_members(fault);
  if (fault->path != NULL && fault->path[0] != '/') {
    sbx_problem_say(problem, where, "\"path\" must begin with /");
    goto refuse;
  }
  if (read_drop(fault, where, problem) && read_body(fault, where, problem) &&
      check_headers(fault->headers, where, problem) && sbx_shape_all_texts(fault->omit, where, problem) &&
      check_combination(fault, where, problem))
    return fault;
refuse:
  sbx_fault_release(fault);
  return NULL;
}
