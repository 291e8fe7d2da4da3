/* Everything the stand-in service is, without its sockets. */
#ifndef SBX_SERVICE_H
#define SBX_SERVICE_H

#include "clock.h"
#include "faults.h"
#include "journal.h"
#include "model.h"
#include "settings.h"

#include <openssl/evp.h>

struct sbx_server;

struct sbx_service {
  struct sbx_clock clock;
  struct sbx_settings settings;
  struct sbx_settings start_settings; /* what POST reset goes back to */
  cJSON *start_config;                /* the same for publishers and customers */
  struct sbx_model model;
  struct sbx_journal journal;
  struct sbx_faults faults;
  EVP_PKEY *jwt_key;
  struct sbx_server *server; /* for the control requests that are about connections */
};

/* Builds the start state from a configuration document. On failure nothing changed. */
bool sbx_service_reset(struct sbx_service *service, struct sbx_problem *problem);
void sbx_service_free(struct sbx_service *service);

#endif
