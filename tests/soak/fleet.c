#include "soak/fleet.h"
#include "soak/devices.h"
#include "soak/link.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define SECOND_MS INT64_C(1000)
#define MINUTE_MS (60 * SECOND_MS)
#define HOUR_MS (60 * MINUTE_MS)

typedef struct member {
  pid_t process; /* 0: none */
  int32_t runs;
  int64_t restarts_ms; /* 0: not due */
  int64_t goes_on_ms;
  bool stopped;
  int32_t aimed; /* a signal that waits for the worker to be in a call; 0: none */
} member;

static struct {
  soak_page *page;
  const char *program;
  const char *page_path;
  member members[SOAK_ALL_WORKERS];
  soak_dice dice;
  soak_tally tally;
  bool calm;
} fleet;

static void note(int32_t kind, int32_t device, int32_t worker, int32_t value) {
  const soak_event event = {.kind = kind, .device = device, .worker = worker, .value = value};
  soak_note(fleet.page, &event);
}

static void note_worker(int32_t kind, int32_t worker, int32_t value) {
  note(kind, worker / SOAK_WORKERS, worker, value);
}

/* ---- processes ---- */

static void start(int32_t worker) {
  char number[12];
  char run[12];
  member *one = &fleet.members[worker];
  soak_worker *shared = &fleet.page->workers[worker];
  shared->doing = SOAK_BUSY;
  shared->handle = 0;
  shared->strike_sent = 0;
  shared->strike_received = 0;
  snprintf(number, sizeof number, "%d", (int)worker);
  snprintf(run, sizeof run, "%d", (int)++one->runs);
  one->process = fork();
  if (one->process == 0) {
    execl(fleet.program, fleet.program, fleet.page_path, number, run, (char *)NULL);
    _exit(127);
  }
  if (one->process < 0)
    soak_give_up("no process for a worker");
  one->stopped = false;
  one->aimed = 0;
  one->restarts_ms = 0;
  fleet.tally.starts++;
  fleet.tally.restarts += one->runs > 1;
  note_worker(SOAK_STARTED, worker, (int32_t)one->process);
}

/* Who logs in and does not go on must not keep the others from it. */
static void give_turn_back(int32_t worker) {
  int32_t holder = worker + 1;
  (void)atomic_compare_exchange_strong(&fleet.page->devices[worker / SOAK_WORKERS].login_turn, &holder, 0);
}

/* It is dead, and comes back. */
static void bury(int32_t worker, int64_t restarts_ms) {
  member *one = &fleet.members[worker];
  one->process = 0;
  one->stopped = false;
  one->restarts_ms = restarts_ms;
  fleet.page->workers[worker].doing = SOAK_DEAD;
  give_turn_back(worker);
}

static void end(int32_t worker, int64_t restarts_ms) {
  member *one = &fleet.members[worker];
  if (one->process == 0)
    return;
  note_worker(SOAK_KILLED, worker, (int32_t)one->process);
  kill(one->process, SIGKILL);
  waitpid(one->process, NULL, 0);
  bury(worker, restarts_ms);
}

/* It stands still, and goes on. */
static void halt(int32_t worker, int64_t ms) {
  member *one = &fleet.members[worker];
  one->stopped = true;
  one->goes_on_ms = fleet.page->now_ms + ms;
  give_turn_back(worker);
}

static int64_t some_absence_ms(void) {
  return soak_span(&fleet.dice, 100, 10 * MINUTE_MS);
}

static int64_t some_rest_ms(void) {
  return soak_span(&fleet.dice, SECOND_MS, 2 * HOUR_MS);
}

/* By itself only where it was told to. */
static void has_ended(int32_t worker, int status) {
  if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGKILL)
    soak_give_up("worker %d ended by itself: %s %d", (int)worker,
                 WIFSIGNALED(status) ? "signal" : "exit code",
                 WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
  fleet.tally.kills++;
  bury(worker, fleet.page->now_ms + some_absence_ms());
}

static void stop(int32_t worker, int64_t ms) {
  member *one = &fleet.members[worker];
  int status = 0;
  if (one->process == 0 || one->stopped)
    return;
  note_worker(SOAK_STOPPED, worker, (int32_t)one->process);
  kill(one->process, SIGSTOP);
  if (waitpid(one->process, &status, WUNTRACED) != one->process)
    soak_give_up("worker %d is nobody's", (int)worker);
  if (WIFSTOPPED(status))
    halt(worker, ms);
  else
    has_ended(worker, status);
}

static void go_on(int32_t worker) {
  member *one = &fleet.members[worker];
  if (!one->stopped)
    return;
  one->stopped = false;
  note_worker(SOAK_GOES_ON, worker, (int32_t)one->process);
  kill(one->process, SIGCONT);
}

bool fleet_runs(int32_t worker) {
  return fleet.members[worker].process > 0 && !fleet.members[worker].stopped;
}

static void look_after(int32_t worker) {
  member *one = &fleet.members[worker];
  int status = 0;
  if (!fleet_runs(worker) || waitpid(one->process, &status, WNOHANG | WUNTRACED) != one->process)
    return;
  if (!WIFSTOPPED(status)) {
    has_ended(worker, status);
    return;
  }
  fleet.tally.stops++;
  halt(worker, some_rest_ms());
}

/* ---- what befalls them ---- */

/* Any time in a call, more often than not; or as soon as a refresh token has left, or its answer has come. */
static void aim(int32_t signal_number) {
  int64_t which = soak_pick(&fleet.dice, SOAK_ALL_WORKERS);
  soak_worker *shared = &fleet.page->workers[which];
  int64_t roll = soak_pick(&fleet.dice, 4);
  if (roll == 0)
    shared->strike_sent = signal_number;
  else if (roll == 1)
    shared->strike_received = signal_number;
  else
    fleet.members[which].aimed = signal_number;
}

static void kill_one(void) {
  aim(SIGKILL);
}

static void stop_one(void) {
  aim(SIGSTOP);
}

static void hit(int32_t worker) {
  member *one = &fleet.members[worker];
  bool in_call = fleet.page->workers[worker].handle != 0;
  if (one->aimed == 0 || !fleet_runs(worker) || !soak_chance(&fleet.dice, in_call ? 30 : 1))
    return;
  if (one->aimed == SIGKILL) {
    fleet.tally.kills++;
    end(worker, fleet.page->now_ms + some_absence_ms());
  } else {
    fleet.tally.stops++;
    stop(worker, some_rest_ms());
  }
  one->aimed = 0;
}

/* The device sleeps: its boot clock runs on. */
static void suspend(void) {
  int32_t first = devices_pick() * SOAK_WORKERS;
  int64_t ms = soak_span(&fleet.dice, MINUTE_MS, 4 * HOUR_MS);
  fleet.tally.suspends++;
  for (int32_t i = first; i < first + SOAK_WORKERS; i++)
    stop(i, ms);
}

static void reboot(void) {
  int32_t number = devices_pick();
  soak_device *device = &fleet.page->devices[number];
  int64_t back_ms = fleet.page->now_ms + soak_span(&fleet.dice, 5 * SECOND_MS, 30 * MINUTE_MS);
  fleet.tally.reboots++;
  for (int32_t i = number * SOAK_WORKERS; i < (number + 1) * SOAK_WORKERS; i++) {
    end(i, back_ms);
    fleet.members[i].restarts_ms = back_ms;
  }
  device->boot++;
  device->booted_ms = back_ms;
}

/* All processes of a device want something in the same moment. */
static void wake_together(void) {
  int32_t first = devices_pick() * SOAK_WORKERS;
  for (int32_t i = first; i < first + SOAK_WORKERS; i++)
    fleet.page->workers[i].wakes_ms = fleet.page->now_ms;
}

static struct {
  void (*happens)(void);
  int64_t mean_ms; /* from one to the next */
  int64_t due_ms;
} troubles[] = {
    {kill_one, 5 * MINUTE_MS, 0},
    {stop_one, 7 * MINUTE_MS, 0},
    {suspend, 2 * HOUR_MS, 0},
    {reboot, HOUR_MS, 0},
    {devices_step_clock, 15 * MINUTE_MS, 0},
    {devices_hold_store, 8 * MINUTE_MS, 0},
    {devices_go_offline, 20 * MINUTE_MS, 0},
    {link_close_idle, 10 * MINUTE_MS, 0},
    {wake_together, 2 * MINUTE_MS, 0},
};

enum { TROUBLES = sizeof troubles / sizeof troubles[0] };

static int64_t next_trouble_ms(size_t which) {
  return fleet.page->now_ms + 1 + soak_pick(&fleet.dice, 2 * troubles[which].mean_ms);
}

/* ---- time ---- */

void fleet_start(soak_page *page, const char *program, const char *page_path) {
  memset(&fleet, 0, sizeof fleet);
  fleet.page = page;
  fleet.program = program;
  fleet.page_path = page_path;
  fleet.dice.state = page->seed;
  devices_begin(page, &fleet.tally);
  for (int32_t i = 0; i < SOAK_ALL_WORKERS; i++)
    start(i);
  for (size_t i = 0; i < TROUBLES; i++)
    troubles[i].due_ms = next_trouble_ms(i);
}

void fleet_kill(void) {
  for (int32_t i = 0; i < SOAK_ALL_WORKERS && fleet.page != NULL; i++)
    end(i, 0);
}

static void earlier(int64_t *next_ms, int64_t due_ms) {
  if (due_ms > 0 && due_ms < *next_ms)
    *next_ms = due_ms;
}

int64_t fleet_next_ms(void) {
  int64_t next_ms = INT64_MAX;
  for (size_t i = 0; i < TROUBLES && !fleet.calm; i++)
    earlier(&next_ms, troubles[i].due_ms);
  for (int32_t i = 0; i < SOAK_ALL_WORKERS; i++) {
    earlier(&next_ms, fleet.members[i].process == 0 ? fleet.members[i].restarts_ms : 0);
    earlier(&next_ms, fleet.members[i].stopped ? fleet.members[i].goes_on_ms : 0);
  }
  earlier(&next_ms, devices_next_ms());
  return next_ms;
}

static bool is_due(int64_t due_ms) {
  return due_ms > 0 && due_ms <= fleet.page->now_ms;
}

void fleet_step(void) {
  devices_step();
  for (int32_t i = 0; i < SOAK_ALL_WORKERS; i++) {
    look_after(i);
    if (fleet.members[i].process == 0 && is_due(fleet.members[i].restarts_ms))
      start(i);
    if (fleet.members[i].stopped && is_due(fleet.members[i].goes_on_ms))
      go_on(i);
    if (!fleet.calm)
      hit(i);
  }
  for (size_t i = 0; i < TROUBLES && !fleet.calm; i++) {
    if (!is_due(troubles[i].due_ms))
      continue;
    troubles[i].happens();
    troubles[i].due_ms = next_trouble_ms(i);
  }
}

void fleet_calm(void) {
  fleet.calm = true;
  devices_calm();
  for (int32_t i = 0; i < SOAK_ALL_WORKERS; i++) {
    fleet.page->workers[i].strike_sent = 0;
    fleet.page->workers[i].strike_received = 0;
    go_on(i);
  }
}

const soak_tally *fleet_tally(void) {
  return &fleet.tally;
}
