/* A soak: viewers with short-lived tokens through many virtual hours of every trouble there is, in minutes.
 * The stand-in service's journal judges whether a session ended that should not have.
 *
 *   harness SANDBOX WORKER DIRECTORY [--hours N] [--seed N] [--grace SECONDS] [--percent N]
 *
 * --grace: of the service; then no session may end at all. Exit code 0: all was right, 1: it was not, 2: no
 * result. */
#include "soak/faults.h"
#include "soak/fleet.h"
#include "soak/judge.h"

#include <getopt.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
  STEP_MS = 2000,       /* of virtual time, while everybody in a call polls in vain */
  CREEP_MS = 200,       /* while somebody does not get on with it: */
  CREEP_AFTER_MS = 30,  /* of real time */
  EMPTY_POLLS = 1,      /* that everybody in a call has between two steps */
  HELD_MEAN_MS = 45000, /* until the service lets go on what it held back */
  JOURNAL_EVERY_MS = 3000,
  PROGRESS_EVERY_MS = 10000
};

#define HOUR_MS INT64_C(3600000)
#define CALM_MS (2 * HOUR_MS) /* at the end: longer than any cooldown */

static struct {
  soak_page *page;
  soak_case run;
  soak_dice dice;
  int64_t end_ms;                    /* of the troubles; the calm follows */
  int64_t stepped_ms;                /* real */
  int64_t read_ms;                   /* real */
  int64_t told_ms;                   /* real */
  uint32_t slices[SOAK_ALL_WORKERS]; /* at the last step */
  int64_t applied[FAULTS_MOST];
  int64_t grace_s;
  int percent;
  bool calm;
} soak;

_Noreturn void soak_give_up(const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  fflush(stdout);
  fprintf(stderr, "soak: ");
  vfprintf(stderr, format, arguments);
  fprintf(stderr, "\n");
  va_end(arguments);
  _exit(2); /* the processes end with this one */
}

/* ---- time ---- */

static void let_go(int32_t worker) {
  soak_worker *shared = &soak.page->workers[worker];
  shared->doing = SOAK_BUSY;
  soak_wake(&shared->turn);
}

/* What workers are in now; next_ms: when the first pause is over. */
typedef struct scene {
  bool anybody; /* in a call */
  bool idle;    /* and all of these poll in vain */
  int64_t next_ms;
} scene;

static void look_at(int32_t worker, scene *now) {
  soak_worker *shared = &soak.page->workers[worker];
  switch (shared->doing) {
  case SOAK_PAUSED:
    if (shared->wakes_ms > soak.page->now_ms) {
      now->next_ms = shared->wakes_ms < now->next_ms ? shared->wakes_ms : now->next_ms;
      return;
    }
    let_go(worker);
    break;
  case SOAK_ASKS:
    judge_look(&soak.run, worker);
    let_go(worker);
    break;
  case SOAK_POLLING:
    now->anybody = true;
    now->idle = now->idle && shared->slices - soak.slices[worker] >= EMPTY_POLLS;
    return;
  default:
    break;
  }
  now->anybody = true;
  now->idle = false;
}

static void release(int64_t step_ms) {
  static const soak_event event = {.kind = SOAK_RELEASED, .device = -1, .worker = -1};
  if (soak_pick(&soak.dice, HELD_MEAN_MS) >= step_ms)
    return;
  soak_note(soak.page, &event);
  link_release();
}

static void advance(int64_t step_ms) {
  if (step_ms <= 0)
    return;
  release(step_ms);
  link_set_clock(soak.page->now_ms + step_ms);
  for (int32_t i = 0; i < SOAK_ALL_WORKERS; i++)
    soak.slices[i] = soak.page->workers[i].slices;
  soak.page->now_ms += step_ms;
  soak.stepped_ms = soak_real_ms();
}

/* Nobody in a call: to the next thing that happens. Else slowly enough that what is under way arrives. */
static void step(void) {
  scene now = {false, true, fleet_next_ms()};
  uint32_t news = soak.page->news;
  for (int32_t i = 0; i < SOAK_ALL_WORKERS; i++)
    if (fleet_runs(i))
      look_at(i, &now);
  int64_t limit_ms = soak.end_ms + (soak.calm ? CALM_MS : 0);
  int64_t left_ms = (now.next_ms < limit_ms ? now.next_ms : limit_ms) - soak.page->now_ms;
  int64_t most_ms = left_ms;
  if (now.anybody && now.idle)
    most_ms = STEP_MS;
  else if (now.anybody)
    most_ms = soak_real_ms() - soak.stepped_ms > CREEP_AFTER_MS ? CREEP_MS : 0;
  advance(left_ms < most_ms ? left_ms : most_ms);
  fleet_step();
  if (now.anybody)
    soak_wait(&soak.page->news, news, 1);
}

static void tell_progress(void) {
  const soak_tally *tally = fleet_tally();
  printf("  %5.1f h: %lld requests, %d kills, %d stops, %d reboots, %zu times asked about an end\n",
         (double)soak.page->now_ms / (double)HOUR_MS, (long long)soak.run.journal.last, (int)tally->kills,
         (int)tally->stops, (int)tally->reboots, soak.run.sign_out_count);
  fflush(stdout);
}

static void run_until(int64_t end_ms) {
  while (soak.page->now_ms < end_ms) {
    step();
    int64_t real_ms = soak_real_ms();
    if (real_ms - soak.read_ms >= JOURNAL_EVERY_MS) {
      soak.read_ms = real_ms;
      journal_read(&soak.run.journal);
    }
    if (real_ms - soak.told_ms >= PROGRESS_EVERY_MS) {
      soak.told_ms = real_ms;
      tell_progress();
    }
  }
}

static void calm_down(void) {
  soak.calm = true;
  faults_applied(soak.applied);
  faults_clear();
  fleet_calm();
  link_release();
}

/* ---- the result ---- */

static void print_verdict(const soak_verdict *verdict) {
  const soak_tally *tally = fleet_tally();
  printf("  calls %d (%d OK), logins %d, requests %lld\n", (int)verdict->calls, (int)verdict->calls_ok,
         (int)verdict->logins, (long long)soak.run.journal.last);
  printf("  refreshes %d, rotations %d, replays %d, adoptions %d\n", (int)verdict->refreshes,
         (int)verdict->rotations, (int)verdict->replays, (int)verdict->adoptions);
  printf("  kills %d, restarts %d, stops %d, suspends %d, reboots %d, locks %d, outages %d, clock steps %d\n",
         (int)tally->kills, (int)tally->restarts, (int)tally->stops, (int)tally->suspends,
         (int)tally->reboots, (int)tally->locks, (int)tally->outages, (int)tally->steps_of_clocks);
  printf("  faults of the service, each at %d %%:", soak.percent);
  for (size_t i = 0; i < faults_count(); i++)
    printf("%s %s %lld", i > 0 ? "," : "", fault_name(i), (long long)soak.applied[i]);
  printf("\n  LOST_ROTATION %d, REFUSED %d, SIGN_IN with a session %d, overlapping refreshes %d\n",
         (int)verdict->lost_rotations, (int)verdict->refused, (int)verdict->still_in, (int)verdict->overlaps);
  printf("  told of an end after the session had come back %d\n", (int)verdict->came_back);
  printf("  workers without a success in the calm at the end %d\n", (int)verdict->without_success);
  printf("  SPURIOUS SIGN-OUTS %d\n", (int)verdict->spurious);
}

/* A soak in which little happened proves nothing. */
static bool was_wet(const soak_verdict *verdict) {
  const soak_tally *tally = fleet_tally();
  int64_t hours = soak.end_ms / HOUR_MS;
  bool wet = verdict->calls_ok >= 40 * hours && verdict->rotations >= 6 * hours &&
             verdict->adoptions >= hours && tally->kills >= 2 * hours && tally->stops >= hours &&
             tally->locks >= hours;
  for (size_t i = 0; i < faults_count(); i++)
    wet = wet && soak.applied[i] >= hours / 4;
  if (!wet)
    printf("  too little happened\n");
  return wet;
}

static bool is_right(const soak_verdict *verdict) {
  /* Nobody revokes a token here: what is refused was used before, and the record has a mark of that. */
  bool right = verdict->spurious == 0 && verdict->overlaps == 0 && verdict->refused == 0 &&
               verdict->without_success == 0;
  if (soak.grace_s > 0)
    right = right && verdict->lost_rotations == 0;
  return was_wet(verdict) && right;
}

/* ---- */

static void read_options(int count, char **arguments) {
  static const struct option options[] = {{"hours", required_argument, NULL, 'h'},
                                          {"seed", required_argument, NULL, 's'},
                                          {"grace", required_argument, NULL, 'g'},
                                          {"percent", required_argument, NULL, 'p'},
                                          {NULL, 0, NULL, 0}};
  int option;
  soak.end_ms = 24 * HOUR_MS;
  soak.dice.state = 1;
  soak.percent = 5;
  while ((option = getopt_long(count, arguments, "", options, NULL)) != -1) {
    int64_t value = optarg != NULL ? strtoll(optarg, NULL, 10) : 0;
    if (option == 'h')
      soak.end_ms = value * HOUR_MS;
    else if (option == 's')
      soak.dice.state = (uint64_t)value;
    else if (option == 'g')
      soak.grace_s = value;
    else if (option == 'p')
      soak.percent = (int)value;
    else
      exit(2);
  }
  if (count - optind != 3 || soak.end_ms < HOUR_MS)
    soak_give_up(
        "usage: harness SANDBOX WORKER DIRECTORY [--hours N] [--seed N] [--grace SECONDS] [--percent N]");
}

int main(int count, char **arguments) {
  char page_path[160];
  soak_verdict verdict;
  read_options(count, arguments);
  char **given = arguments + optind;
  snprintf(page_path, sizeof page_path, "%s/page", given[2]);
  soak.page = soak_page_open(page_path, true);
  if (soak.page == NULL)
    soak_give_up("%s cannot be made", page_path);
  soak.run.page = soak.page;
  soak.page->seed = soak.dice.state;
  snprintf(soak.page->directory, sizeof soak.page->directory, "%s", given[2]);
  int64_t begun_ms = soak.told_ms = soak_real_ms();
  link_start(soak.page, given[0], soak.grace_s);
  link_set_clock(0);
  faults_set(soak.page->seed, soak.percent);
  fleet_start(soak.page, given[1], page_path);
  run_until(soak.end_ms);
  calm_down();
  run_until(soak.end_ms + CALM_MS);
  fleet_kill();
  journal_read(&soak.run.journal);
  if (soak.page->event_count >= SOAK_MOST_EVENTS)
    soak_give_up("more happened than can be written down");
  judge_decide(&soak.run, soak.end_ms, &verdict);
  print_verdict(&verdict);
  printf("  %lld virtual hours in %lld s\n", (long long)(soak.end_ms / HOUR_MS),
         (long long)((soak_real_ms() - begun_ms) / 1000));
  link_stop();
  bool right = is_right(&verdict);
  if (!right) {
    snprintf(page_path, sizeof page_path, "%s/trace", given[2]);
    judge_trace(&soak.run, page_path);
  }
  return right ? 0 : 1;
}
