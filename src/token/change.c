#include "token/change.h"

static int32_t end(identity__change *change, identity_status status) {
  identity__record_clear(&change->next);
  change->status = status;
  return IDENTITY__DO_NONE;
}

static void go_over(const identity__machine *machine, identity__record *next) {
  if (!machine->unread)
    return;
  if (next->epoch <= machine->over_epoch)
    next->epoch = machine->over_epoch + 1;
  if (next->generation < machine->over_generation)
    next->generation = machine->over_generation;
}

static int32_t make(identity__change *change, const identity__machine *machine, identity__now now) {
  if (!change->make(machine, change->input, &change->next))
    return end(change, IDENTITY_OUT_OF_MEMORY);
  go_over(machine, &change->next);
  change->both_copies =
      change->both_copies || machine->not_persisted; /* the earlier copy may be of another epoch */
  identity__record_stamp(&change->next, machine->boot_id, now);
  return IDENTITY__DO_SWAP;
}

int32_t identity__change_begin(identity__change *change, const identity__machine *machine,
                               identity__now now) {
  identity__record_init(&change->next);
  change->epoch = machine->record.epoch;
  change->generation = machine->record.generation;
  change->pair = machine->pair;
  change->standing = machine->record.standing;
  change->overtaken = false;
  return make(change, machine, now);
}

/* What the store did not take lives in memory; it is not lost for want of memory either. */
static int32_t hold(identity__change *change, identity__machine *machine, identity_status status) {
  bool ends = change->over == IDENTITY__OVER_PAIR && change->next.standing == IDENTITY__RECORD_REAUTH &&
              change->standing == IDENTITY__RECORD_SIGNED_IN;
  if (!change->in_memory_too || (ends && !change->end_in_memory))
    return end(change, status);
  identity__machine_commit(machine, &change->next, machine->revision, false);
  /* Who signs in or out wins, over whatever the store turns out to hold. */
  machine->unread = machine->unread || change->over == IDENTITY__OVER_ALL;
  machine->answers_unsaved = machine->answers_unsaved || change->answers;
  return end(change, status == IDENTITY_OUT_OF_MEMORY ? IDENTITY_STORE_FAILED : status);
}

/* What says neither yes nor why not is a failure. */
static identity_status refusal(int32_t said) {
  identity_status status = identity__machine_said(said);
  return status != IDENTITY_OK ? status : IDENTITY_STORE_FAILED;
}

int32_t identity__change_swapped(identity__change *change, identity__machine *machine, int32_t said,
                                 uint64_t revision) {
  if (said == IDENTITY__SAID_CONFLICT) {
    machine->counters.conflicts++;
    return IDENTITY__DO_LOAD;
  }
  if (said != IDENTITY__SAID_OK)
    return hold(change, machine, refusal(said));
  identity__machine_commit(machine, &change->next, revision, true);
  return end(change, IDENTITY_OK);
}

static bool was_declared_lost(const identity__record *record) {
  return record->standing == IDENTITY__RECORD_REAUTH &&
         (record->reason == IDENTITY_REASON_LOST_ROTATION || record->reason == IDENTITY_REASON_REFUSED);
}

bool identity__change_fits(const identity__change *change, const identity__machine *machine) {
  const identity__record *record = &machine->record;
  if (change->over == IDENTITY__OVER_ALL)
    return true;
  if (record->epoch != change->epoch)
    return false;
  if (change->over == IDENTITY__OVER_EPOCH)
    return true;
  /* What a late good pair goes over need not be the pair it comes from: it is alive, and that may not be. */
  bool same_pair =
      record->generation == change->generation && (change->revives || machine->pair == change->pair);
  return same_pair &&
         (record->standing == change->standing || (change->revives && was_declared_lost(record)));
}

int32_t identity__change_loaded(identity__change *change, identity__machine *machine, identity__look *look,
                                identity__now now) {
  identity_status status = identity__machine_hear(machine, look, now);
  if (status != IDENTITY_OK)
    return hold(change, machine, status);
  identity__record_clear(&change->next);
  change->overtaken = !identity__change_fits(change, machine);
  return change->overtaken ? end(change, IDENTITY_OK) : make(change, machine, now);
}
