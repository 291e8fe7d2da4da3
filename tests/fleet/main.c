/* A fleet through an outage and a power cut, with this library and with a naive client. Exit status: 0, the
 * library meets the target and the naive client does not; 1, otherwise; 2, nothing was simulated. */
#include "fleet/figures.h"
#include "token/machine_times.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { OUTAGE_S = 600, LEAST_OUTAGE_S = 10, MOST_OUTAGE_S = 3600 };
enum { LEAST_HOURS = 3, MOST_HOURS = 24, LEAST_BOXES = 1000, MOST_BOXES = 10000000 };

static int help(void) {
  (void)printf(
      "usage: fleet [--boxes N] [--seed N] [--hours N] [--outage SECONDS] [--limit TIMES] [--folder PATH]\n"
      "  --outage SECONDS the service is down for so long (600)\n"
      "  --limit TIMES   the service answers so many times the steady rate, 429 to the others\n"
      "  --folder PATH   for fleet.csv and fleet.svg\n");
  return 2;
}

static bool read_option(fleet_plan *plan, const char *name, const char *value) {
  if (value == NULL)
    return false;
  long long number = atoll(value);
  if (strcmp(name, "--boxes") == 0)
    return (plan->boxes = (uint32_t)number, number >= LEAST_BOXES && number <= MOST_BOXES);
  if (strcmp(name, "--seed") == 0)
    return (plan->seed = (uint64_t)number, number > 0);
  if (strcmp(name, "--hours") == 0)
    return (plan->hours = number, number >= LEAST_HOURS && number <= MOST_HOURS);
  if (strcmp(name, "--outage") == 0)
    return (plan->outage_s = number, number >= LEAST_OUTAGE_S && number <= MOST_OUTAGE_S);
  if (strcmp(name, "--limit") == 0)
    return (plan->limit = atof(value)) >= 1;
  plan->folder = value;
  return strcmp(name, "--folder") == 0;
}

/* The limit counts from the library's steady rate, as one service is built for either client: without one,
 * the hour before the outage is the same. */
static uint32_t limit_of(const fleet_plan *plan) {
  double share = (IDENTITY__SOFT_LEAST_PERMILLE + IDENTITY__SOFT_MOST_PERMILLE) / 2000.0;
  double refreshes = (double)plan->boxes * IN_USE_PERCENT / 100 / (share * (double)LIFE_MS / SECOND_MS);
  return plan->limit > 0 ? (uint32_t)(plan->limit * refreshes) : 0;
}

static bool live(fleet_life *life, const fleet_plan *plan, const char **wrong) {
  fleet_world world = {.plan = plan, .client = life->client, .chance = plan->seed};
  world.most_a_second = limit_of(plan);
  bool whole = fleet_live(&world);
  life->seconds = world.seconds;
  *wrong = whole ? world.wrong : "memory is out";
  if (*wrong == NULL)
    fleet_figure(&world, &life->figures);
  return *wrong == NULL;
}

static bool write_files(const fleet_life lives[2], const fleet_plan *plan) {
  char csv[512];
  char svg[512];
  (void)snprintf(csv, sizeof csv, "%s/fleet.csv", plan->folder);
  (void)snprintf(svg, sizeof svg, "%s/fleet.svg", plan->folder);
  bool written = fleet_write_csv(lives, plan, csv) && fleet_draw(lives, plan, svg);
  (void)printf(written ? "written: %s, %s\n" : "cannot write %s, %s\n", csv, svg);
  return written;
}

static int judge(const fleet_life lives[2], const fleet_plan *plan) {
  bool lost = lives[0].figures.ended > 0;
  if (lost)
    (void)printf("fleet: sessions were lost\n");
  if (plan->limit > 0 || plan->outage_s != OUTAGE_S) {
    (void)printf(
        "fleet: not judged: the target is one for ten minutes, and a service that answers everybody\n");
    return lost ? 1 : 0;
  }
  bool met = fleet_meets_target(&lives[0].figures, plan);
  bool told_apart = !fleet_meets_target(&lives[1].figures, plan);
  if (!met)
    (void)printf("fleet: MISSED by this library\n");
  if (!told_apart)
    (void)printf("fleet: met by the naive client, too: this simulation cannot tell them apart\n");
  if (!met || !told_apart || lost)
    return 1;
  (void)printf("fleet: met by this library, missed by the naive client\n");
  return 0;
}

int main(int count, char **arguments) {
  fleet_plan plan = {.boxes = 1000000, .seed = 1, .hours = 4, .outage_s = OUTAGE_S, .folder = "."};
  fleet_life lives[] = {{.client = &fleet_library}, {.client = &fleet_naive}};
  const char *wrong = NULL;
  for (int i = 1; i < count; i += 2)
    if (!read_option(&plan, arguments[i], arguments[i + 1]))
      return help();
  (void)printf("fleet: %u boxes, seed %llu, %lld hours\n", (unsigned)plan.boxes,
               (unsigned long long)plan.seed, (long long)plan.hours);
  (void)fflush(stdout);
  for (int i = 0; i < 2; i++)
    if (!live(&lives[i], &plan, &wrong)) {
      (void)printf("fleet: the model is wrong: %s\n", wrong);
      return 1;
    }
  fleet_print(lives, &plan);
  int status = write_files(lives, &plan) ? judge(lives, &plan) : 1;
  free(lives[0].seconds);
  free(lives[1].seconds);
  return status;
}
