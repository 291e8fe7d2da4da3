#include "support/host_clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <time.h>

static int64_t system_wall_ms(void) {
  struct timespec time;
  assert_int_equal(clock_gettime(CLOCK_REALTIME, &time), 0);
  return (int64_t)time.tv_sec * 1000 + time.tv_nsec / 1000000;
}

static void now(void *user_data, int64_t *boot_ms, int64_t *wall_ms) {
  host_clock_read(user_data, boot_ms, wall_ms);
}

void host_clock_read(host_clock *self, int64_t *boot_ms, int64_t *wall_ms) {
  *boot_ms = service_now_ms() + atomic_load(&self->boot_ahead_ms);
  *wall_ms = atomic_load(&self->stopped) ? 0 : system_wall_ms() + atomic_load(&self->wall_ahead_ms);
}

void host_clock_start(host_clock *self, const char *boot_id, int64_t up_ms) {
  identity_clock_init(&self->clock, sizeof self->clock);
  self->clock.user_data = self;
  self->clock.now = now;
  self->clock.boot_id = boot_id;
  atomic_init(&self->boot_ahead_ms, up_ms - service_now_ms());
  atomic_init(&self->wall_ahead_ms, 0);
  atomic_init(&self->stopped, 0);
}

identity_session *host_clock_open(host_clock *self, service *server, const char *account) {
  identity_config *config = service_config(server);
  assert_int_equal(identity_config_set_clock(config, &self->clock), IDENTITY_OK);
  return service_open_with(config, account);
}

void host_clock_set_wall(host_clock *self, int64_t ahead_ms) {
  atomic_store(&self->wall_ahead_ms, ahead_ms);
}

void host_clock_set_date(host_clock *self, int64_t date_s) {
  atomic_store(&self->wall_ahead_ms, date_s * 1000 - system_wall_ms());
}

void host_clock_sleep(host_clock *self, int64_t ms) {
  atomic_fetch_add(&self->boot_ahead_ms, ms);
  atomic_fetch_add(&self->wall_ahead_ms, ms);
}
