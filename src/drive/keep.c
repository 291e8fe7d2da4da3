#include "drive/keep.h"
#include "base/error.h"
#include "base/process.h"
#include "base/secret.h"
#include "drive/notice.h"

#include <stdlib.h>
#include <string.h>

enum { LOCK_PATIENCE_MS = 1000, LOCK_PAUSE_MS = 20, MOST_CONFLICTS = 100 };

/* Neither its deadline may pass while a call waits for a lock (a flight has none, but who waits for it has),
 * nor close's second. */
static int64_t patience_ends_ms(identity_session *session, const identity__call *call) {
  int64_t ends = call->locked_since_ms + LOCK_PATIENCE_MS;
  pthread_mutex_lock(&session->loop->lock);
  if (session->close_until_ms != 0 && session->close_until_ms < ends)
    ends = session->close_until_ms;
  pthread_mutex_unlock(&session->loop->lock);
  for (identity__node *node = identity__list_first(&session->begun); node != NULL;
       node = identity__list_next(&session->begun, node)) {
    const identity__call *other = IDENTITY__OWNER(node, identity__call, begun);
    bool concerned = other == call || (call->owned_by_session && other->waits_for_token);
    ends = concerned && other->deadline_ms < ends ? other->deadline_ms : ends;
  }
  return ends;
}

/* A store that is in use is asked again for a while; everything else goes on meanwhile. True: the call is to
 * ask again at call->again_ms. Nobody waits (call NULL) for what is done by the way. */
static bool wait_for_lock(identity_session *session, identity__call *call, int32_t said) {
  if (call == NULL)
    return false;
  int64_t now_ms = identity__loop_boot_ms(session->loop);
  if (said == IDENTITY__SAID_LOCKED && call->locked_since_ms == 0)
    call->locked_since_ms = now_ms;
  if (said == IDENTITY__SAID_LOCKED && now_ms + LOCK_PAUSE_MS < patience_ends_ms(session, call)) {
    call->again_ms = now_ms + LOCK_PAUSE_MS;
    if (!call->owned_by_session) /* a flight fails for other reasons */
      (void)identity__fail_plain(&call->error, IDENTITY_STORE_LOCKED);
    return true;
  }
  call->locked_since_ms = 0;
  return false;
}

static int32_t load_bytes(const identity_session *session, identity__buffer *bytes, uint64_t *revision) {
  const identity__store *store = &session->store;
  size_t length = 0;
  *revision = 0;
  int32_t result = store->load(store->user_data, session->store_key, bytes->bytes, IDENTITY__MAX_RECORD,
                               &length, revision);
  bytes->length = result == IDENTITY__STORE_OK && length <= IDENTITY__MAX_RECORD ? length : 0;
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

static void look_once(const identity_session *session, identity__look *look) {
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

/* A flight looks before each swap: what can be read may be held against being written (by readers, say), and
 * its patience goes on. */
bool identity__keep_look(identity_session *session, identity__call *call, identity__look *look) {
  look_once(session, look);
  bool flies = call != NULL && call->owned_by_session;
  if (flies && look->said != IDENTITY__SAID_LOCKED)
    return true;
  if (!wait_for_lock(session, call, look->said))
    return true;
  identity__record_clear(&look->record);
  return false;
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

static int32_t swap_once(const identity_session *session, const identity__record *record, bool both_copies,
                         uint64_t *revision) {
  const identity__store *store = &session->store;
  identity__buffer bytes;
  int32_t said = IDENTITY__SAID_MEMORY;
  identity__buffer_init(&bytes, IDENTITY__MAX_RECORD);
  if (identity__record_encode(record, session->binding, &bytes))
    said = said_by(store->swap(store->user_data, session->store_key, session->tokens.revision, both_copies,
                               bytes.bytes, bytes.length, revision));
  identity__buffer_free(&bytes);
  return said;
}

bool identity__keep_swap(identity_session *session, identity__call *call, const identity__change *change,
                         int32_t *said, uint64_t *revision) {
  *revision = session->tokens.revision;
  int32_t answer = swap_once(session, &change->next, change->both_copies, revision);
  *said = bound_conflicts(session, answer);
  return !wait_for_lock(session, call, answer);
}

/* What has to wait is given up, and begun anew then: much may have happened meanwhile. */
static int32_t give_up(identity__change *change) {
  identity__record_clear(&change->next);
  change->status = IDENTITY__KEEP_AGAIN;
  return IDENTITY__DO_NONE;
}

/* A swap can only conflict, and a load cannot. */
static int32_t step_swap(identity_session *session, identity__call *call, identity__change *change) {
  uint64_t revision;
  int32_t said;
  if (!identity__keep_swap(session, call, change, &said, &revision))
    return give_up(change);
  (void)identity__notice_begin(session);
  int32_t next = identity__change_swapped(change, &session->tokens, said, revision);
  identity__notice_end(session);
  return next;
}

static int32_t step_load(identity_session *session, identity__call *call, identity__change *change) {
  identity__look look;
  if (!identity__keep_look(session, call, &look))
    return give_up(change);
  identity__now now = identity__notice_begin(session);
  int32_t next = identity__change_loaded(change, &session->tokens, &look, now);
  identity__notice_end(session);
  return next;
}

identity_status identity__keep_change(identity_session *session, identity__call *call,
                                      identity__change *change) {
  int32_t next = identity__change_begin(change, &session->tokens, identity__loop_now(session->loop));
  while (next != IDENTITY__DO_NONE)
    next = next == IDENTITY__DO_SWAP ? step_swap(session, call, change) : step_load(session, call, change);
  return change->status;
}

bool identity__keep_load(identity_session *session, identity__call *call) {
  identity__look look;
  if (!identity__keep_look(session, call, &look))
    return false;
  identity__now now = identity__notice_begin(session);
  (void)identity__machine_hear(&session->tokens, &look, now);
  identity__notice_end(session);
  return true;
}

void identity__keep_open(identity_session *session, bool waits) {
  int64_t until = identity__clock_boot_ms() + LOCK_PATIENCE_MS;
  identity__keep_load(session, NULL);
  while (waits && session->tokens.blocked == IDENTITY_STORE_LOCKED && identity__clock_boot_ms() < until) {
    identity__transport_wait(session->loop->transport, LOCK_PAUSE_MS);
    identity__keep_load(session, NULL);
  }
}

static bool make_same(const identity__machine *machine, const void *input, identity__record *next) {
  (void)input;
  return identity__machine_same(machine, next);
}

identity_status identity__keep_retry(identity_session *session, identity__call *call) {
  bool all = session->tokens.unread;
  /* Going over a store that nobody had read raises the epoch: not under a refresh, whose own swap does it. */
  if (!session->tokens.not_persisted || (all && session->flight != NULL))
    return IDENTITY_OK;
  identity__change change = {.make = make_same,
                             .over = all ? IDENTITY__OVER_ALL : IDENTITY__OVER_PAIR,
                             .both_copies = true,
                             .in_memory_too = true};
  return identity__keep_change(session, call, &change);
}

identity_status identity__keep_probe(identity_session *session, identity__call *call) {
  identity__change same = {.make = make_same, .over = IDENTITY__OVER_PAIR};
  if (session->tokens.blocked != IDENTITY_OK && !identity__keep_load(session, call))
    return IDENTITY__KEEP_AGAIN;
  if (session->tokens.blocked != IDENTITY_OK)
    return session->tokens.blocked;
  identity_status status = identity__keep_change(session, call, &same);
  return status == IDENTITY_STORE_FAILED && session->volatile_tokens ? IDENTITY_OK : status;
}
