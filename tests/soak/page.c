#include "soak/shared.h"

#include <fcntl.h>
#include <linux/futex.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

soak_page *soak_page_open(const char *path, bool anew) {
  int file = open(path, O_RDWR | O_CLOEXEC | (anew ? O_CREAT | O_EXCL : 0), 0600);
  if (file < 0)
    return NULL;
  void *page = MAP_FAILED;
  if (!anew || ftruncate(file, sizeof(soak_page)) == 0)
    page = mmap(NULL, sizeof(soak_page), PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  close(file);
  return page == MAP_FAILED ? NULL : page;
}

void soak_note(soak_page *page, const soak_event *event) {
  uint32_t number = atomic_fetch_add(&page->event_count, 1);
  if (number >= SOAK_MOST_EVENTS)
    return; /* the harness looks at the count */
  soak_event *noted = &page->events[number];
  noted->now_ms = page->now_ms;
  noted->real_us = soak_real_us();
  noted->device = event->device;
  noted->worker = event->worker;
  noted->handle = event->handle;
  noted->value = event->value;
  noted->more = event->more;
  memcpy(noted->mark, event->mark, sizeof noted->mark);
  noted->kind = event->kind;
}

void soak_store_path(const soak_page *page, int32_t device, char path[192]) {
  snprintf(path, 192, "%s/device-%d", page->directory, device);
}

int64_t soak_real_us(void) {
  struct timespec now = {0};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

int64_t soak_real_ms(void) {
  return soak_real_us() / 1000;
}

void soak_wait(_Atomic uint32_t *word, uint32_t value, int32_t most_ms) {
  struct timespec most = {most_ms / 1000, (long)(most_ms % 1000) * 1000000};
  syscall(SYS_futex, word, FUTEX_WAIT, value, &most, NULL, 0);
}

void soak_wake(_Atomic uint32_t *word) {
  atomic_fetch_add(word, 1);
  syscall(SYS_futex, word, FUTEX_WAKE, INT32_MAX, NULL, NULL, 0);
}

void soak_mark(const char *text, size_t length, char mark[SOAK_MARK_SIZE]) {
  unsigned char digest[EVP_MAX_MD_SIZE] = {0};
  EVP_Digest(text, length, digest, NULL, EVP_sha256(), NULL);
  for (int i = 0; i < (SOAK_MARK_SIZE - 1) / 2; i++)
    snprintf(mark + (ptrdiff_t)2 * i, 3, "%02x", digest[i]);
}

/* splitmix64 */
uint64_t soak_roll(soak_dice *dice) {
  uint64_t value = dice->state += 0x9E3779B97F4A7C15u;
  value = (value ^ value >> 30) * 0xBF58476D1CE4E5B9u;
  value = (value ^ value >> 27) * 0x94D049BB133111EBu;
  return value ^ value >> 31;
}

int64_t soak_pick(soak_dice *dice, int64_t below) {
  return (int64_t)(soak_roll(dice) % (uint64_t)below);
}

int64_t soak_span(soak_dice *dice, int64_t least, int64_t most) {
  int32_t doublings = 0;
  while (least << (doublings + 1) <= most)
    doublings++;
  int64_t low = least << soak_pick(dice, doublings + 1);
  int64_t high = low * 2 < most ? low * 2 : most;
  return low + soak_pick(dice, high - low + 1);
}

bool soak_chance(soak_dice *dice, int32_t percent) {
  return soak_pick(dice, 100) < percent;
}
