#include "drive/keep.h"
#include "drive/notice.h"
#include "base/secret.h"
#include "base/process.h"

#include <stdlib.h>
#include <string.h>

enum { LOCK_PATIENCE_MS = 1000, LOCK_PAUSE_MS = 20, MOST_CONFLICTS = 100 };

/* Nobody's deadline may pass while one waits for a lock. */
static bool has_deadline_passed(const identity_session *session) {
  int64_t now_ms = identity__loop_now(session->loop).boot_ms;
  for (const identity__call *call = session->loop->running; call != NULL; call = call->next)
    if (call->deadline_ms <= now_ms)
      return true;
  return false;
}

/* Nor close's second. */
static int64_t patience_ends_ms(identity_session *session, int64_t begun_ms) {
  int64_t ends = begun_ms + LOCK_PATIENCE_MS;
  pthread_mutex_lock(&session->loop->lock);
  int64_t close = session->close_until_ms;
  pthread_mutex_unlock(&session->loop->lock);
  return close != 0 && close < ends ? close : ends;
}

/* A store that is in use is asked again for a while; the network goes on meanwhile. */
static bool wait_for_lock(identity_session *session, int64_t begun_ms) {
  if (session->in_passing)
    return false;
  if (identity__clock_now().boot_ms >= patience_ends_ms(session, begun_ms) || has_deadline_passed(session))
    return false;
  int64_t until = identity__clock_now().boot_ms + LOCK_PAUSE_MS;
  int64_t left = LOCK_PAUSE_MS;
  while (left > 0) {
    identity__transport_wait(session->loop->transport, left);
    left = until - identity__clock_now().boot_ms;
  }
  return true;
}

static int32_t load_bytes(identity_session *session, identity__buffer *bytes, uint64_t *revision) {
  const identity__store *store = &session->store;
  int64_t begun = identity__clock_now().boot_ms;
  int32_t result;
  do {
    size_t length = 0;
    *revision = 0;
    result = store->load(store->user_data, session->store_key, bytes->bytes, IDENTITY__MAX_RECORD, &length,
                         revision);
    bytes->length = result == IDENTITY__STORE_OK && length <= IDENTITY__MAX_RECORD ? length : 0;
  } while (result == IDENTITY__STORE_LOCKED && wait_for_lock(session, begun));
  return result;
}

static const struct {
  int32_t result;
  int32_t said;
} rows[] = {
    {IDENTITY__STORE_OK, IDENTITY__SAID_OK},
    {IDENTITY__STORE_ABSENT, IDENTITY__SAID_ABSENT},
    {IDENTITY__STORE_CONFLICT, IDENTITY__SAID_CONFLICT},
    {IDENTITY__STORE_LOCKED, IDENTITY__SAID_LOCKED},
    {IDENTITY__STORE_IO, IDENTITY__SAID_FAILED},
    {IDENTITY__STORE_KEY_LOST, IDENTITY__SAID_LOST},
    {IDENTITY__STORE_MEMORY, IDENTITY__SAID_MEMORY},
};

static int32_t said_by(int32_t result) {
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
    if (rows[i].result == result)
      return rows[i].said;
  return IDENTITY__SAID_FAILED;
}

static int32_t decode(const identity_session *session, const identity__buffer *bytes,
                      identity__record *record) {
  switch (identity__record_decode(bytes->bytes, bytes->length, session->binding, record)) {
  case IDENTITY__RECORD_OK:
    return IDENTITY__SAID_OK;
  case IDENTITY__RECORD_CORRUPT:
    return IDENTITY__SAID_LOST;
  case IDENTITY__RECORD_NEWER:
    return IDENTITY__SAID_NEWER;
  default:
    return IDENTITY__SAID_MEMORY;
  }
}

void identity__keep_look(identity_session *session, identity__look *look) {
  identity__buffer bytes;
  memset(look, 0, sizeof *look);
  identity__record_init(&look->record);
  look->said = IDENTITY__SAID_MEMORY;
  identity__buffer_init(&bytes, IDENTITY__MAX_RECORD);
  if (identity__buffer_reserve(&bytes, IDENTITY__MAX_RECORD))
    look->said = said_by(load_bytes(session, &bytes, &look->revision));
  if (look->said == IDENTITY__SAID_OK)
    look->said = decode(session, &bytes, &look->record);
  const identity__lease *lease = &look->record.lease;
  look->owner_gone = lease->fingerprint[0] != '\0' &&
                     identity__process_is_gone(lease->process, lease->process_start, lease->process_space);
  identity__buffer_free(&bytes);
}

static int32_t swap_bytes(identity_session *session, const identity__buffer *bytes, bool both_copies,
                          uint64_t *revision) {
  const identity__store *store = &session->store;
  int64_t begun = identity__clock_now().boot_ms;
  int32_t result;
  do {
    result = store->swap(store->user_data, session->store_key, session->tokens.revision, both_copies,
                         bytes->bytes, bytes->length, revision);
  } while (result == IDENTITY__STORE_LOCKED && wait_for_lock(session, begun));
  return result;
}

/* Rivals make headway when they win, and are done some time. A store that never lets anybody win is one that
 * is held: else who must win would try for ever. */
static int32_t bound_conflicts(identity_session *session, int32_t said) {
  session->conflicts = said == IDENTITY__SAID_CONFLICT ? session->conflicts + 1 : 0;
  if (session->conflicts < MOST_CONFLICTS)
    return said;
  session->conflicts = 0;
  return IDENTITY__SAID_LOCKED;
}

int32_t identity__keep_swap(identity_session *session, const identity__record *record, bool both_copies,
                            uint64_t *revision) {
  identity__buffer bytes;
  int32_t said = IDENTITY__SAID_MEMORY;
  identity__buffer_init(&bytes, IDENTITY__MAX_RECORD);
  if (identity__record_encode(record, session->binding, &bytes))
    said = said_by(swap_bytes(session, &bytes, both_copies, revision));
  identity__buffer_free(&bytes);
  return bound_conflicts(session, said);
}

/* A swap can only conflict, and a load cannot. */
static int32_t step_swap(identity_session *session, identity__change *change) {
  uint64_t revision = session->tokens.revision;
  int32_t said = identity__keep_swap(session, &change->next, change->both_copies, &revision);
  (void)identity__notice_begin(session);
  int32_t next = identity__change_swapped(change, &session->tokens, said, revision);
  identity__notice_end(session);
  return next;
}

static int32_t step_load(identity_session *session, identity__change *change) {
  identity__look look;
  identity__keep_look(session, &look);
  identity__now now = identity__notice_begin(session);
  int32_t next = identity__change_loaded(change, &session->tokens, &look, now);
  identity__notice_end(session);
  return next;
}

identity_status identity__keep_change(identity_session *session, identity__change *change) {
  int32_t next = identity__change_begin(change, &session->tokens, identity__loop_now(session->loop));
  while (next != IDENTITY__DO_NONE)
    next = next == IDENTITY__DO_SWAP ? step_swap(session, change) : step_load(session, change);
  return change->status;
}

void identity__keep_load(identity_session *session) {
  identity__look look;
  identity__keep_look(session, &look);
  identity__now now = identity__notice_begin(session);
  (void)identity__machine_hear(&session->tokens, &look, now);
  identity__notice_end(session);
}

static bool make_same(const identity__machine *machine, const void *input, identity__record *next) {
  (void)input;
  return identity__machine_same(machine, next);
}

void identity__keep_retry(identity_session *session, bool in_passing) {
  bool all = session->tokens.unread;
  identity__change change = {.make = make_same,
                             .over = all ? IDENTITY__OVER_ALL : IDENTITY__OVER_PAIR,
                             .both_copies = true,
                             .in_memory_too = true};
  /* Going over a store that nobody had read raises the epoch: not under a refresh, whose own swap does it. */
  if (all && session->flight != NULL)
    return;
  session->in_passing = in_passing;
  if (session->tokens.not_persisted)
    (void)identity__keep_change(session, &change);
  session->in_passing = false;
}

identity_status identity__keep_probe(identity_session *session) {
  identity__change same = {.make = make_same, .over = IDENTITY__OVER_PAIR};
  if (session->tokens.blocked != IDENTITY_OK)
    identity__keep_load(session);
  if (session->tokens.blocked != IDENTITY_OK)
    return session->tokens.blocked;
  identity_status status = identity__keep_change(session, &same);
  return status == IDENTITY_STORE_FAILED && session->volatile_tokens ? IDENTITY_OK : status;
}
