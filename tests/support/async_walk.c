#include "support/async_walk.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { SESSIONS = 6, STEPS_A_LOOP = 400 };

/* The app: what it holds, and what it has seen. */
static struct {
  service *server;
  unsigned seed;
  uint64_t chance;
  aloop loop;
  bool free_wanted; /* inside a completion the loop was freed */
  identity_session *sessions[SESSIONS];
  note **calls; /* every one that was taken */
  int count, capacity;
  walked seen;
} app;

static uint32_t pick(uint32_t below) {
  app.chance ^= app.chance << 13;
  app.chance ^= app.chance >> 7;
  app.chance ^= app.chance << 17;
  return (uint32_t)(app.chance >> 33) % below;
}

static void act(void);

static void inside(note *self) {
  (void)self;
  for (uint32_t acts = pick(3); acts > 0; acts--, app.seen.inside++)
    act();
}

/* ---- acts, each allowed anywhere ---- */

static void start(void) {
  identity_session *session = app.sessions[pick(SESSIONS)];
  uint32_t which = pick(TWINS);
  if (session == NULL)
    return;
  note *one = calloc(1, sizeof *one);
  assert_non_null(one);
  one->then = inside;
  note_begin(one, twins[which].free_result);
  bool wants_handle = pick(4) > 0;
  identity_status status = twins[which].start(session, note_done, one, wants_handle ? &one->call : NULL);
  note_begun(one);
  if (status != IDENTITY_OK) {
    if (atomic_load(&one->count) != 0 || (status != IDENTITY_LOOP_GONE && status != IDENTITY_CANCELLED))
      fail_msg("seed %u: %s_start said %s", app.seed, twins[which].name, identity_status_name(status));
    app.seen.refused++;
    free(one);
    return;
  }
  if (app.count == app.capacity) {
    app.capacity = app.capacity * 2 + 256;
    app.calls = realloc(app.calls, (size_t)app.capacity * sizeof(note *));
    assert_non_null(app.calls);
  }
  app.calls[app.count++] = one;
  app.seen.started++;
}

static note *some_call(void) {
  if (app.count == 0)
    return NULL;
  uint32_t recent = app.count < 40 ? (uint32_t)app.count : 40;
  return app.calls[app.count - 1 - (int)pick(recent)];
}

static void cancel(void) {
  note *one = some_call();
  if (one != NULL)
    identity_call_cancel(one->call);
}

static void shorten(void) {
  note *one = some_call();
  if (one != NULL && one->call != NULL)
    (void)identity_call_set_timeout_ms(one->call, 100 + pick(200));
}

static void give_handle_back(void) {
  note *one = some_call();
  if (one == NULL)
    return;
  identity_call_free(one->call);
  one->call = NULL;
}

static void interrupt(void) {
  identity_session *session = app.sessions[pick(SESSIONS)];
  if (session != NULL)
    identity_session_interrupt(session);
}

static void close_one(void) {
  identity_session **session = &app.sessions[pick(SESSIONS)];
  identity_session_close(*session);
  *session = NULL;
}

static void open_one(void) {
  char account[32];
  char directory[128];
  uint32_t which = pick(SESSIONS);
  if (app.sessions[which] != NULL || app.free_wanted)
    return;
  identity_config *config = service_config(app.server);
  snprintf(account, sizeof account, "walker-%u", (unsigned)(which / 2)); /* two handles of one slot */
  snprintf(directory, sizeof directory, "%s/walk", app.server->directory);
  if (pick(2) == 0)
    assert_int_equal(identity_config_set_file_store(config, directory), IDENTITY_OK);
  assert_int_equal(identity_config_set_timeout_ms(config, 200 + pick(2000)), IDENTITY_OK);
  app.sessions[which] = aloop_open_with(&app.loop, config, account);
}

static void act(void) {
  static const struct {
    void (*run)(void);
    uint32_t weight;
  } acts[] = {{start, 58},    {cancel, 12},   {give_handle_back, 10}, {shorten, 3},
              {open_one, 12}, {interrupt, 2}, {close_one, 3}};
  uint32_t at = pick(100);
  for (size_t i = 0; i < sizeof acts / sizeof acts[0]; i++) {
    if (at < acts[i].weight) {
      acts[i].run();
      return;
    }
    at -= acts[i].weight;
  }
}

/* ---- the world around it ---- */

static void misbehave(void) {
  static const char *const faults[] = {
      "{\"times\":2,\"delay_ms\":30}",
      "{\"times\":1,\"hang\":true}",
      "{\"times\":1,\"hang\":true,\"after\":true}",
      "{\"times\":2,\"drop\":\"after\"}",
      "{\"times\":2,\"drop\":\"before\"}",
      "{\"times\":1,\"status\":500,\"body\":\"<html>\"}",
      "{\"path\":\"/customers/*\",\"times\":2,\"status\":401,"
      "\"body\":{\"errors\":[\"Invalid JWT token\"],\"code\":\"AUTH0002\"}}",
      "{\"path\":\"/auths/refresh_token\",\"times\":1,\"hang\":true,\"after\":true}",
      "{\"path\":\"/auths/refresh_token\",\"times\":1,\"status\":502,\"body\":\"\"}",
  };
  service_fault(app.server, faults[pick(sizeof faults / sizeof faults[0])]);
}

static void turn(void) {
  (void)alarm(ALOOP_PATIENCE_S);
  assert_int_equal(identity_loop_run(app.loop.loop, (int32_t)pick(3)), IDENTITY_OK);
  (void)alarm(0);
}

static void step(void) {
  uint32_t at = pick(200);
  if (at < 3)
    misbehave();
  else if (at < 6)
    service_send(app.server, "POST", "release", "{}");
  else if (at < 70)
    turn();
  else
    act();
}

static void free_inside(note *self) {
  (void)self;
  app.free_wanted = true;
  identity_loop_free(app.loop.loop);
  inside(self);
}

/* In there, or inside a completion: bad input always has one. */
static void free_loop(void) {
  app.seen.loops++;
  if (app.seen.loops % 2 == 0 || app.sessions[0] == NULL) {
    app.free_wanted = true;
    aloop_stop(&app.loop);
    return;
  }
  note last = {.then = free_inside};
  twin_start(TWIN_LOCALE, app.sessions[0], &last);
  identity_call_cancel(last.call);
  while (!app.free_wanted)
    turn();
  app.loop.loop = NULL;
  note_is(&last, last.status);
  note_clear(&last);
}

static void check_calls(void) {
  for (int i = 0; i < app.count; i++) {
    note *one = app.calls[i];
    if (one->flaw != NULL || atomic_load(&one->count) != 1)
      fail_msg("seed %u: call %d completed %d times (%s)", app.seed, i, atomic_load(&one->count),
               one->flaw != NULL ? one->flaw : "");
    app.seen.completed++;
    app.seen.by_class[identity_status_class(one->status)]++;
    note_clear(one);
    free(one);
  }
  free(app.calls);
  app.calls = NULL;
  app.count = app.capacity = 0;
}

/* One loop from its beginning to its end. */
static void live(int steps) {
  app.free_wanted = false;
  aloop_start(&app.loop, service_config(app.server), DRIVE_TICK);
  for (int i = 0; i < steps; i++)
    step();
  bool first = pick(2) == 0;
  for (int i = 0; i < SESSIONS && first; i += 2) {
    identity_session_close(app.sessions[i + 1]);
    app.sessions[i + 1] = NULL;
  }
  if (pick(8) > 0) { /* else what was sent gets its second, and none of the service's answers */
    service_clear_faults(app.server);
    service_send(app.server, "POST", "release", "{}");
  }
  free_loop();
  for (int i = 0; i < SESSIONS; i++) {
    identity_session_close(app.sessions[i]);
    app.sessions[i] = NULL;
  }
  check_calls();
}

walked async_walk(service *server, unsigned seed, int steps) {
  memset(&app, 0, sizeof app);
  app.server = server;
  app.seed = seed;
  app.chance = UINT64_C(0x9E3779B97F4A7C15) * (seed + 1);
  for (int done = 0; done < steps; done += STEPS_A_LOOP)
    live(steps - done < STEPS_A_LOOP ? steps - done : STEPS_A_LOOP);
  assert_int_equal(app.seen.completed, app.seen.started);
  if (getenv("IDENTITY_TEST_VERBOSE") != NULL) {
    fprintf(stderr, "seed %u: %d started, %d refused, %d inside, %d loops; by class:", seed, app.seen.started,
            app.seen.refused, app.seen.inside, app.seen.loops);
    for (int i = 0; i < 11; i++)
      fprintf(stderr, " %d", app.seen.by_class[i]);
    fprintf(stderr, "\n");
  }
  return app.seen;
}
