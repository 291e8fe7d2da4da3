#include "drive/keep.h"
#include "base/secret.h"

#include <stdlib.h>
#include <string.h>

enum { LOCK_PATIENCE_MS = 1000, LOCK_PAUSE_MS = 20 };

/* Nobody's deadline may pass while one waits for a lock, nor close's second. */
static int64_t patience_ends_ms(identity_session *session, int64_t begun_ms) {
  int64_t ends = begun_ms + LOCK_PATIENCE_MS;
  for (const identity__call *call = session->loop->running; call != NULL; call = call->next)
    ends = call->deadline_ms < ends ? call->deadline_ms : ends;
  pthread_mutex_lock(&session->loop->lock);
  int64_t close = session->close_until_ms;
  pthread_mutex_unlock(&session->loop->lock);
  return close != 0 && close < ends ? close : ends;
}

/* A store that is in use is asked again for a while; the network goes on meanwhile. */
static bool wait_for_lock(identity_session *session, int64_t begun_ms) {
  if (identity__clock_now().boot_ms >= patience_ends_ms(session, begun_ms))
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

/* What the slot holds: a RECORD_x status, or the store's own when it is not OK. */
typedef struct loaded {
  int32_t store;
  int32_t decoded;
  uint64_t revision;
  identity__record record;
} loaded;

static void load(identity_session *session, loaded *slot) {
  identity__buffer bytes;
  identity__record_init(&slot->record);
  slot->decoded = IDENTITY__RECORD_OK;
  slot->store = IDENTITY__STORE_MEMORY;
  identity__buffer_init(&bytes, IDENTITY__MAX_RECORD);
  if (identity__buffer_reserve(&bytes, IDENTITY__MAX_RECORD))
    slot->store = load_bytes(session, &bytes, &slot->revision);
  if (slot->store == IDENTITY__STORE_OK)
    slot->decoded = identity__record_decode(bytes.bytes, bytes.length, session->binding, &slot->record);
  identity__buffer_free(&bytes);
}

static identity_status status_of_store(int32_t result) {
  switch (result) {
  case IDENTITY__STORE_OK:
    return IDENTITY_OK;
  case IDENTITY__STORE_LOCKED:
    return IDENTITY_STORE_LOCKED;
  case IDENTITY__STORE_MEMORY:
    return IDENTITY_OUT_OF_MEMORY;
  default:
    return IDENTITY_STORE_FAILED;
  }
}

static bool is_readable(const loaded *slot) {
  return slot->store == IDENTITY__STORE_ABSENT ||
         (slot->store == IDENTITY__STORE_OK && slot->decoded == IDENTITY__RECORD_OK);
}

static bool is_lost(const loaded *slot) {
  return slot->store == IDENTITY__STORE_KEY_LOST ||
         (slot->store == IDENTITY__STORE_OK && slot->decoded == IDENTITY__RECORD_CORRUPT);
}

static identity_status blocked_status(const loaded *slot) {
  if (slot->store != IDENTITY__STORE_OK)
    /* Whatever keeps it from being read may pass: neither signed in nor out until then. */
    return slot->store == IDENTITY__STORE_MEMORY ? IDENTITY_OUT_OF_MEMORY : IDENTITY_STORE_LOCKED;
  return slot->decoded == IDENTITY__RECORD_NEWER ? IDENTITY_STORE_NEWER : IDENTITY_OUT_OF_MEMORY;
}

void identity__keep_load(identity_session *session) {
  loaded slot;
  load(session, &slot);
  if (slot.store == IDENTITY__STORE_ABSENT)
    slot.record.reason = IDENTITY_REASON_NEVER_SIGNED_IN;
  pthread_mutex_lock(&session->lock);
  if (is_readable(&slot))
    identity__machine_take_stored(&session->tokens, &slot.record, slot.revision);
  else if (is_lost(&slot))
    identity__machine_store_lost(&session->tokens, slot.revision);
  else
    session->tokens.blocked = blocked_status(&slot);
  pthread_mutex_unlock(&session->lock);
  identity__record_clear(&slot.record);
}

identity_status identity__keep_look(identity_session *session) {
  loaded slot;
  load(session, &slot);
  bool readable = is_readable(&slot);
  bool lost = is_lost(&slot);
  pthread_mutex_lock(&session->lock);
  if (readable && slot.store == IDENTITY__STORE_OK &&
      identity__machine_adopt_stored(&session->tokens, &slot.record, slot.revision) &&
      session->tokens.record.standing == IDENTITY__RECORD_SIGNED_OUT)
    session->tokens.record.reason = IDENTITY_REASON_OTHER_PROCESS;
  if (readable && slot.store == IDENTITY__STORE_ABSENT)
    session->tokens.revision = 0;
  if (lost)
    session->tokens.revision = slot.revision; /* what we hold is all there is: it may be written over it */
  pthread_mutex_unlock(&session->lock);
  identity__record_clear(&slot.record);
  return readable || lost ? IDENTITY_OK : blocked_status(&slot);
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

static int32_t swap(identity_session *session, const identity__record *record, bool both_copies,
                    uint64_t *revision) {
  identity__buffer bytes;
  int32_t result = IDENTITY__STORE_MEMORY;
  identity__buffer_init(&bytes, IDENTITY__MAX_RECORD);
  if (identity__record_encode(record, session->binding, &bytes))
    result = swap_bytes(session, &bytes, both_copies, revision);
  identity__buffer_free(&bytes);
  return result;
}

static void commit(identity_session *session, identity__record *next, uint64_t revision, bool persisted) {
  pthread_mutex_lock(&session->lock);
  identity__machine_commit(&session->tokens, next, revision, persisted);
  pthread_mutex_unlock(&session->lock);
}

static bool still_ours(const identity_session *session, const identity__change *change, uint64_t epoch,
                       uint64_t generation) {
  const identity__record *record = &session->tokens.record;
  if (change->rule == IDENTITY__KEEP_ALWAYS)
    return true;
  if (record->epoch != epoch)
    return false;
  return change->rule == IDENTITY__KEEP_SAME_EPOCH || record->generation == generation;
}

identity_status identity__keep_change(identity_session *session, const identity__change *change) {
  uint64_t epoch = session->tokens.record.epoch;
  uint64_t generation = session->tokens.record.generation;
  for (;;) {
    identity__record next;
    uint64_t revision = session->tokens.revision;
    if (!change->make(&session->tokens, change->input, &next))
      return IDENTITY_OUT_OF_MEMORY;
    int32_t result = swap(session, &next, change->both_copies, &revision);
    /* CONFLICT is no verdict: look at what is there, and decide again. */
    identity_status looked = result == IDENTITY__STORE_CONFLICT ? identity__keep_look(session) : IDENTITY_OK;
    if (result == IDENTITY__STORE_CONFLICT && looked == IDENTITY_OK) {
      identity__record_clear(&next);
      if (!still_ours(session, change, epoch, generation))
        return IDENTITY_OK;
      continue;
    }
    bool stored = result == IDENTITY__STORE_OK;
    if (stored || change->in_memory_too)
      commit(session, &next, revision, stored);
    identity__record_clear(&next);
    if (looked != IDENTITY_OK)
      return looked;
    /* Held in memory, it is not lost for want of memory: the store could not take it. */
    bool held = result == IDENTITY__STORE_MEMORY && change->in_memory_too;
    return held ? IDENTITY_STORE_FAILED : status_of_store(result);
  }
}

static bool make_same(const identity__machine *machine, const void *input, identity__record *next) {
  (void)input;
  identity__record_init(next);
  return identity__record_copy(next, &machine->record);
}

static bool make_out(const identity__machine *machine, const void *input, identity__record *next) {
  const int32_t *reason = input;
  return identity__machine_sign_out(machine, *reason, next);
}

void identity__keep_retry(identity_session *session) {
  int32_t reason = session->tokens.record.reason;
  const identity__change same = {make_same, NULL, IDENTITY__KEEP_SAME_PAIR, true, true};
  /* Signed out without knowing of whom: whoever the store then names was meant. */
  const identity__change out = {make_out, &reason, IDENTITY__KEEP_ALWAYS, true, true};
  if (session->tokens.not_persisted)
    (void)identity__keep_change(session, session->tokens.unread ? &out : &same);
}

identity_status identity__keep_probe(identity_session *session) {
  const identity__change same = {make_same, NULL, IDENTITY__KEEP_SAME_PAIR, false, false};
  if (session->tokens.blocked != IDENTITY_OK)
    identity__keep_load(session);
  if (session->tokens.blocked != IDENTITY_OK)
    return session->tokens.blocked;
  identity_status status = identity__keep_change(session, &same);
  return status == IDENTITY_STORE_FAILED && session->volatile_tokens ? IDENTITY_OK : status;
}
