#include "base/clock.h"

#include <fcntl.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#if defined(__linux__)
#include <sys/random.h>
#endif

/* CLOCK_MONOTONIC stands still while a device sleeps; a JWT does not. */
#if defined(CLOCK_BOOTTIME)
#define AGE_CLOCK CLOCK_BOOTTIME
#else
#define AGE_CLOCK CLOCK_MONOTONIC
#endif

static int64_t read_clock(clockid_t id) {
  struct timespec time;
  if (clock_gettime(id, &time) != 0)
    return 0;
  return (int64_t)time.tv_sec * 1000 + time.tv_nsec / 1000000;
}

int64_t identity__clock_boot_ms(void) {
  return read_clock(AGE_CLOCK);
}

/* A host may say anything: sums of two times must not overflow. */
static int64_t sane(int64_t ms) {
  const int64_t most = (int64_t)1 << 58;
  if (ms < 0)
    return 0;
  return ms < most ? ms : most;
}

identity__now identity__clock_read(const identity__clock *clock) {
  if (clock->now == NULL)
    return (identity__now){.boot_ms = identity__clock_boot_ms(), .wall_ms = read_clock(CLOCK_REALTIME)};
  identity__now now = {0};
  clock->now(clock->user_data, &now.boot_ms, &now.wall_ms);
  now.boot_ms = sane(now.boot_ms);
  now.wall_ms = sane(now.wall_ms);
  return now;
}

int64_t identity__clock_read_boot_ms(const identity__clock *clock) {
  return clock->now == NULL ? identity__clock_boot_ms() : identity__clock_read(clock).boot_ms;
}

void identity__clock_boot_id(char boot_id[IDENTITY__BOOT_ID_SIZE]) {
  memset(boot_id, 0, IDENTITY__BOOT_ID_SIZE);
  int file = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
  if (file < 0)
    return;
  ssize_t length = read(file, boot_id, IDENTITY__BOOT_ID_SIZE - 1);
  (void)close(file);
  boot_id[length > 0 ? length : 0] = '\0';
  boot_id[strcspn(boot_id, "\n")] = '\0';
}

uint64_t identity__clock_random(void) {
  uint64_t value = 0;
#if defined(__linux__)
  if (getrandom(&value, sizeof value, GRND_NONBLOCK) == (ssize_t)sizeof value)
    return value;
#endif
  /* Early at boot there is no entropy; jitter still has to differ between devices, not to be secret. */
  struct timespec time = {0};
  (void)clock_gettime(CLOCK_MONOTONIC, &time);
  value = (uint64_t)time.tv_nsec * 0x9E3779B97F4A7C15u ^ (uint64_t)time.tv_sec ^ (uint64_t)getpid() << 32;
  value ^= (uint64_t)(uintptr_t)&value;
  return value * 0xBF58476D1CE4E5B9u;
}
