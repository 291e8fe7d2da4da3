#include "soak/devices.h"
#include "soak/link.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#define SECOND_MS INT64_C(1000)
#define MINUTE_MS (60 * SECOND_MS)
#define HOUR_MS (60 * MINUTE_MS)
#define YEAR_MS (8766 * HOUR_MS)

typedef struct place {
  int64_t freed_ms; /* the store is held until then; 0: it is free */
  int64_t online_ms;
  int lock;
} place;

static struct {
  soak_page *page;
  soak_tally *tally;
  place places[SOAK_DEVICES];
  soak_dice dice;
} devices;

void devices_begin(soak_page *page, soak_tally *tally) {
  memset(&devices, 0, sizeof devices);
  devices.page = page;
  devices.tally = tally;
  devices.dice.state = page->seed + 1;
}

int32_t devices_pick(void) {
  return (int32_t)soak_pick(&devices.dice, SOAK_DEVICES);
}

static void note(int32_t kind, int32_t device) {
  const soak_event event = {.kind = kind, .device = device, .worker = -1};
  soak_note(devices.page, &event);
}

void devices_step_clock(void) {
  static const int64_t skews_ms[] = {0, 0, HOUR_MS, -HOUR_MS, 10 * YEAR_MS, -10 * YEAR_MS, 100 * SECOND_MS};
  soak_device *device = &devices.page->devices[devices_pick()];
  int64_t roll = soak_pick(&devices.dice, 9);
  devices.tally->steps_of_clocks++;
  if (roll < 7)
    device->wall_skew_ms = skews_ms[roll];
  else if (roll == 7)
    device->wall_skew_ms = -SOAK_EPOCH_MS - devices.page->now_ms; /* 1970 */
  else
    device->wall_skew_ms = soak_pick(&devices.dice, 20 * YEAR_MS) - 10 * YEAR_MS;
}

static int open_slot(int32_t device) {
  char directory[192];
  char path[512];
  int file = -1;
  soak_store_path(devices.page, device, directory);
  DIR *list = opendir(directory);
  for (const struct dirent *entry; list != NULL && file < 0 && (entry = readdir(list)) != NULL;) {
    snprintf(path, sizeof path, "%s/%s", directory, entry->d_name);
    if (entry->d_name[0] != '.')
      file = open(path, O_RDWR | O_CLOEXEC);
  }
  if (list != NULL)
    closedir(list);
  return file;
}

void devices_hold_store(void) {
  int32_t device = devices_pick();
  place *here = &devices.places[device];
  if (here->freed_ms != 0)
    return;
  here->lock = open_slot(device);
  if (here->lock < 0 || flock(here->lock, LOCK_EX | LOCK_NB) != 0) {
    if (here->lock >= 0)
      close(here->lock);
    return;
  }
  devices.tally->locks++;
  note(SOAK_STORE_HELD, device);
  here->freed_ms = devices.page->now_ms + soak_span(&devices.dice, 50, 10 * MINUTE_MS);
}

static void free_store(int32_t device) {
  place *here = &devices.places[device];
  if (here->freed_ms == 0)
    return;
  flock(here->lock, LOCK_UN);
  close(here->lock);
  here->freed_ms = 0;
  note(SOAK_STORE_FREE, device);
}

void devices_go_offline(void) {
  int32_t device = devices_pick();
  devices.tally->outages++;
  devices.page->devices[device].offline = 1;
  devices.places[device].online_ms = devices.page->now_ms + soak_span(&devices.dice, 10 * SECOND_MS, HOUR_MS);
  link_close_idle();
}

static bool is_due(int64_t due_ms) {
  return due_ms > 0 && due_ms <= devices.page->now_ms;
}

void devices_step(void) {
  for (int32_t i = 0; i < SOAK_DEVICES; i++) {
    place *here = &devices.places[i];
    if (is_due(here->freed_ms))
      free_store(i);
    if (!is_due(here->online_ms))
      continue;
    devices.page->devices[i].offline = 0;
    here->online_ms = 0;
  }
}

int64_t devices_next_ms(void) {
  int64_t next_ms = INT64_MAX;
  for (int32_t i = 0; i < SOAK_DEVICES; i++) {
    const int64_t due_ms[2] = {devices.places[i].freed_ms, devices.places[i].online_ms};
    for (int which = 0; which < 2; which++)
      if (due_ms[which] > 0 && due_ms[which] < next_ms)
        next_ms = due_ms[which];
  }
  return next_ms;
}

void devices_calm(void) {
  for (int32_t i = 0; i < SOAK_DEVICES; i++) {
    free_store(i);
    devices.page->devices[i].offline = 0;
    devices.places[i].online_ms = 0;
  }
}
