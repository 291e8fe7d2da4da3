#include "explore/story.h"
#include "explore/invariants.h"
#include "explore/texts.h"

#include <stdio.h>
#include <string.h>

enum { MOST_WAY = 200 };

static void print_record(const explore_world *world, const identity__record *record) {
  static const char *const standings[] = {"out", "in", "REAUTH"};
  (void)printf("%s e%llu g%llu R%d", standings[record->standing], (unsigned long long)record->epoch,
               (unsigned long long)record->generation, (int)explore_number(record->grant.refresh_token));
  if (record->lease.fingerprint[0] != '\0')
    (void)printf(" lease of %s %+lld..%+lld s", record->lease.owner,
                 (long long)(record->lease.begun_boot_ms - world->now.boot_ms) / 1000,
                 (long long)(record->lease.ends_boot_ms - world->now.boot_ms) / 1000);
  if (record->cooldown_boot_ms > world->now.boot_ms)
    (void)printf(" cooldown %lld s", (long long)(record->cooldown_boot_ms - world->now.boot_ms) / 1000);
  if (record->ambiguous)
    (void)printf(" ambiguous");
  if (record->pending_count > 0)
    (void)printf(" pending");
  if (record->standing != IDENTITY__RECORD_SIGNED_IN)
    (void)printf(" (reason %d)", (int)record->reason);
}

static void print_handle(const explore_world *world, int32_t handle) {
  static const char *const nexts[] = {"load", "swap", "send", "wait", "-"};
  const explore_handle *us = &world->handles[handle];
  if (us->state == HANDLE_CLOSED)
    return;
  (void)printf("        %c (H%d): ", explore_name(handle), (int)us->owner);
  print_record(world, &us->machine.record);
  if (us->machine.blocked != IDENTITY_OK)
    (void)printf(" blocked");
  if (us->machine.not_persisted)
    (void)printf(" not persisted%s", us->machine.unread ? ", unread" : "");
  if (us->machine.dead)
    (void)printf(" JWT refused");
  if (us->machine.flying)
    (void)printf("; flight: %s", nexts[us->next]);
  if (us->order.next != IDENTITY__DO_NONE)
    (void)printf("; order: %s", nexts[us->order.next]);
  (void)printf("\n");
}

static void print_world(const explore_world *world) {
  static const char *const states[] = {"", "held", "on its way", "answered"};
  (void)printf("        store r%llu: ", (unsigned long long)world->store.now.revision);
  if (explore_is_readable(&world->store))
    print_record(world, &world->store.now.record);
  else
    (void)printf(world->store.now.there ? "lost" : "empty");
  (void)printf("\n");
  for (int32_t i = 0; i < HANDLES; i++)
    print_handle(world, i);
  for (int32_t i = 0; i < REQUESTS; i++) {
    const explore_request *request = &world->requests[i];
    if (request->state != REQUEST_NONE)
      (void)printf("        request %d: R%d %s%s, of %c\n", (int)i + 1, (int)request->token,
                   states[request->state],
                   request->state == REQUEST_ANSWERED && request->pair != 0 ? " with a pair" : "",
                   request->listener == NOBODY ? '-' : explore_name(request->listener));
  }
}

static void print_step(int32_t number, explore_step step, const explore_world *world, int64_t passed_ms) {
  char text[120];
  explore_print_step(step, text, sizeof text);
  (void)printf("  %3d. %s", (int)number, text);
  if (passed_ms != 0)
    (void)printf(" (%.1f s)", (double)passed_ms / 1000);
  if (explore_event_now.landed && !explore_event_now.released && explore_event_now.answer == NOBODY)
    (void)printf(" [its flight is told]");
  (void)printf("\n");
  print_world(world);
}

void explore_tell_story(const explore_visited *visited, const explore_expedition *expedition, uint32_t parent,
                        explore_step last, int32_t broken) {
  static explore_world world;
  explore_step steps[MOST_WAY];
  const char *words = NULL;
  int32_t root = 0;
  int32_t count = explore_way(visited, parent, steps, MOST_WAY - 1, &root);
  steps[count++] = last;
  (void)explore_root(&world, root, &words);
  memcpy(world.left, expedition->most, sizeof world.left);
  world.left[COST_NONE] = UNLIMITED;
  (void)fflush(stdout);
  (void)printf("\nBROKEN %s: %s\n", explore_invariant_row(broken)->name,
               explore_invariant_row(broken)->words);
  (void)printf("  %s: %s\n", expedition->name, words);
  print_world(&world);
  for (int32_t i = 0; i < count; i++) {
    int64_t was_ms = world.now.boot_ms;
    explore_take(&world, steps[i]);
    print_step(i + 1, steps[i], &world, world.now.boot_ms - was_ms);
  }
  (void)printf("\n");
  (void)fflush(stdout);
}
