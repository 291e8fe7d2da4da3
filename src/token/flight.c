#include "token/flight.h"
#include "token/machine_times.h"

enum { LOOKING, LEASING, SENDING, LOOKING_AGAIN, CHANGING, STARVED, OVER };
enum { POLL_FIRST_MS = 20, POLL_MOST_MS = 250, STARVED_MS = 50 };

static int32_t end(identity__flight *flight, identity_status status) {
  flight->state = OVER;
  flight->status = status;
  return IDENTITY__DO_NONE;
}

static int32_t look(identity__flight *flight, int32_t state) {
  flight->state = state;
  return IDENTITY__DO_LOAD;
}

static int32_t wait(identity__flight *flight, int32_t state, int64_t wait_ms,
                    const identity__moment *moment) {
  flight->state = state;
  flight->wake_boot_ms = moment->now.boot_ms + wait_ms;
  return IDENTITY__DO_WAIT;
}

static bool is_counted_on(const identity__flight *flight, const identity__machine *machine) {
  return machine->record.epoch != flight->epoch || machine->record.generation != flight->generation;
}

/* Also where another handle's pair of the same numbers was taken over. */
static bool has_moved(const identity__flight *flight, const identity__machine *machine) {
  return is_counted_on(flight, machine) || machine->pair != flight->pair;
}

static int64_t lease_left_ms(const identity__machine *machine, bool owner_gone, int64_t now_ms) {
  const identity__record *record = &machine->record;
  if (machine->lease_unused && identity__lease_is_ours(&record->lease, &machine->self))
    return 0;
  return identity__lease_left_ms(&record->lease, record->grant.refresh_token, owner_gone, now_ms);
}

int32_t identity__flight_begin(identity__flight *flight, const identity__machine *machine) {
  flight->epoch = machine->record.epoch;
  flight->generation = machine->record.generation;
  flight->pair = machine->pair;
  flight->verdict = -1;
  identity__record_init(&flight->change.next);
  return look(flight, LOOKING);
}

/* ---- A: the store, the lease ---- */

/* Where tokens may live in memory only, a store that fails is no reason to stop. */
static bool may_go_on(const identity__flight *flight, identity_status heard) {
  return heard == IDENTITY_OK || (heard == IDENTITY_STORE_FAILED && flight->in_memory);
}

static bool make_lease(const identity__machine *machine, const void *input, identity__record *next) {
  const identity__now *now = input;
  return identity__machine_lease(machine, now->boot_ms, next);
}

static int32_t take_lease(identity__flight *flight, identity__machine *machine,
                          const identity__moment *moment) {
  flight->change = (identity__change){.make = make_lease, .input = &moment->now, .over = IDENTITY__OVER_PAIR};
  flight->state = LEASING;
  int32_t next = identity__change_begin(&flight->change, machine, moment->now);
  /* Whatever the store says to the swap, the lease may be there: until something is sent, it hinders nobody.
   * What the one before it has left behind is not forgotten. */
  machine->record.ambiguous = machine->record.ambiguous || flight->change.next.ambiguous;
  machine->lease_unused = true;
  flight->change.input = NULL; /* it is not made again: who loses the swap looks first */
  return next == IDENTITY__DO_NONE ? end(flight, flight->change.status) : next;
}

/* Of the lease of another handle: the JWT does while it is good at all, else its end is waited for. */
static int32_t wait_for_lease(identity__flight *flight, const identity__machine *machine, int64_t left_ms,
                              const identity__moment *moment) {
  if (!flight->rotation && identity__machine_is_usable(machine, moment->now.boot_ms))
    return end(flight, IDENTITY_REFRESH_DEFERRED);
  /* It most often ends soon, and when it does not, there is no hurry. */
  flight->poll_ms = flight->poll_ms > 0 ? 2 * flight->poll_ms : POLL_FIRST_MS;
  if (flight->poll_ms > POLL_MOST_MS)
    flight->poll_ms = POLL_MOST_MS;
  return wait(flight, LOOKING, left_ms < flight->poll_ms ? left_ms : flight->poll_ms, moment);
}

static int32_t judge_store(identity__flight *flight, identity__machine *machine, bool owner_gone,
                           const identity__moment *moment) {
  identity_status standing = identity__machine_standing(machine);
  if (standing != IDENTITY_OK)
    return end(flight, standing);
  if (has_moved(flight, machine))
    return end(flight, IDENTITY_OK);
  if (machine->record.grant.refresh_token == NULL)
    return end(flight, IDENTITY_SESSION_ENDED);
  int64_t left_ms = lease_left_ms(machine, owner_gone, moment->now.boot_ms);
  if (left_ms > 0)
    return wait_for_lease(flight, machine, left_ms, moment);
  if (identity__machine_cooldown_ms(machine, moment->now.boot_ms) > 0)
    return end(flight, IDENTITY_REFRESH_DEFERRED); /* another handle has failed just now */
  return take_lease(flight, machine, moment);
}

static int32_t send(identity__flight *flight, identity__machine *machine) {
  flight->state = SENDING;
  flight->epoch = machine->record.epoch; /* higher, where the lease went over what nobody had read */
  flight->generation = machine->record.generation;
  flight->pair = machine->pair;
  flight->release_until_ms = machine->record.lease.begun_boot_ms + IDENTITY__RELEASE_MS;
  machine->lease_unused = false;
  machine->counters.refreshes++;
  return IDENTITY__DO_SEND;
}

static int32_t leased(identity__flight *flight, identity__machine *machine, int32_t said, uint64_t revision,
                      const identity__moment *moment) {
  if (said == IDENTITY__SAID_CONFLICT) {
    identity__record_clear(&flight->change.next);
    machine->counters.conflicts++;
    return look(flight, LOOKING);
  }
  /* Without a store there is no lease that others see: not while the JWT does, and a refusal may then mean
   * that one of them was faster. */
  bool needed = flight->rotation || !identity__machine_is_usable(machine, moment->now.boot_ms);
  flight->change.in_memory_too = said == IDENTITY__SAID_FAILED && flight->in_memory && needed;
  (void)identity__change_swapped(&flight->change, machine, said, revision);
  bool held = flight->change.in_memory_too;
  machine->record.ambiguous = machine->record.ambiguous || held;
  return flight->change.status == IDENTITY_OK || held ? send(flight, machine)
                                                      : end(flight, flight->change.status);
}

/* ---- C, D: verdict and commit ---- */

static int32_t end_by_standing(identity__flight *flight, const identity__machine *machine,
                               identity_status otherwise) {
  identity_status standing = identity__machine_standing(machine);
  return end(flight, standing != IDENTITY_OK ? standing : otherwise);
}

static bool is_refusal(int32_t verdict) {
  return verdict == IDENTITY__VERDICT_REJECTED || verdict == IDENTITY__VERDICT_REFUSED;
}

static int32_t change_record(identity__flight *flight, identity__machine *machine,
                             const identity__moment *moment);

static int32_t go_on(identity__flight *flight, identity__machine *machine, int32_t next,
                     const identity__moment *moment) {
  bool committed = flight->verdict == IDENTITY__VERDICT_COMMITTED;
  if (next != IDENTITY__DO_NONE)
    return next;
  /* A pair is never dropped for want of memory (I3), nor a mark that keeps the next attempt from coming too
   * early. */
  if (flight->change.status == IDENTITY_OUT_OF_MEMORY)
    return wait(flight, STARVED, STARVED_MS, moment);
  /* An end that the store did not take is none. */
  if (flight->change.status != IDENTITY_OK && is_refusal(flight->failure.verdict) &&
      identity__machine_standing(machine) == IDENTITY_OK) {
    flight->failure.verdict = IDENTITY__VERDICT_BACKOFF;
    return change_record(flight, machine, moment);
  }
  if (committed && !flight->change.overtaken)
    machine->counters.rotations++;
  return end_by_standing(flight, machine,
                         committed || flight->change.overtaken ? IDENTITY_OK : IDENTITY_REFRESH_DEFERRED);
}

static bool make_rotation(const identity__machine *machine, const void *input, identity__record *next) {
  return identity__machine_rotate(machine, input, next);
}

static bool make_failure(const identity__machine *machine, const void *input, identity__record *next) {
  return identity__machine_fail_refresh(machine, input, next);
}

/* A flight may have been moved in memory since. */
static void set_input(identity__flight *flight) {
  bool committed = flight->verdict == IDENTITY__VERDICT_COMMITTED;
  flight->change.input = committed ? (const void *)flight->grant : (const void *)&flight->failure;
}

static int32_t change_record(identity__flight *flight, identity__machine *machine,
                             const identity__moment *moment) {
  bool committed = flight->verdict == IDENTITY__VERDICT_COMMITTED;
  flight->change = (identity__change){
      .make = committed ? make_rotation : make_failure,
      .over = IDENTITY__OVER_PAIR,
      .revives = committed,
      .both_copies = is_refusal(flight->failure.verdict),
      .in_memory_too = true,
      .end_in_memory = flight->in_memory,
      .epoch = flight->epoch,
      .generation = flight->generation,
      .pair = flight->pair,
      .standing = IDENTITY__RECORD_SIGNED_IN,
  };
  if (!identity__change_fits(&flight->change, machine))
    return end_by_standing(flight, machine, IDENTITY_OK); /* this reply belongs to nobody any more (I2) */
  flight->state = CHANGING;
  set_input(flight);
  return go_on(flight, machine, identity__change_begin(&flight->change, machine, moment->now), moment);
}

/* Before a refusal counts, the store is read again: a newer pair there wins, and so does an attempt of
 * another handle that took the lease over. A store that cannot be read may hold either: the session is kept.
 */
static int32_t judge_again(identity__flight *flight, identity__machine *machine, identity__look *look,
                           const identity__moment *moment) {
  bool owner_gone = look->owner_gone;
  if (!may_go_on(flight, identity__machine_hear(machine, look, moment->now)))
    flight->failure.verdict = IDENTITY__VERDICT_BACKOFF;
  bool foreign = !identity__lease_is_ours(&machine->record.lease, &machine->self);
  if (identity__machine_standing(machine) == IDENTITY_OK && !has_moved(flight, machine) && foreign) {
    int64_t left_ms = lease_left_ms(machine, owner_gone, moment->now.boot_ms);
    if (left_ms > 0)
      return wait_for_lease(flight, machine, left_ms, moment);
  }
  return change_record(flight, machine, moment);
}

/* A 511 is the word of a network that wants a login itself. */
static bool is_in_trouble(const identity__refresh_facts *facts) {
  bool says_so = facts->http_status == 429 || facts->http_status >= 500;
  return facts->whole && says_so && identity__refresh_verdict(facts) != IDENTITY__VERDICT_UNSENT;
}

int32_t identity__flight_landed(identity__flight *flight, identity__machine *machine,
                                const identity__landing *landing, const identity__moment *moment) {
  machine->lease_unused = landing->facts.progress == 0;
  if (landing->late)
    return look(flight, LOOKING);
  flight->verdict = identity__refresh_verdict(&landing->facts);
  flight->grant = landing->grant;
  flight->failure = (identity__failure){.verdict = flight->verdict,
                                        .retry_after_ms = landing->retry_after_ms,
                                        .in_trouble = is_in_trouble(&landing->facts),
                                        .running = landing->running,
                                        .closing = landing->closing,
                                        .random = moment->random,
                                        .now = moment->now};
  /* A pair that has just come is alive, whatever another one of the numbers it comes from is worth. */
  bool moved = flight->verdict == IDENTITY__VERDICT_COMMITTED ? is_counted_on(flight, machine)
                                                              : has_moved(flight, machine);
  if (moved)
    return end_by_standing(flight, machine, IDENTITY_OK);
  if (is_refusal(flight->verdict))
    return look(flight, LOOKING_AGAIN);
  return change_record(flight, machine, moment);
}

/* ---- What the driver tells ---- */

int32_t identity__flight_loaded(identity__flight *flight, identity__machine *machine, identity__look *look,
                                const identity__moment *moment) {
  if (flight->state == CHANGING) {
    set_input(flight);
    return go_on(flight, machine, identity__change_loaded(&flight->change, machine, look, moment->now),
                 moment);
  }
  if (flight->state == LOOKING_AGAIN)
    return judge_again(flight, machine, look, moment);
  bool owner_gone = look->owner_gone;
  identity_status status = identity__machine_hear(machine, look, moment->now);
  return may_go_on(flight, status) ? judge_store(flight, machine, owner_gone, moment) : end(flight, status);
}

int32_t identity__flight_swapped(identity__flight *flight, identity__machine *machine, int32_t said,
                                 uint64_t revision, const identity__moment *moment) {
  if (flight->state == LEASING)
    return leased(flight, machine, said, revision, moment);
  return go_on(flight, machine, identity__change_swapped(&flight->change, machine, said, revision), moment);
}

int32_t identity__flight_woken(identity__flight *flight, identity__machine *machine,
                               const identity__moment *moment) {
  return flight->state == STARVED ? change_record(flight, machine, moment) : look(flight, LOOKING);
}

bool identity__flight_has_landed(const identity__flight *flight) {
  return flight->state == LOOKING_AGAIN || flight->state == CHANGING || flight->state == STARVED;
}

bool identity__flight_may_leave(const identity__flight *flight, const identity__machine *machine,
                                int64_t now_ms) {
  return flight->state == SENDING && !has_moved(flight, machine) && now_ms <= flight->release_until_ms &&
         identity__lease_is_ours(&machine->record.lease, &machine->self);
}

void identity__flight_clear(identity__flight *flight) {
  identity__record_clear(&flight->change.next);
}
