/* What the seconds of a fleet's life tell. */
#ifndef TESTS_FLEET_FIGURES_H
#define TESTS_FLEET_FIGURES_H

#include "fleet/fleet.h"

#define TARGET_TIMES 2.0 /* the steady rate, after the outage */
#define TARGET_BACK_S 600
enum { WINDOW_S = 10, NOT_BACK = -1 };

typedef struct fleet_figures {
  double steady; /* POSTs per second; peaks are means of ten seconds */
  double during;
  double after;
  double after_one_second;
  double power_on;
  uint32_t out; /* boxes when the outage ends */
  uint32_t waiting;
  double waited; /* seconds that an app of a box in use waits, between outage and power cut */
  int64_t most_back_s;
  int64_t all_back_s;
  int64_t most_on_s;
  int64_t all_on_s;
  uint32_t ended;
} fleet_figures;

typedef struct fleet_life {
  const fleet_client *client;
  fleet_second *seconds;
  fleet_figures figures;
} fleet_life;

void fleet_figure(const fleet_world *world, fleet_figures *figures);
double fleet_mean(const fleet_second *seconds, int64_t from_s, int64_t to_s);
bool fleet_meets_target(const fleet_figures *figures, const fleet_plan *plan);
void fleet_print(const fleet_life lives[2], const fleet_plan *plan);
bool fleet_write_csv(const fleet_life lives[2], const fleet_plan *plan, const char *path);
/* plot.c */
bool fleet_draw(const fleet_life lives[2], const fleet_plan *plan, const char *path);

#endif
