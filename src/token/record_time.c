/* How the moments of a record go on counting in another process, and after a reboot. */
#include "token/machine_times.h"
#include "token/record.h"

#include <string.h>

enum { SAME_START_MS = 2000 };

void identity__record_stamp(identity__record *record, const char *boot_id, identity__now now) {
  memcpy(record->boot_id, boot_id, sizeof record->boot_id);
  record->written_boot_ms = now.boot_ms;
  record->written_wall_ms = now.wall_ms;
}

/* Time since the record was written, by the wall clock; -1: nobody knows. */
static int64_t absence_ms(const identity__record *record, identity__now now) {
  int64_t passed = now.wall_ms - record->written_wall_ms;
  bool sense = now.wall_ms >= IDENTITY__CLOCK_FLOOR_MS && record->written_wall_ms >= IDENTITY__CLOCK_FLOOR_MS;
  return sense && passed >= 0 && passed <= IDENTITY__ABSENCE_MOST_MS ? passed : -1;
}

static void shift(identity__record *record, int64_t by_ms, int64_t boot_ms) {
  record->grant.sent_boot_ms += by_ms;
  record->first_refusal_boot_ms += by_ms;
  for (uint32_t i = 0; i < record->caused_count; i++)
    record->caused_boot_ms[i] += by_ms;
  if (record->cooldown_boot_ms != 0)
    record->cooldown_boot_ms += by_ms;
  if (record->cooldown_boot_ms <= boot_ms)
    record->cooldown_boot_ms = 0;
}

/* A cooldown that nobody can measure is over; an hour that nobody can measure begins now. */
static void lose_time(identity__record *record, int64_t boot_ms) {
  if (record->grant.age == IDENTITY__AGE_KNOWN)
    record->grant.age = IDENTITY__AGE_LOST;
  record->cooldown_boot_ms = 0;
  record->first_refusal_boot_ms = boot_ms;
  for (uint32_t i = 0; i < record->caused_count; i++)
    record->caused_boot_ms[i] = boot_ms;
}

static int64_t distance(int64_t one, int64_t other) {
  return one > other ? one - other : other - one;
}

/* Where the system does not name its boots, one is told by when it began. */
static bool is_same_boot(const identity__record *record, const char *boot_id, identity__now now) {
  if (boot_id[0] != '\0' || record->boot_id[0] != '\0')
    return strcmp(record->boot_id, boot_id) == 0;
  int64_t began_ms = record->written_wall_ms - record->written_boot_ms;
  return distance(began_ms, now.wall_ms - now.boot_ms) <= SAME_START_MS;
}

void identity__record_rebase(identity__record *record, const char *boot_id, identity__now now) {
  /* Another process may have written it after we looked at the clock. */
  bool past = record->written_boot_ms <= now.boot_ms + IDENTITY__MINUTE_MS;
  if (past && is_same_boot(record, boot_id, now))
    return;
  int64_t absence = absence_ms(record, now);
  if (absence >= 0)
    shift(record, now.boot_ms - absence - record->written_boot_ms, now.boot_ms);
  else
    lose_time(record, now.boot_ms);
  if (record->lease.fingerprint[0] != '\0')
    record->ambiguous = 1;
  memset(&record->lease, 0, sizeof record->lease);
  identity__record_stamp(record, boot_id, now);
}
