/* A token machine under test: a signed-in one to begin with, at a moment of its own. */
#ifndef SUPPORT_MACHINES_H
#define SUPPORT_MACHINES_H

#include "support/rows.h"

#include "token/machine.h"
#include "token/verdict.h"

#define SECOND INT64_C(1000)
#define MINUTE (60 * SECOND)
#define HOUR (60 * MINUTE)
#define DAY (24 * HOUR)
#define LIFE (15 * MINUTE)

#define BOOT "0a1b2c3d-0000-4000-8000-0123456789ab"
#define OTHER_BOOT "ffffffff-0000-4000-8000-0123456789ab"

static const identity__now start = {1000 * SECOND, INT64_C(1790000000) * SECOND}; /* in 2026 */

static identity__machine machine;
static identity__record next;

static inline identity__now after(int64_t ms) {
  identity__now now = {start.boot_ms + ms, start.wall_ms + ms};
  return now;
}

/* A grant of texts that are not its own: never cleared. */
static inline identity__grant lent_grant(const char *jwt, const char *refresh_token, int64_t life_ms) {
  static char customer[] = "533354305", publisher[] = "123456789", email[] = "jo@example.com";
  static char jwt_text[32], refresh_text[32];
  identity__grant grant = {0};
  strcpy(jwt_text, jwt);
  grant.jwt = jwt_text;
  if (refresh_token != NULL)
    grant.refresh_token = strcpy(refresh_text, refresh_token);
  grant.customer_id = customer;
  grant.publisher_id = publisher;
  grant.email = email;
  grant.life_ms = life_ms;
  grant.sent_boot_ms = start.boot_ms;
  grant.sent_wall_ms = start.wall_ms;
  strcpy(grant.boot_id, BOOT);
  grant.age_known = 1;
  return grant;
}

static inline void sign_in_with(const char *refresh_token, int64_t life_ms) {
  identity__grant grant = lent_grant("a.b.c", refresh_token, life_ms);
  assert_true(identity__machine_sign_in(&machine, &grant, NULL, 0, &next));
  identity__machine_commit(&machine, &next, machine.revision + 1, true);
}

static inline void rotate_at(int64_t ms, int64_t life_ms) {
  identity__grant grant = lent_grant("d.e.f", "newer", life_ms);
  grant.sent_boot_ms += ms;
  grant.sent_wall_ms += ms;
  assert_true(identity__machine_rotate(&machine, &grant, &next));
  identity__machine_commit(&machine, &next, machine.revision + 1, true);
}

static inline void fail_at(int64_t ms, int32_t verdict, int64_t retry_after_ms, uint64_t random) {
  assert_true(identity__machine_fail_refresh(&machine, verdict, retry_after_ms, random, after(ms), &next));
  identity__machine_commit(&machine, &next, machine.revision + 1, true);
}

static inline int begin_machine(void **state) {
  (void)state;
  identity__record_init(&next);
  identity__machine_init(&machine, (const char[IDENTITY__BOOT_ID_SIZE]){BOOT});
  sign_in_with("refresh", LIFE);
  return 0;
}

static inline int end_machine(void **state) {
  (void)state;
  identity__record_clear(&next);
  identity__machine_clear(&machine);
  return 0;
}

#define MACHINE_TEST(name) cmocka_unit_test_setup_teardown(name, begin_machine, end_machine)

#define CHECK_ASK(row, ask, wanted_verdict, wanted_status)                                                   \
  do {                                                                                                       \
    identity__ask check_ask = (ask);                                                                         \
    CHECK_INT(row, check_ask.verdict, wanted_verdict);                                                       \
    CHECK_TEXT(row, identity_status_name(check_ask.status), identity_status_name(wanted_status));            \
  } while (0)

#endif
