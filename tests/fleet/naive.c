/* The client to compare with: refreshes the moment its JWT expires, and once a second until that works. */
#include "fleet/fleet.h"

#define AGAIN_MS SECOND_MS

static void begin(fleet_world *world, fleet_box *box, int64_t got_ms) {
  (void)world;
  box->got_ms = got_ms;
  box->refresh_ms = got_ms + LIFE_MS;
}

static void refresh(fleet_world *world, fleet_box *box, int64_t now_ms) {
  fleet_answer answer = fleet_post(world, box, box->token, now_ms);
  bool works = answer.http_status == 200;
  if (works)
    box->got_ms = now_ms;
  box->refresh_ms = works ? now_ms + LIFE_MS : answer.at_ms + AGAIN_MS;
  fleet_set_out(world, box, !works);
  if (works)
    fleet_set_waits(world, box, false);
}

/* It stops when the app has not asked for a token for as long as the last one lived. */
static bool is_asleep(const fleet_box *box) {
  return !box->out && !fleet_is_used(box, box->refresh_ms);
}

static int64_t step(fleet_world *world, fleet_box *box, int64_t now_ms) {
  bool asked = now_ms >= box->ask_ms;
  bool expired = now_ms >= box->got_ms + LIFE_MS;
  bool lost = box->off && box->clockless && now_ms < box->booted_ms + MINUTE_MS;
  box->off = false;
  if (asked) {
    box->asked_ms = now_ms;
    fleet_plan_ask(world, box, now_ms);
  }
  if ((now_ms >= box->refresh_ms && !is_asleep(box)) || (asked && expired) || lost)
    refresh(world, box, now_ms);
  else if (!expired)
    fleet_set_out(world, box, false);
  if (asked)
    fleet_set_waits(world, box, box->out);
  return is_asleep(box) || box->ask_ms < box->refresh_ms ? box->ask_ms : box->refresh_ms;
}

const fleet_client fleet_naive = {"naive", "refreshes at expiry, retries every second", begin, step};
