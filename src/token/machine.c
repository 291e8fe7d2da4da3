#include "token/machine.h"
#include "base/secret.h"
#include "token/machine_times.h"

#include <string.h>

void identity__machine_init(identity__machine *machine, const char *boot_id, const identity__lease *self) {
  memset(machine, 0, sizeof *machine);
  machine->self = *self;
  identity__record_init(&machine->record);
  memcpy(machine->boot_id, boot_id, sizeof machine->boot_id);
}

void identity__machine_clear(identity__machine *machine) {
  identity__record_clear(&machine->record);
  identity__wipe(machine, sizeof *machine);
}

/* ---- Time ---- */

int64_t identity__machine_remaining(const identity__machine *machine, int64_t now_ms) {
  const identity__grant *grant = &machine->record.grant;
  if (machine->dead)
    return 0;
  int64_t age = now_ms - grant->sent_boot_ms;
  /* Another process may have asked for it after we looked at the clock. */
  if (age < 0 && age >= -IDENTITY__MINUTE_MS)
    age = 0;
  if (grant->age != IDENTITY__AGE_KNOWN || age < 0)
    return -1;
  return age < grant->life_ms ? grant->life_ms - age : 0;
}

bool identity__machine_is_usable(const identity__machine *machine, int64_t now_ms) {
  int64_t remaining = identity__machine_remaining(machine, now_ms);
  return remaining > 0 || (remaining < 0 && machine->record.grant.age == IDENTITY__AGE_ADOPTED);
}

/* The moment of its birth alone is no chance: where the power comes back to a whole town, the boxes ask in
 * the same milliseconds since their start. Nor is the handle alone: it would come at the same part of each
 * life. FNV-1a over the handle's name. */
static uint64_t soft_dice(const identity__machine *machine) {
  uint64_t hash = UINT64_C(0xCBF29CE484222325);
  for (const char *owner = machine->self.owner; *owner != '\0'; owner++)
    hash = (hash ^ (uint64_t)(unsigned char)*owner) * UINT64_C(0x100000001B3);
  uint64_t birth = (uint64_t)machine->record.grant.sent_boot_ms + machine->record.generation;
  uint64_t mixed = (hash ^ birth) * UINT64_C(0x9E3779B97F4A7C15);
  return (mixed ^ mixed >> 32) * UINT64_C(0x9E3779B97F4A7C15) >> 32;
}

int64_t identity__machine_soft_ms(const identity__machine *machine) {
  const identity__grant *grant = &machine->record.grant;
  bool known = grant->age == IDENTITY__AGE_KNOWN && grant->refresh_token != NULL;
  if (!known || identity__machine_standing(machine) != IDENTITY_OK)
    return INT64_MAX;
  uint64_t span = IDENTITY__SOFT_MOST_PERMILLE - IDENTITY__SOFT_LEAST_PERMILLE + 1;
  int64_t permille = IDENTITY__SOFT_LEAST_PERMILLE + (int64_t)(soft_dice(machine) % span);
  return grant->sent_boot_ms + grant->life_ms / 1000 * permille;
}

/* A JWT this close to its end may be over when it arrives: life / 30 within 5 to 60 s, never above life / 4.
 */
static int64_t hard_margin_ms(const identity__grant *grant) {
  int64_t margin = grant->life_ms / 30;
  if (margin < 5 * IDENTITY__SECOND_MS)
    margin = 5 * IDENTITY__SECOND_MS;
  if (margin > IDENTITY__MINUTE_MS)
    margin = IDENTITY__MINUTE_MS;
  return margin < grant->life_ms / 4 ? margin : grant->life_ms / 4;
}

bool identity__machine_is_spare(const identity__machine *machine, int64_t now_ms) {
  return identity__machine_remaining(machine, now_ms) > hard_margin_ms(&machine->record.grant);
}

int64_t identity__machine_cooldown_ms(const identity__machine *machine, int64_t now_ms) {
  int64_t left = machine->record.cooldown_boot_ms - now_ms;
  if (machine->record.cooldown_boot_ms == 0 || left <= 0)
    return 0;
  return left < IDENTITY__COOLDOWN_MOST_MS ? left : IDENTITY__COOLDOWN_MOST_MS;
}

/* ---- Asking ---- */

identity_status identity__machine_standing(const identity__machine *machine) {
  if (machine->blocked != IDENTITY_OK)
    return machine->blocked;
  if (machine->record.standing == IDENTITY__RECORD_SIGNED_IN)
    return IDENTITY_OK;
  return machine->record.standing == IDENTITY__RECORD_REAUTH ? IDENTITY_SESSION_ENDED : IDENTITY_SIGNED_OUT;
}

static identity__ask answer(int32_t verdict, identity_status status, int64_t retry_after_ms,
                            int64_t remaining_ms) {
  identity__ask ask = {verdict, status, retry_after_ms, remaining_ms};
  return ask;
}

static identity__ask give(int64_t remaining_ms) {
  return answer(IDENTITY__ASK_GIVE, IDENTITY_OK, 0, remaining_ms);
}

/* The token is over or close to it: refresh, or say why that cannot be done now. */
static identity__ask replace(const identity__machine *machine, int64_t remaining, int64_t now_ms) {
  int64_t cooldown = identity__machine_cooldown_ms(machine, now_ms);
  bool usable = identity__machine_is_usable(machine, now_ms);
  if (machine->record.grant.refresh_token == NULL)
    return usable ? give(remaining) : answer(IDENTITY__ASK_FAIL, IDENTITY_SESSION_ENDED, 0, remaining);
  if (machine->flying || cooldown == 0)
    return answer(IDENTITY__ASK_REFRESH, IDENTITY_OK, 0, remaining);
  if (usable)
    return give(remaining);
  return answer(IDENTITY__ASK_FAIL, IDENTITY_REFRESH_DEFERRED, cooldown, remaining);
}

identity__ask identity__machine_ask(const identity__machine *machine, int64_t now_ms) {
  identity_status standing = identity__machine_standing(machine);
  if (standing != IDENTITY_OK)
    return answer(IDENTITY__ASK_FAIL, standing, 0, 0);
  int64_t remaining = identity__machine_remaining(machine, now_ms);
  if (remaining < 0 && identity__machine_is_usable(machine, now_ms))
    return give(remaining);
  if (identity__machine_is_spare(machine, now_ms))
    return give(remaining);
  return replace(machine, remaining, now_ms);
}

identity__ask identity__machine_ask_life(const identity__machine *machine, int64_t min_life_ms,
                                         int64_t now_ms) {
  identity_status standing = identity__machine_standing(machine);
  if (standing != IDENTITY_OK)
    return answer(IDENTITY__ASK_FAIL, standing, 0, 0);
  const identity__grant *grant = &machine->record.grant;
  int64_t remaining = identity__machine_remaining(machine, now_ms);
  int64_t wanted = min_life_ms > hard_margin_ms(grant) ? min_life_ms : hard_margin_ms(grant);
  bool young = remaining > 0 && grant->life_ms - remaining < IDENTITY__YOUNG_MS;
  if (remaining > wanted || (young && remaining > hard_margin_ms(grant)))
    return give(remaining);
  return replace(machine, remaining, now_ms);
}

identity__ask identity__machine_ask_rotation(const identity__machine *machine, int64_t now_ms) {
  identity_status standing = identity__machine_standing(machine);
  if (standing != IDENTITY_OK)
    return answer(IDENTITY__ASK_FAIL, standing, 0, 0);
  if (machine->record.grant.refresh_token == NULL)
    return answer(IDENTITY__ASK_FAIL, IDENTITY_SESSION_ENDED, 0, 0);
  int64_t cooldown = identity__machine_cooldown_ms(machine, now_ms);
  if (cooldown > 0 && !machine->flying)
    return answer(IDENTITY__ASK_FAIL, IDENTITY_REFRESH_DEFERRED, cooldown, 0);
  return answer(IDENTITY__ASK_REFRESH, IDENTITY_OK, 0, 0);
}

/* I9: at most four refreshes an hour are caused by a 401. */
static bool budget_is_spent(const identity__record *record, int64_t now_ms) {
  uint32_t recent = 0;
  for (uint32_t i = 0; i < record->caused_count; i++)
    recent += now_ms - record->caused_boot_ms[i] < IDENTITY__HOUR_MS;
  return recent >= IDENTITY__MAX_CAUSED;
}

/* No two are noted at the same time: when lists are put together, equal ones are one. */
static void remember_caused(identity__record *record, int64_t now_ms) {
  if (record->caused_count == IDENTITY__MAX_CAUSED) {
    memmove(record->caused_boot_ms, record->caused_boot_ms + 1,
            (IDENTITY__MAX_CAUSED - 1) * sizeof record->caused_boot_ms[0]);
    record->caused_count--;
  }
  uint32_t last = record->caused_count;
  bool meets = last > 0 && record->caused_boot_ms[last - 1] >= now_ms;
  record->caused_boot_ms[record->caused_count++] = meets ? record->caused_boot_ms[last - 1] + 1 : now_ms;
}

/* I9: a token younger than 60 s or half its life, whichever is less, is not worth a refresh. */
static bool is_too_young(const identity__machine *machine, int64_t now_ms) {
  const identity__grant *grant = &machine->record.grant;
  int64_t remaining = identity__machine_remaining(machine, now_ms);
  int64_t youth = grant->life_ms / 2 < IDENTITY__YOUNG_MS ? grant->life_ms / 2 : IDENTITY__YOUNG_MS;
  return remaining > 0 && grant->life_ms - remaining < youth;
}

identity__ask identity__machine_rejected(identity__machine *machine, uint64_t epoch, uint64_t generation,
                                         bool expired, int64_t now_ms) {
  identity_status standing = identity__machine_standing(machine);
  if (standing != IDENTITY_OK)
    return answer(IDENTITY__ASK_FAIL, standing, 0, 0);
  const identity__record *record = &machine->record;
  if (epoch != record->epoch || generation != record->generation)
    return identity__machine_ask(machine, now_ms);
  if (machine->dead || machine->flying)
    return replace(machine, identity__machine_remaining(machine, now_ms), now_ms);
  /* It is over by its age: that is no news, and no 401 has caused what follows. */
  if (identity__machine_remaining(machine, now_ms) == 0)
    return replace(machine, 0, now_ms);
  if ((!expired && is_too_young(machine, now_ms)) || budget_is_spent(record, now_ms))
    return answer(IDENTITY__ASK_FAIL, IDENTITY_NOT_ALLOWED, 0, 0);
  machine->dead = true;
  machine->counters.refused_tokens++;
  identity__ask ask = replace(machine, 0, now_ms);
  if (ask.verdict == IDENTITY__ASK_REFRESH)
    remember_caused(&machine->record, now_ms);
  return ask;
}

static bool was_refused_lately(const identity__machine *machine) {
  return machine->last_failure != IDENTITY_OK || machine->record.failures > 0 || machine->record.refusals > 0;
}

int32_t identity__machine_state(const identity__machine *machine) {
  if (machine->blocked != IDENTITY_OK)
    return IDENTITY_STATE_STORE_BLOCKED;
  if (machine->record.standing == IDENTITY__RECORD_REAUTH)
    return IDENTITY_STATE_REAUTH_REQUIRED;
  if (machine->record.standing != IDENTITY__RECORD_SIGNED_IN)
    return IDENTITY_STATE_SIGNED_OUT;
  if (machine->flying)
    return IDENTITY_STATE_REFRESHING;
  if (was_refused_lately(machine))
    return IDENTITY_STATE_STALE;
  return IDENTITY_STATE_ACTIVE;
}
