/* SPDX-License-Identifier: MIT
 *
 * explain, events: what a support desk looks at.
 */
#include "cli.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { FOLLOW_MOST_MS = 24 * 60 * 60 * 1000, LOOK_MS = 500, ALL_EVENTS = 4096 };

/* ---- explain ---- */

static identity_status print_tree(struct run *run, const cJSON *tree) {
  char *text = cJSON_Print(tree);
  if (text == NULL)
    return out_of_memory(run);
  puts(text);
  cJSON_free(text);
  return IDENTITY_OK;
}

identity_status explain_perform(struct run *run) {
  const char *json = NULL;
  identity_status status = identity_session_explain(run->session, &json, &run->error);
  if (status != IDENTITY_OK)
    return status;
  cJSON *tree = cJSON_Parse(json);
  identity_explanation_free(json);
  if (run->json)
    return give_json(run, tree);
  status = tree != NULL ? print_tree(run, tree) : out_of_memory(run);
  cJSON_Delete(tree);
  return status;
}

/* ---- events ---- */

static identity_status follow_time(struct run *run, int64_t *milliseconds) {
  *milliseconds = 0;
  if (option_given(run, OPTION_FOLLOW) &&
      !seconds_parse(run->arguments.value[OPTION_FOLLOW], FOLLOW_MOST_MS, milliseconds))
    return usage_error(run, "--follow must be a number of seconds, at most a day");
  return IDENTITY_OK;
}

identity_status events_check(struct run *run) {
  int64_t milliseconds = 0;
  identity_status status = follow_time(run, &milliseconds);
  return status != IDENTITY_OK ? status : token_check(run);
}

static int64_t now_ms(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void pause_ms(int64_t ms) {
  const struct timespec pause = {.tv_sec = (time_t)(ms / 1000), .tv_nsec = (long)(ms % 1000) * 1000000};
  nanosleep(&pause, NULL);
}

/* Every event that is there, printed or appended to list. */
static identity_status take_events(struct run *run, cJSON *list, int *count) {
  const identity_event *event = NULL;
  for (int i = 0; i < ALL_EVENTS; i++) {
    identity_status status = identity_session_next_event(run->session, &event, &run->error);
    if (status != IDENTITY_OK || event == NULL)
      return status;
    cJSON *item = run->json ? json_event(event) : NULL;
    bool taken = run->json ? item != NULL && cJSON_AddItemToArray(list, item) : show_event(event);
    identity_event_free(event);
    if (!taken)
      return out_of_memory(run);
    (*count)++;
  }
  return IDENTITY_OK;
}

/* What a session does happens inside calls: a token is asked for again and again, as a player would. That it
 * cannot be had is what the events tell about. */
static identity_status look(struct run *run, int64_t min_life_ms, cJSON *list, int *count) {
  const identity_tokens *tokens = NULL;
  identity_status status =
      CALL(run, identity_session_tokens(run->session, min_life_ms, &tokens, &run->error));
  identity_tokens_free(tokens);
  identity_status taken = take_events(run, list, count);
  fflush(stdout); /* who follows wants to see it now */
  return run->interrupted || status == IDENTITY_CANCELLED ? IDENTITY_CANCELLED : taken;
}

static identity_status watch(struct run *run, cJSON *list, int *count) {
  int64_t follow_ms = 0;
  int64_t min_life_ms = 0;
  identity_status status = follow_time(run, &follow_ms);
  if (status == IDENTITY_OK && option_given(run, OPTION_MIN_LIFE))
    (void)seconds_parse(run->arguments.value[OPTION_MIN_LIFE], INT64_MAX / 2, &min_life_ms);
  int64_t until = now_ms() + follow_ms;
  for (;;) {
    if (status == IDENTITY_OK)
      status = look(run, min_life_ms, list, count);
    if (status != IDENTITY_OK || now_ms() >= until)
      return status;
    pause_ms(LOOK_MS);
  }
}

identity_status events_perform(struct run *run) {
  cJSON *list = run->json ? cJSON_CreateArray() : NULL;
  if (run->json && list == NULL)
    return out_of_memory(run);
  int count = 0;
  identity_status status = watch(run, list, &count);
  if (!run->json && status == IDENTITY_OK && count == 0)
    puts("Nothing happened.");
  if (!run->json || status != IDENTITY_OK) {
    cJSON_Delete(list);
    return status;
  }
  return give_json(run, json_events(list));
}
