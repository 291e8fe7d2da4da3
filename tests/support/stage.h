/* The stage of an end-to-end test program: one stand-in service for all its tests, taken back to its start
 * before each. At the end no log line of any session may hold a secret. Plain http, unless STAGE_KIND says
 * SERVICE_TLS. */
#ifndef SUPPORT_STAGE_H
#define SUPPORT_STAGE_H

#include "support/probe.h"
#include "support/suite.h"

#include <stdlib.h>

#ifndef STAGE_KIND
#define STAGE_KIND SERVICE_HTTP
#endif

static service server;

static int start(void **state) {
  (void)state;
  service_start(&server, STAGE_KIND, NULL);
  return 0;
}

static int stop(void **state) {
  (void)state;
  service_assert_no_secret(NULL);
  service_stop(&server);
  return 0;
}

static int reset(void **state) {
  (void)state;
  service_reset(&server);
  return 0;
}

#define ROWS(table) (sizeof(table) / sizeof((table)[0]))

#endif
