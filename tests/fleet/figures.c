#include "fleet/figures.h"

#include <math.h>
#include <stdio.h>

double fleet_mean(const fleet_second *seconds, int64_t from_s, int64_t to_s) {
  double posts = 0;
  for (int64_t s = from_s; s < to_s; s++)
    posts += seconds[s].posts;
  return posts / (double)(to_s - from_s);
}

/* Of any window in [from, to). */
static double peak(const fleet_second *seconds, int64_t from_ms, int64_t to_ms, int64_t window_s) {
  double most = 0;
  for (int64_t s = from_ms / SECOND_MS; s + window_s <= to_ms / SECOND_MS; s++)
    most = fmax(most, fleet_mean(seconds, s, s + window_s));
  return most;
}

/* Seconds until at most one in `share` of those who were out is still out; 0: nobody may be. */
static int64_t back_s(const fleet_second *seconds, int64_t from_ms, int64_t to_ms, uint32_t share) {
  int64_t from = from_ms / SECOND_MS;
  uint32_t rest = share > 0 ? seconds[from - 1].out / share : 0;
  for (int64_t s = from; s < to_ms / SECOND_MS; s++)
    if (seconds[s].out <= rest)
      return s + 1 - from;
  return NOT_BACK;
}

void fleet_figure(const fleet_world *world, fleet_figures *figures) {
  enum { MOST = 1000 };
  const fleet_second *seconds = world->seconds;
  int64_t end_ms = world->end_ms;
  int64_t up_ms = fleet_up_ms(world->plan);
  figures->steady = fleet_mean(seconds, STEADY_MS / SECOND_MS, DOWN_MS / SECOND_MS);
  figures->during = peak(seconds, DOWN_MS, up_ms, WINDOW_S);
  figures->after = peak(seconds, up_ms, CUT_MS, WINDOW_S);
  figures->after_one_second = peak(seconds, up_ms, CUT_MS, 1);
  figures->power_on = peak(seconds, POWER_MS, end_ms, WINDOW_S);
  figures->out = seconds[up_ms / SECOND_MS - 1].out;
  figures->waiting = seconds[up_ms / SECOND_MS - 1].waiting;
  for (int64_t s = DOWN_MS / SECOND_MS; s < CUT_MS / SECOND_MS; s++)
    figures->waited += seconds[s].waiting / (world->plan->boxes * (IN_USE_PERCENT / 100.0));
  figures->most_back_s = back_s(seconds, up_ms, CUT_MS, MOST);
  figures->all_back_s = back_s(seconds, up_ms, CUT_MS, 0);
  figures->most_on_s = back_s(seconds, POWER_MS, end_ms, MOST);
  figures->all_on_s = back_s(seconds, POWER_MS, end_ms, 0);
  figures->ended = world->ended;
}

/* In a small fleet chance alone moves ten seconds: four standard deviations are allowed for it. */
static double most_times(const fleet_figures *figures, const fleet_plan *plan) {
  double expected = TARGET_TIMES * figures->steady * WINDOW_S;
  bool small = plan->boxes < 1000000;
  return small ? TARGET_TIMES * (1 + 4 / sqrt(expected)) : TARGET_TIMES;
}

bool fleet_meets_target(const fleet_figures *figures, const fleet_plan *plan) {
  return figures->after <= most_times(figures, plan) * figures->steady && figures->all_back_s != NOT_BACK &&
         figures->all_back_s <= TARGET_BACK_S;
}

/* ---- The table ---- */

static void print_rates(const char *words, double one, double other, const fleet_life lives[2]) {
  (void)printf("%-38s %9.0f %6.1f x %11.0f %7.1f x\n", words, one, one / lives[0].figures.steady, other,
               other / lives[1].figures.steady);
}

static void print_back(const char *words, int64_t one, int64_t other) {
  char texts[2][24];
  int64_t seconds[] = {one, other};
  for (int i = 0; i < 2; i++)
    (void)snprintf(texts[i], sizeof texts[i], seconds[i] == NOT_BACK ? "never" : "%lld s",
                   (long long)seconds[i]);
  (void)printf("%-38s %18s %21s\n", words, texts[0], texts[1]);
}

void fleet_print(const fleet_life lives[2], const fleet_plan *plan) {
  const fleet_figures *ours = &lives[0].figures;
  const fleet_figures *theirs = &lives[1].figures;
  (void)printf("\n%-38s %18s %21s\n", "refreshes a second", lives[0].client->name, lives[1].client->name);
  print_rates("steady", ours->steady, theirs->steady, lives);
  print_rates("peak during the outage", ours->during, theirs->during, lives);
  print_rates("peak after it", ours->after, theirs->after, lives);
  print_rates("  of one second", ours->after_one_second, theirs->after_one_second, lives);
  print_rates("peak after the power is back", ours->power_on, theirs->power_on, lives);
  (void)printf("%-38s %18u %21u\n", "boxes cut off as the outage ends", (unsigned)ours->out,
               (unsigned)theirs->out);
  print_back("  99.9 % of them back after", ours->most_back_s, theirs->most_back_s);
  print_back("  all of them", ours->all_back_s, theirs->all_back_s);
  (void)printf("%-38s %18u %21u\n", "apps that wait as the outage ends", (unsigned)ours->waiting,
               (unsigned)theirs->waiting);
  (void)printf("%-38s %16.1f s %19.1f s\n", "waited in all, by box in use", ours->waited, theirs->waited);
  print_back("power back: 99.9 % have a JWT after", ours->most_on_s, theirs->most_on_s);
  print_back("  all", ours->all_on_s, theirs->all_on_s);
  (void)printf("%-38s %18u %21s\n", "sessions lost", (unsigned)ours->ended, "-");
  (void)printf(
      "\ntarget: after the outage at most %.1f x the steady rate%s, all back within %d s\n", TARGET_TIMES,
      most_times(ours, plan) > TARGET_TIMES ? " and what chance adds in a small fleet" : "", TARGET_BACK_S);
}

bool fleet_write_csv(const fleet_life lives[2], const fleet_plan *plan, const char *path) {
  FILE *file = fopen(path, "w");
  if (file == NULL)
    return false;
  (void)fprintf(file, "second");
  for (int i = 0; i < 2; i++)
    (void)fprintf(file, ",%s_posts,%s_failed,%s_boxes_out,%s_apps_waiting", lives[i].client->name,
                  lives[i].client->name, lives[i].client->name, lives[i].client->name);
  for (int64_t s = 0; s < plan->hours * HOUR_MS / SECOND_MS; s++) {
    (void)fprintf(file, "\n%lld", (long long)s);
    for (int i = 0; i < 2; i++) {
      const fleet_second *second = &lives[i].seconds[s];
      (void)fprintf(file, ",%u,%u,%u,%u", (unsigned)second->posts, (unsigned)second->failed,
                    (unsigned)second->out, (unsigned)second->waiting);
    }
  }
  (void)fprintf(file, "\n");
  bool whole = ferror(file) == 0;
  return fclose(file) == 0 && whole;
}
