/* The service of the model: refresh tokens that are good once. With a grace period a used token is good again
 * until the one it was exchanged for has been used. */
#include "explore/bugs.h"
#include "explore/texts.h"
#include "explore/world.h"

#include <string.h>

int32_t explore_issue(explore_service *service, int32_t customer, int32_t parent) {
  int32_t token = ++service->issued;
  service->state[token] = TOKEN_GOOD;
  service->customer[token] = (uint8_t)customer;
  service->parent[token] = (uint8_t)parent;
  return token;
}

bool explore_would_take(const explore_service *service, int32_t token) {
  int32_t state = token > 0 && token < TOKENS ? service->state[token] : TOKEN_UNKNOWN;
  bool grace = explore_rules_now.grace != GRACE_NONE && !explore_has_bug(BUG_NO_GRACE);
  return state == TOKEN_GOOD || (state == TOKEN_USED && grace);
}

/* A token is exchanged: from here on it is used, and the one that it came from is dead for good. */
static int32_t exchange(explore_service *service, int32_t token) {
  int32_t parent = service->parent[token];
  service->state[token] = TOKEN_USED;
  if (parent != 0 && service->state[parent] == TOKEN_USED)
    service->state[parent] = TOKEN_DEAD;
  return explore_issue(service, service->customer[token], token);
}

/* What each variant of an arrival does: an honest answer, or one of the faults of a service or of what stands
 * before it. */
static const struct {
  bool processed;
  int32_t answer;
} arrivals[] = {
    {true, ANSWER_PAIR},  {false, ANSWER_500},          {true, ANSWER_500},      {false, ANSWER_503},
    {false, ANSWER_HTML}, {false, ANSWER_UNDOCUMENTED}, {true, ANSWER_STRANGER}, {false, ANSWER_JWT_ONLY},
};

bool explore_can_arrive(const explore_world *world, int32_t number, int32_t variant) {
  const explore_request *request = &world->requests[number];
  if (request->state != REQUEST_LEFT || world->now.boot_ms >= request->ends_ms)
    return false;
  if (variant == 0)
    return true;
  bool good = explore_would_take(&world->service, request->token);
  bool needs_good = arrivals[variant].processed || arrivals[variant].answer == ANSWER_JWT_ONLY;
  return request->listener != NOBODY && (good || !needs_good);
}

void explore_arrive(explore_world *world, int32_t number, int32_t variant) {
  explore_request *request = &world->requests[number];
  request->state = REQUEST_ANSWERED;
  request->answer = arrivals[variant].answer;
  request->pair = 0;
  if (arrivals[variant].answer == ANSWER_JWT_ONLY)
    request->pair = request->token;
  else if (!explore_would_take(&world->service, request->token) && variant == 0)
    request->answer = ANSWER_DEFINITE;
  else if (arrivals[variant].processed)
    request->pair = exchange(&world->service, request->token);
  bool heard = request->listener != NOBODY &&
               (request->answer == ANSWER_PAIR || request->pair == 0 || request->answer == ANSWER_JWT_ONLY);
  if (!heard)
    world->excused = world->excused || request->pair != 0;
  if (request->listener == NOBODY)
    memset(request, 0, sizeof *request);
}

/* ---- What the library reads out of it ---- */

static const struct {
  int32_t answer;
  identity__refresh_facts facts;
} readings[] = {
    {ANSWER_PAIR, {2, true, 200, true, false, false, true, true}},
    {ANSWER_JWT_ONLY, {2, true, 200, true, false, false, true, true}},
    {ANSWER_STRANGER, {2, true, 200, true, false, false, true, false}},
    {ANSWER_DEFINITE, {2, true, 400, true, true, true, false, false}},
    {ANSWER_UNDOCUMENTED, {2, true, 400, true, true, false, false, false}},
    {ANSWER_500, {2, true, 500, false, false, false, false, false}},
    {ANSWER_503, {2, true, 503, false, false, false, false, false}},
    {ANSWER_HTML, {2, true, 403, false, false, false, false, false}},
};

static void misread(int32_t answer, identity__refresh_facts *facts) {
  bool ends = (explore_has_bug(BUG_500_DEFINITE) && answer == ANSWER_500) ||
              (explore_has_bug(BUG_UNDOCUMENTED_DEFINITE) && answer == ANSWER_UNDOCUMENTED);
  if (ends)
    *facts = (identity__refresh_facts){2, true, 400, true, true, true, false, false};
  if (explore_has_bug(BUG_PAIR_MISREAD) && answer == ANSWER_PAIR)
    *facts = (identity__refresh_facts){2, true, 500, false, false, false, false, false};
  if (explore_has_bug(BUG_STRANGER))
    facts->same_customer = true;
}

void explore_read_answer(explore_world *world, int32_t handle, const explore_request *request,
                         identity__landing *landing) {
  identity__grant *grant = &world->handles[handle].answer;
  for (size_t i = 0; i < sizeof readings / sizeof readings[0]; i++)
    if (readings[i].answer == request->answer)
      landing->facts = readings[i].facts;
  misread(request->answer, &landing->facts);
  memset(grant, 0, sizeof *grant);
  if (!landing->facts.usable_pair)
    return;
  int32_t customer = world->service.customer[request->pair] + (request->answer == ANSWER_STRANGER ? 1 : 0);
  grant->jwt = explore_jwt(request->pair);
  grant->refresh_token = explore_refresh_token(request->pair); /* where none came: ours is still good */
  grant->customer_id = explore_customer(customer);
  grant->publisher_id = explore_word("house");
  grant->life_ms = LIFE_MS;
  grant->sent_boot_ms = request->left_ms;
  grant->age = IDENTITY__AGE_KNOWN;
  landing->grant = grant;
}
