#include "support/news.h"
#include "base/names.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

enum { LINE = 120, PAGE = 8192 };

static void spell(const identity_event *event, char line[LINE]) {
  const char *reason = identity__reason_name(event->reason);
  bool in = event->reason == IDENTITY_REASON_NONE;
  switch (event->kind) {
  case IDENTITY_EVENT_STATE:
    (void)snprintf(line, LINE, "state %s>%s%s%s", identity__state_name(event->old_state),
                   identity__state_name(event->new_state), in ? "" : " ", in ? "" : reason);
    break;
  case IDENTITY_EVENT_SIGNED_IN:
    (void)snprintf(line, LINE, "%s %s", event->kind_name, identity__how_name(event->how));
    break;
  case IDENTITY_EVENT_SIGNED_OUT:
  case IDENTITY_EVENT_REAUTH_REQUIRED:
    (void)snprintf(line, LINE, "%s %s", event->kind_name, reason);
    break;
  case IDENTITY_EVENT_REFRESH_DEFERRED:
  case IDENTITY_EVENT_STORE_BLOCKED:
    (void)snprintf(line, LINE, "%s %s", event->kind_name, identity_status_name(event->cause));
    break;
  default:
    (void)snprintf(line, LINE, "%s", event->kind_name);
  }
}

/* What holds of any event. */
static void check(news *paper, const identity_event *event) {
  assert_string_equal(event->kind_name, identity__event_name(event->kind));
  assert_string_not_equal(event->kind_name, "unknown");
  assert_int_equal(event->number, paper->number + 1);
  assert_true(event->at_ms >= paper->at_ms); /* no test sets its clock back */
  if (event->kind != IDENTITY_EVENT_REAUTH_REQUIRED)
    assert_null(event->customer_id);
  if (event->kind != IDENTITY_EVENT_SIGNED_IN)
    assert_int_equal(event->how, IDENTITY_HOW_NONE);
}

static void keep(news *paper, const identity_event *event) {
  const char *customer = event->customer_id != NULL ? event->customer_id : "";
  paper->number = event->number;
  paper->at_ms = event->at_ms;
  if (event->kind == IDENTITY_EVENT_REAUTH_REQUIRED)
    (void)snprintf(paper->customer, sizeof paper->customer, "%s", customer);
  if (event->amount_ms != 0 && paper->amount_count < (int)(sizeof paper->amounts / sizeof *paper->amounts))
    paper->amounts[paper->amount_count++] = event->amount_ms;
}

/* False: there is none. */
static bool read_one(news *paper, char line[LINE], bool strict) {
  const identity_event *event = NULL;
  assert_int_equal(identity_session_next_event(paper->session, &event, NULL), IDENTITY_OK);
  if (event == NULL)
    return false;
  if (strict)
    check(paper, event);
  keep(paper, event);
  spell(event, line);
  identity_event_free(event);
  return true;
}

void news_are(news *paper, const char *wanted) {
  char page[PAGE] = "";
  char line[LINE];
  paper->amount_count = 0;
  while (read_one(paper, line, true)) {
    size_t length = strlen(page);
    assert_true(length + LINE + 2 < sizeof page);
    (void)snprintf(page + length, sizeof page - length, "%s%s", length > 0 ? ", " : "", line);
  }
  if (strcmp(page, wanted) != 0)
    fail_msg("the news are\n        %s\n  not   %s", page, wanted);
}

void news_skip(news *paper) {
  char line[LINE];
  paper->amount_count = 0;
  while (read_one(paper, line, false))
    continue;
}
