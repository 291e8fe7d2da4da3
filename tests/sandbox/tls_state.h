/* The service's own certificate authority and server certificate, made at run time in the --state directory.
 */
#ifndef SBX_TLS_STATE_H
#define SBX_TLS_STATE_H

#include "shape.h"

#include <stdbool.h>

struct sbx_tls {
  char *certificate; /* PEM */
  char *key;         /* PEM */
  bool made_now;
};

/* Reuses what is there while it holds for at least another day, else makes all of it anew. */
bool sbx_tls_prepare(const char *directory, struct sbx_tls *tls, struct sbx_problem *problem);
void sbx_tls_free(struct sbx_tls *tls);

#endif
