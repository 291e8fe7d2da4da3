/* A refresh under test, by a script: what the flight has to want, and what the store, the service, another
 * handle and time do then. Needs support/allocations.h before it. */
#ifndef SUPPORT_FLIGHTS_H
#define SUPPORT_FLIGHTS_H

#include "support/machines.h"

#include "token/flight.h"

static identity__flight flight;

/* ---- what comes back ---- */

static char new_jwt[] = "n.e.w", new_refresh[] = "new";
static const identity__grant new_grant = {.jwt = new_jwt,
                                          .refresh_token = new_refresh,
                                          .life_ms = LIFE,
                                          .sent_boot_ms = 1000 * SECOND,
                                          .age = IDENTITY__AGE_KNOWN};
static const identity__grant bare_grant = {
    .jwt = new_jwt, .life_ms = LIFE, .sent_boot_ms = 1000 * SECOND, .age = IDENTITY__AGE_KNOWN};

#define FACTS(...) .facts = {__VA_ARGS__}
#define ANSWER(status, ...) FACTS(.progress = 2, .whole = true, .http_status = (status), __VA_ARGS__)
#define LISTED .json = true, .listed = true

static const identity__landing pair = {ANSWER(200, .json = true, .usable_pair = true, .same_customer = true),
                                       .grant = &new_grant};
static const identity__landing bare_pair = {
    ANSWER(200, .json = true, .usable_pair = true, .same_customer = true), .grant = &bare_grant};
static const identity__landing foreign_pair = {ANSWER(200, .json = true, .usable_pair = true),
                                               .grant = &new_grant};
static const identity__landing rejected = {ANSWER(401, LISTED, .definite = true)};
static const identity__landing refused = {ANSWER(401, LISTED)};
static const identity__landing firewall = {ANSWER(403, .json = false)};
static const identity__landing portal = {ANSWER(511, .json = false)};
static const identity__landing gateway = {ANSWER(502, .json = false)};
static const identity__landing throttled = {ANSWER(429, LISTED), .retry_after_ms = MINUTE};
static const identity__landing unsent = {FACTS(.progress = 0)};
static const identity__landing reset = {FACTS(.progress = 1)};
static const identity__landing cut_off = {FACTS(.progress = 2, .http_status = 200)};
static const identity__landing given_up = {FACTS(.progress = 1), .running = true};
static const identity__landing late = {FACTS(.progress = 0), .late = true};
static const identity__landing closed_unsent = {FACTS(.progress = 0), .closing = true};
static const identity__landing closed_sent = {FACTS(.progress = 1), .running = true, .closing = true};
static const identity__landing closed_cut_off = {FACTS(.progress = 2), .closing = true};

/* ---- the script ---- */

typedef struct act {
  int32_t wants;                   /* what the flight asks for, IDENTITY__DO_x */
  void (*before)(void);            /* what somebody does first */
  int64_t passed_ms;               /* and how much time passes before that */
  int32_t said;                    /* LOAD, SWAP: OK: what the slot has it */
  const identity__landing *answer; /* SEND */
  bool starved;                    /* there is no memory for this step */
} act;

#define STEP(what, ...)                                                                                      \
  { .wants = IDENTITY__DO_##what, __VA_ARGS__ }
#define LOAD STEP(LOAD, .passed_ms = 0)
#define LOAD_AFTER(whom) STEP(LOAD, .before = (whom))
#define LOAD_LATER(ms) STEP(LOAD, .passed_ms = (ms))
#define LOAD_SAYS(what) STEP(LOAD, .said = IDENTITY__SAID_##what)
#define LOAD_STARVED STEP(LOAD, .starved = true)
#define SWAP STEP(SWAP, .passed_ms = 0)
#define SWAP_AFTER(whom) STEP(SWAP, .before = (whom))
#define SWAP_SAYS(what) STEP(SWAP, .said = IDENTITY__SAID_##what)
#define SEND(what) STEP(SEND, .answer = &(what))
#define SEND_LATER(ms, what) STEP(SEND, .answer = &(what), .passed_ms = (ms))
#define SEND_AFTER(whom, what) STEP(SEND, .answer = &(what), .before = (whom))
#define SEND_STARVED(what) STEP(SEND, .answer = &(what), .starved = true)
#define WAIT STEP(WAIT, .passed_ms = 0)
#define WAIT_AFTER(whom) STEP(WAIT, .before = (whom))
#define WAIT_STARVED STEP(WAIT, .starved = true)
#define OVER STEP(NONE, .passed_ms = 0)
#define ENDS(with, holding) .status = IDENTITY_##with, .held = (holding)
#define ENDS_FOR(with, why) .status = IDENTITY_##with, .reason = IDENTITY_REASON_##why

typedef struct scene {
  const char *name;
  act acts[14];
  identity_status status;
  const char *held;  /* the refresh token that holds; NULL: the session is over */
  int32_t reason;    /* for this reason */
  int64_t begins_ms; /* the JWT ends at LIFE */
  void (*prepare)(void);
  bool rotation;
  bool in_memory;
  bool ambiguous;
  bool not_persisted;
  int64_t cooldown_ms;
  int64_t lease_ms; /* that the lease in the store still lasts */
} scene;

static inline identity__moment moment_now(void) {
  identity__moment moment = {after(clock_ms), 0};
  return moment;
}

/* I1: nothing is sent but under a durable lease of this handle, and only for a while. */
static inline void check_release(const char *name, bool in_memory) {
  const identity__lease *lease = &machine.record.lease;
  CHECK(name, identity__lease_is_ours(lease, &self));
  CHECK(name, !machine.lease_unused);
  CHECK_INT(name, flight.release_until_ms, lease->begun_boot_ms + IDENTITY__RELEASE_MS);
  CHECK_INT(name, lease->begun_boot_ms, after(clock_ms).boot_ms);
  if (!in_memory)
    CHECK_INT(name, memcmp(lease, &slot.record.lease, sizeof *lease), 0);
}

static inline int32_t answer_load(const act *now, const identity__moment *moment) {
  identity__look look = look_at_slot(now->said);
  allocations_left = now->starved ? 0 : -1;
  int32_t wants = identity__flight_loaded(&flight, &machine, &look, moment);
  allocations_left = -1;
  assert_null(look.record.grant.jwt);
  return wants;
}

static inline int32_t answer_swap(const act *now, const identity__moment *moment) {
  uint64_t revision = machine.revision;
  /* No earlier copy of a token that was refused may come back. */
  if (flight.verdict == IDENTITY__VERDICT_REJECTED && flight.change.next.standing == IDENTITY__RECORD_REAUTH)
    assert_true(flight.change.both_copies);
  int32_t said = swap_into_slot(&flight.change.next, machine.revision, now->said, &revision);
  return identity__flight_swapped(&flight, &machine, said, revision, moment);
}

static inline int32_t answer_send(const act *now, const identity__moment *moment) {
  allocations_left = now->starved ? 0 : -1;
  int32_t wants = identity__flight_landed(&flight, &machine, now->answer, moment);
  allocations_left = -1;
  return wants;
}

static inline int32_t answer_wait(const act *now, const char *name) {
  int64_t left = flight.wake_boot_ms - after(clock_ms).boot_ms;
  CHECK(name, left > 0 && left <= 250);
  clock_ms += left;
  const identity__moment moment = moment_now();
  allocations_left = now->starved ? 0 : -1;
  int32_t wants = identity__flight_woken(&flight, &machine, &moment);
  allocations_left = -1;
  return wants;
}

static inline int32_t perform(const scene *row, const act *now) {
  clock_ms += now->wants == IDENTITY__DO_SEND ? 0 : now->passed_ms;
  if (now->wants == IDENTITY__DO_SEND) {
    check_release(row->name, row->in_memory);
    clock_ms += now->passed_ms;
  }
  if (now->before != NULL)
    now->before();
  const identity__moment moment = moment_now();
  switch (now->wants) {
  case IDENTITY__DO_LOAD:
    return answer_load(now, &moment);
  case IDENTITY__DO_SWAP:
    return answer_swap(now, &moment);
  case IDENTITY__DO_SEND:
    return answer_send(now, &moment);
  default:
    return answer_wait(now, row->name);
  }
}

static inline void check_end(const scene *row) {
  const identity__record *record = &machine.record;
  CHECK_TEXT(row->name, identity_status_name(flight.status), identity_status_name(row->status));
  CHECK_TEXT(row->name, record->grant.refresh_token, row->held);
  CHECK_INT(row->name, record->ambiguous, row->ambiguous);
  CHECK_INT(row->name, machine.not_persisted, row->not_persisted);
  CHECK_INT(row->name, identity__machine_cooldown_ms(&machine, after(clock_ms).boot_ms), row->cooldown_ms);
  CHECK_INT(row->name, identity__lease_left_ms(&slot.record.lease, "refresh", false, after(clock_ms).boot_ms),
            row->lease_ms);
  if (row->held == NULL)
    CHECK_INT(row->name, record->reason, row->reason);
  if (!row->not_persisted && row->held != NULL && slot.revision == machine.revision)
    CHECK_TEXT(row->name, slot.record.grant.refresh_token, row->held);
  if (row->status == IDENTITY_OK) /* there is a newer pair than the one it started from */
    CHECK(row->name, record->generation > flight.generation || record->epoch > flight.epoch ||
                         machine.pair > flight.pair);
}

static inline void play(void **state, const scene *rows, size_t count) {
  for (const scene *row = rows; row < rows + count; row++) {
    (void)end_slot(state);
    assert_int_equal(begin_slot(state), 0);
    if (row->prepare != NULL)
      row->prepare();
    clock_ms = row->begins_ms;
    flight = (identity__flight){.rotation = row->rotation, .in_memory = row->in_memory};
    uint64_t sent = 0;
    int32_t wants = identity__flight_begin(&flight, &machine);
    for (const act *now = row->acts; now->wants != IDENTITY__DO_NONE; now++) {
      if (wants != now->wants)
        fail_msg("row \"%s\": step %td wants %d, not %d", row->name, now - row->acts + 1, wants, now->wants);
      sent += now->wants == IDENTITY__DO_SEND;
      wants = perform(row, now);
    }
    CHECK_INT(row->name, wants, IDENTITY__DO_NONE);
    CHECK_INT(row->name, machine.counters.refreshes, sent);
    check_end(row);
    identity__flight_clear(&flight);
  }
}

#endif
