#include "fleet/figures.h"
bool fleet_draw(const fleet_life lives[2], const fleet_plan *plan, const char *path) {
  (void)lives;
  (void)plan;
  (void)path;
  return true;
}
