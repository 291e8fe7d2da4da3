#include "soak/virtual.h"

#include <errno.h>
#include <identity/platform.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { SLICE_MS = 2 };

static soak_page *page;
static soak_device *device;
static soak_worker *self;
static int refresh_file = -1; /* the socket that a refresh token went into last */

void virtual_begin(soak_page *shared, int32_t worker) {
  page = shared;
  self = &page->workers[worker];
  device = &page->devices[worker / SOAK_WORKERS];
}

static void now(void *user_data, int64_t *boot_ms, int64_t *wall_ms) {
  (void)user_data;
  int64_t now_ms = page->now_ms;
  *boot_ms = now_ms - device->booted_ms;
  *wall_ms = SOAK_EPOCH_MS + now_ms + device->wall_skew_ms;
}

identity_status virtual_clock(identity_config *config) {
  identity_clock clock;
  char boot_id[40];
  identity_clock_init(&clock, sizeof clock);
  snprintf(boot_id, sizeof boot_id, "boot-%d", (int)device->boot);
  clock.now = now;
  clock.boot_id = boot_id;
  return identity_config_set_clock(config, &clock);
}

static void wait_for_turn(uint32_t turn) {
  soak_wake(&page->news);
  while (self->turn == turn)
    soak_wait(&self->turn, turn, 1000);
}

void virtual_pause(int64_t ms) {
  uint32_t turn = self->turn;
  self->wakes_ms = page->now_ms + ms;
  self->doing = SOAK_PAUSED;
  wait_for_turn(turn);
}

void virtual_ask(void) {
  uint32_t turn = self->turn;
  self->doing = SOAK_ASKS;
  wait_for_turn(turn);
}

/* ---- In the place of the C library's own, for libcurl: waiting takes virtual time, a network can be away.
 * ---- */

static int system_poll(struct pollfd *files, nfds_t count, int timeout_ms) {
  struct timespec timeout = {timeout_ms / 1000, (long)(timeout_ms % 1000) * 1000000};
  return (int)syscall(SYS_ppoll, files, count, timeout_ms < 0 ? NULL : &timeout, NULL, 0);
}

/* Time goes on while everybody polls in vain, and only then: an answer that is under way arrives first. */
int poll(struct pollfd *files, nfds_t count, int timeout_ms) {
  if (timeout_ms == 0 || page == NULL)
    return system_poll(files, count, timeout_ms);
  int64_t until_ms = page->now_ms + timeout_ms;
  int ready = 0;
  self->doing = SOAK_POLLING;
  while (ready == 0 && (timeout_ms < 0 || page->now_ms < until_ms)) {
    ready = system_poll(files, count, SLICE_MS);
    if (ready == 0)
      self->slices++;
  }
  self->doing = SOAK_BUSY;
  return ready;
}

/* Some headers declare it with a union that no definition may repeat. */
int connect_or_not(int file, const struct sockaddr *address, socklen_t length) __asm__("connect");

int connect_or_not(int file, const struct sockaddr *address, socklen_t length) {
  if (device != NULL && device->offline && address->sa_family != AF_UNIX) {
    errno = ENETUNREACH;
    return -1;
  }
  return (int)syscall(SYS_connect, file, address, length);
}

static void strike(_Atomic int32_t *signal_number) {
  int32_t given = atomic_exchange(signal_number, 0);
  int32_t worker = (int32_t)(self - page->workers);
  soak_event event = {.device = worker / SOAK_WORKERS, .worker = worker, .value = getpid()};
  if (given == 0)
    return;
  event.kind = given == SIGKILL ? SOAK_KILLED : SOAK_STOPPED;
  soak_note(page, &event);
  (void)kill(getpid(), given);
}

ssize_t send(int file, const void *bytes, size_t length, int flags) {
  static const char key[] = "\"refreshToken\"";
  ssize_t sent = syscall(SYS_sendto, file, bytes, length, flags, NULL, 0);
  if (page == NULL || sent <= 0 || memmem(bytes, (size_t)sent, key, sizeof key - 1) == NULL)
    return sent;
  refresh_file = file;
  strike(&self->strike_sent);
  return sent;
}

ssize_t recv(int file, void *bytes, size_t length, int flags) {
  ssize_t received = syscall(SYS_recvfrom, file, bytes, length, flags, NULL, NULL);
  if (page == NULL || received <= 0 || file != refresh_file)
    return received;
  refresh_file = -1;
  strike(&self->strike_received);
  return received;
}
