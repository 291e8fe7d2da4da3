#include "fleet/desk.h"
#include "fleet/texts.h"

#include <stdio.h>
#include <string.h>

#define WALL_MS (IDENTITY__CLOCK_FLOOR_S * SECOND_MS + INT64_C(4800) * HOUR_MS) /* the world begins */

enum { OWNER_SIZE = sizeof((identity__lease *)0)->owner };

identity__now fleet_now(const fleet_box *box, int64_t now_ms) {
  int64_t boot_ms = now_ms - box->booted_ms;
  bool lost = box->clockless && box->kept.boot > 0 && boot_ms < MINUTE_MS;
  identity__now now = {.boot_ms = boot_ms, .wall_ms = lost ? boot_ms : WALL_MS + now_ms};
  return now;
}

/* ---- What is the same for all ---- */

void fleet_name_boot(char name[IDENTITY__BOOT_ID_SIZE], int16_t boot) {
  memset(name, 0, IDENTITY__BOOT_ID_SIZE);
  (void)snprintf(name, IDENTITY__BOOT_ID_SIZE, "boot %d", (int)boot);
}

/* A handle's name is chance. Here it outlives a boot; so who has made the record is not kept. */
static void name_owner(char name[OWNER_SIZE], uint32_t number) {
  memset(name, 0, OWNER_SIZE);
  (void)snprintf(name, OWNER_SIZE, "%08x", (unsigned)number);
}

static void fill_grant(identity__grant *grant, uint64_t generation) {
  grant->jwt = fleet_word(WORD_JWT);
  grant->refresh_token = fleet_refresh_token((uint32_t)generation);
  grant->customer_id = fleet_word(WORD_CUSTOMER);
  grant->publisher_id = fleet_word(WORD_PUBLISHER);
  grant->life_ms = LIFE_MS;
}

static void unpack(const fleet_box *box, identity__record *record) {
  const fleet_kept *kept = &box->kept;
  identity__record_init(record);
  record->epoch = 1;
  record->generation = kept->generation;
  name_owner(record->maker, box->number);
  record->standing = kept->standing;
  record->reason = kept->reason;
  fill_grant(&record->grant, kept->generation);
  record->grant.sent_boot_ms = kept->sent_boot_ms;
  record->grant.age = kept->age;
  fleet_name_boot(record->boot_id, kept->boot);
  record->written_boot_ms = kept->written_boot_ms;
  record->written_wall_ms = kept->written_wall_ms;
  record->cooldown_boot_ms = kept->cooldown_boot_ms;
  record->failures = kept->failures;
  record->refusals = kept->refusals;
  record->first_refusal_boot_ms = kept->first_refusal_boot_ms;
  record->ambiguous = kept->ambiguous;
}

static void pack(fleet_desk *desk, fleet_kept *kept) {
  const identity__record *record = &desk->machine.record;
  kept->generation = record->generation;
  kept->revision = desk->revision;
  kept->standing = record->standing;
  kept->reason = record->reason;
  kept->sent_boot_ms = record->grant.sent_boot_ms;
  kept->age = record->grant.age;
  kept->written_boot_ms = record->written_boot_ms;
  kept->written_wall_ms = record->written_wall_ms;
  kept->cooldown_boot_ms = record->cooldown_boot_ms;
  kept->failures = record->failures;
  kept->refusals = record->refusals;
  kept->first_refusal_boot_ms = record->first_refusal_boot_ms;
  kept->ambiguous = record->ambiguous;
  kept->last_failure = desk->machine.last_failure;
  kept->foreign = desk->machine.foreign;
}

/* ---- Down and up ---- */

/* What is counted for a support desk begins anew with each turn: nothing is decided by it. */
void fleet_sit_down(fleet_desk *desk, const fleet_box *box, int64_t now_ms) {
  const fleet_kept *kept = &box->kept;
  identity__lease self = {.process = 1};
  char boot_id[IDENTITY__BOOT_ID_SIZE];
  name_owner(self.owner, box->number);
  fleet_name_boot(boot_id, kept->boot);
  desk->now = fleet_now(box, now_ms);
  identity__machine_init(&desk->machine, boot_id, &self);
  if (kept->revision == 0)
    return; /* nobody was ever signed in */
  unpack(box, &desk->machine.record);
  desk->stored = desk->machine.record;
  desk->revision = kept->revision;
  desk->machine.revision = kept->revision;
  desk->machine.last_failure = kept->last_failure;
  desk->machine.foreign = kept->foreign;
}

static bool is_same_record(const identity__record *one, const identity__record *other) {
  identity__buffer left;
  identity__buffer right;
  identity__buffer_init(&left, IDENTITY__MAX_RECORD);
  identity__buffer_init(&right, IDENTITY__MAX_RECORD);
  bool same = identity__record_encode(one, "fleet", &left) &&
              identity__record_encode(other, "fleet", &right) && left.length == right.length &&
              memcmp(left.bytes, right.bytes, left.length) == 0;
  identity__buffer_free(&left);
  identity__buffer_free(&right);
  return same;
}

/* A sample is unpacked again and compared, byte by byte as it would be stored. */
static bool is_faithful(const fleet_desk *desk, const fleet_box *box) {
  const identity__machine *machine = &desk->machine;
  identity__record again;
  bool plain = machine->blocked == IDENTITY_OK && !machine->not_persisted && !machine->unread &&
               !machine->answers_unsaved && !machine->dead && !machine->flying && !machine->lease_unused &&
               machine->how == 0 && !machine->delivering && machine->revision == desk->revision;
  if (!plain)
    return false;
  unpack(box, &again);
  return is_same_record(&again, &machine->record) &&
         (machine->foreign || is_same_record(&again, &desk->stored)); /* rebased after a boot, it is not */
}

bool fleet_stand_up(fleet_desk *desk, fleet_box *box) {
  enum { SAMPLE = 64 };
  pack(desk, &box->kept);
  bool whole = box->kept.sent_boot_ms % SAMPLE != 0 || is_faithful(desk, box);
  identity__record_init(&desk->stored);
  return whole;
}

/* ---- The store ---- */

void fleet_load(const fleet_desk *desk, identity__look *look) {
  memset(look, 0, sizeof *look);
  identity__record_init(&look->record);
  look->said = desk->revision == 0 ? IDENTITY__SAID_ABSENT : IDENTITY__SAID_OK;
  look->revision = desk->revision;
  if (look->said == IDENTITY__SAID_OK && !identity__record_copy(&look->record, &desk->stored))
    look->said = IDENTITY__SAID_MEMORY;
}

int32_t fleet_swap(fleet_desk *desk, const identity__record *next, uint64_t *revision) {
  if (*revision != desk->revision)
    return IDENTITY__SAID_CONFLICT;
  if (!identity__record_copy(&desk->stored, next))
    return IDENTITY__SAID_MEMORY;
  *revision = ++desk->revision;
  return IDENTITY__SAID_OK;
}
