/* A clock of the host for end-to-end tests: it runs with the system's, and jumps when a test says so. */
#ifndef SUPPORT_HOST_CLOCK_H
#define SUPPORT_HOST_CLOCK_H

#include "support/service.h"

#include <identity/platform.h>
#include <stdatomic.h>

typedef struct host_clock {
  identity_clock clock;       /* for identity_config_set_clock */
  atomic_llong boot_ahead_ms; /* of the system's */
  atomic_llong wall_ahead_ms;
  atomic_int stopped; /* 1: wall says 0, as where there is no such clock */
} host_clock;

/* A device that started up_ms ago. boot_id NULL: as the system says. */
void host_clock_start(host_clock *self, const char *boot_id, int64_t up_ms);
/* The viewer, or a time service, sets the date: it is so much ahead of the true time now. */
void host_clock_set_wall(host_clock *self, int64_t ahead_ms);
/* To a date, in seconds since 1970. */
void host_clock_set_date(host_clock *self, int64_t date_s);
/* The device has slept for so long. */
void host_clock_sleep(host_clock *self, int64_t ms);
/* A session of the device, with the memory store. */
identity_session *host_clock_open(host_clock *self, service *server, const char *account);
void host_clock_read(host_clock *self, int64_t *boot_ms, int64_t *wall_ms);

#endif
