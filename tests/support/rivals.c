#include "support/rivals.h"
#include "support/judge.h"
#include "support/worker.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>

/* The journal keeps 16,384 requests: a long run rotates slower. */
enum { READERS = 3, STEP_MS = 500, LONG_MS = 10000, LONG_PAUSE_MS = 5, MOST_REFRESHES = 15000 };

static void set_up(service *server, const char *email, worker *writer, worker readers[READERS]) {
  char login[WORKER_LINE];
  snprintf(login, sizeof login, "login %s", email);
  worker_start(writer, NULL);
  (void)worker_open(writer, server, "rivals", 30000);
  assert_int_equal(worker_ask(writer, login).status, IDENTITY_OK);
  for (int i = 0; i < READERS; i++) {
    worker_start(&readers[i], NULL);
    assert_int_equal(worker_open(&readers[i], server, "rivals", 30000).state, IDENTITY_STATE_ACTIVE);
  }
}

/* A store that is in use may say so; it must never say that the secret is lost, or that there is none. */
static int looks_of(const worker_answer *answer) {
  const int *counts = answer->counts;
  int looks = counts[IDENTITY_CLASS_OK] + counts[IDENTITY_CLASS_RETRY_LATER];
  int all = 0;
  for (int i = 0; i < WORKER_CLASSES; i++)
    all += counts[i];
  if (all != looks || answer->went_back != 0)
    fail_msg("a reader: of %d looks %d were neither good nor for later (%s), %d times it saw an older JWT",
             all, all - looks, identity_status_name(answer->status), answer->went_back);
  return counts[IDENTITY_CLASS_OK];
}

void rivals_run(service *server, const char *email, int duration_ms) {
  worker writer, readers[READERS];
  worker_answer answer;
  char look[64];
  int looks = 0, rotations = 0;
  set_up(server, email, &writer, readers);
  snprintf(look, sizeof look, "look %d", STEP_MS);
  int64_t ends = service_now_ms() + duration_ms;
  while (service_now_ms() < ends) {
    for (int i = 0; i < READERS; i++)
      worker_tell(&readers[i], look);
    for (int64_t until = service_now_ms() + STEP_MS; service_now_ms() < until; rotations++) {
      answer = worker_ask(&writer, "refresh");
      assert_int_equal(answer.status, IDENTITY_OK);
      service_pause_ms(duration_ms > LONG_MS ? LONG_PAUSE_MS : 0);
    }
    assert_true(rotations < MOST_REFRESHES);
    for (int i = 0; i < READERS; i++) {
      assert_true(worker_hear(&readers[i], &answer, WORKER_PATIENCE_MS));
      looks += looks_of(&answer);
    }
  }
  judged seen = judge_refreshes(server);
  printf("          %d rotations by one process, %d looks by %d others\n", rotations, looks, READERS);
  assert_true(looks > rotations / 10);
  assert_int_equal(seen.rotated, rotations);
  assert_int_equal(seen.sent, rotations);
  worker_quit(&writer);
  for (int i = 0; i < READERS; i++)
    worker_quit(&readers[i]);
}
