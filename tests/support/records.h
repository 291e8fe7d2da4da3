/* A record under test and what every test of it needs. */
#ifndef SUPPORT_RECORDS_H
#define SUPPORT_RECORDS_H

#include "support/suite.h"

#include "token/record.h"

#include <identity/identity.h>

#include <stdlib.h>

#define BINDING "sandbox/123456789/viewer-1"
#define COUNT(rows) (sizeof(rows) / sizeof((rows)[0]))

static identity__record source, target;
static identity__buffer bytes;

static int begin(void **state) {
  (void)state;
  identity__record_init(&source);
  identity__record_init(&target);
  identity__buffer_init(&bytes, IDENTITY__MAX_RECORD + 1000);
  return 0;
}

static int end(void **state) {
  (void)state;
  identity__record_clear(&source);
  identity__record_clear(&target);
  identity__buffer_free(&bytes);
  return 0;
}

static char *text(const char *value) {
  char *copy = strdup(value);
  assert_non_null(copy);
  return copy;
}

/* One more that waits; takes over the texts. */
static void add_pending(identity__record *record, char *name, char *version, int32_t accepted) {
  size_t size = (record->pending_count + 1) * sizeof *record->pending;
  record->pending = realloc(record->pending, size);
  assert_non_null(record->pending);
  identity_consent_answer *added = &record->pending[record->pending_count++];
  memset(added, 0, sizeof *added); /* its padding, too: lists are compared by their bytes */
  added->name = name;
  added->version = version;
  added->accepted = accepted;
}

/* Every member with a value of its own. */
static void fill(identity__record *record) {
  record->epoch = 7;
  record->generation = (uint64_t)INT64_MAX;
  strcpy(record->maker, "a handle");
  record->standing = IDENTITY__RECORD_REAUTH;
  record->reason = IDENTITY_REASON_LOST_ROTATION;
  record->grant = (identity__grant){text("head.body.tail"),
                                    text("refresh"),
                                    text("customer token"),
                                    text("533354305"),
                                    text("123456789"),
                                    text("j\xC3\xB6rg@example.com"),
                                    900000,
                                    -1,
                                    IDENTITY__AGE_LOST};
  record->lease = (identity__lease){"fingerprint", "owner", 4711, 99, 4026531836, -5, 75000};
  strcpy(record->boot_id, "0a1b2c3d-0000-4000-8000-0123456789ab");
  record->written_boot_ms = 10;
  record->written_wall_ms = 1700000000000;
  record->cooldown_boot_ms = 12;
  record->failures = INT32_MAX;
  record->refusals = 2;
  record->first_refusal_boot_ms = 13;
  record->ambiguous = 1;
  record->caused_count = IDENTITY__MAX_CAUSED;
  for (int64_t i = 0; i < IDENTITY__MAX_CAUSED; i++)
    record->caused_boot_ms[i] = 1000 + i;
  add_pending(record, text("terms"), text("1.7"), 1);
  add_pending(record, text("broadcaster_marketing"), text(""), 0);
}

static void encode_source(void) {
  identity__buffer_reset(&bytes);
  assert_true(identity__record_encode(&source, BINDING, &bytes));
}

/* From memory of the exact size, so that a sanitizer sees one byte too many. */
static int32_t decode_part(const char *part, size_t length) {
  char *exact = malloc(length > 0 ? length : 1);
  assert_non_null(exact);
  if (length > 0)
    memcpy(exact, part, length);
  int32_t status = identity__record_decode(exact, length, BINDING, &target);
  free(exact);
  return status;
}

static void assert_empty(const identity__record *record) {
  identity__record empty;
  identity__record_init(&empty);
  assert_memory_equal(record, &empty, sizeof empty);
}

#endif
