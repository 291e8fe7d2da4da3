/* The service: refresh tokens that are good once, a time in which it is down, and as many answers a second as
 * it has room for. */
#include "fleet/fleet.h"

enum { OK = 200, REFUSED = 400, TOO_MANY = 429, DOWN = 503 };

#define FASTEST_MS 50
#define SLOWEST_MS 350
#define RETRY_AFTER_MS (2 * MINUTE_MS) /* says who has no room */

static bool is_down(const fleet_world *world, int64_t now_ms) {
  return now_ms >= DOWN_MS && now_ms < fleet_up_ms(world->plan);
}

static bool has_room(const fleet_world *world, const fleet_second *second) {
  return world->most_a_second == 0 || second->posts - second->failed < world->most_a_second;
}

fleet_answer fleet_post(fleet_world *world, fleet_box *box, uint32_t token, int64_t now_ms) {
  fleet_second *second = &world->seconds[now_ms / SECOND_MS];
  fleet_answer answer = {.http_status = OK, .at_ms = now_ms + fleet_between(world, FASTEST_MS, SLOWEST_MS)};
  if (is_down(world, now_ms)) {
    answer.http_status = DOWN;
  } else if (!has_room(world, second)) {
    answer.http_status = TOO_MANY;
    answer.retry_after_ms = RETRY_AFTER_MS;
  } else if (token != box->token) {
    answer.http_status = REFUSED;
  } else {
    answer.token = ++box->token;
  }
  second->posts++;
  second->failed += answer.http_status != OK;
  return answer;
}
